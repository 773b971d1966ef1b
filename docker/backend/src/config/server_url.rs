//! Owns URLs of servers as people have them: with the driver of another language (`postgresql+asyncpg://`), with a percent-encoded
//! password or with none, which then comes from a variable or file of its own. Must stay true: no message and no `Debug` shows
//! what stands before the `@`.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::reader::{Reader, SecretName};

/// Where a server is, and how to get in.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    url: Url,
    place: String,
}

impl ServerUrl {
    /// Host, port and what lies there, for messages.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// All of it, password included, for the one who connects.
    pub fn reveal(&self) -> &Url {
        &self.url
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ServerUrl({}://…@{})", self.url.scheme(), self.place)
    }
}

/// What a kind of server expects of its URL.
pub(super) struct Form {
    /// The variable that the URL stands in.
    pub(super) variable: &'static str,
    /// The variable for the password alone.
    pub(super) password: SecretName,
    /// The scheme that the client knows.
    pub(super) scheme: &'static str,
    /// Port when none is given.
    pub(super) port: u16,
    /// Whether the path must name something.
    pub(super) names_database: bool,
    /// Parameters that the client understands; others are left out with a warning.
    pub(super) parameters: &'static [&'static str],
    /// A good one, for hints.
    pub(super) example: &'static str,
}

/// The URL after its scheme (`rest`, from the colon on), checked and completed.
pub(super) fn read(reader: &mut Reader<'_>, rest: &str, form: &Form) -> Option<ServerUrl> {
    // Read also when the URL is bad, so that all problems come at once.
    let password = reader.secret(form.password, 1);
    let Ok(mut url) = Url::parse(&format!("{}{rest}", form.scheme)) else {
        let hint = format!(
            "such as `{}`; in a password, `@` is written `%40`, `/` is `%2F`, `#` is `%23`, or give it by `{}`",
            form.example, form.password.file
        );
        reader.problem(form.variable, "cannot be read", &hint);
        return None;
    };
    let missing = match (url.host_str(), url.path().trim_matches('/')) {
        (None | Some(""), _) => Some("names no host"),
        (_, "") if form.names_database => Some("names no database"),
        _ => None,
    };
    if let Some(missing) = missing {
        reader.problem(form.variable, missing, &format!("such as `{}`", form.example));
        return None;
    }
    if let Some(password) = password {
        if url.password().is_some() {
            let message = format!("is set, and the URL of `{}` holds a password as well", form.variable);
            reader.problem(form.password.plain, &message, "keep one of the two");
            return None;
        }
        // `set_password` leaves `%` as it is, so everything is encoded before.
        let encoded = utf8_percent_encode(password.reveal(), NON_ALPHANUMERIC).to_string();
        // It fails for a URL without a host only, and this one has one.
        _ = url.set_password(Some(&encoded));
    }
    url.set_fragment(None);
    keep_known_parameters(reader, &mut url, form);
    let place = place(&url, form);
    Some(ServerUrl { url, place })
}

fn place(url: &Url, form: &Form) -> String {
    let (host, port) = (url.host_str().unwrap_or_default(), url.port().unwrap_or(form.port));
    format!("{host}:{port}{}", url.path().trim_end_matches('/'))
}

/// Other clients' parameters do no harm; a wish for TLS in words that this client does not know must not be passed over.
fn keep_known_parameters(reader: &mut Reader<'_>, url: &mut Url, form: &Form) {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let (known, unknown): (Vec<_>, Vec<_>) =
        pairs.into_iter().partition(|(name, _)| form.parameters.contains(&name.as_str()));
    if known.is_empty() {
        url.set_query(None);
    } else {
        url.query_pairs_mut().clear().extend_pairs(known);
    }
    let known = form.parameters.join("`, `");
    for (name, _) in &unknown {
        let is_about_tls = ["ssl", "tls"].iter().any(|word| name.to_ascii_lowercase().contains(word));
        if is_about_tls {
            reader.problem(form.variable, "asks for TLS by a parameter unknown here", &format!("known are `{known}`"));
        }
    }
    if !unknown.is_empty() {
        let count = unknown.len();
        reader.warn(format!("`{}`: {count} unknown parameter(s) left out; known are `{known}`", form.variable));
    }
}
