//! The source `node` beside Debian's node_exporter on this very machine: names, types, labels and values.

use std::collections::BTreeSet;
use std::time::Duration;
use tests::agent::Agent;
use tests::compare::{Comparison, Gaps, Page, compare};
use tests::servers::exporter::Exporter;
use tests::{servers, skipped, tell, wait_for};

/// What node-mixin's rules, alerts and dashboards ask for, where this machine has it.
const MIXIN: &[&str] = &[
    "node_cpu_seconds_total",
    "node_load1",
    "node_load5",
    "node_load15",
    "node_memory_MemTotal_bytes",
    "node_memory_MemFree_bytes",
    "node_memory_MemAvailable_bytes",
    "node_memory_Buffers_bytes",
    "node_memory_Cached_bytes",
    "node_memory_Slab_bytes",
    "node_vmstat_pgmajfault",
    "node_vmstat_oom_kill",
    "node_disk_read_bytes_total",
    "node_disk_written_bytes_total",
    "node_disk_io_time_seconds_total",
    "node_disk_io_time_weighted_seconds_total",
    "node_filesystem_size_bytes",
    "node_filesystem_avail_bytes",
    "node_filesystem_free_bytes",
    "node_filesystem_files",
    "node_filesystem_files_free",
    "node_filesystem_readonly",
    "node_network_receive_bytes_total",
    "node_network_receive_packets_total",
    "node_network_receive_errs_total",
    "node_network_receive_drop_total",
    "node_network_transmit_bytes_total",
    "node_network_transmit_packets_total",
    "node_network_transmit_errs_total",
    "node_network_transmit_drop_total",
    "node_filefd_allocated",
    "node_filefd_maximum",
    "node_nf_conntrack_entries",
    "node_nf_conntrack_entries_limit",
    "node_timex_sync_status",
    "node_timex_offset_seconds",
    "node_timex_maxerror_seconds",
    "node_time_seconds",
    "node_boot_time_seconds",
    "node_uname_info",
    "node_os_info",
    "node_network_up",
    "node_pressure_cpu_waiting_seconds_total",
    "node_pressure_memory_waiting_seconds_total",
    "node_pressure_memory_stalled_seconds_total",
    "node_pressure_io_waiting_seconds_total",
    "node_pressure_io_stalled_seconds_total",
    "node_exporter_build_info",
    "node_scrape_collector_success",
    "node_scrape_collector_duration_seconds",
];

/// The current upstream's own default; Debian's older one lets compressed memory through.
const DISKS_LEFT_OUT: &str = r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$";

#[test]
fn the_host_is_told_as_node_exporter_tells_it() {
    let port = servers::free_port();
    let listen = format!("--web.listen-address=127.0.0.1:{port}");
    let disks = format!("--collector.diskstats.device-exclude={DISKS_LEFT_OUT}");
    let arguments = [listen.as_str(), &disks, "--collector.interrupts", "--collector.processes"];
    let exporter = match Exporter::start("prometheus-node-exporter", port, &arguments, &[]) {
        Ok(exporter) => exporter,
        Err(why) => return skipped("the_host_is_told_as_node_exporter_tells_it", &why),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let agent = Agent::with_config(
        folder.path(),
        "host: true\ncollectors: {interval: 1s, node: {interval: 1s, interrupts: true, processes: true}}\n",
    );
    // Memory and processes of a busy machine move between two looks; what differs for good differs every time.
    let (mut best, mut ours) = look(&exporter, &agent);
    let lacking_for_good = best.total - best.covered - open(&best);
    for _ in 0..10 {
        if best.unexplained.is_empty() {
            break;
        }
        let (next, page) = look(&exporter, &agent);
        best.unexplained.retain(|one| next.unexplained.iter().any(|other| what(one) == what(other)));
        ours = page;
    }
    best.covered = best.total - lacking_for_good - open(&best);
    tell(&told(&best, &ours));
    assert!(best.unexplained.is_empty(), "{}", best.unexplained.join("\n"));
    let lacking: Vec<_> = MIXIN.iter().filter(|name| ours.series_of(name).next().is_none()).collect();
    assert!(lacking.is_empty(), "asked for by node-mixin: {lacking:?}");
}

fn look(exporter: &Exporter, agent: &Agent) -> (Comparison, Page) {
    let theirs = exporter.page().expect("their page").only(|name| name.starts_with("node_"));
    let ours = wait_for("a look of ours after theirs", Duration::from_secs(20), || newer(agent, &theirs));
    let gaps = Gaps::of("node").expect("the list of gaps");
    (compare("node", &theirs, &ours, &gaps), ours)
}

/// How many names differ in what no gap excuses.
fn open(comparison: &Comparison) -> usize {
    let names = comparison.unexplained.iter().filter_map(|one| Some(what(one)?.0));
    names.collect::<BTreeSet<_>>().len()
}

/// Name and kind of a difference, without its values.
fn what(difference: &str) -> Option<(&str, &str)> {
    let (name, rest) = difference.split_once(": ")?;
    Some((name, rest.split(": ").next()?))
}

/// Our page, once it was read after theirs.
fn newer(agent: &Agent, theirs: &Page) -> Option<Page> {
    let page = Page::read(&agent.page("/metrics").body);
    let at = |page: &Page| page.series_of("node_time_seconds").next().map(|series| series.value);
    (at(&page)? > at(theirs)?).then_some(page)
}

fn told(comparison: &Comparison, ours: &Page) -> String {
    let has = |name: &&&str| ours.series_of(name).next().is_some();
    let covered = MIXIN.iter().filter(has).count();
    format!("{comparison}\nnode-mixin: {covered}/{} names covered", MIXIN.len())
}

/// Without `host: true` nothing of the host comes under these names, or a host with two agents would be counted twice.
#[test]
fn without_being_asked_no_agent_tells_of_the_host_under_these_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let agent = Agent::with_config(folder.path(), "checks:\n- {name: any, url: \"tcp://127.0.0.1:1\"}\n");
    agent.wait_sample("sidecar_source_up{source=\"host\"}", 1.0);
    let page = agent.page("/metrics").body;
    assert!(page.contains("sidecar_host_cpus") && !page.contains("\nnode_"), "{page}");
}
