//! The plan's `validate:` and the flags of `loadtest validate`: what the target is held against beside what always holds. Sends nothing;
//! what must stay true is that nothing a validator sends to was not written here or in the target.

use super::journeys::several;
use super::raw::{Key, Several};
use super::reader::{Reader, Sought, Text, count};
use super::target::Url;
use super::yaml::At;
use crate::journey::{self, Journey, Named};
use crate::limits::{LIMIT_BURST, LIMIT_RATE};
use crate::problem::Problem;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Days that a certificate must still hold: authorities renew thirty days before the end, so that fourteen left mean a renewal that failed.
const CERTIFICATE_DAYS: u64 = 14;
/// Longest time that a certificate of today may have left.
const MOST_DAYS: u64 = 398;

/// The keys of `validate:`, in the order of the reference.
pub const VALIDATION_KEYS: &[Key] = &[
    ("pages", "paths whose headers and cookies are looked at; the target's own page without it", "[/, /api/v1/assets]"),
    (
        "http",
        "the plain address that must lead to HTTPS; port 80 of the target's host where the target is on 443",
        "http://127.0.0.1:8080",
    ),
    ("cacert", "authority that the certificate must come from (PEM), instead of Mozilla's list", "ca.pem"),
    ("certificate_days", "days that the certificate must still hold, 14 without it", "21"),
    ("protected", "paths that must refuse whoever has no credentials", "[/api/v1/assets]"),
    (
        "rate_limits",
        "limits that must be enforced and not over-enforced, for one client address: path, rate, burst",
        "[\"/api/v1/assets 10/s burst 10\", \"/ 50/s burst 50\"]",
    ),
    (
        "cors_allow",
        "origins whose pages may read answers of `cors_path`; all others may not",
        "[https://app.example.org]",
    ),
    (
        "cors_path",
        "the path that is asked with origins; the first of `protected`, else of `pages`, without it",
        "/api/v1/assets",
    ),
    ("log_in", "a `.hurl` file whose answers set the cookies that are looked at", "login.hurl"),
    ("script_cookies", "cookies that the page's own scripts must read, so that they are no `HttpOnly`", "[csrf]"),
];

/// The section as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawValidation {
    pages: Option<At<Several>>,
    http: Option<At<String>>,
    cacert: Option<At<String>>,
    certificate_days: Option<At<String>>,
    protected: Option<At<Several>>,
    rate_limits: Option<At<Several>>,
    cors_allow: Option<At<Several>>,
    cors_path: Option<At<String>>,
    log_in: Option<At<String>>,
    script_cookies: Option<At<Several>>,
}

/// The flags of `loadtest validate`; lists are added to those of the plan.
#[derive(Clone, Debug, Default)]
pub struct ValidationFlags {
    /// `--page`
    pub page: Vec<String>,
    /// `--http`
    pub http: Option<String>,
    /// `--cacert`
    pub cacert: Option<String>,
    /// `--protected`
    pub protected: Vec<String>,
    /// `--rate-limit`
    pub rate_limit: Vec<String>,
    /// `--cors-allow`
    pub cors_allow: Vec<String>,
    /// `--cors-path`
    pub cors_path: Option<String>,
    /// `--log-in`
    pub log_in: Option<String>,
}

/// What the target is held against.
#[derive(Clone, Debug, Default)]
pub struct Validation {
    /// Paths whose headers are looked at; empty: the target as it stands.
    pub pages: Vec<String>,
    /// The plain address.
    pub http: Option<Url>,
    /// Roots of trust (PEM) instead of Mozilla's.
    pub cacert: Option<PathBuf>,
    /// Days that the certificate must still hold.
    pub certificate_days: u64,
    /// Paths that refuse strangers.
    pub protected: Vec<String>,
    /// Limits for one client address.
    pub rate_limits: Vec<RateLimit>,
    /// Origins that may read.
    pub cors_allow: Vec<String>,
    /// The path asked with origins.
    pub cors_path: Option<String>,
    /// The journey that sets cookies.
    pub log_in: Option<Arc<Journey>>,
    /// Cookies for scripts.
    pub script_cookies: Vec<String>,
}

/// A limit that the target says it enforces on one client address.
#[derive(Clone, Debug, PartialEq)]
pub struct RateLimit {
    /// The path that is asked.
    pub path: String,
    /// Requests per second.
    pub rate: f64,
    /// Requests beyond the rate that are taken at once.
    pub burst: u64,
    /// As written.
    pub text: String,
}

/// Reads flags and section.
pub(super) fn read(
    reader: &mut Reader<'_>,
    flags: &ValidationFlags,
    raw: Option<&RawValidation>,
    folder: &Path,
) -> Validation {
    let list = |reader: &mut Reader<'_>, flag, given: &[String], key: &str, at: Option<&At<Several>>| -> Vec<Text> {
        let written = at.map(|at| several(reader, at, &format!("validate.{key}"))).unwrap_or_default();
        written.into_iter().chain(given.iter().map(|value| Reader::flag(flag, value))).collect()
    };
    let pages = list(reader, "--page", &flags.page, "pages", raw.and_then(|raw| raw.pages.as_ref()));
    let protected =
        list(reader, "--protected", &flags.protected, "protected", raw.and_then(|raw| raw.protected.as_ref()));
    let limits =
        list(reader, "--rate-limit", &flags.rate_limit, "rate_limits", raw.and_then(|raw| raw.rate_limits.as_ref()));
    let origins =
        list(reader, "--cors-allow", &flags.cors_allow, "cors_allow", raw.and_then(|raw| raw.cors_allow.as_ref()));
    let cookies = list(reader, "", &[], "script_cookies", raw.and_then(|raw| raw.script_cookies.as_ref()));
    let days = Sought {
        flag: ("", None),
        key: ("validate.certificate_days", raw.and_then(|raw| raw.certificate_days.as_ref())),
    };
    let path = Sought {
        flag: ("--cors-path", flags.cors_path.as_ref()),
        key: ("validate.cors_path", raw.and_then(|raw| raw.cors_path.as_ref())),
    };
    let http =
        Sought { flag: ("--http", flags.http.as_ref()), key: ("validate.http", raw.and_then(|raw| raw.http.as_ref())) };
    Validation {
        pages: each(reader, &pages, path_of),
        http: reader.setting(&http, plain).map(|http| http.value),
        cacert: file(reader, "--cacert", flags.cacert.as_ref(), raw.and_then(|raw| raw.cacert.as_ref()), folder)
            .map(|(path, _)| path),
        certificate_days: reader
            .setting(&days, |text| count(text, MOST_DAYS))
            .map_or(CERTIFICATE_DAYS, |days| days.value),
        protected: each(reader, &protected, path_of),
        rate_limits: each(reader, &limits, rate_limit),
        cors_allow: each(reader, &origins, origin),
        cors_path: reader.setting(&path, path_of).map(|path| path.value),
        log_in: log_in(reader, flags, raw, folder),
        script_cookies: cookies.into_iter().map(|text| text.text).collect(),
    }
}

fn each<T>(reader: &mut Reader<'_>, texts: &[Text], read: impl Fn(&str) -> Result<T, Problem>) -> Vec<T> {
    texts.iter().filter_map(|text| reader.understand(text, &read).map(|setting| setting.value)).collect()
}

/// A file: relative to the plan's folder when the plan names it, to the current one when a flag does.
fn file(
    reader: &mut Reader<'_>,
    flag: &'static str,
    given: Option<&String>,
    written: Option<&At<String>>,
    folder: &Path,
) -> Option<(PathBuf, String)> {
    let key = flag.trim_start_matches("--").replace('-', "_");
    match (given, written) {
        (Some(given), _) => Some((PathBuf::from(given), flag.to_owned())),
        (None, Some(at)) => {
            reader.text(&format!("validate.{key}"), at).map(|text| (folder.join(text.text), text.place))
        }
        (None, None) => None,
    }
}

fn log_in(
    reader: &mut Reader<'_>,
    flags: &ValidationFlags,
    raw: Option<&RawValidation>,
    folder: &Path,
) -> Option<Arc<Journey>> {
    let written = raw.and_then(|raw| raw.log_in.as_ref());
    let (path, place) = file(reader, "--log-in", flags.log_in.as_ref(), written, folder)?;
    let named = Named { path, place, hint: "name an existing `.hurl` file that logs in" };
    reader.problems.take(journey::load("log in", &[named])).map(Arc::new)
}

fn path_of(text: &str) -> Result<String, Problem> {
    let fits =
        text.starts_with('/') && !text.starts_with("//") && !text.contains(|c: char| c.is_whitespace() || c == '#');
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Problem::new(format!("`{text}` is no path")).hint("write it like `/api/v1/assets`"))
    }
}

fn plain(text: &str) -> Result<Url, Problem> {
    let url =
        Url::parse(text).ok().filter(|url| url.scheme() == "http" && url.host_str().is_some_and(|h| !h.is_empty()));
    let plain = url.filter(|url| url.username().is_empty() && url.password().is_none() && url.query().is_none());
    plain.ok_or_else(|| {
        let shown = crate::redact::without_url_passwords(text);
        Problem::new(format!("`{shown}` is no plain HTTP address")).hint("write it like `http://127.0.0.1:8080`")
    })
}

/// An origin as browsers write it (RFC 6454, 6.2).
fn origin(text: &str) -> Result<String, Problem> {
    let written = Url::parse(text).ok().map(|url| url.origin().ascii_serialization());
    if written.as_deref() == Some(text) {
        return Ok(text.to_owned());
    }
    let problem = Problem::new(format!("`{text}` is no origin"));
    Err(match written.filter(|written| written != "null") {
        Some(written) => problem.hint(format!("browsers write it `{written}`")),
        None => problem.hint("scheme, host and port, such as `https://app.example.org`"),
    })
}

/// `PATH RATE [burst N]`, the rate as `10/s`, `300/m` or `100/h`.
fn rate_limit(text: &str) -> Result<RateLimit, Problem> {
    let wrong =
        || Problem::new(format!("`{text}` is no rate limit")).hint("write it like `/api/v1/assets 10/s burst 10`");
    let words: Vec<&str> = text.split_whitespace().collect();
    let (path, rate, burst) = match words.as_slice() {
        [path, rate] => (path, rate, "0"),
        [path, rate, "burst", burst] => (path, rate, *burst),
        _ => return Err(wrong()),
    };
    let path = path_of(path)?;
    let (number, unit) = rate.split_once('/').ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let number = number.parse::<u32>().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
    let (rate, burst) = (f64::from(number) / seconds, burst.parse::<u64>().map_err(|_| wrong())?);
    if rate > LIMIT_RATE || burst > LIMIT_BURST {
        let most = format!("at most {LIMIT_RATE}/s and a burst of {LIMIT_BURST} are measured");
        return Err(Problem::new(format!("`{text}` is too high a limit: {most}"))
            .hint("measuring it would be a load test; `loadtest` itself is for that"));
    }
    Ok(RateLimit { path, rate, burst, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::super::{Flags, build};
    use super::*;

    fn built(plan: &str, flags: ValidationFlags) -> Result<Validation, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("plan.yml");
        std::fs::write(folder.path().join("in.hurl"), "POST {{target}}/login\n").expect("written");
        std::fs::write(&file, plan).expect("written");
        let target = Some("https://127.0.0.1".to_owned());
        let flags = Flags { plan: Some(file), target, validation: flags, ..Flags::default() };
        let built = build(&flags, &|_| None).map(|plan| plan.validation);
        built.map_err(|problems| problems.to_string().replace(&format!("{}/", folder.path().display()), ""))
    }

    #[test]
    fn without_a_section_the_defaults_hold() {
        let read = built("users: 1\n", ValidationFlags::default()).expect("a plan");
        assert_eq!((read.certificate_days, read.pages.len(), read.rate_limits.len()), (14, 0, 0));
        assert!(read.http.is_none() && read.log_in.is_none());
    }

    #[test]
    fn flags_are_added_to_the_lists_of_the_plan() {
        let plan = "validate:\n  protected: /a\n  log_in: in.hurl\n  rate_limits: [/api 10/s burst 10, /x 300/m]\n";
        let flags = ValidationFlags { protected: vec!["/b".to_owned()], ..ValidationFlags::default() };
        let read = built(plan, flags).expect("a plan");
        assert_eq!(read.protected, ["/a", "/b"]);
        let limits: Vec<_> = read.rate_limits.iter().map(|one| (one.path.as_str(), one.rate, one.burst)).collect();
        assert_eq!(limits, [("/api", 10.0, 10), ("/x", 5.0, 0)]);
        assert_eq!(read.log_in.map(|journey| journey.steps.len()), Some(1));
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let plan = "validate:\n  pages: [home]\n  http: https://127.0.0.1\n  cors_allow: [https://a.example/, app.example.org]\n  rate_limits: [/ fast, / 1000/s]\n  certificate_days: 0\n";
        insta::assert_snapshot!(built(plan, ValidationFlags::default()).expect_err("wrong"), @r"
        error: `home` is no path
          at validate.pages[0] (plan.yml:2:11)
        hint: write it like `/api/v1/assets`

        error: `https://127.0.0.1` is no plain HTTP address
          at validate.http (plan.yml:3:9)
        hint: write it like `http://127.0.0.1:8080`

        error: `0` is not a whole number from 1 to 398
          at validate.certificate_days (plan.yml:6:21)
        hint: write it like `200`

        error: `/ fast` is no rate limit
          at validate.rate_limits[0] (plan.yml:5:17)
        hint: write it like `/api/v1/assets 10/s burst 10`

        error: `/ 1000/s` is too high a limit: at most 500/s and a burst of 500 are measured
          at validate.rate_limits[1] (plan.yml:5:25)
        hint: measuring it would be a load test; `loadtest` itself is for that

        error: `https://a.example/` is no origin
          at validate.cors_allow[0] (plan.yml:4:16)
        hint: browsers write it `https://a.example`

        error: `app.example.org` is no origin
          at validate.cors_allow[1] (plan.yml:4:36)
        hint: scheme, host and port, such as `https://app.example.org`
        ");
    }

    #[test]
    fn an_unknown_key_gets_a_suggestion() {
        let said = built("validate:\n  protect: /a\n", ValidationFlags::default()).expect_err("wrong");
        assert!(said.contains("did you mean `protected`?"), "{said}");
        for (key, ..) in VALIDATION_KEYS {
            assert!(said.contains(key), "{key}: {said}");
        }
    }
}
