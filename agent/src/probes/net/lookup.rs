//! From a host name to addresses. The system's resolver blocks a thread for as long as it likes; here it holds one of a few permits
//! until it really returns, whether or not anybody still waits, so a dead resolver takes those few threads and no more.

use super::Addresses;
use super::facts::{IP_HASH, IP_PROTOCOL, LOOKUP_TIME};
use crate::limits;
use crate::probes::outcome::Pinned;
use crate::probes::{Context, Detail, Fault, Reason};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::timeout_at;

/// The gate of the name look-ups.
#[derive(Debug)]
pub struct Lookups(Arc<Semaphore>);

impl Default for Lookups {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(limits::LOOKUPS_AT_ONCE)))
    }
}

/// The addresses of a host, best first, in phase `resolve`. An IP address needs no resolver and waits for nobody.
///
/// # Errors
/// Reason `dns`: the name is unknown, has no address of the wanted family, or the resolver did not answer in time.
pub async fn addresses(cx: &mut Context<'_>, host: &str, wanted: Addresses) -> Result<Vec<IpAddr>, Fault> {
    if let Some(Pinned { address, lookup, .. }) =
        cx.pinned.clone().filter(|pinned| pinned.host.eq_ignore_ascii_case(host))
    {
        cx.earlier_phase("resolve", lookup);
        cx.measure(LOOKUP_TIME.is(lookup.as_secs_f64()));
        return Ok(vec![address]);
    }
    cx.phase("resolve");
    let found = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => Ok(vec![address]),
        Err(_) => resolve(cx, host).await,
    };
    cx.end_phase();
    cx.measure(LOOKUP_TIME.is(cx.took("resolve").unwrap_or_default().as_secs_f64()));
    let (found, family) = (found?, wanted.prefer);
    let usable = wanted.order(found);
    if usable.is_empty() {
        let message = format!("`{host}` has no {family} address, and `ip_protocol_fallback` is off");
        return Err(Fault::new(Reason::Dns, message));
    }
    Ok(usable)
}

async fn resolve(cx: &Context<'_>, host: &str) -> Result<Vec<IpAddr>, Fault> {
    let gate = Arc::clone(&cx.net.lookups.0);
    let waiting = timeout_at(cx.deadline, gate.acquire_owned()).await;
    let Ok(Ok(permit)) = waiting else {
        let message =
            format!("look-up of `{host}` did not begin: {} others hang in the resolver", limits::LOOKUPS_AT_ONCE);
        return Err(Fault::new(Reason::Dns, message)
            .exactly(Detail::ResolverSilent)
            .hint("is the name server of this container or host alive?"));
    };
    let name = (host.to_owned(), 0);
    // A task of its own: when the probe's deadline drops us, the permit stays with the thread that still hangs.
    let looking = tokio::spawn(async move {
        let _held = permit;
        Ok::<Vec<SocketAddr>, io::Error>(tokio::net::lookup_host(name).await?.collect())
    });
    match timeout_at(cx.deadline, looking).await {
        Ok(Ok(Ok(found))) => Ok(found.into_iter().map(|address| address.ip()).collect()),
        Ok(Ok(Err(error))) => Err(unknown(host, &error)),
        Ok(Err(_gone)) => Err(Fault::new(Reason::Internal, format!("the look-up of `{host}` broke off"))),
        Err(_elapsed) => Err(Fault::new(Reason::Dns, format!("the resolver did not answer for `{host}` in time"))
            .exactly(Detail::ResolverSilent)
            .hint("is the name server of this container or host alive?")),
    }
}

fn unknown(host: &str, error: &io::Error) -> Fault {
    let text = error.to_string();
    if text.contains("Temporary failure") {
        return Fault::new(Reason::Dns, format!("the resolver could not answer for `{host}`: {text}"))
            .exactly(Detail::ResolverSilent)
            .hint("is the name server alive, and does this container share a network with the service?");
    }
    let advice = "compare it with the service's name in the compose file; both must share a network";
    Fault::new(Reason::Dns, format!("no such host: `{host}`")).exactly(Detail::NameUnknown).hint(advice)
}

/// Records which address was taken.
pub fn record(cx: &mut Context<'_>, address: IpAddr) {
    cx.reached(address);
    cx.measure(IP_PROTOCOL.is(if address.is_ipv4() { 4.0 } else { 6.0 }));
    cx.measure(IP_HASH.is(f64::from(fnv32a(address))));
}

/// FNV-1a over the address's bytes, as blackbox has it: four for IPv4 (also when mapped into IPv6), sixteen for IPv6.
fn fnv32a(address: IpAddr) -> u32 {
    let hash = |bytes: &[u8]| {
        bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
    };
    match address.to_canonical() {
        IpAddr::V4(v4) => hash(&v4.octets()),
        IpAddr::V6(v6) => hash(&v6.octets()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::probes::net::{IpProtocol, Net};
    use std::time::Duration;

    async fn look(net: &Net, host: &str, wanted: Addresses) -> Result<Vec<IpAddr>, Fault> {
        let mut cx = Context::new(net, clock::now() + Duration::from_millis(200), crate::probes::Depth::Peer);
        addresses(&mut cx, host, wanted).await
    }

    #[test]
    fn hashes_addresses_as_blackbox_does() {
        for (text, expected) in [("127.0.0.1", 0xdaaf_40ed), ("::ffff:127.0.0.1", 0xdaaf_40ed), ("::1", 0x6869_1772)] {
            assert_eq!(fnv32a(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn a_dead_resolver_does_not_starve_checks_of_ip_addresses() {
        let net = Net::default();
        let _all = net.lookups.0.clone().acquire_many_owned(limits::LOOKUPS_AT_ONCE as u32).await.unwrap();
        let fault = look(&net, "localhost", Addresses::default()).await.unwrap_err();
        assert_eq!(fault.reason, Reason::Dns);
        insta::assert_snapshot!(fault.message, @"look-up of `localhost` did not begin: 8 others hang in the resolver");
        let found = look(&net, "127.0.0.1", Addresses::default()).await;
        assert_eq!(found, Ok(vec!["127.0.0.1".parse().unwrap()]));
    }

    #[tokio::test]
    async fn an_unknown_name_is_a_dns_fault() {
        // `.invalid` never resolves (RFC 6761); without a network the resolver says so in other words.
        let fault = look(&Net::default(), "nobody.invalid", Addresses::default()).await.unwrap_err();
        assert_eq!(fault.reason, Reason::Dns, "{fault:?}");
    }

    #[tokio::test]
    async fn an_address_of_the_other_family_is_refused_without_fallback() {
        let only6 = Addresses { prefer: IpProtocol::Ip6, fallback: false };
        let fault = look(&Net::default(), "127.0.0.1", only6).await.unwrap_err();
        insta::assert_snapshot!(fault.message, @"`127.0.0.1` has no IPv6 address, and `ip_protocol_fallback` is off");
    }
}
