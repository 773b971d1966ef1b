//! Whether browsers must take a file for what its `Content-Type` says, and not guess.

use super::finding::{Miss, Seen};
use super::{Site, Validator, site};

pub(super) static ROW: Validator = Validator {
    name: "content-type-options",
    expects: EXPECTS,
    standard: "WHATWG Fetch section 3.6; OWASP Secure Headers Project",
    needs: None,
    run: |site| Box::pin(run(site)),
};

const EXPECTS: &str = "X-Content-Type-Options nosniff";
const WAY_OUT: &str = "nginx: `add_header X-Content-Type-Options nosniff always;`";

async fn run(site: &Site<'_>) -> Vec<Seen> {
    site.on_pages(EXPECTS, |response| judge(&site::values(response, "x-content-type-options"))).await
}

/// Only the first value counts.
fn judge(values: &[String]) -> Result<String, Miss> {
    let first = values.first().and_then(|value| value.split(',').next()).map(str::trim);
    match first {
        Some(first) if first.eq_ignore_ascii_case("nosniff") => Ok(first.to_owned()),
        Some(first) => Err(Miss::new(format!("`{first}`, which means nothing"), WAY_OUT)),
        None => Err(Miss::new("no such header", WAY_OUT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_counts() {
        let passes = |values: &[&str]| judge(&values.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()).is_ok();
        assert!(passes(&["nosniff"]) && passes(&["NoSniff, x"]));
        assert!(!passes(&[]) && !passes(&["x", "nosniff"]) && !passes(&[""]));
    }
}
