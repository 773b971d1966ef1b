//! What reads bytes that a peer or the kernel chose. Each table row lists its parsers, and `fuzz.rs` gathers
//! them, so a new one needs no further list. A leaf. What must stay true: a parser ends, and neither panics nor grows
//! with what it reads.

/// A parser by name. `read` gives nothing back: it is there to be fed.
#[derive(Clone, Copy, Debug)]
pub struct Parser {
    /// Its name, also that of its corpus in `tests/fuzz/corpus`.
    pub name: &'static str,
    /// Feeds it these bytes, as a peer would send them.
    pub read: fn(&[u8]),
}

/// Drives a future over bytes in memory to its end. Such a future never waits, so one that is not ready is a bug.
///
/// # Panics
/// When the future waits for something else than the bytes it was given.
#[expect(clippy::panic, reason = "called by fuzz targets and tests only: a parser that waits is a finding")]
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    use futures_util::FutureExt as _;
    future.now_or_never().unwrap_or_else(|| panic!("the parser waits for more than its bytes"))
}
