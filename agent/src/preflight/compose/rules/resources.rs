//! What keeps a stack alive by itself: memory limits, restarts, pinned images.

use super::super::health;
use super::super::model::{Project, Service};
use super::super::notes::Notes;
use super::warning;
use crate::preflight::{Profile, Rule};

pub(super) static RULES: &[&Rule] = &[&LIMIT, &RESTART, &UNPINNED];

static LIMIT: Rule = warning(
    "compose-memory-limit-missing",
    "a service has no memory limit",
    "one leak takes the memory of the whole host, and the kernel chooses who dies",
    "set `mem_limit` or `deploy.resources.limits.memory`",
);
static RESTART: Rule = warning(
    "compose-restart-missing",
    "a service that keeps running has no restart policy",
    "after a crash or a reboot of the host it stays down",
    "add `restart: unless-stopped`",
);
static UNPINNED: Rule = warning(
    "compose-image-unpinned",
    "an image has the tag `latest` or none",
    "the next pull may bring another version",
    "name a version, or a digest",
);

pub(super) fn check(project: &Project, profile: Profile, notes: &mut Notes) {
    if profile == Profile::Development {
        return;
    }
    for service in project.services.values() {
        unpinned(service, notes);
        if health::is_job(service, project) || service.is_partial() {
            continue;
        }
        let name = &service.name;
        let limits = [&["mem_limit"][..], &["deploy", "resources", "limits", "memory"]];
        if limits.iter().all(|path| service.item.under(path).is_none()) {
            notes.add(&LIMIT, service.at, service.key("mem_limit"), format!("`{name}` has no memory limit"));
        }
        let is_swarm = ["replicas", "placement", "update_config", "mode", "restart_policy"]
            .iter()
            .any(|key| service.item.under(&["deploy", key]).is_some());
        if service.get("restart").is_none() && !is_swarm {
            notes.add(&RESTART, service.at, service.key("restart"), format!("`{name}` has no restart policy"));
        }
    }
}

fn unpinned(service: &Service, notes: &mut Notes) {
    let (Some(image), None, Some(item)) = (&service.image, &service.built, service.get("image")) else { return };
    if item.origin().unset || image.pinned || !matches!(image.tag.as_str(), "" | "latest") {
        return;
    }
    let what = if image.tag.is_empty() { "no tag" } else { "the tag `latest`" };
    notes.add(&UNPINNED, item.at, service.key("image"), format!("the image `{}` has {what}", image.name));
}
