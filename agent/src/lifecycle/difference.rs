//! What runs now, held against a plan that is to take its place: which checks go on, which end, which begin. Pure.

use crate::collectors::PeerPlan;
use crate::config::{Check, Origin, Plan, ServerPlan};
use crate::reload::Applied;
use crate::snapshot::CheckFacts;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A check at work.
#[derive(Clone)]
struct Held {
    number: usize,
    facts: Arc<CheckFacts>,
    origin: Origin,
}

impl Held {
    fn is(&self, check: &Check) -> bool {
        self.origin == check.origin && *self.facts == *check.facts
    }
}

/// What the sources are read by. When any of it changes, all of them begin anew.
#[derive(Clone, PartialEq)]
pub(super) struct Collecting {
    pub(super) names: Vec<&'static str>,
    pub(super) interval: Duration,
    pub(super) peer: PeerPlan,
    pub(super) host_root: PathBuf,
}

/// The plan in force, without its probes, which are at work.
pub(super) struct Running {
    pub(super) server: ServerPlan,
    pub(super) collecting: Collecting,
    /// The number of each source, in their order.
    pub(super) sources: Vec<usize>,
    /// Whether the files of the configuration are watched.
    pub(super) watch: bool,
    pub(super) silence_file: Option<PathBuf>,
    checks: Vec<Held>,
    next: usize,
}

/// What is to be done to get from one to the other.
pub(super) struct Steps {
    pub(super) changes: Applied,
    /// Numbers of the checks to stop.
    pub(super) stop: Vec<usize>,
    /// Checks to start with their numbers.
    pub(super) start: Vec<(usize, Check)>,
    /// Whether the sources begin anew.
    pub(super) collect_anew: bool,
}

impl Running {
    /// What runs once the first plan has been started; the checks' numbers are their places in it.
    pub(super) fn first(plan: &Plan) -> Self {
        let held =
            |(number, check): (usize, &Check)| Held { number, facts: Arc::clone(&check.facts), origin: check.origin };
        Self {
            server: plan.server.clone(),
            collecting: collecting(plan),
            sources: (0..plan.collectors.len()).collect(),
            checks: plan.checks.iter().enumerate().map(held).collect(),
            watch: plan.watch,
            silence_file: plan.silence_file.clone(),
            next: plan.checks.len().max(plan.collectors.len()),
        }
    }

    /// All checks in their order, with their numbers.
    pub(super) fn checks(&self) -> Vec<(usize, Arc<CheckFacts>)> {
        self.checks.iter().map(|held| (held.number, Arc::clone(&held.facts))).collect()
    }

    /// All sources in their order, with their numbers.
    pub(super) fn numbered_sources(&self) -> Vec<(usize, &'static str)> {
        self.sources.iter().copied().zip(self.collecting.names.iter().copied()).collect()
    }

    /// Becomes the plan, and tells the steps to it.
    pub(super) fn become_plan(&mut self, plan: Plan) -> Steps {
        let mut changes = Applied::default();
        self.settle_server(&plan, &mut changes);
        let collecting = collecting(&plan);
        let collect_anew = collecting != self.collecting;
        if collect_anew {
            note_sources(&self.collecting, &collecting, &mut changes);
            self.sources = collecting.names.iter().map(|_| self.number()).collect();
            self.collecting = collecting;
        }
        let (stop, start) = self.exchange(plan.checks, &mut changes);
        Steps { changes, stop, start, collect_anew }
    }

    fn number(&mut self) -> usize {
        let number = self.next;
        self.next += 1;
        number
    }

    /// The address stays that of the start, for nobody can take a port from under its clients.
    fn settle_server(&mut self, plan: &Plan, changes: &mut Applied) {
        let (old, new) = (&self.server, &plan.server);
        if old.listen != new.listen {
            changes.needs_restart.push("listen");
        }
        let settings = [
            ("diagnostics_from", old.diagnostics_from != new.diagnostics_from),
            ("health_aliases", old.aliases != new.aliases),
            ("reload", self.watch != plan.watch),
            ("silence_file", self.silence_file != plan.silence_file),
        ];
        changes.settings.extend(settings.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name));
        self.watch = plan.watch;
        self.silence_file.clone_from(&plan.silence_file);
        self.server = ServerPlan { listen: old.listen, ..new.clone() };
    }

    fn exchange(&mut self, checks: Vec<Check>, changes: &mut Applied) -> (Vec<usize>, Vec<(usize, Check)>) {
        let before = std::mem::take(&mut self.checks);
        let mut start = Vec::new();
        for check in checks {
            let old = before.iter().find(|held| held.facts.name == check.facts.name);
            if let Some(same) = old.filter(|held| held.is(&check)) {
                changes.kept += 1;
                self.checks.push(same.clone());
                continue;
            }
            let list = if old.is_some() { &mut changes.changed } else { &mut changes.added };
            list.push(check.facts.name.clone());
            let number = self.number();
            self.checks.push(Held { number, facts: Arc::clone(&check.facts), origin: check.origin });
            start.push((number, check));
        }
        let goes_on = |held: &&Held| self.checks.iter().any(|kept| kept.number == held.number);
        let stop: Vec<&Held> = before.iter().filter(|held| !goes_on(held)).collect();
        let named = |held: &&&Held| self.checks.iter().any(|kept| kept.facts.name == held.facts.name);
        changes.removed.extend(stop.iter().filter(|held| !named(held)).map(|held| held.facts.name.clone()));
        (stop.into_iter().map(|held| held.number).collect(), start)
    }
}

fn collecting(plan: &Plan) -> Collecting {
    Collecting {
        names: plan.collectors.clone(),
        interval: plan.collect_interval,
        peer: plan.peer.clone(),
        host_root: plan.host_root.clone(),
    }
}

fn note_sources(old: &Collecting, new: &Collecting, changes: &mut Applied) {
    let settings = [
        ("collectors", old.names != new.names || old.interval != new.interval || old.peer.node != new.peer.node),
        ("peer", PeerPlan { node: new.peer.node.clone(), ..old.peer.clone() } != new.peer),
        ("host_root", old.host_root != new.host_root),
    ];
    changes.settings.extend(settings.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Flags, Tables, load};

    fn plan(text: &str) -> Plan {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.yml");
        std::fs::write(&path, text).unwrap();
        let flags = Flags { config: Some(path.to_string_lossy().into_owned()), ..Flags::default() };
        let env = Environment::from([("PASSWORD", "hunter2"), ("OTHER", "other")]);
        load(&flags, &env, Tables::of_program()).unwrap_or_else(|error| panic!("{error}")).plan
    }

    /// The steps from one text to the other, in a line.
    fn between(before: &str, after: &str) -> String {
        let mut running = Running::first(&plan(before));
        let Steps { changes: c, stop, start, collect_anew } = running.become_plan(plan(after));
        let started: Vec<usize> = start.iter().map(|(number, _)| *number).collect();
        let order: Vec<usize> = running.checks().iter().map(|(number, _)| *number).collect();
        format!(
            "+{:?} -{:?} ~{:?} ={} {:?} {:?} stop {stop:?} start {started:?} order {order:?} anew {collect_anew}",
            c.added, c.removed, c.changed, c.kept, c.settings, c.needs_restart
        )
    }

    const TWO: &str = "checks:\n  - {name: a, url: 'tcp://h:1'}\n  - {name: b, url: 'redis://:${PASSWORD}@h'}\n";

    #[test]
    fn the_same_configuration_in_other_words_changes_nothing() {
        let other = "# a comment\n\nchecks:\n  - {url: 'redis://:hunter2@h', name: b, interval: 10s}\n  - {name: a, url: 'tcp://h:1', role: observe}\n";
        insta::assert_snapshot!(between(TWO, TWO), @"+[] -[] ~[] =2 [] [] stop [] start [] order [0, 1] anew false");
        insta::assert_snapshot!(between(TWO, other), @"+[] -[] ~[] =2 [] [] stop [] start [] order [1, 0] anew false");
    }

    #[test]
    fn a_check_is_another_one_when_a_fact_a_key_or_a_secret_of_it_changes() {
        for (from, to) in [
            ("tcp://h:1", "tcp://h:2"),
            ("'tcp://h:1'}", "'tcp://h:1', fail_after: 2}"),
            ("'tcp://h:1'}", "'tcp://h:1', tls: true}"),
        ] {
            let said = between(TWO, &TWO.replace(from, to));
            assert!(said.contains("~[\"a\"] =1") && said.contains("stop [0]"), "{said}");
        }
        let said = between(TWO, &TWO.replace("PASSWORD", "OTHER"));
        assert!(said.contains("~[\"b\"] =1") && !said.contains("other"), "{said}");
    }

    #[test]
    fn checks_come_and_go_and_the_others_keep_their_numbers() {
        let after = "checks:\n  - {name: c, url: 'tcp://h:3'}\n  - {name: b, url: 'redis://:${PASSWORD}@h'}\n";
        insta::assert_snapshot!(between(TWO, after), @r#"+["c"] -["a"] ~[] =1 [] [] stop [0] start [7] order [7, 1] anew false"#);
    }

    #[test]
    fn settings_are_named_and_a_new_address_waits_for_a_restart() {
        let after = format!(
            "listen: ':1'\nhealth_aliases: [/up]\nreload: request\npeer: {{process: api}}\ncollectors: {{interval: 7s}}\n{TWO}"
        );
        insta::assert_snapshot!(between(TWO, &after), @r#"+[] -[] ~[] =2 ["health_aliases", "reload", "collectors", "peer"] ["listen"] stop [] start [] order [0, 1] anew true"#);
        let mut running = Running::first(&plan(TWO));
        assert_eq!(running.become_plan(plan(&after)).changes.needs_restart, ["listen"]);
        assert_eq!(running.become_plan(plan(&after)).changes.needs_restart, ["listen"], "it is still not that");
        assert_eq!(running.become_plan(plan(TWO)).changes.needs_restart, [""; 0]);
    }
}
