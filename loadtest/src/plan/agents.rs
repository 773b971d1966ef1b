//! The sidecars of a plan: names and addresses, from the file and the flags, and the services that a target about a figure means.

use super::origin::Setting;
use super::raw::RawPlan;
use super::reader::{Reader, Sought, Text};
use super::{Flags, Url};
use crate::limits::SIDECARS;
use crate::problem::Problem;
use crate::sidecars::Sidecar;
use crate::units;
use std::time::Duration;

/// The port of an agent, where its address has none.
const PORT: u16 = 9797;
const CALM_LEAST: Duration = Duration::from_secs(5);
const CALM_MOST: Duration = Duration::from_secs(60);

/// The sidecars of the file, then those of the flags, which win.
pub(super) fn read(reader: &mut Reader<'_>, flags: &Flags, raw: &RawPlan) -> Vec<Setting<Sidecar>> {
    let mut found: Vec<Setting<Sidecar>> = Vec::new();
    for (name, at) in raw.agents.iter().flatten() {
        if let Some(text) = reader.text(&format!("agents.{name}"), at) {
            add(reader, &mut found, name, &text);
        }
    }
    for given in &flags.agents {
        let Some((name, address)) = given.split_once('=') else {
            let problem = Problem::new(format!("`{given}` has no name")).at("--agents");
            reader
                .problems
                .0
                .push(problem.hint("write it like `--agents backend=http://127.0.0.1:9797,db=http://127.0.0.1:9798`"));
            continue;
        };
        add(reader, &mut found, name, &Reader::flag("--agents", address));
    }
    found
}

fn add(reader: &mut Reader<'_>, found: &mut Vec<Setting<Sidecar>>, name: &str, text: &Text) {
    let fits = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
    if !fits(name) {
        let problem = Problem::new(format!("`{name}` is no name for a service"));
        return reader
            .problem(text, problem.hint("letters, digits, `-` and `_`: targets write it like `backend.cpu < 70%`"));
    }
    let Some(Setting { value: url, from }) = reader.understand(text, address) else { return };
    found.retain(|known| known.value.name != name);
    if found.len() >= SIDECARS {
        return reader.problem(text, Problem::new(format!("more than {SIDECARS} sidecars")));
    }
    found.push(Setting { value: Sidecar { name: name.to_owned(), url }, from });
}

/// `http` unless it says otherwise, port 9797 unless it says another, `/metrics` unless it says another path.
fn address(text: &str) -> Result<Url, Problem> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    // The text may hold a password: it is not shown.
    let bad = |what: &str| {
        Problem::new(format!("the address of a sidecar {what}")).hint("write it like `http://127.0.0.1:9797`")
    };
    let mut url = Url::parse(&whole).map_err(|_| bad("is not a URL"))?;
    if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
        return Err(bad("is neither `http` nor `https`"));
    }
    let authority = whole.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let place = authority.rsplit('@').next().unwrap_or_default();
    let says_port =
        place.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    if !says_port {
        // Cannot fail for a URL with a host.
        let _ = url.set_port(Some(PORT));
    }
    if url.path() == "/" {
        url.set_path("/metrics");
    }
    Ok(url)
}

/// The time before the load: as it is set, or a quarter of the run; none without sidecars.
pub(super) fn calm(reader: &mut Reader<'_>, flags: &Flags, raw: &RawPlan, run_time: Duration) -> Setting<Duration> {
    let sought = Sought { flag: ("--calm", flags.calm.as_ref()), key: ("calm", raw.calm.as_ref()) };
    let read = |text: &str| {
        let time = units::duration(text).map_err(|error| Problem::said(&error))?;
        let most = Duration::from_secs(3600);
        if time > most { Err(Problem::new(format!("`{text}` is longer than an hour"))) } else { Ok(time) }
    };
    reader.setting(&sought, read).unwrap_or(Setting::default_of((run_time / 4).clamp(CALM_LEAST, CALM_MOST)))
}

/// What of their addresses must not be shown.
pub(super) fn secrets(agents: &[Setting<Sidecar>]) -> Vec<String> {
    let password = |agent: &Setting<Sidecar>| agent.value.url.password().map(str::to_owned);
    agents.iter().filter_map(password).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_completed() {
        let cases = [
            ("http://127.0.0.1", "http://127.0.0.1:9797/metrics"),
            ("db:80", "http://db/metrics"),
            ("https://u:p@db/page", "https://u:p@db:9797/page"),
            ("http://[::1]", "http://[::1]:9797/metrics"),
            ("http://[::1]:9115/", "http://[::1]:9115/metrics"),
        ];
        for (text, whole) in cases {
            assert_eq!(address(text).map(|url| url.to_string()), Ok(whole.to_owned()), "{text}");
        }
        for text in ["", "ftp://db", "http://", "http://u:secret@:x"] {
            let problem = address(text).expect_err(text).to_string();
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
