//! Predicates and what they compare with.

use super::{Compiler, span, text};
use crate::journey::number::Number;
use crate::journey::pattern::Pattern;
use crate::journey::predicate::{Expected, Predicate, Test, forms, kinds};
use crate::journey::value::Value;
use hurl_core::ast::{self, PredicateFuncValue, PredicateValue};
use std::sync::Arc;

impl Compiler {
    pub(super) fn predicate(&mut self, predicate: &ast::Predicate) -> Option<Predicate> {
        let at = span(predicate.predicate_func.source_info);
        let test = self.test(&predicate.predicate_func.value)?;
        Some(Predicate { span: at, negated: predicate.not, test })
    }

    fn test(&mut self, test: &PredicateFuncValue) -> Option<Test> {
        use PredicateFuncValue as Func;
        Some(match test {
            Func::Equal { value, .. } => Test::Equal(self.expected(value)?),
            Func::NotEqual { value, .. } => Test::NotEqual(self.expected(value)?),
            Func::GreaterThan { value, .. } => {
                Test::Order("greater than", |order| order.is_gt(), self.expected(value)?)
            }
            Func::GreaterThanOrEqual { value, .. } => {
                Test::Order("at least", |order| order.is_ge(), self.expected(value)?)
            }
            Func::LessThan { value, .. } => Test::Order("less than", |order| order.is_lt(), self.expected(value)?),
            Func::LessThanOrEqual { value, .. } => Test::Order("at most", |order| order.is_le(), self.expected(value)?),
            Func::StartWith { value, .. } => Test::StartsWith(self.expected(value)?),
            Func::EndWith { value, .. } => Test::EndsWith(self.expected(value)?),
            Func::Contain { value, .. } => Test::Contains(self.expected(value)?),
            Func::Include { value, .. } => Test::Includes(self.expected(value)?),
            Func::Match { value, .. } => Test::Matches(self.matched(value)?),
            Func::Exist => Test::Exists,
            Func::IsBoolean => Test::IsKind("a boolean", kinds::boolean),
            Func::IsCollection => Test::IsKind("a list, object or bytes", kinds::collection),
            Func::IsDate => Test::IsKind("a date", kinds::date),
            Func::IsEmpty => Test::IsEmpty,
            Func::IsFloat => Test::IsKind("a float", kinds::float),
            Func::IsInteger => Test::IsKind("an integer", kinds::integer),
            Func::IsIpv4 => Test::HasForm("a string with an IPv4 address", forms::ipv4),
            Func::IsIpv6 => Test::HasForm("a string with an IPv6 address", forms::ipv6),
            Func::IsIsoDate => Test::HasForm("a string with an ISO date and time", forms::iso_date),
            Func::IsList => Test::IsKind("a list or bytes", kinds::list),
            Func::IsNumber => Test::IsKind("a number", kinds::number),
            Func::IsObject => Test::IsKind("an object", kinds::object),
            Func::IsString => Test::IsKind("a string", kinds::string),
            Func::IsUuid => Test::HasForm("a string with a UUID", forms::uuid),
        })
    }

    fn expected(&mut self, value: &PredicateValue) -> Option<Expected> {
        Some(match value {
            PredicateValue::Base64(base64) => Expected::Constant(Value::Bytes(base64.value.clone().into())),
            PredicateValue::Bool(flag) => Expected::Constant(Value::Bool(*flag)),
            PredicateValue::File(file) => match self.file(&file.filename)? {
                Some(bytes) => Expected::Constant(Value::Bytes(bytes)),
                None => Expected::File(text::template(&file.filename)),
            },
            PredicateValue::Hex(hex) => Expected::Constant(Value::Bytes(hex.value.clone().into())),
            PredicateValue::MultilineString(multiline) => Expected::Text(super::body::multiline(multiline)),
            PredicateValue::Null => Expected::Constant(Value::Null),
            PredicateValue::Number(number_) => Expected::Constant(Value::Number(number(number_))),
            PredicateValue::Placeholder(placeholder) => Expected::Expression(text::expression(&placeholder.expr)),
            PredicateValue::Regex(regex) => Expected::Constant(Value::Regex(Arc::new(regex.inner.clone()))),
            PredicateValue::String(string) => {
                let template = text::template(string);
                match template.constant() {
                    Some(constant) => Expected::Constant(Value::text(constant)),
                    None => Expected::Template(template),
                }
            }
        })
    }

    fn matched(&mut self, value: &PredicateValue) -> Option<Pattern> {
        match value {
            PredicateValue::String(string) => self.pattern_of(string),
            PredicateValue::Regex(regex) => Some(Pattern::Constant(Arc::new(regex.inner.clone()))),
            // The parser lets nothing else through.
            PredicateValue::Base64(_)
            | PredicateValue::Bool(_)
            | PredicateValue::File(_)
            | PredicateValue::Hex(_)
            | PredicateValue::MultilineString(_)
            | PredicateValue::Null
            | PredicateValue::Number(_)
            | PredicateValue::Placeholder(_) => None,
        }
    }
}

pub(super) fn number(number: &ast::Number) -> Number {
    match number {
        ast::Number::Float(float) => Number::Float(float.as_f64()),
        ast::Number::Integer(integer) => Number::Integer(integer.as_i64()),
        ast::Number::BigInteger(text) => Number::Big(text.clone()),
    }
}
