//! Whether pages of the origins that may read the API can.

use super::cors::{Grant, ask, path};
use super::finding::{Miss, Seen};
use super::{Site, Validator};

pub(super) static ROW: Validator = Validator {
    name: "cors-allow",
    expects: EXPECTS,
    standard: "WHATWG Fetch section 3.2; OWASP REST Security cheat sheet",
    needs: Some("cors_allow"),
    run: |site| Box::pin(run(site)),
};

const EXPECTS: &str =
    "pages of the listed origins may read: GET and preflight allow exactly that origin, and vary by it";
const NONE: &str = "no origin is listed";
const LIST: &str = "`--cors-allow https://app.example.org`, or `validate: {cors_allow: […]}` in the plan";
const WAY_OUT: &str =
    "add the origin to the server's list, and answer its OPTIONS with 204; `Vary: Origin` on every answer";

async fn run(site: &Site<'_>) -> Vec<Seen> {
    let url = site.url(&path(site));
    let mut all = Vec::new();
    for origin in &site.plan.validation.cors_allow {
        let subject = format!("{} from {origin}", url.path());
        all.push(match ask(site, &url, origin).await {
            Ok([plain, before]) => Seen::judged(&subject, EXPECTS, judge(origin, &plain, &before)),
            Err(error) => Seen::unknown(&subject, EXPECTS, error.to_string()),
        });
    }
    if all.is_empty() {
        all.push(Seen::not_applicable(url.path(), EXPECTS, NONE, LIST));
    }
    all
}

fn judge(origin: &str, plain: &Grant, before: &Grant) -> Result<String, Miss> {
    for (what, grant) in [("GET", plain), ("its preflight", before)] {
        if !grant.allows(origin) {
            let got = grant.origin.as_deref().map_or("nobody".to_owned(), |other| format!("`{other}`"));
            return Err(Miss::new(format!("{what} (status {}) allows {got}", grant.status), WAY_OUT));
        }
        // What is for everybody need not vary.
        if grant.origin.as_deref() != Some("*") && !grant.varies {
            return Err(Miss::new(
                format!("{what} is allowed without `Vary: Origin`: a cache may give it to another origin"),
                WAY_OUT,
            ));
        }
    }
    // A browser takes a preflight for failed unless its status is one of success.
    if !(200..300).contains(&before.status) {
        return Err(Miss::new(format!("the preflight ends with status {}", before.status), WAY_OUT));
    }
    let with = if plain.credentials { "with" } else { "without" };
    Ok(format!("allowed, {with} credentials; preflight {}", before.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_answers_must_allow_the_origin_and_vary() {
        let grant = |status, origin: &str| Grant {
            status,
            origin: (!origin.is_empty()).then(|| origin.to_owned()),
            credentials: true,
            varies: true,
        };
        let (good, before) = (grant(401, "https://a"), grant(204, "https://a"));
        assert_eq!(judge("https://a", &good, &before), Ok("allowed, with credentials; preflight 204".to_owned()));
        let said = |plain: &Grant, before: &Grant| judge("https://a", plain, before).unwrap_err().got;
        assert_eq!(said(&grant(200, ""), &before), "GET (status 200) allows nobody");
        assert_eq!(said(&good, &grant(403, "https://b")), "its preflight (status 403) allows `https://b`");
        assert_eq!(said(&good, &grant(405, "https://a")), "the preflight ends with status 405");
        assert!(said(&Grant { varies: false, ..good.clone() }, &before).contains("Vary: Origin"));
    }
}
