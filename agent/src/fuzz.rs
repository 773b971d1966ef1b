//! Every parser of bytes that a peer or the kernel chose, from the tables: for the fuzz target in `tests/fuzz`, and for the replay of its
//! corpora in every test run.

use crate::small;

pub use crate::parser::Parser;

/// The parsers of all tables, each once.
#[must_use]
pub fn all() -> Vec<Parser> {
    let kinds = crate::probes::KINDS.iter().flat_map(|kind| kind.parsers);
    let sources = crate::collectors::SOURCES.iter().flat_map(|source| source.parsers);
    let mut all: Vec<Parser> = kinds.chain(sources).chain(crate::probes::net::PARSERS).copied().collect();
    small::sort_by_key(&mut all, |parser| parser.name);
    all.dedup_by_key(|parser| parser.name);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_parser_reads_its_corpus_and_every_corpus_has_a_parser() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus");
        let folders =
            std::fs::read_dir(&corpus).expect("the corpora").map(|entry| entry.expect("a folder").file_name());
        let folders: Vec<String> = folders.map(|name| name.to_string_lossy().into_owned()).collect();
        let parsers = all();
        for parser in &parsers {
            assert!(folders.iter().any(|name| name == parser.name), "no tests/fuzz/corpus/{}", parser.name);
        }
        for name in &folders {
            let parser = parsers.iter().find(|parser| parser.name == name);
            let parser = parser.unwrap_or_else(|| panic!("tests/fuzz/corpus/{name} has no parser"));
            let files: Vec<_> = std::fs::read_dir(corpus.join(name)).expect("a corpus").flatten().collect();
            assert!(!files.is_empty(), "{name} has no cases");
            for file in files {
                let bytes = std::fs::read(file.path()).expect("a case");
                (parser.read)(&bytes);
                // What is cut off, and what goes on for ever.
                (parser.read)(bytes.get(..bytes.len() / 2).unwrap_or_default());
                (parser.read)(&bytes.repeat(3));
            }
        }
    }
}
