//! Health checks: whether there is one, and whether it can work.

use super::super::health::{self, Checked};
use super::super::model::{Health, Project, Service};
use super::super::notes::Notes;
use super::{error, warning};
use crate::preflight::Rule;
use crate::preflight::image::Reference;

pub(super) static RULES: &[&Rule] = &[&MISSING, &BROKEN, &PROGRAM];

static MISSING: Rule = warning(
    "compose-healthcheck-missing",
    "a service that keeps running has no health check, or none that can be seen",
    "one that hangs looks well, and others cannot wait for it",
    "add a `healthcheck`; `agent health URL` asks a page without shell and curl",
);
static BROKEN: Rule = error(
    "compose-healthcheck-broken",
    "a health check that cannot succeed as it is written",
    "the service is never healthy, or compose refuses the file",
    "write `[CMD, program, argument…]` or `[CMD-SHELL, \"a command\"]`",
);
static PROGRAM: Rule = warning(
    "compose-healthcheck-program",
    "a health check uses a program that the image does not have",
    "the service is never healthy",
    "use a program of the image, or copy `agent` into it: `[CMD, /agent, health, URL]`",
);

pub(super) fn check(project: &Project, notes: &mut Notes) {
    for service in project.services.values() {
        match &service.health {
            Health::Test { words, is_list, .. } => {
                form(service, words, *is_list, notes);
                program(service, words, notes);
            }
            Health::Unsaid if !health::is_job(service, project) && health::of(service) == Checked::Never => {
                missing(service, format!("`{}` has no health check", service.name), notes);
            }
            Health::Unsaid
                if !health::is_job(service, project)
                    && service.built.is_none()
                    && service.known.is_none()
                    && !service.is_partial() =>
            {
                missing(service, format!("no health check of `{}` can be seen", service.name), notes);
            }
            _ => {}
        }
        times(service, notes);
    }
}

fn missing(service: &Service, message: String, notes: &mut Notes) {
    // An agent that watches the machine is watched by the data that it gives.
    if !service.known.is_some_and(|known| known.watches_host) {
        notes.add(&MISSING, service.at, service.key("healthcheck"), message);
    }
}

fn form(service: &Service, words: &[String], is_list: bool, notes: &mut Notes) {
    let (Some(first), Health::Test { at, .. }) = (words.first(), &service.health) else {
        let at = service.place("healthcheck");
        return notes.add(&BROKEN, at, service.key("healthcheck.test"), "the test is empty");
    };
    let key = service.key("healthcheck.test");
    if !is_list {
        return;
    }
    match (first.as_str(), words.get(1), words.len()) {
        ("CMD" | "CMD-SHELL", None, _) => notes.add(&BROKEN, *at, key, format!("nothing stands behind `{first}`")),
        ("CMD-SHELL", Some(_), 3..) => {
            let fix = "write the whole command as one text behind `CMD-SHELL`, or use `CMD`";
            notes.advise(&BROKEN, *at, key, ("the shell runs the first word and takes no notice of the others", fix));
        }
        ("CMD", Some(second), 2) if second.contains(' ') && !second.starts_with('/') => {
            let fix = "write `CMD-SHELL`, or each word as an entry of its own";
            notes.advise(&BROKEN, *at, key, ("with `CMD` the whole line is the name of a program", fix));
        }
        ("CMD" | "CMD-SHELL" | "NONE", ..) => {}
        _ => notes.add(&BROKEN, *at, key, "the list begins with neither `CMD`, `CMD-SHELL` nor `NONE`"),
    }
}

fn program(service: &Service, words: &[String], notes: &mut Notes) {
    let (Some(image), None, Health::Test { at, .. }) = (&service.image, &service.built, &service.health) else {
        return;
    };
    let line = words.join(" ");
    let words: Vec<&str> =
        line.split(|c: char| c.is_whitespace() || ";|&()".contains(c)).filter(|word| !word.is_empty()).collect();
    let Some(first) = words.iter().find(|word| !matches!(**word, "CMD" | "CMD-SHELL")) else { return };
    // `curl … || wget …` was written by somebody who knows.
    if !matches!(*first, "curl" | "wget") || (words.contains(&"curl") && words.contains(&"wget")) {
        return;
    }
    let lacks = service.known.map(|known| known.lacks).unwrap_or_default();
    if lacks.contains(first) || lacks_by_variant(image, first) {
        let message = format!("the image `{}` has no `{first}`", image.name);
        notes.add(&PROGRAM, *at, service.key("healthcheck.test"), message);
    }
}

/// The small variants of the language images: neither has curl, and Debian's has no wget either.
fn lacks_by_variant(image: &Reference, program: &str) -> bool {
    let language = matches!(image.name.as_str(), "node" | "python" | "ruby" | "golang" | "php" | "rust");
    let slim = image.tag.contains("slim") && image.name != "php";
    let alpine = image.tag.contains("alpine") && image.name != "php";
    language && (slim || (alpine && program == "curl"))
}

fn times(service: &Service, notes: &mut Notes) {
    let Some(check) = service.get("healthcheck") else { return };
    for name in ["interval", "timeout", "start_period", "start_interval"] {
        let Some(item) = check.get(name) else { continue };
        let (Some(text), false) = (item.text(), item.origin().unset) else { continue };
        let key = service.key(&format!("healthcheck.{name}"));
        match milliseconds(text) {
            None => {
                let fix = "write a number with its unit, like `10s` or `1m30s`";
                notes.advise(&BROKEN, item.at, key, (format!("`{name}` is no time that compose reads"), fix));
            }
            // Zero means Docker's own default.
            Some(1) => notes.add(&BROKEN, item.at, key, format!("Docker takes no `{name}` below 1ms")),
            Some(_) => {}
        }
    }
    if let Some(item) = check.get("retries").filter(|item| item.text().is_some_and(|text| text.starts_with('-'))) {
        notes.add(&BROKEN, item.at, service.key("healthcheck.retries"), "a negative number of retries");
    }
}

/// `1m30s` in milliseconds, at least 1 for a time above zero; `None` when it is no time.
fn milliseconds(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).filter(|at| *at > 0)?;
        let (number, more) = rest.split_at(digits);
        let letters = more.find(|c: char| c.is_ascii_digit()).unwrap_or(more.len());
        let (unit, more) = more.split_at(letters);
        let factor = match unit {
            "us" | "µs" => 0.001,
            "ms" => 1.0,
            "s" => 1000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            "d" => 86_400_000.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * factor;
        rest = more;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time in a file, never negative")]
    (!text.is_empty()).then_some(if total < 1.0 { 1 } else { total.ceil() as u64 + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_compose_does() {
        for (text, reads) in [
            ("10s", true),
            ("1m30s", true),
            ("500ms", true),
            ("1.5h", true),
            ("10", false),
            ("fast", false),
            ("", false),
            ("0", true),
        ] {
            assert_eq!(milliseconds(text).is_some(), reads, "{text}");
        }
    }
}
