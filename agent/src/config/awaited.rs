//! What `agent wait` waits for: the URLs and names of `--for`, or, without any, all that `agent run` would watch.

use super::expand::Environment;
use super::layers::{self, Flags, Written};
use super::{Check, ConfigError, Desk, Loaded, Tables, check, load};
use crate::limits;
use crate::node::{Node, Place, Problem, Problems, closest};
use crate::probes::Target;
use crate::small;
use std::collections::BTreeSet;

/// The checks to wait for, and what their author may want to know.
#[derive(Debug)]
pub struct Awaited {
    /// The checks, in the order asked for.
    pub checks: Vec<Check>,
    /// What was ignored.
    pub warnings: Vec<Problem>,
    /// The file that the warnings are about.
    pub file: Option<String>,
    /// The name of the peer's check, which was left out because the command to come is the peer.
    pub left_out: Option<String>,
}

/// Makes the checks. `wanted` holds URLs (`URL` or `NAME=URL`) and names of checks of the configuration; when it is empty, all of
/// the configuration is meant, without the peer's own check when `before_peer`: what comes after the wait is the peer, as a rule.
///
/// # Errors
/// When anything is wrong: all of it.
pub fn load_awaited(
    wanted: &[String],
    config: Option<&str>,
    env: &Environment,
    before_peer: bool,
) -> Result<Awaited, ConfigError> {
    let flags = Flags { config: config.map(str::to_owned), ..Flags::default() };
    if wanted.is_empty() {
        let Loaded { plan, warnings, file } = load(&flags, env, Tables::of_program())?;
        let (peers, checks): (Vec<Check>, Vec<Check>) =
            plan.checks.into_iter().partition(|check| before_peer && check.facts.peer);
        let left_out = peers.first().map(|check| check.facts.name.clone());
        return Ok(Awaited { checks, warnings, file, left_out });
    }
    let named = wanted.iter().any(|text| url_of(text).is_none() && !text.trim().is_empty());
    let loaded = named.then(|| load(&flags, env, Tables::of_program())).transpose();
    let loaded = match loaded {
        Err(ConfigError::Nothing) => None,
        other => other?,
    };
    pick(wanted, loaded, env)
}

/// The wanted ones: those of the file by their names, the others made of their URLs.
fn pick(wanted: &[String], loaded: Option<Loaded>, env: &Environment) -> Result<Awaited, ConfigError> {
    let (known, mut warnings, file) = match loaded {
        Some(loaded) => (loaded.plan.checks, loaded.warnings, loaded.file),
        None => (Vec::new(), Vec::new(), None),
    };
    let mut known: Vec<Option<Check>> = known.into_iter().map(Some).collect();
    let mut desk = Desk::default();
    let mut places: Vec<Option<Check>> = Vec::new();
    let mut written = Vec::new();
    let mut taken = small::set(wanted.iter().filter_map(|text| given_name(text)).map(str::to_owned));
    for (index, text) in wanted.iter().enumerate() {
        if let Some(url) = url_of(text) {
            written.push(from_url(text, url, env, &mut taken, &mut desk));
            places.push(None);
        } else {
            places.push(by_name(text, wanted.get(..index).unwrap_or_default(), &mut known, &mut desk.problems));
        }
    }
    desk.unfilled = 0;
    // Each alone, for one that has nothing to probe (`sqlite:`) leaves its place empty.
    let mut made = written.iter().map(|one| {
        let one = one.as_ref()?;
        check::build_all(std::slice::from_ref(one), Tables::of_program(), &mut desk).pop()
    });
    for (place, _) in places.iter_mut().zip(wanted).filter(|(_, text)| url_of(text).is_some()) {
        *place = made.next().flatten();
    }
    drop(made);
    if wanted.len() > limits::CHECKS {
        desk.problems.add("--for", Place::default(), format!("one call waits for {} at most", limits::CHECKS));
    }
    refuse_namesakes(&places, &mut desk.problems);
    let refused = |problems| ConfigError::Problems { file: None, problems };
    warnings.extend(desk.verdict().map_err(refused)?);
    Ok(Awaited { checks: places.into_iter().flatten().collect(), warnings, file, left_out: None })
}

/// A check of the file, out of its place.
fn by_name(text: &str, earlier: &[String], known: &mut [Option<Check>], problems: &mut Problems) -> Option<Check> {
    let name = text.trim();
    let taken_before = earlier.iter().any(|one| one.trim() == name);
    if name.is_empty() {
        let hint = "the variable that it was to come from is not set: `--for \"$DATABASE_URL\"`";
        problems.add_with_hint("--for", Place::default(), "nothing is written here", hint);
        return None;
    }
    let found = known.iter_mut().find(|check| check.as_ref().is_some_and(|check| check.facts.name == name));
    if let Some(check) = found {
        return check.take();
    }
    let names: Vec<&str> = known.iter().flatten().map(|check| check.facts.name.as_str()).collect();
    if taken_before {
        problems.add("--for", Place::default(), format!("`{name}` is named twice"));
        return None;
    }
    let hint = match closest(name, names.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if names.is_empty() => "write a URL, or name a file's check beside `--config FILE`".to_owned(),
        None => format!("write a URL, or one of the checks: {}", names.join(", ")),
    };
    problems.add_with_hint("--for", Place::default(), format!("`{name}` is no URL, and no check is called so"), hint);
    None
}

/// The URL in `URL` or `NAME=URL`; `None` when there is none. The query of a URL may hold any number of `=`.
fn url_of(text: &str) -> Option<&str> {
    match text.split_once('=').filter(|(name, _)| !name.contains(':')) {
        Some((_, url)) => Some(url),
        None => (text.contains(':') || text.contains("${")).then_some(text),
    }
}

fn given_name(text: &str) -> Option<&str> {
    text.split_once('=').map(|(name, _)| name).filter(|name| !name.contains(':'))
}

fn from_url(
    text: &str,
    url: &str,
    env: &Environment,
    taken: &mut BTreeSet<String>,
    desk: &mut Desk,
) -> Option<Written> {
    let given = given_name(text);
    let path = given.map_or_else(|| "--for".to_owned(), |name| format!("--for {name}"));
    let url = layers::flag_text(url, &path, env, desk);
    let name = given.map_or_else(|| name_for(url.as_text().unwrap_or_default(), taken), str::to_owned);
    if url.as_text().is_some_and(|url| url.trim().is_empty()) {
        let hint = "the variable that it was to come from is not set";
        desk.problems.add_with_hint(&path, Place::default(), "the URL is empty", hint);
        return None;
    }
    Some(layers::named_check(path, &name, Node { at: Place::default(), ..url }))
}

/// A name for what has none: its host, for services are called by their names in compose and Kubernetes; its scheme when it has
/// no name, the two together when two have the same one, and then a number.
fn name_for(url: &str, taken: &mut BTreeSet<String>) -> String {
    let target = Target::parse(url).ok();
    let (host, scheme) = target.as_ref().map_or(("", "dependency"), |target| (&*target.host, &*target.scheme));
    let first = if host.chars().any(char::is_alphabetic) { host } else { scheme };
    let base = plain(first);
    let tries = [base.clone(), plain(&format!("{first}-{scheme}"))].into_iter();
    let numbered = (2..).map(|number: usize| format!("{base}-{number}"));
    let name = tries.chain(numbered).find(|name| !taken.contains(name)).unwrap_or(base);
    taken.insert(name.clone());
    name
}

/// Fit for the name of a check.
fn plain(text: &str) -> String {
    let sign = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
    text.chars().map(sign).take(limits::NAME_CHARS - 4).collect()
}

fn refuse_namesakes(places: &[Option<Check>], problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for check in places.iter().flatten() {
        if !seen.insert(check.facts.name.as_str()) {
            let message = format!("`{}` is named twice", check.facts.name);
            problems.add_with_hint(
                "--for",
                Place::default(),
                message,
                "give one of them another name: `--for NAME=URL`",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(wanted: &[&str]) -> Vec<String> {
        let wanted: Vec<String> = wanted.iter().map(|text| (*text).to_owned()).collect();
        let env = Environment::from([("DB", "postgres://app:hunter2@db/shop")]);
        match load_awaited(&wanted, None, &env, true) {
            Ok(awaited) => {
                awaited.checks.iter().map(|one| format!("{} {}", one.facts.name, one.facts.target)).collect()
            }
            Err(error) => error.to_string().lines().map(str::to_owned).collect(),
        }
    }

    #[test]
    fn a_url_is_called_after_its_host_and_told_from_its_like() {
        let all = named(&[
            "cache=redis://r",
            "${DB}",
            "tcp://db:1",
            "tcp://db:2",
            "tcp://127.0.0.1:1",
            "http://[::1]:80/?a=b",
            "unix:/run/x.sock",
        ]);
        insta::assert_snapshot!(all.join("\n"), @r"
        cache redis://r
        db postgres://db/shop
        db-tcp tcp://db:1
        db-2 tcp://db:2
        tcp tcp://127.0.0.1:1
        http http://[::1]:80/
        unix unix:///run/x.sock
        ");
    }

    #[test]
    fn what_cannot_be_waited_for_is_said_all_at_once_and_no_password_with_it() {
        let all = named(&["", "db", "x=", "htpp://u:hunter2@h", "a=tcp://h:1", "a=tcp://h:2"]);
        insta::assert_snapshot!(all.join("\n"), @r#"
        error: nothing is written here
          at --for
        hint: the variable that it was to come from is not set: `--for "$DATABASE_URL"`

        error: `db` is no URL, and no check is called so
          at --for
        hint: write a URL, or name a file's check beside `--config FILE`

        error: the URL is empty
          at --for x
        hint: the variable that it was to come from is not set

        error: unknown scheme `htpp`
          at --for
        hint: did you mean `http`? known schemes: http, https, tcp, tls, redis, rediss, valkey, valkeys, postgres, postgresql, mysql, mariadb, nginx, metrics, metricss, file, dns, unix, smtp, icmp, ws, wss, grpc, grpcs, prometheus, alertmanager, grafana, logstash, chroma, openai, mcp, cert

        error: `a` is named twice
          at --for
        hint: give one of them another name: `--for NAME=URL`
        "#);
    }

    #[test]
    fn sqlite_is_nothing_to_wait_for_and_no_error() {
        assert_eq!(named(&["sqlite:///app.db"]), [""; 0]);
    }

    #[test]
    fn a_files_checks_are_waited_for_by_name_or_all_without_the_peer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.yml");
        std::fs::write(
            &path,
            "checks:\n- {name: api, url: \"http://a/\", peer: true}\n- {name: db, url: \"tcp://d:1\", timeout: 2s}\n- {name: cache, url: \"redis://c\"}\n",
        )
        .unwrap();
        let names = |wanted: &[&str], before_peer| {
            let wanted: Vec<String> = wanted.iter().map(|text| (*text).to_owned()).collect();
            let loaded = load_awaited(&wanted, path.to_str(), &Environment::default(), before_peer);
            loaded.map(|all| {
                (all.checks.iter().map(|one| one.facts.name.clone()).collect::<Vec<_>>().join(" "), all.left_out)
            })
        };
        assert_eq!(names(&[], true), Ok(("db cache".to_owned(), Some("api".to_owned()))));
        assert_eq!(names(&[], false), Ok(("api db cache".to_owned(), None)));
        assert_eq!(names(&["cache", "x=tcp://x:1", "api"], true), Ok(("cache x api".to_owned(), None)));
        insta::assert_snapshot!(names(&["cahce", "db", "db"], true).unwrap_err().to_string(), @r"
        error: `cahce` is no URL, and no check is called so
          at --for
        hint: did you mean `cache`?

        error: `db` is named twice
          at --for
        ");
    }
}
