//! What Prometheus and Alertmanager have in common: `/-/ready`, and metrics of their own that tell whether their last configuration was
//! taken.

use super::{aside, judge, part};
use crate::probes::http::page::{Page, begin, sum};
use crate::probes::net::Spoken;
use crate::probes::{Context, Detail, Fault, Reason};

/// Whether it is ready; when not, whether it lives at all.
pub(super) async fn ready(page: &Page, cx: &mut Context<'_>, what: &str) -> Result<(), Fault> {
    let got = page.get_below(cx, "/-/ready").await?;
    if got.status != 503 {
        judge(&got, what)?;
        let text = String::from_utf8_lossy(&got.body);
        if text.trim_start().starts_with('<') {
            return Err(Fault::new(Reason::Body, format!("answered {} and not that it is ready", begin(&got.body)))
                .hint(format!("is it {what} that answers there? what path does it stand under?")));
        }
        part(cx, "ready", true);
        return Ok(());
    }
    part(cx, "ready", false);
    let alive = aside(cx, page, "/-/healthy").await.is_ok();
    let (state, hint) = if alive {
        ("it lives, and is not ready", "after a start it first reads what it wrote before; its log tells how far it is")
    } else {
        ("it is neither ready nor healthy", "see its log")
    };
    let message = format!("answered status 503: {state}: {}", begin(&got.body));
    Err(Fault::new(Reason::Status, message).exactly(Detail::NotReady).hint(hint))
}

/// Facts of its own metrics, and whether it runs on an old configuration because the new one was refused.
pub(super) async fn own_metrics(page: &Page, cx: &mut Context<'_>, prefix: &str) -> Result<(), Fault> {
    let text = match aside(cx, page, "/metrics").await {
        Ok(got) => String::from_utf8_lossy(&got.body).into_owned(),
        Err(why) => {
            cx.note("own_metrics", &why);
            return Ok(());
        }
    };
    let version = |of: &str| label(&text, &format!("{of}_build_info"), "version");
    if let Some(version) = version(prefix) {
        cx.note("version", version);
    } else if let Some(other) = ["prometheus", "alertmanager"].into_iter().find(|other| version(other).is_some()) {
        let spoken = Spoken { protocol: other, version: None };
        return Err(Fault::new(Reason::ProtocolMismatch, format!("{other} answers there, the URL says {prefix}"))
            .exactly(Detail::Speaks(spoken))
            .hint(format!("is the port right? if it is, write the URL as `{other}://…`")));
    }
    if let Some(series) = sum(&text, "prometheus_tsdb_head_series") {
        cx.note("head_series", &format!("{series}"));
    }
    match sum(&text, &format!("{prefix}_config_last_reload_successful")) {
        Some(value) if value > 0.0 => part(cx, "configuration", true),
        Some(_) => {
            part(cx, "configuration", false);
            return Err(Fault::new(Reason::Stale, "it refused its last configuration and runs on the one before")
                .exactly(Detail::ConfigurationRefused)
                .hint("its log names the line; mend the file and reload it"));
        }
        None => {}
    }
    Ok(())
}

/// The value of a label of the first sample of a metric; a value with an escaped sign is not one that we look for.
fn label<'t>(text: &'t str, metric: &str, label: &str) -> Option<&'t str> {
    let line = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix('{'))?;
    let at = line.match_indices(label).map(|(at, _)| at).find(|at| {
        let begins = *at == 0 || line.get(..*at).is_some_and(|before| before.ends_with([',', ' ']));
        begins && line.get(at + label.len()..).is_some_and(|rest| rest.starts_with("=\""))
    })?;
    line.get(at + label.len() + 2..)?.split('"').next()
}

/// Reads whatever such a page holds, for fuzzing.
pub(super) fn read(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _version = label(&text, "prometheus_build_info", "version");
    let _good = sum(&text, "prometheus_config_last_reload_successful");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_a_label_of_a_metric() {
        let text = "# HELP a b\na_build_info{goversion=\"go1.19\",version=\"2.42.0\"} 1\nb_build_info{version=\"3\"} 1";
        assert_eq!(label(text, "a_build_info", "version"), Some("2.42.0"));
        assert_eq!(label(text, "b_build_info", "version"), Some("3"));
        assert_eq!((label(text, "a_build", "version"), label(text, "a_build_info", "rev")), (None, None));
    }

    proptest! {
        #[test]
        fn any_page_is_taken_calmly(text in ".{0,100}prometheus_build_info\\{.{0,60}") {
            read(text.as_bytes());
        }
    }
}
