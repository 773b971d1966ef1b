//! Keeps secrets out of everything that people read (invariant 8): which names look secret, and how a text is cleaned.
//! Pure text; knows nothing else of the load tester. What must stay true: when in doubt, a value is hidden.

use std::collections::BTreeSet;

/// What stands in place of a secret.
pub const STARS: &str = "***";
/// Shorter values are not searched for: they would blank half of every text and protect nothing.
const SHORTEST: usize = 3;
/// What stands where a long text was cut.
const CUT: &str = "…";
/// A shorter beginning, in bytes, tells nothing of a value that is too long for a message.
const LEAST_BEGINNING: usize = 4;
const SECRET_WORDS: &[&str] =
    &["password", "passwd", "pwd", "pass", "passphrase", "secret", "token", "key", "apikey", "credential", "jwt"];

/// Whether a variable, column or key of this name holds a secret: one of its words is `password`, `token`, `secret`,
/// `key` or the like. Words are split at `_`, `-`, `.` and at capitals.
#[must_use]
pub fn looks_secret(name: &str) -> bool {
    words(name).iter().any(|word| {
        SECRET_WORDS.iter().any(|secret| word == secret || word.strip_suffix('s').is_some_and(|one| one == *secret))
    }) || ["password", "secret", "token"].iter().any(|word| name.to_ascii_lowercase().contains(word))
}

fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut last_was_lower = false;
    for c in name.chars() {
        let boundary = !c.is_alphanumeric() || (c.is_uppercase() && last_was_lower);
        if boundary {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.iter_mut().last().into_iter().for_each(|word| word.extend(c.to_lowercase()));
        }
        last_was_lower = c.is_lowercase() || c.is_numeric();
    }
    words
}

/// The values to hide, collected from the plan's variables, data and environment.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first, so that a secret inside a longer one does not leave the rest standing.
    values: Vec<String>,
}

impl Redactor {
    /// Hides these values wherever they occur.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let unique: BTreeSet<String> = values.into_iter().filter(|value| value.len() >= SHORTEST).collect();
        let mut values: Vec<String> = unique.into_iter().collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self { values }
    }

    /// Hides these values too.
    #[must_use]
    pub fn and(&self, more: impl IntoIterator<Item = String>) -> Self {
        Self::new(self.values.iter().cloned().chain(more))
    }

    /// The text without the secrets known, and without the password of any URL in it.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        without_url_passwords(&hide(text, self.values.iter().map(String::as_str)))
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} values)", self.values.len())
    }
}

/// Replaces values, and the beginning of one where a text was cut (`…`) in the middle of it.
#[must_use]
pub fn hide<'a>(text: &str, values: impl Iterator<Item = &'a str>) -> String {
    let is_cut = text.contains(CUT);
    values.fold(text.to_owned(), |text, value| {
        let text = if text.contains(value) { text.replace(value, STARS) } else { text };
        if is_cut { hide_beginnings(&text, value) } else { text }
    })
}

fn hide_beginnings(text: &str, value: &str) -> String {
    let mut pieces: Vec<String> = text.split(CUT).map(str::to_owned).collect();
    let uncut = pieces.len().saturating_sub(1);
    for piece in pieces.iter_mut().take(uncut) {
        let ends = value.char_indices().map(|(at, _)| at).rev().take_while(|end| *end >= LEAST_BEGINNING);
        let shown = ends.filter_map(|end| value.get(..end)).find(|beginning| piece.ends_with(beginning));
        if let Some(beginning) = shown {
            piece.truncate(piece.len() - beginning.len());
            piece.push_str(STARS);
        }
    }
    pieces.join(CUT)
}

/// Replaces `user:password@` after `://` by `***@`.
#[must_use]
pub fn without_url_passwords(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = after.find(|c: char| "/?#\"'`<> ".contains(c) || c.is_whitespace()).unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        match authority.rfind('@') {
            Some(host) => {
                clean.push_str(STARS);
                clean.push_str(authority.get(host..).unwrap_or_default());
            }
            None => clean.push_str(authority),
        }
        rest = tail;
    }
    clean.push_str(rest);
    clean
}

/// A line of a plan file as it may be shown in an error: what follows a secret-looking key is hidden.
#[must_use]
pub fn plan_line(line: &str) -> String {
    let mut from = 0;
    while let Some(at) = line.get(from..).and_then(|rest| rest.find([':', '='])).map(|at| at + from) {
        let key = line.get(from..at).unwrap_or_default().trim_matches(|c: char| !c.is_alphanumeric());
        if looks_secret(key) && !line.get(at + 1..).unwrap_or_default().trim().is_empty() {
            return format!("{} {STARS}", line.get(..=at).unwrap_or_default());
        }
        from = at + 1;
    }
    without_url_passwords(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_names_of_secrets() {
        for name in ["password", "ADMIN_PASSWORD", "apiKey", "api-key", "jwt_secret", "accessToken", "mytoken", "keys"]
        {
            assert!(looks_secret(name), "{name}");
        }
        for name in ["user", "monkey", "host", "keyboard", "passenger", "target", ""] {
            assert!(!looks_secret(name), "{name}");
        }
    }

    #[test]
    fn hides_known_values_the_longest_first() {
        let redactor = Redactor::new(["hunter2".to_owned(), "hunter2hunter2".to_owned(), "a".to_owned()]);
        assert_eq!(redactor.clean("got hunter2hunter2 and hunter2, a cat"), "got *** and ***, a cat");
        assert_eq!(format!("{redactor:?}"), "Redactor(2 values)");
        assert_eq!(redactor.and(["cat".to_owned()]).clean("hunter2, a cat"), "***, a ***");
    }

    #[test]
    fn hides_the_beginning_of_a_value_that_was_cut() {
        let (token, other) = ("é-0123456789".repeat(9), "0123456789x".repeat(9));
        let redactor = Redactor::new([token.clone(), other.clone()]);
        let cut = |from: &str, length: usize| from.chars().take(length).collect::<String>();
        let text =
            format!("got `{}… (118 bytes)`, then `{}…` and `{}…`", cut(&token, 40), cut(&other, 12), cut(&token, 3));
        assert_eq!(redactor.clean(&text), "got `***… (118 bytes)`, then `***…` and `***…`");
        let innocent = "got `é01…`, and nothing after 0123456789";
        assert_eq!(redactor.clean(innocent), innocent);
    }

    #[test]
    fn hides_passwords_of_urls() {
        let redactor = Redactor::default();
        assert_eq!(redactor.clean("GET http://bob:pw@h/x and http://h/a@b"), "GET http://***@h/x and http://h/a@b");
    }

    #[test]
    fn a_shown_line_of_the_plan_hides_what_follows_a_secret_key() {
        assert_eq!(plan_line("  password: hunter2"), "  password: ***");
        assert_eq!(plan_line("variables: {user: bob, api_key: hunter2}"), "variables: {user: bob, api_key: ***");
        assert_eq!(plan_line("target: http://bob:pw@h/"), "target: http://***@h/");
        assert_eq!(plan_line("users: 200"), "users: 200");
    }
}
