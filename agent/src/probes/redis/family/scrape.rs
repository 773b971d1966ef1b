//! What the public exporter says of itself: whether the server works, and how long a look took. Every look begins with `redis_up` at 0,
//! and only one that came to a good end makes it 1; so a deadline, which asks nobody, leaves it at 0.

use crate::probes::Context;
use crate::reading::{Metric, Type};
use std::time::Duration;

static UP: Metric = Metric::gauge("redis_up", "1 when the last check of the server succeeded, 0 when it failed");
static ERROR: Metric = Metric::gauge(
    "redis_exporter_last_scrape_error",
    "1 when the last check of the server failed, 0 when it succeeded; `err` is always empty, \
     `sidecar_check_failures_total` tells the reason",
)
.labelled(&["err"]);
static SCRAPES: Metric = Metric::counter("redis_exporter_scrapes_total", "Checks of the server so far");
static LAST: Metric = Metric::gauge("redis_exporter_last_scrape_duration_seconds", "Seconds that the last check took");
static CONNECT: Metric = Metric::gauge(
    "redis_exporter_last_scrape_connect_time_seconds",
    "Seconds that making the connection took, which is kept from then on",
);
static SUM: Metric = Metric::gauge("redis_exporter_scrape_duration_seconds_sum", TOOK).of(Type::Summary);
static COUNT: Metric = Metric::gauge("redis_exporter_scrape_duration_seconds_count", TOOK).of(Type::Summary);
const TOOK: &str = "Seconds that checks of the server took";

pub(super) static FACTS: &[&Metric] = &[&UP, &ERROR, &SCRAPES, &LAST, &CONNECT, &SUM, &COUNT];

/// The looks so far.
#[derive(Debug, Default)]
pub(in super::super) struct Scrapes {
    begun: f64,
    ended: f64,
    took: Duration,
    connected: Option<Duration>,
}

impl Scrapes {
    /// A look begins.
    pub(in super::super) fn begin(&mut self, cx: &mut Context<'_>) {
        self.begun += 1.0;
        cx.measure_all([UP.is(0.0), ERROR.with([""], 1.0), SCRAPES.is(self.begun)]);
    }

    /// It came to an end by itself.
    pub(in super::super) fn end(&mut self, cx: &mut Context<'_>, took: Duration, ok: bool) {
        cx.end_phase();
        let connected: Duration = ["resolve", "connect", "tls", "login"].iter().filter_map(|name| cx.took(name)).sum();
        self.connected = Some(connected).filter(|time| !time.is_zero()).or(self.connected);
        self.took += took;
        self.ended += 1.0;
        if ok {
            cx.measure(UP.is(1.0));
            cx.measure(ERROR.with([""], 0.0));
        }
        cx.measure_all([LAST.is(took.as_secs_f64()), SUM.is(self.took.as_secs_f64()), COUNT.is(self.ended)]);
        cx.measure_all(self.connected.map(|time| CONNECT.is(time.as_secs_f64())));
    }
}
