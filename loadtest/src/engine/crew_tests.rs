//! The open model against arithmetic, in virtual time: workers alone, without goose.

use super::control::Books;
use super::crew::Crew;
use super::stop::Phase;
use super::{Control, Outcome, Pace, Patience, Reason, Script, Seat, Shape, Stage, User, Work};
use crate::clock;
use crate::measure::{Failure, Row, Summary};
use futures_util::future::{BoxFuture, join_all};
use std::sync::Arc;
use std::time::Duration;

const S: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// A server that stands still for the first `stall` of every ten seconds and answers in 50 ms otherwise.
#[derive(Clone, Copy)]
struct Stalls(Duration);

impl Stalls {
    /// When the answer to a request comes.
    fn answers(self, sent: Duration) -> Duration {
        let round = Duration::from_secs(sent.as_secs() / 10 * 10);
        sent.max(round + self.0) + MS * 50
    }
}

/// A user who sends one request; knows the server's clock by the run's own, which begins with it.
#[derive(Clone)]
struct Caller(Stalls, tokio::time::Instant);

impl Script for Caller {
    fn name(&self) -> &str {
        "call"
    }
    fn first(&self) -> usize {
        0
    }
    fn user(&self, _: usize) -> Box<dyn User> {
        Box::new(self.clone())
    }
}

impl User for Caller {
    fn iterate<'a>(&'a mut self, seat: &'a mut Seat) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if !seat.depart(0) {
                return;
            }
            let sent = clock::now() - self.1;
            let latency = self.0.answers(sent) - sent;
            tokio::time::sleep(latency).await;
            seat.done(Outcome { latency, status: 200, ..Outcome::default() });
        })
    }
}

/// Runs workers alone for as long as the shape lasts, and then lets them end or cuts them.
async fn run(shape: Shape, stalls: Stalls, cut: bool) -> Summary {
    let workers = shape.peak();
    let begun = clock::now();
    let script: Arc<dyn Script> = Arc::new(Caller(stalls, begun));
    let scripts = vec![(1, Arc::clone(&script))];
    let names = vec!["call".to_owned()];
    let control =
        Control::new(&Work { shape, requests: None, max_errors: None, names, scripts, patience: Patience::default() });
    let books: Arc<Books> = Arc::clone(&control.0);
    books.begin();
    let mut crews: Vec<Crew> = (0..workers).map(|n| Crew::new(Arc::clone(&script), Arc::clone(&books), n)).collect();
    {
        let all = join_all(crews.iter_mut().map(Crew::work));
        let over = async {
            tokio::time::sleep_until(begun + books.shape.duration()).await;
            books.finish(Reason::Time, Phase::Draining);
            if !cut {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            _ = all => {}
            () = over => {}
        }
    }
    books.close();
    control.summary()
}

fn steady(rate: f64, seconds: u32, workers: usize) -> Shape {
    let stage = Stage { name: "load".to_owned(), level: rate, ramp: Duration::ZERO, duration: S * seconds };
    Shape::new(Pace::Arrivals { poisson: false, workers }, vec![stage])
}

/// The latencies of even arrivals at a server that stalls, by arithmetic, sorted.
fn truth(stalls: Stalls, rate: u32, seconds: u32) -> Vec<Duration> {
    let due = (0..rate * seconds).map(|number| S * number / rate);
    let mut all: Vec<Duration> = due.map(|due| stalls.answers(due) - due).collect();
    all.sort_unstable();
    all
}

fn check_percentiles(row: &Row, truth: &[Duration], off: f64) {
    assert_eq!(row.count, truth.len() as u64);
    for share in [0.5, 0.9, 0.95, 0.99] {
        let exact = truth[(share * truth.len() as f64).ceil() as usize - 1];
        let got = row.quantile(share).expect("enough requests");
        let error = (got.as_secs_f64() / exact.as_secs_f64() - 1.0).abs();
        assert!(error <= off, "p{}: {got:?}, in truth {exact:?}", share * 100.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_seen_as_long_as_it_is_with_a_pool_of_a_quarter() {
    // 80 a second that wait for up to 2 s: 160 at once. A quarter of them are workers.
    let stalls = Stalls(S * 2);
    let summary = run(steady(80.0, 20, 40), stalls, false).await;
    let row = summary.total(&[]).expect("requests");
    check_percentiles(&row, &truth(stalls, 80, 20), 0.03);
    let arrivals = summary.arrivals.expect("open");
    assert_eq!((arrivals.started, arrivals.waiting, arrivals.held_back), (1600, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_is_far_too_small_never_flatters() {
    // Two workers carry 16 journeys; 160 fall due while the server stands still.
    let stalls = Stalls(S * 2);
    let summary = run(steady(80.0, 20, 2), stalls, false).await;
    let (row, truth) = (summary.total(&[]).expect("requests"), truth(stalls, 80, 20));
    assert_eq!(row.count, 1600, "none is lost");
    for share in [0.9, 0.95, 0.99] {
        let exact = truth[(share * 1600.0_f64).ceil() as usize - 1];
        assert!(row.quantile(share).unwrap() >= exact.mul_f64(0.999), "p{}", share * 100.0);
    }
    let arrivals = summary.arrivals.expect("open");
    assert!(arrivals.held_back > 280 && arrivals.held_p99_us > 1_500_000, "{arrivals:?}");
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_begun_waits_and_is_told_with_its_age() {
    // The server stands still for good: 16 are in flight, everything else waits.
    let summary = run(steady(10.0, 8, 2), Stalls(S * 9), true).await;
    let arrivals = summary.arrivals.expect("open");
    assert_eq!((arrivals.started, arrivals.waiting), (16, 64));
    let row = summary.total(&[]).expect("given up");
    // All but those of the last second, which say nothing yet.
    assert_eq!((row.count, row.errors_by[&Failure::Timeout]), (71, 71));
    assert!(row.max().unwrap() >= S * 79 / 10, "the oldest: {:?}", row.max());
    let last = summary.timeline.slots().last().expect("slots");
    assert_eq!(last.errors, 71);
}

#[tokio::test(start_paused = true)]
async fn while_a_server_hangs_those_that_wait_are_in_the_live_figures() {
    let script: Arc<dyn Script> = Arc::new(Caller(Stalls(S * 9), clock::now()));
    let (names, scripts) = (vec!["call".to_owned()], vec![(1, script)]);
    let work = Work {
        shape: steady(10.0, 60, 2),
        requests: None,
        max_errors: None,
        names,
        scripts,
        patience: Patience::default(),
    };
    let control = Control::new(&work);
    control.0.begin();
    tokio::time::sleep(S * 5).await;
    control.0.look();
    let summary = control.summary();
    let row = summary.total(&[]).expect("they wait");
    assert_eq!((row.count, row.unanswered), (0, 41), "those of the last second say nothing yet");
    assert_eq!(summary.arrivals.expect("open").waiting, 50);
    let window = summary.timeline.window(S * 2, S * 5, |_| true).expect("they wait");
    assert_eq!(window.unanswered, 41);
    let gauges = summary.timeline.slots().last().expect("a slot").gauges;
    assert_eq!((gauges.waiting, gauges.offered), (50, Some(50.0)));
}
