//! `agent check --compose`: good files yield nothing, each mistake of a bad file is found on its line and nothing else is, and what
//! cannot be read is told with its place.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::program::{Finished, binary, finish_command};
use tests::repo::{files, read, root, shown};

/// Runs the check in a folder, with an environment of its own.
fn check_in(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
    let mut command = Command::new(binary("agent"));
    command.arg("check").args(arguments).current_dir(folder).env_clear().envs(environment.iter().copied());
    finish_command(&mut command)
}

/// Line, rule of each finding, in order.
fn findings(ended: &Finished) -> Vec<(u64, String)> {
    let page: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|why| panic!("{why}: {}", ended.stdout));
    let one = |finding: &Value| {
        (finding["line"].as_u64().expect("a line"), finding["rule"].as_str().expect("a rule").to_owned())
    };
    let mut all: Vec<_> = page["findings"].as_array().expect("findings").iter().map(one).collect();
    all.sort();
    all
}

fn of_kind(kind: &str) -> Vec<PathBuf> {
    files(&format!("tests/preflight/compose/{kind}"), ".yaml")
}

#[test]
fn good_files_yield_nothing() {
    let good = of_kind("good");
    assert!(good.len() >= 20, "{} good files", good.len());
    for path in good {
        let name = shown(&path);
        let ended = check_in(&root(), &["--compose", &name], &[("DB_PASSWORD", "x"), ("BROKER_PASSWORD", "x")]);
        assert_eq!(ended.code, 0, "{}", ended.stdout);
        assert!(ended.stdout.contains(": ok, "), "{}", ended.stdout);
    }
}

#[test]
fn every_mistake_of_a_bad_file_is_found_on_its_line_and_nothing_else() {
    for path in of_kind("bad") {
        let text = read(&path);
        let expected =
            text.lines().enumerate().filter_map(|(index, line)| Some((index, line.split_once("# finds: ")?.1)));
        let mut expected: Vec<(u64, String)> = expected
            .flat_map(|(index, rules)| rules.split(',').map(move |rule| (index as u64 + 1, rule.trim().to_owned())))
            .collect();
        expected.sort();
        let ended =
            check_in(path.parent().expect("a folder"), &["--compose", &file_name(&path), "--format", "json"], &[]);
        assert_eq!(findings(&ended), expected, "{}", shown(&path));
        assert!(!ended.stdout.contains("hunter2"), "a secret is shown: {}", ended.stdout);
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn every_rule_is_broken_by_a_bad_file() {
    let all: String = of_kind("bad").iter().map(|path| read(path)).collect();
    let rows: String = files("agent/src/preflight/compose/rules", ".rs").iter().map(|path| read(path)).collect();
    let rules = rows.split('"').filter(|word| word.starts_with("compose-") && !word.contains([' ', '{']));
    assert!(rules.clone().count() > 30, "the rows are read");
    let elsewhere = ["compose-variable-required"];
    let untried: Vec<&str> = rules.filter(|rule| !all.contains(rule) && !elsewhere.contains(rule)).collect();
    assert!(untried.is_empty(), "no bad file breaks {untried:?}");
}

#[test]
fn our_own_stack_is_clean() {
    let docker = root().join("docker");
    for over in ["compose.mysql.yaml", "compose.local.yaml", "compose.loadtest.yaml"] {
        let ended = check_in(&docker, &["--compose", "compose.yaml", "--compose", over], &[]);
        assert_eq!((ended.code, ended.stdout.contains(": ok, 17 services")), (0, true), "{over}: {}", ended.stdout);
    }
}

fn written(all: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    all.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).expect("written"));
    folder
}

const QUIET: &str = "restart: always, mem_limit: 64m, healthcheck: {test: [CMD, /x]}";

#[test]
fn a_later_file_overrides_an_earlier_one_and_keeps_its_own_lines() {
    let base = format!("services:\n  db: {{image: 'postgres:16', {QUIET}, ports: ['5432:5432']}}\n");
    let reset = "services:\n  db:\n    ports: !reset []\n";
    let over = "services:\n  db:\n    ports: !override\n      - 127.0.0.1:5432:5432\n    privileged: true\n";
    let folder = written(&[("a.yaml", &base), ("reset.yaml", reset), ("over.yaml", over)]);
    let rules = |files: &[&str]| {
        let arguments: Vec<&str> =
            files.iter().flat_map(|file| ["--compose", *file]).chain(["--format", "json"]).collect();
        findings(&check_in(folder.path(), &arguments, &[]))
    };
    assert_eq!(rules(&["a.yaml"]), [(2, "compose-store-published".to_owned())]);
    assert!(rules(&["a.yaml", "reset.yaml"]).is_empty());
    assert_eq!(rules(&["a.yaml", "over.yaml"]), [(5, "compose-privileged".to_owned())]);
}

#[test]
fn variables_come_from_the_file_beside_from_the_named_one_and_from_the_environment() {
    let text = format!("services:\n  a: {{image: 'x/a:${{TAG:?which version}}', {QUIET}}}\n");
    let folder = written(&[("compose.yaml", &text), ("other.env", "TAG=2\n")]);
    let code = |arguments: &[&str], environment: &[(&str, &str)]| {
        let ended = check_in(folder.path(), &[&["--compose", "compose.yaml"][..], arguments].concat(), environment);
        (ended.code, ended.stdout)
    };
    // Nobody knows what is set where it is deployed.
    let (unknown, page) = code(&[], &[]);
    assert_eq!((unknown, page.contains("compose-variable-unset")), (0, true), "{page}");
    assert_eq!(code(&[], &[("TAG", "1")]).0, 0);
    assert_eq!(code(&["--env", "other.env"], &[]).0, 0);
    std::fs::write(folder.path().join(".env"), "OTHER=1\n").expect("written");
    let (required, page) = code(&[], &[]);
    assert_eq!(required, 1, "{page}");
    assert!(page.contains("`TAG` is required and not set: which version [compose-variable-required]"), "{page}");
}

#[test]
fn what_is_extended_and_included_is_checked_where_it_stands() {
    let main =
        "include: [more.yaml]\nservices:\n  a:\n    extends: {file: base.yaml, service: base}\n    image: x/a:1\n";
    let base = format!("services:\n  base: {{{QUIET}, privileged: true}}\n");
    let more = format!("services:\n  b: {{{QUIET}, image: x/b:latest}}\n");
    let folder = written(&[("compose.yaml", main), ("base.yaml", &base), ("more.yaml", &more)]);
    let ended = check_in(folder.path(), &["--compose", "compose.yaml"], &[]);
    assert!(ended.stdout.contains("(base.yaml:2:"), "{}", ended.stdout);
    assert!(ended.stdout.contains("(more.yaml:2:"), "{}", ended.stdout);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
}

/// Findings of a project of these files, one a line.
fn told(files: &[(&str, &str)]) -> String {
    let folder = written(files);
    let ended = check_in(folder.path(), &["--compose", "compose.yaml", "--format", "json"], &[]);
    let page: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|why| panic!("{why}: {}", ended.stdout));
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let one = |finding: &Value| {
        let (file, line) = (text(finding, "file"), finding["line"].as_u64().unwrap_or_default());
        format!("{file}:{line} {}: {}", text(finding, "key"), text(finding, "message"))
    };
    page["findings"].as_array().expect("findings").iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_port_of_the_host_in_the_projects_env_file_accuses_nobody() {
    let service = |name: &str| format!("  {name}: {{image: 'x/{name}:1', {QUIET}, env_file: .env}}\n");
    let index = format!("  index: {{image: 'x/index:1', {QUIET}, ports: ['127.0.0.1:${{INDEX_PORT}}:9200']}}\n");
    let text = format!("services:\n{index}{}{}", service("a"), service("b"));
    let env = "INDEX_HOST=index\nINDEX_PORT=1200\n";
    assert_eq!(told(&[("compose.yaml", &text), (".env", env)]), "");
    let literal = text.replace("${INDEX_PORT}", "1200");
    insta::assert_snapshot!(told(&[("compose.yaml", &literal), (".env", env)]), @"
    .env:1 INDEX_HOST: `index` is addressed on port 1200, which it has on the host only; inside it listens on 9200
    ");
}

#[test]
fn what_an_env_file_says_is_told_once_and_in_that_file() {
    let service = |name: &str| {
        let waits = "depends_on: {api: {condition: service_healthy}}";
        format!("  {name}: {{image: 'x/{name}:1', {QUIET}, {waits}, env_file: [app.env]}}\n")
    };
    let api = format!("  api: {{image: 'x/api:1', {QUIET}, ports: ['8000:3000']}}\n");
    let text = format!("services:\n{api}{}{}", service("a"), service("b"));
    let env = "# where things are\nAPI_URL=http://api:8000\nSTORE_URL=postgres://dbase/x\n";
    insta::assert_snapshot!(told(&[("compose.yaml", &text), ("app.env", env)]), @"
    app.env:2 API_URL: `api` is addressed on port 8000, which it has on the host only; inside it listens on 3000
    app.env:3 STORE_URL: there is no service `dbase`
    ");
}

#[test]
fn a_shared_env_file_makes_nobody_wait() {
    let text = format!(
        "services:\n  cache: {{image: 'redis:7.4.0', {QUIET}, WHERE}}\n\
         \x20 db: {{image: 'postgres:16.4', {QUIET}}}\n\
         \x20 app:\n    {{image: 'x/app:1', {QUIET},\n    WHERE}}\n"
    );
    let told = |place: &str, files: &[(&str, &str)]| {
        told(&[&[("compose.yaml", text.replace("WHERE", place).as_str())], files].concat())
    };
    let env = "DATABASE_URL=postgres://db/x\n";
    assert_eq!(told("env_file: .env", &[(".env", env)]), "");
    // A store waits for nobody; whose file it is does.
    insta::assert_snapshot!(told("env_file: app.env", &[("app.env", env)]), @"
    compose.yaml:6 services.app.env_file: `db` is used here and not waited for
    ");
    insta::assert_snapshot!(told("environment: {DATABASE_URL: 'postgres://db/x'}", &[]), @"
    compose.yaml:2 services.cache.environment.DATABASE_URL: `db` is used here and not waited for
    compose.yaml:6 services.app.environment.DATABASE_URL: `db` is used here and not waited for
    ");
}

#[test]
fn the_store_that_is_meant_is_no_task() {
    let text = format!(
        "services:\n  a-create: {{image: 'postgres:16.4', restart: 'no', command: psql}}\n\
         \x20 db: {{image: 'postgres:16.4', {QUIET}}}\n\
         \x20 app: {{image: 'x/app:1', {QUIET}, depends_on: {{db: {{condition: service_healthy}}}},\n    WHERE}}\n"
    );
    let own = text.replace("WHERE", "environment: {DATABASE_URL: 'postgres://localhost/x'}");
    insta::assert_snapshot!(told(&[("compose.yaml", &own)]), @"
    compose.yaml:5 services.app.environment.DATABASE_URL: PostgreSQL is looked for on `localhost`, and is the service `db`
    ");
    let wrong = text.replace("WHERE", "environment: {DATABASE_URL: 'mysql://db/x'}");
    let folder = written(&[("compose.yaml", &wrong.replacen("postgres:16.4", "mysql:8.4.2", 1))]);
    let page = check_in(folder.path(), &["--compose", "compose.yaml"], &[]).stdout;
    assert!(page.contains("[compose-wrong-scheme]") && !page.contains("a-create"), "{page}");
    let env = ("app.env", "DATABASE_URL=postgres://localhost/x\n");
    insta::assert_snapshot!(told(&[("compose.yaml", &text.replace("WHERE", "env_file: app.env")), env]), @"
    app.env:1 DATABASE_URL: PostgreSQL is looked for on `localhost`, and is the service `db`
    ");
    // The compose file says where the store is; the env file is there for something else in it.
    let told_here = text.replace("WHERE", "env_file: app.env, environment: {STORE_HOST: db}");
    assert_eq!(told(&[("compose.yaml", &told_here), env]), "");
    let only_task = "services:\n  a-create: {image: 'postgres:16.4', restart: 'no'}\n";
    let app =
        format!("  app: {{image: 'x/app:1', {QUIET}, environment: {{DATABASE_URL: 'postgres://localhost/x'}}}}\n");
    assert_eq!(told(&[("compose.yaml", &format!("{only_task}{app}"))]), "");
}

#[test]
fn what_cannot_be_seen_is_not_called_missing() {
    let loud = "restart: always, mem_limit: 64m";
    let text = format!(
        "services:\n  own: {{image: 'x/own:1', {loud}}}\n  db: {{image: 'postgres:16.4', {loud}}}\n\
         \x20 front: {{image: 'x/front:1', {QUIET}}}\n\
         \x20 app: {{image: 'x/app:1', {QUIET}, depends_on: {{\n    db: {{condition: service_started}},\n\
         \x20   front: {{condition: service_started}}}}}}\n"
    );
    let folder = written(&[("compose.yaml", &text)]);
    let page = check_in(folder.path(), &["--compose", "compose.yaml"], &[]).stdout;
    assert!(page.contains("hint: give it a `healthcheck`, and write `condition: service_healthy`"), "{page}");
    insta::assert_snapshot!(told(&[("compose.yaml", &text)]), @"
    compose.yaml:2 services.own.healthcheck: no health check of `own` can be seen
    compose.yaml:3 services.db.healthcheck: `db` has no health check
    compose.yaml:6 services.app.depends_on.db: `db` is a store, and is waited for until it has started only
    compose.yaml:7 services.app.depends_on.front: `front` has a health check, and is waited for until it has started only
    ");
}

#[test]
fn a_missing_env_file_is_an_error_in_the_project_only() {
    let text = format!(
        "services:\n  a: {{image: 'x/a:1', {QUIET}, env_file: ['${{PWD}}/a.env', '/srv/no-such-project/a.env']}}\n"
    );
    let folder = written(&[("compose.yaml", &text)]);
    let ended = check_in(folder.path(), &["--compose", "compose.yaml"], &[]);
    assert!(ended.stdout.contains("/a.env` [compose-env-file-missing]"), "{}", ended.stdout);
    assert!(ended.stdout.contains("on this machine [compose-env-file-elsewhere]"), "{}", ended.stdout);
    assert!(ended.stdout.ends_with("1 error, 1 warning\n"), "{}", ended.stdout);
}

#[test]
fn a_part_that_lies_elsewhere_is_mentioned_and_nothing_is_claimed_of_it() {
    let ended = check_in(&root(), &["--compose", "tests/preflight/compose/good/elsewhere.yaml"], &[]);
    assert!(ended.stdout.ends_with(": ok, 3 services, without what it takes from elsewhere\n"), "{}", ended.stdout);
    // A file whose name looks so is a file.
    let base = format!("services:\n  web: {{image: 'x/web:1', {QUIET}, privileged: true}}\n");
    let text = "services:\n  web: {extends: {file: 'team:web.yaml', service: web}, networks: [inner]}\n";
    insta::assert_snapshot!(told(&[("compose.yaml", text), ("team:web.yaml", &base)]), @"
    compose.yaml:2 services.web.networks: the network `inner` is not declared
    team:web.yaml:2 services.web.privileged: `web` is privileged
    ");
    let alone = format!(
        "services:\n  web: {{extends: {{file: 'https://git.example/x.git', service: web}}}}\n\
         \x20 app: {{image: 'x/app:1', {QUIET}, environment: {{DATABASE_URL: 'postgres://ledger/x'}}}}\n"
    );
    assert_eq!(told(&[("compose.yaml", &alone)]), "");
}

#[test]
fn development_allows_what_production_does_not() {
    let text = "services:\n  db: {image: postgres, ports: ['5432:5432'], environment: {POSTGRES_PASSWORD: dev}, \
                healthcheck: {test: [CMD, pg_isready]}}\n";
    let folder = written(&[("compose.yaml", text)]);
    let code = |profile| check_in(folder.path(), &["--compose", "compose.yaml", "--profile", profile], &[]).code;
    assert_eq!((code("production"), code("staging"), code("development")), (1, 1, 0));
}

#[test]
fn what_cannot_be_read_has_its_message_and_place() {
    let folder = written(&[("broken.yaml", "services:\n  a: {image: x\n")]);
    std::fs::write(folder.path().join("latin.yaml"), b"services:\n  a: {image: \xff}\n").expect("written");
    std::fs::write(folder.path().join("large.yaml"), "# x\n".repeat(10 << 18)).expect("written");
    std::fs::create_dir(folder.path().join("folder.yaml")).expect("a folder");
    for (file, message) in [
        ("broken.yaml", "at broken.yaml:2:"),
        ("latin.yaml", "cannot read `latin.yaml`: it is not UTF-8"),
        ("large.yaml", "cannot read `large.yaml`: larger than"),
        ("folder.yaml", "hint: name a file"),
        ("none.yaml", "cannot read `none.yaml`"),
    ] {
        let ended = check_in(folder.path(), &["--compose", file], &[]);
        assert_eq!(ended.code, 2, "{file}: {}", ended.stderr);
        assert!(ended.stderr.contains(message), "{file}: {}", ended.stderr);
    }
}
