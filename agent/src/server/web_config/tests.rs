//! Each bad web configuration has its exact message; a full good one loads.

use super::*;
use crate::node::Key;

/// Nodes from JSON, with made-up places: the line is the depth.
fn node(json: serde_json::Value, depth: usize) -> Node {
    use serde_json::Value as Json;
    let at = Place { line: depth, column: 1 };
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => Value::Integer(number.as_i64().unwrap()),
        Json::String(text) => Value::Text(text),
        Json::Array(items) => Value::List(items.into_iter().map(|item| node(item, depth + 1)).collect()),
        Json::Object(entries) => {
            let entries = entries.into_iter().map(|(name, value)| (Key { name, at }, node(value, depth + 1)));
            Value::Map(entries.collect())
        }
    };
    Node { value, at }
}

fn messages(json: serde_json::Value) -> String {
    let loaded = load(&node(json, 1), Path::new("/nowhere"));
    let problems = loaded.config.err().expect("the configuration is refused");
    WebConfigError::Problems { file: "web.yml".into(), problems }.to_string()
}

fn tls(more: serde_json::Value) -> serde_json::Value {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let mut tls = serde_json::json!({"cert": made.cert.pem(), "key": made.signing_key.serialize_pem()});
    tls.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::json!({"tls_server_config": tls})
}

#[test]
fn a_full_file_of_an_exporter_is_good() {
    let mut json = tls(serde_json::json!({
        "client_auth_type": "NoClientCert",
        "min_version": "TLS12",
        "max_version": "TLS13",
        "cipher_suites": ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"],
        "curve_preferences": ["X25519", "CurveP384"],
        "prefer_server_cipher_suites": true,
    }));
    json["http_server_config"] = serde_json::json!({"http2": true, "headers": {
        "Content-Security-Policy": "default-src 'self'", "X-Frame-Options": "deny",
        "X-Content-Type-Options": "nosniff", "X-XSS-Protection": "1; mode=block", "Strict-Transport-Security": "max-age=1",
    }});
    json["basic_auth_users"] = serde_json::json!({"ann": bcrypt::hash("x", 4).unwrap()});
    json["rate_limit"] = serde_json::json!({"interval": "1s", "burst": 20});
    let config = load(&node(json, 1), Path::new("")).config.unwrap_or_else(|problems| panic!("{problems:?}"));
    assert!(config.tls.is_some() && config.users.is_some() && config.rate.is_some());
    assert_eq!(config.headers.len(), 5);
    assert_eq!(config.notes, ["http2 is not spoken, clients get HTTP/1.1"]);
}

#[test]
fn an_empty_file_changes_nothing() {
    for json in [serde_json::Value::Null, serde_json::json!({})] {
        let config = load(&node(json, 1), Path::new("")).config.unwrap_or_else(|problems| panic!("{problems:?}"));
        assert!(config.tls.is_none() && config.users.is_none() && config.rate.is_none() && config.headers.is_empty());
    }
}

#[test]
fn users_without_tls_are_worth_a_word() {
    let json = serde_json::json!({"basic_auth_users": {"ann": bcrypt::hash("x", 4).unwrap()}});
    let config = load(&node(json, 1), Path::new("")).config.unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(config.notes, ["there are users and no tls_server_config, so passwords cross the network in clear"]);
}

#[test]
fn an_unreadable_file_is_told_as_the_configuration_tells_it() {
    let refused = Watched::open(Path::new("/nowhere/web.yml"), crate::config::read_yaml).err().unwrap();
    insta::assert_snapshot!(refused, @"
    cannot read `/nowhere/web.yml`: No such file or directory (os error 2)
    hint: check the path, and that the file is mounted into this container
    ");
}

#[test]
fn an_unknown_key_has_its_place() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("web.yml"), "basic_auth_user:\n  ann: canary\n").unwrap();
    let refused = Watched::open(&dir.path().join("web.yml"), crate::config::read_yaml).err().unwrap().to_string();
    assert!(!refused.contains("canary"), "{refused}");
    insta::assert_snapshot!(refused.replace(dir.path().to_str().unwrap(), ""), @"
    unknown key `basic_auth_user`
      at basic_auth_user (/web.yml:1:1)
    hint: did you mean `basic_auth_users`? known keys: tls_server_config, http_server_config, basic_auth_users, rate_limit
    ");
}

#[test]
fn every_problem_is_listed_at_once() {
    let json = tls(serde_json::json!({
        "min_version": "TLS10",
        "cipher_suites": ["TLS_RSA_WITH_AES_128_CBC_SHA"],
        "curve_preferences": ["CurveP521"],
        "client_auth_type": "Sometimes",
    }));
    let mut json = json;
    json["http_server_config"] = serde_json::json!({"headers": {"Set-Cookie": "a=b", "X-Frame-Options": "allow"}});
    json["basic_auth_users"] = serde_json::json!({"ann": "canary-in-plain-text"});
    let text = messages(json);
    assert!(!text.contains("canary"), "{text}");
    insta::assert_snapshot!(text, @"
    cipher suite `TLS_RSA_WITH_AES_128_CBC_SHA` is not available
      at tls_server_config.cipher_suites (web.yml:3:1)
    hint: this agent has the ECDHE suites with AES-GCM or ChaCha20-Poly1305 and those of TLS 1.3; leave `cipher_suites` out to offer all of them

    error: curve `CurveP521` is not available
      at tls_server_config.curve_preferences (web.yml:3:1)
    hint: X25519, CurveP256 and CurveP384 are

    error: `TLS10` is not spoken
      at tls_server_config.min_version (web.yml:3:1)
    hint: TLS12 and TLS13 are; the older ones are broken

    error: unknown client_auth_type `Sometimes`
      at tls_server_config.client_auth_type (web.yml:3:1)
    hint: one of: NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert

    error: this is no bcrypt hash
      at basic_auth_users.ann (web.yml:3:1)
    hint: make one with `htpasswd -nBC 10 NAME`

    error: header `Set-Cookie` cannot be set
      at http_server_config.headers.Set-Cookie (web.yml:4:1)
    hint: these can: content-security-policy, strict-transport-security, x-content-type-options, x-frame-options, x-xss-protection

    error: `allow` is no value of X-Frame-Options
      at http_server_config.headers.X-Frame-Options (web.yml:4:1)
    hint: one of: deny, sameorigin
    ");
}

#[test]
fn certificates_and_keys_have_their_messages() {
    let json = |tls| serde_json::json!({"tls_server_config": tls});
    let all = [
        json(serde_json::json!({})),
        json(serde_json::json!({"cert_file": "gone.pem", "key": "canary"})),
        tls(serde_json::json!({"cert": "not PEM"})),
        tls(serde_json::json!({"key": "canary"})),
        tls(serde_json::json!({"cert_file": "x.pem"})),
        tls(serde_json::json!({"key": KEY_OF_ANOTHER})),
        tls(serde_json::json!({"client_ca": "x"})),
        tls(serde_json::json!({"client_auth_type": "RequireAndVerifyClientCert"})),
        tls(serde_json::json!({"client_allowed_sans": ["a"]})),
        tls(serde_json::json!({"min_version": "TLS13", "max_version": "TLS12"})),
        tls(serde_json::json!({"max_version": "SSL3"})),
    ];
    let text = all.map(messages).join("\n--\n");
    assert!(!text.contains("canary"), "{text}");
    insta::assert_snapshot!(text, @"
    neither `cert` nor `cert_file` is given
      at tls_server_config.cert (web.yml:2:1)
    hint: TLS needs a certificate and its key

    error: neither `key` nor `key_file` is given
      at tls_server_config.key (web.yml:2:1)
    hint: TLS needs a certificate and its key
    --
    cannot read `/nowhere/gone.pem`: No such file or directory (os error 2)
      at tls_server_config.cert_file (web.yml:3:1)
    hint: does it exist, and may this user read it?
    --
    there is no certificate in PEM here
      at tls_server_config.cert (web.yml:3:1)
    hint: it begins with `-----BEGIN CERTIFICATE-----`
    --
    there is no private key in PEM here
      at tls_server_config.key (web.yml:3:1)
    hint: it begins with `-----BEGIN PRIVATE KEY-----`
    --
    both `cert` and `cert_file` are given
      at tls_server_config.cert (web.yml:3:1)
    hint: keep one of them
    --
    the key does not belong to the certificate
      at tls_server_config.key (web.yml:3:1)
    hint: the chain begins with the server's own certificate
    --
    a client CA is given and no client certificate is asked for
      at tls_server_config.client_auth_type (web.yml:2:1)
    hint: set client_auth_type to RequireAndVerifyClientCert, or leave the CA out
    --
    client certificates cannot be verified without a CA
      at tls_server_config.client_auth_type (web.yml:3:1)
    hint: set client_ca_file
    --
    names are checked in verified certificates only
      at tls_server_config.client_allowed_sans (web.yml:3:1)
    hint: set client_auth_type to RequireAndVerifyClientCert
    --
    max_version is below min_version
      at tls_server_config.max_version (web.yml:3:1)
    hint: leave max_version out
    --
    `SSL3` is no TLS version
      at tls_server_config.max_version (web.yml:3:1)
    hint: TLS12 or TLS13
    ");
}

/// A throw-away key that fits no certificate.
const KEY_OF_ANOTHER: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
-----END PRIVATE KEY-----
";
