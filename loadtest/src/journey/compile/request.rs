//! Requests.

use super::{Compiler, span, text};
use crate::journey::entry::{Content, Pair, Part, PartContent, RequestSpec};
use crate::journey::request::parse_url;
use hurl_core::ast::{self, SectionValue};

#[derive(Default)]
struct Sections {
    query: Vec<Pair>,
    cookies: Vec<Pair>,
    basic_auth: Option<Pair>,
    contents: Vec<Content>,
}

impl Compiler {
    pub(super) fn request(&mut self, request: &ast::Request) -> Option<RequestSpec> {
        let mut sections = Sections::default();
        for section in &request.sections {
            self.request_section(section, &mut sections)?;
        }
        if let Some(body) = &request.body {
            let (body, content_type) = self.body(body)?;
            sections.contents.push(Content::Body(body, content_type));
        }
        let method = self.method(request)?;
        let url = text::template(&request.url);
        if let Some(Err(reason)) = url.constant().map(parse_url) {
            return self.refuse(
                url.span,
                format!("the URL {reason}"),
                "give the host as a variable: `GET {{host}}/path`",
            );
        }
        if sections.contents.len() > 1 {
            return self.refuse(url.span, "the request has more than one body", "keep the form or the body");
        }
        Some(RequestSpec {
            method,
            url,
            constant_url: None,
            first_url: std::sync::OnceLock::new(),
            constant_headers: None,
            headers: request.headers.iter().map(pair).collect(),
            query: sections.query,
            cookies: sections.cookies,
            basic_auth: sections.basic_auth,
            content: sections.contents.pop().unwrap_or(Content::Nothing),
        })
    }

    fn method(&mut self, request: &ast::Request) -> Option<http::Method> {
        let method = request.method.to_string();
        let parsed = http::Method::from_bytes(method.as_bytes()).ok();
        match parsed.filter(|method| *method != http::Method::CONNECT) {
            Some(method) => Some(method),
            None => {
                let at = span(request.url.source_info);
                self.refuse(at, format!("the method `{method}` is not supported"), "use one that a server answers")
            }
        }
    }

    fn request_section(&mut self, section: &ast::Section, out: &mut Sections) -> Option<()> {
        match &section.value {
            SectionValue::QueryParams(pairs, _) => out.query = pairs.iter().map(pair).collect(),
            SectionValue::BasicAuth(user) => out.basic_auth = user.as_ref().map(pair),
            SectionValue::FormParams(pairs, _) if pairs.is_empty() => {}
            SectionValue::FormParams(pairs, _) => out.contents.push(Content::Form(pairs.iter().map(pair).collect())),
            SectionValue::MultipartFormData(parts, _) if parts.is_empty() => {}
            SectionValue::MultipartFormData(parts, _) => {
                let parts: Vec<_> = parts.iter().map(|part| self.part(part)).collect();
                out.contents.push(Content::Multipart(parts.into_iter().collect::<Option<_>>()?));
            }
            SectionValue::Cookies(cookies) => out.cookies = cookies.iter().map(cookie).collect(),
            // Compiled apart: they are worked out before the request.
            SectionValue::Options(_) => {}
            // The parser lets these stand below a response only.
            SectionValue::Captures(_) | SectionValue::Asserts(_) => {}
        }
        Some(())
    }

    fn part(&mut self, part: &ast::MultipartParam) -> Option<Part> {
        match part {
            ast::MultipartParam::Param(value) => Some(Part {
                name: text::template(&value.key),
                content: PartContent::Text(text::template(&value.value)),
            }),
            ast::MultipartParam::FilenameParam(file) => {
                let bytes = self.file(&file.value.filename)?;
                let content_type = file.value.content_type.as_ref().map(text::template);
                let name = text::template(&file.value.filename);
                Some(Part { name: text::template(&file.key), content: PartContent::File { name, content_type, bytes } })
            }
        }
    }
}

pub(super) fn pair(pair: &ast::KeyValue) -> Pair {
    Pair { name: text::template(&pair.key), value: text::template(&pair.value) }
}

fn cookie(cookie: &ast::Cookie) -> Pair {
    Pair { name: text::template(&cookie.name), value: text::template(&cookie.value) }
}
