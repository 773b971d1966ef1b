//! What speaks against one service: a figure at its limit, or one that became worse, and since when.

use super::{Miss, TurnedAway};
use crate::limits::{BLAME_DIP, BLAME_LAG, BLAME_NEARLY, BLAME_TIMES};
use crate::sidecars::{Figure, Kind, Service, Take, Track};
use std::ops::Range;

/// A figure that speaks against its service.
#[derive(Clone, Debug, PartialEq)]
pub struct Sign {
    /// What it is.
    pub what: Against,
    /// Since when.
    pub from: f64,
    /// Its value from then until the miss was over.
    pub level: f64,
    /// Its value in the calm time; none when nothing was told then.
    pub calm: Option<f64>,
    /// How far beyond the limit, 0 to 1.
    pub severity: f64,
    /// Share of the time in which the target was met that looked the same; 0 without such time.
    pub also_when_met: f64,
}

/// What speaks against a service.
#[derive(Clone, Debug, PartialEq)]
pub enum Against {
    /// A figure of the table.
    Figure(&'static Figure),
    /// A cause that an agent named.
    Cause(String),
    /// It stands where requests were turned away by a rate limit.
    Limit(TurnedAway),
}

/// A figure that changed with the load and is at no limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// The figure.
    pub figure: &'static Figure,
    /// Its value in the calm time.
    pub calm: f64,
    /// Its value while the target was missed.
    pub level: f64,
}

/// What was seen of one service while a target was missed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Looks {
    /// What speaks against it.
    pub(super) signs: Vec<Sign>,
    /// What changed all the same.
    pub(super) moved: Vec<Moved>,
    /// What came to its limit after the target was missed: a consequence.
    pub(super) later: Vec<Sign>,
}

impl Sign {
    /// One that is not graded: it is so, or not.
    pub(super) const fn plain(what: Against, from: f64) -> Self {
        Self { what, from, level: 1.0, calm: Some(0.0), severity: 1.0, also_when_met: 0.0 }
    }

    /// The figure, where it is one.
    #[must_use]
    pub const fn figure(&self) -> Option<&'static Figure> {
        match self.what {
            Against::Figure(figure) => Some(figure),
            _ => None,
        }
    }

    /// Whether it was at its limit in the calm time already, or nearly: then it cannot have come first, and being there is half a reason.
    #[must_use]
    pub fn stood(&self) -> bool {
        let limit = self.figure().and_then(|figure| figure.saturated);
        limit.zip(self.calm).is_some_and(|(limit, calm)| calm >= limit * BLAME_NEARLY)
    }

    /// The name of the cause, where it has one.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        match &self.what {
            Against::Figure(_) => None,
            Against::Cause(name) => Some(name),
            Against::Limit(_) => Some("rate_limited"),
        }
    }

    /// Its weight among its like.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.what {
            Against::Figure(figure) => figure.kind,
            Against::Cause(_) => Kind::Waiting,
            // The answers themselves say so.
            Against::Limit(_) => Kind::Event,
        }
    }
}

/// Looks at a service's figures around a miss.
pub(super) fn look(service: &Service, miss: &Miss) -> Looks {
    let mut looks = Looks::default();
    for track in &service.tracks {
        let Some((calm, level)) = levels(track, miss) else { continue };
        let change = calm.map(|calm| level - calm);
        match sign(track, miss, calm, level) {
            Some(sign) if sign.from > miss.when.start + BLAME_LAG => looks.later.push(sign),
            Some(sign) => looks.signs.push(sign),
            None => {
                let has_moved = change.is_some_and(|change| change >= track.figure.step);
                let calm = calm.filter(|_| has_moved && track.figure.kind != Kind::Machine);
                looks.moved.extend(calm.map(|calm| Moved { figure: track.figure, calm, level }));
            }
        }
    }
    let told: Vec<&str> = looks.signs.iter().filter_map(|sign| Some(sign.figure()?.name)).collect();
    // The same thing under a second name says nothing more.
    let implied = |figure: &Figure| figure.unless.iter().any(|other| told.contains(other));
    let kept: Vec<bool> = looks.signs.iter().map(|sign| !sign.figure().is_some_and(implied)).collect();
    let mut kept = kept.into_iter();
    looks.signs.retain(|_| kept.next().unwrap_or(true));
    looks
}

/// A figure's value in the calm time and during the miss; none when it was not told during the miss.
fn levels(track: &Track, miss: &Miss) -> Option<(Option<f64>, f64)> {
    let over = looks_at(track, &miss.when);
    let level = match track.figure.take {
        Take::Mean => track.mean(&over),
        Take::Highest => track.most(&over),
    };
    // The mean, also where the highest counts: one blip in the calm time must not hide what lasts.
    Some((track.mean(&(f64::MIN..0.0)), level?))
}

/// When the agent looked at what happened in this time: each look tells of the time before it.
fn looks_at(track: &Track, time: &Range<f64>) -> Range<f64> {
    let grain = track.grain();
    let skipped = grain.min((time.end - time.start) / 2.0);
    time.start + skipped..time.end + grain
}

fn sign(track: &Track, miss: &Miss, calm: Option<f64>, level: f64) -> Option<Sign> {
    let figure = track.figure;
    let line = match figure.saturated {
        Some(limit) => (level >= limit).then_some(limit)?,
        None => calm.filter(|calm| level >= calm * BLAME_TIMES).map(|calm| f64::midpoint(calm, level))?,
    };
    // What stood as high before the load, or beyond the limit by nearly as much, is the same reason as then: none.
    let beyond = figure.saturated.map_or(0.0, |limit| level - limit);
    if calm.is_some_and(|calm| level - calm < figure.step.max(beyond / 2.0)) {
        return None;
    }
    let from = onset(track, line, looks_at(track, &miss.when).end)?;
    let severity = match figure.saturated {
        Some(limit) if limit < 1.0 => ((level - limit) / (1.0 - limit)).clamp(0.0, 1.0),
        Some(_) => 1.0,
        None => (1.0 - calm.unwrap_or(0.0) * BLAME_TIMES / level.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0),
    };
    Some(Sign {
        what: Against::Figure(figure),
        from,
        level,
        calm,
        severity,
        also_when_met: same_when_met(track, line, miss),
    })
}

/// Since when the figure has been at the line, short dips forgiven: since the last look that did not see it there.
fn onset(track: &Track, line: f64, until: f64) -> Option<f64> {
    let dip = BLAME_DIP.max(track.grain() * 1.5);
    let (mut begun, mut before): (Option<f64>, Option<f64>) = (None, None);
    for point in track.points.iter().rev().filter(|point| point.at <= until) {
        if point.most >= line {
            (begun, before) = (Some(point.at), None);
        } else if let Some(begun) = begun {
            before = before.or(Some(point.at));
            if begun - point.at > dip {
                break;
            }
        }
    }
    before.or(begun)
}

/// Share of the time in which the target was met and the figure was at the line all the same.
fn same_when_met(track: &Track, line: f64, miss: &Miss) -> f64 {
    let met = || miss.met.iter().flat_map(|met| track.within(met));
    let (mut all, mut same) = (0.0, 0.0);
    for point in met() {
        all += 1.0;
        same += f64::from(u8::from(point.mean >= line));
    }
    if all > 0.0 { same / all } else { 0.0 }
}
