//! Real servers for the tests, one file each, started from what Debian installs, on free ports, and ended with the test.

pub mod alertmanager;
pub mod edge;
pub mod exporter;
pub mod mariadb;
pub mod nginx;
pub mod postgres;
pub mod prometheus;
pub mod redis;
pub mod start;

pub use start::{free_port, installed};
