//! The header fields of a response, as they came. A map of them would cost more than all the rest of reading an answer,
//! and a journey asks for a few of them at most; so they stay one text, which is searched when somebody asks.

use bytes::Bytes;

/// Header fields in the order of arrival: lines of `name: value`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Bytes);

impl Fields {
    /// The fields in these lines, which httparse has found to be well-formed.
    pub(super) fn new(lines: &[u8]) -> Self {
        Self(Bytes::copy_from_slice(lines))
    }

    /// The values of the fields of that name, in order. They are bytes, for they need not be UTF-8.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        all(&self.0, name)
    }

    /// The first value of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.all(name).next()
    }
}

/// The values of that name in lines of fields.
pub(super) fn all<'a>(lines: &'a [u8], name: &str) -> impl Iterator<Item = &'a [u8]> {
    let named = move |line: &'a [u8]| {
        let (found, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":").filter(|_| found.eq_ignore_ascii_case(name.as_bytes()))?;
        Some(value.trim_ascii())
    };
    lines.split(|byte| *byte == b'\n').filter_map(named)
}

impl<'a> FromIterator<(&'a str, &'a str)> for Fields {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(fields: I) -> Self {
        Self(fields.into_iter().flat_map(|(name, value)| format!("{name}: {value}\r\n").into_bytes()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_name_whatever_its_case_and_in_order() {
        let fields = Fields::new(b"Set-Cookie: a=1\r\nX:\r\nset-cookie:b=2 \r\nSet-Cookies: c\r\nY: \xe9\r\n");
        assert_eq!(fields.all("SET-COOKIE").collect::<Vec<_>>(), [&b"a=1"[..], b"b=2"]);
        assert_eq!((fields.get("x"), fields.get("y")), (Some(&b""[..]), Some(&b"\xe9"[..])));
        assert_eq!((fields.get("z"), fields.get("")), (None, None));
        assert_eq!([("A", "1"), ("a", "2")].into_iter().collect::<Fields>().all("a").count(), 2);
    }
}
