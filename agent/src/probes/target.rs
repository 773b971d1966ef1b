//! A check's URL, in every form that applications write in `DATABASE_URL` and `REDIS_URL`.
//! It knows the forms, not the probes. What must stay true: no message, `Display` or `Debug` of a target shows a password, so no
//! error quotes the text it could not read.

mod authority;
#[cfg(test)]
mod tests;

use crate::secret::Secret;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::path::PathBuf;

/// The target of a check. Neither its `Display` nor its `Debug` ever shows a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// The scheme in lower case, without a `+driver` suffix: `postgresql+asyncpg` is `postgresql`.
    pub scheme: String,
    /// That suffix in lower case, without its `+`; empty when absent. `+http` and `+https` say how a service's pages are reached.
    pub driver: String,
    /// Host name, IPv4 or IPv6 address (without brackets), decoded; empty when the URL has none (`file:`, `unix:`, a socket).
    pub host: String,
    /// The port, when written.
    pub port: Option<u16>,
    /// User name, decoded; empty when absent.
    pub user: String,
    /// Password, decoded.
    pub password: Option<Secret>,
    /// Path as written, percent-encoding kept, with its leading slash; empty when absent.
    pub path: String,
    /// Query as written, without `?`. May hold a password (`?password=`): never print it.
    pub query: Option<String>,
}

/// Why a text is no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TargetError {
    /// What is wrong; never shows a password.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl TargetError {
    fn new(message: &str, hint: &str) -> Self {
        Self { message: message.to_owned(), hint: Some(hint.to_owned()) }
    }
}

/// Whether a text is the URL of something that lives inside the application, so that there is nothing to probe (`sqlite:`): the
/// sentence to tell. An application's `DATABASE_URL` may well be one, and that is no mistake.
#[must_use]
pub fn nothing_to_probe(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let (scheme, _) = without_jdbc(text).split_once(':')?;
    let scheme = plain_scheme(scheme)?;
    matches!(scheme.as_str(), "sqlite" | "sqlite3")
        .then_some("SQLite is a file inside the application: there is nothing to probe, the check is left out")
}

/// The error for a scheme that no probe has.
#[must_use]
pub fn unknown_scheme(scheme: &str, known: &[&str]) -> TargetError {
    let near = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(scheme, name), name))
        .filter(|(distance, name)| *distance <= 2 && *distance < name.len())
        .min_by_key(|(distance, _)| *distance);
    let guess = near.map_or(String::new(), |(_, name)| format!("did you mean `{name}`? "));
    TargetError {
        message: format!("unknown URL scheme `{}`", super::clean(scheme)),
        hint: Some(format!("{guess}known schemes: {}", known.join(", "))),
    }
}

impl Target {
    /// Reads a URL: `jdbc:` and `+driver` are stripped; passwords may hold unescaped `@ : # / ?` and lone `%` where only one reading
    /// is possible; `user`, `password`, `host` and `port` may stand in a database URL's query.
    ///
    /// # Errors
    /// When the text is no URL, or can be read in two ways; the hint says what to write.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err(TargetError::new("the URL contains a control character", "look for a stray line break in it"));
        }
        if let Some(note) = nothing_to_probe(text) {
            return Err(TargetError { message: note.to_owned(), hint: None });
        }
        let (written, rest) = split_scheme(without_jdbc(text))?;
        let scheme = plain_scheme(written).ok_or_else(no_scheme)?;
        let parts = authority::split(rest, is_database(&scheme))?;
        let driver = written.split_once('+').map_or(String::new(), |(_, driver)| driver.to_ascii_lowercase());
        let mut target = Self {
            scheme,
            driver,
            host: parts.host,
            port: parts.port,
            user: parts.user,
            password: parts.password.map(Secret::new),
            path: parts.path,
            query: parts.query,
        };
        target.take_from_query()?;
        target.need_host(written).map(|()| target)
    }

    /// The query's parameters in order, decoded. `+` stays `+`, as libpq and the MySQL clients read it.
    #[must_use]
    pub fn params(&self) -> Vec<(String, String)> {
        let query = self.query.as_deref().unwrap_or_default();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(key, value)| (lossy(key), lossy(value)))
            .collect()
    }

    /// The first parameter of the query that bears one of these names, decoded.
    #[must_use]
    pub fn param(&self, names: &[&str]) -> Option<String> {
        self.params().into_iter().find(|(key, _)| names.contains(&key.as_str())).map(|(_, value)| value)
    }

    /// The path without its first slash, decoded: a database's name or number.
    #[must_use]
    pub fn database(&self) -> String {
        lossy(self.path.strip_prefix('/').unwrap_or(&self.path))
    }

    /// The unix socket that a database URL names: for PostgreSQL its directory, for MySQL and Redis the socket itself.
    #[must_use]
    pub fn socket(&self) -> Option<PathBuf> {
        let named = match self.scheme.as_str() {
            "postgres" | "postgresql" => self.param(&["host"]).filter(|host| host.starts_with('/')),
            "mysql" | "mariadb" => self.param(&["unix_socket", "socket"]),
            "redis" | "valkey" if self.host.is_empty() => Some(lossy(&self.path)),
            _ => None,
        };
        named
            .or_else(|| self.host.starts_with('/').then(|| self.host.clone()))
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    }

    /// Takes from a database URL's query what the URL itself leaves out (libpq's and JDBC's habit).
    fn take_from_query(&mut self) -> Result<(), TargetError> {
        if !matches!(self.scheme.as_str(), "postgres" | "postgresql" | "mysql" | "mariadb") {
            return Ok(());
        }
        if self.user.is_empty() {
            self.user = self.param(&["user"]).unwrap_or_default();
        }
        self.password = self.password.take().or_else(|| self.param(&["password"]).map(Secret::new));
        if self.host.is_empty() {
            self.host = self.param(&["host", "hostaddr"]).filter(|host| !host.starts_with('/')).unwrap_or_default();
        }
        if let (None, Some(port)) = (self.port, self.param(&["port"])) {
            self.port = Some(port.parse().map_err(|_| authority::bad_port())?);
        }
        if let ("" | "/", Some(name)) = (self.path.as_str(), self.param(&["dbname"])) {
            self.path = format!("/{name}");
        }
        Ok(())
    }

    fn need_host(&self, written: &str) -> Result<(), TargetError> {
        let hostless = match self.scheme.as_str() {
            "file" | "unix" | "dns" | "cert" => true,
            // The public service itself.
            "openai" => true,
            "redis" | "valkey" => written.ends_with("+socket") || written.ends_with("+unix"),
            "postgres" | "postgresql" | "mysql" | "mariadb" => self.socket().is_some(),
            _ => false,
        };
        if hostless || !self.host.is_empty() {
            return Ok(());
        }
        Err(TargetError::new(
            "the URL names no host",
            "write `scheme://host:port`, with the host that the application uses",
        ))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))?;
        // An `@` behind the host: the server reads a path here, and a person may have written a password with a `/` in it.
        let unclear = self.path.contains('@') || self.query.as_ref().is_some_and(|query| query.contains('@'));
        f.write_str(if unclear { "/***" } else { &self.path })
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("url", &self.to_string())
            .field("password", &self.password)
            .field("params", &self.params().len())
            .finish()
    }
}

/// Schemes whose URLs have neither fragment nor `@` after the authority.
fn is_database(scheme: &str) -> bool {
    matches!(scheme, "postgres" | "postgresql" | "mysql" | "mariadb" | "redis" | "rediss" | "valkey" | "valkeys")
}

fn without_jdbc(text: &str) -> &str {
    text.strip_prefix("jdbc:").unwrap_or(text)
}

/// Lower case, without `+driver`; `None` when it is not the form of a scheme.
fn plain_scheme(written: &str) -> Option<String> {
    let fits = written.starts_with(|c: char| c.is_ascii_alphabetic())
        && written.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        && written.len() <= 40;
    let plain = written.split('+').next().unwrap_or_default();
    fits.then(|| plain.to_ascii_lowercase())
}

fn split_scheme(text: &str) -> Result<(&str, &str), TargetError> {
    if let Some(parts) = text.split_once("://") {
        return Ok(parts);
    }
    match text.split_once(':') {
        Some((scheme @ ("file" | "unix"), path)) if path.starts_with('/') => Ok((scheme, path)),
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
            Err(TargetError::new("the URL has no scheme", "write `tcp://host:port` for a plain connection"))
        }
        _ => Err(no_scheme()),
    }
}

fn no_scheme() -> TargetError {
    TargetError::new(
        "this is not a URL: it does not begin with a scheme",
        "write it like `http://host:8000/health`, `postgres://user:password@host:5432/name` or `tcp://host:port`",
    )
}

/// Percent-decoded; a `%` without two hex digits stays, as drivers have it.
fn lossy(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
