//! The change to TLS within a protocol that begins in plain text: the few words that each has for it, and no more.

use super::Dialogue;
use crate::probes::net::{Stream, Tls, classify, handshake};
use crate::probes::{Context, Detail, Fault, Key, Reason, clean};

/// A protocol that begins in plain text and changes to TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::probes) enum Protocol {
    /// RFC 3207.
    Smtp,
    /// RFC 9051, section 6.2.1.
    Imap,
    /// RFC 2595, section 4.
    Pop3,
    /// RFC 4217.
    Ftp,
    /// RFC 4511, section 4.14.
    Ldap,
    /// "SSL Session Encryption" of its protocol.
    Postgres,
}

/// The key that names one.
pub(in crate::probes) const KEY: Key = Key {
    name: "starttls",
    form: "smtp, imap, pop3, ftp, ldap or postgres",
    default: "",
    doc: "Speaks so much of this protocol that the connection changes to TLS, before the dialogue; a server that does not offer it \
          fails the check.",
};

/// Asks for TLS, in phase `starttls`, and shakes hands.
pub(in crate::probes) async fn change(
    cx: &mut Context<'_>,
    stream: Box<dyn Stream>,
    protocol: Protocol,
    host: &str,
    tls: &Tls,
) -> Result<Box<dyn Stream>, Fault> {
    cx.phase("starttls");
    let mut dialogue = Dialogue::new(stream);
    match protocol {
        Protocol::Smtp => smtp(cx, &mut dialogue).await,
        Protocol::Imap => lines(cx, &mut dialogue, &[("", "* OK"), ("a STARTTLS\r\n", "a OK")]).await,
        Protocol::Pop3 => lines(cx, &mut dialogue, &[("", "+OK"), ("STLS\r\n", "+OK")]).await,
        Protocol::Ftp => {
            reply(cx, &mut dialogue, "220").await?;
            dialogue.say(b"AUTH TLS\r\n").await?;
            reply(cx, &mut dialogue, "234").await.map(drop)
        }
        Protocol::Ldap => ldap(cx, &mut dialogue).await,
        Protocol::Postgres => postgres(cx, &mut dialogue).await,
    }?;
    Ok(Box::new(handshake(cx, dialogue.into_stream()?, host, tls).await?))
}

async fn smtp(cx: &mut Context<'_>, dialogue: &mut Dialogue) -> Result<(), Fault> {
    reply(cx, dialogue, "220").await?;
    dialogue.say(b"EHLO localhost\r\n").await?;
    let offered = reply(cx, dialogue, "250").await?;
    if !offered.iter().any(|line| line.eq_ignore_ascii_case("STARTTLS")) {
        return Err(Fault::new(Reason::Tls, "the server does not offer STARTTLS").exactly(Detail::TlsMissing));
    }
    dialogue.say(b"STARTTLS\r\n").await?;
    reply(cx, dialogue, "220").await.map(drop)
}

/// Says each word and waits for a line that begins as it should; IMAP's untagged lines between are passed over.
async fn lines(cx: &mut Context<'_>, dialogue: &mut Dialogue, words: &[(&str, &str)]) -> Result<(), Fault> {
    for (say, begins) in words {
        dialogue.say(say.as_bytes()).await?;
        loop {
            let line = dialogue.next_line(cx).await?;
            if line.starts_with(begins) {
                break;
            }
            if say.is_empty() || !line.starts_with("* ") {
                return Err(unexpected(dialogue, &line, begins));
            }
        }
    }
    Ok(())
}

/// A reply of SMTP's and FTP's form: three digits, `-` before all lines but the last. The texts behind the digits, in order.
///
/// # Errors
/// When it does not come, is not of the form, or has another code.
pub(in crate::probes) async fn reply(
    cx: &Context<'_>,
    dialogue: &mut Dialogue,
    code: &str,
) -> Result<Vec<String>, Fault> {
    let (came, texts) = any_reply(cx, dialogue).await?;
    if came == code {
        return Ok(texts);
    }
    Err(unexpected(dialogue, &format!("{came} {}", texts.join(" ")), code))
}

/// A reply with whatever code.
pub(in crate::probes) async fn any_reply(
    cx: &Context<'_>,
    dialogue: &mut Dialogue,
) -> Result<(String, Vec<String>), Fault> {
    let mut texts = Vec::new();
    loop {
        let line = dialogue.next_line(cx).await?;
        let Some((code, text, last)) = reply_line(&line) else {
            return Err(unexpected(dialogue, &line, "a reply code"));
        };
        texts.push(text.to_owned());
        if last {
            return Ok((code.to_owned(), texts));
        }
        if texts.len() >= crate::limits::REPLY_LINES {
            return Err(Fault::new(Reason::Body, "the reply has no end"));
        }
    }
}

/// Code and text of a line of a reply, and whether it is the last one.
pub(in crate::probes) fn reply_line(line: &str) -> Option<(&str, &str, bool)> {
    let (code, rest) = line.split_at_checked(3)?;
    let number = code.bytes().all(|digit| digit.is_ascii_digit());
    match rest.chars().next() {
        _ if !number => None,
        None => Some((code, "", true)),
        Some(' ') => Some((code, rest.get(1..)?, true)),
        Some('-') => Some((code, rest.get(1..)?, false)),
        Some(_) => None,
    }
}

fn unexpected(dialogue: &Dialogue, line: &str, wanted: &str) -> Fault {
    let said: String = clean(line).chars().take(60).collect();
    let refusal = ["-ERR", "a NO", "a BAD"].iter().any(|word| line.starts_with(word)) || reply_line(line).is_some();
    match classify(dialogue.first()) {
        _ if refusal => Fault::new(Reason::Status, format!("the server answered `{said}`, not `{wanted}`")),
        Some(spoken) => Fault::new(Reason::ProtocolMismatch, format!("it speaks {spoken}: `{said}`"))
            .exactly(Detail::Speaks(spoken)),
        None => Fault::new(Reason::ProtocolMismatch, format!("the server answered `{said}`, not `{wanted}`")),
    }
}

/// An extended request for TLS with message id 1, and a response with result code 0.
async fn ldap(cx: &mut Context<'_>, dialogue: &mut Dialogue) -> Result<(), Fault> {
    const REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
    dialogue.say(REQUEST).await?;
    let head = dialogue.next_bytes(cx, 2).await?;
    let [0x30, length] = head.as_slice() else {
        return Err(Fault::new(Reason::ProtocolMismatch, "what answered is no LDAP"));
    };
    let body = match length {
        0x81 => {
            let long = dialogue.next_bytes(cx, 1).await?;
            dialogue.next_bytes(cx, long.first().copied().unwrap_or_default().into()).await?
        }
        short => dialogue.next_bytes(cx, usize::from(short & 0x7f)).await?,
    };
    match ldap_result(&body) {
        Some(0) => Ok(()),
        Some(code) => Err(Fault::new(Reason::Tls, format!("the server does not change to TLS: result code {code}"))),
        None => Err(Fault::new(Reason::ProtocolMismatch, "what answered is no LDAP")),
    }
}

/// The result code in the body of an extended response with message id 1.
pub(in crate::probes) fn ldap_result(body: &[u8]) -> Option<u8> {
    let rest = body.strip_prefix(b"\x02\x01\x01\x78")?;
    let rest = match rest {
        [0x81, _, rest @ ..] | [0..=0x7f, rest @ ..] => rest,
        _ => return None,
    };
    match rest {
        [0x0a, 1, code, ..] => Some(*code),
        _ => None,
    }
}

async fn postgres(cx: &mut Context<'_>, dialogue: &mut Dialogue) -> Result<(), Fault> {
    dialogue.say(&[0, 0, 0, 8, 4, 210, 22, 47]).await?;
    match dialogue.next_bytes(cx, 1).await?.first() {
        // More than this letter is somebody else's greeting, or sent ahead of the handshake.
        Some(b'S') if dialogue.pending.is_empty() => Ok(()),
        Some(b'N' | b'E') => Err(Fault::new(Reason::Tls, "the server does not offer TLS").exactly(Detail::TlsMissing)),
        _ => Err(Fault::new(Reason::ProtocolMismatch, "what answered is no PostgreSQL")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_replies() {
        for (line, expected) in [
            ("250-SIZE 1", Some(("250", "SIZE 1", false))),
            ("250 OK", Some(("250", "OK", true))),
            ("250", Some(("250", "", true))),
            ("250x", None),
            ("25", None),
            ("2\u{fffd}5 x", None),
            ("SSH-2.0", None),
        ] {
            assert_eq!(reply_line(line), expected, "{line}");
        }
    }

    #[test]
    fn results_of_ldap() {
        assert_eq!(ldap_result(b"\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"), Some(0));
        assert_eq!(ldap_result(b"\x02\x01\x01\x78\x81\x07\x0a\x01\x34\x04\x00\x04\x00"), Some(52));
        let others: [&[u8]; 4] =
            [b"", b"\x02\x01\x02\x78\x07\x0a\x01\x00", b"\x02\x01\x01\x78", b"\x02\x01\x01\x78\x07\x0a\x02\x00"];
        assert!(others.iter().all(|bytes| ldap_result(bytes).is_none()));
    }
}
