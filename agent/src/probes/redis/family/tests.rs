//! What each line of `INFO` and each reply comes to; and that crafted ones come to nothing.

use super::*;
use crate::limits;
use proptest::prelude::*;
use std::collections::HashSet;

/// A reading as an exposition shows it.
fn shown(reading: &Reading) -> String {
    let pairs = reading.metric.labels.iter().zip(&reading.labels);
    let labels: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}[{}] {}", reading.metric.name.trim_start_matches("redis_"), labels.join(","), reading.value)
}

/// What `INFO` with these lines comes to, a reading a line.
fn said(info: &str) -> String {
    let mut out = Vec::new();
    of_info(&Facts::read(info), &mut out);
    out.iter().map(shown).collect::<Vec<_>>().join("\n")
}

/// What the reply to a request of the table comes to.
fn answered(words: &[&str], info: &str, reply: &[u8]) -> String {
    let ask = ASKS.iter().find(|ask| ask.words == words).expect("a row");
    let (reply, _) = resp::decode(reply).expect("RESP").expect("a whole reply");
    let mut out = Vec::new();
    ask.read(&Facts::read(info), &reply, &mut out);
    out.iter().map(shown).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_line_of_info_has_its_figures() {
    let cases = [
        ("used_memory:1000", "memory_used_bytes[] 1000"),
        ("rdb_last_bgsave_status:err", "rdb_last_bgsave_status[] 0"),
        ("rdb_last_bgsave_time_sec:-1", "rdb_last_bgsave_duration_sec[] -1"),
        ("latest_fork_usec:1500", "latest_fork_seconds[] 0.0015"),
        (
            "server_time_usec:1700000010999999\nuptime_in_seconds:10",
            "uptime_in_seconds[] 10\nstart_time_seconds[] 1700000000",
        ),
        (
            "cmdstat_config|get:calls=2,usec=1500000,usec_per_call=1.00,rejected_calls=3,failed_calls=4",
            "commands_total[cmd=config|get] 2\ncommands_duration_seconds_total[cmd=config|get] 1.5\n\
             commands_rejected_calls_total[cmd=config|get] 3\ncommands_failed_calls_total[cmd=config|get] 4",
        ),
        (
            "cmdstat_get:calls=2,usec=3,usec_per_call=1.00",
            "commands_total[cmd=get] 2\ncommands_duration_seconds_total[cmd=get] 0.000003",
        ),
        ("errorstat_WRONGTYPE:count=4", "errors_total[err=WRONGTYPE] 4"),
        (
            "db3:keys=5,expires=2,avg_ttl=1500",
            "db_keys[db=db3] 5\ndb_keys_expiring[db=db3] 2\ndb_avg_ttl_seconds[db=db3] 1.5",
        ),
        ("db0:keys=5,expires=2", "db_keys[db=db0] 5\ndb_keys_expiring[db=db0] 2"),
        (
            "slave0:ip=10.0.0.1,port=6379,state=online,offset=17,lag=1",
            "connected_slave_offset_bytes[slave_ip=10.0.0.1,slave_port=6379,slave_state=online] 17\n\
             connected_slave_lag_seconds[slave_ip=10.0.0.1,slave_port=6379,slave_state=online] 1",
        ),
        (
            "master0:name=m,status=sdown,address=h:1,slaves=1,sentinels=3",
            "sentinel_master_status[master_name=m,master_address=h:1,master_status=sdown] 0\n\
             sentinel_master_slaves[master_name=m,master_address=h:1] 1\n\
             sentinel_master_sentinels[master_name=m,master_address=h:1] 3",
        ),
        (
            "module:name=ReJSON,ver=20609,api=1,filters=0,usedby=[],using=[],options=[]",
            "module_info[name=ReJSON,ver=20609,api=1,filters=0,usedby=[],using=[]] 1",
        ),
        ("cluster_enabled:1", "cluster_enabled[] 1"),
        ("used_active_time_io_thread_3:1.5", "active_time_io_thread_seconds_total[thread=3] 1.5"),
    ];
    for (info, expected) in cases {
        assert_eq!(said(info), expected, "{info}");
    }
}

#[test]
fn a_replica_tells_of_its_primaries() {
    let info = "role:slave\nmaster_host:h\nmaster_port:1\nmaster_link_status:down\nmaster_last_io_seconds_ago:-1\n\
        master_sync_in_progress:1\nslave_read_only:1\nmaster_1_host:g\nmaster_1_port:2\nmaster_1_link_status:up\n";
    let expected = "slave_info[master_host=h,master_port=1,read_only=1] 1\n\
        master_link_up[master_host=h,master_port=1] 0\nmaster_last_io_seconds_ago[master_host=h,master_port=1] -1\n\
        master_sync_in_progress[master_host=h,master_port=1] 1\nmaster_link_up[master_host=g,master_port=2] 1";
    assert_eq!(said(info), expected);
}

#[test]
fn a_valkey_says_that_it_is_one() {
    let said = said("redis_version:7.2.4\nvalkey_version:8.1.0\nvalkey_release_stage:ga\nos:Linux\n");
    assert!(said.contains("redis_version=7.2.4,"), "{said}");
    assert!(said.ends_with(",valkey_version=8.1.0,valkey_release_stage=ga] 1"), "{said}");
    let answer = answered(&["COMMANDLOG", "LEN", "slow"], "valkey_version:8.1.0", b":3\r\n");
    assert_eq!(answer, "commandlog_slow_length[] 3");
    let setting = b"*2\r\n$28\r\ncommandlog-reply-larger-than\r\n$1\r\n7\r\n";
    let answer = answered(&["CONFIG", "GET", "commandlog-*"], "", setting);
    assert_eq!(answer, "commandlog_reply_larger_than[] 7");
}

#[test]
fn percentiles_come_with_sum_and_count_of_their_command() {
    let info = "cmdstat_get:calls=2,usec=9,usec_per_call=1\nlatency_percentiles_usec_get:p50=4.015,p99.9=5\n\
        latency_percentiles_usec_set:p50=1";
    let said = said(info);
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("latency")).collect();
    assert_eq!(
        lines,
        [
            "latency_percentiles_usec[cmd=get,quantile=50] 4.015",
            "latency_percentiles_usec[cmd=get,quantile=99.9] 5",
            "latency_percentiles_usec_sum[cmd=get] 9",
            "latency_percentiles_usec_count[cmd=get] 2",
        ]
    );
}

#[test]
fn crafted_lines_come_to_nothing() {
    let lines = [
        "latency_percentiles_usec_get:=1.0",
        "latency_percentiles_usec_:p50=1",
        "cmdstat_:calls=1,usec=1",
        "cmdstat_get:calls=NaN,usec=1",
        "cmdstat_get:calls=1",
        "cmdstat_\u{fffd}:calls=1,usec=1",
        "cmdstat_a\u{1b}[31m:calls=1,usec=1",
        "errorstat_:count=1",
        "errorstat_ERR:",
        "used_memory:NaN",
        "used_memory:1e999",
        "used_memory:",
        "db:keys=1,expires=1",
        "db99999:keys=1,expires=1",
        "db0:keys=,expires=x",
        "slave0:ip=1,port=1",
        "slavery:offset=1",
        "master0:name=,status=ok,address=h:1",
        "master_host:h",
        "cluster_:1",
        "cluster_a b:1",
        ":",
        "",
    ];
    for line in lines {
        assert_eq!(said(line), "", "{line}");
    }
}

#[test]
fn every_list_that_the_server_makes_long_has_its_end() {
    let many = |begin: &str, end: &str| -> usize {
        let info: String = (0..5000).map(|number| format!("{begin}{number}{end}\n")).collect();
        said(&info).lines().count()
    };
    assert_eq!(many("cmdstat_", ":calls=1,usec=1"), limits::REDIS_COMMANDS * 2);
    assert_eq!(many("errorstat_", ":count=1"), limits::REDIS_ERROR_CODES);
    assert_eq!(many("db", ":keys=1,expires=1"), limits::REDIS_DATABASES * 2);
    assert_eq!(many("slave", ":ip=1,port=1,state=a,offset=1,lag=1"), 2, "the same labels are one series");
    assert_eq!(many("cluster_", ":1"), limits::REDIS_CLUSTER_FIGURES);
    assert_eq!(many("master", ":name=m,status=ok,address=h:1,slaves=1,sentinels=1"), 3);
    assert_eq!(many("module:name=", ",ver=1"), limits::REDIS_MODULES);
    let mut out = Vec::new();
    let info: String = (0..200).map(|number| format!("cmdstat_{number}:calls=1,usec=1\n")).collect();
    assert_eq!(of_info(&Facts::read(&info), &mut out), 200 - limits::REDIS_COMMANDS, "and what is left out is told");
}

#[test]
fn settings_logs_and_spikes_are_read() {
    let cluster =
        "cluster_state:fail\r\ncluster_slots_pfail:3\r\ncluster_enabled:0\r\ncluster_stats_messages_sent:9\r\n";
    let buffers = "normal 0 0 0 slave 268435456 67108864 60";
    let cases: [(&[&str], &str, String, &str); 9] = [
        (
            &["CONFIG", "GET", "maxclients"],
            "",
            "*2\r\n$10\r\nmaxclients\r\n$2\r\n50\r\n".into(),
            "config_maxclients[] 50",
        ),
        (&["CONFIG", "GET", "maxclients"], "", "*0\r\n".into(), ""),
        (
            &["CONFIG", "GET", "databases"],
            "db0:keys=1,expires=0",
            "*2\r\n$9\r\ndatabases\r\n$1\r\n2\r\n".into(),
            "db_keys[db=db1] 0\ndb_keys_expiring[db=db1] 0",
        ),
        (
            &["CONFIG", "GET", "client-output-buffer-limit"],
            "",
            format!("*2\r\n$26\r\nclient-output-buffer-limit\r\n${}\r\n{buffers}\r\n", buffers.len()),
            "config_client_output_buffer_limit_bytes[class=normal,limit=hard] 0\n\
             config_client_output_buffer_limit_bytes[class=normal,limit=soft] 0\n\
             config_client_output_buffer_limit_overcome_seconds[class=normal,limit=soft] 0\n\
             config_client_output_buffer_limit_bytes[class=slave,limit=hard] 268435456\n\
             config_client_output_buffer_limit_bytes[class=slave,limit=soft] 67108864\n\
             config_client_output_buffer_limit_overcome_seconds[class=slave,limit=soft] 60",
        ),
        (
            &["SLOWLOG", "GET", "1"],
            "",
            "*1\r\n*6\r\n:7\r\n:1796006110\r\n:1500\r\n*1\r\n$6\r\nsecret\r\n$1\r\na\r\n$0\r\n\r\n".into(),
            "slowlog_last_id[] 7\nlast_slow_execution_duration_seconds[] 0.0015",
        ),
        (
            &["SLOWLOG", "GET", "1"],
            "",
            "*0\r\n".into(),
            "slowlog_last_id[] 0\nlast_slow_execution_duration_seconds[] 0",
        ),
        (&["SLOWLOG", "GET", "1"], "", "+what\r\n".into(), ""),
        (
            &["LATENCY", "LATEST"],
            "",
            "*2\r\n*4\r\n$7\r\ncommand\r\n:1700000000\r\n:250\r\n:1000\r\n*1\r\n:1\r\n".into(),
            "latency_spike_last[event_name=command] 1700000000\nlatency_spike_duration_seconds[event_name=command] 0.25",
        ),
        (
            &["CLUSTER", "INFO"],
            "cluster_enabled:1",
            format!("${}\r\n{cluster}\r\n", cluster.len()),
            "cluster_slots_pfail[] 3\ncluster_state[] 0\ncluster_messages_sent_total[] 9",
        ),
    ];
    for (words, info, reply, expected) in cases {
        let mut said: Vec<String> = answered(words, info, reply.as_bytes()).lines().map(str::to_owned).collect();
        let mut expected: Vec<&str> = expected.lines().collect();
        said.sort();
        expected.sort_unstable();
        assert_eq!(said, expected, "{words:?}");
    }
}

#[test]
fn a_histogram_has_the_bounds_of_the_public_exporter() {
    let reply = "*2\r\n$6\r\nconfig\r\n*4\r\n$5\r\ncalls\r\n:9\r\n$14\r\nhistogram_usec\r\n*8\r\n:1\r\n:3\r\n:1\r\n:4\r\n\
        :1048576\r\n:8\r\n:0\r\n:9\r\n";
    let info =
        "cmdstat_config|get:calls=1,usec=5\ncmdstat_config|set:calls=1,usec=6\ncmdstat_configure:calls=1,usec=50";
    let expected = "commands_latencies_usec_bucket[cmd=config,le=1] 3\n\
        commands_latencies_usec_bucket[cmd=config,le=1.048576e+06] 8\n\
        commands_latencies_usec_bucket[cmd=config,le=+Inf] 9\ncommands_latencies_usec_count[cmd=config] 9\n\
        commands_latencies_usec_sum[cmd=config] 11";
    assert_eq!(answered(&["LATENCY", "HISTOGRAM"], info, reply.as_bytes()), expected);
}

#[test]
fn a_sentinel_tells_of_its_primaries() {
    let masters = b"*2\r\n*12\r\n$4\r\nname\r\n$1\r\nm\r\n$2\r\nip\r\n$1\r\nh\r\n$4\r\nport\r\n$1\r\n1\r\n$6\r\nquorum\r\n$1\r\n2\r\n\
        $18\r\nlast-ok-ping-reply\r\n$3\r\n120\r\n$3\r\nodd\r\n:1\r\n*2\r\n$4\r\nname\r\n$1\r\nx\r\n";
    let (masters, _) = resp::decode(masters).expect("RESP").expect("whole");
    let peers = b"*2\r\n*2\r\n$5\r\nflags\r\n$8\r\nsentinel\r\n*2\r\n$5\r\nflags\r\n$15\r\ns_down,sentinel\r\n";
    let (peers, _) = resp::decode(peers).expect("RESP").expect("whole");
    let quorum = resp::Reply::Error("NOQUORUM 1 usable Sentinels. Not enough".to_owned());
    let primaries = sentinel::primaries(&masters);
    assert_eq!(primaries.len(), 1, "the other one has no address");
    let mut out = Vec::new();
    sentinel::primary(&primaries[0], &[quorum, peers.clone(), peers], &mut out);
    let said: Vec<String> = out.iter().map(shown).collect();
    assert_eq!(
        said,
        [
            "sentinel_master_setting_ckquorum[master_name=m,master_address=h:1] 2",
            "sentinel_master_last_ok_ping_reply_seconds[master_name=m,master_address=h:1] 0.12",
            "sentinel_master_ckquorum_status[master_name=m,message=NOQUORUM] 0",
            "sentinel_master_ok_sentinels[master_name=m,master_address=h:1] 2",
            "sentinel_master_ok_slaves[master_name=m,master_address=h:1] 1",
        ]
    );
}

#[test]
fn every_row_of_the_table_fits_into_a_sessions_list_of_refusals() {
    assert!(ASKS.len() <= 31, "a bit for each, and one for `SENTINEL MASTERS`");
    assert!(ASKS.iter().all(|ask| !ask.words.contains(&"*")), "never all settings: passwords are among them");
}

proptest! {
    #[test]
    fn whatever_info_holds_no_two_readings_are_one_series(
        lines in proptest::collection::vec(
            ("(cmdstat_|errorstat_|latency_percentiles_usec_|db|slave|master|cluster_|module|used_memory|master_)[a-c0-2]?",
             "((keys|calls|usec|p50|p5|count|ip|port|offset|name|status|address|slaves)=[a-c0-2.:-]{0,2},?){0,5}"),
            0..40,
        ),
    ) {
        let info: String = lines.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let mut out = Vec::new();
        of_info(&Facts::read(&info), &mut out);
        let series: HashSet<_> = out.iter().map(|reading| (reading.metric.name, reading.labels.clone())).collect();
        prop_assert_eq!(series.len(), out.len());
        for reading in &out {
            prop_assert!(reading.value.is_finite() && reading.labels.len() == reading.metric.labels.len());
            prop_assert!(FACTS.iter().any(|fact| fact.covers(reading.metric)));
        }
    }

    #[test]
    fn any_text_is_taken_calmly(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_info(&bytes);
        read_replies(&bytes);
    }
}
