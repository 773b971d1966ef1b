//! Records as text, in the form of zone files and of the library that blackbox_exporter uses, for patterns that were written for it:
//! `www.example.\t60\tIN\tA\t192.0.2.1`. Types without a form of their own have that of RFC 3597.

use super::message::{Malformed, Record, name_at, u16_at, u32_at};
use super::words::{class_name, type_name};
use base64::Engine as _;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

const A: u16 = 1;
const SOA: u16 = 6;

impl Record<'_> {
    /// The whole record as text.
    ///
    /// # Errors
    /// When its content is not of its type's form.
    pub(super) fn text(&self) -> Result<String, Malformed> {
        let (name, _) = name_at(self.message, self.at)?;
        let (class, kind) = (class_name(self.class), type_name(self.kind));
        Ok(format!("{}\t{}\t{class}\t{kind}\t{}", name_text(&name), self.lifetime, self.content_text()?))
    }

    /// The serial number of a zone, when this is its SOA record.
    pub(super) fn serial(&self) -> Option<u32> {
        let mut content = Content::of(self);
        (self.kind == SOA).then_some(())?;
        content.name().ok()?;
        content.name().ok()?;
        content.u32().ok()
    }

    fn content_text(&self) -> Result<String, Malformed> {
        let mut content = Content::of(self);
        let c = &mut content;
        let text = match self.kind {
            A => address(c.bytes(4)?).to_string(),
            28 => c.bytes(16)?.first_chunk::<16>().map(|bytes| Ipv6Addr::from(*bytes).to_string()).unwrap_or_default(),
            2 | 5 | 12 | 39 => c.name()?,
            SOA => {
                let mut text = format!("{} {}", c.name()?, c.name()?);
                for _ in 0..5 {
                    let _ = write!(text, " {}", c.u32()?);
                }
                text
            }
            15 | 18 | 36 => format!("{} {}", c.u16()?, c.name()?),
            33 => format!("{} {} {} {}", c.u16()?, c.u16()?, c.u16()?, c.name()?),
            13 | 16 | 99 => c.strings()?,
            17 => format!("{} {}", c.name()?, c.name()?),
            35 => format!("{} {} {} {} {} {}", c.u16()?, c.u16()?, c.string()?, c.string()?, c.string()?, c.name()?),
            43 | 59 => format!("{} {} {} {}", c.u16()?, c.u8()?, c.u8()?, hex(c.rest(), true)),
            44 => format!("{} {} {}", c.u8()?, c.u8()?, hex(c.rest(), true)),
            48 | 60 => format!("{} {} {} {}", c.u16()?, c.u8()?, c.u8()?, base64(c.rest())),
            52 | 53 => format!("{} {} {} {}", c.u8()?, c.u8()?, c.u8()?, hex(c.rest(), false)),
            256 => format!("{} {} {}", c.u16()?, c.u16()?, quoted(c.rest())),
            257 => {
                let flags = c.u8()?;
                let tag = usize::from(c.u8()?);
                let tag = String::from_utf8_lossy(c.bytes(tag)?).into_owned();
                format!("{flags} {tag} {}", quoted(c.rest()))
            }
            _ => {
                let bytes = c.rest();
                return Ok(format!("\\# {} {}", bytes.len(), hex(bytes, false)).trim_end().to_owned());
            }
        };
        Ok(text)
    }
}

/// The content of a record, taken piece by piece.
struct Content<'a> {
    message: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Content<'a> {
    fn of(record: &Record<'a>) -> Self {
        let (at, end) = record.content;
        Self { message: record.message, at, end }
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.end).ok_or(Malformed::Short)?;
        let bytes = self.message.get(self.at..end).ok_or(Malformed::Short)?;
        self.at = end;
        Ok(bytes)
    }

    fn rest(&mut self) -> &'a [u8] {
        self.bytes(self.end.saturating_sub(self.at)).unwrap_or_default()
    }

    fn u8(&mut self) -> Result<u8, Malformed> {
        self.bytes(1)?.first().copied().ok_or(Malformed::Short)
    }

    fn u16(&mut self) -> Result<u16, Malformed> {
        u16_at(self.bytes(2)?, 0)
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        u32_at(self.bytes(4)?, 0)
    }

    /// A name, which may point to before the record but must end within it.
    fn name(&mut self) -> Result<String, Malformed> {
        let (name, end) = name_at(self.message, self.at)?;
        self.at = Some(end).filter(|end| *end <= self.end).ok_or(Malformed::Short)?;
        Ok(name_text(&name))
    }

    fn string(&mut self) -> Result<String, Malformed> {
        let length = usize::from(self.u8()?);
        self.bytes(length).map(quoted)
    }

    fn strings(&mut self) -> Result<String, Malformed> {
        let mut text = String::new();
        while self.at < self.end {
            let separator = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{separator}{}", self.string()?);
        }
        Ok(text)
    }
}

fn address(bytes: &[u8]) -> Ipv4Addr {
    bytes.first_chunk::<4>().map_or(Ipv4Addr::UNSPECIFIED, |bytes| Ipv4Addr::from(*bytes))
}

/// A name of the wire as text, with its last dot.
pub(super) fn name_text(wire: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = wire;
    while let Some((length, behind)) = rest.split_first() {
        let Some((label, behind)) = behind.split_at_checked(usize::from(*length)).filter(|_| *length > 0) else {
            break;
        };
        for byte in label {
            match byte {
                b'.' | b'(' | b')' | b';' | b' ' | b'@' | b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
                0x21..=0x7e => text.push(char::from(*byte)),
                other => drop(write!(text, "\\{other:03}")),
            }
        }
        text.push('.');
        rest = behind;
    }
    if text.is_empty() { ".".to_owned() } else { text }
}

fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from('"');
    for byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            0x20..=0x7e => text.push(char::from(*byte)),
            other => drop(write!(text, "\\{other:03}")),
        }
    }
    text.push('"');
    text
}

fn hex(bytes: &[u8], upper: bool) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = if upper { write!(text, "{byte:02X}") } else { write!(text, "{byte:02x}") };
    }
    text
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::message::{Question, query, read, wire_name};

    /// The text of one record of this type in an answer to a question for `a.example`.
    fn text(kind: u16, content: &[u8]) -> String {
        let mut message = query(7, true, &Question { name: wire_name("a.example").unwrap(), kind, class: 1 });
        message[7] = 1;
        message.extend_from_slice(b"\xc0\x0c");
        message.extend_from_slice(&kind.to_be_bytes());
        message.extend_from_slice(b"\0\x01\0\0\0\x3c");
        message.extend_from_slice(&u16::try_from(content.len()).unwrap().to_be_bytes());
        message.extend_from_slice(content);
        let (_, answer) = read(&message).unwrap();
        let record = answer.records(0).next().unwrap();
        record.text().map_or_else(|error| error.to_string(), |text| text.replace('\t', " "))
    }

    #[test]
    fn each_type_has_its_form() {
        let cases: &[(u16, &[u8], &str)] = &[
            (1, b"\xc0\0\x02\x01", "a.example. 60 IN A 192.0.2.1"),
            (28, b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", "a.example. 60 IN AAAA 2001:db8::1"),
            (5, b"\x01b\xc0\x0e", "a.example. 60 IN CNAME b.example."),
            (2, b"\0", "a.example. 60 IN NS ."),
            (15, b"\0\x0a\xc0\x0e", "a.example. 60 IN MX 10 example."),
            (33, b"\0\x01\0\x02\x14\xeb\xc0\x0e", "a.example. 60 IN SRV 1 2 5355 example."),
            (16, b"\x03a\"b\x01\xff", r#"a.example. 60 IN TXT "a\"b" "\255""#),
            (
                6,
                b"\xc0\x0e\xc0\x0e\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05",
                "a.example. 60 IN SOA example. example. 1 2 3 4 5",
            ),
            (257, b"\0\x05issueca.example", r#"a.example. 60 IN CAA 0 issue "ca.example""#),
            (43, b"\0\x01\x08\x02\xab", "a.example. 60 IN DS 1 8 2 AB"),
            (48, b"\x01\x01\x03\x08abc", "a.example. 60 IN DNSKEY 257 3 8 YWJj"),
            (52, b"\x03\x01\x01\xab", "a.example. 60 IN TLSA 3 1 1 ab"),
            (35, b"\0\x01\0\x02\x01U\x01s\x00\xc0\x0e", r#"a.example. 60 IN NAPTR 1 2 "U" "s" "" example."#),
            (256, b"\0\x01\0\x02x:", r#"a.example. 60 IN URI 1 2 "x:""#),
            (65, b"\0\x01", r"a.example. 60 IN HTTPS \# 2 0001"),
            (4711, b"", r"a.example. 60 IN TYPE4711 \# 0"),
            (12, b"\x03a.b\0", r"a.example. 60 IN PTR a\.b."),
        ];
        for (kind, content, expected) in cases {
            assert_eq!(text(*kind, content), *expected, "{kind}");
        }
    }

    #[test]
    fn content_that_is_cut_off_is_malformed() {
        for (kind, content) in
            [(1, &b"\xc0\0\x02"[..]), (6, b"\xc0\x0e\xc0\x0e\0"), (16, b"\x05a"), (15, b"\0\x0a\x01b")]
        {
            assert_ne!(text(kind, content), "", "{kind}");
            assert!(
                text(kind, content).starts_with("it ends") || text(kind, content).starts_with("a name"),
                "{}",
                text(kind, content)
            );
        }
    }
}
