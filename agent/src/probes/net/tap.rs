//! A stream that keeps a copy of the first bytes read, so that a failed handshake can tell what answered instead.

use crate::limits;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream and the first bytes that came from it, at most [`limits::FIRST_BYTES`].
#[derive(Debug)]
pub struct Tap<S> {
    inner: S,
    first: Vec<u8>,
}

impl<S> Tap<S> {
    /// Watches a stream from its beginning.
    pub const fn new(inner: S) -> Self {
        Self { inner, first: Vec::new() }
    }

    /// The first bytes that came.
    #[must_use]
    pub fn first(&self) -> &[u8] {
        &self.first
    }

    /// The stream itself.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        let room = limits::FIRST_BYTES.saturating_sub(self.first.len());
        if room > 0 {
            let came = buffer.filled().get(before..).unwrap_or_default();
            self.first.extend(came.iter().take(room));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt as _;

    #[tokio::test]
    async fn keeps_the_first_bytes_and_no_more() {
        let long = vec![b'x'; limits::FIRST_BYTES * 3];
        let mut tap = Tap::new(long.as_slice());
        let mut all = Vec::new();
        tap.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), limits::FIRST_BYTES * 3);
        assert_eq!(tap.first().len(), limits::FIRST_BYTES);
    }
}
