//! Frames of RFC 6455 as a client sends and receives them. Pure. What must stay true: a length is judged before anything of that length
//! is kept, so a frame that claims 2^63 bytes costs nothing.

use crate::limits;
use std::fmt;

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A whole message, its fragments joined; text that is not UTF-8 is an error.
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// The code, when one is said, and why.
    Close(Option<u16>, String),
}

/// Why what came is no frame that a client may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    #[error("a frame claims {0} bytes, more than a check reads")]
    TooLong(u64),
    #[error("a frame's length has its highest bit set")]
    Length,
    #[error("a frame uses an extension that was not asked for")]
    Extension,
    #[error("a frame is masked, which only clients do")]
    Masked,
    #[error("a frame has the unknown opcode {0}")]
    Opcode(u8),
    #[error("a control frame is longer than 125 bytes or in pieces")]
    Control,
    #[error("a fragment continues no message, or a message begins inside another")]
    Fragment,
    #[error("a text is not valid UTF-8")]
    Utf8,
    #[error("a thousand frames in a row that end no message")]
    Idle,
}

/// What is known of a frame before its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    last: bool,
    opcode: u8,
    length: usize,
    /// Bytes of the head itself.
    size: usize,
}

const CONTINUED: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

impl Head {
    /// Reads it; `None` while it is not whole. `room` is what the payload may have.
    fn read(bytes: &[u8], room: usize) -> Result<Option<Self>, Broken> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        let (last, opcode) = (first & 0x80 != 0, first & 0x0f);
        let control = opcode >= CLOSE;
        if first & 0x70 != 0 {
            return Err(Broken::Extension);
        }
        if !matches!(opcode, CONTINUED | TEXT | BINARY | CLOSE | PING | PONG) {
            return Err(Broken::Opcode(opcode));
        }
        if second & 0x80 != 0 {
            return Err(Broken::Masked);
        }
        let (length, size) = match (second & 0x7f, rest) {
            (126 | 127, _) if control => return Err(Broken::Control),
            (126, [a, b, ..]) => (u64::from(u16::from_be_bytes([*a, *b])), 4),
            (127, [a, b, c, d, e, f, g, h, ..]) => (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), 10),
            (126 | 127, _) => return Ok(None),
            (short, _) => (u64::from(short), 2),
        };
        if length >> 63 != 0 {
            return Err(Broken::Length);
        }
        if control && !last {
            return Err(Broken::Control);
        }
        let fits = usize::try_from(length).ok().filter(|length| control || *length <= room);
        let length = fits.ok_or(Broken::TooLong(length))?;
        Ok(Some(Self { last, opcode, length, size }))
    }
}

/// What has come of a server's frames and has not been understood yet.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    /// The opcode and the fragments of a message that has begun.
    message: Option<(u8, Vec<u8>)>,
    idle: usize,
}

impl Inbox {
    /// Keeps what came.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole event; `None` when more must come first.
    pub(super) fn take(&mut self) -> Result<Option<Event>, Broken> {
        loop {
            let begun = self.message.as_ref().map_or(0, |(_, pieces)| pieces.len());
            let Some(head) = Head::read(&self.bytes, limits::WEBSOCKET_MESSAGE_BYTES.saturating_sub(begun))? else {
                return Ok(None);
            };
            let end = head.size + head.length;
            let Some(payload) = self.bytes.get(head.size..end).map(<[u8]>::to_vec) else { return Ok(None) };
            self.bytes.drain(..end);
            let event = self.event(head, payload)?;
            let ends = matches!(event, Some(Event::Text(_) | Event::Binary(_) | Event::Close(..)));
            self.idle = if ends { 0 } else { self.idle + 1 };
            if self.idle > limits::WEBSOCKET_IDLE_FRAMES {
                return Err(Broken::Idle);
            }
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    fn event(&mut self, head: Head, payload: Vec<u8>) -> Result<Option<Event>, Broken> {
        match (head.opcode, self.message.take()) {
            (PING, begun) => {
                self.message = begun;
                Ok(Some(Event::Ping(payload)))
            }
            (PONG, begun) => {
                self.message = begun;
                Ok(Some(Event::Pong(payload)))
            }
            (CLOSE, _) => close(&payload).map(Some),
            (CONTINUED, Some((opcode, mut pieces))) => {
                pieces.extend_from_slice(&payload);
                self.whole(head.last, opcode, pieces)
            }
            (TEXT | BINARY, None) => self.whole(head.last, head.opcode, payload),
            _ => Err(Broken::Fragment),
        }
    }

    fn whole(&mut self, last: bool, opcode: u8, message: Vec<u8>) -> Result<Option<Event>, Broken> {
        if !last {
            self.message = Some((opcode, message));
            return Ok(None);
        }
        if opcode == BINARY {
            return Ok(Some(Event::Binary(message)));
        }
        String::from_utf8(message).map(|text| Some(Event::Text(text))).map_err(|_| Broken::Utf8)
    }
}

fn close(payload: &[u8]) -> Result<Event, Broken> {
    match payload {
        [] => Ok(Event::Close(None, String::new())),
        [_] => Err(Broken::Control),
        [high, low, why @ ..] => {
            let why = str::from_utf8(why).map_err(|_| Broken::Utf8)?;
            Ok(Event::Close(Some(u16::from_be_bytes([*high, *low])), why.to_owned()))
        }
    }
}

/// What a client says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Say<'a> {
    Text(&'a str),
    Ping(&'a [u8]),
    Pong(&'a [u8]),
    /// The goodbye of one who is done.
    Close,
}

impl Say<'_> {
    /// The frame, masked as every client's must be.
    pub(super) fn frame(self, mask: [u8; 4]) -> Vec<u8> {
        let done = 1000_u16.to_be_bytes();
        let (opcode, payload): (u8, &[u8]) = match self {
            Self::Text(text) => (TEXT, text.as_bytes()),
            Self::Ping(payload) => (PING, payload),
            Self::Pong(payload) => (PONG, payload),
            Self::Close => (CLOSE, &done),
        };
        let mut frame = vec![0x80 | opcode];
        match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
            (Ok(short @ ..126), _) => frame.push(0x80 | short),
            (_, Ok(length)) => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&length.to_be_bytes());
            }
            _ => {
                frame.push(0x80 | 127);
                frame.extend_from_slice(&u64::try_from(payload.len()).unwrap_or_default().to_be_bytes());
            }
        }
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Binary(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Ping(_) => f.write_str("a ping"),
            Self::Pong(_) => f.write_str("a pong"),
            Self::Close(..) => f.write_str("a goodbye"),
        }
    }
}

/// Reads whatever comes, for fuzzing.
pub(super) fn read(bytes: &[u8]) {
    let mut inbox = Inbox::default();
    for piece in bytes.chunks(7) {
        inbox.feed(piece);
        while let Ok(Some(_)) = inbox.take() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(bytes: &[u8]) -> Result<Vec<Event>, Broken> {
        let (mut inbox, mut all) = (Inbox::default(), Vec::new());
        inbox.feed(bytes);
        while let Some(event) = inbox.take()? {
            all.push(event);
        }
        Ok(all)
    }

    #[test]
    fn reads_the_examples_of_the_rfc() {
        let text = |text: &str| vec![Event::Text(text.to_owned())];
        assert_eq!(events(b"\x81\x05Hello"), Ok(text("Hello")));
        assert_eq!(events(b"\x01\x03Hel\x80\x02lo"), Ok(text("Hello")));
        assert_eq!(events(b"\x89\x05Hello"), Ok(vec![Event::Ping(b"Hello".to_vec())]));
        let long = [b"\x82\x7e\x01\x00".as_slice(), &[7; 256]].concat();
        assert_eq!(events(&long), Ok(vec![Event::Binary(vec![7; 256])]));
        let longer = [b"\x82\x7f\0\0\0\0\0\x01\0\0".as_slice(), &vec![7; 65_536]].concat();
        assert_eq!(events(&longer), Ok(vec![Event::Binary(vec![7; 65_536])]));
        assert_eq!(events(b"\x88\x05\x03\xf0bye"), Ok(vec![Event::Close(Some(1008), "bye".to_owned())]));
        let between = b"\x01\x03Hel\x89\x01x\x80\x02lo";
        assert_eq!(events(between), Ok(vec![Event::Ping(b"x".to_vec()), Event::Text("Hello".to_owned())]));
    }

    #[test]
    fn refuses_what_no_server_may_send() {
        let cases: &[(&[u8], Broken)] = &[
            (b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", Broken::TooLong(i64::MAX.unsigned_abs())),
            (b"\x82\x7f\x80\0\0\0\0\0\0\0", Broken::Length),
            (b"\xc1\x00", Broken::Extension),
            (b"\x81\x85\0\0\0\0Hello", Broken::Masked),
            (b"\x83\x00", Broken::Opcode(3)),
            (b"\x09\x00", Broken::Control),
            (b"\x89\x7e\x00\x7e", Broken::Control),
            (b"\x88\x01x", Broken::Control),
            (b"\x80\x00", Broken::Fragment),
            (b"\x01\x00\x01\x00", Broken::Fragment),
            (b"\x81\x01\xff", Broken::Utf8),
        ];
        for (bytes, expected) in cases {
            assert_eq!(events(bytes), Err(*expected), "{bytes:x?}");
        }
        assert_eq!(events(&b"\x8a\x00".repeat(limits::WEBSOCKET_IDLE_FRAMES + 1)), Err(Broken::Idle));
    }

    #[test]
    fn fragments_together_have_the_limit_of_one_message() {
        let half = limits::WEBSOCKET_MESSAGE_BYTES / 2 + 1;
        let head = |opcode: u8| [vec![opcode, 127], u64::try_from(half).unwrap().to_be_bytes().to_vec()].concat();
        let bytes = [head(2), vec![0; half], head(0x80)].concat();
        assert_eq!(events(&bytes), Err(Broken::TooLong(u64::try_from(half).unwrap())));
    }

    proptest! {
        #[test]
        fn what_is_said_is_read_back(text in ".{0,300}", mask: [u8; 4]) {
            let mut frame = Say::Text(&text).frame(mask);
            // A server's frame is a client's without the mask.
            let at = if frame[1] & 0x7f == 126 { 4 } else { 2 };
            frame[1] &= 0x7f;
            let payload: Vec<u8> = frame.drain(at..).skip(4).zip(mask.iter().cycle()).map(|(b, m)| b ^ m).collect();
            frame.extend(payload);
            prop_assert_eq!(events(&frame), Ok(vec![Event::Text(text)]));
        }

        #[test]
        fn any_bytes_are_taken_calmly_in_any_pieces(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            read(&bytes);
        }
    }
}
