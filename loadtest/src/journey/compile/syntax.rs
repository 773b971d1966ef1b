//! Syntax errors of the parser, in the house form.

use super::span;
use crate::journey::source::Source;
use crate::problem::Problems;
use hurl_core::ast::SourceInfo;
use hurl_core::parser::{JsonErrorVariant, ParseError, ParseErrorKind};

pub(super) fn problem(error: &ParseError, source: &Source) -> Problems {
    let at = span(SourceInfo::new(error.pos, error.pos));
    let problem = source.problem(at, words(&error.kind));
    match advice(&error.kind) {
        Some(hint) => problem.hint(hint).into(),
        None => problem.into(),
    }
}

const fn advice(kind: &ParseErrorKind) -> Option<&'static str> {
    match kind {
        ParseErrorKind::RequestSectionName { .. } => {
            Some("below a request stand `[Query]`, `[Form]`, `[Multipart]`, `[Cookies]`, `[BasicAuth]` and `[Options]`")
        }
        ParseErrorKind::ResponseSectionName { .. } => Some("below a response stand `[Captures]` and `[Asserts]`"),
        ParseErrorKind::InvalidOption(_) => {
            Some("the options are those of Hurl 8.1, as on its command line without the dashes")
        }
        ParseErrorKind::UrlInvalidStart => Some("give the host as a variable: `GET {{host}}/path`"),
        _ => None,
    }
}

fn words(kind: &ParseErrorKind) -> String {
    let plain = match kind {
        ParseErrorKind::Expecting { value } if value == "\n" => "expected the end of the line",
        ParseErrorKind::Expecting { value } => return format!("expected `{}`", value.escape_debug()),
        ParseErrorKind::InvalidDurationUnit(unit) => {
            return format!("unknown unit `{unit}`: use `ms`, `s`, `m` or `h`");
        }
        ParseErrorKind::InvalidOption(name) => return format!("unknown option `{name}`"),
        ParseErrorKind::Json(error) => return json(error),
        ParseErrorKind::Method { name } => return format!("`{name}` is not a method"),
        ParseErrorKind::MultilineLanguageHint(name) => return format!("unknown kind of multiline text `{name}`"),
        ParseErrorKind::RegexExpr { message } => return format!("invalid regular expression: {message}"),
        ParseErrorKind::RequestSectionName { name } => return format!("a request has no section `[{name}]`"),
        ParseErrorKind::ResponseSectionName { name } => return format!("a response has no section `[{name}]`"),
        ParseErrorKind::UrlIllegalCharacter(c) => return format!("`{}` cannot stand in a URL", c.escape_debug()),
        ParseErrorKind::Variable(message) => return message.to_lowercase(),
        ParseErrorKind::DuplicateSection => "this section was there before",
        ParseErrorKind::EscapeChar => "unknown escape sequence",
        ParseErrorKind::FileContentType => "expected a content type",
        ParseErrorKind::Filename => "expected a file name",
        ParseErrorKind::GraphQlVariables => "GraphQL variables must be a JSON object",
        ParseErrorKind::HexDigit => "expected a hexadecimal digit",
        ParseErrorKind::InvalidCookieAttribute => "unknown attribute of a cookie",
        ParseErrorKind::JsonPathExpr => "expected a JSONPath in quotes",
        ParseErrorKind::Multiline => "this multiline text does not end, or begins badly",
        ParseErrorKind::OddNumberOfHexDigits => "expected an even number of hexadecimal digits",
        ParseErrorKind::Predicate => "expected a predicate such as `==`, `contains` or `exists`",
        ParseErrorKind::PredicateValue => "this predicate takes no such value",
        ParseErrorKind::RequestSection => "this section cannot stand in a request",
        ParseErrorKind::ResponseSection => "this section cannot stand in a response",
        ParseErrorKind::Space => "expected a space",
        ParseErrorKind::Status => "expected a status code or `*`",
        ParseErrorKind::TemplateVariable => "expected the name of a variable",
        ParseErrorKind::Unicode => "invalid Unicode escape",
        ParseErrorKind::UrlInvalidStart => "a URL begins with `http://`, `https://` or `{{`",
        ParseErrorKind::Version => "expected `HTTP`, `HTTP/1.0`, `HTTP/1.1`, `HTTP/2` or `HTTP/3`",
        ParseErrorKind::XPathExpr => "expected an XPath in quotes",
        ParseErrorKind::Xml => "this XML is not well-formed",
    };
    plain.to_owned()
}

fn json(error: &JsonErrorVariant) -> String {
    match error {
        JsonErrorVariant::MaxDepthExceeded { max_depth } => format!("this JSON nests deeper than {max_depth}"),
        JsonErrorVariant::TrailingComma => "JSON has no comma before a closing bracket".to_owned(),
        JsonErrorVariant::ExpectingElement => "expected a JSON value".to_owned(),
        JsonErrorVariant::EmptyElement => "expected a JSON value between the commas".to_owned(),
    }
}
