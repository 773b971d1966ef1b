//! Real reports against the published schema. The checker knows the words of JSON Schema that the schema uses and refuses any other,
//! so that no rule goes unchecked.

use super::tests::{report, report_against, rows};
use super::*;
use crate::measure::{Failure, Row};
use crate::targets::Ending;
use serde_json::Value;

/// Everything in a value that the schema does not allow.
fn complaints(schema: &Value, rule: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let mut complain = |what: String| found.push(format!("{path}: {what}"));
    for (word, wanted) in rule.as_object().expect("a rule") {
        match word.as_str() {
            "$schema" | "title" | "description" | "$defs" | "properties" | "additionalProperties" => {}
            "type" => {
                let kinds = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
                if !kinds.iter().any(|kind| is(kind.as_str().expect("a type"), value)) {
                    complain(format!("{value} is no {wanted}"));
                }
            }
            "required" => {
                for key in wanted.as_array().expect("keys").iter().filter_map(Value::as_str) {
                    if value.get(key).is_none() {
                        complain(format!("lacks `{key}`"));
                    }
                }
            }
            "enum" if !wanted.as_array().expect("words").contains(value) => {
                complain(format!("{value} is none of {wanted}"))
            }
            "const" if wanted != value => complain(format!("{value} is not {wanted}")),
            "minimum" if value.as_f64().is_some_and(|got| got < wanted.as_f64().expect("a number")) => {
                complain(format!("{value} is below {wanted}"));
            }
            "maximum" if value.as_f64().is_some_and(|got| got > wanted.as_f64().expect("a number")) => {
                complain(format!("{value} is above {wanted}"));
            }
            "enum" | "const" | "minimum" | "maximum" => {}
            "pattern" => {
                let pattern = regex::Regex::new(wanted.as_str().expect("a pattern")).expect("a pattern");
                if !pattern.is_match(value.as_str().unwrap_or_default()) {
                    complain(format!("{value} does not match"));
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    complaints(schema, wanted, item, &format!("{path}[{index}]"), found);
                }
                return properties(schema, rule, value, path, found);
            }
            "$ref" => {
                let to = wanted.as_str().and_then(|to| to.strip_prefix('#')).expect("a local reference");
                return complaints(schema, schema.pointer(to).expect("a definition"), value, path, found);
            }
            "anyOf" => {
                let fits = |rule: &Value| {
                    let mut wrong = Vec::new();
                    complaints(schema, rule, value, path, &mut wrong);
                    wrong.is_empty()
                };
                if !wanted.as_array().expect("rules").iter().any(fits) {
                    complain(format!("{value} fits none of them"));
                }
            }
            other => panic!("{path}: the checker does not know `{other}`"),
        }
    }
    properties(schema, rule, value, path, found);
}

fn properties(schema: &Value, rule: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let Some(known) = rule.get("properties").and_then(Value::as_object) else { return };
    for (key, inner) in value.as_object().into_iter().flatten() {
        match known.get(key) {
            Some(rule) => complaints(schema, rule, inner, &format!("{path}.{key}"), found),
            None if rule["additionalProperties"] == false => {
                found.push(format!("{path}: `{key}` is not in the schema"))
            }
            None => {}
        }
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("{other}"),
    }
}

fn wrong(json: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    let mut found = Vec::new();
    complaints(&schema, &schema, json, "report", &mut found);
    found
}

#[test]
fn every_report_fits_the_published_schema() {
    let failing = report(&["errors < 0.1%", "max < 1s"], rows(), Ending::Signal("SIGTERM", 15));
    let empty = report(&[], Vec::new(), Ending::GivenUp("the target is dead".to_owned()));
    let undone =
        Report { teardown: Some("`GET /x` of the teardown fails".to_owned()), ..report(&[], rows(), Ending::Complete) };
    let newer = report(&[], rows().into_iter().map(|row| Row { http2: row.count, ..row }).collect(), Ending::Complete);
    for report in [failing, empty, undone, newer, report_against(rows())] {
        let json: Value = serde_json::from_str(&to_json(&report)).expect("JSON");
        assert_eq!(wrong(&json), Vec::<String>::new());
    }
}

#[test]
fn every_cause_of_errors_is_in_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    let known =
        schema.pointer("/$defs/line/properties/errors_by/properties").and_then(Value::as_object).expect("causes");
    let missing: Vec<_> =
        Failure::ALL.iter().map(|cause| cause.as_str()).filter(|cause| !known.contains_key(*cause)).collect();
    assert_eq!((missing, known.len()), (vec![], Failure::ALL.len()));
}

#[test]
fn the_schema_objects_to_what_is_no_report() {
    let mut json: Value = serde_json::from_str(&to_json(&report(&[], rows(), Ending::Complete))).expect("JSON");
    json["verdict"] = "perhaps".into();
    json["requests"][0]["count"] = (-1).into();
    json["requests"][0]["p50_us"] = "3ms".into();
    json["surprise"] = 1.into();
    json["plan_hash"] = "abc".into();
    json["version"] = 2.into();
    json.as_object_mut().expect("an object").remove("targets");
    let wrong = wrong(&json).join("\n");
    for expected in [
        "perhaps",
        "-1 is below 0",
        "\"3ms\" is no",
        "`surprise` is not in the schema",
        "\"abc\" does not match",
        "2 is not 1",
        "lacks `targets`",
    ] {
        assert!(wrong.contains(expected), "{expected}:\n{wrong}");
    }
}
