//! Whether other sites may show the target's pages inside their own.

use super::finding::{Miss, Seen};
use super::{Site, Validator, site};
use crate::http::Response;

pub(super) static ROW: Validator = Validator {
    name: "frame-options",
    expects: EXPECTS,
    standard: "RFC 7034; W3C CSP3 section 6.4.2; OWASP Clickjacking Defense cheat sheet",
    needs: None,
    run: |site| Box::pin(run(site)),
};

const EXPECTS: &str = "X-Frame-Options DENY or SAMEORIGIN, or frame-ancestors in the Content-Security-Policy";
const WAY_OUT: &str = "nginx: `add_header X-Frame-Options DENY always;`";

async fn run(site: &Site<'_>) -> Vec<Seen> {
    site.on_pages(EXPECTS, |response| judge(&options(response), ancestors(response).as_deref())).await
}

fn options(response: &Response) -> Vec<String> {
    let all = site::values(response, "x-frame-options");
    all.iter().flat_map(|value| value.split(',')).map(|one| one.trim().to_owned()).collect()
}

fn ancestors(response: &Response) -> Option<String> {
    let policies = site::values(response, "content-security-policy");
    policies.iter().flat_map(|policy| policy.split([';', ','])).find_map(|directive| {
        let (name, sources) = directive.trim().split_once(char::is_whitespace)?;
        name.eq_ignore_ascii_case("frame-ancestors").then(|| sources.trim().to_owned())
    })
}

/// Where there are `frame-ancestors`, browsers take no notice of the older header.
fn judge(options: &[String], ancestors: Option<&str>) -> Result<String, Miss> {
    if let Some(sources) = ancestors {
        let anyone = sources.split_whitespace().any(|source| matches!(source, "*" | "http:" | "https:"));
        let got = format!("frame-ancestors {sources}");
        return if anyone { Err(Miss::new(format!("`{got}`, which is anybody"), WAY_OUT)) } else { Ok(got) };
    }
    let (Some(first), rest) = (options.first(), options.get(1..).unwrap_or_default()) else {
        return Err(Miss::new("neither header", WAY_OUT));
    };
    if rest.iter().any(|other| !other.eq_ignore_ascii_case(first)) {
        return Err(Miss::new(format!("several that differ: {}", options.join(", ")), "say it once"));
    }
    if first.eq_ignore_ascii_case("deny") || first.eq_ignore_ascii_case("sameorigin") {
        Ok(first.clone())
    } else {
        Err(Miss::new(format!("`{first}`, which browsers ignore"), WAY_OUT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ancestors_go_before_options() {
        let passes = |options: &[&str], ancestors| {
            judge(&options.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>(), ancestors).is_ok()
        };
        assert!(passes(&["DENY"], None) && passes(&["sameorigin"], None) && passes(&[], Some("'none'")));
        assert!(passes(&["DENY", "deny"], None) && passes(&["ALLOWALL"], Some("'self'")));
        assert!(!passes(&[], None) && !passes(&["ALLOW-FROM https://a"], None) && !passes(&["DENY"], Some("*")));
        assert!(!passes(&["DENY", "SAMEORIGIN"], None));
    }
}
