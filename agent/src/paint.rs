//! Colour for people at a terminal, and the room that it has. A leaf. Colour never carries meaning: each text reads the same without it.

use std::io::IsTerminal;
use std::os::fd::AsFd;

/// Rows and columns of a terminal; `None` when it is none, or does not say.
#[must_use]
pub fn window(of: impl AsFd) -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(of).ok()?;
    room(size.ws_row, size.ws_col)
}

/// One that says 0, as under `script` and some CI runners, has not said; nothing may be cut for it.
fn room(rows: u16, columns: u16) -> Option<(usize, usize)> {
    (rows > 0 && columns > 0).then_some((rows.into(), columns.into()))
}

/// Whether to colour, decided once for each stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// No colour.
    pub const OFF: Self = Self { on: false };

    /// Colour when the stream is a terminal that wants it: <https://no-color.org>, and `TERM=dumb`.
    #[must_use]
    pub fn for_stream(stream: &impl IsTerminal) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let able = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { on: wanted && able && stream.is_terminal() }
    }

    /// Bad news.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// Good news.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.with("1;32", text)
    }

    /// Worth a look.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.with("1;33", text)
    }

    /// Advice.
    #[must_use]
    pub fn cyan(self, text: &str) -> String {
        self.with("1;36", text)
    }

    /// Beside the point.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_the_text_is_untouched() {
        assert_eq!(Paint::OFF.red("no"), "no");
        assert_eq!(Paint { on: true }.red("no"), "\u{1b}[1;31mno\u{1b}[0m");
    }

    #[test]
    fn a_terminal_that_says_0_has_not_said() {
        assert_eq!((room(24, 80), room(24, 0), room(0, 80)), (Some((24, 80)), None, None));
    }
}
