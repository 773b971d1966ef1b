//! "Did you mean": the known word closest to one that is unknown.

/// The known word that a slip of the fingers may have turned into `word`: one edit, or one in three letters of longer words;
/// none in one or two letters, where any word is one edit away from any other.
#[must_use]
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let letters = word.chars().count();
    let allowed = if letters < 3 { 0 } else { letters / 3 };
    let distance = |candidate: &str| strsim::osa_distance(&word, &candidate.to_lowercase());
    known
        .into_iter()
        .map(|name| (distance(name), name))
        .filter(|(edits, _)| *edits <= allowed)
        .min()
        .map(|(_, name)| name)
}

/// Advice for an unknown word: the closest known one, and all of them when they are few or none is close.
#[must_use]
pub fn did_you_mean(word: &str, what: &str, known: &[&str]) -> String {
    let all = || format!("known {what}: {}", known.join(", "));
    match closest(word, known.iter().copied()) {
        Some(name) if known.len() > 16 => format!("did you mean `{name}`?"),
        Some(name) => format!("did you mean `{name}`? {}", all()),
        None if known.is_empty() => format!("there are no {what} here"),
        None => all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_what_a_slip_explains() {
        let known = ["http", "https", "redis", "postgres", "interval"];
        let cases = [
            ("htpp", Some("http")),
            ("HTTP", Some("http")),
            ("intervall", Some("interval")),
            ("postgre", Some("postgres")),
            ("kafka", None),
            ("x", None),
            ("ht", None),
            ("", None),
        ];
        for (word, expected) in cases {
            assert_eq!(closest(word, known), expected, "{word}");
        }
    }

    #[test]
    fn names_all_when_none_is_close() {
        assert_eq!(did_you_mean("kafka", "schemes", &["http", "tcp"]), "known schemes: http, tcp");
        assert_eq!(did_you_mean("tpc", "schemes", &["http", "tcp"]), "did you mean `tcp`? known schemes: http, tcp");
        assert_eq!(did_you_mean("tpc", "schemes", &[]), "there are no schemes here");
    }
}
