//! What services show of themselves, on our page in both formats: behind the agent's own families, each family once, the label `check`
//! in front of every sample. What must stay true: a name that the agent itself can export never comes from a service, but for the
//! `process_*` that both have of themselves by the convention of Prometheus' clients; and what is left out is counted.

use super::negotiate::Format;
use super::table;
use crate::probes::metrics::{Exposition, Family, FamilyType};
use crate::reading::Metric;
use crate::snapshot::Snapshot;
use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write as _};
use std::sync::LazyLock;

/// A family as it is written, with the check of each part.
struct Merged<'a> {
    kind: FamilyType,
    help: &'a str,
    parts: Vec<(&'a str, &'a Family)>,
}

/// What became of one check's page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) written: usize,
    /// In the order of [`crate::probes::metrics::LEFT_OUT_WHY`].
    pub(super) left_out: [usize; 4],
}

/// Everything that is written again.
#[derive(Default)]
pub(super) struct Reexported<'a> {
    families: BTreeMap<&'a str, Merged<'a>>,
    /// What services tell of their own processes, for the agent's families of these names.
    pub(super) processes: Vec<(&'a str, &'static Metric, f64)>,
    pub(super) counts: Vec<(&'a str, Counts)>,
}

/// Chooses what is written of every check's page.
pub(super) fn choose(snapshot: &Snapshot) -> Reexported<'_> {
    let mut all = Reexported::default();
    for check in &snapshot.checks {
        if let Some(exposition) = check.last.as_ref().and_then(|last| last.outcome.exposition.as_deref()) {
            all.add(&check.facts.name, exposition);
        }
    }
    all
}

impl<'a> Reexported<'a> {
    fn add(&mut self, check: &'a str, exposition: &'a Exposition) {
        let (mut written, mut own_name, mut other_type) = (0, 0, 0);
        for family in &exposition.families {
            if let Some((metric, value)) = of_a_process(family) {
                self.processes.push((check, metric, value));
                written += 1;
                continue;
            }
            if is_ours(family) {
                own_name += family.len();
                continue;
            }
            let new = || Merged { kind: family.kind, help: &family.help, parts: Vec::new() };
            let merged = self.families.entry(&family.name).or_insert_with(new);
            if merged.kind == family.kind {
                merged.parts.push((check, family));
                written += family.len();
            } else {
                other_type += family.len();
            }
        }
        let left_out = [own_name, other_type, exposition.duplicates, exposition.too_long];
        self.counts.push((check, Counts { written, left_out }));
    }

    /// Appends the families to a page.
    pub(super) fn write(&self, page: &mut String, format: Format) -> fmt::Result {
        for (name, family) in &self.families {
            let (name, kind) = match format {
                Format::Text => (*name, text_type(family.kind)),
                Format::OpenMetrics => self.open_type(name, family.kind),
            };
            if !family.help.is_empty() {
                write!(page, "# HELP {name} ")?;
                push_help(page, family.help, format);
                page.push('\n');
            }
            writeln!(page, "# TYPE {name} {kind}")?;
            family.parts.iter().for_each(|(check, family)| push_samples(page, check, family));
        }
        Ok(())
    }

    /// Name and type in OpenMetrics, where a counter's family is called without `_total`, unless that is another family here.
    fn open_type<'n>(&self, name: &'n str, kind: FamilyType) -> (&'n str, &'static str) {
        let without = |end| name.strip_suffix(end).filter(|base| !base.is_empty() && !self.families.contains_key(base));
        match kind {
            FamilyType::Counter => without("_total").map_or((name, "unknown"), |base| (base, "counter")),
            FamilyType::Info => without("_info").map_or((name, "gauge"), |base| (base, "info")),
            FamilyType::Untyped => (name, "unknown"),
            other => (name, text_type(other)),
        }
    }
}

const fn text_type(kind: FamilyType) -> &'static str {
    match kind {
        FamilyType::Gauge | FamilyType::Info => "gauge",
        FamilyType::Counter => "counter",
        FamilyType::Histogram => "histogram",
        FamilyType::Summary => "summary",
        FamilyType::Untyped => "untyped",
    }
}

/// Names of checks need no escape: they are lower-case letters, digits, `-` and `_`.
fn push_samples(page: &mut String, check: &str, family: &Family) {
    for (suffix, rest) in family.samples() {
        for part in [&family.name, suffix.as_str(), "{check=\"", check, "\"", rest, "\n"] {
            page.push_str(part);
        }
    }
}

fn push_help(page: &mut String, help: &str, format: Format) {
    for c in help.chars() {
        match c {
            '\\' => page.push_str("\\\\"),
            '"' if format == Format::OpenMetrics => page.push_str("\\\""),
            other => page.push(other),
        }
    }
}

/// Every metric that the agent itself can export.
static OWN: LazyLock<HashMap<&'static str, &'static Metric>> =
    LazyLock::new(|| table().into_iter().map(|metric| (metric.name, metric)).collect());

/// A service's figure of its own process that the agent has of itself too: `process_*` of the same type and without labels, as
/// Prometheus' clients write it. Ours has no label `check`, so the two stay apart, and their sum makes sense.
fn of_a_process(family: &Family) -> Option<(&'static Metric, f64)> {
    let metric = OWN.get(&*family.name).filter(|metric| metric.name.starts_with("process_"))?;
    let alike = metric.kind.as_str() == text_type(family.kind);
    let mut samples = family.samples();
    let (_, rest) = samples.next().filter(|_| alike)?;
    let value = rest.strip_prefix("} ")?.trim().parse().ok()?;
    samples.next().is_none().then_some((*metric, value))
}

/// Whether one of the family's names is one that the agent itself can export, now or with another configuration, that a Prometheus
/// makes up itself, or that is our own kind of name.
fn is_ours(family: &Family) -> bool {
    let name = &*family.name;
    let ends: &[&str] = match family.kind {
        FamilyType::Histogram | FamilyType::Summary => &["", "_bucket", "_sum", "_count"],
        // The name of a family in OpenMetrics is without these.
        _ => &["", "_total", "_info"],
    };
    let base = name.strip_suffix("_total").or_else(|| name.strip_suffix("_info")).unwrap_or(name);
    let taken = |name: &str| OWN.contains_key(name) || PATTERNS.iter().any(|(begin, end)| spans(begin, end, name));
    name == "up"
        || ["sidecar_", "scrape_"].iter().any(|begin| name.starts_with(begin))
        || taken(base)
        || ends.iter().any(|end| if end.is_empty() { taken(name) } else { taken(&format!("{name}{end}")) })
}

/// The two ends of every pattern of names that the agent can export.
static PATTERNS: LazyLock<Vec<(&'static str, &'static str)>> =
    LazyLock::new(|| table().iter().filter_map(|metric| metric.name.split_once('*')).collect());

fn spans(begin: &str, end: &str, name: &str) -> bool {
    name.len() > begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end)
}
