//! What each command does, from arguments to exit code. Knows all parts and owns none of their rules.

mod life;
mod preflight;
mod show;
mod smoke;

use crate::cli::{Cli, Other};
use crate::exit::Exit;
use crate::problem::Problems;
use crate::stop::Stop;
use std::fmt::Display;
use std::io::Write;

/// Runs a command.
#[must_use]
pub fn main(cli: &Cli) -> Exit {
    if let Some(Other::Reference) = cli.command {
        say(&crate::reference::reference());
        return Exit::GO;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return not_started(&format!("no runtime: {error}")),
    };
    runtime.block_on(async {
        let stop = match Stop::listen() {
            Ok(stop) => stop,
            Err(error) => return not_started(&error),
        };
        match &cli.command {
            Some(Other::Smoke(args)) => smoke::smoke(args, stop).await,
            _ => life::run(&cli.run, stop).await,
        }
    })
}

/// Why a command ended without its result.
enum Failed {
    /// The input is wrong.
    Input(Problems),
    /// The machine refuses.
    Start(String),
}

impl<T: Into<Problems>> From<T> for Failed {
    fn from(problems: T) -> Self {
        Self::Input(problems.into())
    }
}

impl Failed {
    /// Tells it; the exit code.
    fn told(&self) -> Exit {
        match self {
            Self::Input(problems) => {
                tell(problems);
                Exit::INPUT
            }
            Self::Start(why) => not_started(why),
        }
    }
}

fn not_started(why: &dyn Display) -> Exit {
    tell(&format!("error: the load tester cannot start: {why}"));
    Exit::NOT_STARTED
}

/// A reader that is gone (`loadtest … | head`) is no reason to fail.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn tell(text: &dyn Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
