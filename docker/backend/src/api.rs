//! Owns the endpoints, one file each. A file reads what was asked, has it done, and shapes the answer; the work is elsewhere.

pub mod admin;
pub mod faults;
pub mod files;
pub mod health;
pub mod login;
pub mod metrics;
pub mod pages;
pub mod recommendations;
pub mod records;
pub mod websocket;

use std::sync::Arc;

use axum::Router;

use crate::app::App;

type Routes = Router<Arc<App>>;
