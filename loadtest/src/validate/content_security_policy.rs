//! Whether the Content-Security-Policy keeps foreign scripts from running: it exists, is enforced, says where scripts come from, and does
//! not take that back with `'unsafe-inline'` and the like. Styles are a smaller danger: inline ones are said and do not fail.

use super::finding::{Miss, Seen};
use super::{Site, Validator, site};

pub(super) static ROW: Validator = Validator {
    name: "content-security-policy",
    expects: EXPECTS,
    standard: "W3C CSP3; OWASP Content Security Policy cheat sheet",
    needs: None,
    run: |site| Box::pin(run(site)),
};

const EXPECTS: &str = "an enforced Content-Security-Policy that lets no inline, evaluated or foreign script run";
const WAY_OUT: &str = "nginx: `add_header Content-Security-Policy \"default-src 'self'; object-src 'none'; base-uri 'none'\" always;`, inline \
                       scripts in files of their own or with a nonce";
const REPORTED: &str = "it is reported only, not enforced";

async fn run(site: &Site<'_>) -> Vec<Seen> {
    let judged = |response: &crate::http::Response| {
        let reported = !site::values(response, "content-security-policy-report-only").is_empty();
        judge(&site::values(response, "content-security-policy"), reported)
    };
    site.on_pages(EXPECTS, judged).await
}

/// All policies hold at once, so that one that is strict is enough.
fn judge(values: &[String], reported: bool) -> Result<String, Miss> {
    let policies: Vec<&str> = values.iter().flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut first = None;
    for policy in policies {
        match holes(policy) {
            None => return Ok(remark(policy)),
            Some(why) => first = first.or(Some(format!("{why}: `{policy}`"))),
        }
    }
    let without = if reported { REPORTED } else { "no such header" };
    Err(Miss::new(first.unwrap_or_else(|| without.to_owned()), WAY_OUT))
}

/// The sources of the first of these directives that there is; browsers take the first of each name.
fn sources<'a>(policy: &'a str, names: &[&str]) -> Option<Vec<&'a str>> {
    names.iter().find_map(|wanted| {
        policy.split(';').find_map(|directive| {
            let mut words = directive.split_whitespace();
            words.next().filter(|name| name.eq_ignore_ascii_case(wanted)).map(|_| words.collect())
        })
    })
}

/// Why scripts of others run all the same.
fn holes(policy: &str) -> Option<String> {
    let Some(scripts) = sources(policy, &["script-src", "default-src"]) else {
        return Some("it says nothing of scripts".to_owned());
    };
    let has = |word: &str| scripts.iter().any(|source| source.eq_ignore_ascii_case(word));
    // A nonce or a hash makes browsers ignore `'unsafe-inline'`; `'strict-dynamic'` makes them ignore hosts and schemes.
    let chosen = scripts.iter().any(|source| {
        let source = source.to_ascii_lowercase();
        ["'nonce-", "'sha256-", "'sha384-", "'sha512-"].iter().any(|start| source.starts_with(start))
    });
    let dynamic = has("'strict-dynamic'");
    let mut bad: Vec<&str> = Vec::new();
    bad.extend((has("'unsafe-inline'") && !chosen && !dynamic).then_some("'unsafe-inline'"));
    bad.extend(has("'unsafe-eval'").then_some("'unsafe-eval'"));
    bad.extend(["*", "http:", "https:", "data:", "blob:"].into_iter().filter(|word| has(word) && !dynamic));
    (!bad.is_empty()).then(|| format!("scripts may come from {}", bad.join(" ")))
}

fn remark(policy: &str) -> String {
    let inline = sources(policy, &["style-src", "default-src"])
        .is_some_and(|styles| styles.iter().any(|source| source.eq_ignore_ascii_case("'unsafe-inline'")));
    if inline { format!("{policy} (inline styles are allowed)") } else { policy.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_foreign_scripts_run_is_named() {
        let said = |policies: &[&str]| {
            let policies: Vec<String> = policies.iter().map(|one| (*one).to_owned()).collect();
            judge(&policies, false).unwrap_or_else(|miss| format!("MISS {}", miss.got))
        };
        assert_eq!(said(&["default-src 'self'"]), "default-src 'self'");
        assert_eq!(said(&["script-src 'nonce-a' 'unsafe-inline'"]), "script-src 'nonce-a' 'unsafe-inline'");
        assert_eq!(
            said(&["default-src 'none'; style-src 'unsafe-inline'"]),
            "default-src 'none'; style-src 'unsafe-inline' (inline styles are allowed)"
        );
        assert_eq!(
            said(&["default-src 'self'; script-src 'self' 'unsafe-inline' *"]),
            "MISS scripts may come from 'unsafe-inline' *: `default-src 'self'; script-src 'self' 'unsafe-inline' *`"
        );
        assert_eq!(said(&["frame-ancestors 'none'"]), "MISS it says nothing of scripts: `frame-ancestors 'none'`");
        assert_eq!(said(&["frame-ancestors 'none'", "default-src 'self'"]), "default-src 'self'");
        assert_eq!(
            said(&["script-src 'strict-dynamic' 'nonce-a' https:"]),
            "script-src 'strict-dynamic' 'nonce-a' https:"
        );
        assert_eq!(said(&[]), "MISS no such header");
        assert_eq!(judge(&[], true).unwrap_err().got, REPORTED);
    }
}
