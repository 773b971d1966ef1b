//! What `INFO` says, as readings and notes. Pure text work; a line that is missing costs its own figure only.

use crate::limits;
use crate::probes::database::{
    CONNECTIONS, CONNECTIONS_MAX, EVICTED_KEYS, IS_REPLICA, MEMORY_MAX, MEMORY_USED, PERSISTENCE_OK, REPLICATION_LAG,
    REPLICATION_UP, UPTIME,
};
use crate::probes::facts::{CACHE_HIT_RATIO, CONNECTIONS_USED_RATIO};
use crate::probes::{Context, Detail, Fault, Reason};
use crate::reading::Metric;
use crate::small;

/// What the probe measures of every server.
pub(super) static FACTS: &[&Metric] = &[
    &CONNECTIONS,
    &CONNECTIONS_MAX,
    &CONNECTIONS_USED_RATIO,
    &CACHE_HIT_RATIO,
    &MEMORY_USED,
    &MEMORY_MAX,
    &EVICTED_KEYS,
    &PERSISTENCE_OK,
    &UPTIME,
    &IS_REPLICA,
    &REPLICATION_UP,
    &REPLICATION_LAG,
];

/// The fields of an `INFO` reply by name, each name once.
#[derive(Default)]
pub(super) struct Facts<'a> {
    fields: Vec<(&'a str, &'a str)>,
    /// The values of the one field that comes once for each module.
    modules: Vec<&'a str>,
}

impl<'a> Facts<'a> {
    /// Reads `name:value` lines; anything else is left out.
    pub(super) fn read(text: &'a str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let fields = lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim()));
        let mut fields: Vec<_> = fields.take(limits::REDIS_INFO_LINES).collect();
        let modules = fields.iter().filter(|(name, _)| *name == "module").map(|(_, value)| *value).collect();
        small::sort_by_key(&mut fields, |(name, _)| *name);
        fields.dedup_by_key(|(name, _)| *name);
        Self { fields, modules }
    }

    /// The value of a field as written.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let at = self.fields.binary_search_by_key(&name, |(name, _)| name).ok()?;
        self.fields.get(at).map(|(_, value)| *value)
    }

    /// The fields whose names begin so, with what comes behind that, in order.
    pub(super) fn starting<'s>(&'s self, prefix: &'s str) -> impl Iterator<Item = (&'a str, &'a str)> + 's {
        let from = self.fields.partition_point(|(name, _)| *name < prefix);
        let rest = self.fields.get(from..).unwrap_or_default().iter();
        rest.map_while(move |(name, value)| Some((name.strip_prefix(prefix)?, *value)))
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
    }

    /// What it says of each module.
    pub(super) fn modules(&self) -> &[&'a str] {
        &self.modules
    }

    /// Whether the server follows another one; such a server takes no writes.
    pub(super) fn is_replica(&self) -> bool {
        self.text("role") == Some("slave")
    }

    /// Whether it is a Sentinel, which watches other servers and keeps no keys.
    pub(super) fn is_sentinel(&self) -> bool {
        self.text("redis_mode") == Some("sentinel")
    }

    /// Whether it is a node of a cluster.
    pub(super) fn is_cluster(&self) -> bool {
        self.text("cluster_enabled") == Some("1")
    }

    /// Whether the server still reads its data from disk.
    pub(super) fn is_loading(&self) -> bool {
        self.text("loading") == Some("1")
    }

    /// The limit of clients, where `INFO` tells it (since Redis 6.2).
    pub(super) fn clients_max(&self) -> Option<f64> {
        self.number("maxclients").filter(|most| *most > 0.0)
    }

    /// Writes down the limit of clients, which may come from `CONFIG GET` of an older server, and how near they are to it.
    pub(super) fn record_limit(&self, cx: &mut Context<'_>, clients_max: Option<f64>) {
        let used = ratio(self.number("connected_clients"), clients_max);
        let straight = [(&CONNECTIONS_MAX, clients_max), (&CONNECTIONS_USED_RATIO, used)];
        let measured = straight.into_iter().filter_map(|(metric, value)| Some(metric.is(value?)));
        measured.for_each(|reading| cx.measure(reading));
    }

    /// Writes down all other figures.
    pub(super) fn record(&self, cx: &mut Context<'_>) {
        let straight = [
            (&CONNECTIONS, self.number("connected_clients")),
            (&MEMORY_USED, self.number("used_memory")),
            (&MEMORY_MAX, self.number("maxmemory").filter(|most| *most > 0.0)),
            (&EVICTED_KEYS, self.number("evicted_keys")),
            (&UPTIME, self.number("uptime_in_seconds")),
            (&CACHE_HIT_RATIO, self.hit_ratio()),
            (&PERSISTENCE_OK, self.persistence().map(|(fine, _)| f64::from(u8::from(fine)))),
            (&IS_REPLICA, self.text("role").map(|_| f64::from(u8::from(self.is_replica())))),
        ];
        let measured = straight.into_iter().filter_map(|(metric, value)| Some(metric.is(value?)));
        measured.for_each(|reading| cx.measure(reading));
        self.record_replication(cx);
        let (name, version) = match self.text("valkey_version") {
            Some(version) => ("valkey", Some(version)),
            None => ("redis", self.text("redis_version")),
        };
        let version = version.map(|version| format!("{name} {version}"));
        let text = |name| self.text(name).map(str::to_owned);
        let notes = [("version", version), ("role", text("role")), ("maxmemory_policy", text("maxmemory_policy"))];
        let notes = notes.into_iter().chain([("persistence", self.persistence().map(|(_, words)| words))]);
        notes.filter_map(|(name, text)| Some((name, text?))).for_each(|(name, text)| cx.note(name, &text));
    }

    fn record_replication(&self, cx: &mut Context<'_>) {
        if let Some(link) = self.text("master_link_status") {
            cx.measure(REPLICATION_UP.is(f64::from(u8::from(link == "up"))));
            // -1 while the link is down; `number` refuses it.
            let lag = self.number("master_last_io_seconds_ago").filter(|_| link == "up");
            lag.into_iter().for_each(|seconds| cx.measure(REPLICATION_LAG.is(seconds)));
        }
    }

    fn hit_ratio(&self) -> Option<f64> {
        let (hits, misses) = (self.number("keyspace_hits")?, self.number("keyspace_misses")?);
        ratio(Some(hits), Some(hits + misses))
    }

    /// Whether what should be on disk is, and how it is kept, in words.
    fn persistence(&self) -> Option<(bool, String)> {
        let snapshot = self.text("rdb_last_bgsave_status")?;
        let log = self.text("aof_enabled") == Some("1");
        let write = self.text("aof_last_write_status").filter(|_| log).unwrap_or("ok");
        let words = match log {
            true => format!("last snapshot {snapshot}, append-only file {write}"),
            false => format!("last snapshot {snapshot}, no append-only file"),
        };
        Some((snapshot == "ok" && write == "ok", words))
    }
}

fn ratio(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
    let (part, whole) = (part?, whole.filter(|whole| *whole > 0.0)?);
    Some((part / whole).min(1.0))
}

/// The fault of an error reply. The first word of an error is its code; the text behind it is the server's own.
/// `LOADING`, `MASTERDOWN`, `MISCONF` and their like are `status`: the server works and says that it is in no state to serve.
pub(super) fn fault_of(error: &str, doing: &str) -> Fault {
    let code = error.split(' ').next().unwrap_or_default();
    let (reason, hint) = match code {
        "NOAUTH" => (Reason::Auth, "the server wants a password: write `redis://:PASSWORD@host:6379`"),
        "WRONGPASS" => (Reason::Auth, "compare user and password of the URL with the server's `requirepass` or ACL"),
        "NOPERM" => (
            Reason::Auth,
            "let its ACL allow `+ping +info +select` and, for the round trip, `+set +get +del ~sidecar:probe:*`, or set `round_trip: false`",
        ),
        "DENIED" => {
            (Reason::Auth, "protected mode: the server has no password and takes connections from its own host only")
        }
        "OOM" => (Reason::Saturated, "raise `maxmemory`, or choose a `maxmemory-policy` that evicts"),
        "BUSY" => (Reason::Saturated, "a script holds the server: `SCRIPT KILL` ends it"),
        "LOADING" => (Reason::Status, "it reads its data from disk after a start; it will serve when that is done"),
        "MISCONF" => (Reason::Status, "it cannot write its snapshot and refuses writes: look at its disk and its log"),
        "READONLY" => (Reason::Status, "it is a replica: point the URL at the primary, or set `round_trip: false`"),
        "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" => (Reason::Status, "look at its replication or cluster state"),
        _ if error.contains("max number of clients") => {
            (Reason::Saturated, "raise `maxclients`, or find the client that does not close its connections")
        }
        _ if error.contains("AUTH") || error.contains("invalid password") => {
            (Reason::Auth, "compare user and password of the URL with the server's `requirepass` or ACL")
        }
        _ if error.contains("DB index") => {
            (Reason::Schema, "correct the number in the URL's path, or raise `databases`")
        }
        _ => (Reason::Body, "the server's log may say more"),
    };
    let fault = Fault::new(reason, format!("the server refused {doing}: {}", super::super::clean(error))).hint(hint);
    Fault { detail: exactly(code, reason, error), ..fault }
}

/// What the error's code says exactly; `ERR` is told apart by the reason, which the server's own fixed sentences gave.
fn exactly(code: &str, reason: Reason, error: &str) -> Option<Detail> {
    Some(match code {
        "NOPERM" => Detail::PermissionMissing,
        "OOM" => Detail::OutOfMemory,
        "BUSY" => Detail::TooSlow,
        "LOADING" => Detail::Loading,
        "MISCONF" | "READONLY" | "NOREPLICAS" => Detail::ReadOnly,
        "MASTERDOWN" | "CLUSTERDOWN" => Detail::ReplicationBroken,
        _ if error.contains("max number of clients") => Detail::TooManyConnections,
        _ => match reason {
            Reason::Auth => Detail::LoginRefused,
            Reason::Schema => Detail::DatabaseMissing,
            _ => return None,
        },
    })
}
