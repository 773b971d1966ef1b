//! `agent check` of environment files and of the live environment, as a user or a CI job sees it.

use std::path::Path;
use tests::program::{Finished, clean, finish_command};
use tests::repo::{files, read, root};

/// What the program says in a folder with these files.
fn in_folder(written: &[(&str, &[u8])], arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in written {
        std::fs::write(folder.path().join(name), content).expect("written");
    }
    let mut command = clean("agent");
    command.arg("check").args(arguments).envs(environment.iter().copied()).current_dir(folder.path());
    finish_command(&mut command)
}

fn of_file(text: &str, arguments: &[&str]) -> Finished {
    let flags: Vec<&str> = ["--env", ".env"].iter().chain(arguments).copied().collect();
    in_folder(&[(".env", text.as_bytes())], &flags, &[])
}

const BROKEN: &str = "\
# a deployment that must not happen
POSTGRES_USER=postgres
POSTGRES_PASSWORD=postgres
DATABASE_URL=postgres://postgres:postgres@localhost:5432/app
SECRET_KEY=CHANGE_ME
JWT_SECRET=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
DEBUG=true
CORS_ORIGINS=*
BACKEND_PORT=80000
VITE_API_URL=http://api.example.org
DEBUG=true
this is nothing
";

#[test]
fn a_broken_file_has_every_finding_on_its_line_and_ends_with_1() {
    let ended = of_file(BROKEN, &[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (1, ""), "{}", ended.stdout);
    for (line, rule) in [
        (3, "env-default-secret"),
        (4, "env-default-password-in-url"),
        (4, "env-localhost"),
        (5, "env-default-secret"),
        (6, "env-weak-secret"),
        (8, "env-wildcard-origin"),
        (9, "env-wrong-type"),
        (10, "env-insecure-url"),
        (11, "env-duplicate"),
        (11, "env-not-in-profile"),
        (12, "env-malformed-line"),
    ] {
        let blocks: Vec<&str> = ended.stdout.split("\n\n").collect();
        let found =
            blocks.iter().any(|block| block.contains(&format!("[{rule}]")) && block.contains(&format!(".env:{line}")));
        assert!(found, "{rule} in line {line}:\n{}", ended.stdout);
    }
    assert!(ended.stdout.ends_with("11 errors, 0 warnings\n"), "{}", ended.stdout);
    let shown =
        ended.stdout.contains("  why: ") && ended.stdout.contains("hint: make a random one: `openssl rand -hex 32`");
    assert!(shown, "{}", ended.stdout);
}

#[test]
fn a_good_file_ends_with_0() {
    let ended = of_file("NODE_ENV=production\nREDIS_URL=redis://redis:6379/0\n", &[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{}", ended.stdout);
    assert_eq!(ended.stdout, ".env: ok, 2 variables, 2 in the schema, production\n");
    assert_eq!(
        of_file(BROKEN, &["--profile", "development"]).code,
        1,
        "a line that is nothing is nothing on a laptop too"
    );
    assert_eq!(of_file("DEBUG=1\nPOSTGRES_PASSWORD=postgres\n", &["--profile", "development"]).code, 0);
}

#[test]
fn json_and_junit_say_the_same() {
    let ended = of_file(BROKEN, &["--format", "json"]);
    let page: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!((ended.code, &page["version"], &page["counts"]["errors"]), (1, &1.into(), &11.into()));
    assert_eq!(page["findings"][0]["file"], ".env");
    let ended = of_file(BROKEN, &["--format", "junit"]);
    assert!(ended.stdout.contains("failures=\"11\"") && ended.code == 1, "{}", ended.stdout);
}

#[test]
fn unreadable_input_ends_with_2_and_says_which_and_where() {
    let large = vec![b'#'; 10 << 20];
    let given = [
        ("large.env", large.as_slice()),
        ("latin.env", b"A=1\nB=\xe9\n".as_slice()),
        ("bad.yml", b"variables: {A: {tipe: url}}\n"),
    ];
    for (flags, said) in [
        (["--env", "large.env"], "cannot read `large.env`: larger than 1"),
        (["--env", "."], "cannot read `.`: Is a directory"),
        (["--env", "latin.env"], "cannot read `latin.env`: it is not UTF-8, see line 2"),
        (["--env", "nowhere.env"], "cannot read `nowhere.env`: No such file"),
        (
            ["--schema", "bad.yml"],
            "unknown key `tipe`\n  at variables.A.tipe (bad.yml:1:17)\nhint: did you mean `type`?",
        ),
        (["--schema", "builtin:comon"], "did you mean `builtin:common`?"),
    ] {
        let ended = in_folder(&given, &flags, &[]);
        assert!(ended.code == 2 && ended.stderr.contains(said), "{flags:?}: exit {}\n{}", ended.code, ended.stderr);
    }
    let both = in_folder(&[("a.env", b"DEBUG=true\n")], &["--env", "a.env", "--env", "gone.env"], &[]);
    assert!(both.code == 2 && both.stdout.contains("env-not-in-profile"), "{}", both.stdout);
}

#[test]
fn the_live_environment_is_checked_when_a_schema_stands_alone() {
    let schema: (&str, &[u8]) = ("s.yml", b"variables: {APP_KEY: {type: secret, required: true}, PORT: port}\n");
    let ended = in_folder(&[schema], &["--schema", "s.yml"], &[("PORT", "none")]);
    assert_eq!(ended.code, 1);
    for piece in ["`APP_KEY` is not set [env-missing]", "at PORT (the environment)"] {
        assert!(ended.stdout.contains(piece), "{}", ended.stdout);
    }
}

#[test]
fn an_accepted_finding_does_not_fail_and_a_stale_one_is_told() {
    let accepted = "- {rule: env-not-in-profile, at: DEBUG, reason: a demo}\n- {rule: env-missing, at: NONE}\n";
    let given: [(&str, &[u8]); 2] = [(".env", b"DEBUG=true\n"), ("ok.yml", accepted.as_bytes())];
    let ended = in_folder(&given, &["--env", ".env", "--accepted", "ok.yml"], &[]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(ended.stdout.contains("accepted: env-not-in-profile at DEBUG (.env:1), a demo"), "{}", ended.stdout);
    assert!(ended.stdout.contains("[accepted-stale]"), "{}", ended.stdout);
}

#[test]
fn init_writes_a_schema_that_accepts_the_file() {
    let text =
        "SECRET_KEY=b7c1f0aa93e04d5eb2c8d7a6f5e41302\nDATABASE_URL=postgres://app:kdJ29fmQzU61x@db/app\nWORKERS=4\n";
    let schema = of_file(text, &["--init"]);
    assert_eq!((schema.code, schema.stderr.as_str()), (0, ""));
    assert!(!schema.stdout.contains("b7c1f0") && !schema.stdout.contains("kdJ29"), "{}", schema.stdout);
    let given: [(&str, &[u8]); 3] =
        [(".env", text.as_bytes()), ("s.yml", schema.stdout.as_bytes()), ("less.env", b"WORKERS=x\n")];
    assert_eq!(in_folder(&given, &["--env", ".env", "--schema", "s.yml"], &[]).code, 0, "{}", schema.stdout);
    let less = in_folder(&given, &["--env", "less.env", "--schema", "s.yml"], &[]).stdout;
    assert!(less.contains("`SECRET_KEY` is not set") && less.contains("`WORKERS` is not a whole number"), "{less}");
}

#[test]
fn no_form_shows_a_piece_of_a_secret() {
    let canary = "cAnaryZq";
    let text = format!(
        "SECRET_KEY={canary}\nJWT_SECRET=\"{canary}\nPOSTGRES_PASSWORD='{canary}' {canary}\nDATABASE_URL=postgres//{canary}@db\n\
         REDIS_URL=http://u:{canary}@h/\nBACKEND_PORT={canary}\nOPENAI_API_KEY={canary}\nA_PASSWORD=a${canary}\n{canary} {canary}\nSMTP_HOST=x://{canary}\n"
    );
    for format in ["text", "json", "junit"] {
        for profile in ["production", "staging", "development"] {
            let ended = of_file(&text, &["--format", format, "--profile", profile]);
            assert!(ended.stdout.contains("env-unclosed-quote") && ended.code == 1, "{}", ended.stdout);
            assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("cAnary"), "{}", ended.stdout);
        }
    }
}

#[test]
fn every_rule_of_the_sources_is_in_the_table() {
    let reference = read(&root().join("REFERENCE.md"));
    for path in files("agent/src/preflight", ".rs").iter().filter(|path| !is_test(path)) {
        let text = read(path);
        for rule in text.split(": Rule = Rule {").skip(1).filter_map(|rest| rest.split('"').nth(1)) {
            assert!(
                reference.contains(&format!("| `{rule}` |")),
                "{rule} of {} is not in REFERENCE.md",
                path.display()
            );
        }
    }
}

fn is_test(path: &Path) -> bool {
    path.to_string_lossy().ends_with("tests.rs")
}

#[test]
fn the_examples_are_what_they_say() {
    let example = |name: &str| root().join("agent/examples").join(name).to_string_lossy().into_owned();
    let check = |name: &str| {
        let flags = ["check", "--env", &example(name), "--schema", &example("schema.yml")].map(str::to_owned);
        finish_command(clean("agent").args(&flags))
    };
    let (good, bad) = (check("good.env"), check("broken.env"));
    assert_eq!((good.code, bad.code), (0, 1), "{}\n{}", good.stdout, bad.stdout);
}
