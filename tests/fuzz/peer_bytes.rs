//! One fuzz target for every parser of bytes that a peer or the kernel chose; the variable `PARSER` names which. The list is the agent's
//! own (`agent/src/fuzz.rs`), so a new parser is fuzzed without a line here.
#![no_main]

use agent::parser::Parser;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static PARSER: LazyLock<Parser> = LazyLock::new(|| {
    let all = agent::fuzz::all();
    let names: Vec<&str> = all.iter().map(|parser| parser.name).collect();
    let wanted = std::env::var("PARSER").unwrap_or_default();
    let found = all.iter().find(|parser| parser.name == wanted).copied();
    found.unwrap_or_else(|| panic!("set PARSER to one of: {}", names.join(" ")))
});

fuzz_target!(|bytes: &[u8]| (PARSER.read)(bytes));
