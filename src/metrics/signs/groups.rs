//! What the answers of one group have that those of the others have not: one backend behind a
//! balancer that is slow, that errs, or that gets too much.

use super::super::groups::{Group, Groups, Value, upper_tail};
use super::super::trend::median;
use super::super::{Summary, Warning, confidence};
use super::{percent, sign};
use crate::time::Nanos;
use crate::units::{format_duration, format_exact};

/// How much slower than the others' a p95 is to be, and the least that it certainly is.
const SLOWER: f64 = 2.0;
const CERTAINLY: f64 = 1.5;

/// Five samples lie above the p95 of as many.
const FOR_P95: u64 = 100;

/// Errors of one group that matter: their share, and against the share of the others.
const ERRORS: f64 = 0.01;
const MORE: f64 = 2.0;
const FEW_ERRORS: u64 = 10;

/// What chance does not make more often.
const SIGNIFICANT: f64 = 0.001;

/// Most answers without the header: it is no backend's that says who it is.
const WITHOUT: f64 = 0.5;

pub fn slow(summary: &Summary) -> Option<Warning> {
    let rows: Vec<&Group> = told_apart(summary)?.collect();
    let p95 = |row: &Group| row.book.service().quantile(0.95).0 as f64;
    let enough = |row: &&&Group| row.book.service().count() >= FOR_P95;
    let others = |of: &Group| {
        let others = rows.iter().filter(enough).filter(|row| row.value != of.value);
        let others: Vec<f64> = others.map(|row| p95(row)).collect();
        (!others.is_empty()).then(|| median(others))
    };
    let found = rows.iter().filter(enough).filter_map(|row| Some((*row, others(row)?)));
    let found = found
        .filter(|(row, usual)| p95(row) >= usual * SLOWER && least_p95(row) >= usual * CERTAINLY);
    let worst = found.max_by(|a, b| (p95(a.0) / a.1).total_cmp(&(p95(b.0) / b.1)));
    worst.map(|(row, usual)| {
        let text = format!(
            "the p95 of {} is {}, and {} of the others (service time of good answers)",
            row.value.shown(),
            format_duration(Nanos(p95(row) as u64)),
            format_duration(Nanos(usual as u64))
        );
        let hint = "look at that backend: its host, its version, what else runs there; take it out \
            of the balancer to see the others alone";
        sign("group_slow", text, hint)
    })
}

/// The lower end of the interval that holds its p95.
fn least_p95(row: &Group) -> f64 {
    let times = row.book.service();
    let rank = confidence::ranks(times.count(), 0.95).lower;
    rank.and_then(|rank| times.value_at_rank(rank)).map_or(0.0, |time| time.0 as f64)
}

/// By Pearson's test of two shares, of one group against all the others together.
pub fn errors(summary: &Summary) -> Option<Warning> {
    let rows: Vec<&Group> = told_apart(summary)?.collect();
    let all = |count: fn(&Group) -> u64| rows.iter().map(|row| count(row)).sum::<u64>();
    let answers = all(|row| row.book.completed());
    let errors = all(|row| row.book.rejected());
    let others = |row: &Group| {
        let answers = answers - row.book.completed();
        (errors - row.book.rejected()) as f64 / answers.max(1) as f64
    };
    let found = rows.iter().filter(|row| {
        let (count, share) = (row.book.rejected(), row.book.error_share());
        let is_much = count >= FEW_ERRORS && share >= ERRORS && share >= others(row) * MORE;
        is_much && rows.len() > 1 && chance(row, (errors, answers)) < SIGNIFICANT
    });
    let worst = found.max_by(|a, b| a.book.error_share().total_cmp(&b.book.error_share()));
    worst.map(|row| {
        let text = format!(
            "{} of the answers of {} ({}) were no good, and {} of the others'",
            percent(row.book.error_share()),
            row.value.shown(),
            format_exact(row.book.rejected()),
            percent(others(row))
        );
        sign("group_errors", text, "look into the log of that backend, and at its version")
    })
}

/// That the group's share of errors is so far from that of all by chance.
fn chance(row: &Group, (errors, answers): (u64, u64)) -> f64 {
    let share = errors as f64 / answers as f64;
    let (part, whole) = (row.book.completed() as f64, answers as f64);
    let off = row.book.rejected() as f64 - part * share;
    let variance = part * share * (1.0 - share) * (1.0 - part / whole);
    if variance > 0.0 { upper_tail(off * off / variance, 1) } else { 1.0 }
}

pub fn uneven(summary: &Summary) -> Option<Warning> {
    let found = summary.groups.as_ref()?.evenness().ok()?;
    (!found.is_even()).then(|| {
        let hint = "look at the balancer: its weights, its algorithm, whether it takes a backend for \
            unhealthy; who answers sooner gets more where it prefers those with less to do";
        sign("groups_uneven", found.text(), hint)
    })
}

pub fn too_many(summary: &Summary) -> Option<Warning> {
    let groups = summary.groups.as_ref()?;
    let further = groups.completed_of(&Value::Further);
    (further > 0).then(|| {
        let text = format!(
            "{} of the answers have further values of {} than the {} that are told apart, and are \
             counted together",
            percent(further as f64 / groups.completed() as f64),
            groups.by,
            format_exact(groups.told_apart().count() as u64)
        );
        sign(
            "groups_too_many",
            text,
            "name a header that says who answered, not which answer it is",
        )
    })
}

pub fn without_header(summary: &Summary) -> Option<Warning> {
    let groups = summary.groups.as_ref()?;
    let without = groups.completed_of(&Value::Absent);
    let share = without as f64 / groups.completed().max(1) as f64;
    (without > 0 && share >= WITHOUT).then(|| {
        let text = format!("{} of the answers have no {}", percent(share), groups.by);
        sign(
            "groups_without_header",
            text,
            "see with `curl -i` which headers come; whoever answers has to say who it is",
        )
    })
}

fn told_apart(summary: &Summary) -> Option<impl Iterator<Item = &Group>> {
    summary.groups.as_ref().map(Groups::told_apart)
}

#[cfg(test)]
mod tests {
    use super::super::super::groups::Book;
    use super::super::super::{Mode, Rejection, fixture};
    use super::*;

    const MS: Nanos = Nanos::from_millis(1);

    /// Good answers that took these times of a millisecond each, twenty to each of them; and errors.
    fn group(name: &str, good: u64, ms: u64, errors: u64) -> Group {
        let mut book = Book::default();
        for part in 0..20 {
            let time = Nanos(MS.0 * ms * (90 + part) / 100);
            book.good.record_many(time, good / 20);
        }
        book.rejected.record_many(MS, errors);
        book.rejections[Rejection::Status5xx as usize] = errors;
        Group { value: Value::Text(name.to_string()), book }
    }

    fn summary(rows: Vec<Group>) -> Summary {
        let answers: u64 = rows.iter().map(|row| row.book.completed()).sum();
        let by = "header:X-Served-By".to_string();
        let groups = Groups { by, rows, strayed: 50, switches: answers / 2 };
        Summary { groups: Some(groups), ..fixture::blank(Mode::Closed) }
    }

    fn text(sign: Option<Warning>) -> String {
        sign.map(|sign| sign.text()).unwrap_or_default()
    }

    #[test]
    fn one_that_is_twice_as_slow_as_the_others_is_named() {
        let rows = |ms, count| {
            vec![group("a", 2_000, 10, 0), group("b", 2_000, 11, 0), group("c", count, ms, 0)]
        };
        let found = text(slow(&summary(rows(30, 2_000))));
        let expected =
            "the p95 of c is 32.4 ms, and 11.3 ms of the others (service time of good answers)";
        assert_eq!(found, expected);
        // Not twice; too few to say so; nobody to compare with.
        assert!(slow(&summary(rows(18, 2_000))).is_none());
        assert!(slow(&summary(rows(30, 80))).is_none());
        assert!(slow(&summary(vec![group("c", 2_000, 30, 0)])).is_none());
        assert!(slow(&fixture::blank(Mode::Closed)).is_none());
    }

    #[test]
    fn what_is_slow_in_its_last_few_answers_alone_may_be_chance() {
        let mut rows = vec![group("a", 2_000, 10, 0), group("b", 100, 10, 0)];
        // Six of 106 are above the p95 as it is, and none above what it may certainly be.
        rows[1].book.good.record_many(Nanos(MS.0 * 300), 6);
        let found = summary(rows);
        assert!(
            found.groups.as_ref().is_some_and(|groups| {
                groups.rows[1].book.good.quantile(0.95) > Nanos(MS.0 * 200)
            })
        );
        assert!(slow(&found).is_none());
    }

    #[test]
    fn one_that_errs_more_than_the_others_is_named() {
        let rows = |errors| vec![group("a", 2_000, 9, 10), group("b", 2_000, 9, errors)];
        let found = text(errors(&summary(rows(200))));
        let expected = "9.1 % of the answers of b (200) were no good, and 0.50 % of the others'";
        assert_eq!(found, expected);
        assert!(errors(&summary(rows(18))).is_none(), "less than 1 %");
        let all = vec![group("a", 2_000, 9, 300), group("b", 2_000, 9, 330)];
        assert!(errors(&summary(all)).is_none(), "all of them err");
        let few = vec![group("a", 100, 9, 6), group("b", 100, 9, 14)];
        assert!(errors(&summary(few)).is_none(), "chance makes that");
        assert!(errors(&summary(vec![group("a", 100, 9, 90)])).is_none(), "it is the only one");
    }

    #[test]
    fn uneven_shares_are_told_with_the_most_and_the_least() {
        let rows = vec![group("a", 5_000, 9, 0), group("b", 3_000, 9, 0), group("c", 2_000, 9, 0)];
        let found = text(uneven(&summary(rows)));
        let start = "a gave 50.0 % of the answers, c 20.0 %, where equal shares are 33.3 %; by \
            chance that happens less than once in 1,000 runs (";
        assert!(found.starts_with(start), "{found}");
        assert!(uneven(&summary(vec![group("a", 500, 9, 0), group("b", 500, 9, 0)])).is_none());
    }

    #[test]
    fn a_header_that_is_no_backend_s_name_is_told() {
        let mut rows = vec![group("a", 100, 9, 0)];
        rows.push(Group { value: Value::Further, ..group("", 300, 9, 0) });
        let found = text(too_many(&summary(rows)));
        assert!(found.starts_with("75.0 % of the answers have further values"), "{found}");
        let rows = vec![Group { value: Value::Absent, ..group("", 300, 9, 0) }];
        let found = text(without_header(&summary(rows)));
        assert_eq!(found, "100.0 % of the answers have no header:X-Served-By");
        let rows =
            vec![group("a", 300, 9, 0), Group { value: Value::Absent, ..group("", 100, 9, 0) }];
        assert!(without_header(&summary(rows)).is_none());
    }
}
