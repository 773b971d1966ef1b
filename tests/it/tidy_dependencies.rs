//! What ships in the agent, read from cargo: one TLS provider, no C library, no second HTTP client (DESIGN decision 12).

use std::collections::BTreeSet;
use std::process::Command;
use tests::repo::root;

/// Crates that must not be in it, and why.
const UNWANTED: &[(&str, &str)] = &[
    ("aws-lc", "a second provider of cryptography: rustls then has no default one, and C comes in"),
    ("openssl", "a C library that a static image does not have"),
    ("native-tls", "the system's TLS, which a static image does not have"),
    ("reqwest", "a second HTTP client, without the phases that a check shows"),
    ("goose", "the load tester's"),
];

/// Names of the crates that the shipped agent is made of, as `tests/run` builds it.
fn shipped() -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(["tree", "-p", "agent", "-e", "normal", "--prefix", "none", "--format", "{p}"]);
    let output = command.args(["--locked", "--offline"]).output().expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn the_shipped_agent_holds_no_second_tls_and_no_second_http_client() {
    let shipped = shipped();
    for needed in ["agent", "rustls", "ring", "hyper", "sqlx"] {
        assert!(shipped.contains(needed), "`{needed}` is not in it, so this test looks at the wrong tree");
    }
    for (unwanted, why) in UNWANTED {
        let found: Vec<&String> = shipped.iter().filter(|name| name.starts_with(unwanted)).collect();
        assert!(found.is_empty(), "{found:?} would ship in the agent: {why}");
    }
}
