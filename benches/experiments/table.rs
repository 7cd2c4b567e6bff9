//! One line a quantity: what arithmetic says, what was measured, and how far apart they may be.

/// Times are in seconds here and in milliseconds in the table.
#[derive(Clone, Debug)]
pub struct Row {
    pub quantity: String,
    expected: String,
    measured: String,
    tolerance: String,
    pub ok: bool,
    /// A count, which no noise excuses: there is no second try.
    pub exact: bool,
    pub note: &'static str,
}

impl Row {
    /// A time that may be off by `tolerance` either way.
    pub fn time(quantity: &str, expected: f64, measured: f64, tolerance: f64) -> Row {
        let ok = (measured - expected).abs() <= tolerance;
        Row::new(quantity, ms(expected), ms(measured), format!("+/- {}", ms(tolerance)), ok)
    }

    /// A time in a range.
    pub fn time_within(quantity: &str, measured: f64, least: f64, most: f64) -> Row {
        let ok = (least..=most).contains(&measured);
        let expected = format!("{} to {}", ms(least), ms(most));
        Row::new(quantity, expected, ms(measured), "-".to_owned(), ok)
    }

    /// A plain number that may be off by `tolerance` either way.
    pub fn number(quantity: &str, expected: f64, measured: f64, tolerance: f64) -> Row {
        let ok = (measured - expected).abs() <= tolerance;
        let text = |value: f64| format!("{value:.3}");
        Row::new(quantity, text(expected), text(measured), format!("+/- {}", text(tolerance)), ok)
    }

    /// A plain number that may not be above `most`.
    pub fn at_most(quantity: &str, most: f64, measured: f64) -> Row {
        let (expected, text) = (format!("at most {most}"), format!("{measured:.3}"));
        Row::new(quantity, expected, text, "-".to_owned(), measured <= most)
    }

    pub fn count(quantity: &str, expected: u64, measured: u64) -> Row {
        Row::counts(quantity, expected, &[measured])
    }

    /// The same count in each of several runs.
    pub fn counts(quantity: &str, expected: u64, measured: &[u64]) -> Row {
        let ok = measured.iter().all(|count| *count == expected);
        let all: Vec<String> = measured.iter().map(u64::to_string).collect();
        let row = Row::new(quantity, expected.to_string(), all.join(" "), "exact".to_owned(), ok);
        Row { exact: true, ..row }
    }

    pub fn holds(quantity: &str, ok: bool) -> Row {
        let measured = if ok { "yes" } else { "no" };
        Row::new(quantity, "yes".to_owned(), measured.to_owned(), "-".to_owned(), ok)
    }

    /// Measured and printed, whatever it is.
    pub fn shown(quantity: &str, measured: String) -> Row {
        Row::new(quantity, "-".to_owned(), measured, "-".to_owned(), true)
    }

    pub fn failed(what: &str, why: String) -> Row {
        let row = Row::new(what, "a run".to_owned(), why, "-".to_owned(), false);
        Row { exact: true, ..row }
    }

    pub fn skipped(what: &str, why: &str) -> Row {
        let row = Row::new(what, "-".to_owned(), why.to_owned(), "-".to_owned(), true);
        Row { note: "SKIPPED", ..row }
    }

    /// One of several runs of an experiment.
    pub fn of(self, run: &str) -> Row {
        Row { quantity: format!("{run}: {}", self.quantity), ..self }
    }

    fn new(quantity: &str, expected: String, measured: String, tolerance: String, ok: bool) -> Row {
        let quantity = quantity.to_owned();
        Row { quantity, expected, measured, tolerance, ok, exact: false, note: "" }
    }

    pub fn print(&self, experiment: &str) {
        let verdict = match (self.ok, self.note) {
            (true, "SKIPPED") => "SKIPPED".to_owned(),
            (true, note) => format!("ok {note}").trim_end().to_owned(),
            (false, note) => format!("NO {note}").trim_end().to_owned(),
        };
        let Row { quantity, expected, measured, tolerance, .. } = self;
        println!(
            "| {experiment} | {quantity} | {expected} | {measured} | {tolerance} | {verdict} |"
        );
    }
}

pub fn header() {
    println!("| experiment | quantity | expected | measured | tolerance | ok |");
    println!("|---|---|---|---|---|---|");
}

pub fn ms(seconds: f64) -> String {
    format!("{:.3} ms", seconds * 1e3)
}

pub fn us(seconds: f64) -> String {
    format!("{:.1} us", seconds * 1e6)
}

/// The rows of a second try, where the first was out of tolerance. A count that was wrong once is
/// wrong, in whichever try.
pub fn second_try(first: Vec<Row>, second: &[Row]) -> Vec<Row> {
    let choose = |row: Row| {
        let Some(again) = second.iter().find(|again| again.quantity == row.quantity) else {
            return row;
        };
        let worse = row.exact && row.ok && !again.ok;
        if worse || (!row.ok && !row.exact) {
            return Row { note: "2nd try", ..again.clone() };
        }
        row
    };
    let mut rows: Vec<Row> = first.into_iter().map(choose).collect();
    let broken = second.iter().filter(|row| !row.ok && row.exact);
    let missing: Vec<Row> = broken
        .filter(|row| rows.iter().all(|known| known.quantity != row.quantity))
        .map(|row| Row { note: "2nd try", ..row.clone() })
        .collect();
    rows.extend(missing);
    rows
}
