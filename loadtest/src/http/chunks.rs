//! The chunked transfer coding of a body (RFC 9112, 7.1), taken apart byte for byte as it comes. Pure.

use super::TransportError;
use crate::limits;

/// Where in the coding we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In a chunk's size; whether a digit has come.
    Size(bool),
    /// After the size, in what does not concern us.
    Extension,
    /// At the line feed after the size.
    SizeEnd,
    /// In a chunk's bytes.
    Data,
    /// At the two bytes after them.
    DataReturn,
    DataEnd,
    /// In the fields after the last chunk; whether the line is empty so far.
    Trailer(bool),
    /// At the line feed of a line of them; whether it was empty.
    TrailerEnd(bool),
    Done,
}

/// A chunked body on its way.
#[derive(Debug)]
pub(super) struct Chunks {
    at: At,
    /// Bytes of the present chunk still to come, or its size as far as it is known.
    left: u64,
    /// Bytes of extensions and trailers: they are read and thrown away, but not without end.
    waste: usize,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { at: At::Size(false), left: 0, waste: 0 }
    }
}

impl Chunks {
    /// Whether the body is over.
    pub(super) fn is_done(&self) -> bool {
        self.at == At::Done
    }

    /// Takes some bytes, gives those of the body to `keep`, and tells how many were taken: all, unless the body is over.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        mut keep: impl FnMut(&[u8]) -> Result<(), TransportError>,
    ) -> Result<usize, TransportError> {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty() && !self.is_done()) {
            if self.at == At::Data {
                let here = rest.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                keep(rest.get(..here).unwrap_or_default())?;
                self.left -= here as u64;
                taken += here;
                if self.left == 0 {
                    self.at = At::DataReturn;
                }
            } else if let Some(byte) = rest.first() {
                self.at = self.step(*byte)?;
                taken += 1;
            }
        }
        Ok(taken)
    }

    /// One byte of the coding itself.
    fn step(&mut self, byte: u8) -> Result<At, TransportError> {
        let bad = || TransportError::Protocol("the chunked body is malformed".to_owned());
        if matches!(self.at, At::Extension | At::Trailer(_)) {
            self.waste += 1;
            if self.waste > limits::HEAD_BYTES {
                return Err(TransportError::Protocol("the chunked body has extensions without end".to_owned()));
            }
        }
        match (self.at, byte) {
            (At::Size(_), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                self.left = self.left.checked_mul(16).and_then(|size| size.checked_add(digit)).ok_or_else(bad)?;
                Ok(At::Size(true))
            }
            (At::Size(true) | At::Extension, b'\r') => Ok(At::SizeEnd),
            (At::Size(true), b';' | b' ' | b'\t') => Ok(At::Extension),
            (At::Extension, other) if other != b'\n' => Ok(At::Extension),
            (At::SizeEnd, b'\n') => Ok(if self.left == 0 { At::Trailer(true) } else { At::Data }),
            (At::DataReturn, b'\r') => Ok(At::DataEnd),
            (At::DataEnd, b'\n') => Ok(At::Size(false)),
            (At::Trailer(empty), b'\r') => Ok(At::TrailerEnd(empty)),
            (At::Trailer(_), other) if other != b'\n' => Ok(At::Trailer(false)),
            (At::TrailerEnd(empty), b'\n') => Ok(if empty { At::Done } else { At::Trailer(true) }),
            _ => Err(bad()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body and what is left behind it, however it is cut.
    fn check(coded: &str, body: &str, rest: &str) {
        for cut in 0..=coded.len() {
            let (mut chunks, mut got) = (Chunks::default(), Vec::new());
            let mut taken = 0;
            for part in [&coded[..cut], &coded[cut..]] {
                taken += chunks.take(part.as_bytes(), |bytes| Ok(got.extend_from_slice(bytes))).unwrap();
            }
            assert_eq!((String::from_utf8(got).unwrap().as_str(), &coded[taken..]), (body, rest), "cut at {cut}");
            assert!(chunks.is_done());
        }
    }

    #[test]
    fn chunks_become_a_body_wherever_they_are_cut() {
        check("0\r\n\r\n", "", "");
        check("3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\nnext", "abc0123456789", "next");
        check("1;name=\"a;b\"\r\nx\r\n1 \r\ny\r\n0\r\nTrailer: 1\r\nOther: 2\r\n\r\n", "xy", "");
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        let refused = |coded: &[u8]| Chunks::default().take(coded, |_| Ok(())).is_err();
        let endless = [b"1;".as_slice(), &[b'x'; limits::HEAD_BYTES + 1]].concat();
        let trailers = [b"0\r\n".as_slice(), &b"a: b\r\n".repeat(limits::HEAD_BYTES / 4)].concat();
        for coded in [
            &b"\r\n"[..],
            b"x\r\n",
            b"-1\r\n",
            b"1\nx\r\n",
            b"1\r\nxy",
            b"1\r\nx\ny",
            b"0\r\na\n",
            b"fffffffffffffffff\r\n",
            &endless,
            &trailers,
        ] {
            assert!(refused(coded), "{:?}", String::from_utf8_lossy(coded.get(..40).unwrap_or(coded)));
        }
        assert!(!refused(b"ffffffffffffffff\r\nabc"), "a size that fits is believed until the cap of the body");
    }
}
