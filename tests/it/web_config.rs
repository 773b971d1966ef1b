//! `--web.config.file` on the real program: TLS that openssl's own client verifies, and users with bcrypt hashes.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tests::agent::Agent;
use tests::program::{clean, finish};
use tests::servers::installed;
use tests::servers::start::output;
use tests::skipped;

const PASSWORD: &str = "canary-web";
/// What `htpasswd -nBC 4` makes of it.
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuBK4C9fGd1VVR.ZSvjPitLHCNqB/pe92";
/// `ann:canary-web` and `ann:wrong` in base64.
const RIGHT: &str = "Authorization: Basic YW5uOmNhbmFyeS13ZWI=\r\n";
const WRONG: &str = "Authorization: Basic YW5uOndyb25n\r\n";

/// A certificate for 127.0.0.1 and its key, made by openssl.
fn certificate(folder: &Path) -> Result<PathBuf, String> {
    installed("openssl")?;
    let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    command.args(["-subj", "/CN=agent", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout"]).arg(key);
    output(command.arg("-out").arg(&certificate))?;
    Ok(certificate)
}

fn start(folder: &Path, web_config: &str) -> Agent {
    let path = folder.join("web.yml");
    std::fs::write(&path, web_config).expect("written");
    let mut command = clean("agent");
    command.args(["--listen", "127.0.0.1:0", "--peer", "tcp://127.0.0.1:1", "--web.config.file"]).arg(path);
    Agent::start_at("https://127.0.0.1", &mut command)
}

/// The whole answer as openssl's client got it over TLS, the certificate verified; an error when the handshake fails.
fn over_tls(agent: &Agent, certificate: &Path, path: &str, header: &str) -> Result<String, String> {
    let address = agent.url.trim_start_matches("https://");
    let mut command = Command::new("openssl");
    command.args(["s_client", "-quiet", "-verify_return_error", "-verify_ip", "127.0.0.1", "-connect", address]);
    command.arg("-CAfile").arg(certificate).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{header}Connection: close\r\n\r\n");
    let sent = child.stdin.as_mut().map(|stdin| stdin.write_all(request.as_bytes()));
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    if answer.is_empty() { Err(format!("{sent:?} {}", String::from_utf8_lossy(&output.stderr))) } else { Ok(answer) }
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[test]
fn over_tls_users_see_every_page_and_strangers_the_health_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    let certificate = match certificate(folder.path()) {
        Ok(certificate) => certificate,
        Err(why) => return skipped("over_tls_users_see_every_page_and_strangers_the_health_pages", &why),
    };
    let agent = start(
        folder.path(),
        &format!(
            "tls_server_config: {{cert_file: server.pem, key_file: server.key}}\nbasic_auth_users: {{ann: {HASH}}}\n"
        ),
    );
    let ask = |path: &str, header: &str| over_tls(&agent, &certificate, path, header).expect("an answer");
    for path in ["/live", "/-/healthy"] {
        assert_eq!(status(&ask(path, "")), "200", "{path} needs no password");
    }
    for path in ["/metrics", "/", "/health", "/diagnostics", "/config"] {
        for header in ["", WRONG] {
            let answer = ask(path, header);
            assert_eq!(status(&answer), "401", "{path} {header}");
            assert!(answer.to_ascii_lowercase().contains("\r\nwww-authenticate: basic realm="), "{answer}");
        }
        let answer = ask(path, RIGHT);
        assert!(["200", "503"].contains(&status(&answer)), "{path}: {answer}");
        assert!(!answer.contains(PASSWORD) && !answer.contains(HASH), "{path}");
    }
    assert!(ask("/metrics", RIGHT).contains("sidecar_build_info{"), "the page itself");
    assert!(!agent.running.said().contains(PASSWORD) && !agent.running.said().contains("YW5u"), "the log");
}

#[test]
fn with_tls_nothing_is_told_in_clear_or_to_who_trusts_another_authority() {
    let (folder, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("another"));
    let made = certificate(folder.path()).and_then(|own| Ok((own, certificate(other.path())?)));
    let (own, strange) = match made {
        Ok(made) => made,
        Err(why) => return skipped("with_tls_nothing_is_told_in_clear_or_to_who_trusts_another_authority", &why),
    };
    let agent = start(folder.path(), "tls_server_config: {cert_file: server.pem, key_file: server.key}\n");
    assert_eq!(over_tls(&agent, &own, "/metrics", "").as_deref().map(status), Ok("200"));
    let refused = over_tls(&agent, &strange, "/metrics", "");
    assert!(refused.as_ref().is_err_and(|why| why.contains("verify")), "{refused:?}");
    let clear = tests::http::get(&agent.url.replace("https:", "http:"));
    assert!(clear.is_err(), "{clear:?}");
    let check = |name: &str, more: &str| {
        format!("  - {{name: {name}, url: \"{}/live\", interval: 1s, timeout: 1s, fail_after: 2{more}}}\n", agent.url)
    };
    let trusting = check("trusting", &format!(", tls_config: {{ca_file: \"{}\"}}", own.display()));
    let watching = Agent::with_config(other.path(), &format!("checks:\n{trusting}{}", check("doubting", "")));
    watching.wait_sample("sidecar_check_up{check=\"trusting\"}", 1.0);
    watching.wait_sample("sidecar_check_up{check=\"doubting\"}", 0.0);
    let fault = &watching.page("/diagnostics").json()["services"]["doubting"]["last"]["fault"];
    assert_eq!(fault["reason"], "certificate", "{fault}");
}

#[test]
fn a_password_in_clear_is_refused_without_being_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("web.yml");
    std::fs::write(&path, format!("basic_auth_users: {{ann: {PASSWORD}}}\n")).expect("written");
    let ended = finish("agent", &["--peer", "tcp://127.0.0.1:1", "--web.config.file", &path.to_string_lossy()]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("no bcrypt hash") && !ended.stderr.contains(PASSWORD), "{}", ended.stderr);
}
