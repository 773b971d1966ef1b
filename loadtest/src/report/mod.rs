//! The one truth of a run: a [`Report`], built once from what was measured and judged. Terminal and JSON are pure
//! renderings of it. Knows neither the engine nor the network. What must stay true: a percentile that the samples cannot
//! carry is absent everywhere, and no secret of the plan is in it.

mod json;
mod model;
mod terminal;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;

pub use json::{JsonFile, render as to_json};
pub use model::{Facts, GeneratorLine, Line, Report, Stage, TargetLine, build};
pub use terminal::{final_lines, render as to_terminal};
pub use timeline::{SlotLine, TimelineLines};
