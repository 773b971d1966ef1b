//! A plain driver for the benchmark in `tests/bench/loadtest`: users who get one URL as fast as they can.
//!
//! `drive URL USERS SECONDS [REQUESTS]` prints a line: requests, errors, requests a second, client CPU in
//! microseconds a request, p50 and p99 in milliseconds, peak memory in MB; and a second one: latencies beside the lateness of the generator.

use loadtest::engine::{self, Control, Outcome, Patience, Script, Seat, Shape, Signals, User, Work};
use loadtest::http::{Client, Network, Request, Transport};
use loadtest::measure::Failure;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

struct Get {
    request: Request,
    network: Arc<Network>,
}

struct Getter {
    request: Request,
    client: Client,
}

impl Script for Get {
    fn name(&self) -> &str {
        "get"
    }

    fn first(&self) -> usize {
        0
    }

    fn user(&self, _: usize) -> Box<dyn User> {
        Box::new(Getter { request: self.request.clone(), client: Client::new(Arc::clone(&self.network)) })
    }
}

impl User for Getter {
    fn iterate<'a>(&'a mut self, seat: &'a mut Seat) -> futures_util::future::BoxFuture<'a, ()> {
        Box::pin(async move {
            if !seat.depart(0) {
                return;
            }
            match self.client.send(self.request.clone()).await {
                Ok(response) => seat.done(Outcome {
                    latency: response.timings.total,
                    status: response.status,
                    bytes: response.body.len() as u64,
                    failure: (response.status != 200).then_some(Failure::Status),
                    ..Outcome::default()
                }),
                Err(error) => seat.done(Outcome {
                    failure: Some(Failure::Broken),
                    example: Some(&error.to_string()),
                    ..Outcome::default()
                }),
            }
        })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next();
    let (Some(url), Some(users), Some(seconds)) = (next(), next(), next()) else {
        return Err("usage: drive URL USERS SECONDS [REQUESTS]".into());
    };
    let requests = next().map(|text| text.parse()).transpose()?;
    let request = Request {
        method: http::Method::GET,
        url: Arc::new(url.parse()?),
        headers: http::HeaderMap::new(),
        body: bytes::Bytes::new(),
        options: Arc::default(),
    };
    let work = Work {
        shape: Shape::ramp_and_hold(users.parse()?, Duration::ZERO, Duration::from_secs(seconds.parse()?)),
        requests,
        max_errors: None,
        names: vec!["get".to_owned()],
        scripts: vec![(1, Arc::new(Get { request, network: Arc::default() }))],
        patience: Patience::default(),
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(drive(work))
}

async fn drive(work: Work) -> Result<(), Box<dyn Error>> {
    let mut signals = Signals::claim()?;
    let control = Control::new(&work);
    let running = engine::run(work, control.clone());
    let ended = tokio::select! {
        ended = running => ended?,
        () = signals.obey(&control) => return Ok(()),
    };
    let Some(total) = ended.summary.total(&[]) else { return Err("no requests".into()) };
    let ms = |time: Option<Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
    println!(
        "{} requests {} errors {:.0} req/s {:.2} us/req p50 {:.2} ms p99 {:.2} ms {} MB cpu {:.2} late_p99 {} us {:?} {}\n\
         latency p50 {:.1} p90 {:.1} p95 {:.1} p99 {:.1} max {:.1} ms; late {:?}",
        total.count,
        total.errors(),
        total.throughput().unwrap_or(0.0),
        ended.summary.generator.cpu_us_per_request,
        ms(total.quantile(0.5)),
        ms(total.quantile(0.99)),
        peak_memory() / 1024,
        ended.summary.generator.cpu_used_ratio,
        ended.summary.generator.late.p99_us,
        ended.reason,
        total.example.as_deref().unwrap_or_default(),
        ms(total.quantile(0.5)),
        ms(total.quantile(0.9)),
        ms(total.quantile(0.95)),
        ms(total.quantile(0.99)),
        ms(total.max()),
        ended.summary.generator.late,
    );
    Ok(())
}

/// Peak resident memory in KiB, as the kernel tells it.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}
