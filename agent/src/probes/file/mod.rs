//! `file`: the backups of one database in a folder. Is the newest recent, of the usual size, whole, and are as many kept as should be?
//! It writes nothing and shows no byte of a backup. What must stay true: a hung mount holds one thread and no other check, and reading a
//! large backup costs at most half of each run's timeout.

mod dump;
pub(super) mod folder;
mod judge;
#[cfg(test)]
pub(super) mod tests;
mod verify;
pub(super) mod worker;

use super::{Context, Fault, Key, Kind, Probe, Reason, Run, Target, fields_of, parameters, place_of};
use crate::clock;
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::reading::Metric;
use crate::units::{Span, human_bytes};
use folder::Place;
use judge::{Look, Newest, Rules, Seen};
use percent_encoding::percent_decode_str;
use std::time::Duration;
use verify::{Contents, Verdict, Verifier};
use worker::{Missed, Worker};

/// The row of the table.
pub(super) static KIND: Kind = Kind {
    name: "file",
    schemes: &["file"],
    summary: "Looks at the backups of one database: age, size beside the earlier ones, integrity, number. None at all, or one that is \
              too old, is `stale`; a damaged or much smaller one is `body`",
    example: "- name: backup\n  url: file:///backups/postgres/*.sql.gz?max_age=26h\n  keep_for: 30d\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: &[&AGE, &SIZE, &SIZE_RATIO, &COUNT, &VALID],
    parsers: &[Parser { name: "dump", read: dump::read }],
    slow: true,
    build,
};

static AGE: Metric = Metric::gauge(
    "sidecar_backup_age_seconds",
    "Seconds since the newest backup was written, one that is being written left out; absent when there is none",
);
static SIZE: Metric =
    Metric::gauge("sidecar_backup_size_bytes", "Size of the newest backup in bytes, as it lies on disk");
static SIZE_RATIO: Metric = Metric::gauge(
    "sidecar_backup_size_ratio",
    "Size of the newest backup divided by the median of up to 30 earlier ones; absent without an earlier one",
);
static COUNT: Metric =
    Metric::gauge("sidecar_backup_count", "Backups that are there; absent when they cannot be listed");
static VALID: Metric = Metric::gauge(
    "sidecar_backup_valid",
    "1 when the newest backup was read to its end and is whole, 0 when it is damaged; absent while that is not known",
);

static KEYS: &[Key] = &[
    Key {
        name: "max_age",
        form: "duration",
        default: "26h",
        doc: "Fails with reason `stale` when the newest backup is older. The default suits a daily one.",
    },
    Key {
        name: "min_size_ratio",
        form: "number",
        default: "0.5",
        doc: "Fails with reason `body` when the newest backup is smaller than this share of the median of the earlier ones; 0 never does.",
    },
    Key {
        name: "contents",
        form: "auto or any",
        default: "auto",
        doc: "What must be in it. `auto`: what begins like a dump of pg_dump, pg_dumpall or mysqldump must end like one, and what has \
              `.sql` in its name must begin like one. `any`: anything. A gzip stream must be whole, checksum included, either way; one \
              that takes longer than half the timeout is read on in the next run.",
    },
    Key {
        name: "settle",
        form: "duration",
        default: "2m",
        doc: "A damaged or small backup that changed within this time is being written: the one before it is judged. Names that begin \
              with `.` or end with `.tmp`, `.temp`, `.part`, `.partial` or `~` never count.",
    },
    Key {
        name: "keep_for",
        form: "duration",
        default: "none",
        doc: "Fails with reason `stale` when a backup is older than this and a day, `keep_least` newest ones left out: nothing removes \
              old ones.",
    },
    Key {
        name: "keep_least",
        form: "number",
        default: "1",
        doc: "Fails with reason `body` when there are fewer backups.",
    },
];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    max_age: Span,
    min_size_ratio: f64,
    contents: Contents,
    settle: Span,
    keep_for: Option<Span>,
    keep_least: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            max_age: Span(Duration::from_hours(26)),
            min_size_ratio: 0.5,
            contents: Contents::Auto,
            settle: Span(Duration::from_mins(2)),
            keep_for: None,
            keep_least: 1,
        }
    }
}

struct Backups {
    worker: Worker<Look>,
}

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    if !target.host.is_empty() {
        let hint = "write it with three slashes: `file:///backups/*.sql.gz`";
        problems.add_with_hint("url", own.at, format!("a file URL has no host, this one has `{}`", target.host), hint);
        return None;
    }
    if !(0.0..=1.0).contains(&params.min_size_ratio) {
        let message = format!("a share lies between 0 and 1, not `{}`", params.min_size_ratio);
        problems.add("min_size_ratio", place_of(own, "min_size_ratio"), message);
        return None;
    }
    let path = percent_decode_str(&target.path).decode_utf8_lossy();
    let place = Place::read(&path).map_err(|why| problems.add("url", own.at, why)).ok()?;
    let rules = Rules {
        max_age: params.max_age.0,
        min_size_ratio: params.min_size_ratio,
        settle: params.settle.0,
        keep_for: params.keep_for.map(|Span(keep_for)| keep_for),
        keep_least: params.keep_least,
        contents: params.contents,
    };
    Some(Box::new(Backups { worker: Worker::Idle(Look { place, rules, verifier: Verifier::default() }) }))
}

impl Probe for Backups {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(async move {
            cx.phase("read");
            let whole = cx.left();
            let (now, until) = (clock::wall(), clock::now() + whole / 2);
            let seen = self.worker.has(cx.deadline, move |look| look.look(now, until)).await;
            cx.end_phase();
            match seen {
                Ok(seen) => record(cx, seen),
                Err(Missed::Late) => {
                    Err(Fault::new(Reason::Timeout, format!("the folder has not answered within {}", Span(whole)))
                        .hint("is it a network mount whose server is gone?"))
                }
                Err(Missed::Lost) => {
                    Err(Fault::new(Reason::Internal, "the probe has a bug and gave up, please report it"))
                }
            }
        })
    }
}

/// Writes down what was seen; its fault is the result.
fn record(cx: &mut Context<'_>, seen: Seen) -> Result<(), Fault> {
    if let Some(count) = seen.count {
        #[expect(clippy::cast_precision_loss, reason = "capped by `limits::BACKUPS`")]
        cx.measure(COUNT.is(count as f64));
    }
    if let Some(name) = &seen.writing {
        cx.note("writing", name);
    }
    if let Some(newest) = &seen.newest {
        record_newest(cx, newest);
    }
    seen.fault.map_or(Ok(()), Err)
}

fn record_newest(cx: &mut Context<'_>, newest: &Newest) {
    #[expect(clippy::cast_precision_loss, reason = "sizes are below 2^53")]
    cx.measure(SIZE.is(newest.size as f64));
    cx.measure(AGE.is(newest.age));
    newest.ratio.iter().for_each(|ratio| cx.measure(SIZE_RATIO.is(*ratio)));
    cx.note("newest", &newest.name);
    match &newest.verdict {
        Verdict::Good(what) => {
            cx.measure(VALID.is(1.0));
            cx.note("contents", &format!("{what}, whole"));
        }
        Verdict::Bad(_) => cx.measure(VALID.is(0.0)),
        Verdict::Unknown(why) => cx.note("contents", &format!("not verified: {why}")),
        Verdict::Reading(read) => {
            let (read, of) = (human_bytes(*read), human_bytes(newest.size));
            cx.note(
                "contents",
                &format!("not verified yet: {read} of {of} read, the next run goes on; a longer `timeout` reads more"),
            );
        }
        Verdict::Unread(_) => {}
    }
}
