//! The run as an HdrHistogram interval log, `-o FILE.hlog`: what the tools around HdrHistogram
//! merge, cut and plot. Format version 1.3, payloads V2 + DEFLATE in base64, values in ns, the
//! maximum beside them in ms.
//!
//! An interval has two lines, tagged `response` and `service`, of the requests due in measure that
//! ended in it. In closed loop both run from the send. What did not end well ranks, within its
//! interval, above every good answer; so the counts of all intervals add up to the document's, and
//! without errors so do the histograms.
//!
//! Lines are written as their intervals are over: memory does not grow with the run.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriter, IntervalLogWriterBuilder, Tag};

use super::staged::{self, Staged};
use crate::error::{Error, Result};
use crate::metrics::{Distribution, Fates, Histogram, Interval, Mode, Phase};
use crate::time::Nanos;

/// From the histograms' ns to the ms in which the format gives the maximum.
const MAX_DIVISOR: f64 = 1e6;

/// What the columns of a line are.
const LEGEND: &str =
    r#""StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram""#;

/// The files that take the log of a run, all the same one.
pub struct Logs {
    files: Files,
    serializer: V2DeflateSerializer,
}

impl Logs {
    /// Begins each of them beside its place.
    pub fn create<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Result<Logs> {
        let files = paths.map(|path| Target::create(path)).collect::<Result<_>>()?;
        let files = Files { line: Vec::new(), targets: files };
        Ok(Logs { files, serializer: V2DeflateSerializer::new() })
    }

    pub fn recorder(&mut self, mode: Mode) -> Recorder<'_, Files> {
        let wanted = !self.files.targets.is_empty();
        Recorder::new(wanted.then_some((&mut self.files, &mut self.serializer)), mode)
    }

    /// Puts each of them in its place. One that fails does not keep the others from it.
    pub fn keep(self) -> Vec<Result<()>> {
        self.files.targets.into_iter().map(Target::keep).collect()
    }
}

/// Writes the log of one run.
pub struct Recorder<'a, W: Write> {
    /// Until the first interval says when the run began.
    ready: Option<(&'a mut W, &'a mut V2DeflateSerializer)>,
    writer: Option<IntervalLogWriter<'a, 'a, W, V2DeflateSerializer>>,
    mode: Mode,
    /// The end of the interval before.
    from: Nanos,
}

impl<'a, W: Write> Recorder<'a, W> {
    /// `to`: nothing, when no log is wanted; then it costs nothing.
    fn new(to: Option<(&'a mut W, &'a mut V2DeflateSerializer)>, mode: Mode) -> Self {
        Recorder { ready: to, writer: None, mode, from: Nanos::ZERO }
    }

    /// Takes an interval in, with the requests of measure that ended in it. `origin`: the start of
    /// the load, from which its time counts. What is over before measure is no part of the log.
    ///
    /// What cannot be written is told by [`Logs::keep`].
    pub fn record(&mut self, interval: &Interval, measure: &Fates, origin: SystemTime) {
        let from = std::mem::replace(&mut self.from, interval.end);
        let nothing = measure.good.is_empty() && measure.censored.is_empty();
        if interval.phase == Phase::Warmup && nothing {
            return;
        }
        self.begin(origin);
        if self.writer.is_none() {
            return;
        }
        let response = Distribution::ranked(&measure.good, &measure.censored);
        let service = measure.service(self.mode);
        for (tag, histogram) in [("response", response.histogram()), ("service", &service)] {
            self.line(tag, histogram, from, interval.end - from);
        }
    }

    /// The run is over; a log without intervals still has its head.
    pub fn end(mut self, origin: SystemTime) {
        self.begin(origin);
    }

    fn begin(&mut self, origin: SystemTime) {
        if let Some((to, serializer)) = self.ready.take() {
            let mut builder = IntervalLogWriterBuilder::new();
            builder.with_max_value_divisor(MAX_DIVISOR);
            let head = to.write_all(head(origin).as_bytes());
            self.writer = head.and_then(|()| builder.begin_log_with(to, serializer)).ok();
        }
    }

    fn line(&mut self, tag: &str, histogram: &Histogram, from: Nanos, length: Nanos) {
        if let Some(writer) = &mut self.writer {
            let (from, length) = (Duration::from(from), Duration::from(length));
            let written = writer.write_histogram(histogram.hdr(), from, length, Tag::new(tag));
            // [`Files`] keep their errors until the end, and the counts fit the format.
            debug_assert!(written.is_ok());
        }
    }
}

/// Times count from `BaseTime`; some readers know only `StartTime`, and it is the same.
fn head(origin: SystemTime) -> String {
    let since_epoch = origin.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (seconds, ms) = (since_epoch.as_secs(), since_epoch.subsec_millis());
    let date = humantime::format_rfc3339_millis(origin);
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "#[Logged by blast {version}, times in ns]\n\
         #[Histogram log format version 1.3]\n\
         #[StartTime: {seconds}.{ms:03} (seconds since epoch), {date}]\n\
         #[BaseTime: {seconds}.{ms:03} (seconds since epoch)]\n\
         {LEGEND}\n"
    )
}

/// Several files that get the same lines. Writing to it never fails: what went wrong with a file
/// is told when it is to be kept, and the others are written on.
pub struct Files {
    line: Vec<u8>,
    targets: Vec<Target>,
}

impl Write for Files {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if self.line.ends_with(b"\n") {
            self.targets.iter_mut().for_each(|target| target.write(&self.line));
            self.line.clear();
        }
        Ok(bytes.len())
    }

    /// Whole lines are never held back.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Target {
    path: PathBuf,
    /// The file, or why there is none any more.
    file: std::result::Result<Staged, Error>,
}

impl Target {
    fn create(path: &Path) -> Result<Target> {
        let file = Staged::create(path).map_err(|error| staged::failed(path, &error))?;
        Ok(Target { path: path.to_path_buf(), file: Ok(file) })
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Ok(file) = &mut self.file
            && let Err(error) = file.write_all(bytes)
        {
            self.file = Err(staged::failed(&self.path, &error));
        }
    }

    fn keep(self) -> Result<()> {
        self.file?.keep().map_err(|error| staged::failed(&self.path, &error))
    }
}

#[cfg(test)]
pub mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;
    use hdrhistogram::Histogram as Hdr;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::report::fixture::{self, Run};
    use crate::report::staged::tests::Folder;

    /// The log of a run whose requests ended in these intervals, each with its end in seconds.
    fn log(mode: Mode, intervals: &[(u64, Phase, &Fates)]) -> String {
        let (mut text, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
        let mut recorder = Recorder::new(Some((&mut text, &mut serializer)), mode);
        let origin = SystemTime::UNIX_EPOCH + Duration::from_millis(1_772_366_400_250);
        for (end, phase, measure) in intervals {
            let mut interval = fixture::held().summary.intervals[0];
            (interval.end, interval.phase) = (Nanos::from_secs(*end), *phase);
            recorder.record(&interval, measure, origin);
        }
        recorder.end(origin);
        String::from_utf8(text).unwrap()
    }

    /// All requests of a synthetic run, as if they had ended in its first second.
    pub fn log_of(run: &Run) -> String {
        log(run.summary.mode, &[(1, Phase::Measure, &run.summary.measure)])
    }

    /// Tag, start and length of each line, and the sum of the histograms with that tag.
    fn read(log: &str, tag: &str) -> (Vec<(f64, f64)>, Hdr<u64>) {
        let (mut times, mut sum) = (Vec::new(), Histogram::default().hdr().clone());
        for entry in IntervalLogIterator::new(log.as_bytes()) {
            let LogEntry::Interval(line) = entry.unwrap() else { continue };
            if line.tag().unwrap().as_str() == tag {
                times.push((line.start_timestamp().as_secs_f64(), line.duration().as_secs_f64()));
                let bytes = BASE64.decode(line.encoded_histogram()).unwrap();
                let read: Hdr<u64> = Deserializer::new().deserialize(&mut &bytes[..]).unwrap();
                assert!((line.max() - read.max() as f64 / 1e6).abs() < 0.001);
                sum.add(read).unwrap();
            }
        }
        (times, sum)
    }

    #[test]
    fn the_head_is_of_version_1_3_and_says_when_the_load_began() {
        let log = log(Mode::Open, &[]);
        let lines: Vec<&str> = log.lines().collect();
        assert!(lines[0].starts_with("#[Logged by blast "), "{log}");
        assert_eq!(
            lines[1..],
            [
                "#[Histogram log format version 1.3]",
                "#[StartTime: 1772366400.250 (seconds since epoch), 2026-03-01T12:00:00.250Z]",
                "#[BaseTime: 1772366400.250 (seconds since epoch)]",
                LEGEND,
                "#[MaxValueDivisor: 1000000.000]",
            ]
        );
        let entries: Vec<_> = IntervalLogIterator::new(log.as_bytes()).collect();
        let start = Duration::from_millis(1_772_366_400_250);
        assert_eq!(entries, [Ok(LogEntry::StartTime(start)), Ok(LogEntry::BaseTime(start))]);
    }

    #[test]
    fn without_errors_the_intervals_add_up_to_the_documents_histograms() {
        for run in [fixture::held(), fixture::closed()] {
            let mut parts = vec![Fates::default(); 3];
            let summary = &run.summary;
            for (at, (time, count)) in summary.measure.good.recorded().enumerate() {
                parts[at % 3].good.record_many(time, count);
            }
            for (at, (time, count)) in summary.measure.service.recorded().enumerate() {
                parts[at % 2].service.record_many(time, count);
            }
            let [a, b, c] = &parts[..] else { panic!() };
            let (measure, drain) = (Phase::Measure, Phase::Drain);
            let log = log(summary.mode, &[(1, measure, a), (2, measure, b), (5, drain, c)]);
            let (times, response) = read(&log, "response");
            assert_eq!(times, [(0.0, 1.0), (1.0, 1.0), (2.0, 3.0)]);
            assert_eq!(&response, summary.response().histogram().hdr());
            let (_, service) = read(&log, "service");
            assert_eq!(&service, summary.service().histogram().hdr());
        }
    }

    #[test]
    fn with_errors_the_counts_add_up() {
        for (name, run) in fixture::all() {
            let (_, response) = read(&log_of(&run), "response");
            assert_eq!(response.len(), run.summary.measure.counters.scheduled, "{name}");
        }
    }

    #[test]
    fn the_warm_up_is_left_out_and_a_second_without_an_end_is_not() {
        let (mut some, none) = (Fates::default(), Fates::default());
        some.good.record(Nanos::from_millis(5));
        let log = log(
            Mode::Open,
            &[
                (1, Phase::Warmup, &none),
                (2, Phase::Warmup, &some),
                (3, Phase::Measure, &none),
                (4, Phase::Measure, &some),
            ],
        );
        let (times, response) = read(&log, "response");
        assert_eq!(times, [(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)]);
        assert_eq!(response.len(), 2);
    }

    #[test]
    fn a_file_that_fails_does_not_keep_the_others_from_being_written() {
        let folder = Folder::new("logs");
        let paths = [PathBuf::from("/dev/full"), folder.0.join("a.hlog"), folder.0.join("b.hlog")];
        let mut logs = Logs::create(paths.iter()).unwrap();
        let mut recorder = logs.recorder(Mode::Open);
        let run = fixture::held();
        let origin = run.summary.started_at;
        recorder.record(&run.summary.intervals[0], &run.summary.measure, origin);
        recorder.end(origin);
        let [full, a, b] = &logs.keep()[..] else { panic!() };
        assert!(full.as_ref().is_err_and(|error| error.message.contains("/dev/full")));
        assert!(a.is_ok() && b.is_ok());
        let texts = [1, 2].map(|at: usize| std::fs::read_to_string(&paths[at]).unwrap());
        assert_eq!(texts[0], texts[1]);
        assert_eq!(read(&texts[0], "response").1.len(), 500_000);
    }
}
