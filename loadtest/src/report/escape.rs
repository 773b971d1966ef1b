//! Text that nobody may trust, made safe for the format it goes into: names of requests, examples of failures and reasons hold
//! what the target or a journey said. One function a format; nothing is left out, so that a reader sees what came.

/// For element text and quoted attributes of XML and HTML. Characters that XML cannot hold, even escaped, become `�`.
pub(crate) fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// For the attribute of an XML element: line ends stay line ends, which a parser would turn into spaces.
pub(crate) fn xml_attribute(text: &str) -> String {
    xml(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

/// Running text of HTML: what stands between backticks becomes code.
pub(super) fn html_prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // An odd tick at the end opens nothing.
    let pairs = parts.len() % 2 == 1;
    let one = |(index, part): (usize, &&str)| match index % 2 == 1 && (pairs || index + 1 < parts.len()) {
        true => format!("<code>{}</code>", xml(part)),
        false if index % 2 == 1 => format!("`{}", xml(part)),
        false => xml(part),
    };
    parts.iter().enumerate().map(one).collect()
}

/// A code span of Markdown, in a table too: in it nothing is a link, a mention, an element or a column.
pub(super) fn code(text: &str) -> String {
    let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let fence = "`".repeat(longest_run(&one_line) + 1);
    // Without a gap, a backtick at the edge would join the fence.
    let gap = if one_line.starts_with('`') || one_line.ends_with('`') || one_line.is_empty() { " " } else { "" };
    format!("{fence}{gap}{}{gap}{fence}", one_line.replace('|', "\\|"))
}

/// A block of code in Markdown.
pub(super) fn block(text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

/// Running text of Markdown: what stands between backticks becomes code, everything else is taken literally.
pub(super) fn prose(text: &str) -> String {
    let parts =
        text.split('`').enumerate().map(|(index, part)| if index % 2 == 1 { code(part) } else { literal(part) });
    parts.collect()
}

fn literal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!' => {
                safe.push('\\');
                safe.push(c);
            }
            // A mention wakes somebody up; an invisible joiner behind the sign makes it none.
            '@' => safe.push_str("@\u{2060}"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_place_in_markup() {
        assert_eq!(
            xml("<script>\"a\" & 'b'\u{0}\u{1b}"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;\u{fffd}\u{fffd}"
        );
        assert_eq!(xml_attribute("a\nb"), "a&#10;b");
        assert_eq!(html_prose("`GET /<x>` is <late>"), "<code>GET /&lt;x&gt;</code> is &lt;late&gt;");
        assert_eq!(html_prose("an odd ` tick"), "an odd ` tick");
    }

    #[test]
    fn nothing_leaves_its_place_in_markdown() {
        assert_eq!(code("GET /a|b"), "`GET /a\\|b`");
        assert_eq!(code("a``b`"), "``` a``b` ```");
        assert_eq!(code("two\nlines"), "`two lines`");
        assert_eq!(block("a\n```\nb\n"), "````text\na\n```\nb\n````\n");
        assert_eq!(prose("`GET /x` is *late*, says @ops <b>"), "`GET /x` is \\*late\\*, says @\u{2060}ops \\<b\\>");
        assert_eq!(prose("an odd ` tick | here"), "an odd ` tick \\| here`");
    }
}
