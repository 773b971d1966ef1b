//! Every cap and every deadline of the load tester in one place, each with its reason (invariant 2).

mod sidecars;
mod validate;

pub use sidecars::*;
pub use validate::*;

use std::time::Duration;

/// Largest response body kept in memory; a larger one is an error of its own, so that a hostile or mistaken target
/// cannot fill the generator's memory.
pub const BODY_BYTES: usize = 64 * 1024 * 1024;

/// Largest response head. nginx sends at most 4 to 8 KiB, browsers accept 256 KiB.
pub const HEAD_BYTES: usize = 64 * 1024;

/// Most header fields in a response's head; hyper and Go's servers stop at a hundred by default.
pub const HEAD_FIELDS: usize = 256;

/// What one call of the system may bring of a response: what loopback hands over at once. One such buffer a thread.
pub const READ_BYTES: usize = 64 * 1024;

/// What a peer may send of an HTTP/2 body before it waits for us: what Chrome grants. A smaller window would measure the
/// distance to the target: at 50 ms, 64 KiB let 1.3 MB/s through.
pub const HTTP2_WINDOW: u32 = 6 * 1024 * 1024;

/// Space for a request that an idle connection keeps; after an upload it gives the rest back.
pub const REQUEST_SPACE: usize = 4 * 1024;

/// Time for name, connection and TLS, where the request asks for nothing else. Linux sends its second SYN after 1 s and
/// its fourth after 7 s: ten seconds forgive three lost ones.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time from the start of a request to the last byte, where the request asks for nothing else.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections kept by one virtual user: what browsers hold towards one host.
pub const CONNECTIONS_PER_USER: usize = 6;

/// Most files of one page; the heaviest sites have some two hundred.
pub const PAGE_FILES: usize = 256;

/// Bytes that the files of one page may have together: as much as one body.
pub const PAGE_BYTES: usize = BODY_BYTES;

/// Time for all files of a page behind its document; nobody waits longer for a page.
pub const PAGE_TIME: Duration = Duration::from_secs(60);

/// Redirects followed for a file of a page.
pub const PAGE_REDIRECTS: usize = 5;

/// Constant URLs whose wire form one virtual user keeps; more than a journey has in practice.
pub const PREPARED_PER_USER: usize = 64;

/// How long a name look-up serves all users, so that a change of address is seen during a long run.
pub const NAME_LIFETIME: Duration = Duration::from_secs(30);

/// Names in the look-up cache; journeys may build host names from data.
pub const NAMES: usize = 1024;

/// Distinct TLS set-ups (roots, client certificate, insecure) in one run; journeys may build file names from data.
pub const TLS_SETUPS: usize = 64;

/// Largest certificate, key or roots file; the whole Mozilla bundle has 220 KiB.
pub const PEM_BYTES: u64 = 4 * 1024 * 1024;

/// Time for opening a WebSocket, and for each of its round trips, where the step asks for nothing else: as long as a silent target is
/// borne.
pub const WEBSOCKET_ANSWER: Duration = HANG_AFTER;

/// Time for a server to answer the end of a WebSocket: it costs the user's next request, not the figures.
pub const WEBSOCKET_CLOSE: Duration = Duration::from_secs(1);

/// Largest message of a WebSocket; nginx and most servers stop at 1 MiB.
pub const WEBSOCKET_MESSAGE: usize = 4 << 20;

/// Space for what a WebSocket receives, a thousand times over in a run; a longer message makes its own.
pub const WEBSOCKET_READ: usize = 4 * 1024;

/// Messages and pings in one round trip that are not the answer: a thousand a second for ten seconds.
pub const WEBSOCKET_SKIPPED: usize = 10_000;

/// Bytes of such messages; each is dropped when it has been looked at.
pub const WEBSOCKET_SKIPPED_BYTES: u64 = 64 << 20;

/// Most round trips of one WebSocket step.
pub const WEBSOCKET_TRIPS: u64 = 1_000_000;

/// Longest latency that a histogram holds; longer ones count as this.
pub const LATENCY_US: u64 = 600_000_000;

/// Seconds over which the live view's figures are taken.
pub const WINDOW_SECONDS: u64 = 5;

/// Most slots of the timeline; beyond it neighbours are merged. A run of a quarter of an hour has a slot a second, a soak of
/// an hour one in four; no plot has more pixels.
pub const TIMELINE_SLOTS: usize = 1000;

/// Most cells (bucket and count, 8 bytes) of the timeline: 12 MB. A second of one request has some 100 of them; beyond the
/// cap neighbours are merged.
pub const TIMELINE_CELLS: usize = 1_500_000;

/// Longest example of a failure kept for people, in characters.
pub const EXAMPLE_CHARS: usize = 300;

/// When a run ends, requests in flight may finish within this time; docker stop allows ten seconds for everything.
pub const DRAIN: Duration = Duration::from_secs(5);

/// A request given up with the run that is younger than this says nothing and is left out; an older one is counted as
/// a timeout with its age as the lower bound of its latency.
pub const TELLING_AGE: Duration = Duration::from_secs(1);

/// Nothing answers while requests are in flight: after this time the target counts as hung.
pub const HANG_AFTER: Duration = Duration::from_secs(10);

/// Requests fail without any answer: after this time the target counts as dead. A restart of a small service is
/// shorter.
pub const DEAD_AFTER: Duration = Duration::from_secs(5);

/// Unanswered requests in a row that it takes, besides the time, to call a target dead.
pub const DEAD_FAILURES: u64 = 5;

/// How often the engine looks for a hung or dead target, and for the end of the run.
pub const WATCH_EVERY: Duration = Duration::from_millis(100);

/// How often the generator looks at its own CPU time.
pub const CPU_EVERY: Duration = Duration::from_secs(1);

/// How often the generator checks whether its timers fire late: 100 times a second costs below 0.1 % of a core.
pub const LATENESS_EVERY: Duration = Duration::from_millis(10);

/// Timers later than this, at the 99th percentile, spoil the whole run. Less than this is an error bar, which is taken off a missed
/// latency before it counts (targets/judge.rs). Measured with `tests/bench/lateness` (200 users, 50 ms of true latency, 0 to 16 busy
/// loops on two cores): the bar covered what the client added to p50, p90, p95 and p99 up to a lateness of 190 ms; beyond that
/// nothing was seen.
pub const LATE_US: u64 = 200_000;

/// What the client added to a latency, in latenesses at the same percentile: 0.8 to 2.0 where the generator lacked CPU (a request
/// waits for it when it is sent and when its answer has come), up to 3 where it was a few milliseconds.
pub const LATE_TIMES: u32 = 2;

/// Share of the users' time lost to timers and wake-ups that came late, above which the run proves nothing: so much less
/// than the planned load was offered, and a target that is met might not be under all of it.
pub const LOST_RATIO: f64 = 0.1;

/// What a timer may fire late by its own grain: tokio's wheel turns once a millisecond, and epoll waits in whole ones.
pub const TIMER_GRAIN: Duration = Duration::from_millis(2);

/// Timers that must have fired before their lateness says anything: below that, one of them decides.
pub const LATE_SAMPLES: u64 = 100;

/// Share of the allowed CPU above which a second counts as busy.
pub const BUSY_RATIO: f64 = 0.9;

/// Share of busy seconds above which the generator counts as saturated.
pub const BUSY_SECONDS_RATIO: f64 = 0.5;

/// File descriptors beside the users' connections: standard streams, epoll, wake-ups, output files, sidecar scrapes,
/// and threads that look up names.
pub const SPARE_FILES: u64 = 64;

/// Largest file read below `/proc` and `/sys/fs/cgroup` for the CPU quota.
pub const PROC_BYTES: u64 = 64 * 1024;

/// How long goose may take to notice its kill switch (it looks twice a second) and to gather its users, before the
/// engine leaves it.
pub const GOOSE_ENDS: Duration = Duration::from_secs(3);

/// How long a user goes on without handing over to goose between two iterations: goose's own turn costs as much as sending a
/// small request, and it has nothing to decide there more than ten times a second.
pub const SHIFT: Duration = Duration::from_millis(100);

/// Journeys that one worker of the open model carries at once. A worker that waits for an answer must start what falls due
/// meanwhile, or the target's stall would keep the load from it (coordinated omission): with 8, a pool of a quarter of what a
/// stall takes is still twice enough. More would only hide that a target cannot keep up.
pub const JOURNEYS_PER_WORKER: usize = 8;

/// Most workers of the open model: their journeys together are the most users of one generator.
pub const WORKERS: usize = USERS / JOURNEYS_PER_WORKER;

/// Highest rate of arrivals per second that a plan may ask for: ten times what one generator sends.
pub const RATE: f64 = 1_000_000.0;

/// Arrivals that wait, each shown with its age in a live view; beyond it they are only counted.
pub const WAITING_SHOWN: usize = 100_000;

/// Most steps of a search for the capacity: from 1/s to a million it takes twenty doublings.
pub const CAPACITY_STEPS: usize = 24;
/// A capacity is known when what broke is at most this many times what held: two runs at one rate differ by as much.
pub const CAPACITY_WITHIN: f64 = 1.1;
/// Lowest rate that a search tries, per second: below it a step takes longer than anybody waits.
pub const CAPACITY_LOWEST: f64 = 0.1;
/// Longest step of a search, unless the plan asks for longer ones.
pub const CAPACITY_LONGEST: Duration = Duration::from_secs(300);
/// Rest between two steps, so that the queues of the one before are empty.
pub const CAPACITY_REST: Duration = Duration::from_secs(2);
/// Share of what came in the second half of a step that may still be open at its end: more of it, and less is served than comes.
pub const CAPACITY_GROWTH: f64 = 0.05;
/// Open requests that are no sign of anything: a slow answer more or less.
pub const CAPACITY_GROWTH_FLOOR: f64 = 10.0;

/// A target system has recovered when p95 is at most this many times what it was before (as a baseline's degradation counts)…
pub const RECOVERED_TIMES: f64 = 1.5;
/// … or not more than this above it: half as much again of a millisecond is noise …
pub const RECOVERED_FLOOR: Duration = Duration::from_millis(5);
/// … and errors are at most this share above what they were.
pub const RECOVERED_ERRORS: f64 = 0.01;
/// Slots of the timeline that must show it, so that one lull is no recovery.
pub const RECOVERY_SLOTS: u32 = 3;
/// Requests that must show it: what a p95 takes.
pub const RECOVERY_REQUESTS: u64 = 20;

/// Longest run, and longest watch: a week.
pub const LONGEST_RUN: Duration = Duration::from_secs(7 * 86_400);

/// Most users a plan may ask of one generator; more than 65 535 connections to one address need several.
pub const USERS: usize = 50_000;

/// Largest plan file; a plan of a thousand lines has some 50 KiB.
pub const PLAN_BYTES: u64 = 1 << 20;

/// Largest data file of a plan: it is kept in memory for all users.
pub const DATA_BYTES: u64 = 64 << 20;

/// Most rows of a data file.
pub const DATA_ROWS: usize = 1_000_000;

/// Longest excerpt of an input line in an error message, in characters.
pub const EXCERPT_CHARS: usize = 160;

/// Time to resolve the target's name, when it is asked whose it is.
pub const RESOLVE: Duration = Duration::from_secs(5);

/// Room made for each report before the first request: the HTML page of a run with a hundred request names has a few hundred KiB.
pub const REPORT_ROOM: usize = 1 << 20;

/// Largest report that is read back: one of a week with a line a second and a thousand request names stays below.
pub const REPORT_BYTES: u64 = 256 << 20;

/// How wide confidence intervals are: 3.29 standard deviations leave out one case in a thousand. A run compares dozens of figures, and
/// a release is not taken back by chance.
pub const Z: f64 = 3.29;

/// How many times as long as in the baseline a latency may be before the release should be taken back (REQUIREMENTS E4).
pub const SLOWER_TIMES: f64 = 1.5;

/// A latency that grew by less than this is no degradation, whatever its ratio: nobody notices, and one lost packet costs more.
pub const SLOWER_FLOOR: Duration = Duration::from_millis(10);

/// Share of failed requests above which the release should be taken back (REQUIREMENTS E4).
pub const ERRORS_RATIO: f64 = 0.25;

/// Share of a request's answers that refuse who asks, above which authentication counts as failing: sessions that expire under
/// load are fewer.
pub const AUTH_RATIO: f64 = 0.05;

/// Refusals that it takes besides.
pub const AUTH_FAILURES: u64 = 5;

/// Curves beside that of all requests in the plot of percentiles; more cannot be told apart.
pub const CURVES: usize = 5;

/// Stretches of a plot over time that tell their figures when pointed at.
pub const HINTS: usize = 240;

/// The same of a small plot, of which a page may have dozens.
pub const SMALL_HINTS: usize = 60;

/// Columns of the heat map: on a phone one has two pixels.
pub const HEAT_COLUMNS: usize = 150;

/// Changes against the baseline listed in a comment on a pull request.
pub const MARKDOWN_CHANGES: usize = 10;

/// How often a watch looks at a release: what ends it is told within seconds.
pub const WATCH_LOOK: Duration = Duration::from_secs(2);

/// How often a run is looked at for targets that are lost: adding up all histograms takes a few milliseconds.
pub const LOST_LOOK: Duration = Duration::from_secs(1);

/// What a watch looks at: short enough to show what has just begun, long enough for a gentle load to have a few dozen requests.
pub const WATCH_WINDOW: Duration = Duration::from_secs(60);

/// The page of metrics is made at most this often: adding up all histograms takes a few milliseconds.
pub const SCRAPE_EVERY: Duration = Duration::from_secs(1);

/// Time for a scraper to ask and to take its answer.
pub const SCRAPE_TIME: Duration = Duration::from_secs(5);

/// Largest request head of a scraper, in bytes; Prometheus sends some 300.
pub const SCRAPE_HEAD: usize = 8 * 1024;

/// Scrapers served at once; one is usual.
pub const SCRAPES: usize = 8;

/// Requests listed in a comment on a pull request; people scroll past more.
pub const MARKDOWN_REQUESTS: usize = 5;

/// Distinct causes of error listed in the report; the rest are counted.
pub const CAUSES_SHOWN: usize = 12;

/// Time for trying each journey once before the load. Whoever waits for a verdict of a minute bears a third of it for this;
/// it must exceed [`HANG_AFTER`], or a hung target would pass as a slow one.
pub const PREFLIGHT: Duration = Duration::from_secs(20);

/// Time for a plan's setup: filling a database takes minutes, and whoever waits longer has a setup that hangs.
pub const SETUP: Duration = Duration::from_secs(300);

/// Time for a plan's teardown: the report waits for it.
pub const TEARDOWN: Duration = Duration::from_secs(60);

/// How often the live view is drawn: twice a second is as fast as a person reads.
pub const DRAW_EVERY: Duration = Duration::from_millis(500);

/// Frames that the curves of the live view go back: half a minute at two a second, as wide as a common terminal has room for.
pub const SPARKS: usize = 60;

/// How often a line is printed where there is no terminal.
pub const LINE_EVERY: Duration = Duration::from_secs(5);
