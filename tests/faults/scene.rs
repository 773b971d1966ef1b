//! One fault at work: an agent beside real components, healthy first where the fault comes later, then the fault, and what the agent
//! says of it from second to second.

use super::Row;
use super::room::Room;
use crate::agent::Agent;
use crate::http::{get, sample};
use crate::program::clean;
use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Something that must live as long as the scene.
pub type Kept = Box<dyn Any + Send>;

/// Something that is done to a component; it takes and gives back what must live on.
type Deed = Box<dyn FnOnce() -> Result<Kept, String> + Send>;

/// How long the components may take to be found healthy before the fault.
const SETTLE: Duration = Duration::from_secs(40);
/// How long they are watched then: no cause may be named.
const HEALTHY: Duration = Duration::from_millis(2500);
/// How long the picture is given after the name, to see what else is said.
const AFTER: Duration = Duration::from_millis(1500);
/// After the mending no cause may stand for longer.
const MENDED: Duration = Duration::from_secs(20);
/// A wrong name that stood at least so long counts, although the right one came after it.
const MISLEADS: Duration = Duration::from_millis(600);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// A fault and its components.
pub struct Scene {
    config: String,
    act: Option<Deed>,
    mend: Option<Deed>,
    kept: Vec<Kept>,
    room: Option<Arc<Room>>,
}

/// A cause as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub cause: String,
    /// What it is about.
    pub subject: String,
}

/// What came of it.
#[derive(Debug)]
pub enum Verdict {
    /// Named, so long after the fault.
    Found(Duration),
    /// Not named in time; what stood then.
    Missed(Vec<Named>),
    /// Another name for the same subject, or the dependent does not point to its root; in words.
    Misnamed(String),
    /// A cause where nothing was wrong, in words.
    False(String),
    /// It could not be tried here.
    NotRun(String),
}

/// The lines of a check, each with its name; interval 1 s, timeout 900 ms; `more` is further keys that begin with a comma.
#[must_use]
pub fn check(name: &str, url: &str, more: &str) -> String {
    format!("  - {{name: {name}, url: \"{url}\", interval: 1s, timeout: 900ms{more}}}\n")
}

impl Scene {
    /// An agent with these lines of `checks:` and of the top of its configuration.
    #[must_use]
    pub fn new(top: &str, checks: &[String]) -> Self {
        let config = format!("collectors: {{interval: 1s}}\n{top}checks:\n{}", checks.concat());
        Self { config, act: None, mend: None, kept: Vec::new(), room: None }
    }

    /// An agent with these checks.
    #[must_use]
    pub fn of(checks: &[String]) -> Self {
        Self::new("", checks)
    }

    /// This lives as long as the scene.
    #[must_use]
    pub fn keeping(mut self, thing: impl Send + 'static) -> Self {
        self.kept.push(Box::new(thing));
        self
    }

    /// The fault comes by this deed, after a healthy while.
    #[must_use]
    pub fn then(mut self, act: impl FnOnce() -> Result<Kept, String> + Send + 'static) -> Self {
        self.act = Some(Box::new(act));
        self
    }

    /// The fault goes by this deed, and then no cause may be left.
    #[must_use]
    pub fn mended(mut self, mend: impl FnOnce() -> Result<Kept, String> + Send + 'static) -> Self {
        self.mend = Some(Box::new(mend));
        self
    }

    /// The agent runs in this room.
    #[must_use]
    pub fn inside(mut self, room: &Arc<Room>) -> Self {
        self.room = Some(Arc::clone(room));
        self
    }

    /// Plays it.
    pub(super) fn play(mut self, row: &Row) -> Verdict {
        match self.played(row) {
            Ok(verdict) => verdict,
            Err(why) => Verdict::NotRun(format!("broken: {why}")),
        }
    }

    fn played(&mut self, row: &Row) -> Result<Verdict, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = folder.path().join("agent.yml");
        std::fs::write(&path, &self.config).map_err(|error| error.to_string())?;
        let mut began = Instant::now();
        let watched = Watched::start(&path, self.room.clone());
        if let Some(act) = self.act.take() {
            if let Some(verdict) = watched.healthy(self.config.matches("name: ").count())? {
                return Ok(verdict);
            }
            began = Instant::now();
            self.kept.push(act()?);
        }
        let seen = watched.watch(row, began)?;
        if !matches!(seen, Verdict::Found(_)) {
            return Ok(seen);
        }
        let Some(mend) = self.mend.take() else { return Ok(seen) };
        self.kept.push(mend()?);
        Ok(watched.mended()?.unwrap_or(seen))
    }
}

/// An agent and how its pages are reached.
pub struct Watched {
    agent: Agent,
    room: Option<Arc<Room>>,
}

impl Watched {
    /// Starts an agent with a configuration file, in a room or here.
    #[must_use]
    pub fn start(config: &std::path::Path, room: Option<Arc<Room>>) -> Self {
        let mut command = clean("agent");
        command.args(["--listen", "127.0.0.1:0", "--config"]).arg(config);
        if let Some(room) = &room {
            command = room.there(&command);
        }
        Self { agent: Agent::start_command(&mut command), room }
    }

    /// One of its pages.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn page(&self, path: &str) -> Result<String, String> {
        let url = format!("{}{path}", self.agent.url);
        let ask = || get(&url).map(|answer| answer.body);
        match &self.room {
            Some(room) => room.inside(ask),
            None => ask(),
        }
    }

    /// The causes of its page now.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn causes(&self) -> Result<Vec<Named>, String> {
        Ok(causes_of(&self.page("/metrics")?))
    }

    /// Waits until this many checks are up, then looks for a while: whatever is named before the fault is false.
    fn healthy(&self, checks: usize) -> Result<Option<Verdict>, String> {
        let began = Instant::now();
        loop {
            let page = self.page("/metrics")?;
            let up = page.lines().filter(|line| line.starts_with("sidecar_check_up{") && line.ends_with(" 1")).count();
            if up >= checks {
                break;
            }
            if began.elapsed() > SETTLE {
                return Err(format!("{up} of {checks} checks were up before the fault; {:?}", causes_of(&page)));
            }
            std::thread::sleep(PAUSE);
        }
        let until = Instant::now() + HEALTHY;
        while Instant::now() < until {
            let causes = self.causes()?;
            if !causes.is_empty() {
                return Ok(Some(Verdict::False(format!("before the fault: {}", shown(&causes)))));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(None)
    }

    fn watch(&self, row: &Row, began: Instant) -> Result<Verdict, String> {
        let mut wrong: Option<(Named, Duration)> = None;
        let deadline = Duration::from_secs(row.within);
        let found = loop {
            let causes = self.causes()?;
            if row.causes.iter().all(|wanted| causes.iter().any(|cause| is(cause, wanted))) {
                break began.elapsed();
            }
            if let Some(cause) = causes.iter().find(|cause| row.is_wrong(cause)) {
                wrong.get_or_insert_with(|| (cause.clone(), began.elapsed()));
            }
            if began.elapsed() > deadline {
                return Ok(wrong.map_or_else(
                    || Verdict::Missed(causes.clone()),
                    |(named, at)| Verdict::Misnamed(format!("{} after {:.1} s", show(&named), at.as_secs_f64())),
                ));
            }
            std::thread::sleep(PAUSE);
        };
        if let Some((named, at)) = wrong.filter(|(_, at)| found.saturating_sub(*at) > MISLEADS) {
            let (at, found) = (at.as_secs_f64(), found.as_secs_f64());
            return Ok(Verdict::Misnamed(format!("{} from {at:.1} s until {found:.1} s", show(&named))));
        }
        std::thread::sleep(AFTER);
        Ok(self.afterwards(row)?.unwrap_or(Verdict::Found(found)))
    }

    /// What is wrong with the picture once the cause stands.
    fn afterwards(&self, row: &Row) -> Result<Option<Verdict>, String> {
        let page = self.page("/metrics")?;
        let causes = causes_of(&page);
        if let Some(cause) = causes.iter().find(|cause| row.is_wrong(cause)) {
            return Ok(Some(Verdict::Misnamed(format!("also {}", show(cause)))));
        }
        let told: serde_json::Value =
            serde_json::from_str(&self.page("/diagnostics")?).map_err(|error| error.to_string())?;
        let told = told.get("causes").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
        let root = |subject: &str| {
            let of = told.iter().filter(|cause| cause.get("subject").and_then(|it| it.as_str()) == Some(subject));
            of.filter_map(|cause| cause.get("caused_by")?.as_str()).next()
        };
        if let Some(wanted) = row
            .causes
            .iter()
            .find(|(name, _)| !told.iter().any(|it| it.get("cause").and_then(|it| it.as_str()) == Some(name)))
        {
            return Ok(Some(Verdict::Misnamed(format!("/diagnostics does not tell {}", wanted.0))));
        }
        if let Some((dependent, wanted)) =
            row.follows.iter().find(|(dependent, wanted)| root(dependent) != Some(*wanted))
        {
            let got = root(dependent).unwrap_or("nothing");
            return Ok(Some(Verdict::Misnamed(format!("`{dependent}` is caused by {got}, not by `{wanted}`"))));
        }
        let known = |subject: &str| {
            row.causes.iter().any(|(_, own)| *own == subject || *own == "*")
                || row.follows.iter().any(|(own, _)| *own == subject)
        };
        if let Some(cause) =
            causes.iter().find(|cause| !known(&cause.subject) && !row.also.contains(&cause.cause.as_str()))
        {
            return Ok(Some(Verdict::False(format!("beside it: {}", show(cause)))));
        }
        let twin = sample(&page, "sidecar_check_up{check=\"twin\"}");
        Ok((twin == Some(0.0)).then(|| Verdict::NotRun("broken: its healthy twin is down".to_owned())))
    }

    fn mended(&self) -> Result<Option<Verdict>, String> {
        let began = Instant::now();
        loop {
            let causes = self.causes()?;
            if causes.is_empty() {
                return Ok(None);
            }
            if began.elapsed() > MENDED {
                return Ok(Some(Verdict::False(format!(
                    "{} s after the mending: {}",
                    MENDED.as_secs(),
                    shown(&causes)
                ))));
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// Whether a cause is this one; the subject `*` is any.
pub(super) fn is(cause: &Named, (name, subject): &(&str, &str)) -> bool {
    cause.cause == *name && (*subject == "*" || cause.subject == *subject)
}

fn show(cause: &Named) -> String {
    format!("{}({})", cause.cause, cause.subject)
}

/// Causes in words.
#[must_use]
pub fn shown(causes: &[Named]) -> String {
    causes.iter().map(show).collect::<Vec<_>>().join(" ")
}

fn causes_of(page: &str) -> Vec<Named> {
    let label = |line: &str, name: &str| -> Option<String> {
        let (_, rest) = line.split_once(&format!("{name}=\""))?;
        rest.split('"').next().map(str::to_owned)
    };
    let lines = page.lines().filter(|line| line.starts_with("sidecar_cause_active{") && line.ends_with(" 1"));
    lines.filter_map(|line| Some(Named { cause: label(line, "cause")?, subject: label(line, "subject")? })).collect()
}
