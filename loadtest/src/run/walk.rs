//! Virtual users that walk through journeys: the bridge between the engine, which knows users and books, and the journeys,
//! which know requests and asserts. What must stay true: every request that is sent is booked once, and one that is not sent
//! because the run is ending is not booked.

use super::sockets::{self, Booth};
use crate::engine::{Outcome, Script, Seat, User};
use crate::http::{Client, Fetched, Network, Request, Response, Transport, TransportError};
use crate::journey::{
    Act, CommonHeaders, Defaults, Entry, Exchange, Journey, Observer, Session, Value, Who, run_entry,
};
use crate::measure::Flight;
use crate::plan::{Feed, Plan};
use crate::redact::Redactor;
use crate::units::Think;
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The plan's journeys as the engine wants them, each with its weight.
pub(super) fn scripts(plan: &Plan, network: &Arc<Network>) -> Vec<(usize, Arc<dyn Script>)> {
    let variables = Arc::new(variables(plan));
    let index: HashMap<&str, usize> = plan.names.requests.iter().map(|named| named.name.as_str()).zip(0..).collect();
    let route = |planned: &crate::plan::PlannedJourney| -> (usize, Arc<dyn Script>) {
        let names = planned.requests().filter_map(|name| index.get(name).copied()).collect();
        let route = Route {
            name: planned.name.clone(),
            journey: Arc::clone(&planned.compiled),
            names,
            think: planned.think.value,
            variables: Arc::clone(&variables),
            headers: plan.headers.common(),
            defaults: Defaults::speaking(plan.http2.value),
            feeds: plan.feeds.clone(),
            network: Arc::clone(network),
            redactor: plan.redactor.clone(),
        };
        (usize::try_from(planned.weight).unwrap_or(1), Arc::new(Kind(Arc::new(route))))
    };
    plan.journeys.iter().map(route).collect()
}

/// The variables that all users start with.
pub(super) fn variables(plan: &Plan) -> HashMap<String, Value> {
    plan.variables.iter().map(|variable| (variable.name.clone(), variable.typed.clone())).collect()
}

/// The row of each data file for a user's next round, as variables.
pub(super) fn row(feeds: &[Feed], user: usize, round: usize) -> impl Iterator<Item = (String, Value)> {
    feeds.iter().flat_map(move |feed| feed.variables(user, round, fastrand::f64()))
}

/// A journey and what its users share.
struct Route {
    name: String,
    journey: Arc<Journey>,
    /// The index of each request's name, in order.
    names: Vec<usize>,
    think: Think,
    variables: Arc<HashMap<String, Value>>,
    headers: CommonHeaders,
    defaults: Defaults,
    feeds: Vec<Feed>,
    network: Arc<Network>,
    redactor: Redactor,
}

struct Kind(Arc<Route>);

impl Script for Kind {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn first(&self) -> usize {
        self.0.names.first().copied().unwrap_or(0)
    }

    fn user(&self, number: usize) -> Box<dyn User> {
        let client = Client::new(Arc::clone(&self.0.network));
        let who = Arc::new(Who::new(number + 1));
        Box::new(Walker { route: Arc::clone(&self.0), client, who, number, round: 0 })
    }
}

/// One user. Its connections last; variables and cookies are new in each round, as if somebody else came.
struct Walker {
    route: Arc<Route>,
    client: Client,
    who: Arc<Who>,
    number: usize,
    round: usize,
}

impl User for Walker {
    fn iterate<'a>(&'a mut self, seat: &'a mut Seat) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            self.walk(seat).await;
            self.round += 1;
            seat.think(self.route.think.at(fastrand::f64())).await;
        })
    }
}

impl Walker {
    /// Once through the journey; an entry that fails ends it, as in Hurl.
    async fn walk(&mut self, seat: &mut Seat) {
        let route = Arc::clone(&self.route);
        let mut session = Session::new(Arc::clone(&route.variables), Arc::clone(&self.who));
        session.headers = route.headers.clone();
        session.defaults = route.defaults.clone();
        for (name, value) in row(&route.feeds, self.number, self.round) {
            session.variables.set(name, value);
        }
        let mut names = route.names.iter().copied();
        for act in route.journey.acts() {
            if seat.is_ending() {
                return;
            }
            let Some(name) = names.next() else { return };
            let went_on = match act {
                Act::Entry(entry) => self.entry(entry, name, &mut session, seat).await,
                Act::WebSocket(step) => {
                    let (opening, trip, redactor) = (name, names.next().unwrap_or(name), &route.redactor);
                    sockets::walk(step, &mut session, &route.network, Booth { seat, opening, trip, redactor }).await
                }
            };
            if !went_on {
                return;
            }
        }
    }

    /// One entry; whether the journey goes on.
    async fn entry(&mut self, entry: &Entry, name: usize, session: &mut Session, seat: &mut Seat) -> bool {
        let desk = Mutex::new(Desk { seat, name, page: entry.page, landed: None, failed: None, refused: false });
        let mut sender = Sender { client: &mut self.client, desk: &desk };
        let outcome = run_entry(entry, session, &mut sender, &mut Clerk { desk: &desk }).await;
        let clean = |text: &str| self.route.redactor.clean(&session.redact(text));
        let went_on = desk.into_inner().unwrap_or_else(PoisonError::into_inner).close(&clean);
        went_on && outcome.passed()
    }
}

/// Where a user's request is between the wire, which sends it, and the journey, which judges it.
struct Desk<'a> {
    seat: &'a mut Seat,
    name: usize,
    /// Whether more may follow an answer that is back: then the request is in flight until it is judged.
    page: bool,
    /// Back from the wire, not judged yet.
    landed: Option<Flight>,
    /// Judged to have failed; booked when its text can be cleaned of what the session captured.
    failed: Option<Failed>,
    /// The run is ending: nothing was sent.
    refused: bool,
}

/// A failed request.
struct Failed {
    flight: Flight,
    outcome: Outcome<'static>,
    what: String,
}

impl Desk<'_> {
    /// Books a judged exchange. One that could not even be sent takes a flight of no length, for it is an error too.
    fn judged(&mut self, exchange: &Exchange<'_>) {
        if self.refused {
            return;
        }
        let landed = self.landed.take().or_else(|| self.seat.land()).or_else(|| {
            exchange.fault?;
            self.seat.depart(self.name).then(|| self.seat.land()).flatten()
        });
        let Some(flight) = landed else { return };
        let outcome = Outcome {
            latency: exchange.timings.unwrap_or_default().total,
            status: exchange.status.unwrap_or(0),
            bytes: exchange.bytes,
            http2: exchange.http2,
            failure: if exchange.retried { None } else { exchange.failure() },
            example: None,
        };
        match exchange.fault.filter(|_| outcome.failure.is_some()) {
            Some(fault) => self.failed = Some(Failed { flight, outcome, what: fault.summary() }),
            None => self.seat.record(flight, outcome),
        }
    }

    /// Books what has failed; whether the journey may go on.
    fn close(self, clean: &dyn Fn(&str) -> String) -> bool {
        if let Some(Failed { flight, outcome, what }) = self.failed {
            let what = clean(&what);
            self.seat.record(flight, Outcome { example: Some(&what), ..outcome });
        }
        !self.refused
    }
}

/// Sends what the run allows.
struct Sender<'a, 'b> {
    client: &'a mut Client,
    desk: &'a Mutex<Desk<'b>>,
}

impl Transport for Sender<'_, '_> {
    fn send(&mut self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            if !depart(self.desk) {
                return Err(TransportError::Reset);
            }
            let answer = self.client.send(request).await;
            let mut desk = open(self.desk);
            if !desk.page {
                desk.landed = desk.seat.land();
            }
            answer
        })
    }

    /// The files of a page belong to its request, which is in flight still.
    fn send_all(&mut self, requests: Vec<Request>) -> BoxFuture<'_, Vec<Result<Fetched, TransportError>>> {
        self.client.send_all(requests)
    }
}

fn depart(desk: &Mutex<Desk<'_>>) -> bool {
    let mut desk = open(desk);
    let name = desk.name;
    desk.refused = !desk.seat.depart(name);
    !desk.refused
}

/// Hears what the journey makes of each exchange.
struct Clerk<'a, 'b> {
    desk: &'a Mutex<Desk<'b>>,
}

impl Observer for Clerk<'_, '_> {
    fn exchange(&mut self, exchange: &Exchange<'_>) {
        open(self.desk).judged(exchange);
    }
}

/// Only one of wire and journey is at work at a time, so nobody ever waits here.
fn open<'a, 'b>(desk: &'a Mutex<Desk<'b>>) -> MutexGuard<'a, Desk<'b>> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}
