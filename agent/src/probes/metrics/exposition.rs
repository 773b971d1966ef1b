//! What was taken from a peer's own page of metrics, ready to be written on ours: whole families, their samples as text that
//! needs a name in front. Plain data, compact, shared by snapshots.

/// How a family behaves, as its page says, where its samples bear that out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FamilyType {
    /// May go up and down.
    Gauge,
    /// Only grows.
    Counter,
    /// Always 1, the labels tell.
    Info,
    /// Buckets, sum and count.
    Histogram,
    /// Quantiles, sum and count.
    Summary,
    /// Nothing is known.
    Untyped,
}

/// What stands behind a family's name in the name of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suffix {
    /// Nothing.
    None,
    /// Of a histogram.
    Bucket,
    /// Of a histogram or summary.
    Sum,
    /// Of a histogram or summary.
    Count,
}

impl Suffix {
    /// As written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Bucket => "_bucket",
            Self::Sum => "_sum",
            Self::Count => "_count",
        }
    }
}

/// A sample: where its text stands in that of its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) suffix: Suffix,
    pub(super) begin: u32,
    pub(super) end: u32,
}

/// A metric with all its samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name; that of its samples without [`Suffix`]. A counter's ends in `_total` when the page's does.
    pub name: Box<str>,
    /// Its help, not escaped, without line breaks; empty when the page has none.
    pub help: Box<str>,
    /// Its type.
    pub kind: FamilyType,
    pub(super) text: Box<str>,
    pub(super) samples: Box<[Place]>,
}

impl Family {
    /// The samples in the order of the page: what follows the family's name, and the rest of the line behind the label `check`, such
    /// as `,method="GET"} 12`. No two have the same name and labels; none has a label `check`; the last value is a number.
    pub fn samples(&self) -> impl Iterator<Item = (Suffix, &str)> {
        self.samples.iter().map(|place| {
            let range = usize::try_from(place.begin).unwrap_or(0)..usize::try_from(place.end).unwrap_or(0);
            (place.suffix, self.text.get(range).unwrap_or_default())
        })
    }

    /// The text of all its samples.
    #[must_use]
    pub fn texts(&self) -> &str {
        &self.text
    }

    /// How many samples it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether it has none, which no page can give.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }
}

/// What is to be re-exported of one page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposition {
    /// The families, sorted by name, each once.
    pub families: Vec<Family>,
    /// Samples left out, for the page had them twice.
    pub duplicates: usize,
    /// Samples left out, for their name or labels are longer than is kept.
    pub too_long: usize,
}

impl Exposition {
    /// The page with those samples alone whose text, as in [`Family::samples`], is wanted.
    #[must_use]
    pub fn retaining(&self, wanted: impl Fn(&str) -> bool) -> Self {
        let mut page = self.clone();
        for family in &mut page.families {
            let kept = family.samples.iter().zip(family.samples()).filter(|(_, (_, text))| wanted(text));
            family.samples = kept.map(|(place, _)| *place).collect();
        }
        page.families.retain(|family| !family.is_empty());
        page
    }
}
