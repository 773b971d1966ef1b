//! Whether paths that are for users refuse whoever is none: without credentials, and with a token that nobody gave out. A redirect is
//! followed to its end, for "302" alone does not say whether data lie behind it.

use super::finding::{Miss, Seen};
use super::{Site, Validator, site};
use crate::http::{Response, TransportError};
use crate::limits::VALIDATE_REDIRECTS;
use crate::plan::Url;
use http::Method;
use std::sync::Arc;

pub(super) static ROW: Validator = Validator {
    name: "unauthenticated-access",
    expects: EXPECTS,
    standard: "RFC 9110 sections 15.5.2 and 15.5.4; OWASP ASVS V8, WSTG-ATHZ-02",
    needs: Some("protected"),
    run: |site| Box::pin(run(site)),
};

const EXPECTS: &str = "401 or 403 without credentials and with a made-up token, or a log-in page";
const NONE: &str = "no path is said to be protected";
const LIST: &str = "`--protected /api/v1/assets`, or `validate: {protected: [/api/v1/assets]}` in the plan";
const WAY_OUT: &str = "refuse before anything is read: 401 where nobody is logged in, 403 where the wrong one is";
const MADE_UP: &str = "Bearer loadtest-validate-made-this-up";

/// Where a question ended.
struct End {
    status: u16,
    /// Where redirects led, if there were any.
    moved: Option<String>,
    page: String,
}

async fn run(site: &Site<'_>) -> Vec<Seen> {
    let mut all = Vec::new();
    for path in &site.plan.validation.protected {
        for (who, headers) in [("nobody", &[][..]), ("a made-up token", &[("authorization", MADE_UP)])] {
            let subject = format!("{path} by {who}");
            all.push(match ask(site, path, headers).await {
                Ok(end) => judge(&subject, &end),
                Err(error) => Seen::unknown(&subject, EXPECTS, error.to_string()),
            });
        }
    }
    if all.is_empty() {
        all.push(Seen::not_applicable(&site.host(), EXPECTS, NONE, LIST));
    }
    all
}

/// The made-up token goes to the target only, as if it were a real one.
async fn ask(site: &Site<'_>, path: &str, headers: &[(&'static str, &str)]) -> Result<End, TransportError> {
    let mut url = site.url(path);
    let mut response = site.ask(&Method::GET, &url, headers).await?;
    let mut moved = None;
    for _ in 0..VALIDATE_REDIRECTS {
        let Some(next) = site::redirect(&response, &url) else { break };
        url = Arc::new(next);
        moved = Some(shown(&url));
        let own = url.origin() == site.target().origin();
        response = site.ask(&Method::GET, &url, if own { headers } else { &[] }).await?;
    }
    Ok(End { status: response.status, moved, page: page(&response) })
}

/// Without its query, which may hold a token.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

/// The text of an HTML page; nothing of anything else.
fn page(response: &Response) -> String {
    let html = site::value(response, "content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    if html { String::from_utf8_lossy(&response.body).to_ascii_lowercase() } else { String::new() }
}

fn judge(subject: &str, end: &End) -> Seen {
    let status = end.status;
    let got = end.moved.as_ref().map_or(format!("status {status}"), |to| format!("status {status} of `{to}`"));
    // A page that asks for a password is what a browser is sent to instead of being refused.
    let asks = end.page.contains("type=\"password\"")
        || end.page.contains("type='password'")
        || end.page.contains("type=password");
    match status {
        401 | 403 => Seen::judged(subject, EXPECTS, Ok(got)),
        200..=299 if end.moved.is_some() && asks => {
            Seen::judged(subject, EXPECTS, Ok(format!("{got}, which asks for a password")))
        }
        200..=299 => Seen::judged(subject, EXPECTS, Err(Miss::new(got, WAY_OUT))),
        404 | 405 | 410 => Seen::unknown(subject, EXPECTS, format!("{got}: there is nothing to refuse"))
            .way_out("name a path that answers a logged-in user"),
        429 => Seen::unknown(subject, EXPECTS, format!("{got}: a rate limit refuses before"))
            .way_out("wait until the limit has forgotten us, and try again"),
        _ => Seen::unknown(subject, EXPECTS, got).way_out("see what is wrong with the service first"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;

    #[test]
    fn data_is_a_miss_wherever_it_lies() {
        let outcome = |status, moved: Option<&str>, page: &str| {
            judge("/x", &End { status, moved: moved.map(str::to_owned), page: page.to_owned() }).outcome
        };
        let form = "<input type=\"password\">";
        assert_eq!(outcome(401, None, ""), Outcome::Passed);
        assert_eq!(outcome(403, Some("http://h/other"), ""), Outcome::Passed);
        assert_eq!(outcome(200, Some("http://h/login"), form), Outcome::Passed);
        assert_eq!(outcome(200, None, form), Outcome::Failed);
        assert_eq!(outcome(200, Some("http://h/data"), ""), Outcome::Failed);
        assert_eq!(outcome(204, None, ""), Outcome::Failed);
        for status in [404, 405, 429, 500, 302] {
            assert_eq!(outcome(status, None, ""), Outcome::CouldNotTell, "{status}");
        }
    }
}
