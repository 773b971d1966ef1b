//! From hurl_core's syntax tree to our own entries: the only place that names the tree. Every kind of query, filter,
//! predicate, option, section and body is either compiled or refused by name, in matches without `_`, so that a new
//! kind in the parser is a compile error here and never a silent difference.

mod body;
mod filter;
mod options;
mod predicate;
mod query;
mod refusal;
mod request;
mod response;
mod storage;
mod syntax;
#[cfg(test)]
mod tests;
mod text;

use super::entry::{Entry, HurlFile, OptionsSpec};
use super::options::Options;
use super::request as rendering;
use super::source::{Source, Span};
use super::template::Scope;
use super::variables::Variables;
use crate::problem::{Problem, Problems};
use hurl_core::ast;
use std::path::PathBuf;
use std::sync::Arc;

/// Compiles a file; `root` is where its `file,…;` bodies lie.
///
/// # Errors
/// Everything that is wrong with it: a syntax error alone, else all refusals together.
pub(super) fn file(name: &str, text: &str, root: PathBuf) -> Result<HurlFile, Problems> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
    let source = Arc::new(Source { name: name.to_owned(), root, text });
    let tree = hurl_core::parser::parse_hurl_file(&source.text).map_err(|error| syntax::problem(&error, &source))?;
    let mut compiler = Compiler { source: Arc::clone(&source), problems: Problems::default() };
    let entries: Vec<Option<Entry>> = tree.entries.iter().map(|entry| compiler.entry(entry)).collect();
    compiler.problems.or(HurlFile { source, entries: entries.into_iter().flatten().collect() })
}

/// Collects what is wrong on the way.
struct Compiler {
    source: Arc<Source>,
    problems: Problems,
}

fn span(place: ast::SourceInfo) -> Span {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let one_line = place.start.line == place.end.line;
    Span {
        line: number(place.start.line),
        column: number(place.start.column),
        end_column: if one_line { number(place.end.column) } else { number(place.start.column) + 1 },
    }
}

impl Compiler {
    /// Notes a problem; the value is missing then.
    fn refuse<T>(&mut self, at: Span, what: impl Into<String>, hint: impl Into<String>) -> Option<T> {
        let problem = self.source.problem(at, what).hint(hint);
        self.note(problem)
    }

    fn note<T>(&mut self, problem: Problem) -> Option<T> {
        self.problems.0.push(problem);
        None
    }

    fn entry(&mut self, entry: &ast::Entry) -> Option<Entry> {
        let options = self.options(&entry.request);
        let request = self.request(&entry.request);
        let response = entry.response.as_ref().map(|response| self.response(response));
        let storage = self.storage(&entry.request);
        let (options, mut request, storage) = (options?, request?, storage?);
        let response = match response {
            Some(response) => Some(response?),
            None => None,
        };
        let nothing = Variables::default();
        let scope = Scope { variables: &nothing, now: chrono::DateTime::UNIX_EPOCH, root: &self.source.root };
        rendering::prepare(&mut request, scope);
        Some(Entry {
            name: name(&entry.request),
            route: route(&entry.request),
            page: is_page(&entry.request),
            span: span(entry.source_info()).max_column(&entry.request),
            source: Arc::clone(&self.source),
            storage,
            request,
            options: if options.is_empty() {
                OptionsSpec::Default(Arc::new(Options::default()))
            } else {
                OptionsSpec::Settings(options)
            },
            response,
        })
    }
}

impl Span {
    /// Stretched over the request line.
    fn max_column(self, request: &ast::Request) -> Self {
        Self { end_column: span(request.url.source_info).end_column, ..self }
    }
}

/// `# @name x` above the entry, else the method and the path as written.
fn name(request: &ast::Request) -> String {
    let comments = request.line_terminators.iter().rev().filter_map(|line| line.comment.as_ref());
    let mut named = comments.filter_map(|comment| comment.value.trim_start().strip_prefix("@name "));
    let given = named.next().map(str::trim).filter(|name| !name.is_empty());
    given.map_or_else(|| route(request), str::to_owned)
}

/// `# @page` above the entry.
fn is_page(request: &ast::Request) -> bool {
    let mut comments = request.line_terminators.iter().filter_map(|line| line.comment.as_ref());
    comments.any(|comment| comment.value.trim() == "@page")
}

/// The method and the path as written.
fn route(request: &ast::Request) -> String {
    format!("{} {}", request.method, path(&request.url.to_string()))
}

/// The path of a URL with placeholders, without query.
pub(super) fn path(whole: &str) -> String {
    let after_scheme = whole.split_once("://").map_or(whole, |(_, rest)| rest);
    let mut depth = 0_i32;
    let slash = after_scheme.char_indices().find(|(_, c)| {
        depth += i32::from(*c == '{') - i32::from(*c == '}');
        depth == 0 && matches!(c, '/' | '?' | '#')
    });
    let path = slash.and_then(|(at, _)| after_scheme.get(at..)).unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    match path {
        // The whole URL, or its path too, comes from a variable.
        "" if after_scheme == whole && whole.ends_with('}') => whole.to_owned(),
        "" => "/".to_owned(),
        path => path.to_owned(),
    }
}
