//! What `agent probe` makes of a URL and `--set`, and plans that watch nothing.

use super::*;
use proptest::prelude::*;

/// The check as made, or the messages.
fn one(url: &str, keys: &[&str]) -> String {
    let env = Environment::from([("NAME", "h.example")]);
    let pair = |text: &&str| text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())).unwrap();
    match load_one(url, &keys.iter().map(pair).collect::<Vec<_>>(), &env) {
        Ok(check) => format!("{} {:?}", check.facts.target, check.facts.timeout),
        Err(error) => error.render(Paint::OFF),
    }
}

#[test]
fn a_set_value_may_be_a_list_or_a_mapping_and_other_text_stays_as_it_stands() {
    for set in [
        "valid_status_codes=[200, 204]",
        "valid_status_codes=200",
        "tls_config={insecure_skip_verify: true, server_name: '${NAME}'}",
        "headers={X-A: \"b: c\", X-B: d}",
        "fail_if_body_matches_regexp=.*[a-z]+: {2}",
        "fail_if_body_matches_regexp='[a-z]+'",
        "fail_if_body_matches_regexp=",
    ] {
        assert_eq!(one("http://h/", &[set]), "http://h/ 5s", "{set}");
    }
}

#[test]
fn what_is_wrong_with_a_set_value_is_told_at_its_place() {
    let all = [
        &["tiemout=2s"][..],
        &["timeout=2s", "timeout=3s"],
        &["timeout=[2s]"],
        &["tls_config={ca_fiel: x}"],
        &["valid_status_codes=[200"],
        &["fail_if_body_matches_regexp=[a-z]+"],
        &["valid_status_codes=[200, x]", "ip_protocol_fallback=maybe"],
        &["headers={X-A: '${NONE}'}"],
    ];
    let all: Vec<String> = all.iter().map(|keys| format!("{}\n{}", keys.join(" "), one("http://h/", keys))).collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    tiemout=2s
    error: unknown key `tiemout` in a check of kind `http`
      at --set tiemout
    hint: did you mean `timeout`?

    timeout=2s timeout=3s
    error: `timeout` is set twice
      at --set timeout

    timeout=[2s]
    error: expected a duration like `10s` or `1m30s`, found a list
      at --set timeout

    tls_config={ca_fiel: x}
    error: unknown key `ca_fiel`
      at --set tls_config.ca_fiel
    hint: did you mean `ca_file`? known keys: insecure_skip_verify, ca_file, cert_file, key_file, server_name, min_version, max_version

    valid_status_codes=[200
    error: not valid YAML: while parsing a flow sequence, expected ',' or ']', in column 1
      at --set valid_status_codes
    hint: a text that begins with a bracket or a quote is written in quotes of its own: `--set "KEY='[a-z]+'"`

    fail_if_body_matches_regexp=[a-z]+
    error: not valid YAML: did not find expected <document start>, in column 6
      at --set fail_if_body_matches_regexp
    hint: a text that begins with a bracket or a quote is written in quotes of its own: `--set "KEY='[a-z]+'"`

    valid_status_codes=[200, x] ip_protocol_fallback=maybe
    error: status codes are written `200`, `200-299`, `2xx` or a list of these, not `x`
      at --set valid_status_codes[1]

    error: expected `true` or `false`, found text
      at --set ip_protocol_fallback

    headers={X-A: '${NONE}'}
    error: the variable `NONE` is not set
      at --set headers.X-A
    hint: set it, or write `${NONE:-default}`
    "#);
}

fn warned(flags: &Flags, text: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = text.map(|text| {
        let path = folder.path().join("agent.yml");
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    });
    let flags = Flags { config: file.or_else(|| flags.config.clone()), ..flags.clone() };
    let loaded = load(&flags, &Environment::default(), Tables::of_program()).unwrap();
    loaded.warnings.iter().map(|warning| format!("{} at {}", warning.message, warning.path)).collect()
}

#[test]
fn a_plan_that_watches_nothing_is_worth_a_word() {
    for text in ["", "# nothing yet\n", "checks:\n", "checks: []\n", "listen: :0\npeer: {}\n"] {
        let said = warned(&Flags::default(), Some(text));
        assert_eq!(said, "nothing is watched: there is no check and no peer at checks", "{text}");
    }
    let flag = Flags { checks: vec!["db=tcp://db:1".to_owned()], ..Flags::default() };
    assert_eq!(warned(&flag, Some("")), "", "the check is a flag's");
    for text in ["host: true\n", "peer: {process: api}\n", "peer: {volumes: [/data]}\n", "peer: {cgroup: a_b}\n"] {
        assert_eq!(warned(&Flags::default(), Some(text)), "", "an agent that only reads resources is one: {text}");
    }
    let cgroup = Flags { peer_cgroup: Some("app_backend".to_owned()), ..Flags::default() };
    assert_eq!(warned(&cgroup, None), "");
}

#[test]
fn a_url_in_the_wrong_place_is_told_without_its_credentials() {
    let wrong = "http://app:CANARY/x@h:1";
    for flags in [
        Flags { listen: Some(wrong.to_owned()), ..Flags::default() },
        Flags {
            checks: vec![wrong.to_owned(), format!("{wrong}=x"), format!("//{wrong}"), "x=//CANARY@h:5/".to_owned()],
            ..Flags::default()
        },
        Flags { peer: Some("CANARY@h:5432".to_owned()), ..Flags::default() },
    ] {
        let flags = Flags { peer: flags.peer.clone().or(Some("http://h/".to_owned())), ..flags };
        let error = load(&flags, &Environment::default(), Tables::of_program()).unwrap_err().render(Paint::OFF);
        assert!(!error.to_ascii_uppercase().contains("CANARY"), "{error}");
    }
}

proptest! {
    /// The same at the level of a user: no message and no name of a target shows what stands before the last `@`.
    #[test]
    fn no_check_and_no_message_shows_credentials(
        scheme in "(postgres|mysql\\+x|rediss?|https?|tcp|tls|jdbc:mysql|gopher|sqlite|)(://|//|:)",
        user in "[a-z]{0,3}(@|/)?", before in "[0-9]{0,2}[:/?#@%&=.' {\\[]{0,4}(x=|database=)?",
        after in "[/?#@:&=%. \"`]{0,3}(x=|sslmode=|round_trip=)?", tail in "(db|db:1)?(/shop)?(\\?a=1)?",
    ) {
        let url = format!("{scheme}{user}:{before}CANARY{after}@{tail}");
        let shown = match load_one(&url, &[], &Environment::default()) {
            Ok(check) => format!("{:?}", check.facts),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.to_ascii_uppercase().contains("CANARY"), "{} gives {}", url, shown);
    }
}
