//! Whether a request that changes something comes from a page of another site in somebody's browser. Pure.
//!
//! A browser on a trusted host, or one that remembers a password, sends a form's POST from any site (cross-site request forgery), and it
//! says so: every browser sends `Origin` with a POST, and the newer ones `Sec-Fetch-Site` too. Neither can be forged by a page. Tools
//! send neither.

use http::{HeaderMap, header};

/// Whether it is a tool's or of this same site; if not, why, for the one who asked.
pub(super) fn same_site(headers: &HeaderMap) -> Result<(), &'static str> {
    const REFUSED: &str = "the request comes from a page of another site; use curl, or a page of this address";
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    if site.is_some_and(|site| site != b"same-origin" && site != b"none") {
        return Err(REFUSED);
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let of_host = |scheme: &str| origin.strip_prefix(scheme).is_some_and(|rest| rest.eq_ignore_ascii_case(host));
    let same = !host.is_empty() && (of_host("http://") || of_host("https://"));
    if same { Ok(()) } else { Err(REFUSED) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn passes(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers.iter().map(|(k, v)| (k.parse().unwrap(), HeaderValue::from_static(v))).collect();
        same_site(&headers).is_ok()
    }

    #[test]
    fn tools_and_pages_of_this_address_pass() {
        assert!(passes(&[]) && passes(&[("host", "localhost:9797")]));
        for origin in ["http://localhost:9797", "https://LOCALHOST:9797"] {
            assert!(passes(&[("host", "localhost:9797"), ("origin", origin), ("sec-fetch-site", "same-origin")]));
        }
    }

    #[test]
    fn pages_of_other_sites_do_not() {
        let host = ("host", "localhost:9797");
        for origin in
            ["null", "", "http://evil.example", "http://localhost", "http://localhost:9797.evil.example", "file://"]
        {
            assert!(!passes(&[host, ("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site", ""] {
            assert!(!passes(&[host, ("sec-fetch-site", site)]), "{site}");
        }
        assert!(!passes(&[("origin", "http://")]), "without a host nothing is the same");
    }
}
