//! Whether a backup can be read to its end and is what its name says. A large one is read in pieces over several runs, and one that was
//! found good is not read again while it stays the same file. What must stay true: no byte of a backup gets into a message.

use super::dump::Dump;
use super::folder::{Found, Identity};
use crate::clock;
use crate::limits;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use tokio::time::Instant;

/// What a backup must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Contents {
    /// A dump that is whole, when the name says SQL or the file begins like a dump.
    #[default]
    Auto,
    /// Whatever it is; compression is looked at all the same.
    Any,
}

/// What is known of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Read to the end; what it is.
    Good(String),
    /// It is damaged; what is wrong, as the end of a sentence that begins with its name.
    Bad(String),
    /// In a form that cannot be looked into.
    Unknown(String),
    /// Not read to the end yet; so many of its bytes are.
    Reading(u64),
    /// It cannot be read.
    Unread(String),
}

/// Remembers verdicts, and the file that is being read.
#[derive(Default)]
pub(super) struct Verifier {
    known: Vec<(Identity, Verdict)>,
    open: Option<(Identity, Box<Unpacking>)>,
}

struct Unpacking {
    decoder: MultiGzDecoder<File>,
    piece: Vec<u8>,
    ends: Ends,
}

/// The first and the last bytes of a text that goes by.
#[derive(Default)]
struct Ends {
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Ends {
    fn pass(&mut self, piece: &[u8]) {
        let room = limits::DUMP_ENDS_BYTES.saturating_sub(self.head.len());
        self.head.extend(piece.iter().take(room));
        self.tail.extend_from_slice(piece.get(piece.len().saturating_sub(limits::DUMP_ENDS_BYTES)..).unwrap_or(piece));
        let old = self.tail.len().saturating_sub(limits::DUMP_ENDS_BYTES);
        self.tail.drain(..old);
    }

    /// What a text with these ends is; `packed` when it came out of an archive, whose checksum has vouched for it.
    fn judge(&self, name: &str, contents: Contents, packed: bool) -> Verdict {
        let dump = Dump::of(&self.head).filter(|_| contents == Contents::Auto);
        match dump {
            _ if self.head.is_empty() => Verdict::Bad("holds nothing".to_owned()),
            Some(dump) if dump.ends_well(&self.tail) => Verdict::Good(dump.name().to_owned()),
            Some(dump) => {
                let trailer = dump.trailer().unwrap_or_default();
                Verdict::Bad(format!("is a {} that was cut short: it does not end with `{trailer}`", dump.name()))
            }
            None if contents == Contents::Auto && name.contains(".sql") => {
                Verdict::Bad("does not begin like a dump of PostgreSQL or MySQL".to_owned())
            }
            None if packed => Verdict::Good("gzip".to_owned()),
            None => Verdict::Unknown("its form is not known".to_owned()),
        }
    }
}

impl Verifier {
    /// Looks into a file, until `until` at the latest.
    pub(super) fn verify(&mut self, file: &Found, contents: Contents, until: Instant) -> Verdict {
        if let Some((_, verdict)) = self.known.iter().find(|(identity, _)| *identity == file.identity) {
            return verdict.clone();
        }
        let verdict = self.look(file, contents, until).unwrap_or_else(|error| Verdict::Unread(error.to_string()));
        // What could not be read may be readable the next time.
        if !matches!(verdict, Verdict::Reading(_) | Verdict::Unread(_)) {
            self.known.insert(0, (file.identity, verdict.clone()));
            self.known.truncate(limits::VERDICTS_KEPT);
        }
        verdict
    }

    fn look(&mut self, file: &Found, contents: Contents, until: Instant) -> io::Result<Verdict> {
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        let going_on = self.open.take().filter(|(identity, _)| *identity == file.identity);
        let mut unpacking = match going_on {
            Some((_, unpacking)) => unpacking,
            None => match opened(file)? {
                Opened::Gzip(unpacking) => unpacking,
                Opened::Other(_) if name.ends_with(".gz") || name.ends_with(".tgz") => {
                    return Ok(Verdict::Bad("is no gzip file, as its name says".to_owned()));
                }
                Opened::Other(ends) => {
                    return Ok(foreign(&ends.head).unwrap_or_else(|| ends.judge(&name, contents, false)));
                }
            },
        };
        while clock::now() < until {
            match unpacking.decoder.read(&mut unpacking.piece) {
                Ok(0) => return Ok(unpacking.ends.judge(&name, contents, true)),
                Ok(read) => unpacking.ends.pass(unpacking.piece.get(..read).unwrap_or_default()),
                // The disk's own errors have a number, those of the archive none.
                Err(error) if error.raw_os_error().is_some() => return Err(error),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Ok(Verdict::Bad("ends in the middle of its gzip stream".to_owned()));
                }
                Err(_) => return Ok(Verdict::Bad("is damaged: its gzip stream does not fit its checksum".to_owned())),
            }
        }
        let mut on_disk: &File = unpacking.decoder.get_ref();
        let read = on_disk.stream_position()?;
        self.open = Some((file.identity, unpacking));
        Ok(Verdict::Reading(read))
    }
}

enum Opened {
    Gzip(Box<Unpacking>),
    /// The beginning and the end of anything else.
    Other(Ends),
}

fn opened(found: &Found) -> io::Result<Opened> {
    // Should it have become a pipe since it was listed, opening it must not wait.
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let mut file = File::options().read(true).custom_flags(flags).open(&found.path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.ino() != found.identity.inode {
        return Err(io::Error::other("it was replaced while it was looked at"));
    }
    let mut ends = Ends::default();
    let most = u64::try_from(limits::DUMP_ENDS_BYTES).unwrap_or(u64::MAX);
    (&file).take(most).read_to_end(&mut ends.head)?;
    if ends.head.starts_with(&[0x1f, 0x8b]) {
        file.rewind()?;
        let piece = vec![0; limits::BACKUP_PIECE_BYTES];
        let decoder = MultiGzDecoder::new(file);
        return Ok(Opened::Gzip(Box::new(Unpacking { decoder, piece, ends: Ends::default() })));
    }
    file.seek(SeekFrom::Start(metadata.len().saturating_sub(most)))?;
    (&file).take(most).read_to_end(&mut ends.tail)?;
    Ok(Opened::Other(ends))
}

/// Archives of other sorts, by their first bytes.
fn foreign(head: &[u8]) -> Option<Verdict> {
    let sorts: [(&[u8], &str); 4] =
        [(b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\0", "xz"), (b"BZh", "bzip2"), (b"PK\x03\x04", "zip")];
    let (_, sort) = sorts.iter().find(|(magic, _)| head.starts_with(magic))?;
    Some(Verdict::Unknown(format!("{sort} is not unpacked here")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::file::folder::Place;
    use crate::probes::file::tests::gzip;
    use proptest::prelude::*;
    use std::path::Path;
    use std::time::Duration;

    fn found(path: &Path) -> Found {
        Place::read(&path.display().to_string()).unwrap().list().unwrap().remove(0)
    }

    fn far() -> Instant {
        clock::now() + Duration::from_secs(60)
    }

    fn of(name: &str, bytes: &[u8], contents: Contents) -> Verdict {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Verifier::default().verify(&found(&path), contents, far())
    }

    const DUMP: &str =
        "--\n-- PostgreSQL database dump\n--\n\nSELECT 1;\n\n--\n-- PostgreSQL database dump complete\n--\n\n";

    #[test]
    fn tells_what_is_wrong_with_a_backup() {
        let packed = gzip(DUMP.as_bytes());
        let mut flipped = packed.clone();
        let crc = flipped.len() - 8;
        flipped[crc] ^= 1;
        let two = [gzip(&DUMP.as_bytes()[..40]), gzip(&DUMP.as_bytes()[40..])].concat();
        let verdict = |name: &str, bytes: &[u8]| format!("{:?}", of(name, bytes, Contents::Auto));
        insta::assert_snapshot!(verdict("a.sql.gz", &packed), @r#"Good("dump of PostgreSQL")"#);
        insta::assert_snapshot!(verdict("two.sql.gz", &two), @r#"Good("dump of PostgreSQL")"#);
        insta::assert_snapshot!(verdict("a.sql", DUMP.as_bytes()), @r#"Good("dump of PostgreSQL")"#);
        insta::assert_snapshot!(verdict("a.sql.gz", &packed[..packed.len() / 2]), @r#"Bad("ends in the middle of its gzip stream")"#);
        insta::assert_snapshot!(verdict("a.sql.gz", &flipped), @r#"Bad("is damaged: its gzip stream does not fit its checksum")"#);
        insta::assert_snapshot!(verdict("a.sql.gz", &gzip(&DUMP.as_bytes()[..60])), @r#"Bad("is a dump of PostgreSQL that was cut short: it does not end with `-- PostgreSQL database dump complete`")"#);
        insta::assert_snapshot!(verdict("a.sql.gz", &gzip(b"")), @r#"Bad("holds nothing")"#);
        insta::assert_snapshot!(verdict("a.sql.gz", b""), @r#"Bad("is no gzip file, as its name says")"#);
        insta::assert_snapshot!(verdict("a.sql.gz", b"garbage"), @r#"Bad("is no gzip file, as its name says")"#);
        insta::assert_snapshot!(verdict("a.sql.gz", &gzip(b"garbage")), @r#"Bad("does not begin like a dump of PostgreSQL or MySQL")"#);
        insta::assert_snapshot!(verdict("a.tar.gz", &gzip(b"garbage")), @r#"Good("gzip")"#);
        insta::assert_snapshot!(verdict("a.dump", b"PGDMP\x01\x0e\0"), @r#"Good("dump of PostgreSQL in custom format")"#);
        insta::assert_snapshot!(verdict("a.sql.zst", b"\x28\xb5\x2f\xfdxxxx"), @r#"Unknown("zstd is not unpacked here")"#);
        insta::assert_snapshot!(verdict("a.bin", b"xxxx"), @r#"Unknown("its form is not known")"#);
        assert_eq!(of("a.sql.gz", &gzip(b"anything"), Contents::Any), Verdict::Good("gzip".to_owned()));
    }

    #[test]
    fn a_large_backup_is_read_on_where_the_last_run_stopped_and_only_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.gz");
        let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(3 << 20).collect();
        std::fs::write(&path, gzip(&noise)).unwrap();
        let (file, mut verifier) = (found(&path), Verifier::default());
        let begun = verifier.verify(&file, Contents::Auto, clock::now());
        assert!(matches!(begun, Verdict::Reading(read) if read < 100_000), "the archive's head at most: {begun:?}");
        let mut before = 0;
        for _run in 0..10_000 {
            match verifier.verify(&file, Contents::Auto, clock::now() + Duration::from_micros(200)) {
                Verdict::Reading(read) => {
                    assert!(read >= before, "{read} after {before}");
                    before = read;
                }
                verdict => {
                    assert_eq!(verdict, Verdict::Good("gzip".to_owned()));
                    break;
                }
            }
        }
        assert!(before > 0, "it took more than one run");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(verifier.verify(&file, Contents::Auto, far()), Verdict::Good("gzip".to_owned()), "not read again");
        assert!(verifier.open.is_none(), "the file is closed");
    }

    #[test]
    fn a_file_that_changed_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gz");
        std::fs::write(&path, gzip(b"one")).unwrap();
        let mut verifier = Verifier::default();
        assert_eq!(verifier.verify(&found(&path), Contents::Auto, far()), Verdict::Good("gzip".to_owned()));
        std::fs::write(&path, b"garbage").unwrap();
        assert!(matches!(verifier.verify(&found(&path), Contents::Auto, far()), Verdict::Bad(_)));
    }

    #[test]
    fn the_ends_of_a_text_are_kept_whatever_its_pieces() {
        let text: Vec<u8> = (0..3 * limits::DUMP_ENDS_BYTES).map(|at| u8::try_from(at % 251).unwrap()).collect();
        for piece in [1, 7, 4096, text.len()] {
            let mut ends = Ends::default();
            text.chunks(piece).for_each(|piece| ends.pass(piece));
            assert!(ends.head == text[..limits::DUMP_ENDS_BYTES], "{piece}");
            assert!(ends.tail == text[text.len() - limits::DUMP_ENDS_BYTES..], "{piece}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..200), magic in any::<bool>()) {
            let bytes = if magic { [&[0x1f, 0x8b, 8][..], &bytes].concat() } else { bytes };
            let verdict = of("a.sql.gz", &bytes, Contents::Auto);
            prop_assert!(matches!(verdict, Verdict::Bad(_)), "{verdict:?}");
        }
    }
}
