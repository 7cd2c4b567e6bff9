//! Tools on the same load, for a README or a pull request.

use super::{plain, row};
use crate::report::console::versus as page;
use crate::report::number::cell;
use crate::report::versus::{Tool, VersusDocument};

pub fn text(document: &VersusDocument) -> String {
    let mut text = "## blast versus\n\n".to_string();
    let facts = [page::server(document), page::load(document), page::rounds(document)];
    for fact in facts.into_iter().chain([page::cores(document)]) {
        text += &format!("- {}\n", plain(&fact));
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

/// Wider than the page's: with what blast says, and the range of the processor time.
fn table(document: &VersusDocument) -> String {
    let tools = page::measured(document);
    if tools.is_empty() {
        return "No run was finished.\n\n".to_string();
    }
    let columns = page::columns(&tools);
    let mut head = vec!["tool".to_string()];
    head.extend(columns.iter().map(|column| column.head.to_string()));
    head.extend(["p50 by blast", "p99 by blast", "CPU/req min-max"].map(str::to_string));
    let mut rule = vec!["---".to_string()];
    rule.resize(head.len(), "---:".to_string());
    let mut text = row(&head) + &row(&rule);
    for tool in tools {
        let mut cells = vec![plain(&tool.name)];
        cells.extend(columns.iter().map(|column| shown((column.cell)(tool))));
        let [p50, p99] = [tool.blast_p50_us, tool.blast_p99_us].map(|us| shown(us.map(cell)));
        cells.extend([p50, p99, shown(range(tool))]);
        text += &row(&cells);
    }
    text + "\n"
}

fn shown(cell: Option<String>) -> String {
    cell.map_or("-".to_string(), |cell| plain(&cell))
}

fn range(tool: &Tool) -> Option<String> {
    Some(format!("{} - {}", cell(tool.cpu_us_least?), cell(tool.cpu_us_most?)))
}
