//! Whether pages of other origins are kept from reading the API: a stranger's, a page without an origin (`null`: a sandboxed frame), and
//! names made to look like the listed ones.

use super::cors::{Grant, ask, path};
use super::finding::{Miss, Seen};
use super::{Site, Validator};
use crate::plan::Url;

pub(super) static ROW: Validator = Validator {
    name: "cors-deny",
    expects: EXPECTS,
    standard: "WHATWG Fetch section 3.2; OWASP WSTG-CLNT-07",
    needs: None,
    run: |site| Box::pin(run(site)),
};

const EXPECTS: &str =
    "pages of other origins may not read: not a stranger's, not `null`, not one that looks like a listed one";
const WAY_OUT: &str =
    "compare the Origin header as a whole with a list, and send no Access-Control-Allow-Origin for others";
/// A name that RFC 2606 keeps free.
const STRANGER: &str = "https://stranger.example.net";

async fn run(site: &Site<'_>) -> Vec<Seen> {
    let url = site.url(&path(site));
    let listed = &site.plan.validation.cors_allow;
    let mut all = Vec::new();
    for origin in foreign(listed) {
        let subject = format!("{} from {origin}", url.path());
        all.push(match ask(site, &url, &origin).await {
            Ok(grants) => Seen::judged(&subject, EXPECTS, judge(&origin, &grants, listed.is_empty())),
            Err(error) => Seen::unknown(&subject, EXPECTS, error.to_string()),
        });
    }
    all
}

/// Origins that must not pass for the listed ones: longer at either end, a subdomain, plain HTTP, another port.
fn foreign(listed: &[String]) -> Vec<String> {
    let mut all = vec![STRANGER.to_owned(), "null".to_owned()];
    for origin in listed {
        let Ok(url) = Url::parse(origin) else { continue };
        let host = url.host_str().unwrap_or_default();
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let scheme = url.scheme();
        all.push(format!("{scheme}://{host}.stranger.example.net"));
        if matches!(url.host(), Some(url::Host::Domain(_))) {
            all.push(format!("{scheme}://stranger{host}{port}"));
            all.push(format!("{scheme}://stranger.{host}{port}"));
            all.extend(host.find('.').map(|dot| {
                let (before, after) = host.split_at(dot);
                format!("{scheme}://{before}x{}{port}", after.get(1..).unwrap_or_default())
            }));
        }
        if scheme == "https" {
            all.push(format!("http://{host}{port}"));
        }
        let other = if url.port() == Some(4443) { 4444 } else { 4443 };
        all.push(format!("{scheme}://{host}:{other}"));
    }
    all.retain(|origin| !listed.contains(origin));
    all.sort();
    all.dedup();
    all
}

/// Where nobody listed origins, an API may be for everybody, as long as it is without credentials.
fn judge(origin: &str, grants: &[Grant; 2], unlisted: bool) -> Result<String, Miss> {
    for (what, grant) in ["GET", "its preflight"].into_iter().zip(grants) {
        let public = grant.origin.as_deref() == Some("*") && !grant.credentials && unlisted;
        if grant.allows(origin) && !public {
            let with = if grant.credentials { " with credentials" } else { "" };
            let allowed = grant.origin.as_deref().unwrap_or_default();
            return Err(Miss::new(format!("{what} allows `{allowed}`{with}"), WAY_OUT));
        }
    }
    let everybody = grants.iter().any(|grant| grant.origin.as_deref() == Some("*"));
    Ok(if everybody {
        "public: allowed to everybody, without credentials".to_owned()
    } else {
        "not allowed".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_are_tried() {
        let all = foreign(&["https://app.example.org".to_owned(), "https://localhost:5173".to_owned()]);
        for origin in [
            STRANGER,
            "null",
            "https://app.example.org.stranger.example.net",
            "https://strangerapp.example.org",
            "https://stranger.app.example.org",
            "https://appxexample.org",
            "http://app.example.org",
            "https://app.example.org:4443",
            "http://localhost:5173",
            "https://localhost:4443",
        ] {
            assert!(all.iter().any(|one| one == origin), "{origin}: {all:?}");
        }
        assert!(!foreign(&[STRANGER.to_owned()]).contains(&STRANGER.to_owned()));
    }

    #[test]
    fn everybody_is_fine_only_without_a_list_and_without_credentials() {
        let grant = |origin: &str, credentials| Grant {
            status: 200,
            origin: Some(origin.to_owned()),
            credentials,
            varies: true,
        };
        let one = |grant: Grant, unlisted| judge("https://s", &[grant, Grant::default()], unlisted).is_ok();
        assert!(one(Grant::default(), false) && one(grant("https://a", true), false) && one(grant("*", false), true));
        assert!(
            !one(grant("https://s", false), true) && !one(grant("*", false), false) && !one(grant("*", true), true)
        );
        assert!(judge("https://s", &[Grant::default(), grant("https://s", true)], false).is_err());
    }
}
