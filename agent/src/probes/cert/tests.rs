//! Certificate files, sound and not.

use crate::clock;
use crate::probes::net::test_peers::{self, Pair};
use crate::probes::tests::{look, problems};
use crate::probes::{Outcome, Reason};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

struct Folder(tempfile::TempDir);

impl Folder {
    fn of(files: &[(&str, &[u8])]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, bytes)| fs::write(folder.at(name), bytes).unwrap());
        folder
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    async fn look(&self, name: &str, keys: &str) -> Outcome {
        look(&format!("cert://{}", self.at(name).display()), keys).await
    }

    /// Reason, message and hint.
    async fn said(&self, name: &str, keys: &str) -> String {
        let Some(fault) = self.look(name, keys).await.fault else { return "ok".to_owned() };
        let hint = fault.hint.map_or(String::new(), |hint| format!("\nhint: {hint}"));
        format!("{}: {}{hint}", fault.reason, fault.message).replace(&self.0.path().display().to_string(), "FOLDER")
    }
}

/// A certificate that is valid from and to so many days from now.
fn days(from: i64, to: i64) -> Pair {
    let now = i64::try_from(clock::wall().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let at = |days: i64| {
        let (year, month, day) = ymd((now + days * 86_400) / 86_400);
        rcgen::date_time_ymd(year, month, day)
    };
    test_peers::certificate(|params| {
        params.not_before = at(from);
        params.not_after = at(to);
    })
}

/// The day of the calendar that is so many days after the epoch.
fn ymd(days: i64) -> (i32, u8, u8) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let part = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * part + 2) / 5 + 1, if part < 10 { part + 3 } else { part - 9 });
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (i32::try_from(year).unwrap(), u8::try_from(month).unwrap(), u8::try_from(day).unwrap())
}

/// The cases of a kind without a peer on the network; see `PEERLESS` in the tests of all kinds.
pub(in crate::probes) async fn sound() -> Outcome {
    Folder::of(&[("a.pem", days(-1, 90).pem.as_bytes())]).look("a.pem", "{}").await
}

/// Nothing is there.
pub(in crate::probes) async fn nothing() -> Outcome {
    Folder::of(&[]).look("a.pem", "{}").await
}

/// Something else is there.
pub(in crate::probes) async fn garbage() -> Outcome {
    Folder::of(&[("a.pem", b"<html>")]).look("a.pem", "{}").await
}

/// It has no end.
pub(in crate::probes) async fn endless() -> Outcome {
    Folder::of(&[("a.pem", &vec![b'x'; 2 << 20])]).look("a.pem", "{}").await
}

/// It is being written.
pub(in crate::probes) async fn half() -> Outcome {
    let pem = days(-1, 90).pem;
    Folder::of(&[("a.pem", &pem.as_bytes()[..pem.len() / 2])]).look("a.pem", "{}").await
}

fn values(outcome: &Outcome) -> Vec<(String, i64)> {
    let days = |value: f64| format!("{:.0}", value / 86_400.0).parse().unwrap();
    outcome.readings.iter().map(|reading| (reading.labels.join(","), days(reading.value))).collect()
}

#[tokio::test]
async fn the_first_certificate_of_a_file_to_expire_counts() {
    let chain = [days(-1, 90).pem, days(-1, 40).pem].concat();
    let folder = Folder::of(&[("chain.pem", chain.as_bytes()), ("one.der", &days(-1, 300).der)]);
    let outcome = folder.look("chain.pem", "{}").await;
    assert_eq!(outcome.fault, None);
    assert!((39..=40).contains(&values(&outcome)[0].1), "{:?}", values(&outcome));
    assert_eq!(outcome.note("certificates"), Some("2"));
    let der = folder.look("one.der", "{}").await;
    assert_eq!((der.fault.clone(), der.note("names")), (None, Some("localhost")));
}

#[tokio::test]
async fn each_fault_of_a_file_has_its_reason() {
    let (old, soon, early, good, other) = (days(-30, -2), days(-30, 5), days(3, 90), days(-1, 90), days(-1, 90));
    let folder = Folder::of(&[
        ("old.pem", old.pem.as_bytes()),
        ("soon.pem", soon.pem.as_bytes()),
        ("early.pem", early.pem.as_bytes()),
        ("good.pem", good.pem.as_bytes()),
        ("good.key", good.key_pem.as_bytes()),
        ("other.key", other.key_pem.as_bytes()),
        ("empty.pem", b""),
    ]);
    let key = |name: &str| format!(r#"{{"key_file": "{}"}}"#, folder.at(name).display());
    let begins = |said: String, expected: &str| assert!(said.starts_with(expected), "{said}");
    begins(folder.said("old.pem", "{}").await, "certificate: `old.pem` expired on 20");
    begins(folder.said("soon.pem", "{}").await, "stale: `soon.pem` expires on 20");
    assert_eq!(folder.said("soon.pem", r#"{"expires_after": "1d"}"#).await, "ok");
    begins(folder.said("early.pem", "{}").await, "certificate: `early.pem` is not valid before 20");
    assert_eq!(folder.said("good.pem", &key("good.key")).await, "ok");
    insta::assert_snapshot!(folder.said("good.pem", &key("other.key")).await, @r"
    certificate: the key is not that of `good.pem`
    hint: the chain must begin with the server's own certificate; was only one of the two files renewed?
    ");
    assert_eq!(
        folder.said("good.pem", &key("good.pem")).await,
        "config: `key_file` holds no private key that is understood"
    );
    assert_eq!(folder.said("empty.pem", "{}").await, "config: `empty.pem` holds no certificate");
    assert_eq!(folder.said("good.key", "{}").await, "config: `good.key` holds a private key and no certificate");
    insta::assert_snapshot!(folder.said("absent.pem", "{}").await, @r"
    config: `FOLDER/absent.pem` does not exist
    hint: is the volume mounted into this container, and may uid 65532 read it?
    ");
}

#[tokio::test]
async fn a_pattern_names_each_file_and_passes_over_keys() {
    let good = days(-1, 90);
    let folder = Folder::of(&[
        ("a.pem", good.pem.as_bytes()),
        ("b.pem", days(-30, -2).pem.as_bytes()),
        ("c.pem", days(-30, 5).pem.as_bytes()),
        ("key.pem", good.key_pem.as_bytes()),
    ]);
    let outcome = folder.look("*.pem", "{}").await;
    let fault = outcome.fault.clone().unwrap();
    assert_eq!(fault.reason, Reason::Certificate);
    assert!(fault.message.starts_with("`b.pem` expired") && fault.message.ends_with("(and 1 more files)"), "{fault:?}");
    let labels: Vec<_> = values(&outcome).into_iter().map(|(label, _)| label).collect();
    assert_eq!(labels, ["a.pem", "b.pem", "c.pem", ""]);
}

#[tokio::test]
async fn a_file_that_was_renewed_is_read_anew() {
    let folder = Folder::of(&[("a.pem", days(-30, -2).pem.as_bytes())]);
    let target = crate::probes::Target::parse(&format!("cert://{}", folder.at("a.pem").display())).unwrap();
    let own = crate::node::Node { value: crate::node::Value::Null, at: crate::node::Place::default() };
    let mut probe = super::build(&target, &own, &mut crate::node::Problems::default()).unwrap();
    let net = crate::probes::net::Net::default();
    for expected in [Some(Reason::Certificate), None] {
        let outcome =
            crate::probes::run(probe.as_mut(), &net, Duration::from_secs(5), crate::probes::Depth::Peer).await;
        assert_eq!(outcome.fault.map(|fault| fault.reason), expected);
        fs::write(folder.at("a.pem"), days(-1, 90).pem).unwrap();
    }
}

#[test]
fn what_makes_no_sense_is_said_when_the_configuration_is_loaded() {
    assert_eq!(problems("cert://etc/ssl/a.pem", "{}"), "url: the URL of a file has no host, this one has `etc`");
    assert_eq!(
        problems("cert:///etc/*.pem", r#"{"key_file": "/k"}"#),
        "key_file: a key belongs to one file; make a check for each"
    );
}
