//! A page read line by line: counted as a whole, kept as far as it is wanted. What must stay true: what is kept can be written on a
//! page of ours as it is (well-formed names, sorted labels without ours, no series twice), whatever the peer sent, and within the caps.

use super::exposition::{Exposition, Family, FamilyType, Place, Suffix};
use super::globs::Globs;
use super::line::{Labels, Line, Sample, number, read};
use crate::limits;
use crate::small;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// The name under which a label `check` of the peer appears: ours stands there already. As in Prometheus.
const CHECK: (&str, &str) = ("check", "exported_check");

/// A page as far as it was read.
pub(super) struct Reader<'w> {
    wanted: &'w Globs,
    open_metrics: bool,
    line: usize,
    series: usize,
    whole: bool,
    kinds: HashMap<String, FamilyType>,
    helps: HashMap<String, Box<str>>,
    sets: BTreeMap<String, Set>,
    seen: HashSet<u64>,
    duplicates: usize,
    too_long: usize,
}

/// The samples of one name.
#[derive(Default)]
struct Set {
    text: String,
    /// Where each stands in the text, and which of all that were kept it is.
    samples: Vec<(u32, u32)>,
    order: Vec<u32>,
    /// Whether each has a number in the label of its buckets or quantiles.
    buckets: bool,
    quantiles: bool,
}

impl<'w> Reader<'w> {
    /// A reader that keeps what is wanted; the two formats differ in the names that `# TYPE` tells.
    pub(super) fn new(wanted: &'w Globs, open_metrics: bool) -> Self {
        Self {
            wanted,
            open_metrics,
            line: 0,
            series: 0,
            whole: false,
            kinds: HashMap::new(),
            helps: HashMap::new(),
            sets: BTreeMap::new(),
            seen: HashSet::new(),
            duplicates: 0,
            too_long: 0,
        }
    }

    /// Samples so far.
    pub(super) fn series(&self) -> usize {
        self.series
    }

    /// Reads the next line, or says what is wrong with the page.
    pub(super) fn take(&mut self, line: &str) -> Result<(), String> {
        self.line += 1;
        match read(line).map_err(|why| format!("line {} is none of an exposition: {why}", self.line))? {
            Line::Nothing => {}
            Line::Eof => self.whole = true,
            Line::Type { name, kind } => self.declare(name, kind),
            Line::Help { name, text } => self.explain(name, text),
            Line::Sample(sample) => {
                self.series += 1;
                if self.series > limits::EXPOSITION_SERIES {
                    return Err(format!("the page has more than {} series", limits::EXPOSITION_SERIES));
                }
                self.keep(&sample)?;
            }
        }
        Ok(())
    }

    fn declare(&mut self, name: &str, kind: &str) {
        let (name, kind) = match (self.open_metrics, kind) {
            (true, "counter") => (format!("{name}_total"), FamilyType::Counter),
            (true, "info") => (format!("{name}_info"), FamilyType::Info),
            (_, "counter") => (name.to_owned(), FamilyType::Counter),
            (_, "gauge" | "stateset") => (name.to_owned(), FamilyType::Gauge),
            (_, "histogram") => (name.to_owned(), FamilyType::Histogram),
            (_, "summary") => (name.to_owned(), FamilyType::Summary),
            _ => return,
        };
        // The samples of one that is not wanted may bear names that are: they must be known to be its own.
        let parts = [Suffix::Bucket, Suffix::Sum, Suffix::Count].map(|suffix| format!("{name}{}", suffix.as_str()));
        let whole = matches!(kind, FamilyType::Histogram | FamilyType::Summary);
        let of_parts = whole && parts.iter().any(|part| self.room(part, self.kinds.len()));
        if of_parts || self.room(&name, self.kinds.len()) {
            self.kinds.entry(name).or_insert(kind);
        }
    }

    fn explain(&mut self, name: &str, text: &str) {
        // In OpenMetrics the family of a counter or an info is known by its type, which may come later.
        let names = if self.open_metrics { &["", "_total", "_info"][..] } else { &[""] };
        for name in names.iter().map(|suffix| format!("{name}{suffix}")) {
            if self.room(&name, self.helps.len()) {
                self.helps.entry(name).or_insert_with(|| help(text));
            }
        }
    }

    /// Whether to remember something of this family.
    fn room(&self, name: &str, already: usize) -> bool {
        already < limits::REEXPORTED_SERIES && name.len() <= limits::EXPOSITION_NAME_BYTES && self.wanted.want(name)
    }

    fn keep(&mut self, sample: &Sample<'_>) -> Result<(), String> {
        let name = sample.name;
        if !self.wanted.want(name) && !family_of(name).is_some_and(|(family, _)| self.wanted.want(family)) {
            return Ok(());
        }
        let size: usize = sample.labels.map(|(name, value)| name.len() + value.len()).sum();
        if name.len() > limits::EXPOSITION_NAME_BYTES || size > limits::EXPOSITION_LABEL_BYTES {
            self.too_long += 1;
            return Ok(());
        }
        let labels = labels(sample.labels).map_err(|twice| {
            format!("line {} is none of an exposition: it has the label `{twice}` twice", self.line)
        })?;
        let mut hash = DefaultHasher::new();
        (name, &labels).hash(&mut hash);
        if !self.seen.insert(hash.finish()) {
            self.duplicates += 1;
            return Ok(());
        }
        let kept = self.seen.len();
        if kept > limits::REEXPORTED_SERIES {
            return Err(format!("`reexport` takes more than {} series of the page", limits::REEXPORTED_SERIES));
        }
        let set = match self.sets.get_mut(name) {
            Some(set) => set,
            None => self.sets.entry(name.to_owned()).or_insert_with(|| Set {
                buckets: true,
                quantiles: true,
                ..Set::default()
            }),
        };
        set.add(&labels, sample.value, kept);
        Ok(())
    }

    /// The end of the page: what was kept, as families.
    pub(super) fn end(mut self) -> Result<Exposition, String> {
        if self.series == 0 && !self.whole {
            return Err("the page has no sample at all".to_owned());
        }
        if self.open_metrics && !self.whole {
            return Err("the page breaks off: OpenMetrics ends with `# EOF`".to_owned());
        }
        let mut families = Vec::new();
        while let Some((name, set)) = self.sets.pop_first() {
            families.extend(self.family(name, set));
        }
        small::sort_by(&mut families, |one, other| one.name.cmp(&other.name));
        families.retain(|family| self.wanted.want(&family.name));
        Ok(Exposition { families, duplicates: self.duplicates, too_long: self.too_long })
    }

    /// The family that a set belongs to, with its other sets when their samples bear out its type; else it stands alone.
    fn family(&mut self, name: String, set: Set) -> Option<Family> {
        let parts =
            family_of(&name).map(|(family, _)| family.to_owned()).filter(|family| self.holds(family, &name, &set));
        let whole = parts.or_else(|| self.holds(&name, &name, &set).then(|| name.clone()));
        let Some(family) = whole else {
            // What is no histogram under a histogram's name keeps the rest of it from being one.
            let kind = self.kinds.remove(&name).unwrap_or(FamilyType::Untyped);
            let single = !matches!(kind, FamilyType::Histogram | FamilyType::Summary);
            let kind = if single { kind } else { FamilyType::Untyped };
            return Some(self.made(name, kind, vec![(Suffix::None, set)]));
        };
        let kind = self.kinds.get(&family).copied()?;
        let mut sets = vec![(suffix_in(&family, &name), set)];
        for suffix in [Suffix::None, Suffix::Bucket, Suffix::Sum, Suffix::Count] {
            let member = format!("{family}{}", suffix.as_str());
            sets.extend(self.sets.remove(&member).map(|set| (suffix, set)));
        }
        Some(self.made(family, kind, sets))
    }

    /// Whether `family` is a histogram or summary that this set is a part of, and all its sets are as they must be.
    fn holds(&self, family: &str, name: &str, set: &Set) -> bool {
        let find = |suffix: Suffix| {
            let member = format!("{family}{}", suffix.as_str());
            if member == name { Some(set) } else { self.sets.get(&member) }
        };
        match self.kinds.get(family) {
            Some(FamilyType::Histogram) => {
                find(Suffix::None).is_none() && find(Suffix::Bucket).is_some_and(|set| set.buckets)
            }
            Some(FamilyType::Summary) => {
                let quantiles = find(Suffix::None);
                !name.ends_with("_bucket") && quantiles.is_none_or(|set| set.quantiles)
            }
            _ => false,
        }
    }

    fn made(&mut self, name: String, kind: FamilyType, sets: Vec<(Suffix, Set)>) -> Family {
        let help = self.helps.remove(&name).unwrap_or_default();
        let mut text = String::with_capacity(sets.iter().map(|(_, set)| set.text.len()).sum());
        let mut samples: Vec<(u32, Place)> = Vec::with_capacity(sets.iter().map(|(_, set)| set.samples.len()).sum());
        for (suffix, set) in &sets {
            // Below the caps a family's text has some megabytes.
            let offset = u32::try_from(text.len()).unwrap_or(u32::MAX);
            text.push_str(&set.text);
            for ((begin, end), order) in set.samples.iter().zip(&set.order) {
                samples.push((*order, Place { suffix: *suffix, begin: offset + begin, end: offset + end }));
            }
        }
        small::sort_by_key(&mut samples, |(order, _)| *order);
        let samples = samples.into_iter().map(|(_, place)| place).collect();
        Family { name: name.into(), help, kind, text: text.into(), samples }
    }
}

impl Set {
    fn add(&mut self, labels: &str, value: &str, order: usize) {
        let begin = self.text.len();
        self.text.push_str(labels);
        self.text.push_str("} ");
        push_number(&mut self.text, value);
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.samples.push((place(begin), place(self.text.len())));
        self.order.push(place(order));
        self.buckets &= label(labels, "le").and_then(number).is_some_and(|bound| !bound.is_nan());
        self.quantiles &= label(labels, "quantile").and_then(number).is_some();
    }
}

/// As written, but for what is no finite number: Go knows fewer spellings of that.
fn push_number(text: &mut String, value: &str) {
    match number(value) {
        Some(number) if number.is_finite() => text.push_str(value),
        Some(number) if number.is_infinite() => text.push_str(if number > 0.0 { "+Inf" } else { "-Inf" }),
        _ => text.push_str("NaN"),
    }
}

/// The value of a label in a text made by [`labels`]: no value holds the mark, for quotation marks are escaped in them.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = labels.split_once(&format!(",{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// The labels as they are written on our page, each with a comma in front, sorted, without empty ones; the error is one that is twice.
fn labels(written: Labels<'_>) -> Result<String, String> {
    let renamed = |name| if name == CHECK.0 { CHECK.1 } else { name };
    let mut pairs: Vec<(&str, &str)> =
        written.filter(|(_, value)| !value.is_empty()).map(|(name, value)| (renamed(name), value)).collect();
    small::sort(&mut pairs);
    if let Some([(name, _), _]) = pairs.windows(2).find_map(|two| match two {
        [one, other] if one.0 == other.0 => Some([*one, *other]),
        _ => None,
    }) {
        return Err(name.to_owned());
    }
    let mut text = String::new();
    for (name, value) in pairs {
        let _infallible = write!(text, ",{name}=\"");
        push_escaped(&mut text, value);
        text.push('"');
    }
    Ok(text)
}

/// A value with its escapes; a backslash in front of anything that is none is one itself, as Prometheus reads it.
fn push_escaped(text: &mut String, value: &str) {
    let mut rest = value;
    while let Some((before, behind)) = rest.split_once('\\') {
        text.push_str(before);
        text.push('\\');
        rest = match behind.chars().next() {
            Some(escape @ ('\\' | '"' | 'n')) => {
                text.push(escape);
                behind.get(1..).unwrap_or_default()
            }
            _ => {
                text.push('\\');
                behind
            }
        };
    }
    text.push_str(rest);
}

/// A help text without escapes, line breaks and anything beyond the cap.
fn help(text: &str) -> Box<str> {
    let plain = text.replace("\\\\", "\u{0}").replace("\\n", " ").replace("\\\"", "\"").replace('\u{0}', "\\");
    plain.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(limits::PEER_TEXT_CHARS).collect()
}

/// The family that a sample of this name may be a part of.
fn family_of(name: &str) -> Option<(&str, Suffix)> {
    [Suffix::Bucket, Suffix::Sum, Suffix::Count]
        .into_iter()
        .find_map(|suffix| Some((name.strip_suffix(suffix.as_str())?, suffix)))
}

fn suffix_in(family: &str, name: &str) -> Suffix {
    family_of(name).filter(|(base, _)| *base == family).map_or(Suffix::None, |(_, suffix)| suffix)
}
