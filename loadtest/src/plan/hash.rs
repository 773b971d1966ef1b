//! A fingerprint of everything that shapes the load, so that later only like is compared with like. The target and the
//! targets are left out (the same load against another stack, judged otherwise, is the same load), and so are the values
//! of variables, which may be secret.

use super::Plan;
use crate::http::Protocol;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The fingerprint, in hex.
pub(super) fn of(plan: &Plan) -> String {
    let mut hash = Sha256::new();
    // Each part ends with a byte that no text has, so that no two lists of parts run into the same bytes.
    let mut add = |part: &str| {
        hash.update(part.as_bytes());
        hash.update([0xff]);
    };
    for stage in &plan.load.stages {
        // Whether it is judged changes nothing of the load.
        add(&format!("{} {} {:?} {:?}", stage.name, stage.level, stage.ramp, stage.duration));
    }
    if plan.load.is_open() {
        add(&format!("{} {}", plan.load.users.value, plan.load.arrivals.value.as_str()));
    }
    add(&format!("{:?}", plan.requests.as_ref().map(|requests| requests.value)));
    // Written only where it is asked for: earlier baselines stay comparable.
    if plan.http2.value != Protocol::default() {
        add(&format!("{:?}", plan.http2.value));
    }
    for journey in &plan.journeys {
        add(&format!("{} {} {}", journey.name, journey.weight, journey.think.value));
        journey.compiled.texts().for_each(&mut add);
    }
    // A plan without them keeps the fingerprint that it had before there were any.
    for (key, once) in [("setup", &plan.setup), ("teardown", &plan.teardown)] {
        if let Some(once) = once {
            add(key);
            once.value.files().for_each(|file| add(&file.source.text));
        }
    }
    for feed in &plan.feeds {
        add(&format!("{} {}", feed.order.as_str(), feed.rows.len()));
        feed.columns.iter().for_each(|column| add(column));
    }
    plan.headers.iter().for_each(|header| add(&header.name));
    plan.variables.iter().for_each(|variable| add(&variable.name));
    hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
