//! Why targets were missed, and what the sidecars told: the findings of a run as the report has them, and as a person reads them.

use super::{Facts, Report};
use crate::culprit::{self, Finding, Miss, Suspect};
use crate::limits::SIDECAR_POINTS_SHOWN;
use crate::measure::Timeline;
use crate::redact::Redactor;
use crate::sidecars::{Evidence, Gap, Point, Service, Track};
use serde::{Deserialize, Serialize};

/// Who is to blame for a missed target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingLine {
    /// The target as written; null for a finding that no target is behind.
    pub target: Option<String>,
    /// All of it, for people. Times of day are UTC.
    pub sentence: String,
    /// Seconds since the load began in which it was missed most clearly: from.
    pub from_s: f64,
    /// Until.
    pub until_s: f64,
    /// Who is suspected, the first one first.
    pub suspects: Vec<SuspectLine>,
}

/// A service that is suspected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuspectLine {
    /// The service; `load generator` for the generator itself.
    pub service: String,
    /// Whether the sentence blames it.
    pub named: bool,
    /// The figure that speaks against it; null for a cause that a sidecar named.
    pub figure: Option<String>,
    /// The cause that a sidecar named; `rate_limited` where the answers themselves say so.
    pub cause: Option<String>,
    /// Since when, in seconds since the load began.
    pub since_s: f64,
    /// The figure while the target was missed: a share of 1, microseconds or a number.
    pub level: f64,
    /// The figure in the calm time.
    pub calm: Option<f64>,
    /// The service that it waits for.
    pub waits_for: Option<String>,
    /// Conviction, 0 to 1.
    pub score: f64,
}

/// What a sidecar told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SidecarLine {
    /// The service.
    pub service: String,
    /// When it was not heard.
    pub gaps: Vec<GapLine>,
    /// What it told that cannot be.
    pub unbelievable: Option<String>,
    /// Its figures.
    pub figures: Vec<FigureLine>,
}

/// A time in which a sidecar was not heard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GapLine {
    /// The first question without an answer, in seconds since the load began.
    pub from_s: f64,
    /// The last one.
    pub until_s: f64,
    /// Why.
    pub why: String,
}

/// The course of a figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FigureLine {
    /// Its name, as targets write it.
    pub name: String,
    /// From this value on it is a bottleneck.
    pub saturated: Option<f64>,
    /// Its mean in the calm time.
    pub calm: Option<f64>,
    /// Seconds since the load began (below 0: the calm time), mean and highest value; thinned out in a long run.
    pub points: Vec<(f64, f64, f64)>,
}

/// The findings about missed targets, and the throughput limit where one was reached.
pub(super) fn findings(
    misses: &[Miss],
    timeline: &Timeline,
    facts: &Facts,
    (generator, clean): (Option<&str>, &Redactor),
) -> Vec<FindingLine> {
    let clock = clock(&facts.started);
    let of = |miss: &Miss| line(&culprit::find(miss, &facts.evidence, generator, &clock), generator, clean);
    // Without a sidecar there is nothing to say but what the targets say themselves.
    let told = misses.iter().filter(|miss| !facts.evidence.services.is_empty() || miss.turned_away.is_some());
    let mut lines: Vec<FindingLine> = told.map(of).collect();
    if let Some(limit) = culprit::limit(timeline).filter(|_| generator.is_none()) {
        let until_s = timeline.slots().last().map_or(limit.from, |slot| slot.until.as_secs_f64());
        let sentence = limit.sentence(&clock);
        lines.push(FindingLine { target: None, sentence, from_s: limit.from, until_s, suspects: Vec::new() });
    }
    lines
}

fn line(finding: &Finding, generator: Option<&str>, clean: &Redactor) -> FindingLine {
    let own = generator.map(|_| SuspectLine {
        service: "load generator".to_owned(),
        named: true,
        figure: None,
        cause: None,
        since_s: 0.0,
        level: 1.0,
        calm: None,
        waits_for: None,
        score: 1.0,
    });
    let others = (0..).zip(&finding.suspects).map(|(number, suspect)| suspect_line(suspect, number < finding.named));
    FindingLine {
        target: Some(finding.miss.target.clone()),
        sentence: clean.clean(&finding.sentence),
        from_s: finding.miss.when.start,
        until_s: finding.miss.when.end,
        suspects: own.into_iter().chain(others).collect(),
    }
}

fn suspect_line(suspect: &Suspect, named: bool) -> SuspectLine {
    let sign = &suspect.sign;
    SuspectLine {
        service: suspect.service.clone(),
        named,
        figure: sign.figure().map(|figure| figure.name.to_owned()),
        cause: sign.cause().map(str::to_owned),
        since_s: sign.from,
        level: sign.level,
        calm: sign.calm,
        waits_for: suspect.waits_for.clone(),
        score: suspect.score,
    }
}

/// What the sidecars told.
pub(super) fn sidecars(evidence: &Evidence, clean: &Redactor) -> Vec<SidecarLine> {
    let gap = |gap: &Gap| GapLine { from_s: gap.from, until_s: gap.until, why: clean.clean(&gap.why) };
    let line = |service: &Service| SidecarLine {
        service: service.name.clone(),
        gaps: service.gaps.iter().map(gap).collect(),
        unbelievable: service.nonsense.as_ref().map(|lie| clean.clean(lie)),
        figures: service.tracks.iter().map(figure).collect(),
    };
    evidence.services.iter().map(line).collect()
}

fn figure(track: &Track) -> FigureLine {
    let every = track.points.len().div_ceil(SIDECAR_POINTS_SHOWN).max(1);
    FigureLine {
        name: track.figure.name.to_owned(),
        saturated: track.figure.saturated,
        calm: track.mean(&(f64::MIN..0.0)),
        points: track.points.chunks(every).filter_map(together).collect(),
    }
}

/// Several points as one: a plot must not hide a peak.
fn together(points: &[Point]) -> Option<(f64, f64, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "some thousand points")]
    let mean = points.iter().map(|point| point.mean).sum::<f64>() / points.len() as f64;
    Some((points.first()?.at, mean, points.iter().map(|point| point.most).fold(f64::MIN, f64::max)))
}

impl Report {
    /// What the sidecars told, as far as the report has it; figures that this program does not know are left out.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        let point = |&(at, mean, most): &(f64, f64, f64)| Point { at, mean, most };
        let track = |line: &FigureLine| {
            let mut track = Track::of(crate::sidecars::find(&line.name)?, []);
            track.points = line.points.iter().map(point).collect();
            Some(track)
        };
        let gap = |gap: &GapLine| Gap { from: gap.from_s, until: gap.until_s, why: gap.why.clone() };
        let service = |line: &SidecarLine| {
            let mut service = Service::new(&line.service);
            service.tracks = line.figures.iter().filter_map(track).collect();
            service.gaps = line.gaps.iter().map(gap).collect();
            service.nonsense.clone_from(&line.unbelievable);
            service
        };
        Evidence { services: self.sidecars.iter().map(service).collect() }
    }

    /// The findings for a run that was judged again: those of the run itself, which knew more, where a target is missed as before.
    #[must_use]
    pub fn findings_again(&self, judged: &Self) -> Vec<FindingLine> {
        let known = |line: &FindingLine| self.findings.iter().find(|own| own.target == line.target);
        let limit = self.findings.iter().filter(|own| own.target.is_none());
        let missed = judged.findings.iter().filter(|line| line.target.is_some());
        missed.map(|line| known(line).unwrap_or(line)).chain(limit).cloned().collect()
    }
}

/// Writes a moment of the run as the time of day, UTC, as containers log it.
fn clock(started: &str) -> impl Fn(f64) -> String {
    let started = chrono::DateTime::parse_from_rfc3339(started).ok();
    move |at| {
        #[expect(clippy::cast_possible_truncation, reason = "seconds of a run")]
        let since = chrono::TimeDelta::milliseconds((at * 1000.0) as i64);
        match started.and_then(|started| started.checked_add_signed(since)) {
            Some(moment) => moment.to_utc().format("%H:%M:%S").to_string(),
            None => format!("{at:.0} s"),
        }
    }
}

/// The findings for people; nothing without any.
pub(super) fn why(report: &Report) -> String {
    if report.findings.is_empty() {
        return String::new();
    }
    report.findings.iter().fold("why\n".to_owned(), |all, finding| all + "  " + &finding.sentence + "\n")
}

/// The sidecars for people: one line each, with the figures that say most.
pub(super) fn told(report: &Report) -> String {
    const SHOWN: &[&str] = &["cpu", "cpu_throttled", "memory", "connections_used", "pool", "query"];
    if report.sidecars.is_empty() {
        return String::new();
    }
    let line = |sidecar: &SidecarLine| {
        let figures =
            sidecar.figures.iter().filter(|figure| SHOWN.contains(&figure.name.as_str())).filter_map(under_load);
        let gap = sidecar.gaps.last().map(|gap| format!("NOT HEARD for a while: {}", gap.why));
        let lie = sidecar.unbelievable.as_ref().map(|lie| format!("NOT BELIEVED: {lie}"));
        let told: Vec<String> = gap.into_iter().chain(lie).chain(figures).collect();
        let told = if told.is_empty() { "no figures".to_owned() } else { told.join(", ") };
        format!("  {}: {told}\n", sidecar.service)
    };
    report.sidecars.iter().fold("sidecars, under load\n".to_owned(), |all, sidecar| all + &line(sidecar))
}

fn under_load(line: &FigureLine) -> Option<String> {
    let unit = crate::sidecars::find(&line.name)?.unit;
    let load = || line.points.iter().filter(|(at, ..)| *at > 0.0);
    #[expect(clippy::cast_precision_loss, reason = "some hundred points")]
    let mean = load().map(|(_, mean, _)| mean).sum::<f64>() / load().count() as f64;
    let most = load().map(|(.., most)| *most).reduce(f64::max)?;
    Some(format!("{} {} (at most {})", line.name, unit.say(mean), unit.say(most)))
}
