//! Puts the commit into the program: `AGENT_COMMIT` when it is set (an image is built without `.git`), else what git says.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=AGENT_COMMIT");
    if std::env::var("AGENT_COMMIT").is_ok_and(|commit| !commit.is_empty()) {
        return; // cargo hands the variable through to `option_env!`
    }
    if let Some(log) = git(&["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    if let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo:rustc-env=AGENT_COMMIT={commit}");
    }
}

/// The answer of git, if there is a git and a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
