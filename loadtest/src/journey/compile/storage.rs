//! The comments with which Hurl sets and clears cookies (experimental there): `# @cookie_storage_set: …`, a line of
//! curl's cookie file, and `# @cookie_storage_clear`, above the request.

use super::{Compiler, span};
use crate::journey::cookies::{Storage, Stored};
use hurl_core::ast;

impl Compiler {
    /// What the comments above a request do to the cookies; a comment that means to and cannot be read is refused.
    pub(super) fn storage(&mut self, request: &ast::Request) -> Option<Storage> {
        let (mut storage, mut good) = (Storage::default(), true);
        for comment in request.line_terminators.iter().filter_map(|line| line.comment.as_ref()) {
            let text = comment.value.trim();
            let Some(deed) = text.strip_prefix("@cookie_storage_") else { continue };
            match (deed, deed.strip_prefix("set:").map(Stored::parse)) {
                ("clear", _) => storage.clear = true,
                (_, Some(Some(cookie))) => storage.set.push(cookie),
                (_, set) => {
                    let (what, hint) = if set.is_some() { NO_COOKIE } else { UNKNOWN };
                    good = self.refuse::<()>(span(comment.source_info), what, hint).is_some();
                }
            }
        }
        good.then_some(storage)
    }
}

const NO_COOKIE: (&str, &str) = (
    "this is no cookie to store",
    "seven words as in curl's cookie file: `example.org FALSE / FALSE 0 name value` (domain, subdomains too, path, TLS only, \
     expiry in seconds since 1970 or 0, name, value)",
);
const UNKNOWN: (&str, &str) =
    ("unknown cookie command", "they are `# @cookie_storage_clear` and `# @cookie_storage_set: COOKIE`");
