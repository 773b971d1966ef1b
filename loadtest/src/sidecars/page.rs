//! A page of metrics in Prometheus' text form, of which only wanted families are kept. It comes from another machine: anything
//! may be in it, and what is kept of it has a cap.

use crate::limits;

/// The wanted samples of a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Page(Vec<Sample>);

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    /// Its name.
    pub(super) name: &'static str,
    /// Its labels as written, without the braces.
    pub(super) labels: String,
    /// Its value; finite.
    pub(super) value: f64,
}

/// Why a page is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PageError {
    /// Not one sample.
    #[error("it answers with something else than a page of metrics")]
    NoMetrics,
    /// More than anybody needs.
    #[error("its page has more than {} samples of one kind", limits::SIDECAR_SAMPLES)]
    TooMany,
}

impl Page {
    /// Reads a page; only samples with these names are kept, and values that are no numbers are left out.
    pub(super) fn read(text: &str, wanted: &[&'static str]) -> Result<Self, PageError> {
        let mut page = Self::default();
        let mut any = false;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((name, labels, value)) = sample(line) else { continue };
            any = true;
            let Some(name) = wanted.iter().find(|wanted| **wanted == name) else { continue };
            if page.0.len() >= limits::SIDECAR_SAMPLES {
                return Err(PageError::TooMany);
            }
            if value.is_finite() {
                page.0.push(Sample { name, labels: labels.to_owned(), value });
            }
        }
        if any { Ok(page) } else { Err(PageError::NoMetrics) }
    }

    /// The samples of a name.
    pub(super) fn of(&self, name: &str) -> impl Iterator<Item = &Sample> {
        self.0.iter().filter(move |sample| sample.name == name)
    }
}

impl Sample {
    /// Whether it has all these labels with these values.
    pub(super) fn has(&self, labels: &[(&str, &str)]) -> bool {
        labels.iter().all(|(name, value)| self.label(name) == Some(value))
    }

    /// The value of a label as written; a value with escapes keeps them.
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        let mut rest = self.labels.as_str();
        loop {
            let (own, after) = rest.split_once("=\"")?;
            let end = closing_quote(after)?;
            let value = after.get(..end)?;
            if own.trim_start_matches([',', ' ']) == name {
                return Some(value);
            }
            rest = after.get(end + 1..)?;
        }
    }
}

/// Name, labels and value of a line; a time stamp behind the value counts for nothing.
fn sample(line: &str) -> Option<(&str, &str, f64)> {
    let name_ends = line.find(|c: char| c == '{' || c.is_ascii_whitespace())?;
    let (name, rest) = line.split_at_checked(name_ends)?;
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => {
            let end = closing_brace(inside)?;
            (inside.get(..end)?, inside.get(end + 1..)?)
        }
        None => ("", rest),
    };
    let value = rest.split_ascii_whitespace().next()?.parse().ok()?;
    (!name.is_empty()).then_some((name, labels, value))
}

/// Where the braces close, which may also stand inside a value.
fn closing_brace(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let at = rest.find(['"', '}'])?;
        if rest.as_bytes().get(at) == Some(&b'}') {
            return Some(from + at);
        }
        from += at + 1;
        from += closing_quote(text.get(from..)?)? + 1;
    }
}

/// Where a value ends: at the first quote that is not escaped.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WANTED: &[&str] = &["a", "b_total"];

    #[test]
    fn samples_are_read_as_prometheus_writes_them() {
        let text = "# HELP a A.\n# TYPE a gauge\na 1\na{x=\"1\",y=\"z} \\\"q\"} 2.5 1700000000\nb_total{x=\"\\\\\"} +Inf\n\
                    other 3\nb_total NaN\nb_total{ y=\"2\" } 1e3\n# EOF\n";
        let page = Page::read(text, WANTED).expect("a page");
        let a: Vec<_> = page.of("a").map(|sample| (sample.labels.as_str(), sample.value)).collect();
        assert_eq!(a, [("", 1.0), ("x=\"1\",y=\"z} \\\"q\"", 2.5)]);
        let second = page.of("a").nth(1).expect("two");
        assert_eq!((second.label("x"), second.label("y"), second.label("q")), (Some("1"), Some("z} \\\"q"), None));
        assert!(second.has(&[("x", "1")]) && !second.has(&[("x", "1"), ("y", "")]));
        assert_eq!(
            page.of("b_total").map(|sample| (sample.label("y"), sample.value)).collect::<Vec<_>>(),
            [(Some("2"), 1000.0)]
        );
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for text in ["", "<html><body>Not found</body></html>", "# EOF\n", "a{x=\"1 1\n"] {
            assert_eq!(Page::read(text, WANTED), Err(PageError::NoMetrics), "{text}");
        }
        let endless = "a 1\n".repeat(limits::SIDECAR_SAMPLES + 1);
        assert_eq!(Page::read(&endless, WANTED), Err(PageError::TooMany));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(text in "[ab_total{}\"\\\\=, .0-9eNI\n#é-]{0,200}") {
            if let Ok(page) = Page::read(&text, WANTED) {
                for sample in page.of("a") {
                    let _ = sample.label("x");
                    prop_assert!(sample.value.is_finite());
                }
            }
        }

        #[test]
        fn labels_come_back_as_written(value in "[^\"\\\\\n]{0,20}", number in -1e9_f64..1e9) {
            let text = format!("a{{k=\"1\",v=\"{value}\"}} {number}\n");
            let page = Page::read(&text, WANTED).expect("a page");
            let sample = page.of("a").next().expect("a sample");
            prop_assert_eq!(sample.label("v"), Some(value.as_str()));
            prop_assert_eq!(sample.value, number);
        }
    }
}
