//! What is seen while the run goes on: on a terminal a small view that is redrawn, otherwise a line every few seconds.
//! Pure text of a frame and a width; the only state is how many lines stand on the screen. Goes to standard error, so that
//! the report alone is on standard output.

use crate::limits::SPARKS;
use crate::targets::{percent, short};
use crate::units::Readable;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::Duration;

/// The state of a run at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Name of the current stage.
    pub stage: String,
    /// Time since the start.
    pub elapsed: Duration,
    /// Planned length of the run.
    pub planned: Duration,
    /// When stages end, but for the last.
    pub edges: Vec<Duration>,
    /// Requests in flight.
    pub in_flight: usize,
    /// Users at work.
    pub users: usize,
    /// Users at full load.
    pub all_users: usize,
    /// Finished requests so far.
    pub count: u64,
    /// Errors so far.
    pub errors: u64,
    /// The last seconds.
    pub recent: Recent,
    /// Age of the oldest request that waits for its answer.
    pub oldest: Duration,
}

/// Figures of the last seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Recent {
    /// Requests a second.
    pub rate: Option<f64>,
    /// Median.
    pub p50: Option<Duration>,
    /// 95th percentile.
    pub p95: Option<Duration>,
    /// 99th percentile.
    pub p99: Option<Duration>,
    /// Share of the requests that failed, 0 to 1.
    pub errors: Option<f64>,
}

/// What the last frames showed, for the curves of the view.
#[derive(Clone, Debug, Default)]
pub struct History(VecDeque<Recent>);

impl History {
    /// Remembers a frame; the oldest is forgotten when it is full.
    pub fn push(&mut self, recent: Recent) {
        self.0.push_back(recent);
        if self.0.len() > SPARKS {
            self.0.pop_front();
        }
    }

    /// The last figures as a row of bars, right-aligned, the highest as high as a line; a figure that is none leaves a gap.
    fn spark(&self, width: usize, read: impl Fn(&Recent) -> Option<f64>) -> String {
        const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let shown: Vec<Option<f64>> = self.0.iter().skip(self.0.len().saturating_sub(width)).map(read).collect();
        let most = shown.iter().flatten().copied().fold(0.0, f64::max);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 7")]
        let bar = |value: f64| if most > 0.0 { (value / most * 7.0).round() as usize } else { 0 };
        let bars: String =
            shown.iter().map(|value| value.and_then(|value| BARS.get(bar(value)).copied()).unwrap_or(' ')).collect();
        format!("{bars:>width$}")
    }
}

/// The view for a terminal: a few lines, each at most as wide as the screen.
#[must_use]
pub fn view(frame: &Frame, history: &History, width: usize) -> Vec<String> {
    let Frame { users, all_users, count, errors, recent, in_flight, .. } = frame;
    let room = width.saturating_sub(40).min(SPARKS);
    let times = format!("{} of {}", clock(frame.elapsed), clock(frame.planned));
    let seconds = |latency: Option<Duration>| latency.map(|latency| latency.as_secs_f64());
    let lately = recent.errors.map_or("–".to_owned(), |share| format!("{} %", short(share * 100.0)));
    let rates = history.spark(room + 2, |recent| recent.rate);
    let latencies = history.spark(room + 2, |recent| seconds(recent.p95));
    let failures = history.spark(room + 2, |recent| recent.errors);
    let lines = [
        format!("{:8} {} {times}", cut(&frame.stage), bar(frame, room)),
        format!("rate     {rates} {:>8}   {count} requests", rate(recent.rate)),
        format!("p95      {latencies} {:>8}   p50 {}, p99 {}", said(recent.p95), said(recent.p50), said(recent.p99)),
        format!("errors   {failures} {lately:>8}   {errors} in all ({})", percent(*errors, *count)),
        format!("users    {users} of {all_users}, {in_flight} requests in flight{}", oldest(frame)),
    ];
    lines.into_iter().map(|line| line.chars().take(width).collect()).collect()
}

/// The same in one line.
#[must_use]
pub fn line(frame: &Frame) -> String {
    let Frame { stage, users, count, errors, recent, .. } = frame;
    format!(
        "{} {stage}: {users} users, {count} requests, {}, p50 {}, p95 {}, p99 {}, {errors} errors{}",
        clock(frame.elapsed),
        rate(recent.rate),
        said(recent.p50),
        said(recent.p95),
        said(recent.p99),
        oldest(frame),
    )
}

/// A request that waits for more than a second is worth a word: it is in no percentile yet.
fn oldest(frame: &Frame) -> String {
    if frame.oldest < Duration::from_secs(1) {
        return String::new();
    }
    format!("   oldest unanswered {}", Readable(Duration::from_secs(frame.oldest.as_secs())))
}

fn bar(frame: &Frame, width: usize) -> String {
    let full = place(frame.elapsed, frame.planned, width);
    let edges: Vec<usize> = frame.edges.iter().map(|edge| place(*edge, frame.planned, width)).collect();
    let cell = |at: usize| {
        if edges.contains(&at) {
            '|'
        } else if at < full {
            '#'
        } else {
            '.'
        }
    };
    format!("[{}]", (0..width).map(cell).collect::<String>())
}

/// A stage's name as long as there is room for it.
fn cut(name: &str) -> String {
    name.chars().take(8).collect()
}

/// The column of a moment in a bar that is so wide.
fn place(at: Duration, planned: Duration, width: usize) -> usize {
    let share = at.as_secs_f64() / planned.as_secs_f64().max(f64::MIN_POSITIVE);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "as wide as a screen"
    )]
    let column = (share.clamp(0.0, 1.0) * width as f64) as usize;
    column.min(width)
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

fn rate(rate: Option<f64>) -> String {
    rate.map_or("–/s".to_owned(), |rate| format!("{}/s", short(rate)))
}

fn said(latency: Option<Duration>) -> String {
    latency.map_or("–".to_owned(), |latency| Readable(latency).to_string())
}

/// Where frames are drawn. Dropping it takes the view off the screen, whatever ended the run.
pub struct Screen<W: Write> {
    out: W,
    drawn: usize,
}

impl<W: Write> Screen<W> {
    /// A screen on which nothing is drawn yet.
    pub const fn new(out: W) -> Self {
        Self { out, drawn: 0 }
    }

    /// Draws lines over the ones drawn before.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&mut self, lines: &[String]) -> io::Result<()> {
        let mut text = self.back();
        for line in lines {
            text += &format!("\r\x1b[2K{line}\n");
        }
        self.drawn = lines.len();
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Takes the view off the screen.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn clear(&mut self) -> io::Result<()> {
        if self.drawn == 0 {
            return Ok(());
        }
        // Up to the first line, then everything below it away.
        let text = self.back() + "\r\x1b[J";
        self.drawn = 0;
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    fn back(&self) -> String {
        if self.drawn == 0 { String::new() } else { format!("\x1b[{}A", self.drawn) }
    }
}

impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        // A terminal that is gone needs no clearing.
        let _ = self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        let ms = Duration::from_millis;
        Frame {
            stage: "load".to_owned(),
            elapsed: Duration::from_secs(25),
            planned: Duration::from_secs(75),
            edges: vec![Duration::from_secs(15)],
            in_flight: 34,
            users: 200,
            all_users: 200,
            count: 12_345,
            errors: 3,
            recent: Recent { rate: Some(412.5), p50: Some(ms(12)), p95: Some(ms(340)), p99: None, errors: Some(0.004) },
            oldest: ms(300),
        }
    }

    #[test]
    fn the_view_fits_the_screen() {
        insta::assert_snapshot!(view(&frame(), &history(), 80).join("\n"), @r"
        load     [########|####...........................] 00:25 of 01:15
        rate     ▇▇▇▇▇▇▇▇██████████████████████████████████    412/s   12345 requests
        p95      ▅▅ ▅▅▅▅▅▅▅▆▆ ▆▆▆▆▆▆▆▆▆ ▇▇▇▇▇▇▇▇▇ ▇▇███████    340ms   p50 12ms, p99 –
        errors   ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁    0.4 %   3 in all (0.02 %)
        users    200 of 200, 34 requests in flight
        ");
        for width in [1, 20, 39, 60, 200] {
            for line in view(&frame(), &history(), width) {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }

    fn history() -> History {
        let mut history = History::default();
        for step in 0..90_u32 {
            let rate = Some(f64::from(step.min(60)));
            let p95 = (step % 10 != 0).then(|| Duration::from_millis(u64::from(step)));
            history.push(Recent { rate, p95, errors: Some(0.0), ..Recent::default() });
        }
        history
    }

    #[test]
    fn a_curve_ends_with_the_newest_figure_and_forgets_the_oldest() {
        let mut history = history();
        assert_eq!(history.0.len(), SPARKS);
        history.push(Recent { rate: Some(30.0), ..Recent::default() });
        assert!(
            history.spark(10, |recent| recent.rate).ends_with("██▅"),
            "{}",
            history.spark(10, |recent| recent.rate)
        );
        assert_eq!(History::default().spark(4, |recent| recent.rate), "    ");
    }

    #[test]
    fn a_line_says_the_same() {
        insta::assert_snapshot!(line(&frame()), @"00:25 load: 200 users, 12345 requests, 412/s, p50 12ms, p95 340ms, p99 –, 3 errors");
        let start = Frame { elapsed: Duration::ZERO, count: 0, errors: 0, recent: Recent::default(), ..frame() };
        insta::assert_snapshot!(line(&start), @"00:00 load: 200 users, 0 requests, –/s, p50 –, p95 –, p99 –, 0 errors");
    }

    #[test]
    fn a_request_that_hangs_is_told_before_it_fails() {
        let hung = Frame { oldest: Duration::from_millis(7300), ..frame() };
        assert!(line(&hung).ends_with("oldest unanswered 7s"), "{}", line(&hung));
    }

    #[test]
    fn the_screen_is_redrawn_in_place_and_left_clean() {
        let mut out = Vec::new();
        let mut screen = Screen::new(&mut out);
        screen.draw(&["a".to_owned(), "b".to_owned()]).expect("drawn");
        screen.draw(&["c".to_owned()]).expect("drawn");
        drop(screen);
        let text = String::from_utf8(out).expect("text");
        assert_eq!(text, "\r\x1b[2Ka\n\r\x1b[2Kb\n\x1b[2A\r\x1b[2Kc\n\x1b[1A\r\x1b[J");
    }
}
