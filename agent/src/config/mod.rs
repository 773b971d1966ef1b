//! From text to a checked plan: file, flags and environment in, [`Plan`] out, or every problem with its place.
//! Only the plan runs. What must stay true: a bad configuration never half-starts and never replaces a good one (invariant 7).

mod plan;

pub use plan::{Check, Plan, ServerPlan};
