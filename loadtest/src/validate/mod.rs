//! `loadtest validate`: holds a target against what every service on the public internet is held against. One file a validator, one row a
//! validator in [`VALIDATORS`]; a new one is one file and one row.
//!
//! Owns the questions and what their answers mean. Knows the plan and the client; knows neither load nor verdicts of a run. What must stay
//! true: a validator sends no credentials (the log-in that the plan names is the only exception), follows no answer to a public host
//! without consent, and what it could not find out it does not call passed.

mod certificate;
mod content_security_policy;
mod content_type_options;
mod cookies;
mod cors;
mod cors_allow;
mod cors_deny;
mod finding;
mod frame_options;
mod hsts;
mod https_redirect;
mod ocsp_stapling;
mod rate_limits;
mod referrer_policy;
mod report;
mod server_version;
mod site;
mod tls;
mod tls_versions;
mod unauthenticated_access;
mod volley;

pub use finding::{Finding, Outcome, Seen};
pub use report::{Report, final_line, finding_lines, to_json, to_junit};
pub use site::Site;

use futures_util::future::BoxFuture;

/// A row of the table: all that the rest of the load tester knows of a validator.
pub struct Validator {
    /// Its name, in reports and for `--only` and `--skip`.
    pub name: &'static str,
    /// What is expected, for the reference.
    pub expects: &'static str,
    /// Who says so.
    pub standard: &'static str,
    /// The key of `validate:` without which it has nothing to look at.
    pub needs: Option<&'static str>,
    /// Looks.
    pub run: for<'a> fn(&'a Site<'a>) -> BoxFuture<'a, Vec<Seen>>,
}

/// All validators. Rate limits come last: what is sent to measure them would be in the way of the others.
pub const VALIDATORS: &[&Validator] = &[
    &tls_versions::ROW,
    &certificate::ROW,
    &ocsp_stapling::ROW,
    &hsts::ROW,
    &https_redirect::ROW,
    &frame_options::ROW,
    &content_type_options::ROW,
    &content_security_policy::ROW,
    &referrer_policy::ROW,
    &server_version::ROW,
    &cookies::ROW,
    &cors_allow::ROW,
    &cors_deny::ROW,
    &unauthenticated_access::ROW,
    &rate_limits::ROW,
];

/// Runs these validators, one after the other, and tells of each as soon as it is done.
pub async fn run(site: &Site<'_>, validators: &[&Validator], told: &mut (dyn FnMut(&Finding) + Send)) -> Vec<Finding> {
    let mut findings = Vec::new();
    for validator in validators {
        for seen in (validator.run)(site).await {
            let finding = seen.of(validator, |text| site.plan.redactor.clean(text));
            told(&finding);
            findings.push(finding);
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_rows_are_complete_and_their_names_differ() {
        let names: BTreeSet<&str> = VALIDATORS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), VALIDATORS.len());
        for row in VALIDATORS {
            assert!(row.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", row.name);
            assert!(row.standard.contains("RFC") || row.standard.contains("OWASP") || row.standard.contains("W3C"));
            let known = |key: &str| crate::plan::VALIDATION_KEYS.iter().any(|(name, ..)| *name == key);
            assert!(row.needs.is_none_or(known), "{} needs a key that the plan has not", row.name);
        }
    }
}
