//! Whether a service's health is checked, and whether it is meant to go on running at all. Knows no rule.

use super::dockerfile;
use super::item::Item;
use super::model::{Health, Project, Service};
use crate::preflight::known::Brings;

/// Whether Docker checks a service's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// By the file or the image.
    Always,
    /// Neither has a check: it is never healthy.
    Never,
    /// The image may bring one.
    Unknown,
}

/// Whether the health of a service is checked.
pub(super) fn of(service: &Service) -> Checked {
    match &service.health {
        Health::Test { .. } => return Checked::Always,
        Health::Disabled => return Checked::Never,
        Health::Unsaid if service.is_partial() => return Checked::Unknown,
        Health::Unsaid => {}
    }
    if let Some(path) = &service.built {
        let target = service.item.under(&["build", "target"]).and_then(Item::text);
        return match dockerfile::read(path, target) {
            Some(facts) if facts.checks_health => Checked::Always,
            Some(facts) => match facts.base.map(|base| base.health) {
                Some(Brings::Check) => Checked::Always,
                Some(Brings::None) => Checked::Never,
                _ => Checked::Unknown,
            },
            None => Checked::Unknown,
        };
    }
    match service.known.map(|known| known.health) {
        Some(Brings::Check) => Checked::Always,
        Some(Brings::None) => Checked::Never,
        Some(Brings::Unknown) | None => Checked::Unknown,
    }
}

/// Words that name a task and not a service.
const TASKS: &[&str] = &[
    "migrate",
    "migrations",
    "migration",
    "init",
    "setup",
    "seed",
    "bootstrap",
    "provision",
    "backup",
    "restore",
    "cli",
    "test",
    "tests",
    "job",
    "once",
    "install",
    "installer",
    "shell",
    "loadtest",
    "generate",
    "createbuckets",
    "certs",
    "collectstatic",
    "config",
    "loader",
    "permissions",
];

/// Words that do so at the end only: a schema registry and an import page are services.
const LAST: &[&str] = &["schema", "import", "importer"];

/// Whether a service does its work and ends: nobody watches its health or starts it again.
pub(super) fn is_job(service: &Service, project: &Project) -> bool {
    let is_waited_for =
        project.services.values().flat_map(|other| &other.depends).any(|dependency| {
            dependency.name == service.name && dependency.condition == "service_completed_successfully"
        });
    let mode = service.item.under(&["deploy", "mode"]).and_then(Item::text).unwrap_or_default();
    let ends = matches!(service.text("restart"), "no" | "false") || service.text("restart").starts_with("on-failure");
    let condition = service.item.under(&["deploy", "restart_policy", "condition"]).and_then(Item::text);
    let ends = ends || matches!(condition, Some("none" | "on-failure"));
    let words = words(&service.name);
    let stays = matches!(service.text("restart"), "always" | "unless-stopped");
    let last = !stays && words.last().is_some_and(|word| LAST.contains(&word.as_str()));
    let named = last || words.iter().any(|word| TASKS.contains(&word.as_str()));
    let runs_task = service.arguments.last().is_some_and(|last| TASKS.contains(&last.text.as_str()));
    is_waited_for || mode.ends_with("-job") || ends || named || runs_task
}

/// The words of a name: `db-init`, `frontendTests`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for c in name.chars() {
        let divides = matches!(c, '-' | '_' | '.');
        if divides || (after_small && c.is_ascii_uppercase()) {
            words.push(String::new());
        }
        if let (Some(word), false) = (words.last_mut(), divides) {
            word.push(c.to_ascii_lowercase());
        }
        after_small = c.is_ascii_lowercase();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart_at_its_marks_and_its_capitals() {
        for (name, wanted) in [
            ("db-init", "db init"),
            ("frontendTests", "frontend tests"),
            ("API_v2.shell", "api v2 shell"),
            ("loadTest", "load test"),
            ("", ""),
        ] {
            assert_eq!(words(name).join(" "), wanted, "{name}");
        }
    }
}
