//! What runs once round the load, the setup before it and the teardown after it, and what becomes of the plan's variables once the
//! setup has passed.

use super::build::TARGET;
use super::journeys::several;
use super::raw::Several;
use super::reader::{Reader, Text};
use super::steps::SOUGHT;
use super::yaml::At;
use super::{Plan, Setting, Variable};
use crate::journey::{self, Journey, Named, Value};
use crate::problem::Problem;
use crate::redact::looks_secret;
use std::path::Path;
use std::sync::Arc;

/// Reads the files of `setup` or `teardown`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    key: &'static str,
    raw: Option<&At<Several>>,
    folder: &Path,
) -> Option<Setting<Arc<Journey>>> {
    let before = reader.problems.0.len();
    let texts = several(reader, raw?, key);
    if texts.is_empty() && reader.problems.0.len() == before {
        let problem = Problem::new(format!("a {key} without files")).at(key).hint("name at least one `.hurl` file");
        reader.problems.0.push(problem);
    }
    let from = texts.first().map(|text| text.from.clone())?;
    let named = |text: &Text| Named { path: folder.join(&text.text), place: text.place.clone(), hint: SOUGHT };
    let files: Vec<Named> = texts.iter().map(named).collect();
    let journey = reader.problems.take(journey::load(key, &files))?;
    Some(Setting { value: Arc::new(journey), from })
}

/// Refuses a setup that would send the load to another target than the plan says, and the report tells.
pub(super) fn keeps_the_target(reader: &mut Reader<'_>, setup: Option<&Setting<Arc<Journey>>>) {
    for entry in setup.into_iter().flat_map(|setup| setup.value.files()).flat_map(|file| &file.entries) {
        let captures = entry.response.iter().flat_map(|response| &response.captures);
        for capture in captures.filter(|capture| capture.name.constant() == Some(TARGET)) {
            let problem =
                entry.source.problem(capture.name.span, "the variable `target` always holds the target's URL");
            reader.problems.0.push(problem.hint("capture it by another name"));
        }
    }
}

/// What a setup leaves.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    /// The variables it set, by captures and by options.
    pub variables: Vec<(String, Value)>,
    /// Values of them that must not be shown.
    pub secrets: Vec<String>,
}

impl Plan {
    /// The plan after its setup: what that captured is a variable of all journeys, in place of one of the same name. The fingerprint
    /// stays: it names no values.
    #[must_use]
    pub fn after_setup(mut self, captured: Captured) -> Self {
        let from = self.setup.as_ref().map_or(super::Origin::Default, |setup| setup.from.clone());
        let mut secrets = captured.secrets;
        for (name, typed) in captured.variables {
            let value = typed.render().map(|text| text.into_owned()).unwrap_or_default();
            let secret = looks_secret(&name) || secrets.contains(&value);
            if secret {
                secrets.push(value.clone());
            }
            self.variables.retain(|variable| variable.name != name);
            self.variables.push(Variable { name, value, typed, secret, from: from.clone() });
        }
        self.redactor = self.redactor.and(secrets);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Flags, build};

    #[test]
    fn what_the_setup_captured_hides_the_plans_variables_and_its_secrets_are_hidden() {
        let variable = vec!["tenant=none".to_owned(), "size=20".to_owned()];
        let flags = Flags { target: Some("http://127.0.0.1".into()), variable, ..Flags::default() };
        let plan = build(&flags, &|_| None).expect("a plan");
        let hash = plan.hash.clone();
        let captured = Captured {
            variables: vec![
                ("session_token".to_owned(), Value::text("canary-1")),
                ("tenant".to_owned(), Value::text("t-7")),
                ("who".to_owned(), Value::text("canary-2")),
            ],
            secrets: vec!["canary-2".to_owned()],
        };
        let plan = plan.after_setup(captured);
        let shown: Vec<String> = plan.variables.iter().map(|variable| format!("{variable:?}")).collect();
        assert_eq!(shown, ["size=20", "target=http://127.0.0.1", "session_token=***", "tenant=t-7", "who=***"]);
        assert_eq!(plan.redactor.clean("canary-1, canary-2 and t-7"), "***, *** and t-7");
        assert_eq!(plan.hash, hash);
    }
}
