//! Environment files as compose reads them: `.env` beside the file, `--env`, and the `env_file` of a service.
//! A leaf. What must stay true: reading ends, and gives each variable the line that it stands in.

/// A variable of an environment file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) name: String,
    /// `None` for a name alone: it is taken from the environment.
    pub(super) value: Option<String>,
    /// From 1.
    pub(super) line: usize,
}

/// The variables of a text, in the order written. What is no assignment is left out: `agent check --env` judges such files.
pub(super) fn read(text: &str) -> Vec<Pair> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut pairs = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (line, None),
        };
        let quote = value.and_then(|value| value.chars().next()).filter(|sign| matches!(sign, '"' | '\''));
        let value = match (value, quote) {
            (Some(value), Some(quote)) => Some(quoted(value, quote, &mut lines)),
            (Some(value), None) => Some(value.split(" #").next().unwrap_or_default().trim_end().to_owned()),
            (None, _) => None,
        };
        if !name.is_empty() && !name.contains(char::is_whitespace) {
            pairs.push(Pair { name: name.to_owned(), value, line: index + 1 });
        }
    }
    pairs
}

/// A value in quotes, over several lines where it has no end before.
fn quoted<'t>(value: &str, quote: char, lines: &mut impl Iterator<Item = (usize, &'t str)>) -> String {
    let mut all = value.get(1..).unwrap_or_default().to_owned();
    loop {
        if let Some(end) = all.find(quote) {
            all.truncate(end);
            return all;
        }
        let Some((_, more)) = lines.next() else { return all };
        all.push('\n');
        all.push_str(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_line_is_read() {
        let text = "\u{feff}A=1\r\nexport B = two # note\n# C=3\n\nD=\"x # y\"\nE='one\ntwo'\nF\nG=a#b\nnot a name=1\n";
        let read: Vec<String> =
            read(text).into_iter().map(|pair| format!("{}:{}={:?}", pair.line, pair.name, pair.value)).collect();
        let wanted = [
            r#"1:A=Some("1")"#,
            r#"2:B=Some("two")"#,
            r#"5:D=Some("x # y")"#,
            r#"6:E=Some("one\ntwo")"#,
            "8:F=None",
            r#"9:G=Some("a#b")"#,
        ];
        assert_eq!(read, wanted);
    }
}
