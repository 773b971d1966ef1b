//! Owns what the seven entities are: their fields, what may stand in them, and who may write them. Knows neither HTTP nor SQL;
//! both are generic over the table in `table.rs`, so an eighth entity is one row there and one `CREATE TABLE`.

mod field;
mod table;

pub use field::{Draft, Field, Kind, Purpose, Value, is_id};
pub use table::{ENTITIES, ROLES, named};

use serde_json::Value as Json;

use crate::error::FieldProblem;

/// Who may create, change and delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writers {
    /// Anyone with a session.
    Members,
    /// Administrators.
    Admins,
}

/// One kind of thing that the API keeps.
#[derive(Debug)]
pub struct Entity {
    /// Plural, as in the path and as the table is called.
    pub name: &'static str,
    /// Singular, for messages.
    pub singular: &'static str,
    /// Its own fields, in the order of the reference.
    pub fields: &'static [Field],
    /// Pairs of date fields of which the first must not be after the second.
    pub in_order: &'static [(&'static str, &'static str)],
    /// Who may write.
    pub writers: Writers,
}

/// Fields that every answer has and that a body may repeat; they are ours to set.
const BOOKKEEPING: [&str; 5] = ["id", "version", "created_at", "updated_at", "created_by"];

impl Entity {
    /// Checks a body. What comes back can be stored as it is; otherwise every problem is listed.
    pub fn check(&'static self, body: &Json, purpose: Purpose) -> Result<Draft, Vec<FieldProblem>> {
        let Some(body) = body.as_object() else {
            return Err(vec![FieldProblem::new("", "the body must be a JSON object")]);
        };
        let mut problems = Vec::new();
        let mut draft = Draft::default();
        for field in self.fields {
            match field.check(body.get(field.name), purpose) {
                Ok(Some(value)) => draft.push(field.name, value),
                Ok(None) => {}
                Err(message) => problems.push(FieldProblem::new(field.name, message)),
            }
        }
        problems.extend(
            body.keys()
                .filter(|key| !self.knows(key))
                .map(|key| FieldProblem::new(key.get(..40).unwrap_or(key), format!("is not a field of {}", self.name))),
        );
        problems.extend(self.out_of_order(&draft));
        if problems.is_empty() { Ok(draft) } else { Err(problems) }
    }

    fn knows(&self, key: &str) -> bool {
        BOOKKEEPING.contains(&key) || self.fields.iter().any(|field| field.name == key)
    }

    fn out_of_order(&self, draft: &Draft) -> Vec<FieldProblem> {
        let later = |(first, second): &&(&str, &str)| match (draft.text(first), draft.text(second)) {
            (Some(first), Some(second)) => first > second,
            _ => false,
        };
        let problem = |(first, second): &(&str, &str)| FieldProblem::new(second, format!("is before `{first}`"));
        self.in_order.iter().filter(later).map(problem).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(entity: &str, body: Json) -> Vec<String> {
        let entity = named(entity).expect("a known entity");
        match entity.check(&body, Purpose::Create) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.into_iter().map(|p| format!("{} {}", p.field, p.message)).collect(),
        }
    }

    #[test]
    fn all_problems_of_a_body_are_listed_at_once() {
        let body = json!({"name": "", "category": "toaster", "criticality": 9, "colour": "red"});
        assert_eq!(
            problems("assets", body),
            [
                "name must not be empty",
                "category must be one of: server, application, database, network, people",
                "criticality must be a whole number from 1 to 5",
                "colour is not a field of assets",
            ]
        );
    }

    #[test]
    fn a_body_that_is_no_object_is_one_problem() {
        assert_eq!(problems("assets", json!([1])), [" the body must be a JSON object"]);
    }

    #[test]
    fn an_answer_can_be_sent_back_as_a_body() {
        let body = json!({"id": "x", "version": 3, "name": "a", "category": "server", "criticality": 1});
        assert!(problems("assets", body).is_empty());
    }

    #[test]
    fn a_report_must_not_end_before_it_begins() {
        let body = json!({"title": "t", "period_start": "2026-02-01", "period_end": "2026-01-01", "status": "draft"});
        assert_eq!(problems("reports", body), ["period_end is before `period_start`"]);
    }

    #[test]
    fn a_long_unknown_key_of_many_bytes_is_no_trouble() {
        let body = json!({"ü".repeat(100): 1});
        assert_eq!(problems("tasks", body).len(), 4, "three required fields and the stranger");
    }
}
