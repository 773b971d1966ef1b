//! The reference of the load: its models, profiles and stages.

use super::table;
use crate::plan::{ARRIVALS, PROFILES};
use crate::units::Readable;

/// The section.
pub(super) fn load() -> String {
    let profiles = PROFILES.iter().map(|profile| {
        let parts: Vec<String> =
            profile.parts.iter().map(|part| format!("{} {:.0} %", part.name, part.height * 100.0)).collect();
        let (users, time, ramp) = (profile.users, Readable(profile.run_time), Readable(profile.ramp));
        [
            format!("`{}`", profile.name),
            profile.summary.to_owned(),
            parts.join(", "),
            format!("{users} users, {time}, ramp {ramp}"),
        ]
    });
    let arrivals = ARRIVALS.iter().map(|(name, _, meaning)| [format!("`{name}`"), (*meaning).to_owned()]);
    format!(
        "## Load\n\n{CLOSED_AND_OPEN}\n{}\n### Profiles (`--profile`)\n\n{}{CAPACITY}\n{STAGES}\n",
        table(["arrivals", "how they come"], arrivals),
        table(["profile", "what for", "stages, of the full load", "by default"], profiles),
    )
}

const CLOSED_AND_OPEN: &str = "With `users` (the closed model), each virtual user goes through one journey after the other: a slow target gets fewer requests. With
a `rate` (the open model), users arrive whatever the target does: `rate: 300/s` begins 300 journeys a second, each once. The first
request of a journey counts from the time at which it was due, however late it was sent, so that a target that stalls is not spared the
requests that would have come meanwhile (coordinated omission). What only the generator's timers add (at most 2 ms of it) is not counted;
lateness beyond that counts and is shown as the generator's.

With a rate, `users` are the workers that start what is due, by default half as many as arrivals per second, at least 10. Each carries up to 8
journeys at once. What none of them can begin in time is held back and counts from its due time: an upper bound of what a target would
have shown to more of them. What was not begun when the run ends is booked as a timeout with its age, if that is more than a second, and is
told in the report (`arrivals`). Nobody thinks: a think time beside a rate is refused.
";

const CAPACITY: &str = "
`--profile capacity` begins at `--rate` (10/s) and runs step after step, each as long as `--run-time` (10 s) or twice as long as it takes until every
target has the requests that it needs. It doubles the rate until a step breaks (or halves it until one holds) and bisects between the two until
they are a tenth apart. A step breaks when a target is missed, the target system dies, or more than 5 % of what came in its second half is
still open at its end: then less is served than comes. The report is that of the highest step that held; `capacity` in it has the steps, and
why the lowest that broke did. Exit code 0: a capacity was found, 1: no rate held, 3: nothing broke, or a step could not be judged.
";

const STAGES: &str = "`stages` in the plan say everything themselves: `name`, `users` or `rate`, `duration`, and `ramp`, the first part of the duration, in which
the load goes in a straight line from the stage before to this one; without it, it jumps. Stages called `ramp`, `warm-up`, `warmup`, `cool-down` or
`cooldown` are measured and not judged, unless they say `judged: true`; any other is judged unless it says `judged: false`.
";
