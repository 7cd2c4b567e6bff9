//! The server that was watched beside the load.

use serde::{Deserialize, Serialize};

use super::rounded;
use crate::metrics::Summary;
use crate::time::Nanos;

/// All its processes together; second by second it stands in the gauges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// Of its first process.
    pub pid: u32,
    pub name: String,
    /// Before the run.
    pub processes: u64,
    /// In measure; null where it was not read, as are the others.
    pub cpu_s: Option<f64>,
    /// The same over the completed requests.
    pub cpu_us_per_request: Option<f64>,
    /// At the first and at the last reading in measure.
    pub rss_first_bytes: Option<u64>,
    pub rss_last_bytes: Option<u64>,
    /// By least squares.
    pub rss_growth_per_min_bytes: Option<f64>,
}

impl Server {
    pub(super) fn of(summary: &Summary) -> Option<Server> {
        let server = summary.server.as_ref()?;
        let rss = summary.gauge("server.rss");
        Some(Server {
            pid: server.pid,
            name: server.name.clone(),
            processes: server.processes,
            cpu_s: summary.server_cpu().map(Nanos::as_secs_f64),
            cpu_us_per_request: summary.server_us_per_request().map(|us| rounded(us, 3)),
            rss_first_bytes: summary.server_rss_first(),
            rss_last_bytes: rss.map(|course| course.last as u64),
            rss_growth_per_min_bytes: rss.map(|course| rounded(course.growth_per_min, 0)),
        })
    }
}
