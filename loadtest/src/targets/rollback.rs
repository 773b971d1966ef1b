//! What speaks for taking a release back at once, whatever its targets are: many errors, an authentication that fails, data that is
//! read back wrong. Pure. What must stay true: a share counts only when its confidence interval clears the limit; a single
//! damaged answer counts, for no number of good ones makes up for it.

use super::{percent, tally::to_f64};
use crate::limits::{AUTH_FAILURES, AUTH_RATIO, ERRORS_RATIO, Z};
use crate::measure::{Failure, Row};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The kinds of trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What was read back is not what was written.
    Data,
    /// Who asks is refused.
    Auth,
    /// More than a quarter of the requests fail.
    Errors,
    /// Slower than the baseline by more than half.
    Slower,
    /// Nothing answers any more.
    Dead,
}

/// Something that speaks for a rollback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// What kind.
    pub trigger: Kind,
    /// The request's name; `total` for all.
    pub request: String,
    /// What was found, with its figures.
    pub said: String,
}

impl Kind {
    /// The word for reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Auth => "auth",
            Self::Errors => "errors",
            Self::Slower => "slower",
            Self::Dead => "dead",
        }
    }
}

/// The triggers in these rows of measurements, the gravest first.
#[must_use]
pub fn triggers(rows: &[&Row]) -> Vec<Trigger> {
    let mut names: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
    for row in rows {
        let of = |failure| row.errors_by.get(&failure).copied().unwrap_or(0);
        let (count, auth, data) = names.entry(row.name.as_str()).or_default();
        *count += row.count;
        *auth += of(Failure::Auth);
        *data += of(Failure::Data);
    }
    let mut found: Vec<Trigger> =
        names.iter().filter_map(|(name, (count, _, wrong))| data(name, *wrong, *count)).collect();
    found.extend(names.iter().filter_map(|(name, (count, refused, _))| auth(name, *refused, *count)));
    let count = rows.iter().map(|row| row.count).sum();
    found.extend(errors(rows.iter().map(|row| row.errors()).sum(), count));
    found
}

fn data(name: &str, wrong: u64, count: u64) -> Option<Trigger> {
    let said = format!("data read back is wrong: `{name}` {wrong} of {count} times");
    (wrong > 0).then(|| Trigger { trigger: Kind::Data, request: name.to_owned(), said })
}

fn auth(name: &str, refused: u64, count: u64) -> Option<Trigger> {
    let fires = refused >= AUTH_FAILURES && at_least(refused, count) > AUTH_RATIO;
    let said = format!("authentication fails: `{name}` was refused {refused} of {count} times (401 or 403)");
    fires.then(|| Trigger { trigger: Kind::Auth, request: name.to_owned(), said })
}

fn errors(failed: u64, count: u64) -> Option<Trigger> {
    let said = format!(
        "{} of the requests failed (n = {count}); the limit is {} %",
        percent(failed, count),
        ERRORS_RATIO * 100.0
    );
    (at_least(failed, count) > ERRORS_RATIO).then(|| Trigger {
        trigger: Kind::Errors,
        request: "total".to_owned(),
        said,
    })
}

/// The lower end of the Wilson interval of a share: what it is at least, but for one case in a thousand.
fn at_least(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    let (n, p) = (to_f64(whole), to_f64(part) / to_f64(whole));
    let z2 = Z * Z;
    let middle = p + z2 / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    ((middle - half) / (1.0 + z2 / n)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::test_row;
    use super::*;

    fn fired(name: &str, count: u64, errors: &[(Failure, u64)]) -> Vec<String> {
        let mut row = test_row(name, &[(3, count)], 0);
        row.errors_by = errors.iter().copied().collect();
        triggers(&[&row]).into_iter().map(|trigger| format!("{}: {}", trigger.trigger.as_str(), trigger.said)).collect()
    }

    #[test]
    fn one_wrong_answer_is_enough_and_one_refusal_is_not() {
        assert_eq!(
            fired("GET /a", 900, &[(Failure::Data, 1)]),
            ["data: data read back is wrong: `GET /a` 1 of 900 times"]
        );
        assert!(fired("login", 4, &[(Failure::Auth, 4)]).iter().all(|said| !said.starts_with("auth")));
        assert!(fired("login", 900, &[(Failure::Auth, 20)]).is_empty());
        let said = fired("login", 40, &[(Failure::Auth, 10)]);
        assert_eq!(said, ["auth: authentication fails: `login` was refused 10 of 40 times (401 or 403)"]);
    }

    #[test]
    fn a_share_of_errors_counts_when_its_interval_clears_a_quarter() {
        assert!(fired("GET /", 100, &[(Failure::Status, 30)]).is_empty(), "the interval reaches down to 18 %");
        let said = fired("GET /", 1000, &[(Failure::Status, 300)]);
        assert_eq!(said, ["errors: 30 % of the requests failed (n = 1000); the limit is 25 %"]);
        assert!(fired("GET /", 1_000_000, &[(Failure::Status, 250_000)]).is_empty());
        assert!(triggers(&[]).is_empty());
    }

    #[test]
    fn the_interval_is_that_of_the_books() {
        // Wilson's interval for 10 of 20 at z = 3.29: 0.2037 to 0.7963.
        assert!((at_least(10, 20) - 0.2037).abs() < 0.0005, "{}", at_least(10, 20));
        assert!(at_least(0, 20).abs() < 1e-9 && at_least(20, 20) < 1.0);
    }
}
