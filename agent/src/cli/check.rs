//! `agent check`: what `agent run` would make of the same flags, environment and files, and what is wrong with a deployment.
//! Everything wrong is told, not the first. What is named is checked; when nothing is, the agent's own configuration.

use super::args::Check;
use super::{complain, refuse, refuse_web, say};
use crate::collectors::PeerPlan;
use crate::config::{self, ConfigError, Environment, Flags, Loaded, Tables};
use crate::exit::Exit;
use crate::paint::Paint;
use crate::preflight::{self, Format, Sight};
use crate::server;
use std::io;
use std::path::{Path, PathBuf};

pub(super) fn check(arguments: &Check, env: &Environment) -> Exit {
    if let Some(files) = arguments.init() {
        return preflight::init(&files, env).map_or_else(|message| unreadable(&message), |schema| say(&schema));
    }
    let (mut request, format) = (arguments.request(), arguments.format());
    request.privileges = arguments.privileges().then(|| sight(&arguments.flags(), env));
    let deployment = request.names_something();
    let mut exit = Exit::Good;
    if arguments.names_a_configuration() || !deployment {
        exit = configuration(&arguments.flags(), env, format);
    }
    if deployment || format != Format::Text {
        exit = worse(exit, findings(&request, env, format));
    }
    exit
}

/// What this container is to see, as the configuration says it; without one, as the variables do.
fn sight(flags: &Flags, env: &Environment) -> Sight {
    match config::load(flags, env, Tables::of_program()) {
        Ok(Loaded { plan, .. }) => Sight::of_system(plan.peer, plan.host_root),
        // A configuration that is wrong is told where it is named.
        Err(_) => {
            let cgroup = flags.peer_cgroup.clone().or_else(|| env.filled("AGENT_PEER_CGROUP").map(str::to_owned));
            Sight::of_system(PeerPlan { cgroup, ..PeerPlan::default() }, PathBuf::from("/"))
        }
    }
}

/// Findings go to stdout, for they are the answer; what could not be read is told on stderr in every form.
fn findings(request: &preflight::Request, env: &Environment, format: Format) -> Exit {
    let report = preflight::check(request, env);
    for message in &report.unreadable {
        let _input = unreadable(message);
    }
    let page = preflight::render(&report, format, Paint::for_stream(&io::stdout()));
    worse(say(&page), report.exit())
}

fn unreadable(message: &str) -> Exit {
    complain(&message.replacen("error:", &Paint::for_stream(&io::stderr()).red("error:"), 1));
    Exit::Input
}

/// Wrong input before bad news before good.
fn worse(one: Exit, other: Exit) -> Exit {
    if one.code() >= other.code() { one } else { other }
}

/// The configuration as `agent run` would read it. In the forms for programs stdout belongs to the findings.
fn configuration(flags: &Flags, env: &Environment, format: Format) -> Exit {
    let tell = |text: &str| if format == Format::Text { say(text) } else { Exit::Good };
    let web = flags.web_config.as_deref().map(|file| web_config(file, tell));
    let watched = match config::load(flags, env, Tables::of_program()) {
        Ok(loaded) => {
            warn(&loaded);
            tell(&summary(&loaded))
        }
        // A web configuration can be checked by itself.
        Err(ConfigError::Nothing) if web.is_some() => Exit::Good,
        Err(error) => refuse(&error),
    };
    match watched {
        Exit::Good => web.unwrap_or(Exit::Good),
        bad => bad,
    }
}

fn web_config(file: &str, tell: impl Fn(&str) -> Exit) -> Exit {
    match server::check_web_config(Path::new(file), config::read_yaml) {
        Ok(notes) => {
            let word = Paint::for_stream(&io::stderr()).yellow("warning:");
            notes.iter().for_each(|note| complain(&format!("{word} {note}\n  at {file}\n")));
            tell(&format!("{file}: ok\n"))
        }
        Err(error) => refuse_web(&error),
    }
}

fn warn(loaded: &Loaded) {
    let paint = Paint::for_stream(&io::stderr());
    for warning in &loaded.warnings {
        complain(&config::render_problem(warning, loaded.file.as_deref(), &paint.yellow("warning:"), paint));
    }
}

fn summary(loaded: &Loaded) -> String {
    let plan = &loaded.plan;
    let source = loaded.file.as_deref().map_or(String::new(), |file| format!("{file}: "));
    let mut text = format!("{source}ok, {}", preflight::counted(plan.checks.len(), "check"));
    for check in &plan.checks {
        let facts = &check.facts;
        let peer = if facts.peer { ", the peer" } else { "" };
        text.push_str(&format!("\n  {}  {}  {}{peer}", facts.name, facts.target, facts.role.as_str()));
    }
    text.push('\n');
    text
}
