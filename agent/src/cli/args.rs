//! The arguments as clap reads them. Plain text and switches: what they mean is decided in `config`.

use super::logging::{Format, Level};
use crate::config::{Flags, parse_listen};
use crate::preflight;
use crate::version::Version;
use crate::wait::Form;
use crate::{limits, status, units};
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

static VERSION: LazyLock<String> = LazyLock::new(|| Version::THIS.to_string());

const EXAMPLES: &str = "\
Examples:
  agent --peer http://backend:8000/health --check db=$DATABASE_URL --check cache=$REDIS_URL
  agent --config agent.yml
  agent probe https://example.org --debug
  agent wait --for $DATABASE_URL --for $REDIS_URL -- ./server --port 8000
  agent check --config agent.yml
  agent status backend db redis nginx --watch

A check is NAME=URL; the scheme of the URL picks the probe. `agent reference` lists the probes,
the keys of a configuration file, and every metric, page, variable and exit code.";

/// Probes a service and its host, exports Prometheus metrics, and says why something is wrong.
#[derive(Debug, Parser)]
#[command(name = "agent", version = VERSION.as_str(), after_help = EXAMPLES, disable_help_subcommand = true)]
#[command(args_conflicts_with_subcommands = true, subcommand_precedence_over_arg = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

impl Arguments {
    /// The command; `run` when none is named.
    pub(super) fn command(self) -> Command {
        self.command.unwrap_or(Command::Run(self.run))
    }
}

/// What there is to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Watch and serve until stopped; what happens when no command is named
    Run(Run),
    /// Probe a URL once, now, and show phases, facts and verdict
    Probe(Probe),
    /// Wait until dependencies are ready, then become the command behind `--`
    Wait(Wait),
    /// Ask a running agent whether it is alive, for a container's HEALTHCHECK: 0 or 1
    Health {
        /// What to ask, over TLS on this machine only [default: /live of this container's agent, on the port of AGENT_LISTEN,
        /// over TLS when it has it]
        url: Option<String>,
    },
    /// Check a configuration and what is deployed beside it, without starting anything
    Check(Check),
    /// Ask /health of many agents and show them side by side
    Status(Status),
    /// Start a service in ordered phases, watch over it, and undo all in reverse at its end
    Start(Start),
    /// Print the reference: keys, probes, metrics, pages, variables, exit codes
    Reference,
}

/// Flags of `agent run`.
#[derive(Debug, Default, Args)]
pub(super) struct Run {
    #[command(flatten)]
    watch: Watch,
    /// Where to serve the pages [env: AGENT_LISTEN] [default: 0.0.0.0:9797]
    #[arg(long, value_name = "ADDR", help_heading = "Serve")]
    listen: Option<String>,
    /// TLS, users and limits of the pages, in exporter-toolkit's format
    #[arg(long = "web.config.file", value_name = "FILE", help_heading = "Serve")]
    web_config: Option<String>,
    /// error, warn, info, debug, trace [env: AGENT_LOG_LEVEL] [default: info]
    #[arg(long = "log.level", value_name = "LEVEL", help_heading = "Log")]
    pub(super) log_level: Option<Level>,
    /// text or json [env: AGENT_LOG_FORMAT] [default: text]
    #[arg(long = "log.format", value_name = "FORMAT", help_heading = "Log")]
    pub(super) log_format: Option<Format>,
}

/// What is watched, as far as flags can say it.
#[derive(Debug, Default, Args)]
struct Watch {
    /// Configuration file; flags and variables win over it [env: AGENT_CONFIG]
    #[arg(long, value_name = "FILE", help_heading = "Watch")]
    config: Option<String>,
    /// The service that this agent stands beside [env: AGENT_PEER]
    #[arg(long, value_name = "URL", help_heading = "Watch")]
    peer: Option<String>,
    /// What it depends on, may be repeated [env: AGENT_CHECK_<NAME>]
    #[arg(long = "check", value_name = "NAME=URL", help_heading = "Watch")]
    checks: Vec<String>,
    /// `cgroup_parent` of the peer's compose service [env: AGENT_PEER_CGROUP]
    #[arg(long, value_name = "NAME", help_heading = "Watch")]
    peer_cgroup: Option<String>,
}

impl Run {
    pub(super) fn flags(&self) -> Flags {
        Flags { listen: self.listen.clone(), web_config: self.web_config.clone(), ..self.watch.flags() }
    }
}

impl Watch {
    fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            peer: self.peer.clone(),
            checks: self.checks.clone(),
            peer_cgroup: self.peer_cgroup.clone(),
            ..Flags::default()
        }
    }
}

/// Flags of `agent check`.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    watch: Watch,
    /// The web configuration to check as well
    #[arg(long = "web.config.file", value_name = "FILE", help_heading = "Serve")]
    web_config: Option<String>,
    #[command(flatten)]
    preflight: Preflight,
}

/// What of a deployment is checked, and how the findings are told.
#[derive(Debug, Default, Args)]
struct Preflight {
    /// Environment file to check, may be repeated
    #[arg(long = "env", value_name = "FILE", help_heading = "Deployment")]
    env: Vec<String>,
    /// What the variables should be: a file, or builtin:common [default: builtin:common]; without --env the live environment is checked
    #[arg(long, value_name = "FILE", help_heading = "Deployment")]
    schema: Option<String>,
    /// Print a schema that accepts the files of --env [default: .env], without checking anything
    #[arg(long, help_heading = "Deployment")]
    init: bool,
    /// Compose file to check, may be repeated: later ones override earlier ones. Its variables come from the files of `--env`, else
    /// from `.env` beside it, and from the environment
    #[arg(long, value_name = "FILE", help_heading = "Deployment")]
    compose: Vec<String>,
    /// Manifest, or folder of manifests, to check; what follows is read with it as one stack
    #[arg(long, value_name = "FILE_OR_DIR", num_args = 1.., help_heading = "Deployment")]
    kubernetes: Vec<String>,
    /// Tell what this container can and cannot see, and what it may do that it should not
    #[arg(long, help_heading = "Deployment")]
    privileges: bool,
    /// For which life of the stack: production, staging, development [default: production]
    #[arg(long, value_name = "PROFILE", help_heading = "Deployment")]
    profile: Option<preflight::Profile>,
    /// Findings that are lived with: a YAML list of `{rule, at, file, reason}`
    #[arg(long, value_name = "FILE", help_heading = "Deployment")]
    accepted: Option<String>,
    /// How findings are told: text, json, junit [default: text]
    #[arg(long, value_name = "FORMAT", help_heading = "Deployment")]
    format: Option<preflight::Format>,
}

impl Check {
    pub(super) fn flags(&self) -> Flags {
        Flags { web_config: self.web_config.clone(), ..self.watch.flags() }
    }

    /// Whether the agent's own configuration is named, and so is to be checked beside a deployment.
    pub(super) fn names_a_configuration(&self) -> bool {
        let Watch { config, peer, checks, peer_cgroup } = &self.watch;
        config.is_some() || peer.is_some() || !checks.is_empty() || peer_cgroup.is_some() || self.web_config.is_some()
    }

    /// What of a deployment is to be checked.
    pub(super) fn request(&self) -> preflight::Request {
        let Preflight { env, schema, compose, kubernetes, profile, accepted, .. } = &self.preflight;
        preflight::Request {
            env: env.clone(),
            schema: schema.clone(),
            compose: compose.clone(),
            kubernetes: kubernetes.clone(),
            privileges: None,
            profile: profile.unwrap_or_default(),
            accepted: accepted.clone(),
        }
    }

    /// The files that a schema is to be made from, when one is.
    pub(super) fn init(&self) -> Option<Vec<String>> {
        let Preflight { env, init, .. } = &self.preflight;
        let files = if env.is_empty() { vec![".env".to_owned()] } else { env.clone() };
        init.then_some(files)
    }

    /// Whether to look at this container.
    pub(super) fn privileges(&self) -> bool {
        self.preflight.privileges
    }

    pub(super) fn format(&self) -> preflight::Format {
        self.preflight.format.unwrap_or_default()
    }
}

const STATUS: &str = "\
Exit code: 0 every service may work (healthy or degraded), 1 one does not, is starting, or its sidecar gave no answer, 2 an address is wrong.";

/// Flags of `agent status`.
#[derive(Debug, Args)]
#[command(after_help = STATUS)]
pub(super) struct Status {
    /// Where the agents are: `host`, `host:port`, `http://…` or `https://…`, port 9797 unless written [env: AGENT_STATUS_URLS]
    #[arg(value_name = "URL")]
    pub(super) urls: Vec<String>,
    /// Ask again and again until stopped
    #[arg(long)]
    pub(super) watch: bool,
    /// How often, with --watch [default: 2s]
    #[arg(long, value_name = "DURATION", requires = "watch", value_parser = span)]
    pub(super) interval: Option<Duration>,
    /// How long each agent has for its answer [default: 3s]
    #[arg(long, value_name = "DURATION", value_parser = span)]
    pub(super) timeout: Option<Duration>,
    /// Authorities in PEM to trust beside the public ones
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
    /// table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = status_format)]
    pub(super) format: status::Format,
}

fn status_format(text: &str) -> Result<status::Format, String> {
    match text {
        "table" => Ok(status::Format::Table),
        "json" => Ok(status::Format::Json),
        _ => Err("known formats: table, json".to_owned()),
    }
}

/// Flags of `agent probe`.
#[derive(Debug, Args)]
pub(super) struct Probe {
    /// What to probe; `${NAME}` in it is filled in from the environment
    pub(super) url: String,
    /// Show every value measured as Prometheus would read it
    #[arg(long)]
    pub(super) debug: bool,
    /// A key of the check, as in a configuration file, may be repeated: `--set timeout=2s`, `--set round_trip=false`;
    /// lists and mappings in brackets: `--set 'valid_status_codes=[200, 204]'`, `--set 'tls_config={ca_file: ca.pem}'`
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
}

impl Probe {
    pub(super) fn keys(&self) -> Vec<(String, String)> {
        self.set.clone()
    }
}

/// Flags of `agent wait`.
#[derive(Debug, Args)]
pub(super) struct Wait {
    /// What to wait for, may be repeated: a URL, NAME=URL, or the name of a check of the configuration
    /// [default: all checks of the configuration]; `${NAME}` in it is filled in from the environment
    #[arg(long = "for", value_name = "URL")]
    pub(super) awaited: Vec<String>,
    /// Configuration file whose checks are meant, as for `agent run` [env: AGENT_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<String>,
    /// How long to wait in all [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = span)]
    timeout: Option<Duration>,
    /// Longest pause between two questions to one dependency; they begin at 100 ms and double [default: 2s]
    #[arg(long, value_name = "DURATION", value_parser = pause)]
    interval: Option<Duration>,
    /// Give up at once when waiting cannot help: refused credentials, another protocol, a bad certificate
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// text or json: one object at the end, on stdout, or on stderr when a command follows [default: text]
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_default_value = true)]
    format: TextOrJson,
    /// Say nothing unless it ends badly
    #[arg(long, short)]
    quiet: bool,
    /// The command that takes this process's place when all is ready, with its arguments
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<OsString>,
}

impl Wait {
    pub(super) fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(limits::WAIT_TIMEOUT)
    }

    pub(super) fn longest_pause(&self) -> Duration {
        self.interval.unwrap_or(limits::WAIT_LONGEST_PAUSE)
    }

    pub(super) fn form(&self) -> Form {
        match (self.format, self.quiet) {
            (TextOrJson::Json, _) => Form::Json,
            (TextOrJson::Text, true) => Form::Quiet,
            (TextOrJson::Text, false) => Form::Text,
        }
    }
}

/// Flags of `agent start`.
#[derive(Debug, Args)]
pub(super) struct Start {
    /// The phases and their steps, in YAML
    #[arg(long, value_name = "FILE")]
    pub(super) phases: String,
    /// Where to serve /live, /ready and /health, with the steps as checks [default: nowhere]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(super) listen: Option<SocketAddr>,
    /// text or json: one object a line, on stderr, for stdout is the command's [default: text]
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_default_value = true)]
    format: TextOrJson,
    /// The command that runs when all phases are done, with its arguments
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<OsString>,
}

impl Start {
    pub(super) fn json(&self) -> bool {
        self.format == TextOrJson::Json
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    parse_listen(text).ok_or_else(|| "write address and port, as in `0.0.0.0:9797` or `:9797`".to_owned())
}

/// The two forms that most commands know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum TextOrJson {
    Text,
    Json,
}

fn span(text: &str) -> Result<Duration, String> {
    units::duration(text).map_err(|error| error.to_string())
}

/// A pause of nothing would be a flood.
fn pause(text: &str) -> Result<Duration, String> {
    let pause = span(text)?;
    if pause < limits::WAIT_PAUSE_LEAST {
        return Err(format!("a pause is at least {}", units::Span(limits::WAIT_PAUSE_LEAST)));
    }
    Ok(pause)
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
    match key {
        "name" | "url" => Err(format!("`{key}` is given already")),
        _ => Ok((key.to_owned(), value.to_owned())),
    }
}
