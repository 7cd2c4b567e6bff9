//! Warnings: what a reader of the report must know, each with what to do about it.

use super::Pause;
use crate::address::Address;
use crate::failure::Kind;
use crate::time::Nanos;
use crate::units;

/// One warning. The code is an interface and never changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// io_uring is refused, and the epoll engine took its place.
    EngineFallback { why: String },
    /// Fewer threads than asked for or than cores.
    ThreadsReduced { asked: usize, used: usize, reason: &'static str },
    /// Not every connection was open when measure began.
    ConnectionsMissing { asked: u64, failed: u64 },
    /// One allowed core: the workers block instead of spinning.
    WaitBlocks,
    /// A worker could not be pinned.
    NotPinned { core: usize },
    /// Buffers ran out; nothing was lost.
    BuffersExhausted { times: u64 },
    /// The kernel had to keep completions aside; nothing was lost.
    CqOverflow { times: u64 },
    /// Bytes after a complete answer.
    UnsolicitedBytes { bytes: u64 },
    /// Times over the histogram's hour.
    Saturated { samples: u64 },
    /// The server closes connections on which nothing is sent.
    ResetIdle { times: u64 },
    /// Open loop: requests waited for a free connection.
    Waited { share: f64 },
    /// A worker did not run although it had to.
    Paused { longest: Pause, times: usize },
    /// `--warmup auto` gave up waiting for steady answers.
    WarmupUnsteady { after: Nanos },
    /// Work left at the end.
    Unfinished { dropped: u64, abandoned: u64, drain: Nanos },
    /// One of the target's addresses never worked, and was left out.
    AddressSkipped { address: Address, kind: Kind },
    /// Connects that took as long as a lost SYN takes, or had no answer.
    ListenBacklog { slow: u64 },
    /// The listen queue of a Unix socket was full, and connects were tried again.
    QueueFull { times: u64 },
    /// The target's name could not be looked up again.
    RefreshFailed { times: u64, asked: u64, why: String },
    /// A curl command follows redirects, and blast does not.
    NotFollowed,
    /// A rule of `--resolve` or `--connect-to` that fits nothing.
    RuleUnused { flag: &'static str, rule: String },
    /// Data whose rows are not used twice had no more of them.
    DataRanOut,
    /// What was to be sent once after the load came to nothing.
    TeardownFailed { why: String },
    /// The metrics did not all reach their collector.
    OtlpFailed { times: u64, of: u64, why: String },
    /// Readings of a gauge that came to nothing.
    NotRead {
        code: &'static str,
        gauge: String,
        failed: u64,
        asked: u64,
        /// What came the first time.
        first: String,
        hint: &'static str,
    },
    /// The profile of the server came to nothing.
    ProfileFailed { tool: &'static str, why: String },
    /// The processes that were watched beside the load ended in the run.
    WatchedGone { name: String, pid: u32, at: Nanos },
    /// A limit of the host that touches this run: a row of `blast doctor`.
    Host { code: &'static str, text: String, hint: String },
    /// What the figures show: see [`super::signs`].
    Sign { code: &'static str, text: String, hint: &'static str },
}

impl Warning {
    pub fn code(&self) -> &'static str {
        match self {
            Warning::EngineFallback { .. } => "engine_fallback",
            Warning::ThreadsReduced { .. } => "threads_reduced",
            Warning::ConnectionsMissing { .. } => "connections_missing",
            Warning::WaitBlocks => "wait_blocks",
            Warning::NotPinned { .. } => "not_pinned",
            Warning::BuffersExhausted { .. } => "buffers_exhausted",
            Warning::CqOverflow { .. } => "cq_overflow",
            Warning::UnsolicitedBytes { .. } => "unsolicited_bytes",
            Warning::Saturated { .. } => "histogram_saturated",
            Warning::ResetIdle { .. } => "reset_idle",
            Warning::Waited { .. } => "waited_for_connection",
            Warning::Paused { .. } => "generator_paused",
            Warning::WarmupUnsteady { .. } => "warmup_unsteady",
            Warning::Unfinished { .. } => "unfinished",
            Warning::AddressSkipped { .. } => "address_skipped",
            Warning::ListenBacklog { .. } => "listen_backlog",
            Warning::QueueFull { .. } => "listen_queue_full",
            Warning::RefreshFailed { .. } => "dns_refresh_failed",
            Warning::NotFollowed => "redirects_not_followed",
            Warning::RuleUnused { .. } => "rule_unused",
            Warning::DataRanOut => "data_ran_out",
            Warning::TeardownFailed { .. } => "teardown_failed",
            Warning::OtlpFailed { .. } => "otlp_failed",
            Warning::NotRead { code, .. } => code,
            Warning::ProfileFailed { .. } => "profile_failed",
            Warning::WatchedGone { .. } => "watched_process_gone",
            Warning::Host { code, .. } | Warning::Sign { code, .. } => code,
        }
    }

    pub fn text(&self) -> String {
        match self {
            Warning::EngineFallback { why } => {
                format!("the epoll engine took the place of the ring: {why}")
            }
            Warning::ThreadsReduced { asked, used, reason } => {
                format!("{used} threads instead of {asked}: {reason}")
            }
            Warning::ConnectionsMissing { asked, failed } => {
                format!("{failed} of {asked} connections had failed when measure began")
            }
            Warning::WaitBlocks => "only one core is allowed, so due times are waited for \
                asleep: they are met 20 to 100 us late"
                .to_string(),
            Warning::NotPinned { core } => format!("a worker could not be pinned to core {core}"),
            Warning::BuffersExhausted { times } => {
                format!("the receive buffers ran out {times} times; nothing was lost")
            }
            Warning::CqOverflow { times } => {
                format!("the completion queue overflowed {times} times; nothing was lost")
            }
            Warning::UnsolicitedBytes { bytes } => {
                format!("the server sent {bytes} bytes after complete answers")
            }
            Warning::Saturated { samples } => {
                format!("{samples} samples were longer than an hour and count as one hour")
            }
            Warning::ResetIdle { times } => {
                format!("the server closed {times} connections while no request was on them")
            }
            Warning::Waited { share } => {
                format!("{:.1} % of the requests waited for a free connection", share * 100.0)
            }
            Warning::Paused { longest, times } => format!(
                "blast itself did not run for {} at {} of the run{}",
                units::format_duration(longest.length),
                units::format_duration(longest.at),
                match times {
                    1 => String::new(),
                    n => format!(", the longest of {n} such pauses"),
                }
            ),
            Warning::WarmupUnsteady { after } => format!(
                "the answers were not steady after {} of warm-up, and measure began all the same",
                units::format_duration(*after)
            ),
            Warning::Unfinished { dropped, abandoned, drain } => format!(
                "after a drain of {} there were {dropped} requests still unsent and {abandoned} \
                 unanswered",
                units::format_duration(*drain)
            ),
            Warning::AddressSkipped { address, kind } => {
                format!("{address} was left out ({}): {}", kind.name(), kind.hint())
            }
            Warning::ListenBacklog { slow } => format!(
                "{slow} connects took a second or more, or had no answer: a server's listen queue \
                 drops SYNs when it is full"
            ),
            Warning::QueueFull { times } => format!(
                "the listen queue of the socket was full {times} times; each connect was tried \
                 again"
            ),
            Warning::RefreshFailed { times, asked, why } => format!(
                "looking up the target's name again failed {times} of {asked} times, and the \
                 addresses stayed: {why}"
            ),
            Warning::NotFollowed => {
                "the curl command follows redirects, and blast does not: each answer counts as it \
                 comes"
                    .to_string()
            }
            Warning::RuleUnused { flag, rule } => {
                format!("{flag} {rule} fits neither the host nor the port that are connected to")
            }
            Warning::DataRanOut => {
                "data that is not used twice had no more rows before the run was over".to_string()
            }
            Warning::TeardownFailed { why } => {
                format!("what is sent after the load came to nothing: {why}")
            }
            Warning::OtlpFailed { times, of, why } => {
                format!("{times} of {of} exports of the metrics failed, the last one so: {why}")
            }
            Warning::NotRead { gauge, failed, asked, first, .. } => {
                format!("{gauge} was not read {failed} of {asked} times; the first time it {first}")
            }
            Warning::ProfileFailed { tool, why } => {
                format!("the profile of the server ({tool}) came to nothing: {why}")
            }
            Warning::WatchedGone { name, pid, at } => format!(
                "the server {name} (pid {pid}) was gone {} into the run: there is nothing to read \
                 of it from there on",
                units::format_duration(*at)
            ),
            Warning::Host { text, .. } | Warning::Sign { text, .. } => text.clone(),
        }
    }

    pub fn hint(&self) -> &str {
        match self {
            Warning::EngineFallback { .. } => {
                "times and counts hold, but a request costs blast more processor time; \
                 --engine epoll silences this"
            }
            Warning::ThreadsReduced { .. } => "set --threads to silence this",
            Warning::ConnectionsMissing { .. } => {
                "look at the connection failures; --connect-rate opens them more slowly"
            }
            Warning::WaitBlocks => "give blast a second core, or ask for --wait spin",
            Warning::NotPinned { .. } => "choose allowed cores with --pin, or --pin off",
            Warning::BuffersExhausted { .. } => "more --threads share the load of large answers",
            Warning::CqOverflow { .. } => "use fewer --connections a thread",
            Warning::UnsolicitedBytes { .. } => "its Content-Length is too small",
            Warning::Saturated { .. } => "set a --timeout under an hour",
            Warning::ResetIdle { .. } => {
                "its keep-alive time or its requests per connection are limited"
            }
            Warning::Waited { .. } => "raise --connections, if the server is not the limit",
            Warning::Paused { .. } => {
                "it was stopped, or kept from its core: send lag shows it, service time does not"
            }
            Warning::WarmupUnsteady { .. } => {
                "look at the seconds (--latency); a fixed --warmup can be longer"
            }
            Warning::Unfinished { .. } => "the server was behind; a longer --drain waits for it",
            Warning::AddressSkipped { .. } => "write the address in the URL to silence this",
            Warning::ListenBacklog { .. } => {
                "raise its backlog and net.core.somaxconn, or open more slowly: --connect-rate"
            }
            Warning::QueueFull { .. } => {
                "raise the backlog it gives to listen and net.core.somaxconn, or open more slowly: \
                 --connect-rate"
            }
            Warning::RefreshFailed { .. } => {
                "look at the resolver of this host, or leave --dns-refresh away"
            }
            Warning::NotFollowed => "give the URL that they lead to",
            Warning::RuleUnused { .. } => {
                "the load went where the URL says: check host and port of the rule"
            }
            Warning::DataRanOut => {
                "give the file more rows, or let it begin anew with `when_exhausted = \"wrap\"`"
            }
            Warning::TeardownFailed { .. } => {
                "look whether the server still has what the plan's [teardown] should have removed"
            }
            Warning::OtlpFailed { .. } => {
                "look whether a collector takes OTLP over http at the URL of --otlp"
            }
            Warning::NotRead { hint, .. } => hint,
            Warning::ProfileFailed { .. } => {
                "try the profiler by hand on the server; it may have to run as root, or with \
                 kernel.perf_event_paranoid and kernel.yama.ptrace_scope lowered"
            }
            Warning::WatchedGone { .. } => {
                "look into its log; where it begins anew under load, watch it by name: --watch NAME"
            }
            Warning::Host { hint, .. } => hint,
            Warning::Sign { hint, .. } => hint,
        }
    }
}
