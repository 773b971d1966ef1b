//! The grammar of a target: `[name] indicator op limit [over time] [during stage]`, and
//! `recovery < 30s after stage`. The name is a request, a journey or a group and may be
//! quoted; without one the target is about all requests. `service.figure` and `[service] figure` are about what a sidecar tells.
//! Pure text: whether the name exists is asked elsewhere.

use super::indicators::{INDICATORS, Indicator, OF_SIDECAR, RECOVERY};
use crate::sidecars::{self, FIGURES, Figure};
use crate::units::Unit;
use crate::{suggest, units};
use std::ops::Range;
use std::time::Duration;

/// How the figure must stand to the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// A target as read.
#[derive(Clone, Debug)]
pub struct Expression {
    /// Request, journey or group; none means all requests.
    pub name: Option<String>,
    /// Where in the text the name stands, in bytes.
    pub name_at: Range<usize>,
    /// What is measured; [`OF_SIDECAR`] for a figure.
    pub indicator: &'static Indicator,
    /// The sidecars' figure, where it is one; the name is then that of a service.
    pub figure: Option<&'static Figure>,
    /// The comparison.
    pub op: Op,
    /// The limit in the indicator's unit: microseconds, share or per second.
    pub limit: f64,
    /// The stage of `during` or `after`.
    pub stage: Option<String>,
    /// Where in the text the stage stands, in bytes.
    pub stage_at: Range<usize>,
    /// The length of the windows of which the worst counts; none for the whole judged time.
    pub over: Option<Duration>,
}

/// What is wrong with a target, and where in its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct GrammarError {
    /// What is wrong.
    pub what: String,
    /// Bytes of the text in question.
    pub at: Range<usize>,
    /// What to do.
    pub hint: String,
}

impl Op {
    /// Whether the figure is as the target asks.
    #[must_use]
    pub fn holds(self, figure: f64, limit: f64) -> bool {
        match self {
            Self::Below => figure < limit,
            Self::AtMost => figure <= limit,
            Self::Above => figure > limit,
            Self::AtLeast => figure >= limit,
        }
    }

    /// As written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// Reads a target.
///
/// # Errors
/// When a part is missing or unknown; the error has the place and a hint.
pub fn parse(text: &str) -> Result<Expression, GrammarError> {
    let (op_at, op) = operator(text)?;
    let left = trimmed(text, 0..op_at.start);
    let Clause { limit: right, stage_at, after } = clause(text, trimmed(text, op_at.end..text.len()))?;
    let (right, over) = window(text, right)?;
    let word = last_word(text, left.clone());
    if word.is_empty() {
        return Err(error("no indicator before the comparison", op_at, indicators_hint("")));
    }
    let written = slice(text, &word);
    let recovery = (written == RECOVERY.name).then_some(&RECOVERY);
    let (figure, name_at) = match sidecars::find(written) {
        Some(figure) => (Some(figure), without_average(text, left.start..word.start)),
        None => {
            dotted(text, &left).map_or((None, trimmed(text, left.start..word.start)), |(figure, at)| (Some(figure), at))
        }
    };
    let Some(indicator) = figure.map(|_| &OF_SIDECAR).or(recovery).or_else(|| Indicator::find(written)) else {
        return Err(error(format!("unknown indicator `{written}`"), word, indicators_hint(written)));
    };
    let unit = figure.map_or(indicator.unit, |figure| figure.unit);
    let limit = limit((written, unit), text, right, &op_at)?;
    let name = unquoted(text, &name_at)?;
    if after != recovery.is_some() {
        let hint = "write it like `recovery < 30s after spike`, or `p95 < 300ms during spike`".to_owned();
        let what = if after { "only a recovery comes `after` a stage" } else { "a recovery without its stage" };
        return Err(error(what, word, hint));
    }
    let stage = unquoted(text, &stage_at)?;
    Ok(Expression { name, name_at, indicator, figure, op, limit, over, stage, stage_at })
}

/// The limit without `over 30s` behind it, and those thirty seconds.
fn window(text: &str, right: Range<usize>) -> Result<(Range<usize>, Option<Duration>), GrammarError> {
    let written = slice(text, &right);
    let Some(at) = written.find(" over ") else { return Ok((right, None)) };
    let time = trimmed(text, right.start + at + " over ".len()..right.end);
    let wrong = |what: String| error(what, time.clone(), "write it like `p95 < 300ms over 30s`".to_owned());
    let over =
        units::duration(slice(text, &time)).map_err(|_| wrong(format!("`{}` is not a time", slice(text, &time))))?;
    if over < Duration::from_secs(1) {
        return Err(wrong("a window is a second or longer".to_owned()));
    }
    Ok((trimmed(text, right.start..right.start + at), Some(over)))
}

/// `service.figure`, as one word or with a service that is quoted.
fn dotted(text: &str, left: &Range<usize>) -> Option<(&'static Figure, Range<usize>)> {
    let (service, figure) = slice(text, left).rsplit_once('.')?;
    let figure = sidecars::find(figure)?;
    Some((figure, trimmed(text, left.start..left.start + service.len())))
}

/// `db avg query`: a query's time is an average anyway.
fn without_average(text: &str, name_at: Range<usize>) -> Range<usize> {
    let name_at = trimmed(text, name_at);
    let last = last_word(text, name_at.clone());
    if ["avg", "average"].contains(&slice(text, &last)) { trimmed(text, name_at.start..last.start) } else { name_at }
}

/// What stands behind the comparison.
struct Clause {
    limit: Range<usize>,
    /// The name of the stage; empty where there is none.
    stage_at: Range<usize>,
    /// Whether it is `after` the stage, not `during` it.
    after: bool,
}

/// The limit without `during spike` or `after spike` behind it.
fn clause(text: &str, right: Range<usize>) -> Result<Clause, GrammarError> {
    let written = slice(text, &right);
    let found = [(" during", false), (" after", true)].into_iter().find_map(|(word, after)| {
        let at = written.find(word)?;
        let behind = right.start + at + word.len();
        let whole = text.get(behind..right.end)?;
        (whole.is_empty() || whole.starts_with(' ')).then_some((at, behind, after))
    });
    let Some((at, behind, after)) = found else {
        return Ok(Clause { stage_at: right.end..right.end, limit: right, after: false });
    };
    let stage_at = trimmed(text, behind..right.end);
    if stage_at.is_empty() {
        let hint = "write it like `p95 < 300ms during spike`".to_owned();
        return Err(error("no stage at the end", right, hint));
    }
    Ok(Clause { limit: trimmed(text, right.start..right.start + at), stage_at, after })
}

/// The last comparison outside quotes: a request's name may have one in it, a limit may not.
fn operator(text: &str) -> Result<(Range<usize>, Op), GrammarError> {
    let Some(at) = text.rfind(['<', '>', '=']) else {
        let hint = "write it like `p95 < 2s`, `errors < 1%` or `throughput > 150/s`".to_owned();
        return Err(error("no comparison in the target", 0..text.len(), hint));
    };
    let start = text.get(..at).map_or(at, |before| before.trim_end_matches(['<', '>', '=']).len());
    let op = match slice(text, &(start..at + 1)) {
        "<" => Op::Below,
        "<=" => Op::AtMost,
        ">" => Op::Above,
        ">=" => Op::AtLeast,
        other => {
            let hint = "comparisons: `<`, `<=`, `>`, `>=`".to_owned();
            return Err(error(format!("unknown comparison `{other}`"), start..at + 1, hint));
        }
    };
    Ok((start..at + 1, op))
}

fn limit((name, unit): (&str, Unit), text: &str, at: Range<usize>, op_at: &Range<usize>) -> Result<f64, GrammarError> {
    let written = slice(text, &at);
    if at.is_empty() {
        let hint = format!("write it like {}", unit.example());
        return Err(error("no limit after the comparison", op_at.clone(), hint));
    }
    read_limit(written, unit).ok_or_else(|| {
        let what = format!("`{written}` is not a limit for `{name}`");
        error(what, at, format!("write it like {}", unit.example()))
    })
}

fn read_limit(written: &str, unit: Unit) -> Option<f64> {
    match unit {
        // A bare number could mean seconds or milliseconds, so it means nothing.
        Unit::Time => written
            .ends_with(char::is_alphabetic)
            .then(|| units::duration(written).ok())?
            .map(|limit| limit.as_secs_f64() * 1e6),
        Unit::Share => number(written.strip_suffix('%')?).filter(|percent| *percent <= 100.0).map(|p| p / 100.0),
        Unit::Count => number(written),
        Unit::Rate => units::rate(written).ok(),
    }
}

fn number(written: &str) -> Option<f64> {
    let written = written.trim();
    let plain = written.starts_with(|c: char| c.is_ascii_digit()) && !written.contains(['e', 'E']);
    written.parse::<f64>().ok().filter(|number| plain && number.is_finite())
}

/// The name without its quotes; quotes that do not match are an error.
fn unquoted(text: &str, at: &Range<usize>) -> Result<Option<String>, GrammarError> {
    let name = slice(text, at);
    let Some(quote) = name.chars().next().filter(|c| ['\'', '"'].contains(c)) else {
        return Ok((!name.is_empty()).then(|| name.to_owned()));
    };
    match name.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
        Some(inner) if !inner.is_empty() => Ok(Some(inner.to_owned())),
        _ => Err(error("a quote without its partner", at.clone(), format!("close it: {quote}GET /x{quote} p95 < 2s"))),
    }
}

fn last_word(text: &str, within: Range<usize>) -> Range<usize> {
    let part = slice(text, &within);
    let start = part.rfind(char::is_whitespace).map_or(0, |at| at + part.get(at..).and_then(first_len).unwrap_or(1));
    within.start + start..within.end
}

fn first_len(text: &str) -> Option<usize> {
    text.chars().next().map(char::len_utf8)
}

fn trimmed(text: &str, within: Range<usize>) -> Range<usize> {
    let part = slice(text, &within);
    let start = within.start + part.len() - part.trim_start().len();
    start..start + part.trim().len()
}

fn slice<'a>(text: &'a str, at: &Range<usize>) -> &'a str {
    text.get(at.clone()).unwrap_or_default()
}

fn indicators_hint(word: &str) -> String {
    if let Some((_, figure)) = word.rsplit_once('.') {
        return suggest::hint(figure, "figures of sidecars", FIGURES.iter().map(|row| row.name));
    }
    suggest::hint(word, "indicators", INDICATORS.iter().chain([&RECOVERY]).map(|row| row.name))
}

fn error(what: impl Into<String>, at: Range<usize>, hint: String) -> GrammarError {
    GrammarError { what: what.into(), at, hint }
}

#[cfg(test)]
#[path = "grammar_tests.rs"]
mod tests;
