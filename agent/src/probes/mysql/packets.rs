//! What stands in MySQL's packets: greeting, errors, switches of the login, columns, rows. Pure: bytes in, values or nothing out.

use super::wire::Trouble;

/// Reads a packet from front to back.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn little(&mut self, length: usize) -> Option<u64> {
        Some(self.take(length)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A number whose first byte says how long it is.
    fn number(&mut self) -> Option<u64> {
        match self.byte()? {
            0xfc => self.little(2),
            0xfd => self.little(3),
            0xfe => self.little(8),
            0xfb | 0xff => None,
            small => Some(small.into()),
        }
    }

    /// Bytes with such a number in front.
    fn counted(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    /// Bytes up to a NUL, which is taken as well; without one, all the rest.
    fn until_nul(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == 0);
        let (text, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest.get(1..).unwrap_or_default();
        text
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What the server says first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Greeting {
    /// Which features it has.
    pub(super) capabilities: u32,
    /// The random bytes that passwords are mixed with.
    pub(super) nonce: Vec<u8>,
    /// How it would like the user to log in.
    pub(super) plugin: String,
    /// Whether it says that it is MariaDB.
    pub(super) mariadb: bool,
}

impl Greeting {
    /// Reads the first packet: the greeting of protocol 10, or an error.
    pub(super) fn read(packet: &[u8]) -> Result<Self, Trouble> {
        if packet.first() == Some(&0xff) {
            return Err(refusal(packet));
        }
        Self::parse(packet).ok_or(Trouble::Nonsense("a greeting that is none"))
    }

    fn parse(packet: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(packet);
        if bytes.byte()? != 10 {
            return None;
        }
        let mariadb = bytes.until_nul().windows(7).any(|part| part == b"MariaDB");
        bytes.take(4)?;
        let mut nonce = bytes.take(8)?.to_vec();
        bytes.take(1)?;
        let low = bytes.little(2)?;
        bytes.take(3)?;
        let high = bytes.little(2)?;
        let length = usize::from(bytes.byte()?);
        bytes.take(10)?;
        nonce.extend_from_slice(bytes.take(length.saturating_sub(8).max(13).min(bytes.0.len()))?);
        nonce.truncate(NONCE_BYTES);
        let plugin = text(bytes.until_nul());
        Some(Self { capabilities: u32::try_from(low | high << 16).ok()?, nonce, plugin, mariadb })
    }
}

/// All of the plugins that we know use so many; a NUL stands behind them.
const NONCE_BYTES: usize = 20;

/// What the server answers within the login.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The user is in.
    Done,
    /// Another way to log in, with fresh random bytes.
    Switch { plugin: String, nonce: Vec<u8> },
    /// Something that the way to log in knows.
    More(Vec<u8>),
}

impl Step {
    /// Reads a packet of the login.
    pub(super) fn read(packet: &[u8]) -> Result<Self, Trouble> {
        match packet {
            [0x00, ..] => Ok(Self::Done),
            [0xff, ..] => Err(refusal(packet)),
            [0xfe] => Ok(Self::Switch { plugin: "mysql_old_password".to_owned(), nonce: Vec::new() }),
            [0xfe, rest @ ..] => {
                let mut bytes = Bytes(rest);
                let plugin = text(bytes.until_nul());
                Ok(Self::Switch { plugin, nonce: bytes.0.get(..NONCE_BYTES).unwrap_or(bytes.0).to_vec() })
            }
            [0x01, rest @ ..] => Ok(Self::More(rest.to_vec())),
            _ => Err(Trouble::Nonsense("what came is no step of a login")),
        }
    }
}

/// The server's own error: a number, a state behind `#` once the login has begun, a text.
pub(super) fn refusal(packet: &[u8]) -> Trouble {
    let mut bytes = Bytes(packet.get(1..).unwrap_or_default());
    let Some(number) = bytes.little(2) else { return Trouble::Nonsense("an error without a number") };
    if bytes.0.first() == Some(&b'#') {
        let _state = bytes.take(6);
    }
    Trouble::Refused { number: u16::try_from(number).unwrap_or_default(), message: text(bytes.0) }
}

/// Whether another result follows the one that this packet (OK, or the end of rows) ends.
pub(super) fn more_follows(packet: &[u8]) -> Option<bool> {
    const MORE_RESULTS: u64 = 8;
    let mut bytes = Bytes(packet);
    if bytes.byte()? == 0 {
        bytes.number()?;
        bytes.number()?;
    } else {
        bytes.take(2)?;
    }
    Some(bytes.little(2)? & MORE_RESULTS != 0)
}

/// How many columns follow.
pub(super) fn columns(packet: &[u8]) -> Option<usize> {
    usize::try_from(Bytes(packet).number()?).ok()
}

/// The name of a column, behind its catalogue, schema, table and the table's own name.
pub(super) fn column_name(packet: &[u8]) -> Option<String> {
    let mut bytes = Bytes(packet);
    for _ in 0..4 {
        bytes.counted()?;
    }
    bytes.counted().map(text)
}

/// The values of a row; what is no UTF-8 is made so.
pub(super) fn row(packet: &[u8], columns: usize) -> Option<Vec<Option<String>>> {
    let mut bytes = Bytes(packet);
    let cell = |_| match bytes.0.first()? {
        0xfb => bytes.byte().map(|_| None),
        _ => bytes.counted().map(|value| Some(text(value))),
    };
    (0..columns).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_greeting_of_mysql_8_is_read() {
        let packet = b"\n8.0.36\0\x08\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0caching_sha2_password\0";
        let greeting = Greeting::read(packet).unwrap();
        assert_eq!(
            (greeting.nonce.as_slice(), greeting.plugin.as_str()),
            (&b"abcdefghijklmnopqrst"[..], "caching_sha2_password")
        );
        assert_eq!(greeting.capabilities, 0xdfff_ffff);
        assert!(matches!(
            Greeting::read(b"\xff\x10\x04Too many connections"),
            Err(Trouble::Refused { number: 1040, .. })
        ));
        for garbage in [&b""[..], b"\n", b"\n8.0.36\0", b"\x098.0\0abcdefghijklmnopqrstuvwxyz", b"SSH-2.0"] {
            assert!(matches!(Greeting::read(garbage), Err(Trouble::Nonsense(_))), "{garbage:?}");
        }
    }

    #[test]
    fn steps_of_a_login_are_told_apart() {
        assert_eq!(Step::read(b"\0\0\0\x02\0\0\0").unwrap(), Step::Done);
        assert_eq!(Step::read(b"\x01\x04").unwrap(), Step::More(vec![4]));
        let switch = Step::Switch { plugin: "client_ed25519".to_owned(), nonce: b"01234567890123456789".to_vec() };
        assert_eq!(Step::read(b"\xfeclient_ed25519\x0001234567890123456789\0").unwrap(), switch);
        let Err(Trouble::Refused { number, message }) = Step::read(b"\xff\x15\x04#28000Access denied") else {
            panic!("no refusal");
        };
        assert_eq!((number, message.as_str()), (1045, "Access denied"));
    }

    #[test]
    fn rows_have_nulls_and_what_is_no_utf8() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            row(b"\x01a\xfb\x00\x02\xff\xfe", 4),
            Some(vec![some("a"), None, some(""), some("\u{fffd}\u{fffd}")])
        );
        assert_eq!(row(b"\xfc\x01\x00x", 1), Some(vec![some("x")]));
        for short in [&b""[..], b"\x05abc", b"\xfe\xff\xff\xff\xff\xff\xff\xff\xffx", b"\xff"] {
            assert_eq!(row(short, 1), None, "{short:?}");
        }
        assert_eq!(column_name(b"\x03def\0\0\0\x01x\x01y"), some("x"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_calmly(bytes in proptest::collection::vec(any::<u8>(), 0..120), columns in 0_usize..9) {
            let _ = (Greeting::read(&bytes), Step::read(&bytes), column_name(&bytes), more_follows(&bytes), refusal(&bytes));
            if let Some(cells) = row(&bytes, columns) {
                prop_assert_eq!(cells.len(), columns);
            }
        }
    }
}
