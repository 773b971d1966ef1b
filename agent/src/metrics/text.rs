//! Prometheus text format 0.0.4, which prometheus-client does not write.

use super::families::{Row, gather};
use super::negotiate::Format;
use super::{Served, reexported};
use crate::reading::Metric;
use crate::snapshot::Snapshot;
use std::fmt::{self, Write};

/// The page in text 0.0.4.
///
/// # Errors
/// Never while the page is a `String`.
pub(super) fn plain(snapshot: &Snapshot, served: Served) -> Result<String, fmt::Error> {
    let mut page = String::with_capacity(64 << 10);
    let again = reexported::choose(snapshot);
    // The parts of a histogram or summary have neighbouring names and one declaration.
    let mut declared = "";
    for family in gather(snapshot, &served, &again).values() {
        if family.metric.family() != declared {
            declared = family.metric.family();
            declare(&mut page, family.metric)?;
        }
        family.rows.iter().try_for_each(|row| write_row(&mut page, family.metric, row))?;
    }
    again.write(&mut page, Format::Text)?;
    Ok(page)
}

fn declare(page: &mut String, metric: &Metric) -> fmt::Result {
    let (name, help) = (metric.family(), metric.help);
    write!(page, "# HELP {name} {help}\n# TYPE {name} {}\n", metric.kind.as_str())
}

fn write_row(page: &mut String, metric: &'static Metric, row: &Row) -> fmt::Result {
    page.push_str(metric.name);
    let mut before = '{';
    for (name, value) in row.labels(metric) {
        page.push(before);
        page.push_str(name);
        page.push_str("=\"");
        push_escaped(page, value);
        page.push('"');
        before = ',';
    }
    if before == ',' {
        page.push('}');
    }
    page.push(' ');
    write_value(page, row.value)?;
    page.push('\n');
    Ok(())
}

fn push_escaped(page: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => page.push_str("\\\\"),
            '"' => page.push_str("\\\""),
            '\n' => page.push_str("\\n"),
            other => page.push(other),
        }
    }
}

/// Go's spelling of what is no number, whole numbers without a point, and an exponent where digits would run on.
pub(super) fn write_value(page: &mut String, value: f64) -> fmt::Result {
    let size = value.abs();
    match value {
        v if v.is_nan() => page.write_str("NaN"),
        v if v.is_infinite() => page.write_str(if v > 0.0 { "+Inf" } else { "-Inf" }),
        #[expect(clippy::cast_possible_truncation, reason = "below 1e15 and whole")]
        v if size < 1e15 && v.fract() == 0.0 => write!(page, "{}", v as i64),
        v if (1e-5..1e15).contains(&size) => write!(page, "{v}"),
        v => write!(page, "{v:e}"),
    }
}
