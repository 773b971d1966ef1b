//! A public exporter from Debian's packages, to be compared with.

use super::start::{Server, folder, installed, unprivileged};
use crate::compare::Page;
use crate::http::get;

/// An exporter at work.
pub struct Exporter {
    /// Where its page is.
    pub url: String,
    /// The process.
    pub server: Server,
}

impl Exporter {
    /// Starts one. `arguments` and `environment` are its own; its page must be at `http://127.0.0.1:<port>/metrics`.
    ///
    /// # Errors
    /// When it is not installed, or does not answer.
    pub fn start(program: &str, port: u16, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Self, String> {
        let program = installed(program)?;
        let folder = folder()?;
        let mut command = unprivileged(&program, folder.path());
        command.args(arguments).envs(environment.iter().copied());
        let url = format!("http://127.0.0.1:{port}/metrics");
        let server = Server::start(command, folder)?;
        let server = server.until(|| get(&url).is_ok_and(|answer| answer.status == 200))?;
        Ok(Self { url, server })
    }

    /// Its page now.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn page(&self) -> Result<Page, String> {
        get(&self.url).map(|answer| Page::read(&answer.body)).map_err(|error| format!("{}: {error}", self.url))
    }
}
