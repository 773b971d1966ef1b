//! A `.hurl` file compiled: entries, each a request and what is expected of its response. Nothing here is changed by running it,
//! so that all users share it.

use super::bodies::Body;
use super::cookies::Storage;
use super::options::{Options, Setting};
use super::predicate::Predicate;
use super::query::{Probe, Query};
use super::source::{Source, Span};
use super::template::Template;
use http::HeaderMap;
use std::sync::{Arc, OnceLock};
use url::Url;

/// A `.hurl` file.
#[derive(Debug)]
pub struct HurlFile {
    /// Its name, text and directory.
    pub source: Arc<Source>,
    /// Its entries, in order.
    pub entries: Vec<Entry>,
}

/// A request and what is expected of its response.
#[derive(Debug)]
pub struct Entry {
    /// The request's name in reports: `# @name x` above it, else method and unrendered path.
    pub name: String,
    /// Method and unrendered path, whatever the name is.
    pub route: String,
    /// Where the method stands.
    pub span: Span,
    /// The file it stands in.
    pub source: Arc<Source>,
    /// Whether its figure is a whole page load, `# @page` above it: the files that the page links are fetched with it.
    pub page: bool,
    /// What comments above it do to the user's cookies.
    pub storage: Storage,
    /// What is sent.
    pub request: RequestSpec,
    /// Its options.
    pub options: OptionsSpec,
    /// What is expected; none where no response is written.
    pub response: Option<ResponseSpec>,
}

/// Options as written.
#[derive(Debug)]
pub enum OptionsSpec {
    /// None were written: the defaults, shared.
    Default(Arc<Options>),
    /// To be worked out for every repetition.
    Settings(Vec<Setting>),
}

/// A request as written.
#[derive(Debug)]
pub struct RequestSpec {
    /// The method.
    pub method: http::Method,
    /// The URL without the `[Query]` section.
    pub url: Template,
    /// The whole URL, where it is constant.
    pub constant_url: Option<Arc<Url>>,
    /// The first URL that was rendered, with its text: most templates are `{{host}}/path`, the same for all users.
    pub first_url: OnceLock<(String, Arc<Url>)>,
    /// Headers and authorization as written, where they are constant.
    pub constant_headers: Option<HeaderMap>,
    /// Headers, in order.
    pub headers: Vec<Pair>,
    /// Query parameters.
    pub query: Vec<Pair>,
    /// Cookies beside those of the jar.
    pub cookies: Vec<Pair>,
    /// User and password.
    pub basic_auth: Option<Pair>,
    /// The body.
    pub content: Content,
}

/// A name and a value.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The name.
    pub name: Template,
    /// The value.
    pub value: Template,
}

/// What is sent as a body.
#[derive(Clone, Debug)]
pub enum Content {
    /// Nothing.
    Nothing,
    /// A form, URL-encoded.
    Form(Vec<Pair>),
    /// A form of several parts.
    Multipart(Vec<Part>),
    /// A body and the content type that its form implies.
    Body(Body, Option<&'static str>),
}

/// A part of a form.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its name.
    pub name: Template,
    /// What it holds.
    pub content: PartContent,
}

/// What a part holds.
#[derive(Clone, Debug)]
pub enum PartContent {
    /// A text.
    Text(Template),
    /// A file.
    File {
        /// Its name, as sent and as read.
        name: Template,
        /// Its type; else by its name.
        content_type: Option<Template>,
        /// Its bytes, where its name is constant.
        bytes: Option<bytes::Bytes>,
    },
}

/// What is expected of a response.
#[derive(Debug)]
pub struct ResponseSpec {
    /// The version, where one is asked for.
    pub version: Option<(Span, crate::http::HttpVersion)>,
    /// The status, where one is asked for.
    pub status: Option<(Span, u64)>,
    /// Captures, in order.
    pub captures: Vec<Capture>,
    /// Headers that must be there with that value.
    pub headers: Vec<Pair>,
    /// The body.
    pub body: Option<Body>,
    /// Asserts, in order.
    pub asserts: Vec<Assert>,
}

/// A value to remember.
#[derive(Debug)]
pub struct Capture {
    /// The variable's name.
    pub name: Template,
    /// What is remembered.
    pub probe: Probe,
    /// Whether it must never be shown.
    pub redact: bool,
}

/// A value to judge.
#[derive(Debug)]
pub struct Assert {
    /// What is judged.
    pub probe: Probe,
    /// How.
    pub predicate: Predicate,
}

impl Assert {
    /// Whether it compares what came with what was written, captured or sent before: it asks for a checksum, or for equality
    /// with a variable or a file.
    #[must_use]
    pub fn reads_back(&self) -> bool {
        match self.probe.query {
            Query::Sha256 | Query::Md5 => true,
            Query::Status | Query::Version | Query::Url | Query::Duration | Query::Ip | Query::Redirects => false,
            Query::Certificate(_) => false,
            _ => !self.predicate.negated && self.predicate.test.equals_a_variable(),
        }
    }
}
