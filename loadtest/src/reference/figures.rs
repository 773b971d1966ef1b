//! The reference of the sidecars' figures, and of how a culprit is found.

use super::table;
use crate::sidecars::{FIGURES, Take};

/// The section.
pub(super) fn figures() -> String {
    let rows = FIGURES.iter().map(|row| {
        let limit = row.saturated.map_or_else(|| "–".to_owned(), |limit| row.unit.say(limit));
        let take = if row.take == Take::Mean { "mean" } else { "highest" };
        let each = if row.everywhere { "each" } else { "those that tell it" };
        [
            format!("`{}`", row.name),
            row.summary.to_owned(),
            row.unit.example().to_owned(),
            take.to_owned(),
            limit,
            each.to_owned(),
        ]
    });
    let head = ["figure", "meaning", "limit", "what counts", "bottleneck from", "without a service"];
    format!("### Figures of sidecars\n\n{SIDECARS}\n{}\n{BLAME}", table(head, rows))
}

const SIDECARS: &str = "Sidecars (`agent`) named in `agents:` or with `--agents` are asked for `/metrics` once a second, from the calm time on.
`backend.cpu < 70%` is about one service, `memory < 80%` about each (or those that tell it); `db avg query < 1s` is the same as
`db.query < 1s`. What counts is the mean over the judged time or the highest value in it, as the table says, and the worst window with
`over`. A sidecar that was silent for more than a fifth of the judged time, that tells what cannot be, or whose page stands still for 30 s
makes its targets inconclusive and no run green; what was seen to be missed stays missed.
";

const BLAME: &str = "When a target about requests is missed, `findings` say why, as far as it shows. A service is suspected when a figure is at its
bottleneck (or, for one without, three times what it was in the calm time), was not so in the calm time, and was so before the
target was missed. Less is thought of who came later than others, of what stood at nine tenths of its limit in the calm time, of what was
the same while the target was well met (by a factor of 1.6), and of who only waits (a pool, connections, a check that fails) for a
service that its sidecar watches and that is suspected itself. A figure that rose and is within its limit is told and not blamed. Two that are alike are both named; where
nothing is convincing, that is said; when the load generator was the bottleneck, nobody else is blamed. Where most of the failed
requests were answered 429, a rate limit is the reason, at the proxy (nginx) whose sidecar is asked or behind it. The throughput
limit (more requests in flight, no more answers) is a finding of its own. Agents look every 5 s (10 s for checks; `collectors:
{interval: 1s}` and `interval:` make it finer): times are as exact as that.
";
