//! DNS messages (RFC 1035, section 4): a question is written, an answer is read in place. Nothing of an answer is copied until a
//! record is turned into text, one at a time. What must stay true: reading ends, whatever counts and pointers say.

use std::borrow::Cow;

/// Why a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    /// It ends in the middle of something, mostly because a count is a lie.
    #[error("it ends before what it announces")]
    Short,
    /// A compressed name leads to itself, or forwards.
    #[error("a compressed name does not point backwards")]
    Loop,
    /// A name is longer than 255 bytes, or has a label of an unknown kind.
    #[error("a name in it is no name")]
    Name,
}

/// A question as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// The name in the form of the wire, uncompressed.
    pub(super) name: Vec<u8>,
    /// What is asked for.
    pub(super) kind: u16,
    /// In which class.
    pub(super) class: u16,
}

/// A name in the form of the wire; `None` when it is none.
pub(super) fn wire_name(text: &str) -> Option<Vec<u8>> {
    // What browsers do with a name that is not ASCII; a name in use may have `_`, which is why the others are taken as they are.
    let ascii = if text.is_ascii() { Cow::Borrowed(text) } else { url::Host::parse(text).ok()?.to_string().into() };
    let name = ascii.strip_suffix('.').unwrap_or(&ascii);
    let mut wire = Vec::with_capacity(name.len() + 2);
    for label in name.split('.').filter(|_| !name.is_empty()) {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        label.bytes().all(|byte| byte.is_ascii_graphic()).then(|| wire.push(length))?;
        wire.extend_from_slice(label.as_bytes());
    }
    wire.push(0);
    (wire.len() <= 255).then_some(wire)
}

/// The message that asks it.
pub(super) fn query(id: u16, recursion: bool, question: &Question) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend_from_slice(&[u8::from(recursion), 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    message.extend_from_slice(&question.name);
    message.extend_from_slice(&question.kind.to_be_bytes());
    message.extend_from_slice(&question.class.to_be_bytes());
    message
}

/// An answer that has been walked through once, so that its records can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer<'a> {
    /// Whether it was too long for its datagram.
    pub(super) truncated: bool,
    /// The response code.
    pub(super) rcode: u16,
    message: &'a [u8],
    sections: [Section; 3],
}

/// Where a section begins, and how many records it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Section {
    at: usize,
    count: u16,
}

/// A record, still in its message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) message: &'a [u8],
    /// Where its name begins.
    pub(super) at: usize,
    pub(super) kind: u16,
    pub(super) class: u16,
    pub(super) lifetime: u32,
    /// Where its content begins, and where it ends.
    pub(super) content: (usize, usize),
}

/// What stands at the beginning of a message, before anything of it is believed: id, and whether it is an answer.
pub(super) fn answers(message: &[u8], id: u16) -> bool {
    matches!(message, [a, b, flags, ..] if [*a, *b] == id.to_be_bytes() && flags & 0x80 != 0) && message.len() >= 12
}

/// Reads an answer; whether it answers this question is the caller's to ask.
///
/// # Errors
/// When it is malformed anywhere, also behind what is used of it.
pub(super) fn read(message: &[u8]) -> Result<(Vec<Question>, Answer<'_>), Malformed> {
    let flags = u16_at(message, 2)?;
    let mut at = 12;
    let mut questions = Vec::new();
    for _ in 0..u16_at(message, 4)? {
        let (name, end) = name_at(message, at)?;
        let question = Question { name, kind: u16_at(message, end)?, class: u16_at(message, end + 2)? };
        at = end + 4;
        // One is asked; a message with more is no answer to us, and is not kept.
        if questions.len() < 2 {
            questions.push(question);
        }
    }
    let mut sections = [Section::default(); 3];
    for (section, count_at) in sections.iter_mut().zip([6, 8, 10]) {
        *section = Section { at, count: u16_at(message, count_at)? };
        for _ in 0..section.count {
            at = record_at(message, at)?.content.1;
        }
    }
    Ok((questions, Answer { truncated: flags & 0x0200 != 0, rcode: flags & 0xf, message, sections }))
}

impl<'a> Answer<'a> {
    /// How many records the answer, authority and additional sections have.
    pub(super) fn counts(&self) -> [u16; 3] {
        self.sections.map(|section| section.count)
    }

    /// The records of a section: 0 is the answer, 1 authority, 2 additional.
    pub(super) fn records(&self, section: usize) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let (message, section) = (self.message, self.sections.get(section).copied().unwrap_or_default());
        let mut at = section.at;
        (0..section.count).map_while(move |_| {
            let record = record_at(message, at).ok()?;
            at = record.content.1;
            Some(record)
        })
    }
}

pub(super) fn u16_at(message: &[u8], at: usize) -> Result<u16, Malformed> {
    let bytes = message.get(at..).and_then(<[u8]>::first_chunk).ok_or(Malformed::Short)?;
    Ok(u16::from_be_bytes(*bytes))
}

pub(super) fn u32_at(message: &[u8], at: usize) -> Result<u32, Malformed> {
    let bytes = message.get(at..).and_then(<[u8]>::first_chunk).ok_or(Malformed::Short)?;
    Ok(u32::from_be_bytes(*bytes))
}

fn record_at(message: &[u8], at: usize) -> Result<Record<'_>, Malformed> {
    let head = skip_name(message, at)?;
    let begin = head + 10;
    let end = begin + usize::from(u16_at(message, head + 8)?);
    if end > message.len() {
        return Err(Malformed::Short);
    }
    let (kind, class) = (u16_at(message, head)?, u16_at(message, head + 2)?);
    Ok(Record { message, at, kind, class, lifetime: u32_at(message, head + 4)?, content: (begin, end) })
}

/// Where the name that begins here ends; what it points to is not looked at.
fn skip_name(message: &[u8], mut at: usize) -> Result<usize, Malformed> {
    loop {
        match message.get(at).copied().ok_or(Malformed::Short)? {
            0 => return Ok(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            192.. => return if at + 2 <= message.len() { Ok(at + 2) } else { Err(Malformed::Short) },
            _ => return Err(Malformed::Name),
        }
    }
}

/// Labels that fit into a name: one with more pointers than that has pointers that lead to nothing but pointers.
const LABELS: usize = 127;

/// The name that begins here, uncompressed, and where it ends in the message. Each pointer must lead to before the piece it stands
/// in, so that there are no loops.
pub(super) fn name_at(message: &[u8], start: usize) -> Result<(Vec<u8>, usize), Malformed> {
    let mut name = Vec::new();
    let (mut at, mut piece, mut end) = (start, start, None);
    let mut pointers = 0;
    loop {
        let length = message.get(at).copied().ok_or(Malformed::Short)?;
        match length {
            0 => {
                name.push(0);
                return Ok((name, end.unwrap_or(at + 1)));
            }
            1..=63 => {
                let next = at + 1 + usize::from(length);
                name.extend_from_slice(message.get(at..next).ok_or(Malformed::Short)?);
                at = next;
            }
            192.. => {
                end = end.or(Some(at + 2));
                at = usize::from(u16_at(message, at)? & 0x3fff);
                pointers += 1;
                if at >= piece || pointers > LABELS {
                    return Err(Malformed::Loop);
                }
                piece = at;
            }
            _ => return Err(Malformed::Name),
        }
        if name.len() > 254 {
            return Err(Malformed::Name);
        }
    }
}

/// The two names are one, by the rules of DNS.
pub(super) fn same_name(one: &[u8], other: &[u8]) -> bool {
    one.eq_ignore_ascii_case(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn example() -> Vec<u8> {
        let question = Question { name: wire_name("a.example").unwrap(), kind: 1, class: 1 };
        let mut message = query(7, true, &question);
        message[2] |= 0x80;
        message[7] = 1;
        message.extend_from_slice(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x7f\0\0\x01");
        message
    }

    #[test]
    fn a_question_is_written_and_its_answer_read() {
        let message = example();
        assert!(answers(&message, 7) && !answers(&message, 8) && !answers(&message[..11], 7));
        let (questions, answer) = read(&message).unwrap();
        assert_eq!(
            questions,
            [Question { name: wire_name("A.example.").unwrap().to_ascii_lowercase(), kind: 1, class: 1 }]
        );
        assert_eq!((answer.counts(), answer.rcode, answer.truncated), ([1, 0, 0], 0, false));
        assert_eq!(answer.records(0).count(), 1);
    }

    #[test]
    fn names_that_are_none_are_not_asked_for() {
        for text in ["a..b", ".a", &"x".repeat(64), &"x.".repeat(128), "a b.example"] {
            assert_eq!(wire_name(text), None, "{text}");
        }
        assert_eq!(wire_name("."), Some(vec![0]));
        assert_eq!(wire_name("_dmarc.bücher.example"), None.or_else(|| wire_name("_dmarc.xn--bcher-kva.example")));
    }

    #[test]
    fn loops_and_lies_are_refused() {
        let broken = |change: fn(&mut Vec<u8>)| {
            let mut message = example();
            change(&mut message);
            read(&message)
                .map(|(_, answer)| answer.records(0).filter_map(|record| name_at(&message, record.at).err()).collect())
        };
        assert_eq!(broken(|message| message[7] = 2), Err(Malformed::Short));
        assert_eq!(broken(|message| message[4] = 0xff), Err(Malformed::Short));
        assert_eq!(broken(|message| message.truncate(30)), Err(Malformed::Short));
        assert_eq!(broken(|message| message[27] = 0x80), Err(Malformed::Name));
        // To itself, and forwards.
        assert_eq!(broken(|message| message[28] = 27), Ok(vec![Malformed::Loop]));
        assert_eq!(broken(|message| message[28] = 40), Ok(vec![Malformed::Loop]));
        // Two pointers to each other: the second leads to before its own piece, the first never does.
        assert_eq!(name_at(b"\xc0\x02\xc0\x00", 0), Err(Malformed::Loop));
        assert_eq!(name_at(b"\xc0\x02\xc0\x00", 2), Err(Malformed::Loop));
        let long: Vec<u8> = [b"\x3f".as_slice(), &[b'x'; 63]].concat().repeat(5);
        assert_eq!(name_at(&long, 0), Err(Malformed::Name));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            super::super::feed(&bytes);
        }

        #[test]
        fn changed_answers_are_read_or_refused(at in 0_usize..43, byte: u8, cut in 0_usize..44) {
            let mut message = example();
            let length = message.len();
            message[at.min(length - 1)] = byte;
            super::super::feed(&message[..cut.min(length)]);
        }
    }
}
