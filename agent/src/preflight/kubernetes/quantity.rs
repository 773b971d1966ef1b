//! Quantities as Kubernetes writes them: `100m`, `1.5`, `256Mi`, `1e3`. Pure.

/// The amount in the unit itself; `None` when it is no quantity.
pub(super) fn amount(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| c.is_ascii_alphabetic() && !matches!(c, 'e' | 'E')).unwrap_or(text.len());
    // `1E` is an exabyte, `1e3` a number.
    let (digits, unit) = match text.strip_suffix('E') {
        Some(digits) => (digits, "E"),
        None => text.split_at_checked(end)?,
    };
    let factor = match unit {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        _ => return None,
    };
    digits.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn quantities_are_read_as_the_api_server_reads_them() {
        let cases = [
            ("100m", 0.1),
            ("1", 1.0),
            ("0.5", 0.5),
            ("256Mi", 268_435_456.0),
            ("1e3", 1000.0),
            ("1G", 1e9),
            ("2E", 2e18),
            ("64k", 64_000.0),
        ];
        for (text, expected) in cases {
            let read = amount(text).unwrap();
            assert!((read - expected).abs() < expected * 1e-12, "{text}: {read}");
        }
        for text in ["", "Mi", "1 Mi", "1KiB", "ten", "inf", "é"] {
            assert_eq!(amount(text), None, "{text}");
        }
    }
}
