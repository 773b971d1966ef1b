//! Owns the table of entities. A test in `db/records.rs` compares it with the migrations.

use super::{
    Entity, Writers,
    field::{Field, Kind},
};

const NAME: usize = 200;
const PROSE: usize = 4_000;

/// The roles a user may have.
pub const ROLES: &[&str] = &["member", "admin"];

/// All entities, in the order of the reference.
pub static ENTITIES: [Entity; 7] = [
    Entity {
        name: "users",
        singular: "user",
        fields: &[
            Field::required("email", Kind::Email),
            Field::required("name", Kind::Text(NAME)),
            Field::required("role", Kind::Choice(ROLES)),
            Field::required("password", Kind::Password),
        ],
        in_order: &[],
        writers: Writers::Admins,
    },
    Entity {
        name: "assets",
        singular: "asset",
        fields: &[
            Field::required("name", Kind::Text(NAME)),
            Field::required("category", Kind::Choice(&["server", "application", "database", "network", "people"])),
            Field::required("criticality", Kind::Integer(1, 5)),
            Field::optional("owner", Kind::Text(NAME)),
            Field::optional("description", Kind::Text(PROSE)),
        ],
        in_order: &[],
        writers: Writers::Members,
    },
    Entity {
        name: "risks",
        singular: "risk",
        fields: &[
            Field::required("title", Kind::Text(NAME)),
            Field::optional("asset_id", Kind::Reference("asset")),
            Field::required("likelihood", Kind::Integer(1, 5)),
            Field::required("impact", Kind::Integer(1, 5)),
            Field::required("status", Kind::Choice(&["open", "mitigated", "accepted", "closed"])),
            Field::optional("description", Kind::Text(PROSE)),
        ],
        in_order: &[],
        writers: Writers::Members,
    },
    Entity {
        name: "assessments",
        singular: "assessment",
        fields: &[
            Field::required("title", Kind::Text(NAME)),
            Field::optional("risk_id", Kind::Reference("risk")),
            Field::required("assessor", Kind::Text(NAME)),
            Field::required("outcome", Kind::Choice(&["pending", "passed", "failed"])),
            Field::optional("score", Kind::Integer(0, 100)),
            Field::optional("assessed_on", Kind::Date),
        ],
        in_order: &[],
        writers: Writers::Members,
    },
    Entity {
        name: "tasks",
        singular: "task",
        fields: &[
            Field::required("title", Kind::Text(NAME)),
            Field::optional("risk_id", Kind::Reference("risk")),
            Field::required("status", Kind::Choice(&["todo", "doing", "done"])),
            Field::required("priority", Kind::Choice(&["low", "medium", "high"])),
            Field::optional("assignee", Kind::Text(NAME)),
            Field::optional("due_on", Kind::Date),
        ],
        in_order: &[],
        writers: Writers::Members,
    },
    Entity {
        name: "evidence",
        singular: "piece of evidence",
        fields: &[
            Field::required("title", Kind::Text(NAME)),
            Field::optional("assessment_id", Kind::Reference("assessment")),
            Field::required("form", Kind::Choice(&["document", "screenshot", "log", "link"])),
            Field::optional("notes", Kind::Text(PROSE)),
        ],
        in_order: &[],
        writers: Writers::Members,
    },
    Entity {
        name: "reports",
        singular: "report",
        fields: &[
            Field::required("title", Kind::Text(NAME)),
            Field::required("period_start", Kind::Date),
            Field::required("period_end", Kind::Date),
            Field::required("status", Kind::Choice(&["draft", "final"])),
            Field::optional("summary", Kind::Text(PROSE)),
        ],
        in_order: &[("period_start", "period_end")],
        writers: Writers::Members,
    },
];

/// The entity of this name.
pub fn named(name: &str) -> Option<&'static Entity> {
    ENTITIES.iter().find(|entity| entity.name == name)
}
