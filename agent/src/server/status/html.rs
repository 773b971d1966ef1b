//! Small pieces of HTML.

/// Text fit for an element or a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A bar of parts, each with a class and a width of the whole in thousandths. An image, for the page's policy allows no `style`.
pub(super) fn bar(parts: &[(String, u32)], label: &str) -> String {
    let mut x = 0;
    let mut image = format!(
        "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">",
        escape(label)
    );
    for (class, width) in parts {
        let width = (*width).min(1000_u32.saturating_sub(x));
        image.push_str(&format!("<rect class=\"{}\" x=\"{x}\" width=\"{width}\" height=\"10\"/>", escape(class)));
        x += width;
    }
    image + "</svg>"
}

/// A share as thousandths, clamped to 0..=1000.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
pub(super) fn thousandths(share: f64) -> u32 {
    if share.is_nan() { 0 } else { (share * 1000.0).round().clamp(0.0, 1000.0) as u32 }
}
