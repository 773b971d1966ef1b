//! The Python of the tests: a virtual environment under `target/python` that `tests/run` makes from `tests/python/requirements.txt`.

use crate::repo;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// What a script printed and how it ended.
#[derive(Debug)]
pub struct Said {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Whether it ended with 0.
    pub good: bool,
}

/// Runs a script of `tests/python` with a text on its standard input.
///
/// # Errors
/// When there is no such environment here, with what would make it.
pub fn run(script: &str, input: &str) -> Result<Said, String> {
    let python = repo::root().join("target/python/bin/python");
    if !python.exists() {
        return Err("no Python environment: `tests/run` makes it where python3 -m venv and PyPI are at hand".to_owned());
    }
    let mut command = Command::new(python);
    command.arg(repo::root().join("tests/python").join(script));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let mut pipe = child.stdin.take().ok_or("no standard input")?;
    let text = input.to_owned();
    let writer = std::thread::spawn(move || pipe.write_all(text.as_bytes()));
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    // A script that ended early has said why.
    let _ended_early = writer.join();
    Ok(Said {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        good: output.status.success(),
    })
}
