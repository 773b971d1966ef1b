//! Asks a name server once: over UDP, where a lost datagram is sent again and an answer too long for one is fetched over TCP; over
//! TCP; or over TLS. What must stay true: only an answer to this question, with its id and from the server's address, counts.

use super::message::{Question, answers, query, read, same_name};
use super::rules::malformed;
use crate::probes::net::{
    self, Addresses, Stream, Tls, connect_from, explained, fault_of, matching, record, session, watched,
};
use crate::probes::{Context, Fault, Reason};
use crate::{clock, limits};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UdpSocket;
use tokio::time::timeout_at;

/// How the question travels.
#[derive(Clone, Debug)]
pub(super) enum Transport {
    Udp,
    Tcp,
    Tls(Tls),
}

/// Whom to ask.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// Empty for the resolver of this host.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) addresses: Addresses,
    pub(super) source: Option<IpAddr>,
    pub(super) transport: Transport,
}

impl Server {
    /// Asks; the whole answer, which [`read`] is known to read.
    pub(super) async fn ask(
        &self,
        cx: &mut Context<'_>,
        recursion: bool,
        question: &Question,
    ) -> Result<Vec<u8>, Fault> {
        let id = fastrand::u16(..);
        let asked = Asked { id, question, query: query(id, recursion, question) };
        let host = if self.host.is_empty() { resolver().await?.to_string() } else { self.host.clone() };
        match &self.transport {
            Transport::Udp => self.over_udp(cx, &host, &asked).await,
            Transport::Tcp => self.over_tcp(cx, &host, None, &asked).await,
            Transport::Tls(tls) => self.over_tcp(cx, &host, Some(tls), &asked).await,
        }
    }

    /// The next address is asked when one refuses; one that is silent has all of the time, for the question is sent again.
    async fn over_udp(&self, cx: &mut Context<'_>, host: &str, asked: &Asked<'_>) -> Result<Vec<u8>, Fault> {
        let found = matching(self.source, host, net::addresses(cx, host, self.addresses).await?)?;
        let mut first = None;
        for ip in found {
            record(cx, ip);
            match self.datagrams(cx, SocketAddr::new(ip, self.port), asked).await {
                Ok(message) if read(&message).is_ok_and(|(_, answer)| answer.truncated) => {
                    cx.note("truncated", "over UDP, asked again over TCP");
                    return self.over_tcp(cx, &ip.to_string(), None, asked).await;
                }
                Err(fault) if matches!(fault.reason, Reason::Refused | Reason::Unreachable) => {
                    first.get_or_insert(fault);
                }
                ended => return ended,
            }
        }
        Err(first.unwrap_or_else(|| Fault::new(Reason::Dns, format!("`{host}` has no address"))))
    }

    async fn datagrams(&self, cx: &mut Context<'_>, to: SocketAddr, asked: &Asked<'_>) -> Result<Vec<u8>, Fault> {
        cx.phase("connect");
        let any = if to.is_ipv4() { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
        let broken = |error| fault_of(&error, &format!("ask {to}"));
        // Connected, so that the kernel passes on nothing from another address, and tells of a port that is closed.
        let socket = UdpSocket::bind((self.source.unwrap_or(any), 0)).await.map_err(broken)?;
        socket.connect(to).await.map_err(broken)?;
        cx.phase("request");
        let mut buffer = vec![0; limits::DNS_DATAGRAM_BYTES];
        let (mut sent, mut strangers) = (0_u32, 0_usize);
        let (mut pause, mut again) = (limits::DNS_RESEND.min(cx.left() / 3), clock::now());
        while strangers < limits::STRANGERS && clock::now() < cx.deadline {
            if clock::now() >= again {
                socket.send(&asked.query).await.map_err(broken)?;
                sent += 1;
                (again, pause) = (clock::now() + pause, pause * 2);
            }
            let Ok(came) = timeout_at(again.min(cx.deadline), socket.recv(&mut buffer)).await else { continue };
            let message = buffer.get(..came.map_err(broken)?).unwrap_or_default();
            match asked.is_answered_by(message)? {
                true => {
                    if sent > 1 {
                        cx.note("sent", &format!("{sent} times, until an answer came"));
                    }
                    return Ok(message.to_vec());
                }
                false => strangers += 1,
            }
        }
        Err(silent(to, sent, strangers))
    }

    async fn over_tcp(
        &self,
        cx: &mut Context<'_>,
        host: &str,
        tls: Option<&Tls>,
        asked: &Asked<'_>,
    ) -> Result<Vec<u8>, Fault> {
        let connected = connect_from(cx, self.source, host, self.port, self.addresses).await?;
        let to = connected.address;
        let mut stream: Box<dyn Stream> = match tls {
            Some(tls) => Box::new(session(cx, connected, host, tls, "dns with tls").await?),
            None => Box::new(connected.stream),
        };
        cx.phase("request");
        let length = u16::try_from(asked.query.len()).unwrap_or_default().to_be_bytes();
        let framed = [length.as_slice(), &asked.query].concat();
        let broken = |error| fault_of(&error, &format!("ask {to}"));
        stream.write_all(&framed).await.map_err(broken)?;
        let answer = asked.framed(&mut stream, to);
        let scheme = if tls.is_some() { "dns with tls" } else { "dns" };
        let ended = watched((cx.net, cx.deadline), to, scheme, answer).await;
        match ended {
            Err(fault) => Err(explained(cx, fault, to, scheme).await),
            ended => ended,
        }
    }
}

/// A question on its way.
struct Asked<'a> {
    id: u16,
    question: &'a Question,
    query: Vec<u8>,
}

impl Asked<'_> {
    /// Reads the answer in its frame. What is no answer by its first bytes is not read further.
    async fn framed(&self, stream: &mut Box<dyn Stream>, to: SocketAddr) -> Result<Vec<u8>, Fault> {
        let broken = |error| fault_of(&error, &format!("ask {to}"));
        let length = usize::from(stream.read_u16().await.map_err(broken)?);
        let mut message = vec![0; 12];
        stream.read_exact(&mut message).await.map_err(broken)?;
        let stranger =
            || Fault::new(Reason::ProtocolMismatch, format!("what {to} answered is no answer to the question"));
        if !answers(&message, self.id) {
            return Err(stranger());
        }
        // Grows with what really comes, not with what is announced.
        let rest = u64::try_from(length.saturating_sub(message.len())).unwrap_or_default();
        stream.take(rest).read_to_end(&mut message).await.map_err(broken)?;
        if message.len() < length {
            let text = format!("{to} closed the connection after {} of {length} bytes of the answer", message.len());
            return Err(Fault::new(Reason::ProtocolMismatch, text));
        }
        if self.is_answered_by(&message)? { Ok(message) } else { Err(stranger()) }
    }

    /// Whether this is the answer. A message with another id or about something else is not: it may be somebody's guess.
    ///
    /// # Errors
    /// It bears our id, and cannot be read.
    fn is_answered_by(&self, message: &[u8]) -> Result<bool, Fault> {
        if !answers(message, self.id) {
            return Ok(false);
        }
        let (questions, answer) = read(message).map_err(malformed)?;
        Ok(match questions.as_slice() {
            // A server that cannot read the question, or does not want to, may leave it out.
            [] => answer.rcode != 0,
            [one] => {
                let same = same_name(&one.name, &self.question.name);
                same && one.kind == self.question.kind && one.class == self.question.class
            }
            _ => false,
        })
    }
}

fn silent(to: SocketAddr, sent: u32, strangers: usize) -> Fault {
    if strangers > 0 {
        let message = format!("{strangers} datagrams from {to} are no answer to the question, by id or name");
        return Fault::new(Reason::ProtocolMismatch, message)
            .hint("does something else than a name server listen there?");
    }
    Fault::new(Reason::Timeout, format!("{to} did not answer, asked {sent} times over UDP"))
        .hint("is it a name server, and does a firewall between drop UDP?")
}

/// The first name server of this host, read anew in every run: a container's changes when it joins a network.
async fn resolver() -> Result<IpAddr, Fault> {
    const PATH: &str = "/etc/resolv.conf";
    let read = async {
        let mut text = String::new();
        tokio::fs::File::open(PATH).await?.take(limits::RESOLV_CONF_BYTES).read_to_string(&mut text).await?;
        std::io::Result::Ok(text)
    };
    let text = read.await.map_err(|error| Fault::new(Reason::Config, format!("cannot read {PATH}: {error}")))?;
    name_server(&text).ok_or_else(|| Fault::new(Reason::Config, format!("{PATH} names no server")))
}

/// The first `nameserver` of a resolv.conf.
fn name_server(text: &str) -> Option<IpAddr> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let address = words.next().filter(|word| *word == "nameserver").and(words.next())?;
        address.split('%').next()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_server_counts() {
        let first = |text| name_server(text).map(|address| address.to_string());
        assert_eq!(first("# x\nsearch a\nnameserver\t127.0.0.53\nnameserver 1.1.1.1\n"), Some("127.0.0.53".to_owned()));
        assert_eq!(first("nameserver fe80::1%eth0"), Some("fe80::1".to_owned()));
        assert_eq!(first("nameserver\n; nameserver 1.1.1.1\nnameserver x"), None);
    }
}
