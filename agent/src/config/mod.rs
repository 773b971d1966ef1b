//! From text to a checked plan: file, flags and environment in, [`Plan`] out, or every problem with its place.
//! Only the plan runs. What must stay true: a bad configuration never half-starts and never replaces a good one (invariant 7).

mod awaited;
mod check;
mod depend;
mod expand;
mod host;
pub mod keys;
mod layers;
mod origin;
mod phases;
mod plan;
mod report;
mod shifted;
mod source;
mod stamp;
mod top;
mod yaml;

#[cfg(test)]
mod host_tests;
#[cfg(test)]
mod one_tests;
#[cfg(test)]
mod tests;

pub use awaited::{Awaited, load_awaited};
pub use expand::Environment;
pub use layers::{CHECK_PREFIX, Flags};
pub use origin::Origin;
pub use phases::{Hook, PhasePlan, Phases, Shutdown, Step, Variables, Work, load_phases};
pub use plan::{Check, InForce, Plan, ServerPlan};
pub use report::{ConfigError, render_problem, trouble, troubles};
pub use stamp::Seen;
pub(crate) use top::{LISTEN, parse_listen};
pub use yaml::Documents;

use crate::collectors::{PeerLabels, PeerPlan, SOURCES, Source};
use crate::limits;
use crate::node::{Node, Place, Problem, Problems, Value};
use crate::paint::Paint;
use crate::probes::{KINDS, Kind};
use crate::secret::veiled;
use crate::small;
use expand::Expanded;
use stamp::Files;
use std::io::Read as _;
use std::path::Path;

/// The tables that a configuration is held against; tests bring their own.
#[derive(Clone, Copy)]
pub struct Tables {
    /// All kinds of probes.
    pub kinds: &'static [&'static Kind],
    /// All sources of the collectors.
    pub sources: &'static [&'static Source],
}

impl Tables {
    /// The tables of this program.
    #[must_use]
    pub fn of_program() -> Self {
        Self { kinds: KINDS, sources: SOURCES }
    }

    fn kind_of(self, scheme: &str) -> Option<&'static Kind> {
        self.kinds.iter().copied().find(|kind| kind.schemes.contains(&scheme))
    }
}

/// A plan, and what its author may want to know although it works.
#[derive(Debug)]
pub struct Loaded {
    /// What runs.
    pub plan: Plan,
    /// What was ignored or replaced.
    pub warnings: Vec<Problem>,
    /// The file it came from, as given.
    pub file: Option<String>,
}

/// Makes the plan of `agent run` from flags, environment and file; flags win over the environment, both over the file.
///
/// # Errors
/// When anything is wrong: all of it.
pub fn load(flags: &Flags, env: &Environment, tables: Tables) -> Result<Loaded, ConfigError> {
    load_watched(flags, env, tables).0
}

/// As [`load`], and tells the files that it read or would have read, good or bad, as they looked before.
pub fn load_watched(flags: &Flags, env: &Environment, tables: Tables) -> (Result<Loaded, ConfigError>, Vec<Seen>) {
    let file = flags.config.clone().or_else(|| env.filled("AGENT_CONFIG").map(str::to_owned));
    if file.is_none() && layers::nothing_given(flags, env) {
        return (Err(ConfigError::Nothing), Vec::new());
    }
    let mut desk = Desk::default();
    file.iter().for_each(|file| desk.files.note(Path::new(file)));
    let root = match file.as_deref().map_or_else(|| Ok(Node::default()), read_file) {
        Ok(root) => root,
        Err(error) => return (Err(error), desk.files.0),
    };
    let plan = make(root, flags, env, tables, &mut desk);
    let seen = std::mem::take(&mut desk.files).0;
    (judge(plan, desk, file), seen)
}

fn judge(plan: Option<Plan>, desk: Desk, file: Option<String>) -> Result<Loaded, ConfigError> {
    match (desk.verdict(), plan) {
        (Ok(warnings), Some(plan)) => Ok(Loaded { plan, warnings, file }),
        (Ok(_), None) => Err(ConfigError::Problems { file, problems: Problems::default() }),
        (Err(problems), _) => Err(ConfigError::Problems { file, problems }),
    }
}

fn make(mut root: Node, flags: &Flags, env: &Environment, tables: Tables, desk: &mut Desk) -> Option<Plan> {
    desk.expanded.fill(&mut root, "", env, (&mut desk.problems, &mut desk.files));
    desk.unfilled = desk.problems.0.len();
    let top = top::read(&root, flags, env, tables, &mut desk.problems);
    let written = layers::checks(&root, flags, env, desk);
    let checks = check::build_all(&written, tables, desk);
    let top = top?;
    if checks.is_empty() && !asks_for_resources(&root, &top.peer) {
        let hint = "add `checks:`, or give `--peer URL` or `--check NAME=URL`; for an agent that reads resources only, say which: \
                    `host: true`, or `cgroup`, `process` or `volumes` below `peer:`";
        let at = root.get("checks").map_or(Place::default(), |node| node.at);
        desk.warnings.add_with_hint("checks", at, "nothing is watched: there is no check and no peer", hint);
    }
    Some(Plan {
        server: top.server,
        watch: top.watch,
        silence_file: top.silence_file,
        checks,
        peer: top.peer,
        host: top.host,
        host_root: top.host_root,
        collectors: top.collectors,
        collect_interval: top.collect_interval,
    })
}

/// Whether somebody asked for figures of host or peer; those that come by themselves are no purpose.
fn asks_for_resources(root: &Node, peer: &PeerPlan) -> bool {
    let host = root.get("host").is_some_and(|node| node.value == Value::Bool(true));
    // Labels alone ask for nothing.
    host || PeerPlan { labels: PeerLabels::default(), ..peer.clone() } != PeerPlan::default()
}

/// Reads a YAML file as it stands, without `${…}`; the error is the whole message for people.
///
/// # Errors
/// When it cannot be read or is no YAML.
pub fn read_yaml(path: &Path) -> Result<Node, String> {
    read_file(&path.to_string_lossy()).map_err(|error| error.render(Paint::OFF))
}

/// Reads a YAML file whose rules are not ours (a compose file, a Kubernetes manifest).
///
/// # Errors
/// When it cannot be read or is no YAML.
pub fn read_documents(path: &Path) -> Result<Documents, ConfigError> {
    let file = path.to_string_lossy();
    let text = read_text(&file, limits::CONFIG_BYTES)?;
    yaml::documents(&text).map_err(|e| ConfigError::malformed(&file, &text, e.at, e.message, e.hint))
}

/// Makes one check from its URL and keys, as `agent probe` needs it.
///
/// # Errors
/// When anything is wrong: all of it.
pub fn load_one(url: &str, keys: &[(String, String)], env: &Environment) -> Result<Check, ConfigError> {
    let mut desk = Desk::default();
    let written = layers::one(url, keys, env, &mut desk);
    desk.unfilled = desk.problems.0.len();
    let check = check::build_all(&[written], Tables::of_program(), &mut desk).pop();
    let all = desk.problems.0.iter_mut().chain(&mut desk.warnings.0);
    all.for_each(|problem| problem.path = layers::as_argument(&problem.path));
    let refused = |problems| ConfigError::Problems { file: None, problems };
    let warnings = desk.verdict().map_err(refused)?;
    check.ok_or_else(|| refused(warnings.into()))
}

/// Where everything that is found on the way is laid down.
#[derive(Default)]
struct Desk {
    problems: Problems,
    warnings: Problems,
    expanded: Expanded,
    files: Files,
    /// How many of the problems are about `${…}`; what follows from them is not worth saying.
    unfilled: usize,
}

impl Desk {
    /// The warnings when nothing is wrong; else the problems, in the order of the file. Neither shows what came in by `${…}`.
    fn verdict(self) -> Result<Vec<Problem>, Problems> {
        let Self { problems, warnings, expanded, unfilled, files: _ } = self;
        let (mut problems, mut warnings) = (problems.0, warnings.0);
        let later = problems.split_off(unfilled.min(problems.len()));
        let follows = |one: &Problem| problems.iter().any(|p| p.path == one.path || (p.at == one.at && p.at.line > 0));
        let later: Vec<Problem> = later.into_iter().filter(|one| !follows(one)).collect();
        problems.extend(later);
        small::sort_by_key(&mut problems, |problem| problem.at);
        for problem in problems.iter_mut().chain(&mut warnings) {
            expanded.veil(problem);
            problem.message = veiled(&problem.message).into_owned();
            problem.path = veiled(&problem.path).into_owned();
        }
        if problems.is_empty() { Ok(warnings) } else { Err(problems.into()) }
    }
}

/// Reads YAML that is not in a file; `name` stands for it in the error, which is the whole message for people.
///
/// # Errors
/// When it is no YAML.
pub fn parse_yaml(name: &str, text: &str) -> Result<Node, String> {
    let refused = |e: yaml::YamlError| ConfigError::malformed(name, text, e.at, e.message, e.hint).render(Paint::OFF);
    yaml::read(text).map_err(refused)
}

fn read_file(file: &str) -> Result<Node, ConfigError> {
    let text = read_text(file, limits::CONFIG_BYTES)?;
    let refused = |e: yaml::YamlError| ConfigError::malformed(file, &text, e.at, e.message, e.hint);
    yaml::read(&text).map_err(refused)
}

/// Reads a file of at most so many bytes as text.
///
/// # Errors
/// When it cannot be read, is larger, or is not UTF-8; each with what to do.
pub fn read_text(file: &str, most: usize) -> Result<String, ConfigError> {
    let unreadable =
        |message: String, hint: &str| ConfigError::Unreadable { file: file.to_owned(), message, hint: hint.to_owned() };
    let open = std::fs::File::open(file).and_then(|open| {
        let mut bytes = Vec::new();
        open.take(most as u64 + 1).read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = open.map_err(|error| unreadable(error.to_string(), advice(error.kind())))?;
    if bytes.len() > most {
        let message = format!("larger than {}", crate::units::human_bytes(most as u64));
        return Err(unreadable(message, "is this the right file?"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        unreadable(format!("it is not UTF-8, see line {line}"), "save it as UTF-8")
    })
}

fn advice(kind: std::io::ErrorKind) -> &'static str {
    match kind {
        std::io::ErrorKind::PermissionDenied => "make it readable for the user that the agent runs as",
        std::io::ErrorKind::IsADirectory => "name a file; a volume that does not exist is mounted as a directory",
        _ => "check the path, and that the file is mounted into this container",
    }
}
