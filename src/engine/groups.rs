//! Answers by the value of a header (`--group-by`): which group the answer belongs to that is being
//! read on each connection, and one worker's books by group. At the end the workers' books become
//! the groups of the results.
//!
//! The table of values has a fixed size and its values stand in it, so that no value that a server
//! makes up grows memory. The room of the first values' times is made before the start; that of
//! further ones, and of errors, with the first of each.

use std::collections::BTreeMap;

use super::tally::Flight;
use super::wire::Slot;
use crate::http::{Look, field};
use crate::metrics::groups::{Book, Group, Groups, Value};
use crate::metrics::{Phase, Rejection};
use crate::plan::GroupBy;
use crate::plan::mask::mask_text;
use crate::time::Nanos;

/// Values that are told apart, on each worker and in the results.
pub const MOST: usize = 64;

/// Bytes of a value that are; what follows them is not looked at.
pub const LONGEST: usize = 64;

/// Places of the table whose room is made before the start, which is 280 KB of address space each
/// (in open loop 560 KB), and of memory what their times touch. The books of further ones are an
/// eighth of it: their times have two significant digits.
const RESERVED: u16 = 16;

/// The places of what has no value of its own; values follow.
const ABSENT: u16 = 0;
const FURTHER: u16 = 1;
const FIRST: u16 = 2;

/// No answer of this connection was counted yet.
const NOBODY: u16 = u16::MAX;

/// One worker's.
#[derive(Debug)]
pub struct Grouping {
    header: String,
    open_loop: bool,
    table: Table,
    /// By place.
    books: Vec<Book>,
    /// By slot.
    seats: Vec<Seat>,
    strayed: u64,
    switches: u64,
}

/// What is known of the answers on one connection.
#[derive(Clone, Copy, Debug)]
struct Seat {
    /// The place of the answer that is being read, once its head was.
    current: u16,
    /// That of the last one that was counted.
    last: u16,
    /// Those that were counted were of several groups.
    has_strayed: bool,
}

const EMPTY_SEAT: Seat = Seat { current: ABSENT, last: NOBODY, has_strayed: false };

/// Looks for the header in the heads of one connection.
#[derive(Debug)]
pub struct Sorter<'a> {
    header: &'a str,
    table: &'a mut Table,
    seat: &'a mut Seat,
}

impl Look for Sorter<'_> {
    #[inline]
    fn head(&mut self, head: &[u8]) {
        let value = field(head, self.header);
        self.seat.current = self.table.place(value, self.seat.current);
    }
}

impl Grouping {
    pub fn new(by: &GroupBy, slots: usize, open_loop: bool) -> Grouping {
        let book = |place: u16| match place {
            FURTHER => Book::coarse(),
            place if place < RESERVED => Book::reserved(open_loop),
            _ => Book::coarse(),
        };
        Grouping {
            header: by.header.clone(),
            open_loop,
            table: Table { keys: Vec::with_capacity(MOST) },
            books: (0..FIRST + MOST as u16).map(book).collect(),
            seats: vec![EMPTY_SEAT; slots],
            strayed: 0,
            switches: 0,
        }
    }

    /// What the next answer on this connection is read with.
    #[inline]
    pub fn sorter(&mut self, slot: Slot) -> Sorter<'_> {
        let seat = &mut self.seats[slot as usize];
        Sorter { header: &self.header, table: &mut self.table, seat }
    }

    /// A connection opened: whoever answers on it is not known.
    pub fn opened(&mut self, slot: Slot) {
        self.seats[slot as usize] = EMPTY_SEAT;
    }

    /// The answer that was read on this connection is complete.
    #[inline]
    pub fn answered(
        &mut self,
        slot: Slot,
        flight: &Flight,
        rejection: Option<Rejection>,
        now: Nanos,
    ) {
        if !matches!(flight.phase, Phase::Measure | Phase::Drain) {
            return;
        }
        let place = self.seats[slot as usize].current;
        let service = self.open_loop.then_some(now - flight.sent);
        self.books[usize::from(place)].answered(now - flight.intended, service, rejection);
        self.follow(slot, place);
    }

    /// Which connections stay with one group.
    #[inline]
    fn follow(&mut self, slot: Slot, place: u16) {
        let seat = &mut self.seats[slot as usize];
        let last = std::mem::replace(&mut seat.last, place);
        if last == place {
            return;
        }
        if last == NOBODY {
            self.books[usize::from(place)].connections += 1;
            return;
        }
        self.switches += 1;
        if !seat.has_strayed {
            seat.has_strayed = true;
            self.books[usize::from(last)].connections -= 1;
            self.strayed += 1;
        }
    }

    pub fn memory(&self) -> usize {
        size_of_val(&*self.seats) + size_of_val(&*self.books) + size_of::<Key>() * MOST
    }
}

/// The values that were seen, in the order in which they were.
#[derive(Debug)]
struct Table {
    /// Room for [`MOST`].
    keys: Vec<Key>,
}

/// A value, as far as it is told apart from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// Zero beyond `length`.
    bytes: [u8; LONGEST],
    length: u8,
    is_cut: bool,
}

impl Key {
    fn of(value: &[u8]) -> Key {
        let length = value.len().min(LONGEST);
        let mut bytes = [0; LONGEST];
        bytes[..length].copy_from_slice(&value[..length]);
        Key { bytes, length: length as u8, is_cut: value.len() > LONGEST }
    }

    #[inline]
    fn is_of(&self, value: &[u8]) -> bool {
        let length = usize::from(self.length);
        match self.is_cut {
            false => self.bytes[..length] == *value,
            true => value.len() > LONGEST && self.bytes == value[..LONGEST],
        }
    }

    /// On one line of a terminal, whatever it holds, and without secrets.
    fn text(&self) -> String {
        let bytes = &self.bytes[..usize::from(self.length)];
        let text = String::from_utf8_lossy(bytes);
        let printable: String =
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // A character may have been cut in two.
        let whole = if self.is_cut { printable.trim_end_matches('\u{fffd}') } else { &printable };
        format!("{}{}", mask_text(whole), if self.is_cut { "…" } else { "" })
    }
}

impl Table {
    /// Where this value stands. `last`: where the one before it on this connection does, which is
    /// mostly the same.
    #[inline]
    fn place(&mut self, value: Option<&[u8]>, last: u16) -> u16 {
        let Some(value) = value else { return ABSENT };
        let is_last = |last: u16| self.keys[usize::from(last)].is_of(value);
        if last.checked_sub(FIRST).is_some_and(is_last) {
            return last;
        }
        self.find(value)
    }

    fn find(&mut self, value: &[u8]) -> u16 {
        let found = self.keys.iter().position(|key| key.is_of(value));
        let place = match found {
            Some(place) => place,
            None if self.keys.len() == MOST => return FURTHER,
            None => {
                self.keys.push(Key::of(value));
                self.keys.len() - 1
            }
        };
        FIRST + place as u16
    }
}

/// The groups of all workers. A value that one of them had no place for is in `Further` there.
pub fn of_run<'a>(by: &GroupBy, workers: impl Iterator<Item = &'a Grouping>) -> Groups {
    let (mut absent, mut further) = (Book::default(), Book::default());
    let mut values: BTreeMap<Key, Book> = BTreeMap::new();
    let (mut strayed, mut switches) = (0, 0);
    for worker in workers {
        absent.add(&worker.books[usize::from(ABSENT)]);
        further.add(&worker.books[usize::from(FURTHER)]);
        for (key, book) in worker.table.keys.iter().zip(&worker.books[usize::from(FIRST)..]) {
            values.entry(*key).or_default().add(book);
        }
        (strayed, switches) = (strayed + worker.strayed, switches + worker.switches);
    }
    let mut values: Vec<(Key, Book)> = values.into_iter().collect();
    // A stable sort: values of as many answers stay in their own order.
    values.sort_by_key(|(_, book)| std::cmp::Reverse(book.completed()));
    values.drain(MOST.min(values.len())..).for_each(|(_, book)| further.add(&book));
    let values = values.into_iter().map(|(key, book)| (Value::Text(key.text()), book));
    let rows = values.chain([(Value::Further, further), (Value::Absent, absent)]);
    // Some were seen in warm-up alone.
    let rows = rows.filter(|(_, book)| book.completed() + book.connections > 0);
    let rows = rows.map(|(value, book)| Group { value, book }).collect();
    Groups { by: by.to_string(), rows, strayed, switches }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{HeadPool, Progress, Reader};

    const MS: Nanos = Nanos::from_millis(1);

    fn by(header: &str) -> GroupBy {
        GroupBy { header: header.to_string() }
    }

    fn flight(phase: Phase) -> Flight {
        let (intended, sent) = (Nanos::ZERO, MS);
        Flight { intended, sent, phase, stage: 0, entry: 0, waited: false }
    }

    fn head(fields: &str) -> Vec<u8> {
        format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{fields}\r\n").into_bytes()
    }

    /// Reads an answer with these fields on a slot, and books it.
    fn answer(grouping: &mut Grouping, slot: Slot, fields: &str, rejection: Option<Rejection>) {
        grouping.sorter(slot).head(&head(fields));
        grouping.answered(slot, &flight(Phase::Measure), rejection, MS + MS);
    }

    fn rows(groups: &Groups) -> Vec<(&str, u64, u64)> {
        let row = |row: &Group| (row.book.good.count(), row.book.rejected());
        groups.rows.iter().map(|r| (r.value.shown(), row(r).0, row(r).1)).collect()
    }

    #[test]
    fn answers_are_counted_by_the_first_of_the_headers_however_they_are_capitalised() {
        let mut grouping = Grouping::new(&by("X-Served-By"), 2, true);
        for fields in ["x-served-by: a\r\nX-Served-By: b\r\n", "X-SERVED-BY:  a \r\n"] {
            answer(&mut grouping, 0, fields, None);
        }
        answer(&mut grouping, 0, "X-Served-By: b\r\n", Some(Rejection::Status5xx));
        answer(&mut grouping, 1, "X-Served-By-Not: b\r\n", None);
        answer(&mut grouping, 1, "X-Served-By:\r\n", None);
        let groups = of_run(&by("X-Served-By"), [grouping].iter());
        assert_eq!(rows(&groups), [("a", 2, 0), ("(empty)", 1, 0), ("b", 0, 1), ("(none)", 1, 0)]);
        // From when it was due, and from when it was sent, to three digits.
        let book = &groups.rows[0].book;
        let near = |found: Nanos, time: Nanos| found.0.abs_diff(time.0) * 1_000 <= time.0;
        assert!(near(book.good.max(), MS + MS) && near(book.service.max(), MS));
        assert_eq!(groups.by, "header:X-Served-By");
    }

    #[test]
    fn only_the_requests_due_in_measure_count() {
        let mut grouping = Grouping::new(&by("A"), 1, false);
        for phase in [Phase::Warmup, Phase::Measure, Phase::Drain, Phase::Aside] {
            grouping.sorter(0).head(&head("A: x\r\n"));
            grouping.answered(0, &flight(phase), None, MS);
        }
        grouping.sorter(0).head(&head("A: seen in warm-up alone\r\n"));
        grouping.answered(0, &flight(Phase::Warmup), None, MS);
        let groups = of_run(&by("A"), [grouping].iter());
        assert_eq!(rows(&groups), [("x", 2, 0)]);
        assert!(groups.rows[0].book.service.is_empty(), "a closed loop has it in `good`");
    }

    #[test]
    fn values_beyond_the_table_are_counted_together() {
        let mut grouping = Grouping::new(&by("A"), 1, false);
        for n in 0..300 {
            answer(&mut grouping, 0, &format!("A: value {n}\r\n"), None);
        }
        answer(&mut grouping, 0, "A: value 7\r\n", None);
        let groups = of_run(&by("A"), [grouping].iter());
        assert_eq!(groups.rows.len(), MOST + 1);
        assert_eq!(rows(&groups)[0], ("value 7", 2, 0));
        assert_eq!(rows(&groups)[MOST], ("(other)", 300 - MOST as u64, 0));
        assert_eq!(groups.completed(), 301);
    }

    #[test]
    fn a_long_value_is_cut_and_is_another_one_than_its_beginning() {
        let long = "y".repeat(LONGEST);
        let mut grouping = Grouping::new(&by("A"), 1, false);
        for more in ["", "1", "2 and more"] {
            answer(&mut grouping, 0, &format!("A: {long}{more}\r\n"), None);
        }
        // A letter of two bytes at the border.
        answer(&mut grouping, 0, &format!("A: {}ü\r\n", &long[1..]), None);
        let groups = of_run(&by("A"), [grouping].iter());
        let expected = [format!("{long}…"), long.clone(), format!("{}…", &long[1..])];
        assert_eq!(rows(&groups).iter().map(|row| row.0).collect::<Vec<_>>(), expected);
        assert_eq!(groups.rows[0].book.completed(), 2);
    }

    #[test]
    fn what_a_value_holds_is_fit_to_be_shown() {
        for (value, shown) in [
            (&b"a\r\n\tb"[..], "a   b"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
            (b"node 7; token=planted", "node 7; token=***"),
            (b"\x1b[31mred", " [31mred"),
        ] {
            assert_eq!(Key::of(value).text(), shown);
        }
    }

    #[test]
    fn a_connection_stays_with_a_group_or_strays() {
        let mut grouping = Grouping::new(&by("A"), 3, false);
        for (slot, values) in [(0, "aaa"), (1, "abba"), (2, "b")] {
            for value in values.chars() {
                answer(&mut grouping, slot, &format!("A: {value}\r\n"), None);
            }
        }
        grouping.opened(2);
        answer(&mut grouping, 2, "A: a\r\n", None);
        let groups = of_run(&by("A"), [grouping].iter());
        let connections: Vec<u64> = groups.rows.iter().map(|row| row.book.connections).collect();
        assert_eq!((connections, groups.strayed, groups.switches), (vec![2, 1], 1, 2));
        assert_eq!(groups.connections(), 4);
    }

    #[test]
    fn the_groups_of_workers_are_joined_by_their_values() {
        let mut workers = [(); 2].map(|()| Grouping::new(&by("A"), 1, false));
        for (worker, values) in workers.iter_mut().zip([0..60, 30..90]) {
            for n in values {
                answer(worker, 0, &format!("A: {n}\r\n"), None);
            }
        }
        let groups = of_run(&by("A"), workers.iter());
        assert_eq!(groups.rows.len(), MOST + 1);
        assert!(groups.rows[..30].iter().all(|row| row.book.completed() == 2));
        assert_eq!((rows(&groups)[MOST], groups.completed()), (("(other)", 26, 0), 120));
    }

    #[test]
    fn a_head_in_pieces_and_one_after_an_interim_answer_say_the_same() {
        let bytes = [b"HTTP/1.1 103 Early\r\nA: no\r\n\r\n".to_vec(), head("A: yes\r\n")].concat();
        for cut in 1..bytes.len() {
            let (mut reader, mut pool) = (Reader::default(), HeadPool::new(1));
            let mut grouping = Grouping::new(&by("a"), 1, false);
            let (first, rest) = bytes.split_at(cut);
            let (_, progress) = reader.read_shown(first, false, &mut pool, &mut grouping.sorter(0));
            assert_eq!(progress, Progress::Partial);
            let (_, progress) = reader.read_shown(rest, false, &mut pool, &mut grouping.sorter(0));
            assert!(matches!(progress, Progress::Complete(_)));
            grouping.answered(0, &flight(Phase::Measure), None, MS);
            assert_eq!(rows(&of_run(&by("a"), [grouping].iter())), [("yes", 1, 0)], "{cut}");
        }
    }
}
