//! The load tester names the service that is guilty, beside a neighbour that only works more. `tests/culprit/run` tries all faults.

use tests::culprit::{Decoy, Fault, Row};
use tests::skipped;

#[test]
fn a_backend_without_cpu_is_named_and_its_busy_neighbour_is_not() {
    let row = Row { fault: Fault::Cpu, decoy: Some(Decoy::Busy), seed: 3 };
    // A machine that is too busy for eight users spoils the run, which then says so: it is tried again.
    for attempt in 0..4 {
        match row.play() {
            Err(why) if why.contains("needs root") => {
                return skipped("a_backend_without_cpu_is_named_and_its_busy_neighbour_is_not", &why);
            }
            Ok(told) if told.exit == 3 && attempt < 3 => {}
            told => {
                let told = told.expect("a run");
                assert!(row.is_right(&told), "{told:?}");
                assert!(told.sentence.contains("`backend` was CPU-throttled in"), "{}", told.sentence);
                return;
            }
        }
    }
}
