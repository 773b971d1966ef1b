//! What must be known of an expression without evaluating it: Grafana's variables in it, and the metrics that it names.

/// What Grafana puts in by itself.
const BUILT_IN: [(&str, &str); 4] =
    [("__rate_interval", "1m"), ("__interval", "15s"), ("__range", "1h"), ("__range_s", "3600")];

/// The expression with its variables replaced by what was chosen; those that nobody chose stand for `All`, when they are in `all`.
///
/// # Errors
/// When it names a variable that is neither Grafana's nor in either list.
pub fn substituted(expr: &str, chosen: &[(&str, &str)], all: &[&str]) -> Result<String, String> {
    let mut pieces = expr.split('$');
    let mut done = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let braced = piece.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let (name, rest) = braced.unwrap_or_else(|| {
            piece.split_at(piece.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(piece.len()))
        });
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            // A group of `label_replace`: Grafana leaves what is no variable of its own.
            done.push('$');
            done.push_str(piece);
            continue;
        }
        let value = chosen.iter().chain(&BUILT_IN).find(|(known, _)| *known == name).map(|(_, value)| *value);
        let value = value.or_else(|| all.contains(&name).then_some(".*"));
        done.push_str(value.ok_or_else(|| format!("`${name}` is no variable of the dashboard"))?);
        done.push_str(rest);
    }
    Ok(done)
}

/// Words of the language that stand where a metric may.
const WORDS: &[&str] = &[
    "and",
    "or",
    "unless",
    "bool",
    "offset",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "inf",
    "nan",
];
/// After these, brackets hold labels.
const BEFORE_LABELS: &[&str] = &["by", "without", "on", "ignoring", "group_left", "group_right"];

/// The metrics that an expression names.
#[must_use]
pub fn metrics(expr: &str) -> Vec<String> {
    let is_metric = |word: &str, after: &str, in_labels: bool| {
        let aggregates = ["(", "by (", "without ("].iter().any(|next| after.starts_with(next));
        !in_labels && !aggregates && !WORDS.contains(&word)
    };
    words(expr, is_metric)
}

/// The labels that it groups or joins by.
#[must_use]
pub fn grouping_labels(expr: &str) -> Vec<String> {
    words(expr, |_, _, in_labels| in_labels)
}

/// The identifiers outside texts, selectors and ranges that `wanted` takes: it is told the word, what follows, and whether it stands in
/// brackets that hold labels. Grafana's variables are no words.
fn words(expr: &str, wanted: impl Fn(&str, &str, bool) -> bool) -> Vec<String> {
    let expr = bare(expr);
    let (mut found, mut rest, mut in_labels, mut before) = (Vec::new(), expr.as_str(), false, "");
    while let Some(c) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || "_:.".contains(c);
        if !is_word(c) {
            in_labels = match c {
                '(' => BEFORE_LABELS.contains(&before),
                ')' => false,
                _ => in_labels,
            };
            if !c.is_whitespace() {
                before = "";
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            if c == '$' {
                rest = rest.trim_start_matches(is_word);
            }
            continue;
        }
        let (word, after) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
        let is_name = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if is_name && wanted(word, after.trim_start(), in_labels) {
            found.push(word.to_owned());
        }
        (before, rest) = (word, after);
    }
    found
}

/// The expression without its texts, selectors and ranges.
fn bare(expr: &str) -> String {
    let (mut bare, mut quote, mut depth) = (String::new(), None, 0_u32);
    let mut characters = expr.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(_), '\\') => drop(characters.next()),
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 => bare.push(c),
            (None, _) => {}
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_metrics_and_nothing_else() {
        let expr = r#"histogram_quantile(0.95, sum by (le, job) (rate(a_bucket{x="in {b}", y=~"c"}[5m]))) > bool 1e3 or on (instance) group_left (kind) d:e unless vector(0) / $slo"#;
        assert_eq!(metrics(expr), ["a_bucket", "d:e"]);
        assert_eq!(grouping_labels(expr), ["le", "job", "instance", "kind"]);
    }

    #[test]
    fn a_variable_that_nobody_knows_is_an_error() {
        let done = substituted(
            "rate(a{b=~\"$s\", c=~\"${t:regex}\"}[$__rate_interval])",
            &[("s", "x"), ("t:regex", "y")],
            &[],
        );
        assert_eq!(done.as_deref(), Ok("rate(a{b=~\"x\", c=~\"y\"}[1m])"));
        assert_eq!(substituted("a{b=~\"$all\"}", &[], &["all"]).as_deref(), Ok("a{b=~\".*\"}"));
        assert_eq!(substituted("\"${1}xx\", \"$1\"", &[], &[]).as_deref(), Ok("\"${1}xx\", \"$1\""));
        assert!(substituted("a{b=\"$servce\"}", &[("service", "x")], &[]).is_err_and(|why| why.contains("$servce")));
    }
}
