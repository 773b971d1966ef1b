//! A command of a step: a group of processes of its own, whose output is shown line by line and whose end comes in time.
//! What must stay true: when this future is dropped, the whole group is killed.

use super::tell::Tell;
use crate::config::Hook;
use crate::limits;
use crate::probes::{Fault, Reason};
use crate::supervise::{Child, Children, End, NotStarted};
use crate::units::Span;
use rustix::process::Signal;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Runs it to its end; a fault when it could not be started, ended with another code than 0, or was not over in time. `halt` turning
/// true ends it early.
pub(super) async fn run(
    step: &str,
    hook: &Hook,
    time: Duration,
    (children, tell): (&Children, Tell),
    halt: &mut watch::Receiver<bool>,
) -> Result<(), Fault> {
    let mut group = Group { child: start(hook, children)?, over: false };
    let mut output = JoinSet::new();
    let (stdout, stderr) = (group.child.stdout.take(), group.child.stderr.take());
    stdout.into_iter().for_each(|pipe| show(step, "stdout", pipe.into(), tell, &mut output));
    stderr.into_iter().for_each(|pipe| show(step, "stderr", pipe.into(), tell, &mut output));
    let ended = tokio::select! {
        end = group.child.ended() => verdict(end),
        () = tokio::time::sleep(time) => {
            group.end().await;
            Err(Fault::new(Reason::Timeout, format!("the command was not over within {}", Span(time)))
                .hint("look at what it printed last, or give the step a longer `timeout`"))
        }
        () = halted(halt) => {
            group.end().await;
            Err(Fault::new(Reason::Timeout, "stopped, because the start has ended"))
        }
    };
    group.over = ended.is_ok();
    let _held_open = timeout(limits::HOOK_LAST_WORDS, async { while output.join_next().await.is_some() {} }).await;
    // What a child that outlives the command still says is shown as well.
    output.detach_all();
    ended
}

/// Comes back when everything under way is to end, and never otherwise.
pub(super) async fn halted(halt: &mut watch::Receiver<bool>) {
    let asked = halt.wait_for(|halt| *halt).await.is_ok();
    if !asked {
        std::future::pending::<()>().await;
    }
}

fn start(hook: &Hook, children: &Children) -> Result<Child, Fault> {
    let (program, arguments) = hook.words.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let mut command = Command::new(program);
    command.args(arguments).envs(hook.env.iter().map(|(name, value)| (name, value))).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(folder) = &hook.workdir {
        command.current_dir(folder);
    }
    children.spawn(&mut command).map_err(|error| {
        let refused = NotStarted::new(program, error);
        Fault::new(Reason::Config, format!("cannot start `{program}`: {}", refused.why)).hint(refused.hint)
    })
}

fn verdict(end: End) -> Result<(), Fault> {
    if end.good() {
        return Ok(());
    }
    Err(Fault::new(Reason::Status, format!("the command failed: {end}")).hint("what it said stands above"))
}

fn show(step: &str, stream: &'static str, pipe: OwnedFd, tell: Tell, output: &mut JoinSet<()>) {
    let Ok(pipe) = Receiver::from_owned_fd(pipe) else { return };
    let step = step.to_owned();
    output.spawn(async move {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while (&mut reader).take(limits::HOOK_LINE_BYTES).read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0)
        {
            tell.output(&step, stream, String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
            line.clear();
        }
    });
}

/// The processes of a hook; what is left of a command that did not end well is killed with it.
struct Group {
    child: Child,
    over: bool,
}

impl Group {
    /// Asks the whole group to end, and waits a little.
    async fn end(&mut self) {
        self.child.signal_group(Signal::TERM);
        let _late = timeout(limits::HOOK_GRACE, self.child.ended()).await;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.over {
            self.child.signal_group(Signal::KILL);
        }
    }
}
