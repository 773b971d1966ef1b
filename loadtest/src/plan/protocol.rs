//! The plan's `http2`: what requests speak whose entries do not ask for a version.

use super::Flags;
use super::origin::Setting;
use super::raw::RawPlan;
use super::reader::{Reader, Sought};
use super::target::Url;
use crate::http::Protocol;
use crate::problem::Problem;
use crate::suggest;

/// Ways to ask: word, meaning for people.
const WAYS: &[(&str, Protocol, &str)] = &[
    ("true", Protocol::Http2, "where the server takes it (ALPN), else HTTP/1.1"),
    ("prior-knowledge", Protocol::Http2Known, "at once, for the server is known to speak it"),
    ("false", Protocol::Http11, "no, HTTP/1.1"),
];

/// What the flag or the key asks for. In clear nothing can be asked for: a run that would silently go over HTTP/1.1 is refused.
pub(super) fn read(
    reader: &mut Reader<'_>,
    flags: &Flags,
    raw: &RawPlan,
    target: Option<&Setting<Url>>,
) -> Setting<Protocol> {
    let sought = Sought { flag: ("--http2", flags.http2.as_ref()), key: ("http2", raw.http2.as_ref()) };
    let usual = Setting::default_of(Protocol::default());
    let Some(text) = reader.either(&sought) else { return usual };
    let Some(asked) = reader.understand(&text, spoken) else { return usual };
    if asked.value == Protocol::Http2 && target.is_some_and(|target| target.value.scheme() == "http") {
        let problem = Problem::new("HTTP/2 is asked for in the TLS handshake, and the target is plain `http`");
        let hint = "name an `https` target, or say `prior-knowledge` instead of `true` where it speaks HTTP/2 in clear";
        reader.problem(&text, problem.hint(hint));
    }
    asked
}

/// What a word asks for.
///
/// # Errors
/// When it is none of the known ones.
pub fn spoken(how: &str) -> Result<Protocol, Problem> {
    let found = WAYS.iter().find(|(word, ..)| *word == how.trim());
    found.map(|(_, protocol, _)| *protocol).ok_or_else(|| {
        let hint = suggest::hint(how, "one of", WAYS.iter().map(|(word, ..)| *word));
        Problem::new(format!("`{how}` is no way to speak HTTP/2")).hint(hint)
    })
}

/// For people.
pub(super) fn shown(protocol: Protocol) -> &'static str {
    WAYS.iter().find(|(_, way, _)| *way == protocol).map_or("no", |(.., meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::super::{Plan, build, explain};
    use super::*;
    use crate::problem::Problems;

    fn plan(target: &str, http2: Option<&str>) -> Result<Plan, Problems> {
        let (target, http2) = (Some(target.to_owned()), http2.map(str::to_owned));
        build(&Flags { target, http2, ..Flags::default() }, &|_| None)
    }

    #[test]
    fn what_is_spoken_is_shown_and_part_of_the_fingerprint() {
        let of = |http2| {
            let plan = plan("https://127.0.0.1:1", http2).unwrap();
            let said = explain(&plan).lines().find(|line| line.contains("http2")).map(str::to_owned);
            (plan.http2.value, plan.hash, said.unwrap_or_default())
        };
        let (usual, old, new) = (of(None), of(Some("false")), of(Some("true")));
        let known = of(Some("prior-knowledge"));
        assert_eq!([usual.0, old.0], [Protocol::Http11; 2]);
        assert_eq!([new.0, known.0], [Protocol::Http2, Protocol::Http2Known]);
        assert_eq!(usual.1, old.1, "baselines of before stay comparable");
        assert!(usual.1 != new.1 && new.1 != known.1 && known.1 != usual.1);
        insta::assert_snapshot!([usual.2, old.2, new.2, known.2].join("\n"), @r"

          http2     no, HTTP/1.1          --http2
          http2     where the server takes it (ALPN), else HTTP/1.1  --http2
          http2     at once, for the server is known to speak it  --http2
        ");
    }

    #[test]
    fn what_cannot_be_spoken_is_refused() {
        let refused = |target, http2| plan(target, Some(http2)).unwrap_err().to_string();
        insta::assert_snapshot!(refused("https://127.0.0.1:1", "yes"), @r"
        error: `yes` is no way to speak HTTP/2
          at --http2
        hint: one of: true, prior-knowledge, false
        ");
        insta::assert_snapshot!(refused("http://127.0.0.1:1", "true"), @r"
        error: HTTP/2 is asked for in the TLS handshake, and the target is plain `http`
          at --http2
        hint: name an `https` target, or say `prior-knowledge` instead of `true` where it speaks HTTP/2 in clear
        ");
        assert!(plan("http://127.0.0.1:1", Some("prior-knowledge")).is_ok());
    }
}
