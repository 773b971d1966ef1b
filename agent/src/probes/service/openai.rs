//! `openai`: is a service with OpenAI's API reachable, and does it take our key? Asks for the list of models, which costs nothing. What must
//! stay true: a key goes to the host of the URL and to no other, never to the service of another company, and no answer is quoted, for some
//! repeat the key.

use super::{FACTS, HEADERS, TLS, counted, ending, json, place, refused, saturated};
use crate::limits;
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::probes::http::page::{Access, Authorization, Got, Page};
use crate::probes::net::{TlsConfig, keys};
use crate::probes::{
    Context, Detail, Fault, Key, Kind, Probe, Reason, Run, Target, clean, fields_of, parameters, place_of,
};
use crate::secret::Secret;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The row of the table.
pub(in crate::probes) static KIND: Kind = Kind {
    name: "openai",
    schemes: &["openai"],
    summary: "Lists the models of a service with OpenAI's API: reachable, and the key is taken, without spending money. The host is \
              `api.openai.com` unless written (`openai://:${OPENAI_API_KEY}@`). HTTPS is spoken, except to a host of one word or a \
              private address (`openai://ollama:11434`)",
    example: "- name: llm\n  url: openai://api.openai.com/v1\n  key: ${OPENAI_API_KEY:-}\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[Parser { name: "openai_models", read }],
    slow: true,
    build,
};

static KEYS: &[Key] = &[
    Key {
        name: "models",
        form: "list of text",
        default: "",
        doc: "Models that must be listed; fails with reason `body` when one is not.",
    },
    Key {
        name: "key",
        form: "text",
        default: "the URL's password",
        doc: "The API key. Refused when the configuration is loaded if it cannot be one, or has the form of another company's.",
    },
    HEADERS,
    TLS,
    keys::TLS_CONFIG,
];

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    models: Vec<String>,
    key: Option<Secret>,
    headers: BTreeMap<String, Secret>,
    tls: Option<bool>,
    tls_config: TlsConfig,
}

/// Companies whose keys have a form of their own: host, how a key begins, name. A longer beginning comes before a shorter one.
const KNOWN: [(&str, &str, &str); 7] = [
    ("api.anthropic.com", "sk-ant-", "Anthropic"),
    ("openrouter.ai", "sk-or-", "OpenRouter"),
    ("api.groq.com", "gsk_", "Groq"),
    ("generativelanguage.googleapis.com", "AIza", "Google"),
    ("api.x.ai", "xai-", "xAI"),
    ("api.perplexity.ai", "pplx-", "Perplexity"),
    ("api.openai.com", "sk-", "OpenAI"),
];

/// Names by which companies serve OpenAI's API whose keys begin with `sk-` as well.
const WITH_SK: [&str; 3] = ["api.deepseek.com", "api.moonshot.ai", "dashscope-intl.aliyuncs.com"];

struct OpenAi {
    page: Page,
    models: Vec<String>,
    with_key: bool,
}

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    let mut target = target.clone();
    if target.host.is_empty() {
        "api.openai.com".clone_into(&mut target.host);
    }
    if matches!(target.path.as_str(), "" | "/") {
        "/v1".clone_into(&mut target.path);
    }
    ending(&target, params.tls, own, problems)?;
    // A key may stand where a password does, or a user.
    let user = Some(std::mem::take(&mut target.user)).filter(|user| !user.is_empty());
    let of_url = target.password.take().filter(|key| !key.expose().is_empty()).or_else(|| user.map(Secret::new));
    let path = if of_url.is_some() { "url" } else { "key" };
    let at = place_of(own, path);
    if of_url.is_some() && params.key.is_some() {
        problems.add("key", at, "the key is given twice, in the URL and beside it");
        return None;
    }
    let key = params.key.filter(|key| !key.expose().is_empty()).or(of_url);
    if let Some(wrong) = key.as_ref().and_then(|key| wrong_key(key.expose(), &target.host)) {
        problems.add_with_hint(path, at, wrong.0, wrong.1);
        return None;
    }
    key.iter().for_each(|key| problems.confide(path, key.clone()));
    let secure = params.tls.unwrap_or_else(|| secure(&target));
    let with_key = key.is_some();
    let authorization = key.map(Authorization::bearer);
    let access = Access {
        scheme: target.scheme.clone(),
        headers: params.headers,
        authorization,
        tls_config: params.tls_config,
        ..Access::default()
    };
    let page = Page::new(&place(&target, secure, 80), access, own, problems)?;
    Some(Box::new(OpenAi { page, models: params.models, with_key }))
}

/// HTTPS, unless the scheme says otherwise or the host is one of this network: a key must not cross the internet in the clear because
/// somebody left out a letter.
fn secure(target: &Target) -> bool {
    match target.driver.as_str() {
        "https" | "tls" => true,
        "http" => false,
        _ => target.port == Some(443) || !is_near(&target.host),
    }
}

fn is_near(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
        Err(_) => {
            !host.contains('.') || [".internal", ".local", ".localhost", ".lan"].iter().any(|end| host.ends_with(end))
        }
    }
}

/// Why a text cannot be the key for a host, and what to do; it never shows the key.
fn wrong_key(key: &str, host: &str) -> Option<(String, &'static str)> {
    let lower = key.to_ascii_lowercase();
    let wrong = |message: &str| Some((message.to_owned(), "is the variable that holds the key set as it should be?"));
    if key.chars().any(|c| c.is_whitespace() || c.is_control()) || lower.starts_with("bearer") {
        return wrong("the key has a space or line break in it, or begins with `Bearer`");
    }
    if key.starts_with(['"', '\'', '$', '<', '{']) || !key.is_ascii() {
        return wrong("the key has quotes, brackets or a sign that no key has");
    }
    let placeholder = ["your", "xxx", "changeme", "replace", "example", "..."].iter().any(|word| lower.contains(word));
    if placeholder && key.len() < 40 {
        return wrong("the key is a placeholder");
    }
    let whose = KNOWN.iter().find(|(_, begins, _)| key.starts_with(begins))?;
    let known = KNOWN.iter().any(|(other, ..)| *other == host);
    if whose.0 == host || !known || WITH_SK.contains(&host) {
        return None;
    }
    let message = format!("the key has the form of one of {}, the host is `{host}`; it is not sent there", whose.2);
    Some((message, "use the key of that host, or write the host that this key is for"))
}

impl Probe for OpenAi {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(async move {
            let got = self.page.get_below(cx, "/models").await?;
            self.judge(cx, &got)
        })
    }
}

impl OpenAi {
    fn judge(&self, cx: &mut Context<'_>, got: &Got) -> Result<(), Fault> {
        let said = |what: &str| format!("answered status {}{}: {what}", got.status, code(&got.body));
        match got.status {
            200..=299 => got.body_fault.clone().map_or(Ok(()), Err)?,
            401 | 403 if !self.with_key => {
                return Err(Fault::new(Reason::Auth, said("it wants a key"))
                    .exactly(Detail::LoginRefused)
                    .hint("give it by `key: ${OPENAI_API_KEY}`, or as the URL's password"));
            }
            401 => {
                return Err(Fault::new(Reason::Auth, said("the key is not taken"))
                    .exactly(Detail::LoginRefused)
                    .hint("was it revoked, and is it of this service and organisation?"));
            }
            403 => {
                return Err(Fault::new(Reason::Auth, said("the key may not list models"))
                    .exactly(Detail::PermissionMissing)
                    .hint("give the key the right to read models; or is this country or network shut out?"));
            }
            429 => {
                let fault = saturated(&got.headers);
                let message = said("too many requests, or no money left");
                return Err(Fault { message, ..fault });
            }
            500..=599 => {
                return Err(Fault::new(Reason::Status, said("the service has a fault of its own"))
                    .exactly(Detail::of_status(got.status))
                    .hint("see its status page"));
            }
            _ => return Err(Fault { message: said("that is no list of models"), ..refused(got, "the API") }),
        }
        let answer = json(got, "the API")
            .map_err(|fault| Fault { message: "answered something that is no JSON".to_owned(), ..fault })?;
        let Some(models) = models(&answer) else {
            return Err(Fault::new(Reason::Body, "answered JSON that is no list of models")
                .hint("is it the base of the API, such as `/v1`?"));
        };
        cx.note("models", &counted(&models));
        let missing: Vec<_> = self.models.iter().filter(|model| !models.contains(&model.as_str())).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Fault::new(
            Reason::Body,
            format!("of the {} models listed none is `{}`", models.len(), missing.join("`, `")),
        )
        .hint("was it withdrawn, or may this key not use it?"))
    }
}

/// The names of the models listed, capped.
fn models(answer: &Value) -> Option<Vec<&str>> {
    let list = answer.get("data").unwrap_or(answer).as_array()?;
    let named = list.iter().filter_map(|model| model.get("id")?.as_str());
    Some(named.take(limits::MODELS_LISTED).collect())
}

/// The error's code, when it is one plain word: its message may repeat the key.
fn code(body: &[u8]) -> String {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let error = answer.as_ref().and_then(|answer| answer.get("error"));
    let word = ["code", "type"].into_iter().find_map(|name| error?.get(name)?.as_str());
    let plain = |word: &&str| word.len() <= 40 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    word.filter(plain).map_or(String::new(), |word| format!(" ({})", clean(word)))
}

fn read(bytes: &[u8]) {
    let _code = code(bytes);
    let answer: Option<Value> = serde_json::from_slice(bytes).ok();
    let _count = answer.as_ref().and_then(models).map(|models| counted(&models));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_word_of_an_error_is_repeated() {
        for (body, expected) in [
            (r#"{"error": {"code": "invalid_api_key"}}"#, " (invalid_api_key)"),
            (r#"{"error": {"code": null, "type": "tokens"}}"#, " (tokens)"),
            (r#"{"error": {"code": "sk-CANARY"}}"#, ""),
            (r#"{"error": {"code": "the_key_is canary"}}"#, ""),
            ("<html>", ""),
        ] {
            assert_eq!(code(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn a_key_crosses_no_internet_in_the_clear() {
        for (url, expected) in [
            ("openai://api.example.com/v1", true),
            ("openai://8.8.8.8:8000", true),
            ("openai://vllm:8000", false),
            ("openai://10.0.0.7:8000", false),
            ("openai://models.internal:8000", false),
            ("openai://vllm:443", true),
            ("openai+http://api.example.com", false),
            ("openai+https://vllm:8000", true),
        ] {
            assert_eq!(secure(&Target::parse(url).unwrap()), expected, "{url}");
        }
    }
}
