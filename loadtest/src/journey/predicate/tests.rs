//! Cases of `predicate`, one line each, and property tests.

use super::*;
use crate::journey::json;
use crate::journey::template::ExpressionKind;
use crate::journey::variables::Variables;
use std::path::Path;
use std::sync::Arc;

fn judge(value: Option<&Value>, negated: bool, test: Test) -> Result<(), String> {
    let variables = Variables::default();
    let scope = Scope { variables: &variables, now: chrono::DateTime::UNIX_EPOCH, root: Path::new(".") };
    let predicate = Predicate { span: Span::default(), negated, test };
    predicate.judge(value, scope).map_err(|fault| fault.summary())
}

/// Whether `value` passes, and whether it passes the negation.
fn check(value: &str, test: &Test, expected: [bool; 2]) {
    let value = json::parse(value).ok();
    let met = [false, true].map(|negated| judge(value.as_ref(), negated, test.clone()).is_ok());
    assert_eq!(met, expected, "{value:?} {test:?}");
}

const MET: [bool; 2] = [true, false];
const UNMET: [bool; 2] = [false, true];
/// Of a type that the test does not take: neither it nor its negation passes.
const NEITHER: [bool; 2] = [false, false];
const ABSENT: &str = "";

fn constant(text: &str) -> Expected {
    Expected::Constant(json::parse(text).unwrap())
}

fn at_least(text: &str) -> Test {
    Test::Order("at least", |order| order.is_ge(), constant(text))
}

fn matches(pattern: &str) -> Test {
    Test::Matches(Pattern::Constant(Arc::new(regex::Regex::new(pattern).unwrap())))
}

#[test]
fn equality_takes_any_two_values() {
    let one = Test::Equal(constant("1"));
    check("1", &one, MET);
    check("1.0", &one, MET);
    check("\"1\"", &one, UNMET);
    check("null", &one, UNMET);
    check(ABSENT, &one, UNMET);
    let other = Test::NotEqual(constant("1"));
    check("1.0", &other, UNMET);
    check("\"1\"", &other, MET);
    check(ABSENT, &other, UNMET);
}

#[test]
fn order_takes_two_numbers_or_two_strings() {
    check("2", &at_least("2.0"), MET);
    check("1.5", &at_least("2"), UNMET);
    check("12345678901234567890123", &at_least("9"), MET);
    check("\"b\"", &at_least("\"a\""), MET);
    check("\"2\"", &at_least("1"), NEITHER);
    check("null", &at_least("1"), NEITHER);
    check(ABSENT, &at_least("1"), UNMET);
}

#[test]
fn parts_are_sought_in_strings_bytes_and_lists() {
    check("\"hello\"", &Test::StartsWith(constant("\"he\"")), MET);
    check("\"hello\"", &Test::EndsWith(constant("\"he\"")), UNMET);
    check("\"hello\"", &Test::Contains(constant("\"ll\"")), MET);
    check("[1,2]", &Test::Contains(constant("2.0")), MET);
    check("[1,2]", &Test::Includes(constant("3")), UNMET);
    check("\"hello\"", &Test::Includes(constant("\"h\"")), NEITHER);
    check("{\"k\":1}", &Test::Contains(constant("\"k\"")), NEITHER);
    check("5", &Test::StartsWith(constant("5")), NEITHER);
    check("\"x1\"", &matches(r"\d$"), MET);
    check("1", &matches(r"\d$"), NEITHER);
    let bytes = |bytes: &'static [u8]| Value::Bytes(bytes.into());
    let has = |part| judge(Some(&bytes(b"abc")), false, Test::Contains(Expected::Constant(bytes(part))));
    assert_eq!((has(b"bc"), has(b"")), (Ok(()), Ok(())));
}

#[test]
fn types_and_forms() {
    check("\"\"", &Test::IsEmpty, MET);
    check("{}", &Test::IsEmpty, MET);
    check("[1]", &Test::IsEmpty, UNMET);
    check("0", &Test::IsEmpty, NEITHER);
    check("null", &Test::Exists, MET);
    check(ABSENT, &Test::Exists, UNMET);
    check("1", &Test::IsKind("", kinds::integer), MET);
    check("12345678901234567890123", &Test::IsKind("", kinds::integer), MET);
    check("1.0", &Test::IsKind("", kinds::integer), UNMET);
    check("1e2", &Test::IsKind("", kinds::float), MET);
    check("1e400", &Test::IsKind("", kinds::float), MET);
    check("1e400", &Test::IsKind("", kinds::integer), UNMET);
    check("[]", &Test::IsKind("", kinds::collection), MET);
    check("{}", &Test::IsKind("", kinds::list), UNMET);
    check("{}", &Test::IsKind("", kinds::object), MET);
    check("\"::1\"", &Test::HasForm("", forms::ipv6), MET);
    check("\"127.0.0.1\"", &Test::HasForm("", forms::ipv6), UNMET);
    check("\"2024-01-02T03:04:05+01:00\"", &Test::HasForm("", forms::iso_date), MET);
    check("\"2024-01-02\"", &Test::HasForm("", forms::iso_date), UNMET);
    check("1", &Test::HasForm("", forms::uuid), NEITHER);
}

#[test]
fn messages_say_what_was_expected_and_what_was_there() {
    let say = |value: &str, negated, test| judge(json::parse(value).ok().as_ref(), negated, test).unwrap_err();
    insta::assert_snapshot!(say("1", false, Test::Equal(constant("2"))), @"expected integer `2`, got integer `1`");
    insta::assert_snapshot!(say("1", true, Test::Equal(constant("1"))), @"expected not integer `1`, got integer `1`");
    insta::assert_snapshot!(say("[1]", false, at_least("1")), @"expected at least integer `1` (a value of another type), got list `[1]`");
    insta::assert_snapshot!(say(ABSENT, false, Test::Exists), @"expected something, got nothing");
    insta::assert_snapshot!(say("\"a\"", false, matches("b")), @"expected matches `b`, got string `a`");
    let unknown = Expression { span: Span::default(), kind: ExpressionKind::Variable("x".to_owned()) };
    insta::assert_snapshot!(say(ABSENT, true, Test::Equal(Expected::Expression(unknown))), @"no variable `x`");
}
