//! The service from outside, over a real TCP port. `support` starts it and talks to it; `process` drives the real binary and
//! its signals; the rest is one file a behaviour.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test fails by panicking, may ask for the time, and shares its support"
)]

mod faults;
mod files;
mod health;
mod pages;
mod process;
mod protection;
mod records;
mod sessions;
mod support;
mod websocket;
