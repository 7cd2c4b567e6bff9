//! Who answers: the built-in server on cores of its own, or somebody else's, watched where it runs
//! here. And so which cores are the clients'.

use crate::engine;
use crate::error::{Error, Result};
use crate::host;
use crate::http::Request;
use crate::monitor::{Probe, Watched};
use crate::plan::{Pin, Plan, Url, Watch};
use crate::target::{Options, Target};
use crate::time::{self, Nanos};

pub struct Server {
    pub url: Url,
    pub name: Option<String>,
    /// Empty: any.
    pub client_cores: Vec<usize>,
    pub server_cores: Option<Vec<usize>>,
    /// The built-in one. It lives in this process, which does nothing else while a tool runs.
    own: Option<Target>,
}

impl Server {
    pub fn of(url: Option<Url>, pin: Option<&Pin>) -> Result<Server> {
        let allowed = host::allowed_cores();
        let (lower, upper) = allowed.split_at((allowed.len() / 2).max(1).min(allowed.len()));
        let upper = if upper.is_empty() { lower } else { upper };
        match url {
            None => Server::built_in(lower, clients(pin, upper)?),
            Some(url) => {
                let name = watched(&url)?.server.map(|server| server.name);
                let usual = if name.is_some() { upper } else { &allowed };
                let client_cores = clients(pin, usual)?;
                Ok(Server { url, name, client_cores, server_cores: None, own: None })
            }
        }
    }

    fn built_in(cores: &[usize], client_cores: Vec<usize>) -> Result<Server> {
        let options = Options {
            threads: cores.len().max(1),
            cores: Some(cores.to_vec()),
            ..Options::default()
        };
        let target = Target::start(options)?;
        Ok(Server {
            url: Url::fixed(&format!("http://{}/", target.address()))?,
            name: Some("blast target".to_string()),
            client_cores,
            server_cores: Some(cores.to_vec()),
            own: Some(target),
        })
    }

    pub fn readings(&self) -> Result<Readings> {
        Ok(match self.own {
            Some(_) => Readings::Own,
            None => Readings::Watched(watched(&self.url)?.probes),
        })
    }
}

/// A list of the user's, or the usual ones.
fn clients(pin: Option<&Pin>, usual: &[usize]) -> Result<Vec<usize>> {
    let cores = match pin {
        Some(Pin::Off) => return Ok(Vec::new()),
        Some(Pin::List(cores)) => cores.clone(),
        Some(Pin::Auto) | None => return Ok(usual.to_vec()),
    };
    let allowed = host::allowed_cores();
    match cores.iter().find(|core| !allowed.contains(core)) {
        None => Ok(cores),
        Some(core) => Err(Error::usage(format!(
            "--pin: core {core} is none that this process may use; it may use {allowed:?}"
        ))),
    }
}

fn watched(url: &Url) -> Result<Watched> {
    let request = Request::new("GET", &url.target, &url.authority);
    let plan = Plan::new(url.clone(), request);
    Watched::find(&Watch::Target, || engine::addresses(&plan).unwrap_or_default(), None)
}

/// What the server's side is read by, before and after a run.
pub enum Readings {
    Own,
    /// None of them: it is not watched.
    Watched(Vec<Box<dyn Probe>>),
}

/// Of a run's beginning.
#[derive(Clone, Copy)]
pub struct Before {
    at: Nanos,
    cpu: Nanos,
    requests: Option<u64>,
}

impl Readings {
    pub fn begin(&mut self, server: &Server) -> Before {
        if let Readings::Watched(probes) = self {
            // A probe tells what was since the reading before.
            busiest(probes);
        }
        let requests = server.own.as_ref().map(|target| target.stats().requests);
        Before { at: time::now(), cpu: time::process_cpu(), requests }
    }

    /// Requests, and how busy it was.
    pub fn end(&mut self, server: &Server, before: Before) -> (Option<u64>, Option<f64>) {
        let busy = match self {
            Readings::Watched(probes) => busiest(probes),
            Readings::Own => {
                let threads = server.server_cores.as_ref().map_or(1, Vec::len).max(1) as f64;
                let time = (time::now() - before.at).as_secs_f64() * threads;
                Some((time::process_cpu() - before.cpu).as_secs_f64() / time.max(1e-9))
            }
        };
        let now = server.own.as_ref().map(|target| target.stats().requests);
        (now.zip(before.requests).map(|(now, then)| now.saturating_sub(then)), busy)
    }
}

/// Of its busiest thread, since the reading before.
fn busiest(probes: &mut [Box<dyn Probe>]) -> Option<f64> {
    let mut found = None;
    for probe in probes {
        let mut values = Vec::new();
        probe.read(&mut values);
        let labels = probe.labels();
        let at = labels.iter().position(|label| label.name == "server.core_max");
        found = found.or(at.and_then(|at| values.get(at).copied().flatten()));
    }
    found.map(|percent| percent / 100.0)
}
