//! The messages of the Model Context Protocol that a check exchanges: JSON-RPC 2.0. Pure; what comes may be anything.

use super::events::Events;
use crate::limits;
use crate::probes::{Fault, Reason, clean};
use serde_json::{Map, Value, json};

/// The version asked for. A server that does not know it answers with one that it knows.
pub(super) const VERSION: &str = "2025-11-25";

/// The versions in which `initialize` and `tools/list` are as they are here.
pub(super) const KNOWN: [&str; 4] = [VERSION, "2025-06-18", "2025-03-26", "2024-11-05"];

/// The first request.
pub(super) fn initialize() -> Value {
    json!({
        "protocolVersion": VERSION,
        "capabilities": {},
        "clientInfo": {"name": limits::CLIENT_NAME, "version": env!("CARGO_PKG_VERSION")},
    })
}

/// A request with an id, or without one a notification.
pub(super) fn message(id: Option<u32>, method: &str, params: &Value) -> Vec<u8> {
    let mut message = Map::new();
    message.insert("jsonrpc".to_owned(), json!("2.0"));
    if let Some(id) = id {
        message.insert("id".to_owned(), json!(id));
    }
    message.insert("method".to_owned(), json!(method));
    if !params.is_null() {
        message.insert("params".to_owned(), params.clone());
    }
    Value::Object(message).to_string().into_bytes()
}

/// The answer to a request, when a text is it or holds it: a server may talk of other things before.
pub(super) fn answer(text: &[u8], id: u32) -> Option<Value> {
    let is_it = |message: &Value| {
        let answers = message.get("result").is_some() || message.get("error").is_some();
        answers && message.get("id").is_some_and(|of| *of == id)
    };
    match serde_json::from_slice(text).ok()? {
        Value::Array(batch) => batch.into_iter().find(is_it),
        message => is_it(&message).then_some(message),
    }
}

/// What a request came to.
pub(super) fn result(mut answer: Value, method: &str) -> Result<Value, Fault> {
    let Some(error) = answer.get("error") else {
        return Ok(answer.get_mut("result").map(Value::take).unwrap_or_default());
    };
    let code = error.get("code").and_then(Value::as_i64).map_or("without a code".to_owned(), |code| code.to_string());
    let why = clean(error.get("message").and_then(Value::as_str).unwrap_or_default());
    Err(Fault::new(Reason::Body, format!("refused `{method}` with error {code}: `{why}`")))
}

/// The names of the tools of one page, and where the next one begins.
pub(super) fn tools(result: &Value) -> Option<(Vec<String>, Option<String>)> {
    let list = result.get("tools")?.as_array()?;
    let named = list.iter().filter_map(|tool| tool.get("name")?.as_str());
    let cursor = result.get("nextCursor").and_then(Value::as_str).filter(|cursor| fits(cursor)).map(str::to_owned);
    Some((named.map(clean).take(limits::TOOLS_LISTED).collect(), cursor))
}

/// What is sent back to the server as it came.
pub(super) fn fits(token: &str) -> bool {
    !token.is_empty() && token.len() <= limits::MCP_TOKEN_BYTES
}

/// Reads whatever comes, for fuzzing: as one message, and as a stream of events.
pub(super) fn read(bytes: &[u8]) {
    let understand = |text: &[u8]| {
        if let Some(answer) = answer(text, 1)
            && let Ok(result) = result(answer, "tools/list")
        {
            let _tools = tools(&result);
        }
    };
    understand(bytes);
    let mut events = Events::default();
    bytes.chunks(9).for_each(|piece| events.feed(piece, understand));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(text: &str) -> String {
        let Some(answer) = answer(text.as_bytes(), 2) else { return "not it".to_owned() };
        result(answer, "tools/list").map_or_else(|fault| fault.message, |result| result.to_string())
    }

    #[test]
    fn what_is_sent_back_is_not_endless() {
        let most = "x".repeat(limits::MCP_TOKEN_BYTES);
        assert_eq!(["", "a", &most, &format!("{most}x")].map(fits), [false, true, true, false]);
    }

    #[test]
    fn finds_the_answer_among_what_is_said() {
        assert_eq!(said(r#"{"jsonrpc": "2.0", "id": 2, "result": {"a": 1}}"#), r#"{"a":1}"#);
        assert_eq!(said(r#"[{"method": "x"}, {"id": 2, "result": {}}]"#), "{}");
        assert_eq!(
            said(r#"{"id": 2, "error": {"code": -32601, "message": "no\nsuch"}}"#),
            "refused `tools/list` with error -32601: `no such`"
        );
        for other in
            ["", "[]", "5", r#"{"id": 3, "result": {}}"#, r#"{"id": 2, "method": "ping"}"#, &"[".repeat(100_000)]
        {
            assert_eq!(said(other), "not it");
        }
    }

    #[test]
    fn reads_the_tools_of_a_page() {
        let page = json!({"tools": [{"name": "search"}, {"title": "no name"}, {"name": "a\nb"}], "nextCursor": "p2"});
        assert_eq!(tools(&page), Some((vec!["search".to_owned(), "a b".to_owned()], Some("p2".to_owned()))));
        assert_eq!(tools(&json!({"tools": {}})), None);
    }

    proptest! {
        #[test]
        fn any_text_is_taken_calmly(text in ".{0,100}") {
            read(text.as_bytes());
        }
    }
}
