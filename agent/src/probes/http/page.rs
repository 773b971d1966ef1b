//! Pages of a server, for probes of other kinds that understand what is on them: each asked for once, no redirect followed, nothing
//! judged.

pub(in crate::probes) use super::exchange::{Agreed, Until};
use super::exchange::{Ask, Changed, Got as Exchanged, change, exchange};
use super::params::Params;
pub(in crate::probes) use super::params::{Authorization, BasicAuth, BodyLimit};
pub(in crate::probes) use super::parts::plain;
use super::plan::{self, Plan};
pub(in crate::probes) use super::pool::sum;
pub(in crate::probes) use super::rules::begin;
use crate::node::{Node, Problems};
use crate::probes::net::{Addresses, TlsConfig, advice, has_twin};
use crate::probes::{Context, Fault, Target};
use crate::secret::Secret;
use bytes::Bytes;
use http::{HeaderMap, Method};
use std::collections::BTreeMap;

/// A server whose pages can be asked for.
pub(in crate::probes) struct Page {
    plan: Plan,
    scheme: String,
}

/// What a check may say about reaching a server, beside its URL.
#[derive(Default)]
pub(in crate::probes) struct Access {
    /// The scheme that the check's own URL has, for what is said of it.
    pub(in crate::probes) scheme: String,
    pub(in crate::probes) headers: BTreeMap<String, Secret>,
    pub(in crate::probes) basic_auth: Option<BasicAuth>,
    pub(in crate::probes) authorization: Option<Authorization>,
    pub(in crate::probes) tls_config: TlsConfig,
    pub(in crate::probes) addresses: Addresses,
    /// The longest body that is read.
    pub(in crate::probes) body_limit: BodyLimit,
}

/// One request; the default is a GET of the URL itself.
#[derive(Default)]
pub(in crate::probes) struct Question<'a> {
    pub(in crate::probes) method: Method,
    /// What follows the URL's own path.
    pub(in crate::probes) below: &'a str,
    /// Headers beside those of every request.
    pub(in crate::probes) headers: HeaderMap,
    pub(in crate::probes) body: Bytes,
    pub(in crate::probes) until: Option<Until<'a>>,
}

/// An answer as it came.
pub(in crate::probes) struct Got {
    pub(in crate::probes) status: u16,
    pub(in crate::probes) headers: HeaderMap,
    pub(in crate::probes) body: Vec<u8>,
    /// Why the body could not be read whole.
    pub(in crate::probes) body_fault: Option<Fault>,
}

/// What came of a request to change protocols.
pub(in crate::probes) enum Upgrade {
    /// From here on the connection speaks something else.
    Agreed(Box<Agreed>),
    /// The server answered in HTTP.
    Answered(Box<Got>),
}

impl Page {
    /// The server at a target of scheme `http` or `https`; credentials of the URL are sent.
    pub(in crate::probes) fn new(target: &Target, access: Access, own: &Node, problems: &mut Problems) -> Option<Self> {
        let Access { scheme, headers, basic_auth, authorization, tls_config, addresses, body_limit } = access;
        let Addresses { prefer: preferred_ip_protocol, fallback: ip_protocol_fallback } = addresses;
        let params = Params {
            headers,
            basic_auth,
            authorization,
            tls_config,
            preferred_ip_protocol,
            ip_protocol_fallback,
            body_size_limit: body_limit,
            ..Params::default()
        };
        plan::plan(target, &params, own, problems).map(|plan| Self { plan, scheme })
    }

    /// Asks for the page of the URL itself.
    pub(in crate::probes) async fn get(&self, cx: &mut Context<'_>) -> Result<Got, Fault> {
        self.ask(cx, Question::default()).await
    }

    /// Asks for a page below the URL's own path.
    pub(in crate::probes) async fn get_below(&self, cx: &mut Context<'_>, below: &str) -> Result<Got, Fault> {
        self.ask(cx, Question { below, ..Question::default() }).await
    }

    /// Asks.
    pub(in crate::probes) async fn ask(&self, cx: &mut Context<'_>, question: Question<'_>) -> Result<Got, Fault> {
        let mut url = self.plan.url.clone();
        if !question.below.is_empty() {
            url.set_path(&format!("{}{}", self.plan.url.path().trim_end_matches('/'), question.below));
        }
        let mut headers = self.plan.headers.clone();
        headers.extend(question.headers);
        let Question { method, body, until, .. } = question;
        let ask = Ask { plan: &self.plan, url: &url, method, headers, body, tls: &self.plan.tls };
        exchange(cx, ask, until).await.map(Got::of).map_err(|fault| self.reworded(fault))
    }

    /// Asks the server to change protocols, as these headers say.
    pub(in crate::probes) async fn upgrade(&self, cx: &mut Context<'_>, asked: HeaderMap) -> Result<Upgrade, Fault> {
        let Plan { url, method, headers, tls, .. } = &self.plan;
        let (method, mut headers) = (method.clone(), headers.clone());
        headers.extend(asked);
        let ask = Ask { plan: &self.plan, url, method, headers, body: Bytes::new(), tls };
        Ok(match change(cx, ask).await.map_err(|fault| self.reworded(fault))? {
            Changed::Agreed(agreed) => Upgrade::Agreed(agreed),
            Changed::Answered(got) => Upgrade::Answered(Box::new(Got::of(*got))),
        })
    }
}

impl Page {
    /// The same fault in the words of the check's own URL, which says neither `http` nor `https`.
    fn reworded(&self, fault: Fault) -> Fault {
        let says = ["the URL says https", "the URL says http"].into_iter();
        let before = says.filter_map(|end| fault.message.strip_suffix(end)).next().filter(|_| !self.scheme.is_empty());
        let Some(before) = before else { return fault };
        let scheme = &self.scheme;
        let speaks = |protocol: &str| before.contains(&format!(" speaks {protocol}"));
        let message = format!("{before}the URL says {scheme}");
        let hint = match ["tls", "http"].into_iter().find(|protocol| speaks(protocol)) {
            Some(protocol) if has_twin(scheme) => Some(advice(protocol, scheme)),
            Some("tls") => Some(format!("write the URL as `{scheme}+https://…`")),
            Some(_) => Some(format!("it has no TLS on this port: write the URL as `{scheme}+http://…`")),
            None => fault.hint,
        };
        Fault { reason: fault.reason, detail: fault.detail, message, hint }
    }
}

impl Got {
    fn of(got: Exchanged) -> Self {
        let answer = got.answer;
        let status = answer.status.as_u16();
        Self { status, headers: answer.headers, body: answer.body, body_fault: got.body_fault }
    }
}
