//! The books of a scenario, driven by hand: what goes into which, and that it adds up.

use super::*;
use crate::metrics::{Audit, Mode, Named, Part, Summary, fixture};

const MS: Nanos = Nanos::from_millis(1);

/// Entries: a login, which is done aside, and two of the load. One check.
const ROWS: Rows = Rows { entries: 3, checks: 1, has_sessions: true };

const LOGIN: u16 = 0;
const LIST: u16 = 1;
const SAVE: u16 = 2;

struct Books {
    tally: Tally,
    mailbox: Arc<Mailbox>,
    now: Nanos,
}

impl Books {
    /// A second of warm-up from 10 s on, then two of measure.
    fn new(open_loop: bool, rows: Rows) -> Books {
        let mailbox = Arc::new(Mailbox::bare_of(rows.entries));
        let mut tally = Tally::new(open_loop, mailbox.clone(), [].into(), rows);
        let second = Nanos::from_secs;
        tally.start(Phases { origin: second(10), measure: second(11), end: second(13) });
        Books { tally, mailbox, now: second(10) }
    }

    fn at(&mut self, millis: u64) -> &mut Tally {
        self.now = Nanos::from_millis(millis);
        while self.tally.is_over(self.now) {
            let scheduled = self.tally.events().sent;
            self.tally.roll(self.tally.boundary(), scheduled);
        }
        &mut self.tally
    }

    fn send(&mut self, entry: u16) -> Flight {
        let aside = entry == LOGIN;
        let phase = if aside { Phase::Aside } else { self.tally.phase() };
        let (intended, sent) = (self.now, self.now);
        let flight = Flight { intended, sent, phase, stage: 0, entry, waited: false };
        self.tally.sent(&flight, self.now, 100);
        flight
    }

    fn answer(&mut self, flight: &Flight, status: u16, rejection: Option<Rejection>) {
        self.tally.answered(flight, (status, 100), rejection, self.now);
    }

    /// All of it, as one worker's summary.
    fn finish(mut self, main_scheduled: u64) -> Summary {
        self.tally.scheduled(Phase::Measure, main_scheduled);
        let scheduled = self.tally.events().sent;
        let totals = self.tally.finish(self.now, scheduled);
        let mut summary = Summary { model: Some("users"), ..fixture::blank(Mode::Closed) };
        let mut told = vec![Portion::default(); totals.by_name.accounts.len()];
        while let Some(letter) = self.mailbox.collect() {
            let snapshot = letter.snapshot;
            told.iter_mut().zip(&snapshot.names).for_each(|(sum, portion)| sum.add(portion));
            summary.measure.add(&snapshot.measure);
            summary.warmup.add(&snapshot.warmup);
            summary.aside.add(&snapshot.aside);
            match snapshot.phase {
                Phase::Warmup => summary.warmup_events.add(&snapshot.events),
                Phase::Measure => summary.measure_events.add(&snapshot.events),
                _ => summary.drain_events.add(&snapshot.events),
            }
        }
        told.iter().zip(&totals.by_name.accounts).for_each(|(told, account)| {
            let counters = &account.fates.counters;
            let failed = counters.failed() + counters.abandoned;
            let of_books = [counters.sent, counters.completed, counters.good, failed];
            assert_eq!([told.sent, told.completed, told.good, told.failed], of_books);
            assert_eq!((told.dropped, told.body_bytes), (counters.dropped, told.completed * 100));
            assert_eq!(told.good_in.count(), account.fates.good.count());
            assert_eq!(told.censored.count(), account.fates.censored.count());
        });
        (summary.in_flight_area_ns, summary.sent_to_end_ns) = (totals.area, totals.sent_to_end);
        summary.warmup.counters.scheduled = summary.warmup.counters.sent;
        summary.sessions = totals.by_name.sessions.map(|sessions| *sessions);
        let parts = [Part::Setup, Part::Main, Part::Main];
        let named = |(part, account): (Part, Account)| {
            let (name, method) = (String::new(), String::new());
            Named { name, method, part, weight: 0, share_asked: None, account }
        };
        summary.names = parts.into_iter().zip(totals.by_name.accounts).map(named).collect();
        summary
    }
}

#[track_caller]
fn assert_sound(summary: &Summary) {
    let audit = Audit::of(summary);
    assert!(audit.ok(), "{:?}", audit.failed().collect::<Vec<_>>());
}

/// Setup, a request of warm-up whose answer comes in measure, and in measure one of each fate.
fn day(books: &mut Books) {
    books.at(10_100);
    let login = books.send(LOGIN);
    books.at(10_200);
    books.answer(&login, 200, None);
    books.at(10_900);
    let early = books.send(LIST);
    books.at(11_100);
    books.answer(&early, 200, None);
    for millis in [11_200, 12_200] {
        books.at(millis);
        let (list, save) = (books.send(LIST), books.send(SAVE));
        books.at(millis + 50);
        books.answer(&list, 200, None);
        let now = books.now;
        books.tally.checked(&save, 0, false, true, now);
        books.answer(&save, 200, Some(Rejection::Check));
    }
    let timed_out = books.send(SAVE);
    books.at(12_500);
    books.tally.failed(&timed_out, Kind::Timeout, Nanos::from_millis(12_500));
    let again = books.send(LOGIN);
    books.at(12_700);
    books.answer(&again, 401, Some(Rejection::Status4xx));
    let late = books.send(LIST);
    books.at(13_100);
    books.answer(&late, 200, None);
}

#[test]
fn each_request_is_in_the_books_of_its_name_and_the_audit_holds() {
    let mut books = Books::new(false, ROWS);
    day(&mut books);
    let left = books.send(SAVE);
    books.at(13_400);
    books.tally.abandoned(&left, Nanos::from_millis(13_400));
    let summary = books.finish(6);
    // What was sent in the drain counts as due in measure here: the core sends nothing new then.
    let mut summary = summary;
    summary.measure.counters.scheduled = summary.measure.counters.sent;
    assert_sound(&summary);
    let of = |entry: u16| &summary.names[usize::from(entry)].account;
    let fates = |entry| {
        let c = &of(entry).fates.counters;
        (c.scheduled, c.good, c.rejected(), c.failed(), c.abandoned)
    };
    assert_eq!(fates(LOGIN), (2, 1, 1, 0, 0));
    assert_eq!(fates(LIST), (3, 3, 0, 0, 0), "without the one of warm-up");
    assert_eq!(fates(SAVE), (4, 0, 2, 1, 1));
    // Within measure, whichever phase it was due in.
    assert_eq!((of(LIST).events.sent, of(LIST).events.good), (3, 3));
}

#[test]
fn what_is_done_aside_is_in_no_headline_but_in_flight() {
    let mut books = Books::new(false, ROWS);
    books.at(11_500);
    let login = books.send(LOGIN);
    assert_eq!(books.tally.in_flight(), 1);
    assert_eq!(books.tally.events().sent, 0, "a closed loop schedules what it sends");
    assert_eq!(books.tally.events().bytes_sent, 100);
    books.at(11_700);
    let failing = books.send(LOGIN);
    books.answer(&login, 200, None);
    books.at(11_800);
    books.tally.failed(&failing, Kind::ReceiveReset, Nanos::from_millis(11_800));
    let summary = books.finish(0);
    assert_sound(&summary);
    assert_eq!(summary.measure_events, Events { bytes_sent: 200, ..Events::default() });
    assert!(summary.measure.is_empty() && summary.drain_events.sent == 0);
    let aside = &summary.aside.counters;
    assert_eq!((aside.scheduled, aside.sent, aside.good, aside.failed()), (2, 2, 1, 1));
    assert_eq!(summary.sent_to_end_ns, u128::from(300 * MS.0));
}

#[test]
fn failures_and_rejections_say_when_they_were_first_and_last_seen() {
    let mut books = Books::new(false, ROWS);
    day(&mut books);
    let summary = books.finish(6);
    let seen = |entry: u16| &summary.names[usize::from(entry)].account;
    let millis = |count, first, last| Sightings {
        count,
        first: Nanos::from_millis(first),
        last: Nanos::from_millis(last),
    };
    assert_eq!(seen(SAVE).rejections[Rejection::Check as usize], millis(2, 250, 1_250));
    assert_eq!(seen(SAVE).checks, [millis(2, 250, 1_250)]);
    assert_eq!(seen(SAVE).failures[Kind::Timeout as usize], millis(1, 1_500, 1_500));
    assert_eq!(seen(LOGIN).rejections[Rejection::Status4xx as usize], millis(1, 1_700, 1_700));
    assert_eq!(seen(LIST).failures, [Sightings::default(); Kind::COUNT]);
}

#[test]
fn before_measure_is_known_something_is_seen_at_its_start() {
    let mut books = Books::new(false, ROWS);
    books.tally.start(Phases {
        origin: Nanos::from_secs(10),
        measure: Nanos::MAX,
        end: Nanos::MAX,
    });
    books.now = Nanos::from_millis(10_300);
    let login = books.send(LOGIN);
    books.tally.failed(&login, Kind::Timeout, Nanos::from_millis(10_400));
    let seen = books.finish(0).names[0].account.failures[Kind::Timeout as usize];
    assert_eq!(seen, Sightings { count: 1, ..Sightings::default() });
}

#[test]
fn checks_and_sessions_of_warm_up_do_not_count() {
    let mut books = Books::new(false, ROWS);
    books.at(10_100);
    let early = books.send(LIST);
    let now = books.now;
    books.tally.checked(&early, 0, false, true, now);
    books.answer(&early, 200, Some(Rejection::Check));
    books.tally.session_ended(SessionEnd::Completed, MS);
    books.at(11_100);
    let login = books.send(LOGIN);
    books.tally.checked(&login, 0, true, false, now);
    books.answer(&login, 200, None);
    books.tally.session_ended(SessionEnd::Failed, MS);
    books.at(13_100).session_ended(SessionEnd::Cut, MS);
    let totals = books.tally.finish(books.now, 0);
    assert_eq!(totals.by_name.checks, [(1, 0)]);
    assert!(totals.by_name.accounts.iter().all(|account| account.checks[0].count == 0));
    let sessions = totals.by_name.sessions.expect("there are users");
    assert_eq!((sessions.completed, sessions.failed, sessions.cut), (0, 1, 1));
}

#[test]
fn what_was_dropped_was_due_to_its_name() {
    let mut books = Books::new(true, ROWS);
    books.at(11_100);
    let due =
        Due { intended: Nanos::from_millis(11_050), phase: Phase::Measure, stage: 0, number: 0 };
    books.tally.dropped(&due, SAVE, Drop::Deadline, Nanos::from_millis(11_100));
    let list = books.send(LIST);
    books.at(11_200);
    books.answer(&list, 200, None);
    let summary = books.finish(2);
    assert_sound(&summary);
    let of = |entry: u16| &summary.names[usize::from(entry)].account.fates;
    let save = &of(SAVE).counters;
    assert_eq!((save.scheduled, save.dropped, of(SAVE).censored.count()), (1, 1, 1));
    assert_eq!((of(LIST).service.count(), of(LIST).send_lag.count()), (1, 1));
}

#[test]
fn without_a_scenario_nothing_is_kept_by_name() {
    let mut books = Books::new(false, Rows::default());
    books.at(11_100);
    let flight = books.send(LIST);
    books.at(11_200);
    books.answer(&flight, 503, Some(Rejection::Status5xx));
    books.tally.session_ended(SessionEnd::Completed, MS);
    let totals = books.tally.finish(books.now, 1);
    assert!(totals.by_name.accounts.is_empty() && totals.by_name.sessions.is_none());
}
