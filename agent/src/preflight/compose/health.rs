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
    let named = service.name.split(['-', '_', '.']).any(|word| TASKS.contains(&word.to_ascii_lowercase().as_str()));
    let runs_task = service.arguments.last().is_some_and(|last| TASKS.contains(&last.text.as_str()));
    is_waited_for || mode.ends_with("-job") || ends || named || runs_task
}
