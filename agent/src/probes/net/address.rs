//! From addresses to a connection: the wanted family first, the next address when one refuses, closed reasons when all do.

use super::lookup;
use crate::limits;
use crate::probes::{Context, Detail, Fault, Reason};
use crate::small;
use crate::units::Span;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// A family of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IpProtocol {
    /// IPv4.
    Ip4,
    /// IPv6.
    #[default]
    Ip6,
}

impl fmt::Display for IpProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ip4 => "IPv4",
            Self::Ip6 => "IPv6",
        })
    }
}

/// Which addresses of a name are tried. As in blackbox: IPv6 before IPv4, and the other family when there is none of the first.
/// Unlike blackbox the next address is tried when one does not accept, as the service's real clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The family tried first.
    pub prefer: IpProtocol,
    /// Whether the other family may be used at all.
    pub fallback: bool,
}

impl Default for Addresses {
    fn default() -> Self {
        Self { prefer: IpProtocol::default(), fallback: true }
    }
}

impl Addresses {
    /// The usable ones of `found`, best first, without repeats, capped at [`limits::ADDRESSES_TRIED`].
    pub(super) fn order(self, mut found: Vec<IpAddr>) -> Vec<IpAddr> {
        let first = |address: &IpAddr| address.is_ipv6() == (self.prefer == IpProtocol::Ip6);
        found.retain(|address| self.fallback || first(address));
        small::sort_by_key(&mut found, |address| !first(address));
        found.dedup();
        found.truncate(limits::ADDRESSES_TRIED);
        found
    }
}

/// A connection and where it leads.
#[derive(Debug)]
pub struct Connected {
    /// The connection.
    pub stream: TcpStream,
    /// The address that accepted.
    pub address: SocketAddr,
}

/// Resolves and connects, in phases `resolve` and `connect`.
///
/// # Errors
/// Reasons `dns`, `refused`, `unreachable` or `timeout`; of several addresses that fail, the fault of the first.
pub async fn connect(cx: &mut Context<'_>, host: &str, port: u16, wanted: Addresses) -> Result<Connected, Fault> {
    connect_from(cx, None, host, port, wanted).await
}

/// As [`connect`], from an address of this host.
///
/// # Errors
/// As [`connect`]; `unreachable` also when this host does not have the address.
pub async fn connect_from(
    cx: &mut Context<'_>,
    source: Option<IpAddr>,
    host: &str,
    port: u16,
    wanted: Addresses,
) -> Result<Connected, Fault> {
    let found = matching(source, host, lookup::addresses(cx, host, wanted).await?)?;
    cx.phase("connect");
    let mut failed: Vec<(SocketAddr, Fault)> = Vec::new();
    for (tried, ip) in (0_u32..).zip(&found) {
        let address = SocketAddr::new(*ip, port);
        let share = share_of(cx.left(), found.len(), tried);
        match attempt(source, address, share).await {
            Ok(stream) => {
                cx.end_phase();
                lookup::record(cx, *ip);
                if !failed.is_empty() {
                    cx.note("passed_over", &passed_over(&failed));
                }
                return Ok(Connected { stream, address });
            }
            Err(fault) => failed.push((address, fault)),
        }
    }
    cx.end_phase();
    found.first().into_iter().for_each(|ip| lookup::record(cx, *ip));
    let others = failed.len().saturating_sub(1);
    let Some((_, mut fault)) = failed.into_iter().next() else {
        return Err(Fault::new(Reason::Dns, format!("`{host}` has no address")));
    };
    if others > 0 {
        fault.message = format!("{} (and {others} more of `{host}`)", fault.message);
    }
    Err(fault)
}

/// An equal share of the time left for each address not tried yet.
fn share_of(left: Duration, addresses: usize, tried: u32) -> Duration {
    let remaining = u32::try_from(addresses).unwrap_or(u32::MAX).saturating_sub(tried).max(1);
    left / remaining
}

/// Those of the addresses that can be reached from this one at all.
///
/// # Errors
/// Reason `dns` when there are none.
pub fn matching(source: Option<IpAddr>, host: &str, mut found: Vec<IpAddr>) -> Result<Vec<IpAddr>, Fault> {
    let Some(source) = source else { return Ok(found) };
    found.retain(|address| address.is_ipv4() == source.is_ipv4());
    let family = if source.is_ipv4() { IpProtocol::Ip4 } else { IpProtocol::Ip6 };
    let none = || Fault::new(Reason::Dns, format!("`{host}` has no {family} address, as `source_ip_address` needs"));
    if found.is_empty() { Err(none()) } else { Ok(found) }
}

async fn dial(source: Option<IpAddr>, address: SocketAddr) -> io::Result<TcpStream> {
    let Some(source) = source else { return TcpStream::connect(address).await };
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind(SocketAddr::new(source, 0))?;
    socket.connect(address).await
}

async fn attempt(source: Option<IpAddr>, address: SocketAddr, share: Duration) -> Result<TcpStream, Fault> {
    match timeout(share, dial(source, address)).await {
        Ok(Ok(stream)) => {
            // Small messages of a dialogue must not wait for each other's acknowledgement; a failure here costs only speed.
            let _ = stream.set_nodelay(true);
            Ok(stream)
        }
        Ok(Err(error)) => {
            let fault = fault_of(&error, &format!("connect to {address}"));
            let refused = fault.reason == Reason::Refused;
            Err(if refused { fault.exactly(Detail::NothingListens(address)) } else { fault })
        }
        Err(_elapsed) => {
            let message = format!("{address} did not accept a connection within {}", Span(share));
            Err(Fault::new(Reason::Timeout, message)
                .exactly(Detail::ConnectTimeout)
                .hint("a firewall that drops packets looks like this, and so does a dead host"))
        }
    }
}

fn passed_over(failed: &[(SocketAddr, Fault)]) -> String {
    failed.iter().map(|(address, fault)| format!("{address} {}", fault.reason)).collect::<Vec<_>>().join(", ")
}

/// The fault of an input or output error; `deed` says what was being done: `connect to 10.0.0.7:5432`.
#[must_use]
pub fn fault_of(error: &io::Error, deed: &str) -> Fault {
    use io::ErrorKind as Kind;
    let (reason, what) = match error.kind() {
        Kind::ConnectionRefused => (Reason::Refused, "nothing listens there"),
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::AddrNotAvailable | Kind::PermissionDenied => {
            (Reason::Unreachable, "no route to it")
        }
        Kind::TimedOut => (Reason::Timeout, "no answer"),
        Kind::ConnectionReset | Kind::BrokenPipe | Kind::ConnectionAborted => {
            (Reason::ProtocolMismatch, "the peer broke the connection off")
        }
        Kind::UnexpectedEof => (Reason::ProtocolMismatch, "the peer closed the connection"),
        _ => return Fault::new(Reason::Unreachable, format!("could not {deed}: {error}")),
    };
    let fault = Fault::new(reason, format!("could not {deed}: {what}"));
    match reason {
        Reason::Unreachable => fault.exactly(Detail::NoRoute),
        Reason::Timeout => fault.exactly(Detail::ConnectTimeout),
        _ => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::probes::net::{Net, test_peers};
    use std::net::Ipv4Addr;

    fn order(prefer: IpProtocol, fallback: bool) -> String {
        let found = ["10.0.0.1", "fd00::1", "10.0.0.2", "10.0.0.2"].map(|text| text.parse().unwrap()).to_vec();
        Addresses { prefer, fallback }.order(found).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_wanted_family_comes_first() {
        assert_eq!(order(IpProtocol::Ip6, true), "fd00::1 10.0.0.1 10.0.0.2");
        assert_eq!(order(IpProtocol::Ip4, true), "10.0.0.1 10.0.0.2 fd00::1");
        assert_eq!(order(IpProtocol::Ip4, false), "10.0.0.1 10.0.0.2");
        assert_eq!(order(IpProtocol::Ip6, false), "fd00::1");
    }

    #[test]
    fn each_address_has_its_share_of_the_time() {
        let left = Duration::from_secs(6);
        assert_eq!(share_of(left, 3, 0), Duration::from_secs(2));
        assert_eq!(share_of(left, 3, 2), left);
    }

    #[tokio::test]
    async fn a_closed_port_is_refused_and_both_phases_are_timed() {
        let port = test_peers::closed_port().await;
        let net = Net::default();
        let mut cx = Context::new(&net, clock::now() + Duration::from_secs(2), crate::probes::Depth::Peer);
        let fault = connect(&mut cx, "127.0.0.1", port, Addresses::default()).await.unwrap_err();
        assert_eq!(fault.reason, Reason::Refused);
        assert_eq!(fault.message, format!("could not connect to 127.0.0.1:{port}: nothing listens there"));
        assert!(cx.took("resolve").is_some() && cx.took("connect").is_some());
    }

    #[tokio::test]
    async fn the_next_address_is_tried_when_one_refuses() {
        // `localhost` is ::1 and 127.0.0.1 where IPv6 is on; the peer listens on the second only.
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let net = Net::default();
        let mut cx = Context::new(&net, clock::now() + Duration::from_secs(2), crate::probes::Depth::Peer);
        let connected = connect(&mut cx, "localhost", port, Addresses::default()).await.unwrap();
        assert_eq!(connected.address, SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
}
