//! One variable against its specification. What must stay true: of a secret the first thing that is wrong is told and never the value;
//! what is not a secret may be named, but not repeated either, for it may stand in the wrong line.

use super::schema::{Form, Kind, Schema, Spec};
use super::strength::{is_default, weakness};
use super::urls;
use super::variables::{Variable, Variables};
use crate::limits;
use crate::preflight::{Findings, Profile, Rule, Severity};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// The rules of this file.
pub(super) static RULES: &[&Rule] =
    &[&MISSING, &EMPTY, &BOTH, &DEFAULT, &SHORT, &WEAK, &LONG, &FORM, &PREFIX, &TYPE, &CHOICE, &NOT_HERE, &REUSED];

static MISSING: Rule = Rule {
    name: "env-missing",
    severity: Severity::Error,
    summary: "a required variable is not set, neither itself nor as `<NAME>_FILE`",
    why: "the service starts half, or not at all, and says so only when it first needs it",
    fix: "set it",
};
static EMPTY: Rule = Rule {
    name: "env-empty",
    severity: Severity::Error,
    summary: "a required variable, a secret or a password is set to nothing",
    why: "an empty password or key is one that everybody knows",
    fix: "give it a value, or remove the line when it is not needed",
};
static BOTH: Rule = Rule {
    name: "env-both-value-and-file",
    severity: Severity::Error,
    summary: "`<NAME>` and `<NAME>_FILE` are both set",
    why: "some images refuse to start, others take one without a word",
    fix: "keep `<NAME>_FILE`, remove the other",
};
static DEFAULT: Rule = Rule {
    name: "env-default-secret",
    severity: Severity::Error,
    summary: "a secret has a well-known default or a placeholder (`CHANGE_ME`, `postgres`, `admin`, …)",
    why: "it is the first thing that anybody tries",
    fix: "make a random one: `openssl rand -hex 32`",
};
static SHORT: Rule = Rule {
    name: "env-short-secret",
    severity: Severity::Error,
    summary: "a password is shorter than 12 characters, a secret than 32, or either than the schema's `min_length`",
    why: "it can be found by trying",
    fix: "make a random one: `openssl rand -hex 32`",
};
static WEAK: Rule = Rule {
    name: "env-weak-secret",
    severity: Severity::Error,
    summary: "a secret of few different characters, in a row of the keyboard or alphabet, or repeated",
    why: "length alone does not help: it can be guessed",
    fix: "make a random one: `openssl rand -hex 32`",
};
static LONG: Rule = Rule {
    name: "env-too-long",
    severity: Severity::Error,
    summary: "a value is longer than the schema's `max_length`",
    why: "the service cuts it off or refuses it",
    fix: "shorten it, and look whether the value is the right one",
};
static FORM: Rule = Rule {
    name: "env-wrong-form",
    severity: Severity::Error,
    summary: "a value has not the exact form that the schema asks for (`form`, `pattern`)",
    why: "the service refuses it when it first uses it",
    fix: "write it in the form that the service asks for",
};
static PREFIX: Rule = Rule {
    name: "env-wrong-prefix",
    severity: Severity::Error,
    summary: "a key does not begin as keys of its service do, or as those of this profile do (`sk_live_` in production)",
    why: "it is another service's key, or a test key in production, or a live one outside it",
    fix: "take the key for this profile from the service's console",
};
static TYPE: Rule = Rule {
    name: "env-wrong-type",
    severity: Severity::Error,
    summary: "a value is not what its type says: no URL, port, number, truth value, host or address of mail",
    why: "the service fails to start, or falls back to a default without a word",
    fix: "mend the value",
};
static CHOICE: Rule = Rule {
    name: "env-unknown-choice",
    severity: Severity::Error,
    summary: "a value is none of those that the schema lists",
    why: "services take an unknown word for their default",
    fix: "use one of the words listed",
};
static NOT_HERE: Rule = Rule {
    name: "env-not-in-profile",
    severity: Severity::Error,
    summary: "a value is not for this profile: `DEBUG` on or `NODE_ENV` not `production` in production",
    why: "debug pages show code, settings and secrets to everybody, and development builds are slow",
    fix: "set the value that is meant for this profile",
};
static REUSED: Rule = Rule {
    name: "env-reused-secret",
    severity: Severity::Error,
    summary: "two variables hold the same secret",
    why: "who learns one has both, and neither can be changed alone",
    fix: "make one of its own for each: `openssl rand -hex 32`",
};

/// Shortest password and secret, in characters.
const PASSWORD: usize = 12;
const SECRET: usize = 32;

/// What all judging needs.
pub(super) struct Desk<'a> {
    pub(super) schema: &'a Schema,
    pub(super) profile: Profile,
    pub(super) variables: &'a Variables,
    pub(super) findings: &'a mut Findings,
}

impl Desk<'_> {
    /// Notes what is wrong with a variable.
    pub(super) fn add(&mut self, rule: &'static Rule, name: &str, message: impl Into<String>) {
        self.findings.add(rule, self.variables.place(name), message);
    }

    /// Whether this profile wants strong secrets, TLS and no localhost.
    pub(super) fn strict(&self) -> bool {
        self.profile != Profile::Development
    }
}

/// Judges every variable, and what is missing.
pub(super) fn judge(desk: &mut Desk<'_>) {
    let variables = desk.variables;
    missing(desk);
    for variable in variables.iter() {
        let Some(spec) = desk.schema.spec(&variable.name) else { continue };
        let file = format!("{}_FILE", variable.name);
        if variables.get(&file).is_some_and(|file| !file.value().is_empty()) && !variable.value().is_empty() {
            desk.add(&BOTH, &variable.name, format!("`{}` and `{file}` are both set", variable.name));
        } else if variable.known {
            one(desk, variable, spec);
        }
    }
    reused(desk);
}

fn missing(desk: &mut Desk<'_>) {
    let schema = desk.schema;
    for (name, spec) in schema.variables.iter().filter(|(name, _)| !name.starts_with('*')) {
        let set = |name: &str| desk.variables.get(name).is_some();
        let with = spec.required_with.iter().find(|other| desk.variables.filled(other).is_some());
        let needed = spec.is_required(desk.profile) || with.is_some();
        if needed && !set(name) && !set(&format!("{name}_FILE")) {
            let because = with.map_or(String::new(), |other| format!(", and `{other}` is"));
            let advice = if spec.is_secret() { DEFAULT.fix } else { MISSING.fix };
            let place = desk.variables.place(name);
            desk.findings.add_with_fix(&MISSING, place, format!("`{name}` is not set{because}"), advice);
        }
    }
}

fn one(desk: &mut Desk<'_>, variable: &Variable, spec: &Spec) {
    let (name, value) = (variable.name.as_str(), variable.value());
    if value.is_empty() {
        let file = desk.variables.filled(&format!("{name}_FILE")).is_some();
        if !file && (spec.is_required(desk.profile) || (spec.is_secret() && desk.strict())) {
            desk.add(&EMPTY, name, format!("`{name}` is empty"));
        }
        return;
    }
    let guarded = spec.is_secret() || spec.default_forbidden == Some(true);
    if let Some((rule, message)) = secret(desk, name, value, spec).filter(|_| guarded) {
        return desk.add(rule, name, message);
    }
    if let Some((rule, message)) = shape(desk.profile, name, value, spec) {
        return desk.add(rule, name, message);
    }
    urls::judge(desk, name, value, spec);
}

type Verdict = Option<(&'static Rule, String)>;

/// The first thing that is wrong with a secret as a secret.
fn secret(desk: &Desk<'_>, name: &str, value: &str, spec: &Spec) -> Verdict {
    if !desk.strict() {
        return None;
    }
    if spec.default_forbidden != Some(false) && is_default(value) {
        return Some((&DEFAULT, format!("`{name}` holds a well-known default or a placeholder")));
    }
    if !spec.is_secret() {
        return None;
    }
    let least = match (spec.min_length, spec.form, spec.kind) {
        (Some(least), _, _) => least,
        // An exact form has its length.
        (None, Some(Form::Hex32 | Form::Hex64 | Form::Uuid), _) => 0,
        (None, _, Kind::Password) => PASSWORD,
        (None, ..) => SECRET,
    };
    if value.chars().count() < least {
        return Some((&SHORT, format!("`{name}` is shorter than {least} characters")));
    }
    let random = value.strip_prefix(spec.prefix.as_deref().unwrap_or_default()).unwrap_or(value);
    weakness(random).map(|why| (&WEAK, format!("`{name}` is easily guessed: {why}")))
}

/// The first thing that is wrong with how a value is written.
fn shape(profile: Profile, name: &str, value: &str, spec: &Spec) -> Verdict {
    if let Some(most) = spec.max_length.filter(|most| value.chars().count() > *most) {
        return Some((&LONG, format!("`{name}` is longer than {most} characters")));
    }
    if let Some(form) = spec.form.filter(|form| !has_form(value, *form)) {
        return Some((&FORM, format!("`{name}` is not {}", form_name(form))));
    }
    let pattern = spec.pattern.as_ref().and_then(|pattern| Some((pattern, regex_lite::Regex::new(pattern).ok()?)));
    if let Some((pattern, _)) = pattern.filter(|(_, regex)| !regex.is_match(value)) {
        return Some((&FORM, format!("`{name}` does not match the pattern `{pattern}`")));
    }
    let prefix = spec.prefix_in.get(&profile).or(spec.prefix.as_ref());
    if let Some(prefix) = prefix.filter(|prefix| !value.starts_with(prefix.as_str())) {
        return Some((&PREFIX, format!("`{name}` does not begin with `{prefix}`")));
    }
    typed(name, value, spec).or_else(|| choice(profile, name, value, spec))
}

fn choice(profile: Profile, name: &str, value: &str, spec: &Spec) -> Verdict {
    let among = |list: &[String]| list.iter().any(|word| word.eq_ignore_ascii_case(value));
    if !spec.one_of.is_empty() && !among(&spec.one_of) {
        return Some((&CHOICE, format!("`{name}` must be one of: {}", spec.one_of.join(", "))));
    }
    let here = spec.one_of_in.get(&profile).filter(|list| !among(list))?;
    let words: Vec<&str> = here.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
    Some((&NOT_HERE, format!("`{name}` must be {} in {}", words.join(" or "), profile.as_str())))
}

fn typed(name: &str, value: &str, spec: &Spec) -> Verdict {
    let wrong = |what: &str| Some((&TYPE, format!("`{name}` is not {what}")));
    let number = value.trim().parse::<i64>().ok();
    let fine = match spec.kind {
        Kind::Port => number.is_some_and(|port| (1..=65_535).contains(&port)),
        Kind::Int => number.is_some_and(|number| {
            spec.least.is_none_or(|least| number >= least) && spec.most.is_none_or(|most| number <= most)
        }),
        Kind::Bool => {
            ["true", "false", "1", "0", "yes", "no", "on", "off"].contains(&value.to_ascii_lowercase().as_str())
        }
        Kind::Email => value.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.')),
        Kind::Host => !value.contains("://") && !value.contains(char::is_whitespace),
        Kind::Path => !value.contains('\n'),
        Kind::Text | Kind::Secret | Kind::Password | Kind::Enum | Kind::Url | Kind::Dsn | Kind::Origins => true,
    };
    match spec.kind {
        _ if fine => None,
        Kind::Port => wrong("a port from 1 to 65535"),
        Kind::Int if number.is_some() => wrong("within the range of the schema"),
        Kind::Int => wrong("a whole number"),
        Kind::Bool => wrong("`true` or `false`"),
        Kind::Email => wrong("an address of mail"),
        Kind::Host => wrong("the name or address of a host"),
        _ => wrong("in one line"),
    }
}

fn has_form(value: &str, form: Form) -> bool {
    let hex = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit());
    let groups: Vec<&str> = value.split('-').collect();
    match form {
        Form::Hex => hex(value),
        Form::Hex32 => value.len() == 32 && hex(value),
        Form::Hex64 => value.len() == 64 && hex(value),
        Form::Base64 => {
            [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].iter().any(|form| form.decode(value).is_ok())
        }
        Form::Uuid => {
            groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(|group| hex(group))
        }
    }
}

const fn form_name(form: Form) -> &'static str {
    match form {
        Form::Hex => "hexadecimal",
        Form::Hex32 => "32 hexadecimal digits",
        Form::Hex64 => "64 hexadecimal digits",
        Form::Base64 => "base64",
        Form::Uuid => "a UUID",
    }
}

/// Secrets of two variables that are one. Names that mean the same thing in two programs (`POSTGRES_PASSWORD`, `PGPASSWORD`) are
/// not: only keys that sign or encrypt are held against each other.
fn reused(desk: &mut Desk<'_>) {
    if !desk.strict() {
        return;
    }
    let variables = desk.variables;
    let is_key =
        |one: &&Variable| one.known && desk.schema.spec(&one.name).is_some_and(|spec| spec.kind == Kind::Secret);
    let keys: Vec<&Variable> = variables.iter().filter(is_key).take(limits::ENV_SECRETS_COMPARED).collect();
    for (index, later) in keys.iter().enumerate() {
        let same = |one: &&&Variable| !one.value().is_empty() && one.value() == later.value();
        let Some(first) = keys.iter().take(index).find(same) else { continue };
        desk.add(&REUSED, &later.name, format!("`{}` holds the same secret as `{}`", later.name, first.name));
    }
}
