//! Exit codes: an interface that scripts and orchestrators rely on. Knows nothing else of the agent.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Good,
    /// It worked, and the news is bad: a check failed.
    BadNews,
    /// The command line, the environment or a file is wrong.
    Input,
    /// There is no telling; for the load tester's sake, the agent does not use it.
    Inconclusive,
    /// What was asked for is right, and could not be started: a port is taken.
    CouldNotStart,
    /// Ended at once by a signal: 128 and its number.
    Aborted(u8),
    /// What the command behind `--` ended with, or the shells' 126 and 127 when it could not be started.
    Command(u8),
}

impl Exit {
    /// Every code with its meaning, for the reference.
    pub const MEANINGS: &'static [(&'static str, &'static str)] = &[
        ("0", "good; also the end of `agent run` after the first SIGTERM or SIGINT"),
        ("1", "bad news: the probe failed, the agent is not healthy, the wait timed out, a step of the start failed"),
        ("2", "your input: the command line, the environment or the configuration is wrong"),
        ("3", "inconclusive (the load tester's; the agent does not use it)"),
        ("4", "could not start: the port is taken, or the address is not this machine's"),
        (
            "126",
            "the command behind `--` cannot be executed; else its own code is passed on, 128 and the number when a signal ended it",
        ),
        ("127", "the command behind `--` was not found"),
        ("129", "stopped by SIGHUP: a wait"),
        ("130", "stopped by SIGINT: a wait, or at once by a second signal"),
        ("143", "stopped by SIGTERM: a wait, or at once by a second signal"),
    ];

    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::BadNews => 1,
            Self::Input => 2,
            Self::Inconclusive => 3,
            Self::CouldNotStart => 4,
            Self::Aborted(code) | Self::Command(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_the_reference() {
        let all = [Exit::Good, Exit::BadNews, Exit::Input, Exit::Inconclusive, Exit::CouldNotStart, Exit::Aborted(130)];
        let listed: Vec<&str> = Exit::MEANINGS.iter().map(|(code, _)| *code).collect();
        for exit in
            [all.as_slice(), &[Exit::Aborted(129), Exit::Aborted(143), Exit::Command(126), Exit::Command(127)]].concat()
        {
            assert!(listed.contains(&exit.code().to_string().as_str()), "{exit:?}");
        }
        assert_eq!(listed.len(), 10);
    }
}
