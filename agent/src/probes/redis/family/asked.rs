//! What is asked for beside `INFO`: one table, each row with the right that it takes. A row that is refused costs its own figures.

use super::super::facts::Facts;
use super::super::resp::Reply;
use super::fields::{figure, word};
use super::{commands, push, topology};
use crate::limits;
use crate::reading::{Metric, Reading};

/// A request and what becomes of its reply.
pub(in super::super) struct Ask {
    /// The words of the request.
    pub(in super::super) words: &'static [&'static str],
    /// The rule of an ACL that allows it.
    pub(in super::super) right: &'static str,
    /// Which servers have it.
    wanted: fn(&Facts<'_>) -> bool,
    /// Reads the reply.
    read: fn(&Facts<'_>, &Reply, &mut Vec<Reading>),
}

static MAXCLIENTS: Metric = Metric::gauge("redis_config_maxclients", "`maxclients` of the server's configuration");
static MAXMEMORY: Metric =
    Metric::gauge("redis_config_maxmemory", "`maxmemory` of the server's configuration in bytes, 0 without a limit");
static IO_THREADS: Metric = Metric::gauge("redis_config_io_threads", "`io-threads` of the server's configuration");
static BACKLOG: Metric =
    Metric::gauge("redis_config_repl_backlog_size", "`repl-backlog-size` of the server's configuration in bytes");
static BUFFER: Metric = Metric::gauge(
    "redis_config_client_output_buffer_limit_bytes",
    "Bytes of output waiting for a client of this class beyond which it is closed, at once or after a while",
)
.labelled(&["class", "limit"]);
static BUFFER_SECONDS: Metric = Metric::gauge(
    "redis_config_client_output_buffer_limit_overcome_seconds",
    "Seconds above the soft limit of output after which a client of this class is closed",
)
.labelled(&["class", "limit"]);
static SLOW_LENGTH: Metric = Metric::gauge("redis_slowlog_length", "Entries in the log of slow commands");
static SLOW_ID: Metric = Metric::gauge(
    "redis_slowlog_last_id",
    "Number of the newest entry in the log of slow commands, 0 while it is empty",
);
static SLOW_SECONDS: Metric = Metric::gauge(
    "redis_last_slow_execution_duration_seconds",
    "Seconds that the newest command in the log of slow ones took, 0 while it is empty",
);
static SPIKE_AT: Metric =
    Metric::gauge("redis_latency_spike_last", "Time of the last latency spike of this kind in seconds since the epoch")
        .labelled(&["event_name"]);
static SPIKE_SECONDS: Metric =
    Metric::gauge("redis_latency_spike_duration_seconds", "Seconds that the last latency spike of this kind took")
        .labelled(&["event_name"]);
static LOG_SLOW: Metric = Metric::gauge("redis_commandlog_slow_length", "Entries in Valkey's log of slow commands");
static LOG_REQUEST: Metric =
    Metric::gauge("redis_commandlog_large_request_length", "Entries in Valkey's log of large requests");
static LOG_REPLY: Metric =
    Metric::gauge("redis_commandlog_large_reply_length", "Entries in Valkey's log of large replies");
static LOG_SETTING: Metric =
    Metric::gauge("redis_commandlog_*", "`commandlog-*` of Valkey's configuration, dashes as underscores");

pub(super) static FACTS: &[&Metric] = &[
    &MAXCLIENTS,
    &MAXMEMORY,
    &IO_THREADS,
    &BACKLOG,
    &BUFFER,
    &BUFFER_SECONDS,
    &SLOW_LENGTH,
    &SLOW_ID,
    &SLOW_SECONDS,
    &SPIKE_AT,
    &SPIKE_SECONDS,
    &LOG_SLOW,
    &LOG_REQUEST,
    &LOG_REPLY,
    &LOG_SETTING,
];

/// The rows; their place is their number in a session's list of those refused.
pub(in super::super) static ASKS: &[Ask] = &[
    setting(&["CONFIG", "GET", "databases"], |facts, reply, out| {
        setting_of(reply).into_iter().for_each(|count| topology::empty_databases(facts, count, out));
    }),
    setting(&["CONFIG", "GET", "maxclients"], |_, reply, out| {
        out.extend(setting_of(reply).map(|most| MAXCLIENTS.is(most)));
    }),
    setting(&["CONFIG", "GET", "maxmemory"], |_, reply, out| {
        out.extend(setting_of(reply).map(|most| MAXMEMORY.is(most)));
    }),
    setting(&["CONFIG", "GET", "io-threads"], |_, reply, out| {
        out.extend(setting_of(reply).map(|threads| IO_THREADS.is(threads)));
    }),
    setting(&["CONFIG", "GET", "repl-backlog-size"], |_, reply, out| {
        out.extend(setting_of(reply).map(|size| BACKLOG.is(size)));
    }),
    setting(&["CONFIG", "GET", "client-output-buffer-limit"], |_, reply, out| {
        reply.items().get(1).and_then(Reply::text).into_iter().for_each(|text| buffers(text, out));
    }),
    ask(&["SLOWLOG", "LEN"], "+slowlog|len", is_server, |_, reply, out| {
        out.extend(reply.number().map(|length| SLOW_LENGTH.is(length)));
    }),
    ask(&["SLOWLOG", "GET", "1"], "+slowlog|get", is_server, |_, reply, out| newest_slow(reply, out)),
    ask(&["LATENCY", "LATEST"], "+latency|latest", is_server, |_, reply, out| spikes(reply, out)),
    ask(&["LATENCY", "HISTOGRAM"], "+latency|histogram", is_server, commands::histograms),
    ask(
        &["CLUSTER", "INFO"],
        "+cluster|info",
        |facts| facts.is_cluster(),
        |facts, reply, out| {
            topology::cluster_info(facts, reply, out);
        },
    ),
    ask(&["COMMANDLOG", "LEN", "slow"], "+commandlog|len", is_valkey, |_, reply, out| {
        out.extend(reply.number().map(|length| LOG_SLOW.is(length)));
    }),
    ask(&["COMMANDLOG", "LEN", "large-request"], "+commandlog|len", is_valkey, |_, reply, out| {
        out.extend(reply.number().map(|length| LOG_REQUEST.is(length)));
    }),
    ask(&["COMMANDLOG", "LEN", "large-reply"], "+commandlog|len", is_valkey, |_, reply, out| {
        out.extend(reply.number().map(|length| LOG_REPLY.is(length)));
    }),
    ask(&["CONFIG", "GET", "commandlog-*"], "+config|get", is_valkey, |_, reply, out| log_settings(reply, out)),
];

type Read = fn(&Facts<'_>, &Reply, &mut Vec<Reading>);

const fn ask(words: &'static [&'static str], right: &'static str, wanted: fn(&Facts<'_>) -> bool, read: Read) -> Ask {
    Ask { words, right, wanted, read }
}

const fn setting(words: &'static [&'static str], read: Read) -> Ask {
    ask(words, "+config|get", is_server, read)
}

impl Ask {
    /// Whether a server has it.
    pub(in super::super) fn wanted(&self, facts: &Facts<'_>) -> bool {
        (self.wanted)(facts)
    }

    /// Reads the reply.
    pub(in super::super) fn read(&self, facts: &Facts<'_>, reply: &Reply, out: &mut Vec<Reading>) {
        (self.read)(facts, reply, out);
    }
}

/// A Sentinel has no keys, and none of the commands about them.
fn is_server(facts: &Facts<'_>) -> bool {
    !facts.is_sentinel()
}

fn is_valkey(facts: &Facts<'_>) -> bool {
    is_server(facts) && facts.text("valkey_version").is_some()
}

/// The figure of one setting: its name, then its value.
fn setting_of(reply: &Reply) -> Option<f64> {
    reply.items().get(1)?.text().and_then(figure)
}

/// As in `normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60`.
fn buffers(text: &str, out: &mut Vec<Reading>) {
    let words: Vec<&str> = text.split_whitespace().take(limits::REDIS_BUFFER_CLASSES * 4).collect();
    for class in words.chunks_exact(4) {
        let [name, hard, soft, seconds] = class else { continue };
        if !["normal", "slave", "replica", "pubsub"].contains(name) {
            continue;
        }
        let rows = [(&BUFFER, "hard", hard), (&BUFFER, "soft", soft), (&BUFFER_SECONDS, "soft", seconds)];
        for (metric, limit, value) in rows {
            figure(value).into_iter().for_each(|value| push(out, metric.with([name, limit], value)));
        }
    }
}

/// `SLOWLOG GET 1`: number, time, microseconds, and the words of the command, which nobody else may see.
fn newest_slow(reply: &Reply, out: &mut Vec<Reading>) {
    let newest = match reply.items().first() {
        None if matches!(reply, Reply::List(_)) => (0, 0),
        Some(entry) => match entry.items() {
            [Reply::Integer(number), _, Reply::Integer(microseconds), ..] => (*number, *microseconds),
            _ => return,
        },
        None => return,
    };
    out.push(SLOW_ID.is(commands::count(newest.0)));
    out.push(SLOW_SECONDS.is(commands::count(newest.1) / 1e6));
}

/// `LATENCY LATEST`: name, time in seconds, the last and the longest in milliseconds, of each event.
fn spikes(reply: &Reply, out: &mut Vec<Reading>) {
    for event in reply.items().iter().take(limits::REDIS_EVENTS) {
        let [name, Reply::Integer(at), Reply::Integer(milliseconds), ..] = event.items() else { continue };
        let Some(name) = name.text().and_then(word) else { continue };
        push(out, SPIKE_AT.with([name], commands::count(*at)));
        push(out, SPIKE_SECONDS.with([name], commands::count(*milliseconds) / 1e3));
    }
}

fn log_settings(reply: &Reply, out: &mut Vec<Reading>) {
    for pair in reply.items().chunks_exact(2).take(limits::REDIS_BUFFER_CLASSES) {
        let [Some(name), Some(value)] = [pair.first(), pair.get(1)].map(|word| word.and_then(Reply::text)) else {
            continue;
        };
        let made = name.strip_prefix("commandlog-").and_then(|name| LOG_SETTING.named(&name.replace('-', "_")));
        let reading = made.and_then(|metric| Some(metric.is(figure(value)?)));
        reading.into_iter().for_each(|reading| push(out, reading));
    }
}
