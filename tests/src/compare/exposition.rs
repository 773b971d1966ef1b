//! Reads a page in text format 0.0.4.

use std::collections::{BTreeMap, BTreeSet};

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its full name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

/// A page.
#[derive(Clone, Debug, Default)]
pub struct Page {
    series: Vec<Series>,
    types: BTreeMap<String, String>,
}

impl Page {
    /// Reads a page; lines that are none are left out.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut page = Self::default();
        for line in text.lines() {
            if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                page.types.insert(name.to_owned(), kind.trim().to_owned());
            } else if !line.starts_with('#') {
                page.series.extend(sample(line));
            }
        }
        page
    }

    /// All names of samples, sorted.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        self.series.iter().map(|series| series.name.as_str()).collect()
    }

    /// The samples of a name.
    pub fn series_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Series> {
        self.series.iter().filter(move |series| series.name == name)
    }

    /// The declared type of a sample's family.
    #[must_use]
    pub fn type_of(&self, name: &str) -> Option<&str> {
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| {
            let family = name.strip_suffix(end)?;
            self.types.get(family).filter(|kind| ["histogram", "summary"].contains(&kind.as_str()))
        });
        family.or_else(|| self.types.get(name)).map(String::as_str)
    }

    /// The page with a further label on all samples.
    #[must_use]
    pub fn with(mut self, label: &str, value: &str) -> Self {
        for series in &mut self.series {
            series.labels.insert(label.to_owned(), value.to_owned());
        }
        self
    }

    /// The samples with this value of a label, without that label.
    #[must_use]
    pub fn of(&self, label: &str, value: &str) -> Self {
        let mut page = self.clone();
        page.series.retain_mut(|series| series.labels.remove(label).is_some_and(|found| found == value));
        page
    }

    /// Adds all of another page.
    pub fn take(&mut self, other: Self) {
        self.series.extend(other.series);
        self.types.extend(other.types);
    }

    /// The page without the names that do not satisfy `keep`.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.series.retain(|series| keep(&series.name));
        self
    }
}

impl Page {
    /// The page with each series changed, or without those for which `change` says no.
    #[must_use]
    pub fn each(mut self, change: impl FnMut(&mut Series) -> bool) -> Self {
        self.series.retain_mut(change);
        self
    }
}

fn sample(line: &str) -> Option<Series> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, behind) = rest.trim_start_matches(',').split_once("=\"")?;
            let (value, behind) = quoted(behind)?;
            labels.insert(label.to_owned(), value);
            rest = behind.trim_start_matches(',');
        }
        rest = rest.get(1..)?;
    }
    let value = match rest.split_whitespace().next()? {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        number => number.parse().ok()?,
    };
    Some(Series { name: name.to_owned(), labels, value })
}

/// A label's value up to its quotation mark, and what comes behind that.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_labels_with_what_must_be_escaped() {
        let page = Page::read("# TYPE a counter\na{x=\"1,\\\"}\\n\",y=\"\"} 1e3\nb +Inf 1700000000000\nnonsense\n");
        let series: Vec<_> = page.series_of("a").collect();
        assert_eq!(series[0].labels["x"], "1,\"}\n");
        assert!((series[0].value - 1000.0).abs() < 1e-9 && page.series_of("b").all(|b| b.value.is_infinite()));
        assert_eq!(page.type_of("a"), Some("counter"));
        assert_eq!(page.names().len(), 2);
    }
}
