//! What a person sees during a wait: at a terminal one line a dependency that is kept up to date, elsewhere a line a change and one
//! every ten seconds. All of it goes to stderr, for stdout is the command's.

use super::report::{self, Report};
use super::{Change, Dependency, dependency::Kind};
use crate::limits;
use crate::paint::{Paint, window};
use crate::units::Span;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

/// How progress and end are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For people, and only when it ends badly.
    Quiet,
    /// One JSON object at the end, which the caller prints.
    Json,
}

/// Tells a person how the wait goes.
#[derive(Debug)]
pub struct Show {
    form: Form,
    paint: Paint,
    /// Lines of the block that is kept up to date; `None` where lines follow each other.
    live: Option<usize>,
    told: Duration,
}

impl Show {
    /// On stderr, in this form.
    #[must_use]
    pub fn new(form: Form) -> Self {
        Self { form, paint: Paint::for_stream(&io::stderr()), live: None, told: Duration::ZERO }
    }

    pub(super) fn begin(&mut self, all: &[Dependency], timeout: Duration) {
        if self.form != Form::Text || all.is_empty() {
            return;
        }
        let names: Vec<&str> = all.iter().map(|one| one.facts.name.as_str()).collect();
        tell(&format!("waiting for {}, at most {}\n", names.join(", "), Span(timeout)));
        let rows = window(io::stderr()).map(|(rows, _)| rows);
        if io::stderr().is_terminal() && rows.is_some_and(|rows| all.len() + 1 < rows) {
            self.live = Some(0);
            self.redraw(all, Duration::ZERO);
        }
    }

    pub(super) fn changed(&mut self, all: &[Dependency], change: Option<Change>, at: Duration) {
        if self.form != Form::Text {
            return;
        }
        if self.live.is_some() {
            return self.redraw(all, at);
        }
        let Some(Change { index, kind }) = change else { return };
        match (kind, all.get(index)) {
            (Kind::Ready, Some(one)) => tell(&format!("{}\n", ready(one, self.paint))),
            (Kind::Reason, Some(one)) => tell(&reason(one, self.paint)),
            _ => {}
        }
    }

    pub(super) fn tick(&mut self, all: &[Dependency], at: Duration) {
        if self.form != Form::Text {
            return;
        }
        if self.live.is_some() {
            return self.redraw(all, at);
        }
        if at.saturating_sub(self.told) < limits::WAIT_REMINDER {
            return;
        }
        self.told = at;
        let open = all.iter().filter(|one| !one.ready()).map(|one| match &one.fault {
            Some(fault) => format!("{} ({})", one.facts.name, fault.reason),
            None => format!("{} (no answer yet)", one.facts.name),
        });
        let open = open.collect::<Vec<_>>().join(", ");
        tell(&format!("still waiting after {}: {open}\n", Span(Duration::from_secs(at.as_secs()))));
    }

    pub(super) fn end(&mut self, report: &Report) {
        if self.live.is_some() {
            self.redraw(&report.dependencies, report.took);
        }
        let good = report.ended == report::Ended::Ready;
        if self.form == Form::Text || (self.form == Form::Quiet && !good) {
            tell(&report.text(self.paint));
        }
    }

    /// Goes up over the block and writes it again.
    fn redraw(&mut self, all: &[Dependency], at: Duration) {
        let width = window(io::stderr()).map_or(limits::WAIT_LINE_CHARS, |(_, columns)| columns);
        let mut block = match self.live {
            Some(lines @ 1..) => format!("\u{1b}[{lines}A"),
            _ => String::new(),
        };
        let names = all.iter().map(|one| one.facts.name.chars().count()).max().unwrap_or_default();
        for one in all {
            let _ = writeln!(block, "\u{1b}[2K{}", line(one, names, at, (width, self.paint)));
        }
        tell(&block);
        self.live = Some(all.len());
    }
}

/// A dependency in one line of at most `width` characters.
fn line(one: &Dependency, names: usize, at: Duration, (width, paint): (usize, Paint)) -> String {
    let name = &one.facts.name;
    let (word, rest) = match (one.ready_after, &one.fault) {
        (Some(after), _) => (paint.green("ready  "), format!("{name:<names$}  after {}", Span(report::rounded(after)))),
        (None, Some(fault)) => {
            let since = Span(Duration::from_secs(at.saturating_sub(one.fault_since).as_secs().max(1)));
            (paint.yellow("waiting"), format!("{name:<names$}  {} for {since}: {}", fault.reason, fault.message))
        }
        (None, None) => (paint.yellow("waiting"), format!("{name:<names$}  asked, no answer yet")),
    };
    let room = width.saturating_sub("  waiting  ".len() + 1);
    format!("  {word}  {}", rest.chars().take(room).collect::<String>())
}

fn ready(one: &Dependency, paint: Paint) -> String {
    let after = Span(report::rounded(one.ready_after.unwrap_or_default()));
    let tries = if one.tries > 1 { format!(", {} tries", one.tries) } else { String::new() };
    format!("{} {} after {after}{tries}", one.facts.name, paint.green("ready"))
}

fn reason(one: &Dependency, paint: Paint) -> String {
    let Some(fault) = &one.fault else { return String::new() };
    let word = paint.yellow("not ready");
    let mut out = format!("{} {word}: {}: {}\n", one.facts.name, fault.reason, fault.message);
    if let Some(hint) = &fault.hint {
        let _ = writeln!(out, "  {} {hint}", paint.cyan("hint:"));
    }
    if one.looks_hopeless() {
        out.push_str("  waiting will hardly help: somebody has to look at it\n");
    }
    out
}

/// In one piece; when nobody reads it there is nobody to tell.
fn tell(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
