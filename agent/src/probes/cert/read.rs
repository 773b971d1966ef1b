//! What a certificate file holds. Reads and judges nothing. What must stay true: it blocks (the mount may hang), so it runs on the blocking
//! pool; no byte of a private key leaves this file.

use crate::limits;
use crate::probes::file::folder::{Place, Unlisted};
use crate::probes::net::{Certificate, key_fits};
use crate::small;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// What is looked at: files, and the private key of the only one.
pub(super) struct Look {
    pub(super) place: Place,
    pub(super) key_file: Option<PathBuf>,
    /// Whether a pattern or folder may name files that hold no certificate.
    pub(super) many: bool,
}

/// A file that was looked at.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) holds: Result<Holds, Unread>,
}

/// What a file with certificates holds.
#[derive(Clone, Debug)]
pub(super) struct Holds {
    /// At least one.
    pub(super) certificates: Vec<Certificate>,
    /// Whether the private key named is that of the first one.
    pub(super) key: Option<Result<bool, Unread>>,
}

/// Why a file tells nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unread {
    #[error("cannot be read: {0}")]
    Broken(String),
    #[error("is larger than 1 MiB")]
    TooLarge,
    #[error("holds no certificate")]
    Empty,
    #[error("holds a private key and no certificate")]
    OnlyKey,
    #[error("holds a certificate that cannot be read, or is cut off")]
    Garbled,
    #[error("holds no private key that is understood")]
    NoKey,
}

impl Look {
    /// Looks at all of them.
    pub(super) fn look(&self) -> Result<Vec<Seen>, Unlisted> {
        let mut files = self.place.list()?;
        small::sort_by(&mut files, |one, other| one.path.cmp(&other.path));
        let seen = files.into_iter().map(|file| self.file(&file.path));
        let useful = seen.filter(|seen| !(self.many && matches!(seen.holds, Err(Unread::OnlyKey))));
        Ok(useful.take(limits::CERTIFICATE_FILES).collect())
    }

    fn file(&self, path: &Path) -> Seen {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Seen { name, holds: self.holds(path) }
    }

    fn holds(&self, path: &Path) -> Result<Holds, Unread> {
        let ders = ders(&bytes(path)?)?;
        let read = ders.iter().map(|der| Certificate::read(der).ok_or(Unread::Garbled));
        let certificates = read.collect::<Result<Vec<_>, _>>()?;
        let key = self.key_file.as_ref().map(|key| fits(key, ders.first()));
        Ok(Holds { certificates, key })
    }
}

fn fits(key: &Path, certificate: Option<&Vec<u8>>) -> Result<bool, Unread> {
    key_fits(&bytes(key)?, certificate.ok_or(Unread::Empty)?).ok_or(Unread::NoKey)
}

fn bytes(path: &Path) -> Result<Vec<u8>, Unread> {
    let broken = |error: io::Error| Unread::Broken(error.to_string());
    let mut bytes = Vec::new();
    File::open(path).map_err(broken)?.take(limits::PEM_BYTES + 1).read_to_end(&mut bytes).map_err(broken)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= limits::PEM_BYTES) {
        Ok(bytes)
    } else {
        Err(Unread::TooLarge)
    }
}

/// The certificates of a file, in PEM or as a single one in DER.
fn ders(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Unread> {
    let text = String::from_utf8_lossy(bytes);
    if !text.contains("-----BEGIN ") {
        return if Certificate::read(bytes).is_some() { Ok(vec![bytes.to_vec()]) } else { Err(Unread::Empty) };
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).take(limits::FILE_CERTIFICATES).collect();
    let found = found.map_err(|_| Unread::Garbled)?;
    match found.is_empty() {
        true if text.contains("CERTIFICATE-----") => Err(Unread::Garbled),
        true if text.contains("PRIVATE KEY-----") => Err(Unread::OnlyKey),
        true => Err(Unread::Empty),
        false => Ok(found.into_iter().map(|der| der.to_vec()).collect()),
    }
}

/// Reads whatever a file holds, for fuzzing.
pub(super) fn read(bytes: &[u8]) {
    if let Ok(ders) = ders(bytes) {
        ders.iter().for_each(|der| drop(Certificate::read(der)));
        let _fits = ders.first().and_then(|der| key_fits(bytes, der));
    }
}
