//! `blast serve`: the panel, until SIGINT or SIGTERM; and who may use it.

mod floor;
mod people;
mod reading;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueHint};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{reason, save, values};
use crate::error::{Error, Exit, Result};
use crate::history::History;
use crate::serve::aim::Target as Aim;
use crate::serve::who::{Store, Who, file_of};
use crate::serve::{Door, Doors, Limits, Offer, Panel, Target, serve};
use crate::time::Nanos;
use crate::units::quote;
use people::{TokenArgs, UserArgs};

/// A certificate's chain and a key are not nearly as long.
#[cfg(feature = "tls")]
const LONGEST_PEM: u64 = 1 << 20;

pub const HELP: &str = "\
Users and tokens:
  blast serve user add NAME --role admin|viewer   the password is asked for, or read from stdin
  blast serve user list|remove NAME|passwd NAME   sessions end with their user or its password
  blast serve token add NAME --role admin|viewer  for programs; printed once
  blast serve token list|revoke NAME

While there is no user the panel listens on loopback only, and prints an address that lets one
in, once. It listens elsewhere only with a user, and with TLS or behind a proxy that talks it.";

/// What `blast serve` takes.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ServeArgs {
    #[command(subcommand)]
    pub what: Option<What>,

    /// Address and port to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8089")]
    #[arg(value_parser = values::listening)]
    pub listen: SocketAddr,

    /// Folder of plan files, offered by name
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub plans: Option<PathBuf>,

    /// A target, offered by name (repeatable)
    #[arg(long = "target", value_name = "NAME=URL", value_parser = Aim::parse)]
    pub targets: Vec<Aim>,

    /// A target of the list whose name has to be typed in before each test (repeatable)
    #[arg(long, value_name = "NAME")]
    pub protect: Vec<String>,

    /// A host, or a network such as 10.0.0.0/24, that may be tested beside loopback and the
    /// targets (repeatable)
    #[arg(long, value_name = "HOST|CIDR")]
    pub allow: Vec<String>,

    /// A name that the panel is reached by, such as perf.example (repeatable)
    #[arg(long = "host", value_name = "NAME", value_parser = host)]
    pub hosts: Vec<String>,

    /// Talk TLS with this certificate and its chain, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// The certificate's private key, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// A proxy in front talks TLS, and says in X-Forwarded-For whom it talks for
    #[arg(long, conflicts_with = "tls_cert")]
    pub behind_proxy: bool,

    /// Connections of a run at the most [default: STRESS_TEST_MAX_WORKERS, or 100]
    #[arg(long, value_name = "N", value_parser = values::connections)]
    pub max_workers: Option<u32>,

    /// Requests per second of a run at the most [default: STRESS_TEST_MAX_RPS, or 10,000]
    #[arg(long, value_name = "N", value_parser = rate)]
    pub max_rps: Option<f64>,

    /// Length of a run at the most [default: STRESS_TEST_MAX_DURATION, or 600s]
    #[arg(long, value_name = "T", value_parser = values::time_limit)]
    pub max_duration: Option<Nanos>,

    /// The history; users and tokens are kept beside it [default: BLAST_HISTORY, or
    /// ~/.local/share/blast/history.db]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, global = true)]
    pub history: Option<PathBuf>,
}

#[derive(Clone, Debug, Subcommand)]
pub enum What {
    /// Add, list or remove users, or set a password
    User(UserArgs),
    /// Add, list or revoke tokens of programs
    Token(TokenArgs),
}

pub fn run(args: ServeArgs) -> Result<Exit> {
    let file = save::place(args.history.as_deref())?;
    match &args.what {
        Some(What::User(user)) => return people::user(user, &file_of(&file)),
        Some(What::Token(token)) => return people::token(token, &file_of(&file)),
        None => {}
    }
    let offer = args.offer()?;
    let mut store = Store::open(&file_of(&file))?;
    args.refuse_exposure(store.has_users()?)?;
    let history = History::open(&file)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Error::failed(format!("the panel's loop could not be started ({error}); try again"))
    })?;
    let done = runtime.block_on(args.serve(offer, history, Who::new(store), &file));
    // What is still being hashed or drawn is for nobody any more.
    runtime.shutdown_background();
    done
}

impl ServeArgs {
    async fn serve(&self, offer: Offer, history: History, who: Who, file: &Path) -> Result<Exit> {
        let mut signals = Signals::take()?;
        let door = self.door().await?;
        let address = door.address()?;
        let doors = Doors {
            address: Some(address.ip()),
            hosts: self.hosts.clone(),
            is_tls: self.tls_cert.is_some(),
            is_behind_proxy: self.behind_proxy,
        };
        let invitation = who.invite()?;
        let runs = floor::runs(self, file, offer.limits)?;
        let reading = Arc::new(reading::OfSaved::new(file.to_path_buf()));
        let panel = Arc::new(Panel::new(runs, reading, history, who, doors, offer));
        introduce(&self.url(address, invitation.as_deref()), invitation.is_some());
        let serving = tokio::spawn(serve(Arc::clone(&panel), door));
        signals.arrived().await;
        tokio::select! {
            () = panel.close() => {}
            () = signals.arrived() => return Ok(Exit::Done),
        }
        let _ = serving.await;
        Ok(Exit::Done)
    }

    async fn door(&self) -> Result<Door> {
        let door = Door::open(self.listen).await?;
        match (&self.tls_cert, &self.tls_key) {
            (Some(chain), Some(key)) => secured(door, chain, key),
            _ => Ok(door),
        }
    }

    /// As people open it.
    fn url(&self, address: SocketAddr, invitation: Option<&str>) -> String {
        let scheme = if self.tls_cert.is_some() { "https" } else { "http" };
        let token = invitation.map(|token| format!("?token={token}")).unwrap_or_default();
        format!("{scheme}://{address}/{token}")
    }

    /// Whoever reaches it can load other hosts with it: not without knowing who, nor in the clear.
    fn refuse_exposure(&self, has_users: bool) -> Result<()> {
        let here = self.listen.ip();
        if here.to_canonical().is_loopback() {
            return Ok(());
        }
        if !has_users {
            return Err(Error::usage(format!(
                "--listen: {here} is reached from other hosts, and there is no user yet; make one \
                 with `blast serve user add NAME --role admin`"
            )));
        }
        if self.tls_cert.is_none() && !self.behind_proxy {
            return Err(Error::usage(format!(
                "--listen: {here} is reached from other hosts, and passwords would go in the clear; \
                 give --tls-cert and --tls-key, or --behind-proxy where a proxy talks TLS"
            )));
        }
        Ok(())
    }

    fn offer(&self) -> Result<Offer> {
        let is_listed = |name: &&String| self.targets.iter().any(|target| target.name == **name);
        if let Some(name) = self.protect.iter().find(|name| !is_listed(name)) {
            return Err(Error::usage(format!(
                "--protect: there is no target {}; name one of --target",
                quote(name)
            )));
        }
        if let Some(folder) = self.plans.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(Error::usage(format!(
                "--plans: {} is no folder; name the one that the plan files are in",
                quote(&folder.to_string_lossy())
            )));
        }
        let targets = self.aims().iter().map(Target::of).collect();
        Ok(Offer { limits: self.limits()?, targets, plans: self.plans.clone() })
    }

    /// The targets of the list, and which of them are protected.
    fn aims(&self) -> Vec<Aim> {
        let aim = |target: &Aim| {
            let is_protected = self.protect.contains(&target.name);
            if is_protected { target.clone().protected() } else { target.clone() }
        };
        self.targets.iter().map(aim).collect()
    }

    fn limits(&self) -> Result<Limits> {
        let workers = std::env::var("STRESS_TEST_MAX_WORKERS").ok();
        let rps = std::env::var("STRESS_TEST_MAX_RPS").ok();
        let duration = std::env::var("STRESS_TEST_MAX_DURATION").ok();
        let workers =
            meant("STRESS_TEST_MAX_WORKERS", self.max_workers, workers, values::connections)?;
        let rps = meant("STRESS_TEST_MAX_RPS", self.max_rps, rps, rate)?;
        let duration =
            meant("STRESS_TEST_MAX_DURATION", self.max_duration, duration, values::time_limit)?;
        let usual = Limits::default();
        Ok(Limits {
            workers: workers.unwrap_or(usual.workers),
            rps: rps.unwrap_or(usual.rps),
            duration_s: duration.map_or(usual.duration_s, Nanos::as_secs_f64),
        })
    }
}

/// The flag's value, or the variable's.
fn meant<T>(
    name: &str,
    flag: Option<T>,
    variable: Option<String>,
    read: impl FnOnce(&str) -> Result<T>,
) -> Result<Option<T>> {
    let variable = variable.filter(|text| !text.is_empty() && flag.is_none());
    let variable = variable.map(|text| {
        read(&text).map_err(|error| Error::usage(format!("{name}: {}", error.message)))
    });
    Ok(flag.or(variable.transpose()?))
}

fn rate(text: &str) -> Result<f64> {
    values::rate(text).map(|rate| rate.per_s())
}

fn host(text: &str) -> Result<String> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    match !text.is_empty() && text.chars().all(is_fine) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(Error::usage(format!(
            "{} is no name of a host; write it without scheme and port, such as perf.example",
            quote(text)
        ))),
    }
}

#[cfg(feature = "tls")]
fn secured(door: Door, chain: &Path, key: &Path) -> Result<Door> {
    let read = |flag: &str, path: &Path| {
        use std::io::Read;
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path);
        let read = file.and_then(|file| file.take(LONGEST_PEM).read_to_end(&mut bytes));
        let named = |error: io::Error| {
            let (path, reason) = (quote(&path.to_string_lossy()), reason(&error));
            Error::usage(format!("{flag}: {path} cannot be read ({reason}); check the name"))
        };
        read.map(|_| bytes).map_err(named)
    };
    door.with_tls(&read("--tls-cert", chain)?, &read("--tls-key", key)?)
}

#[cfg(not(feature = "tls"))]
fn secured(_: Door, _: &Path, _: &Path) -> Result<Door> {
    Err(Error::usage("--tls-cert: this blast was built without TLS; use --behind-proxy"))
}

/// The address alone is on stdout, for scripts.
fn introduce(url: &str, is_invitation: bool) {
    // Where stdout is gone, the panel still serves.
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "panel: {url}").and_then(|()| stdout.flush());
    if is_invitation {
        let _ = writeln!(
            io::stderr(),
            "blast serve: there is no user yet; this address lets one in, once. Make one with \
             `blast serve user add NAME --role admin`"
        );
    }
}

/// What asks the panel to end. The run that goes on ends too, and is stored.
struct Signals([Signal; 3]);

impl Signals {
    fn take() -> Result<Signals> {
        let take = |kind| {
            signal(kind).map_err(|error| {
                Error::failed(format!("signals cannot be waited for ({error}); try again"))
            })
        };
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(take);
        Ok(Signals([interrupt?, terminate?, hangup?]))
    }

    async fn arrived(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
