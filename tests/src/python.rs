//! The Python of the tests: a virtual environment under `target/python` that `tests/run` makes from `tests/python/requirements.txt`.

use crate::program::Running;
use crate::repo;
use std::io::Write as _;
use std::path::PathBuf;
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

/// Starts a script of `tests/python` that prints the ports it listens on as its first line.
///
/// # Errors
/// When there is no such environment here, or one without `module`.
pub fn start(script: &str, module: &str, arguments: &[&str]) -> Result<(Running, Vec<u16>), String> {
    let python = interpreter()?;
    let has = Command::new(&python).args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
    if !has.is_ok_and(|status| status.success()) {
        return Err(format!("no `{module}` in target/python: `tests/run` installs it where PyPI is at hand"));
    }
    let mut command = Command::new(python);
    let running = Running::start(command.arg(repo::root().join("tests/python").join(script)).args(arguments));
    let ports = running.line("ports ");
    Ok((running, ports.split_whitespace().filter_map(|word| word.parse().ok()).collect()))
}

fn interpreter() -> Result<PathBuf, String> {
    let python = repo::root().join("target/python/bin/python");
    if python.exists() {
        return Ok(python);
    }
    Err("no Python environment: `tests/run` makes it where python3 -m venv and PyPI are at hand".to_owned())
}

/// Runs a script of `tests/python` with a text on its standard input.
///
/// # Errors
/// When there is no such environment here, with what would make it.
pub fn run(script: &str, input: &str) -> Result<Said, String> {
    let mut command = Command::new(interpreter()?);
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
