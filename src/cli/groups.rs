//! The flags that a load takes, one struct a group of `--help`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};

use super::form;
use super::save::SaveArgs;
use super::shapes::{self, Arrivals, Rps, Stage, Steps};
use super::tls::TlsArgs;
use super::values;
use crate::address::UnixName;
use crate::http::Pattern;
use crate::monitor::elsewhere::{Sample, Scrape};
use crate::monitor::profile::Tool;
use crate::plan::route::{ConnectTo, Resolve};
use crate::plan::{
    Engine, GroupBy, Network, Pin, Rate, Sizes, Statuses, Threshold, Wait, Warmup, Watch,
};
use crate::report::otlp::Endpoint;
use crate::time::Nanos;

/// What `blast URL` takes.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct LoadArgs {
    /// Where the load goes, such as localhost:8080/path (http) or https://host/path
    // Words are collected whatever their number, so that one sentence can say what is wrong.
    #[arg(value_name = "URL", value_hint = ValueHint::Url, hide = true)]
    pub words: Vec<String>,
    #[command(flatten)]
    pub size: SizeArgs,
    #[command(flatten)]
    pub phases: PhaseArgs,
    #[command(flatten)]
    pub shape: ShapeArgs,
    #[command(flatten)]
    pub request: RequestArgs,
    #[command(flatten)]
    pub expect: ExpectArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    pub route: RouteArgs,
    #[command(flatten)]
    pub tls: TlsArgs,
    #[command(flatten)]
    pub rules: RuleArgs,
    #[command(flatten)]
    pub elsewhere: ElsewhereArgs,
    #[command(flatten)]
    pub watch: WatchArgs,
    #[command(flatten)]
    pub page: PageArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub save: SaveArgs,
    #[command(flatten)]
    pub engine: EngineArgs,
    #[command(flatten)]
    pub worker: WorkerArgs,
    /// Locust's; blast has nothing else
    #[arg(long, hide = true)]
    pub headless: bool,
}

impl LoadArgs {
    /// Of a plan file, or of one that comes from stdin.
    pub fn is_of_file(&self) -> bool {
        self.words.first().is_some_and(|word| word == "-" || word.ends_with(".toml"))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Load")]
pub struct SizeArgs {
    /// Connections [default: 64, or a tenth of the rate, up to 10k]
    #[arg(short, long, value_name = "N", value_parser = values::connections)]
    #[arg(aliases = ["concurrency", "clients", "workers", "users", "vus"])]
    pub connections: Option<u32>,

    /// Requests due per second: 50k, 1k:50k ramps [default: as answers come]
    #[arg(short = 'R', long, value_name = "N", value_parser = shapes::rps)]
    #[arg(aliases = ["rate", "qps"])]
    pub rps: Option<Rps>,

    /// Length of the run: 30, 30s, 2m [default: 10s]
    #[arg(short, long, value_name = "T", value_parser = values::run_length)]
    #[arg(short_alias = 'z', alias = "run-time")]
    pub duration: Option<Nanos>,

    /// Worker threads [default: one a core allowed]
    #[arg(short, long, value_name = "N", value_parser = values::threads, alias = "cpus")]
    pub threads: Option<usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Load")]
pub struct PhaseArgs {
    /// Requests to send; with -d, whichever ends first
    #[arg(short = 'n', long, value_name = "N", value_parser = values::at_least_one)]
    pub requests: Option<u64>,

    /// Load before the run that is reported apart; auto: until steady [default: 0]
    #[arg(long, value_name = "T", value_parser = shapes::warmup)]
    pub warmup: Option<Warmup>,

    /// Wait for open requests after the run [default: the timeout]
    #[arg(long, value_name = "T", value_parser = crate::units::parse_duration)]
    #[arg(hide_short_help = true)]
    pub drain: Option<Nanos>,
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Shape of the load")]
pub struct ShapeArgs {
    /// To each rate in its time, from 0 or --rps: 30s:1k,1m:10k,10s:0
    #[arg(long, value_name = "T:N,...", value_parser = shapes::rate_stage, value_delimiter = ',')]
    pub stages: Vec<Stage<Rate>>,

    /// Each rate held for a time: 1k..10k/1k@10s
    #[arg(long, value_name = "A..B/S@T", value_parser = shapes::steps, hide_short_help = true)]
    pub steps: Option<Steps>,

    /// How arrivals are spread: uniform, poisson or burst:N [default: uniform]
    #[arg(long, value_name = "LAW", value_parser = shapes::arrivals, hide_short_help = true)]
    pub arrivals: Option<Arrivals>,

    /// Of what is random; the same number is the same run [default: 1]
    #[arg(long, value_name = "N", value_parser = shapes::seed, hide_short_help = true)]
    pub seed: Option<u64>,

    /// To each number of connections in its time, without a rate: 5m:100,2m:0
    #[arg(long, value_name = "T:N,...", value_parser = shapes::connection_stage)]
    #[arg(value_delimiter = ',', hide_short_help = true)]
    pub connections_stages: Vec<Stage<u64>>,

    /// Connections that begin per second, without a rate [default: all at once]
    #[arg(long, value_name = "N", value_parser = values::rate, hide_short_help = true)]
    pub spawn_rate: Option<Rate>,

    /// Send no more than this per second, without a rate [default: as answers come]
    #[arg(long, value_name = "N", value_parser = values::rate, hide_short_help = true)]
    pub at_most: Option<Rate>,

    /// Drop what is still unsent this long after it was due [default: never]
    #[arg(long, value_name = "T", value_parser = values::time_limit, hide_short_help = true)]
    pub deadline: Option<Nanos>,

    /// Drop what becomes due while N are in flight [default: it waits]
    #[arg(long, value_name = "N", value_parser = values::at_least_one, hide_short_help = true)]
    pub max_in_flight: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Request")]
pub struct RequestArgs {
    /// Method [default: GET; POST with a body]
    #[arg(short = 'X', long, value_name = "M", value_parser = values::method)]
    pub method: Option<String>,

    /// Header 'Name: value'; 'Name:' removes, 'Name;' sends it empty; @FILE has one a line
    #[arg(short = 'H', long = "header", value_name = "H", value_parser = values::header)]
    pub headers: Vec<values::Header>,

    /// Body: text, with placeholders such as {{int 1 100}}; @FILE or @- (stdin), byte for byte
    #[arg(short, long, value_name = "B", allow_hyphen_values = true, alias = "data")]
    #[arg(value_hint = ValueHint::FilePath)]
    pub body: Option<String>,

    /// The body's type [default: application/x-www-form-urlencoded]
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<String>,

    /// Body of JSON: text, @FILE or @-; its type is said, and asked for in return
    #[arg(long, value_name = "B", allow_hyphen_values = true, value_hint = ValueHint::FilePath)]
    pub json_body: Option<String>,

    /// A field of multipart/form-data: name=value, name=@FILE;type=T;filename=F (repeatable)
    #[arg(short = 'F', long = "form", value_name = "FIELD", value_parser = form::part)]
    pub form: Vec<form::Part>,

    /// Credentials, sent as Basic: name:password
    #[arg(long, value_name = "U:P", value_parser = values::user, hide_short_help = true)]
    pub user: Option<String>,

    /// Cookies 'a=b; c=d', or a file of them as browsers' tools write it (Netscape's format)
    #[arg(long, value_name = "C", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub cookie: Vec<String>,

    /// Ask for a compressed answer, as curl does; it is counted as it comes
    #[arg(long, hide_short_help = true)]
    pub compressed: bool,

    /// Send an id in this header, such as X-Request-Id or traceparent: another for each request
    #[arg(long, value_name = "HEADER", value_parser = values::header_name, hide_short_help = true)]
    pub request_id: Option<String>,

    /// All of it from a curl command, as browsers copy it; also @FILE or @-. Flags beside it win
    #[arg(long, value_name = "COMMAND", allow_hyphen_values = true)]
    pub curl: Option<String>,

    /// Limit from sending to the last byte of the answer [default: 10s]
    #[arg(short = 'T', long, value_name = "T", value_parser = values::time_limit)]
    pub timeout: Option<Nanos>,
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Expected answers")]
pub struct ExpectArgs {
    /// Statuses of a good answer: 200,201,3xx,500-504 [default: 200-399]
    #[arg(long, value_name = "S,S", value_parser = Statuses::parse)]
    pub expect_status: Option<Statuses>,

    /// What a good answer's body holds: a text, or a regular expression as /REGEX/
    #[arg(long, value_name = "TEXT", value_parser = values::pattern)]
    #[arg(allow_hyphen_values = true)]
    pub expect_body: Option<Arc<Pattern>>,

    /// Size of a good answer's body, as it comes: 512, 1k..2k, 1k.. or ..2k
    #[arg(long, value_name = "N", value_parser = Sizes::parse)]
    pub expect_size: Option<Sizes>,
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Connections")]
pub struct ConnectionArgs {
    /// Requests in flight on each connection [default: 1]
    #[arg(short, long, value_name = "N", value_parser = values::pipeline)]
    pub pipeline: Option<u32>,

    /// A new connection for each request
    #[arg(long)]
    pub no_keepalive: bool,

    /// Close a connection after N answers [default: never]
    #[arg(long, value_name = "N", value_parser = values::at_least_one, hide_short_help = true)]
    pub requests_per_connection: Option<u64>,

    /// Connections opened per second [default: 20k at the start, then as needed]
    #[arg(long, value_name = "N", value_parser = values::rate, hide_short_help = true)]
    pub connect_rate: Option<Rate>,

    /// Limit for opening a connection [default: 5s]
    #[arg(long, value_name = "T", value_parser = values::time_limit, hide_short_help = true)]
    pub connect_timeout: Option<Nanos>,

    /// Local addresses to connect from, in turn: `10.0.0.1,10.0.1.0/24`
    #[arg(long, value_name = "IP,IP", value_parser = values::network, value_delimiter = ',')]
    #[arg(hide_short_help = true, alias = "local-ips")]
    pub bind: Vec<Network>,
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Addresses")]
pub struct RouteArgs {
    /// Connect through this socket: a path, or @NAME for an abstract one
    #[arg(long, value_name = "PATH", value_parser = UnixName::parse, value_hint = ValueHint::FilePath)]
    pub unix_socket: Option<UnixName>,

    /// What a name stands for: HOST:PORT:ADDR,ADDR; HOST may be * (repeatable)
    #[arg(long, value_name = "RULE", value_parser = Resolve::parse, hide_short_help = true)]
    pub resolve: Vec<Resolve>,

    /// Other host, same request: HOST1:PORT1:HOST2:PORT2, empty is any (repeatable)
    #[arg(long, value_name = "RULE", value_parser = ConnectTo::parse, hide_short_help = true)]
    pub connect_to: Vec<ConnectTo>,

    /// Only IPv4 addresses of the target
    #[arg(short = '4', long, overrides_with = "ipv6", hide_short_help = true)]
    pub ipv4: bool,

    /// Only IPv6 addresses of the target
    #[arg(short = '6', long, overrides_with = "ipv4", hide_short_help = true)]
    pub ipv6: bool,

    /// Look the name up again this often, for new connections [default: never]
    #[arg(long, value_name = "T", value_parser = values::refresh, hide_short_help = true)]
    pub dns_refresh: Option<Nanos>,
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Rules")]
pub struct RuleArgs {
    /// Exit 3 unless it holds: 'p99<10ms', 'errors<0.1%' (repeatable)
    #[arg(long = "threshold", value_name = "RULE", value_parser = Threshold::parse, alias = "slo")]
    pub thresholds: Vec<Threshold>,

    /// End the run, with exit 3, once it is true over 5 s: 'errors>50%'
    #[arg(long, value_name = "RULE", value_parser = Threshold::parse, hide_short_help = true)]
    pub abort_on: Vec<Threshold>,

    /// Grade the run by api, web, stress, or limits of your own in FILE.toml; off [default: default]
    #[arg(long, value_name = "SET", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub rating: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Beside the load")]
pub struct WatchArgs {
    /// The server on this host: a PID, a NAME, a PORT it listens on, cgroup:PATH, or off [default:
    /// whoever listens on the target's port here]
    #[arg(long, value_name = "WHO", value_parser = Watch::parse)]
    pub watch: Option<Watch>,

    /// Count the connections that the watched server holds to this port: a database's pool
    #[arg(long, value_name = "PORT", value_parser = values::port, hide_short_help = true)]
    pub watch_pool: Option<u16>,
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Output")]
pub struct PageArgs {
    /// Print the result as JSON, and nothing else, on stdout
    #[arg(long, short_alias = 'j')]
    pub json: bool,

    /// Watch the run on the whole screen: charts, failures, workers, rules; ? tells the keys
    #[cfg(feature = "tui")]
    #[arg(long)]
    pub tui: bool,

    /// Show the full latency spectrum
    #[arg(short = 'L', long)]
    pub latency: bool,

    /// Show the first failures of each kind, and the slowest requests
    #[arg(short, long)]
    pub verbose: bool,

    /// Show beside the latency what wrk's back-filling would have made of it
    #[arg(long, hide_short_help = true)]
    pub as_wrk: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Write the result to FILE.json, .html (a page for a browser), .svg or .png (its charts), .hgrm,
    /// .hlog, .xml (JUnit), .md, .ndjson or, for tables of CSV, DIR/ (repeatable)
    #[arg(short = 'o', long = "output", value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(alias = "html")]
    pub files: Vec<PathBuf>,

    /// Write tables as Locust does: PREFIX_stats.csv, _failures, _stats_history, _exceptions
    #[arg(long, value_name = "PREFIX", value_hint = ValueHint::FilePath)]
    pub csv: Option<PathBuf>,

    /// Serve the run's metrics to Prometheus while it goes on, at http://ADDR/metrics: a port, or
    /// ADDRESS:PORT for others than this host
    #[arg(long, value_name = "ADDR", value_parser = values::listening)]
    pub prometheus: Option<SocketAddr>,

    /// Send the run's metrics to this OpenTelemetry collector, every 5 s and at the end
    #[arg(long, value_name = "URL", value_parser = Endpoint::parse, hide_short_help = true)]
    pub otlp: Option<Endpoint>,

    /// Split answers, errors and times by a header of the answers, to see which backend behind a
    /// balancer is slow or gets too much: header:X-Served-By
    #[arg(long, value_name = "header:NAME", value_parser = GroupBy::parse, hide_short_help = true)]
    pub group_by: Option<GroupBy>,

    /// No live line on stderr
    #[arg(long, hide_short_help = true)]
    pub quiet: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Engine")]
pub struct EngineArgs {
    /// What drives the sockets: ring; or tokio-uring, epoll, where each connection is an open file
    /// and the hard limit binds (connections + 64); also BLAST_ENGINE [default: ring, and epoll
    /// where io_uring is refused]
    #[arg(long, value_name = "E", value_parser = engines())]
    #[arg(hide_possible_values = true, hide_short_help = true)]
    pub engine: Option<Engine>,
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Engine")]
pub struct WorkerArgs {
    /// Before a due time: hybrid, spin or block [default: hybrid]
    #[arg(long, value_name = "HOW", value_parser = waits())]
    #[arg(hide_possible_values = true, hide_short_help = true)]
    pub wait: Option<Wait>,

    /// Cores of the workers: off, or a list such as 0,2-5
    #[arg(long, value_name = "CORES", value_parser = values::pin, hide_short_help = true)]
    pub pin: Option<Pin>,
}

fn engines() -> impl TypedValueParser<Value = Engine> {
    let names = Engine::ALL.map(Engine::name);
    PossibleValuesParser::new(names).try_map(|name| values::engine(&name))
}

fn waits() -> impl TypedValueParser<Value = Wait> {
    let names = [Wait::Hybrid, Wait::Spin, Wait::Block].map(Wait::name);
    PossibleValuesParser::new(names).map(|name| match name.as_str() {
        "spin" => Wait::Spin,
        "block" => Wait::Block,
        _ => Wait::Hybrid,
    })
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Beside the load")]
pub struct ElsewhereArgs {
    /// A number that a command prints, once a second: 'db=psql -tAc "select ..."' (repeatable)
    #[arg(long = "sample", value_name = "NAME=COMMAND", value_parser = Sample::parse)]
    #[arg(hide_short_help = true)]
    pub samples: Vec<Sample>,

    /// A metric of a page for Prometheus, once a second: [NAME=]URL#metric{label="x"} (repeatable)
    #[arg(long = "scrape", value_name = "URL#METRIC", value_parser = Scrape::parse)]
    #[arg(hide_short_help = true)]
    pub scrapes: Vec<Scrape>,

    /// Count the lines that are written to a file, those that match, and keep the first ten
    #[arg(long, value_name = "FILE[:REGEX]", value_hint = ValueHint::FilePath)]
    #[arg(hide_short_help = true)]
    pub watch_log: Option<String>,

    /// Profile the watched server while it is measured: perf, py-spy, or a command that prints
    /// collapsed stacks, with {pid}, {seconds}, {out} in it [default: what this host has for it]
    #[arg(long, value_name = "TOOL", value_parser = Tool::parse)]
    pub profile: Option<Tool>,
}
