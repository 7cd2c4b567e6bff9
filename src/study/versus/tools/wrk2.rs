//! wrk2: wrk's page with a histogram of its own, at a rate alone. The sample was observed (built
//! from its repository, 4.0.0).

use super::wrk;
use super::{Bias, Tool};

pub const WRK2: Tool = Tool {
    name: "wrk2",
    program: "wrk2",
    install: "build github.com/giltene/wrk2 and put its `wrk` on the PATH as `wrk2`",
    version: &["-v"],
    closed: None,
    open: Some(|task| wrk::job(task, &[format!("-R{}", task.rate())])),
    read: wrk::read,
    biases: &[
        Bias::Open("its timer waits whole milliseconds: up to 1 ms of what it says is its own"),
        Bias::Open("past 10 s its percentiles leave out those first 10 s, in which it calibrates"),
        Bias::Open("an answer past its timeout of 2 s is in no percentile"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_page_is_read() {
        let said = (WRK2.read)(include_str!("../samples/wrk2.txt")).unwrap();
        assert_eq!((said.completed, said.rate_per_s), (5_989, Some(499.06)));
        assert_eq!((said.p50_us, said.p99_us), (Some(798.0), Some(2_440.0)));
    }
}
