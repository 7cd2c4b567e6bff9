//! `--check`: what a plan would do, for a person to look over.

use super::{Meant, guard, shown};
use crate::http::Request;
use crate::plan::Plan;
use crate::plan::file::{DataSheet, RowOrder, WhenExhausted};
use crate::plan::mask::{MASK, mask_query, sounds_secret};
use crate::plan::scenario::{Entry, Model, Part, Scenario};
use crate::units::format_exact;

/// The whole text.
pub fn text(meant: &Meant) -> String {
    let (written, plan) = (&meant.written, &meant.plan);
    let mut lines = vec![format!("{} is a valid plan", shown(&written.name))];
    lines.extend(written.comment().map(|comment| format!("  {comment}")));
    lines.push(String::new());
    let protected = meant.target.protected.as_deref();
    let guarded = protected.map(|name| format!(" (protected: needs --yes {name})"));
    lines.push(format!("target    {}{}", plan.url.shown, guarded.unwrap_or_default()));
    lines.push(format!("model     {}", model(plan)));
    lines.push(format!("load      {}", guard::totals(plan)));
    let thresholds = plan.thresholds.iter().map(|rule| &*rule.expr);
    lines.extend(listed("rules     ", thresholds));
    lines.extend(listed("abort on  ", plan.abort_on.iter().map(|rule| &*rule.expr)));
    let gauges = meant.outputs.elsewhere.gauges();
    lines.extend(listed("reads     ", gauges.iter().map(|gauge| &**gauge)));
    let set = plan.rating.as_ref().map(|set| &*set.name).filter(|name| *name != "default");
    lines.extend(listed("grade by  ", set.into_iter()));
    lines.push(String::new());
    lines.extend(requests(plan));
    lines.extend(vars(meant));
    lines.extend(tables(meant));
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn listed<'a>(name: &str, items: impl Iterator<Item = &'a str>) -> Option<String> {
    let items: Vec<&str> = items.collect();
    (!items.is_empty()).then(|| format!("{name}{}", items.join(", ")))
}

fn model(plan: &Plan) -> String {
    match plan.scenario.as_deref().map(|scenario| &scenario.model) {
        None => "one request, over and over".to_string(),
        Some(Model::Mix(mix)) => {
            let choice = if mix.random { "by chance" } else { "exact shares" };
            format!("mix over connections, {choice}")
        }
        Some(Model::Users(_)) => "users, one connection each (closed loop)".to_string(),
        Some(Model::Sessions(_)) => "sessions that arrive by the rate (partly open)".to_string(),
    }
}

fn requests(plan: &Plan) -> Vec<String> {
    let Some(scenario) = &plan.scenario else {
        let Request { method, target, .. } = &plan.request;
        return vec![format!("request   {method} {}", mask_query(target))];
    };
    let is_choice = match &scenario.model {
        Model::Mix(_) => true,
        model => model.flow().is_some_and(|flow| flow.weighted),
    };
    let width = scenario.entries.iter().map(|e| mask_query(&e.name).chars().count()).max();
    let width = width.unwrap_or(0).clamp(4, 40);
    let sum: u64 = scenario.entries.iter().filter(|entry| is_main(entry)).map(|e| e.weight).sum();
    let share = |weight: u64| 100.0 * weight as f64 / sum.max(1) as f64;
    let mut lines = vec![format!("weight   share  {:width$}  request", "name")];
    for entry in &scenario.entries {
        let (weight, share) = match entry.part {
            Part::Setup => ("setup".to_string(), String::new()),
            Part::Teardown => ("teardown".to_string(), String::new()),
            Part::Main if is_choice => {
                (format_exact(entry.weight), format!("{:.1} %", share(entry.weight)))
            }
            Part::Main => ("step".to_string(), String::new()),
        };
        let request = &scenario.requests[entry.request].request;
        lines.push(format!(
            "{weight:<8}{share:>6}  {:width$}  {} {}",
            mask_query(&entry.name),
            request.method,
            mask_query(&request.target)
        ));
    }
    lines.extend(unused(scenario));
    lines
}

fn is_main(entry: &Entry) -> bool {
    entry.part == Part::Main
}

/// Requests that are written and never sent.
fn unused(scenario: &Scenario) -> Option<String> {
    let is_used = |place: usize| scenario.entries.iter().any(|entry| entry.request == place);
    let names = scenario.requests.iter().enumerate().filter(|(place, _)| !is_used(*place));
    let names: Vec<String> = names.map(|(_, request)| mask_query(&request.name)).collect();
    listed("not sent  ", names.iter().map(|name| &**name))
}

fn vars(meant: &Meant) -> Vec<String> {
    let vars = &meant.written.sheet.vars;
    if vars.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), "variables (--var NAME=VALUE)".to_string()];
    for (name, var) in vars.iter() {
        let typed = meant.args.file.aim.vars.iter().rev().find(|(typed, _)| typed == name);
        let value = typed.map(|(_, value)| &**value).or(var.default_value()).unwrap_or_default();
        let value = if sounds_secret(name) { MASK } else { value };
        let value = format!("{name} = {}", shown(value));
        lines.push(format!("  {value:<30}  {}", var.help().unwrap_or_default()));
    }
    lines
}

fn tables(meant: &Meant) -> Vec<String> {
    let data = &meant.written.sheet.data;
    let tables = meant.plan.scenario.as_ref().map(|scenario| &scenario.tables[..]).unwrap_or(&[]);
    if tables.is_empty() {
        return Vec::new();
    }
    let line = |(name, sheet): (&str, &DataSheet)| {
        let table = tables.iter().find(|table| table.name == name)?;
        let rows = format!("{} rows", format_exact(table.rows()));
        Some(format!("  {name}: {}, {rows}, {}", shown(&sheet.file), policy(sheet)))
    };
    let head = [String::new(), "data".to_string()];
    head.into_iter().chain(data.iter().filter_map(line)).collect()
}

fn policy(sheet: &DataSheet) -> String {
    let order = match sheet.order {
        RowOrder::Sequential => "in order",
        RowOrder::Random => "any row",
        RowOrder::Unique => "a row for each user",
        RowOrder::Sharded => "a block for each worker",
    };
    let end = match sheet.when_exhausted {
        WhenExhausted::Wrap => "then from the first again",
        WhenExhausted::Stop => "then the run ends",
    };
    format!("{order}, {end}")
}
