//! Certificates of any dates and names from an authority of the test's own, made by `openssl`, and an nginx that shows them.

use crate::servers::nginx::Nginx;
use crate::servers::start::{free_port, installed, output};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Long past.
pub const PAST: [&str; 2] = ["20200101000000Z", "20210101000000Z"];
/// Around now.
pub const NOW: [&str; 2] = ["20200101000000Z", "20600101000000Z"];
/// Long to come.
pub const FUTURE: [&str; 2] = ["20600101000000Z", "20610101000000Z"];

const CONFIG: &str = "[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=any\n\
    copy_extensions=copy\nunique_subject=no\n[any]\ncommonName=supplied\n";

/// An authority with its folder.
pub struct Authority(tempfile::TempDir);

impl Authority {
    /// Makes one.
    ///
    /// # Errors
    /// When `openssl` is not installed or fails.
    pub fn new() -> Result<Self, String> {
        installed("openssl")?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        for (file, text) in [("ca.cnf", CONFIG), ("index", ""), ("serial", "01\n")] {
            std::fs::write(folder.path().join(file), text).map_err(|error| error.to_string())?;
        }
        let own = Self(folder);
        own.openssl(&format!("req -x509 {KEY} -days 30 -subj /CN=tests -keyout ca.key -out ca.pem"))?;
        Ok(own)
    }

    /// Its own certificate, for `ca_file`.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.0.path().join("ca.pem")
    }

    /// A certificate for a name (`IP:127.0.0.1`, `DNS:shop.example`) from one date to another, served by an nginx; its port.
    ///
    /// # Errors
    /// When `openssl` or nginx is not installed or fails.
    pub fn served(&self, name: &str, [from, to]: [&str; 2]) -> Result<(Nginx, u16), String> {
        let file = format!("c{}", free_port());
        self.openssl(&format!(
            "req -new {KEY} -subj /CN=server -addext subjectAltName={name} -keyout {file}.key -out {file}.csr"
        ))?;
        self.openssl(&format!(
            "ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key -startdate {from} -enddate {to} -in {file}.csr -out {file}.pem"
        ))?;
        let (port, home) = (free_port(), self.0.path().display());
        // Ends the first server and begins another, which the text around it ends.
        let site = format!(
            "location / {{ return 200 fine; }} }} server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {home}/{file}.pem; \
             ssl_certificate_key {home}/{file}.key; location / {{ return 200 fine; }}"
        );
        Ok((Nginx::start(&site)?, port))
    }

    fn openssl(&self, words: &str) -> Result<String, String> {
        openssl(self.0.path(), words)
    }
}

const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

fn openssl(folder: &Path, words: &str) -> Result<String, String> {
    output(Command::new("openssl").args(words.split(' ')).current_dir(folder))
}
