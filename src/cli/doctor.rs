//! `blast doctor`: the flags of a run, and instead of the run what it would need of this host.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use super::groups::LoadArgs;
use super::values::Header;
use super::{calibrated, high, print, terminal};
use crate::engine;
use crate::error::{Exit, Result};
use crate::monitor::{Destination, Needs, Readings, State};
use crate::plan::Plan;
use crate::report::{Checkup, PageOptions, console, json};

/// How long stolen time is looked for.
const INTERVAL: Duration = Duration::from_millis(300);

/// What a plan without a URL is made for; nobody looks it up.
const ANY: &str = "http://localhost/";

/// The flags that a row depends on. The others are taken, so that `doctor` can stand in front of
/// any run, and change nothing.
const SHOWN: [&str; 19] = [
    "connections",
    "rps",
    "threads",
    "stages",
    "steps",
    "connections_stages",
    "pipeline",
    "no_keepalive",
    "requests_per_connection",
    "connect_rate",
    "connect_timeout",
    "bind",
    "unix_socket",
    "resolve",
    "connect_to",
    "ipv4",
    "ipv6",
    "engine",
    "json",
];

const HELP: &str = "\
Put `doctor` in front of any run's flags and URL: those that are not listed here are taken too,
and change nothing. Nothing is sent; where no listener can be seen, one connection is tried.
Without a URL: the host in general.

Rows: ok; warn: the run goes, but look at it; stop: the run cannot be as asked. On the ring
engine sockets are no descriptors; on tokio-uring and epoll the hard limit of open files must
exceed the connections by 64.

Exit codes:
  0    nothing stops the run
  1    a row says stop
  2    the command line is wrong";

/// Help with the flags that matter.
pub fn shorten(command: clap::Command) -> clap::Command {
    command.after_help(HELP).mut_args(|arg| {
        let shown = SHOWN.contains(&arg.get_id().as_str());
        if shown { arg } else { arg.hide(true) }
    })
}

pub fn run(args: LoadArgs) -> Result<Exit> {
    let plan = plan(&args)?;
    let destination = match args.words.is_empty() && args.request.curl.is_none() {
        true => Destination::None,
        false => destination(&plan),
    };
    let readings = Readings::take(INTERVAL);
    let url = (destination != Destination::None).then_some(&*plan.url.shown);
    let checkup = Checkup::new(url, &readings, &destination, &needs(&plan));
    let checkup = checkup.with(calibrated::row(&plan));
    write(&checkup, args.page.json)?;
    Ok(if checkup.state == State::Stop { Exit::Failed } else { Exit::Done })
}

/// What a run with this plan asks of the host.
pub fn needs(plan: &Plan) -> Needs {
    let bound = (!plan.bind.is_empty()).then(|| engine::bound(plan));
    let count = |bound: Result<Vec<IpAddr>>| match bound {
        Ok(addresses) => Ok(addresses.len() as u64),
        Err(error) => Err(error.message),
    };
    Needs::of(plan, engine::workers(plan), bound.map(count))
}

fn plan(args: &LoadArgs) -> Result<Plan> {
    let mut args = args.clone();
    if args.words.is_empty() && args.request.curl.is_none() {
        args.words.push(ANY.to_string());
    }
    // What is sent is of no matter, and reading it from stdin would wait.
    let request = &mut args.request;
    (request.body, request.json_body) = (None, None);
    request.cookie.clear();
    request.form.clear();
    request.headers.retain(|header| !matches!(header, Header::File(_)));
    let plan = high::plan(&args)?;
    Ok(Plan { engine: engine::engine(&plan), ..plan })
}

fn destination(plan: &Plan) -> Destination {
    let patience = Duration::from_nanos(plan.connect_timeout.0);
    match engine::addresses(plan) {
        Ok(addresses) => Destination::look(addresses, patience),
        Err(error) => Destination::Unknown(error.message),
    }
}

fn write(checkup: &Checkup, as_json: bool) -> Result<()> {
    if as_json {
        return json::write(checkup, &mut io::stdout().lock());
    }
    let color = terminal::color();
    let width = terminal::width(&io::stdout());
    let options = PageOptions { color, width, ..PageOptions::default() };
    print(&console::checkup::page(checkup, &options)).map(drop)
}
