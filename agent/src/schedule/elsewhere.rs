//! Looking for a service on other ports of its host, when the check's own port refuses. What counts: a port of the peer's own process,
//! where that is seen; where only the network is shared, as in a pod, the one port that speaks the same, as long as the peer never was up;
//! on other hosts the ports that the configuration names for the host; and all of them where the check says `sweep: true`. What must stay
//! true: nobody's port is touched but the check's own host's, and what may be somebody else's (another check's, this agent's, anything on
//! loopback beside a service that is not the peer) is never taken for the service: one that was up and refuses now is down, not moved.

use crate::collectors::{Listener, PeerPlan, Roots, listening};
use crate::probes::net::{Net, Spoken, sniff};
use crate::probes::{Detail, Elsewhere, Open, Outcome, Target};
use crate::small;
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
    /// The peer's own ports when its check last came up.
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
                memory.open = outcome.address.and_then(|ip| self.of_peer(facts, ip)).map(ports_of).unwrap_or_default();
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

    /// What the peer's process listens on, when the check is the peer's and its process is seen.
    fn of_peer(&self, facts: &CheckFacts, ip: IpAddr) -> Option<Vec<Listener>> {
        facts.peer.then(|| listening::of_peer(&self.roots, &self.peer, !is_ours(ip))).flatten()
    }

    async fn look(&self, (facts, memory): (&CheckFacts, &Memory), at: SocketAddr, net: &Net) -> Option<Elsewhere> {
        let target = Target::parse(&facts.target).ok()?;
        let (of_peer, ours) = (self.of_peer(facts, at.ip()), is_ours(at.ip()));
        let here = (ours && (facts.peer || memory.was_up)).then(|| listening::here(&self.roots));
        let nothing = Elsewhere { expected: at, loopback_only: false, open: Vec::new() };
        if let Some(seen) = of_peer.as_ref().or(here.as_ref())
            && seen.contains(&Listener { port: at.port(), loopback: true })
            && !at.ip().is_loopback()
        {
            return Some(Elsewhere { loopback_only: true, ..nothing });
        }
        // Beside a stranger's port only a single one tells something: on a busy host any of several may be anybody's.
        let most = if ours && of_peer.is_none() { 1 } else { limits::PORTS_NAMED };
        let ports = match (of_peer, here) {
            (Some(own), _) => self.free(own, &target.host).filter(|port| !memory.open.contains(port)).collect(),
            (None, Some(here)) if !memory.was_up => {
                let lasting = |port: &u16| *port < limits::EPHEMERAL_PORTS || at.port() >= limits::EPHEMERAL_PORTS;
                self.free(here, &target.host).filter(lasting).collect()
            }
            (None, None) if !memory.was_up && !ours => self.named_beside(&target.host, at.port()),
            _ => Vec::new(),
        };
        let mut open = fitting(at.ip(), &ports, facts, net).await;
        if open.is_empty() && facts.sweep && !memory.was_up && is_time_to_sweep(memory.failed, facts.fail_after) {
            open = fitting(at.ip(), &sweep(at.ip(), everything(self.own)).await, facts, net).await;
        }
        (!open.is_empty() && open.len() <= most).then_some(Elsewhere { open, ..nothing })
    }

    /// The ports that are neither the agent's own nor of another check of this host.
    fn free<'a>(&'a self, listeners: Vec<Listener>, host: &'a str) -> impl Iterator<Item = u16> + 'a {
        let claimed = move |port: u16| self.named.iter().any(|(of, named)| of == host && *named == port);
        listeners.into_iter().map(|it| it.port).filter(move |port| *port != self.own && !claimed(*port))
    }

    /// The ports that other checks name for a host.
    fn named_beside(&self, host: &str, port: u16) -> Vec<u16> {
        self.named.iter().filter(|(of, named)| of == host && *named != port).map(|(_, named)| *named).collect()
    }
}

fn ports_of(listeners: Vec<Listener>) -> BTreeSet<u16> {
    small::set(listeners.into_iter().map(|listener| listener.port))
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

/// When the check goes down, and each time it has been down four times as long: the service may have been starting still.
fn is_time_to_sweep(failed: u32, fail_after: u32) -> bool {
    let times = failed.checked_div(fail_after).unwrap_or_default();
    failed == times.saturating_mul(fail_after) && times.is_power_of_two() && times.trailing_zeros().is_multiple_of(2)
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
        let lines = open.iter().map(|port| format!("0: 0100007F:{port:04X} 0:0 0A 0:0 0:0 0 0 0 {port}\n"));
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
    async fn a_peer_that_was_never_up_is_found_where_one_port_fits() {
        let (port, moved, other) = (closed().await, web().await, web().await);
        let facts = CheckFacts { peer: true, ..check("http", "http", port) };
        let mut memory = Memory::default();
        let found = after((&facts, &mut memory), &refused(port), (&[], &[moved])).await.expect("it is elsewhere");
        assert_eq!(found.open.iter().map(|open| open.port).collect::<Vec<_>>(), [moved]);
        let told = format!("expected port {port}, nothing listens there; {moved} answers http moved");
        assert_eq!(found.to_string(), told);
        assert_eq!(after((&facts, &mut memory), &refused(port), (&[], &[moved])).await, None, "it is told once");
        let mut memory = Memory::default();
        assert_eq!(after((&facts, &mut memory), &refused(port), (&[], &[moved, other])).await, None, "which of them?");
    }

    #[tokio::test]
    async fn what_was_up_is_down_and_not_moved_unless_its_own_process_listens_elsewhere() {
        let (port, other) = (closed().await, web().await);
        let facts = CheckFacts { peer: true, ..check("http", "http", port) };
        let mut memory = Memory::default();
        after((&facts, &mut memory), &up(port), (&[], &[port])).await;
        assert_eq!(after((&facts, &mut memory), &refused(port), (&[], &[other])).await, None);
        let (folder, ports) = ports(&[], &[other]);
        let process = folder.path().join("1");
        std::fs::create_dir_all(process.join("fd")).unwrap();
        std::fs::write(process.join("comm"), "api\n").unwrap();
        std::fs::write(process.join("stat"), "1 (api) S 0 1 1 0 -1 0 1 1 1 1 1 1 1 1 20 0 1 0 100 1000 100").unwrap();
        std::fs::create_dir_all(process.join("net")).unwrap();
        std::fs::copy(folder.path().join("self/net/tcp"), process.join("net/tcp")).unwrap();
        let look = async |memory: &mut Memory| ports.after((&facts, memory), &refused(port), &Net::default()).await;
        assert_eq!(look(&mut memory).await, None, "the socket is another process's");
        std::os::unix::fs::symlink(format!("socket:[{other}]"), process.join("fd/3")).unwrap();
        let found = look(&mut memory).await.expect("its own process");
        assert_eq!(found.open.iter().map(|open| open.port).collect::<Vec<_>>(), [other]);
    }

    #[tokio::test]
    async fn what_speaks_something_else_or_is_another_checks_or_beside_a_stranger_is_not_the_service() {
        let port = closed().await;
        let peer = |facts| CheckFacts { peer: true, ..facts };
        let (redis, http) = (peer(check("redis", "redis", port)), peer(check("http", "http", port)));
        let (stranger, others) = (check("http", "http", port), [web().await]);
        let cases: [(&CheckFacts, &[u16]); 3] = [(&redis, &[]), (&http, &others), (&stranger, &[])];
        for (facts, named) in cases {
            let told = after((facts, &mut Memory::default()), &refused(port), (named, &others)).await;
            assert_eq!(told, None, "{} {}", facts.kind, facts.peer);
        }
    }

    #[test]
    fn a_sweep_comes_when_the_check_goes_down_and_ever_more_rarely_after() {
        let times = (1..400).filter(|failed| is_time_to_sweep(*failed, 3));
        assert_eq!(times.collect::<Vec<_>>(), [3, 12, 48, 192]);
        assert!(is_time_to_sweep(1, 1) && !is_time_to_sweep(2, 1) && !is_time_to_sweep(0, 3));
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
