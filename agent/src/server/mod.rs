//! The HTTP port: scrapes, health checks, and pages for people. It renders the latest snapshot and asks nobody anything.
//! It must not know how the snapshot is made. What must stay true: `/live` depends on nothing; a slow or rude client costs a
//! bounded share and is cut off; restricted pages answer only those whom [`access`] lets through.

mod accept;
mod access;
mod causes;
mod connection;
mod diagnostics;
mod effective;
mod figures;
mod health;
mod live;
mod metrics_page;
mod origin;
mod parts;
mod ready;
mod reload;
mod reply;
mod routes;
mod sd;
mod sending;
mod silence_page;
mod status;
mod times;
mod web_config;

#[cfg(test)]
mod tests;

pub use accept::serve;
pub use routes::pages;
pub use web_config::{ReadNode, WebConfigError, check as check_web_config};

use crate::config::InForce;
use crate::metrics::{Pages, Served};
use crate::reload::Orders;
use crate::silence;
use crate::snapshot::Snapshot;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;
use web_config::{Watched, WebConfig};

/// What the server is given.
pub struct Feed {
    /// The latest snapshot.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Where and for whom it answers, and what `/config` shows.
    pub in_force: watch::Receiver<Arc<InForce>>,
    /// Where `POST /-/reload` goes.
    pub reloads: Orders,
    /// Where `POST /-/silence` goes.
    pub silences: silence::Orders,
    /// Reads a YAML file; the web configuration is read again when it changes.
    pub read: ReadNode,
}

/// The server's own state, shared by its connections.
pub struct App {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    in_force: watch::Receiver<Arc<InForce>>,
    reloads: Orders,
    silences: silence::Orders,
    web: Option<Arc<Watched>>,
    pages: Pages,
    refused: AtomicU64,
}

impl App {
    /// Reads the web configuration, when there is one.
    ///
    /// # Errors
    /// With every problem of the web configuration.
    pub fn new(feed: Feed) -> Result<Arc<Self>, WebConfigError> {
        let Feed { snapshots, in_force, reloads, silences, read } = feed;
        let web_config = in_force.borrow().server.web_config.clone();
        let web = web_config.as_deref().map(|path| Watched::open(path, read)).transpose()?.map(Arc::new);
        let (pages, refused) = (Pages::default(), AtomicU64::new(0));
        Ok(Arc::new(Self { snapshots, in_force, reloads, silences, web, pages, refused }))
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshots.borrow())
    }

    fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.in_force.borrow())
    }

    async fn web(&self) -> Option<Arc<WebConfig>> {
        match &self.web {
            Some(watched) => Some(watched.fresh().await),
            None => None,
        }
    }

    fn served(&self) -> Served {
        Served {
            connections_refused: self.refused.load(Ordering::Relaxed),
            web_config_read: self.web.as_ref().map(|watched| watched.good()),
        }
    }
}
