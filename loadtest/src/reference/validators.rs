//! What the reference says of `loadtest validate`, from the table of validators and that of the plan's keys.

use super::table;
use crate::plan::VALIDATION_KEYS;
use crate::validate::VALIDATORS;

/// The section of the validators.
pub(super) fn section() -> String {
    let needs = |key: Option<&str>| key.map_or("–".to_owned(), |key| format!("`{key}`"));
    let rows = VALIDATORS
        .iter()
        .map(|row| [format!("`{}`", row.name), row.expects.to_owned(), row.standard.to_owned(), needs(row.needs)]);
    let keys = VALIDATION_KEYS
        .iter()
        .map(|(key, meaning, example)| [format!("`{key}`"), format!("{meaning}, such as `{example}`")]);
    format!(
        "## Validators (`loadtest validate`)\n\n{}{VALIDATION}### Keys of `validate:`\n\n{}{FINDINGS}",
        table(["validator", "expected", "standard", "what it needs"], rows),
        table(["key", "meaning"], keys)
    )
}

const VALIDATION: &str = "
Each finding is **passed**, **failed**, **not applicable** (there is nothing to look at, or nobody said what to expect; the line that would
is shown) or **could not tell**. No credentials are sent, except by the file of `log_in`; the headers of the plan are not sent either. What
is behind a redirect within the site is looked at, other sites are not. Certificates are verified by `certificate` alone. Old versions of TLS
are asked for by hellos written by hand, so that a server may answer them; the signature of a stapled OCSP answer is not verified.

A rate limit is measured from one address: twice its burst and a second of its rate at once, then 1.5 times its rate, and after a rest half
and the whole of it, each for as long as 20 requests need, 2 s at least. Other requests of the same address count too: whoever shares it
spoils the measurement. Limits below 2/s are measured by their burst alone.

";

const FINDINGS: &str = "
`--json` has `version` (1), `verdict` (`go`, `no-go`, `inconclusive`), `exit`, `target`, `started` and `findings[]`: `validator`, `subject`,
`outcome` (`passed`, `failed`, `not_applicable`, `could_not_tell`), `expected`, `got`, `standard`, `way_out` (null where there is none).
`--junit` has a test case for each finding: failed ones are failures, those that could not be told errors, those not applicable skipped.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_validator_and_every_key_is_named() {
        let text = section();
        let names = VALIDATORS.iter().map(|row| row.name).chain(VALIDATION_KEYS.iter().map(|(key, ..)| *key));
        for name in names {
            assert!(text.contains(&format!("| `{name}` |")), "{name}");
        }
    }
}
