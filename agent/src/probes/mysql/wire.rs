//! MySQL's packets over any stream: three bytes of length, one that counts, the rest. What must stay true: a packet that is announced
//! larger than the run may read ends it before a byte of it is kept, and every packet costs allowance, an empty one too.

use crate::limits;
use crate::probes::database::Stream;
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Why a conversation with the server ended.
#[derive(Debug)]
pub(in crate::probes) enum Trouble {
    /// The server's own answer; the connection can be used on.
    Refused {
        /// Its number of the error.
        number: u16,
        /// Its words.
        message: String,
    },
    /// The connection broke.
    Io(io::Error),
    /// More was announced or sent than is read.
    TooMuch,
    /// What came is no message that could come there.
    Nonsense(&'static str),
    /// The server wants a login that the agent cannot do.
    Plugin(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// One side of the conversation.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
    start: usize,
    sequence: u8,
    left: usize,
}

impl Wire {
    /// `first` has been read from the stream already.
    pub(super) fn new(stream: Box<dyn Stream>, first: Vec<u8>) -> Self {
        Self { stream, buffer: first, start: 0, sequence: 0, left: limits::SQL_ANSWER_BYTES }
    }

    /// A wire whose other end says these bytes and hears nothing.
    pub(super) fn over(bytes: &[u8]) -> Self {
        let said = io::Cursor::new(bytes.to_vec());
        Self::new(Box::new(tokio::io::join(said, tokio::io::sink())), Vec::new())
    }

    /// Gives a new run its allowance.
    pub(super) fn allow(&mut self) {
        self.left = limits::SQL_ANSWER_BYTES;
        self.buffer.shrink_to(limits::MYSQL_PIECE_BYTES);
    }

    /// Gives the stream back for TLS. Bytes that came before would be the words of whoever is in between.
    pub(super) fn into_stream(self) -> Result<Box<dyn Stream>, Trouble> {
        if self.start < self.buffer.len() {
            return Err(Trouble::Nonsense("bytes behind the greeting, before TLS"));
        }
        Ok(self.stream)
    }

    /// Which number the next packet has.
    pub(super) const fn sequence(&self) -> u8 {
        self.sequence
    }

    /// Goes on over another stream, counting where this one stopped.
    pub(super) fn counting(mut self, sequence: u8) -> Self {
        self.sequence = sequence;
        self
    }

    /// The next packet.
    pub(super) async fn read(&mut self) -> Result<&[u8], Trouble> {
        self.fill(4).await?;
        let Some(&[a, b, c, sequence]) = self.buffer.get(self.start..self.start + 4) else {
            return Err(Trouble::Nonsense("a packet without a length"));
        };
        let length = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
        self.left = self.left.checked_sub(length + 4).ok_or(Trouble::TooMuch)?;
        self.sequence = sequence.wrapping_add(1);
        self.fill(4 + length).await?;
        let begin = self.start + 4;
        self.start = begin + length;
        Ok(self.buffer.get(begin..self.start).unwrap_or_default())
    }

    async fn fill(&mut self, wanted: usize) -> Result<(), Trouble> {
        if self.buffer.len() - self.start >= wanted {
            return Ok(());
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        while self.buffer.len() < wanted {
            self.buffer.reserve(limits::MYSQL_PIECE_BYTES);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
        Ok(())
    }

    /// Sends an answer within the conversation.
    pub(super) async fn write(&mut self, payload: &[u8]) -> Result<(), Trouble> {
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
        let [a, b, c, 0] = length else { return Err(Trouble::TooMuch) };
        let packet = [&[a, b, c, self.sequence], payload].concat();
        self.sequence = self.sequence.wrapping_add(1);
        self.stream.write_all(&packet).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// Begins a new exchange.
    pub(super) async fn ask(&mut self, payload: &[u8]) -> Result<(), Trouble> {
        self.sequence = 0;
        self.write(payload).await
    }
}
