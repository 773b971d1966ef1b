//! Whom the server copies and who copies it, what its databases hold, who it is, and what its cluster says.

use super::super::facts::Facts;
use super::super::resp::Reply;
use super::fields::{figure, number, part, word};
use super::push;
use crate::limits;
use crate::probes::clean;
use crate::reading::{Metric, Reading, Type};

static INSTANCE: Metric = Metric::gauge("redis_instance_info", "Role, version and identity of the server, always 1")
    .of(Type::Info)
    .labelled(&INSTANCE_LABELS);
const INSTANCE_LABELS: [&str; 10] = [
    "role",
    "redis_version",
    "redis_build_id",
    "redis_mode",
    "os",
    "maxmemory_policy",
    "tcp_port",
    "run_id",
    "process_id",
    "master_replid",
];
static REPLICA: Metric = Metric::gauge("redis_slave_info", "The primary of a replica, always 1")
    .of(Type::Info)
    .labelled(&["master_host", "master_port", "read_only"]);
static LINK_UP: Metric = Metric::gauge("redis_master_link_up", "1 while the replica receives from its primary")
    .labelled(&["master_host", "master_port"]);
static LAST_IO: Metric = Metric::gauge(
    "redis_master_last_io_seconds_ago",
    "Seconds since the replica last heard of its primary, -1 while the link is down",
)
.labelled(&["master_host", "master_port"]);
static SYNC: Metric =
    Metric::gauge("redis_master_sync_in_progress", "1 while the replica takes a full copy of its primary")
        .labelled(&["master_host", "master_port"]);
static OFFSET: Metric = Metric::gauge("redis_slave_repl_offset", "Replication offset that the replica has reached")
    .labelled(&["master_host", "master_port"]);
static FOLLOWER_OFFSET: Metric =
    Metric::gauge("redis_connected_slave_offset_bytes", "Replication offset that a connected replica has confirmed")
        .labelled(&["slave_ip", "slave_port", "slave_state"]);
static FOLLOWER_LAG: Metric =
    Metric::gauge("redis_connected_slave_lag_seconds", "Seconds since a connected replica last confirmed").labelled(&[
        "slave_ip",
        "slave_port",
        "slave_state",
    ]);
static KEYS: Metric = Metric::gauge("redis_db_keys", "Keys of the database").labelled(&["db"]);
static EXPIRING: Metric =
    Metric::gauge("redis_db_keys_expiring", "Keys of the database that will expire").labelled(&["db"]);
static CACHED: Metric =
    Metric::gauge("redis_db_keys_cached", "Keys of the database that KeyDB has in memory").labelled(&["db"]);
static TTL: Metric =
    Metric::gauge("redis_db_avg_ttl_seconds", "Average seconds until keys of the database expire").labelled(&["db"]);
static CLUSTER: Metric = Metric::gauge(
    "redis_cluster_*",
    "`cluster_*` as `INFO` and `CLUSTER INFO` of a node say it: 1 for ok, 0 for fail, otherwise a count",
);
static MODULE: Metric = Metric::gauge("redis_module_info", "A module that the server has loaded, always 1")
    .of(Type::Info)
    .labelled(&["name", "ver", "api", "filters", "usedby", "using"]);
static THREAD: Metric =
    Metric::counter("redis_active_time_io_thread_seconds_total", "Seconds that a thread for sockets was busy")
        .labelled(&["thread"]);

pub(super) static FACTS: &[&Metric] = &[
    &INSTANCE,
    &REPLICA,
    &LINK_UP,
    &LAST_IO,
    &SYNC,
    &OFFSET,
    &FOLLOWER_OFFSET,
    &FOLLOWER_LAG,
    &KEYS,
    &EXPIRING,
    &CACHED,
    &TTL,
    &CLUSTER,
    &MODULE,
    &THREAD,
];

/// What `INFO` says of all this.
pub(super) fn of_info(facts: &Facts<'_>, out: &mut Vec<Reading>) {
    let field = |name: &str| clean(facts.text(name).unwrap_or_default());
    if facts.text("redis_version").is_some() {
        let labels = INSTANCE_LABELS.iter().map(|name| field(name)).collect();
        out.push(Reading { metric: &INSTANCE, labels, value: 1.0 });
    }
    if facts.is_replica() {
        let labels = [field("master_host"), field("master_port"), field("slave_read_only")];
        out.push(Reading { metric: &REPLICA, labels: labels.to_vec(), value: 1.0 });
    }
    primaries(facts, out);
    followers(facts, out);
    for (name, value) in facts.starting("db").filter(|(number, _)| is_number(number)).take(limits::REDIS_DATABASES) {
        database(&format!("db{name}"), value, out);
    }
    let threads = facts.starting("used_active_time_io_thread_").filter(|(number, _)| is_number(number));
    let threads = threads.filter_map(|(number, value)| Some((number, figure(value)?)));
    out.extend(threads.take(limits::REDIS_THREADS).map(|(number, seconds)| THREAD.with([number], seconds)));
    modules(facts, out);
    cluster(facts.starting("cluster_"), out);
}

fn is_number(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The primary of a replica; KeyDB numbers the second and further ones: `master_1_host`.
fn primaries(facts: &Facts<'_>, out: &mut Vec<Reading>) {
    let further = (1..limits::REDIS_PRIMARIES).map(|number| format!("master_{number}"));
    for prefix in std::iter::once("master".to_owned()).chain(further) {
        let field = |name: &str| facts.text(&format!("{prefix}_{name}"));
        let (Some(host), Some(port)) = (field("host").and_then(word), field("port").and_then(word)) else { continue };
        let link = field("link_status").map(|link| f64::from(u8::from(link == "up")));
        let measured = [
            (&LINK_UP, link),
            (&LAST_IO, field("last_io_seconds_ago").and_then(figure)),
            (&SYNC, field("sync_in_progress").and_then(figure)),
            (&OFFSET, facts.text("slave_repl_offset").and_then(figure)),
        ];
        measured.into_iter().filter_map(|(metric, value)| Some((metric, value?))).for_each(|(metric, value)| {
            push(out, metric.with([host, port], value));
        });
    }
}

/// Replicas, as in `slave0:ip=10.0.0.1,port=6379,state=online,offset=17,lag=0`.
fn followers(facts: &Facts<'_>, out: &mut Vec<Reading>) {
    let all = facts.starting("slave").filter(|(number, _)| is_number(number));
    for (_, value) in all.take(limits::REDIS_REPLICAS) {
        let labels = ["ip", "port", "state"].map(|key| clean(part(value, key).unwrap_or_default()));
        let labels = labels.each_ref().map(String::as_str);
        if let Some(offset) = number(value, "offset") {
            push(out, FOLLOWER_OFFSET.with(labels, offset));
        }
        if let Some(lag) = number(value, "lag").filter(|lag| *lag >= 0.0) {
            push(out, FOLLOWER_LAG.with(labels, lag));
        }
    }
}

fn database(name: &str, value: &str, out: &mut Vec<Reading>) {
    let figures = [
        (&KEYS, number(value, "keys")),
        (&EXPIRING, number(value, "expires")),
        (&CACHED, number(value, "cached_keys")),
        (&TTL, number(value, "avg_ttl").map(|milliseconds| milliseconds / 1000.0)),
    ];
    out.extend(figures.into_iter().filter_map(|(metric, value)| Some(metric.with([name], value?))));
}

/// The databases that `INFO` leaves out because they hold no key.
pub(super) fn empty_databases(facts: &Facts<'_>, databases: f64, out: &mut Vec<Reading>) {
    let most = if facts.is_cluster() { 1 } else { limits::REDIS_DATABASES };
    for number in (0_u16..).take(most).take_while(|number| f64::from(*number) < databases) {
        let name = format!("db{number}");
        if facts.text(&name).is_none() {
            out.push(KEYS.with([&name], 0.0));
            out.push(EXPIRING.with([&name], 0.0));
        }
    }
}

/// As in `module:name=ReJSON,ver=20609,api=1,filters=0,usedby=[],using=[],options=[]`; `INFO` repeats the name of the field.
fn modules(facts: &Facts<'_>, out: &mut Vec<Reading>) {
    for value in facts.modules().iter().take(limits::REDIS_MODULES) {
        let labels = ["name", "ver", "api", "filters", "usedby", "using"];
        let labels = labels.map(|key| clean(part(value, key).unwrap_or_default()));
        push(out, MODULE.with(labels.each_ref().map(String::as_str), 1.0));
    }
}

/// The figures of the reply of `CLUSTER INFO` that `INFO` does not have.
pub(super) fn cluster_info(info: &Facts<'_>, reply: &Reply, out: &mut Vec<Reading>) {
    let own = reply.text().map(Facts::read).unwrap_or_default();
    cluster(own.starting("cluster_").filter(|(name, _)| info.text(&format!("cluster_{name}")).is_none()), out);
}

fn cluster<'a>(figures: impl Iterator<Item = (&'a str, &'a str)>, out: &mut Vec<Reading>) {
    for (name, value) in figures.take(limits::REDIS_CLUSTER_FIGURES) {
        let name = match name {
            "stats_messages_sent" => "messages_sent_total",
            "stats_messages_received" => "messages_received_total",
            other => other,
        };
        let metric = figure(value).and_then(|value| Some(CLUSTER.named(name)?.is(value)));
        metric.into_iter().for_each(|reading| push(out, reading));
    }
}
