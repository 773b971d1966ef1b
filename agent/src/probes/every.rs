//! `all_addresses`: a probe that looks at every address of its name apart, one run after the other, each with its share of the time.
//! It knows no kind: the look-up is told which address the name stands for. What must stay true: one dead address fails the check,
//! whichever address a client would have chosen; and addresses are labels only in the two metrics here, capped in count.

use super::net::{Addresses, IpProtocol, addresses};
use super::outcome::{Pinned, drive};
use super::{Context, Fault, Kind, Outcome, Probe, Run, Veil};
use crate::node::{Node, Problems, Value};
use crate::reading::Metric;
use crate::{clock, limits};
use std::collections::BTreeSet;
use std::net::IpAddr;

static UP: Metric = Metric::gauge(
    "sidecar_address_up",
    "Whether the last run succeeded at this address of the check's name, 1 or 0, not debounced",
)
.labelled(&["address"]);
static DURATION: Metric =
    Metric::gauge("sidecar_address_duration_seconds", "How long the last run took at this address of the check's name")
        .labelled(&["address"]);

/// What it measures beside the probe's own figures.
pub static FACTS: &[&Metric] = &[&UP, &DURATION];

/// Whether a kind connects anew in every run, by a name of which it may choose an address.
#[must_use]
pub fn fits(kind: &Kind) -> bool {
    kind.keys.iter().any(|key| key.name == "preferred_ip_protocol")
}

/// Puts it around a probe with these keys of its own.
#[must_use]
pub fn every(probe: Box<dyn Probe>, host: &str, own: &Node) -> Box<dyn Probe> {
    Box::new(Every { probe, host: host.to_owned(), wanted: wanted(own), labelled: BTreeSet::new() })
}

/// The keys about families, which the probe has read and found sound.
fn wanted(own: &Node) -> Addresses {
    #[derive(serde::Deserialize)]
    #[serde(default)]
    struct Families {
        preferred_ip_protocol: IpProtocol,
        ip_protocol_fallback: bool,
    }
    impl Default for Families {
        fn default() -> Self {
            let Addresses { prefer, fallback } = Addresses::default();
            Self { preferred_ip_protocol: prefer, ip_protocol_fallback: fallback }
        }
    }
    let known = |name: &str| matches!(name, "preferred_ip_protocol" | "ip_protocol_fallback");
    let keys = own.entries().iter().filter(|(key, _)| known(&key.name)).cloned().collect();
    let families: Families =
        Node { value: Value::Map(keys), at: own.at }.read("", &mut Problems::default()).unwrap_or_default();
    Addresses { prefer: families.preferred_ip_protocol, fallback: families.ip_protocol_fallback }
}

struct Every {
    probe: Box<dyn Probe>,
    host: String,
    wanted: Addresses,
    /// The addresses that have had series.
    labelled: BTreeSet<IpAddr>,
}

impl Probe for Every {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(self.probe(cx))
    }

    fn veil(&self) -> &Veil {
        self.probe.veil()
    }
}

impl Every {
    async fn probe(&mut self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let found = addresses(cx, &self.host, self.wanted).await?;
        self.look_at(cx, &found).await
    }

    async fn look_at(&mut self, cx: &mut Context<'_>, found: &[IpAddr]) -> Result<(), Fault> {
        let lookup = cx.took("resolve").unwrap_or_default();
        let mut outcomes = Vec::new();
        for (remaining, address) in (1..=u32::try_from(found.len()).unwrap_or(1)).rev().zip(found) {
            let deadline = clock::now() + cx.left() / remaining;
            let mut one = Context::new(cx.net, deadline, cx.depth);
            one.pinned = Some(Pinned { host: self.host.clone(), address: *address, lookup });
            let outcome = drive(self.probe.as_mut(), one).await;
            self.measure(cx, *address, &outcome);
            outcomes.push((*address, outcome));
        }
        conclude(cx, &self.host, outcomes)
    }

    fn measure(&mut self, cx: &mut Context<'_>, address: IpAddr, outcome: &Outcome) {
        if self.labelled.len() < limits::ADDRESSES_LABELLED {
            self.labelled.insert(address);
        }
        if self.labelled.contains(&address) {
            let label = address.to_string();
            cx.measure(UP.with([&*label], if outcome.ok() { 1.0 } else { 0.0 }));
            cx.measure(DURATION.with([&*label], outcome.took.as_secs_f64()));
        }
    }
}

/// The run's own figures are those of the first address that failed, else those of the first.
fn conclude(cx: &mut Context<'_>, host: &str, mut outcomes: Vec<(IpAddr, Outcome)>) -> Result<(), Fault> {
    let told = |(address, outcome): &(IpAddr, Outcome)| match &outcome.fault {
        Some(fault) => format!("{address} {}", fault.reason),
        None => format!("{address} ok"),
    };
    let all = outcomes.iter().map(told).collect::<Vec<_>>().join(", ");
    let total = outcomes.len();
    let failed: Vec<String> = outcomes.iter().filter(|one| !one.1.ok()).map(|one| one.0.to_string()).collect();
    let shown = outcomes.iter().position(|(_, outcome)| !outcome.ok()).unwrap_or(0);
    if shown >= total {
        return Ok(());
    }
    let (address, mut outcome) = outcomes.swap_remove(shown);
    let fault = outcome.fault.take();
    cx.adopt(outcome);
    cx.note("addresses", &all);
    let Some(fault) = fault else { return Ok(()) };
    let which = match failed.len() {
        _ if total == 1 => return Err(fault),
        1 => format!("of {total} addresses of `{host}` {address} fails"),
        count if count == total => format!("all {total} addresses of `{host}` fail, {address}"),
        count => format!("{count} of {total} addresses of `{host}` fail ({}), {address}", failed.join(", ")),
    };
    Err(Fault { message: format!("{which}: {}", fault.message), ..fault })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::{Depth, Reason, Target, kind_of, net::Net};
    use std::net::Ipv4Addr;
    use std::time::Duration;

    fn every_tcp(port: u16, own: &Node) -> Every {
        let target = Target::parse(&format!("tcp://several.invalid:{port}")).unwrap();
        let probe = (kind_of("tcp").unwrap().build)(&target, own, &mut Problems::default()).unwrap();
        Every { probe, host: target.host, wanted: wanted(own), labelled: BTreeSet::new() }
    }

    /// A look at a port of a name with these addresses: the fault, each address's verdict, and what is told of all.
    async fn look(port: u16, addresses: &[[u8; 4]]) -> (Option<Fault>, Vec<(String, f64)>, String) {
        let net = Net::default();
        let mut cx = Context::new(&net, clock::now() + Duration::from_secs(2), Depth::Peer);
        let found: Vec<IpAddr> = addresses.iter().copied().map(IpAddr::from).collect();
        let ended = every_tcp(port, &Node::default()).look_at(&mut cx, &found).await;
        let outcome = cx.into_outcome();
        let up = outcome.readings.iter().filter(|reading| reading.metric == &UP);
        let up = up.map(|reading| (reading.labels[0].clone(), reading.value)).collect();
        (ended.err(), up, outcome.note("addresses").unwrap_or_default().to_owned())
    }

    #[tokio::test]
    async fn one_dead_address_fails_the_check_and_is_named() {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (dead, alive) = ([127, 0, 0, 2], [127, 0, 0, 1]);
        for addresses in [[dead, alive], [alive, dead]] {
            let (fault, mut up, told) = look(port, &addresses).await;
            let fault = fault.unwrap();
            assert_eq!(fault.reason, Reason::Refused);
            let why = format!("127.0.0.2 fails: could not connect to 127.0.0.2:{port}: nothing listens there");
            assert_eq!(fault.message, format!("of 2 addresses of `several.invalid` {why}"));
            up.sort_by(|one, other| one.0.cmp(&other.0));
            assert_eq!(up, [("127.0.0.1".to_owned(), 1.0), ("127.0.0.2".to_owned(), 0.0)]);
            assert!(told.contains("127.0.0.2 refused") && told.contains("127.0.0.1 ok"), "{told}");
        }
        assert_eq!(look(port, &[alive]).await.0, None);
        let (fault, _, _) = look(port, &[dead, [127, 0, 0, 3]]).await;
        assert!(fault.unwrap().message.starts_with("all 2 addresses of `several.invalid` fail, 127.0.0.2: "));
        let (fault, _, _) = look(port, &[dead, alive, [127, 0, 0, 3]]).await;
        assert!(
            fault.unwrap().message.starts_with("2 of 3 addresses of `several.invalid` fail (127.0.0.2, 127.0.0.3), ")
        );
    }

    #[tokio::test]
    async fn a_silent_address_leaves_the_others_their_share_of_the_time() {
        let silent = crate::probes::net::test_peers::silent().await;
        let keys = r#"{"query_response": [{"expect": "x"}]}"#;
        let own: Node = crate::probes::tests::node(keys);
        let net = Net::default();
        let mut cx = Context::new(&net, clock::now() + Duration::from_millis(600), Depth::Peer);
        let found = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2])];
        let fault = every_tcp(silent.port(), &own).look_at(&mut cx, &found).await.unwrap_err();
        assert_eq!(fault.reason, Reason::Timeout);
        let told = cx.into_outcome().note("addresses").unwrap_or_default().to_owned();
        assert_eq!(told, "127.0.0.1 timeout, 127.0.0.2 refused");
    }

    struct Shares(Vec<Duration>);

    impl Probe for Shares {
        fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
            self.0.push(cx.left());
            let address = cx.pinned.as_ref().map(|pinned| pinned.address);
            let (count, left) = (self.0.len(), cx.left());
            Box::pin(async move {
                // The first of three has a third of the time, and not all of it.
                assert!(count > 1 || left <= Duration::from_secs(20), "{address:?} has {left:?}");
                Ok(())
            })
        }
    }

    #[tokio::test]
    async fn each_address_has_its_share_of_the_time() {
        let net = Net::default();
        let mut cx = Context::new(&net, clock::now() + Duration::from_mins(1), Depth::Peer);
        let found = [1, 2, 3].map(|last| IpAddr::from([127, 0, 0, last]));
        let mut every = every_tcp(1, &Node::default());
        every.probe = Box::new(Shares(Vec::new()));
        assert_eq!(every.look_at(&mut cx, &found).await, Ok(()));
    }

    #[test]
    fn the_keys_of_the_probe_about_families_hold_here_too() {
        let own = crate::probes::tests::node(
            r#"{"preferred_ip_protocol": "ip4", "ip_protocol_fallback": false, "tls": true}"#,
        );
        assert_eq!(wanted(&own), Addresses { prefer: IpProtocol::Ip4, fallback: false });
        assert_eq!(wanted(&Node::default()), Addresses::default());
    }

    #[test]
    fn the_number_of_series_is_capped() {
        let net = Net::default();
        let mut cx = Context::new(&net, clock::now() + Duration::from_secs(1), Depth::Peer);
        let mut every = every_tcp(1, &Node::default());
        for last in 0..=255 {
            every.measure(&mut cx, IpAddr::from([10, 0, 0, last]), &Outcome::default());
        }
        let first = cx.value(&UP);
        assert_eq!((every.labelled.len(), first), (limits::ADDRESSES_LABELLED, Some(1.0)));
    }
}
