//! `cert`: certificate files on disk: when the first certificate of each expires, and whether the private key named is its own. It knows
//! nothing of who serves them: a file that was renewed and not loaded is seen by `tls` or `https`. What must stay true: each run reads the
//! files anew, and a hung mount holds one thread and no other check.

mod read;
#[cfg(test)]
pub(super) mod tests;

use super::file::folder::{Place, Unlisted};
use super::file::worker::{Missed, Worker};
use super::net::date;
use super::{Context, Detail, Fault, Key, Kind, Probe, Reason, Run, Target, clean, fields_of, parameters, place_of};
use crate::clock;
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::probes::facts::CERTIFICATE_EXPIRES_IN_SECONDS;
use crate::reading::Metric;
use crate::small;
use crate::units::Span;
use percent_encoding::percent_decode_str;
use read::{Holds, Look, Seen};
use std::path::PathBuf;
use std::time::Duration;

/// The row of the table.
pub(super) static KIND: Kind = Kind {
    name: "cert",
    schemes: &["cert"],
    summary: "Reads certificate files (PEM or DER, one path or a pattern) and tells when the first certificate of each expires. One that \
              has expired, or is not of the key named, is `certificate`; one that will soon is `stale`; a file that is missing or holds \
              none is `config`",
    example: "- name: site-certificate\n  url: cert:///etc/ssl/site.pem?expires_after=14d\n  key_file: /etc/ssl/site.key\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: &[&CERTIFICATE_EXPIRES_IN_SECONDS, &FILE_EXPIRES],
    parsers: &[Parser { name: "certificate_file", read: read::read }],
    slow: true,
    build,
};

static FILE_EXPIRES: Metric = Metric::gauge(
    "sidecar_certificate_file_expires_in_seconds",
    "Seconds until the first certificate of this file expires, negative when it has",
)
.labelled(&["file"]);

static KEYS: &[Key] = &[
    Key {
        name: "expires_after",
        form: "duration",
        default: "14d",
        doc: "Fails with reason `stale` when a certificate expires sooner. The default suits certificates that are renewed 30 days before.",
    },
    Key {
        name: "key_file",
        form: "path",
        default: "",
        doc: "The private key in PEM that must belong to the file's first certificate; only with a single file.",
    },
];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    expires_after: Span,
    key_file: Option<PathBuf>,
}

impl Default for Params {
    fn default() -> Self {
        Self { expires_after: Span(Duration::from_hours(14 * 24)), key_file: None }
    }
}

struct Cert {
    worker: Worker<Look>,
    expires_after: Duration,
}

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    if !target.host.is_empty() {
        let hint = "write it with three slashes: `cert:///etc/ssl/site.pem`";
        let message = format!("the URL of a file has no host, this one has `{}`", target.host);
        problems.add_with_hint("url", own.at, message, hint);
        return None;
    }
    let path = percent_decode_str(&target.path).decode_utf8_lossy();
    let place = Place::read(&path).map_err(|why| problems.add("url", own.at, why)).ok()?;
    let many = path.contains('*') || path.ends_with('/');
    if many && params.key_file.is_some() {
        problems.add("key_file", place_of(own, "key_file"), "a key belongs to one file; make a check for each");
        return None;
    }
    let worker = Worker::Idle(Look { place, key_file: params.key_file, many });
    Some(Box::new(Cert { worker, expires_after: params.expires_after.0 }))
}

impl Probe for Cert {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(async move {
            cx.phase("read");
            let whole = cx.left();
            let seen = self.worker.has(cx.deadline, |look| look.look()).await;
            cx.end_phase();
            match seen {
                Ok(Ok(seen)) => judge(cx, &seen, self.expires_after),
                Ok(Err(unlisted)) => Err(absent(&unlisted)),
                Err(Missed::Late) => {
                    Err(Fault::new(Reason::Timeout, format!("the files were not read within {}", Span(whole)))
                        .hint("is it a network mount whose server is gone?"))
                }
                Err(Missed::Lost) => {
                    Err(Fault::new(Reason::Internal, "the probe has a bug and gave up, please report it"))
                }
            }
        })
    }
}

fn absent(unlisted: &Unlisted) -> Fault {
    Fault::new(Reason::Config, unlisted.to_string())
        .hint("is the volume mounted into this container, and may uid 65532 read it?")
}

/// Measures what was seen; the worst of it is the result.
fn judge(cx: &mut Context<'_>, seen: &[Seen], expires_after: Duration) -> Result<(), Fault> {
    let now = clock::unix(clock::wall());
    let mut first: Option<f64> = None;
    for (name, holds) in seen.iter().filter_map(|seen| Some((&seen.name, seen.holds.as_ref().ok()?))) {
        if let Some(left) = holds.left(now) {
            cx.measure(FILE_EXPIRES.with([&clean(name)], left.round()));
            first = Some(first.map_or(left, |first| first.min(left)));
        }
    }
    if let Some(first) = first {
        cx.measure(CERTIFICATE_EXPIRES_IN_SECONDS.is(first.round()));
    }
    if let [Seen { holds: Ok(holds), .. }] = seen {
        describe(cx, holds);
    } else {
        cx.note("files", &seen.len().to_string());
    }
    if seen.is_empty() {
        return Err(Fault::new(Reason::Config, "no file with a certificate is there").hint("is the pattern right?"));
    }
    let mut faults: Vec<Fault> = seen.iter().filter_map(|seen| fault(seen, now, expires_after)).collect();
    // What is broken comes before what will be, and of the same sort the first by name.
    small::sort_by_key(&mut faults, |fault| fault.reason == Reason::Stale);
    let others = faults.len().saturating_sub(1);
    let Some(mut worst) = faults.into_iter().next() else { return Ok(()) };
    if others > 0 {
        worst.message = format!("{} (and {others} more files)", worst.message);
    }
    Err(worst)
}

fn describe(cx: &mut Context<'_>, holds: &Holds) {
    if let Some(own) = holds.certificates.first() {
        cx.note("subject", &own.subject);
        cx.note("issuer", &own.issuer);
        if !own.dns_names.is_empty() {
            cx.note("names", &own.dns_names);
        }
        cx.note("expires", &date(own.not_after));
    }
    if holds.certificates.len() > 1 {
        cx.note("certificates", &holds.certificates.len().to_string());
    }
    if holds.key == Some(Ok(true)) {
        cx.note("key", "belongs to it");
    }
}

impl Holds {
    /// Seconds until the first of its certificates expires.
    fn left(&self, now: f64) -> Option<f64> {
        self.certificates.iter().map(|certificate| seconds(certificate.not_after) - now).min_by(f64::total_cmp)
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact until the year 285 million")]
const fn seconds(at: i64) -> f64 {
    at as f64
}

/// What is wrong with a file.
fn fault(seen: &Seen, now: f64, expires_after: Duration) -> Option<Fault> {
    let name = clean(&seen.name);
    let holds = match &seen.holds {
        Ok(holds) => holds,
        Err(unread) => return Some(Fault::new(Reason::Config, format!("`{name}` {unread}"))),
    };
    let first = holds.certificates.iter().min_by_key(|certificate| certificate.not_after)?;
    let (left, day, subject) = (seconds(first.not_after) - now, date(first.not_after), &first.subject);
    let bad = |message: String| Fault::new(Reason::Certificate, message);
    if left < 0.0 {
        return Some(
            bad(format!("`{name}` expired on {day} (subject `{subject}`)"))
                .exactly(Detail::CertificateExpired)
                .hint("renew it, and see that whoever serves it loads the new file"),
        );
    }
    if let Some(early) = holds.certificates.iter().find(|certificate| seconds(certificate.not_before) > now) {
        let message = format!("`{name}` is not valid before {} (subject `{}`)", date(early.not_before), early.subject);
        return Some(bad(message).exactly(Detail::CertificateNotYetValid).hint("is the clock of this host right?"));
    }
    match &holds.key {
        Some(Ok(false)) => {
            let hint = "the chain must begin with the server's own certificate; was only one of the two files renewed?";
            return Some(bad(format!("the key is not that of `{name}`")).hint(hint));
        }
        Some(Err(unread)) => return Some(Fault::new(Reason::Config, format!("`key_file` {unread}"))),
        Some(Ok(true)) | None => {}
    }
    (left < expires_after.as_secs_f64()).then(|| {
        let left = Span(Duration::from_secs_f64((left / 3600.0).floor() * 3600.0));
        Fault::new(Reason::Stale, format!("`{name}` expires on {day}, in {left} (subject `{subject}`)"))
            .exactly(Detail::CertificateNearExpiry)
            .hint(format!("less than {} are left; does its renewal work?", Span(expires_after)))
    })
}
