//! Several requests at once on one connection, as a browser asks for the files of a page. What must stay true: each has an outcome of its
//! own, also when the time of all is up; and all bodies together are no larger than a page may be.

use super::super::prepared::Prepared;
use super::super::wire::{Answer, Broken};
use super::super::{Request, TransportError};
use super::{Progress, Stage, Step, Wire, reset};
use crate::clock;
use crate::limits::PAGE_BYTES;
use std::future::poll_fn;
use std::task::{Context, Poll};

/// A request among others, and what came of it.
pub(in crate::http) struct Flight(State);

enum State {
    /// Under way.
    Open(Box<Progress>),
    /// Its answer, or why there is none.
    Landed(Result<Answer, Broken>),
}

impl Flight {
    /// A request that is to be sent.
    pub(in crate::http) fn new(request: &Request, to: &Prepared) -> Self {
        Self(match Progress::new(request, to) {
            Ok(progress) => State::Open(Box::new(progress)),
            Err(error) => State::Landed(Err(Broken { error, unanswered: false })),
        })
    }

    /// What came of it; nothing while it is under way.
    pub(in crate::http) fn landed(self) -> Option<Result<Answer, Broken>> {
        match self.0 {
            State::Open(_) => None,
            State::Landed(came) => Some(came),
        }
    }

    /// Bytes of its body in memory.
    fn held(&self) -> usize {
        match &self.0 {
            State::Open(progress) => match &progress.stage {
                Stage::Reading(collected, ..) => collected.length(),
                Stage::Asking(_) | Stage::Waiting(_) => 0,
            },
            State::Landed(Ok(answer)) => answer.body.len(),
            State::Landed(Err(_)) => 0,
        }
    }

    /// Ends it with an error, if it is under way.
    fn give_up(&mut self, error: &TransportError) {
        if let State::Open(_) = self.0 {
            self.0 = State::Landed(Err(Broken { error: error.clone(), unanswered: false }));
        }
    }

    /// Lets it come as far as it can; whether it has.
    fn step(&mut self, wire: &mut Wire, ended: bool, cx: &mut Context<'_>) -> bool {
        let State::Open(progress) = &mut self.0 else { return false };
        let came = match wire.step(progress, ended, cx) {
            Poll::Pending => return false,
            Poll::Ready(Ok(Step::On)) => return true,
            Poll::Ready(Ok(Step::Whole)) => {
                let stage = std::mem::replace(&mut progress.stage, Stage::Asking(http::Request::default()));
                match stage {
                    Stage::Reading(collected, _, first_byte) => Ok(collected.into_answer(first_byte, clock::now())),
                    Stage::Asking(_) | Stage::Waiting(_) => Err(reset(false)),
                }
            }
            Poll::Ready(Err(broken)) => Err(broken),
        };
        self.0 = State::Landed(came);
        true
    }
}

impl Wire {
    /// Sends all of them, as many at once as the peer takes, and reads the whole answers.
    pub(in crate::http) async fn exchange_all(&mut self, flights: &mut [Flight]) {
        self.fit = false;
        poll_fn(|cx| self.poll_all(flights, cx)).await;
        self.fit = flights.iter().all(|flight| matches!(flight.0, State::Landed(Ok(_))));
    }

    fn poll_all(&mut self, flights: &mut [Flight], cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let ended = self.poll_connection(cx);
            let mut moved = false;
            for flight in flights.iter_mut() {
                moved |= flight.step(self, ended, cx);
            }
            if flights.iter().map(Flight::held).sum::<usize>() > PAGE_BYTES {
                flights.iter_mut().for_each(|flight| flight.give_up(&TransportError::BodyTooLarge(PAGE_BYTES)));
            }
            if flights.iter().all(|flight| matches!(flight.0, State::Landed(_))) {
                return Poll::Ready(());
            }
            if !moved {
                return Poll::Pending;
            }
        }
    }
}
