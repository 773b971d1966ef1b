//! RESP2, the protocol of Redis: requests are written, replies are read out of a buffer that may hold a part of one.
//! Pure; the bytes may be anything. What must stay true: a reply is never larger, deeper or longer than its caps, and a length that
//! a peer announces is believed only after its bytes have come.

use crate::limits;

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// `+OK`.
    Simple(String),
    /// `-ERR …`.
    Error(String),
    /// `:7`.
    Integer(i64),
    /// `$3 abc`; `None` is the null reply.
    Bulk(Option<Vec<u8>>),
    /// `*2 …`; a null list is an empty one.
    List(Vec<Reply>),
}

impl Reply {
    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// A text, when it is one in UTF-8.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Simple(text) => Some(text),
            Self::Bulk(Some(bytes)) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// A whole number.
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            _ => None,
        }
    }
}

/// Why bytes are no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    /// Not RESP at all.
    #[error("the answer is not RESP")]
    Foreign,
    /// RESP, but more than is read.
    #[error("the answer is larger than {} bytes or nested too deep", limits::REDIS_REPLY_BYTES)]
    TooLarge,
}

/// The first reply in a buffer and the number of bytes it took; `None` when it has not come completely.
pub(super) fn decode(buffer: &[u8]) -> Result<Option<(Reply, usize)>, Broken> {
    let mut reader = Reader { buffer, at: 0, left: limits::REDIS_REPLY_ITEMS };
    let reply = reader.reply(0)?;
    if reply.is_none() && buffer.len() >= limits::REDIS_REPLY_BYTES {
        return Err(Broken::TooLarge);
    }
    Ok(reply.map(|reply| (reply, reader.at)))
}

/// How far a reply that comes in pieces has been looked at: each piece is looked at once, however small it is.
pub(super) struct Progress {
    at: usize,
    /// Items that must still come.
    open: usize,
}

impl Progress {
    /// Nothing has come.
    pub(super) const fn new() -> Self {
        Self { at: 0, open: 1 }
    }

    /// Looks at what has come. The length of the reply, once it is there as a whole; it may hold more items than are read.
    pub(super) fn look(&mut self, buffer: &[u8]) -> Result<Option<usize>, Broken> {
        while self.open > 0 {
            let mut reader = Reader { buffer, at: self.at, left: 0 };
            let Some(line) = reader.line()? else { break };
            let (kind, rest) = line.split_at_checked(1).ok_or(Broken::Foreign)?;
            let (bytes, items) = match kind {
                "$" => (length(rest, limits::REDIS_REPLY_BYTES)?.map_or(0, |length| length + 2), 0),
                "*" => (0, length(rest, limits::REDIS_REPLY_BYTES)?.unwrap_or(0)),
                _ => (0, 0),
            };
            if reader.at + bytes > buffer.len() {
                break;
            }
            (self.at, self.open) = (reader.at + bytes, self.open - 1 + items);
            if self.open > limits::REDIS_REPLY_BYTES {
                return Err(Broken::TooLarge);
            }
        }
        match self.open {
            0 => Ok(Some(self.at)),
            _ if buffer.len() >= limits::REDIS_REPLY_BYTES => Err(Broken::TooLarge),
            _ => Ok(None),
        }
    }
}

/// Reads whatever a server sent, for fuzzing.
pub(super) fn read(bytes: &[u8]) {
    let _reply = decode(bytes);
}

/// A request: a list of bulk strings.
pub(super) fn encode(words: &[&str]) -> Vec<u8> {
    let mut request = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        request.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
    request
}

struct Reader<'a> {
    buffer: &'a [u8],
    at: usize,
    /// Items that may still come, over all lists.
    left: usize,
}

impl Reader<'_> {
    fn reply(&mut self, depth: usize) -> Result<Option<Reply>, Broken> {
        self.left = self.left.checked_sub(1).filter(|_| depth <= limits::REDIS_REPLY_DEPTH).ok_or(Broken::TooLarge)?;
        let Some(line) = self.line()? else { return Ok(None) };
        let (kind, rest) = line.split_at_checked(1).ok_or(Broken::Foreign)?;
        match kind {
            "+" => Ok(Some(Reply::Simple(rest.to_owned()))),
            "-" => Ok(Some(Reply::Error(rest.to_owned()))),
            ":" => rest.parse().map(Reply::Integer).map(Some).map_err(|_| Broken::Foreign),
            "$" => self.bulk(length(rest, limits::REDIS_REPLY_BYTES)?),
            "*" => self.list(length(rest, limits::REDIS_REPLY_ITEMS)?, depth),
            _ => Err(Broken::Foreign),
        }
    }

    fn bulk(&mut self, length: Option<usize>) -> Result<Option<Reply>, Broken> {
        let Some(length) = length else { return Ok(Some(Reply::Bulk(None))) };
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let Some((bytes, end)) = rest.split_at_checked(length) else { return Ok(None) };
        match end.get(..2) {
            None => Ok(None),
            Some(b"\r\n") => {
                self.at += length + 2;
                Ok(Some(Reply::Bulk(Some(bytes.to_vec()))))
            }
            Some(_) => Err(Broken::Foreign),
        }
    }

    fn list(&mut self, length: Option<usize>, depth: usize) -> Result<Option<Reply>, Broken> {
        let mut items = Vec::new();
        for _ in 0..length.unwrap_or(0) {
            let Some(item) = self.reply(depth + 1)? else { return Ok(None) };
            items.push(item);
        }
        Ok(Some(Reply::List(items)))
    }

    /// The next line without its end. The first byte is judged at once: a stranger may never send a line's end.
    fn line(&mut self) -> Result<Option<String>, Broken> {
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        if rest.first().is_some_and(|kind| !b"+-:$*".contains(kind)) {
            return Err(Broken::Foreign);
        }
        let window = rest.get(..limits::REDIS_LINE_BYTES).unwrap_or(rest);
        match window.windows(2).position(|pair| pair == b"\r\n") {
            Some(end) => {
                self.at += end + 2;
                Ok(Some(String::from_utf8_lossy(window.get(..end).unwrap_or_default()).into_owned()))
            }
            None if window.len() == limits::REDIS_LINE_BYTES => Err(Broken::TooLarge),
            None => Ok(None),
        }
    }
}

/// An announced length; -1 is null.
fn length(text: &str, most: usize) -> Result<Option<usize>, Broken> {
    match text.parse::<i64>().map_err(|_| Broken::Foreign)? {
        -1 => Ok(None),
        length => {
            let length = usize::try_from(length).map_err(|_| Broken::Foreign)?;
            if length > most { Err(Broken::TooLarge) } else { Ok(Some(length)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(bytes: &[u8]) -> Result<Option<Reply>, Broken> {
        decode(bytes).map(|read| read.map(|(reply, _)| reply))
    }

    #[test]
    fn reads_each_kind_of_reply() {
        assert_eq!(one(b"+PONG\r\n"), Ok(Some(Reply::Simple("PONG".into()))));
        assert_eq!(one(b"-ERR no\r\n"), Ok(Some(Reply::Error("ERR no".into()))));
        assert_eq!(one(b":-7\r\n"), Ok(Some(Reply::Integer(-7))));
        assert_eq!(one(b"$3\r\na\r\n\r\n"), Ok(Some(Reply::Bulk(Some(b"a\r\n".to_vec())))));
        assert_eq!(one(b"$-1\r\n"), Ok(Some(Reply::Bulk(None))));
        assert_eq!(
            one(b"*2\r\n:1\r\n$0\r\n\r\n"),
            Ok(Some(Reply::List(vec![Reply::Integer(1), Reply::Bulk(Some(vec![]))])))
        );
        assert_eq!(decode(b":1\r\n:2\r\n"), Ok(Some((Reply::Integer(1), 4))));
    }

    #[test]
    fn refuses_what_is_no_reply_at_its_first_byte() {
        for bytes in [&b"H"[..], b"\x16\x03\x01", b"\x4a\0\0\0\x0a8.0", b"E\0\0\0"] {
            assert_eq!(one(bytes), Err(Broken::Foreign));
        }
        for bytes in [&b":x\r\n"[..], b"$-2\r\n", b"$1\r\nabc", b"*x\r\n"] {
            assert_eq!(one(bytes), Err(Broken::Foreign), "{bytes:?}");
        }
    }

    #[test]
    fn an_announced_length_beyond_the_cap_is_refused_before_its_bytes_come() {
        assert_eq!(one(b"$4294967295\r\n"), Err(Broken::TooLarge));
        assert_eq!(one(b"*4294967295\r\n"), Err(Broken::TooLarge));
        assert_eq!(one(&b"*1\r\n".repeat(limits::REDIS_REPLY_DEPTH + 2)), Err(Broken::TooLarge));
        assert_eq!(one(&vec![b'+'; limits::REDIS_LINE_BYTES]), Err(Broken::TooLarge));
        let wide =
            [format!("*{}\r\n", limits::REDIS_REPLY_ITEMS).into_bytes(), b":1\r\n".repeat(limits::REDIS_REPLY_ITEMS)]
                .concat();
        assert_eq!(one(&wide), Err(Broken::TooLarge));
    }

    #[test]
    fn a_request_is_a_list_of_bulk_strings() {
        assert_eq!(encode(&["GET", "schlüssel"]), "*2\r\n$3\r\nGET\r\n$10\r\nschlüssel\r\n".as_bytes());
    }

    fn written(reply: &Reply) -> Vec<u8> {
        match reply {
            Reply::Simple(text) => format!("+{text}\r\n").into_bytes(),
            Reply::Error(text) => format!("-{text}\r\n").into_bytes(),
            Reply::Integer(number) => format!(":{number}\r\n").into_bytes(),
            Reply::Bulk(None) => b"$-1\r\n".to_vec(),
            Reply::Bulk(Some(bytes)) => [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat(),
            Reply::List(items) => {
                [format!("*{}\r\n", items.len()).into_bytes(), items.iter().flat_map(written).collect()].concat()
            }
        }
    }

    fn replies() -> impl Strategy<Value = Reply> {
        let leaf = prop_oneof![
            "[a-zA-Z ]{0,20}".prop_map(Reply::Simple),
            "[a-zA-Z ]{0,20}".prop_map(Reply::Error),
            any::<i64>().prop_map(Reply::Integer),
            proptest::option::of(proptest::collection::vec(any::<u8>(), 0..50)).prop_map(Reply::Bulk),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| proptest::collection::vec(inner, 0..4).prop_map(Reply::List))
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_calmly(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(Some((_, used))) = decode(&bytes) {
                prop_assert!(used <= bytes.len());
            }
        }

        #[test]
        fn what_is_written_is_read_and_no_part_of_it_is_a_reply(reply in replies()) {
            let bytes = written(&reply);
            for end in 0..bytes.len() {
                prop_assert_eq!(decode(&bytes[..end]), Ok(None));
            }
            prop_assert_eq!(decode(&bytes), Ok(Some((reply, bytes.len()))));
        }
    }
}
