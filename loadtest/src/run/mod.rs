//! What each command does, from arguments to exit code. Knows all parts and owns none of their rules.

mod around;
mod asked;
mod calm;
mod capacity;
mod guard;
mod knee;
mod life;
mod lost;
mod metrics;
mod outputs;
mod past;
mod preflight;
mod shape;
mod show;
mod single;
mod smoke;
mod sockets;
mod validate;
mod walk;

use self::asked::Asked;
use crate::cli::{Cli, Other};
use crate::engine::{Reason, Signals};
use crate::exit::Exit;
use crate::http::Network;
use crate::plan::Plan;
use crate::problem::{Problem, Problems};
use std::fmt::Display;
use std::io::Write;
use std::sync::Arc;

/// Runs a command.
#[must_use]
pub fn main(cli: &Cli) -> Exit {
    match &cli.command {
        Some(Other::Reference) => {
            say(&crate::reference::reference());
            return Exit::GO;
        }
        Some(Other::Schema) => {
            say(crate::report::SCHEMA);
            return Exit::GO;
        }
        Some(Other::Judge(args)) => return past::judge(args).unwrap_or_else(|failed| failed.told()),
        Some(Other::Compare(args)) => return past::compare(args).unwrap_or_else(|failed| failed.told()),
        _ => {}
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return not_started(&format!("no runtime: {error}")),
    };
    runtime.block_on(async {
        let signals = match Signals::claim() {
            Ok(signals) => signals,
            Err(error) => return not_started(&error),
        };
        match &cli.command {
            Some(Other::Smoke(args)) => smoke::smoke(args, signals).await,
            Some(Other::Validate(args)) => validate::validate(args, signals).await,
            Some(Other::Watch(args)) => match Asked::try_from(args) {
                Ok(asked) => life::run(&asked, signals).await,
                Err(problems) => Failed::from(problems).told(),
            },
            _ => life::run(&Asked::from(&cli.run), signals).await,
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

impl From<Problems> for Failed {
    fn from(problems: Problems) -> Self {
        Self::Input(problems)
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::Input(problem.into())
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

/// The network of a plan: without a word of consent it reaches no public address.
fn network(plan: &Plan) -> Arc<Network> {
    Arc::new(if plan.own { Network::default() } else { Network::private() })
}

fn not_started(why: &dyn Display) -> Exit {
    tell(&format!("error: the load tester cannot start: {why}"));
    Exit::NOT_STARTED
}

/// The exit code of a command that a signal ended before there was anything to report.
fn signalled(reason: Reason) -> Exit {
    Exit(128 + reason.signal().unwrap_or(0))
}

/// A reader that is gone (`loadtest … | head`) is no reason to fail.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn tell(text: &dyn Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
