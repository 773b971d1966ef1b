//! What a peer speaks, told from the first bytes it sent: a greeting, or its answer to something that it did not understand.
//! Pure; the bytes may be anything.

use crate::probes::{Detail, Fault, Reason, clean};
use std::fmt;

/// A protocol and, when the peer said it, its version or software: `mysql 8.0.36`, `ssh OpenSSH_9.2p1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The protocol, as a URL scheme would name it.
    pub protocol: &'static str,
    /// Version or software, cleaned.
    pub version: Option<String>,
}

impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.protocol)?;
        self.version.as_ref().map_or(Ok(()), |version| write!(f, " {version}"))
    }
}

impl Spoken {
    const fn of(protocol: &'static str) -> Self {
        Self { protocol, version: None }
    }

    fn with(protocol: &'static str, version: &str) -> Self {
        let version = clean(version);
        Self { protocol, version: (!version.is_empty()).then_some(version) }
    }

    /// Whether this is what a URL with `scheme` names.
    #[must_use]
    pub fn is_of(&self, scheme: &str) -> bool {
        let wanted = match scheme {
            "postgres" => "postgresql",
            "valkey" => "redis",
            "mysql" | "mariadb" => return matches!(self.protocol, "mysql" | "mariadb"),
            "tcp with tls" | "smtp with tls" | "dns with tls" => "tls",
            _ if TWINS.iter().any(|(_, secure)| *secure == scheme) => "tls",
            _ => scheme,
        };
        self.protocol == wanted
    }

    /// The fault of a check whose URL says `scheme` while this answers at `address`.
    #[must_use]
    pub fn instead_of(&self, scheme: &str, address: impl fmt::Display) -> Fault {
        let message = format!("{address} speaks {self}, the URL says {scheme}");
        let detail = if self.protocol == "tls" {
            Detail::TlsUnexpected
        } else if plain_of(scheme).is_some_and(|plain| self.protocol == inside(plain)) {
            Detail::TlsMissing
        } else {
            Detail::Speaks(self.clone())
        };
        Fault::new(Reason::ProtocolMismatch, message).exactly(detail).hint(advice(self.protocol, scheme))
    }
}

/// What to write when a URL says `scheme` and this protocol is spoken.
#[must_use]
pub fn advice(spoken: &str, scheme: &str) -> String {
    let secure = TWINS.iter().find(|(plain, _)| *plain == scheme).map(|(_, secure)| *secure);
    let plain = TWINS.iter().find(|(_, secure)| *secure == scheme).map(|(plain, _)| *plain);
    let inside = inside(plain.unwrap_or(scheme));
    match (secure, plain) {
        (Some(secure), _) if spoken == "tls" => format!("write the URL as `{secure}://…`"),
        _ if (spoken, scheme) == ("tls", "smtp") => "it has TLS from the start: write `tls: true`".to_owned(),
        (_, Some(plain)) if spoken == inside => {
            format!("it has no TLS on this port: write the URL as `{plain}://…`")
        }
        _ if spoken == inside => "it has no TLS on this port: leave `tls` out".to_owned(),
        _ => format!("is the port right? if it is, write the URL as `{spoken}://…`"),
    }
}

/// The scheme without TLS of one with it.
fn plain_of(scheme: &str) -> Option<&str> {
    let twin = TWINS.iter().find(|(_, secure)| *secure == scheme).map(|(plain, _)| *plain);
    twin.or_else(|| scheme.strip_suffix(" with tls"))
}

/// What is spoken over a plain connection of that kind.
fn inside(plain: &str) -> &str {
    match plain {
        "ws" | "metrics" => "http",
        "valkey" => "redis",
        name => name.trim_end_matches(" with tls"),
    }
}

/// Whether TLS has a scheme of its own beside this one, or this is that scheme.
#[must_use]
pub fn has_twin(scheme: &str) -> bool {
    TWINS.iter().any(|(plain, secure)| [*plain, *secure].contains(&scheme))
}

/// Schemes without TLS and with it.
const TWINS: [(&str, &str); 6] = [
    ("http", "https"),
    ("ws", "wss"),
    ("grpc", "grpcs"),
    ("redis", "rediss"),
    ("valkey", "valkeys"),
    ("metrics", "metricss"),
];

/// What the first bytes of a peer say, or `None` when they fit nothing known.
#[must_use]
pub fn classify(first: &[u8]) -> Option<Spoken> {
    by_bytes(first).or_else(|| by_text(first))
}

fn by_bytes(first: &[u8]) -> Option<Spoken> {
    match first {
        // A TLS record: alert or handshake, major version 3.
        [0x15 | 0x16, 3, 0..=4, ..] => Some(Spoken::of("tls")),
        // HTTP/2's SETTINGS frame on stream 0, which a server sends first.
        [0, 0, length, 4, 0, 0, 0, 0, 0, ..] if length % 6 == 0 => Some(Spoken::of("http2")),
        // PostgreSQL's answer to a message that it did not like: ErrorResponse with its length and severity field.
        [b'E', 0, 0, _, _, b'S', ..] => Some(Spoken::of("postgresql")),
        _ => mysql(first),
    }
}

/// MySQL greets first: length in three bytes, sequence 0, protocol 10, version, zero. A host that is blocked gets an error packet.
fn mysql(first: &[u8]) -> Option<Spoken> {
    match first {
        [_, _, 0, 0, 10, rest @ ..] => {
            let version = rest.split(|byte| *byte == 0).next().filter(|version| version.is_ascii())?;
            let version = str::from_utf8(version).ok().filter(|text| text.starts_with(|c: char| c.is_ascii_digit()))?;
            Some(mysql_or_mariadb(version))
        }
        [_, _, 0, 0, 0xff, _, _, rest @ ..] if rest.is_ascii() && !rest.is_empty() => Some(Spoken::of("mysql")),
        _ => None,
    }
}

/// MariaDB before 11 puts `5.5.5-` before its version, so that old replicas accept it.
fn mysql_or_mariadb(version: &str) -> Spoken {
    match version.strip_prefix("5.5.5-").unwrap_or(version).split_once("-MariaDB") {
        Some((number, _)) => Spoken::with("mariadb", number),
        None => Spoken::with("mysql", version.split('-').next().unwrap_or(version)),
    }
}

fn by_text(first: &[u8]) -> Option<Spoken> {
    let line = first.split(|byte| *byte == b'\r' || *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    if line.starts_with("HTTP/") {
        return Some(http(first));
    }
    if let Some(software) = line.strip_prefix("SSH-2.0-").or_else(|| line.strip_prefix("SSH-1.99-")) {
        return Some(Spoken::with("ssh", software.split(' ').next().unwrap_or(software)));
    }
    if let Some(rest) = line.strip_prefix("220").filter(|rest| rest.starts_with([' ', '-'])) {
        let protocol = if rest.to_ascii_uppercase().contains("FTP") { "ftp" } else { "smtp" };
        return Some(Spoken::with(protocol, rest.trim_start_matches([' ', '-'])));
    }
    let starts: &[(&str, &'static str)] = &[
        ("+PONG", "redis"),
        ("-NOAUTH", "redis"),
        ("-ERR", "redis"),
        ("-DENIED", "redis"),
        ("-LOADING", "redis"),
        ("-MISCONF", "redis"),
        ("+OK ", "pop3"),
        ("* OK", "imap"),
        ("AMQP", "amqp"),
        ("RFB ", "vnc"),
        ("ERROR", "memcached"),
    ];
    // HTTP/0.9 style servers answer with the page at once.
    let page = line.trim_start().to_ascii_lowercase();
    starts
        .iter()
        .find(|(start, _)| line.starts_with(start))
        .map(|(_, protocol)| Spoken::of(protocol))
        .or_else(|| (page.starts_with("<!doctype html") || page.starts_with("<html")).then(|| Spoken::of("http")))
}

/// The software of an HTTP answer is in its `Server` header.
fn http(first: &[u8]) -> Spoken {
    let text = String::from_utf8_lossy(first);
    let server = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("server").then(|| value.trim().to_owned())
    });
    Spoken::with("http", &server.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn says(first: &[u8]) -> String {
        classify(first).map_or_else(|| "?".to_owned(), |spoken| spoken.to_string())
    }

    #[test]
    fn tells_greetings_apart() {
        let cases: &[(&[u8], &str)] = &[
            (b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0", "mysql 8.0.36"),
            (b"\x4a\0\0\0\x0a8.0.36-0ubuntu0.22.04.1\0\x08\0\0\0", "mysql 8.0.36"),
            (b"\x6e\0\0\0\x0a5.5.5-10.11.6-MariaDB-0+deb12u1\0", "mariadb 10.11.6"),
            (b"\x6e\0\0\0\x0a11.4.2-MariaDB\0", "mariadb 11.4.2"),
            (b"\x45\0\0\0\xff\x69\x04Host '172.18.0.1' is blocked", "mysql"),
            (b"E\0\0\0\x90SFATAL\0", "postgresql"),
            (b"-ERR unknown command 'x'\r\n", "redis"),
            (b"-NOAUTH Authentication required.\r\n", "redis"),
            (b"HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\n\r\n", "http nginx/1.22.1"),
            (b"HTTP/1.0 400 Bad Request\r\n\r\n", "http"),
            (b"\x15\x03\x01\0\x02\x02\x46", "tls"),
            (b"\0\0\x12\x04\0\0\0\0\0", "http2"),
            (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "ssh OpenSSH_9.2p1"),
            (b"220 mail.example ESMTP Postfix\r\n", "smtp mail.example ESMTP Postfix"),
            (b"220 ProFTPD Server ready\r\n", "ftp ProFTPD Server ready"),
            (b"* OK IMAP4rev1 ready\r\n", "imap"),
            (b"<html>400</html>", "http"),
            (b"", "?"),
            (b"\0\x01\x02", "?"),
            (b"hello\r\n", "?"),
        ];
        for (first, expected) in cases {
            assert_eq!(says(first), *expected, "{:?}", String::from_utf8_lossy(first));
        }
    }

    #[test]
    fn says_what_speaks_and_what_to_do() {
        for (spoken, scheme, hint) in [
            ("tls", "http", "write the URL as `https://…`"),
            ("tls", "metrics", "write the URL as `metricss://…`"),
            ("tls", "redis", "write the URL as `rediss://…`"),
            ("tls", "smtp", "it has TLS from the start: write `tls: true`"),
            ("tls", "postgres", "is the port right? if it is, write the URL as `tls://…`"),
            ("http", "https", "it has no TLS on this port: write the URL as `http://…`"),
            ("http", "wss", "it has no TLS on this port: write the URL as `ws://…`"),
            ("http", "grpcs", "is the port right? if it is, write the URL as `http://…`"),
            ("http", "redis", "is the port right? if it is, write the URL as `http://…`"),
            ("tls", "valkey", "write the URL as `valkeys://…`"),
            ("redis", "valkeys", "it has no TLS on this port: write the URL as `valkey://…`"),
            ("redis", "rediss", "it has no TLS on this port: write the URL as `redis://…`"),
            ("smtp", "smtp with tls", "it has no TLS on this port: leave `tls` out"),
        ] {
            let fault = Spoken::of(spoken).instead_of(scheme, "host:1");
            assert_eq!(fault.hint.as_deref(), Some(hint), "{spoken} for {scheme}");
            assert!(!Spoken::of(spoken).is_of(scheme));
        }
        for (spoken, scheme) in [("tls", "https"), ("tls", "smtp with tls"), ("mariadb", "mysql"), ("redis", "valkey")]
        {
            assert!(Spoken::of(spoken).is_of(scheme), "{scheme}");
        }
        let fault = classify(b"\x4a\0\0\0\x0a8.0.36\0").unwrap().instead_of("http", "db:3306");
        insta::assert_snapshot!(fault.message, @"db:3306 speaks mysql 8.0.36, the URL says http");
        insta::assert_snapshot!(fault.hint.unwrap(), @"is the port right? if it is, write the URL as `mysql://…`");
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_calmly(first in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Some(spoken) = classify(&first) {
                let shown = spoken.to_string();
                prop_assert!(!shown.chars().any(char::is_control));
                prop_assert!(shown.chars().count() <= crate::limits::PEER_TEXT_CHARS + 12);
            }
        }
    }
}
