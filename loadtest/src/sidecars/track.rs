//! The course of a sidecar's figures over calm time and load, in seconds since the load began: below zero is the calm time.
//! Flat in memory: a long run makes the grain coarser.

use super::figures::Figure;
use super::reader::Values;
use crate::limits;
use std::ops::Range;

/// What all sidecars told.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// One for each sidecar of the plan.
    pub services: Vec<Service>,
}

/// What one sidecar told of its service.
#[derive(Clone, Debug, Default)]
pub struct Service {
    /// The service's name.
    pub name: String,
    /// Its figures, as far as it told them.
    pub tracks: Vec<Track>,
    /// Causes that the agent named, with their subjects, and when.
    pub causes: Vec<Named>,
    /// Other services that it watches: what it depends on.
    pub dependencies: Vec<String>,
    /// Whether it is a proxy (nginx) that stands in front of others.
    pub is_proxy: bool,
    /// When it was not heard.
    pub gaps: Vec<Gap>,
    /// What was wrong with figures that it told and that are left out.
    pub nonsense: Option<String>,
    stamp: Option<(f64, f64)>,
}

/// The course of one figure.
#[derive(Clone, Debug)]
pub struct Track {
    /// Which.
    pub figure: &'static Figure,
    /// In the order of time; each is a look of the agent, and tells of the time since the look before.
    pub points: Vec<Point>,
    looked: f64,
}

/// One look at a figure, or several that were put together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Seconds since the load began.
    pub at: f64,
    /// The value, or the mean of several.
    pub mean: f64,
    /// The value, or the highest of several.
    pub most: f64,
}

/// A cause that an agent named.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// The agent's name for it.
    pub cause: String,
    /// What it is about.
    pub subject: String,
    /// When it was seen first.
    pub from: f64,
    /// When it was seen last.
    pub until: f64,
}

/// A time without an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// The first question without an answer.
    pub from: f64,
    /// The last one.
    pub until: f64,
    /// Why.
    pub why: String,
}

/// How well a sidecar was heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hears<'a> {
    /// All the time, or nearly.
    Well,
    /// It was silent for so many seconds, and why.
    Silent(f64, &'a str),
}

impl Evidence {
    /// The service of this name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }
}

impl Service {
    /// A service of which nothing is known yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The course of a figure.
    #[must_use]
    pub fn track(&self, figure: &str) -> Option<&Track> {
        self.tracks.iter().find(|track| track.figure.name == figure)
    }

    /// How well it was heard in this time.
    #[must_use]
    pub fn hears(&self, over: &Range<f64>) -> Hears<'_> {
        let inside = |gap: &&Gap| gap.until >= over.start && gap.from <= over.end;
        // A question without an answer stands for the second after it.
        let lost = |gap: &Gap| (gap.until + 1.0).min(over.end) - gap.from.max(over.start);
        let silent: f64 = self.gaps.iter().filter(inside).map(lost).filter(|lost| *lost > 0.0).sum();
        let worst = self.gaps.iter().filter(inside).max_by(|a, b| lost(a).total_cmp(&lost(b)));
        match worst {
            Some(worst) if silent > (over.end - over.start) * limits::SIDECAR_SILENT_RATIO => {
                Hears::Silent(silent, &worst.why)
            }
            _ => Hears::Well,
        }
    }

    /// What is wrong with how it was heard in this time, for people; nothing where all is well.
    #[must_use]
    pub fn lack(&self, over: &Range<f64>) -> Option<String> {
        match self.hears(over) {
            Hears::Silent(seconds, why) => {
                let of = over.end - over.start;
                Some(format!("the sidecar `{}` was silent for {seconds:.0} s of {of:.0} s: {why}", self.name))
            }
            Hears::Well => None,
        }
    }

    /// That it told what cannot be, for people; nothing where it did not.
    #[must_use]
    pub fn lie(&self) -> Option<String> {
        self.nonsense.as_ref().map(|lie| format!("the sidecar `{}` cannot be believed: {lie}", self.name))
    }

    /// Takes what a page told.
    pub(super) fn told(&mut self, at: f64, values: Values) {
        if values.nonsense.is_some() {
            self.nonsense = values.nonsense;
        }
        if let Some(why) = self.frozen(at, values.stamp) {
            return self.silent(at, &why);
        }
        self.dependencies = values.dependencies;
        self.is_proxy = values.is_proxy;
        for (figure, value, looked) in values.figures {
            match self.tracks.iter_mut().find(|track| track.figure == figure) {
                Some(track) if looked > 0.0 && looked <= track.looked => {}
                Some(track) => track.look(at, value, looked),
                None => self.tracks.push(Track { looked, ..Track::of(figure, [(at, value)]) }),
            }
        }
        for (cause, subject) in values.causes {
            self.named(at, cause, subject);
        }
    }

    fn named(&mut self, at: f64, cause: String, subject: String) {
        let full = self.causes.len() >= limits::SIDECAR_NAMES;
        match self.causes.iter_mut().find(|one| one.cause == cause && one.subject == subject) {
            Some(known) => known.until = at,
            None if full => {}
            None => self.causes.push(Named { cause, subject, from: at, until: at }),
        }
    }

    /// It did not answer.
    pub(super) fn silent(&mut self, at: f64, why: &str) {
        let full = self.gaps.len() >= limits::SIDECAR_GAPS;
        match self.gaps.last_mut() {
            Some(gap) if full || at - gap.until < limits::SIDECAR_GAP_JOINS => gap.until = at,
            _ => self.gaps.push(Gap { from: at, until: at, why: why.to_owned() }),
        }
    }

    /// Whether the agent behind the page has stopped to look: the page is the same as long ago.
    fn frozen(&mut self, at: f64, stamp: f64) -> Option<String> {
        match self.stamp {
            Some((known, since)) if known == stamp => {
                let stood = at - since;
                let frozen = stamp > 0.0 && stood > limits::SIDECAR_FROZEN.as_secs_f64();
                frozen.then(|| "its figures stand still: the agent behind the page does not look any more".to_owned())
            }
            _ => {
                self.stamp = Some((stamp, at));
                None
            }
        }
    }

    /// All times from the beginning of the load on.
    pub(super) fn since(&mut self, load: f64) {
        self.tracks.iter_mut().flat_map(|track| &mut track.points).for_each(|point| point.at -= load);
        for cause in &mut self.causes {
            cause.from -= load;
            cause.until -= load;
        }
        for gap in &mut self.gaps {
            gap.from -= load;
            gap.until -= load;
        }
    }
}

impl Track {
    /// A track of these looks.
    pub fn of(figure: &'static Figure, looks: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut track = Self { figure, points: Vec::new(), looked: 0.0 };
        looks.into_iter().for_each(|(at, value)| track.push(at, value));
        track
    }

    fn look(&mut self, at: f64, value: f64, looked: f64) {
        self.looked = looked;
        self.push(at, value);
    }

    /// Seconds between two looks, at least one.
    #[must_use]
    pub fn grain(&self) -> f64 {
        let ends = self.points.first().zip(self.points.last());
        #[expect(clippy::cast_precision_loss, reason = "at most some thousand points")]
        let gaps = self.points.len().saturating_sub(1) as f64;
        ends.filter(|_| gaps > 0.0).map_or(1.0, |(first, last)| ((last.at - first.at) / gaps).max(1.0))
    }

    fn push(&mut self, at: f64, value: f64) {
        if self.points.len() >= limits::SIDECAR_POINTS {
            self.points = self.points.chunks(2).filter_map(together).collect();
        }
        self.points.push(Point { at, mean: value, most: value });
    }

    /// The points in this time.
    pub fn within(&self, over: &Range<f64>) -> impl Iterator<Item = &Point> {
        let over = over.clone();
        self.points.iter().filter(move |point| over.contains(&point.at))
    }

    /// The mean over this time.
    #[must_use]
    pub fn mean(&self, over: &Range<f64>) -> Option<f64> {
        let (sum, count) = self.within(over).fold((0.0, 0.0), |(sum, count), point| (sum + point.mean, count + 1.0));
        (count > 0.0).then(|| sum / count)
    }

    /// The highest value in this time.
    #[must_use]
    pub fn most(&self, over: &Range<f64>) -> Option<f64> {
        self.within(over).map(|point| point.most).reduce(f64::max)
    }
}

/// Two points as one.
fn together(points: &[Point]) -> Option<Point> {
    match points {
        [a, b] => Some(Point { at: a.at, mean: f64::midpoint(a.mean, b.mean), most: a.most.max(b.most) }),
        [a] => Some(*a),
        _ => None,
    }
}
