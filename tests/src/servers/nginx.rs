//! A real nginx that serves one small site on loopback, from Debian's package.

use super::free_port;
use crate::http::get;
use crate::program::Running;
use crate::wait_for;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// An nginx at work.
pub struct Nginx {
    /// Its base URL.
    pub url: String,
    _running: Running,
    folder: tempfile::TempDir,
}

impl Nginx {
    /// Starts one; `locations` goes into its `server` block.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn start(locations: &str) -> Result<Self, String> {
        let port = free_port();
        let started = Self::serving(&format!("server {{ listen 127.0.0.1:{port}; {locations} }}"), port)?;
        let _answer = wait_for("nginx to answer", Duration::from_secs(20), || get(&started.url).ok());
        Ok(started)
    }

    /// Starts one with these `server` blocks, `{home}` in them being its folder, and waits until it listens on this port.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn serving(servers: &str, port: u16) -> Result<Self, String> {
        super::installed("nginx")?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let home = folder.path().display().to_string();
        let servers = servers.replace("{home}", &home);
        // The workers keep the user that started nginx, for the folder belongs to it.
        let user = if rustix::process::getuid().is_root() { "user root;" } else { "" };
        let text = format!(
            "{user} daemon off; master_process off; pid {home}/pid; error_log stderr warn;\n\
             events {{ worker_connections 512; }}\n\
             http {{ access_log off; client_body_temp_path {home}/a; proxy_temp_path {home}/b; fastcgi_temp_path {home}/c; \
             uwsgi_temp_path {home}/d; scgi_temp_path {home}/e;\n\
             {servers} }}\n"
        );
        let config = folder.path().join("nginx.conf");
        std::fs::write(&config, text).map_err(|error| error.to_string())?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder.path()).arg("-e").arg("stderr").arg("-c").arg(&config);
        let running = Running::start(&mut command);
        let listens = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok();
        let _connection = wait_for("nginx to listen", Duration::from_secs(20), listens);
        let url = format!("http://127.0.0.1:{port}");
        Ok(Self { url, _running: running, folder })
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}
