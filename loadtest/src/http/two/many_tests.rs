//! Many requests at once on one connection: against servers that keep to it, hold back, go away, say nothing or say too much.

use super::super::{Fetched, HttpVersion, Transport as _};
use super::tests::{SHORT, Server, body_of, client, hello, serve, status};
use super::*;
use crate::limits::PAGE_BYTES;
use h2::server::{Builder, SendResponse};
use std::sync::Arc;
use tokio::sync::Barrier;

/// The page, and then so many of its files.
async fn page(server: &Server, files: usize) -> Vec<Result<Fetched, TransportError>> {
    let (mut client, request) = (client(), server.within(SHORT * 10));
    client.send(request.clone()).await.expect("the page");
    client.send_all(vec![request; files]).await
}

fn lengths(came: &[Result<Fetched, TransportError>]) -> Vec<u64> {
    came.iter().map(|came| came.as_ref().map_or(u64::MAX, |fetched| fetched.bytes)).collect()
}

#[tokio::test]
async fn the_files_of_a_page_come_at_once_on_the_connection_of_the_page() {
    let all = Arc::new(Barrier::new(20));
    let server = serve(Builder::new(), move |number, asked, mut respond: SendResponse<Bytes>| {
        let all = Arc::clone(&all);
        async move {
            body_of(asked).await;
            if number > 0 {
                // Nobody is answered before all have asked.
                all.wait().await;
            }
            let mut stream = respond.send_response(status(200), false).unwrap();
            stream.send_data(vec![7; number].into(), true).unwrap();
        }
    });
    let server = server.await;
    let came = page(&server, 20).await;
    let mut sizes = lengths(&came);
    sizes.sort_unstable();
    assert_eq!(sizes, (1..=20).collect::<Vec<u64>>());
    assert!(
        came.iter().flatten().all(|came| came.response.version == HttpVersion::Http2 && came.response.body.is_empty())
    );
    assert!(came.iter().flatten().all(|came| came.response.timings.connect.is_zero()));
    assert_eq!(server.connections(), 1);
}

fn few(at_once: u32) -> Builder {
    let mut build = Builder::new();
    build.max_concurrent_streams(at_once);
    build
}

#[tokio::test]
async fn a_peer_that_takes_few_at_once_gets_few_at_once() {
    let server = serve(few(1), hello).await;
    assert_eq!(lengths(&page(&server, 2).await), [5; 2]);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn what_a_peer_that_goes_away_has_not_looked_at_comes_over_other_connections() {
    let server = serve(few(2), hello).await;
    assert_eq!(lengths(&page(&server, 15).await), [5; 15]);
    assert_eq!(server.connections(), 7, "it says goodbye after the fourth request, and the rest goes as over HTTP/1.1");
}

#[tokio::test]
async fn one_that_is_never_answered_costs_the_others_nothing() {
    let server = serve(Builder::new(), |number, asked, respond| async move {
        if number == 2 {
            tokio::time::sleep(SHORT * 100).await;
        }
        hello(number, asked, respond).await;
    });
    let server = server.await;
    let (mut client, request) = (client(), server.within(SHORT));
    client.send(request.clone()).await.expect("the page");
    let came = client.send_all(vec![request.clone(); 2]).await;
    assert_eq!(lengths(&came), [5, u64::MAX]);
    assert!(matches!(came[1], Err(TransportError::Timeout(limit)) if limit == SHORT), "{:?}", came[1]);
    client.send(request).await.expect("the next page");
    assert_eq!(server.connections(), 2, "a connection with an answer owed is not used again");
}

#[tokio::test]
async fn more_than_a_page_may_have_is_given_up() {
    let server = serve(Builder::new(), |number, _, mut respond: SendResponse<Bytes>| async move {
        let mut stream = respond.send_response(status(200), false).unwrap();
        let length = if number == 0 { 1 } else { PAGE_BYTES / 3 * 2 };
        let _ = stream.send_data(vec![7; length].into(), true);
    });
    let server = server.await;
    let (mut client, request) = (client(), server.within(SHORT * 10));
    client.send(request.clone()).await.expect("the page");
    let came = client.send_all(vec![request.clone(); 2]).await;
    let too_large =
        |came: &Result<Fetched, TransportError>| matches!(came, Err(TransportError::BodyTooLarge(PAGE_BYTES)));
    assert!(came.iter().any(too_large), "{came:?}");
    let fetched: u64 = came.iter().flatten().map(|came| came.bytes).sum();
    assert!(fetched <= PAGE_BYTES as u64, "{fetched}");
    client.send_all(vec![request]).await;
    assert_eq!(server.connections(), 2, "the connection with the rest in it is let go");
}
