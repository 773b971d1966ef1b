//! The steps of a dialogue, as written and as checked.

use crate::node::{Place, Problems};
use crate::secret::Secret;
use regex_lite::Regex;

/// A step as written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(in crate::probes) struct StepParams {
    expect: Option<String>,
    expect_bytes: Option<String>,
    labels: Vec<Label>,
    send: Option<Secret>,
    starttls: bool,
}

/// A label taken from what the peer said.
#[derive(Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::probes) struct Label {
    pub(in crate::probes) name: String,
    pub(in crate::probes) value: String,
}

/// A step, checked.
pub(in crate::probes) struct Step {
    pub(in crate::probes) expect: Option<Regex>,
    pub(in crate::probes) expect_bytes: Option<Vec<u8>>,
    pub(in crate::probes) labels: Vec<Label>,
    /// May hold a password, so it is never shown.
    pub(in crate::probes) send: Option<Secret>,
    pub(in crate::probes) starttls: bool,
}

impl Step {
    /// Checks all steps; `None` when one of them makes no sense.
    pub(in crate::probes) fn all(params: &[StepParams], at: Place, problems: &mut Problems) -> Option<Vec<Self>> {
        let steps: Vec<Self> = params.iter().filter_map(|step| Self::new(step, at, problems)).collect();
        (steps.len() == params.len()).then_some(steps)
    }

    /// Checks a step.
    pub(in crate::probes) fn new(params: &StepParams, at: Place, problems: &mut Problems) -> Option<Self> {
        let expect = params.expect.as_ref().map(|text| Regex::new(text).map_err(|error| (text, error))).transpose();
        let expect = expect.map_err(|(text, error)| {
            problems.add("query_response", at, format!("not a regular expression ({error}): `{text}`"));
        });
        if !params.labels.is_empty() && params.expect.is_none() {
            problems.add(
                "query_response",
                at,
                "`labels` are taken from what `expect` matches, and there is no `expect`",
            );
            return None;
        }
        Some(Self {
            expect: expect.ok()?,
            expect_bytes: params.expect_bytes.as_ref().map(|text| text.as_bytes().to_vec()),
            labels: params.labels.clone(),
            send: params.send.clone(),
            starttls: params.starttls,
        })
    }
}
