//! Puts the commit into the program: `AGENT_COMMIT` when it is set (an image is built without `.git`), else what git says. And makes
//! the static program smaller: by how its addresses are written down, by keeping equal code once, and by what lies together.

use std::process::Command;

fn main() {
    // The tables of metrics, keys and words hold some 16 000 addresses that a position-independent program corrects when it starts:
    // 24 bytes each as a list, a bit each as a bitmap (0.4 MB less). glibc's own start-up code reads it since 2.36.
    let is_static =
        std::env::var("CARGO_CFG_TARGET_FEATURE").is_ok_and(|all| all.split(',').any(|one| one == "crt-static"));
    if is_static && glibc().is_some_and(|version| version >= (2, 36)) {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    // Functions that became the same machine code are kept once (0.05 MB). The linker that Rust brings for this target can do it.
    let (arch, small) = (std::env::var("CARGO_CFG_TARGET_ARCH"), std::env::var("OPT_LEVEL"));
    if is_static && arch.is_ok_and(|arch| arch == "x86_64") && small.is_ok_and(|level| level == "z" || level == "s") {
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
        // And what `agent health` runs lies together, which halves its memory (see there).
        let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo:rustc-link-arg-bins=-Wl,-T,{folder}/early.ld");
        println!("cargo:rerun-if-changed=early.ld");
    }
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

/// The version of the C library that is linked here.
fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}

/// The answer of git, if there is a git and a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
