//! Every cap of the agent, in one place: what it bounds and why that figure.
//! It knows nothing else of the agent. Nothing is read, kept or awaited beyond what stands here (invariant 2).

mod causes;
mod commands;
mod gating;
mod reload;

pub use causes::*;
pub use commands::*;
pub use gating::*;
pub use reload::*;

use std::time::Duration;

/// Longest answer body a probe reads; the rest is not read and the check fails with `body`.
pub const PROBE_BODY_BYTES: usize = 1 << 20;
/// Most that `body_size_limit` may allow: beyond it nobody reads a health page, and 32 probes at once must fit into memory.
pub const PROBE_BODY_BYTES_MOST: usize = 16 << 20;
/// Longest head (status line and headers) of an HTTP answer; servers themselves take 8 to 64 KiB.
pub const PROBE_HEAD_BYTES: usize = 64 << 10;
/// Redirects followed, as browsers and blackbox do.
pub const REDIRECTS: u32 = 10;
/// Parts of a health page that are looked at, and so the most label values that a page can give.
pub const PEER_SERVICES: usize = 32;
/// Longest dialogue of a TCP check that is kept while a pattern is looked for.
pub const DIALOGUE_BYTES: usize = 64 << 10;
/// Longest text of a peer that is kept for people (a banner, a version, a status line).
pub const PEER_TEXT_CHARS: usize = 200;
/// Largest configuration file.
pub const CONFIG_BYTES: usize = 4 << 20;
/// Most checks in one agent.
pub const CHECKS: usize = 500;
/// Probes that run at the same time; the others wait for a permit.
pub const PROBES_AT_ONCE: usize = 32;
/// Probes whose last run hung, or that have not run yet, that run at the same time beside the others: so many dead peers may be waited
/// for at once.
pub const UNPROVEN_AT_ONCE: usize = 32;
/// Name look-ups at the same time: a dead resolver holds its threads for seconds and must not hold them all.
pub const LOOKUPS_AT_ONCE: usize = 8;
/// Addresses of one name that are tried in turn; more would only eat the deadline of the first ones.
pub const ADDRESSES_TRIED: usize = 8;
/// First bytes of a peer that are kept until it is known what it speaks; every greeting that is told apart fits in them.
pub const FIRST_BYTES: usize = 512;
/// Characters by which a word that was sent is recognised in an answer; a shorter word is hardly a secret, and often part of a protocol.
pub const TELLING_WORD_CHARS: usize = 8;
/// Shortest secret that is looked for in an answer: stars in the place of every `a` would make nonsense of it, and tell the secret.
pub const TELLING_SECRET_CHARS: usize = 4;
/// Time to look at what answers when something else answers than the URL says; a local service greets within milliseconds.
pub const SNIFF_TIMEOUT: Duration = Duration::from_millis(500);
/// A peer that has said nothing for this share of a run's time is looked at: it may be waiting itself, in another protocol.
pub const SNIFF_AFTER: f64 = 0.7;
/// A silent service is given this long to greet before it is spoken to.
pub const SNIFF_GREETING: Duration = Duration::from_millis(150);
/// What else speaks TLS or HTTP is waited for so long once one of the harmless words was answered.
pub const SNIFF_OTHERS: Duration = Duration::from_millis(100);
/// A database that speaks first and has not done so by then is looked at on a second connection; sound ones greet in milliseconds.
pub const GREETING_PATIENCE: Duration = Duration::from_millis(250);
/// What answered at an address is believed for this long: some servers count every broken connection against us.
pub const SNIFF_AGAIN: Duration = Duration::from_secs(60);
/// Addresses whose answer is remembered.
pub const SNIFFED_KEPT: usize = 64;
/// Certificates of a chain that are read; the longest chains in use have five.
pub const CHAIN_CERTIFICATES: usize = 16;
/// Largest CA, certificate or key file; the whole Mozilla list has 220 kB.
pub const PEM_BYTES: u64 = 1 << 20;
/// Interval of checks of services on the same network.
pub const INTERVAL: Duration = Duration::from_secs(10);
/// Deadline of one probe unless the check says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// Interval of the collectors.
pub const COLLECT_INTERVAL: Duration = Duration::from_secs(5);
/// A collector that has not answered by then is marked failed; its thread may hang in the kernel, nobody waits for it.
pub const COLLECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the collectors wait for one of them on the thread that they share; then they go on with another thread. Together
/// they need a millisecond.
pub const COLLECT_TURN: Duration = Duration::from_millis(100);
/// Largest file read from `/proc` or `/sys`.
pub const PROC_FILE_BYTES: usize = 1 << 20;
/// Room made for such a file before it is read: `/proc/stat` and `/proc/vmstat` of a small machine fit.
pub const PROC_FILE_USUAL_BYTES: usize = 8 << 10;
/// Outcomes waiting for the one writer of the state; a full channel makes probes wait, it loses nothing.
pub const OUTCOMES_QUEUED: usize = 64;
/// Least time between two snapshots: under a flood of events several go into one, and nobody sees the difference.
pub const PUBLISHED_APART: Duration = Duration::from_millis(2);
/// How long a probe that has just begun runs alone. On one network it is done long before, its times are not lengthened by the
/// work of others, and they find the processor's caches warm; one that hangs delays the next by no more.
pub const TURN: Duration = Duration::from_millis(5);
/// How far apart two runs of a check may be from its interval, as a share of it: agents that were started together drift apart.
pub const JITTER: f64 = 0.1;
/// Shortest pause between two runs of a check whose result is not settled.
pub const QUICKEST_RETRY: Duration = Duration::from_secs(1);
/// Processes looked at to find the peer by name.
pub const PROCESSES_LOOKED_AT: usize = 10_000;
/// Directories visited to find the peer's cgroup by name.
pub const CGROUPS_LOOKED_AT: usize = 20_000;
/// How deep below the mount a cgroup is looked for: `kubepods.slice/…-pod….slice/cri-….scope` is three, a cluster that runs in
/// containers itself puts four more above.
pub const CGROUP_DEPTH: usize = 8;
/// How long `/ready` keeps answering 503 before the port closes, so that whoever asks it sees the answer.
pub const DRAIN_NOTICE: Duration = Duration::from_millis(500);
/// Bytes of a file of others that are read again in all, when lines within its brackets stand too far left for the scanner: a compose file of
/// thirty kilobytes may have hundreds of them.
pub const YAML_AGAIN_BYTES: usize = 8 << 20;
/// Largest configuration once its aliases are written out: a few lines of nested aliases would otherwise fill any memory.
pub const CONFIG_EXPANDED_BYTES: usize = 16 << 20;
/// Deepest nesting of a configuration; ours needs six levels.
pub const CONFIG_DEPTH: usize = 32;
/// Largest file that `${file:…}` reads: a certificate chain fits, a log given by mistake does not.
pub const SECRET_FILE_BYTES: usize = 64 << 10;
/// Most problems of a configuration that are printed; who has more has another problem.
pub const PROBLEMS_SHOWN: usize = 100;
/// Longest name of a check: as long as a DNS label, short enough for a label value.
pub const NAME_CHARS: usize = 63;
/// Deadline of `agent health` from start to end: Docker's own default is 30 s, an agent that needs 2 s is not well.
pub const HEALTH_DEADLINE: Duration = Duration::from_secs(2);
/// What `agent health` reads of an answer: the status line and what comes with it.
pub const HEALTH_ANSWER_BYTES: usize = 4 << 10;
/// Interval of checks of what is slow to change or not ours: certificates, backups, external APIs.
pub const SLOW_INTERVAL: Duration = Duration::from_mins(5);
/// Shortest interval of a check: a probe more often than this is load and no watch.
pub const INTERVAL_LEAST: Duration = Duration::from_millis(100);
/// Longest interval of a check: beyond a week nobody expects it to run at all.
pub const INTERVAL_MOST: Duration = Duration::from_hours(168);
/// Failures in a row that turn a check down, unless the check says otherwise.
pub const FAIL_AFTER: u32 = 3;
/// Successes in a row that turn it up again, unless the check says otherwise.
pub const OK_AFTER: u32 = 2;
/// Most of either.
pub const STREAK: u32 = 1000;
/// Up to so many checks, each exports all of its failure reasons from its first run on (16 series a check); beyond, a reason
/// appears when it first comes, and `sidecar_check_runs_total{result="failed"}` is the counter to build rules on.
pub const CHECKS_WITH_ALL_REASONS: usize = 50;
/// Connections to the agent open at the same time: a handful of scrapers, kubelets and people; the next one is told 503.
pub const CONNECTIONS: usize = 64;
/// Headers of one request, request line included: a scraper sends 300 bytes, a browser 2 KiB.
pub const REQUEST_HEADER_BYTES: usize = 8 << 10;
/// Buffer of one connection; hyper's least, and room for [`REQUEST_HEADER_BYTES`].
pub const CONNECTION_BUFFER_BYTES: usize = 16 << 10;
/// Header lines of one request.
pub const REQUEST_HEADERS: usize = 64;
/// From accept to the end of the first request's headers, TLS handshake not counted. Short, for a slow one holds a connection.
pub const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// From one answer to the end of the next request's headers; above Prometheus' usual 15 s, so that its connection is kept.
pub const NEXT_REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// A client that takes no byte of an answer for so long is gone.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// A TLS handshake with a client.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Requests in flight may finish for so long when the agent stops.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// First pause after `accept` failed (no file descriptors left, mostly); doubles up to [`ACCEPT_PAUSE_MAX`].
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// Longest pause after `accept` failed.
pub const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);
/// How often the web configuration and its certificates are looked at, at most.
pub const WEB_CONFIG_LOOK: Duration = Duration::from_secs(1);
/// Dearest bcrypt cost that is accepted: 2^14 rounds take about a second, and every wrong password is paid for.
pub const BCRYPT_COST: u32 = 14;
/// Passwords that were found right and are remembered, so that a scrape does not pay for bcrypt each time.
pub const PASSWORDS_REMEMBERED: usize = 64;
/// How long a request waits for its turn at bcrypt, which checks one password at a time.
pub const PASSWORD_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest `Authorization` header that is looked at.
pub const AUTHORIZATION_BYTES: usize = 1 << 10;
/// Name under which our connections appear in a database's own list of clients.
pub const CLIENT_NAME: &str = "sidecar-agent";
/// Largest reply of Redis that is read; `INFO` has some 6 kB.
pub const REDIS_REPLY_BYTES: usize = 256 << 10;
/// Longest line of a reply of Redis: a status or an error.
pub const REDIS_LINE_BYTES: usize = 1024;
/// Most items in a reply of Redis, over all lists: `LATENCY HISTOGRAM` has some forty for each command in use.
pub const REDIS_REPLY_ITEMS: usize = 8192;
/// Deepest nesting of a reply of Redis: the words of a command, in an entry, in the log of slow commands.
pub const REDIS_REPLY_DEPTH: usize = 3;
/// Seconds after which the key of a round trip is gone, should we die between setting and deleting it.
pub const ROUND_TRIP_EXPIRY: &str = "30";
/// Most bytes that a SQL database may send in one run, and in one message; all our queries together have some 10 kB.
pub const SQL_ANSWER_BYTES: usize = 1 << 20;
/// How long a query waits for a lock. We only read catalogues; whatever locks those is not worth queueing behind.
pub const SQL_LOCK_TIMEOUT: Duration = Duration::from_millis(500);
/// Time between two looks at the size of a database, which the server sums up file by file.
pub const SIZE_INTERVAL: Duration = Duration::from_secs(300);
/// Entries of a backup folder that are looked at; beyond it the folder is not one of backups, and listing it would be load.
pub const FOLDER_ENTRIES: usize = 100_000;
/// Backups among them that are kept in mind while they are judged: one an hour for a year are 8 760.
pub const BACKUPS: usize = 10_000;
/// Earlier backups whose sizes the newest is compared with: a month of daily ones, so that slow growth is no fault.
pub const BACKUPS_COMPARED: usize = 30;
/// Bytes at the beginning and at the end of a dump that tell what it is and whether it is whole.
pub const DUMP_ENDS_BYTES: usize = 4 << 10;
/// Piece in which a backup is read and unpacked, between two looks at the clock.
pub const BACKUP_PIECE_BYTES: usize = 64 << 10;
/// Backups whose verdict is remembered: the newest, and the one before it while the newest is being written.
pub const VERDICTS_KEPT: usize = 4;
/// What a backup may lie in the future, by a clock or a time zone that is off.
pub const CLOCK_SLACK: Duration = Duration::from_hours(1);
/// How much longer than `keep_for` a backup may stay: whatever removes old ones runs once a day.
pub const RETENTION_SLACK: Duration = Duration::from_hours(24);
/// Metric names made of words that only a peer knows, over all patterns; they are kept for the life of the process.
pub const NAMES_MADE: usize = 5000;
/// Those of one pattern: MySQL has some 650 variables, and a quarter of them are no numbers.
pub const NAMES_OF_A_PATTERN: usize = 1000;
/// Longest such word: MariaDB's longest status variable has 47 letters.
pub const NAME_WORD_BYTES: usize = 96;
/// Most bytes of all replies of Redis to one batch of requests; together they have some 50 kB on a busy server.
pub const REDIS_BATCH_BYTES: usize = 1 << 20;
/// What is kept of a connection's buffer between two runs: a busy server's `INFO` needs more, and only for a moment.
pub const REDIS_BUFFER_KEPT: usize = 8 << 10;
/// Lines of `INFO` that are looked at; a busy server has some 500.
pub const REDIS_INFO_LINES: usize = 4096;
/// Longest word of Redis that becomes a label: the name of a command, an event, a host.
pub const REDIS_WORD_BYTES: usize = 128;
/// Commands with figures of their own; Redis knows 240 and a service uses some fifty, each with about forty series.
pub const REDIS_COMMANDS: usize = 128;
/// Percentiles of a command; the server's default are three.
pub const REDIS_PERCENTILES: usize = 8;
/// Buckets of a command; they double from a microsecond on, and the server itself stops at a second.
pub const REDIS_BUCKETS: usize = 32;
/// Codes of errors; the server itself stops at 128, and only scripts make more than a dozen.
pub const REDIS_ERROR_CODES: usize = 64;
/// Databases; the server's default are 16.
pub const REDIS_DATABASES: usize = 64;
/// Replicas of one server; beyond a handful they follow each other.
pub const REDIS_REPLICAS: usize = 32;
/// Primaries: those of a replica of KeyDB, and those that one Sentinel watches.
pub const REDIS_PRIMARIES: usize = 16;
/// Threads of one server for sockets.
pub const REDIS_THREADS: usize = 128;
/// Modules of one server.
pub const REDIS_MODULES: usize = 32;
/// Figures of `CLUSTER INFO`, one for each kind of message among them: some forty.
pub const REDIS_CLUSTER_FIGURES: usize = 64;
/// Kinds of latency spikes; the server knows some twenty.
pub const REDIS_EVENTS: usize = 32;
/// Classes of clients with limits of their own: three, and settings of a log: six.
pub const REDIS_BUFFER_CLASSES: usize = 8;
/// After so long, what Redis refused is asked for again; each refusal adds to its counters and its ACL log.
pub const REDIS_ASK_AGAIN: Duration = Duration::from_mins(5);
/// Time between two looks at the host under node_exporter's names: Prometheus' usual scrape, and a look costs more than all other sources.
pub const NODE_INTERVAL: Duration = Duration::from_secs(15);
/// How much too early a collection may come and still count, for timers are late by turns.
pub const NODE_INTERVAL_SLACK: Duration = Duration::from_millis(500);
/// Series that one part of the host may give: 2000 processors in ten modes, and no page grows without end.
pub const NODE_PART_READINGS: usize = 20_000;
/// Room made for a look at a small machine.
pub const NODE_READINGS_USUAL: usize = 1024;
/// Longest text of the host in a label: mount points of Kubernetes' volumes have 200 letters.
pub const NODE_LABEL_CHARS: usize = 256;
/// Entries of a folder of `/proc` or `/sys` that are looked at; the most are processes.
pub const NODE_ENTRIES: usize = 32_768;
/// Processors that a list such as `0-3` may name; Linux supports 8192.
pub const NODE_CPUS: u32 = 8192;
/// Mounts that are asked for their room.
pub const NODE_MOUNTS: usize = 512;
/// A mount that has not answered by then hangs; local ones need microseconds, a share across a continent half a second.
pub const NODE_MOUNT_PATIENCE: Duration = Duration::from_secs(1);
/// Mounts that may be found hanging in one look, which must end before [`COLLECT_TIMEOUT`].
pub const NODE_HUNG_MOUNTS_A_LOOK: usize = 3;
/// Threads that may hang in mounts at the same time; beyond it no further mount is asked.
pub const NODE_HUNG_MOUNTS: usize = 8;
/// Stack of such a thread, which makes one system call.
pub const NODE_MOUNT_STACK_BYTES: usize = 64 << 10;
/// Longest page of metrics that is read of a peer unless the check says otherwise: 20 000 series of the usual length.
pub const EXPOSITION_BYTES: usize = 4 << 20;
/// Most series on such a page; a service with more has one of its labels wrong.
pub const EXPOSITION_SERIES: usize = 100_000;
/// Most series of a page that are kept and exported again: about half a megabyte of memory and of our page.
pub const REEXPORTED_SERIES: usize = 5000;
/// Longest name of a metric that is exported again.
pub const EXPOSITION_NAME_BYTES: usize = 200;
/// Most bytes of names and values of the labels of one such series.
pub const EXPOSITION_LABEL_BYTES: usize = 2 << 10;
/// Lines of a page that are read before other checks have their turn; a few thousand take a millisecond.
pub const EXPOSITION_LINES_AT_ONCE: usize = 2000;
/// Share of the time that is left when a peer's families are begun that they leave over, so that figures never cost a sound server its
/// check.
pub const FAMILIES_RESERVE: f64 = 0.25;
/// Share of the rest that one query of a family may take: what hangs leaves time for the others.
pub const FAMILY_SHARE: f64 = 0.25;
/// A query with less time than this is not begun.
pub const FAMILY_LEAST: Duration = Duration::from_millis(20);
/// Databases of a PostgreSQL server whose figures are kept, the busiest (of sizes, the largest): each has some 70 series.
pub const PG_DATABASES: usize = 25;
/// Tables whose figures are kept, the largest: each has some 33 series.
pub const PG_TABLES: usize = 100;
/// Indexes, the largest.
pub const PG_INDEXES: usize = 100;
/// Roles.
pub const PG_ROLES: usize = 100;
/// Groups of sessions (user, application, what they wait for); the smaller ones are counted together, so that sums stay right.
pub const PG_SESSIONS: usize = 100;
/// Statements of `pg_stat_statements`, those that took most time.
pub const PG_STATEMENTS: usize = 100;
/// Replication slots, and replicas: a server has ten of either unless told otherwise.
pub const PG_REPLICAS: usize = 50;
/// Parameters of a PostgreSQL server; it has some 350, extensions add theirs.
pub const PG_SETTINGS: usize = 600;
/// Piece in which MySQL's bytes are read: most of its answers fit.
pub const MYSQL_PIECE_BYTES: usize = 8 << 10;
/// Columns of one of MySQL's answers; the status of a replica has some sixty.
pub const MYSQL_COLUMNS: usize = 128;
/// Cells of one of MySQL's answers: an empty one costs the server a byte and us two dozen.
pub const MYSQL_CELLS: usize = 32 << 10;
/// Label values of one family of MySQL's status: MariaDB knows 180 commands.
pub const MYSQL_LABELS: usize = 250;
/// Commands and states, users and hosts by which MySQL's threads are counted.
pub const MYSQL_PROCESS_GROUPS: usize = 64;
/// Sources that a replica follows, and domains of their transactions.
pub const MYSQL_SOURCES: usize = 16;
/// MySQL kills a statement for a peer's figures after this share of the time that a run had left: one that is slow costs itself alone.
pub const MYSQL_STATEMENT_SHARE: u32 = 4;
/// Longest label of the peer's container that is told: Kubernetes' names have at most 253 bytes, an image with its digest somewhat more.
pub const PEER_LABEL_BYTES: usize = 512;
/// Block devices of a container whose reads and writes are told; a host with more shows the first ones.
pub const DEVICES: usize = 32;
/// Network interfaces of a container that are told: a container has one or two, a pod on the host's network has the host's.
pub const INTERFACES: usize = 32;
/// Names of processes that are told apart; what comes later is summed up as `other`.
pub const NAME_GROUPS: usize = 64;
/// Processes of the peer that are looked at; each costs some files.
pub const PEER_PROCESSES: usize = 1000;
/// Threads of the peer whose states and context switches are looked at, a file each; beyond it these figures are absent.
pub const PEER_THREADS: usize = 1000;
/// Time between two looks at proportional memory, for which the kernel walks the page tables of a process under its lock.
pub const PROPORTIONAL_INTERVAL: Duration = Duration::from_secs(60);
/// Open files of a process of the peer that are looked at one by one, to tell sockets; beyond it sockets are not counted.
pub const FILES_LOOKED_AT: u64 = 1000;
/// Longest message of a WebSocket that is taken, its fragments together; a frame that claims more is refused before it is read.
pub const WEBSOCKET_MESSAGE_BYTES: usize = 1 << 20;
/// Most that a WebSocket may send in one run: four of the longest messages.
pub const WEBSOCKET_RUN_BYTES: usize = 4 << 20;
/// Frames of a WebSocket in a row that end no message (pings, empty fragments); who sends more says nothing.
pub const WEBSOCKET_IDLE_FRAMES: usize = 1000;
/// How long the other side's goodbye is waited for once ours is said: local ones come within a millisecond.
pub const WEBSOCKET_GOODBYE: Duration = Duration::from_millis(100);
/// Longest answer to a gRPC health check, frame included; a real one has seven bytes.
pub const GRPC_ANSWER_BYTES: usize = 4 << 10;
/// Most that a gRPC server may send in one run, settings and pings included; a real one sends some hundred bytes.
pub const GRPC_RUN_BYTES: usize = 128 << 10;
/// Longest head or trailers of an answer over HTTP/2, as unpacked.
pub const GRPC_HEAD_BYTES: u32 = 16 << 10;
/// What an HTTP/2 server may send ahead, the least that the protocol allows without settings.
pub const GRPC_WINDOW_BYTES: u32 = 64 << 10;
/// Models of a list that are looked at; OpenRouter, which serves those of all others, has some five hundred.
pub const MODELS_LISTED: usize = 5000;
/// Tools of an MCP server that are looked at, over all pages of its list.
pub const TOOLS_LISTED: usize = 1000;
/// Pages of such a list that are asked for.
pub const TOOL_PAGES: u32 = 10;
/// How long an MCP server has for ending the session that a check made.
pub const MCP_GOODBYE: Duration = Duration::from_millis(500);
/// Longest session id or cursor of an MCP server that is sent back to it.
pub const MCP_TOKEN_BYTES: usize = 1 << 10;
/// Lines of one reply of SMTP or FTP; servers list some twenty capabilities.
pub const REPLY_LINES: usize = 100;
/// Largest DNS message over UDP: without EDNS servers send 512 bytes, and beyond this one the answer is a fragmented datagram.
pub const DNS_DATAGRAM_BYTES: usize = 4096;
/// Records of an answer that are held against patterns; the largest record sets in use have some hundred.
pub const DNS_RECORDS_JUDGED: usize = 1000;
/// First pause before a DNS question is sent again over UDP, as resolvers have it; doubles.
pub const DNS_RESEND: Duration = Duration::from_secs(1);
/// Datagrams that are no answer to what was asked before a check gives up: somebody is guessing, or the peer speaks something else.
pub const STRANGERS: usize = 100;
/// Most that the file of name servers is read.
pub const RESOLV_CONF_BYTES: u64 = 64 << 10;
/// Largest payload of a ping: what fits into one IPv4 packet.
pub const PING_PAYLOAD_BYTES: usize = 65_507 - 8;
/// Different addresses of one name that get series of their own over the life of a check; beyond it a name is not stable enough
/// to draw a line for each address.
pub const ADDRESSES_LABELLED: usize = 64;
/// How long a mail server may take over its farewell, which decides nothing.
pub const FAREWELL: Duration = Duration::from_millis(500);
/// Certificate files that one check looks at, and so the most label values that it gives.
pub const CERTIFICATE_FILES: usize = 100;
/// Certificates of one file that are read; the list of all public authorities has some 150.
pub const FILE_CERTIFICATES: usize = 1000;
/// Most that a peer may say in one dialogue, lines that are passed over included: looking through an endless banner is work for nothing.
pub const DIALOGUE_RUN_BYTES: usize = 1 << 20;
/// Figures of InnoDB that are asked for and taken; it has some 320, most of them switched off.
pub const MYSQL_INNODB_FIGURES: usize = 400;
/// Values that one run may keep: the largest of our families has some 11 000, and every one costs some hundred bytes, twice.
pub const RUN_READINGS: usize = 20_000;

/// Findings of `agent check` that are kept and shown; nobody mends more in one go, and a file may break a rule in every line.
pub const FINDINGS: usize = 2000;
/// Largest environment file; the kernel hands a process 2 MiB of arguments and environment by default.
pub const ENV_FILE_BYTES: usize = 1 << 20;
/// Longest value of an environment file once its references are filled in: each may double it, and none may fill the memory. The
/// kernel takes no longer one (`MAX_ARG_STRLEN`).
pub const ENV_VALUE_BYTES: usize = 128 << 10;
/// Levels of `${A:-${B:-…}}` in an environment file.
pub const ENV_REFERENCE_DEPTH: usize = 16;
/// Secrets of one environment that are held against each other.
pub const ENV_SECRETS_COMPARED: usize = 200;
/// Steps of `extends` and `include` from one compose file to the next; people need two.
pub const COMPOSE_CHAIN: usize = 16;
