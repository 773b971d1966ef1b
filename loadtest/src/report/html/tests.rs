//! The page as a browser gets it: whole, escaped, without anything from elsewhere.

use super::render;
use crate::measure::Failure;
use crate::report::tests::{report, report_against, rows};
use crate::report::{FigureLine, FindingLine, GapLine, Report, SidecarLine, SuspectLine, to_markdown};
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

/// Two services: one that a finding blames and that was not heard for a while, and one without a figure.
fn with_sidecars() -> Report {
    let mut report = report(&["errors < 0.1%"], rows(), Ending::Complete);
    let figure = |name: &str, saturated, course: fn(f64) -> f64| FigureLine {
        name: name.to_owned(),
        saturated,
        calm: Some(0.1),
        points: (-5..40)
            .map(f64::from)
            .filter(|at| !(8.0..12.0).contains(at))
            .map(|at| (at, course(at), course(at)))
            .collect(),
    };
    let gap = GapLine { from_s: 8.0, until_s: 11.0, why: "<b>refused</b>".to_owned() };
    let figures = vec![
        figure("cpu_throttled", Some(0.1), |at| if at >= 3.0 { 0.8 } else { 0.0 }),
        figure("disk", Some(0.9), |_| 0.3),
        figure("inodes", Some(0.9), |_| 0.95),
        figure("of tomorrow", None, |_| 1.0),
    ];
    let service =
        |service: &str, gaps, figures| SidecarLine { service: service.to_owned(), gaps, unbelievable: None, figures };
    report.sidecars = vec![service("back<end>", vec![gap], figures), service("db", Vec::new(), Vec::new())];
    report.findings = vec![FindingLine {
        target: Some("errors < 0.1%".to_owned()),
        sentence: "`back<end>` was throttled".to_owned(),
        from_s: 3.0,
        until_s: 9.0,
        suspects: vec![SuspectLine {
            service: "back<end>".to_owned(),
            named: true,
            figure: Some("cpu_throttled".to_owned()),
            cause: None,
            since_s: 3.0,
            level: 0.8,
            calm: Some(0.0),
            waits_for: None,
            score: 1.0,
        }],
    }];
    report
}

#[test]
fn what_sidecars_told_is_drawn_under_their_service() {
    let page = render(&with_sidecars());
    assert_eq!(unbalanced(&page), None, "{page}");
    assert!(!page.contains("<b>") && page.contains("Not heard from 0:08 to 0:11: &lt;b&gt;refused"), "{page}");
    let part = page.split("<h2>Services").nth(1).and_then(|rest| rest.split("<h2>Requests").next()).expect("the part");
    assert_eq!(part.matches("role=\"img\"").count(), 2, "the blamed figure and the one at its limit: {part}");
    for title in ["back&lt;end&gt; cpu_throttled</title>", "back&lt;end&gt; inodes</title>"] {
        assert!(part.contains(title), "{title}");
    }
    assert!(part.contains("It told no figures") && part.contains(">disk</th>") && !part.contains("tomorrow"));
    assert_eq!(part.matches("figure class=\"blamed\"").count(), 1);
    assert!(part.contains("blamed since 0:03") && part.contains("bottleneck from 10 %"));
    // A line breaks where nothing was heard; what was told before and after the load is not drawn.
    let line =
        part.split("<path class=\"line c1\" d=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a line");
    assert_eq!((line.matches('M').count(), line.matches('L').count()), (2, 20), "{line}");
    assert!(!render(&report(&[], rows(), Ending::Complete)).contains("<h2>Services"));
}

#[test]
fn on_paper_nothing_is_cut() {
    let print = include_str!("style.css").split("@media print").nth(1).expect("a print view");
    for rule in
        ["--page:#fff", "tr{break-inside:avoid}", "figure,pre,caption{break-inside:avoid}", ".scroll{overflow:visible"]
    {
        assert!(print.contains(rule), "{rule}");
    }
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
