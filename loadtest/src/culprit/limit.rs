//! The throughput limit: from some moment on more requests are in flight, and no more come back a second. Then it is not the
//! single request that is slow, but the stack that is full. Pure.

use crate::measure::Timeline;
use crate::units::short;
use std::time::Duration;

/// A limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// From when on, in seconds since the load began.
    pub from: f64,
    /// Requests finished a second from then on.
    pub rate: f64,
    /// Requests in flight then.
    pub in_flight: f64,
    /// Requests in flight at the most, later.
    pub in_flight_later: f64,
}

/// What a piece of the run showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Piece {
    pub(super) from: f64,
    pub(super) rate: f64,
    pub(super) in_flight: f64,
}

/// Requests in flight must have grown by this factor …
const GROWN: f64 = 1.6;
/// … while the rate has not grown by more than this one.
const FLAT: f64 = 1.1;
/// The rate of a piece from which on it counts as the highest.
const NEAR: f64 = 0.9;
/// Fewer requests in flight than this are no crowd.
const CROWD: f64 = 4.0;
/// Pieces of the run to look at.
const PIECES: u32 = 24;

impl Limit {
    /// For people.
    #[must_use]
    pub fn sentence(&self, clock: &dyn Fn(f64) -> String) -> String {
        let Self { from, rate, in_flight, in_flight_later } = self;
        format!(
            "throughput limit: from {} on the rate stayed near {}/s while the requests in flight grew from {} to {}",
            clock(*from),
            short(*rate),
            short(in_flight.round()),
            short(in_flight_later.round())
        )
    }
}

/// The limit that a run reached, if it did.
#[must_use]
pub fn limit(timeline: &Timeline) -> Option<Limit> {
    find(&pieces(timeline))
}

/// The run in pieces of equal length.
fn pieces(timeline: &Timeline) -> Vec<Piece> {
    let slots: Vec<_> = timeline.slots().collect();
    let size = slots.len().div_ceil(usize::try_from(PIECES).unwrap_or(1)).max(1);
    let piece = |slots: &[crate::measure::Moment]| {
        let (first, last) = (slots.first()?, slots.last()?);
        let over = last.until.saturating_sub(first.from);
        #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
        let (count, flying) = (
            slots.iter().map(|slot| slot.count).sum::<u64>() as f64,
            slots.iter().map(|slot| slot.gauges.in_flight as f64).sum::<f64>() / slots.len() as f64,
        );
        (over >= Duration::from_millis(900)).then(|| Piece {
            from: first.from.as_secs_f64(),
            rate: count / over.as_secs_f64(),
            in_flight: flying,
        })
    };
    slots.chunks(size).filter_map(piece).collect()
}

/// The first piece that had nearly the highest rate, with a later one that had more in flight and no higher rate; it must
/// last, for one piece may be a hiccup.
pub(super) fn find(pieces: &[Piece]) -> Option<Limit> {
    let highest = pieces.iter().map(|piece| piece.rate).fold(0.0, f64::max);
    let at = pieces.iter().position(|piece| piece.rate >= highest * NEAR && piece.rate > 0.0)?;
    let knee = pieces.get(at)?;
    let later = pieces.get(at + 1..)?;
    let crowded =
        |piece: &&Piece| piece.in_flight >= (knee.in_flight * GROWN).max(CROWD) && piece.rate <= knee.rate * FLAT;
    let lasting: Vec<&Piece> = later.iter().filter(crowded).collect();
    let lasts = lasting.len() >= 2 && lasting.len() * 2 >= later.len();
    // A rate that fell is a breakdown, and no limit that was reached.
    #[expect(clippy::cast_precision_loss, reason = "at most some dozen pieces")]
    let rate = lasting.iter().map(|piece| piece.rate).sum::<f64>() / lasting.len().max(1) as f64;
    let in_flight_later = lasting.iter().map(|piece| piece.in_flight).fold(0.0, f64::max);
    (lasts && rate >= knee.rate * 0.5).then_some(Limit {
        from: knee.from,
        rate,
        in_flight: knee.in_flight,
        in_flight_later,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces of a second: what was offered, and how many a second the stack can do.
    fn run(offered: impl Fn(f64) -> f64, most: f64) -> Vec<Piece> {
        let mut queue = 0.0;
        let piece = |second: i32| {
            let from = f64::from(second);
            let rate = (offered(from) + queue).min(most);
            queue = (queue + offered(from) - rate).max(0.0);
            Piece { from, rate, in_flight: rate * 0.05 + queue }
        };
        (0..30).map(piece).collect()
    }

    #[test]
    fn a_full_stack_is_told_from_one_that_follows() {
        assert_eq!(find(&run(|at| at * 10.0, 1e9)), None, "it follows the load");
        assert_eq!(find(&run(|_| 100.0, 1e9)), None, "nothing grows");
        let full = find(&run(|at| at * 10.0, 150.0)).expect("a limit");
        assert!((14.0..=16.0).contains(&full.from) && (full.rate - 150.0).abs() < 10.0, "{full:?}");
        assert!(full.in_flight_later > 500.0, "{full:?}");
        let clock = |at: f64| format!("second {at}");
        insta::assert_snapshot!(full.sentence(&clock), @"throughput limit: from second 14 on the rate stayed near 150/s while the requests in flight grew from 7 to 1058");
    }

    #[test]
    fn a_hiccup_and_a_breakdown_are_no_limit() {
        let mut pieces = run(|_| 100.0, 1e9);
        pieces[20].in_flight = 90.0;
        assert_eq!(find(&pieces), None, "one piece");
        pieces.iter_mut().skip(10).for_each(|piece| (piece.rate, piece.in_flight) = (2.0, 90.0));
        assert_eq!(find(&pieces), None, "it broke down");
        assert_eq!(find(&[]), None);
    }
}
