//! The grammar of a target: `[name] indicator op limit [during stage]`, and `recovery < 30s after stage`. The name is a request, a journey or a group and may be quoted;
//! without one the target is about all requests. Pure text: whether the name exists is asked elsewhere.

use super::indicators::{INDICATORS, Indicator, RECOVERY, Unit};
use crate::{suggest, units};
use std::ops::Range;

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
    /// What is measured.
    pub indicator: &'static Indicator,
    /// The comparison.
    pub op: Op,
    /// The limit in the indicator's unit: microseconds, share or per second.
    pub limit: f64,
    /// The stage of `during` or `after`.
    pub stage: Option<String>,
    /// Where in the text the stage stands, in bytes.
    pub stage_at: Range<usize>,
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
    let word = last_word(text, left.clone());
    if word.is_empty() {
        return Err(error("no indicator before the comparison", op_at, indicators_hint("")));
    }
    let written = slice(text, &word);
    let recovery = (written == RECOVERY.name).then_some(&RECOVERY);
    let Some(indicator) = recovery.or_else(|| Indicator::find(written)) else {
        return Err(error(format!("unknown indicator `{written}`"), word, indicators_hint(written)));
    };
    let limit = limit(indicator, text, right, &op_at)?;
    let name_at = trimmed(text, left.start..word.start);
    let name = unquoted(text, &name_at)?;
    if after != recovery.is_some() {
        let hint = "write it like `recovery < 30s after spike`, or `p95 < 300ms during spike`".to_owned();
        let what = if after { "only a recovery comes `after` a stage" } else { "a recovery without its stage" };
        return Err(error(what, word, hint));
    }
    let stage = unquoted(text, &stage_at)?;
    Ok(Expression { name, name_at, indicator, op, limit, stage, stage_at })
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

fn limit(indicator: &Indicator, text: &str, at: Range<usize>, op_at: &Range<usize>) -> Result<f64, GrammarError> {
    let (written, unit) = (slice(text, &at), indicator.unit);
    if at.is_empty() {
        let hint = format!("write it like {}", unit.example());
        return Err(error("no limit after the comparison", op_at.clone(), hint));
    }
    read_limit(written, unit).ok_or_else(|| {
        let what = format!("`{written}` is not a limit for `{}`", indicator.name);
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
    suggest::hint(word, "indicators", INDICATORS.iter().chain([&RECOVERY]).map(|row| row.name))
}

fn error(what: impl Into<String>, at: Range<usize>, hint: String) -> GrammarError {
    GrammarError { what: what.into(), at, hint }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> (Option<String>, &'static str, Op, f64) {
        let found = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        (found.name, found.indicator.name, found.op, found.limit)
    }

    #[test]
    fn reads_targets_as_people_write_them() {
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(read("api p95 < 2s"), (some("api"), "p95", Op::Below, 2e6));
        assert_eq!(read("errors < 1%"), (None, "errors", Op::Below, 0.01));
        assert_eq!(read("throughput > 150/s"), (None, "throughput", Op::Above, 150.0));
        assert_eq!(read("throughput >= 90/m"), (None, "throughput", Op::AtLeast, 1.5));
        assert_eq!(read("login errors < 0.1%"), (some("login"), "errors", Op::Below, 0.001));
        assert_eq!(read("'GET /x' p99 < 300ms"), (some("GET /x"), "p99", Op::Below, 3e5));
        assert_eq!(read("GET /x?a=1 p99<=300ms"), (some("GET /x?a=1"), "p99", Op::AtMost, 3e5));
        assert_eq!(read("  max<10s "), (None, "max", Op::Below, 1e7));
        assert_eq!(read("\"max\" max < 1m30s"), (some("max"), "max", Op::Below, 9e7));
    }

    #[test]
    fn a_target_may_name_a_stage() {
        let read = |text: &str| {
            let found = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            (found.indicator.name, found.limit, found.stage.unwrap_or_default())
        };
        assert_eq!(read("p95 < 300ms during spike"), ("p95", 3e5, "spike".to_owned()));
        assert_eq!(read("errors<1%  during  'warm up' "), ("errors", 0.01, "warm up".to_owned()));
        assert_eq!(read("throughput > 10/s during 2nd"), ("throughput", 10.0, "2nd".to_owned()));
        assert_eq!(read("recovery < 30s after spike"), ("recovery", 3e7, "spike".to_owned()));
        assert_eq!(read("p95 < 300ms"), ("p95", 3e5, String::new()));
        assert_eq!(parse("during p95 < 3s").unwrap().name.as_deref(), Some("during"));
    }

    #[test]
    fn each_mistake_has_its_message_place_and_hint() {
        let cases = [
            "",
            "api p95",
            "p96 < 2s",
            "< 2s",
            "p95 <",
            "p95 < 2",
            "p95 < soon",
            "errors < 2",
            "errors < 101%",
            "throughput > 150",
            "throughput > 150/h",
            "p95 == 2s",
            "p95 = 2s",
            "'GET /x p95 < 2s",
            "p95 < -2s",
            "p95 < 2s during",
            "p95 < 2s after spike",
            "recovery < 30s",
            "recovery < 30s during spike",
            "p95 < during spike",
        ];
        let mut said = String::new();
        for text in cases {
            let error = parse(text).expect_err(text);
            said += &format!("{text:20}| {error} | {} | {}\n", slice(text, &error.at), error.hint);
        }
        insta::assert_snapshot!(said, @r"
                            | no comparison in the target |  | write it like `p95 < 2s`, `errors < 1%` or `throughput > 150/s`
        api p95             | no comparison in the target | api p95 | write it like `p95 < 2s`, `errors < 1%` or `throughput > 150/s`
        p96 < 2s            | unknown indicator `p96` | p96 | did you mean `p95`? indicators: p50, p90, p95, p99, max, errors, throughput, recovery
        < 2s                | no indicator before the comparison | < | indicators: p50, p90, p95, p99, max, errors, throughput, recovery
        p95 <               | no limit after the comparison | < | write it like `300ms` or `2s`
        p95 < 2             | `2` is not a limit for `p95` | 2 | write it like `300ms` or `2s`
        p95 < soon          | `soon` is not a limit for `p95` | soon | write it like `300ms` or `2s`
        errors < 2          | `2` is not a limit for `errors` | 2 | write it like `1%`
        errors < 101%       | `101%` is not a limit for `errors` | 101% | write it like `1%`
        throughput > 150    | `150` is not a limit for `throughput` | 150 | write it like `150/s`
        throughput > 150/h  | `150/h` is not a limit for `throughput` | 150/h | write it like `150/s`
        p95 == 2s           | unknown comparison `==` | == | comparisons: `<`, `<=`, `>`, `>=`
        p95 = 2s            | unknown comparison `=` | = | comparisons: `<`, `<=`, `>`, `>=`
        'GET /x p95 < 2s    | a quote without its partner | 'GET /x | close it: 'GET /x' p95 < 2s
        p95 < -2s           | `-2s` is not a limit for `p95` | -2s | write it like `300ms` or `2s`
        p95 < 2s during     | no stage at the end | 2s during | write it like `p95 < 300ms during spike`
        p95 < 2s after spike| only a recovery comes `after` a stage | p95 | write it like `recovery < 30s after spike`, or `p95 < 300ms during spike`
        recovery < 30s      | a recovery without its stage | recovery | write it like `recovery < 30s after spike`, or `p95 < 300ms during spike`
        recovery < 30s during spike| a recovery without its stage | recovery | write it like `recovery < 30s after spike`, or `p95 < 300ms during spike`
        p95 < during spike  | `during spike` is not a limit for `p95` | during spike | write it like `300ms` or `2s`
        ");
    }

    proptest! {
        #[test]
        fn never_panics_and_points_into_the_text(text in "\\PC{0,40}") {
            if let Err(error) = parse(&text) {
                prop_assert!(text.get(error.at.clone()).is_some(), "{:?}", error.at);
            }
        }

        #[test]
        fn reads_back_what_it_would_write(
            name in proptest::option::of("[a-zA-Z/]{1,8}( [a-z/<>=]{1,8})?"), row in 0..INDICATORS.len(), amount in 1_u32..100,
        ) {
            let indicator = &INDICATORS[row];
            let limit = match indicator.unit { Unit::Time => "ms", Unit::Share => "%", Unit::Rate => "/s" };
            let written = name.as_ref().map_or(String::new(), |name| format!("'{name}' "));
            let text = format!("{written}{} < {amount}{limit}", indicator.name);
            let found = parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
            prop_assert_eq!(found.name, name);
            prop_assert_eq!(found.indicator.name, indicator.name);
        }
    }
}
