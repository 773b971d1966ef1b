//! Owns the news that the service is stopping: told once, heard by the accept loop, every connection and every WebSocket.

use tokio::sync::watch;

/// Hears that the service is stopping.
#[derive(Clone)]
pub struct Stopping(watch::Receiver<bool>);

/// Tells that the service is stopping. Dropping it tells so too.
pub struct Stop(watch::Sender<bool>);

/// A teller and a hearer.
pub fn channel() -> (Stop, Stopping) {
    let (tell, hear) = watch::channel(false);
    (Stop(tell), Stopping(hear))
}

impl Stop {
    /// Tells everybody.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }
}

impl Stopping {
    /// Returns once the service is stopping.
    pub async fn begun(&mut self) {
        // An error means that the teller is gone, which means the same.
        _ = self.0.wait_for(|stopping| *stopping).await;
    }
}
