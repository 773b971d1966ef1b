//! URLs in variables: readable, of the right scheme, safe for the profile, and at one with the variables beside them.
//! What must stay true: hosts, ports and schemes may be shown, users, passwords and what could not be read may not.

use super::judge::Desk;
use super::schema::{Kind, Spec};
use super::strength::is_default;
use crate::preflight::{Profile, Rule, Severity};
use crate::probes::target::{Target, nothing_to_probe};
use crate::secret::Secret;
use std::net::IpAddr;

/// The rules of this file.
pub(super) static RULES: &[&Rule] =
    &[&UNREADABLE, &SCHEME, &DEFAULT_PASSWORD, &INSECURE, &LOCAL, &WILDCARD, &DISAGREES, &OTHER_USER, &OTHER_PORT];

static UNREADABLE: Rule = Rule {
    name: "env-unreadable-url",
    severity: Severity::Error,
    summary: "a URL that cannot be read, or can be read in two ways",
    why: "the driver reads it in yet another way, or refuses it",
    fix: "write `scheme://user:password@host:port/name`, with `@ : / ? # %` of a password percent-encoded",
};
static SCHEME: Rule = Rule {
    name: "env-wrong-scheme",
    severity: Severity::Error,
    summary: "a URL has none of the schemes that the schema lists",
    why: "the program speaks another protocol than what answers there",
    fix: "use the URL of the right service",
};
static DEFAULT_PASSWORD: Rule = Rule {
    name: "env-default-password-in-url",
    severity: Severity::Error,
    summary: "the password in a URL is a well-known default or a placeholder",
    why: "it is the first thing that anybody tries",
    fix: "give the user a random password: `openssl rand -hex 32`",
};
static INSECURE: Rule = Rule {
    name: "env-insecure-url",
    severity: Severity::Error,
    summary: "`http://` or `ws://` to a public name in production or staging; names that only this network knows may be plain",
    why: "passwords, sessions and content can be read and changed on the way, and browsers refuse mixed content",
    fix: "use `https://` or `wss://`",
};
static LOCAL: Rule = Rule {
    name: "env-localhost",
    severity: Severity::Error,
    summary: "localhost or a loopback address outside development",
    why: "in a container it is the container itself, and in a browser the visitor's own machine",
    fix: "name the service (`db`, `redis`) or its public address",
};
static WILDCARD: Rule = Rule {
    name: "env-wildcard-origin",
    severity: Severity::Error,
    summary: "`*` among the allowed origins outside development",
    why: "every web page may use the API in the name of its visitors",
    fix: "list the origins: `https://app.example.org`",
};
static DISAGREES: Rule = Rule {
    name: "env-url-disagrees",
    severity: Severity::Error,
    summary: "a URL names another host, port, database or password than the variables beside it",
    why: "one program uses the URL and another the parts: one of them talks to the wrong place",
    fix: "make both say the same, or keep one of them",
};
static OTHER_USER: Rule = Rule {
    name: "env-url-other-user",
    severity: Severity::Warning,
    summary: "a URL logs in as another user than the variable beside it names",
    why: "the user that the image creates and the one that the program uses may be two on purpose, or by mistake",
    fix: "make both say the same, or accept this finding when the two users are meant",
};
static OTHER_PORT: Rule = Rule {
    name: "env-port-mismatch",
    severity: Severity::Error,
    summary: "a localhost URL or origin has another port than the variable that says where that service listens",
    why: "the frontend calls a port on which nothing listens",
    fix: "give both the same port",
};

/// One URL or list of origins.
pub(super) fn judge(desk: &mut Desk<'_>, name: &str, value: &str, spec: &Spec) {
    match spec.kind {
        Kind::Url | Kind::Dsn => url(desk, name, value, spec),
        Kind::Origins => origins(desk, name, value),
        Kind::Host if desk.strict() && is_local(value) => local(desk, name),
        _ => {}
    }
}

fn local(desk: &mut Desk<'_>, name: &str) {
    let message = format!("`{name}` points to this machine itself in {}", desk.profile.as_str());
    desk.add(&LOCAL, name, message);
}

fn url(desk: &mut Desk<'_>, name: &str, value: &str, spec: &Spec) {
    if nothing_to_probe(value).is_some() {
        return;
    }
    let target = match Target::parse(value) {
        Ok(target) => target,
        Err(error) => {
            let fix = error.hint.unwrap_or_else(|| UNREADABLE.fix.to_owned());
            let place = desk.variables.place(name);
            let message = format!("`{name}` cannot be read: {}", error.message);
            return desk.findings.add_with_fix(&UNREADABLE, place, message, fix);
        }
    };
    if !spec.schemes.is_empty() && !spec.schemes.contains(&target.scheme) {
        let message = format!("the scheme of `{name}` must be one of: {}", spec.schemes.join(", "));
        return desk.add(&SCHEME, name, message);
    }
    if !desk.strict() {
        return;
    }
    if target.password.as_ref().map(Secret::expose).is_some_and(is_default) {
        desk.add(&DEFAULT_PASSWORD, name, format!("the password in `{name}` is a well-known default or a placeholder"));
    }
    if is_local(&target.host) {
        local(desk, name);
    } else if matches!(target.scheme.as_str(), "http" | "ws") && (spec.public || is_public(&target.host)) {
        desk.add(&INSECURE, name, format!("`{name}` is plain `{}://` to a public address", target.scheme));
    }
}

fn origins(desk: &mut Desk<'_>, name: &str, value: &str) {
    if !desk.strict() {
        return;
    }
    let signs: &[char] = &['[', ']', '"', '\''];
    for origin in value.split([',', ' ', ';']).map(|one| one.trim().trim_matches(signs)).filter(|one| !one.is_empty()) {
        let target = Target::parse(origin).ok();
        if origin == "*" || origin.ends_with("://*") {
            return desk.add(&WILDCARD, name, format!("`{name}` allows every origin"));
        }
        let Some(target) = target else { continue };
        if is_local(&target.host) && desk.profile == Profile::Production {
            return local(desk, name);
        }
        if target.scheme == "http" && is_public(&target.host) {
            return desk.add(&INSECURE, name, format!("`{name}` allows a plain `http://` origin"));
        }
    }
}

/// Whether the host is the machine itself.
fn is_local(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let host = host.to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

/// Whether others than this network may know the host: a name with a dot that is not reserved for private use, or a public address.
fn is_public(host: &str) -> bool {
    let private = [".internal", ".local", ".lan", ".svc", ".home", ".test", ".cluster.local", ".docker"];
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => !(address.is_private() || address.is_loopback() || address.is_link_local()),
        Ok(IpAddr::V6(address)) => {
            !(address.is_unique_local() || address.is_loopback() || address.is_unicast_link_local())
        }
        Err(_) => host.contains('.') && !private.iter().any(|end| host.to_ascii_lowercase().ends_with(end)),
    }
}

/// A URL, and the prefix of the variables that say the same in parts.
const TWINS: &[(&str, &[&str], &str)] = &[
    ("DATABASE_URL", &["postgres", "postgresql"], "POSTGRES"),
    ("DATABASE_URL", &["mysql", "mariadb"], "MYSQL"),
    ("REDIS_URL", &["redis", "rediss"], "REDIS"),
];

/// Holds URLs against the variables beside them.
pub(super) fn twins(desk: &mut Desk<'_>) {
    for (name, schemes, prefix) in TWINS {
        let Some(target) = desk.variables.filled(name).and_then(|value| Target::parse(value).ok()) else { continue };
        if schemes.contains(&target.scheme.as_str()) {
            twin(desk, name, prefix, &target);
        }
    }
    ports(desk);
}

fn twin(desk: &mut Desk<'_>, name: &str, prefix: &str, target: &Target) {
    let variables = desk.variables;
    let filled = |part: &str| variables.filled(&format!("{prefix}_{part}"));
    let same_user = filled("USER").is_none_or(|user| user == target.user);
    let password = target.password.as_ref().map(Secret::expose);
    let database = filled("DATABASE").or_else(|| filled("DB"));
    let port = target.port.map(|port| port.to_string());
    let wrong = [
        ("host", filled("HOST").is_some_and(|host| !target.host.is_empty() && host != target.host)),
        ("port", filled("PORT").zip(port).is_some_and(|(one, other)| one != other)),
        ("database", database.is_some_and(|one| !target.database().is_empty() && one != target.database())),
        ("password", same_user && filled("PASSWORD").zip(password).is_some_and(|(one, other)| one != other)),
    ];
    for (part, _) in wrong.iter().filter(|(_, wrong)| *wrong) {
        desk.add(&DISAGREES, name, format!("`{name}` has another {part} than the `{prefix}_*` variables"));
    }
    if !same_user && !target.user.is_empty() {
        desk.add(&OTHER_USER, name, format!("`{name}` logs in as another user than `{prefix}_USER`"));
    }
}

/// Variables that say where a service listens, and those by which it is called.
const PORTS: &[(&[&str], &[&str])] = &[
    (
        &["BACKEND_PORT", "API_PORT"],
        &["VITE_API_URL", "VITE_WS_URL", "NEXT_PUBLIC_API_URL", "REACT_APP_API_URL", "API_URL", "BACKEND_URL"],
    ),
    (&["FRONTEND_PORT"], &["CORS_ORIGINS", "ALLOWED_ORIGINS", "FRONTEND_URL"]),
];

fn ports(desk: &mut Desk<'_>) {
    let variables = desk.variables;
    for (listen, calls) in PORTS {
        let port = listen.iter().find_map(|name| Some((name, variables.filled(name)?.parse::<u16>().ok()?)));
        let Some((listen, port)) = port else { continue };
        for name in *calls {
            let value = variables.filled(name).unwrap_or_default();
            let targets = value.split(',').filter_map(|one| Target::parse(one.trim()).ok());
            let called: Vec<u16> = targets.filter(|target| is_local(&target.host)).filter_map(|one| one.port).collect();
            if !called.is_empty() && !called.contains(&port) {
                let shown = called.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
                desk.add(&OTHER_PORT, name, format!("`{name}` calls port {shown}, `{listen}` says {port}"));
            }
        }
    }
}
