//! Bad input: for each mistake the whole message and the exit code, as a user sees them. Nothing has been started then.

use std::net::TcpListener;
use std::process::Command;
use tests::program::{Finished, binary, finish_command};

/// Runs a program in a folder with one file in it; what it said and how it ended. One that starts after all is ended with 124.
fn beside(file: &str, text: &str, program: &str, arguments: &[&str]) -> Finished {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(file), text).expect("written");
    let mut command = Command::new("timeout");
    command.arg("20").arg(binary(program)).args(arguments).current_dir(folder.path());
    finish_command(command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()))
}

/// Exit code and message; standard output belongs to data and must be empty.
fn told(ended: &Finished) -> String {
    assert_eq!(ended.stdout, "", "{}", ended.stderr);
    format!("exit {}\n{}", ended.code, ended.stderr)
}

/// What `agent run` says of a configuration file.
fn of_config(text: &str) -> String {
    told(&beside("agent.yml", text, "agent", &["run", "--config", "agent.yml", "--listen", "127.0.0.1:0"]))
}

/// What `agent run` says of a web configuration.
fn of_web_config(text: &str) -> String {
    let flags = ["--web.config.file", "web.yml", "--peer", "http://127.0.0.1:1/", "--listen", "127.0.0.1:0"];
    told(&beside("web.yml", text, "agent", &flags))
}

/// What the agent says of these arguments.
fn of_arguments(arguments: &[&str]) -> String {
    told(&beside("empty", "", "agent", arguments))
}

#[test]
fn an_unknown_key() {
    insta::assert_snapshot!(of_config("checks:\n  - name: api\n    url: http://127.0.0.1:1/\n    intervall: 5s\n"), @"
    exit 2
    error: unknown key `intervall` in a check of kind `http`
      at checks[0].intervall (agent.yml:4:5)
    hint: did you mean `interval`?
    ");
    insta::assert_snapshot!(of_config("chekcs:\n  - name: api\n    url: http://127.0.0.1:1/\n"), @"
    exit 2
    error: unknown key `chekcs`
      at chekcs (agent.yml:1:1)
    hint: did you mean `checks`? known keys: listen, peer, host, host_root, checks, collectors, diagnostics_from, health_aliases, reload, silence_file
    ");
}

#[test]
fn a_wrong_type() {
    let text = "checks:\n  - name: api\n    url: http://127.0.0.1:1/\n    fail_after: often\n    interval: [1s]\n";
    insta::assert_snapshot!(of_config(text), @"
    exit 2
    error: expected a whole number, 0 or more, found text
      at checks[0].fail_after (agent.yml:4:17)

    error: expected a duration like `10s` or `1m30s`, found a list
      at checks[0].interval (agent.yml:5:15)
    ");
    insta::assert_snapshot!(of_config("checks: api\n"), @"
    exit 2
    error: expected a list, found text
      at checks (agent.yml:1:9)
    hint: each check is an item: `- name: db`, below it `url: …`
    ");
    insta::assert_snapshot!(of_config("peer: http://127.0.0.1:1/\n"), @"
    exit 2
    error: `peer` at the top is a mapping that says where the peer's resources are, found text
      at peer (agent.yml:1:7)
    hint: the peer's URL belongs to a check with `peer: true`; the keys here are cgroup, process, memory_limit, cpu_limit, volumes, container, pod, namespace, image
    ");
}

#[test]
fn a_duplicate_name() {
    let text = "checks:\n  - {name: api, url: \"http://127.0.0.1:1/\"}\n  - {name: api, url: \"tcp://127.0.0.1:2\"}\n";
    insta::assert_snapshot!(of_config(text), @"
    exit 2
    error: two checks are called `api`, the first is `checks[0]` in line 2
      at checks[1].name (agent.yml:3:12)
    hint: give one of them another name
    ");
    insta::assert_snapshot!(of_config("checks:\n  - name: api\n    name: web\n    url: http://127.0.0.1:1/\n"), @"
    exit 2
    error: the key `name` stands here a second time, first in line 2
      at agent.yml:3:5
       |
     3 |     name: web
       |     ^
    hint: keep one of them
    ");
}

#[test]
fn an_unknown_scheme() {
    insta::assert_snapshot!(of_config("checks:\n  - name: api\n    url: htpp://127.0.0.1:1/\n"), @"
    exit 2
    error: unknown scheme `htpp`
      at checks[0].url (agent.yml:3:10)
    hint: did you mean `http`? known schemes: http, https, tcp, tls, redis, rediss, valkey, valkeys, postgres, postgresql, mysql, mariadb, nginx, metrics, metricss, file, dns, unix, smtp, icmp, ws, wss, grpc, grpcs, prometheus, alertmanager, grafana, logstash, chroma, openai, mcp, cert
    ");
    insta::assert_snapshot!(of_arguments(&["--check", "mail=gopher://127.0.0.1"]), @"
    exit 2
    error: unknown scheme `gopher`
      at --check mail
    hint: known schemes: http, https, tcp, tls, redis, rediss, valkey, valkeys, postgres, postgresql, mysql, mariadb, nginx, metrics, metricss, file, dns, unix, smtp, icmp, ws, wss, grpc, grpcs, prometheus, alertmanager, grafana, logstash, chroma, openai, mcp, cert
    ");
    insta::assert_snapshot!(of_arguments(&["--check", "127.0.0.1:80"]), @"
    exit 2
    error: a check needs a name
      at --check
    hint: write `--check NAME=URL`, as in `--check db=postgres://…`
    ");
}

#[test]
fn an_unreadable_file() {
    insta::assert_snapshot!(of_arguments(&["--config", "nowhere.yml"]), @"
    exit 2
    error: cannot read `nowhere.yml`: No such file or directory (os error 2)
    hint: check the path, and that the file is mounted into this container
    ");
    insta::assert_snapshot!(of_arguments(&["--config", "."]), @"
    exit 2
    error: cannot read `.`: Is a directory (os error 21)
    hint: name a file; a volume that does not exist is mounted as a directory
    ");
    insta::assert_snapshot!(of_arguments(&["--peer", "http://127.0.0.1:1/", "--web.config.file", "nowhere.yml"]), @"
    exit 2
    error: cannot read `nowhere.yml`: No such file or directory (os error 2)
    hint: check the path, and that the file is mounted into this container
    ");
}

#[test]
fn malformed_yaml() {
    insta::assert_snapshot!(of_config("checks:\n  - name: api\n    url: \"http://127.0.0.1:1/\n    interval: 5s\n"), @r#"
    exit 2
    error: not valid YAML: invalid indentation in quoted scalar
      at agent.yml:3:10
       |
     3 |     url: "http://127.0.0.1:1/
       |          ^
    "#);
    insta::assert_snapshot!(of_config("checks:\n  - name: api\n   url: http://127.0.0.1:1/\n"), @"
    exit 2
    error: not valid YAML: while parsing a block collection, did not find expected '-' indicator
      at agent.yml:3:4
       |
     3 |    url: http://127.0.0.1:1/
       |    ^
    ");
    insta::assert_snapshot!(of_config("checks:\n  - {name: api, url: http://127.0.0.1:1/\n"), @"
    exit 2
    error: not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'
      at agent.yml:2:41
       |
     2 |   - {name: api, url: http://127.0.0.1:1/
       |                                         ^
    ");
}

#[test]
fn values_that_make_no_sense_are_told_all_at_once() {
    let text = "checks:\n  - {name: api, url: \"http://127.0.0.1:1/\", depends_on: [dbx]}\n  - {name: db, url: \"tcp://127.0.0.1:2\", interval: 50ms, timeout: 10s}\n";
    insta::assert_snapshot!(of_config(text), @"
    exit 2
    error: no check is called `dbx`
      at checks[0].depends_on[0] (agent.yml:2:58)
    hint: did you mean `db`?

    error: an interval lies between 100 ms and 7d, not `50 ms`
      at checks[1].interval (agent.yml:3:52)

    error: the timeout 10 s is longer than the interval 50 ms
      at checks[1].timeout (agent.yml:3:67)
    ");
}

#[test]
fn a_variable_that_is_not_set() {
    insta::assert_snapshot!(of_config("checks:\n  - name: db\n    url: ${DATABASE_URL}\n"), @"
    exit 2
    error: the variable `DATABASE_URL` is not set
      at checks[0].url (agent.yml:3:10)
    hint: set it, or write `${DATABASE_URL:-default}`
    ");
}

#[test]
fn a_bad_url_with_a_password() {
    const CANARY: &str = "c4nary-Pa55word";
    let url = format!("postgres://app:{CANARY}@db:port/shop");
    let in_file = of_config(&format!("checks:\n  - name: db\n    url: {url}\n"));
    insta::assert_snapshot!(in_file, @"
    exit 2
    error: the port of the URL is not a number from 1 to 65535
      at checks[0].url (agent.yml:3:10)
    hint: if it is part of a password, percent-encode the password: `@` is `%40`, `:` is `%3A`, `/` is `%2F`, `?` is `%3F`, `#` is `%23`, `%` is `%25`
    ");
    let in_flag = of_arguments(&["--check", &format!("db={url}")]);
    insta::assert_snapshot!(in_flag, @"
    exit 2
    error: the port of the URL is not a number from 1 to 65535
      at --check db
    hint: if it is part of a password, percent-encode the password: `@` is `%40`, `:` is `%3A`, `/` is `%2F`, `?` is `%3F`, `#` is `%23`, `%` is `%25`
    ");
    let probed = of_arguments(&["probe", &url]);
    insta::assert_snapshot!(probed, @"
    exit 2
    error: the port of the URL is not a number from 1 to 65535
      at url
    hint: if it is part of a password, percent-encode the password: `@` is `%40`, `:` is `%3A`, `/` is `%2F`, `?` is `%3F`, `#` is `%23`, `%` is `%25`
    ");
    let misplaced = of_arguments(&["prob", &url]);
    let malformed = of_config(&format!("checks:\n  - name: db\n    url: postgres://app:{CANARY}@db/shop: x\n"));
    insta::assert_snapshot!(malformed, @"
    exit 2
    error: not valid YAML: mapping values are not allowed in this context
      at agent.yml:3:48
       |
     3 |     url: postgres://***@db/shop: x
       |                                ^
    hint: quote a value that contains `: `, and check the indentation above
    ");
    for said in [in_file, in_flag, probed, misplaced, malformed] {
        assert!(!said.contains(CANARY), "{said}");
    }
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let said = of_arguments(&["--peer", "http://127.0.0.1:1/", "--listen", &address]);
    insta::assert_snapshot!(said.replace(&address, "ADDRESS"), @"
    exit 4
    error: cannot listen on `ADDRESS`: Address already in use (os error 98)
    hint: another process has this port, choose another one with `--listen`
    ");
    insta::assert_snapshot!(of_arguments(&["--peer", "http://127.0.0.1:1/", "--listen", "203.0.113.99:9797"]), @"
    exit 4
    error: cannot listen on `203.0.113.99:9797`: Cannot assign requested address (os error 99)
    hint: the address must be one of this machine, `0.0.0.0` stands for all of them
    ");
    insta::assert_snapshot!(of_arguments(&["--peer", "http://127.0.0.1:1/", "--listen", "nine"]), @"
    exit 2
    error: not an address to listen on: `nine`
      at --listen
    hint: write address and port, as in `0.0.0.0:9797`, `127.0.0.1:9797`, `[::]:9797` or `:9797`
    ");
}

#[test]
fn nothing_given_at_all() {
    insta::assert_snapshot!(of_arguments(&[]), @"
    exit 2
    error: nothing to watch: no peer, no check and no configuration file
    hint: give one of these, or several
      a flag         agent --peer http://backend:8000/health --check db=postgres://user@db/app
      a variable     AGENT_PEER=http://backend:8000/health AGENT_CHECK_DB=postgres://user@db/app agent
      a file         agent --config agent.yml
    ");
    assert_eq!(of_arguments(&["run"]), of_arguments(&[]));
    assert_eq!(of_arguments(&["check"]), of_arguments(&[]));
}

#[test]
fn an_unknown_flag_or_command() {
    insta::assert_snapshot!(of_arguments(&["--lissten", "127.0.0.1:0"]), @"
    exit 2
    error: unexpected argument '--lissten' found

      tip: a similar argument exists: '--listen'

    Usage: agent --listen <ADDR>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(of_arguments(&["prob", "tcp://127.0.0.1:1"]), @"
    exit 2
    error: unrecognized subcommand 'prob'

      tip: a similar subcommand exists: 'probe'

    Usage: agent [OPTIONS]
           agent <COMMAND>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(of_arguments(&["--peer", "tcp://127.0.0.1:1", "--log.level", "loud"]), @"
    exit 2
    error: invalid value 'loud' for '--log.level <LEVEL>': unknown level `loud`, known levels: error, warn, info, debug, trace

    For more information, try '--help'.
    ");
}

#[test]
fn a_bad_key_of_a_probe() {
    insta::assert_snapshot!(of_arguments(&["probe", "tcp://127.0.0.1:1", "--set", "tiemout=2s"]), @"
    exit 2
    error: unknown key `tiemout` in a check of kind `tcp`
      at --set tiemout
    hint: did you mean `timeout`?
    ");
    insta::assert_snapshot!(of_arguments(&["probe", "tcp://127.0.0.1:1", "--set", "timeout=fast"]), @"
    exit 2
    error: `fast` is not a duration, write it like `250ms`, `10s`, `1m30s` or `26h`
      at --set timeout
    ");
    insta::assert_snapshot!(of_arguments(&["probe", "http://127.0.0.1:1", "--set", "tls_config={ca_fiel: x}"]), @"
    exit 2
    error: unknown key `ca_fiel`
      at --set tls_config.ca_fiel
    hint: did you mean `ca_file`? known keys: insecure_skip_verify, ca_file, cert_file, key_file, server_name, min_version, max_version
    ");
    insta::assert_snapshot!(of_arguments(&["probe", "tcp://127.0.0.1:1", "--set", "timeout"]), @"
    exit 2
    error: invalid value 'timeout' for '--set <KEY=VALUE>': write it as KEY=VALUE

    For more information, try '--help'.
    ");
}

#[test]
fn a_file_that_watches_nothing_is_good_and_worth_a_word() {
    let checked = beside("agent.yml", "listen: 127.0.0.1:0\n", "agent", &["check", "--config", "agent.yml"]);
    assert_eq!((checked.code, checked.stdout.as_str()), (0, "agent.yml: ok, 0 checks\n"));
    insta::assert_snapshot!(checked.stderr, @"
    warning: nothing is watched: there is no check and no peer
      at checks
    hint: add `checks:`, or give `--peer URL` or `--check NAME=URL`; for an agent that reads resources only, say which: `host: true`, or `cgroup`, `process` or `volumes` below `peer:`
    ");
}

#[test]
fn a_bad_web_configuration() {
    insta::assert_snapshot!(of_web_config("basic_auth_user: {ann: x}\n"), @"
    exit 2
    error: unknown key `basic_auth_user`
      at basic_auth_user (web.yml:1:1)
    hint: did you mean `basic_auth_users`? known keys: tls_server_config, http_server_config, basic_auth_users, rate_limit
    ");
    insta::assert_snapshot!(of_web_config("tls_server_config: {cert_file: no.pem, key_file: no.key}\n"), @"
    exit 2
    error: cannot read `no.pem`: No such file or directory (os error 2)
      at tls_server_config.cert_file (web.yml:1:32)
    hint: does it exist, and may this user read it?

    error: cannot read `no.key`: No such file or directory (os error 2)
      at tls_server_config.key_file (web.yml:1:50)
    hint: does it exist, and may this user read it?
    ");
    insta::assert_snapshot!(of_web_config("tls_server_config: {cert_file\n"), @"
    exit 2
    error: not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'
      at web.yml:1:30
       |
     1 | tls_server_config: {cert_file
       |                              ^
    ");
    let clear = of_web_config("basic_auth_users:\n  ann: c4nary-web\n");
    insta::assert_snapshot!(clear, @"
    exit 2
    error: this is no bcrypt hash
      at basic_auth_users.ann (web.yml:2:8)
    hint: make one with `htpasswd -nBC 10 NAME`
    ");
    let malformed = of_web_config("basic_auth_users:\n  ann: \"c4nary-web\n");
    insta::assert_snapshot!(malformed, @"
    exit 2
    error: not valid YAML: while scanning a quoted scalar, found unexpected end of stream
      at web.yml:2:8
       |
     2 |   ann: ***
       |        ^
    ");
    assert!(!clear.contains("c4nary") && !malformed.contains("c4nary"));
}

#[test]
fn a_broken_line_of_a_journey() {
    let text = "GET http://127.0.0.1:1/\nHTTP 200\n[Asserts]\nstatus = 200\n";
    insta::assert_snapshot!(told(&beside("home.hurl", text, "loadtest", &["smoke", "home.hurl"])), @"
    exit 2
    error: expected a predicate such as `==`, `contains` or `exists`
      at home.hurl:4:8
      4 | status = 200
        |        ^
    ");
    let text = "GET http://127.0.0.1:1/\nHTTP 200\n[Asserts]\nxpath \"//h1\" exists\n";
    insta::assert_snapshot!(told(&beside("home.hurl", text, "loadtest", &["smoke", "home.hurl"])), @r#"
    exit 2
    error: the query `xpath` is not supported
      at home.hurl:4:1
      4 | xpath "//h1" exists
        | ^^^^^^^^^^^^
    hint: ask for JSON and use `jsonpath`, or look for a text with `regex` or `contains`
    "#);
}

#[test]
fn an_unknown_target_expression() {
    let of_target = |target: &str| {
        told(&beside("empty", "", "loadtest", &["--target", "http://127.0.0.1:1", "--dry-run", "--require", target]))
    };
    insta::assert_snapshot!(of_target("api p96 < 2s"), @"
    exit 2
    error: unknown indicator `p96`
      at --require
       | api p96 < 2s
       |     ^^^
    hint: did you mean `p95`? indicators: p50, p90, p95, p99, max, errors, throughput, recovery
    ");
    insta::assert_snapshot!(of_target("p95 < fast"), @"
    exit 2
    error: `fast` is not a limit for `p95`
      at --require
       | p95 < fast
       |       ^^^^
    hint: write it like `300ms` or `2s`
    ");
}

#[test]
fn an_unknown_key_of_a_plan() {
    let text = "target: http://127.0.0.1:1\nusrs: 5\n";
    insta::assert_snapshot!(told(&beside("loadtest.yml", text, "loadtest", &["--dry-run"])), @"
    exit 2
    error: unknown key `usrs`
      at loadtest.yml:2:1
      2 | usrs: 5
        | ^^^^
    hint: did you mean `users`? known keys: target, users, run_time, ramp, rate, arrivals, profile, stages, think, requests, max_errors, http2, variables, headers, data, journeys, setup, teardown, groups, agents, calm, targets, abort_after, validate
    ");
}

#[test]
fn a_bad_target_with_a_password() {
    let said = told(&beside("empty", "", "loadtest", &["--target", "http://app:c4nary@127.0.0.1:port/", "--dry-run"]));
    insta::assert_snapshot!(said, @"
    exit 2
    error: `http://***@127.0.0.1:port/` is not a target: it is no URL
      at --target
    hint: write it like `http://127.0.0.1:8000`
    ");
}

#[test]
fn more_users_than_file_descriptors() {
    let mut command = Command::new("prlimit");
    command.args(["--nofile=64:64", "timeout", "20"]).arg(binary("loadtest"));
    command.args(["--target", "http://127.0.0.1:1", "--users", "200"]).current_dir("/");
    let ended = finish_command(command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()));
    insta::assert_snapshot!(told(&ended), @"
    exit 2
    error: 200 users at once need 264 file descriptors, and this process may open 64
      at users (--users)
    hint: raise the limit (`ulimit -n 264`, or `ulimits: {nofile: 264}` in a compose file), or use fewer users
    ");
}
