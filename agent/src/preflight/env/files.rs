//! Files that variables name: secrets given as `<NAME>_FILE`, certificates with their keys (REQUIREMENTS D4).
//! What must stay true: no byte of a secret leaves this file; what cannot be seen from here (a path inside a container, asked about
//! from outside) is no finding.

use super::judge::Desk;
use super::variables::Variable;
use crate::limits;
use crate::preflight::{Rule, Severity};
use crate::probes::net::{Certificate, date, key_fits};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The rules of this file.
pub(super) static RULES: &[&Rule] = &[&ABSENT, &EMPTY, &READABLE, &NO_CERTIFICATE, &EXPIRED, &NEAR_EXPIRY, &OTHER_KEY];

static ABSENT: Rule = Rule {
    name: "env-file-missing",
    severity: Severity::Error,
    summary: "a file that a variable names is not there; absolute paths of an environment file are of the container and not looked for",
    why: "the service starts without its secret or certificate, or not at all",
    fix: "make the file, or mend the path; a relative one is looked for beside the environment file",
};
static EMPTY: Rule = Rule {
    name: "env-file-empty",
    severity: Severity::Error,
    summary: "the file of a secret holds nothing",
    why: "an empty password is one that everybody knows",
    fix: "write the secret into it: `openssl rand -hex 32 > FILE`",
};
static READABLE: Rule = Rule {
    name: "env-file-mode",
    severity: Severity::Error,
    summary: "a file with a secret or private key is open to its group or to everybody; mounts below `/run/secrets` are not meant",
    why: "every user and service of this machine can read it",
    fix: "`chmod 600` the file, and let the user own it whom the service runs as",
};
static NO_CERTIFICATE: Rule = Rule {
    name: "env-no-certificate",
    severity: Severity::Error,
    summary: "a file that should hold a certificate or private key holds none that can be read",
    why: "the server cannot start TLS",
    fix: "give it the PEM file of the right kind: the certificate with its chain, or the key without a passphrase",
};
static EXPIRED: Rule = Rule {
    name: "env-certificate-expired",
    severity: Severity::Error,
    summary: "a certificate has expired, or does not hold yet",
    why: "every client refuses the connection",
    fix: "renew it, and look at the clock of this machine",
};
static NEAR_EXPIRY: Rule = Rule {
    name: "env-certificate-near-expiry",
    severity: Severity::Warning,
    summary: "a certificate expires within 14 days",
    why: "renewals that work happen earlier: this one may not happen",
    fix: "renew it, and look why that has not happened by itself",
};
static OTHER_KEY: Rule = Rule {
    name: "env-key-mismatch",
    severity: Severity::Error,
    summary: "a private key is not that of the certificate beside it (`TLS_CERT_FILE` and `TLS_KEY_FILE`)",
    why: "the server cannot start TLS",
    fix: "put the two files of one renewal together",
};

/// A certificate that has less time left is told.
const NEAR: Duration = Duration::from_secs(14 * 24 * 3600);

/// Looks at every file that a variable names.
pub(super) fn judge(desk: &mut Desk<'_>, now: SystemTime) {
    let variables = desk.variables;
    for variable in variables.iter().filter(|one| one.known && !one.value().is_empty()) {
        let name = variable.name.as_str();
        if is_certificate(name) {
            certificate(desk, variable, now);
        } else if is_key(name) {
            if let Some(path) = seen(desk, variable) {
                mode(desk, name, &path);
            }
        } else if name.strip_suffix("_FILE").is_some_and(|of| desk.schema.spec(of).is_some_and(|spec| spec.is_secret()))
        {
            secret(desk, variable);
        }
    }
}

/// `SSL_CERT_PATH`, `TLS_CERTIFICATE`; not the key of one, nor `SSL_CERT_FILE`, by which libraries are told of all authorities.
fn is_certificate(name: &str) -> bool {
    name.contains("CERT") && !name.contains("KEY") && name != "SSL_CERT_FILE"
}

/// `TLS_KEY_FILE`, `SSL_CERTIFICATE_KEY`: keys of certificates, which are files.
fn is_key(name: &str) -> bool {
    let of_tls = ["TLS", "SSL", "CERT"].iter().any(|word| name.contains(word));
    of_tls && ["KEY_FILE", "KEY_PATH", "_KEY"].iter().any(|end| name.ends_with(end))
}

/// Whether a value is the path of a file and no certificate, name or switch.
fn is_path(value: &str) -> bool {
    let one_line = !value.contains('\n') && value.len() < 4096;
    one_line
        && (value.contains('/') || [".pem", ".crt", ".cer", ".key"].iter().any(|end| value.ends_with(end)))
        && !value.contains("://")
}

/// Where the file of a variable is, seen from here; `None` for a value that is no path.
fn place(desk: &Desk<'_>, variable: &Variable) -> Option<PathBuf> {
    let beside = Path::new(&desk.variables.input).parent().filter(|_| !desk.variables.is_live());
    is_path(variable.value()).then(|| beside.unwrap_or(Path::new("")).join(variable.value()))
}

/// The file that a variable names, when it can be seen from here; one that should be there and is not is told.
fn seen(desk: &mut Desk<'_>, variable: &Variable) -> Option<PathBuf> {
    let path = place(desk, variable)?;
    if path.is_file() {
        return Some(path);
    }
    let expected = desk.variables.is_live() || Path::new(variable.value()).is_relative();
    if expected && !path.exists() {
        desk.add(&ABSENT, &variable.name, format!("the file that `{}` names is not there", variable.name));
    }
    None
}

fn secret(desk: &mut Desk<'_>, variable: &Variable) {
    let Some(path) = seen(desk, variable) else { return };
    mode(desk, &variable.name, &path);
    let nothing = content(&path).is_some_and(|bytes| bytes.iter().all(u8::is_ascii_whitespace));
    if nothing {
        desk.add(&EMPTY, &variable.name, format!("the file that `{}` names is empty", variable.name));
    }
}

/// Mounted secrets are read by whoever is in the container, whatever their mode.
fn mode(desk: &mut Desk<'_>, name: &str, path: &Path) {
    let mounted = ["/run/secrets/", "/var/run/secrets/"].iter().any(|mount| path.starts_with(mount));
    let Ok(facts) = fs::metadata(path) else { return };
    let mode = facts.permissions().mode() & 0o777;
    if desk.strict() && !mounted && mode & 0o077 != 0 {
        desk.add(&READABLE, name, format!("the file that `{name}` names is open to others, its mode is {mode:04o}"));
    }
}

fn certificate(desk: &mut Desk<'_>, variable: &Variable, now: SystemTime) {
    let name = variable.name.as_str();
    let Some(path) = seen(desk, variable) else { return };
    let Some(bytes) = content(&path) else { return };
    let der = CertificateDer::from_pem_slice(&bytes).map(|der| der.to_vec()).unwrap_or(bytes);
    let Some(read) = Certificate::read(&der) else {
        return desk.add(&NO_CERTIFICATE, name, format!("the file that `{name}` names holds no certificate"));
    };
    lifetime(desk, name, &read, now);
    let twin = name.replace("CERTIFICATE", "KEY").replace("CERT", "KEY");
    for key in [twin, format!("{name}_KEY")] {
        let Some(path) = desk.variables.get(&key).and_then(|key| place(desk, key)) else { continue };
        match content(&path).map(|bytes| key_fits(&bytes, &der)) {
            Some(None) => {
                desk.add(
                    &NO_CERTIFICATE,
                    &key,
                    format!("the file that `{key}` names holds no private key that is understood"),
                );
            }
            Some(Some(false)) => desk.add(&OTHER_KEY, &key, format!("`{key}` is not the key of `{name}`")),
            Some(Some(true)) | None => {}
        }
    }
}

fn lifetime(desk: &mut Desk<'_>, name: &str, read: &Certificate, now: SystemTime) {
    let seconds = |at: SystemTime| {
        at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    };
    if read.not_after < seconds(now) {
        desk.add(&EXPIRED, name, format!("the certificate of `{name}` expired on {}", date(read.not_after)));
    } else if read.not_before > seconds(now) {
        desk.add(&EXPIRED, name, format!("the certificate of `{name}` holds from {} on", date(read.not_before)));
    } else if read.not_after < seconds(now + NEAR) {
        desk.add(&NEAR_EXPIRY, name, format!("the certificate of `{name}` expires on {}", date(read.not_after)));
    }
}

/// The bytes of a small file; `None` for one that is large or cannot be read by this user, which is no mistake of the deployment.
fn content(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(limits::PEM_BYTES + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= limits::PEM_BYTES).then_some(bytes)
}
