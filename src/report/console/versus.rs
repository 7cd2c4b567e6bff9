//! The page of `blast versus`: what ran, a row a tool, and what its figures are to be taken for.

use super::PageOptions;
use super::table::{Row, fits, write};
use super::text::{Sheet, Tone};
use crate::report::number::{binary, cell, count, exact_percent, per_second, seconds};
use crate::report::versus::{Tool, VersusDocument};

pub fn page(document: &VersusDocument, options: &PageOptions) -> String {
    let mut sheet = Sheet::new(options);
    sheet.labelled("versus", Tone::Plain, &server(document));
    sheet.labelled("load", Tone::Plain, &load(document));
    sheet.labelled("rounds", Tone::Plain, &rounds(document));
    sheet.labelled("cores", Tone::Plain, &cores(document));
    for caveat in &document.warnings {
        sheet.labelled("warning", Tone::Doubtful, &caveat.text);
    }
    sheet.gap();
    table(&mut sheet, document);
    sheet.gap();
    if let Some((p50, p99)) = by_blast(document) {
        let text = format!("p50 {p50}, p99 {p99} at this load");
        sheet.labelled("blast says", Tone::Plain, &text);
    }
    for tool in &document.tools {
        if let Some(text) = left_out(tool) {
            let (label, tone) = match &*tool.status {
                "failed" => ("failed", Tone::Doubtful),
                _ => ("left out", Tone::Aside),
            };
            sheet.labelled(label, tone, &format!("{}: {text}", tool.name));
        }
    }
    notes(&mut sheet, document);
    sheet.finish()
}

pub(in crate::report) fn server(document: &VersusDocument) -> String {
    let server = document.server.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    format!("GET {}{server}", document.url)
}

pub(in crate::report) fn load(document: &VersusDocument) -> String {
    let load = match document.rps {
        Some(rps) => format!("open loop at {}/s", per_second(rps)),
        None => "closed loop".to_string(),
    };
    let (connections, length) = (count(document.connections), seconds(document.length_s));
    format!("{load}, {connections} connections, {length} a run")
}

pub(in crate::report) fn rounds(document: &VersusDocument) -> String {
    let (rounds, asked) = (document.rounds, document.rounds_asked);
    let of = if document.complete { String::new() } else { format!(" of {asked} (interrupted)") };
    format!("{rounds}{of}, the tools in turns; medians of the rounds")
}

pub(in crate::report) fn cores(document: &VersusDocument) -> String {
    let list = |cores: &[u64]| {
        if cores.is_empty() {
            return "any".to_string();
        }
        cores.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
    };
    let server = document.server_cores.as_ref();
    let server = server.map(|cores| format!(", server on {}", list(cores))).unwrap_or_default();
    format!("clients on {}{server}; {}", list(&document.client_cores), document.host)
}

/// One column of the table; a view takes those that say something.
pub(in crate::report) struct Column {
    pub head: &'static str,
    pub cell: fn(&Tool) -> Option<String>,
}

const COLUMNS: [Column; 10] = [
    Column { head: "good/s", cell: |tool| tool.good_per_s.map(per_second) },
    Column {
        head: "errors",
        cell: |tool| tool.error_share.filter(|share| *share > 0.0).map(exact_percent),
    },
    Column { head: "p50", cell: |tool| tool.p50_us.map(time) },
    Column { head: "p99", cell: |tool| tool.p99_us.map(time) },
    Column { head: "log p50", cell: |tool| tool.server_p50_us.map(time) },
    Column { head: "log p99", cell: |tool| tool.server_p99_us.map(time) },
    Column { head: "CPU/req", cell: |tool| tool.cpu_us_per_request.map(cell) },
    Column {
        head: "RSS",
        cell: |tool| tool.max_rss_bytes.map(|bytes| binary(bytes as f64).replace(' ', "")),
    },
    Column { head: "limit", cell: |tool| tool.limit.clone() },
    Column {
        head: "notes",
        cell: |tool| {
            let notes: Vec<String> = tool.notes.iter().map(u64::to_string).collect();
            (!notes.is_empty()).then(|| notes.join(","))
        },
    },
];

/// What there is room for beside these on a page that is no terminal: what blast says, and the range
/// of the processor time.
const MORE: [Column; 3] = [
    Column { head: "p50 by blast", cell: |tool| tool.blast_p50_us.map(cell) },
    Column { head: "p99 by blast", cell: |tool| tool.blast_p99_us.map(cell) },
    Column {
        head: "CPU/req min-max",
        cell: |tool| Some(format!("{} - {}", cell(tool.cpu_us_least?), cell(tool.cpu_us_most?))),
    },
];

/// Nothing takes no time: ab and nginx's log tell whole milliseconds, and what is less as 0.
fn time(us: f64) -> String {
    if us > 0.0 { cell(us) } else { "<1ms".to_string() }
}

pub(in crate::report) fn measured(document: &VersusDocument) -> Vec<&Tool> {
    document.tools.iter().filter(|tool| tool.runs > 0).collect()
}

fn columns(tools: &[&Tool]) -> Vec<Column> {
    let says = |column: &Column| tools.iter().any(|tool| (column.cell)(tool).is_some());
    COLUMNS.into_iter().filter(says).collect()
}

pub(in crate::report) fn wide_columns(tools: &[&Tool]) -> Vec<Column> {
    columns(tools).into_iter().chain(MORE).collect()
}

fn table(sheet: &mut Sheet, document: &VersusDocument) {
    let tools = measured(document);
    if tools.is_empty() {
        return sheet.line("no run was finished");
    }
    let mut columns = columns(&tools);
    let all = rows(&tools, &columns);
    // What a narrow terminal goes without.
    if !fits(sheet.width(), &all, 1) {
        columns.retain(|column| column.head != "RSS");
    }
    let rows = rows(&tools, &columns);
    let gap = if fits(sheet.width(), &rows, 2) { 2 } else { 1 };
    write(sheet, &rows, gap);
}

fn rows(tools: &[&Tool], columns: &[Column]) -> Vec<Row> {
    let head = columns.iter().map(|column| column.head.to_string()).collect();
    let cells = |tool: &Tool| {
        let cells = columns.iter().map(|column| (column.cell)(tool));
        cells.map(|cell| cell.unwrap_or_else(|| "-".to_string())).collect()
    };
    let mut rows = vec![Row { label: String::new(), cells: head }];
    rows.extend(tools.iter().map(|tool| Row { label: tool.name.clone(), cells: cells(tool) }));
    rows
}

pub(in crate::report) fn by_blast(document: &VersusDocument) -> Option<(String, String)> {
    let tool = document.tools.iter().find(|tool| tool.blast_p50_us.is_some())?;
    let shown = |us: Option<f64>| us.map_or("-".to_string(), cell);
    Some((shown(tool.blast_p50_us), shown(tool.blast_p99_us)))
}

/// Why there is nothing, or no more, of a tool.
pub(in crate::report) fn left_out(tool: &Tool) -> Option<String> {
    let why = tool.why.as_deref().unwrap_or_default();
    match &*tool.status {
        "failed" => Some(why.to_string()),
        "missing" => Some(format!("not found; to have it: {why}")),
        "unsuited" => Some(why.to_string()),
        "unmeasured" => Some("not reached".to_string()),
        _ => None,
    }
}

/// What holds for every row, where there is one.
pub(in crate::report) fn legend(document: &VersusDocument) -> Vec<&'static str> {
    if measured(document).is_empty() {
        return Vec::new();
    }
    let loops = if document.rps.is_some() {
        "open loop: blast counts from when a request was due; who counts from when it was sent \
         hides the wait before (coordinated omission)"
    } else {
        "closed loop: nothing is sent before the last answer came, so no p50 or p99 here is a \
         user's waiting time, and each is of another rate"
    };
    let mut lines = vec![
        "p50, p99: what the tool itself says; CPU/req: user and system time of the whole client, \
         start and end included, by answer",
        loops,
    ];
    if document.tools.iter().any(|tool| tool.server_p50_us.or(tool.server_p99_us).is_some()) {
        lines.push("log: what the server's log says of the requests of that tool's runs");
    }
    lines
}

fn notes(sheet: &mut Sheet, document: &VersusDocument) {
    sheet.gap();
    for text in legend(document) {
        sheet.indented(0, Tone::Aside, text);
    }
    for note in &document.footnotes {
        let number = format!("{:>2}  ", note.number);
        sheet.hanging(&number, 4, Tone::Aside, &format!("{}: {}", note.tool, note.text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_below_what_its_teller_can_tell_is_not_nothing() {
        assert_eq!((time(0.0), time(4_000.0)), ("<1ms".to_string(), "4ms".to_string()));
    }
}
