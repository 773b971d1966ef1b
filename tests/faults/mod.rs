//! The fault bench: a table of faults, each brought about in real components, with the cause that the agent must name, the time allowed,
//! and its healthy twin: the time before the fault, or a sound check beside it. `tests/faults/run` tries all, `it/faults.rs` a fixed
//! dozen; `tests/faults/run stack` brings others about in the whole stack in containers. What must stay true: a row ends, and leaves nothing behind, whatever the agent does.

pub mod certificates;
pub mod cgroup;
pub mod container;
pub mod healthy;
pub mod room;
mod rows;
pub mod scene;
pub mod stack;
pub mod stack_rows;
pub mod web;

pub use scene::{Named, Scene, Verdict};

/// A fault of the table.
pub struct Row {
    /// What goes wrong, in words.
    pub name: &'static str,
    /// The causes that must be named with their subjects; the subject `*` is any.
    pub causes: &'static [(&'static str, &'static str)],
    /// Causes that may be named beside them: what the fault does to others.
    pub also: &'static [&'static str],
    /// Whose failure must point to which root.
    pub follows: &'static [(&'static str, &'static str)],
    /// How many seconds the agent has.
    pub within: u64,
    /// Whether it is one of the dozen that every run of the tests tries.
    pub always: bool,
    stage: fn() -> Result<Scene, String>,
}

impl Row {
    const fn new(
        name: &'static str,
        causes: &'static [(&'static str, &'static str)],
        stage: fn() -> Result<Scene, String>,
    ) -> Self {
        Self { name, causes, also: &[], follows: &[], within: 10, always: false, stage }
    }

    const fn also(mut self, also: &'static [&'static str]) -> Self {
        self.also = also;
        self
    }

    const fn follows(mut self, follows: &'static [(&'static str, &'static str)]) -> Self {
        self.follows = follows;
        self
    }

    const fn within(mut self, seconds: u64) -> Self {
        self.within = seconds;
        self
    }

    const fn always(mut self) -> Self {
        self.always = true;
        self
    }

    /// Whether this is another name for what this row does.
    fn is_wrong(&self, cause: &Named) -> bool {
        let about = self.causes.iter().any(|(_, subject)| *subject == cause.subject);
        let known =
            self.causes.iter().any(|wanted| scene::is(cause, wanted)) || self.also.contains(&cause.cause.as_str());
        about && !known
    }

    /// Brings the fault about and says what came of it; a panic on the way is a row that was not tried.
    #[must_use]
    pub fn play(&self) -> Verdict {
        caught(|| match (self.stage)() {
            Ok(scene) => scene.play(self),
            Err(why) => Verdict::NotRun(why),
        })
    }
}

/// A panic on the way is a row that was not tried.
fn caught(play: impl FnOnce() -> Verdict + std::panic::UnwindSafe) -> Verdict {
    std::panic::catch_unwind(play).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
        Verdict::NotRun(format!("broken: {said}"))
    })
}

/// The whole table.
pub fn table() -> impl Iterator<Item = &'static Row> {
    rows::ALL.iter().copied().flatten()
}
