//! A round as a table for people: one row a sidecar, below it what else is wrong. Pure.

use super::page::{Page, Wrong};
use super::{Answer, Round, Row, state};
use crate::clock::Utc;
use crate::limits;
use crate::paint::Paint;
use crate::units::human_bytes;
use std::time::SystemTime;

const HEAD: [&str; 6] = ["SERVICE", "STATE", "CHECKS", "CPU", "MEMORY", "WHAT IS WRONG (UTC)"];
/// Between two columns.
const GAP: usize = 2;
/// A name longer than this is cut, or the last column would have no room.
const NAME_CHARS: usize = 40;

/// The cells of a row; the last column may have several lines.
struct Cells {
    cells: [String; 5],
    wrong: Vec<String>,
}

/// The table and a line that sums it up.
pub(super) fn render(round: &Round, paint: Paint, width: Option<usize>) -> String {
    let rows: Vec<Cells> = round.rows.iter().map(|row| cells(row, round.at)).collect();
    let nothing_wrong = rows.iter().all(|row| row.wrong.is_empty());
    let widths: Vec<usize> = (0..5).map(|column| widest(&rows, column)).collect();
    let room = width.map(|width| width.saturating_sub(widths.iter().map(|width| width + GAP).sum()));
    let mut out = String::new();
    let head: Vec<&str> = HEAD.into_iter().take(if nothing_wrong { 5 } else { 6 }).collect();
    let head: Vec<String> = head.iter().enumerate().map(|(at, cell)| padded(cell, widths.get(at))).collect();
    out.push_str(&paint.dim(cut(head.concat().trim_end(), width).trim_end()));
    out.push('\n');
    for row in &rows {
        write_row(&mut out, row, &widths, (room, width), paint);
    }
    out.push_str(&cut(&summary(round), width));
    out.push('\n');
    out
}

fn widest(rows: &[Cells], column: usize) -> usize {
    let head = HEAD.get(column).map_or(0, |cell| cell.chars().count());
    let cells = rows.iter().filter_map(|row| row.cells.get(column)).map(|cell| cell.chars().count());
    cells.max().unwrap_or_default().max(head)
}

fn write_row(
    out: &mut String,
    row: &Cells,
    widths: &[usize],
    (room, width): (Option<usize>, Option<usize>),
    paint: Paint,
) {
    let mut line = String::new();
    for (at, cell) in row.cells.iter().enumerate() {
        let cell = padded(cell, widths.get(at));
        // The room is counted in characters that are seen: colour comes afterwards.
        line.push_str(&if at == 1 { coloured(&cell, paint) } else { cell });
    }
    let indent = " ".repeat(widths.iter().map(|width| width + GAP).sum());
    let narrow = room.is_some_and(|room| room < 20);
    let mut wrong = row.wrong.iter();
    // A terminal too narrow for the last column has it below.
    let first = if narrow { None } else { wrong.next() };
    let seen = row.cells.iter().enumerate().map(|(at, cell)| padded(cell, widths.get(at))).collect::<String>();
    let fits = width.is_none_or(|width| seen.trim_end().chars().count() <= width);
    match first {
        Some(first) => out.push_str(&format!("{line}{}", cut(first, room))),
        None if fits => out.push_str(line.trim_end()),
        None => out.push_str(&cut(seen.trim_end(), width)),
    }
    out.push('\n');
    for more in wrong {
        let (indent, room) =
            if narrow { ("  ", width.map(|width| width.saturating_sub(2))) } else { (indent.as_str(), room) };
        out.push_str(&format!("{indent}{}\n", cut(more, room)));
    }
}

/// A cell with its padding and the gap behind it; the last column has none.
fn padded(cell: &str, width: Option<&usize>) -> String {
    width.map_or_else(|| cell.to_owned(), |width| format!("{cell:<width$}  "))
}

fn coloured(cell: &str, paint: Paint) -> String {
    match cell.trim_end() {
        "healthy" => paint.green(cell),
        "degraded" | "starting" => paint.yellow(cell),
        _ => paint.red(cell),
    }
}

/// The first characters of a text, with a mark when it was longer.
fn cut(text: &str, most: Option<usize>) -> String {
    match most {
        Some(most) if text.chars().count() > most => {
            let kept: String = text.chars().take(most.saturating_sub(1)).collect();
            format!("{kept}…")
        }
        _ => text.to_owned(),
    }
}

fn cells(row: &Row, now: SystemTime) -> Cells {
    let name = cut(&row.address.name, Some(NAME_CHARS));
    let state = cut(state(&row.answer), Some(NAME_CHARS / 2));
    let none = || "-".to_owned();
    match &row.answer {
        Answer::Page { page, .. } => {
            let (up, all) = page.checks();
            let cpu = page.cpu().map_or_else(none, percent);
            Cells {
                cells: [name, state, format!("{up}/{all}"), cpu, memory(page)],
                wrong: page.silenced().into_iter().chain(shortened(page.wrong(), now)).collect(),
            }
        }
        Answer::None(fault) => {
            let hint = fault.hint.iter().map(|hint| format!("hint: {hint}"));
            let wrong = std::iter::once(fault.message.clone()).chain(hint).collect();
            Cells { cells: [name, state, none(), none(), none()], wrong }
        }
    }
}

fn shortened(all: Vec<Wrong>, now: SystemTime) -> Vec<String> {
    let mut lines: Vec<String> = all.iter().map(|wrong| told(wrong, now)).collect();
    if lines.len() > limits::STATUS_LINES {
        let more = lines.split_off(limits::STATUS_LINES - 1).len();
        lines.push(format!("and {more} more"));
    }
    lines
}

fn told(wrong: &Wrong, now: SystemTime) -> String {
    let since = wrong.since.as_deref().map_or(String::new(), |since| format!(", since {}", short(since, now)));
    let root = wrong.caused_by.as_deref().map_or(String::new(), |root| format!(", caused by {root}"));
    format!("{}{root}{since}", wrong.what)
}

/// `06:17:04` of a moment in RFC 3339 on the day of `now`, the day and the minute of another; what is no such moment as it stands.
fn short(since: &str, now: SystemTime) -> String {
    let today = Utc::of(now).seconds();
    let (Some((day, time)), Some((this_day, _))) = (since.split_once('T'), today.split_once('T')) else {
        return since.to_owned();
    };
    let time = time.trim_end_matches('Z');
    if day == this_day { time.to_owned() } else { format!("{day} {}", time.chars().take(5).collect::<String>()) }
}

fn percent(ratio: f64) -> String {
    match ratio * 100.0 {
        some if some > 0.0 && some < 0.5 => "<1%".to_owned(),
        percent => format!("{percent:.0}%"),
    }
}

/// Bytes of the process and share of the limit, each where it is known.
fn memory(page: &Page) -> String {
    match (page.memory_bytes(), page.memory_ratio()) {
        (Some(bytes), Some(ratio)) => format!("{} ({})", human_bytes(bytes), percent(ratio)),
        (Some(bytes), None) => human_bytes(bytes),
        (None, Some(ratio)) => percent(ratio),
        (None, None) => "-".to_owned(),
    }
}

/// How many there are in each state, in words: `5 sidecars: 3 healthy, 1 degraded, 1 silent`.
fn summary(round: &Round) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for row in &round.rows {
        let state = state(&row.answer);
        match counts.iter_mut().find(|(known, _)| *known == state) {
            Some((_, count)) => *count += 1,
            None => counts.push((state, 1)),
        }
    }
    let counted: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let plural = if round.rows.len() == 1 { "" } else { "s" };
    format!("{} sidecar{plural}: {}", round.rows.len(), counted.join(", "))
}
