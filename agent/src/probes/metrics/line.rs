//! One line of an exposition, in text format 0.0.4 or OpenMetrics: pure, borrows everything, keeps nothing.

/// What a line holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line<'a> {
    /// A comment, a unit, or nothing.
    Nothing,
    /// The mark that the page is whole.
    Eof,
    /// `# TYPE`.
    Type { name: &'a str, kind: &'a str },
    /// `# HELP`, as escaped on the page.
    Help { name: &'a str, text: &'a str },
    /// A sample; time and exemplar are read and left behind.
    Sample(Sample<'a>),
}

/// A sample.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample<'a> {
    pub(super) name: &'a str,
    /// Names and values as escaped on the page, in its order.
    pub(super) labels: Labels<'a>,
    /// The value as written, for what is a number need not be written anew.
    pub(super) value: &'a str,
}

/// The labels of a sample, found well formed: what stands between its braces.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Labels<'a>(&'a str);

impl<'a> Iterator for Labels<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (pair, rest) = pair(self.0).ok()??;
        self.0 = rest;
        Some(pair)
    }
}

/// Reads a line, or says what is wrong with it.
pub(super) fn read(line: &str) -> Result<Line<'_>, &'static str> {
    let line = line.trim_matches(BLANK);
    match line.strip_prefix('#') {
        Some(comment) => Ok(self::comment(comment)),
        None if line.is_empty() => Ok(Line::Nothing),
        None => sample(line).map(Line::Sample),
    }
}

const BLANK: [char; 3] = [' ', '\t', '\r'];

fn comment(text: &str) -> Line<'_> {
    let text = text.trim_start_matches(BLANK);
    let Some((word, rest)) = text.split_once(BLANK) else {
        return if text == "EOF" { Line::Eof } else { Line::Nothing };
    };
    let rest = rest.trim_start_matches(BLANK);
    let (name, about) = rest.split_once(BLANK).unwrap_or((rest, ""));
    match word {
        _ if !is_name(name) => Line::Nothing,
        "TYPE" => Line::Type { name, kind: about.trim_matches(BLANK) },
        "HELP" => Line::Help { name, text: about },
        _ => Line::Nothing,
    }
}

fn sample(line: &str) -> Result<Sample<'_>, &'static str> {
    let end = line.find(|c: char| !is_name_char(c)).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if !is_name(name) {
        return Err("it does not begin with the name of a metric");
    }
    let rest = rest.trim_start_matches(BLANK);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None => (Labels(""), rest),
    };
    let rest = rest.trim_start_matches(BLANK);
    let (value, rest) = rest.split_once(BLANK).unwrap_or((rest, ""));
    if number(value).is_none() {
        return Err("it has no number behind the name");
    }
    behind(rest.trim_start_matches(BLANK)).map(|()| Sample { name, labels, value })
}

/// The labels, and what comes behind the closing brace.
fn labels(inside: &str) -> Result<(Labels<'_>, &str), &'static str> {
    let mut rest = inside;
    while let Some((_, after)) = pair(rest)? {
        rest = after;
    }
    // What is left begins with the brace: `pair` gives nothing for anything else than that.
    let rest = rest.trim_start_matches(BLANK).strip_prefix('}').ok_or("its labels have no end")?;
    let length = inside.len() - rest.len();
    Ok((Labels(inside.get(..length).unwrap_or_default()), rest))
}

/// The next label and what follows it, its comma included; nothing at the closing brace.
type Pair<'a> = Option<((&'a str, &'a str), &'a str)>;

fn pair(text: &str) -> Result<Pair<'_>, &'static str> {
    let text = text.trim_start_matches(BLANK);
    if text.is_empty() || text.starts_with('}') {
        return Ok(None);
    }
    let (name, rest) = text.split_once('=').ok_or("a label has no `=`")?;
    let name = name.trim_end_matches(BLANK);
    if !is_name(name) || name.contains(':') || name == "__name__" {
        return Err("a label's name is none");
    }
    let rest = rest.trim_start_matches(BLANK).strip_prefix('"').ok_or("a label's value is not quoted")?;
    let end = closing_quote(rest).ok_or("a label's value has no closing quotation mark")?;
    let (value, rest) = (rest.get(..end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default());
    let rest = rest.trim_start_matches(BLANK);
    match rest.strip_prefix(',') {
        Some(rest) => Ok(Some(((name, value), rest))),
        None if rest.starts_with('}') => Ok(Some(((name, value), rest))),
        None => Err("something else than a comma follows a label"),
    }
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// A time, an exemplar, or nothing.
fn behind(text: &str) -> Result<(), &'static str> {
    let (time, exemplar) = text.split_once('#').map_or((text, None), |(time, exemplar)| (time, Some(exemplar)));
    let time = time.trim_end_matches(BLANK);
    if !time.is_empty() && number(time).is_none() {
        return Err("what follows the value is no time");
    }
    match exemplar.map(|exemplar| exemplar.trim_start_matches(BLANK)) {
        Some(exemplar) if !exemplar.starts_with('{') => Err("what follows the value is no exemplar"),
        _ => Ok(()),
    }
}

/// A number as Prometheus reads it; what is left out are hexadecimal ones.
pub(super) fn number(text: &str) -> Option<f64> {
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    fits.then(|| text.parse().ok()).flatten()
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | ':')
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_name_char)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        match read(line) {
            Ok(Line::Nothing) => "nothing".to_owned(),
            Ok(Line::Eof) => "eof".to_owned(),
            Ok(Line::Type { name, kind }) => format!("type {name} {kind}"),
            Ok(Line::Help { name, text }) => format!("help {name} {text}"),
            Ok(Line::Sample(Sample { name, labels, value })) => {
                let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={value}")).collect();
                format!("{name} [{}] {value}", labels.join(" "))
            }
            Err(why) => format!("no: {why}"),
        }
    }

    #[test]
    fn reads_every_form_of_a_line() {
        for (line, expected) in [
            ("", "nothing"),
            ("# any comment", "nothing"),
            ("# UNIT a seconds", "nothing"),
            ("# EOF", "eof"),
            ("# TYPE a_total counter", "type a_total counter"),
            ("#TYPE a counter", "type a counter"),
            ("# HELP a b  c\\n", "help a b  c\\n"),
            ("# HELP a", "help a "),
            ("a 1", "a [] 1"),
            ("  a\t1\r", "a [] 1"),
            ("a{} NaN", "a [] NaN"),
            ("a:b{x=\"1\",y=\"\"} +Inf 1700000000000", "a:b [x=1 y=] +Inf"),
            ("a { x = \"a } \\\" b\" , } -1.5e-3", "a [x=a } \\\" b] -1.5e-3"),
            ("a_bucket{le=\"+Inf\"} 3 # {trace_id=\"x # y\"} 0.5 1.1", "a_bucket [le=+Inf] 3"),
            ("a 1 1.5", "a [] 1"),
            ("a{x=\"é\"} 1", "a [x=é] 1"),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_line_that_is_none() {
        for (line, expected) in [
            ("<!DOCTYPE html>", "no: it does not begin with the name of a metric"),
            ("{\"status\": \"ok\"}", "no: it does not begin with the name of a metric"),
            ("1a 1", "no: it does not begin with the name of a metric"),
            ("a", "no: it has no number behind the name"),
            ("a one", "no: it has no number behind the name"),
            ("a 0x1p3", "no: it has no number behind the name"),
            ("a 1_000", "no: it has no number behind the name"),
            ("a{x=\"1\" 1", "no: something else than a comma follows a label"),
            ("a{x=\"1", "no: a label's value has no closing quotation mark"),
            ("a{x=1} 1", "no: a label's value is not quoted"),
            ("a{x} 1", "no: a label has no `=`"),
            ("a{", "no: its labels have no end"),
            ("a{x:y=\"1\"} 1", "no: a label's name is none"),
            ("a{__name__=\"b\"} 1", "no: a label's name is none"),
            ("a 1 then", "no: what follows the value is no time"),
            ("a 1 # exemplar", "no: what follows the value is no exemplar"),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }
}
