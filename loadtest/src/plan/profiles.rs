//! The profiles: well-known shapes of load, as shares of its full height and length. One table; a profile is a row.

use crate::targets::DEFAULTS;
use std::time::Duration;

/// A well-known shape.
#[derive(Debug)]
pub struct Profile {
    /// Its name in `--profile`.
    pub name: &'static str,
    /// What it is for.
    pub summary: &'static str,
    /// Users at full load where nobody says how many.
    pub users: usize,
    /// Arrivals per second where nobody says how many; none where users set the pace.
    pub rate: Option<f64>,
    /// How long all its parts last together where nobody says so.
    pub run_time: Duration,
    /// How long the way up to the first part takes where nobody says so.
    pub ramp: Duration,
    /// What follows the ramp; their lengths add up to 1.
    pub parts: &'static [Part],
    /// The targets of a run that names none.
    pub targets: &'static [&'static str],
}

/// A stage of a profile.
#[derive(Debug)]
pub struct Part {
    /// The stage's name.
    pub name: &'static str,
    /// Its height, of the full load.
    pub height: f64,
    /// Its length, of the run time.
    pub length: f64,
    /// Whether targets that name no stage are about it.
    pub judged: bool,
}

const fn part(name: &'static str, height: f64, length: f64) -> Part {
    Part { name, height, length, judged: true }
}

const fn beyond(name: &'static str, height: f64, length: f64) -> Part {
    Part { name, height, length, judged: false }
}

const MINUTE: Duration = Duration::from_secs(60);
const RAMP: Duration = Duration::from_secs(15);
const USERS: usize = 10;

/// The shape of a run that names none.
pub(super) const USUAL: &Profile = &Profile {
    name: "load",
    summary: "the usual load: up over the ramp, then held",
    users: USERS,
    rate: None,
    run_time: MINUTE,
    ramp: RAMP,
    parts: &[part("load", 1.0, 1.0)],
    targets: DEFAULTS,
};

/// All of them, in the order of the reference.
pub const PROFILES: &[&Profile] = &[
    &Profile {
        name: "smoke",
        summary: "one user for 10 seconds: does it work at all",
        users: 1,
        rate: None,
        run_time: Duration::from_secs(10),
        ramp: Duration::ZERO,
        parts: &[part("smoke", 1.0, 1.0)],
        targets: DEFAULTS,
    },
    USUAL,
    &Profile {
        name: "stress",
        summary: "four steps to twice the load: half and full are judged, over and double show what happens beyond",
        users: USERS,
        rate: None,
        run_time: Duration::from_secs(120),
        ramp: RAMP,
        parts: &[
            part("half", 0.5, 0.25),
            part("full", 1.0, 0.25),
            beyond("over", 1.5, 0.25),
            beyond("double", 2.0, 0.25),
        ],
        targets: DEFAULTS,
    },
    &Profile {
        name: "spike",
        summary: "a fifth of the load, all of it at once, a fifth again: does it recover",
        users: USERS,
        rate: None,
        run_time: Duration::from_secs(90),
        ramp: Duration::ZERO,
        parts: &[part("calm", 0.2, 1.0 / 3.0), part("spike", 1.0, 1.0 / 3.0), part("after", 0.2, 1.0 / 3.0)],
        targets: &["p95 < 2s", "errors < 5%", "recovery < 10s after spike"],
    },
    &Profile {
        name: "soak",
        summary: "the usual load for an hour: leaks and slow decay",
        users: USERS,
        rate: None,
        run_time: Duration::from_secs(3600),
        ramp: MINUTE,
        parts: &[part("soak", 1.0, 1.0)],
        targets: DEFAULTS,
    },
    &Profile {
        name: super::search::CAPACITY,
        summary: "searches the highest rate at which the targets hold: doubles it until one breaks, then bisects to a tenth",
        users: USERS,
        rate: Some(10.0),
        run_time: Duration::from_secs(10),
        ramp: Duration::from_secs(2),
        parts: &[part("capacity", 1.0, 1.0)],
        targets: DEFAULTS,
    },
];

impl Profile {
    /// The row of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        PROFILES.iter().copied().find(|row| row.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_profile_fill_its_time_and_are_told_apart() {
        for profile in PROFILES {
            let length: f64 = profile.parts.iter().map(|part| part.length).sum();
            assert!((length - 1.0).abs() < 1e-9, "{}", profile.name);
            let names: std::collections::BTreeSet<_> = profile.parts.iter().map(|part| part.name).collect();
            assert_eq!(names.len(), profile.parts.len(), "{}", profile.name);
            assert!(
                profile.parts.iter().any(|part| part.judged && (part.height - 1.0).abs() < 1e-9),
                "{}",
                profile.name
            );
        }
    }
}
