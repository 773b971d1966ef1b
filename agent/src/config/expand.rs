//! `${…}` in the texts of a configuration, after parsing, so that no value can change the structure of the file.
//! What must stay true: a value that came in here is never shown; [`Expanded::veil`] sees to messages that repeat it.

use super::stamp::Files;
use crate::limits;
use crate::node::{Node, Place, Problem, Problems, Value, child};
use crate::small;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

/// The environment, read once; tests bring their own.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process; what is not Unicode is left out.
    #[must_use]
    pub fn of_process() -> Self {
        let pair = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(small::map(std::env::vars_os().filter_map(pair)))
    }

    /// A variable; `None` when it is not set. Set to nothing is something else.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A variable that is set to something.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// All variables, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(small::map(pairs))
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// What was filled in, and where.
#[derive(Default)]
pub(super) struct Expanded(Vec<(Place, String)>);

/// Shorter values are hidden only in messages about their own place: hiding every `1` would make nonsense of the others.
const TELLING_CHARS: usize = 4;

impl Expanded {
    /// Fills in all texts below a node; notes what is wrong, and the files that are read.
    pub(super) fn fill(
        &mut self,
        node: &mut Node,
        path: &str,
        env: &Environment,
        (problems, files): (&mut Problems, &mut Files),
    ) {
        let at = node.at;
        match &mut node.value {
            Value::Text(text) if text.contains('$') => {
                named_files(text).for_each(|file| files.note(Path::new(file)));
                match fill(text, env) {
                    Ok((filled, values)) => {
                        *text = filled;
                        self.0.extend(values.into_iter().map(|value| (at, value)));
                    }
                    Err(fault) => {
                        problems.0.push(Problem { message: fault.message, path: path.to_owned(), at, hint: fault.hint })
                    }
                }
            }
            Value::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.fill(item, &format!("{path}[{index}]"), env, (problems, files));
                }
            }
            Value::Map(entries) => {
                for (key, item) in entries {
                    self.fill(item, &child(path, &key.name), env, (problems, files));
                }
            }
            _ => {}
        }
    }

    /// Puts stars in place of every value that was filled in.
    pub(super) fn veil(&self, problem: &mut Problem) {
        for (place, value) in &self.0 {
            let near = *place == problem.at || value.chars().count() >= TELLING_CHARS;
            if near && !value.is_empty() {
                problem.message = problem.message.replace(value.as_str(), "***");
                problem.hint = problem.hint.take().map(|hint| hint.replace(value.as_str(), "***"));
            }
        }
    }
}

/// The paths of `${file:…}` in a text.
fn named_files(text: &str) -> impl Iterator<Item = &str> {
    text.split("${file:").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0))
}

/// Why a text could not be filled in.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    message: String,
    hint: Option<String>,
}

fn fault(message: impl Into<String>, hint: &str) -> Fault {
    Fault { message: message.into(), hint: (!hint.is_empty()).then(|| hint.to_owned()) }
}

/// The text with all `${…}` filled in but `${1}` and the like, and `$$` made `$`, and the values that came in.
fn fill(text: &str, env: &Environment) -> Result<(String, Vec<String>), Fault> {
    let (mut out, mut values, mut rest) = (String::new(), Vec::new(), text);
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            after
        } else if let Some(after) = after.strip_prefix('{') {
            let (inner, after) =
                after.split_once('}').ok_or_else(|| fault("`${` is never closed", "write `$$` for a plain `$`"))?;
            if is_group(inner) {
                out.extend(["${", inner, "}"]);
            } else {
                let value = look_up(inner, env)?;
                out.push_str(&value);
                values.push(value);
            }
            after
        } else {
            out.push('$');
            after
        };
    }
    out.push_str(rest);
    Ok((out, values))
}

/// Whether `${…}` stands for what a group of a pattern found, as in the `send` of a dialogue: digits are no variable's name.
fn is_group(inner: &str) -> bool {
    !inner.is_empty() && inner.bytes().all(|b| b.is_ascii_digit())
}

/// What `NAME`, `NAME:-default`, `NAME:?message` or `file:PATH` stands for.
fn look_up(inner: &str, env: &Environment) -> Result<String, Fault> {
    if let Some(path) = inner.strip_prefix("file:") {
        return read_secret(path);
    }
    if inner.contains("${") {
        return Err(fault("`${…}` inside `${…}` is not supported", "set the inner one as a variable of its own"));
    }
    let (name, rest) = inner.split_at(inner.find(':').unwrap_or(inner.len()));
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_name_sign) {
        return Err(fault("`${…}` holds no variable name", "write `${NAME}`, or `$$` for a plain `$`"));
    }
    if let Some(default) = rest.strip_prefix(":-") {
        return Ok(env.filled(name).unwrap_or(default).to_owned());
    }
    if let Some(message) = rest.strip_prefix(":?") {
        let unset = || fault(format!("the variable `{name}` is not set or empty"), message);
        return env.filled(name).map(str::to_owned).ok_or_else(unset);
    }
    if !rest.is_empty() {
        let message = format!("`${{{name}{}…}}` is not understood", rest.chars().take(2).collect::<String>());
        return Err(fault(message, "write `${NAME}`, `${NAME:-default}` or `${NAME:?message}`"));
    }
    let hint = format!("set it, or write `${{{name}:-default}}`");
    env.get(name).map(str::to_owned).ok_or_else(|| fault(format!("the variable `{name}` is not set"), &hint))
}

fn is_name_sign(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The content of a secret's file, without the line break that editors leave at its end.
fn read_secret(path: &str) -> Result<String, Fault> {
    let unreadable = |error: &dyn std::fmt::Display| {
        fault(format!("cannot read `{path}`: {error}"), "the file must exist here and be readable for this user")
    };
    let file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
    if !file.metadata().is_ok_and(|meta| meta.is_file()) {
        return Err(unreadable(&"it is not a file"));
    }
    let mut bytes = Vec::new();
    let most = limits::SECRET_FILE_BYTES;
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() > most {
        return Err(unreadable(&format_args!("larger than {most} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable(&"it is not UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        let env = Environment::from([("HOST", "db"), ("EMPTY", ""), ("DOLLAR", "a$${HOST}"), ("_X1", "x")]);
        match fill(text, &env) {
            Ok((text, _)) => text,
            Err(fault) => format!("{} | {}", fault.message, fault.hint.unwrap_or_default()),
        }
    }

    #[test]
    fn fills_in_what_compose_files_know() {
        let cases = [
            ("tcp://${HOST}:1", "tcp://db:1"),
            ("${HOST}${_X1}", "dbx"),
            ("${EMPTY}", ""),
            ("${EMPTY:-d}|${NONE:-d:e}|${NONE:-}", "d|d:e|"),
            ("${HOST:?needed}", "db"),
            ("$$HOST $${HOST}", "$HOST ${HOST}"),
            ("^ok$ $5 $HOST", "^ok$ $5 $HOST"),
            ("${DOLLAR}", "a$${HOST}"),
            ("${HOST} ${1}${22} $${1}", "db ${1}${22} ${1}"),
        ];
        for (text, expected) in cases {
            assert_eq!(filled(text), expected, "{text}");
        }
    }

    #[test]
    fn says_what_is_missing_and_how_to_mend_it() {
        let all = [
            "${NONE}",
            "${NONE:?set it in .env}",
            "${EMPTY:?}",
            "${}",
            "${1A}",
            "${A B}",
            "${HOST",
            "${HOST:x}",
            "${A:-${B}}",
        ];
        let all: Vec<String> = all.iter().map(|text| format!("{text}  →  {}", filled(text))).collect();
        insta::assert_snapshot!(all.join("\n"), @r"
        ${NONE}  →  the variable `NONE` is not set | set it, or write `${NONE:-default}`
        ${NONE:?set it in .env}  →  the variable `NONE` is not set or empty | set it in .env
        ${EMPTY:?}  →  the variable `EMPTY` is not set or empty | 
        ${}  →  `${…}` holds no variable name | write `${NAME}`, or `$$` for a plain `$`
        ${1A}  →  `${…}` holds no variable name | write `${NAME}`, or `$$` for a plain `$`
        ${A B}  →  `${…}` holds no variable name | write `${NAME}`, or `$$` for a plain `$`
        ${HOST  →  `${` is never closed | write `$$` for a plain `$`
        ${HOST:x}  →  `${HOST:x…}` is not understood | write `${NAME}`, `${NAME:-default}` or `${NAME:?message}`
        ${A:-${B}}  →  `${…}` inside `${…}` is not supported | set the inner one as a variable of its own
        ");
    }

    #[test]
    fn reads_secrets_from_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, "hunter2\r\n").unwrap();
        assert_eq!(filled(&format!("x${{file:{}}}y", path.display())), "xhunter2y");
        std::fs::write(&path, "x".repeat(limits::SECRET_FILE_BYTES + 1)).unwrap();
        assert!(filled(&format!("${{file:{}}}", path.display())).contains("larger than 65536 bytes"));
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(filled(&format!("${{file:{}}}", path.display())).contains("not UTF-8"));
        assert!(filled("${file:/nowhere/at/all}").starts_with("cannot read `/nowhere/at/all`: No such file"));
        assert!(filled("${file:/}").contains("it is not a file"));
    }

    #[test]
    fn a_value_that_came_in_is_veiled_everywhere_a_short_one_at_its_place() {
        let here = Place { line: 3, column: 1 };
        let expanded = Expanded(vec![(here, "hunter2".to_owned()), (here, "8".to_owned())]);
        let mut problem = Problem {
            message: "`hunter2` is not 8".to_owned(),
            path: String::new(),
            at: Place { line: 9, column: 1 },
            hint: Some("not `hunter2`".to_owned()),
        };
        expanded.veil(&mut problem);
        assert_eq!((problem.message.as_str(), problem.hint.as_deref()), ("`***` is not 8", Some("not `***`")));
        problem.at = here;
        expanded.veil(&mut problem);
        assert_eq!(problem.message, "`***` is not ***");
    }
}
