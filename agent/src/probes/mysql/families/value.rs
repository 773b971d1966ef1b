//! A value of MySQL's text as a number, as the public exporter reads it: words for yes and no, dates, plain numbers.

use crate::clock;

/// The number that a text stands for.
pub(super) fn number(text: &str) -> Option<f64> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["yes", "on", "primary"]) {
        return Some(1.0);
    }
    // A replica that is connecting does not run; a node of Galera that is not primary is of no use.
    if is(&["no", "off", "disabled", "connecting", "non-primary", "disconnected"]) {
        return Some(0.0);
    }
    text.parse().ok().filter(|number: &f64| number.is_finite()).or_else(|| date(text))
}

/// Seconds since 1970 of `2026-11-21 06:17:04` or `Nov 21 06:17:04 2026 GMT`.
fn date(text: &str) -> Option<f64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let words: Vec<&str> = text.split_whitespace().collect();
    let (year, month, day, time) = match *words.as_slice() {
        [date, time] => {
            let mut parts = date.splitn(3, '-').map(str::parse);
            (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?, time)
        }
        [month, day, time, year, _zone] if month.len() == 3 => {
            let month = MONTHS.find(month).filter(|at| at % 3 == 0)? / 3 + 1;
            (year.parse().ok()?, i64::try_from(month).ok()?, day.parse().ok()?, time)
        }
        _ => return None,
    };
    let mut parts = time.splitn(3, ':').map(|part| part.parse::<u16>().map(f64::from));
    let seconds = parts.next()?.ok()? * 3600.0 + parts.next()?.ok()? * 60.0 + parts.next()?.ok()?;
    let days = i32::try_from(clock::days(year, month, day)?).ok().filter(|_| year >= 1970)?;
    Some(f64::from(days) * 86_400.0 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_dates_and_numbers() {
        let cases = [
            ("ON", Some(1.0)),
            ("Connecting", Some(0.0)),
            ("non-Primary", Some(0.0)),
            ("16777216", Some(16_777_216.0)),
            ("-1", Some(-1.0)),
            ("0.5", Some(0.5)),
            ("2026-11-21 06:17:09", Some(1_795_241_829.0)),
            ("Nov 21 06:17:09 2026 GMT", Some(1_795_241_829.0)),
            ("Mar  1 00:00:00 2000 GMT", Some(951_868_800.0)),
            ("2000-02-29 00:00:00", Some(951_782_400.0)),
            ("", None),
            ("nan", None),
            ("inf", None),
            ("mysql-bin.000003", None),
            ("127.0.0.1", None),
            ("0000-00-00 00:00:00", None),
            ("anF 21 06:17:09 2026 GMT", None),
            ("2026-11-21 4294967295:0:0", None),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
