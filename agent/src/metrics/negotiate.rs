//! Which format and which compression a scraper asked for (RFC 9110, 12.5). Pure.

/// A format of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text 0.0.4: the default, for people and older scrapers.
    Text,
    /// OpenMetrics text 1.0.
    OpenMetrics,
}

impl Format {
    /// The `Content-Type` of the answer.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// The format for an `Accept` header. OpenMetrics only when it is asked for by name and not liked less than text; whatever else
/// is asked for, an answer in text is of more use than none.
#[must_use]
pub fn format(accept: &str) -> Format {
    let (mut open, mut text) = (0, 0);
    for range in accept.split(',').map(Range::parse) {
        match range.name.as_str() {
            "application/openmetrics-text" if matches!(range.version, None | Some("1.0.0")) => open = open.max(range.q),
            "text/plain" if matches!(range.version, None | Some("0.0.4")) => text = text.max(range.q),
            _ => {}
        }
    }
    if open > 0 && open >= text { Format::OpenMetrics } else { Format::Text }
}

/// Whether an `Accept-Encoding` header allows gzip.
#[must_use]
pub fn gzip(accept_encoding: &str) -> bool {
    let named = |name: &str| {
        let mut ranges = accept_encoding.split(',').map(Range::parse);
        ranges.find(|range| range.name == name).map(|range| range.q > 0)
    };
    named("gzip").or_else(|| named("*")).unwrap_or(false)
}

struct Range<'a> {
    name: String,
    version: Option<&'a str>,
    /// In thousandths: a weight has three decimals, and whole numbers compare exactly.
    q: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut range = Self { name, version: None, q: 1000 };
        for (key, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match key.trim() {
                "version" => range.version = Some(value),
                "q" | "Q" => range.q = weight(value),
                _ => {}
            }
        }
        range
    }
}

/// A weight between 0 and 1; one that cannot be read says no.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
fn weight(text: &str) -> u16 {
    text.parse::<f64>().map_or(0, |q| if q.is_nan() { 0 } else { (q * 1000.0).round().clamp(0.0, 1000.0) as u16 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_the_format_that_the_scraper_likes_best() {
        let prometheus_2 = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                            text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                            application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                            text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        let protobuf_first = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
                              application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3";
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let cases = [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/plain", Format::Text),
            (browser, Format::Text),
            (prometheus_2, Format::OpenMetrics),
            (prometheus_3, Format::OpenMetrics),
            (protobuf_first, Format::OpenMetrics),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("Application/OpenMetrics-Text; version=\"1.0.0\"; charset=utf-8", Format::OpenMetrics),
            ("application/openmetrics-text;version=0.0.1", Format::Text),
            ("application/openmetrics-text;version=1.0.0;q=0", Format::Text),
            ("application/openmetrics-text;q=0.2,text/plain;q=0.9", Format::Text),
            ("application/openmetrics-text;q=nonsense", Format::Text),
            ("application/json", Format::Text),
            (",;=,;q=;,", Format::Text),
        ];
        for (accept, expected) in cases {
            assert_eq!(format(accept), expected, "{accept}");
        }
    }

    #[test]
    fn compresses_only_when_asked() {
        let cases = [
            ("", false),
            ("gzip", true),
            ("GZIP", true),
            ("deflate, gzip;q=1.0, *;q=0.5", true),
            ("*", true),
            ("gzip;q=0", false),
            ("gzip;q=0, *", false),
            ("*;q=0", false),
            ("br", false),
            ("identity", false),
        ];
        for (header, expected) in cases {
            assert_eq!(gzip(header), expected, "{header}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_it_panic(text in ".{0,200}") {
            let _ = format(&text);
            let _ = gzip(&text);
        }
    }
}
