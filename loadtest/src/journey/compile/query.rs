//! Queries.

use super::{Compiler, span, text};
use crate::journey::certificate::Field;
use crate::journey::query::{Probe, Query};
use crate::journey::set_cookie::Attribute;
use hurl_core::ast::{self, QueryValue};

impl Compiler {
    pub(super) fn probe(&mut self, query: &ast::Query, filters: &[(ast::Whitespace, ast::Filter)]) -> Option<Probe> {
        let compiled = self.query(query);
        let filters: Vec<_> = filters.iter().map(|(_, filter)| self.filter(filter)).collect();
        let filters = filters.into_iter().collect::<Option<_>>();
        Some(Probe { span: span(query.source_info), query: compiled?, filters: filters? })
    }

    fn query(&mut self, query: &ast::Query) -> Option<Query> {
        Some(match &query.value {
            QueryValue::Status => Query::Status,
            QueryValue::Version => Query::Version,
            QueryValue::Url => Query::Url,
            QueryValue::Header { name, .. } => Query::Header(text::template(name)),
            QueryValue::Cookie { expr, .. } => {
                Query::Cookie(text::template(&expr.name), attribute(expr.attribute.as_ref()))
            }
            QueryValue::Body => Query::Body,
            QueryValue::Xpath { .. } => return self.no_xpath(span(query.source_info), "query"),
            QueryValue::Jsonpath { expr, .. } => Query::JsonPath(self.json_path(expr)?),
            QueryValue::Regex { value, .. } => Query::Regex(self.pattern(value)?),
            QueryValue::Variable { name, .. } => Query::Variable(text::template(name)),
            QueryValue::Duration => Query::Duration,
            QueryValue::Bytes => Query::Bytes,
            QueryValue::RawBytes => Query::RawBytes,
            QueryValue::Sha256 => Query::Sha256,
            QueryValue::Md5 => Query::Md5,
            QueryValue::Certificate { attribute_name, .. } => Query::Certificate(field(*attribute_name)),
            QueryValue::Ip => Query::Ip,
            QueryValue::Redirects => Query::Redirects,
        })
    }
}

const fn attribute(attribute: Option<&ast::CookieAttribute>) -> Attribute {
    use ast::CookieAttributeName as Name;
    let Some(attribute) = attribute else { return Attribute::Value };
    match attribute.name {
        Name::Value(_) => Attribute::Value,
        Name::Expires(_) => Attribute::Expires,
        Name::MaxAge(_) => Attribute::MaxAge,
        Name::Domain(_) => Attribute::Domain,
        Name::Path(_) => Attribute::Path,
        Name::Secure(_) => Attribute::Secure,
        Name::HttpOnly(_) => Attribute::HttpOnly,
        Name::SameSite(_) => Attribute::SameSite,
    }
}

const fn field(name: ast::CertificateAttributeName) -> Field {
    use ast::CertificateAttributeName as Name;
    match name {
        Name::Subject => Field::Subject,
        Name::Issuer => Field::Issuer,
        Name::StartDate => Field::StartDate,
        Name::ExpireDate => Field::ExpireDate,
        Name::SerialNumber => Field::SerialNumber,
        Name::SubjectAltName => Field::SubjectAltName,
        Name::Value => Field::Value,
    }
}
