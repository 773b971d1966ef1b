//! Whether rate limits are really enforced, and not over-enforced, for one client address. Each limit is measured by a burst sent at once,
//! by three halves of its rate right behind it, and, when it has forgotten that, by half and the whole of its rate.
//!
//! What it does not know: whether the limit counts by address or by something else, and who else comes from our address meanwhile.

use super::finding::{Miss, Seen};
use super::volley::{Tally, volley};
use super::{Outcome, Site, Validator};
use crate::limits::{LIMIT_PACE, LIMIT_PASSES, LIMIT_REST, LIMIT_TOLERANCE, LIMIT_TRIES};
use crate::plan::RateLimit;
use std::time::Duration;

pub(super) static ROW: Validator = Validator {
    name: "rate-limits",
    expects: EXPECTS,
    standard: "RFC 6585 section 4; OWASP API4:2023",
    needs: Some("rate_limits"),
    run: |site| Box::pin(run(site)),
};

const EXPECTS: &str = "what exceeds a limit is refused (429), and nothing that keeps to it";
const NONE: &str = "no limit is said to be enforced";
const LIST: &str = "`--rate-limit '/api/v1/assets 10/s burst 10'`, or `validate: {rate_limits: […]}` in the plan";
/// Shortest time at one pace: below it, timers decide.
const SHORTEST: Duration = Duration::from_secs(2);
/// Beyond the time in which a limit forgets by its own arithmetic.
const MARGIN: Duration = Duration::from_millis(500);

async fn run(site: &Site<'_>) -> Vec<Seen> {
    let mut all = Vec::new();
    for limit in &site.plan.validation.rate_limits {
        let expected = format!("{}, enforced and not over-enforced", limit.text);
        let seen = settled(site, limit).await;
        all.push(Seen { subject: limit.text.clone(), expected, ..seen });
    }
    if all.is_empty() {
        all.push(Seen::not_applicable(&site.host(), EXPECTS, NONE, LIST));
    }
    all
}

/// A machine that was busy for a moment has measured nothing; the limit deserves another look.
async fn settled(site: &Site<'_>, limit: &RateLimit) -> Seen {
    let mut tries = 1;
    loop {
        let measured = measure(site, limit).await;
        let seen = judge(limit, &measured);
        if seen.outcome != Outcome::CouldNotTell || measured.at_once.broken > 0 || tries == LIMIT_TRIES {
            return seen;
        }
        tries += 1;
    }
}

/// What was measured of a limit.
#[derive(Clone, Debug, Default)]
struct Measured {
    /// Twice the burst and a second of the rate, all at once.
    at_once: Tally,
    /// Whether the limit had time to forget what came before.
    rested: bool,
    /// At 1.5, 0.5 and 1 times the rate; none where that would take too long.
    paced: Option<[Tally; 3]>,
}

async fn measure(site: &Site<'_>, limit: &RateLimit) -> Measured {
    let url = site.url(&limit.path);
    let rest = Duration::try_from_secs_f64(float(limit.burst + 1) / limit.rate).unwrap_or(Duration::MAX);
    let rest = rest.saturating_add(MARGIN);
    let rested = rest <= LIMIT_REST;
    tokio::time::sleep(rest.min(LIMIT_REST)).await;
    let at_once = volley(site, &url, whole(2.0 * float(limit.burst + 1) + limit.rate.ceil()), None).await;
    // What answers to nothing at once, or refuses all of it, is judged by that.
    let time = pace_time(limit).filter(|_| rested && at_once.passed > 0);
    let Some(time) = time else { return Measured { at_once, rested, paced: None } };
    let at = async |share: f64| {
        let pace = share * limit.rate;
        volley(site, &url, whole(pace * time.as_secs_f64()), Some(pace)).await
    };
    // At once, while the limit still remembers the burst: so every request beyond the rate must be refused.
    let over = at(1.5).await;
    tokio::time::sleep(rest).await;
    let half = at(0.5).await;
    let full = at(1.0).await;
    Measured { at_once, rested, paced: Some([over, half, full]) }
}

/// How long a pace is kept.
fn pace_time(limit: &RateLimit) -> Option<Duration> {
    let time = Duration::try_from_secs_f64(LIMIT_PASSES / limit.rate).ok()?.max(SHORTEST);
    (time <= LIMIT_PACE).then_some(time)
}

#[expect(clippy::cast_precision_loss, reason = "thousands at most")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to some thousands")]
fn whole(count: f64) -> u64 {
    count.round().max(1.0) as u64
}

fn judge(limit: &RateLimit, measured: &Measured) -> Seen {
    let words = words(measured);
    let unknown = |why: &str| Seen::unknown("", "", format!("{why}; {words}"));
    let all = || std::iter::once(&measured.at_once).chain(measured.paced.iter().flatten());
    if let Some(tally) = all().find(|tally| tally.broken * 10 > tally.sent()) {
        return unknown(&format!("{} of {} requests failed", tally.broken, tally.sent()));
    }
    let wrong = loose(limit, measured).or_else(|| tight(limit, measured));
    match wrong {
        Some((Outcome::CouldNotTell, why)) => unknown(&why),
        Some((_, why)) => Seen::judged("", "", Err(Miss::new(format!("{why}; {words}"), way_out(limit)))),
        None => Seen::judged("", "", Ok(words)),
    }
}

/// What came through that should not have.
fn loose(limit: &RateLimit, measured: &Measured) -> Option<(Outcome, String)> {
    let once = &measured.at_once;
    let allowed = float(limit.burst + 1) + limit.rate * once.elapsed.as_secs_f64();
    if once.refused == 0 && float(once.sent()) <= allowed {
        return Some((Outcome::CouldNotTell, "the answers are too slow to reach the limit".to_owned()));
    }
    if once.refused == 0 {
        return Some((Outcome::Failed, "not enforced: nothing was refused".to_owned()));
    }
    if float(once.passed) > allowed * (1.0 + LIMIT_TOLERANCE) + 1.0 {
        return Some((Outcome::Failed, format!("under-enforced: a burst of {} passed", once.passed)));
    }
    let [over, ..] = measured.paced.as_ref()?;
    let time = over.elapsed.as_secs_f64();
    let planned = float(over.sent()) / (1.5 * limit.rate);
    if over.sending.as_secs_f64() > planned * (1.0 + LIMIT_TOLERANCE) {
        return Some((Outcome::CouldNotTell, "the answers are too slow to keep three halves of the rate".to_owned()));
    }
    let most = limit.rate * time * (1.0 + LIMIT_TOLERANCE) + 2.0;
    (float(over.passed) > most).then(|| {
        let rate = float(over.passed) / time;
        (Outcome::Failed, format!("under-enforced: {rate:.1}/s passed"))
    })
}

/// What was refused that should not have been.
fn tight(limit: &RateLimit, measured: &Measured) -> Option<(Outcome, String)> {
    let once = &measured.at_once;
    if once.passed < limit.burst.max(1) {
        let why = format!("over-enforced: {} of a burst of {} passed", once.passed, limit.burst.max(1));
        let outcome = if measured.rested { Outcome::Failed } else { Outcome::CouldNotTell };
        return Some((outcome, why));
    }
    let [over, half, full] = measured.paced.as_ref()?;
    let least = limit.rate * over.sending.as_secs_f64() * (1.0 - LIMIT_TOLERANCE) - 1.0;
    if float(over.passed) < least {
        let rate = float(over.passed) / over.elapsed.as_secs_f64();
        return Some((Outcome::Failed, format!("over-enforced: only {rate:.1}/s passed")));
    }
    if half.refused > 0 {
        return Some((Outcome::Failed, format!("over-enforced: {} refused at half the rate", half.refused)));
    }
    // Without a burst, a request that comes a moment early is refused, and it is no fault of the limit.
    let share = if limit.burst < 2 { 0.5 } else { 0.05 };
    (float(full.refused) > share * float(full.sent()))
        .then(|| (Outcome::Failed, format!("over-enforced: {} refused at the rate itself", full.refused)))
}

fn words(measured: &Measured) -> String {
    let one = |tally: &Tally| format!("{} of {}", tally.passed, tally.sent());
    let mut text = format!("passed at once {}", one(&measured.at_once));
    match &measured.paced {
        Some([over, half, full]) => {
            text += &format!(", at 1.5 times the rate {}, at half {}, at the rate {}", one(over), one(half), one(full));
        }
        None => text += "; its rate was not measured",
    }
    let all = std::iter::once(&measured.at_once).chain(measured.paced.iter().flatten());
    if all.map(|tally| tally.unavailable).sum::<u64>() > 0 {
        text += "; refused with 503, which clients take for an outage (nginx: `limit_req_status 429;`)";
    }
    text
}

fn way_out(limit: &RateLimit) -> String {
    let (rate, unit) = if limit.rate >= 1.0 { (limit.rate, "s") } else { (limit.rate * 60.0, "m") };
    let burst = if limit.burst > 0 { format!(" burst={} nodelay", limit.burst) } else { String::new() };
    format!(
        "nginx: `limit_req_zone $binary_remote_addr zone=z:10m rate={rate:.0}r/{unit};` and `limit_req zone=z{burst};` there"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(rate: f64, burst: u64) -> RateLimit {
        RateLimit { path: "/".to_owned(), rate, burst, text: String::new() }
    }

    fn tally(passed: u64, sent: u64, seconds: f64) -> Tally {
        let elapsed = Duration::from_secs_f64(seconds);
        Tally { passed, refused: sent - passed, elapsed, sending: elapsed, ..Tally::default() }
    }

    fn said(at_once: Tally, paced: Option<[Tally; 3]>) -> (Outcome, String) {
        let seen = judge(&limit(10.0, 10), &Measured { at_once, rested: true, paced });
        (seen.outcome, seen.got.split(';').next().unwrap_or_default().to_owned())
    }

    #[test]
    fn ten_a_second_with_a_burst_of_ten() {
        let (once, over, half, full) = (tally(11, 32, 0.1), tally(20, 30, 2.0), tally(10, 10, 2.0), tally(20, 20, 2.0));
        let good = "passed at once 11 of 32, at 1.5 times the rate 20 of 30, at half 10 of 10, at the rate 20 of 20";
        assert_eq!(said(once, Some([over, half, full])), (Outcome::Passed, good.to_owned()));
        let failed = |once, paced, why: &str| {
            let (outcome, got) = said(once, paced);
            assert_eq!((outcome, got.as_str()), (Outcome::Failed, why));
        };
        failed(tally(32, 32, 0.1), None, "not enforced: nothing was refused");
        failed(tally(25, 32, 0.1), None, "under-enforced: a burst of 25 passed");
        failed(tally(4, 32, 0.1), None, "over-enforced: 4 of a burst of 10 passed");
        failed(once, Some([tally(28, 30, 2.0), half, full]), "under-enforced: 14.0/s passed");
        failed(once, Some([tally(8, 30, 2.0), half, full]), "over-enforced: only 4.0/s passed");
        failed(once, Some([over, tally(9, 10, 2.0), full]), "over-enforced: 1 refused at half the rate");
        failed(once, Some([over, half, tally(17, 20, 2.0)]), "over-enforced: 3 refused at the rate itself");
    }

    #[test]
    fn slow_or_broken_answers_prove_nothing() {
        let outcome = |once, paced| said(once, paced).0;
        assert_eq!(outcome(tally(32, 32, 5.0), None), Outcome::CouldNotTell);
        assert_eq!(outcome(Tally { broken: 10, ..tally(11, 22, 0.1) }, None), Outcome::CouldNotTell);
        let late = Tally { sending: Duration::from_secs(4), ..tally(30, 30, 4.0) };
        assert_eq!(outcome(tally(11, 32, 0.1), Some([late, late, late])), Outcome::CouldNotTell);
        let tired = judge(&limit(0.01, 5), &Measured { at_once: tally(1, 13, 0.1), rested: false, paced: None });
        assert_eq!(tired.outcome, Outcome::CouldNotTell);
    }

    #[test]
    fn a_slow_limit_is_measured_by_its_burst() {
        assert_eq!(pace_time(&limit(5.0 / 60.0, 3)), None);
        assert_eq!(pace_time(&limit(50.0, 50)), Some(SHORTEST));
        assert_eq!(pace_time(&limit(4.0, 5)), Some(Duration::from_secs(5)));
    }
}
