//! Headers that every request of a run gets, written in the plan with Hurl's templates. A header of the entry itself wins.

use super::fault::{Cause, Fault};
use super::outside;
use super::template::{Scope, Template};
use crate::problem::Problem;
use crate::redact::looks_secret;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;

/// The plan's headers; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct CommonHeaders(Arc<[Common]>);

#[derive(Clone, Debug)]
struct Common {
    name: HeaderName,
    value: Template,
    /// The value, where it is constant.
    constant: Option<HeaderValue>,
}

/// One header of a plan: its name, and its value as a template.
#[derive(Clone, Debug)]
pub struct CommonHeader(Common);

impl CommonHeader {
    /// Reads a header.
    ///
    /// # Errors
    /// When the name is none, the value cannot be sent, or a placeholder is malformed. The value is not repeated: it may be
    /// a secret.
    pub fn parse(name: &str, value: &str) -> Result<Self, Problem> {
        let known = HeaderName::try_from(name).map_err(|_| {
            Problem::new(format!("`{name}` is no name of a header")).hint("write it like `X-Forwarded-For`")
        })?;
        if ["host", "content-length", "transfer-encoding", "connection"].contains(&known.as_str()) {
            let hint = "it belongs to the single request and its connection; write it in the journey";
            return Err(Problem::new(format!("`{name}` cannot be sent with every request")).hint(hint));
        }
        let bad = || {
            Problem::new(format!("the value of `{name}` cannot be sent"))
                .hint("one line of text; placeholders are written like `{{user_address}}`")
        };
        let value = value.trim();
        if value.is_empty() || value.chars().any(char::is_control) {
            return Err(bad());
        }
        let value = outside::template(value).ok_or_else(bad)?;
        let constant = value.constant().map(HeaderValue::try_from).transpose().map_err(|_| bad())?;
        Ok(Self(Common { name: known, value, constant }))
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &HeaderName {
        &self.0.name
    }
}

impl CommonHeaders {
    /// These headers.
    #[must_use]
    pub fn new(headers: impl IntoIterator<Item = CommonHeader>) -> Self {
        Self(headers.into_iter().map(|header| header.0).collect())
    }

    /// Adds those that the request does not have; with `trusted` off, credentials stay at home.
    ///
    /// # Errors
    /// When one cannot be worked out.
    pub(super) fn add(&self, headers: &mut HeaderMap, scope: Scope<'_>, trusted: bool) -> Result<(), Cause> {
        for Common { name, value, constant } in self.0.iter() {
            if headers.contains_key(name) || (!trusted && is_credential(name)) {
                continue;
            }
            let value = match constant {
                Some(value) => value.clone(),
                None => rendered(value, scope)
                    .map_err(|cause| Cause::PlanHeader { name: name.to_string(), cause: Box::new(cause) })?,
            };
            headers.append(name.clone(), value);
        }
        Ok(())
    }
}

fn rendered(value: &Template, scope: Scope<'_>) -> Result<HeaderValue, Cause> {
    let text = value.render(scope).map_err(|Fault { cause, .. }| cause)?;
    HeaderValue::try_from(text.as_ref()).map_err(|_| Cause::Header("…".to_owned()))
}

/// Whether a header says who somebody is (`X-API-Key` does so too), and so is not sent to another host.
pub(super) fn is_credential(name: &HeaderName) -> bool {
    [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].contains(name) || looks_secret(name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journey::Session;
    use std::collections::HashMap;
    use std::path::Path;

    fn sent(common: &[(&str, &str)], own: &[(&'static str, &'static str)], trusted: bool) -> Vec<String> {
        let common = CommonHeaders::new(common.iter().map(|(name, value)| CommonHeader::parse(name, value).unwrap()));
        let session = Session::new(Arc::new(HashMap::new()), Arc::default());
        let mut headers: HeaderMap =
            own.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect();
        common.add(&mut headers, session.scope(Path::new("")), trusted).unwrap();
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
    }

    #[test]
    fn values_are_hurls_templates_and_a_header_of_the_request_wins() {
        assert_eq!(sent(&[("X-A", "{{user_address}}, {{user}}")], &[], true), ["x-a: 198.18.0.1, 1"]);
        assert_eq!(sent(&[("X-A", r"a # b \\ c")], &[], true), [r"x-a: a # b \\ c"]);
        assert_eq!(sent(&[("X-A", "1")], &[("x-a", "2")], true), ["x-a: 2"]);
        assert_eq!(sent(&[("Authorization", "Bearer x"), ("X-A", "1")], &[], false), ["x-a: 1"]);
    }

    #[test]
    fn what_cannot_be_sent_is_refused_without_its_value() {
        let said = |name, value| CommonHeader::parse(name, value).unwrap_err().to_string();
        insta::assert_snapshot!(said("X A", "1"), @r"
        error: `X A` is no name of a header
        hint: write it like `X-Forwarded-For`
        ");
        insta::assert_snapshot!(said("Host", "a"), @r"
        error: `Host` cannot be sent with every request
        hint: it belongs to the single request and its connection; write it in the journey
        ");
        for value in ["", "hunter2\nX-B: 1", "hunter2 {{"] {
            insta::allow_duplicates! {
                insta::assert_snapshot!(said("X-A", value), @r"
                error: the value of `X-A` cannot be sent
                hint: one line of text; placeholders are written like `{{user_address}}`
                ");
            }
        }
    }
}
