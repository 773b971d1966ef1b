//! The only file that names goose. goose starts the users, weighs the scenarios and gathers everybody at the end; it
//! measures nothing, prints nothing and decides nothing here.
//!
//! Traps of goose 0.19 that this file steps around (measured, see the decisions in ARCHITECTURE.md):
//! - a client of its own for each user costs 40 ms and 0.9 MB: one is shared, and never used;
//! - test plans print a line and prepare users anew for each rise: [`super::Shape`] says who works when;
//! - it joins its users without a deadline: an iteration is dropped when the run is cut;
//! - its kill switch is one for the process, cleared at the start: one run at a time, and the switch is pressed until it
//!   is heard;
//! - `initialize()` would parse our arguments, and its controllers would listen on a port.

use super::control::Books;
use super::crew::Crew;
use super::stop::Phase;
use super::{Control, EngineError, Pace, Script, Seat, Turn, User};
use crate::limits;
use futures_util::future::{Either, select};
use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::goose::{GooseUser, Scenario, Transaction, TransactionFunction};
use goose::{GooseAttack, GooseError};
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::futures::OwnedNotified;

/// goose keeps its kill switch in a static.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Runs all users until the books say stop.
pub(super) async fn attack(
    scripts: Vec<(usize, Arc<dyn Script>)>,
    users: usize,
    control: &Control,
) -> Result<(), EngineError> {
    let _one = ONE_AT_A_TIME.lock().await;
    silence();
    let attack = prepare(scripts, users, &control.0).map_err(|error| EngineError::Goose(error.to_string()))?;
    let attack = attack.execute();
    tokio::select! {
        ended = attack => ended.map(drop).map_err(|error| EngineError::Goose(error.to_string())),
        never = press_when_over(&control.0) => never,
    }
}

fn prepare(
    scripts: Vec<(usize, Arc<dyn Script>)>,
    users: usize,
    books: &Arc<Books>,
) -> Result<GooseAttack, GooseError> {
    let mut configuration = GooseConfiguration::default();
    // Never asked: our own client does the requests. goose insists on a valid one.
    configuration.host = Some("http://127.0.0.1/".to_owned());
    configuration.users = Some(users);
    // All at once; they wait for their turn.
    configuration.increase_rate = Some("1000000".to_owned());
    configuration.no_telnet = true;
    configuration.no_metrics = true;
    configuration.no_print_metrics = true;
    configuration.no_reset_metrics = false;
    configuration.quiet = 2;
    let client = GooseClientBuilder::new().without_cookies();
    let mut attack = GooseAttack::initialize_with_config(configuration)?.set_client_builder_without_cookies(client)?;
    for (weight, script) in scripts.into_iter().filter(|(weight, _)| *weight > 0) {
        let name = script.name().to_owned();
        let transaction = Transaction::new(iteration(script, Arc::clone(books)));
        attack = attack.register_scenario(Scenario::new(&name).set_weight(weight)?.register_transaction(transaction));
    }
    Ok(attack)
}

/// Presses goose's kill switch from the end of the run until goose has gathered its users; goose clears the switch when
/// it starts, so that one press could be lost.
async fn press_when_over<T>(books: &Books) -> T {
    books.stop.draining().await;
    loop {
        goose::trigger_killswitch("the run is over");
        tokio::time::sleep(limits::WATCH_EVERY).await;
    }
}

/// One user's state between iterations. goose wants it `Sync` and `Clone`; it never shares nor clones it.
struct Place(Option<Mutex<Taken>>);

impl Clone for Place {
    /// A copy of a place is an empty place.
    fn clone(&self) -> Self {
        Self(None)
    }
}

struct Taken {
    duty: Duty,
    cut: Pin<Box<OwnedNotified>>,
    books: Arc<Books>,
}

/// What goose's user does: one journey after the other, or what falls due.
enum Duty {
    Closed(Seat, Box<dyn User>),
    Open(Crew),
}

/// goose's transaction: one iteration of the script, or as many as fit into a shift.
fn iteration(script: Arc<dyn Script>, books: Arc<Books>) -> TransactionFunction {
    Arc::new(move |goose_user: &mut GooseUser| {
        if goose_user.get_session_data::<Place>().is_none() {
            goose_user.set_session_data(Place(Some(Mutex::new(Taken::new(&script, &books)))));
        }
        Box::pin(async move {
            let place = goose_user.get_session_data_mut::<Place>();
            let taken = place.and_then(|place| place.0.as_mut()).and_then(|taken| taken.get_mut().ok());
            if let Some(taken) = taken {
                taken.iterate().await;
            }
            Ok(())
        })
    })
}

impl Taken {
    fn new(script: &Arc<dyn Script>, books: &Arc<Books>) -> Self {
        books.begin();
        let number = books.started_users.fetch_add(1, Ordering::Relaxed);
        let mut cut = Box::pin(books.stop.cut());
        cut.as_mut().enable();
        let duty = match books.shape.pace() {
            Pace::Users => Duty::Closed(Seat::new(number, Arc::clone(books)), script.user(number)),
            Pace::Arrivals { .. } => Duty::Open(Crew::new(Arc::clone(script), Arc::clone(books), number)),
        };
        Self { duty, cut, books: Arc::clone(books) }
    }

    /// A shift, if it is this user's turn, or what falls due; until the run is cut.
    async fn iterate(&mut self) {
        if self.books.stop.phase() != Phase::Running {
            return leave_soon().await;
        }
        match &mut self.duty {
            Duty::Closed(seat, user) => turn(seat, user.as_mut(), &self.books, self.cut.as_mut()).await,
            // What is dropped when the run is cut books what it had in flight.
            Duty::Open(crew) => {
                select(pin!(crew.work()), self.cut.as_mut()).await;
            }
        }
    }
}

async fn turn(seat: &mut Seat, user: &mut dyn User, books: &Books, cut: Pin<&mut OwnedNotified>) {
    match books.shape.turn(seat.index(), books.now()) {
        Turn::Now => work(seat, user, books, cut).await,
        Turn::From(then) => drop(seat.pause(then.saturating_sub(books.now())).await),
        Turn::Never => books.stop.draining().await,
    }
}

async fn work(seat: &mut Seat, user: &mut dyn User, books: &Books, cut: Pin<&mut OwnedNotified>) {
    books.working.fetch_add(1, Ordering::Relaxed);
    let done = {
        let work = pin!(shift(user, seat, books));
        matches!(select(work, cut).await, Either::Left(_))
    };
    if !done {
        // The work has been dropped; what it had in flight is booked now, while time still runs.
        seat.give_up();
    }
    books.working.fetch_sub(1, Ordering::Relaxed);
}

/// Iterations one after the other while it is this user's turn, for [`limits::SHIFT`]; at least one.
async fn shift(user: &mut dyn User, seat: &mut Seat, books: &Books) {
    let until = books.now() + limits::SHIFT;
    loop {
        user.iterate(seat).await;
        let now = books.now();
        let on = books.stop.phase() == Phase::Running && books.shape.turn(seat.index(), now) == Turn::Now;
        if !on || now >= until {
            return;
        }
        // A journey that waits for nothing must not keep its thread from the others.
        tokio::task::consume_budget().await;
    }
}

/// After the end goose calls on until it has told its users to leave: without a pause, they would spin.
async fn leave_soon() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// goose logs through `log` and prints what it logs unless another logger is there first.
fn silence() {
    struct Silence;
    impl log::Log for Silence {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            false
        }
        fn log(&self, _: &log::Record<'_>) {}
        fn flush(&self) {}
    }
    static SILENCE: Silence = Silence;
    // Fails when there is a logger already, ours or the caller's: then goose's attempt fails too.
    let _ = log::set_logger(&SILENCE);
}
