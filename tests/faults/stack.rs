//! The fault bench on the whole stack in containers: a fault is brought about in one of its services, and the sidecars must name it by its
//! cause, while what merely follows points to its root and the others name nothing. By hand, through `tests/faults/run stack`: needs Docker
//! and the local bases. What must stay true: a row leaves the stack as it found it, or says what stays.

use super::scene::{Named, shown};
use super::{Verdict, caught};
use crate::repo::read;
use crate::stack::{SMALL_DISK, Stack};
use crate::wait_for;
use serde_json::Value;
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// The sidecars that are asked.
const SIDECARS: [&str; 5] = ["backend", "db", "redis", "frontend", "nginx"];
/// How long all of them are watched before a fault: no cause may be named.
const HEALTHY: Duration = Duration::from_secs(3);
/// How long the picture is given after the name, to see what else is said.
const AFTER: Duration = Duration::from_secs(4);
/// After the mending no new cause may stand for longer.
const MENDED: Duration = Duration::from_secs(90);
/// A wrong name that stood at least so long counts, although the right one came after it.
const MISLEADS: Duration = Duration::from_millis(1500);
/// Between two looks at all of them.
const PAUSE: Duration = Duration::from_millis(150);

/// A cause that a sidecar must name: the service beside it, the cause, its subject.
pub type Told = (&'static str, &'static str, &'static str);

/// What is done to the stack.
pub type Act = fn(&Stack) -> Result<(), String>;

/// A fault of the stack.
pub struct Fault {
    /// What goes wrong, in words.
    pub name: &'static str,
    /// Who must name it.
    pub tells: &'static [Told],
    /// Causes that may be named beside them, as roots of their own: what the fault does to others that cannot know.
    pub also: &'static [&'static str],
    /// How many seconds they have.
    pub within: u64,
    /// How it is brought about.
    pub act: Act,
    /// How all is well again.
    pub heal: Act,
    /// Whether the API suffers from it, which nginx' sidecar sees from outside and cannot know the root of.
    pub strikes_the_api: bool,
    /// Causes that stand for ten minutes after the mending, by their own definition.
    pub stays: &'static [&'static str],
}

/// The stack, started, with checks every two seconds, and what stays of the rows before.
pub struct Bench {
    stack: Stack,
    stays: RefCell<Vec<Seen>>,
}

/// A cause as the sidecar beside a service tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    beside: &'static str,
    named: Named,
    root: Option<String>,
}

impl Seen {
    fn is(&self, (beside, cause, subject): &Told) -> bool {
        self.beside == *beside && self.named.cause == *cause && self.named.subject == *subject
    }
}

impl Bench {
    /// Starts the stack: the files as they ship, but every check every two seconds, a small disk for the database, the API's fault switches on, and
    /// a first backup made.
    ///
    /// # Errors
    /// When it cannot be started here.
    pub fn start() -> Result<Self, String> {
        if let Some(why) = Stack::impossible() {
            return Err(why);
        }
        let mut stack = Stack::copy("faults", &[("FAULTS", "1"), ("STACK_EXTRA_FILES", SMALL_DISK.0)])?;
        stack.add_file(SMALL_DISK.0, SMALL_DISK.1)?;
        for service in SIDECARS {
            quicken(&stack, service)?;
        }
        stack.edit("docker/sidecars/backend.yml", "    peer: true\n", "    peer: true\n    sweep: true\n")?;
        stack.start(&[])?;
        stack.compose(&["run", "--rm", "-T", "backup"])?;
        let bench = Self { stack, stays: RefCell::default() };
        wait_for("all sidecars to name nothing", MENDED, || bench.causes().is_empty().then_some(()));
        Ok(bench)
    }

    /// Brings a fault about, watches what the sidecars say, and makes all well again.
    #[must_use]
    pub fn play(&self, fault: &Fault) -> Verdict {
        let play = || self.played(fault).unwrap_or_else(|why| Verdict::NotRun(format!("broken: {why}")));
        caught(std::panic::AssertUnwindSafe(play))
    }

    fn played(&self, fault: &Fault) -> Result<Verdict, String> {
        if let Some(why) = self.quiet() {
            return Ok(Verdict::False(format!("before the fault: {why}")));
        }
        let began = Instant::now();
        let acted = (fault.act)(&self.stack);
        let verdict = acted.map(|()| self.watch(fault, began));
        (fault.heal)(&self.stack)?;
        let left = self.mended(fault);
        match (verdict?, left) {
            (Verdict::Found(_), Some(left)) => {
                Ok(Verdict::False(format!("{} s after the mending: {left}", MENDED.as_secs())))
            }
            (verdict, _) => Ok(verdict),
        }
    }

    /// All causes of all sidecars, but for those that stay of earlier rows.
    fn causes(&self) -> Vec<Seen> {
        let stays = self.stays.borrow();
        let all = SIDECARS.iter().flat_map(|service| self.of(service));
        all.filter(|seen| !stays.iter().any(|old| old.beside == seen.beside && old.named == seen.named)).collect()
    }

    fn of(&self, service: &'static str) -> Vec<Seen> {
        let Ok(page) = self.stack.sidecar(service, "/health") else { return Vec::new() };
        let page = page.json();
        let causes = page.get("causes").and_then(Value::as_array).cloned().unwrap_or_default();
        let text = |cause: &Value, key: &str| cause.get(key).and_then(Value::as_str).map(str::to_owned);
        let seen = causes.iter().filter_map(|cause| {
            let named = Named { cause: text(cause, "cause")?, subject: text(cause, "subject")? };
            Some(Seen { beside: service, named, root: text(cause, "caused_by") })
        });
        seen.collect()
    }

    /// What is named although nothing is wrong.
    fn quiet(&self) -> Option<String> {
        let until = Instant::now() + HEALTHY;
        while Instant::now() < until {
            let causes = self.causes();
            if !causes.is_empty() {
                return Some(words(&causes));
            }
            std::thread::sleep(PAUSE);
        }
        None
    }

    fn watch(&self, fault: &Fault, began: Instant) -> Verdict {
        let mut wrong: Option<(Seen, Duration)> = None;
        let found = loop {
            let causes = self.causes();
            let now = began.elapsed();
            if fault.tells.iter().all(|told| causes.iter().any(|seen| seen.is(told))) {
                break now;
            }
            if let Some(seen) = causes.iter().find(|seen| fault.is_wrong(seen)) {
                wrong.get_or_insert_with(|| (seen.clone(), now));
            }
            if now > Duration::from_secs(fault.within) {
                return Verdict::Missed(causes.into_iter().map(|seen| seen.named).collect());
            }
            std::thread::sleep(PAUSE);
        };
        if let Some((seen, at)) = wrong.filter(|(_, at)| found.saturating_sub(*at) > MISLEADS) {
            let (at, found) = (at.as_secs_f64(), found.as_secs_f64());
            return Verdict::Misnamed(format!("{} from {at:.1} s until {found:.1} s", words(&[seen])));
        }
        std::thread::sleep(AFTER);
        let causes = self.causes();
        if let Some(seen) = causes.iter().find(|seen| fault.is_wrong(seen)) {
            return Verdict::Misnamed(format!("also {}", words(std::slice::from_ref(seen))));
        }
        let beside: Vec<Seen> = causes.into_iter().filter(|seen| fault.is_beside(seen)).collect();
        if beside.is_empty() { Verdict::Found(found) } else { Verdict::False(format!("beside it: {}", words(&beside))) }
    }

    /// Waits until nothing is named but what stays by its definition, and says what else does.
    fn mended(&self, fault: &Fault) -> Option<String> {
        let began = Instant::now();
        loop {
            let (stays, left): (Vec<Seen>, Vec<Seen>) =
                self.causes().into_iter().partition(|seen| fault.stays.contains(&seen.named.cause.as_str()));
            if left.is_empty() {
                self.stays.borrow_mut().extend(stays);
                return None;
            }
            if began.elapsed() > MENDED {
                return Some(words(&left));
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl Fault {
    /// Whether this is another name for what this row does.
    fn is_wrong(&self, seen: &Seen) -> bool {
        let about = self.tells.iter().any(|(beside, _, of)| seen.beside == *beside && seen.named.subject == *of);
        about && self.is_beside(seen)
    }

    /// Whether this is a root that nobody expects.
    fn is_beside(&self, seen: &Seen) -> bool {
        !self.tells.iter().any(|told| seen.is(told)) && !self.is_known(seen)
    }

    fn is_known(&self, seen: &Seen) -> bool {
        seen.root.is_some()
            || self.also.contains(&seen.named.cause.as_str())
            || (self.strikes_the_api && sees_the_api(seen))
    }

    /// What must be named, in words.
    #[must_use]
    pub fn wanted(&self) -> String {
        let each = self.tells.iter().map(|(beside, cause, subject)| format!("{beside}: {cause}({subject})"));
        each.collect::<Vec<_>>().join(", ")
    }
}

/// The way through nginx to the API: what is named there is about the API.
fn sees_the_api(seen: &Seen) -> bool {
    seen.beside == "nginx" && seen.named.subject == "api-through-nginx"
}

fn words(causes: &[Seen]) -> String {
    let word = |seen: &Seen| format!("{}: {}", seen.beside, shown(std::slice::from_ref(&seen.named)));
    causes.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// Every check every two seconds, whatever its file says: so long its peers may take, and the API's health page waits for a while itself.
fn quicken(stack: &Stack, service: &str) -> Result<(), String> {
    let path = stack.path(&format!("docker/sidecars/{service}.yml"));
    let mut lines = String::new();
    for line in read(&path).lines().filter(|line| !line.starts_with("    interval:")) {
        lines += &format!("{}\n", line.replace("collectors: {", "collectors: {interval: 1s, "));
        if line.starts_with("    url:") {
            lines += "    interval: 2s\n";
        }
    }
    std::fs::write(&path, lines).map_err(|error| error.to_string())
}

/// Waits until the API answers, through whatever it has waited for.
pub(super) fn api_is_back(stack: &Stack) -> Result<(), String> {
    wait_for("the API to be known as up", MENDED, || (stack.check("backend", "backend").ok()? == "up").then_some(()));
    stack.healthy("backend")
}
