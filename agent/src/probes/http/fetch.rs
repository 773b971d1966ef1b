//! One page for a caller that is no check: `agent status` asks other agents as a check would, with the same caps, the same trust in
//! certificates and the same words for what goes wrong.

use super::page::{Access, Page};
use crate::clock;
use crate::node::{Node, Problems};
use crate::probes::net::{Net, TlsConfig};
use crate::probes::outcome::late;
use crate::probes::{Context, Depth, Fault, Reason, Target};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;

/// A page as it came.
pub struct Fetched {
    /// Its status.
    pub status: u16,
    /// Its body, unpacked, at most [`crate::limits::PROBE_BODY_BYTES`].
    pub body: Vec<u8>,
}

/// Asks once for the page at an `http` or `https` target, credentials of its URL included; no redirect is followed. Authorities of
/// `ca_file` are trusted beside the built-in ones.
///
/// # Errors
/// When there is no whole answer within the time; also when the target cannot be asked at all (`config`).
pub async fn fetch(net: &Net, target: &Target, ca_file: Option<PathBuf>, within: Duration) -> Result<Fetched, Fault> {
    let mut problems = Problems::default();
    let tls_config = TlsConfig { ca_file, ..TlsConfig::default() };
    let access = Access { tls_config, ..Access::default() };
    let Some(page) = Page::new(target, access, &Node::default(), &mut problems) else {
        let first = problems.0.into_iter().next();
        let said = first.map_or_else(|| "this cannot be asked".to_owned(), |problem| problem.message);
        return Err(Fault::new(Reason::Config, said));
    };
    let mut cx = Context::new(net, clock::now() + within, Depth::Peer);
    let ended = timeout(within, page.get(&mut cx)).await;
    let got = ended.unwrap_or_else(|_elapsed| Err(late(cx.current_phase(), within)))?;
    got.body_fault.map_or(Ok(Fetched { status: got.status, body: got.body }), Err)
}
