//! What a reader of REFERENCE.md must know about journeys: where they differ from Hurl on purpose, and what is refused.

/// One deliberate difference.
#[derive(Debug, Clone, Copy)]
pub struct Difference {
    /// What Hurl does.
    pub hurl: &'static str,
    /// What the load tester does, and why.
    pub here: &'static str,
    /// The case in `tests/oracle/cases` that shows it, where one can.
    pub case: Option<&'static str>,
}

const fn differs(hurl: &'static str, here: &'static str, case: Option<&'static str>) -> Difference {
    Difference { hurl, here, case }
}

/// All deliberate differences from Hurl 8.1.
pub const DIFFERENCES: &[Difference] = &[
    differs("writes the negative float -1.5 as `-1.5.0`", "writes `-1.5`", Some("negative_float")),
    differs(
        "compares integers beyond 64 bits as text, so that 9 is greater than 12345678901234567890",
        "compares them by value",
        Some("predicates"),
    ),
    differs(
        "undoes several content encodings in the order named, and knows them in lower case only",
        "undoes the last one first, in any case, as RFC 9110 has it",
        Some("encodings_stacked"),
    ),
    differs("does not take quotes around a charset", "takes them, as RFC 9110 allows", Some("charset_quoted")),
    differs(
        "finds a JSONPath or regular expression that is wrong when it gets there",
        "refuses the file when it is loaded, unless a placeholder is in it",
        Some("jsonpath_bad_constant"),
    ),
    differs(
        "finds a constant URL that is none when it gets there",
        "refuses the file when it is loaded",
        Some("url_bad_constant"),
    ),
    differs(
        "finds a missing `file,…;` when it gets there",
        "refuses the file when it is loaded, unless a placeholder is in its name: a load test reads it only once",
        None,
    ),
    differs(
        "takes cookies along when a redirect leads to another port of their host, and headers such as `X-API-Key` to any host",
        "leaves them behind (cookies not from port 80 to 443): another port may be another service; `location-trusted` takes them along",
        None,
    ),
    differs("evaluates XPath", "refuses `xpath`, the query and the filter, by name", Some("xpath")),
    differs("reads an empty `--variable name=` as an integer without digits", "reads it as the empty string", None),
    differs(
        "sends names of query and form parameters as written, even where they hold `&`, `=`, `#` or spaces",
        "percent-encodes these characters in names, and no others",
        None,
    ),
    differs(
        "does not escape a placeholder in the name of a JSON member, nor rare control characters in its strings",
        "escapes both, so that the body stays JSON",
        None,
    ),
    differs(
        "in JSONPath, `match(@, 'a|b')` anchors only the outer ends of the alternatives",
        "matches the whole string, as RFC 9535 has it",
        None,
    ),
    differs(
        "asks for HTTP/2 on `https` by itself, as curl does",
        "speaks HTTP/1.1 unless `http2`, the plan or `--http2` asks for more: a load says what it goes over",
        None,
    ),
    differs(
        "with `http2: true` on plain `http` asks to be upgraded (`Upgrade: h2c`), which servers hardly know any more",
        "stays on HTTP/1.1 there; `http2-prior-knowledge: true` speaks HTTP/2 in clear",
        None,
    ),
    differs("calls itself `hurl/8.1.0`", "calls itself `loadtest/` and its version", None),
    differs(
        "sends a request without a response section and asks nothing of the answer",
        "the same; under load such a request counts as an error only when no answer comes",
        Some("no_response"),
    ),
    differs(
        "writes bodies and logs (`output`, `verbose`)",
        "refuses `output`; `verbose` and its kin have no effect",
        None,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_case_that_differs_is_listed_and_every_case_listed_is_there() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/oracle/cases");
        let listed: Vec<String> =
            DIFFERENCES.iter().filter_map(|one| one.case).map(|case| format!("{case}.hurl")).collect();
        for case in &listed {
            assert!(dir.join(case).exists(), "{case} is listed and not there");
        }
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = if path.is_file() { std::fs::read_to_string(&path).unwrap() } else { String::new() };
            let differs =
                text.contains("# hurl: ") || text.contains("# fails in hurl") || text.contains("# fails here");
            assert!(!differs || listed.contains(&name), "{name} differs from Hurl and is not listed");
        }
    }
}
