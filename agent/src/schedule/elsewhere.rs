//! Looking for a service on other ports of its host, when the check's own port refuses: the ports that are open where the network is
//! shared or the peer's process is seen, else those that the configuration names for this host, else, for the peer and where its check says
//! `sweep: true`, all of them. What must stay true: nobody's port is touched but the check's own host's, and what is somebody else's (another
//! check's, this agent's, one that was open while the check was up) is never taken for the service.

use crate::collectors::{Listener, PeerPlan, Roots, listening};
use crate::probes::net::{Net, Spoken, sniff};
use crate::probes::{Detail, Elsewhere, Open, Outcome, Target};
use crate::snapshot::CheckFacts;
use crate::{clock, limits};
use futures_util::StreamExt as _;
use futures_util::stream;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What is known of ports before anybody looks.
pub(super) struct Ports {
    roots: Roots,
    peer: PeerPlan,
    /// Host and port of each check.
    named: Vec<(String, u16)>,
    /// The agent's own.
    own: u16,
}

/// What one check remembers between its runs.
#[derive(Default)]
pub(super) struct Memory {
    /// The ports that were open when the check last came up.
    open: BTreeSet<u16>,
    was_up: bool,
    failed: u32,
    told: Option<Elsewhere>,
}

impl Ports {
    pub(super) fn new(roots: Roots, peer: PeerPlan, checks: &[Arc<CheckFacts>], own: u16) -> Self {
        let place = |facts: &Arc<CheckFacts>| {
            let target = Target::parse(&facts.target).ok()?;
            Some((target.host, target.port?))
        };
        Self { roots, peer, named: checks.iter().filter_map(place).collect(), own }
    }

    /// What is new to tell after this run of a check.
    pub(super) async fn after(
        &self,
        (facts, memory): (&CheckFacts, &mut Memory),
        outcome: &Outcome,
        net: &Net,
    ) -> Option<Elsewhere> {
        if outcome.ok() {
            if !memory.was_up || memory.failed > 0 {
                memory.open = outcome.address.filter(|ip| is_ours(*ip)).map(|_| self.open_here()).unwrap_or_default();
            }
            *memory = Memory { open: std::mem::take(&mut memory.open), was_up: true, ..Memory::default() };
            return None;
        }
        memory.failed = memory.failed.saturating_add(1);
        let Some(Detail::NothingListens(at)) = outcome.fault.as_ref().and_then(|fault| fault.detail.clone()) else {
            return None;
        };
        let found = self.look((facts, memory), at, net).await;
        let news = found.clone().filter(|found| memory.told.as_ref() != Some(found));
        memory.told = found.or(memory.told.take());
        news
    }

    fn open_here(&self) -> BTreeSet<u16> {
        listening::here(&self.roots).into_iter().map(|listener| listener.port).collect()
    }

    async fn look(&self, (facts, memory): (&CheckFacts, &Memory), at: SocketAddr, net: &Net) -> Option<Elsewhere> {
        let target = Target::parse(&facts.target).ok()?;
        let of_peer = if facts.peer { listening::of_peer(&self.roots, &self.peer) } else { None };
        // Without a picture of how it was, whatever listens beside a stranger may be anybody's.
        let may_tell = facts.peer || memory.was_up;
        let seen = of_peer.or_else(|| (may_tell && is_ours(at.ip())).then(|| listening::here(&self.roots)));
        let nothing = Elsewhere { expected: at, loopback_only: false, open: Vec::new() };
        if let Some(seen) = &seen
            && seen.contains(&Listener { port: at.port(), loopback: true })
            && !at.ip().is_loopback()
        {
            return Some(Elsewhere { loopback_only: true, ..nothing });
        }
        let claimed = |port: u16| self.named.iter().any(|(host, named)| *host == target.host && *named == port);
        let ports: Vec<u16> = match seen {
            Some(seen) => {
                let lasting = |port: u16| port < limits::EPHEMERAL_PORTS || at.port() >= limits::EPHEMERAL_PORTS;
                let free = |port: u16| port != self.own && !claimed(port) && lasting(port);
                let news = |port: &u16| free(*port) && !memory.open.contains(port);
                seen.into_iter().map(|listener| listener.port).filter(news).take(limits::PORTS_LOOKED_AT).collect()
            }
            None if memory.was_up => Vec::new(),
            None => {
                let others = self.named.iter().filter(|(host, port)| *host == target.host && *port != at.port());
                others.map(|(_, port)| *port).collect()
            }
        };
        let mut open = fitting(at.ip(), &ports, facts, net).await;
        if open.is_empty() && facts.sweep && memory.failed == facts.fail_after {
            open = fitting(at.ip(), &sweep(at.ip(), everything(self.own)).await, facts, net).await;
        }
        // Several that fit are no answer: on a busy host any of them may be anybody's.
        (!open.is_empty() && open.len() <= limits::PORTS_NAMED).then_some(Elsewhere { open, ..nothing })
    }
}

/// Those of the ports that speak what the check expects.
async fn fitting(ip: IpAddr, ports: &[u16], facts: &CheckFacts, net: &Net) -> Vec<Open> {
    let mut open = Vec::new();
    for port in ports.iter().copied().take(limits::PORTS_LOOKED_AT) {
        let deadline = clock::now() + limits::SNIFF_TIMEOUT;
        let spoken = sniff(&net.sniffed, SocketAddr::new(ip, port), deadline).await;
        if spoken.as_ref().is_some_and(|spoken| fits(spoken, facts)) {
            open.push(Open { port, spoken });
        }
    }
    open
}

/// Whether a service that speaks this may be the one that the check expects.
fn fits(spoken: &Spoken, facts: &CheckFacts) -> bool {
    let scheme = facts.target.split_once(':').map_or("", |(scheme, _)| scheme);
    match facts.kind {
        "tcp" => true,
        "redis" | "postgres" | "mysql" | "smtp" | "tls" | "grpc" => {
            spoken.is_of(scheme) || (facts.kind == "grpc" && spoken.protocol == "http2")
        }
        _ => matches!(spoken.protocol, "http" | "tls"),
    }
}

/// Whether an address is one of this network namespace: whoever sends to it sends from it. Connecting a datagram socket sends nothing.
fn is_ours(ip: IpAddr) -> bool {
    let own = || {
        let any: IpAddr =
            if ip.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { std::net::Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect((ip, 9)).ok()?;
        socket.local_addr().ok()
    };
    ip.is_loopback() || own().is_some_and(|address| address.ip() == ip)
}

/// All ports that a sweep tries, the usual ones of services first.
fn everything(own: u16) -> impl Iterator<Item = u16> {
    const USUAL: [u16; 12] = [80, 443, 3000, 4000, 5000, 5173, 8000, 8080, 8081, 8443, 8888, 9000];
    USUAL.into_iter().chain((1024..=u16::MAX).filter(|port| !USUAL.contains(port))).filter(move |port| *port != own)
}

/// Those of the ports that are open, at most [`limits::SWEEP_AT_ONCE`] tried in a [`limits::SWEEP_PAUSE`]; it ends when a few are found.
async fn sweep(ip: IpAddr, all: impl Iterator<Item = u16>) -> Vec<u16> {
    let mut open = Vec::new();
    let mut chunks = stream::iter(all).chunks(limits::SWEEP_AT_ONCE);
    while let Some(chunk) = chunks.next().await {
        let began = clock::now();
        let tries = chunk.into_iter().map(|port| async move {
            let connected = timeout(limits::SWEEP_PAUSE, TcpStream::connect((ip, port))).await;
            matches!(connected, Ok(Ok(_))).then_some(port)
        });
        let found: Vec<Option<u16>> = stream::iter(tries).buffer_unordered(limits::SWEEP_AT_ONCE).collect().await;
        open.extend(found.into_iter().flatten());
        if open.len() >= limits::PORTS_NAMED {
            break;
        }
        tokio::time::sleep_until(began + limits::SWEEP_PAUSE).await;
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::sample::facts_of;
    use crate::probes::{Fault, Reason};
    use crate::snapshot::Role;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// A server of HTTP on a free port of loopback.
    async fn web() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut asked = [0; 64];
                    if stream.read(&mut asked).await.is_ok_and(|length| asked[..length].starts_with(b"PING")) {
                        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nServer: moved\r\n\r\n").await;
                    }
                });
            }
        });
        port
    }

    async fn closed() -> u16 {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port()
    }

    fn refused(port: u16) -> Outcome {
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let fault = Fault::new(Reason::Refused, "refused").exactly(Detail::NothingListens(at));
        Outcome { fault: Some(fault), address: Some(at.ip()), ..Outcome::default() }
    }

    fn up(port: u16) -> Outcome {
        Outcome { fault: None, ..refused(port) }
    }

    /// What is known where these checks are and these ports are open.
    fn ports(named: &[u16], open: &[u16]) -> (tempfile::TempDir, Ports) {
        let facts = |port: &u16| Arc::new(facts_of("x", "http", &format!("http://127.0.0.1:{port}/"), Role::Observe));
        let checks: Vec<_> = named.iter().map(facts).collect();
        let folder = tempfile::tempdir().unwrap();
        let lines = open.iter().map(|port| format!("0: 0100007F:{port:04X} 00000000:0000 0A\n"));
        std::fs::create_dir_all(folder.path().join("self/net")).unwrap();
        std::fs::write(folder.path().join("self/net/tcp"), lines.collect::<String>()).unwrap();
        let roots = Roots { proc: folder.path().to_path_buf(), ..Roots::of_system() };
        let ports = Ports::new(roots, PeerPlan::default(), &checks, 1);
        (folder, ports)
    }

    /// A run of a check where these ports are open.
    async fn after(
        (facts, memory): (&CheckFacts, &mut Memory),
        outcome: &Outcome,
        (named, open): (&[u16], &[u16]),
    ) -> Option<Elsewhere> {
        let (_folder, ports) = ports(named, open);
        ports.after((facts, memory), outcome, &Net::default()).await
    }

    fn check(kind: &'static str, scheme: &str, port: u16) -> CheckFacts {
        facts_of("api", kind, &format!("{scheme}://127.0.0.1:{port}/"), Role::Readiness)
    }

    #[tokio::test]
    async fn a_service_that_moved_is_found_and_what_was_there_before_is_not_taken_for_it() {
        let (port, bystander, moved) = (closed().await, web().await, web().await);
        let facts = check("http", "http", port);
        let mut memory = Memory::default();
        assert_eq!(after((&facts, &mut memory), &up(port), (&[], &[port, bystander])).await, None);
        assert_eq!(after((&facts, &mut memory), &refused(port), (&[], &[bystander])).await, None);
        let now = [bystander, moved];
        let found = after((&facts, &mut memory), &refused(port), (&[], &now)).await.expect("it moved");
        assert_eq!(found.open.iter().map(|open| open.port).collect::<Vec<_>>(), [moved]);
        let told = format!("expected port {port}, nothing listens there; {moved} answers http moved");
        assert_eq!(found.to_string(), told);
        assert_eq!(after((&facts, &mut memory), &refused(port), (&[], &now)).await, None, "it is told once");
    }

    #[tokio::test]
    async fn what_speaks_something_else_or_is_another_checks_or_one_of_many_is_not_the_service() {
        let port = closed().await;
        let (redis, http) = (check("redis", "redis", port), check("http", "http", port));
        let others = [web().await, web().await, web().await, web().await];
        let cases: [(&CheckFacts, &[u16], &[u16]); 3] =
            [(&redis, &[], &others[..1]), (&http, &others[..1], &others[..1]), (&http, &[], &others)];
        for (facts, named, open) in cases {
            let mut memory = Memory::default();
            after((facts, &mut memory), &up(port), (named, &[port])).await;
            assert_eq!(after((facts, &mut memory), &refused(port), (named, open)).await, None, "{}", facts.kind);
        }
    }

    #[tokio::test]
    async fn a_sweep_finds_a_port_that_nobody_named_and_keeps_its_pace() {
        let (moved, ip) = (web().await, IpAddr::V4(Ipv4Addr::LOCALHOST));
        let began = clock::now();
        let nobody = std::iter::repeat_n(closed().await, 2 * limits::SWEEP_AT_ONCE);
        assert_eq!(sweep(ip, nobody.chain([moved])).await, [moved]);
        assert!(clock::now() - began >= 2 * limits::SWEEP_PAUSE, "{:?}", clock::now() - began);
        assert!(everything(3000).take(4).eq([80, 443, 4000, 5000]), "the usual ones first, the agent's own never");
        assert_eq!(everything(9797).count(), 64_512 + 1, "65535 less 1023, and 80 and 443 less the agent's own");
    }

    #[test]
    fn loopback_is_ours_and_a_stranger_is_not() {
        assert!(is_ours(IpAddr::from([127, 0, 0, 1])));
        assert!(!is_ours(IpAddr::from([192, 0, 2, 1])));
    }
}
