//! One written check after the other made into a check that can run, and the rules that hold between them.

use super::layers::Written;
use super::origin::Origin;
use super::plan::Check;
use super::{Desk, Tables, depend};
use crate::limits;
use crate::node::{Key, Node, Place, Problems, Value, child, closest, did_you_mean, fields};
use crate::probes::{self, Kind, Probe, Target, every};
use crate::snapshot::{CheckFacts, Role};
use crate::units::Span;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A check as written, without its probe's own keys; [`super::keys::CHECK`] has the meaning of each key.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawCheck {
    name: String,
    /// Read before by [`find_target`].
    #[serde(rename = "url")]
    _url: String,
    interval: Option<Span>,
    timeout: Option<Span>,
    fail_after: Option<u32>,
    ok_after: Option<u32>,
    role: Option<Role>,
    depends_on: Vec<String>,
    all_addresses: bool,
    peer: bool,
    sweep: bool,
}

/// All checks that are sound; what is wrong with the others lies on the desk.
pub(super) fn build_all(written: &[Written], tables: Tables, desk: &mut Desk) -> Vec<Check> {
    if written.len() > limits::CHECKS {
        let message = format!("{} checks are more than one agent takes, at most {}", written.len(), limits::CHECKS);
        desk.problems.add("checks", Place::default(), message);
        return Vec::new();
    }
    refuse_namesakes(written, &mut desk.problems);
    refuse_second_peer(written, &mut desk.problems);
    depend::check("check", written, &mut desk.problems);
    written.iter().filter_map(|check| build(check, tables, desk)).collect()
}

fn build(written: &Written, tables: Tables, desk: &mut Desk) -> Option<Check> {
    let node = &written.node;
    if !matches!(node.value, Value::Map(_)) {
        let message = format!("expected a mapping with `name` and `url`, found {}", node.shape());
        desk.problems.add_with_hint(&written.path, node.at, message, "write `- name: db`, and below it `url: …`");
        return None;
    }
    let found = find_target(written, tables, desk);
    let (common, mut own) = split(written, found.as_ref().ok().map(|(kind, _)| *kind), tables, &mut desk.problems);
    let raw: RawCheck = common.read_on(&written.path, &mut desk.problems)?;
    let times = times(&raw, found.as_ref().ok().map(|(kind, _)| *kind));
    verify(&raw, times, written, &mut desk.problems);
    let (kind, target) = found.ok()?;
    take_query(written, kind, &target, &mut own, desk);
    let probe = build_probe(written, kind, &target, &own, &mut desk.problems)?;
    let probe = if raw.all_addresses { every_address(written, kind, &target, (probe, &own), desk)? } else { probe };
    let url = node.get("url").and_then(Node::as_text).unwrap_or_default();
    let origin = Origin::of(url, &own, raw.all_addresses, &mut desk.files);
    Some(Check { facts: Arc::new(facts(raw, times, kind, &target)), probe, origin })
}

/// Why there is no target; said already.
struct NoTarget;

fn find_target(written: &Written, tables: Tables, desk: &mut Desk) -> Result<(&'static Kind, Target), NoTarget> {
    let Some(node) = written.node.get("url") else { return Err(NoTarget) };
    let Some(text) = node.as_text() else { return Err(NoTarget) };
    let path = url_path(written);
    let problems = &mut desk.problems;
    let plain = |scheme: &str| scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c));
    // What is no scheme is not shown: it may be a user, or a password with a colon behind it.
    let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| plain(scheme)) else {
        problems.add_with_hint(
            &path,
            node.at,
            "not a URL, it has no scheme",
            "write it like `http://backend:8000/health`",
        );
        return Err(NoTarget);
    };
    let scheme = scheme.to_ascii_lowercase();
    let base = scheme.split('+').next().unwrap_or_default();
    if base == "sqlite" {
        let message = "`sqlite:` is a file inside the application, there is nothing to probe and no check is made";
        desk.warnings.add(&path, node.at, message);
        return Err(NoTarget);
    }
    let Some(kind) = tables.kind_of(base) else {
        problems.add_with_hint(&path, node.at, format!("unknown scheme `{base}`"), scheme_hint(&scheme, rest, tables));
        return Err(NoTarget);
    };
    match Target::parse(text) {
        Ok(target) => Ok((kind, target)),
        Err(error) => {
            problems.0.push(crate::node::Problem { message: error.message, path, at: node.at, hint: error.hint });
            Err(NoTarget)
        }
    }
}

fn scheme_hint(scheme: &str, rest: &str, tables: Tables) -> String {
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        return format!("a URL begins with a scheme, as in `tcp://{scheme}:…`");
    }
    let known: Vec<&str> = tables.kinds.iter().flat_map(|kind| kind.schemes).copied().collect();
    let all = format!("known schemes: {}", known.join(", "));
    closest(scheme, known).map_or(all.clone(), |meant| format!("did you mean `{meant}`? {all}"))
}

/// The keys of every check, and those of the probe; keys that are neither are named. Without a kind any probe's keys will do.
fn split(written: &Written, kind: Option<&'static Kind>, tables: Tables, problems: &mut Problems) -> (Node, Node) {
    let everywhere = fields::<RawCheck>();
    let kinds = tables.kinds.iter().copied().filter(|one| kind.is_none_or(|kind| kind.name == one.name));
    let of_kind: Vec<&str> = kinds.flat_map(|kind| (kind.fields)()).copied().collect();
    let (mut common, mut own) = (Vec::new(), Vec::new());
    for (key, node) in written.node.entries() {
        let name = key.name.as_str();
        if everywhere.contains(&name) {
            common.push((key.clone(), node.clone()));
        } else if of_kind.contains(&name) {
            own.push((key.clone(), node.clone()));
        } else {
            note_unknown(written, key, kind, &[everywhere, &of_kind].concat(), problems);
        }
    }
    let at = written.node.at;
    (Node { value: Value::Map(common), at }, Node { value: Value::Map(own), at })
}

fn note_unknown(written: &Written, key: &Key, kind: Option<&Kind>, known: &[&str], problems: &mut Problems) {
    let of_kind = kind.map_or(String::new(), |kind| format!(" in a check of kind `{}`", kind.name));
    let hint = match closest(&key.name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => did_you_mean(&key.name, "keys", known),
    };
    let message = format!("unknown key `{}`{of_kind}", key.name);
    problems.add_with_hint(&child(&written.path, &key.name), key.at, message, hint);
}

/// What a URL's query says of the probe's own keys. In HTTP the query is the server's; elsewhere the parameters that no key
/// claims are the application driver's, and ignored, unless they look like a slip.
fn take_query(written: &Written, kind: &Kind, target: &Target, own: &mut Node, desk: &mut Desk) {
    let (false, Some(query)) = (matches!(target.scheme.as_str(), "http" | "https" | "ws" | "wss"), &target.query)
    else {
        return;
    };
    let at = written.node.get("url").map_or(Place::default(), |node| node.at);
    let known = (kind.fields)();
    let Value::Map(entries) = &mut own.value else { return };
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let path = format!("{}?{name}", url_path(written));
        if !known.contains(&name.as_ref()) {
            if let Some(meant) = closest(&name, known.iter().copied()) {
                let hint = format!("did you mean `{meant}`?");
                desk.warnings.add_with_hint(&path, at, format!("the parameter `{name}` is ignored"), hint);
            }
        } else if entries.iter().any(|(key, _)| key.name == name) {
            let message = format!("`{name}` is written twice, in the URL or beside it");
            desk.problems.add_with_hint(&path, at, message, "keep one of them");
        } else {
            let node = Node { value: Value::Text(value.into_owned()), at };
            entries.push((Key { name: name.into_owned(), at }, node));
        }
    }
}

/// Builds the probe. It knows its own keys only, so the check's path is put before each of theirs.
fn build_probe(
    written: &Written,
    kind: &Kind,
    target: &Target,
    own: &Node,
    problems: &mut Problems,
) -> Option<Box<dyn Probe>> {
    let mut found = Problems::default();
    let probe = probes::build(kind, target, own, &mut found);
    let refused = !found.0.is_empty();
    for mut problem in found.0 {
        problem.path = match problem.path.as_str() {
            "" => written.path.clone(),
            path => child(&written.path, path),
        };
        if problem.at == Place::default() {
            problem.at = written.node.at;
        }
        problems.0.push(problem);
    }
    if probe.is_none() && !refused {
        problems.add(&written.path, written.node.at, format!("a check of kind `{}` cannot be made of this", kind.name));
    }
    probe
}

/// The probe for all addresses of its host.
fn every_address(
    written: &Written,
    kind: &Kind,
    target: &Target,
    (probe, own): (Box<dyn Probe>, &Node),
    desk: &mut Desk,
) -> Option<Box<dyn Probe>> {
    if every::fits(kind) && !target.host.is_empty() {
        return Some(every::every(probe, &target.host, own));
    }
    let message = format!("a check of kind `{}` has no name whose addresses could be probed apart", kind.name);
    desk.problems.add(&child(&written.path, "all_addresses"), place(written, "all_addresses"), message);
    None
}

/// Interval and timeout, as written or usual for the kind.
fn times(raw: &RawCheck, kind: Option<&Kind>) -> (Duration, Duration) {
    let usual = if kind.is_some_and(|kind| kind.slow) { limits::SLOW_INTERVAL } else { limits::INTERVAL };
    let interval = raw.interval.map_or(usual, |Span(interval)| interval);
    (interval, raw.timeout.map_or(limits::TIMEOUT.min(interval), |Span(timeout)| timeout))
}

/// Holds the values against each other and their ranges.
fn verify(raw: &RawCheck, (interval, timeout): (Duration, Duration), written: &Written, problems: &mut Problems) {
    let mut complain = |key: &str, message: String| {
        problems.add(&child(&written.path, key), place(written, key), message);
    };
    for key in ["name", "url"] {
        if written.node.get(key).is_none_or(|node| node.value == Value::Null) {
            complain(key, format!("`{key}` is missing"));
        }
    }
    if !is_name(&raw.name) && (written.name().is_some() || !raw.name.is_empty()) {
        complain("name", format!("a name is 1 to {} of `a-z 0-9 - _`, not `{}`", limits::NAME_CHARS, raw.name));
    }
    if !(limits::INTERVAL_LEAST..=limits::INTERVAL_MOST).contains(&interval) {
        let (least, most) = (Span(limits::INTERVAL_LEAST), Span(limits::INTERVAL_MOST));
        complain("interval", format!("an interval lies between {least} and {most}, not `{}`", Span(interval)));
    }
    if raw.sweep && !raw.peer {
        complain("sweep", "only the peer's own ports are swept: `sweep` stands beside `peer: true`".to_owned());
    }
    if timeout > interval {
        complain("timeout", format!("the timeout {} is longer than the interval {}", Span(timeout), Span(interval)));
    } else if timeout < Duration::from_millis(1) {
        complain("timeout", "a timeout is at least 1 ms".to_owned());
    }
    for (key, value) in [("fail_after", raw.fail_after), ("ok_after", raw.ok_after)] {
        if value.is_some_and(|value| !(1..=limits::STREAK).contains(&value)) {
            complain(key, format!("`{key}` is 1 to {}", limits::STREAK));
        }
    }
}

fn facts(raw: RawCheck, (interval, timeout): (Duration, Duration), kind: &Kind, target: &Target) -> CheckFacts {
    CheckFacts {
        name: raw.name,
        kind: kind.name,
        target: target.to_string(),
        role: raw.role.unwrap_or(if raw.peer { Role::Readiness } else { Role::Observe }),
        peer: raw.peer,
        sweep: raw.sweep,
        depends_on: raw.depends_on,
        interval,
        timeout,
        fail_after: raw.fail_after.unwrap_or(limits::FAIL_AFTER),
        ok_after: raw.ok_after.unwrap_or(limits::OK_AFTER),
    }
}

/// Fit for a label value, a URL and a file name.
pub(super) fn is_name(name: &str) -> bool {
    let sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    !name.is_empty() && name.len() <= limits::NAME_CHARS && name.chars().all(sign)
}

fn refuse_namesakes(written: &[Written], problems: &mut Problems) {
    let mut first: BTreeMap<&str, &Written> = BTreeMap::new();
    for check in written {
        let Some(name) = check.name() else { continue };
        match first.get(name) {
            Some(earlier) => {
                let message = format!("two checks are called `{name}`, the first is {}", whereabouts(earlier));
                let at = place(check, "name");
                problems.add_with_hint(&child(&check.path, "name"), at, message, "give one of them another name");
            }
            None => {
                first.insert(name, check);
            }
        }
    }
}

fn refuse_second_peer(written: &[Written], problems: &mut Problems) {
    let marked = |check: &&Written| check.node.get("peer").is_some_and(|node| matches!(node.value, Value::Bool(true)));
    let mut peers = written.iter().filter(marked);
    let Some(first) = peers.next() else { return };
    for check in peers {
        let message = format!("two checks are marked as the peer, the first is {}", whereabouts(first));
        let hint = "an agent stands beside one service; run one agent for each";
        problems.add_with_hint(&child(&check.path, "peer"), place(check, "peer"), message, hint);
    }
}

fn place(check: &Written, key: &str) -> Place {
    check.node.get(key).map_or(check.node.at, |node| node.at)
}

fn whereabouts(check: &Written) -> String {
    match check.node.at.line {
        0 => format!("`{}`", check.path),
        line => format!("`{}` in line {line}", check.path),
    }
}

/// `checks[2].url`; a flag or variable is the URL itself, and `agent probe` has it as its argument.
fn url_path(written: &Written) -> String {
    if written.node.at.line > 0 || written.path.is_empty() { child(&written.path, "url") } else { written.path.clone() }
}
