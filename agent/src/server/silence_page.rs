//! `POST /-/silence?for=10m&reason=deployment`: begins a maintenance window, or another one in place of it; `for=0` or DELETE ends it.

use super::reply::{self, Doing};
use super::routes::Asked;
use super::times;
use crate::limits;
use crate::silence::{Order, Silence, reason};
use crate::units::{self, Span};
use http::StatusCode;
use serde::Serialize;
use std::time::Duration;
use tokio::sync::oneshot;

/// The window, as pages tell it.
#[derive(Serialize)]
pub(super) struct Told<'a> {
    until: String,
    since: String,
    by: &'static str,
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Answer<'a> {
    silenced: Option<Told<'a>>,
}

impl<'a> Told<'a> {
    /// What everybody may see of it.
    pub(super) fn of(silence: &'a Silence) -> Self {
        let Silence { since, until, reason, by } = silence;
        let (until, since) = (times::rfc3339(*until), times::rfc3339(*since));
        Self { until, since, by: by.as_str(), reason: reason.as_deref() }
    }
}

/// The page.
pub(super) fn page<'a>(asked: &'a Asked<'a>) -> Doing<'a> {
    Box::pin(async move {
        let ends = asked.head.method == http::Method::DELETE;
        let wish = match wish(asked.head.uri.query().unwrap_or_default()) {
            _ if ends => None,
            Ok(wish) => wish,
            Err(message) => return reply::text(StatusCode::BAD_REQUEST, message),
        };
        let (answer, answered) = oneshot::channel();
        let heard = asked.app.silences.send(Order { wish, answer }).await;
        match (heard, answered.await) {
            (Ok(()), Ok(silence)) => reply::json(StatusCode::OK, &Answer { silenced: silence.as_ref().map(Told::of) }),
            _ => reply::text(StatusCode::SERVICE_UNAVAILABLE, reply::NO_ORDERS),
        }
    })
}

/// What a query asks for; `None` to end it. The error is the answer.
fn wish(query: &str) -> Result<Option<(Duration, Option<String>)>, String> {
    let (mut length, mut why) = (None, None);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "for" => length = Some(units::duration(&value).map_err(|error| format!("for: {error}\n"))?),
            "reason" => why = reason(&value),
            _ => return Err("there are only `for` and `reason`, as in `?for=10m&reason=deployment`\n".to_owned()),
        }
    }
    match length {
        None => Err("say how long, as in `?for=10m&reason=deployment`; `for=0` ends it\n".to_owned()),
        Some(length) if length > limits::SILENCE_MOST => {
            Err(format!("for: a silence lasts at most {}; order another one then\n", Span(limits::SILENCE_MOST)))
        }
        Some(Duration::ZERO) => Ok(None),
        Some(length) => Ok(Some((length, why))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_how_long_and_why() {
        let ten = Duration::from_secs(600);
        assert_eq!(wish("for=10m&reason=new%20database"), Ok(Some((ten, Some("new database".to_owned())))));
        assert_eq!(wish("for=10m"), Ok(Some((ten, None))));
        assert_eq!(wish("for=0"), Ok(None));
        for (query, word) in [
            ("", "how long"),
            ("reason=x", "how long"),
            ("for=x", "duration"),
            ("for=25h", "at most 1d"),
            ("fro=1m", "only"),
        ] {
            let refused = wish(query).unwrap_err();
            assert!(refused.contains(word), "{query}: {refused}");
        }
    }
}
