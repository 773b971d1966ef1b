//! TLS to real servers: the certificate is verified for the host of the URL, though the driver dials a socket of ours.

use super::servers::mariadb::{MariaDb, PASSWORD as MARIADB};
use super::servers::postgres::{PASSWORD as POSTGRES, Postgres};
use super::servers::redis::{PASSWORD as REDIS, Redis};
use super::servers::start;
use super::{fault, look, started, value};
use agent::probes::Reason;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::PathBuf;

/// A certificate for `localhost` under an authority of its own, in files that a server accepts.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn make() -> Self {
        let folder = start::folder().unwrap();
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let pem = params.signed_by(&key, &issuer).unwrap().pem();
        let files = Self { folder };
        let owner = std::fs::metadata(files.folder.path()).unwrap();
        for (name, text) in [("ca", authority_pem), ("cert", pem), ("key", key.serialize_pem())] {
            std::fs::write(files.path(name), text).unwrap();
            std::fs::set_permissions(files.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
            chown(files.path(name), Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn own(&self) -> String {
        format!(r#"{{"tls_config": {{"ca_file": "{}"}}}}"#, self.path("ca").display())
    }
}

#[tokio::test]
async fn postgres_verifies_the_name_of_the_url() {
    let files = Files::make();
    let (cert, key) = (files.path("cert"), files.path("key"));
    let (cert, key) = (format!("ssl_cert_file={}", cert.display()), format!("ssl_key_file={}", key.display()));
    let Some(server) = started(Postgres::start(&["ssl=on", &cert, &key])) else { return };
    let url =
        |host: &str, query: &str| format!("postgres://postgres:{POSTGRES}@{host}:{}/postgres{query}", server.port);
    for (query, own) in [("", files.own()), ("?sslmode=require", "{}".to_owned()), ("", "{}".to_owned())] {
        let outcome = look(&url("localhost", query), &own).await;
        assert_eq!(outcome.fault, None, "{query} {own}");
        assert!(value(&outcome, "sidecar_certificate_expires_in_seconds").is_some());
    }
    let mut probe = super::probe(&url("localhost", "?sslmode=require"), "{}");
    assert!(super::again(&mut *probe).await.ok());
    assert_eq!(server.psql("SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND application_name = 'sidecar-agent'").unwrap(), "1");
    assert_eq!(fault(look(&url("127.0.0.1", ""), &files.own()).await).0, Reason::Certificate, "another name");
    assert_eq!(
        fault(look(&url("localhost", "?sslmode=verify-full"), "{}").await).0,
        Reason::Certificate,
        "unknown issuer"
    );
}

#[tokio::test]
async fn mariadb_verifies_the_name_of_the_url() {
    let files = Files::make();
    let (cert, key) = (files.path("cert"), files.path("key"));
    let (cert, key) = (format!("--ssl-cert={}", cert.display()), format!("--ssl-key={}", key.display()));
    let Some(server) = started(MariaDb::start(&[&cert, &key])) else { return };
    let url = |host: &str, query: &str| format!("mysql://app:{MARIADB}@{host}:{}/shop{query}", server.port);
    for (query, own) in [("", files.own()), ("?ssl-mode=REQUIRED", "{}".to_owned()), ("", "{}".to_owned())] {
        assert_eq!(look(&url("localhost", query), &own).await.fault, None, "{query} {own}");
    }
    let wrong = fault(look(&url("127.0.0.1", ""), &files.own()).await);
    assert_eq!(wrong.0, Reason::Certificate, "{}", wrong.1);
    let unknown = fault(look(&url("localhost", "?ssl-mode=VERIFY_IDENTITY"), "{}").await);
    assert_eq!(unknown.0, Reason::Certificate, "{}", unknown.1);
}

#[tokio::test]
async fn redis_verifies_the_name_of_the_url() {
    let files = Files::make();
    let port = start::free_port();
    let (number, [cert, key, ca]) =
        (port.to_string(), ["cert", "key", "ca"].map(|name| files.path(name).display().to_string()));
    let settings = ["--tls-port", &number, "--tls-cert-file", &cert, "--tls-key-file", &key, "--tls-ca-cert-file", &ca];
    let Some(_server) = started(Redis::start(&[&settings[..], &["--tls-auth-clients", "no"]].concat())) else {
        return;
    };
    let outcome = look(&format!("rediss://:{REDIS}@localhost:{port}/1"), &files.own()).await;
    assert_eq!(outcome.fault, None);
    assert_eq!(value(&outcome, "redis_up"), Some(1.0));
    assert!(value(&outcome, "redis_commands_processed_total").is_some());
    assert!(value(&outcome, "sidecar_certificate_expires_in_seconds").is_some());
    let wrong = look(&format!("rediss://:{REDIS}@127.0.0.1:{port}"), &files.own()).await;
    assert_eq!(value(&wrong, "redis_up"), Some(0.0));
    assert_eq!(fault(wrong).0, Reason::Certificate, "another name");
}
