//! REFERENCE.md is what both programs print, and nothing else.

use tests::program::finish;
use tests::repo::{read, root};

#[test]
fn the_reference_is_fresh() {
    let printed = |name: &str| {
        let ended = finish(name, &["reference"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        ended.stdout
    };
    let fresh = format!("{}\n{}", printed("agent"), printed("loadtest"));
    let committed = read(&root().join("REFERENCE.md"));
    let differs = committed.lines().zip(fresh.lines()).find(|(old, new)| old != new);
    assert!(
        committed == fresh,
        "REFERENCE.md is stale, refresh it with `tests/reference`; first difference: {differs:?}"
    );
}
