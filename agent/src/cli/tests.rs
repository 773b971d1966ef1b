//! What the command line accepts.

use super::args::{Arguments, Command};
use super::plain_question;
use clap::Parser as _;
use std::ffi::OsString;

fn parsed(line: &str) -> Result<Command, String> {
    let words = std::iter::once("agent").chain(line.split_whitespace());
    Arguments::try_parse_from(words).map(Arguments::command).map_err(|error| error.to_string())
}

#[test]
fn the_table_of_arguments_is_sound() {
    <Arguments as clap::CommandFactory>::command().debug_assert();
}

#[test]
fn run_is_what_happens_without_a_command() {
    for line in ["", "--peer http://h --check a=tcp://h:1 --log.level debug", "run --listen :0 --peer-cgroup x"] {
        assert!(matches!(parsed(line), Ok(Command::Run(_))), "{line}");
    }
    let Ok(Command::Run(run)) = parsed("--check a=tcp://h:1 --check b=redis://h --web.config.file w.yml") else {
        panic!("no run")
    };
    assert_eq!(run.flags().checks, ["a=tcp://h:1", "b=redis://h"]);
    assert_eq!(run.flags().web_config.as_deref(), Some("w.yml"));
}

#[test]
fn what_a_healthcheck_asks_is_understood_as_clap_understands_it() {
    let short_way = |line: &str| {
        let words: Vec<OsString> =
            std::iter::once("agent").chain(line.split_whitespace()).map(OsString::from).collect();
        plain_question(&words).map(|url| url.map(str::to_owned))
    };
    for line in ["health", "health http://h:1/ready", "health https://h", "health http"] {
        let Ok(Command::Health { url }) = parsed(line) else { panic!("{line}") };
        assert_eq!(short_way(line), Some(url), "{line}");
    }
    let elsewhere = [
        "",
        "run",
        "health -h",
        "health --help",
        "health http://h x",
        "health -- http://h",
        "health h:1",
        "--log.level debug health",
    ];
    for line in elsewhere {
        assert_eq!(short_way(line), None, "{line}");
    }
}

#[test]
fn a_level_that_does_not_exist_is_refused_with_the_known_ones() {
    insta::assert_snapshot!(parsed("--log.level loud").unwrap_err(), @r"
    error: invalid value 'loud' for '--log.level <LEVEL>': unknown level `loud`, known levels: error, warn, info, debug, trace

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(parsed("probe tcp://h --set x").unwrap_err(), @r"
    error: invalid value 'x' for '--set <KEY=VALUE>': write it as KEY=VALUE

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(parsed("porbe tcp://h").unwrap_err(), @r"
    error: unrecognized subcommand 'porbe'

      tip: a similar subcommand exists: 'probe'

    Usage: agent [OPTIONS]
           agent <COMMAND>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(parsed("--chek a=b").unwrap_err(), @r"
    error: unexpected argument '--chek' found

      tip: a similar argument exists: '--check'

    Usage: agent --check <NAME=URL>

    For more information, try '--help'.
    ");
}

#[test]
fn help_reads_well() {
    let help = <Arguments as clap::CommandFactory>::command().term_width(100).render_help().to_string();
    insta::assert_snapshot!(help, @r"
    Probes a service and its host, exports Prometheus metrics, and says why something is wrong

    Usage: agent [OPTIONS]
           agent <COMMAND>

    Commands:
      run        Watch and serve until stopped; what happens when no command is named
      probe      Probe a URL once, now, and show phases, facts and verdict
      wait       Wait until dependencies are ready, then become the command behind `--`
      health     Ask a running agent whether it is alive, for a container's HEALTHCHECK: 0 or 1
      check      Check a configuration and what is deployed beside it, without starting anything
      status     Ask /health of many agents and show them side by side
      start      Start a service in ordered phases, watch over it, and undo all in reverse at its end
      reference  Print the reference: keys, probes, metrics, pages, variables, exit codes

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Watch:
          --config <FILE>       Configuration file; flags and variables win over it [env: AGENT_CONFIG]
          --peer <URL>          The service that this agent stands beside [env: AGENT_PEER]
          --check <NAME=URL>    What it depends on, may be repeated [env: AGENT_CHECK_<NAME>]
          --peer-cgroup <NAME>  `cgroup_parent` of the peer's compose service [env: AGENT_PEER_CGROUP]

    Serve:
          --listen <ADDR>           Where to serve the pages [env: AGENT_LISTEN] [default: 0.0.0.0:9797]
          --web.config.file <FILE>  TLS, users and limits of the pages, in exporter-toolkit's format

    Log:
          --log.level <LEVEL>    error, warn, info, debug, trace [env: AGENT_LOG_LEVEL] [default: info]
          --log.format <FORMAT>  text or json [env: AGENT_LOG_FORMAT] [default: text]

    Examples:
      agent --peer http://backend:8000/health --check db=$DATABASE_URL --check cache=$REDIS_URL
      agent --config agent.yml
      agent probe https://example.org --debug
      agent wait --for $DATABASE_URL --for $REDIS_URL -- ./server --port 8000
      agent check --config agent.yml
      agent status backend db redis nginx --watch

    A check is NAME=URL; the scheme of the URL picks the probe. `agent reference` lists the probes,
    the keys of a configuration file, and every metric, page, variable and exit code.
    ");
}

#[test]
fn a_url_in_the_wrong_place_is_shown_without_credentials() {
    let line = "postgres://app:hunter2@db/app";
    let refusal = parsed(line).unwrap_err();
    assert!(refusal.contains("hunter2"), "clap repeats it: {refusal}");
    let shown = super::without_credentials(refusal, &[line.into()]);
    assert!(shown.contains("postgres://***@db/app") && !shown.contains("hunter2"), "{shown}");
}
