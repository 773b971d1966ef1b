//! Bodies, of requests and of responses.

use super::{Compiler, span, text};
use crate::journey::bodies::{self, Body, Json, JsonPart, Kind, Text};
use crate::journey::source::Span;
use crate::journey::template::Template;
use bytes::Bytes;
use hurl_core::ast::{self, JsonValue, MultilineStringKind};
use hurl_core::types::ToSource;
use std::path::Path;

impl Compiler {
    /// The body, and the content type that its form implies.
    pub(super) fn body(&mut self, body: &ast::Body) -> Option<(Body, Option<&'static str>)> {
        let (kind, content_type) = match &body.value {
            ast::Bytes::Json(value) => (Kind::Text(json(value, true)), Some("application/json")),
            ast::Bytes::Xml(xml) => (Kind::Text(Text::Constant(xml.clone().into())), Some("application/xml")),
            ast::Bytes::MultilineString(value) => (Kind::Text(multiline(value)), implied(value)),
            ast::Bytes::OnelineString(value) => (Kind::Text(plain(text::template(value))), None),
            ast::Bytes::Base64(base64) => (Kind::Bytes(base64.value.clone().into()), None),
            ast::Bytes::Hex(hex) => (Kind::Bytes(hex.value.clone().into()), None),
            ast::Bytes::File(file) => match self.file(&file.filename)? {
                Some(bytes) => (Kind::Bytes(bytes), None),
                None => (Kind::File(text::template(&file.filename)), None),
            },
        };
        let place = body.space0.source_info.end;
        let start = span(ast::SourceInfo::new(place, place));
        Some((Body { span: Span { end_column: start.column + 1, ..start }, kind }, content_type))
    }

    /// A file with a constant name is read now, once for all; the inner `None` leaves it to the run.
    #[expect(clippy::option_option, reason = "refused, or left for later, or read: three different answers")]
    pub(super) fn file(&mut self, name: &ast::Template) -> Option<Option<Bytes>> {
        let template = text::template(name);
        let Some(path) = template.constant() else { return Some(None) };
        match bodies::read(&self.source.root, Path::new(path)) {
            Ok(bytes) => Some(Some(bytes)),
            Err(reason) => {
                let hint = format!("files are sought in `{}`", self.source.root.display());
                self.refuse(template.span, format!("cannot read `{path}`: {reason}"), hint)
            }
        }
    }
}

const fn implied(multiline: &ast::MultilineString) -> Option<&'static str> {
    match multiline.kind {
        MultilineStringKind::Json(_) | MultilineStringKind::GraphQl(_) => Some("application/json"),
        MultilineStringKind::Xml(_) => Some("application/xml"),
        MultilineStringKind::Text(_) | MultilineStringKind::Raw(_) => None,
    }
}

pub(super) fn multiline(multiline: &ast::MultilineString) -> Text {
    match &multiline.kind {
        MultilineStringKind::Text(value) | MultilineStringKind::Json(value) | MultilineStringKind::Xml(value) => {
            plain(text::template(value))
        }
        MultilineStringKind::Raw(value) => Text::Constant(value.to_source().to_string().into()),
        MultilineStringKind::GraphQl(graphql) => {
            let variables = graphql.variables.as_ref().map(|variables| flat(&variables.value, false));
            Text::GraphQl(text::template(&graphql.value), variables)
        }
    }
}

fn plain(template: Template) -> Text {
    match template.constant() {
        Some(constant) => Text::Constant(constant.to_owned().into()),
        None => Text::Template(template),
    }
}

fn json(value: &JsonValue, spaced: bool) -> Text {
    let json = flat(value, spaced);
    match json.0.as_slice() {
        [JsonPart::Text(text)] => Text::Constant(text.clone().into()),
        _ => Text::Json(json),
    }
}

fn flat(value: &JsonValue, spaced: bool) -> Json {
    let mut json = Json::default();
    write(value, spaced, &mut json);
    json
}

impl Json {
    fn text(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(JsonPart::Text(last)) => last.push_str(text),
            _ => self.0.push(JsonPart::Text(text.to_owned())),
        }
    }

    fn space(&mut self, spaced: bool, space: &str) {
        if spaced {
            self.text(space);
        }
    }

    /// A string in quotes, its escapes as written.
    fn string(&mut self, template: &ast::Template) {
        self.text("\"");
        for element in &template.elements {
            match element {
                ast::TemplateElement::String { source, .. } => self.text(source.as_str()),
                ast::TemplateElement::Placeholder(placeholder) => {
                    self.0.push(JsonPart::Quoted(text::expression(&placeholder.expr)));
                }
            }
        }
        self.text("\"");
    }
}

fn write(value: &JsonValue, spaced: bool, out: &mut Json) {
    match value {
        JsonValue::Placeholder(placeholder) => out.0.push(JsonPart::Bare(text::expression(&placeholder.expr))),
        JsonValue::Number(number) => out.text(number),
        JsonValue::String(template) => out.string(template),
        JsonValue::Boolean(flag) => out.text(if *flag { "true" } else { "false" }),
        JsonValue::Null => out.text("null"),
        JsonValue::List { space0, elements } => {
            out.text("[");
            out.space(spaced, space0);
            for (index, element) in elements.iter().enumerate() {
                out.text(if index == 0 { "" } else { "," });
                out.space(spaced, &element.space0);
                write(&element.value, spaced, out);
                out.space(spaced, &element.space1);
            }
            out.text("]");
        }
        JsonValue::Object { space0, elements } => {
            out.text("{");
            out.space(spaced, space0);
            for (index, element) in elements.iter().enumerate() {
                out.text(if index == 0 { "" } else { "," });
                out.space(spaced, &element.space0);
                out.string(&element.name);
                out.space(spaced, &element.space1);
                out.text(":");
                out.space(spaced, &element.space2);
                write(&element.value, spaced, out);
                out.space(spaced, &element.space3);
            }
            out.text("}");
        }
    }
}
