//! [`Path`] over a document, by reference: nothing of the document is copied but what `length` and `count` compute.

use super::{Comparable, Logical, Operator, Pattern, Segment, Selector, SubQuery, parse};
use crate::journey::value::Value;
use std::borrow::Cow;
use std::cmp::Ordering;

/// Floats nearer than this are equal in filters, as in Hurl.
const TOLERANCE: f64 = 1e-12;

pub(super) fn find<'v>(segments: &[Segment], from: &'v Value, root: &'v Value) -> Vec<&'v Value> {
    segments.iter().fold(vec![from], |nodes, segment| {
        let mut found = vec![];
        for node in nodes {
            apply(segment, node, root, &mut found);
        }
        found
    })
}

fn apply<'v>(segment: &Segment, node: &'v Value, root: &'v Value, found: &mut Vec<&'v Value>) {
    for selector in &segment.selectors {
        select(selector, node, root, found);
    }
    if segment.descendant {
        children(node).for_each(|child| apply(segment, child, root, found));
    }
}

fn children(node: &Value) -> impl Iterator<Item = &Value> {
    let (items, members): (&[Value], &[(String, Value)]) = match node {
        Value::List(items) => (items, &[]),
        Value::Object(members) => (&[], members),
        _ => (&[], &[]),
    };
    items.iter().chain(members.iter().map(|(_, member)| member))
}

fn select<'v>(selector: &Selector, node: &'v Value, root: &'v Value, found: &mut Vec<&'v Value>) {
    match (selector, node) {
        (Selector::Name(name), _) => found.extend(node.member(name)),
        (Selector::Wildcard, _) => found.extend(children(node)),
        (Selector::Index(index), Value::List(items)) => {
            let index = if *index < 0 { length(items) + index } else { *index };
            found.extend(usize::try_from(index).ok().and_then(|index| items.get(index)));
        }
        (Selector::Slice { start, end, step }, Value::List(items)) => {
            let picked = slice(*start, *end, *step, length(items));
            found.extend(picked.filter_map(|index| usize::try_from(index).ok().and_then(|index| items.get(index))));
        }
        (Selector::Filter(logical), _) => found.extend(children(node).filter(|child| holds(logical, child, root))),
        (Selector::Index(_) | Selector::Slice { .. }, _) => {}
    }
}

fn length(items: &[Value]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

/// The indices of a slice (RFC 9535, 2.3.4.2.2); a step of 0 picks nothing.
fn slice(start: Option<i64>, end: Option<i64>, step: i64, length: i64) -> impl Iterator<Item = i64> {
    let absolute = |index: i64| if index < 0 { length + index } else { index };
    let (first, stop) = if step >= 0 {
        (absolute(start.unwrap_or(0)).clamp(0, length), absolute(end.unwrap_or(length)).clamp(0, length))
    } else {
        let stop = end.map_or(-1, |end| absolute(end).clamp(-1, length - 1));
        (absolute(start.unwrap_or(length - 1)).clamp(-1, length - 1), stop)
    };
    let inside = move |index: &i64| if step >= 0 { *index < stop } else { *index > stop };
    std::iter::successors(Some(first).filter(|_| step != 0), move |index| index.checked_add(step)).take_while(inside)
}

fn holds(logical: &Logical, current: &Value, root: &Value) -> bool {
    match logical {
        Logical::Or(all) => all.iter().any(|one| holds(one, current, root)),
        Logical::And(all) => all.iter().all(|one| holds(one, current, root)),
        Logical::Not(one) => !holds(one, current, root),
        Logical::Exists(query) => !nodes(query, current, root).is_empty(),
        Logical::Compare(left, operator, right) => {
            let (left, right) = (evaluate(left, current, root), evaluate(right, current, root));
            compare(*operator, left.as_deref(), right.as_deref())
        }
        Logical::Matches { text, pattern, whole } => {
            let Some(Value::String(text)) = evaluate(text, current, root).as_deref().cloned() else { return false };
            match pattern {
                Pattern::Constant(regex) => regex.as_ref().is_some_and(|regex| regex.is_match(&text)),
                Pattern::Computed(pattern) => match evaluate(pattern, current, root).as_deref() {
                    Some(Value::String(pattern)) => {
                        parse::regex(pattern, *whole).is_some_and(|regex| regex.is_match(&text))
                    }
                    _ => false,
                },
            }
        }
    }
}

fn nodes<'v>(query: &SubQuery, current: &'v Value, root: &'v Value) -> Vec<&'v Value> {
    find(&query.segments, if query.absolute { root } else { current }, root)
}

fn evaluate<'v>(side: &'v Comparable, current: &'v Value, root: &'v Value) -> Option<Cow<'v, Value>> {
    match side {
        Comparable::Literal(value) => Some(Cow::Borrowed(value)),
        Comparable::Query(query) | Comparable::ValueOf(query) => {
            let nodes = nodes(query, current, root);
            nodes.first().filter(|_| nodes.len() == 1).map(|node| Cow::Borrowed(*node))
        }
        Comparable::Count(query) => Some(Cow::Owned(Value::count(nodes(query, current, root).len()))),
        Comparable::Length(of) => {
            let length = match evaluate(of, current, root)?.as_ref() {
                Value::List(items) => items.len(),
                Value::Object(members) => members.len(),
                Value::String(text) => text.chars().count(),
                _ => return None,
            };
            Some(Cow::Owned(Value::count(length)))
        }
    }
}

fn compare(operator: Operator, left: Option<&Value>, right: Option<&Value>) -> bool {
    let equal = || match (left, right) {
        (Some(Value::Number(one)), Some(Value::Number(two))) => {
            one == two || (one.as_f64() - two.as_f64()).abs() < TOLERANCE
        }
        _ => left == right,
    };
    let less = |one: Option<&Value>, two: Option<&Value>| match (one, two) {
        (Some(one @ Value::String(_)), Some(two @ Value::String(_)))
        | (Some(one @ Value::Number(_)), Some(two @ Value::Number(_))) => one.compare(two) == Ok(Ordering::Less),
        _ => false,
    };
    match operator {
        Operator::Equal => equal(),
        Operator::NotEqual => !equal(),
        Operator::Less => less(left, right),
        Operator::Greater => less(right, left),
        Operator::LessOrEqual => less(left, right) || equal(),
        Operator::GreaterOrEqual => less(right, left) || equal(),
    }
}
