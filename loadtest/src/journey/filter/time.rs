//! Filters of dates. Formats are strftime's.

use super::{Answer, Call};
use crate::journey::number::Number;
use crate::journey::template::Template;
use crate::journey::value::Value;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use std::fmt::Write as _;

pub(super) fn days(distance: TimeDelta) -> Value {
    Value::Number(Number::Integer(distance.num_days()))
}

pub(super) fn format(call: &Call<'_>, format: &Template) -> Answer {
    let format = format.render(call.scope)?;
    let date = call.date()?;
    let mut text = String::new();
    match write!(text, "{}", date.format(&format)) {
        Ok(()) => Ok(Some(Value::String(text))),
        Err(_) => Err(call.bad(format!("`{format}` is not a date format"))),
    }
}

/// A date with time and zone, with time, or alone; UTC where no zone is given.
pub(super) fn parse(call: &Call<'_>, format: &Template) -> Answer {
    let format = format.render(call.scope)?;
    let text = call.text("string")?;
    let zoned = || DateTime::parse_from_str(text, &format).ok().map(|date| date.with_timezone(&Utc));
    let timed = || NaiveDateTime::parse_from_str(text, &format).ok().map(|date| date.and_utc());
    let plain = || NaiveDate::parse_from_str(text, &format).ok()?.and_hms_opt(0, 0, 0).map(|date| date.and_utc());
    match zoned().or_else(timed).or_else(plain) {
        Some(date) => Ok(Some(Value::Date(date))),
        None => Err(call.bad(format!("`{text}` is not a date of the form `{format}`"))),
    }
}
