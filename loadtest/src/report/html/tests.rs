//! The page as a browser gets it: whole, escaped, without anything from elsewhere.

use super::render;
use crate::measure::Failure;
use crate::report::tests::{report, report_against, rows};
use crate::report::{FindingLine, Report, to_markdown};
use crate::targets::{Ending, test_row};

fn hostile() -> Report {
    let mut rows = rows();
    let mut row = test_row("GET /<script>alert(1)</script>\"'&", &[(20, 300)], 0);
    row.errors_by = [(Failure::Assert, 4)].into();
    row.example = Some("</pre><img src=x onerror=alert(1)>\u{1b}[31m".to_owned());
    rows.push(row);
    report(&["p95 < 2s", "errors < 0.1%"], rows, Ending::GivenUp("<b>dead</b>".to_owned()))
}

/// Every opened element is closed, in order; those of HTML that have no end aside.
fn unbalanced(page: &str) -> Option<String> {
    const EMPTY: [&str; 2] = ["meta", "!DOCTYPE"];
    let (mut open, mut rest) = (Vec::new(), page);
    while let Some(at) = rest.find('<') {
        let tag = rest.get(at + 1..)?.split('>').next()?;
        rest = rest.get(at + 1 + tag.len()..)?;
        let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next()?;
        if name == "style" && !tag.starts_with('/') {
            rest = rest.get(rest.find("</style>")? + "</style>".len()..)?;
        } else if tag.starts_with('/') {
            if open.pop() != Some(name) {
                return Some(format!("</{name}> closes {open:?}"));
            }
        } else if !tag.ends_with('/') && !EMPTY.contains(&name) {
            open.push(name);
        }
    }
    (!open.is_empty()).then(|| format!("{open:?}"))
}

#[test]
fn the_page_is_whole_and_loads_nothing_from_elsewhere() {
    for report in [hostile(), report_against(rows()), report(&[], Vec::new(), Ending::Complete)] {
        let page = render(&report);
        assert_eq!(unbalanced(&page), None, "{page}");
        for elsewhere in ["src=", "href=", "url(", "@import", "<script", "<link", "<iframe", "NaN", "inf"] {
            let code = page.replace("src=x onerror", "");
            assert!(!code.contains(elsewhere), "{elsewhere}");
        }
    }
    assert_eq!(unbalanced("<p><b></p>"), Some("</p> closes [\"p\"]".to_owned()));
}

#[test]
fn whatever_a_journey_or_a_target_says_stays_text() {
    let page = render(&hostile());
    assert!(page.contains("GET /&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"));
    assert!(page.contains("&lt;/pre&gt;&lt;img src=x onerror=alert(1)&gt;\u{fffd}[31m"));
    assert!(page.contains("&lt;b&gt;dead&lt;/b&gt;") && !page.contains("<b>"));
    assert!(!page.contains("<img") && !page.contains("<script"));
}

#[test]
fn the_page_and_the_comment_say_why_and_the_plot_shows_when() {
    let mut report = report(&["errors < 0.1%"], rows(), Ending::Complete);
    report.findings = vec![FindingLine {
        target: Some("errors < 0.1%".to_owned()),
        sentence: "`backend` was <throttled> in 41 % of periods".to_owned(),
        from_s: 1.0,
        until_s: 2.0,
        suspects: Vec::new(),
    }];
    let page = render(&report);
    assert!(page.contains("<h2>Why</h2>") && page.contains("<code>backend</code> was &lt;throttled&gt; in 41 %"));
    assert_eq!(page.matches("class=\"missed\"").count(), 1);
    assert!(
        to_markdown(&report).contains("**Why**\n\n- `backend` was \\<throttled\\> in 41 %"),
        "{}",
        to_markdown(&report)
    );
}

#[test]
fn the_page_says_what_the_report_says() {
    let page = render(&report_against(rows()));
    for said in [
        "✗ NO-GO",
        "roll back: ",
        "<h2>Roll back</h2>",
        "<h2>Baseline</h2>",
        "Latency over time",
        "Heat map of latency",
        "Latency by percentile",
        "prefers-color-scheme:dark",
        "<caption>Targets</caption>",
    ] {
        assert!(page.contains(said), "{said}");
    }
    let plots = page.matches("role=\"img\"").count();
    assert_eq!(plots, 5);
    for part in ["<title id=\"", "<desc id=\""] {
        assert_eq!(page.matches(part).count(), plots, "each plot has {part}");
    }
}
