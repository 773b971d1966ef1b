//! `mcp`: opens a session with a server of the Model Context Protocol over streamable HTTP, as an assistant would, and lists its tools. It
//! calls none of them. What must stay true: an answer may come as JSON or in a stream of events, which may have no end; reading ends with the
//! answer.

mod events;
mod message;

use super::{FACTS, HEADERS, Key, TLS, counted, ending, place, refused, said};
use crate::limits;
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::probes::http::page::{Access, Authorization, Got, Page, Question, begin};
use crate::probes::net::{TlsConfig, keys};
use crate::probes::{Context, Detail, Fault, Kind, Probe, Reason, Run, Target, fields_of, parameters, place_of};
use crate::secret::Secret;
use bytes::Bytes;
use events::Events;
use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use message::{KNOWN, VERSION, answer, fits, initialize, message, result, tools};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use tokio::time::timeout;

/// The row of the table.
pub(in crate::probes) static KIND: Kind = Kind {
    name: "mcp",
    schemes: &["mcp"],
    summary: "Opens a session with an MCP server over streamable HTTP and lists its tools, without calling any: `initialize`, \
              `notifications/initialized`, `tools/list`, and the session's end. The path is `/mcp` unless written, `mcp+https://` is HTTPS",
    example: "- name: tools\n  url: mcp://tools:8000/mcp\n  tools: [search]\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[Parser { name: "mcp_messages", read: message::read }],
    slow: false,
    build,
};

static KEYS: &[Key] = &[
    Key { name: "token", form: "text", default: "", doc: "Sent as `Authorization: Bearer TOKEN`." },
    Key {
        name: "tools",
        form: "list of text",
        default: "",
        doc: "Tools that must be listed; fails with reason `body` when one is not.",
    },
    HEADERS,
    TLS,
    keys::TLS_CONFIG,
];

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    token: Option<Secret>,
    tools: Vec<String>,
    headers: BTreeMap<String, Secret>,
    tls: Option<bool>,
    tls_config: TlsConfig,
}

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const PROTOCOL: HeaderName = HeaderName::from_static("mcp-protocol-version");

struct Mcp {
    page: Page,
    tools: Vec<String>,
}

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    let mut target = target.clone();
    if matches!(target.path.as_str(), "" | "/") {
        "/mcp".clone_into(&mut target.path);
    }
    if params.token.is_some() && (target.password.is_some() || !target.user.is_empty()) {
        problems.add("token", place_of(own, "token"), "credentials are given twice, in the URL and by `token`");
        return None;
    }
    ending(&target, params.tls, own, problems)?;
    let authorization = params.token.map(Authorization::bearer);
    let secure = said(&target, params.tls);
    let access = Access {
        scheme: target.scheme.clone(),
        headers: params.headers,
        authorization,
        tls_config: params.tls_config,
        ..Access::default()
    };
    let mut place = place(&target, secure, 80);
    place.query = others(&target);
    let page = Page::new(&place, access, own, problems)?;
    Some(Box::new(Mcp { page, tools: params.tools }))
}

/// What of the query is the server's.
fn others(target: &Target) -> Option<String> {
    let ours = |pair: &&str| fields_of::<Params>().contains(&pair.split('=').next().unwrap_or_default());
    let kept: Vec<&str> = target.query.as_ref()?.split('&').filter(|pair| !ours(pair)).collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

impl Probe for Mcp {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(async move {
            let mut session = HeaderMap::new();
            let ended = self.look(cx, &mut session).await;
            if session.contains_key(SESSION) {
                let goodbye = Question { method: Method::DELETE, headers: session, ..Question::default() };
                // A server need not take it; the verdict stands.
                let mut aside = Context::new(cx.net, cx.deadline, cx.depth);
                drop(timeout(limits::MCP_GOODBYE.min(cx.left() / 2), self.page.ask(&mut aside, goodbye)).await);
            }
            ended
        })
    }
}

impl Mcp {
    async fn look(&self, cx: &mut Context<'_>, session: &mut HeaderMap) -> Result<(), Fault> {
        let hello = self.request(cx, session, (1, "initialize", initialize())).await?;
        let version = hello.get("protocolVersion").and_then(Value::as_str).unwrap_or_default();
        if !KNOWN.contains(&version) {
            let message = format!("the server speaks version `{}` of the protocol", super::clean(version));
            return Err(Fault::new(Reason::ProtocolMismatch, message).hint(format!("known here: {}", KNOWN.join(", "))));
        }
        if let Ok(version) = HeaderValue::from_str(version) {
            session.insert(PROTOCOL, version);
        }
        cx.note("protocol", version);
        let text = |pointer: &str| hello.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let mut server = text("/serverInfo/name").to_owned();
        let _ = write!(server, " {}", text("/serverInfo/version"));
        cx.note("server", &server);
        let ready = message(None, "notifications/initialized", &Value::Null);
        let got = self.post(cx, session, ready, None).await?;
        judge(&got)?;
        let offers = hello.pointer("/capabilities/tools").is_some();
        let listed = if offers { self.list(cx, session).await? } else { Vec::new() };
        cx.note("tools", &counted(&listed.iter().map(String::as_str).collect::<Vec<_>>()));
        let missing: Vec<_> = self.tools.iter().filter(|tool| !listed.contains(tool)).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let message = match listed.len() {
            0 => format!("the server offers no tools, expected `{}`", missing.join("`, `")),
            count => format!("of the {count} tools offered none is `{}`", missing.join("`, `")),
        };
        Err(Fault::new(Reason::Body, message).hint("was it renamed, or is the server of another version?"))
    }

    /// All tools, page by page.
    async fn list(&self, cx: &mut Context<'_>, session: &mut HeaderMap) -> Result<Vec<String>, Fault> {
        let (mut all, mut params) = (Vec::new(), json!({}));
        for page in 0..limits::TOOL_PAGES {
            let listed = self.request(cx, session, (page + 2, "tools/list", params)).await?;
            let Some((names, cursor)) = tools(&listed) else {
                return Err(Fault::new(Reason::Body, "the answer to `tools/list` holds no list of tools"));
            };
            all.extend(names);
            all.truncate(limits::TOOLS_LISTED);
            let Some(cursor) = cursor else { break };
            params = json!({ "cursor": cursor });
        }
        Ok(all)
    }

    async fn request(
        &self,
        cx: &mut Context<'_>,
        session: &mut HeaderMap,
        (id, method, params): (u32, &str, Value),
    ) -> Result<Value, Fault> {
        let (mut events, mut found) = (Events::default(), None);
        let mut until = |piece: &[u8]| {
            events.feed(piece, |event| found = found.take().or_else(|| answer(event, id)));
            found.is_some()
        };
        let got = self.post(cx, session, message(Some(id), method, &params), Some(&mut until)).await?;
        judge(&got)?;
        if let Some(id) = got.headers.get(SESSION).filter(|id| id.to_str().is_ok_and(fits)) {
            session.insert(SESSION, id.clone());
        }
        if let Some(found) = found.or_else(|| answer(&got.body, id)) {
            return result(found, method);
        }
        Err(got.body_fault.clone().unwrap_or_else(|| {
            let message = format!("the answer to `{method}` is none of MCP, it begins with {}", begin(&got.body));
            Fault::new(Reason::Body, message).hint("is the path that of the MCP server?")
        }))
    }

    async fn post(
        &self,
        cx: &mut Context<'_>,
        session: &HeaderMap,
        body: Vec<u8>,
        until: Option<crate::probes::http::page::Until<'_>>,
    ) -> Result<Got, Fault> {
        let mut headers = session.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        let question =
            Question { method: Method::POST, headers, body: Bytes::from(body), until, ..Question::default() };
        self.page.ask(cx, question).await
    }
}

fn judge(got: &Got) -> Result<(), Fault> {
    match got.status {
        200..=299 => Ok(()),
        401 | 403 => Err(Fault::new(Reason::Auth, format!("answered status {}", got.status))
            .exactly(Detail::of_status(got.status))
            .hint("give it a `token`; a token of OAuth has to be fetched by its owner")),
        405 => Err(Fault::new(Reason::Status, "answered status 405: it takes no POST here")
            .hint("is the path right? the older transport over `/sse` is not spoken here")),
        400 | 406 => {
            let message = format!("answered status {}: {}", got.status, begin(&got.body));
            Err(Fault::new(Reason::Status, message)
                .hint(format!("it was spoken to in version {VERSION} of the protocol")))
        }
        _ => Err(refused(got, "an MCP server")),
    }
}
