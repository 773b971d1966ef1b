//! The `[Options]` of an entry: as written, and as they hold for one repetition.

use super::fault::{Cause, Fault};
use super::limits::{REDIRECTS_CAP, REDIRECTS_MAX, RETRY_INTERVAL};
use super::number::Number;
use super::session::Session;
use super::template::{Expression, Scope, Template};
use super::value::Value;
use crate::http::{Family, Protocol, RequestOptions};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// One line of `[Options]`.
#[derive(Clone, Debug)]
pub enum Setting {
    /// Roots to trust.
    CaCert(Template),
    /// Client certificate.
    Cert(Template),
    /// Its key.
    Key(Template),
    /// Ask for a compressed body.
    Compressed(Flag),
    /// Connect elsewhere.
    ConnectTo(Template),
    /// Deadline for connecting.
    ConnectTimeout(Wait),
    /// Wait before the request.
    Delay(Wait),
    /// Follow redirects.
    Follow(Flag),
    /// Follow redirects, with credentials to any host.
    FollowTrusted(Flag),
    /// A further header.
    Header(Template),
    /// Leave a header out.
    NoHeader(Template),
    /// Speak this version when set; else the second.
    Speak(Flag, Protocol, Option<Protocol>),
    /// Accept any certificate.
    Insecure(Flag),
    /// Use this address family when set; else the other.
    Family(Flag, Family),
    /// Longest chain of redirects.
    MaxRedirects(Count),
    /// Deadline for the whole exchange.
    MaxTime(Wait),
    /// A single node of a JSONPath is a list of one.
    NoCoercion(Flag),
    /// How often to run the entry.
    Repeat(Count),
    /// An address for a name.
    Resolve(Template),
    /// How often to try again.
    Retry(Count),
    /// Wait between tries.
    RetryInterval(Wait),
    /// Leave the entry out.
    Skip(Flag),
    /// `user:password`
    User(Template),
    /// A variable.
    Variable(String, VariableValue),
    /// Without effect here; worked out all the same, for a placeholder in it may be wrong.
    NoEffect(Flag),
}

/// A truth value.
#[derive(Clone, Debug)]
pub enum Flag {
    /// Written.
    Constant(bool),
    /// To be worked out.
    Expression(Expression),
}

/// A length of time.
#[derive(Clone, Debug)]
pub enum Wait {
    /// Written.
    Constant(Duration),
    /// To be worked out, in milliseconds.
    Expression(Expression),
}

/// How often; `None` without end.
#[derive(Clone, Debug)]
pub enum Count {
    /// Written.
    Constant(Option<usize>),
    /// To be worked out; -1 is without end.
    Expression(Expression),
}

/// What a variable is set to.
#[derive(Clone, Debug)]
pub enum VariableValue {
    /// As it stands.
    Constant(Value),
    /// A text.
    Template(Template),
}

/// Whether redirects are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follow {
    /// No.
    #[default]
    No,
    /// Yes; credentials go to the first host only.
    Careful,
    /// Yes, credentials and all.
    Trusting,
}

/// The options of one repetition.
#[derive(Clone, Debug)]
pub struct Options {
    /// Wait before the request.
    pub delay: Duration,
    /// How often to run: once where it is absent; `Some(None)` without end.
    pub repeat: Option<Option<usize>>,
    /// How often to try again: never where it is absent; `Some(None)` without end.
    pub retry: Option<Option<usize>>,
    /// Wait between tries.
    pub retry_interval: Duration,
    /// Leave it out.
    pub skip: bool,
    /// Redirects.
    pub follow: Follow,
    /// Longest chain of them.
    pub redirects_max: usize,
    /// Ask for a compressed body.
    pub compressed: bool,
    /// `user:password`
    pub user: Option<String>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// Headers to leave out.
    pub no_headers: Vec<String>,
    /// Whether a single node of a JSONPath stands for itself.
    pub coerce: bool,
    /// What concerns the wire.
    pub wire: Arc<RequestOptions>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            repeat: None,
            retry: None,
            retry_interval: RETRY_INTERVAL,
            skip: false,
            follow: Follow::No,
            redirects_max: REDIRECTS_MAX,
            compressed: false,
            user: None,
            headers: vec![],
            no_headers: vec![],
            coerce: true,
            wire: Arc::default(),
        }
    }
}

impl Options {
    /// Works out the options in order; those that set variables do so.
    ///
    /// # Errors
    /// When one cannot be worked out.
    pub fn evaluate(settings: &[Setting], session: &mut Session, root: &Path) -> Result<Self, Fault> {
        let mut options = Self::default();
        let mut wire = RequestOptions { protocol: session.defaults.protocol(), ..RequestOptions::default() };
        for setting in settings {
            if let Setting::Variable(name, value) = setting {
                let value = value.get(session.scope(root))?;
                session.variables.set(name.as_str(), value);
                continue;
            }
            let scope = session.scope(root);
            if !options.apply(setting, scope)? {
                apply_to_wire(&mut wire, setting, scope)?;
            }
        }
        wire.no_host = options.no_headers.iter().any(|name| name.eq_ignore_ascii_case("host"));
        options.wire = Arc::new(wire);
        Ok(options)
    }

    /// Takes a setting of the entry; false when it concerns the wire.
    fn apply(&mut self, setting: &Setting, scope: Scope<'_>) -> Result<bool, Fault> {
        match setting {
            Setting::Compressed(flag) => self.compressed = flag.get(scope)?,
            Setting::Delay(wait) => self.delay = wait.get(scope)?,
            Setting::Follow(flag) => self.follow = if flag.get(scope)? { Follow::Careful } else { Follow::No },
            Setting::FollowTrusted(flag) => {
                if flag.get(scope)? {
                    self.follow = Follow::Trusting;
                }
            }
            Setting::Header(template) => self.headers.push(header(template, scope)?),
            Setting::NoHeader(name) => self.no_headers.push(left_out(name, scope)?),
            Setting::MaxRedirects(count) => {
                self.redirects_max = count.get(scope)?.unwrap_or(REDIRECTS_CAP).min(REDIRECTS_CAP);
            }
            Setting::NoCoercion(flag) => self.coerce = !flag.get(scope)?,
            Setting::Repeat(count) => self.repeat = Some(count.get(scope)?),
            Setting::Retry(count) => self.retry = Some(count.get(scope)?),
            Setting::RetryInterval(wait) => self.retry_interval = wait.get(scope)?,
            Setting::Skip(flag) => self.skip = flag.get(scope)?,
            Setting::User(user) => self.user = Some(user.render(scope)?.into_owned()),
            Setting::NoEffect(flag) => drop(flag.get(scope)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn apply_to_wire(wire: &mut RequestOptions, setting: &Setting, scope: Scope<'_>) -> Result<(), Fault> {
    let text = |template: &Template| template.render(scope).map(std::borrow::Cow::into_owned);
    match setting {
        Setting::CaCert(file) => wire.cacert = Some(text(file)?.into()),
        Setting::Cert(file) => wire.cert = Some(text(file)?.into()),
        Setting::Key(file) => wire.key = Some(text(file)?.into()),
        Setting::ConnectTo(way) => wire.connect_to.push(text(way)?),
        Setting::Resolve(entry) => wire.resolve.push(text(entry)?),
        Setting::ConnectTimeout(wait) => wire.connect_timeout = some_time(wait.get(scope)?),
        Setting::MaxTime(wait) => wire.max_time = some_time(wait.get(scope)?),
        Setting::Insecure(flag) => wire.insecure = flag.get(scope)?,
        Setting::Family(flag, family) => {
            wire.family = Some(match (flag.get(scope)?, family) {
                (true, Family::V4) | (false, Family::V6) => Family::V4,
                (true, Family::V6) | (false, Family::V4) => Family::V6,
            });
        }
        Setting::Speak(flag, yes, no) => {
            let protocol = if flag.get(scope)? { Some(*yes) } else { *no };
            wire.protocol = protocol.unwrap_or(wire.protocol);
            // HTTP/2 is about connections that last.
            wire.fresh_connection = matches!(wire.protocol, Protocol::Http10 | Protocol::Http11);
        }
        _ => {}
    }
    Ok(())
}

/// No time at all means no deadline of its own.
fn some_time(wait: Duration) -> Option<Duration> {
    Some(wait).filter(|wait| !wait.is_zero())
}

fn header(template: &Template, scope: Scope<'_>) -> Result<(String, String), Fault> {
    let text = template.render(scope)?;
    let (name, value) =
        text.split_once(':').ok_or_else(|| Fault::error(template.span, Cause::Header(text.to_string())))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn left_out(template: &Template, scope: Scope<'_>) -> Result<String, Fault> {
    let name = template.render(scope)?.trim().to_owned();
    if frames_the_body(&name) { Err(Fault::error(template.span, Cause::Framing(name))) } else { Ok(name) }
}

/// Whether the header tells where the body ends: it is written with the body, and a request cannot go without.
pub(super) fn frames_the_body(name: &str) -> bool {
    ["content-length", "transfer-encoding"].iter().any(|framing| framing.eq_ignore_ascii_case(name.trim()))
}

fn wrong_type(expression: &Expression, expected: &'static str, value: &Value) -> Fault {
    Fault::error(expression.span, Cause::WrongType { expected, actual: value.describe() })
}

impl Flag {
    fn get(&self, scope: Scope<'_>) -> Result<bool, Fault> {
        match self {
            Self::Constant(flag) => Ok(*flag),
            Self::Expression(expression) => match expression.value(scope)?.as_ref() {
                Value::Bool(flag) => Ok(*flag),
                other => Err(wrong_type(expression, "boolean", other)),
            },
        }
    }
}

impl Wait {
    fn get(&self, scope: Scope<'_>) -> Result<Duration, Fault> {
        match self {
            Self::Constant(wait) => Ok(*wait),
            Self::Expression(expression) => match expression.value(scope)?.as_ref() {
                Value::Number(Number::Integer(millis @ 0..)) => Ok(Duration::from_millis(millis.unsigned_abs())),
                other => Err(wrong_type(expression, "milliseconds as an integer of at least 0", other)),
            },
        }
    }
}

impl Count {
    fn get(&self, scope: Scope<'_>) -> Result<Option<usize>, Fault> {
        match self {
            Self::Constant(count) => Ok(*count),
            Self::Expression(expression) => match expression.value(scope)?.as_ref() {
                Value::Number(Number::Integer(-1)) => Ok(None),
                Value::Number(Number::Integer(count @ 0..)) => Ok(usize::try_from(*count).ok()),
                other => Err(wrong_type(expression, "integer of at least -1", other)),
            },
        }
    }
}

impl VariableValue {
    fn get(&self, scope: Scope<'_>) -> Result<Value, Fault> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Template(template) => Ok(Value::text(template.render(scope)?)),
        }
    }
}
