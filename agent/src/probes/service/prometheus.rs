//! `prometheus`: is it ready, and does it run on the configuration that it was given last?

use super::{FACTS, KEYS, Params, build as service, reload};
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::probes::{Kind, Probe, Target, fields_of};

/// The row of the table.
pub(in crate::probes) static KIND: Kind = Kind {
    name: "prometheus",
    schemes: &["prometheus"],
    summary: "Asks Prometheus whether it is ready, and its own metrics whether its last configuration was taken: a refused one is \
              `stale`. The URL's path is the one that it stands under; port 9090 unless written",
    example: "- name: metrics\n  url: prometheus://prometheus:9090\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[Parser { name: "own_metrics", read: reload::read }],
    slow: false,
    build,
};

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    service(target, (own, problems), 9090, |page, cx| {
        Box::pin(async move {
            reload::ready(page, cx, "Prometheus").await?;
            reload::own_metrics(page, cx, "prometheus").await
        })
    })
}
