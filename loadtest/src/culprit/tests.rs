//! Pictures of a stack while a target is missed: for each kind of fault the one that is guilty, among decoys that were drawn
//! by seed. Agents look every five seconds, as real ones do, and their figures are noisy.

use super::*;
use crate::sidecars::{Evidence, Gap, Service, Take, Track, find as figure};

const CALM: f64 = -15.0;
const END: f64 = 60.0;

/// A service whose figures are functions of time, seen through an agent that looks every five seconds.
struct Seen(Service, fastrand::Rng);

impl Seen {
    fn new(name: &str, seed: u64) -> Self {
        Self(Service::new(name), fastrand::Rng::with_seed(seed))
    }

    /// Each look tells of the five seconds before it.
    fn figure(mut self, name: &str, course: impl Fn(f64) -> f64) -> Self {
        let figure = figure(name).unwrap_or_else(|| panic!("{name}"));
        let mut at = CALM + self.1.f64() * 5.0;
        let mut looks = Vec::new();
        while at < END {
            let last = (0..50).map(|tenth| course(at - f64::from(tenth) / 10.0));
            looks.push((at, if figure.take == Take::Mean { last.sum::<f64>() / 50.0 } else { course(at) }));
            at += 5.0;
        }
        self.0.tracks.push(Track::of(figure, looks));
        self
    }

    fn depends_on(mut self, names: &[&str]) -> Self {
        self.0.dependencies = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    fn named(mut self, cause: &str, subject: &str, from: f64) -> Self {
        let (cause, subject) = (cause.to_owned(), subject.to_owned());
        self.0.causes.push(crate::sidecars::Named { cause, subject, from, until: END });
        self
    }
}

/// `calm` before `from`, `level` after it.
fn step(calm: f64, level: f64, from: f64) -> impl Fn(f64) -> f64 {
    move |at| if at < from { calm } else { level }
}

fn miss(from: f64, until: f64) -> Miss {
    let met = if from > 3.0 { std::iter::once(0.0..from - 1.0).collect() } else { Vec::new() };
    Miss {
        what: "p95 of POST /risks".to_owned(),
        target: "POST /risks p95 < 300ms".to_owned(),
        when: from..until,
        met,
        turned_away: None,
    }
}

fn clock(at: f64) -> String {
    let whole = at.round().clamp(0.0, 1e6) as u64;
    format!("14:{:02}:{:02}", 2 + whole / 60, whole % 60)
}

fn found(miss: &Miss, seen: impl IntoIterator<Item = Seen>) -> Finding {
    find(miss, &Evidence { services: seen.into_iter().map(|seen| seen.0).collect() }, None, &clock)
}

/// A quiet neighbour: nothing moves.
fn idle(name: &str) -> Seen {
    Seen::new(name, 1).figure("cpu", |_| 0.02).figure("memory", |_| 0.3).figure("cpu_throttled", |_| 0.0)
}

#[test]
fn the_sentence_names_the_service_its_limit_the_share_and_the_time() {
    let backend =
        Seen::new("backend", 3).figure("cpu_throttled", step(0.0, 0.41, 8.0)).figure("cpu", step(0.01, 0.97, 0.0));
    insta::assert_snapshot!(found(&miss(10.0, 40.0), [backend, idle("db")]).sentence, @"p95 of POST /risks missed at 14:02:10; `backend` was CPU-throttled in 41 % of periods from 14:02:08 (0 % in the calm time); nothing else moved");
}

#[test]
fn a_service_that_works_more_and_is_at_no_limit_is_no_culprit() {
    let db = Seen::new("db", 5).figure("query", step(2000.0, 3000.0, 0.0)).figure("cpu", step(0.02, 0.6, 0.0));
    let finding = found(&miss(10.0, 40.0), [db, idle("backend")]);
    assert_eq!((finding.named, finding.suspects.len()), (0, 0), "{finding:?}");
    insta::assert_snapshot!(finding.sentence, @"p95 of POST /risks missed at 14:02:10; no figure of any sidecar shows why: none was at its limit and none became slow; what moved: `db.cpu` went from 2 % to 60 %, within its limit");
}

#[test]
fn who_waits_points_to_whom_it_waits_for() {
    let backend = Seen::new("backend", 7)
        .figure("pool", step(0.1, 1.0, 9.0))
        .figure("cpu", step(0.05, 0.1, 0.0))
        .depends_on(&["db"]);
    let db = Seen::new("db", 8).figure("query", step(2000.0, 900_000.0, 9.0)).figure("cpu", step(0.02, 0.08, 0.0));
    insta::assert_snapshot!(found(&miss(10.0, 40.0), [backend, db]).sentence, @"p95 of POST /risks missed at 14:02:10; `db` took 900ms for a query on average from 14:02:06 (2ms in the calm time); `backend` waits for it (had 100 % of its connection pool in use); nothing else moved");
    // A pool that is too small, in front of a database that has nothing to do.
    let backend = Seen::new("backend", 7).figure("pool", step(0.1, 1.0, 0.0)).depends_on(&["db"]);
    let db = Seen::new("db", 8).figure("query", |_| 2000.0).figure("cpu", step(0.02, 0.3, 0.0));
    insta::assert_snapshot!(found(&miss(2.0, 40.0), [backend, db]).sentence, @"p95 of POST /risks missed at 14:02:02; `backend` had 100 % of its connection pool in use from the beginning (10 % in the calm time); less telling: `db.cpu` went from 2 % to 30 %, within its limit");
}

#[test]
fn what_was_so_in_the_calm_time_already_is_not_blamed() {
    let batch = Seen::new("batch", 2).figure("cpu_throttled", |_| 0.8).figure("disk", |_| 0.97);
    let finding = found(&miss(10.0, 40.0), [batch]);
    assert_eq!(finding.named, 0, "{finding:?}");
    // It became a little worse with the load.
    let batch = Seen::new("batch", 2).figure("cpu_throttled", step(0.67, 1.0, 0.0));
    assert_eq!(found(&miss(10.0, 40.0), [batch]).named, 0);
    let grew = Seen::new("batch", 2).figure("cpu_throttled", step(0.15, 1.0, 0.0));
    assert_eq!(found(&miss(2.0, 40.0), [grew]).named, 1, "it was at its limit before, and is far beyond it now");
}

/// A neighbour that works on something of its own: its first looks in the calm time were from before that.
#[test]
fn what_was_beyond_its_limit_before_the_load_came_neither_first_nor_counts_whole() {
    let frontend = Seen::new("frontend", 4).figure("cpu_pressure", step(0.38, 0.51, -4.0));
    let db = Seen::new("db", 5).figure("query", step(1000.0, 36_900.0, 6.5));
    let finding = found(&miss(3.0, 40.0), [frontend, db]);
    let order: Vec<&str> = finding.suspects.iter().map(|suspect| suspect.service.as_str()).collect();
    assert_eq!((order.as_slice(), finding.named), (&["db", "frontend"][..], 1), "{}", finding.sentence);
}

#[test]
fn what_came_after_the_miss_is_a_consequence() {
    let (backend, db) = (
        Seen::new("backend", 2).figure("memory", step(0.3, 0.95, 30.0)),
        Seen::new("db", 2).figure("cpu_throttled", step(0.0, 0.6, 8.0)),
    );
    let finding = found(&miss(10.0, 50.0), [backend, db]);
    assert_eq!((finding.named, finding.suspects[0].service.as_str()), (1, "db"));
    assert!(finding.sentence.contains("only afterwards"), "{}", finding.sentence);
}

#[test]
fn two_that_cannot_be_told_apart_are_both_named() {
    let both = ["backend", "db"].map(|name| Seen::new(name, 2).figure("cpu_throttled", step(0.0, 0.5, 8.0)));
    let finding = found(&miss(10.0, 40.0), both);
    assert_eq!(finding.named, 2);
    assert!(finding.sentence.contains("which of them is the reason cannot be told"), "{}", finding.sentence);
}

#[test]
fn a_generator_at_its_limit_is_the_only_one_said() {
    let backend = Seen::new("backend", 3).figure("cpu_throttled", step(0.0, 0.9, 0.0)).0;
    let evidence = Evidence { services: vec![backend] };
    let finding = find(&miss(1.0, 40.0), &evidence, Some("it used 99 % of its CPU"), &clock);
    assert_eq!(finding.named, 0);
    insta::assert_snapshot!(finding.sentence, @"p95 of POST /risks missed at 14:02:01; the load generator itself was the bottleneck (it used 99 % of its CPU), so nobody else can be blamed");
}

#[test]
fn a_silent_sidecar_is_said() {
    let mut silent = idle("db");
    silent.0.gaps.push(Gap { from: 5.0, until: 50.0, why: "connection refused by db:9797".to_owned() });
    let finding = found(&miss(10.0, 40.0), [silent]);
    assert!(finding.sentence.ends_with("not heard: `db` (connection refused by db:9797)"), "{}", finding.sentence);
}

#[test]
fn a_cause_that_an_agent_names_counts_for_its_subject() {
    let backend = idle("backend").depends_on(&["db"]).named("disk_full", "db", 8.0);
    let finding = found(&miss(10.0, 40.0), [backend]);
    assert_eq!((finding.named, finding.suspects[0].service.as_str()), (1, "db"), "{}", finding.sentence);
    let before = idle("backend").depends_on(&["db"]).named("backup_stale", "db", -10.0);
    assert_eq!(found(&miss(10.0, 40.0), [before]).named, 0, "it stood before the load");
}

#[test]
fn a_rate_limit_is_named_with_the_proxy_that_it_stands_at() {
    let away = TurnedAway { limited: 940, failed: 960 };
    let miss = Miss { what: "errors of all requests".to_owned(), turned_away: Some(away), ..miss(10.0, 40.0) };
    let mut nginx = idle("nginx");
    nginx.0.is_proxy = true;
    let busy = Seen::new("db", 3).figure("cpu", step(0.02, 0.6, 0.0));
    let finding = found(&miss, [idle("backend"), nginx, busy]);
    assert_eq!((finding.named, finding.suspects[0].service.as_str()), (1, "nginx"));
    insta::assert_snapshot!(finding.sentence, @"errors of all requests missed at 14:02:10; `nginx` (or what stands behind it) limited the rate of requests from 14:02:10: 940 of 960 failed requests were answered 429 (a limit by address sees all users as one, unless the plan gives each its own: `X-Forwarded-For: {{user_address}}`); less telling: `db.cpu` went from 2 % to 60 %, within its limit");
    insta::assert_snapshot!(found(&miss, [idle("backend")]).sentence, @"errors of all requests missed at 14:02:10; a rate limit turned requests away: 940 of 960 failed requests were answered 429 (a limit by address sees all users as one, unless the plan gives each its own: `X-Forwarded-For: {{user_address}}`)");
}

/// A fault, and whether the one that has it is the one that is named.
type Fault = fn(Seen, f64, &mut fastrand::Rng) -> Seen;

const FAULTS: &[(&str, Fault)] = &[
    ("CPU throttled", |seen, from, rng| {
        seen.figure("cpu_throttled", step(0.0, 0.2 + rng.f64() * 0.8, from)).figure("cpu", step(0.02, 0.97, from))
    }),
    ("CPU without a quota", |seen, from, rng| seen.figure("cpu", step(0.02, 0.93 + rng.f64() * 0.07, from))),
    ("CPU pressure", |seen, from, rng| seen.figure("cpu_pressure", step(0.0, 0.5 + rng.f64() * 0.5, from))),
    ("memory", |seen, from, rng| seen.figure("memory", step(0.4, 0.93 + rng.f64() * 0.07, from))),
    ("memory pressure", |seen, from, rng| seen.figure("memory_pressure", step(0.0, 0.3 + rng.f64() * 0.6, from))),
    ("disk pressure", |seen, from, rng| seen.figure("io_pressure", step(0.01, 0.5 + rng.f64() * 0.5, from))),
    ("disk full", |seen, from, rng| seen.figure("disk", step(0.6, 0.98 + rng.f64() * 0.02, from))),
    ("descriptors", |seen, from, rng| seen.figure("fds", step(0.1, 0.93 + rng.f64() * 0.07, from))),
    ("connections", |seen, from, rng| seen.figure("connections_used", step(0.1, 0.95 + rng.f64() * 0.05, from))),
    ("pool", |seen, from, _| seen.figure("pool", step(0.1, 1.0, from))),
    ("slow query", |seen, from, rng| seen.figure("query", step(2000.0, 3e5 + rng.f64() * 1e6, from))),
    ("locked", |seen, from, rng| seen.figure("transaction", step(0.0, 6e6 + rng.f64() * 3e7, from))),
    ("killed", |seen, from, _| seen.figure("oom_kills", step(0.0, 1.0, from)).figure("restarts", step(0.0, 1.0, from))),
    ("failing", |seen, from, _| {
        seen.figure("failing", step(0.0, 1.0, from)).figure("down", step(0.0, 1.0, from + 15.0))
    }),
    ("down", |seen, from, _| seen.figure("down", step(0.0, 1.0, from))),
];

/// Neighbours that look suspicious and are not.
const DECOYS: &[(&str, Fault)] = &[
    ("works more", |seen, _, rng| {
        seen.figure("cpu", step(0.05, 0.5 + rng.f64() * 0.35, 0.0)).figure("memory", step(0.2, 0.6, 0.0))
    }),
    ("throttled all the time", |seen, _, rng| {
        let level = 0.3 + rng.f64() * 0.6;
        seen.figure("cpu_throttled", move |_| level).figure("cpu", |_| 0.99)
    }),
    ("full since long ago", |seen, _, _| seen.figure("disk", |_| 0.98).figure("memory", |_| 0.95)),
    ("comes afterwards", |seen, from, rng| {
        seen.figure("cpu_throttled", step(0.0, 0.9, from + 14.0 + rng.f64() * 10.0))
    }),
    ("a blip long before", |seen, from, _| {
        seen.figure("cpu_throttled", move |at| f64::from(u8::from(at > 1.0 && at < from - 14.0)) * 0.9)
    }),
    ("slower by a little", |seen, from, _| seen.figure("query", step(2000.0, 5000.0, from))),
    ("at its limit while all was well", |seen, _, _| seen.figure("cpu_throttled", step(0.0, 0.5, 1.0))),
];

#[test]
fn every_kind_of_fault_is_found_among_decoys_of_every_kind() {
    let mut wrong = Vec::new();
    for (number, (fault, guilty)) in (0_u64..).zip(FAULTS) {
        for seed in 0..120 {
            let mut rng = fastrand::Rng::with_seed(seed * 1000 + number);
            let from = 20.0 + rng.f64() * 15.0;
            let mut stack =
                vec![guilty(Seen::new("guilty", rng.u64(..)), from - 3.0 * rng.f64(), &mut rng), idle("idle")];
            let mut drawn = Vec::new();
            for name in ["one", "two"] {
                let (decoy, act) = DECOYS[rng.usize(..DECOYS.len())];
                stack.push(act(Seen::new(name, rng.u64(..)), from, &mut rng));
                drawn.push(decoy);
            }
            rng.shuffle(&mut stack);
            let finding = found(&miss(from, from + 20.0), stack);
            let right = finding.named == 1 && finding.suspects[0].service == "guilty";
            if !right {
                wrong.push(format!("{fault} (seed {seed}) beside {drawn:?}: {}", finding.sentence));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong, such as\n{}",
        wrong.len(),
        wrong.iter().take(5).cloned().collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn decoys_alone_are_never_named_for_certain() {
    for seed in 0..300 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let from = 20.0 + rng.f64() * 15.0;
        let stack = ["one", "two"].map(|name| {
            let (_, act) = DECOYS[rng.usize(..DECOYS.len())];
            act(Seen::new(name, rng.u64(..)), from, &mut rng)
        });
        let finding = found(&miss(from, from + 20.0), stack);
        assert_eq!(finding.named, 0, "seed {seed}: {}", finding.sentence);
    }
}

#[test]
fn everybody_who_waits_leads_to_the_one_who_does_not() {
    for (number, (fault, guilty)) in (0_u64..).zip(FAULTS).filter(|(_, (name, _))| *name != "pool") {
        for seed in 0..60 {
            let mut rng = fastrand::Rng::with_seed(seed * 77 + number);
            let from = 20.0 + rng.f64() * 15.0;
            let db = guilty(Seen::new("db", rng.u64(..)), from - 2.0, &mut rng);
            let backend = Seen::new("backend", rng.u64(..))
                .figure("pool", step(0.1, 1.0, from - 2.0))
                .depends_on(&["db", "redis"]);
            let edge = Seen::new("edge", rng.u64(..)).figure("down", step(0.0, 1.0, from)).depends_on(&["backend"]);
            let finding = found(&miss(from, from + 20.0), [edge, backend, db, idle("redis")]);
            assert_eq!(finding.suspects[0].service, "db", "{fault} (seed {seed}): {}", finding.sentence);
            assert_eq!(finding.named, 1, "{fault} (seed {seed}): {}", finding.sentence);
        }
    }
}
