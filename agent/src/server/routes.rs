//! The table of pages, and the way of a request through it: page, rate limit, user, access, method.

use super::reply::{self, Doing, Reply};
use super::web_config::{Login, WebConfig};
use super::{
    App, access, diagnostics, effective, health, live, metrics_page, origin, ready, reload, sd, silence_page, status,
};
use crate::clock;
use crate::snapshot::Snapshot;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

/// Who may see a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody, always: a container's health check and a kubelet have no password, and a full bucket must not restart anybody.
    Health,
    /// Everybody, or the users of the web configuration when it names any.
    Open,
    /// The users of the web configuration; when it names none, loopback and the networks of `diagnostics_from`.
    Restricted,
}

/// What a page is rendered from.
pub(super) struct Asked<'a> {
    pub(super) app: &'a App,
    pub(super) head: &'a Parts,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) now: SystemTime,
}

/// A row of the table.
pub(super) struct Route {
    pub(super) path: &'static str,
    pub(super) access: Access,
    pub(super) summary: &'static str,
    pub(super) page: Page,
}

/// How a path answers.
pub(super) enum Page {
    /// GET and HEAD: a rendering of what is known.
    Shown(fn(&Asked<'_>) -> Reply),
    /// These methods: it changes something. Pages of other sites are refused.
    Does(&'static [&'static str], for<'a> fn(&'a Asked<'a>) -> Doing<'a>),
}

impl Page {
    const fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Shown(_) => &["GET", "HEAD"],
            Self::Does(methods, _) => methods,
        }
    }
}

/// All pages. A new one is one file and one row here.
pub(super) static ROUTES: &[Route] = &[
    Route { path: "/", access: Access::Open, summary: "status page for people", page: Page::Shown(status::page) },
    Route {
        path: "/metrics",
        access: Access::Open,
        summary: "OpenMetrics or text 0.0.4",
        page: Page::Shown(metrics_page::page),
    },
    Route { path: "/live", access: Access::Health, summary: "this agent runs", page: Page::Shown(live::page) },
    Route {
        path: "/ready",
        access: Access::Health,
        summary: "the service may get traffic",
        page: Page::Shown(ready::page),
    },
    Route {
        path: "/health",
        access: Access::Open,
        summary: "all checks, without addresses",
        page: Page::Shown(health::page),
    },
    Route {
        path: "/sd",
        access: Access::Open,
        summary: "the checks, as targets for Prometheus",
        page: Page::Shown(sd::page),
    },
    Route { path: "/-/healthy", access: Access::Health, summary: "as /live, in a word", page: Page::Shown(live::word) },
    Route { path: "/-/ready", access: Access::Health, summary: "as /ready, in a word", page: Page::Shown(ready::word) },
    Route {
        path: "/diagnostics",
        access: Access::Restricted,
        summary: "all checks with targets, messages and advice",
        page: Page::Shown(diagnostics::page),
    },
    Route {
        path: "/config",
        access: Access::Restricted,
        summary: "the plan in force",
        page: Page::Shown(effective::page),
    },
    Route {
        path: "/-/reload",
        access: Access::Restricted,
        summary: "reads the configuration again: 200 with what changed, 400 or 500 with what is wrong",
        page: Page::Does(&["POST"], reload::page),
    },
    Route {
        path: "/-/silence",
        access: Access::Restricted,
        summary: "begins a maintenance window, `?for=10m&reason=deployment`; `for=0` or DELETE ends it",
        page: Page::Does(&["POST", "DELETE"], silence_page::page),
    },
];

/// Path, access and meaning of every page, for the reference.
pub fn pages() -> impl Iterator<Item = [String; 3]> {
    ROUTES.iter().map(|route| {
        let access = match route.access {
            Access::Health => "everybody, always",
            Access::Open => "everybody, or the users of the web configuration",
            Access::Restricted => "restricted",
        };
        let does = match &route.page {
            Page::Shown(_) => String::new(),
            Page::Does(methods, _) => format!("{} ", methods.join(" or ")),
        };
        [format!("{does}{}", route.path), access.to_owned(), route.summary.to_owned()]
    })
}

/// Answers one request.
pub(super) async fn answer(app: &App, head: &Parts, from: IpAddr) -> Reply {
    let web = app.web().await;
    let mut reply = match refuse(app, web.as_deref(), head, from).await {
        Some(refusal) => refusal,
        None => render(app, head).await,
    };
    for (name, value) in web.iter().flat_map(|web| &web.headers) {
        reply.headers_mut().insert(name, value.clone());
    }
    reply
}

fn find(app: &App, path: &str) -> Option<&'static Route> {
    let in_force = app.in_force();
    let path = canonical(path, &in_force.server.aliases);
    ROUTES.iter().find(|route| route.path == path)
}

/// The page that an alias means.
fn canonical<'a>(path: &'a str, aliases: &[String]) -> &'a str {
    let below = |prefix: &String| path.strip_prefix(prefix.trim_end_matches('/'));
    match aliases.iter().find_map(below) {
        Some("/readiness") => "/ready",
        Some("/liveness") => "/live",
        Some("/diagnostics") => "/diagnostics",
        _ => path,
    }
}

async fn refuse(app: &App, web: Option<&WebConfig>, head: &Parts, from: IpAddr) -> Option<Reply> {
    let route = find(app, head.uri.path());
    let access = route.map_or(Access::Open, |route| route.access);
    if access == Access::Health {
        return None;
    }
    if web.and_then(|web| web.rate.as_ref()).is_some_and(|rate| !rate.allow(clock::now())) {
        let reply = reply::text(StatusCode::TOO_MANY_REQUESTS, "too many requests\n");
        return Some(reply::with(reply, header::RETRY_AFTER, "1"));
    }
    let does = route.is_some_and(|route| matches!(route.page, Page::Does(..)));
    if let (true, Err(why)) = (does, origin::same_site(&head.headers)) {
        return Some(forbidden(why));
    }
    match web.and_then(|web| web.users.as_ref()) {
        Some(users) => match users.check(head.headers.get(header::AUTHORIZATION)).await {
            Login::Right => None,
            Login::Wrong => Some(unauthorized()),
            Login::Busy => Some(reply::text(StatusCode::SERVICE_UNAVAILABLE, "too many passwords to check\n")),
        },
        None if access == Access::Restricted => {
            let trust = if does { access::trust_to_change } else { access::trust };
            trust(&app.in_force().server.diagnostics_from, from, &head.headers).err().map(forbidden)
        }
        None => None,
    }
}

fn forbidden(why: &str) -> Reply {
    reply::text(StatusCode::FORBIDDEN, format!("this page is restricted: {why}\n"))
}

fn unauthorized() -> Reply {
    let reply = reply::text(StatusCode::UNAUTHORIZED, "user and password, please\n");
    reply::with(reply, header::WWW_AUTHENTICATE, "Basic realm=\"agent\", charset=\"UTF-8\"")
}

async fn render(app: &App, head: &Parts) -> Reply {
    let Some(route) = find(app, head.uri.path()) else { return unknown() };
    let methods = route.page.methods();
    if !methods.contains(&head.method.as_str()) {
        return wrong_method(methods);
    }
    let asked = Asked { app, head, snapshot: app.snapshot(), now: clock::wall() };
    match route.page {
        Page::Shown(page) => page(&asked),
        Page::Does(_, page) => page(&asked).await,
    }
}

fn wrong_method(methods: &[&str]) -> Reply {
    let text = format!("this page answers {} only\n", methods.join(" and "));
    let mut reply = reply::text(StatusCode::METHOD_NOT_ALLOWED, text);
    if let Ok(allowed) = HeaderValue::from_str(&methods.join(", ")) {
        reply.headers_mut().insert(header::ALLOW, allowed);
    }
    reply
}

/// The path is not repeated in the answer: what a stranger sends is not shown back.
fn unknown() -> Reply {
    let mut body = "no such page; there are:\n".to_owned();
    for route in ROUTES {
        let _ = writeln!(body, "  {:<13} {}", route.path, route.summary);
    }
    reply::text(StatusCode::NOT_FOUND, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_mean_the_three_health_pages_and_nothing_else() {
        let aliases = ["/api/v1/health".to_owned(), "/up/".to_owned()];
        let cases = [
            ("/api/v1/health/readiness", "/ready"),
            ("/api/v1/health/liveness", "/live"),
            ("/api/v1/health/diagnostics", "/diagnostics"),
            ("/up/readiness", "/ready"),
            ("/api/v1/health", "/api/v1/health"),
            ("/api/v1/health/config", "/api/v1/health/config"),
            ("/readiness", "/readiness"),
            ("/metrics", "/metrics"),
        ];
        for (path, expected) in cases {
            assert_eq!(canonical(path, &aliases), expected, "{path}");
        }
    }

    #[test]
    fn what_reveals_addresses_is_restricted() {
        let restricted = ROUTES.iter().filter(|route| route.access == Access::Restricted);
        assert_eq!(
            restricted.map(|route| route.path).collect::<Vec<_>>(),
            ["/diagnostics", "/config", "/-/reload", "/-/silence"]
        );
    }
}
