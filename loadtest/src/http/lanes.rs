//! Many requests of one user at once, on a few connections: how a browser fetches the files of a page.

use super::{Client, Fetched, Request, Response, Transport as _, TransportError};
use crate::limits::{CONNECTIONS_PER_USER, PAGE_BYTES};
use futures_util::future::join_all;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Requests with their places in the order asked for.
pub(super) type Numbered = Vec<(usize, Request)>;

type Queue = Mutex<VecDeque<(usize, Request)>>;
/// A request's place in the order asked for, and what came of it.
pub(super) type Came = (usize, Result<Fetched, TransportError>);

/// Bytes that all files together may still bring.
#[derive(Debug)]
pub(super) struct Budget(AtomicUsize);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicUsize::new(PAGE_BYTES))
    }
}

impl Budget {
    /// Takes a body out of the budget and lets it go.
    pub(super) fn take(&self, response: Response) -> Result<Fetched, TransportError> {
        let (length, body) = (response.body.len(), bytes::Bytes::new());
        let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(length));
        left.map_err(|_| TransportError::BodyTooLarge(PAGE_BYTES))?;
        Ok(Fetched { response: Response { body, ..response }, bytes: length as u64 })
    }
}

/// Sends all requests, each client one after the other.
pub(super) async fn send_all<'a>(
    clients: impl Iterator<Item = &'a mut Client>,
    requests: Numbered,
    budget: &Budget,
) -> Vec<Came> {
    let lanes = requests.len().min(CONNECTIONS_PER_USER);
    let queue = Queue::new(requests.into());
    let lanes = clients.take(lanes).map(|client| lane(client, &queue, budget));
    join_all(lanes).await.into_iter().flatten().collect()
}

async fn lane(client: &mut Client, queue: &Queue, budget: &Budget) -> Vec<Came> {
    let mut came = vec![];
    while let Some((index, request)) = next(queue) {
        came.push((index, client.send(request).await.and_then(|response| budget.take(response))));
    }
    came
}

fn next(queue: &Queue) -> Option<(usize, Request)> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}
