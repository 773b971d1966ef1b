//! `/`: the state of the service on one page that a person likes to read. Plain HTML, no script, nothing loaded from elsewhere.
//! Everybody may see it, so it holds names from the configuration, closed words and figures: no addresses, no error texts.

mod causes;
mod checks;
mod html;
mod reasons;
mod resources;
mod style;
mod verdict;

use super::reply::{self, Reply};
use super::routes::Asked;
use super::times;
use crate::collectors::Collected;
use crate::limits;
use crate::silence::Silence;
use crate::snapshot::{Snapshot, SourceView};
use crate::units::Span;
use crate::version::Version;
use html::escape;
use http::header;
use http::{HeaderValue, StatusCode};
use std::fmt::Write as _;
use std::time::SystemTime;

/// The page.
pub(super) fn page(asked: &Asked<'_>) -> Reply {
    let mut reply = reply::typed(StatusCode::OK, "text/html; charset=utf-8", render(&asked.snapshot, asked.now));
    if let Ok(policy) = HeaderValue::from_str(&style::POLICY) {
        reply.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let reply = reply::with(reply, header::X_FRAME_OPTIONS, "DENY");
    reply::with(reply, header::REFERRER_POLICY, "no-referrer")
}

/// The whole text.
pub(super) fn render(snapshot: &Snapshot, now: SystemTime) -> String {
    let verdict = verdict::of(snapshot, now);
    let mut page = String::with_capacity(16 << 10);
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta http-equiv=\"refresh\" content=\"{refresh}\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{sign} {title}</title>\n<style>{css}</style>\n</head>\n<body>\n<main>\n\
         <header class=\"{tone}\">\n<span class=\"sign\" aria-hidden=\"true\">{sign}</span>\n<div>\n<h1>{title}</h1>\n",
        refresh = limits::STATUS_REFRESH_SECONDS,
        sign = verdict.tone.sign(),
        title = escape(&verdict.title),
        css = style::CSS,
        tone = verdict.tone.class(),
    );
    for line in &verdict.lines {
        let _ = writeln!(page, "<p>{}</p>", escape(line));
    }
    if let Some(silence) = &snapshot.silence {
        let _ = writeln!(page, "<p><strong>{}</strong></p>", escape(&silenced(silence, now)));
    }
    page.push_str("</div>\n</header>\n");
    causes::why(&mut page, snapshot, now);
    checks::table(&mut page, snapshot, now);
    resources::bars(&mut page, snapshot);
    causes::changed(&mut page, snapshot, now);
    checks::failures(&mut page, snapshot, now);
    agent(&mut page, snapshot, now);
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn silenced(silence: &Silence, now: SystemTime) -> String {
    let reason = silence.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
    format!("silenced until {}{reason}", times::short(silence.until, now))
}

fn agent(page: &mut String, snapshot: &Snapshot, now: SystemTime) {
    let Version { number: version, commit } = Version::THIS;
    let uptime = Span(times::ago(snapshot.started_at, now));
    let seen = times::short(snapshot.at, now);
    let _ = write!(
        page,
        "<footer>\n<p>agent {version} ({commit}), up for {uptime} · this picture is of {seen} (all times are UTC) · reloads every \
         {refresh} s · <a href=\"/metrics\">metrics</a> · <a href=\"/health\">health</a></p>\n<p>sources:",
        commit = escape(commit),
        refresh = limits::STATUS_REFRESH_SECONDS,
    );
    for source in &snapshot.sources {
        let _ = write!(page, " <span class=\"source\">{} {}</span>", escape(source.name), source_word(source));
    }
    page.push_str("</p>\n</footer>\n");
}

fn source_word(source: &SourceView) -> &'static str {
    match source.collected.as_deref() {
        None => "not yet read",
        Some(Collected::Readings(_) | Collected::Noted(..)) => "read",
        Some(Collected::Partly(..)) => "<strong>partly read</strong>",
        Some(Collected::Absent(_)) => "absent",
        Some(Collected::Failed(_)) => "<strong>failed</strong>",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::sample;

    fn page(snapshot: &Snapshot) -> String {
        render(snapshot, sample::time(603))
    }

    #[test]
    fn no_address_no_message_and_no_note_is_on_the_page() {
        let page = page(&sample::full());
        for secret in
            ["internal", "10.1.2", "10.9.8", "5432", "listens", "started, and", "uvicorn", "permission", "app@"]
        {
            assert!(!page.contains(secret), "{secret}");
        }
        assert!(page.contains("database") && page.contains("refused"));
    }

    #[test]
    fn names_cannot_break_out_of_the_text() {
        let mut snapshot = sample::full();
        let evil = "\"><script>alert(1)</script>&'";
        for check in snapshot.checks.iter_mut() {
            let facts = crate::snapshot::CheckFacts { name: evil.to_owned(), ..(*check.facts).clone() };
            check.facts = std::sync::Arc::new(facts);
        }
        let page = page(&snapshot);
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
    }

    #[test]
    fn a_silence_says_until_when_and_why() {
        let page = page(&sample::silenced());
        assert!(page.contains("<strong>silenced until 22:53:10: deployment &lt;1.2&gt;</strong>"), "{page}");
        assert!(page.contains("backend is ready"), "the verdict is as ever");
    }

    #[test]
    fn the_policy_allows_the_style_of_the_page_and_no_script() {
        assert!(style::POLICY.starts_with("default-src 'none'; style-src 'sha256-"), "{}", *style::POLICY);
        assert!(!style::POLICY.contains("unsafe"));
        assert!(!page(&sample::full()).contains("style=\""), "inline styles are not allowed by the policy");
    }

    #[test]
    fn a_page_without_anything_is_a_page() {
        let snapshot = Snapshot { checks: Vec::new().into(), sources: Vec::new(), ..sample::full() };
        let page = page(&snapshot);
        assert!(page.contains("no checks") && page.ends_with("</html>\n"));
    }
}
