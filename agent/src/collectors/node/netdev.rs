//! Network devices: what each sent and received, and what `/sys/class/net` tells of it; bonds of several.
//! Source: kernel documentation, networking/statistics and ABI/testing/sysfs-class-net.

use super::look::{Lack, Look, names, number, parser, text};
use super::{Part, on};
use crate::collectors::files::float;
use crate::parser::Parser;
use crate::reading::Metric;
use std::path::Path;

const DEVICE: &[&str] = &["device"];

const fn received(name: &'static str, help: &'static str) -> Metric {
    Metric::counter(name, help).labelled(DEVICE)
}

/// The columns of `/proc/net/dev`, in order.
static COLUMNS: [Metric; 16] = [
    received("node_network_receive_bytes_total", "Bytes received"),
    received("node_network_receive_packets_total", "Packets received"),
    received("node_network_receive_errs_total", "Packets that were received with an error"),
    received("node_network_receive_drop_total", "Packets that were received and dropped"),
    received("node_network_receive_fifo_total", "Packets that came when the device's queue was full"),
    received(
        "node_network_receive_frame_total",
        "Packets that were received with an error of length, frame or checksum",
    ),
    received("node_network_receive_compressed_total", "Packets that were received compressed"),
    received("node_network_receive_multicast_total", "Packets received that went to many"),
    received("node_network_transmit_bytes_total", "Bytes sent"),
    received("node_network_transmit_packets_total", "Packets sent"),
    received("node_network_transmit_errs_total", "Packets that could not be sent for an error"),
    received("node_network_transmit_drop_total", "Packets that were dropped before they were sent"),
    received("node_network_transmit_fifo_total", "Packets that the device's queue had no place for"),
    received("node_network_transmit_colls_total", "Collisions while sending"),
    received("node_network_transmit_carrier_total", "Packets that could not be sent for want of a carrier, or in time"),
    received("node_network_transmit_compressed_total", "Packets that were sent compressed"),
];
static UNHANDLED: Metric = received("node_network_receive_nohandler_total", "Packets received that no protocol wanted");

static UP: Metric = Metric::gauge("node_network_up", "Whether the device can pass packets, 1 or 0").labelled(DEVICE);
static INFO: Metric = Metric::gauge("node_network_info", "What the device is, always 1").labelled(&[
    "device",
    "address",
    "broadcast",
    "duplex",
    "operstate",
    "adminstate",
    "ifalias",
]);
static SPEED: Metric =
    Metric::gauge("node_network_speed_bytes", "Speed of the device in bytes a second, below 0 when not known")
        .labelled(DEVICE);

const fn property(name: &'static str, help: &'static str) -> Metric {
    Metric::gauge(name, help).labelled(DEVICE)
}

/// The files of a device that hold a number.
static FILES: [(&str, Metric); 16] = [
    (
        "addr_assign_type",
        property(
            "node_network_address_assign_type",
            "How the address came about: 0 built in, 1 random, 2 borrowed, 3 set",
        ),
    ),
    ("carrier", property("node_network_carrier", "Whether there is a carrier, 1 or 0")),
    ("carrier_changes", received("node_network_carrier_changes_total", "How often the carrier came or went")),
    ("carrier_up_count", received("node_network_carrier_up_changes_total", "How often the carrier came")),
    ("carrier_down_count", received("node_network_carrier_down_changes_total", "How often the carrier went")),
    ("dev_id", property("node_network_device_id", "Number that tells devices with one address apart")),
    ("dormant", property("node_network_dormant", "Whether the device waits for something outside, 1 or 0")),
    ("flags", property("node_network_flags", "Flags of the device")),
    ("ifindex", property("node_network_iface_id", "Number of the device")),
    ("iflink", property("node_network_iface_link", "Number of the device that it sends through")),
    (
        "link_mode",
        property("node_network_iface_link_mode", "Whether the device waits for a program before it is up, 1 or 0"),
    ),
    ("mtu", property("node_network_mtu_bytes", "Most bytes of a packet")),
    ("name_assign_type", property("node_network_name_assign_type", "How the name came about")),
    ("netdev_group", property("node_network_net_dev_group", "Group of the device")),
    ("tx_queue_len", property("node_network_transmit_queue_length", "Packets that may wait to be sent")),
    ("type", property("node_network_protocol_type", "Kind of device, as ARP numbers it")),
];
static SLAVES: Metric = Metric::gauge("node_bonding_slaves", "Devices that belong to the bond").labelled(&["master"]);
static ACTIVE: Metric =
    Metric::gauge("node_bonding_active", "Devices of the bond whose link is up").labelled(&["master"]);

/// The rows of the table.
pub(super) static NETDEV: Part = on(
    "netdev",
    netdev,
    &[
        &COLUMNS[0],
        &COLUMNS[1],
        &COLUMNS[2],
        &COLUMNS[3],
        &COLUMNS[4],
        &COLUMNS[5],
        &COLUMNS[6],
        &COLUMNS[7],
        &COLUMNS[8],
        &COLUMNS[9],
        &COLUMNS[10],
        &COLUMNS[11],
        &COLUMNS[12],
        &COLUMNS[13],
        &COLUMNS[14],
        &COLUMNS[15],
        &UNHANDLED,
    ],
);
pub(super) static NETCLASS: Part = on(
    "netclass",
    netclass,
    &[
        &UP,
        &INFO,
        &SPEED,
        &FILES[0].1,
        &FILES[1].1,
        &FILES[2].1,
        &FILES[3].1,
        &FILES[4].1,
        &FILES[5].1,
        &FILES[6].1,
        &FILES[7].1,
        &FILES[8].1,
        &FILES[9].1,
        &FILES[10].1,
        &FILES[11].1,
        &FILES[12].1,
        &FILES[13].1,
        &FILES[14].1,
        &FILES[15].1,
    ],
);
pub(super) static BONDING: Part = on("bonding", bonding, &[&SLAVES, &ACTIVE]);
/// What reads the kernel's bytes here.
pub(super) const LINE: Parser = parser("node_net_dev", |bytes| {
    for line in String::from_utf8_lossy(bytes).lines() {
        let _device = device(line);
    }
});

/// A device and its counts. A name may hold a colon (an alias), so the last one ends it; numbers may follow it at once.
fn device(line: &str) -> Option<(&str, [u64; 16])> {
    let (name, rest) = line.rsplit_once(':')?;
    let mut counts = [0; 16];
    let mut words = rest.split_ascii_whitespace();
    for count in &mut counts {
        *count = words.next()?.parse().ok()?;
    }
    Some((name.trim(), counts))
}

fn netdev(look: &mut Look<'_>) -> Result<(), Lack> {
    let text = look.net("dev")?;
    let devices = look.sight.devices().ok();
    for (name, counts) in text.lines().filter_map(device) {
        for (metric, count) in COLUMNS.iter().zip(counts) {
            look.give(metric, [name], float(count));
        }
        let unhandled = devices.as_ref().map(|folder| folder.join(name).join("statistics/rx_nohandler"));
        if let Some(count) = unhandled.and_then(|path| number(&path)) {
            look.give(&UNHANDLED, [name], count);
        }
    }
    Ok(())
}

fn netclass(look: &mut Look<'_>) -> Result<(), Lack> {
    let folder = look.sight.devices().map_err(Lack::Unseen)?;
    for name in names(&folder)? {
        let device = folder.join(&name);
        // `bonding_masters` is a file between the devices.
        if device.is_dir() {
            class(look, &device, &name);
        }
    }
    Ok(())
}

fn class(look: &mut Look<'_>, device: &Path, name: &str) {
    const SET_UP: u64 = 1;
    let word = |file: &str| text(&device.join(file)).unwrap_or_default();
    let flags = word("flags");
    let set_up = u64::from_str_radix(flags.trim_start_matches("0x"), 16).map(|flags| flags & SET_UP != 0);
    let admin = match set_up {
        Ok(true) => "up",
        Ok(false) => "down",
        Err(_) => "unknown",
    };
    let state = word("operstate");
    look.give(&UP, [name], f64::from(u8::from(state == "up")));
    let [address, broadcast, duplex, alias] = ["address", "broadcast", "duplex", "ifalias"].map(word);
    look.give(&INFO, [name, &address, &broadcast, &duplex, &state, admin, &alias], 1.0);
    for (file, metric) in &FILES {
        if let Some(value) = number(&device.join(file)) {
            look.give(metric, [name], value);
        }
    }
    // In megabits.
    if let Some(speed) = number(&device.join("speed")) {
        look.give(&SPEED, [name], speed * 125_000.0);
    }
}

fn bonding(look: &mut Look<'_>) -> Result<(), Lack> {
    let folder = look.sight.devices().map_err(Lack::Unseen)?;
    let masters = text(&folder.join("bonding_masters")).ok_or(Lack::Nothing)?;
    for master in masters.split_ascii_whitespace() {
        let folder = folder.join(master);
        let slaves = text(&folder.join("bonding/slaves")).unwrap_or_default();
        let is_up = |slave: &&str| {
            let state = |link: &str| text(&folder.join(format!("{link}_{slave}/bonding_slave/mii_status")));
            state("lower").or_else(|| state("slave")).is_some_and(|state| state == "up")
        };
        let all: Vec<&str> = slaves.split_ascii_whitespace().collect();
        let up = all.iter().copied().filter(|slave| is_up(&slave)).count();
        for (metric, count) in [(&SLAVES, all.len()), (&ACTIVE, up)] {
            look.give(metric, [master], float(u64::try_from(count).unwrap_or(u64::MAX)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::node::testing::{found, look_at};

    /// In the machine's first network.
    const HERE: (&str, &str) = ("proc/sys/net/core/netdev_budget", "300\n");

    #[test]
    fn reads_a_line_of_net_dev() {
        let cases = [
            ("    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", Some(("lo", 1, 16))),
            ("docker0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", Some(("docker0", 1, 16))),
            ("eth0:1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", Some(("eth0:1", 1, 16))),
            (" face |bytes    packets errs drop fifo frame compressed multicast|bytes", None),
            ("eth0: 1 2 3", None),
            ("eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 x", None),
        ];
        for (line, expected) in cases {
            assert_eq!(device(line).map(|(name, counts)| (name, counts[0], counts[15])), expected, "{line}");
        }
    }

    #[test]
    fn a_containers_own_network_is_not_shown() {
        let files =
            [("proc/net/dev", "eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"), ("sys/class/net/eth0/mtu", "1500\n")];
        for part in [&NETDEV, &NETCLASS, &BONDING] {
            let (result, readings) = look_at(&files, part);
            assert!(matches!(result, Err(Lack::Unseen(_))) && readings.is_empty(), "{}", part.name);
        }
    }

    #[test]
    fn tells_what_a_device_is() {
        let files = [
            HERE,
            ("sys/class/net/bonding_masters", "bond0\n"),
            ("sys/class/net/eth0/operstate", "up\n"),
            ("sys/class/net/eth0/flags", "0x1003\n"),
            ("sys/class/net/eth0/address", "02:fc:00:00:00:01\n"),
            ("sys/class/net/eth0/speed", "10000\n"),
            ("sys/class/net/eth1/flags", "0x82\n"),
            ("sys/class/net/eth1/speed", "-1\n"),
        ];
        let (result, readings) = look_at(&files, &NETCLASS);
        assert_eq!(result, Ok(()));
        assert_eq!(found(&readings, "node_network_up", &["eth0"]), Some(1.0));
        assert_eq!(found(&readings, "node_network_up", &["eth1"]), Some(0.0));
        assert_eq!(found(&readings, "node_network_up", &["bonding_masters"]), None);
        assert_eq!(found(&readings, "node_network_flags", &["eth0"]), Some(4099.0));
        assert_eq!(found(&readings, "node_network_speed_bytes", &["eth0"]), Some(1.25e9));
        assert_eq!(found(&readings, "node_network_speed_bytes", &["eth1"]), Some(-125_000.0));
        let labels = ["eth0", "02:fc:00:00:00:01", "", "", "up", "up", ""];
        assert_eq!(found(&readings, "node_network_info", &labels), Some(1.0));
    }

    #[test]
    fn counts_the_links_of_a_bond_that_are_up() {
        let files = [
            HERE,
            ("sys/class/net/bonding_masters", "bond0 empty\n"),
            ("sys/class/net/bond0/bonding/slaves", "eth0 eth1 eth2\n"),
            ("sys/class/net/bond0/lower_eth0/bonding_slave/mii_status", "up\n"),
            ("sys/class/net/bond0/slave_eth1/bonding_slave/mii_status", "up\n"),
            ("sys/class/net/bond0/lower_eth2/bonding_slave/mii_status", "down\n"),
        ];
        let (_, readings) = look_at(&files, &BONDING);
        assert_eq!(found(&readings, "node_bonding_slaves", &["bond0"]), Some(3.0));
        assert_eq!(found(&readings, "node_bonding_active", &["bond0"]), Some(2.0));
        assert_eq!(found(&readings, "node_bonding_slaves", &["empty"]), Some(0.0));
        assert_eq!(look_at(&[HERE, ("sys/class/net/eth0/mtu", "1\n")], &BONDING).0, Err(Lack::Nothing));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parser(line in ".{0,8}:[0-9 ]{0,60}|.{0,80}") {
            let _device = device(&line);
        }
    }
}
