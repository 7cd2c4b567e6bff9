//! How to repeat a run: the command, and what has to be put into it by hand.

use super::Document;
use super::document::{PlanEcho, Stage};
use crate::plan::mask::MASK;

#[derive(Clone, Debug, PartialEq)]
pub struct Repeat {
    /// For a shell, on one line.
    pub command: String,
    /// What the document does not hold.
    pub notes: Vec<String>,
}

/// The same load, as far as the document tells it.
pub fn repeat(document: &Document) -> Repeat {
    let plan = &document.plan;
    let mut words = vec!["blast".to_string()];
    match &plan.file {
        Some(file) => of_file(&mut words, file, plan),
        None => of_flags(&mut words, document),
    }
    let command = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    let mut notes = notes(plan, &command);
    notes.extend(unread(document));
    Repeat { command, notes }
}

/// The file says it all but what is random.
fn of_file(words: &mut Vec<String>, file: &str, plan: &PlanEcho) {
    words.extend(["run".to_string(), file.to_string()]);
    if let Some(seed) = plan.seed {
        flag(words, "--seed", seed);
    }
}

fn of_flags(words: &mut Vec<String>, document: &Document) {
    let plan = &document.plan;
    load(words, document);
    request(words, plan);
    bounds(words, plan);
    route(words, plan);
    for rule in &plan.thresholds {
        flag(words, "--threshold", rule);
    }
    for rule in &plan.abort_on {
        flag(words, "--abort-on", rule);
    }
    match &document.rating {
        None => flag(words, "--rating", "off"),
        Some(rating) if rating.set != "default" => flag(words, "--rating", &rating.set),
        Some(_) => {}
    }
    words.push(plan.url.clone());
}

fn load(words: &mut Vec<String>, document: &Document) {
    let plan = &document.plan;
    // Where users come and go, the stages say how many.
    if plan.rps.is_some() || document.stages.is_empty() {
        flag(words, "-c", plan.connections);
    }
    match (&document.stages[..], plan.rps) {
        ([], Some(rps)) => flag(words, "-R", rps),
        ([], None) => {}
        (stages, rps) => shape(words, stages, rps.is_some()),
    }
    match (plan.requests, plan.duration_s) {
        (Some(requests), duration) => {
            flag(words, "-n", requests);
            duration.into_iter().for_each(|duration| flag(words, "-d", time(duration)));
        }
        // The stages have their own lengths.
        (None, Some(duration)) if document.stages.is_empty() => flag(words, "-d", time(duration)),
        _ => {}
    }
    match (plan.arrivals.as_deref(), plan.burst) {
        (_, Some(burst)) => flag(words, "--arrivals", format!("burst:{burst}")),
        (Some("poisson"), None) => flag(words, "--arrivals", "poisson"),
        _ => {}
    }
    optional(words, "--seed", plan.seed);
    optional(words, "-t", plan.threads_asked);
    optional(words, "--deadline", plan.deadline_s.map(time));
    optional(words, "--max-in-flight", plan.max_in_flight);
    optional(words, "--at-most", plan.at_most_per_s);
    match plan.warmup_auto {
        true => flag(words, "--warmup", "auto"),
        false if plan.warmup_s > 0.0 => flag(words, "--warmup", time(plan.warmup_s)),
        false => {}
    }
    flag(words, "--engine", &plan.engine);
    if plan.wait != "hybrid" {
        flag(words, "--wait", &plan.wait);
    }
    if plan.pin != "auto" {
        flag(words, "--pin", &plan.pin);
    }
}

/// From the first level to each in its time. The length is the one that was asked for only where
/// the run was not cut, which a note says.
fn shape(words: &mut Vec<String>, stages: &[Stage], open_loop: bool) {
    let name = if open_loop { "--stages" } else { "--connections-stages" };
    let mut level = stages.first().map_or(0.0, |stage| stage.from);
    if level > 0.0 {
        flag(words, if open_loop { "-R" } else { "-c" }, level);
    }
    let mut parts = Vec::new();
    for stage in stages {
        // A step has no length of its own.
        if stage.from != level {
            parts.push(format!("0s:{}", stage.from));
        }
        parts.push(format!("{}:{}", time(stage.length_s - stage.held_s), stage.to));
        if stage.held_s > 0.0 {
            parts.push(format!("{}:{}", time(stage.held_s), stage.to));
        }
        level = stage.to;
    }
    flag(words, name, parts.join(","));
}

fn request(words: &mut Vec<String>, plan: &PlanEcho) {
    let usual = if plan.body_bytes > 0 { "POST" } else { "GET" };
    if plan.method != usual {
        flag(words, "-X", &plan.method);
    }
    let is_id = |name: &str| plan.request_id.as_deref() == Some(name);
    for header in plan.headers.iter().filter(|header| !is_usual(&header.name, &header.value)) {
        if !is_id(&header.name) {
            flag(words, "-H", format!("{}: {}", header.name, header.value));
        }
    }
    optional(words, "--request-id", plan.request_id.as_ref());
    optional(words, "--group-by", plan.group_by.as_ref());
    if plan.body_bytes > 0 {
        flag(words, "-b", "@BODY");
    }
    optional(words, "--expect-status", plan.expect.status.as_ref());
    optional(words, "--expect-size", plan.expect.size.as_ref());
    optional(words, "--expect-body", plan.expect.body.as_ref());
}

/// What is sent without being asked for.
fn is_usual(name: &str, value: &str) -> bool {
    match name.to_ascii_lowercase().as_str() {
        "host" | "content-length" => true,
        "user-agent" => value.starts_with("blast/"),
        _ => false,
    }
}

fn bounds(words: &mut Vec<String>, plan: &PlanEcho) {
    flag(words, "--timeout", time(plan.timeout_s));
    flag(words, "--connect-timeout", time(plan.connect_timeout_s));
    flag(words, "--drain", time(plan.drain_s));
    if plan.pipeline > 1 {
        flag(words, "--pipeline", plan.pipeline);
    }
    match (plan.keepalive, plan.requests_per_connection) {
        (false, _) => words.push("--no-keepalive".to_string()),
        (true, requests) => optional(words, "--requests-per-connection", requests),
    }
    optional(words, "--connect-rate", plan.connect_rate);
}

fn route(words: &mut Vec<String>, plan: &PlanEcho) {
    for address in &plan.bind {
        flag(words, "--bind", address);
    }
    for rule in &plan.resolve {
        flag(words, "--resolve", rule);
    }
    for rule in &plan.connect_to {
        flag(words, "--connect-to", rule);
    }
    optional(words, "--unix-socket", plan.unix_socket.as_ref());
    optional(words, "--dns-refresh", plan.dns_refresh_s.map(time));
    match plan.family.as_deref() {
        Some("ipv4") => words.push("-4".to_string()),
        Some("ipv6") => words.push("-6".to_string()),
        _ => {}
    }
    if plan.tls.as_ref().is_some_and(|tls| tls.insecure) {
        words.push("--insecure".to_string());
    }
}

/// Commands and addresses that were read beside the load may hold secrets: nothing keeps them.
fn unread(document: &Document) -> Option<String> {
    const FAMILIES: [&str; 3] = ["sample.", "scrape.", "log."];
    let series = document.gauges.iter().flat_map(|gauges| &gauges.series);
    let mut names = series.map(|gauge| gauge.name.as_str());
    let is_own = |name: &str| FAMILIES.iter().any(|family| name.starts_with(family));
    (document.plan.file.is_none() && names.any(is_own)).then(|| {
        "What was read beside the load is not in the command: add --sample, --scrape and \
         --watch-log as they were given."
            .to_string()
    })
}

fn notes(plan: &PlanEcho, command: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |text: &str| notes.push(text.to_string());
    if plan.file.is_some() {
        note(
            "Flags that stood beside the plan file, and the values of its variables, are not in \
              the report: add those that were given.",
        );
    }
    if plan.file.is_none() && plan.model.is_some() {
        note("The plan file is not in the report: name it, as in `blast run PLAN.toml`.");
    }
    if plan.file.is_none() && plan.body_bytes > 0 {
        note("The body is not in the report: put its file in the place of BODY.");
    }
    if command.contains(MASK) {
        note("Secrets are not in the report: put them in the place of ***.");
    }
    if plan.file.is_none()
        && plan.tls.as_ref().is_some_and(|tls| tls.client_certificate || tls.cacert)
    {
        note("Files of certificates are not in the report: add --cert, --key or --cacert.");
    }
    notes
}

fn flag(words: &mut Vec<String>, name: &str, value: impl ToString) {
    words.extend([name.to_string(), value.to_string()]);
}

fn optional(words: &mut Vec<String>, name: &str, value: Option<impl ToString>) {
    if let Some(value) = value {
        flag(words, name, value);
    }
}

/// Seconds, to the millisecond.
fn time(s: f64) -> String {
    let ms = (s * 1e3).round();
    if ms % 1e3 == 0.0 { format!("{}s", ms / 1e3) } else { format!("{ms}ms") }
}

/// As a POSIX shell takes it for one word (XCU 2.2).
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,%+".contains(c);
    match word.chars().all(plain) && !word.is_empty() {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_word_is_one_word_to_a_shell() {
        for (word, expected) in [
            ("-c", "-c"),
            ("p99<10ms", "'p99<10ms'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
            ("http://h/?a=1&b=2", "'http://h/?a=1&b=2'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn a_level_that_was_held_is_a_stage_of_its_own() {
        let mut document = fixture::named("shaped").document();
        let command = repeat(&document).command;
        let last = document.stages.last_mut().unwrap();
        (last.length_s, last.held_s) = (last.length_s + 10.0, 10.0);
        let level = format!(",10s:{}", last.to);
        let held = repeat(&document).command;
        assert!(held.contains(&level), "{held}");
        assert_eq!(held.replacen(&level, "", 1), command);
    }

    #[test]
    fn what_the_report_does_not_hold_is_said() {
        let closed = repeat(&fixture::closed().document());
        assert!(closed.command.contains(" -b @BODY "), "{}", closed.command);
        assert!(closed.notes.iter().any(|note| note.contains("BODY")));
        for (name, run) in fixture::all() {
            let repeat = repeat(&run.document());
            assert!(!repeat.command.contains(fixture::SECRET), "{name}");
            let said = repeat.notes.iter().any(|note| note.starts_with("Secrets"));
            assert_eq!(said, repeat.command.contains("***"), "{name}");
        }
    }
}
