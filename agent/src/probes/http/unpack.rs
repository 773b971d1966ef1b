//! Undoing `Content-Encoding`, never beyond the limit: a few kilobytes can unpack to gigabytes.

use super::exchange::too_large;
use crate::probes::{Fault, Reason};
use flate2::read::{GzDecoder, ZlibDecoder};
use http::header::{CONTENT_ENCODING, HeaderMap};
use std::io::Read;

/// A coding that is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
}

impl Coding {
    /// The coding of an answer; any other than these is left as it is.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        match headers.get(CONTENT_ENCODING)?.to_str().ok()?.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            _ => None,
        }
    }
}

/// The unpacked body, at most `limit` bytes.
pub(super) fn unpack(coding: Coding, packed: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    if packed.is_empty() {
        return Ok(Vec::new());
    }
    match coding {
        Coding::Gzip => take(GzDecoder::new(packed), limit),
        Coding::Deflate => take(ZlibDecoder::new(packed), limit),
    }
}

fn take(unpacking: impl Read, limit: usize) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = unpacking.take(one_more).read_to_end(&mut body);
    read.map_err(|error| Fault::new(Reason::Body, format!("the compressed body cannot be unpacked: {error}")))?;
    if body.len() > limit { Err(too_large(limit, "the body, unpacked, is")) } else { Ok(body) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write as _;

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn unpacks_up_to_the_limit_and_no_further() {
        let packed = gzip(&[b'x'; 100_000]);
        assert_eq!(unpack(Coding::Gzip, &packed, 100_000).unwrap().len(), 100_000);
        let fault = unpack(Coding::Gzip, &packed, 99_999).unwrap_err();
        insta::assert_snapshot!(fault.message, @"the body, unpacked, is larger than 97.7 KiB");
    }

    #[test]
    fn a_cut_body_is_a_fault() {
        let packed = gzip(b"hello");
        assert_eq!(unpack(Coding::Gzip, &packed[..packed.len() - 4], 100).unwrap_err().reason, Reason::Body);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_calmly(packed in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = unpack(Coding::Gzip, &packed, 1000);
            let _ = unpack(Coding::Deflate, &packed, 1000);
        }
    }
}
