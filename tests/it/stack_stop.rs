//! The end of the stack: every container stops by itself within its budget, and the sidecars say what they do.

use serde_json::Value;
use std::process::Command;
use tests::program::finish_command;
use tests::stack::{SERVICES, Stack};

pub(crate) fn gracefully(stack: &Stack) {
    stack.compose(&["stop"]).expect("stopped");
    for (service, _) in SERVICES {
        for name in [service.to_owned(), format!("{service}-sidecar")] {
            let state = stack.inspect(&name).expect("known")["State"].clone();
            assert_eq!(
                (&state["Status"], &state["OOMKilled"]),
                (&Value::from("exited"), &Value::from(false)),
                "{name}"
            );
            assert_eq!(state["ExitCode"], 0, "{name} was killed, or failed: {state}");
        }
        let container = stack.container(&format!("{service}-sidecar")).expect("a container");
        let said = finish_command(Command::new("docker").args(["logs", "--tail", "20", &container])).stderr;
        assert!(said.contains("stopping: ") && said.contains("SIGTERM"), "{service}-sidecar: {said}");
    }
}
