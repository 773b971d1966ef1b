//! Tries the table of faults and prints what the agent named, and when. By hand, through `tests/faults/run [FILTER]`,
//! `tests/faults/run stack [FILTER]` for the whole stack in containers, or `tests/faults/run healthy [MINUTES]`. Ends with 1 when a fault was
//! missed, misnamed or not brought about, or a cause was false; what needs root or cgroup v1 is left out.

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tests::faults::stack::Bench;
use tests::faults::stack_rows::FAULTS;
use tests::faults::{Row, Verdict, healthy, table};

/// Faults at once: the machine must keep up, or what is measured is its load.
const AT_ONCE: usize = 3;

fn main() -> ExitCode {
    let filter = std::env::args().nth(1);
    if filter.as_deref() == Some("stack") {
        return of_stack(std::env::args().nth(2).unwrap_or_default().as_str());
    }
    if filter.as_deref() == Some("healthy") {
        let minutes = std::env::args().nth(2).and_then(|word| word.parse().ok()).unwrap_or(10.0);
        return of_healthy(Duration::from_secs_f64(minutes * 60.0));
    }
    let wanted = |row: &&Row| {
        let named = |word: &str| row.name.contains(word) || row.causes.iter().any(|(cause, _)| cause.contains(word));
        filter.as_deref().is_none_or(named)
    };
    let rows: Vec<&Row> = table().filter(wanted).collect();
    summary(&play(&rows))
}

/// The whole stack in containers, one fault after the other.
fn of_stack(filter: &str) -> ExitCode {
    let bench = match Bench::start() {
        Ok(bench) => bench,
        Err(why) => {
            println!("the stack cannot be started: {why}");
            return ExitCode::from(4);
        }
    };
    let mut verdicts = Vec::new();
    for fault in FAULTS.iter().filter(|fault| fault.name.contains(filter)) {
        let verdict = bench.play(fault);
        println!("{}", line(fault.name, &fault.wanted(), fault.within, &verdict));
        verdicts.push(verdict);
    }
    summary(&verdicts)
}

/// All of them, some at a time; each line is printed when it is known.
fn play(rows: &[&'static Row]) -> Vec<Verdict> {
    let next = Mutex::new(rows.iter().enumerate());
    let verdicts = Mutex::new(Vec::new());
    let work = || loop {
        let Some((index, row)) = next.lock().unwrap_or_else(PoisonError::into_inner).next() else { return };
        let verdict = row.play();
        println!("{}", line(row.name, &wanted(row), row.within, &verdict));
        verdicts.lock().unwrap_or_else(PoisonError::into_inner).push((index, verdict));
    };
    std::thread::scope(|scope| {
        for _worker in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let mut verdicts = verdicts.into_inner().unwrap_or_else(PoisonError::into_inner);
    verdicts.sort_by_key(|(index, _)| *index);
    verdicts.into_iter().map(|(_, verdict)| verdict).collect()
}

fn wanted(row: &Row) -> String {
    row.causes.iter().map(|(cause, subject)| format!("{cause}({subject})")).collect::<Vec<_>>().join(" ")
}

fn line(name: &str, causes: &str, within: u64, verdict: &Verdict) -> String {
    let came = match verdict {
        Verdict::Found(after) => format!("found     {:>5.1} s", after.as_secs_f64()),
        Verdict::Missed(stood) if stood.is_empty() => format!("MISSED    nothing in {within} s"),
        Verdict::Missed(stood) => format!("MISSED    {}", tests::faults::scene::shown(stood)),
        Verdict::Misnamed(what) => format!("MISNAMED  {what}"),
        Verdict::False(what) => format!("FALSE     {what}"),
        Verdict::NotRun(why) if needs_more(why) => format!("SKIPPED   {why}"),
        Verdict::NotRun(why) => format!("NOT RUN   {why}"),
    };
    format!("{name:<52} {causes:<44} {came}")
}

/// Whether a row was left out for want of rights, and not because its fault could not be brought about.
fn needs_more(why: &str) -> bool {
    why.contains("needs root") && !why.starts_with("broken")
}

fn summary(verdicts: &[Verdict]) -> ExitCode {
    let mut times: Vec<f64> = Vec::new();
    let (mut missed, mut misnamed, mut falsely, mut broken, mut skipped) = (0, 0, 0, 0, 0);
    for verdict in verdicts {
        match verdict {
            Verdict::Found(after) => times.push(after.as_secs_f64()),
            Verdict::Missed(_) => missed += 1,
            Verdict::Misnamed(_) => misnamed += 1,
            Verdict::False(_) => falsely += 1,
            Verdict::NotRun(why) if needs_more(why) => skipped += 1,
            Verdict::NotRun(_) => broken += 1,
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times.get((times.len().saturating_sub(1)) * share / 100).copied().unwrap_or(f64::NAN);
    println!(
        "\n{} faults: {} found, {missed} missed, {misnamed} misnamed, {falsely} with a false cause, {broken} broken, {skipped} skipped; \
         seconds to name: median {:.1}, p90 {:.1}, worst {:.1}",
        verdicts.len(),
        times.len(),
        at(50),
        at(90),
        at(100)
    );
    if missed + misnamed + falsely + broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn of_healthy(time: Duration) -> ExitCode {
    match healthy::watch(time) {
        Ok(seen) => {
            let up = if seen.up { "all checks up" } else { "NOT ALL CHECKS UP" };
            println!(
                "{:.1} minutes of healthy load, {} looks: {} false causes, {up}",
                time.as_secs_f64() / 60.0,
                seen.looks,
                seen.named.len()
            );
            seen.named.iter().for_each(|named| println!("  {named}"));
            if seen.named.is_empty() && seen.up { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            println!("not run: {why}");
            ExitCode::from(4)
        }
    }
}
