//! The whole way from flags, environment and file to a plan, with kinds and sources made for these tests.

use super::*;
use crate::collectors::{Collected, Collector, Moment, PeerPlan, Roots};
use crate::paint::Paint;
use crate::probes::{Context, Key, Probe, Run, Target};
use crate::secret::Secret;
use crate::snapshot::Role;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

struct Quiet;

impl Probe for Quiet {
    fn run<'a>(&'a mut self, _cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(async { Ok(()) })
    }
}

impl Collector for Quiet {
    fn collect(&mut self, _at: Moment) -> Collected {
        Collected::Readings(Vec::new())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WebKeys {
    status: Vec<u16>,
    headers: BTreeMap<String, String>,
    basic_auth: Option<Login>,
}

#[derive(Deserialize)]
struct Login {
    #[serde(rename = "username")]
    _username: String,
    #[serde(rename = "password")]
    _password: Secret,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StoreKeys {
    #[serde(rename = "round_trip")]
    _round_trip: Option<bool>,
    #[serde(rename = "tables")]
    _tables: Vec<String>,
}

fn build_web(_: &Target, node: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let keys = node.read::<WebKeys>("", problems)?;
    if keys.headers.contains_key("Host") && keys.status.is_empty() && keys.basic_auth.is_none() {
        problems.add("headers", node.at, "no `Host` in this test");
        return None;
    }
    Some(Box::new(Quiet))
}

fn build_store(_: &Target, node: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    node.read::<StoreKeys>("", problems).map(|_| Box::new(Quiet) as Box<dyn Probe>)
}

const NONE: &[Key] = &[];
static WEB: Kind = Kind {
    name: "http",
    schemes: &["http", "https"],
    summary: "",
    example: "",
    keys: NONE,
    fields: crate::node::fields::<WebKeys>,
    facts: &[],
    parsers: &[],
    slow: false,
    build: build_web,
};
static STORE: Kind = Kind {
    name: "redis",
    schemes: &["redis", "postgresql"],
    summary: "",
    example: "",
    keys: NONE,
    fields: crate::node::fields::<StoreKeys>,
    facts: &[],
    parsers: &[],
    slow: false,
    build: build_store,
};
static SLOW: Kind = Kind {
    name: "tls",
    schemes: &["tls"],
    summary: "",
    example: "",
    keys: NONE,
    fields: crate::node::fields::<StoreKeys>,
    facts: &[],
    parsers: &[],
    slow: true,
    build: build_store,
};

fn build_source(_: &Roots, _: &PeerPlan) -> Box<dyn Collector> {
    Box::new(Quiet)
}

static HOST: Source =
    Source { name: "host", summary: "", default_on: false, facts: &[], parsers: &[], build: build_source };
static PROCESS: Source =
    Source { name: "process", summary: "", default_on: true, facts: &[], parsers: &[], build: build_source };
static CGROUP: Source =
    Source { name: "cgroup", summary: "", default_on: true, facts: &[], parsers: &[], build: build_source };

fn tables() -> Tables {
    static KINDS: &[&Kind] = &[&WEB, &STORE, &SLOW];
    static SOURCES: &[&Source] = &[&HOST, &CGROUP, &PROCESS];
    Tables { kinds: KINDS, sources: SOURCES }
}

/// Loads a file of this text, as `agent.yml`.
fn load_text(text: &str, flags: Flags, env: &Environment) -> Result<Loaded, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("agent.yml");
    std::fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    let flags = Flags { config: Some(path.clone()), ..flags };
    load(&flags, env, tables()).map_err(|error| error.render(Paint::OFF).replace(&path, "agent.yml"))
}

fn refusal(text: &str) -> String {
    load_text(text, Flags::default(), &Environment::default()).map(|_| ()).unwrap_err()
}

fn plan(text: &str) -> Loaded {
    load_text(text, Flags::default(), &Environment::default()).unwrap()
}

fn warnings(loaded: &Loaded) -> String {
    loaded.warnings.iter().map(|one| render_problem(one, Some("agent.yml"), "warning:", Paint::OFF)).collect()
}

#[test]
fn defaults_are_those_of_the_reference() {
    let Loaded { plan, warnings, .. } = plan(
        "checks:\n- {name: api, url: 'http://h:1/', peer: true}\n- {name: db, url: 'redis://h'}\n- {name: cert, url: 'tls://h'}\n- {name: quick, url: 'redis://h', interval: 2s}\n",
    );
    assert_eq!(warnings, []);
    assert_eq!(plan.server.listen.to_string(), "0.0.0.0:9797");
    assert_eq!((plan.collectors.as_slice(), plan.host), (["cgroup", "process"].as_slice(), false));
    let [api, db, cert, quick] = plan.checks.as_slice() else { panic!("{plan:?}") };
    assert_eq!((api.facts.role, db.facts.role), (Role::Readiness, Role::Observe));
    assert_eq!((api.facts.fail_after, api.facts.ok_after), (3, 2));
    assert_eq!((db.facts.interval, db.facts.timeout), (Duration::from_secs(10), Duration::from_secs(5)));
    assert_eq!(cert.facts.interval, Duration::from_mins(5));
    assert_eq!(quick.facts.timeout, Duration::from_secs(2), "the default timeout never exceeds the interval");
}

#[test]
fn reads_every_key_of_the_top() {
    let text = "listen: ':9000'\nhost: true\npeer: {cgroup: shop_api, process: gunicorn, volumes: [/data]}\n\
        collectors: {cgroup: off, process: no, interval: 30s}\ndiagnostics_from: [10.0.0.0/8, '::1']\nhealth_aliases: [/api/v1/health/]\nchecks:\n";
    let Loaded { plan, .. } = plan(text);
    assert_eq!(plan.server.listen.to_string(), "0.0.0.0:9000");
    assert_eq!(plan.peer.cgroup.as_deref(), Some("shop_api"));
    assert_eq!(plan.peer.process.as_deref(), Some("gunicorn"));
    assert_eq!(plan.peer.volumes, [std::path::PathBuf::from("/data")]);
    assert_eq!(plan.collectors, ["host"]);
    assert_eq!(plan.collect_interval, Duration::from_secs(30));
    assert_eq!(
        plan.server.diagnostics_from.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["10.0.0.0/8", "::1/128"]
    );
    assert_eq!(plan.server.aliases, ["/api/v1/health"]);
}

#[test]
fn starts_without_any_file() {
    let flags = Flags {
        peer: Some("http://backend:8000/health".to_owned()),
        checks: vec!["db=postgresql+asyncpg://u:p=w@h/d?a=b".to_owned()],
        ..Flags::default()
    };
    let env = Environment::from([
        ("AGENT_CHECK_DB", "redis://overruled"),
        ("AGENT_CHECK_USER_CACHE", "redis://cache"),
        ("AGENT_PEER", "http://overruled"),
        ("AGENT_LISTEN", "127.0.0.1:0"),
        ("AGENT_DIAGNOSTICS_FROM", "10.0.0.0/8, 192.168.1.5"),
        ("AGENT_PEER_CGROUP", "shop_api"),
    ]);
    let Loaded { plan, warnings, file } = load(&flags, &env, tables()).unwrap();
    assert_eq!((warnings, file), (Vec::new(), None));
    let names: Vec<_> =
        plan.checks.iter().map(|check| (check.facts.name.as_str(), check.facts.target.as_str())).collect();
    insta::assert_debug_snapshot!(names, @r#"
    [
        (
            "peer",
            "http://backend:8000/health",
        ),
        (
            "user-cache",
            "redis://cache",
        ),
        (
            "db",
            "postgresql://h/d",
        ),
    ]
    "#);
    assert!(plan.checks[0].facts.peer);
    assert_eq!(plan.server.listen.to_string(), "127.0.0.1:0");
    assert_eq!(plan.server.diagnostics_from.len(), 2);
    assert_eq!(plan.peer.cgroup.as_deref(), Some("shop_api"));
}

#[test]
fn a_flag_replaces_its_namesake_in_the_file_and_says_so() {
    let text = "checks:\n- {name: api, url: 'http://a', peer: true, interval: 1s}\n- {name: db, url: 'redis://b', interval: 1s}\n";
    let flags = Flags {
        peer: Some("http://other".to_owned()),
        checks: vec!["db=redis://other".to_owned(), "more=redis://more".to_owned()],
        ..Flags::default()
    };
    let loaded = load_text(text, flags, &Environment::default()).unwrap();
    let shown =
        loaded.plan.checks.iter().map(|c| format!("{} {} {:?}", c.facts.name, c.facts.target, c.facts.interval));
    insta::assert_debug_snapshot!(shown.collect::<Vec<_>>(), @r#"
    [
        "api http://other 10s",
        "db redis://other 10s",
        "more redis://more 10s",
    ]
    "#);
    insta::assert_snapshot!(warnings(&loaded), @r"
    warning: `checks[0]` of the file is replaced by --peer
      at checks[0] (agent.yml:2:3)
    warning: `checks[1]` of the file is replaced by --check db
      at checks[1] (agent.yml:3:3)
    ");
}

#[test]
fn the_downward_api_wins_over_the_file_in_what_the_peer_is_called() {
    let text = "peer: {container: api, pod: from-the-file, image: 'example/api:1', cgroup: shop_api}\n";
    let env = Environment::from([
        ("AGENT_PEER_POD", "shop-7d4b9c"),
        ("AGENT_PEER_NAMESPACE", "shop"),
        ("AGENT_PEER_IMAGE", ""),
    ]);
    let labels = load_text(text, Flags::default(), &env).unwrap().plan.peer.labels;
    let shown = [labels.container, labels.pod, labels.namespace, labels.image].map(Option::unwrap_or_default);
    assert_eq!(shown, ["api", "shop-7d4b9c", "shop", "example/api:1"]);
    let odd = refusal("peer: {pod: \"two\\nlines\", cgroup: x}\n");
    assert!(odd.contains("at peer.pod (agent.yml:1:"), "{odd}");
}

#[test]
fn nothing_at_all_names_the_three_ways() {
    let error = load(&Flags::default(), &Environment::default(), tables()).unwrap_err();
    insta::assert_snapshot!(error.render(Paint::OFF), @r"
    error: nothing to watch: no peer, no check and no configuration file
    hint: give one of these, or several
      a flag         agent --peer http://backend:8000/health --check db=postgres://user@db/app
      a variable     AGENT_PEER=http://backend:8000/health AGENT_CHECK_DB=postgres://user@db/app agent
      a file         agent --config agent.yml
    ");
    let only_collectors = Flags { peer_cgroup: Some("x".to_owned()), ..Flags::default() };
    assert!(load(&only_collectors, &Environment::default(), tables()).is_ok());
}

#[test]
fn every_problem_is_listed_at_once_in_the_order_of_the_file() {
    insta::assert_snapshot!(refusal(
        "listne: 1\nlisten: nowhere\nrules: [a.yml]\nchecks:\n- name: DB\n  url: redis://h\n  timeout: 1m\n- name: DB\n  \
         url: rediss//h\n  intervall: 5s\n- name: web\n  url: htpp://h\n  role: importent\n  depends_on: [dbb, web]\n- nonsense\n\
         - url: 'http://h'\n  statsu: 200\n  status: [200, ok]\n  peer: true\n- {name: x, url: 'redis://h?round_trip=maybe', peer: true, fail_after: 0}\n"
    ), @r"
    error: unknown key `listne`
      at listne (agent.yml:1:1)
    hint: did you mean `listen`? known keys: listen, peer, host, host_root, checks, collectors, diagnostics_from, health_aliases, reload, silence_file

    error: not an address to listen on: `nowhere`
      at listen (agent.yml:2:9)
    hint: write address and port, as in `0.0.0.0:9797`, `127.0.0.1:9797`, `[::]:9797` or `:9797`

    error: `rules` is not yet supported
      at rules (agent.yml:3:1)
    hint: remove it: this version would do nothing with it

    error: a name is 1 to 63 of `a-z 0-9 - _`, not `DB`
      at checks[0].name (agent.yml:5:9)

    error: the timeout 1m is longer than the interval 10 s
      at checks[0].timeout (agent.yml:7:12)

    error: two checks are called `DB`, the first is `checks[0]` in line 5
      at checks[1].name (agent.yml:8:9)
    hint: give one of them another name

    error: a name is 1 to 63 of `a-z 0-9 - _`, not `DB`
      at checks[1].name (agent.yml:8:9)

    error: not a URL, it has no scheme
      at checks[1].url (agent.yml:9:8)
    hint: write it like `http://backend:8000/health`

    error: unknown key `intervall`
      at checks[1].intervall (agent.yml:10:3)
    hint: did you mean `interval`?

    error: unknown scheme `htpp`
      at checks[2].url (agent.yml:12:8)
    hint: did you mean `http`? known schemes: http, https, redis, postgresql, tls

    error: unknown value `importent`
      at checks[2].role (agent.yml:13:9)
    hint: known values: liveness, readiness, observe

    error: the checks depend on each other in a circle: web → web
      at checks[2].depends_on (agent.yml:14:15)

    error: no check is called `dbb`
      at checks[2].depends_on[0] (agent.yml:14:16)
    hint: did you mean `DB`?

    error: expected a mapping with `name` and `url`, found text
      at checks[3] (agent.yml:15:3)
    hint: write `- name: db`, and below it `url: …`

    error: `name` is missing
      at checks[4].name (agent.yml:16:3)

    error: unknown key `statsu` in a check of kind `http`
      at checks[4].statsu (agent.yml:17:3)
    hint: did you mean `status`?

    error: expected a whole number from 0 to 65535, found text
      at checks[4].status[1] (agent.yml:18:17)

    error: expected `true` or `false`, found text
      at checks[5].round_trip (agent.yml:20:18)

    error: two checks are marked as the peer, the first is `checks[4]` in line 16
      at checks[5].peer (agent.yml:20:54)
    hint: an agent stands beside one service; run one agent for each

    error: `fail_after` is 1 to 1000
      at checks[5].fail_after (agent.yml:20:72)
    ");
}

#[test]
fn a_url_without_scheme_or_with_an_unknown_one_is_explained() {
    let mut all = String::new();
    for url in ["localhost:8000", "kafka://h", "postgres", "httpss://h", "user:hunter2@h:1"] {
        let _ = writeln!(all, "{}", refusal(&format!("checks:\n- name: a\n  url: {url}\n")));
    }
    assert!(!all.contains("hunter2"));
    insta::assert_snapshot!(all, @r"
    error: unknown scheme `localhost`
      at checks[0].url (agent.yml:3:8)
    hint: a URL begins with a scheme, as in `tcp://localhost:…`

    error: unknown scheme `kafka`
      at checks[0].url (agent.yml:3:8)
    hint: known schemes: http, https, redis, postgresql, tls

    error: not a URL, it has no scheme
      at checks[0].url (agent.yml:3:8)
    hint: write it like `http://backend:8000/health`

    error: unknown scheme `httpss`
      at checks[0].url (agent.yml:3:8)
    hint: did you mean `https`? known schemes: http, https, redis, postgresql, tls

    error: unknown scheme `user`
      at checks[0].url (agent.yml:3:8)
    hint: known schemes: http, https, redis, postgresql, tls
    ");
}

#[test]
fn sqlite_gives_a_warning_and_no_check() {
    let loaded = plan("checks:\n- {name: db, url: 'sqlite+aiosqlite:///./app.db'}\n");
    assert_eq!(loaded.plan.checks.len(), 0);
    insta::assert_snapshot!(warnings(&loaded), @r"
    warning: `sqlite:` is a file inside the application, there is nothing to probe and no check is made
      at checks[0].url (agent.yml:2:19)
    warning: nothing is watched: there is no check and no peer
      at checks (agent.yml:2:3)
    hint: add `checks:`, or give `--peer URL` or `--check NAME=URL`; for an agent that reads resources only, say which: `host: true`, or `cgroup`, `process` or `volumes` below `peer:`
    ");
}

#[test]
fn the_query_sets_the_probes_own_keys_and_the_drivers_are_ignored() {
    let loaded = plan("checks:\n- {name: a, url: 'redis://h/0?round_trip=false&sslmode=require&round_trp=1'}\n");
    insta::assert_snapshot!(warnings(&loaded), @r"
    warning: the parameter `round_trp` is ignored
      at checks[0].url?round_trp (agent.yml:2:18)
    hint: did you mean `round_trip`?
    ");
    insta::assert_snapshot!(
        refusal("checks:\n- name: a\n  url: redis://h?round_trip=false\n  round_trip: true\n- name: b\n  url: http://h?status=x\n  status: 2x\n"), @r"
    error: `round_trip` is written twice, in the URL or beside it
      at checks[0].url?round_trip (agent.yml:3:8)
    hint: keep one of them

    error: expected a whole number from 0 to 65535, found text
      at checks[1].status[0] (agent.yml:7:11)
    ");
}

#[test]
fn an_unset_variable_is_named_once_and_what_follows_from_it_is_not() {
    let env = Environment::from([("HOST", "h")]);
    let text = "listen: ${LISTEN}\nchecks:\n- name: a\n  url: ${DATABASE_URL}\n- name: b\n  url: http://${HOST}/\n  role: ${ROLE:?give the role}\n";
    insta::assert_snapshot!(load_text(text, Flags::default(), &env).map(|_| ()).unwrap_err(), @r"
    error: the variable `LISTEN` is not set
      at listen (agent.yml:1:9)
    hint: set it, or write `${LISTEN:-default}`

    error: the variable `DATABASE_URL` is not set
      at checks[0].url (agent.yml:4:8)
    hint: set it, or write `${DATABASE_URL:-default}`

    error: the variable `ROLE` is not set or empty
      at checks[1].role (agent.yml:7:9)
    hint: give the role
    ");
}

#[test]
fn a_malformed_file_shows_the_line_and_a_caret() {
    insta::assert_snapshot!(refusal("checks:\n  - name: db\n    url: redis://u:hunter2@h: 1\n"), @r"
    error: not valid YAML: mapping values are not allowed in this context
      at agent.yml:3:29
       |
     3 |     url: redis://***@h: 1
       |                       ^
    hint: quote a value that contains `: `, and check the indentation above
    ");
    insta::assert_snapshot!(refusal("checks: [\n"), @r"
    error: not valid YAML: while parsing a node, did not find expected node content
      at agent.yml:1:10
       |
     1 | checks: [
       |          ^
    ");
}

#[test]
fn an_unreadable_file_says_why() {
    let flags = |path: &str| Flags { config: Some(path.to_owned()), ..Flags::default() };
    let refused = |path: &str| load(&flags(path), &Environment::default(), tables()).unwrap_err().render(Paint::OFF);
    insta::assert_snapshot!(refused("/nowhere/agent.yml"), @r"
    error: cannot read `/nowhere/agent.yml`: No such file or directory (os error 2)
    hint: check the path, and that the file is mounted into this container
    ");
    insta::assert_snapshot!(refused("/"), @r"
    error: cannot read `/`: Is a directory (os error 21)
    hint: name a file; a volume that does not exist is mounted as a directory
    ");
}

#[test]
fn variables_one_slip_away_are_noted() {
    let env = Environment::from([
        ("AGENT_CHEK_DB", "redis://h"),
        ("AGENT_LISTN", "x"),
        ("AGENT_PORT", "tcp://10.0.0.1:9797"),
        ("AGENT_PEER", "http://h"),
    ]);
    let loaded = load(&Flags::default(), &env, tables()).unwrap();
    insta::assert_snapshot!(warnings(&loaded), @r"
    warning: the variable `AGENT_CHEK_DB` is not read
      at AGENT_CHEK_DB
    hint: did you mean `AGENT_CHECK_DB`?
    warning: the variable `AGENT_LISTN` is not read
      at AGENT_LISTN
    hint: did you mean `AGENT_LISTEN`?
    ");
}

#[test]
fn a_number_may_be_a_name_and_still_meets_its_namesake() {
    assert_eq!(plan("checks:\n- {name: 1, url: 'redis://h'}\n").plan.checks[0].facts.name, "1");
    let text =
        "checks:\n- {name: 1, url: 'redis://h'}\n- {name: 1, url: 'redis://h'}\n- {name: 1.5, url: 'redis://h'}\n";
    insta::assert_snapshot!(refusal(text), @r"
    error: two checks are called `1`, the first is `checks[0]` in line 2
      at checks[1].name (agent.yml:3:10)
    hint: give one of them another name

    error: a name is 1 to 63 of `a-z 0-9 - _`, not `1.5`
      at checks[2].name (agent.yml:4:10)
    ");
}

#[test]
fn too_many_checks_are_refused() {
    let mut text = "checks:\n".to_owned();
    (0..501).for_each(|n| writeln!(text, "- {{name: c{n}, url: 'redis://h'}}").unwrap());
    insta::assert_snapshot!(refusal(&text), @r"
    error: 501 checks are more than one agent takes, at most 500
      at checks
    ");
}

#[test]
fn the_reference_lists_the_keys_that_are_read() {
    let names = |keys: &'static [Key]| keys.iter().map(|key| key.name).collect::<Vec<_>>();
    assert_eq!(names(keys::TOP), top::fields());
    assert_eq!(names(keys::CHECK), crate::node::fields::<check::RawCheck>());
}

/// Files of `tests/configs/<which>` with their names, in order.
fn files(which: &str) -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs").join(which);
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    files.sort();
    let named = |path: &std::path::PathBuf| {
        (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap())
    };
    files.iter().map(named).collect()
}

/// Each message stands beside its file in `tests/configs/bad`; `INSTA_UPDATE=always` writes them anew.
#[test]
fn each_bad_file_has_its_exact_message() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/configs/bad"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, text) in files("bad") {
            let message = refusal(&text);
            assert!(!message.contains("hunter2"), "{message}");
            insta::assert_snapshot!(name, message);
        }
    });
}

#[test]
fn each_good_file_loads_without_a_warning() {
    for (name, text) in files("good") {
        assert_eq!(plan(&text).warnings, [], "{name}");
    }
}

/// Invariant 8: a secret in any place of a configuration, sound or not, is in no message and no debug output.
#[test]
fn a_planted_secret_appears_nowhere() {
    const CANARY: &str = "c4nary-Pa55";
    let env = Environment::from([
        ("SECRET", CANARY),
        ("DATABASE_URL", "postgresql://app:c4nary-Pa55@db/app"),
        ("AGENT_CHECK_CACHE", "redis://:c4nary-Pa55@cache/0"),
        ("AGENT_CHECK_BROKEN", "redis//:c4nary-Pa55@cache/0"),
        ("AGENT_PEER", "http://u:c4nary-Pa55@h:99999/"),
    ]);
    let texts = [
        "checks:\n- {name: a, url: 'http://u:c4nary-Pa55@h/', basic_auth: {username: u, password: c4nary-Pa55}}",
        "checks:\n- {name: a, url: 'http://u:c4nary-Pa55@h:port/', basic_auth: c4nary-Pa55}",
        "checks:\n- {name: a, url: 'redis://u:${SECRET}@h h/', role: '${SECRET}', interval: '${SECRET}'}",
        "checks:\n- {name: '${SECRET}', url: '${DATABASE_URL}', depends_on: '${SECRET}', fail_after: '${SECRET}'}",
        "checks:\n- {name: a, url: '${SECRET}', headers: '${SECRET}', status: ['${SECRET}']}",
        "checks:\n- {name: a, url: 'http://h', headers: {authorization: ['${SECRET}']}, basic_auth: {password: {a: '${SECRET}'}}}",
        "listen: '${SECRET}'\ndiagnostics_from: '${SECRET}'\nhealth_aliases: ['${SECRET}']\nhost: '${SECRET}'",
        "peer: '${SECRET}'\ncollectors: '${SECRET}'\nchecks: '${SECRET}'",
        "checks:\n- name: a\n  url: http://u:c4nary-Pa55@h: x\n",
        "checks:\n- name: a\n  password: c4nary-Pa55: x\n",
        "checks:\n- name: a\n  headers: {X-Api-Key: c4nary-Pa55, x: [}\n",
        "checks:\n- {name: a, url: '${SECRET:x}'}",
    ];
    for text in texts {
        let flags = Flags { checks: vec!["f=http://u:${SECRET}@[h/".to_owned()], ..Flags::default() };
        for (flags, env) in
            [(flags, &env), (Flags::default(), &env), (Flags::default(), &Environment::from([("SECRET", CANARY)]))]
        {
            let shown = match load_text(text, flags, env) {
                Ok(loaded) => format!("{loaded:?}"),
                Err(refusal) => refusal,
            };
            assert!(!shown.contains(CANARY), "{text}\n{shown}");
        }
    }
}
