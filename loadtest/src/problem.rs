//! What is wrong with an input, in the house form: what, where, what to do. Input is judged as a whole, so problems come
//! in lists. Whoever finds a problem also says where; the one thing that must stay true: no secret is in any of the texts.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong: lower case, no full stop, literals in backticks.
    pub what: String,
    /// Where: key path, file, line.
    pub place: Option<String>,
    /// The text in question with a caret below.
    pub excerpt: Option<Box<Excerpt>>,
    /// What to do.
    pub hint: Option<String>,
}

/// A line of input and where in it the trouble starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// Line number in the file; none for a flag.
    pub number: Option<usize>,
    /// The line, cleaned of secrets.
    pub line: String,
    /// Characters before the caret.
    pub before: usize,
    /// Carets to draw, at least one.
    pub width: usize,
}

/// Everything that is wrong with the input; never empty when it is returned as an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problem {
    /// A problem of which only the kind is known yet.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), place: None, excerpt: None, hint: None }
    }

    /// An error whose text has its hint on a line of its own.
    pub fn said(error: &impl std::error::Error) -> Self {
        let text = error.to_string();
        match text.split_once("\nhint: ") {
            Some((what, hint)) => Self::new(what).hint(hint),
            None => Self::new(text),
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Shows the text.
    #[must_use]
    pub fn excerpt(mut self, excerpt: Excerpt) -> Self {
        self.excerpt = Some(Box::new(excerpt));
        self
    }
}

/// Why a file cannot be read or written, in plain words: the system's own differ and carry numbers.
#[must_use]
pub fn why(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    let plain = match error.kind() {
        ErrorKind::NotFound => "there is no such file or folder",
        ErrorKind::PermissionDenied => "this user may not",
        ErrorKind::IsADirectory => "it is a folder",
        ErrorKind::NotADirectory => "a part of its path is no folder",
        ErrorKind::InvalidData => "it is not UTF-8 text",
        ErrorKind::StorageFull => "the disk is full",
        _ => {
            let text = error.to_string().to_lowercase();
            return text.split(" (os error").next().unwrap_or_default().to_owned();
        }
    };
    plain.to_owned()
}

impl From<Problem> for Problems {
    fn from(one: Problem) -> Self {
        Self(vec![one])
    }
}

impl Problems {
    /// Keeps the value of a result and collects its problems.
    pub fn take<T>(&mut self, result: Result<T, impl Into<Problems>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(problems) => {
                self.0.extend(problems.into().0);
                None
            }
        }
    }

    /// The value, when nothing was wrong.
    ///
    /// # Errors
    /// Everything that was wrong.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        if let Some(place) = &self.place {
            write!(f, "\n  at {place}")?;
        }
        if let Some(excerpt) = &self.excerpt {
            write!(f, "{excerpt}")?;
        }
        self.hint.iter().try_for_each(|hint| write!(f, "\nhint: {hint}"))
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number.map(|number| number.to_string()).unwrap_or_default();
        let (margin, gap) = (number.len(), " ".repeat(self.before));
        write!(f, "\n  {number} | {}", self.line)?;
        write!(f, "\n  {:margin$} | {gap}{}", "", "^".repeat(self.width.max(1)))
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n\n" };
            write!(f, "{gap}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_files_are_said_without_numbers_and_inner_names() {
        let check = |code: i32, words: &str| assert_eq!(why(&std::io::Error::from_raw_os_error(code)), words);
        check(2, "there is no such file or folder");
        check(13, "this user may not");
        check(21, "it is a folder");
        check(28, "the disk is full");
        check(5, "input/output error");
    }

    #[test]
    fn problems_say_what_where_and_what_to_do() {
        let excerpt = Excerpt { number: Some(12), line: "usres: 3".to_owned(), before: 0, width: 5 };
        let one = Problem::new("unknown key `usres`").at("loadtest.yml:12:1").excerpt(excerpt).hint("try `users`");
        let text = Problems(vec![one, Problem::new("no journeys")]).to_string();
        insta::assert_snapshot!(text, @r"
        error: unknown key `usres`
          at loadtest.yml:12:1
          12 | usres: 3
             | ^^^^^
        hint: try `users`

        error: no journeys
        ");
    }
}
