//! Bars of what is limited: the peer's CPU and memory, the host's, disks, connections. Each turns its colour, and says so in
//! words, where the shipped alert rules would begin to speak: 80 and 90 percent.

use super::super::figures;
use super::html::{bar, escape, thousandths};
use crate::snapshot::Snapshot;
use std::fmt::Write as _;

struct Figure {
    label: String,
    used: f64,
}

/// One group for the peer and what it uses, one for the host; nothing where nothing was measured.
pub(super) fn bars(page: &mut String, snapshot: &Snapshot) {
    let groups = [("Peer", peer(snapshot)), ("Host", scope(snapshot, "host")), ("Disks", disks(snapshot))];
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
        900.. => ("bad", "almost all"),
        800.. => ("warn", "much"),
        _ => ("good", ""),
    };
    let percent = format!("{:.0} %", used * 100.0);
    let image = bar(&[(class.to_owned(), width)], &format!("{percent} used"));
    let _ = writeln!(
        page,
        "<dt>{label}</dt><dd class=\"{class}\">{image}<span>{percent} <small>{word}</small></span></dd>",
        label = escape(label)
    );
}

fn peer(snapshot: &Snapshot) -> Vec<Figure> {
    let mut all = scope(snapshot, "peer");
    for check in &snapshot.checks {
        let Some(last) = &check.last else { continue };
        let used = last.outcome.readings.iter().find(|reading| reading.metric.name == "sidecar_connections_used_ratio");
        if let Some(used) = used {
            all.push(Figure { label: format!("connections of {}", check.facts.name), used: used.value });
        }
        if let Some(figures::Pool { size: Some(size), checked_out: Some(out), .. }) = figures::pool(snapshot, check)
            && size > 0.0
        {
            all.push(Figure { label: format!("pool to {}", check.facts.name), used: out / size });
        }
    }
    all
}

fn scope(snapshot: &Snapshot, scope: &str) -> Vec<Figure> {
    let ratios = [
        ("CPU", "sidecar_cpu_used_ratio"),
        ("CPU throttled", "sidecar_cpu_throttled_ratio"),
        ("memory", "sidecar_memory_used_ratio"),
        ("file descriptors", "sidecar_fds_used_ratio"),
    ];
    let figure = |(label, name): (&str, &str)| {
        let used = figures::by_label(snapshot, name).into_iter().find(|(label, _)| *label == scope)?.1;
        Some(Figure { label: label.to_owned(), used })
    };
    ratios.into_iter().filter_map(figure).collect()
}

fn disks(snapshot: &Snapshot) -> Vec<Figure> {
    let free = figures::by_label(snapshot, "sidecar_disk_free_ratio").into_iter();
    free.map(|(mount, free)| Figure { label: mount.to_owned(), used: 1.0 - free }).collect()
}
