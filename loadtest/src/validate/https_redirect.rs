//! Whether whoever comes by plain HTTP is sent to HTTPS, to the page that was meant, for good.

use super::finding::{Miss, Seen};
use super::{Site, Validator, site};
use crate::plan::Url;
use std::sync::Arc;

pub(super) static ROW: Validator = Validator {
    name: "https-redirect",
    expects: EXPECTS,
    standard: "RFC 6797 section 7.2; OWASP Transport Layer Security cheat sheet",
    needs: Some("http"),
    run: |site| Box::pin(run(site)),
};

const EXPECTS: &str = "plain HTTP answers 301 or 308 to the same path of the same host by HTTPS";
const WAY_OUT: &str = "nginx: `return 301 https://$host$request_uri;` in the server of port 80";
/// A path with a query: both must survive.
const ASKED: &str = "/loadtest-validate?from=http";

async fn run(site: &Site<'_>) -> Vec<Seen> {
    let (plain, guessed) = match (&site.plan.validation.http, beside(site.target())) {
        (Some(http), _) => (http.clone(), false),
        (None, Some(guess)) => (guess, true),
        (None, None) => {
            let why = "the plain address is not known";
            let way_out = "`--http http://HOST:PORT`, or `validate: {http: http://HOST:PORT}` in the plan";
            return vec![Seen::not_applicable(&site.host(), EXPECTS, why, way_out)];
        }
    };
    let base = plain.as_str().trim_end_matches('/').to_owned();
    let Ok(url) = Url::parse(&format!("{base}{ASKED}")) else { return Vec::new() };
    let url = Arc::new(url);
    match site.get(&url).await {
        Ok(response) => {
            let judged = judge(response.status, site::value(&response, "location").as_deref(), &url);
            vec![Seen::judged(&base, EXPECTS, judged)]
        }
        Err(error) if guessed => {
            let why = format!("nothing answers by plain HTTP: {error}");
            vec![Seen::not_applicable(&base, EXPECTS, &why, "if it is elsewhere: `--http http://HOST:PORT`")]
        }
        Err(error) => vec![Seen::unknown(&base, EXPECTS, error.to_string())],
    }
}

/// Port 80 beside port 443; beside another port it would be a guess about somebody else.
fn beside(target: &Url) -> Option<Url> {
    (target.scheme() == "https" && target.port().is_none()).then(|| {
        let mut plain = target.clone();
        let _ = plain.set_scheme("http");
        plain.set_path("/");
        plain
    })
}

fn judge(status: u16, location: Option<&str>, asked: &Url) -> Result<String, Miss> {
    let Some(location) = location.filter(|_| (300..400).contains(&status)) else {
        return Err(Miss::new(format!("status {status}, no redirect"), WAY_OUT));
    };
    let miss = |why: &str| Err(Miss::new(format!("{status} to `{location}`: {why}"), WAY_OUT));
    let Ok(to) = asked.join(location.trim()) else { return miss("that is no URL") };
    if to.scheme() != "https" {
        return miss("that is not HTTPS");
    }
    if to.host() != asked.host() {
        return miss("that is another host, which the browser has not been told to use HTTPS for");
    }
    if to.path() != asked.path() || to.query() != asked.query() {
        return miss("that is not the page that was asked for");
    }
    if !matches!(status, 301 | 308) {
        return miss("it is not permanent");
    }
    Ok(format!("{status} to `{location}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_permanent_redirect_to_the_same_page_passes() {
        let asked = Url::parse("http://h:8080/a?b=c").unwrap();
        let said = |status, location| judge(status, location, &asked).map_or_else(|miss| miss.got, |_| "ok".to_owned());
        assert_eq!(said(301, Some("https://h/a?b=c")), "ok");
        assert_eq!(said(308, Some("https://h:8443/a?b=c")), "ok");
        assert_eq!(said(200, None), "status 200, no redirect");
        assert_eq!(said(302, Some("https://h/a?b=c")), "302 to `https://h/a?b=c`: it is not permanent");
        for wrong in ["http://h/a?b=c", "https://h/", "https://h/a", "https://www.h/a?b=c", "/a?b=c"] {
            assert_ne!(said(301, Some(wrong)), "ok", "{wrong}");
        }
    }

    #[test]
    fn port_80_is_a_guess_for_port_443_alone() {
        let guess = |text: &str| beside(&Url::parse(text).unwrap()).map(|url| url.to_string());
        assert_eq!(guess("https://h/app"), Some("http://h/".to_owned()));
        assert_eq!((guess("https://h:8443/"), guess("http://h/")), (None, None));
    }
}
