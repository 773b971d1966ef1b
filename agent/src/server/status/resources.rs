//! Bars of what is limited: the peer's CPU and memory, the host's, disks, connections. Each turns its colour, and says so in
//! words, where the shipped alert rules would begin to speak: 80 and 90 percent.

use super::super::figures;
use super::super::parts::{self, Pool};
use super::html::{bar, escape, thousandths};
use crate::snapshot::Snapshot;
use std::fmt::Write as _;

struct Figure {
    label: String,
    used: f64,
}

/// The groups; nothing where nothing was measured.
pub(super) fn bars(page: &mut String, snapshot: &Snapshot) {
    let groups = [
        ("Peer", scope(snapshot, "peer")),
        ("Host", scope(snapshot, "host")),
        ("Disks", disks(snapshot)),
        ("Connections", connections(snapshot)),
    ];
    if groups.iter().all(|(_, figures)| figures.is_empty()) {
        return;
    }
    page.push_str("<section>\n<h2>Resources</h2>\n<div class=\"groups\">\n");
    for (title, figures) in groups.iter().filter(|(_, figures)| !figures.is_empty()) {
        let _ = writeln!(page, "<div class=\"group\">\n<h3>{title}</h3>\n<dl>");
        figures.iter().for_each(|figure| write_figure(page, figure));
        page.push_str("</dl>\n</div>\n");
    }
    page.push_str("</div>\n</section>\n");
}

fn write_figure(page: &mut String, Figure { label, used }: &Figure) {
    let width = thousandths(*used);
    let (class, word) = match width {
        900.. => ("bad", "very high"),
        800.. => ("warn", "high"),
        _ => ("good", ""),
    };
    let percent = match used * 100.0 {
        some if some > 0.0 && some < 0.5 => "< 1 %".to_owned(),
        percent => format!("{percent:.0} %"),
    };
    let image = bar(&[(class.to_owned(), width)], &format!("{percent} used"));
    let _ = writeln!(
        page,
        "<dt>{label}</dt><dd class=\"{class}\">{image}<span>{shown} <small>{word}</small></span></dd>",
        label = escape(label),
        shown = escape(&percent),
    );
}

fn connections(snapshot: &Snapshot) -> Vec<Figure> {
    let mut all = Vec::new();
    for check in &snapshot.checks {
        let used = check.readings().iter().find(|reading| reading.metric.name == figures::CONNECTIONS_USED);
        if let Some(used) = used {
            all.push(Figure { label: format!("to {}", check.facts.name), used: used.value });
        }
        if let Some(used) = parts::own_pool(check).and_then(pool_used) {
            all.push(Figure { label: format!("pool of {}", check.facts.name), used });
        }
    }
    let pools = parts::placed(snapshot).into_iter();
    let pools = pools.filter_map(|placed| Some((placed.part.pool.and_then(pool_used)?, placed)));
    all.extend(
        pools.map(|(used, placed)| Figure {
            label: format!("{}, pool of {}", placed.name, placed.part.reported_by),
            used,
        }),
    );
    all
}

#[expect(clippy::cast_precision_loss, reason = "a percentage is shown")]
fn pool_used(pool: Pool) -> Option<f64> {
    let size = pool.size.filter(|size| *size > 0)?;
    Some(pool.checked_out? as f64 / size as f64)
}

fn scope(snapshot: &Snapshot, scope: &str) -> Vec<Figure> {
    let ratios = [
        ("CPU", figures::CPU_USED),
        ("CPU throttled", figures::CPU_THROTTLED),
        ("memory", figures::MEMORY_USED),
        ("file descriptors", figures::FDS_USED),
    ];
    let figure = |(label, name): (&str, &str)| {
        let used = figures::by_label(snapshot, name).into_iter().find(|(label, _)| *label == scope)?.1;
        Some(Figure { label: label.to_owned(), used })
    };
    ratios.into_iter().filter_map(figure).collect()
}

fn disks(snapshot: &Snapshot) -> Vec<Figure> {
    let free = figures::by_label(snapshot, figures::DISK_FREE).into_iter();
    free.map(|(mount, free)| Figure { label: mount.to_owned(), used: 1.0 - free }).collect()
}
