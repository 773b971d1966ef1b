//! What is told of which variable, and that good files are left in peace.

use super::init;
use crate::config::Environment;
use crate::preflight::{Profile, Report, Request, check};

const KEY: &str = "b7c1f0aa93e04d5eb2c8d7a6f5e41302";
const OTHER: &str = "9f86d081884c7d659a2feaa0c55ad015";

fn report(text: &str, schema: Option<&str>, profile: Profile) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let env = vec![write(".env", text)];
    let schema = schema.map(|schema| write("schema.yml", schema));
    check(&Request { env, schema, profile, ..Request::default() }, &Environment::default())
}

fn told_in(profile: Profile, text: &str, schema: Option<&str>) -> String {
    let report = report(text, schema, profile);
    assert!(report.unreadable.is_empty(), "{:?}", report.unreadable);
    let one = |one: &crate::preflight::Finding| format!("{} {} {}", one.rule.name, one.place.at.line, one.place.key);
    report.findings.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn told(text: &str) -> String {
    told_in(Profile::Production, text, None)
}

#[test]
fn each_mistake_has_its_rule_and_line() {
    for (text, expected) in [
        ("POSTGRES_USER=postgres\nPOSTGRES_PASSWORD=postgres", "env-default-secret 2 POSTGRES_PASSWORD"),
        ("POSTGRES_USER=app", "env-missing 0 POSTGRES_PASSWORD"),
        ("SECRET_KEY=", "env-empty 1 SECRET_KEY"),
        ("SECRET_KEY=kdJ29fmQz", "env-short-secret 1 SECRET_KEY"),
        ("DB_PASSWORD=kdJ29fmQz", "env-short-secret 1 DB_PASSWORD"),
        ("JWT_SECRET=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "env-weak-secret 1 JWT_SECRET"),
        ("BACKEND_PORT=80000", "env-wrong-type 1 BACKEND_PORT"),
        ("DEBUG=maybe", "env-wrong-type 1 DEBUG"),
        ("DEBUG=true", "env-not-in-profile 1 DEBUG"),
        ("NODE_ENV=development", "env-not-in-profile 1 NODE_ENV"),
        ("NODE_ENV=prod", "env-unknown-choice 1 NODE_ENV"),
        ("CORS_ORIGINS=https://a.org,*", "env-wildcard-origin 1 CORS_ORIGINS"),
        ("CORS_ORIGINS=http://localhost:3000", "env-localhost 1 CORS_ORIGINS"),
        ("VITE_API_URL=http://api.example.org", "env-insecure-url 1 VITE_API_URL"),
        ("VITE_API_URL=http://localhost:8000", "env-localhost 1 VITE_API_URL"),
        ("REDIS_URL=http://redis:6379", "env-wrong-scheme 1 REDIS_URL"),
        ("DATABASE_URL=postgres://app:postgres@db/app", "env-default-password-in-url 1 DATABASE_URL"),
        ("DATABASE_URL=postgres//db", "env-unreadable-url 1 DATABASE_URL"),
        ("OPENAI_API_KEY=xk-8s7df6g5h4j3k2l1mNbV", "env-wrong-prefix 1 OPENAI_API_KEY"),
        ("STRIPE_SECRET_KEY=sk_test_8s7df6g5h4j3k2l1", "env-wrong-prefix 1 STRIPE_SECRET_KEY"),
        (
            "REDIS_HOST=redis\nREDIS_PORT=6380\nREDIS_URL=redis://cache:6379/0",
            "env-url-disagrees 3 REDIS_URL, env-url-disagrees 3 REDIS_URL",
        ),
        (
            "DATABASE_URL=postgres://app@db/app\nPOSTGRES_USER=own\nPOSTGRES_PASSWORD_FILE=/run/secrets/p",
            "env-url-other-user 1 DATABASE_URL",
        ),
        (
            "POSTGRES_PASSWORD=kdJ29fmQzU61x\nPOSTGRES_PASSWORD_FILE=/run/secrets/p",
            "env-both-value-and-file 1 POSTGRES_PASSWORD",
        ),
        (&format!("JWT_SECRET={KEY}\nSECRET_KEY={KEY}"), "env-reused-secret 2 SECRET_KEY"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn profiles_differ() {
    let staging = |text: &str| told_in(Profile::Staging, text, None);
    let laptop = |text: &str| told_in(Profile::Development, text, None);
    assert_eq!(
        staging("DEBUG=true\nSTRIPE_SECRET_KEY=sk_test_8s7df6g5h4j3k2l1\nCORS_ORIGINS=http://localhost:3000"),
        ""
    );
    assert_eq!(staging("STRIPE_SECRET_KEY=sk_live_8s7df6g5h4j3k2l1"), "env-wrong-prefix 1 STRIPE_SECRET_KEY");
    assert_eq!(
        laptop("SECRET_KEY=x\nPOSTGRES_PASSWORD=postgres\nVITE_API_URL=http://localhost:8000\nDEBUG=1\nCORS_ORIGINS=*"),
        ""
    );
    assert_eq!(laptop("BACKEND_PORT=8001\nVITE_API_URL=http://localhost:8000"), "env-port-mismatch 2 VITE_API_URL");
}

#[test]
fn good_files_are_left_in_peace() {
    let good = [
        format!("SECRET_KEY={KEY}\nJWT_SECRET={OTHER}\nDEBUG=false\nNODE_ENV=production\nLOG_LEVEL=info\n"),
        "POSTGRES_USER=postgres\nPOSTGRES_DB=app\nPOSTGRES_PASSWORD=kdJ29fmQzU61x\nDATABASE_URL=postgresql+asyncpg://postgres:${POSTGRES_PASSWORD}@db:5432/app\n".to_owned(),
        "export REDIS_URL=\"redis://redis:6379/0\" # cache\nREDIS_HOST=redis\nREDIS_PORT=6379\nREDIS_DB=0\n".to_owned(),
        "VITE_API_URL=https://api.example.org\nVITE_WS_URL=wss://api.example.org/ws\nCORS_ORIGINS=[\"https://app.example.org\"]\nPROMETHEUS_URL=http://prometheus:9090\n".to_owned(),
        "MYSQL_USER=app\nMYSQL_PASSWORD_FILE=/run/secrets/mysql\nMYSQL_DATABASE=app\nMYSQL_HOST=db\nDATABASE_URL=mysql+pymysql://app@db/app\n".to_owned(),
        "SMTP_HOST=mail.example.org\nSMTP_PORT=587\nSMTP_USER=app\nSMTP_PASSWORD='kd $29fm#QzU'\nSENTRY_DSN=https://abc123@o1.ingest.example.org/42\n".to_owned(),
        include_str!("../../../../docker/.env.example").to_owned(),
    ];
    for text in good {
        assert_eq!(told(&text), "", "{text}");
    }
}

#[test]
fn a_schema_of_ones_own() {
    let schema = "variables:\n  A_KEY: {type: secret, form: hex64, required: true}\n  WORKERS: {type: int, least: 1, most: 8}\n  MODE: {type: enum, one_of: [a, b]}\n  CODE: {pattern: '^[A-Z]{3}$'}\n  NOTE: {max_length: 3}\n  URL: {type: url, required_in: [production]}\n";
    let told = |text: &str, profile| told_in(profile, text, Some(schema));
    let text = "WORKERS=9\nMODE=c\nCODE=ab\nNOTE=long\nA_KEY=b7c1f0aa\n";
    assert_eq!(
        told(text, Profile::Production),
        "env-missing 0 URL, env-unknown-choice 2 MODE, env-wrong-form 3 CODE, env-too-long 4 NOTE, env-wrong-form 5 A_KEY"
            .replace("env-unknown", "env-wrong-type 1 WORKERS, env-unknown")
    );
    let good = format!("WORKERS=8\nMODE=a\nCODE=ABC\nNOTE=x\nA_KEY={KEY}{OTHER}\n");
    assert_eq!(told(&good, Profile::Staging), "");
}

#[test]
fn a_schema_that_makes_no_sense_is_told() {
    let schema = "extends: builtin:comon\nvariables:\n  A: {type: secrt}\n  B: {min_lenght: 3}\n  C: {pattern: '('}\n  D: enum\n";
    let report = report("A=1\n", Some(schema), Profile::Production);
    let said = report.unreadable.join("\n");
    for piece in ["builtin:common", "`secret`", "`min_length`", "regular expression", "needs its values", ":3:", ":4:"]
    {
        assert!(said.contains(piece), "{piece} in:\n{said}");
    }
}

#[test]
fn a_schema_made_from_a_file_accepts_it_and_holds_no_secret() {
    let text = format!(
        "SECRET_KEY={KEY}\nAPI_TOKEN={OTHER}\nBACKEND_PORT=8000\nDATABASE_URL=postgres://app:kdJ29fmQzU61x@db/app\nON=true\nNODE_ENV=production\nEMPTY=\nN=3\n"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".env");
    std::fs::write(&file, &text).unwrap();
    let schema = init(&[file.to_string_lossy().into_owned()], &Environment::default()).unwrap();
    for secret in [KEY, OTHER, "kdJ29fmQzU61x"] {
        assert!(!schema.contains(secret), "{schema}");
    }
    assert_eq!(told_in(Profile::Production, &text, Some(&schema)), "", "{schema}");
    assert!(told_in(Profile::Production, "ON=true", Some(&schema)).contains("env-missing 0 API_TOKEN"), "{schema}");
}

/// A folder with files of these names, contents and modes, and the report on its `.env`.
fn beside(files: &[(&str, &str, u32)], env: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    for (name, text, mode) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
        std::fs::set_permissions(folder.path().join(name), std::fs::Permissions::from_mode(*mode)).unwrap();
    }
    let file = folder.path().join(".env");
    std::fs::write(&file, env).unwrap();
    let request = Request { env: vec![file.to_string_lossy().into_owned()], ..Request::default() };
    let report = check(&request, &Environment::default());
    report.findings.iter().map(|one| format!("{} {}", one.rule.name, one.place.key)).collect::<Vec<_>>().join(", ")
}

#[test]
fn files_of_secrets_exist_hold_something_and_are_closed() {
    let env = "POSTGRES_PASSWORD_FILE=./secret\n";
    assert_eq!(beside(&[("secret", "kdJ29fmQzU61x", 0o600)], env), "");
    assert_eq!(beside(&[("secret", "kdJ29fmQzU61x", 0o644)], env), "env-file-mode POSTGRES_PASSWORD_FILE");
    assert_eq!(beside(&[("secret", "\n", 0o600)], env), "env-file-empty POSTGRES_PASSWORD_FILE");
    assert_eq!(beside(&[], env), "env-file-missing POSTGRES_PASSWORD_FILE");
    assert_eq!(beside(&[], "POSTGRES_PASSWORD_FILE=/run/secrets/nowhere\nPROJECT_FILE=./x\n"), "");
}

#[test]
fn certificates_hold_and_have_their_key() {
    let made = |year: i32| {
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    };
    let ((good, key), (old, old_key)) = (made(2500), made(2021));
    let env = "TLS_CERT_FILE=./c.pem\nTLS_KEY_FILE=./k.pem\n";
    let told = |certificate: &str, key: &str| beside(&[("c.pem", certificate, 0o644), ("k.pem", key, 0o600)], env);
    assert_eq!(told(&good, &key), "");
    assert_eq!(told(&good, &old_key), "env-key-mismatch TLS_KEY_FILE");
    assert_eq!(told(&old, &old_key), "env-certificate-expired TLS_CERT_FILE");
    assert_eq!(told("nothing", &key), "env-no-certificate TLS_CERT_FILE");
    assert_eq!(told(&good, "nothing"), "env-no-certificate TLS_KEY_FILE");
    let open = beside(&[("c.pem", &good, 0o644), ("k.pem", &key, 0o644)], env);
    assert_eq!(open, "env-file-mode TLS_KEY_FILE");
}
