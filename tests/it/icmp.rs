//! The check of kind `icmp` in a network of its own, where this test says what the kernel allows and answers; and beside
//! blackbox_exporter's prober of that name.

use std::process::Command;
use tests::compare::{Gaps, Page, compare};
use tests::program::{Finished, binary, finish_command};
use tests::servers::installed;
use tests::skipped;

/// Runs a script in a new network with loopback up, where everybody may send pings; `$AGENT` is the agent.
fn in_a_network(script: &str) -> Result<Finished, String> {
    let unshare = installed("unshare")?;
    installed("ip")?;
    let text = format!(
        "ip link set lo up && echo 0 0 > /proc/sys/net/ipv4/ping_group_range || exit 77\n\
         ping() {{ \"$AGENT\" probe --set timeout=1s \"$@\"; echo \"exit $?\"; }}\n{script}"
    );
    let mut command = Command::new(unshare);
    command.args(["--net", "--map-root-user", "sh", "-c", &text]).env("AGENT", binary("agent"));
    let ran = finish_command(&mut command);
    let forbidden = ran.code == 77 || ran.stderr.starts_with("unshare:");
    if forbidden { Err(format!("no network of its own: {}", ran.stderr.trim())) } else { Ok(ran) }
}

/// What a script prints, or nothing when it cannot run here.
fn said(test: &str, script: &str) -> Option<String> {
    in_a_network(script).map(|ran| format!("{}{}", ran.stdout, ran.stderr)).map_err(|why| skipped(test, &why)).ok()
}

#[test]
fn a_ping_is_answered_over_both_families_and_with_the_largest_payload() {
    let test = "a_ping_is_answered_over_both_families_and_with_the_largest_payload";
    let script = "ping icmp://127.0.0.1; ping --debug 'icmp://[::1]?ttl=3'; ping 'icmp://127.0.0.1?payload_size=65499'\n\
                  ping 'icmp://127.0.0.1?payload_size=0&source_ip_address=127.0.0.7'";
    let Some(text) = said(test, script) else { return };
    assert_eq!(text.matches("exit 0").count(), 4, "{text}");
    assert!(text.contains("probe_ip_protocol 6\n") && text.contains("probe_icmp_reply_hop_limit 64\n"), "{text}");
}

#[test]
fn a_kernel_that_forbids_pings_is_told_with_the_switch() {
    let test = "a_kernel_that_forbids_pings_is_told_with_the_switch";
    // A network that nobody has set up allows no group.
    let script = "unshare --net \"$AGENT\" probe icmp://127.0.0.1; echo \"exit $?\"";
    let Some(text) = said(test, script) else { return };
    assert!(text.contains(": config\n  the kernel does not let group 0 send pings"), "{text}");
    assert!(text.contains("net.ipv4.ping_group_range") && text.contains("exit 1"), "{text}");
}

#[test]
fn silence_is_a_timeout_and_a_missing_route_is_none() {
    let test = "silence_is_a_timeout_and_a_missing_route_is_none";
    let script = "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all; ping icmp://127.0.0.1; ping icmp://192.0.2.1";
    let Some(text) = said(test, script) else { return };
    assert!(text.contains(": timeout\n  no answer within 1 s in phase `rtt`"), "{text}");
    assert!(text.contains(": unreachable\n  could not ping 192.0.2.1: no route to it"), "{text}");
}

#[test]
fn a_packet_that_may_not_be_split_fails_where_it_is_too_large() {
    let test = "a_packet_that_may_not_be_split_fails_where_it_is_too_large";
    let script = "ip link set lo mtu 1500; ping 'icmp://127.0.0.1?payload_size=3000&dont_fragment=true'\n\
                  ping 'icmp://127.0.0.1?payload_size=1400&dont_fragment=true'; ping 'icmp://127.0.0.1?payload_size=3000'";
    let Some(text) = said(test, script) else { return };
    assert!(text.contains(": unreachable\n  the packet is too large for the path to 127.0.0.1"), "{text}");
    assert_eq!(text.matches("exit 0").count(), 2, "{text}");
}

#[test]
fn the_figures_are_those_of_blackbox_exporter() {
    let test = "the_figures_are_those_of_blackbox_exporter";
    for program in ["prometheus-blackbox-exporter", "curl"] {
        if let Err(why) = installed(program) {
            return skipped(test, &why);
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("blackbox.yml");
    std::fs::write(&config, "modules:\n  icmp: {prober: icmp, timeout: 2s, icmp: {preferred_ip_protocol: ip4}}\n")
        .expect("a file");
    // The port is this network's own, so any will do.
    let script = format!(
        "prometheus-blackbox-exporter --config.file={} --web.listen-address=127.0.0.1:9115 2> /dev/null & theirs=$!\n\
         tries=0; until curl -sf http://127.0.0.1:9115/-/healthy > /dev/null || [ $tries -gt 200 ]; do sleep 0.05; tries=$((tries + 1)); done\n\
         curl -s 'http://127.0.0.1:9115/probe?module=icmp&target=127.0.0.1'; echo ---; ping --debug icmp://127.0.0.1; kill $theirs",
        config.display()
    );
    let Some(text) = said(test, &script) else { return };
    let (theirs, ours) = text.split_once("---\n").expect("two pages");
    let ours_ok = ours.contains("exit 0");
    // The figures of every check stand on the page of a running agent, not here.
    let of_every_check = |name: &str| !["probe_success", "probe_duration_seconds"].contains(&name);
    let (theirs, ours) = (Page::read(theirs), Page::read(ours));
    let verdict = theirs.series_of("probe_success").any(|series| series.value > 0.5);
    assert!(verdict && ours_ok, "{text}");
    let comparison = compare("blackbox icmp", &theirs.only(of_every_check), &ours, &Gaps::default());
    tests::tell(&format!("{comparison}"));
    assert!(comparison.unexplained.is_empty() && comparison.total == 5, "{comparison:#?}");
}
