//! The plan file as written: every scalar is still text with its place, nothing is checked but the keys.

use super::raw_steps::RawStep;
use super::validation::RawValidation;
use super::yaml::At;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// A key of the plan file: name, meaning, example.
pub(super) type Key = (&'static str, &'static str, &'static str);

/// The keys at the top of the file, in the order of the reference.
pub const KEYS: &[Key] = &[
    (
        "target",
        "URL of the stack under test; `--target` wins over it, `LOADTEST_TARGET` does not",
        "http://127.0.0.1:8000",
    ),
    ("users", "virtual users at full load; with a rate, the workers that start what is due", "200"),
    (
        "rate",
        "arrivals per second instead of users: each goes through one journey, and comes whatever the target does",
        "300/s",
    ),
    ("arrivals", "how a rate comes: `even` or `poisson`", "poisson"),
    ("run_time", "time after the ramp; of a profile all its stages together", "60s"),
    ("ramp", "time in which the load rises from nothing; measured apart and not judged", "15s"),
    ("profile", "a well-known shape of load", "spike"),
    (
        "stages",
        "how the load goes, instead of the keys above: `name`, `users` or `rate`, `duration`, `ramp` (the first part of the \
         duration, in a straight line from the stage before; without it a step), `judged`",
        "[{name: warm-up, users: 50, ramp: 30s, duration: 30s}, {name: spike, users: 400, duration: 60s}]",
    ),
    ("think", "pause of a user between two journeys, a random time between two bounds", "1s..3s"),
    (
        "requests",
        "number of requests after which the run ends, if that comes before its time is up; sent without think time and ramp unless these are asked for",
        "1000",
    ),
    (
        "max_errors",
        "end the run as NO-GO once so many requests have failed, those of a warm-up too; by default no number does",
        "500",
    ),
    (
        "http2",
        "whether requests go over HTTP/2: `true` where the server takes it in the TLS handshake (ALPN), `prior-knowledge` at once, \
         in clear too; an entry's own `http2`, `http1.1` and so on win",
        "true",
    ),
    (
        "variables",
        "variables of all journeys, typed as Hurl types `--variable`",
        "{tenant: acme, password: \"${PASSWORD}\"}",
    ),
    (
        "headers",
        "headers of every request of every journey, with Hurl's templates; a header of the entry itself wins",
        "{X-Forwarded-For: \"{{user_address}}\"}",
    ),
    (
        "data",
        "files of rows, in CSV or JSON, whose columns or keys become variables: `file`, and `order`",
        "[{file: users.json, order: unique}]",
    ),
    (
        "journeys",
        "what users do: `name`, `weight`, `files` (run in order, sharing variables and cookies) or `steps` (files and WebSockets), `think`",
        "[{name: crud, weight: 3, files: [login.hurl, crud.hurl]}]",
    ),
    (
        "setup",
        "`.hurl` files run once, by one user, before anything else is sent; what they capture is a variable of every journey and of the \
         teardown; one that fails ends the run before the load",
        "create_tenant.hurl",
    ),
    (
        "teardown",
        "`.hurl` files run once after the load, however it ended; one that fails is told, and changes no figure and no verdict",
        "[delete_assets.hurl, delete_tenant.hurl]",
    ),
    (
        "groups",
        "names for sets of requests: patterns over request names or `METHOD /path`, `*` stands for anything",
        "{pages: [\"GET /\", \"GET /assets/*\"]}",
    ),
    (
        "agents",
        "the sidecars of the stack (`agent`) that are asked for their figures once a second: the service's name and the \
         sidecar's address, with port 9797 unless it says another; a user and password may stand in it",
        "{backend: \"http://127.0.0.1:9797\", db: \"http://127.0.0.1:9798\"}",
    ),
    (
        "calm",
        "time before the load in which the sidecars are asked already: what stood so then is nobody's fault; a quarter of \
         the run time, from 5 s to 60 s, unless it is set",
        "30s",
    ),
    (
        "targets",
        "what must be achieved; a target with an `abort_after` of its own is written as `target` and `abort_after`",
        "[\"api p95 < 2s\", {target: \"errors < 1%\", abort_after: 30s}]",
    ),
    (
        "abort_after",
        "end the run once a target has been missed for so long, or `never`; for all targets that do not say it themselves",
        "10s",
    ),
    (
        "validate",
        "what `loadtest validate` holds the target against; keys below",
        "{protected: [/api/v1/assets], rate_limits: [\"/api/v1/assets 10/s burst 10\"]}",
    ),
];

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlan {
    pub(super) target: Option<At<String>>,
    pub(super) users: Option<At<String>>,
    pub(super) run_time: Option<At<String>>,
    pub(super) ramp: Option<At<String>>,
    pub(super) rate: Option<At<String>>,
    pub(super) arrivals: Option<At<String>>,
    pub(super) profile: Option<At<String>>,
    pub(super) stages: Option<Vec<RawStage>>,
    pub(super) think: Option<At<String>>,
    pub(super) requests: Option<At<String>>,
    pub(super) max_errors: Option<At<String>>,
    pub(super) http2: Option<At<String>>,
    pub(super) variables: Option<BTreeMap<String, At<String>>>,
    pub(super) headers: Option<BTreeMap<String, At<String>>>,
    pub(super) data: Option<Vec<RawData>>,
    pub(super) journeys: Option<Vec<RawJourney>>,
    pub(super) setup: Option<At<Several>>,
    pub(super) teardown: Option<At<Several>>,
    pub(super) groups: Option<BTreeMap<String, At<Several>>>,
    pub(super) agents: Option<BTreeMap<String, At<String>>>,
    pub(super) calm: Option<At<String>>,
    pub(super) targets: Option<Vec<At<RawTarget>>>,
    pub(super) abort_after: Option<At<String>>,
    pub(super) validate: Option<RawValidation>,
}

/// An entry of `stages`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStage {
    pub(super) name: At<String>,
    pub(super) users: Option<At<String>>,
    pub(super) rate: Option<At<String>>,
    pub(super) duration: At<String>,
    pub(super) ramp: Option<At<String>>,
    pub(super) judged: Option<At<String>>,
}

/// An entry of `data`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawData {
    pub(super) file: At<String>,
    pub(super) order: Option<At<String>>,
}

/// An entry of `journeys`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawJourney {
    pub(super) name: Option<At<String>>,
    pub(super) weight: Option<At<String>>,
    pub(super) files: Option<At<Several>>,
    pub(super) steps: Option<Vec<At<RawStep>>>,
    pub(super) think: Option<At<String>>,
}

/// An entry of `targets`: a text, or a mapping that says more of it.
#[derive(Debug)]
pub(super) enum RawTarget {
    Text(String),
    Mapping(RawRequired),
}

/// A target that is written as a mapping.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRequired {
    pub(super) target: At<String>,
    pub(super) abort_after: Option<At<String>>,
}

impl<'de> Deserialize<'de> for RawTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> Visitor<'de> for Written {
            type Value = RawTarget;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a target in words, or `target` and `abort_after`,")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawTarget, E> {
                Ok(RawTarget::Text(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawTarget, A::Error> {
                RawRequired::deserialize(de::value::MapAccessDeserializer::new(map)).map(RawTarget::Mapping)
            }
        }
        deserializer.deserialize_any(Written)
    }
}

/// One text or a list of them.
#[derive(Debug)]
pub(super) enum Several {
    One(String),
    Many(Vec<At<String>>),
}

impl<'de> Deserialize<'de> for Several {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> Visitor<'de> for Written {
            type Value = Several;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Several, E> {
                Ok(Several::One(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Several, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(Several::Many(texts))
            }
        }
        deserializer.deserialize_any(Written)
    }
}
