//! Where the rounds are written: a terminal that is redrawn calmly, or a stream to which each round is added.
//! What must stay true: the cursor is visible again whenever and however the watching ends.

use crate::paint::window;
use std::io::{self, IsTerminal as _, Write as _};

/// The standard output, as far as redrawing goes.
#[derive(Debug)]
pub struct Screen {
    terminal: bool,
    /// Whether a round is drawn over the one before.
    over: bool,
    drawn: bool,
}

impl Screen {
    /// Looks at what standard output is; `again` when more than one round is drawn.
    #[must_use]
    pub fn of_stdout(again: bool) -> Self {
        let able = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let terminal = io::stdout().is_terminal();
        Self { terminal, over: again && able && terminal, drawn: false }
    }

    /// Columns, when it is a terminal that says them.
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        self.size().map(|(_, columns)| columns)
    }

    fn size(&self) -> Option<(usize, usize)> {
        window(io::stdout()).filter(|_| self.terminal)
    }

    /// Draws a round over the one before, or behind it where nothing can be drawn over.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn draw(&mut self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let text = if self.over {
            let rows = self.size().map(|(rows, _)| rows);
            over(text, rows, !self.drawn)
        } else {
            text.to_owned()
        };
        self.drawn = true;
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.over && self.drawn {
            // The terminal may be gone; then there is no cursor to show.
            let _ = io::stdout().lock().write_all(b"\x1b[?25h");
        }
    }
}

/// Draws line over line, clearing only what a longer line left behind: nothing flickers. What is below the last row is cut.
fn over(text: &str, rows: Option<usize>, first: bool) -> String {
    let mut out = String::from(if first { "\x1b[?25l\x1b[2J\x1b[H" } else { "\x1b[H" });
    let lines: Vec<&str> = text.lines().collect();
    // The line behind the last one is where the cursor rests.
    let room = rows.map_or(lines.len(), |rows| rows.saturating_sub(1));
    let shown = if lines.len() > room { room.saturating_sub(1) } else { lines.len() };
    for line in lines.iter().take(shown) {
        out.push_str(line);
        out.push_str("\x1b[K\n");
    }
    if shown < lines.len() {
        out.push_str(&format!("… {} more lines\x1b[K\n", lines.len() - shown));
    }
    out.push_str("\x1b[J");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_drawn_over_the_one_before() {
        assert_eq!(over("a\nb\n", Some(24), true), "\x1b[?25l\x1b[2J\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
        assert_eq!(over("a\n", None, false), "\x1b[Ha\x1b[K\n\x1b[J");
    }

    #[test]
    fn what_does_not_fit_is_counted_and_never_scrolls() {
        assert_eq!(over("a\nb\nc\nd\n", Some(4), false), "\x1b[Ha\x1b[K\nb\x1b[K\n… 2 more lines\x1b[K\n\x1b[J");
    }
}
