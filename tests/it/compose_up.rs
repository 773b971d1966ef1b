//! `docker/up` and `docker/staple` as a user meets them before any container: bad input, secrets, stapling. Each test works on a copy of
//! the scripts, so that nobody's settings and secrets are touched.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::program::{Finished, Running, finish_command};
use tests::repo::root;
use tests::servers::edge::{Certificate, Edge};
use tests::servers::start::{free_port, output};
use tests::skipped;

/// A copy of what the scripts need.
struct Copy(tempfile::TempDir);

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let from = root().join("docker");
        for name in ["up", "down", "staple", ".env.example", "lib", "compose.yaml"] {
            let copied = output(Command::new("cp").arg("-r").arg(from.join(name)).arg(folder.path()));
            assert!(copied.is_ok(), "{copied:?}");
        }
        Self(folder)
    }

    fn with_settings() -> Self {
        let copy = Self::new();
        std::fs::copy(copy.path(".env.example"), copy.path(".env")).expect("settings");
        copy
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, script: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Finished {
        let mut command = Command::new("bash");
        command.arg(self.path(script)).args(arguments).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.0.path());
        let project = format!("test_{}", std::process::id());
        command.env("COMPOSE_PROJECT_NAME", project).envs(variables.iter().copied());
        finish_command(&mut command)
    }
}

/// Exit code and words, the copy's folder made short.
fn refused(copy: &Copy, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let ended = copy.run("up", arguments, variables);
    let words: Vec<&str> =
        ended.stderr.lines().filter(|line| line.starts_with("error:") || line.starts_with("hint:")).collect();
    format!("{}\n{}", ended.code, words.join("\n")).replace(&copy.0.path().display().to_string(), "docker")
}

#[test]
fn what_is_wrong_with_the_input_is_said_with_the_way_out() {
    let copy = Copy::new();
    insta::assert_snapshot!(refused(&copy, &[], &[]), @r"
    2
    error: there is no .env in docker
    hint: cp docker/.env.example docker/.env and look through it
    ");
    insta::assert_snapshot!(refused(&copy, &["--monitor"], &[]), @r"
    2
    error: unknown argument `--monitor`
    hint: docker/up --help
    ");
    let copy = Copy::with_settings();
    insta::assert_snapshot!(refused(&copy, &[], &[("COMPOSE_PROJECT_NAME", "my-shop")]), @r"
    2
    error: COMPOSE_PROJECT_NAME is `my-shop`
    hint: lower-case letters, digits and _ only: it becomes a part of cgroup names
    ");
    assert!(!copy.path("secrets").exists(), "nothing is made before the input is good");
}

/// Why tests that ask the engine cannot run here.
fn no_engine() -> Option<String> {
    output(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"])).err()
}

#[test]
fn an_engine_that_does_not_run_is_said() {
    let test = "an_engine_that_does_not_run_is_said";
    if output(Command::new("docker").arg("--version")).is_err() {
        return skipped(test, "no docker client");
    }
    let ended = Copy::with_settings().run("up", &[], &[("DOCKER_HOST", "unix:///nonexistent/docker.sock")]);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(ended.stderr.contains("the Docker engine does not answer: "), "{ended:?}");
    assert!(ended.stderr.contains("hint: start it"), "{ended:?}");
}

#[test]
fn a_port_in_use_and_a_full_disk_stop_it_before_anything_is_made() {
    if let Some(why) = no_engine() {
        return skipped("a_port_in_use_and_a_full_disk_stop_it_before_anything_is_made", &why);
    }
    let copy = Copy::with_settings();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = (taken.local_addr().expect("an address").port().to_string(), taken);
    let free = free_port().to_string();
    let said = refused(&copy, &[], &[("HTTP_PORT", &free), ("HTTPS_PORT", &taken.0), ("STACK_MIN_FREE_MB", "1")]);
    let expected = format!(
        "4\nerror: port {0}, which nginx wants, is in use\nhint: free it, or set HTTPS_PORT in .env to another port",
        taken.0
    );
    assert_eq!(said, expected);
    let said = refused(&copy, &[], &[("HTTP_PORT", "eighty"), ("STACK_MIN_FREE_MB", "1")]);
    assert_eq!(said, "2\nerror: HTTP_PORT is `eighty`\nhint: a port from 1 to 65535");
    let said = refused(&copy, &[], &[("STACK_MIN_FREE_MB", "999999999")]);
    assert!(said.starts_with("4\nerror: too little disk: ") && said.contains("999999999 MB are wanted"), "{said}");
    assert!(!copy.path("secrets").exists(), "nothing is made before the input is good");
}

/// An engine with Compose v2 that only writes down what it is told; its builds take longer than a start may, and its start fails.
const ENGINE: &str = r#"#!/bin/sh
echo "$*" >>"$HOME/told"
case "$*" in
  version*) echo 28.0.0 ;;
  *" build "*) sleep 2 ;;
  *" up "*) exit 1 ;;
esac
"#;

#[test]
fn images_are_fetched_and_built_before_the_time_of_the_start_runs() {
    if output(Command::new("openssl").arg("version")).is_err() {
        return skipped("images_are_fetched_and_built_before_the_time_of_the_start_runs", "openssl is not installed");
    }
    let copy = Copy::with_settings();
    std::fs::write(copy.path("docker"), ENGINE).expect("written");
    std::fs::set_permissions(copy.path("docker"), std::fs::Permissions::from_mode(0o755)).expect("executable");
    let path = format!("{}:{}", copy.0.path().display(), std::env::var("PATH").expect("a path"));
    let ports = [free_port().to_string(), free_port().to_string()];
    let variables = [
        ("PATH", path.as_str()),
        ("HTTP_PORT", &ports[0]),
        ("HTTPS_PORT", &ports[1]),
        ("STACK_MIN_FREE_MB", "1"),
        ("STACK_DEADLINE", "1"),
    ];
    let ended = copy.run("up", &[], &variables);
    assert!(ended.code == 1 && ended.stderr.contains("could not start the stack"), "{ended:?}");
    let told = std::fs::read_to_string(copy.path("told")).expect("what it was told");
    let place = |words: &str| told.lines().position(|line| line.ends_with(words)).unwrap_or_else(|| panic!("{told}"));
    // One service for all sidecars: engines that build in parallel refuse a second image of one name.
    let (pulled, built) = (place("pull -q db redis nginx"), place("build db-sidecar backend"));
    assert!(pulled < built && built < place("up -d --remove-orphans"), "{told}");
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("there").permissions().mode() & 0o777
}

#[test]
fn secrets_are_random_kept_and_closed_to_others() {
    if output(Command::new("openssl").arg("version")).is_err() {
        return skipped("secrets_are_random_kept_and_closed_to_others", "openssl is not installed");
    }
    let copy = Copy::with_settings();
    let made = copy.run("up", &["--secrets"], &[]);
    assert_eq!(made.code, 0, "{made:?}");
    assert_eq!(mode(&copy.path("secrets")), 0o700);
    let read = |name: &str| std::fs::read_to_string(copy.path("secrets").join(name)).expect(name);
    let names =
        ["db_root_password", "db_password", "redis_password", "jwt_secret", "admin_password", "grafana_admin_password"];
    let values: std::collections::BTreeSet<String> = names.iter().map(|name| read(name)).collect();
    assert_eq!(values.len(), names.len());
    assert!(values.iter().all(|value| value.len() == 48 && !made.stderr.contains(value.as_str())));
    // Containers have users of their own: they read the file, other users of this host cannot enter the folder.
    assert_eq!(mode(&copy.path("secrets/db_password")), 0o444);
    assert_eq!(mode(&copy.path("secrets/smtp_password")), 0o644, "its owner fills it in");
    let before = (read("db_password"), read("tls.crt"));
    assert_eq!(copy.run("up", &["--secrets"], &[]).code, 0);
    assert_eq!(before, (read("db_password"), read("tls.crt")));
    std::fs::remove_file(copy.path("secrets/tls.key")).expect("removed");
    insta::assert_snapshot!(refused(&copy, &["--secrets"], &[]), @r"
    2
    error: only one of secrets/tls.crt and secrets/tls.key is there
    hint: put both, or remove both for a self-signed certificate
    ");
}

/// An authority, a certificate of it that names a responder on `port`, and that responder's files.
pub(crate) fn authority(folder: &Path, port: u16) -> Result<(), String> {
    let at = |name: &str| folder.join(name).display().to_string();
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let openssl = |arguments: &[&str]| output(Command::new("openssl").args(arguments));
    openssl(
        &[
            &["req", "-x509"][..],
            &key,
            &["-days", "30", "-subj", "/CN=ca", "-keyout", &at("ca.key"), "-out", &at("ca.pem")],
        ]
        .concat(),
    )?;
    let request = ["-subj", "/CN=localhost", "-keyout", &at("tls.key"), "-out", &at("leaf.csr")];
    openssl(&[&["req", "-new"][..], &key, &request].concat())?;
    let extensions = format!("subjectAltName=DNS:localhost\nauthorityInfoAccess=OCSP;URI:http://127.0.0.1:{port}\n");
    std::fs::write(folder.join("extensions"), extensions).map_err(|error| error.to_string())?;
    openssl(&[
        "x509",
        "-req",
        "-in",
        &at("leaf.csr"),
        "-CA",
        &at("ca.pem"),
        "-CAkey",
        &at("ca.key"),
        "-set_serial",
        "0x1001",
        "-days",
        "20",
        "-extfile",
        &at("extensions"),
        "-out",
        &at("leaf.pem"),
    ])?;
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string());
    std::fs::write(folder.join("tls.crt"), text("leaf.pem")? + &text("ca.pem")?).map_err(|error| error.to_string())?;
    let index = "V\t491231235959Z\t\t1001\tunknown\t/CN=localhost\n";
    std::fs::write(folder.join("index.txt"), index).map_err(|error| error.to_string())
}

pub(crate) fn responder(folder: &Path, port: u16) -> Running {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args([
        "ocsp",
        "-index",
        "index.txt",
        "-CA",
        "ca.pem",
        "-rsigner",
        "ca.pem",
        "-rkey",
        "ca.key",
    ]);
    command.args(["-ndays", "3", "-port", &port.to_string()]);
    let running = Running::start(&mut command);
    let _line = running.line("waiting for OCSP client connections");
    running
}

/// What a client that asks for a stapled answer is told.
fn stapled(edge: &Edge) -> String {
    let address = format!("127.0.0.1:{}", edge.https);
    let asked = finish_command(Command::new("openssl").args([
        "s_client",
        "-connect",
        &address,
        "-servername",
        "localhost",
        "-status",
    ]));
    asked
        .stdout
        .lines()
        .filter(|line| line.contains("OCSP") || line.contains("Cert Status"))
        .map(str::trim)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_answer_that_staple_fetches_is_stapled_by_the_edge() {
    let test = "the_answer_that_staple_fetches_is_stapled_by_the_edge";
    let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
    if let Err(why) = authority(folder.path(), port) {
        return skipped(test, &why);
    }
    let own = Certificate { certificate: folder.path().join("tls.crt"), key: folder.path().join("tls.key") };
    let plain = match Edge::start(&own, None) {
        Ok(edge) => edge,
        Err(why) if why.contains("is not installed") => return skipped(test, &why),
        Err(why) => panic!("{why}"),
    };
    assert!(stapled(&plain).contains("no response sent"), "{}", stapled(&plain));
    let stapling = folder.path().join("stapling");
    let (from, to) = (folder.path().display().to_string(), stapling.display().to_string());
    let variables = [("STACK_SECRETS_DIR", from.as_str()), ("STACK_STAPLING_DIR", to.as_str())];
    let copy = Copy::new();
    let unanswered = copy.run("staple", &[], &variables);
    assert_eq!(unanswered.code, 1, "{unanswered:?}");
    assert!(!stapling.join("stapling.conf").exists(), "half an answer would keep nginx from starting");
    let _responder = responder(folder.path(), port);
    let fetched = copy.run("staple", &[], &variables);
    assert_eq!(fetched.code, 0, "{fetched:?}");
    let edge = Edge::start(&own, Some(&stapling)).expect("an edge");
    let said = stapled(&edge);
    assert!(said.contains("OCSP Response Status: successful") && said.contains("Cert Status: good"), "{said}");
}
