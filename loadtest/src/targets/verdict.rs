//! From judged targets and the way the run ended to one word and one sentence. Pure.

use super::judge::percent;
use super::{Judged, Outcome};
use serde::{Deserialize, Serialize};

/// GO, NO-GO, or nobody can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Every target is met.
    Go,
    /// A target is missed, or the run had to be given up.
    NoGo,
    /// Neither.
    Inconclusive,
}

/// How the run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As planned.
    Complete,
    /// The target was given up on: dead or hung. Says why.
    GivenUp(String),
    /// Before its time, for a reason that the plan gave: says which and when.
    Aborted(String),
    /// A signal: its name and number.
    Signal(&'static str, u8),
}

/// The answer of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The word.
    pub decision: Decision,
    /// The reason, one sentence.
    pub reason: String,
    /// Who is to blame for what was missed.
    pub culprits: Vec<Culprit>,
}

/// A request that a missed target is blamed on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Culprit {
    /// The target as written.
    pub target: String,
    /// The request's name.
    pub request: String,
    /// Its share of the errors, of the requests beyond the limit, or of the time waited; 0 to 1.
    pub share: f64,
}

impl Eq for Culprit {}

impl Decision {
    /// The word of the JSON report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::NoGo => "no-go",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Decides. `saturated` says what shows that the generator was the bottleneck, when it was.
#[must_use]
pub fn verdict(judged: &[Judged], ending: &Ending, saturated: Option<&str>) -> Verdict {
    let culprits: Vec<Culprit> = judged.iter().filter_map(culprit).collect();
    let missed: Vec<&Judged> = judged.iter().filter(|one| one.outcome == Outcome::Missed).collect();
    let open: Vec<&Judged> = judged.iter().filter(|one| one.outcome == Outcome::Inconclusive).collect();
    let (decision, reason) = match (ending, missed.as_slice(), open.as_slice()) {
        (Ending::GivenUp(why), ..) => (Decision::NoGo, why.clone()),
        (Ending::Aborted(why), [first, rest @ ..], _) => {
            (Decision::NoGo, format!("{}{}; {why}", miss(first), others(rest.len(), "missed")))
        }
        (Ending::Aborted(why), [], _) => (Decision::NoGo, why.clone()),
        (_, [first, rest @ ..], _) => (Decision::NoGo, format!("{}{}", miss(first), others(rest.len(), "missed"))),
        (Ending::Signal(name, _), ..) => {
            (Decision::Inconclusive, format!("the run was stopped by {name} before its end"))
        }
        (_, _, [first, rest @ ..]) => {
            if let Some(sign) = saturated {
                return Verdict { decision: Decision::Inconclusive, reason: bottleneck(sign), culprits };
            }
            let why = first.why.as_deref().unwrap_or("nobody can say");
            let rest = others(rest.len(), "inconclusive");
            (Decision::Inconclusive, format!("`{}` is inconclusive: {why}{rest}", first.target.text))
        }
        (Ending::Complete, [], []) => (Decision::Go, all_met(judged.len())),
    };
    Verdict { decision, reason, culprits }
}

fn bottleneck(sign: &str) -> String {
    format!("the load generator itself was the bottleneck ({sign}); run it on a freer machine or with fewer users")
}

fn culprit(judged: &Judged) -> Option<Culprit> {
    let (request, share) = judged.blame.clone()?;
    Some(Culprit { target: judged.target.text.clone(), request, share })
}

fn miss(judged: &Judged) -> String {
    let got = judged.said().unwrap_or_else(|| "nothing".to_owned());
    let said = format!("`{}` is missed ({got})", judged.target.text);
    match &judged.blame {
        Some((request, share)) => format!("{said}: {}", part(judged, request, *share)),
        None => said,
    }
}

fn part(judged: &Judged, request: &str, share: f64) -> String {
    let whole = match judged.target.unit() {
        super::Unit::Share | super::Unit::Count => "the errors",
        super::Unit::Time => "the requests beyond the limit",
        super::Unit::Rate => "the time waited",
    };
    if share > 0.995 {
        format!("`{request}` has all of {whole}")
    } else {
        format!("`{request}` has {} of {whole}", percent(share))
    }
}

fn others(count: usize, what: &str) -> String {
    match count {
        0 => String::new(),
        1 => format!("; 1 other target is {what}"),
        _ => format!("; {count} other targets are {what}"),
    }
}

fn all_met(count: usize) -> String {
    if count == 1 { "the target is met".to_owned() } else { format!("all {count} targets are met") }
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::super::judge::tests::{row, target};
    use super::*;
    use crate::measure::Generator;

    fn decided(texts: &[&str], ending: &Ending, saturated: bool) -> String {
        let rows = [row("GET /fast", &[(10, 900)], 0), row("POST /slow", &[(3000, 100)], 30)];
        let rows: Vec<_> = rows.iter().collect();
        let members = ["GET /fast", "POST /slow"];
        let generator = Generator { saturated, ..Generator::default() };
        let judged: Vec<_> = texts.iter().map(|text| judge(&target(text, &members), &rows, generator)).collect();
        let verdict = verdict(&judged, ending, saturated.then_some("its timers fired 63ms late"));
        format!("{}: {}", verdict.decision.as_str(), verdict.reason)
    }

    #[test]
    fn the_reason_is_one_sentence_that_names_the_request() {
        let done = Ending::Complete;
        insta::assert_snapshot!(decided(&["p50 < 2s", "errors < 5%"], &done, false), @"go: all 2 targets are met");
        insta::assert_snapshot!(decided(&["p95 < 2s"], &done, false), @"no-go: `p95 < 2s` is missed (3s): `POST /slow` has all of the requests beyond the limit");
        insta::assert_snapshot!(decided(&["p99 < 2s", "errors < 1%", "p95 < 1s"], &done, false), @"no-go: `p99 < 2s` is missed (3s): `POST /slow` has all of the requests beyond the limit; 2 other targets are missed");
        insta::assert_snapshot!(decided(&["errors < 0.01%", "errors < 5%"], &done, false), @"no-go: `errors < 0.01%` is missed (3 %): `POST /slow` has all of the errors");
        insta::assert_snapshot!(decided(&["throughput > 500/s"], &done, false), @"no-go: `throughput > 500/s` is missed (97/s): `POST /slow` has 97 % of the time waited");
    }

    #[test]
    fn the_ending_counts() {
        let term = Ending::Signal("SIGTERM", 15);
        insta::assert_snapshot!(decided(&["p50 < 2s"], &term, false), @"inconclusive: the run was stopped by SIGTERM before its end");
        insta::assert_snapshot!(decided(&["p95 < 2s"], &term, false), @"no-go: `p95 < 2s` is missed (3s): `POST /slow` has all of the requests beyond the limit");
        let aborted =
            Ending::Aborted("the run was ended after 23s, when `p95 < 2s` had been missed for 10s".to_owned());
        insta::assert_snapshot!(decided(&["p50 < 2s", "p95 < 2s"], &aborted, false), @"no-go: `p95 < 2s` is missed (3s): `POST /slow` has all of the requests beyond the limit; the run was ended after 23s, when `p95 < 2s` had been missed for 10s");
        insta::assert_snapshot!(decided(&["p50 < 2s"], &aborted, false), @"no-go: the run was ended after 23s, when `p95 < 2s` had been missed for 10s");
        let dead = Ending::GivenUp("the target stopped answering after 12 s: connection refused".to_owned());
        insta::assert_snapshot!(decided(&["p50 < 2s"], &dead, false), @"no-go: the target stopped answering after 12 s: connection refused");
        insta::assert_snapshot!(decided(&["p50 < 2s", "p95 < 2s"], &Ending::Complete, true), @"inconclusive: the load generator itself was the bottleneck (its timers fired 63ms late); run it on a freer machine or with fewer users");
        insta::assert_snapshot!(decided(&["p50 < 2s", "errors < 1%"], &Ending::Complete, true), @"no-go: `errors < 1%` is missed (3 %): `POST /slow` has all of the errors");
    }

    #[test]
    fn too_few_requests_are_no_go_ahead() {
        insta::assert_snapshot!(decided(&["errors < 50%", "p50 < 2s", "errors < 4%"], &Ending::Complete, false), @"go: all 3 targets are met");
    }
}
