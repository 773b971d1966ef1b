//! The rows of what a check's fault tells.

use crate::causes::{Find, Kind};

const fn by_fault(name: &'static str, summary: &'static str, fix: &'static str) -> Kind {
    Kind { name, summary, fix, find: Find::ByFault }
}

pub(in crate::causes) static WRONG_PORT: Kind = by_fault(
    "wrong_port",
    "nothing listens on the check's port, and the service answers on another one of the same host",
    "correct the port in the URL, or let the service listen on the port that its clients use",
);
pub(in crate::causes) static WRONG_PROTOCOL: Kind = by_fault(
    "wrong_protocol",
    "something else answers than the URL says: MySQL where it says PostgreSQL, HTTP where it says Redis",
    "correct the scheme or the port of the URL",
);
pub(in crate::causes) static LOOPBACK_ONLY: Kind = by_fault(
    "loopback_only",
    "the service listens on 127.0.0.1 of its own container, which nobody else can reach; seen where the network is shared",
    "let the service listen on 0.0.0.0 (`--host 0.0.0.0`, `bind`, `listen_addresses`)",
);
pub(in crate::causes) static NOT_LISTENING: Kind = by_fault(
    "not_listening",
    "the host refuses the connection: nothing listens on the port of the check, although it once did or is the peer itself",
    "start the service; if it runs, see whether it listens on 0.0.0.0 and on this port",
);
pub(in crate::causes) static HOST_UNREACHABLE: Kind = by_fault(
    "host_unreachable",
    "no way leads to the address",
    "are both containers on one network, and is the host up?",
);
pub(in crate::causes) static CONNECT_TIMEOUT: Kind = by_fault(
    "connect_timeout",
    "the address neither takes the connection nor refuses it",
    "look for a firewall that drops packets, and whether the host is alive",
);
pub(in crate::causes) static NO_ANSWER: Kind = by_fault(
    "no_answer",
    "the port is open and nothing comes: the service hangs, is overloaded or stopped",
    "look at the service's threads and log; restart it when it hangs",
);
pub(in crate::causes) static SLOW_ANSWER: Kind = by_fault(
    "slow_answer",
    "the service itself gives up on the question because it takes too long: a lock is held, or it is too busy",
    "look for long transactions and locks",
);
pub(in crate::causes) static DNS_UNKNOWN: Kind = by_fault(
    "dns_unknown",
    "the host's name cannot be resolved",
    "compare the name with the service's in the compose file; both must run, and share a network",
);
pub(in crate::causes) static DNS_DEAD_ADDRESS: Kind = by_fault(
    "dns_dead_address",
    "the name has an address at which nobody is: an old entry, or one that changed since the check last succeeded",
    "look at the name's entry (DNS, `extra_hosts`, /etc/hosts) and at the service's address now",
);
pub(in crate::causes) static TLS_HANDSHAKE: Kind = by_fault(
    "tls_handshake",
    "the TLS handshake fails for another cause than the certificate's dates, names and issuer",
    "compare versions and client certificates of both sides; the server's log says more",
);
pub(in crate::causes) static TLS_MISSING: Kind = by_fault(
    "tls_missing",
    "the service speaks without TLS where the URL or the settings want it",
    "switch TLS on in the service, or write the URL without it",
);
pub(in crate::causes) static TLS_UNEXPECTED: Kind = by_fault(
    "tls_unexpected",
    "the port speaks TLS and the URL says a protocol without",
    "write the URL with TLS: `https`, `rediss`, `wss`, `grpcs`",
);
pub(in crate::causes) static CERTIFICATE_EXPIRED: Kind = by_fault(
    "certificate_expired",
    "the certificate, or one above it, is past its end",
    "renew it, and see that the server loads the new file",
);
pub(in crate::causes) static CERTIFICATE_NOT_YET_VALID: Kind = by_fault(
    "certificate_not_yet_valid",
    "the certificate is before its beginning",
    "compare the clocks of this host and of the one that issued it",
);
pub(in crate::causes) static CERTIFICATE_WRONG_HOST: Kind = by_fault(
    "certificate_wrong_host",
    "the certificate is for another name than the URL's",
    "use a name that the certificate has, or set `server_name`",
);
pub(in crate::causes) static CERTIFICATE_UNKNOWN_ISSUER: Kind = by_fault(
    "certificate_unknown_issuer",
    "nobody that is trusted has signed the certificate",
    "put its authority into `ca_file`, or let the server send its intermediate certificates",
);
pub(in crate::causes) static AUTHENTICATION_REFUSED: Kind = by_fault(
    "authentication_refused",
    "the service refuses the user, password, key or token, or wants one",
    "compare user and password with those that the service was started with",
);
pub(in crate::causes) static PERMISSION_MISSING: Kind =
    by_fault("permission_missing", "the login works, and a right is missing", "grant what the message names");
pub(in crate::causes) static DATABASE_MISSING: Kind = by_fault(
    "database_missing",
    "the server is up, and the database of the URL is not there",
    "create the database, or correct the path of the URL",
);
pub(in crate::causes) static SCHEMA_MISSING: Kind =
    by_fault("schema_missing", "a schema, table or column that is required does not exist", "run the migrations");
pub(in crate::causes) static MIGRATION_BEHIND: Kind = by_fault(
    "migration_behind",
    "the migrations have not come as far as `migration:` says, or one broke off",
    "run the migrations",
);
pub(in crate::causes) static DEPENDENCY_NOT_READY: Kind = by_fault(
    "dependency_not_ready",
    "a dependency has not been up since the agent's start, or says itself that it is starting",
    "wait for it before the service starts (`agent wait`, `depends_on` with `service_healthy`); if it never comes, see its log",
);
pub(in crate::causes) static UNEXPECTED_STATUS: Kind =
    by_fault("unexpected_status", "the service answers with a status that is not expected", "see the service's log");
pub(in crate::causes) static UNEXPECTED_ANSWER: Kind = by_fault(
    "unexpected_answer",
    "an answer, header or body is not as expected, or breaks off",
    "see what answers there, and the service's log",
);
pub(in crate::causes) static UPSTREAM_DOWN: Kind = by_fault(
    "upstream_down",
    "a proxy answers (502, 504, or its own page), and the service behind it does not",
    "look at the service behind the proxy, and at the address by which the proxy knows it",
);
pub(in crate::causes) static RATE_LIMITED: Kind = by_fault(
    "rate_limited",
    "the service answers that it is asked too often (429)",
    "except the agent from the limit, or ask less often (`interval`)",
);
pub(in crate::causes) static CONFIG_DRIFT: Kind = by_fault(
    "config_drift",
    "the service refused its last configuration and runs on the one before",
    "mend the file that its log names, and reload it",
);
pub(in crate::causes) static CHECK_MISCONFIGURED: Kind = by_fault(
    "check_misconfigured",
    "the check itself cannot work as it is configured",
    "correct the check as the message says",
);
