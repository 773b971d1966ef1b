//! Cases of `filter`, one line each, and property tests.

use super::*;
use crate::journey::jsonpath::Path;
use crate::journey::template::{ExpressionKind, Part};
use crate::journey::variables::Variables;
use chrono::{DateTime, Utc};
use std::sync::Arc;

fn template(text: &str) -> Template {
    Template { parts: vec![Part::Text(text.to_owned())], ..Template::default() }
}

fn pattern(text: &str) -> Pattern {
    Pattern::Constant(Arc::new(regex::Regex::new(text).unwrap()))
}

fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2024-05-06T07:08:09Z").unwrap().to_utc()
}

fn apply(value: Value, kind: Kind) -> String {
    let variables = Variables::default();
    let scope = Scope { variables: &variables, now: now(), root: std::path::Path::new(".") };
    match (Filter { span: Span::default(), kind }).apply(&value, scope, true) {
        Ok(Some(value)) => value.describe(),
        Ok(None) => "none".to_owned(),
        Err(fault) => fault.summary(),
    }
}

fn check(value: Value, kind: Kind, expected: &str) {
    let shown = format!("{} of {}", kind.name(), value.describe());
    assert_eq!(apply(value, kind), expected, "{shown}");
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec().into())
}

fn json(text: &str) -> Value {
    json::parse(text).unwrap()
}

#[test]
fn bytes_and_texts() {
    check(text("aGk="), Kind::Base64Decode, "bytes `6869`");
    check(text("aGk"), Kind::Base64Decode, "filter `base64Decode`: the string is not base64");
    check(json("1"), Kind::Base64Decode, "filter `base64Decode` needs base64 string, got integer `1`");
    check(bytes(b"hi"), Kind::Base64Encode, "string `aGk=`");
    check(text("-_8"), Kind::Base64UrlSafeDecode, "bytes `fbff`");
    check(bytes(&[0xfb, 0xff]), Kind::Base64UrlSafeEncode, "string `-_8`");
    check(bytes(&[0xe9]), Kind::CharsetDecode("decode", template("latin1")), "string `é`");
    check(
        bytes(&[0xe9]),
        Kind::CharsetDecode("charsetDecode", template("utf-8")),
        "filter `charsetDecode`: the bytes are not utf-8 text",
    );
    check(
        bytes(b""),
        Kind::CharsetDecode("charsetDecode", template("x")),
        "filter `charsetDecode`: the charset `x` is unknown",
    );
    check(bytes(&[1, 0xab]), Kind::ToHex, "string `01ab`");
    check(bytes(&[0xe9, 0x61]), Kind::Utf8Decode, "string `\u{fffd}a`");
    check(text("é"), Kind::Utf8Encode, "bytes `c3a9`");
}

#[test]
fn urls_and_html() {
    check(text("a%20b%C3%A9+"), Kind::UrlDecode, "string `a bé+`");
    check(text("a b/é?&=~"), Kind::UrlEncode, "string `a%20b/%C3%A9%3F%26%3D~`");
    check(text("http://h/?a=1&b=x%20y&b=z"), Kind::UrlQueryParam(template("b")), "string `x y`");
    check(text("http://h/"), Kind::UrlQueryParam(template("b")), "none");
    check(
        text("h/?b=1"),
        Kind::UrlQueryParam(template("b")),
        "filter `urlQueryParam`: `h/?b=1` does not begin with `http://` or `https://`",
    );
    check(text("a<b & \"c\" 'd'>"), Kind::HtmlEscape, "string `a&lt;b &amp; &quot;c&quot; &#x27;d&#x27;&gt;`");
    check(
        text("&lt;&#60;&#x3C;&notit;&notin;&eacute&nope;&&#;&#128;&#x110000;&"),
        Kind::HtmlUnescape,
        "string `<<<¬it;∉é&nope;&&#;€\u{fffd}&`",
    );
}

#[test]
fn dates() {
    let date = Value::Date(now());
    check(date.clone(), Kind::DateFormat("format", template("%Y-%m-%d")), "string `2024-05-06`");
    check(
        date.clone(),
        Kind::DateFormat("dateFormat", template("%!")),
        "filter `dateFormat`: `%!` is not a date format",
    );
    check(text("2024-05-08"), Kind::ToDate(template("%Y-%m-%d")), "date `2024-05-08T00:00:00.000000Z`");
    check(
        text("2024-05-08 01:02:03"),
        Kind::ToDate(template("%Y-%m-%d %H:%M:%S")),
        "date `2024-05-08T01:02:03.000000Z`",
    );
    check(text("2024-05-08T01:02:03+02:00"), Kind::ToDate(template("%+")), "date `2024-05-07T23:02:03.000000Z`");
    check(text("x"), Kind::ToDate(template("%Y")), "filter `toDate`: `x` is not a date of the form `%Y`");
    check(Value::Date(now() + chrono::TimeDelta::hours(49)), Kind::DaysAfterNow, "integer `2`");
    check(Value::Date(now() + chrono::TimeDelta::hours(49)), Kind::DaysBeforeNow, "integer `-2`");
    check(text("x"), Kind::DaysAfterNow, "filter `daysAfterNow` needs date, got string `x`");
}

#[test]
fn lists() {
    check(json("[1,2,3]"), Kind::Count, "integer `3`");
    check(bytes(b"ab"), Kind::Count, "integer `2`");
    check(text("ab"), Kind::Count, "filter `count` needs list or bytes, got string `ab`");
    check(json("{}"), Kind::Count, "filter `count` needs list or bytes, got object `{}`");
    check(json("[1,2]"), Kind::First, "integer `1`");
    check(json("[1,2]"), Kind::Last, "integer `2`");
    check(json("[]"), Kind::First, "filter `first`: the list is empty");
    check(json("[]"), Kind::Last, "filter `last`: the list is empty");
    check(json("[1,2]"), Kind::Nth(Index::Constant(-2)), "integer `1`");
    check(json("[1,2]"), Kind::Nth(Index::Constant(2)), "filter `nth`: there is no item 2, the list has 2");
    check(json("[1,2]"), Kind::Nth(Index::Constant(-3)), "filter `nth`: there is no item -3, the list has 2");
    let unknown = Expression { span: Span::default(), kind: ExpressionKind::Variable("n".to_owned()) };
    check(json("[1]"), Kind::Nth(Index::Expression(unknown)), "no variable `n`");
    check(text("a,b,,"), Kind::Split(template(",")), "list `[a, b, , ]`");
}

#[test]
fn texts() {
    check(text("abcabc"), Kind::Replace(template("b"), template("x")), "string `axcaxc`");
    check(text("a1b22"), Kind::ReplaceRegex(pattern(r"(\d+)"), template("<$1>")), "string `a<1>b<22>`");
    check(text("id=42;"), Kind::Regex(pattern(r"id=(\d+)")), "string `42`");
    check(text("id=x"), Kind::Regex(pattern(r"id=(\d+)")), "none");
    check(text("id=4"), Kind::Regex(pattern(r"id=\d+")), "none");
    check(text("{\"a\":[1,2]}"), Kind::JsonPath(PathSource::Constant(Path::parse("$.a[0]").unwrap())), "integer `1`");
    check(
        text("{"),
        Kind::JsonPath(PathSource::Constant(Path::parse("$").unwrap())),
        "filter `jsonpath`: the string is not JSON",
    );
    check(Value::Redirect { status: 302, location: "http://h/".to_owned() }, Kind::Location, "string `http://h/`");
    check(text("x"), Kind::Location, "filter `location` needs http response, got string `x`");
}

#[test]
fn numbers() {
    check(text("1.5"), Kind::ToFloat, "float `1.5`");
    check(json("2"), Kind::ToFloat, "float `2.0`");
    check(text("x"), Kind::ToFloat, "filter `toFloat`: `x` is not a number");
    check(
        json("123456789012345678901"),
        Kind::ToFloat,
        "filter `toFloat`: integer `123456789012345678901` is too large",
    );
    let written = |text: &str| Value::Number(Number::as_written(text));
    check(written("1.50"), Kind::ToFloat, "float `1.5`");
    check(written("1e400"), Kind::ToFloat, "filter `toFloat`: float `1e400` is too large");
    check(written("1e3"), Kind::ToInt, "integer `1000`");
    check(text("12"), Kind::ToInt, "integer `12`");
    check(text("1.5"), Kind::ToInt, "filter `toInt`: `1.5` is not an integer");
    check(json("-1.9"), Kind::ToInt, "integer `-1`");
    check(json("1e300"), Kind::ToInt, "integer `9223372036854775807`");
    check(json("true"), Kind::ToInt, "filter `toInt` needs float, integer or string, got boolean `true`");
    check(json("1.5"), Kind::ToString, "string `1.5`");
    check(json("null"), Kind::ToString, "string `null`");
    check(json("[1]"), Kind::ToString, "filter `toString`: list `[1]` has no text");
}

#[test]
fn every_named_reference_is_known() {
    assert_eq!(entities::unescape("&NewLine;&amp;amp;&zwnj;&CounterClockwiseContourIntegral;"), "\n&amp;\u{200c}∳");
}
