//! The command line: reads arguments, calls the part that does the work, ends with an exit code.
//! What must stay true: the answer goes to stdout, everything else to stderr; `agent health` ends with 0 or 1 and nothing else.

mod args;
mod check;
mod logging;
mod run;
mod start;
mod status;
mod wait;

#[cfg(test)]
mod tests;

use crate::config::{self, ConfigError, Environment};
use crate::exit::Exit;
use crate::paint::Paint;
use crate::server::WebConfigError;
use crate::{health, panics, probe_once, reference};
use args::{Arguments, Command};
use clap::Parser as _;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;
use tokio::runtime::Runtime;

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    panics::tell_in_one_line();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // Docker runs this every few seconds: nothing else is set up first, neither the tree of arguments nor that of the environment.
    if let Some(url) = plain_question(&arguments) {
        return health::ask(url, std::env::var(health::LISTEN).ok().as_deref()).into();
    }
    let asks_health = arguments.get(1).is_some_and(|first| first == "health");
    match Arguments::try_parse_from(&arguments) {
        Ok(arguments) => dispatch(arguments.command(), &Environment::of_process()).into(),
        Err(refusal) => {
            let text = without_credentials(refusal.render().to_string(), &arguments);
            if refusal.use_stderr() {
                complain(&text)
            } else {
                let _ = say(&text);
            }
            let input = if asks_health { Exit::BadNews } else { Exit::Input };
            if refusal.use_stderr() { input.into() } else { Exit::Good.into() }
        }
    }
}

/// `agent health` and `agent health http…`, the two forms that a HEALTHCHECK has: the URL, when one is given. All else is clap's.
fn plain_question(arguments: &[OsString]) -> Option<Option<&str>> {
    match arguments {
        [_, health] if health == "health" => Some(None),
        [_, health, url] if health == "health" => url.to_str().filter(|url| url.starts_with("http")).map(Some),
        _ => None,
    }
}

fn dispatch(command: Command, env: &Environment) -> Exit {
    match command {
        Command::Run(arguments) => run::run(&arguments, env),
        Command::Probe(arguments) => probe(&arguments, env),
        Command::Wait(arguments) => wait::wait(&arguments, env),
        Command::Health { url } => health::ask(url.as_deref(), env.get(health::LISTEN)),
        Command::Check(arguments) => check::check(&arguments, env),
        Command::Start(arguments) => start::start(&arguments, env),
        Command::Status(arguments) => status::status(arguments, env),
        Command::Reference => say(&reference::text()),
    }
}

/// clap repeats what it does not understand; a URL in the wrong place is shown without what stands before its `@`.
fn without_credentials(text: String, arguments: &[OsString]) -> String {
    let urls = arguments.iter().filter_map(|argument| argument.to_str()).filter_map(|argument| {
        let (before, rest) = argument.split_once("://")?;
        let (_, after) = rest.rsplit_once('@')?;
        Some((argument, format!("{before}://***@{after}")))
    });
    urls.fold(text, |text, (argument, shown)| text.replace(argument, &shown))
}

fn probe(arguments: &args::Probe, env: &Environment) -> Exit {
    let check = match config::load_one(&arguments.url, &arguments.keys(), env) {
        Ok(check) => check,
        Err(error) => return refuse(&error),
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let (page, exit) = runtime.block_on(probe_once::probe(check, arguments.debug, Paint::for_stream(&io::stdout())));
    // A name look-up that hangs in the system's resolver must not hold up the end.
    runtime.shutdown_background();
    match say(&page) {
        Exit::Good => exit,
        broken => broken,
    }
}

/// One thread runs everything that waits.
fn runtime() -> Result<Runtime, Exit> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| could_not_start(&format!("cannot start the runtime: {error}")))
}

/// Prints to stdout; a reader that has gone away (`| head`) is no failure.
fn say(text: &str) -> Exit {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => could_not_start(&format!("cannot write: {error}")),
        _ => Exit::Good,
    }
}

/// The web configuration is wrong, or names files that are.
fn refuse_web(error: &WebConfigError) -> Exit {
    let word = Paint::for_stream(&io::stderr()).red("error:");
    complain(&format!("{word} {error}\n"));
    Exit::Input
}

fn refuse(error: &ConfigError) -> Exit {
    complain(&error.render(Paint::for_stream(&io::stderr())));
    Exit::Input
}

fn could_not_start(message: &str) -> Exit {
    let error = Paint::for_stream(&io::stderr()).red("error:");
    complain(&format!("{error} {message}\n"));
    Exit::CouldNotStart
}

/// Prints to stderr; when even that fails there is nobody left to tell.
fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
