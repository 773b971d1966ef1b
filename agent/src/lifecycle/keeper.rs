//! Keeps the silence: carries out orders for one, looks at the mark file, and tells the state what holds, and when it is over.
//! What must stay true: orders are carried out at once, however the file's disk hangs.

use crate::silence::{By, Order, Silence};
use crate::state::Event;
use crate::{clock, limits};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{sleep, timeout};

/// What silences now.
#[derive(Default)]
struct Keeper {
    ordered: Option<Silence>,
    mark: Option<Silence>,
    /// A look at the file that was not waited for.
    late: Option<JoinHandle<Option<Silence>>>,
    told: Option<Silence>,
}

/// Keeps it until nobody gives orders any more. The file may be another one after a reload.
pub(super) async fn keep(
    mut orders: mpsc::Receiver<Order>,
    mut file: watch::Receiver<Option<PathBuf>>,
    events: mpsc::Sender<Event>,
) {
    let mut keeper = Keeper::default();
    loop {
        let path = file.borrow_and_update().clone();
        keeper.look(path.as_deref()).await;
        keeper.tell(&events).await;
        let rest = keeper.rest(path.is_some(), clock::wall());
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => keeper.obey(order, &events).await,
                None => return,
            },
            another = file.changed() => if another.is_err() { return },
            () = sleep(rest) => {}
        }
    }
}

impl Keeper {
    /// The one that lasts longest.
    fn holds(&self, now: SystemTime) -> Option<Silence> {
        let both = [&self.ordered, &self.mark].into_iter().flatten();
        both.filter(|silence| now < silence.until).max_by_key(|silence| silence.until).cloned()
    }

    async fn obey(&mut self, order: Order, events: &mpsc::Sender<Event>) {
        let now = clock::wall();
        let begun = |(length, reason): (Duration, Option<String>)| Silence {
            since: now,
            until: now + length.min(limits::SILENCE_MOST),
            reason,
            by: By::Page,
        };
        self.ordered = order.wish.map(begun);
        self.tell(events).await;
        // Who asked may have gone.
        let _heard = order.answer.send(self.told.clone());
    }

    async fn tell(&mut self, events: &mpsc::Sender<Event>) {
        let holds = self.holds(clock::wall());
        if holds == self.told {
            return;
        }
        match &holds {
            Some(Silence { until, reason, by, .. }) => {
                let (until, reason) = (clock::Utc::of(*until).seconds(), reason.as_deref());
                tracing::info!(by = by.as_str(), until, reason, "silenced: checks go on, alerts are kept quiet");
            }
            None => tracing::info!("the silence is over"),
        }
        self.told = holds.clone();
        let _heard = events.send(Event::Silenced(holds)).await;
    }

    async fn look(&mut self, path: Option<&Path>) {
        let Some(path) = path.map(Path::to_owned) else {
            self.mark = None;
            return;
        };
        let mut looking = self.late.take().unwrap_or_else(|| spawn_blocking(move || read(&path, clock::wall())));
        match timeout(limits::SILENCE_LOOK_TIMEOUT, &mut looking).await {
            Ok(seen) => self.mark = seen.unwrap_or_default(),
            // What was seen before holds until its end.
            Err(_elapsed) => self.late = Some(looking),
        }
    }

    /// How long nothing can change but by an order.
    fn rest(&self, has_file: bool, now: SystemTime) -> Duration {
        let end = self.told.as_ref().map(|silence| silence.until.duration_since(now).unwrap_or_default());
        // A moment more, so that it is over then.
        let end = end.map(|end| end + Duration::from_millis(1));
        let look = if has_file { limits::SILENCE_LOOK } else { limits::SILENCE_MOST };
        end.unwrap_or(look).min(look)
    }
}

/// The window of a mark file; `None` when there is none.
fn read(path: &Path, now: SystemTime) -> Option<Silence> {
    let about = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let mut first = Vec::new();
    // One that cannot be read is there all the same.
    let _unreadable = File::open(path).and_then(|file| file.take(limits::SILENCE_MARK_BYTES).read_to_end(&mut first));
    Silence::of_mark(&String::from_utf8_lossy(&first), about.modified().unwrap_or(now), now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    struct Bench {
        orders: mpsc::Sender<Order>,
        file: watch::Sender<Option<PathBuf>>,
        events: mpsc::Receiver<Event>,
    }

    fn bench(file: Option<PathBuf>) -> Bench {
        let (orders, from) = mpsc::channel(1);
        let (file, path) = watch::channel(file);
        let (events, told) = mpsc::channel(8);
        tokio::spawn(keep(from, path, events));
        Bench { orders, file, events: told }
    }

    impl Bench {
        async fn order(&self, wish: Option<(Duration, Option<String>)>) -> Option<Silence> {
            let (answer, answered) = oneshot::channel();
            self.orders.send(Order { wish, answer }).await.unwrap();
            answered.await.unwrap()
        }

        async fn told(&mut self) -> Option<Silence> {
            match timeout(Duration::from_secs(20), self.events.recv()).await {
                Ok(Some(Event::Silenced(silence))) => silence,
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn an_ordered_silence_ends_by_itself_and_by_order() {
        let mut bench = bench(None);
        let reason = Some("deployment".to_owned());
        let silence = bench.order(Some((Duration::from_millis(50), reason.clone()))).await.expect("it is silenced");
        assert_eq!((silence.by, &silence.reason), (By::Page, &reason));
        assert_eq!(bench.told().await, Some(silence));
        assert_eq!(bench.told().await, None, "it is over");
        let day = bench.order(Some((Duration::from_hours(48), None))).await.expect("it is silenced");
        assert_eq!(day.until.duration_since(day.since).unwrap(), limits::SILENCE_MOST);
        bench.told().await;
        assert_eq!(bench.order(None).await, None);
        assert_eq!(bench.told().await, None);
    }

    #[tokio::test]
    async fn a_mark_silences_and_the_longer_of_two_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mark");
        std::fs::write(&path, "for 10m by file").unwrap();
        let mut bench = bench(Some(path.clone()));
        assert_eq!(bench.told().await.expect("it is silenced").by, By::File);
        let longer = bench.order(Some((Duration::from_hours(1), None))).await.expect("it is silenced");
        assert_eq!(longer.by, By::Page);
        bench.told().await;
        let still = bench.order(None).await.expect("the file silences still");
        assert_eq!(still.by, By::File);
        bench.told().await;
        bench.file.send_replace(None);
        assert_eq!(bench.told().await, None, "no file is named any more");
    }

    #[test]
    fn what_is_no_file_is_no_mark() {
        let folder = tempfile::tempdir().unwrap();
        let now = clock::wall();
        assert_eq!(read(folder.path(), now), None);
        assert_eq!(read(&folder.path().join("none"), now), None);
    }
}
