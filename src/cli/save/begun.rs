//! What is known of a run before it.

use std::path::Path;

use super::words::without_secrets;
use crate::history::{Begun, now};
use crate::host::Fingerprint;
use crate::plan::Plan;
use crate::report;

/// Of a plan that this command line asks for.
pub fn begun(plan: &Plan, kind: &str) -> Begun {
    Begun { words: without_secrets(&super::arguments()), ..begun_of(plan, kind, &who()) }
}

/// Of a plan that somebody else asks for; without label, words and form.
pub fn begun_of(plan: &Plan, kind: &str, who: &str) -> Begun {
    let name = plan.file.as_deref().map(Path::new).and_then(Path::file_stem);
    Begun {
        target: plan.url.shown.clone(),
        method: plan.request.method.clone(),
        plan_hash: plan_hash(plan, kind),
        connections: plan.connections.into(),
        // A search begins with any rate: none was asked for.
        rate_per_s: plan.load.per_s().filter(|_| kind != "ceiling"),
        duration_s: plan.duration.map(|duration| duration.as_secs_f64()),
        plan_name: name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        ..anonymous(kind, who)
    }
}

/// Of two plans that are measured in turns.
pub fn begun_of_both(plans: &[Plan; 2], kind: &str) -> Begun {
    let [first, other] = plans.each_ref().map(|plan| begun(plan, kind));
    Begun {
        target: format!("{} {}", first.target, other.target),
        plan_hash: format!("{} {}", first.plan_hash, other.plan_hash),
        ..first
    }
}

/// Of what has no plan of its own, such as a suite. `name`: its file, or else what it is.
pub fn begun_without_plan(kind: &str, name: &str, target: &str) -> Begun {
    let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    Begun {
        words: without_secrets(&super::arguments()),
        target: crate::plan::url::masked(target),
        plan_hash: format!("{kind} {name}"),
        plan_name: stem.unwrap_or_default(),
        ..anonymous(kind, &who())
    }
}

fn anonymous(kind: &str, who: &str) -> Begun {
    Begun {
        kind: kind.to_string(),
        started_at: now(),
        started_by: who.to_string(),
        blast_version: env!("CARGO_PKG_VERSION").to_string(),
        host: Fingerprint::of_this_host().in_words(),
        ..Begun::default()
    }
}

/// By what runs of one plan are known; what is searched or climbed is no run of one load.
fn plan_hash(plan: &Plan, kind: &str) -> String {
    let hash = report::plan_hash(plan);
    if ["run", "soak"].contains(&kind) { hash } else { format!("{kind} {hash}") }
}

/// The user who runs this.
pub fn who() -> String {
    let name = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
    name("USER").unwrap_or_else(|| "nobody known".to_string())
}
