//! Owns `/ws`: an echo. Each text comes back as `{"id":n,"text":…}`, numbered from 1. A socket that says nothing for a minute
//! is closed, and all are closed with code 1001 when the service stops.

use std::sync::Arc;

use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
    routing::get,
};
use serde_json::json;

use super::Routes;
use crate::{app::App, error::ApiError, limits};

/// The path.
pub fn routes() -> Routes {
    Routes::new().route("/ws", get(upgrade))
}

async fn upgrade(State(app): State<Arc<App>>, upgrade: WebSocketUpgrade) -> Result<Response, ApiError> {
    if app.websockets.available_permits() == 0 {
        let message = "as many WebSockets as allowed are open; try again later";
        return Err(ApiError::Unavailable { code: "too_many_websockets", message });
    }
    let most = limits::MAX_MESSAGE_BYTES;
    let upgrade = upgrade.max_message_size(most).max_frame_size(most).max_write_buffer_size(4 * most);
    Ok(upgrade.on_upgrade(async move |socket| talk(socket, &app).await))
}

async fn talk(mut socket: WebSocket, app: &App) {
    // Taken only now that the client has switched protocols; a race for the last permit ends in a close.
    let Ok(_permit) = app.websockets.try_acquire() else { return close(socket, close_code::AGAIN, "too many").await };
    let mut stopping = app.stopping.clone();
    let mut id: u64 = 0;
    loop {
        let message = tokio::select! {
            message = tokio::time::timeout(limits::WEBSOCKET_IDLE, socket.recv()) => message,
            () = stopping.begun() => return close(socket, close_code::AWAY, "stopping").await,
        };
        let text = match message {
            Err(_) => return close(socket, close_code::POLICY, "idle").await,
            Ok(Some(Ok(Message::Text(text)))) => text,
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => continue,
            Ok(Some(Ok(Message::Binary(_)))) => return close(socket, close_code::UNSUPPORTED, "text only").await,
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => return,
        };
        id += 1;
        let echo = json!({ "id": id, "text": text.as_str() }).to_string();
        let sent = tokio::time::timeout(limits::WEBSOCKET_IDLE, socket.send(Message::Text(echo.into()))).await;
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

async fn close(mut socket: WebSocket, code: u16, reason: &'static str) {
    let frame = CloseFrame { code, reason: reason.into() };
    // The peer may be gone or deaf already; there is nobody left to tell.
    _ = tokio::time::timeout(limits::CLOSE_DEADLINE, socket.send(Message::Close(Some(frame)))).await;
}
