//! What other sites learn of the page that their visitor came from. Without the header browsers keep the path to themselves, so that only
//! a policy that gives it away is a miss.

use super::finding::{Miss, Seen};
use super::{Site, Validator, site};

pub(super) static ROW: Validator = Validator {
    name: "referrer-policy",
    expects: EXPECTS,
    standard: "W3C Referrer Policy section 3; OWASP Secure Headers Project",
    needs: None,
    run: |site| Box::pin(run(site)),
};

const EXPECTS: &str = "a Referrer-Policy that tells other sites no paths, or none (browsers then tell the origin only)";
const WAY_OUT: &str = "nginx: `add_header Referrer-Policy strict-origin-when-cross-origin always;`";
const CLOSE: &[&str] = &[
    "no-referrer",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
];
const LEAKY: &[&str] = &["unsafe-url", "no-referrer-when-downgrade"];

async fn run(site: &Site<'_>) -> Vec<Seen> {
    site.on_pages(EXPECTS, |response| judge(&site::values(response, "referrer-policy"))).await
}

/// The last policy that a browser knows counts (W3C Referrer Policy, 8.1).
fn judge(values: &[String]) -> Result<String, Miss> {
    let words = values.iter().flat_map(|value| value.split(',')).map(|word| word.trim().to_ascii_lowercase());
    let known = words.filter(|word| [CLOSE, LEAKY].concat().contains(&word.as_str())).reduce(|_, later| later);
    match (known, values.first()) {
        (Some(policy), _) if LEAKY.contains(&policy.as_str()) => {
            Err(Miss::new(format!("`{policy}`: other sites learn the whole URL, with what is in its query"), WAY_OUT))
        }
        (Some(policy), _) => Ok(policy),
        (None, None) => Ok("no such header; browsers take strict-origin-when-cross-origin".to_owned()),
        (None, Some(other)) => Err(Miss::new(format!("`{other}`, which browsers do not know"), WAY_OUT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_known_policy_counts() {
        let passes = |values: &[&str]| judge(&values.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()).is_ok();
        assert!(passes(&[]) && passes(&["unsafe-url, strict-origin"]) && passes(&["no-referrer", "x"]));
        assert!(!passes(&["no-referrer, unsafe-url"]) && !passes(&["x"]) && !passes(&["no-referrer-when-downgrade"]));
    }
}
