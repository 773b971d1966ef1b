//! A finding as one sentence.

use super::signs::{Against, Moved, Sign};
use super::{Finding, Suspect, TurnedAway};

/// Most things that a sentence lists.
const LISTED: usize = 3;

/// The sentence.
#[must_use]
pub fn sentence(finding: &Finding, generator: Option<&str>, clock: &dyn Fn(f64) -> String) -> String {
    let missed = format!("{} missed at {}", finding.miss.what, clock(finding.miss.when.start));
    let parts = match generator {
        Some(sign) => {
            vec![missed, format!("the load generator itself was the bottleneck ({sign}), so nobody else can be blamed")]
        }
        None => vec![missed, blame(finding, clock), beside(finding)],
    };
    parts.into_iter().chain(heard(finding)).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

fn blame(finding: &Finding, clock: &dyn Fn(f64) -> String) -> String {
    let (named, _) = finding.suspects.split_at(finding.named.min(finding.suspects.len()));
    match named {
        [] => unexplained(finding, clock),
        [one] => format!("{}{}", accuse(one, clock), waiters(finding, &one.service)),
        several => {
            let said: Vec<String> = several.iter().take(LISTED).map(|one| accuse(one, clock)).collect();
            format!("{}; which of them is the reason cannot be told", said.join(", and "))
        }
    }
}

fn accuse(suspect: &Suspect, clock: &dyn Fn(f64) -> String) -> String {
    let Suspect { service, sign, .. } = suspect;
    let calm = match (sign.figure(), sign.calm) {
        (Some(figure), Some(calm)) if figure.words.contains("{}") => {
            format!(" ({} in the calm time)", figure.unit.say(calm))
        }
        _ => String::new(),
    };
    let when = if sign.from <= 0.0 { "from the beginning".to_owned() } else { format!("from {}", clock(sign.from)) };
    if let Against::Limit(away) = sign.what {
        return format!("`{service}` (or what stands behind it) {} {when}: {}", words(sign), said(away));
    }
    let same = if sign.also_when_met > 0.5 { ", though it was so too while the target was met" } else { "" };
    let comma = if matches!(sign.what, Against::Cause(_)) { "," } else { "" };
    format!("`{service}` {}{comma} {when}{calm}{same}", words(sign))
}

fn words(sign: &Sign) -> String {
    match &sign.what {
        Against::Figure(figure) => figure.words.replace("{}", &figure.unit.say(rounded(sign))),
        Against::Cause(cause) => format!("had the cause `{cause}`, as a sidecar names it"),
        Against::Limit(_) => "limited the rate of requests".to_owned(),
    }
}

/// How many, and what to do when the limit is right and the load is not.
fn said(TurnedAway { limited, failed }: TurnedAway) -> String {
    format!(
        "{limited} of {failed} failed requests were answered 429 (a limit by address sees all users as one, unless the plan gives \
         each its own: `X-Forwarded-For: {{{{user_address}}}}`)"
    )
}

/// Shares in whole percent: the agent's own grain is coarser than more digits would tell.
fn rounded(sign: &Sign) -> f64 {
    match sign.figure().map(|figure| figure.unit) {
        Some(crate::units::Unit::Share) => (sign.level * 100.0).round() / 100.0,
        _ => sign.level,
    }
}

fn waiters(finding: &Finding, service: &str) -> String {
    let waits = finding.suspects.iter().filter(|one| one.waits_for.as_deref() == Some(service));
    waits.take(LISTED).map(|one| format!("; `{}` waits for it ({})", one.service, words(&one.sign))).collect()
}

/// What changed beside the one that is named.
fn beside(finding: &Finding) -> String {
    let rest = finding.suspects.iter().skip(finding.named.max(1));
    let waits = |one: &&Suspect| one.waits_for.is_none();
    let less = rest.filter(waits).map(|one| format!("`{}` {}", one.service, words(&one.sign)));
    let mut told: Vec<String> = if finding.named == 0 { Vec::new() } else { less.collect() };
    told.extend(services(&finding.moved));
    let later = finding.later.iter().map(|(service, sign)| format!("`{service}` {} only afterwards", words(sign)));
    told.extend(later);
    match (told.as_slice(), finding.named) {
        ([], 0) => String::new(),
        ([], _) => "nothing else moved".to_owned(),
        (told, 0) => format!("what moved: {}", told.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ")),
        (told, _) => format!("less telling: {}", told.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ")),
    }
}

/// One line for each service that moved without being at a limit: its largest change.
fn services(moved: &[(String, Moved)]) -> Vec<String> {
    let mut told: Vec<(&str, &Moved)> = Vec::new();
    for (service, one) in moved {
        match told.iter_mut().find(|(known, _)| known == service) {
            Some(known) if one.level / one.figure.step > known.1.level / known.1.figure.step => known.1 = one,
            Some(_) => {}
            None => told.push((service, one)),
        }
    }
    let say = |(service, one): (&str, &Moved)| {
        let unit = one.figure.unit;
        format!(
            "`{service}.{}` went from {} to {}, within its limit",
            one.figure.name,
            unit.say(one.calm),
            unit.say(one.level)
        )
    };
    told.into_iter().map(say).collect()
}

fn unexplained(finding: &Finding, clock: &dyn Fn(f64) -> String) -> String {
    if let Some(away) = finding.miss.turned_away {
        return format!("a rate limit turned requests away: {}", said(away));
    }
    match finding.suspects.first() {
        Some(one) => format!("nothing convincing shows why: at most {}", accuse(one, clock)),
        None => "no figure of any sidecar shows why: none was at its limit and none became slow".to_owned(),
    }
}

fn heard(finding: &Finding) -> Option<String> {
    let silent: Vec<String> =
        finding.silent.iter().take(LISTED).map(|(name, why)| format!("`{name}` ({why})")).collect();
    (!silent.is_empty()).then(|| format!("not heard: {}", silent.join(", ")))
}
