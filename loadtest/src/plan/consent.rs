//! Whose target is it? Asked of the target and of every other host that a journey names outright, after names are resolved.

use super::Plan;
use super::target::{Url, not_yours, private_name};
use crate::http::is_private;
use crate::journey::{Act, Journey};
use crate::limits::RESOLVE;
use crate::problem::{Problem, Problems};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Refuses public hosts unless the user owns them. A name that has no address passes: nothing can be sent to it, and the
/// preflight says what is wrong with it.
///
/// # Errors
/// One problem for each host that looks like somebody else's.
pub async fn consent(plan: &Plan) -> Result<(), Problems> {
    let journeys = plan.journeys.iter().map(|journey| &*journey.compiled);
    let around = plan.setup.iter().chain(&plan.teardown).map(|once| &*once.value);
    asked(plan, named(journeys.chain(around))).await
}

/// The same for `loadtest validate`, which sends to the target, its plain address and whatever its log-in names.
///
/// # Errors
/// One problem for each host that looks like somebody else's.
pub async fn consent_to_validate(plan: &Plan) -> Result<(), Problems> {
    let validation = &plan.validation;
    let plain =
        validation.http.iter().map(|url| (url.clone(), "the plain address (validate.http or --http)".to_owned()));
    asked(plan, named(validation.log_in.as_deref()).chain(plain)).await
}

async fn asked(plan: &Plan, named: impl Iterator<Item = (Url, String)>) -> Result<(), Problems> {
    if plan.own {
        return Ok(());
    }
    let mut problems = Problems::default();
    for (host, (url, place)) in hosts(plan, named) {
        if let Some(refusal) = refusal(&host, &url).await {
            problems.0.push(refusal.at(place));
        }
    }
    problems.or(())
}

/// Each host once, with the place that names it.
fn hosts(plan: &Plan, named: impl Iterator<Item = (Url, String)>) -> BTreeMap<String, (Url, String)> {
    let target = (plan.target.value.clone(), format!("target ({})", plan.target.from));
    let all = named.chain([target]);
    all.filter_map(|(url, place)| Some((url.host_str()?.to_owned(), (url, place)))).collect()
}

/// The URLs that journeys name outright.
fn named<'a>(journeys: impl IntoIterator<Item = &'a Journey>) -> impl Iterator<Item = (Url, String)> {
    journeys.into_iter().flat_map(Journey::acts).filter_map(|act| {
        let (url, place) = match act {
            Act::Entry(entry) => (entry.request.constant_url.as_deref()?, entry.source.place(entry.span)),
            Act::WebSocket(step) => (step.address.constant()?, step.place.clone()),
        };
        Some((url.clone(), place))
    })
}

async fn refusal(host: &str, url: &Url) -> Option<Problem> {
    match private_name(url) {
        Some(true) => None,
        Some(false) => Some(not_yours(host, &[])),
        None => {
            let addresses = addresses(url).await;
            addresses.iter().any(|address| !is_private(*address)).then(|| not_yours(host, &addresses))
        }
    }
}

async fn addresses(url: &Url) -> Vec<IpAddr> {
    let Some(host) = url.host_str() else { return Vec::new() };
    let port = url.port_or_known_default().unwrap_or(80);
    let found = tokio::time::timeout(RESOLVE, tokio::net::lookup_host((host, port))).await;
    found.ok().and_then(Result::ok).into_iter().flatten().map(|address| address.ip()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Flags, build};
    use super::*;

    async fn refused(target: &str, own: bool) -> Option<String> {
        let flags = Flags { target: Some(target.to_owned()), own, ..Flags::default() };
        let plan = build(&flags, &|_| None).expect("a plan");
        consent(&plan).await.err().map(|problems| problems.to_string())
    }

    #[tokio::test]
    async fn a_public_address_takes_a_word_of_consent() {
        insta::assert_snapshot!(refused("http://203.0.113.7/", false).await.expect("refused"), @r"
        error: `203.0.113.7` is a public address
          at target (--target)
        hint: a load test of somebody else's service is an attack; say `--i-own-this-target` if it is yours and they know
        ");
        assert_eq!(refused("http://203.0.113.7/", true).await, None);
        assert_eq!(refused("http://127.0.0.1:8000", false).await, None);
        assert_eq!(refused("http://backend:8000", false).await, None);
    }

    #[tokio::test]
    async fn a_journey_that_names_another_host_needs_it_too() {
        let file = tempfile::Builder::new().suffix(".hurl").tempfile().expect("a file");
        std::fs::write(file.path(), "GET {{target}}/\nGET http://203.0.113.9/x\n").expect("written");
        let path = file.path().display();
        for text in [format!("journeys: [{{files: {path}}}]"), format!("setup: {path}"), format!("teardown: {path}")] {
            let plan = tempfile::NamedTempFile::new().expect("a file");
            std::fs::write(plan.path(), text).expect("written");
            let flags = Flags {
                target: Some("http://127.0.0.1:1".to_owned()),
                plan: Some(plan.path().to_owned()),
                ..Flags::default()
            };
            let plan = build(&flags, &|_| None).expect("a plan");
            let said = consent(&plan).await.expect_err("refused").to_string();
            assert!(said.contains("203.0.113.9") && said.contains(":2:1"), "{said}");
        }
    }
}
