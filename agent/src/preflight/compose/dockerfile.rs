//! What a Dockerfile says about the image that a service is built to: its health check, its ports, its base. Read with small eyes:
//! instructions by their first word. Knows no service.

use super::load::small_text;
use crate::preflight::image::Reference;
use crate::preflight::known::{self, Known};
use std::collections::BTreeSet;
use std::path::Path;

/// Facts of the image that is made.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) checks_health: bool,
    pub(super) exposes: BTreeSet<u16>,
    /// What is known of the image that it is made from.
    pub(super) base: Option<&'static Known>,
}

/// The facts of a stage; of the last one when none is named. `None` when the file cannot be read.
pub(super) fn read(path: &Path, target: Option<&str>) -> Option<Facts> {
    facts(&small_text(path)?, target)
}

fn facts(text: &str, target: Option<&str>) -> Option<Facts> {
    let mut stages: Vec<(String, Facts)> = Vec::new();
    for line in text.lines().map(str::trim) {
        let (instruction, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match (instruction.to_ascii_uppercase().as_str(), stages.last_mut()) {
            ("FROM", _) => {
                let stage = stage(rest, &stages);
                stages.push(stage);
            }
            ("HEALTHCHECK", Some((_, facts))) => facts.checks_health = !rest.trim().eq_ignore_ascii_case("none"),
            ("EXPOSE", Some((_, facts))) => {
                facts
                    .exposes
                    .extend(rest.split_whitespace().filter_map(|port| port.split('/').next()?.parse::<u16>().ok()));
            }
            _ => {}
        }
    }
    let chosen = match target {
        Some(target) => stages.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(target)),
        None => stages.pop(),
    };
    chosen.map(|(_, facts)| facts)
}

/// `FROM [--platform=…] image [AS name]`: a stage begins with what the stage or image that it is made from has.
fn stage(rest: &str, stages: &[(String, Facts)]) -> (String, Facts) {
    let words: Vec<&str> = rest.split_whitespace().filter(|word| !word.starts_with("--")).collect();
    let from = words.first().copied().unwrap_or_default();
    let name = match words.get(1..) {
        Some([word, name, ..]) if word.eq_ignore_ascii_case("as") => *name,
        _ => "",
    };
    let earlier = stages.iter().find(|(name, _)| name.eq_ignore_ascii_case(from)).map(|(_, facts)| facts.clone());
    let facts = earlier.unwrap_or_else(|| Facts { base: known::image(&Reference::parse(from)), ..Facts::default() });
    (name.to_owned(), facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_or_the_named_stage_counts() {
        let text = "FROM golang:1 AS build\nHEALTHCHECK CMD x\nFROM nginx:1.29 AS web\nEXPOSE 80/tcp 8443\n\
                    FROM build as dev\nEXPOSE 9000\n";
        let shown = |target| {
            let facts = facts(text, target).unwrap();
            (facts.checks_health, facts.exposes.into_iter().collect::<Vec<_>>(), facts.base.is_some())
        };
        assert_eq!(shown(None), (true, vec![9000], false));
        assert_eq!(shown(Some("web")), (false, vec![80, 8443], true));
        assert!(facts(text, Some("none")).is_none());
        assert!(!facts("FROM a\nHEALTHCHECK NONE\n", None).unwrap().checks_health);
    }
}
