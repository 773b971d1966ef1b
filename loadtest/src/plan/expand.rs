//! `${NAME}` and `${NAME:-default}` in the values of a plan, filled from the environment after parsing, so that no value
//! can change the file's structure. `$${` stands for a literal `${`. Pure.

/// A text with its variables filled in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expanded {
    /// The text.
    pub(super) text: String,
    /// Whether a variable whose name looks secret went into it.
    pub(super) secret: bool,
}

/// Fills in the variables; the errors name them.
pub(super) fn expand(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Expanded, String> {
    let (mut filled, mut secret, mut rest) = (String::with_capacity(text.len()), false, text);
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        if let Some(literal) = before.strip_suffix('$') {
            filled.push_str(literal);
            filled.push_str("${");
            rest = from.get(2..).unwrap_or_default();
            continue;
        }
        filled.push_str(before);
        let inner = from.get(2..).unwrap_or_default();
        let (inside, after) = inner.split_once('}').ok_or("`${` without its `}`")?;
        let (name, default) = inside.split_once(":-").map_or((inside, None), |(name, default)| (name, Some(default)));
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!("`${{{name}}}` is no name of a variable"));
        }
        let value = environment(name).filter(|value| !value.is_empty()).or_else(|| default.map(str::to_owned));
        filled.push_str(&value.ok_or_else(|| format!("`${{{name}}}` is not set"))?);
        secret |= crate::redact::looks_secret(name);
        rest = after;
    }
    filled.push_str(rest);
    Ok(Expanded { text: filled, secret })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(String, bool), String> {
        let environment = |name: &str| match name {
            "HOST" => Some("db".to_owned()),
            "API_TOKEN" => Some("t0ken".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        expand(text, &environment).map(|expanded| (expanded.text, expanded.secret))
    }

    #[test]
    fn fills_in_variables_and_notes_secrets() {
        let plain = |text: &str| Ok((text.to_owned(), false));
        assert_eq!(check("http://${HOST}:80/${HOST}"), plain("http://db:80/db"));
        assert_eq!(check("Bearer ${API_TOKEN}"), Ok(("Bearer t0ken".to_owned(), true)));
        assert_eq!(check("${NONE:-a}${EMPTY:-b}"), plain("ab"));
        assert_eq!(check("$${HOST} {{HOST}} $5"), plain("${HOST} {{HOST}} $5"));
    }

    #[test]
    fn says_what_is_missing() {
        assert_eq!(check("${NONE}"), Err("`${NONE}` is not set".to_owned()));
        assert_eq!(check("${EMPTY}"), Err("`${EMPTY}` is not set".to_owned()));
        assert_eq!(check("${HOST"), Err("`${` without its `}`".to_owned()));
        assert_eq!(check("${a b}"), Err("`${a b}` is no name of a variable".to_owned()));
    }
}
