//! Tools on the same load, for a README or a pull request.

use super::{plain, row};
use crate::report::console::versus as page;
use crate::report::versus::VersusDocument;

pub fn text(document: &VersusDocument) -> String {
    let mut text = "## blast versus\n\n".to_string();
    for (label, fact) in [
        ("Server", page::server(document)),
        ("Load", page::load(document)),
        ("Rounds", page::rounds(document)),
        ("Cores", page::cores(document)),
    ] {
        text += &format!("- {label}: {}\n", plain(&fact));
    }
    for caveat in &document.warnings {
        text += &format!("- Warning: {}.\n", plain(&caveat.text));
    }
    text += "\n";
    text += &table(document);
    for line in page::legend(document) {
        text += &format!("{}.\n", plain(line));
    }
    text += "\n";
    for note in &document.footnotes {
        text += &format!("{}. {}: {}\n", note.number, plain(&note.tool), plain(&note.text));
    }
    let others = document.tools.iter().filter_map(|tool| Some((tool, page::left_out(tool)?)));
    let others = others.map(|(tool, why)| {
        let is_failed = if tool.status == "failed" { "failed " } else { "" };
        format!("- {}: {is_failed}{}\n", plain(&tool.name), plain(&why))
    });
    let others: String = others.collect();
    if others.is_empty() { text } else { text + "\n" + &others }
}

fn table(document: &VersusDocument) -> String {
    let tools = page::measured(document);
    if tools.is_empty() {
        return "No run was finished.\n\n".to_string();
    }
    let columns = page::wide_columns(&tools);
    let mut head = vec!["tool".to_string()];
    head.extend(columns.iter().map(|column| column.head.to_string()));
    let mut rule = vec!["---".to_string()];
    rule.resize(head.len(), "---:".to_string());
    let mut text = row(&head) + &row(&rule);
    for tool in tools {
        let mut cells = vec![plain(&tool.name)];
        cells.extend(columns.iter().map(|column| shown((column.cell)(tool))));
        text += &row(&cells);
    }
    text + "\n"
}

fn shown(cell: Option<String>) -> String {
    cell.map_or("-".to_string(), |cell| plain(&cell))
}
