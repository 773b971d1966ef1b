//! A step that holds the variables of this process against a schema, by the rules of `agent check`. Errors fail it, warnings are told.
//! What must stay true: no value is shown (the rules see to that), and a file that hangs costs the step its time and no more.

use super::hook::halted;
use super::tell::Tell;
use crate::config::{Environment, Variables};
use crate::preflight::{self, Report, Request, counted};
use crate::probes::{Fault, Reason};
use crate::units::Span;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Checks; a fault when a variable breaks a rule, or a file cannot be read in time.
pub(super) async fn check(
    (step, variables, env): (&str, &Variables, &Arc<Environment>),
    time: Duration,
    tell: Tell,
    halt: &mut watch::Receiver<bool>,
) -> Result<(), Fault> {
    let request = Request {
        schema: Some(variables.schema.clone()),
        profile: variables.profile,
        accepted: variables.accepted.clone(),
        ..Request::default()
    };
    let env = Arc::clone(env);
    let checked = tokio::task::spawn_blocking(move || preflight::check(&request, &env));
    tokio::select! {
        report = checked => {
            let report = report.map_err(|_panicked| Fault::new(Reason::Internal, "a bug of ours, please report it"))?;
            report.findings.iter().for_each(|finding| tell.finding(step, finding));
            verdict(&report)
        }
        () = tokio::time::sleep(time) => {
            Err(Fault::new(Reason::Timeout, format!("the files it names were not read within {}", Span(time))))
        }
        () = halted(halt) => Err(Fault::new(Reason::Timeout, "stopped, because the start has ended")),
    }
}

fn verdict(report: &Report) -> Result<(), Fault> {
    if let Some(message) = report.unreadable.first() {
        let message = message.trim_start_matches("error: ").trim_end().replace('\n', ";");
        return Err(Fault::new(Reason::Config, message));
    }
    match report.errors() + report.beyond {
        0 => Ok(()),
        errors => {
            let fault = Fault::new(Reason::Config, format!("the environment has {}", counted(errors, "error")));
            Err(fault.hint("each stands above with its way out; `agent check --schema` tells the same"))
        }
    }
}
