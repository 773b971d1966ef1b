//! How good a secret is: known defaults, length, how much there is to guess. Pure, and its answers never hold a piece of the value.

use crate::small;

/// Words that everybody tries first, once what is no letter or digit is gone and the text is in lower case.
const DEFAULTS: &[&str] = &[
    "admin",
    "administrator",
    "changeit",
    "changeme",
    "default",
    "demo",
    "dev",
    "example",
    "foo",
    "foobar",
    "guest",
    "letmein",
    "minioadmin",
    "mysql",
    "none",
    "null",
    "pass",
    "passwd",
    "password",
    "passwort",
    "postgres",
    "postgresql",
    "prom",
    "grafana",
    "redis",
    "root",
    "secret",
    "secretkey",
    "string",
    "test",
    "testing",
    "todo",
    "toor",
    "user",
    "welcome",
    "xxx",
    "mysecret",
    "mypassword",
    "app",
    "adminpassword",
    "rootpassword",
    "dbpassword",
    "testpassword",
    "devpassword",
    "postgrespassword",
];

/// Pieces of texts that ask to be replaced; long enough not to occur in random letters.
const PLACEHOLDERS: &[&str] = &[
    "changeme",
    "changethis",
    "replaceme",
    "replacethis",
    "replacewith",
    "placeholder",
    "yoursecret",
    "yourpassword",
    "yourkey",
    "yourapikey",
    "yourtoken",
    "yourjwt",
    "insertyour",
    "putyour",
    "supersecret",
    "secretkeyhere",
    "passwordhere",
    "keyhere",
    "notasecret",
    "insecure",
    "generatea",
    "mysecretkey",
    "mysecretpassword",
];

/// Whether it is a word that everybody tries, or a text that asks to be replaced.
pub(super) fn is_default(value: &str) -> bool {
    let plain: String = value.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    let letters = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    let bracketed = value.len() > 2 && value.starts_with(['<', '[']) && value.ends_with(['>', ']']);
    let starred = !value.is_empty() && value.chars().all(|c| matches!(c, 'x' | 'X' | '*' | '.' | '-' | '_' | '?'));
    bracketed
        || starred
        || DEFAULTS.contains(&plain.as_str())
        || DEFAULTS.contains(&letters)
        || PLACEHOLDERS.iter().any(|piece| plain.contains(piece))
}

/// Why there is little to guess, when there is; for values long enough that chance does not do it.
pub(super) fn weakness(value: &str) -> Option<&'static str> {
    let signs: Vec<char> = value.to_lowercase().chars().collect();
    if signs.len() < 8 {
        return None;
    }
    let mut distinct = signs.clone();
    small::sort(&mut distinct);
    distinct.dedup();
    let steps = signs.windows(2).filter(|pair| matches!(pair, [a, b] if follows(*a, *b))).count();
    if distinct.len() < 6 {
        Some("few different characters")
    } else if steps * 2 > signs.len() {
        Some("characters that follow each other, in the alphabet or on the keyboard")
    } else if (1..=signs.len() / 2).any(|period| repeats(&signs, period)) {
        Some("a short text, repeated")
    } else {
        None
    }
}

/// Whether everything behind the first `period` characters repeats what stands that many before.
fn repeats(signs: &[char], period: usize) -> bool {
    signs.iter().zip(signs.iter().skip(period)).all(|(one, other)| one == other)
}

/// The same character, or its neighbour in the alphabet or in a row of keys, in either direction.
fn follows(one: char, other: char) -> bool {
    const ROWS: &[&str] = &["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm"];
    let near = |a: usize, b: usize| a.abs_diff(b) == 1;
    let in_row = ROWS.iter().any(|row| row.find(one).zip(row.find(other)).is_some_and(|(a, b)| near(a, b)));
    let alike = one.is_ascii_alphanumeric() && other.is_ascii_alphanumeric();
    one == other || in_row || (alike && near(one as usize, other as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_defaults_are_known_in_every_dress() {
        for value in [
            "CHANGE_ME",
            "changeme",
            "change-me-please",
            "postgres",
            "admin",
            "Password123",
            "secret",
            "<your key>",
            "xxxxxxxx",
            "****",
            "your-secret-key-here-make-it-long-enough",
            "please_replace_me_in_production_please",
            "super-secret-key",
        ] {
            assert!(is_default(value), "{value}");
        }
        for value in ["", "Tr0ub4dor&3xyz", "pg-8fj2kd92mz", "b7c1f0aa93e04d5e", "administrator-of-owls"] {
            assert!(!is_default(value), "{value}");
        }
    }

    #[test]
    fn what_is_easily_guessed_is_weak() {
        for value in [
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "12345678901234567890123456789012",
            "qwertyuiopasdfghjkl",
            "abcdefghijklmnopqrstuvwxyz",
            "correcthorsecorrecthorsecorrecthorse",
            "01010101010101010101010101010101",
            "asdfghjklqwertz",
        ] {
            assert!(weakness(value).is_some(), "{value}");
        }
        for value in [
            "short",
            "b7c1f0aa93e04d5eb2c8d7a6f5e41302",
            "correct horse battery staple",
            "9f86d081884c7d659a2feaa0c55ad015",
            "mZ3kq8Rt-w1Y",
        ] {
            assert_eq!(weakness(value), None, "{value}");
        }
    }

    #[test]
    fn random_hex_is_never_weak() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..20_000 {
            let value: String = (0..32).map(|_| random.digit(16)).collect();
            assert_eq!(weakness(&value), None, "{value}");
            assert!(!is_default(&value), "{value}");
        }
    }
}
