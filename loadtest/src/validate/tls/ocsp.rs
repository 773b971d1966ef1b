//! Reads an OCSP answer (RFC 6960, 4.2.1): which certificate it is about, what it says of it, and until when. Pure. What it does not know:
//! whether the answer's signature is right; clients that care check that themselves, and take a wrong one for none.

use chrono::{DateTime, NaiveDateTime, Utc};

/// What the answer says of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::validate) struct Single {
    /// The certificate's number, without leading zeros.
    pub(in crate::validate) serial: Vec<u8>,
    /// `good`, `revoked` or `unknown`.
    pub(in crate::validate) status: &'static str,
    /// When it was said.
    pub(in crate::validate) from: DateTime<Utc>,
    /// Until when it holds; always, when the responder does not say.
    pub(in crate::validate) until: Option<DateTime<Utc>>,
}

const SEQUENCE: u8 = 0x30;
const ENUMERATED: u8 = 0x0a;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const INTEGER: u8 = 0x02;
const TIME: u8 = 0x18;

/// Reads an answer; why not, otherwise.
pub(in crate::validate) fn read(bytes: &[u8]) -> Result<Vec<Single>, String> {
    let unreadable = || "it is no OCSP answer".to_owned();
    let mut response = Der(bytes).inner(SEQUENCE).ok_or_else(unreadable)?;
    match response.next(ENUMERATED).ok_or_else(unreadable)? {
        [0] => {}
        other => return Err(format!("the responder refused (status {})", other.first().unwrap_or(&0))),
    }
    singles(response).ok_or_else(unreadable)
}

fn singles(mut response: Der<'_>) -> Option<Vec<Single>> {
    let mut bytes = Der(response.next(0xa0)?).inner(SEQUENCE)?;
    bytes.next(OID)?;
    let mut data = Der(bytes.next(OCTETS)?).inner(SEQUENCE)?.inner(SEQUENCE)?;
    data.skip_if(0xa0); // the version
    data.skip(); // who answers
    data.next(TIME)?;
    let mut all = Der(data.next(SEQUENCE)?);
    let mut found = Vec::new();
    while !all.0.is_empty() {
        found.push(single(Der(all.next(SEQUENCE)?))?);
    }
    Some(found)
}

fn single(mut one: Der<'_>) -> Option<Single> {
    let mut id = Der(one.next(SEQUENCE)?);
    id.next(SEQUENCE)?;
    id.next(OCTETS)?;
    id.next(OCTETS)?;
    let serial = significant(id.next(INTEGER)?).to_vec();
    let status = match one.skip()? & 0x1f {
        0 => "good",
        1 => "revoked",
        _ => "unknown",
    };
    let from = time(one.next(TIME)?)?;
    let until = one.next(0xa0).and_then(|inner| Der(inner).next(TIME)).and_then(time);
    Some(Single { serial, status, from, until })
}

/// A number without the zeros that DER may put before it.
pub(in crate::validate) fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn time(text: &[u8]) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(text).ok()?;
    Some(NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%SZ").ok()?.and_utc())
}

/// What is left of some DER.
#[derive(Clone, Copy)]
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next element, which must have this tag; what is inside.
    fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content, rest) = element(self.0)?;
        (found == tag).then(|| {
            self.0 = rest;
            content
        })
    }

    /// What is inside the next element.
    fn inner(mut self, tag: u8) -> Option<Der<'a>> {
        self.next(tag).map(Der)
    }

    /// Passes over the next element; its tag.
    fn skip(&mut self) -> Option<u8> {
        let (tag, _, rest) = element(self.0)?;
        self.0 = rest;
        Some(tag)
    }

    fn skip_if(&mut self, tag: u8) {
        if self.0.first() == Some(&tag) {
            self.skip();
        }
    }
}

/// Tag, content and the rest. Lengths of more than four bytes belong to nothing that fits into memory.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        (digits.len() <= 4)
            .then(|| digits.iter().fold(0_usize, |all, digit| (all << 8) | usize::from(*digit)))
            .zip(Some(rest))?
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let mut all = vec![tag];
        match u8::try_from(content.len()) {
            Ok(short) if short < 0x80 => all.push(short),
            _ => all.extend([0x82].iter().chain(&u16::try_from(content.len()).unwrap().to_be_bytes())),
        }
        all.extend(content);
        all
    }

    fn answer(status: &[u8], until: Option<&str>) -> Vec<u8> {
        let hash = der(OCTETS, &[&[1; 20]]);
        let id = der(SEQUENCE, &[&der(SEQUENCE, &[]), &hash, &hash, &der(INTEGER, &[&[0, 0xf0, 1]])]);
        let until = until.map(|until| der(0xa0, &[&der(TIME, &[until.as_bytes()])])).unwrap_or_default();
        let one = der(SEQUENCE, &[&id, status, &der(TIME, &[b"20260101000000Z"]), &until]);
        let who = der(0xa2, &[&hash]);
        let data = der(SEQUENCE, &[&who, &der(TIME, &[b"20260101000000Z"]), &der(SEQUENCE, &[&one])]);
        let basic = der(SEQUENCE, &[&data, &[7; 200]]);
        let bytes = der(SEQUENCE, &[&der(OID, &[&[43, 6]]), &der(OCTETS, &[&basic])]);
        der(SEQUENCE, &[&der(ENUMERATED, &[&[0]]), &der(0xa0, &[&bytes])])
    }

    #[test]
    fn an_answer_says_of_which_certificate_what_and_until_when() {
        let read_one = |status: &[u8], until| read(&answer(status, until)).unwrap().remove(0);
        let good = read_one(&[0x80, 0], Some("20260108000000Z"));
        assert_eq!((good.serial.as_slice(), good.status), (&[0xf0, 1][..], "good"));
        assert_eq!(good.until.unwrap().to_rfc3339(), "2026-01-08T00:00:00+00:00");
        let revoked = read_one(&der(0xa1, &[&der(TIME, &[b"20251231000000Z"])]), None);
        assert_eq!((revoked.status, revoked.until), ("revoked", None));
        assert_eq!(
            read(&der(SEQUENCE, &[&der(ENUMERATED, &[&[3]])])),
            Err("the responder refused (status 3)".to_owned())
        );
        assert_eq!(read(b"nonsense"), Err("it is no OCSP answer".to_owned()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..400) {
            let _ = read(&bytes);
            let mut broken = answer(&[0x80, 0], None);
            let length = broken.len();
            broken[at % length] ^= bytes.first().copied().unwrap_or(1);
            let _ = read(&broken);
        }
    }
}
