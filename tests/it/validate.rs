//! `loadtest validate` on real nginxes: on the stack's own edge, with a certificate of our own authority and a stapled answer, everything
//! passes; on a twin with everything set wrong, every validator fails.

use crate::compose_up::{authority, responder};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::program::{Finished, Running, finish};
use tests::repo::{read, root};
use tests::servers::edge::{Certificate, Edge};
use tests::servers::start::{free_port, installed, output};
use tests::{skipped, wait_for};

/// Outcomes and what came, by validator.
type Found = BTreeMap<String, Vec<(String, String)>>;

fn found(json: &Path) -> Found {
    let report: serde_json::Value = serde_json::from_str(&read(json)).expect("a report");
    let mut all = Found::new();
    for finding in report["findings"].as_array().expect("findings") {
        let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        for key in ["subject", "expected", "got", "standard"] {
            assert!(!text(key).is_empty(), "{key} is missing: {finding}");
        }
        all.entry(text("validator"))
            .or_default()
            .push((text("outcome"), format!("{}: {}", text("subject"), text("got"))));
    }
    all
}

/// The rows of the table, as the source has them.
fn rows() -> BTreeSet<String> {
    let source = read(&root().join("loadtest/src/validate/mod.rs"));
    let rows = source.lines().filter_map(|line| line.trim().strip_prefix('&')?.strip_suffix("::ROW,"));
    rows.map(|row| row.replace('_', "-")).collect()
}

fn validate(arguments: &[&str]) -> Finished {
    finish("loadtest", &[&["validate"], arguments].concat())
}

/// An authority of our own, its certificate for `localhost`, and the OCSP answer that `docker/staple` would have fetched.
fn stapled(folder: &Path) -> Result<Certificate, String> {
    let port = free_port();
    authority(folder, port)?;
    let _responder = responder(folder, port);
    let url = format!("http://127.0.0.1:{port}");
    let (ca, leaf, answer) = (folder.join("ca.pem"), folder.join("leaf.pem"), folder.join("stapling/answer.der"));
    std::fs::create_dir_all(folder.join("stapling")).map_err(|error| error.to_string())?;
    let mut asked = Command::new("openssl");
    asked.args(["ocsp", "-no_nonce", "-url", &url, "-issuer"]).arg(&ca).arg("-cert").arg(leaf);
    output(asked.arg("-CAfile").arg(&ca).arg("-respout").arg(answer))?;
    let named = "ssl_stapling on;\nssl_stapling_file /etc/nginx/stapling/answer.der;\n";
    std::fs::write(folder.join("stapling/stapling.conf"), named).map_err(|error| error.to_string())?;
    Ok(Certificate { certificate: folder.join("tls.crt"), key: folder.join("tls.key") })
}

#[test]
fn the_stacks_own_edge_passes_every_validator() {
    let test = "the_stacks_own_edge_passes_every_validator";
    let folder = tempfile::tempdir().expect("a folder");
    let started = installed("openssl").and_then(|_| stapled(folder.path()));
    let started = started.and_then(|own| Edge::start(&own, Some(&folder.path().join("stapling"))));
    let edge = match started {
        Ok(edge) => edge,
        Err(why) if why.contains("is not installed") => return skipped(test, &why),
        Err(why) => panic!("{why}"),
    };
    let (target, http) = (format!("https://localhost:{}", edge.https), format!("http://localhost:{}", edge.http));
    let (json, junit) = (folder.path().join("report.json"), folder.path().join("report.xml"));
    let plan = root().join("docker/loadtest/loadtest.yml");
    let ended = validate(&[
        "--plan",
        &plan.display().to_string(),
        "--target",
        &target,
        "--http",
        &http,
        "--cacert",
        &folder.path().join("ca.pem").display().to_string(),
        "--json",
        &json.display().to_string(),
        "--junit",
        &junit.display().to_string(),
    ]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let found = found(&json);
    assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), rows(), "a validator without a passing case");
    for (validator, findings) in &found {
        assert!(findings.iter().all(|(outcome, _)| outcome == "passed"), "{validator}: {findings:?}");
    }
    let got = |validator: &str| format!("{:?}", found[validator]);
    assert!(got("tls-versions").contains("TLS 1.2, TLS 1.3"), "{}", got("tls-versions"));
    assert!(got("ocsp-stapling").contains("stapled, good"), "{}", got("ocsp-stapling"));
    assert!(got("cookies").contains("session: Secure, HttpOnly, SameSite=Lax"), "{}", got("cookies"));
    assert!(ended.stdout.lines().last().is_some_and(|line| line.starts_with("GO: ")), "{}", ended.stdout);
    let password = "demo-user-password";
    assert!(!format!("{}{}{}", ended.stdout, ended.stderr, read(&json)).contains(password), "a password is shown");
    let cases = read(&junit).matches("<testcase ").count();
    assert_eq!(cases, found.values().map(Vec::len).sum::<usize>());
}

/// Everything as it should not be. The certificate is of an authority that nobody knows, and for another name.
const TWIN: &str = r#"
pid FOLDER/nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path FOLDER/a; proxy_temp_path FOLDER/b; fastcgi_temp_path FOLDER/c; uwsgi_temp_path FOLDER/d; scgi_temp_path FOLDER/e;
  ssl_certificate CERTS/tls.crt;
  ssl_certificate_key CERTS/tls.key;
  ssl_protocols TLSv1 TLSv1.1 TLSv1.2;
  ssl_ciphers "ALL:@SECLEVEL=0";
  limit_req_zone $binary_remote_addr zone=tight:1m rate=2r/s;
  limit_req_zone $binary_remote_addr zone=loose:1m rate=40r/s;
  map $http_origin $stranger { default $http_origin; "https://app.example.org" ""; }
  server {
    listen 127.0.0.1:PLAIN;
    location / { return 302 http://127.0.0.1:PLAIN/welcome; }
  }
  server {
    listen 127.0.0.1:SECURE ssl;
    default_type text/html;
    add_header Strict-Transport-Security "max-age=300";
    add_header Content-Security-Policy "default-src 'self'; script-src * 'unsafe-inline'";
    add_header Referrer-Policy unsafe-url;
    add_header Access-Control-Allow-Origin $stranger;
    add_header Access-Control-Allow-Credentials true;
    add_header Set-Cookie "session=canary-7f3a; Path=/";
    location / { return 200 "hello\n"; }
    location = /moved { return 302 /data; }
    location = /tight { limit_req zone=tight burst=2 nodelay; limit_req_status 429; try_files /none @hello; }
    location = /loose { limit_req zone=loose burst=10 nodelay; try_files /none @hello; }
    location @hello { return 200 "hello\n"; }
  }
}
"#;

fn twin(folder: &Path) -> Result<(Running, u16, u16), String> {
    installed("nginx").and(installed("openssl"))?;
    authority(folder, free_port())?;
    let (plain, secure) = (free_port(), free_port());
    let shown = folder.display().to_string();
    let text = TWIN.replace("FOLDER", &shown).replace("CERTS", &shown);
    let text = text.replace("PLAIN", &plain.to_string()).replace("SECURE", &secure.to_string());
    let config = folder.join("nginx.conf");
    std::fs::write(&config, text).map_err(|error| error.to_string())?;
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).args(["-e", "stderr", "-g", "daemon off; master_process off;", "-c"]).arg(config);
    let running = Running::start(&mut command);
    let answers = || std::net::TcpStream::connect(("127.0.0.1", secure)).ok();
    drop(wait_for("the twin to listen", Duration::from_secs(20), answers));
    Ok((running, plain, secure))
}

#[test]
fn a_twin_with_everything_set_wrong_fails_every_validator() {
    let test = "a_twin_with_everything_set_wrong_fails_every_validator";
    let folder = tempfile::tempdir().expect("a folder");
    let (_running, plain, secure) = match twin(folder.path()) {
        Ok(twin) => twin,
        Err(why) if why.contains("is not installed") => return skipped(test, &why),
        Err(why) => panic!("{why}"),
    };
    let json = folder.path().join("report.json");
    let plan = folder.path().join("plan.yml");
    let text = format!(
        "target: https://127.0.0.1:{secure}\nvalidate:\n  http: http://127.0.0.1:{plain}\n  certificate_days: 60\n  protected: [/data, \
         /moved]\n  cors_allow: [\"https://app.example.org\"]\n  rate_limits: [/ 10/s burst 10, /tight 10/s burst 10, /loose 10/s burst 10]\n"
    );
    std::fs::write(&plan, text).expect("a plan");
    let ended = validate(&["--plan", &plan.display().to_string(), "--json", &json.display().to_string()]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    let found = found(&json);
    assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), rows(), "a validator without a failing case");
    for (validator, findings) in &found {
        assert!(findings.iter().any(|(outcome, _)| outcome == "failed"), "{validator}: {findings:?}");
    }
    let said = |validator: &str, words: &str| {
        let findings = &found[validator];
        assert!(
            findings.iter().any(|(_, got)| got.contains(words)),
            "{validator} does not say `{words}`: {findings:?}"
        );
    };
    said("tls-versions", "TLS 1.0, TLS 1.1, TLS 1.2");
    said("certificate", "`CN=ca` is no trusted issuer");
    said("certificate", "it is for localhost");
    said("certificate", "19 days left");
    said("ocsp-stapling", "nothing stapled");
    said("https-redirect", "not HTTPS");
    said("content-security-policy", "'unsafe-inline' *");
    said("server-version", "Server: nginx/");
    said("unauthenticated-access", "/moved by nobody: status 200");
    said("cors-deny", "allows `null` with credentials");
    said("rate-limits", "/ 10/s burst 10: not enforced");
    said("rate-limits", "/tight 10/s burst 10: over-enforced");
    said("rate-limits", "/loose 10/s burst 10: under-enforced");
    let all = format!("{}{}{}", ended.stdout, ended.stderr, read(&json));
    assert!(!all.contains("canary-7f3a"), "a cookie's value is shown");
}

#[test]
fn what_is_not_configured_is_not_applicable_and_says_what_would_configure_it() {
    let test = "what_is_not_configured_is_not_applicable_and_says_what_would_configure_it";
    let nginx = match tests::servers::nginx::Nginx::start("location / { return 200 'hello'; }") {
        Ok(nginx) => nginx,
        Err(why) => return skipped(test, &why),
    };
    let names = ["tls-versions", "hsts", "cookies", "cors-allow", "unauthenticated-access", "rate-limits"];
    let only: Vec<&str> = names.iter().flat_map(|name| ["--only", name]).collect();
    let ended = validate(&[&["--target", &nginx.url], only.as_slice()].concat());
    // Nothing that was looked at passed: that proves nothing.
    assert_eq!(ended.code, 3, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stdout.matches("not applicable  ").count(), names.len(), "{}", ended.stdout);
    for words in ["--target https://", "--log-in ", "--cors-allow ", "--protected ", "--rate-limit "] {
        assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
    }
}

#[test]
fn a_target_that_is_not_there_cannot_be_told_and_wrong_input_is_said_at_once() {
    let target = format!("https://127.0.0.1:{}", free_port());
    let ended = validate(&["--target", &target, "--only", "tls-versions", "--only", "hsts"]);
    assert_eq!(ended.code, 3, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("could not tell  tls-versions") && ended.stdout.contains("connection refused"));
    let ended = validate(&["--target", "https://203.0.113.7", "--http", "http://203.0.113.8"]);
    assert_eq!(ended.code, 2);
    insta::assert_snapshot!(ended.stderr, @r"
    error: `203.0.113.7` is a public address
      at target (--target)
    hint: a load test of somebody else's service is an attack; say `--i-own-this-target` if it is yours and they know

    error: `203.0.113.8` is a public address
      at the plain address (validate.http or --http)
    hint: a load test of somebody else's service is an attack; say `--i-own-this-target` if it is yours and they know
    ");
    let ended = validate(&["--target", &target, "--only", "hst", "--rate-limit", "/ 10"]);
    assert_eq!(ended.code, 2);
    insta::assert_snapshot!(ended.stderr, @r"
    error: unknown validator `hst`
      at --only
    hint: did you mean `hsts`? validators: tls-versions, certificate, ocsp-stapling, hsts, https-redirect, frame-options, content-type-options, content-security-policy, referrer-policy, server-version, cookies, cors-allow, cors-deny, unauthenticated-access, rate-limits

    error: `/ 10` is no rate limit
      at --rate-limit
    hint: write it like `/api/v1/assets 10/s burst 10`
    ");
}
