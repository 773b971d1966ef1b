//! The proof that our page replaces an exporter's: every name, type, label set and value of its page is looked for on ours. What
//! differs must stand, with its reason, in `tests/compare/<exporter>.gaps`; a line there that excuses nothing any more is a fault too.

mod exposition;
mod gaps;
mod selectors;

pub use exposition::{Page, Series};
pub use gaps::{Gap, Gaps, What};
pub use selectors::{Selector, excuse, gaps, selectors};

use std::fmt;

/// How far two looks at a moving figure may be apart: a tenth, or two.
const TOLERANCE: f64 = 0.1;
const SLACK: f64 = 2.0;

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Comparison {
    /// The exporter.
    pub exporter: String,
    /// Its names that we have, with its type, its labels, and its values where they are held against ours.
    pub covered: usize,
    /// All its names.
    pub total: usize,
    /// Names that a gap excuses, wholly or in part.
    pub excused: usize,
    /// What no gap excuses.
    pub unexplained: Vec<String>,
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { exporter, covered, total, excused, .. } = self;
        write!(f, "{exporter}: {covered}/{total} names covered, {excused} with a gap that has its reason")
    }
}

/// Holds our page against an exporter's. `ours` may have a label `check` in addition, and any further names and series.
#[must_use]
pub fn compare(exporter: &str, theirs: &Page, ours: &Page, gaps: &Gaps) -> Comparison {
    let mut comparison = Comparison { exporter: exporter.to_owned(), ..Comparison::default() };
    for name in theirs.names() {
        comparison.total += 1;
        let differences = differences(name, theirs, ours);
        if differences.is_empty() {
            comparison.covered += 1;
            continue;
        }
        let (excused, open): (Vec<_>, Vec<_>) =
            differences.into_iter().partition(|(what, _)| gaps.excuses(name, *what));
        if open.is_empty() && !excused.is_empty() {
            comparison.excused += 1;
            // Only a missing name or other labels keep a query from finding what it asks for.
            comparison.covered += usize::from(excused.iter().all(|(what, _)| matches!(what, What::Value | What::Type)));
        }
        comparison.unexplained.extend(open.into_iter().map(|(what, found)| format!("{name}: {what}: {found}")));
    }
    let idle = gaps.unused().into_iter();
    comparison.unexplained.extend(idle.map(|gap| format!("a gap that excuses nothing: {gap}")));
    comparison
}

fn differences(name: &str, theirs: &Page, ours: &Page) -> Vec<(What, String)> {
    let mine: Vec<&Series> = ours.series_of(name).collect();
    if mine.is_empty() {
        return vec![(What::Name, "not on our page".to_owned())];
    }
    let mut found = Vec::new();
    let types = (theirs.type_of(name), ours.type_of(name));
    if types.0 != types.1 {
        found.push((What::Type, format!("theirs {:?}, ours {:?}", types.0, types.1)));
    }
    for series in theirs.series_of(name) {
        let names: Vec<&String> = series.labels.keys().collect();
        if !mine.iter().any(|other| other.labels.keys().filter(|label| *label != "check").eq(names.iter().copied())) {
            found.push((What::Labels, format!("no series of ours has the labels {names:?}")));
            break;
        }
        let same =
            |other: &&&Series| other.labels.iter().filter(|(label, _)| *label != "check").eq(series.labels.iter());
        match mine.iter().find(same) {
            None => found.push((What::Series, format!("no series {:?}", series.labels))),
            Some(other) if !close(series.value, other.value) => {
                let (labels, theirs, ours) = (&series.labels, series.value, other.value);
                found.push((What::Value, format!("{labels:?}: theirs {theirs}, ours {ours}")));
            }
            Some(_) => {}
        }
    }
    found
}

fn close(theirs: f64, ours: f64) -> bool {
    let apart = (theirs - ours).abs();
    theirs == ours || (theirs.is_nan() && ours.is_nan()) || apart <= SLACK || apart <= TOLERANCE * theirs.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEIRS: &str = "# TYPE a counter\na{db=\"x\"} 100\n# TYPE b gauge\nb 5000\n# TYPE c gauge\nc{x=\"1\"} 1\n";

    fn compared(ours: &str, gaps: &str) -> Vec<String> {
        let gaps = Gaps::read(gaps).expect("gaps");
        compare("some", &Page::read(THEIRS), &Page::read(ours), &gaps).unexplained
    }

    #[test]
    fn the_same_page_has_no_gap() {
        let ours = "# TYPE a counter\na{check=\"db\",db=\"x\"} 105\n# TYPE b gauge\nb 5400\n# TYPE c gauge\nc{x=\"1\"} 2\nd 1\n";
        assert_eq!(compared(ours, ""), Vec::<String>::new());
    }

    #[test]
    fn every_difference_is_told() {
        let ours = "# TYPE a gauge\na{db=\"y\"} 100\n# TYPE c gauge\nc{y=\"1\"} 1\n";
        let found = compared(ours, "");
        let starts = ["a: type", "a: series", "b: name", "c: labels"];
        assert!(found.len() == 4 && found.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{found:?}");
        assert_eq!(
            compared("# TYPE a counter\na{db=\"x\"} 50\n# TYPE b gauge\nb 1\n# TYPE c gauge\nc{x=\"1\"} 1\n", "").len(),
            2
        );
    }

    #[test]
    fn a_gap_excuses_what_it_names_and_nothing_else() {
        let ours = "# TYPE a counter\na{db=\"x\"} 100\n# TYPE c gauge\nc{x=\"1\"} 1\n";
        assert_eq!(compared(ours, "b*  name  nobody asks for it\n"), Vec::<String>::new());
        assert_eq!(compared(ours, "b  value  moves\n").len(), 2, "b is missing, and the gap is idle");
        assert!(Gaps::read("b name\n").is_err(), "without a reason");
    }
}
