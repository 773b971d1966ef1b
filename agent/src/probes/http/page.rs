//! One page of a server, for probes of other kinds that understand what is on it: asked for once, no redirect followed, nothing judged.

use super::exchange::{Ask, exchange};
use super::params::Params;
pub(in crate::probes) use super::params::{Authorization, BodyLimit};
use super::plan::{self, Plan};
pub(in crate::probes) use super::rules::begin;
use crate::node::{Node, Problems};
use crate::probes::net::TlsConfig;
use crate::probes::{Context, Fault, Target};
use crate::secret::Secret;
use bytes::Bytes;
use http::HeaderMap;
use std::collections::BTreeMap;

/// A page that can be asked for.
pub(in crate::probes) struct Page {
    plan: Plan,
}

/// What a page is asked with, beside its URL.
pub(in crate::probes) struct Manners {
    /// Headers of the request.
    pub(in crate::probes) headers: BTreeMap<String, Secret>,
    /// A token.
    pub(in crate::probes) authorization: Option<Authorization>,
    /// TLS settings.
    pub(in crate::probes) tls_config: TlsConfig,
    /// The longest body that is read.
    pub(in crate::probes) body_limit: BodyLimit,
}

/// An answer as it came.
pub(in crate::probes) struct Got {
    pub(in crate::probes) status: u16,
    pub(in crate::probes) headers: HeaderMap,
    pub(in crate::probes) body: Vec<u8>,
    /// Why the body could not be read whole.
    pub(in crate::probes) body_fault: Option<Fault>,
}

impl Page {
    /// The page at a target of scheme `http` or `https`; credentials of the URL are sent. `host` is the header `Host`.
    pub(in crate::probes) fn new(
        target: &Target,
        host: Option<&str>,
        own: &Node,
        problems: &mut Problems,
    ) -> Option<Self> {
        let headers = host.map(|host| ("Host".to_owned(), Secret::new(host))).into_iter().collect();
        let params = Params { headers, ..Params::default() };
        plan::plan(target, &params, own, problems).map(|plan| Self { plan })
    }

    /// The page, asked for with all that a check may say of a request.
    pub(in crate::probes) fn asked(
        target: &Target,
        manners: Manners,
        own: &Node,
        problems: &mut Problems,
    ) -> Option<Self> {
        let Manners { headers, authorization, tls_config, body_limit } = manners;
        let params = Params { headers, authorization, tls_config, body_size_limit: body_limit, ..Params::default() };
        plan::plan(target, &params, own, problems).map(|plan| Self { plan })
    }

    /// Asks for it.
    pub(in crate::probes) async fn get(&self, cx: &mut Context<'_>) -> Result<Got, Fault> {
        let Plan { url, method, headers, tls, .. } = &self.plan;
        let (method, headers) = (method.clone(), headers.clone());
        let got = exchange(cx, Ask { plan: &self.plan, url, method, headers, body: Bytes::new(), tls }).await?;
        let answer = got.answer;
        let status = answer.status.as_u16();
        Ok(Got { status, headers: answer.headers, body: answer.body, body_fault: got.body_fault })
    }
}
