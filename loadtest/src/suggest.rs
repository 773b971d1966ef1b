//! "Did you mean": the known word nearest to a mistyped one.

/// The candidate that a person most likely meant, or none when nothing is near.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let scored = known.into_iter().map(|candidate| {
        let other = candidate.to_lowercase();
        (strsim::osa_distance(&lower, &other), number(&lower).abs_diff(number(&other)), candidate)
    });
    // Of words equally near the one with the nearest number: `p96` is meant as `p95`.
    let (distance, _, candidate) = scored.min_by_key(|(distance, gap, _)| (*distance, *gap))?;
    let bearable = (word.chars().count().max(candidate.chars().count()) / 3).clamp(1, 4);
    (distance <= bearable).then_some(candidate)
}

/// The digits of a word as a number; 0 without any.
fn number(word: &str) -> u64 {
    word.chars()
        .filter_map(|c| c.to_digit(10))
        .fold(0, |all, digit| all.saturating_mul(10).saturating_add(digit.into()))
}

/// A hint that names the nearest word, if any, and then all of them.
#[must_use]
pub fn hint<'a>(word: &str, what: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let list = known.clone().into_iter().collect::<Vec<_>>().join(", ");
    match nearest(word, known) {
        Some(near) => format!("did you mean `{near}`? {what}: {list}"),
        None => format!("{what}: {list}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_nearest_word_and_stays_silent_when_nothing_is_near() {
        let known = ["users", "target", "targets", "run_time"];
        assert_eq!(nearest("user", known), Some("users"));
        assert_eq!(nearest("runtime", known), Some("run_time"));
        assert_eq!(nearest("zebra", known), None);
        let percentiles = ["p50", "p90", "p95", "p99"];
        let near = ["p96", "p98", "p51", "p999"].map(|word| nearest(word, percentiles));
        assert_eq!(near, [Some("p95"), Some("p99"), Some("p50"), Some("p99")]);
        assert_eq!(hint("usres", "known keys", ["users"]), "did you mean `users`? known keys: users");
    }
}
