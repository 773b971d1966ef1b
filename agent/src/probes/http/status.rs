//! Which status codes are good: `200`, `200-299`, `2xx`, lists of these.

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use std::fmt;

/// Ranges of status codes, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StatusCodes(Vec<(u16, u16)>);

impl Default for StatusCodes {
    fn default() -> Self {
        Self(vec![(200, 299)])
    }
}

impl StatusCodes {
    pub(super) fn contain(&self, code: u16) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&code))
    }

    /// Reads `200-299,401` or `2xx`.
    fn parse(text: &str) -> Option<Vec<(u16, u16)>> {
        text.split(',').map(|part| Self::range(part.trim())).collect()
    }

    fn range(part: &str) -> Option<(u16, u16)> {
        let code = |text: &str| text.trim().parse::<u16>().ok().filter(|code| (100..=599).contains(code));
        if let Some(hundred) = part.strip_suffix("xx") {
            let first = code(&format!("{hundred}00"))?;
            return Some((first, first + 99));
        }
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (code(first)?, code(last)?);
        (first <= last).then_some((first, last))
    }
}

impl fmt::Display for StatusCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = |(first, last): &(u16, u16)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        };
        f.write_str(&self.0.iter().map(one).collect::<Vec<_>>().join(", "))
    }
}

struct Written;

impl Written {
    fn one<E: de::Error>(text: &str) -> Result<StatusCodes, E> {
        let wrong =
            || E::custom(format!("status codes are written `200`, `200-299`, `2xx` or a list of these, not `{text}`"));
        StatusCodes::parse(text).map(StatusCodes).ok_or_else(wrong)
    }
}

impl<'de> Visitor<'de> for Written {
    type Value = StatusCodes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("status codes such as `200`, `200-299`, `2xx` or a list of these")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<StatusCodes, E> {
        Self::one(text)
    }

    fn visit_i64<E: de::Error>(self, code: i64) -> Result<StatusCodes, E> {
        Self::one(&code.to_string())
    }

    fn visit_u64<E: de::Error>(self, code: u64) -> Result<StatusCodes, E> {
        Self::one(&code.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<StatusCodes, A::Error> {
        let mut all = Vec::new();
        while let Some(StatusCodes(some)) = list.next_element()? {
            all.extend(some);
        }
        // As in blackbox, an empty list is the default.
        Ok(if all.is_empty() { StatusCodes::default() } else { StatusCodes(all) })
    }
}

impl<'de> Deserialize<'de> for StatusCodes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<StatusCodes, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_codes_ranges_and_lists() {
        for (json, shown) in [
            ("200", "200"),
            (r#""200-299,401""#, "200-299, 401"),
            (r#"[204, "3xx", "400 - 404"]"#, "204, 300-399, 400-404"),
            ("[]", "200-299"),
        ] {
            assert_eq!(read(json).unwrap().to_string(), shown, "{json}");
        }
        let codes = read(r#"["200-299", 401]"#).unwrap();
        assert_eq!([199, 200, 299, 300, 401].map(|code| codes.contain(code)), [false, true, true, false, true]);
    }

    #[test]
    fn refuses_what_is_no_status_code() {
        for json in ["99", "600", "-1", r#""2xxx""#, r#""300-200""#, r#""""#, r#""OK""#, "true"] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
