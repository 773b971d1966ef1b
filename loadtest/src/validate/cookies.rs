//! Whether cookies are kept from the network, from scripts and from other sites' requests. It looks at those that the pages set and at
//! those of the log-in that the plan names; their values are never shown.

use super::finding::{Miss, Seen};
use super::{Site, Validator, site};
use crate::http::{Client, Request, Response, Transport, TransportError};
use crate::journey::{Exchange, Observer, Session, Value, Who, run_entry};
use crate::plan::Plan;
use futures_util::future::BoxFuture;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub(super) static ROW: Validator = Validator {
    name: "cookies",
    expects: EXPECTS,
    standard: "RFC 6265 section 4.1.2; OWASP Session Management cheat sheet, WSTG-SESS-02",
    needs: Some("log_in"),
    run: |site| Box::pin(run(site)),
};

const EXPECTS: &str = "every cookie Secure, HttpOnly and SameSite";
const NONE: &str = "no cookie was set";
const LIST: &str = "`--log-in login.hurl`, or `validate: {log_in: login.hurl}` in the plan, looks at those of a log-in";
const WAY_OUT: &str =
    "set it with `; Secure; HttpOnly; SameSite=Lax`; one that scripts must read: `validate: {script_cookies: [NAME]}`";

async fn run(site: &Site<'_>) -> Vec<Seen> {
    let mut set: Vec<String> = Vec::new();
    for page in site.pages().await {
        set.extend(page.answer.iter().flat_map(|response| site::values(response, "set-cookie")));
    }
    let mut all = Vec::new();
    if let Some(failed) = log_in(site, &mut set).await {
        all.push(Seen::unknown("the log-in", EXPECTS, failed).way_out("see it with `loadtest smoke FILE`"));
    }
    // Of a cookie that is set twice, the worse one counts.
    let mut cookies: BTreeMap<String, Result<String, Miss>> = BTreeMap::new();
    for cookie in set.iter().map(|line| Cookie::read(line)).filter(|cookie| !cookie.ends) {
        let judged = cookie.judge(&site.plan.validation.script_cookies);
        cookies
            .entry(cookie.name.to_owned())
            .and_modify(|known| {
                if known.is_ok() {
                    known.clone_from(&judged)
                }
            })
            .or_insert(judged);
    }
    all.extend(cookies.into_iter().map(|(name, judged)| Seen::judged(&name, EXPECTS, judged)));
    if all.is_empty() {
        all.push(Seen::not_applicable(&site.host(), EXPECTS, NONE, LIST));
    }
    all
}

/// Logs in as the first user of a run would; what went wrong.
async fn log_in(site: &Site<'_>, set: &mut Vec<String>) -> Option<String> {
    let journey = site.plan.validation.log_in.as_ref()?;
    let mut session = session(site.plan);
    let mut listener = Listener { client: site.client(), set };
    for entry in journey.files().flat_map(|file| &file.entries) {
        let outcome = run_entry(entry, &mut session, &mut listener, &mut Deaf).await;
        if let Some(fault) = outcome.faults.first() {
            return Some(session.redact(&format!("`{}` fails: {}", entry.name, fault.summary())));
        }
    }
    None
}

fn session(plan: &Plan) -> Session {
    let variables: HashMap<String, Value> =
        plan.variables.iter().map(|variable| (variable.name.clone(), variable.typed.clone())).collect();
    let mut session = Session::new(Arc::new(variables), Arc::new(Who::default()));
    session.headers = plan.headers.common();
    for feed in &plan.feeds {
        feed.variables(0, 0, 0.0).for_each(|(name, value)| session.variables.set(name, value));
    }
    session
}

/// Sends, and keeps what was set.
struct Listener<'a> {
    client: Client,
    set: &'a mut Vec<String>,
}

impl Transport for Listener<'_> {
    fn send(&mut self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let response = self.client.send(request).await?;
            self.set.extend(site::values(&response, "set-cookie"));
            Ok(response)
        })
    }
}

struct Deaf;

impl Observer for Deaf {
    fn exchange(&mut self, _: &Exchange<'_>) {}
}

/// What of a `Set-Cookie` line matters here; not its value.
struct Cookie<'a> {
    name: &'a str,
    secure: bool,
    http_only: bool,
    same_site: Option<&'a str>,
    domain: bool,
    root: bool,
    /// It only takes a cookie away.
    ends: bool,
}

impl<'a> Cookie<'a> {
    fn read(line: &'a str) -> Self {
        let mut parts = line.split(';').map(str::trim);
        let name = parts.next().and_then(|pair| pair.split('=').next()).unwrap_or_default().trim();
        let mut cookie =
            Self { name, secure: false, http_only: false, same_site: None, domain: false, root: false, ends: false };
        for part in parts {
            let (key, value) = part.split_once('=').map_or((part, ""), |(key, value)| (key.trim(), value.trim()));
            match key.to_ascii_lowercase().as_str() {
                "secure" => cookie.secure = true,
                "httponly" => cookie.http_only = true,
                "samesite" => cookie.same_site = Some(value),
                "domain" => cookie.domain = !value.is_empty(),
                "path" => cookie.root = value == "/",
                "max-age" => cookie.ends = value.parse::<i64>().is_ok_and(|age| age <= 0),
                _ => {}
            }
        }
        cookie
    }

    fn judge(&self, for_scripts: &[String]) -> Result<String, Miss> {
        let known = |value: &str| ["strict", "lax", "none"].iter().any(|one| one.eq_ignore_ascii_case(value));
        let same_site = self.same_site.filter(|value| known(value));
        let mut lacks: Vec<&str> = Vec::new();
        lacks.extend((!self.secure).then_some("Secure"));
        lacks.extend((!self.http_only && !for_scripts.iter().any(|name| name == self.name)).then_some("HttpOnly"));
        lacks.extend(same_site.is_none().then_some("SameSite"));
        // What the prefixes promise (RFC 6265bis, 4.1.3): browsers drop a cookie that breaks it.
        if self.name.starts_with("__Host-") && (self.domain || !self.root) {
            lacks.push("what `__Host-` promises: no Domain, and `Path=/`");
        }
        if !lacks.is_empty() {
            return Err(Miss::new(format!("it lacks {}", lacks.join(", ")), WAY_OUT));
        }
        let hidden = if self.http_only { "HttpOnly" } else { "for scripts, as listed" };
        let everywhere = same_site
            .filter(|value| value.eq_ignore_ascii_case("none"))
            .map_or("", |_| ": other sites' requests carry it");
        Ok(format!("Secure, {hidden}, SameSite={}{everywhere}", same_site.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cookie_lacks_is_named_and_its_value_is_not() {
        let said = |line: &str| Cookie::read(line).judge(&["csrf".to_owned()]).unwrap_or_else(|miss| miss.got);
        assert_eq!(said("s=secret; Path=/; HttpOnly; SameSite=Lax; Secure"), "Secure, HttpOnly, SameSite=Lax");
        assert_eq!(said("csrf=x; secure; samesite=strict"), "Secure, for scripts, as listed, SameSite=strict");
        assert_eq!(said("s=secret"), "it lacks Secure, HttpOnly, SameSite");
        assert_eq!(said("s=secret; Secure; HttpOnly; SameSite=Whatever"), "it lacks SameSite");
        assert_eq!(
            said("s=1; Secure; HttpOnly; SameSite=None"),
            "Secure, HttpOnly, SameSite=None: other sites' requests carry it"
        );
        assert!(said("__Host-s=1; Secure; HttpOnly; SameSite=Lax").contains("__Host-"));
        assert!(Cookie::read("s=; Max-Age=0").ends && !Cookie::read("s=1; Max-Age=60").ends);
    }
}
