//! `tables:`: names of tables that must exist, as `users` or `schema.users`. Names become part of a query, so their letters are
//! checked when the configuration is loaded; nothing that could end a literal gets through.

use crate::node::{Node, Problems};

/// A required table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::probes) struct Table {
    /// The schema (for MySQL the database), when written.
    pub(in crate::probes) schema: Option<String>,
    /// The table.
    pub(in crate::probes) name: String,
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.schema.as_ref().map_or(Ok(()), |schema| write!(f, "{schema}."))?;
        f.write_str(&self.name)
    }
}

/// Reads the names; what is wrong goes to `problems`.
pub(super) fn read(written: &[String], own: &Node, problems: &mut Problems) -> Option<Vec<Table>> {
    let before = problems.0.len();
    let tables = written.iter().filter_map(|text| {
        let (schema, name) = text.split_once('.').map_or((None, text.as_str()), |(schema, name)| (Some(schema), name));
        if [schema.unwrap_or("x"), name].iter().all(|part| fits(part)) {
            return Some(Table { schema: schema.map(str::to_owned), name: name.to_owned() });
        }
        problems.add_with_hint(
            "tables",
            own.at,
            format!("`{text}` is not a table name"),
            "write `table` or `schema.table`, in letters, digits, `_`, `-` and `$`",
        );
        None
    });
    let tables = tables.collect();
    (problems.0.len() == before).then_some(tables)
}

fn fits(part: &str) -> bool {
    !part.is_empty() && part.len() <= 64 && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_end_a_literal_are_refused() {
        let mut problems = Problems::default();
        let read = |text: &str, problems: &mut Problems| read(&[text.to_owned()], &Node::default(), problems);
        assert_eq!(read("app.users", &mut problems).unwrap()[0].to_string(), "app.users");
        assert_eq!(read("Größen_2", &mut problems).unwrap()[0].schema, None);
        for text in ["", ".", "a.b.c", "users'", "a\\", "x; drop", "\"u\"", "a`b", &"x".repeat(65)] {
            assert_eq!(read(text, &mut problems), None, "{text}");
        }
        assert_eq!(problems.0.len(), 9);
    }
}
