//! The words of refusal that several places share.

use super::Compiler;
use crate::journey::source::Span;

impl Compiler {
    pub(super) fn no_xpath<T>(&mut self, at: Span, what: &str) -> Option<T> {
        let hint = "ask for JSON and use `jsonpath`, or look for a text with `regex` or `contains`";
        self.refuse(at, format!("the {what} `xpath` is not supported"), hint)
    }

    pub(super) fn no_http<T>(&mut self, at: Span, version: &str) -> Option<T> {
        let hint = "the load tester speaks HTTP/1.0, HTTP/1.1 and HTTP/2; write `HTTP` to accept any of them";
        self.refuse(at, format!("`{version}` is not supported"), hint)
    }

    pub(super) fn no_option<T>(&mut self, at: Span, name: &str, hint: &str) -> Option<T> {
        self.refuse(at, format!("the option `{name}` is not supported"), hint)
    }
}
