//! `--prometheus ADDR`: the metrics of a run in the formats that Prometheus reads, and a server of
//! its own that answers for them. Which format is the scraper's choice (`Accept`): OpenMetrics
//! text, the older text, or protobuf, which alone carries native histograms.

mod encode;
mod server;

pub use server::Server;
