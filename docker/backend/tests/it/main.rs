//! The service from outside, over a real TCP port. `support` starts it and talks to it; `process` drives the real binary and
//! its signals; the rest is one file a behaviour.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and may ask for the time"
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
