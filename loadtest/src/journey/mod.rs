//! Journeys: `.hurl` files, compiled once and run by many users, with Hurl's own behaviour (the oracle is the real
//! binary, `tests/oracle`).
//!
//! [`load`] reads files and tells everything that is wrong with them; [`run_entry`] runs one entry for one [`Session`]
//! over a [`crate::http::Transport`] and reports each exchange to an [`Observer`]. Knows nothing of load: no users, no
//! stages, no clocks but the one of `crate::clock`. What must stay true: a running entry parses nothing that could have
//! been parsed when it was loaded, and reads of a response only what is asked for.

mod bodies;
mod certificate;
mod compile;
mod cookies;
mod entry;
mod fault;
mod filter;
mod json;
mod jsonpath;
mod judge;
mod limits;
mod multipart;
mod number;
mod options;
mod pattern;
mod predicate;
mod query;
mod received;
mod reference;
mod request;
mod run;
mod session;
mod set_cookie;
mod source;
mod template;
mod value;
mod variables;

pub use cookies::Jar;
pub use entry::{Entry, HurlFile, Journey};
pub use fault::{Cause, Fault};
pub use number::Number;
pub use reference::{DIFFERENCES, Difference};
pub use run::{Exchange, Observer, Outcome, run_entry};
pub use session::Session;
pub use source::{Source, Span};
pub use value::Value;
pub use variables::{BadVariable, Variables, parse as parse_variable};

use crate::problem::{Problem, Problems};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Loads the files of a journey.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn load(name: &str, files: &[PathBuf]) -> Result<Journey, Problems> {
    let mut problems = Problems::default();
    let files: Vec<Option<HurlFile>> = files.iter().map(|path| problems.take(file(path))).collect();
    problems.or(Journey { name: name.to_owned(), files: files.into_iter().flatten().collect() })
}

/// Compiles a text that is no file, such as the default journey; its `file,…;` bodies would lie in `root`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(name: &str, text: &str, root: &Path) -> Result<HurlFile, Problems> {
    compile::file(name, text, root.to_path_buf())
}

fn file(path: &Path) -> Result<HurlFile, Problems> {
    let name = path.display().to_string();
    let problem = |reason: String| Problems::from(Problem::new(format!("cannot read `{name}`: {reason}")));
    let reason = |error: std::io::Error| problem(error.to_string().to_lowercase());
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(reason)?;
    file.take(limits::HURL_FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(reason)?;
    if text.len() as u64 > limits::HURL_FILE_BYTES_MAX {
        return Err(problem(format!("it is larger than {} bytes", limits::HURL_FILE_BYTES_MAX)));
    }
    compile::file(&name, &text, path.parent().unwrap_or(Path::new("")).to_path_buf())
}
