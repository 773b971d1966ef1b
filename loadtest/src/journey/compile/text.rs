//! Templates and expressions.

use super::{Compiler, span};
use crate::journey::jsonpath::Path;
use crate::journey::pattern::{PathSource, Pattern};
use crate::journey::template::{Expression, ExpressionKind, Part, Template};
use hurl_core::ast;
use std::sync::Arc;

pub(super) fn template(template: &ast::Template) -> Template {
    let mut parts: Vec<Part> = vec![];
    for element in &template.elements {
        match (element, parts.last_mut()) {
            (ast::TemplateElement::String { value, .. }, Some(Part::Text(text))) => text.push_str(value),
            (ast::TemplateElement::String { value, .. }, _) => parts.push(Part::Text(value.clone())),
            (ast::TemplateElement::Placeholder(placeholder), _) => {
                parts.push(Part::Expression(expression(&placeholder.expr)));
            }
        }
    }
    Template { span: span(template.source_info), parts }
}

pub(super) fn expression(expression: &ast::Expr) -> Expression {
    let kind = match &expression.kind {
        ast::ExprKind::Variable(variable) => ExpressionKind::Variable(variable.name.clone()),
        ast::ExprKind::Function(ast::Function::NewDate) => ExpressionKind::NewDate,
        ast::ExprKind::Function(ast::Function::NewUuid) => ExpressionKind::NewUuid,
    };
    Expression { span: span(expression.source_info), kind }
}

impl Compiler {
    pub(super) fn pattern(&mut self, value: &ast::RegexValue) -> Option<Pattern> {
        match value {
            ast::RegexValue::Template(text) => self.pattern_of(text),
            ast::RegexValue::Regex(regex) => Some(Pattern::Constant(Arc::new(regex.inner.clone()))),
        }
    }

    /// A constant one that is wrong is found now, before any request; Hurl finds it when it gets there.
    pub(super) fn pattern_of(&mut self, text: &ast::Template) -> Option<Pattern> {
        let template = template(text);
        let Some(constant) = template.constant() else { return Some(Pattern::Template(template)) };
        match regex::Regex::new(constant) {
            Ok(regex) => Some(Pattern::Constant(Arc::new(regex))),
            Err(error) => {
                let reason = error.to_string().lines().last().unwrap_or_default().replace("error: ", "");
                self.refuse(template.span, format!("`{constant}` is not a valid regular expression"), reason)
            }
        }
    }

    pub(super) fn json_path(&mut self, text: &ast::Template) -> Option<PathSource> {
        let template = template(text);
        let Some(constant) = template.constant() else { return Some(PathSource::Template(template)) };
        match Path::parse(constant) {
            Ok(path) => Some(PathSource::Constant(path)),
            Err(bad) => {
                let hint = format!("expected {} at its character {}", bad.expected, bad.column);
                self.refuse(template.span, format!("`{constant}` is not a valid JSONPath"), hint)
            }
        }
    }
}
