//! Tries the table and prints whom the load tester named. By hand, through `tests/culprit/run [SEED [FAULT]]`. Ends with 1 when a culprit was not
//! found or misnamed, with 4 when nothing could be tried.

use std::process::ExitCode;
use tests::culprit::{Row, table};

fn main() -> ExitCode {
    let seed = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(1);
    let (mut right, mut wrong, mut not_run) = (0, 0, 0);
    let filter = std::env::args().nth(2);
    let wanted = |row: &Row| filter.as_ref().is_none_or(|word| format!("{:?}", row.fault).eq_ignore_ascii_case(word));
    for row in table(seed).into_iter().filter(wanted) {
        let what = format!("{:?} beside {:?}", row.fault, row.decoy);
        match row.play() {
            Ok(told) if row.is_right(&told) => {
                right += 1;
                println!("found     {what:<32} {}", told.sentence);
            }
            Ok(told) => {
                wrong += 1;
                println!("MISNAMED  {what:<32} exit {}, named {:?}: {}", told.exit, told.named, told.sentence);
            }
            Err(why) => {
                not_run += 1;
                println!("NOT RUN   {what:<32} {why}");
            }
        }
    }
    println!("\nseed {seed}: {right} found, {wrong} misnamed or missed, {not_run} not run");
    match (wrong, right) {
        (0, 0) => ExitCode::from(4),
        (0, _) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
