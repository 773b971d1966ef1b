//! Tries a table and prints whom the load tester named. By hand, through `tests/culprit/run [SEED [FAULT]]` and `tests/culprit/run stack [SEED
//! [FAULT]]`. Ends with 1 when a culprit was not found or misnamed, with 4 when nothing could be tried.

use std::process::ExitCode;
use tests::culprit::stack::Bench;
use tests::culprit::stack_faults::FAULTS;
use tests::culprit::{Row, Told, table};

#[derive(Default)]
struct Tally {
    right: u32,
    wrong: u32,
    not_run: u32,
}

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let on_stack = words.first().is_some_and(|word| word == "stack");
    if on_stack {
        words.remove(0);
    }
    let seed = words.first().and_then(|word| word.parse().ok()).unwrap_or(1);
    let wanted =
        |name: &str| words.get(1).is_none_or(|some| some.split(',').any(|word| name.eq_ignore_ascii_case(word)));
    let tally = if on_stack { stack(seed, wanted) } else { processes(seed, wanted) };
    println!("\nseed {seed}: {} found, {} misnamed or missed, {} not run", tally.right, tally.wrong, tally.not_run);
    match (tally.wrong, tally.right) {
        (0, 0) => ExitCode::from(4),
        (0, _) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Single processes in cgroups.
fn processes(seed: u64, wanted: impl Fn(&str) -> bool) -> Tally {
    let mut tally = Tally::default();
    for row in table(seed).iter().filter(|row: &&Row| wanted(&format!("{:?}", row.fault))) {
        let what = format!("{:?} beside {:?}", row.fault, row.decoy);
        tally.count(&what, row.play(), |told| row.is_right(told));
    }
    tally
}

/// The whole stack in containers.
fn stack(seed: u64, wanted: impl Fn(&str) -> bool) -> Tally {
    let mut tally = Tally::default();
    let mut bench = match Bench::start(seed) {
        Ok(bench) => bench,
        Err(why) => {
            println!("the stack cannot be started: {why}");
            return tally;
        }
    };
    for fault in FAULTS.iter().filter(|fault| wanted(fault.name)) {
        let decoy = bench.decoy();
        let what = format!("{} beside {decoy:?}", fault.name);
        let told = bench.play(fault, decoy);
        tally.count(&what, told, |told| fault.is_right(told));
    }
    tally
}

impl Tally {
    fn count(&mut self, what: &str, told: Result<Told, String>, is_right: impl Fn(&Told) -> bool) {
        match told {
            Ok(told) if is_right(&told) => {
                self.right += 1;
                println!("found     {what:<32} {}", told.sentence);
            }
            Ok(told) => {
                self.wrong += 1;
                println!("MISNAMED  {what:<32} exit {}, named {:?}: {}", told.exit, told.named, told.sentence);
            }
            Err(why) => {
                self.not_run += 1;
                println!("NOT RUN   {what:<32} {why}");
            }
        }
    }
}
