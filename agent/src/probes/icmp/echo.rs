//! Echo messages of ICMP (RFC 792) and ICMPv6 (RFC 4443): eight bytes of head and what is sent along. The kernel puts in checksum
//! and id, and passes on replies that bear our id.

/// Head of an echo message: type, code, checksum, id, sequence number.
const HEAD: usize = 8;

/// A request with a number and content of its own, so that no other reply is taken for its reply.
pub(super) struct Echo {
    v6: bool,
    sequence: u16,
    payload: Vec<u8>,
}

impl Echo {
    pub(super) fn new(v6: bool, size: usize) -> Self {
        let token = fastrand::u64(..).to_be_bytes();
        let payload = token.iter().chain(b"sidecar agent ").copied().cycle().take(size).collect();
        Self { v6, sequence: fastrand::u16(..), payload }
    }

    /// The message to send.
    pub(super) fn request(&self) -> Vec<u8> {
        self.message(if self.v6 { 128 } else { 8 })
    }

    /// Room for the reply, and for one byte more, so that a longer one is seen to be longer.
    pub(super) fn reply_bytes(&self) -> usize {
        HEAD + self.payload.len() + 1
    }

    pub(super) fn is_answered_by(&self, message: &[u8]) -> bool {
        let wanted = self.message(if self.v6 { 129 } else { 0 });
        let (wanted_type, came_type) = (wanted.get(..2), message.get(..2));
        wanted_type == came_type && wanted.get(6..) == message.get(6..)
    }

    fn message(&self, kind: u8) -> Vec<u8> {
        let [high, low] = self.sequence.to_be_bytes();
        let mut message = vec![kind, 0, 0, 0, 0, 0, high, low];
        message.extend_from_slice(&self.payload);
        message
    }
}

/// What a peer's bytes go through.
pub(super) fn feed(bytes: &[u8]) {
    let sequence = bytes.get(6..8).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u16::from_be_bytes(*bytes));
    let echo = Echo { v6: false, sequence, payload: bytes.get(HEAD..).unwrap_or_default().to_vec() };
    let _ = echo.is_answered_by(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sent_comes_back() {
        for v6 in [false, true] {
            let echo = Echo::new(v6, 28);
            let mut reply = echo.request();
            assert!(!echo.is_answered_by(&reply), "its own request");
            reply[0] = if v6 { 129 } else { 0 };
            // Checksum and id are the kernel's.
            reply[2..6].copy_from_slice(&[1, 2, 3, 4]);
            assert!(echo.is_answered_by(&reply));
            for (at, what) in [(1, "code"), (7, "sequence"), (8, "content"), (35, "end")] {
                let mut other = reply.clone();
                other[at] ^= 1;
                assert!(!echo.is_answered_by(&other), "{what}");
            }
            assert!(!echo.is_answered_by(&reply[..35]), "cut off");
            assert!(!echo.is_answered_by(&[reply.as_slice(), b"x"].concat()), "longer");
            assert!(!echo.is_answered_by(b""));
            assert_eq!(echo.reply_bytes(), 37);
        }
    }

    #[test]
    fn two_requests_differ() {
        assert_ne!(Echo::new(false, 28).request(), Echo::new(false, 28).request());
        assert_eq!(Echo::new(false, 0).request().len(), 8);
    }
}
