//! What a Sentinel says of the primaries that it watches, and of those who watch and copy them.

use super::super::facts::Facts;
use super::super::resp::Reply;
use super::fields::{figure, number, part, word};
use super::push;
use crate::limits;
use crate::reading::{Metric, Reading};

macro_rules! of_primary {
    ($name:literal, $help:literal) => {
        Metric::gauge(concat!("redis_sentinel_master_", $name), $help).labelled(&["master_name", "master_address"])
    };
}

static STATUS: Metric =
    Metric::gauge("redis_sentinel_master_status", "1 when the Sentinel calls the primary ok, otherwise 0").labelled(&[
        "master_name",
        "master_address",
        "master_status",
    ]);
static QUORUM_OK: Metric = Metric::gauge(
    "redis_sentinel_master_ckquorum_status",
    "1 when enough Sentinels can be reached for a failover, otherwise 0; the message is the code of the answer",
)
.labelled(&["master_name", "message"]);
static REPLICAS: Metric = of_primary!("slaves", "Replicas of the primary");
static SENTINELS: Metric = of_primary!("sentinels", "Sentinels that watch the primary, this one among them");
static OK_REPLICAS: Metric = of_primary!("ok_slaves", "Replicas of the primary that are not down");
static OK_SENTINELS: Metric =
    of_primary!("ok_sentinels", "Sentinels of the primary that are not down, this one among them");
static QUORUM: Metric = of_primary!("setting_ckquorum", "Sentinels that must agree that the primary is down");
static TIMEOUT: Metric = of_primary!("setting_failover_timeout", "`failover-timeout` of the primary in milliseconds");
static SYNCS: Metric = of_primary!("setting_parallel_syncs", "Replicas that copy a new primary at the same time");
static DOWN_AFTER: Metric =
    of_primary!("setting_down_after_milliseconds", "Milliseconds of silence after which the primary is down");
static EPOCH: Metric = of_primary!("config_epoch", "Failovers of the primary so far, as its configuration's epoch");
static LAST_PING: Metric =
    of_primary!("last_ok_ping_reply_seconds", "Seconds since the primary last answered a ping well");

pub(super) static FACTS: &[&Metric] = &[
    &STATUS,
    &QUORUM_OK,
    &REPLICAS,
    &SENTINELS,
    &OK_REPLICAS,
    &OK_SENTINELS,
    &QUORUM,
    &TIMEOUT,
    &SYNCS,
    &DOWN_AFTER,
    &EPOCH,
    &LAST_PING,
];

/// Figures of `SENTINEL MASTERS`, their unit and their metric.
static SETTINGS: &[(&str, f64, &Metric)] = &[
    ("quorum", 1.0, &QUORUM),
    ("failover-timeout", 1.0, &TIMEOUT),
    ("parallel-syncs", 1.0, &SYNCS),
    ("down-after-milliseconds", 1.0, &DOWN_AFTER),
    ("config-epoch", 1.0, &EPOCH),
    ("last-ok-ping-reply", 1e3, &LAST_PING),
];

/// What is asked for each primary, in this order.
pub(in super::super) const PER_PRIMARY: [&str; 3] = ["CKQUORUM", "SENTINELS", "SLAVES"];

/// As in `master0:name=mymaster,status=ok,address=10.0.0.1:6379,slaves=1,sentinels=3` of `INFO`.
pub(super) fn of_info(facts: &Facts<'_>, out: &mut Vec<Reading>) {
    let all = facts.starting("master").filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
    for (_, value) in all.take(limits::REDIS_PRIMARIES) {
        let field = |key| part(value, key).and_then(word);
        let (Some(name), Some(address), Some(status)) = (field("name"), field("address"), field("status")) else {
            continue;
        };
        push(out, STATUS.with([name, address, status], f64::from(u8::from(status == "ok"))));
        let counts = [(&REPLICAS, number(value, "slaves")), (&SENTINELS, number(value, "sentinels"))];
        for (metric, count) in counts {
            count.into_iter().for_each(|count| push(out, metric.with([name, address], count)));
        }
    }
}

/// A primary of `SENTINEL MASTERS`.
pub(in super::super) struct Primary<'a> {
    /// Its name.
    pub(in super::super) name: &'a str,
    address: String,
    fields: &'a [Reply],
}

/// The primaries of a reply, each name once.
pub(in super::super) fn primaries(reply: &Reply) -> Vec<Primary<'_>> {
    let mut all: Vec<Primary<'_>> = Vec::new();
    for entry in reply.items().iter().take(limits::REDIS_PRIMARIES) {
        let fields = entry.items();
        let named = |name| value(fields, name).and_then(word);
        let (Some(name), Some(ip), Some(port)) = (named("name"), named("ip"), named("port")) else { continue };
        if all.iter().all(|other| other.name != name) {
            all.push(Primary { name, address: format!("{ip}:{port}"), fields });
        }
    }
    all
}

/// The value of a field in a list of names and values.
fn value<'a>(fields: &'a [Reply], name: &str) -> Option<&'a str> {
    fields.chunks_exact(2).find(|pair| pair.first().and_then(Reply::text) == Some(name))?.get(1)?.text()
}

/// The figures of a primary: its settings, and the three replies of [`PER_PRIMARY`].
pub(in super::super) fn primary(primary: &Primary<'_>, replies: &[Reply], out: &mut Vec<Reading>) {
    let labels = [primary.name, &primary.address];
    for (name, divisor, metric) in SETTINGS {
        let figure = value(primary.fields, name).and_then(figure);
        out.extend(figure.map(|figure| metric.with(labels, figure / divisor)));
    }
    let [quorum, sentinels, replicas] = replies else { return };
    let (ok, message) = match quorum {
        Reply::Error(error) if error.starts_with("NOQUORUM") => (0.0, "NOQUORUM"),
        Reply::Error(_) => (0.0, "ERR"),
        _ => (1.0, "OK"),
    };
    out.push(QUORUM_OK.with([primary.name, message], ok));
    // This one is none of those that it lists.
    out.extend(not_down(sentinels).map(|others| OK_SENTINELS.with(labels, others + 1.0)));
    out.extend(not_down(replicas).map(|replicas| OK_REPLICAS.with(labels, replicas)));
}

fn not_down(reply: &Reply) -> Option<f64> {
    let Reply::List(entries) = reply else { return None };
    let flags = entries.iter().filter_map(|entry| value(entry.items(), "flags"));
    let well = flags.filter(|flags| !flags.contains("s_down") && !flags.contains("o_down")).count();
    u32::try_from(well).ok().map(f64::from)
}
