//! The target: which of the three places names it, whether it is a URL, and whether it may be loaded without asking. A load
//! test of somebody else's service is an attack, so a public address takes a word of consent.

use super::origin::{Origin, Setting};
use super::reader::{Reader, Sought, Text};
use super::yaml::At;
use crate::http::{is_own_name, is_private};
use crate::problem::Problem;
use std::net::IpAddr;
pub use url::Url;

/// The variable of the environment that names a target when nothing else does.
pub(super) const VARIABLE: &str = "LOADTEST_TARGET";

/// The target's URL: the flag's, else the plan's, else the environment's.
pub(super) fn choose(reader: &mut Reader<'_>, flag: Option<&String>, key: Option<&At<String>>) -> Option<Setting<Url>> {
    let found = reader.either(&Sought { flag: ("--target", flag), key: ("target", key) });
    let from_environment = || {
        let text = (reader.environment)(VARIABLE).filter(|text| !text.is_empty())?;
        let from = Origin::Environment(VARIABLE);
        Some(Text { text, secret: false, place: format!("${VARIABLE}"), from, position: None })
    };
    let found = match (found, key) {
        (Some(found), _) => Some(found),
        (None, Some(_)) => return None,
        (None, None) => from_environment(),
    };
    let Some(text) = found else {
        let hint =
            format!("name it with `--target URL`, `target:` in `loadtest.yml`, or `{VARIABLE}` in the environment");
        reader.problems.0.push(Problem::new("no target").hint(hint));
        return None;
    };
    let chosen = reader.understand(&text, read)?;
    reader.secrets.extend(chosen.value.password().map(str::to_owned));
    Some(chosen)
}

fn read(text: &str) -> Result<Url, Problem> {
    let shown = crate::redact::without_url_passwords(text);
    let wrong = |why: &str| Problem::new(format!("`{shown}` is not a target: {why}"));
    let example = "write it like `http://127.0.0.1:8000`";
    let url = match Url::parse(text.trim()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url,
        Ok(url) if text.contains("://") => {
            return Err(wrong(&format!("its scheme is `{}`", url.scheme())).hint("http and https can be loaded"));
        }
        _ if !text.contains("://") && Url::parse(&format!("http://{}", text.trim())).is_ok() => {
            return Err(wrong("it has no scheme").hint(format!("did you mean `http://{}`?", shown.trim())));
        }
        _ => return Err(wrong("it is no URL").hint(example)),
    };
    if url.host_str().is_none_or(str::is_empty) {
        return Err(wrong("it has no host").hint(example));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has a query or a fragment").hint("journeys write `{{target}}/path?query`"));
    }
    Ok(url)
}

/// The target as journeys see it in `{{target}}`: without a slash at the end.
pub(super) fn base(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// Whether a host may be loaded without a word of consent by its name alone; none when its addresses must be looked at.
pub(super) fn private_name(url: &Url) -> Option<bool> {
    match url.host()? {
        url::Host::Ipv4(address) => Some(is_private(IpAddr::V4(address))),
        url::Host::Ipv6(address) => Some(is_private(IpAddr::V6(address))),
        url::Host::Domain(name) => is_own_name(name).then_some(true),
    }
}

/// The refusal of a target that looks like somebody else's.
pub(super) fn not_yours(host: &str, addresses: &[IpAddr]) -> Problem {
    let public: Vec<String> = addresses.iter().filter(|one| !is_private(**one)).map(ToString::to_string).collect();
    let at = if public.is_empty() { String::new() } else { format!(" ({})", public.join(", ")) };
    Problem::new(format!("`{host}`{at} is a public address")).hint(
        "a load test of somebody else's service is an attack; say `--i-own-this-target` if it is yours and they know",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_ranges_and_own_names_pass() {
        for (url, expected) in [
            ("http://127.0.0.1:8000", Some(true)),
            ("http://10.1.2.3", Some(true)),
            ("http://172.31.0.1", Some(true)),
            ("http://172.32.0.1", Some(false)),
            ("http://192.168.1.1", Some(true)),
            ("http://100.64.0.1", Some(true)),
            ("http://100.128.0.1", Some(false)),
            ("http://8.8.8.8", Some(false)),
            ("http://[::1]:80", Some(true)),
            ("http://[fd00::1]", Some(true)),
            ("http://[2001:db8::1]", Some(false)),
            ("http://[::ffff:8.8.8.8]", Some(false)),
            ("http://backend:8000", Some(true)),
            ("http://localhost", Some(true)),
            ("http://shop.internal", Some(true)),
            ("http://shop.local", Some(true)),
            ("http://0x08080808", Some(false)),
            ("http://shop.example.com", None),
            ("http://internal.example.com", None),
        ] {
            assert_eq!(private_name(&Url::parse(url).expect(url)), expected, "{url}");
        }
    }

    #[test]
    fn the_base_has_no_slash_at_its_end() {
        for (url, expected) in
            [("http://h:8000", "http://h:8000"), ("http://h/", "http://h"), ("http://h/v1/", "http://h/v1")]
        {
            assert_eq!(base(&Url::parse(url).expect(url)), expected);
        }
    }

    #[test]
    fn each_wrong_target_has_its_message() {
        let mut said = String::new();
        for text in ["localhost:8000", "ftp://h/", "http://", "not a url", "http://u:hunter2@h/?q=1", "/health", ""] {
            let problem = read(text).expect_err(text);
            said += &format!("{} | {}\n", problem.what, problem.hint.unwrap_or_default());
        }
        assert!(!said.contains("hunter2"));
        insta::assert_snapshot!(said, @r"
        `localhost:8000` is not a target: it has no scheme | did you mean `http://localhost:8000`?
        `ftp://h/` is not a target: its scheme is `ftp` | http and https can be loaded
        `http://` is not a target: it is no URL | write it like `http://127.0.0.1:8000`
        `not a url` is not a target: it is no URL | write it like `http://127.0.0.1:8000`
        `http://***@h/?q=1` is not a target: it has a query or a fragment | journeys write `{{target}}/path?query`
        `/health` is not a target: it has no scheme | did you mean `http:///health`?
        `` is not a target: it is no URL | write it like `http://127.0.0.1:8000`
        ");
        let addresses = ["93.184.216.34".parse().expect("an address"), "10.0.0.1".parse().expect("an address")];
        insta::assert_snapshot!(not_yours("example.com", &addresses), @r"
        error: `example.com` (93.184.216.34) is a public address
        hint: a load test of somebody else's service is an attack; say `--i-own-this-target` if it is yours and they know
        ");
    }
}
