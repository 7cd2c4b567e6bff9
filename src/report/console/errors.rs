//! Errors, in the groups that people act on: each with its counts by kind, and what to do.

use super::super::Document;
use super::super::number::{count, percent};
use super::text::{Sheet, Tone};
use crate::failure::{Kind, Side};
use crate::metrics::{Drop, Rejection};
use crate::plan::Statuses;
use crate::units::quote;

/// Columns of a group's name and of its count.
const NAME: usize = 20;
const COUNT: usize = 10;

/// Columns before what does not fit beside them.
const DETAIL: usize = 6;

/// Requests that ended alike, and the lines that say how.
pub struct Group {
    pub name: &'static str,
    pub count: u64,
    pub details: Vec<String>,
}

pub fn errors(sheet: &mut Sheet, document: &Document) {
    let (text, any) = total(document);
    sheet.labelled("errors", if any { Tone::Bad } else { Tone::Plain }, &text);
    for group in groups(document) {
        write(sheet, &group);
    }
}

/// How many in all, and whether there were any.
pub fn total(document: &Document) -> (String, bool) {
    let requests = &document.requests;
    let total = requests.rejected + requests.failed + requests.abandoned + requests.dropped;
    let scheduled = requests.scheduled;
    let mut text = match total {
        0 => "none".to_string(),
        _ => {
            let share = percent(total as f64 / scheduled.max(1) as f64);
            format!("{} of {} requests ({share})", count(total), count(scheduled))
        }
    };
    let unconnected: u64 = document.connections.failures.values().sum();
    // In a closed loop each stands for the requests it kept from being sent.
    let counts = !document.is_open_loop() && unconnected > 0;
    if counts {
        let share = percent(requests.error_share);
        text += &format!("; {share} counting {} failed connects", count(unconnected));
    }
    (text, total > 0 || counts)
}

/// The first detail stands beside the count if there is room for the whole of it.
fn write(sheet: &mut Sheet, group: &Group) {
    let mut line = format!("  {:<NAME$}{:>COUNT$}", group.name, count(group.count));
    let mut details = group.details.as_slice();
    if let [first, rest @ ..] = details
        && line.len() + 2 + first.len() <= sheet.width()
    {
        line += &format!("  {first}");
        details = rest;
    }
    sheet.line(&line);
    for detail in details {
        sheet.indented(DETAIL, Tone::Plain, detail);
    }
}

pub fn groups(document: &Document) -> Vec<Group> {
    let rejected = |name, rejection| of_rejection(document, name, rejection);
    let failed = |name, belongs: fn(Kind) -> bool| of_failures(document, name, belongs);
    let left = |name, count, hint: &str| Group { name, count, details: vec![hint.to_string()] };
    let requests = &document.requests;
    let mut groups = vec![
        rejected("client errors (4xx)", Rejection::Status4xx),
        rejected("rate limited (429)", Rejection::Status429),
        rejected("server errors (5xx)", Rejection::Status5xx),
        rejected("unknown statuses", Rejection::StatusOther),
        unexpected_status(document),
        unexpected("unexpected size", document, Rejection::UnexpectedSize),
        unexpected("unexpected body", document, Rejection::UnexpectedBody),
        failed_checks(document),
        failed("timeouts", |kind| kind == Kind::Timeout),
        failed("broken by the server", |kind| kind != Kind::Timeout && kind.side() == Side::Target),
        failed("network", |kind| kind.side() == Side::Network),
        failed("generator (blast)", |kind| kind.side() == Side::Generator),
        left("unanswered", requests.abandoned, "sent, but not answered before the drain ended"),
        of_drops(document),
    ];
    groups.retain(|group| group.count > 0);
    groups
}

/// The statuses of one rejection, most frequent first, and its hint.
fn of_rejection(document: &Document, name: &'static str, rejection: Rejection) -> Group {
    let mut details = vec![statuses(document, |s| Rejection::of(s) == Some(rejection))];
    // The group's name has said it already.
    details.retain(|text| rejection != Rejection::Status429 && !text.is_empty());
    details.push(rejection.hint().to_string());
    Group { name, count: count_of(document, rejection), details }
}

fn count_of(document: &Document, rejection: Rejection) -> u64 {
    document.rejections.get(rejection.name()).copied().unwrap_or(0)
}

/// Those of the statuses that came, most frequent first.
fn statuses(document: &Document, belongs: impl Fn(u16) -> bool) -> String {
    let came = document.statuses.iter();
    let mut of_group: Vec<(u16, u64)> = came
        .filter_map(|(status, count)| Some((status.parse().ok()?, *count)))
        .filter(|(status, _)| belongs(*status))
        .collect();
    of_group.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let each = |(status, count): &(u16, u64)| times(*count, &status.to_string());
    of_group.iter().map(each).collect::<Vec<_>>().join(", ")
}

/// Statuses that `--expect-status` does not name.
fn unexpected_status(document: &Document) -> Group {
    let mut group = unexpected("unexpected status", document, Rejection::UnexpectedStatus);
    let asked = document.plan.expect.status.as_deref().map(Statuses::parse);
    if let Some(Ok(asked)) = asked {
        group.details.insert(0, statuses(document, |status| !asked.has(status)));
    }
    group
}

/// Answers that are not what a flag says, and what that was.
fn unexpected(name: &'static str, document: &Document, rejection: Rejection) -> Group {
    let expect = &document.plan.expect;
    let asked = match rejection {
        Rejection::UnexpectedStatus => &expect.status,
        Rejection::UnexpectedSize => &expect.size,
        _ => &expect.body,
    };
    let asked = asked.as_ref().map_or_else(String::new, |asked| format!(": {}", quote(asked)));
    let details = match document.by_name {
        None => vec![format!("{}{asked}", rejection.hint())],
        // Each request has its own.
        Some(_) => vec!["not what `expect` of the plan file asks for".to_string()],
    };
    Group { name, count: count_of(document, rejection), details }
}

/// Answers that checks of the plan rejected, by check.
fn failed_checks(document: &Document) -> Group {
    let prefix = format!("{}:", Rejection::Check.name());
    let rejections = document.rejections.iter();
    let mut by_check: Vec<_> = rejections
        .filter_map(|(kind, count)| Some((kind.strip_prefix(&prefix)?, *count)))
        .collect();
    by_check.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let details = by_check.iter().map(|(name, count)| times(*count, name)).collect();
    let sum: u64 = by_check.iter().map(|(_, count)| count).sum();
    Group { name: "failed checks", count: sum + count_of(document, Rejection::Check), details }
}

fn of_failures(document: &Document, name: &'static str, belongs: fn(Kind) -> bool) -> Group {
    let of_kind = |kind: &Kind| document.failures.get(kind.name()).copied().unwrap_or(0);
    let kinds = || Kind::ALL.iter().filter(|kind| belongs(**kind) && of_kind(kind) > 0);
    let mut details: Vec<String> = kinds().map(|kind| hinted(*kind, of_kind(kind))).collect();
    if let [_] = details[..] {
        // The group's count is its own.
        details = kinds().map(|kind| format!("{}: {}", kind.name(), kind.hint())).collect();
    }
    Group { name, count: kinds().map(of_kind).sum(), details }
}

/// What was due and never sent, by reason.
fn of_drops(document: &Document) -> Group {
    let of = |why: &Drop| document.drops.get(why.name()).copied().unwrap_or(0);
    let reasons = || Drop::ALL.iter().filter(|why| of(why) > 0);
    let mut details: Vec<String> = reasons().map(|why| times(of(why), why.text())).collect();
    if let [_] = details[..] {
        details = reasons().map(|why| why.text().to_string()).collect();
    }
    Group { name: "never sent", count: document.requests.dropped, details }
}

/// One kind of failure: `320 x receive_reset: the server reset ...`.
pub fn hinted(kind: Kind, number: u64) -> String {
    format!("{}: {}", times(number, kind.name()), kind.hint())
}

fn times(number: u64, what: &str) -> String {
    format!("{} x {what}", count(number))
}
