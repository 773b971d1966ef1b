//! Filters.

use super::{Compiler, span, text};
use crate::journey::filter::{Filter, Index, Kind};
use hurl_core::ast::{self, FilterValue};

impl Compiler {
    pub(super) fn filter(&mut self, filter: &ast::Filter) -> Option<Filter> {
        let at = span(filter.source_info);
        let kind = match &filter.value {
            FilterValue::Base64Decode => Kind::Base64Decode,
            FilterValue::Base64Encode => Kind::Base64Encode,
            FilterValue::Base64UrlSafeDecode => Kind::Base64UrlSafeDecode,
            FilterValue::Base64UrlSafeEncode => Kind::Base64UrlSafeEncode,
            FilterValue::CharsetDecode { encoding, .. } => {
                Kind::CharsetDecode("charsetDecode", text::template(encoding))
            }
            FilterValue::Decode { encoding, .. } => Kind::CharsetDecode("decode", text::template(encoding)),
            FilterValue::Count => Kind::Count,
            FilterValue::DateFormat { fmt, .. } => Kind::DateFormat("dateFormat", text::template(fmt)),
            FilterValue::Format { fmt, .. } => Kind::DateFormat("format", text::template(fmt)),
            FilterValue::DaysAfterNow => Kind::DaysAfterNow,
            FilterValue::DaysBeforeNow => Kind::DaysBeforeNow,
            FilterValue::First => Kind::First,
            FilterValue::HtmlEscape => Kind::HtmlEscape,
            FilterValue::HtmlUnescape => Kind::HtmlUnescape,
            FilterValue::JsonPath { expr, .. } => Kind::JsonPath(self.json_path(expr)?),
            FilterValue::Last => Kind::Last,
            FilterValue::Location => Kind::Location,
            FilterValue::Nth { n, .. } => Kind::Nth(index(n)),
            FilterValue::Regex { value, .. } => Kind::Regex(self.pattern(value)?),
            FilterValue::Replace { old_value, new_value, .. } => {
                Kind::Replace(text::template(old_value), text::template(new_value))
            }
            FilterValue::ReplaceRegex { pattern, new_value, .. } => {
                Kind::ReplaceRegex(self.pattern(pattern)?, text::template(new_value))
            }
            FilterValue::Split { sep, .. } => Kind::Split(text::template(sep)),
            FilterValue::ToDate { fmt, .. } => Kind::ToDate(text::template(fmt)),
            FilterValue::ToFloat => Kind::ToFloat,
            FilterValue::ToHex => Kind::ToHex,
            FilterValue::ToInt => Kind::ToInt,
            FilterValue::ToString => Kind::ToString,
            FilterValue::UrlDecode => Kind::UrlDecode,
            FilterValue::UrlEncode => Kind::UrlEncode,
            FilterValue::UrlQueryParam { param, .. } => Kind::UrlQueryParam(text::template(param)),
            FilterValue::Utf8Decode => Kind::Utf8Decode,
            FilterValue::Utf8Encode => Kind::Utf8Encode,
            FilterValue::XPath { .. } => return self.no_xpath(at, "filter"),
        };
        Some(Filter { span: at, kind })
    }
}

fn index(index: &ast::IntegerValue) -> Index {
    match index {
        ast::IntegerValue::Literal(number) => Index::Constant(number.as_i64()),
        ast::IntegerValue::Placeholder(placeholder) => Index::Expression(text::expression(&placeholder.expr)),
    }
}
