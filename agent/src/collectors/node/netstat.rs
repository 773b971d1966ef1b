//! The network stack: counts of its protocols, sockets, queues, connection tracking, neighbours.
//! Source: kernel documentation, networking/snmp_counter; proc(5).

use super::look::{Lack, Look, number, parser};
use super::{Part, on};
use crate::collectors::files::{self, float};
use crate::parser::Parser;
use crate::reading::Metric;
use std::collections::BTreeMap;

static NETSTAT: Metric = Metric::untyped("node_netstat_*", "Count * of the network stack");
static SOCKSTAT: Metric = Metric::gauge("node_sockstat_*", "Sockets, or their memory, by protocol and state: *");
static UDP_QUEUES: Metric =
    Metric::gauge("node_udp_queues", "Bytes that wait in the queues of UDP sockets").labelled(&["queue", "ip"]);
static ARP: Metric = Metric::gauge("node_arp_entries", "Neighbours known by their address").labelled(&["device"]);
static TRACKED: Metric = Metric::gauge("node_nf_conntrack_entries", "Connections that are tracked");
static TRACKED_MOST: Metric = Metric::gauge("node_nf_conntrack_entries_limit", "Connections that may be tracked");
static TRACKING: [(&str, Metric); 8] = [
    ("found", Metric::gauge("node_nf_conntrack_stat_found", "Searches that found an entry, since boot")),
    ("invalid", Metric::gauge("node_nf_conntrack_stat_invalid", "Packets that cannot be tracked, since boot")),
    ("ignore", Metric::gauge("node_nf_conntrack_stat_ignore", "Packets that belong to an entry already, since boot")),
    ("insert", Metric::gauge("node_nf_conntrack_stat_insert", "Entries added, since boot")),
    (
        "insert_failed",
        Metric::gauge("node_nf_conntrack_stat_insert_failed", "Entries that could not be added, since boot"),
    ),
    ("drop", Metric::gauge("node_nf_conntrack_stat_drop", "Packets dropped since no entry could be made, since boot")),
    ("early_drop", Metric::gauge("node_nf_conntrack_stat_early_drop", "Entries removed to make room, since boot")),
    (
        "search_restart",
        Metric::gauge("node_nf_conntrack_stat_search_restart", "Searches begun again since the table grew, since boot"),
    ),
];
static SOFTNET: [(usize, Metric); 7] = [
    (0, Metric::counter("node_softnet_processed_total", "Packets handled").labelled(&["cpu"])),
    (1, Metric::counter("node_softnet_dropped_total", "Packets dropped since the queue was full").labelled(&["cpu"])),
    (
        2,
        Metric::counter("node_softnet_times_squeezed_total", "How often handling ended before the queue was empty")
            .labelled(&["cpu"]),
    ),
    (
        8,
        Metric::counter("node_softnet_cpu_collision_total", "Collisions while taking a device to send")
            .labelled(&["cpu"]),
    ),
    (
        9,
        Metric::counter("node_softnet_received_rps_total", "How often another processor woke this one for packets")
            .labelled(&["cpu"]),
    ),
    (
        10,
        Metric::counter("node_softnet_flow_limit_count_total", "How often a flow reached its limit").labelled(&["cpu"]),
    ),
    (11, Metric::gauge("node_softnet_backlog_len", "Packets that wait").labelled(&["cpu"])),
];
/// The column with the processor's number, since Linux 5.14; before, lines are numbered.
const SOFTNET_CPU: usize = 12;

/// The rows of the table.
pub(super) static NETSTAT_PART: Part = on("netstat", netstat, &[&NETSTAT]);
pub(super) static SOCKSTAT_PART: Part = on("sockstat", sockstat, &[&SOCKSTAT]);
pub(super) static UDP_QUEUES_PART: Part = on("udp_queues", udp_queues, &[&UDP_QUEUES]);
pub(super) static ARP_PART: Part = on("arp", arp, &[&ARP]);
pub(super) static CONNTRACK: Part = on(
    "conntrack",
    conntrack,
    &[
        &TRACKED,
        &TRACKED_MOST,
        &TRACKING[0].1,
        &TRACKING[1].1,
        &TRACKING[2].1,
        &TRACKING[3].1,
        &TRACKING[4].1,
        &TRACKING[5].1,
        &TRACKING[6].1,
        &TRACKING[7].1,
    ],
);
pub(super) static SOFTNET_PART: Part = on(
    "softnet",
    softnet,
    &[&SOFTNET[0].1, &SOFTNET[1].1, &SOFTNET[2].1, &SOFTNET[3].1, &SOFTNET[4].1, &SOFTNET[5].1, &SOFTNET[6].1],
);
/// What reads the kernel's bytes here.
pub(super) const PARSERS: [Parser; 3] = [
    parser("node_snmp", |bytes| drop(counts(&String::from_utf8_lossy(bytes)))),
    parser("node_sockstat", |bytes| {
        String::from_utf8_lossy(bytes).lines().for_each(|line| drop(sockets(line, 4096.0)));
    }),
    parser("node_conntrack", |bytes| drop(tracking(&String::from_utf8_lossy(bytes)))),
];

/// What node_exporter's default pattern takes: `^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|
/// Icmp6?_(InMsgs|OutMsgs)|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|Tcp_(…)|Udp6?_(…))$`.
fn is_wanted(protocol: &str, name: &str) -> bool {
    const TCP: [&str; 7] = ["ActiveOpens", "InSegs", "OutSegs", "OutRsts", "PassiveOpens", "RetransSegs", "CurrEstab"];
    const UDP: [&str; 5] = ["InDatagrams", "OutDatagrams", "NoPorts", "RcvbufErrors", "SndbufErrors"];
    let listed = match protocol {
        "Ip" => name == "Forwarding",
        "Ip6" | "IpExt" => ["InOctets", "OutOctets"].contains(&name),
        "Icmp" | "Icmp6" => ["InMsgs", "OutMsgs"].contains(&name),
        "Tcp" => TCP.contains(&name),
        "TcpExt" => {
            let some = ["TCPSynRetrans", "TCPTimeouts", "TCPOFOQueue", "TCPRcvQDrop"].contains(&name);
            some || name.starts_with("Listen") || name.starts_with("Syncookies")
        }
        "Udp" | "Udp6" => UDP.contains(&name),
        _ => false,
    };
    listed || ["InErrors", "InErrs"].contains(&name)
}

/// The counts of `/proc/net/snmp` and `netstat`: pairs of lines, names and values, both with the protocol in front.
fn counts(text: &str) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
        let pair = names.split_once(':').zip(values.split_once(':')).filter(|(names, values)| names.0 == values.0);
        let Some(((protocol, names), (_, values))) = pair else { continue };
        for (name, value) in names.split_ascii_whitespace().zip(values.split_ascii_whitespace()) {
            if let (true, Ok(value)) = (is_wanted(protocol, name), value.parse::<f64>()) {
                found.push((format!("{protocol}_{name}"), value));
            }
        }
    }
    found
}

/// A line of `/proc/net/snmp6`: `Ip6InReceives   12` is `Ip6_InReceives`.
fn count_of_six(line: &str) -> Option<(String, f64)> {
    let mut words = line.split_ascii_whitespace();
    let (name, value) = (words.next()?, words.next()?);
    let (protocol, name) = name.split_at_checked(name.find('6')? + 1)?;
    is_wanted(protocol, name).then_some((format!("{protocol}_{name}"), value.parse().ok()?))
}

/// A file of the network that a kernel need not have; `None` without it.
fn optional(look: &Look<'_>, name: &str) -> Result<Option<String>, Lack> {
    match look.net(name) {
        Ok(text) => Ok(Some(text)),
        Err(Lack::Nothing) => Ok(None),
        Err(other) => Err(other),
    }
}

fn netstat(look: &mut Look<'_>) -> Result<(), Lack> {
    let mut found = counts(&look.net("snmp")?);
    found.extend(optional(look, "netstat")?.iter().flat_map(|text| counts(text)));
    found.extend(optional(look, "snmp6")?.iter().flat_map(|text| text.lines()).filter_map(count_of_six));
    for (name, value) in found {
        look.give_named(&NETSTAT, &name, [], value);
    }
    Ok(())
}

/// The values of a line of `/proc/net/sockstat`: `TCP: inuse 2 mem 3` is `TCP_inuse`, `TCP_mem` and `TCP_mem_bytes`.
fn sockets(line: &str, page_bytes: f64) -> Vec<(String, f64)> {
    let Some((protocol, rest)) = line.split_once(':') else { return Vec::new() };
    let mut found = Vec::new();
    let mut words = rest.split_ascii_whitespace();
    while let (Some(name), Some(Ok(value))) = (words.next(), words.next().map(str::parse::<i64>)) {
        #[expect(clippy::cast_precision_loss, reason = "Prometheus values are floats")]
        let value = value as f64;
        match (protocol, name) {
            ("sockets", "used") => found.push(("sockets_used".to_owned(), value)),
            ("sockets", _) => {}
            _ => found.push((format!("{protocol}_{name}"), value)),
        }
        if name == "mem" {
            found.push((format!("{protocol}_mem_bytes"), value * page_bytes));
        }
    }
    found
}

fn sockstat(look: &mut Look<'_>) -> Result<(), Lack> {
    let page = float(u64::try_from(rustix::param::page_size()).unwrap_or(4096));
    let texts = [optional(look, "sockstat")?, optional(look, "sockstat6")?];
    if texts.iter().all(Option::is_none) {
        return Err(Lack::Nothing);
    }
    for (name, value) in texts.iter().flatten().flat_map(|text| text.lines()).flat_map(|line| sockets(line, page)) {
        look.give_named(&SOCKSTAT, &name, [], value);
    }
    Ok(())
}

/// Bytes that wait to be sent and received, over all sockets of `/proc/net/udp`.
fn queues(text: &str) -> [u64; 2] {
    let queues = text.lines().filter_map(|line| line.split_ascii_whitespace().nth(4)?.split_once(':'));
    let number = |digits: &str| u64::from_str_radix(digits, 16).unwrap_or(0);
    queues.fold([0, 0], |[sent, received]: [u64; 2], (send, receive)| {
        [sent.saturating_add(number(send)), received.saturating_add(number(receive))]
    })
}

fn udp_queues(look: &mut Look<'_>) -> Result<(), Lack> {
    let mut any = false;
    for (file, ip) in [("udp", "v4"), ("udp6", "v6")] {
        if let Some(text) = optional(look, file)? {
            for (queue, bytes) in ["tx", "rx"].iter().zip(queues(&text)) {
                look.give(&UDP_QUEUES, [queue, ip], float(bytes));
            }
            any = true;
        }
    }
    if any { Ok(()) } else { Err(Lack::Nothing) }
}

/// Neighbours by device, from `/proc/net/arp`.
fn neighbours(text: &str) -> BTreeMap<&str, u64> {
    let mut found = BTreeMap::new();
    for device in text.lines().skip(1).filter_map(|line| line.split_ascii_whitespace().nth(5)) {
        *found.entry(device).or_insert(0) += 1;
    }
    found
}

fn arp(look: &mut Look<'_>) -> Result<(), Lack> {
    let text = look.net("arp")?;
    for (device, count) in neighbours(&text) {
        look.give(&ARP, [device], float(count));
    }
    Ok(())
}

/// The sums over all processors of `/proc/net/stat/nf_conntrack`, by column.
fn tracking(text: &str) -> BTreeMap<&str, u64> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split_ascii_whitespace().collect();
    let mut sums = BTreeMap::new();
    for line in lines {
        for (name, value) in names.iter().zip(line.split_ascii_whitespace()) {
            let sum: &mut u64 = sums.entry(*name).or_insert(0);
            *sum = sum.saturating_add(u64::from_str_radix(value, 16).unwrap_or(0));
        }
    }
    sums
}

fn conntrack(look: &mut Look<'_>) -> Result<(), Lack> {
    let folder = look.sight.net_settings().map_err(Lack::Unseen)?.join("netfilter");
    for (metric, name) in [(&TRACKED, "nf_conntrack_count"), (&TRACKED_MOST, "nf_conntrack_max")] {
        let value = number(&folder.join(name)).ok_or(Lack::Nothing)?;
        look.give(metric, [], value);
    }
    if let Some(text) = optional(look, "stat/nf_conntrack")? {
        let sums = tracking(&text);
        for (name, metric) in &TRACKING {
            if let Some(sum) = sums.get(name) {
                look.give(metric, [], float(*sum));
            }
        }
    }
    Ok(())
}

/// The queues of packets belong to the machine, whichever network one looks from.
fn softnet(look: &mut Look<'_>) -> Result<(), Lack> {
    let own = || files::read(&look.sight.proc.join("net/softnet_stat")).map_err(Lack::from);
    let text = match look.net("softnet_stat") {
        Err(Lack::Unseen(_)) => own()?,
        other => other?,
    };
    for (line, columns) in text.lines().enumerate() {
        let columns: Vec<u64> =
            columns.split_ascii_whitespace().map_while(|word| u64::from_str_radix(word, 16).ok()).collect();
        let line = u64::try_from(line).unwrap_or(u64::MAX);
        let cpu = columns.get(SOFTNET_CPU).copied().unwrap_or(line).to_string();
        for (column, metric) in &SOFTNET {
            if let Some(count) = columns.get(*column) {
                look.give(metric, [&cpu], float(*count));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::node::testing::{found, look_at};

    const HERE: (&str, &str) = ("proc/sys/net/core/netdev_budget", "300\n");

    #[test]
    fn takes_the_counts_that_node_exporter_takes() {
        let wanted = [
            "Ip_Forwarding",
            "Ip6_InOctets",
            "IpExt_OutOctets",
            "Icmp6_OutMsgs",
            "TcpExt_ListenDrops",
            "TcpExt_SyncookiesSent",
            "Tcp_CurrEstab",
            "Udp6_NoPorts",
            "UdpLite_InErrors",
            "Tcp_InErrs",
        ];
        let others =
            ["Ip_InOctets", "Tcp_OutErrs", "TcpExt_TCPAutoCorking", "Icmp_InType3", "UdpLite_NoPorts", "Ip6_InMsgs"];
        let is_wanted = |name: &&str| name.split_once('_').is_some_and(|(protocol, name)| is_wanted(protocol, name));
        assert!(wanted.iter().all(|name| is_wanted(&name)) && !others.iter().any(|name| is_wanted(&name)));
    }

    #[test]
    fn reads_pairs_of_lines_and_leaves_out_those_that_do_not_fit() {
        let cases: [(&str, &[(&str, f64)]); 5] = [
            (
                "Tcp: RtoMin ActiveOpens CurrEstab\nTcp: 200 807 -2\n",
                &[("Tcp_ActiveOpens", 807.0), ("Tcp_CurrEstab", -2.0)],
            ),
            ("Ip: Forwarding\nTcp: 1\nUdp: NoPorts\nUdp: 5\n", &[("Udp_NoPorts", 5.0)]),
            ("Tcp: ActiveOpens InSegs\nTcp: 1\n", &[("Tcp_ActiveOpens", 1.0)]),
            ("Tcp: ActiveOpens\n", &[]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            let read = counts(text);
            let read: Vec<(&str, f64)> = read.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            assert_eq!(read, expected, "{text}");
        }
        assert_eq!(count_of_six("Udp6InErrors                   \t3"), Some(("Udp6_InErrors".to_owned(), 3.0)));
        assert_eq!(count_of_six("UdpLite6InErrors 1"), Some(("UdpLite6_InErrors".to_owned(), 1.0)));
        assert_eq!(count_of_six("Ip6InReceives 1"), None);
        assert_eq!(count_of_six("nonsense"), None);
    }

    #[test]
    fn reads_sockets_and_their_memory() {
        let read =
            |line| sockets(line, 4096.0).into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        assert_eq!(read("sockets: used 34"), ["sockets_used=34"]);
        assert_eq!(
            read("TCP: inuse 2 orphan 0 mem 3"),
            ["TCP_inuse=2", "TCP_orphan=0", "TCP_mem=3", "TCP_mem_bytes=12288"]
        );
        assert_eq!(read("FRAG: inuse 0 memory 5"), ["FRAG_inuse=0", "FRAG_memory=5"]);
        assert_eq!(read("odd"), Vec::<String>::new());
        assert_eq!(read("UDP: inuse x mem 1"), Vec::<String>::new());
    }

    #[test]
    fn sums_what_is_tracked_over_all_processors() {
        let text = "entries  clashres found insert_failed  expect_new search_restart\n0000000d 0 0000000a 1 0 2\n0000000d 0 00000001 1 0 3\n";
        let files = [
            HERE,
            ("proc/net/stat/nf_conntrack", text),
            ("proc/sys/net/netfilter/nf_conntrack_count", "13\n"),
            ("proc/sys/net/netfilter/nf_conntrack_max", "262144\n"),
        ];
        let (result, readings) = look_at(&files, &CONNTRACK);
        assert_eq!(result, Ok(()));
        assert_eq!(found(&readings, "node_nf_conntrack_entries", &[]), Some(13.0));
        assert_eq!(found(&readings, "node_nf_conntrack_stat_found", &[]), Some(11.0));
        assert_eq!(found(&readings, "node_nf_conntrack_stat_search_restart", &[]), Some(5.0));
        assert_eq!(look_at(&[HERE], &CONNTRACK).0, Err(Lack::Nothing));
        assert!(matches!(look_at(&[], &CONNTRACK).0, Err(Lack::Unseen(_))));
    }

    #[test]
    fn reads_queues_of_every_age_of_kernel_from_any_network() {
        let new = "00000af9 00000002 1 0 0 0 0 0 0 0 0 0 00000005 0 0\n";
        let (result, readings) = look_at(&[("proc/net/softnet_stat", new)], &SOFTNET_PART);
        assert_eq!((result, readings.len()), (Ok(()), 7));
        assert_eq!(found(&readings, "node_softnet_processed_total", &["5"]), Some(2809.0));
        let old = "0a 0 0 0 0 0 0 0 0\n0b 0 0 0 0 0 0 0 0\n";
        let (_, readings) = look_at(&[("proc/net/softnet_stat", old)], &SOFTNET_PART);
        assert_eq!(found(&readings, "node_softnet_processed_total", &["1"]), Some(11.0));
        assert_eq!(found(&readings, "node_softnet_received_rps_total", &["1"]), None);
    }

    #[test]
    fn counts_neighbours_and_waiting_bytes() {
        let text = "IP address HW type Flags HW address Mask Device\n192.0.2.1 0x1 0x2 02:fc:00:00:00:05 * eth0\n192.0.2.2 0x1 0x2 02:fc:00:00:00:06 * eth0\nodd\n";
        assert_eq!(neighbours(text), BTreeMap::from([("eth0", 2)]));
        let text = "  sl  local_address rem_address   st tx_queue rx_queue\n 1: 0100007F:0035 00000000:0000 07 0000000A:00000001 00:0\n 2: 0100007F:0036 00000000:0000 07 00000001:000000FF 00:0\n";
        assert_eq!(queues(text), [11, 256]);
    }

    #[test]
    fn without_ipv6_there_is_no_six() {
        let files = [HERE, ("proc/net/snmp", "Tcp: InSegs\nTcp: 7\n"), ("proc/net/sockstat", "sockets: used 1\n")];
        assert_eq!(look_at(&files, &NETSTAT_PART).1.len(), 1);
        assert_eq!(look_at(&files, &SOCKSTAT_PART).1.len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parsers(text in "([A-Za-z6]{0,6}: [a-zA-Z0-9 -]{0,40}\n){0,4}|.{0,120}") {
            let _read = (counts(&text), count_of_six(&text), sockets(&text, 4096.0), queues(&text), tracking(&text));
        }
    }
}
