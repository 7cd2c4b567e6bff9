//! `PREFIX_gauges.csv`, which Locust does not have: a row a reading, a column a gauge. A cell is
//! empty where it was not read.

use super::Row;
use crate::report::Document;

/// Nothing where nothing was read.
pub fn rows(document: &Document) -> Option<Vec<Row>> {
    let gauges = document.gauges.as_ref().filter(|gauges| !gauges.series.is_empty())?;
    let names = gauges.series.iter().map(|gauge| gauge.name.clone());
    let mut rows = vec![["t_s".to_string()].into_iter().chain(names).collect::<Row>()];
    rows.extend(gauges.t_s.iter().enumerate().map(|(at, t_s)| {
        let value = |values: &[Option<f64>]| values.get(at).copied().flatten();
        let cells = gauges.series.iter().map(|gauge| value(&gauge.values));
        let cells = cells.map(|cell| cell.map_or_else(String::new, |cell| cell.to_string()));
        [t_s.to_string()].into_iter().chain(cells).collect()
    }));
    Some(rows)
}
