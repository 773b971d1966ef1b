//! Looks at the files of the configuration every few seconds, and asks for a reload when one has changed and then stayed the same for a
//! moment. By looking, and not by inotify: it sees a ConfigMap's swapped link, a bind mount's file written in place and an editor's
//! rename alike, and a network's file system too.

use crate::config::Seen;
use crate::limits;
use crate::reload::{By, Order, Orders};
use tokio::sync::{oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// What is watched: the files as they looked when they were read; none when nobody wants them watched.
pub(super) type Files = Vec<Seen>;

/// Watches until nobody takes orders any more. A disk that hangs holds one thread and nothing else.
pub(super) async fn watch(mut files: watch::Receiver<Files>, orders: Orders) {
    loop {
        let known = files.borrow_and_update().clone();
        if known.is_empty() {
            if files.changed().await.is_err() {
                return;
            }
            continue;
        }
        tokio::select! {
            () = sleep(limits::CONFIG_LOOK) => {}
            read_again = files.changed() => match read_again {
                Ok(()) => continue,
                Err(_ended) => return,
            },
        }
        let now = look(known.clone()).await;
        if now == known {
            continue;
        }
        settled(now).await;
        let (answer, answered) = oneshot::channel();
        if orders.send(Order { by: By::File, answer: Some(answer) }).await.is_err() {
            return;
        }
        let _outcome = answered.await;
    }
}

/// Waits until nobody writes into them any more.
async fn settled(mut last: Files) {
    loop {
        sleep(limits::CONFIG_SETTLES).await;
        let now = look(last.clone()).await;
        if now == last {
            return;
        }
        last = now;
    }
}

async fn look(files: Files) -> Files {
    let known = files.clone();
    let looked = spawn_blocking(move || files.iter().map(|seen| Seen::now(&seen.path)).collect()).await;
    looked.unwrap_or(known)
}
