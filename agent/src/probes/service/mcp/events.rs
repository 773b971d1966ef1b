//! A stream of events (`text/event-stream`, WHATWG HTML section 9.2) as it comes, piece by piece. Only `data` counts here. Pure.

/// What has come and is no whole event yet. It grows with the body that is read, and so has its cap.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    after_cr: bool,
}

impl Events {
    /// Takes a piece; each event that is whole by it is given to `each`.
    pub(super) fn feed(&mut self, piece: &[u8], mut each: impl FnMut(&[u8])) {
        for byte in piece {
            let after_cr = std::mem::replace(&mut self.after_cr, *byte == b'\r');
            match byte {
                b'\n' if after_cr => {}
                b'\n' | b'\r' => self.end_line(&mut each),
                byte => self.line.push(*byte),
            }
        }
    }

    fn end_line(&mut self, each: &mut impl FnMut(&[u8])) {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            if !self.data.is_empty() {
                each(&std::mem::take(&mut self.data));
            }
            return;
        }
        if let Some(data) = line.strip_prefix(b"data:") {
            if !self.data.is_empty() {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(text: &str, piece: usize) -> Vec<String> {
        let (mut events, mut all) = (Events::default(), Vec::new());
        for piece in text.as_bytes().chunks(piece) {
            events.feed(piece, |event| all.push(String::from_utf8_lossy(event).into_owned()));
        }
        all
    }

    #[test]
    fn reads_events_with_any_line_end_in_any_pieces() {
        let text =
            ": ping\n\nevent: message\nid: 1\ndata: a\ndata:b\n\nretry: 5\r\ndata: c\r\n\r\ndata: d\r\rdata: cut";
        for piece in [1, 2, 7, 100] {
            assert_eq!(events(text, piece), ["a\nb", "c", "d"], "{piece}");
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(text in "(data: ?[a-z]{0,3}|[\r\n]|: x){0,20}", piece in 1_usize..9) {
            prop_assert_eq!(events(&text, piece), events(&text, 1000));
        }
    }
}
