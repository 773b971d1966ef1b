//! Whether browsers are told to come back by HTTPS only, and for how long.

use super::finding::{Miss, Seen};
use super::{Site, Validator, site};

pub(super) static ROW: Validator = Validator {
    name: "hsts",
    expects: EXPECTS,
    standard: "RFC 6797; OWASP HTTP Strict Transport Security cheat sheet",
    needs: None,
    run: |site| Box::pin(run(site)),
};

const EXPECTS: &str = "Strict-Transport-Security with a max-age of a year (31536000) or more";
const YEAR: u64 = 31_536_000;
const WAY_OUT: &str = "nginx: `add_header Strict-Transport-Security \"max-age=31536000; includeSubDomains\" always;`";

async fn run(site: &Site<'_>) -> Vec<Seen> {
    if let Some(seen) = site.without_tls(EXPECTS) {
        return seen;
    }
    site.on_pages(EXPECTS, |response| judge(&site::values(response, "strict-transport-security"))).await
}

/// Browsers take the first of several headers (RFC 6797, 8.1).
fn judge(values: &[String]) -> Result<String, Miss> {
    let Some(first) = values.first() else { return Err(Miss::new("no such header", WAY_OUT)) };
    let directives = first.split(';').map(|one| one.split_once('=').unwrap_or((one, "")));
    let mut ages = directives.filter(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"));
    let age = ages.next().and_then(|(_, value)| value.trim().trim_matches('"').parse::<u64>().ok());
    match age {
        Some(age) if age >= YEAR => Ok(first.clone()),
        Some(0) => Err(Miss::new(format!("`{first}`, which tells browsers to forget it"), WAY_OUT)),
        Some(_) => Err(Miss::new(format!("`{first}`"), WAY_OUT)),
        None => Err(Miss::new(format!("`{first}`, without a max-age, which browsers ignore"), WAY_OUT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_or_more_of_the_first_header() {
        let passes = |values: &[&str]| judge(&values.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()).is_ok();
        assert!(passes(&["max-age=31536000"]) && passes(&["includeSubDomains; Max-Age=\"63072000\""]));
        for values in
            [&[][..], &["max-age=31535999"], &["max-age=0"], &["includeSubDomains"], &["max-age=1", "max-age=31536000"]]
        {
            assert!(!passes(values), "{values:?}");
        }
    }
}
