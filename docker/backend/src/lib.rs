//! The demo API: what the agent guards and the load tester exercises. A small, whole service to learn from: it logs in, keeps
//! seven kinds of entities, takes files, echoes over WebSocket, runs a job, tells its health and metrics, can be told to
//! misbehave, and stops in order.
//!
//! Map: `config` reads the environment · `run` is the life of the process · `server` owns sockets · `routes` the paths ·
//! `api` one file an endpoint · `auth` who is asking · `entities` what is kept · `db` all SQL · `cache` Redis · `reads` what a
//! copy may answer · `jobs` the worker ·
//! `faults` the switches · `metrics` what is counted. `entities` and `auth/token` are pure; only `db` knows SQL, only `cache` knows Redis, only `clock`
//! asks for the time, and every cap and deadline stands in `limits`.

pub mod api;
pub mod app;
pub mod auth;
pub mod body;
pub mod cache;
pub mod clock;
pub mod config;
pub mod db;
pub mod entities;
pub mod error;
pub mod exit;
pub mod faults;
pub mod health_command;
pub mod jobs;
pub mod limits;
pub mod logging;
pub mod metrics;
pub mod middleware;
pub mod reads;
pub mod routes;
pub mod run;
pub mod secret;
pub mod server;
pub mod signals;
pub mod stopping;

pub use faults::FaultSettings;
