//! `agent check`: what `agent run` would make of the same flags, environment and files. Everything wrong is told, not the first.

use super::{complain, refuse, refuse_web, say};
use crate::config::{self, ConfigError, Environment, Flags, Loaded, Tables};
use crate::exit::Exit;
use crate::paint::Paint;
use crate::server;
use std::io;
use std::path::Path;

pub(super) fn check(flags: &Flags, env: &Environment) -> Exit {
    let web = flags.web_config.as_deref().map(web_config);
    let watched = match config::load(flags, env, Tables::of_program()) {
        Ok(loaded) => {
            warn(&loaded);
            say(&summary(&loaded))
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

fn web_config(file: &str) -> Exit {
    match server::check_web_config(Path::new(file), config::read_yaml) {
        Ok(notes) => {
            let word = Paint::for_stream(&io::stderr()).yellow("warning:");
            notes.iter().for_each(|note| complain(&format!("{word} {note}\n  at {file}\n")));
            say(&format!("{file}: ok\n"))
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
    let mut text = format!("{source}ok, {}", counted(plan.checks.len(), "check"));
    for check in &plan.checks {
        let facts = &check.facts;
        let peer = if facts.peer { ", the peer" } else { "" };
        text.push_str(&format!("\n  {}  {}  {}{peer}", facts.name, facts.target, facts.role.as_str()));
    }
    text.push('\n');
    text
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
