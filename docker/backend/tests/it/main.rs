//! The service from outside, over a real TCP port. `support` starts it and talks to it; `process` drives the real binary and
//! its signals; `databases` and `cache` run it on real PostgreSQL, MariaDB and Redis (SKIPPED where they are not installed); the rest is one file a
//! behaviour, on SQLite.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test fails by panicking, may ask for the time, and shares its support"
)]

#[path = "../../../../tests/src/servers"]
#[expect(unreachable_pub, reason = "these files are public in the crate that they come from")]
#[allow(dead_code, reason = "the tests from outside use more of them")]
mod servers {
    pub mod mariadb;
    pub mod postgres;
    pub mod redis;
    pub mod start;
}

mod cache;
mod databases;
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
