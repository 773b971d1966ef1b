//! The one truth of a run: a [`Report`], built once from what was measured and judged. Terminal and JSON are pure
//! renderings of it. Knows neither the engine nor the network. What must stay true: a percentile that the samples cannot
//! carry is absent everywhere, and no secret of the plan is in it.

mod build;
mod capacity;
mod changes;
mod escape;
mod exposition;
mod file;
mod html;
mod json;
mod judging;
#[cfg(test)]
mod judging_tests;
mod junit;
mod markdown;
mod model;
#[cfg(test)]
mod past_tests;
mod said;
#[cfg(test)]
mod schema_tests;
mod terminal;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;
mod why;

pub(crate) use escape::{xml, xml_attribute};

pub use build::{About, Facts, build, spans};
pub use capacity::{Broken, Capacity, Step};
pub use changes::comparison;
pub use exposition::{METRICS, Moment as ScrapeMoment, render as to_exposition};
pub use file::ReportFile;
pub use html::render as to_html;
pub use json::{SCHEMA, VERSION, read, render as to_json};
pub use judging::missed_so_far;
pub use junit::render as to_junit;
pub use markdown::render as to_markdown;
pub use model::{EndingKind, EndingLine, GeneratorLine, Line, Report, Stage, TargetLine};
pub use terminal::{final_lines, render as to_terminal};
pub use timeline::{SlotLine, TimelineLines};
pub use why::{FigureLine, FindingLine, GapLine, SidecarLine, SuspectLine};
