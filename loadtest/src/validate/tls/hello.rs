//! A TLS hello written by hand, and what the first record of an answer says. rustls speaks neither TLS 1.0 nor 1.1, so that it cannot be
//! asked whether a server does; and for the newer versions it offers fewer ciphers than servers take. Only the hello is sent, no
//! handshake is ended: a server that chooses a version offers it.
//!
//! Pure: bytes in, bytes out. What it does not know: whether the server would have asked for a client certificate later.

use crate::limits::TLS_RECORD_BYTES;

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::validate) struct Version(u16);

impl Version {
    /// All, the oldest first.
    pub(in crate::validate) const ALL: [Self; 5] =
        [Self(0x0300), Self(0x0301), Self(0x0302), Self(0x0303), Self(0x0304)];

    /// Whether it may be offered (RFC 7568, RFC 8996).
    pub(in crate::validate) fn is_sound(self) -> bool {
        self >= Self(0x0303)
    }

    /// For people.
    pub(in crate::validate) const fn name(self) -> &'static str {
        match self.0 {
            0x0300 => "SSL 3.0",
            0x0301 => "TLS 1.0",
            0x0302 => "TLS 1.1",
            0x0303 => "TLS 1.2",
            0x0304 => "TLS 1.3",
            _ => "an unknown version",
        }
    }
}

/// What a server makes of a hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::validate) enum Answer {
    /// It chose this version.
    Chose(Version),
    /// It refused, with these words.
    Refused(String),
}

/// Everything that a server of the last twenty years may take, up to TLS 1.2; the last one promises sound renegotiation (RFC 5746).
const CIPHERS: &[u16] = &[
    0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x009e, 0x009f, 0xccaa, 0xc023, 0xc027, 0xc024, 0xc028, 0xc009,
    0xc013, 0xc00a, 0xc014, 0x0067, 0x006b, 0x0033, 0x0039, 0x009c, 0x009d, 0x003c, 0x003d, 0x002f, 0x0035, 0xc008,
    0xc012, 0x0016, 0x000a, 0x0005, 0x0004, 0x00ff,
];
const CIPHERS_1_3: &[u16] = &[0x1301, 0x1302, 0x1303];
const GROUPS: &[u16] = &[0x001d, 0x0017, 0x0018, 0x0019];
const SIGNATURES: &[u16] =
    &[0x0403, 0x0807, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0603, 0x0806, 0x0601, 0x0203, 0x0201];

/// A hello that offers this version and no other, to a host by name; addresses are not sent (RFC 6066, 3).
pub(in crate::validate) fn hello(version: Version, name: Option<&str>, random: [u8; 32]) -> Vec<u8> {
    let modern = version.0 >= 0x0304;
    let mut body = Vec::new();
    body.extend(version.0.min(0x0303).to_be_bytes());
    body.extend(random);
    body.push(0); // no session to resume
    body.extend(long(&numbers(if modern { CIPHERS_1_3 } else { CIPHERS })));
    body.extend([1, 0]); // no compression
    if version.0 > 0x0300 {
        body.extend(long(&extensions(version, name, random)));
    }
    let mut handshake = vec![1, 0];
    handshake.extend(long(&body));
    let mut record = vec![0x16];
    record.extend(version.0.min(0x0301).to_be_bytes());
    record.extend(long(&handshake));
    record
}

fn extensions(version: Version, name: Option<&str>, random: [u8; 32]) -> Vec<u8> {
    let mut all = Vec::new();
    let mut add = |kind: u16, content: &[u8]| {
        all.extend(kind.to_be_bytes());
        all.extend(long(content));
    };
    if let Some(name) = name {
        let entry: Vec<u8> = [vec![0], long(name.as_bytes())].concat();
        add(0, &long(&entry));
    }
    add(10, &long(&numbers(GROUPS)));
    add(11, &[1, 0]); // uncompressed points
    add(13, &long(&numbers(SIGNATURES)));
    if version.0 >= 0x0304 {
        add(43, &[2, 3, 4]); // TLS 1.3 and nothing else
        // Any 32 bytes are a key of X25519.
        let share: Vec<u8> = [vec![0, 0x1d], long(&random)].concat();
        add(51, &long(&share));
    }
    all
}

fn numbers(all: &[u16]) -> Vec<u8> {
    all.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// The content behind its length in two bytes; nothing here is longer than that can say.
fn long(content: &[u8]) -> Vec<u8> {
    let mut all = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    all.extend(content);
    all
}

/// Reads what has come so far; none while it is too little to tell.
pub(in crate::validate) fn answer(bytes: &[u8]) -> Option<Answer> {
    let (head, rest) = bytes.split_at_checked(5)?;
    let [kind, major, _, high, low] = *head else { return None };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if major != 3 || length > TLS_RECORD_BYTES {
        return Some(Answer::Refused("it does not speak TLS".to_owned()));
    }
    match kind {
        0x15 => rest.get(1).map(|alert| Answer::Refused(alert_name(*alert))),
        0x16 => server_hello(rest.get(..length.min(rest.len())).unwrap_or_default(), rest.len() >= length),
        _ => Some(Answer::Refused("it does not speak TLS".to_owned())),
    }
}

/// The chosen version: that of the extension where there is one (RFC 8446, 4.2.1), else that of the hello itself.
fn server_hello(bytes: &[u8], whole: bool) -> Option<Answer> {
    let wrong = || whole.then(|| Answer::Refused("its hello makes no sense".to_owned()));
    let chosen = || {
        let mut rest = bytes;
        (take(&mut rest, 1)? == [2]).then_some(())?;
        take(&mut rest, 3)?;
        let version = number(take(&mut rest, 2)?)?;
        take(&mut rest, 32)?;
        let session = usize::from(*take(&mut rest, 1)?.first()?);
        take(&mut rest, session + 3)?;
        Some((version, rest))
    };
    let Some((version, mut rest)) = chosen() else { return wrong() };
    // A record may end before the extensions do only where it is not whole.
    let Some(length) = take(&mut rest, 2).and_then(number) else {
        return if whole { Some(Answer::Chose(Version(version))) } else { None };
    };
    let Some(mut extensions) = rest.get(..usize::from(length)) else { return wrong() };
    while let (Some(kind), Some(length)) =
        (take(&mut extensions, 2).and_then(number), take(&mut extensions, 2).and_then(number))
    {
        let content = take(&mut extensions, usize::from(length)).unwrap_or_default();
        if let (43, Some(version)) = (kind, number(content)) {
            return Some(Answer::Chose(Version(version)));
        }
    }
    Some(Answer::Chose(Version(version)))
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn number(bytes: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(<[u8; 2]>::try_from(bytes).ok()?))
}

/// RFC 8446, 6.
fn alert_name(alert: u8) -> String {
    let known = match alert {
        0 => "close_notify",
        40 => "handshake_failure",
        47 => "illegal_parameter",
        50 => "decode_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        112 => "unrecognized_name",
        _ => return format!("alert {alert}"),
    };
    format!("alert `{known}`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A server's hello with a version and, if any, the one in its extension.
    pub(in crate::validate) fn chosen(version: u16, extension: Option<u16>) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        body.extend([7; 32]);
        body.extend([0, 0x13, 0x01, 0]);
        if let Some(extension) = extension {
            body.extend(long(&[[0, 51, 0, 1, 9].as_slice(), &[0, 43, 0, 2], &extension.to_be_bytes()].concat()));
        }
        let mut record = vec![0x16, 3, 1];
        record.extend(long(&[[2, 0].as_slice(), &long(&body)].concat()));
        record
    }

    #[test]
    fn the_version_of_the_extension_goes_before_that_of_the_hello() {
        let read = |bytes: &[u8]| match answer(bytes) {
            Some(Answer::Chose(version)) => version.name().to_owned(),
            Some(Answer::Refused(why)) => why,
            None => "too little".to_owned(),
        };
        assert_eq!(read(&chosen(0x0301, None)), "TLS 1.0");
        assert_eq!(read(&chosen(0x0303, None)), "TLS 1.2");
        assert_eq!(read(&chosen(0x0303, Some(0x0304))), "TLS 1.3");
        let whole = chosen(0x0303, Some(0x0304));
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]), "too little", "{length}");
        }
        assert_eq!(read(&[0x15, 3, 1, 0, 2, 2, 70]), "alert `protocol_version`");
        assert_eq!(read(b"HTTP/1.1 400 Bad Request"), "it does not speak TLS");
        assert_eq!(read(&[0x16, 3, 1, 0, 2, 14, 0]), "its hello makes no sense");
    }

    #[test]
    fn a_hello_offers_one_version_and_names_the_host() {
        let old = hello(Version(0x0301), Some("a.example"), [1; 32]);
        assert_eq!(old[..3], [0x16, 3, 1]);
        assert_eq!(usize::from(u16::from_be_bytes([old[3], old[4]])), old.len() - 5);
        assert_eq!(old[9..11], [3, 1]);
        assert!(old.windows(9).any(|part| part == b"a.example"));
        let new = hello(Version(0x0304), None, [1; 32]);
        assert_eq!(new[9..11], [3, 3]);
        assert!(new.windows(7).any(|part| part == [0, 43, 0, 3, 2, 3, 4]));
        // SSL 3.0 knew no extensions.
        let oldest = hello(Version(0x0300), Some("a.example"), [1; 32]);
        assert!(oldest.ends_with(&[0x00, 0xff, 1, 0]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), tls in any::<bool>()) {
            let mut bytes = bytes;
            if tls && bytes.len() > 2 { bytes[0] = 0x16; bytes[1] = 3; }
            let _ = answer(&bytes);
        }
    }
}
