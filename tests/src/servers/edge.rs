//! The stack's own edge on loopback: `docker/nginx/nginx.conf` and `docker/frontend/nginx.conf` in Debian's nginx, in front of the real
//! demo API. Paths and ports are replaced by this test's own; every other word of the files is as it ships.

use super::{free_port, installed};
use crate::program::{Running, clean};
use crate::repo::{read, root};
use crate::wait_for;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// An edge at work.
pub struct Edge {
    /// Port of plain HTTP.
    pub http: u16,
    /// Port of HTTPS.
    pub https: u16,
    /// Port of `stub_status`.
    pub status: u16,
    folder: tempfile::TempDir,
    _running: Vec<Running>,
}

/// A certificate and its key, in PEM.
pub struct Certificate {
    /// With its chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Edge {
    /// Starts it; `stapling` is a folder as `docker/staple` fills it.
    ///
    /// # Errors
    /// When a program that it needs is not installed.
    pub fn start(certificate: &Certificate, stapling: Option<&Path>) -> Result<Self, String> {
        Self::start_with(certificate, stapling, "")
    }

    /// Starts it with a further file among the generated ones.
    ///
    /// # Errors
    /// When a program that it needs is not installed.
    pub fn start_with(certificate: &Certificate, stapling: Option<&Path>, generated: &str) -> Result<Self, String> {
        for program in ["nginx", "curl", "openssl"] {
            installed(program)?;
        }
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (api, backend) = backend(folder.path());
        let (http, https, status, frontend) = (free_port(), free_port(), free_port(), free_port());
        let mut text = placed(&read(&root().join("docker/nginx/nginx.conf")), folder.path());
        let ports = [
            ("listen 80 default_server", format!("listen 127.0.0.1:{http} default_server")),
            ("listen 443 ssl http2 default_server", format!("listen 127.0.0.1:{https} ssl http2 default_server")),
            ("listen nginx-status:8081", format!("listen 127.0.0.1:{status}")),
            ("default backend:8000", format!("default {backend}")),
            ("default frontend:3000", format!("default 127.0.0.1:{frontend}")),
            ("/run/secrets/tls.crt", certificate.certificate.display().to_string()),
            ("/run/secrets/tls.key", certificate.key.display().to_string()),
        ];
        for (from, to) in ports {
            text = replaced(&text, from, &to);
        }
        write(&folder.path().join("generated/redirect.conf"), &redirect(https));
        write(&folder.path().join("generated/more.conf"), generated);
        write(&folder.path().join("acme/.well-known/acme-challenge/token"), "a challenge\n");
        if let Some(from) = stapling {
            let named = read(&from.join("stapling.conf")).replace("/etc/nginx/stapling", &from.display().to_string());
            write(&folder.path().join("stapling/stapling.conf"), &named);
        }
        let site = placed(&read(&root().join("docker/frontend/nginx.conf")), folder.path());
        let site =
            replaced(&site, "listen 3000 default_server", &format!("listen 127.0.0.1:{frontend} default_server"));
        let running = vec![api, nginx(folder.path(), "site", &site)?, nginx(folder.path(), "edge", &text)?];
        let edge = Self { http, https, status, folder, _running: running };
        let health = edge.url("/nginx-health");
        wait_for("the edge to answer", Duration::from_secs(30), || edge.curl(&[&health]).ok());
        Ok(edge)
    }

    /// An HTTPS address of it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.https)
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What curl prints.
    ///
    /// # Errors
    /// When it does not end with 0.
    pub fn curl(&self, arguments: &[&str]) -> Result<String, String> {
        super::start::output(Command::new("curl").args(["-sSk", "-m", "20"]).args(arguments))
    }
}

/// What the container's entrypoint makes of `docker/nginx/templates/redirect.conf.template`.
fn redirect(port: u16) -> String {
    let template = read(&root().join("docker/nginx/templates/redirect.conf.template"));
    replaced(&template, "${PUBLIC_HTTPS_PORT}", &port.to_string())
}

/// The demo API and its address.
fn backend(folder: &Path) -> (Running, String) {
    let mut command = clean("backend");
    command.env("LISTEN", "127.0.0.1:0").env("DATABASE_URL", format!("sqlite://{}", folder.join("api.db").display()));
    command
        .env("JWT_SECRET", "a secret of the tests, long enough for the rule")
        .env("SEED_USERS", "1")
        .env("COOKIE_SECURE", "1");
    let api = Running::start(&mut command);
    let line = api.line("listening");
    let from = line.find("127.0.0.1:").unwrap_or_default();
    let address = line.chars().skip(from).take_while(|c| c.is_ascii_digit() || *c == '.' || *c == ':').collect();
    (api, address)
}

/// The container's paths become paths of this test.
fn placed(text: &str, folder: &Path) -> String {
    let docker = root().join("docker");
    let (folder, docker) = (folder.display(), docker.display());
    text.replace("/tmp/", &format!("{folder}/"))
        .replace("/etc/nginx/generated", &format!("{folder}/generated"))
        .replace("/etc/nginx/stapling", &format!("{folder}/stapling"))
        .replace("/etc/nginx/snippets", &format!("{docker}/nginx/snippets"))
        .replace("/etc/nginx/cors.map", &format!("{docker}/nginx/cors.map"))
        .replace("/srv/acme", &format!("{folder}/acme"))
        .replace("/srv/site", &format!("{docker}/frontend/site"))
        .replace("/dev/stdout", &format!("{folder}/access.log"))
}

#[expect(clippy::panic, reason = "a test fails by panicking")]
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the configuration no longer says `{from}`: change the test with it");
    let replaced = text.replace(from, to);
    if replaced == text { panic!("nothing was replaced by {to}") } else { replaced }
}

#[expect(clippy::panic, reason = "a test fails by panicking")]
fn write(path: &Path, text: &str) {
    let parent = path.parent().map(std::fs::create_dir_all).transpose();
    parent.and_then(|_| std::fs::write(path, text)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Checks a configuration, then runs it.
fn nginx(folder: &Path, name: &str, text: &str) -> Result<Running, String> {
    // Each has its own pid file and folders; the workers keep the user that started nginx, for the folder belongs to it.
    let own = folder.join(name);
    std::fs::create_dir_all(own.join("stapling")).map_err(|error| error.to_string())?;
    let mut text = text.to_owned();
    for file in ["nginx.pid", "client_body", "proxy", "fastcgi", "uwsgi", "scgi", "cache"] {
        text = text.replace(&folder.join(file).display().to_string(), &own.join(file).display().to_string());
    }
    let user = if rustix::process::getuid().is_root() { "user root;\n" } else { "" };
    let config = own.join("nginx.conf");
    write(&config, &format!("{user}{text}"));
    let start = |more: &[&str]| {
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&own).args(["-e", "stderr", "-c"]).arg(&config).args(more);
        command
    };
    super::start::output(&mut start(&["-t"]))?;
    // One process, so that it ends with the test.
    Ok(Running::start(&mut start(&["-g", "daemon off; master_process off;"])))
}
