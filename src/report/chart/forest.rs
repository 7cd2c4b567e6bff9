//! Differences with their intervals, a row each, against the line where there is none.

use maud::{Markup, html};

use super::axis::{Axis, Tick};
use super::draw::WIDTH;

/// Rows on one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    pub title: String,
    pub axis: Axis,
    /// Where there is no difference.
    pub nothing: f64,
    pub rows: Vec<Row>,
}

/// One difference; its places are on the axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: String,
    pub at: f64,
    /// `None`: not known, and so without an end.
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub sure: Sure,
    /// As it is read.
    pub shown: String,
}

/// What a difference comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sure {
    Better,
    Worse,
    /// Neither, and more than chance.
    Other,
    /// The interval holds what is no difference.
    Unclear,
    /// There is no interval.
    Unknown,
}

impl Sure {
    fn class(self) -> &'static str {
        match self {
            Sure::Better => "better",
            Sure::Worse => "worse",
            Sure::Other => "c0",
            Sure::Unclear | Sure::Unknown => "unclear",
        }
    }
}

/// Room for the names on the left and for the figures on the right.
const LEFT: f64 = 92.0;
const RIGHT: f64 = WIDTH - 76.0;
const TOP: f64 = 26.0;
const ROW: f64 = 24.0;
/// Below the rows, for the ticks.
const FOOT: f64 = 28.0;

/// Half of the bar at an end that is known.
const END: f64 = 4.0;
const RADIUS: f64 = 4.5;

/// About the width of a letter.
const LETTER: f64 = 8.4;

impl Forest {
    pub fn svg(&self) -> Markup {
        let bottom = TOP + self.rows.len() as f64 * ROW;
        html! {
            svg.forest viewBox={ "0 0 " (WIDTH) " " (bottom + FOOT) } role="img" aria-label=(self.title) {
                @for tick in &self.axis.ticks { (self.column(tick, bottom)) }
                @let nothing = self.across(self.nothing);
                path class="axis" d={ "M" (nothing) " " (TOP - 4.0) "V" (bottom) } {}
                @for (place, row) in self.rows.iter().enumerate() {
                    (self.row(row, TOP + (place as f64 + 0.5) * ROW))
                }
                (self.legend())
            }
        }
    }

    fn column(&self, tick: &Tick, bottom: f64) -> Markup {
        let x = self.across(tick.at);
        html! {
            path class="grid" d={ "M" (x) " " (TOP) "V" (bottom + 4.0) } {}
            text x=(x) y=(bottom + 18.0) text-anchor="middle" { (tick.label) }
        }
    }

    fn row(&self, row: &Row, y: f64) -> Markup {
        html! {
            text x="0" y=(y + 4.0) { (row.name) }
            @if row.sure != Sure::Unknown { path class=(row.sure.class()) d=(self.bar(row, y)) {} }
            (dot(row.sure, self.across(row.at), y))
            text x=(WIDTH) y=(y + 4.0) text-anchor="end" { (row.shown) }
        }
    }

    /// An end that is not known has no bar across it.
    fn bar(&self, row: &Row, y: f64) -> String {
        let end = |end: Option<f64>, edge: f64| match end {
            Some(at) => {
                let x = self.across(at);
                (x, format!("M{x} {}v{}", y - END, 2.0 * END))
            }
            None => (edge, String::new()),
        };
        let ((low, first), (high, last)) = (end(row.low, LEFT), end(row.high, RIGHT));
        format!("M{low} {y}H{high}{first}{last}")
    }

    /// A sample of what occurs, from the left.
    fn legend(&self) -> Markup {
        const NAMES: [(Sure, &str); 5] = [
            (Sure::Better, "better"),
            (Sure::Worse, "worse"),
            (Sure::Other, "different"),
            (Sure::Unclear, "may be chance"),
            (Sure::Unknown, "interval not known"),
        ];
        let mut x = LEFT + RADIUS;
        let occurs = |(sure, _): &&(Sure, &str)| self.rows.iter().any(|row| row.sure == *sure);
        let samples = NAMES.iter().filter(occurs).map(|(sure, name)| {
            let at = x;
            x += 3.0 * RADIUS + name.len() as f64 * LETTER + 12.0;
            (*sure, *name, at)
        });
        let samples: Vec<_> = samples.collect();
        html! {
            @for (sure, name, x) in samples {
                (dot(sure, x, 9.0))
                text x=(x + 2.0 * RADIUS) y="13" { (name) }
            }
        }
    }

    /// To a tenth.
    fn across(&self, at: f64) -> f64 {
        let x = LEFT + 8.0 + self.axis.place(at) * (RIGHT - LEFT - 16.0);
        (x * 10.0).round() / 10.0
    }
}

/// Filled where it is more than chance.
fn dot(sure: Sure, x: f64, y: f64) -> Markup {
    let fill = match sure {
        Sure::Better | Sure::Worse | Sure::Other => "dot",
        Sure::Unclear | Sure::Unknown => "ring",
    };
    html! { circle class={ (sure.class()) " " (fill) } cx=(x) cy=(y) r=(RADIUS) {} }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::ratio;

    fn forest(low: Option<f64>, high: Option<f64>, sure: Sure) -> Forest {
        let (low, high) = (low.map(ratio), high.map(ratio));
        let shown = "+5.00 %".to_string();
        let row = Row { name: "p99".to_string(), at: ratio(5.0), low, high, sure, shown };
        let axis = Axis::changes(-10.0, 10.0);
        Forest { title: "B against A".to_string(), axis, nothing: 1.0, rows: vec![row] }
    }

    #[test]
    fn an_interval_goes_from_one_end_to_the_other_about_its_value() {
        let forest = forest(Some(1.0), Some(9.0), Sure::Worse);
        let place = |percent: f64| forest.across(ratio(percent));
        let y = TOP + ROW / 2.0;
        let bar = format!(
            "M{} {y}H{}M{} {}v8M{} {}v8",
            place(1.0),
            place(9.0),
            place(1.0),
            y - END,
            place(9.0),
            y - END
        );
        assert_eq!(forest.bar(&forest.rows[0], y), bar);
        assert!(place(0.0) < place(1.0) && place(1.0) < place(5.0) && place(5.0) < place(9.0));
        let svg = forest.svg().into_string();
        assert!(svg.contains("class=\"worse dot\"") && svg.contains(">worse<"), "{svg}");
    }

    #[test]
    fn what_is_not_known_has_no_end_and_what_may_be_chance_is_not_filled() {
        let open = forest(Some(1.0), None, Sure::Unclear);
        let bar = open.bar(&open.rows[0], 0.0);
        assert!(bar.contains(&format!("H{RIGHT}")) && bar.matches('v').count() == 1, "{bar}");
        assert!(open.svg().into_string().contains("class=\"unclear ring\""));
        let unknown = forest(None, None, Sure::Unknown).svg().into_string();
        assert!(!unknown.contains("path class=\"unclear\""), "{unknown}");
    }
}
