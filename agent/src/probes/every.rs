//! `all_addresses`: a probe that looks at every address of its name apart, one run after the other, each with its share of the time.
//! It knows no kind: the look-up is told which address the name stands for. What must stay true: one dead address fails the check,
//! whichever address a client would have chosen; and addresses are labels only in the two metrics here, capped in count.

use super::net::{Addresses, IpProtocol, addresses};
use super::outcome::{Pinned, drive};
use super::{Context, Fault, Kind, Outcome, Probe, Run};
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
}

impl Every {
    async fn probe(&mut self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let found = addresses(cx, &self.host, self.wanted).await?;
        let lookup = cx.took("resolve").unwrap_or_default();
        let mut outcomes = Vec::new();
        for (remaining, address) in (1..=u32::try_from(found.len()).unwrap_or(1)).rev().zip(&found) {
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
    use crate::probes::{Depth, Reason, Target, kind_of, net::Net, run};
    use std::net::Ipv4Addr;
    use std::time::Duration;

    /// A look at `localhost`, which is ::1 and 127.0.0.1 here; skipped where it is one address only.
    async fn look(port: u16, keys: &[(&str, Value)]) -> Outcome {
        let target = Target::parse(&format!("tcp://localhost:{port}")).unwrap();
        let key = |name: &str| crate::node::Key { name: name.to_owned(), at: Default::default() };
        let own =
            Node::new(Value::Map(keys.iter().map(|(name, value)| (key(name), Node::new(value.clone()))).collect()));
        let probe = (kind_of("tcp").unwrap().build)(&target, &own, &mut Problems::default()).unwrap();
        let mut every = every(probe, "localhost", &own);
        run(every.as_mut(), &Net::default(), Duration::from_secs(2), Depth::Peer).await
    }

    fn both_families() -> bool {
        let found = std::net::ToSocketAddrs::to_socket_addrs("localhost:1").unwrap();
        found.map(|address| address.is_ipv4()).collect::<BTreeSet<_>>().len() == 2
    }

    fn up(outcome: &Outcome) -> Vec<(String, f64)> {
        let all = outcome.readings.iter().filter(|reading| reading.metric == &UP);
        all.map(|reading| (reading.labels[0].clone(), reading.value)).collect()
    }

    #[tokio::test]
    async fn one_dead_address_fails_the_check_and_is_named() {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        if !both_families() {
            return;
        }
        let outcome = look(port, &[]).await;
        let fault = outcome.fault.clone().unwrap();
        assert_eq!(fault.reason, Reason::Refused);
        let message = format!(
            "of 2 addresses of `localhost` ::1 fails: could not connect to [::1]:{port}: nothing listens there"
        );
        assert_eq!(fault.message, message);
        assert_eq!(up(&outcome), [("::1".to_owned(), 0.0), ("127.0.0.1".to_owned(), 1.0)]);
        assert_eq!(outcome.note("addresses"), Some("::1 refused, 127.0.0.1 ok"));
        // The keys of the probe about families hold here too.
        let only4 =
            [("preferred_ip_protocol", Value::Text("ip4".into())), ("ip_protocol_fallback", Value::Bool(false))];
        let outcome = look(port, &only4).await;
        assert_eq!((outcome.fault.clone(), up(&outcome)), (None, vec![("127.0.0.1".to_owned(), 1.0)]));
        assert_eq!(outcome.phases.iter().filter(|phase| phase.name == "resolve").count(), 1);
    }

    #[test]
    fn the_number_of_series_is_capped() {
        let net = Net::default();
        let mut cx = Context::new(&net, clock::now() + Duration::from_secs(1), Depth::Peer);
        let kind = kind_of("tcp").unwrap();
        let target = Target::parse("tcp://localhost:1").unwrap();
        let probe = (kind.build)(&target, &Node::default(), &mut Problems::default()).unwrap();
        let mut every = Every { probe, host: String::new(), wanted: Addresses::default(), labelled: BTreeSet::new() };
        for last in 0..=255 {
            every.measure(&mut cx, IpAddr::from([10, 0, 0, last]), &Outcome::default());
        }
        let first = cx.value(&UP);
        assert_eq!((every.labelled.len(), first), (limits::ADDRESSES_LABELLED, Some(1.0)));
    }
}
