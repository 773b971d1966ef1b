//! The `[Options]` of a request.

use super::{Compiler, predicate, span, text};
use crate::http::{Family, Protocol};
use crate::journey::options::{Count, Flag, Setting, VariableValue, Wait, frames_the_body};
use crate::journey::source::Span;
use crate::journey::value::Value;
use hurl_core::ast::{self, BooleanOption, CountOption, DurationOption, OptionKind};
use hurl_core::types;
use std::time::Duration;

const AUTH: &str = "use `user`, `[BasicAuth]` or an `Authorization` header";
const NETRC: &str = "give user and password with `user` or `[BasicAuth]`, from variables";
const TLS: &str = "TLS 1.2 and 1.3 are spoken, whichever the server chooses";

impl Compiler {
    pub(super) fn options(&mut self, request: &ast::Request) -> Option<Vec<Setting>> {
        let settings: Vec<Option<Setting>> = request.options().iter().map(|option| self.option(option)).collect();
        settings.into_iter().collect()
    }

    fn option(&mut self, option: &ast::EntryOption) -> Option<Setting> {
        let place = span(option.space0.source_info);
        let name = option.kind.identifier();
        let width = u32::try_from(name.len()).unwrap_or(0);
        let column = span(ast::SourceInfo::new(option.space0.source_info.end, option.space0.source_info.end)).column;
        let at = Span { column, end_column: column + width, ..place };
        Some(match &option.kind {
            OptionKind::AwsSigV4(_) => return self.no_option(at, name, AUTH),
            OptionKind::CaCertificate(file) => Setting::CaCert(text::template(file)),
            OptionKind::ClientCert(file) => Setting::Cert(text::template(file)),
            OptionKind::ClientKey(file) => Setting::Key(text::template(file)),
            OptionKind::Compressed(value) => Setting::Compressed(flag(value)),
            OptionKind::ConnectTo(value) => Setting::ConnectTo(text::template(value)),
            OptionKind::ConnectTimeout(value) => Setting::ConnectTimeout(wait(value)),
            OptionKind::Delay(value) => Setting::Delay(wait(value)),
            OptionKind::Digest(value) => return self.unless_off(at, name, value, AUTH),
            OptionKind::FailWithBody(value) => Setting::NoEffect(flag(value)),
            OptionKind::FollowLocation(value) => Setting::Follow(flag(value)),
            OptionKind::FollowLocationTrusted(value) => Setting::FollowTrusted(flag(value)),
            OptionKind::Header(value) => Setting::Header(text::template(value)),
            OptionKind::Http10(value) => Setting::Speak(flag(value), Protocol::Http10, None),
            OptionKind::Http11(value) => Setting::Speak(flag(value), Protocol::Http11, Some(Protocol::Http10)),
            OptionKind::Http2(value) => Setting::Speak(flag(value), Protocol::Http2, Some(Protocol::Http11)),
            OptionKind::Http2PriorKnowledge(value) => {
                Setting::Speak(flag(value), Protocol::Http2Known, Some(Protocol::Http11))
            }
            OptionKind::Http3(value) => return self.not_http3(at, value),
            OptionKind::Insecure(value) => Setting::Insecure(flag(value)),
            OptionKind::IpV4(value) => Setting::Family(flag(value), Family::V4),
            OptionKind::IpV6(value) => Setting::Family(flag(value), Family::V6),
            OptionKind::LimitRate(_) => {
                return self.no_option(at, name, "a load test measures how fast the server is, unhindered");
            }
            OptionKind::MaxRedirect(value) => Setting::MaxRedirects(count(value)),
            OptionKind::MaxTime(value) => Setting::MaxTime(wait(value)),
            OptionKind::Negotiate(value) | OptionKind::Ntlm(value) => return self.unless_off(at, name, value, AUTH),
            OptionKind::NetRc(value) | OptionKind::NetRcOptional(value) => {
                return self.unless_off(at, name, value, NETRC);
            }
            OptionKind::NetRcFile(_) => return self.no_option(at, name, NETRC),
            OptionKind::NoHeader(value) => return self.no_header(at, value),
            OptionKind::NoJsonpathCoercion(value) => Setting::NoCoercion(flag(value)),
            OptionKind::Output(_) => {
                return self.no_option(at, name, "a load test writes no bodies to disk; use `hurl --output` by hand");
            }
            OptionKind::PathAsIs(value) => {
                return self.unless_off(at, name, value, "write the path as the server should see it");
            }
            OptionKind::PinnedPublicKey(_) => {
                return self.no_option(at, name, "trust a certificate with `cacert`, or compare `certificate` fields");
            }
            OptionKind::Proxy(_) => return self.no_option(at, name, "load goes straight to its target"),
            OptionKind::Repeat(value) => return self.repeat(at, value),
            OptionKind::Resolve(value) => Setting::Resolve(text::template(value)),
            OptionKind::Retry(value) => Setting::Retry(count(value)),
            OptionKind::RetryInterval(value) => Setting::RetryInterval(wait(value)),
            OptionKind::Skip(value) => Setting::Skip(flag(value)),
            OptionKind::TlsMax(_) | OptionKind::TlsMin(_) => return self.no_option(at, name, TLS),
            OptionKind::UnixSocket(_) => return self.no_option(at, name, "let the server listen on a port"),
            OptionKind::User(value) => Setting::User(text::template(value)),
            OptionKind::Variable(variable) => Setting::Variable(variable.name.clone(), value(&variable.value)),
            // Under load there is nobody to read it.
            OptionKind::Verbose(value) | OptionKind::VeryVerbose(value) => Setting::NoEffect(flag(value)),
            OptionKind::Verbosity(_) => Setting::NoEffect(Flag::Constant(true)),
        })
    }

    /// An option that is not supported may still be switched off.
    fn unless_off(&mut self, at: Span, name: &str, value: &BooleanOption, hint: &str) -> Option<Setting> {
        match value {
            BooleanOption::Literal(false) => Some(Setting::NoEffect(Flag::Constant(false))),
            BooleanOption::Literal(true) | BooleanOption::Placeholder(_) => self.no_option(at, name, hint),
        }
    }

    /// Switched off it asks for the version below, as in Hurl.
    fn not_http3(&mut self, at: Span, value: &BooleanOption) -> Option<Setting> {
        match value {
            BooleanOption::Literal(false) => Some(Setting::Speak(Flag::Constant(true), Protocol::Http2, None)),
            BooleanOption::Literal(true) | BooleanOption::Placeholder(_) => self.no_http(at, "http3"),
        }
    }

    fn no_header(&mut self, at: Span, value: &ast::Template) -> Option<Setting> {
        let name = text::template(value);
        match name.constant().filter(|name| frames_the_body(name)) {
            Some(framing) => {
                let hint = "the server could not tell where the body ends; it is sent only with a body";
                self.refuse(at, format!("`no-header: {framing}` is not supported"), hint)
            }
            None => Some(Setting::NoHeader(name)),
        }
    }

    fn repeat(&mut self, at: Span, value: &CountOption) -> Option<Setting> {
        match value {
            CountOption::Literal(types::Count::Infinite) => {
                let hint = "the run's length is set by `--run-time` or `--requests`";
                self.refuse(at, "`repeat: -1` never ends", hint)
            }
            CountOption::Literal(types::Count::Finite(_)) | CountOption::Placeholder(_) => {
                Some(Setting::Repeat(count(value)))
            }
        }
    }
}

fn flag(value: &BooleanOption) -> Flag {
    match value {
        BooleanOption::Literal(flag) => Flag::Constant(*flag),
        BooleanOption::Placeholder(placeholder) => Flag::Expression(text::expression(&placeholder.expr)),
    }
}

/// Milliseconds where no unit is written.
fn wait(value: &DurationOption) -> Wait {
    let literal = match value {
        DurationOption::Literal(literal) => literal,
        DurationOption::Placeholder(placeholder) => return Wait::Expression(text::expression(&placeholder.expr)),
    };
    let number = literal.value.as_u64();
    Wait::Constant(match literal.unit {
        None | Some(types::DurationUnit::MilliSecond) => Duration::from_millis(number),
        Some(types::DurationUnit::Second) => Duration::from_secs(number),
        Some(types::DurationUnit::Minute) => Duration::from_secs(number.saturating_mul(60)),
        Some(types::DurationUnit::Hour) => Duration::from_secs(number.saturating_mul(3600)),
    })
}

fn count(value: &CountOption) -> Count {
    match value {
        CountOption::Literal(types::Count::Finite(count)) => Count::Constant(Some(*count)),
        CountOption::Literal(types::Count::Infinite) => Count::Constant(None),
        CountOption::Placeholder(placeholder) => Count::Expression(text::expression(&placeholder.expr)),
    }
}

fn value(value: &ast::VariableValue) -> VariableValue {
    match value {
        ast::VariableValue::Null => VariableValue::Constant(Value::Null),
        ast::VariableValue::Bool(flag) => VariableValue::Constant(Value::Bool(*flag)),
        ast::VariableValue::Number(number) => VariableValue::Constant(Value::Number(predicate::number(number))),
        ast::VariableValue::String(template) => VariableValue::Template(text::template(template)),
    }
}
