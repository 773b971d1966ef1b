//! Journeys: `.hurl` files, compiled once and run by many users, with Hurl's own behaviour (the oracle is the real
//! binary, `tests/oracle`).
//!
//! [`load`] reads files and tells everything that is wrong with them; [`run_entry`] runs one entry for one [`Session`]
//! over a [`crate::http::Transport`] and reports each exchange to an [`Observer`]; [`run_websocket`] is the same for the other kind of
//! step, and keeps a [`Ledger`]. Knows nothing of load: no users, no
//! stages, no clocks but the one of `crate::clock`. What must stay true: a running entry parses nothing that could have
//! been parsed when it was loaded, and reads of a response only what is asked for.

mod bodies;
mod certificate;
mod common;
mod compile;
mod cookies;
mod defaults;
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
mod outside;
mod page;
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
mod step;
mod template;
mod value;
mod variables;
mod websocket;
mod who;

pub use common::{CommonHeader, CommonHeaders};
pub use cookies::Jar;
pub use defaults::Defaults;
pub use entry::{Entry, HurlFile};
pub use fault::{Cause, Fault};
pub use json::{NotJson, Reader as JsonReader};
pub use limits::JSON_DEPTH_MAX;
pub use number::Number;
pub use reference::{DIFFERENCES, Difference};
pub use run::{Exchange, Observer, Outcome, PageLoad, run_entry};
pub use session::Session;
pub use source::{Source, Span};
pub use step::{Act, Journey, Step};
pub use template::Template;
pub use value::Value;
pub use variables::{BadVariable, Variables, parse as parse_variable};
pub use websocket::{
    Address, Comparison, Done, Ended, Expectation, Kept, Ledger, Once, Part, Sum, WebSocketStep, message, run_websocket,
};
pub use who::{BUILT_IN, Who};

use crate::problem::{Problem, Problems, why};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// A file to load.
#[derive(Clone, Debug)]
pub struct Named {
    /// Where it lies.
    pub path: PathBuf,
    /// Who names it, for messages: a line of the plan, an argument.
    pub place: String,
    /// What to do where it cannot be read.
    pub hint: &'static str,
}

/// Loads the files of a journey.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn load(name: &str, files: &[Named]) -> Result<Journey, Problems> {
    load_steps(name, files.iter().cloned().map(Wanted::File))
}

/// A step to load.
#[derive(Debug)]
pub enum Wanted {
    /// A file.
    File(Named),
    /// A WebSocket, which the plan says whole.
    WebSocket(Box<WebSocketStep>),
}

/// Loads the files among the steps of a journey.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn load_steps(name: &str, steps: impl IntoIterator<Item = Wanted>) -> Result<Journey, Problems> {
    let mut problems = Problems::default();
    let load = |step: Wanted| match step {
        Wanted::File(named) => problems.take(file(&named)).map(Step::File),
        Wanted::WebSocket(socket) => Some(Step::WebSocket(socket)),
    };
    let steps: Vec<Option<Step>> = steps.into_iter().map(load).collect();
    problems.or(Journey { name: name.to_owned(), steps: steps.into_iter().flatten().collect() })
}

/// Compiles a text that is no file, such as the default journey; its `file,…;` bodies would lie in `root`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(name: &str, text: &str, root: &Path) -> Result<HurlFile, Problems> {
    compile::file(name, text, root.to_path_buf())
}

fn file(named: &Named) -> Result<HurlFile, Problems> {
    let name = named.path.display().to_string();
    let unreadable = |reason: &str| {
        Problem::new(format!("cannot read `{name}`: {reason}")).at(named.place.as_str()).hint(named.hint)
    };
    let failed = |error: std::io::Error| unreadable(&why(&error));
    let mut text = String::new();
    let file = std::fs::File::open(&named.path).map_err(failed)?;
    file.take(limits::HURL_FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > limits::HURL_FILE_BYTES_MAX {
        return Err(unreadable(&format!("it is larger than {} bytes", limits::HURL_FILE_BYTES_MAX)).into());
    }
    compile::file(&name, &text, named.path.parent().unwrap_or(Path::new("")).to_path_buf())
}
