//! OpenMetrics 1.0 text, written by prometheus-client; the only file that names it.
//!
//! prometheus-client has no type `stateset` or `counter` without `_total`: a counter that bears a public exporter's bare name is
//! `unknown` here (and `counter` in text 0.0.4), with the same sample name in both.

use super::families::{Families, Family, Row, gather};
use super::negotiate::Format;
use super::{Served, reexported};
use crate::reading::Type;
use crate::snapshot::Snapshot;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;

/// The page in OpenMetrics text, `# EOF` included.
///
/// # Errors
/// Never while the page is a `String`; kept, for the encoder's interface has it.
pub fn open_metrics(snapshot: &Arc<Snapshot>, served: Served) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Whole { snapshot: Arc::clone(snapshot), served }));
    let mut page = String::with_capacity(64 << 10);
    text::encode_registry(&mut page, &registry)?;
    reexported::choose(snapshot).write(&mut page, Format::OpenMetrics)?;
    text::encode_eof(&mut page)?;
    Ok(page)
}

#[derive(Debug)]
struct Whole {
    snapshot: Arc<Snapshot>,
    served: Served,
}

impl Collector for Whole {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let families: Families = gather(&self.snapshot, &self.served, &reexported::choose(&self.snapshot));
        families.values().try_for_each(|family| write(&mut encoder, family))
    }
}

fn write(encoder: &mut DescriptorEncoder, family: &Family) -> fmt::Result {
    let metric = family.metric;
    // The encoder appends the suffixes itself.
    let (name, kind) = match metric.kind {
        Type::Gauge => (metric.name, MetricType::Gauge),
        Type::Counter => (metric.name.trim_end_matches("_total"), MetricType::Counter),
        Type::BareCounter | Type::Untyped | Type::Histogram | Type::Summary => (metric.name, MetricType::Unknown),
        Type::Info => (metric.name.trim_end_matches("_info"), MetricType::Info),
    };
    let mut samples = encoder.encode_descriptor(name, metric.help, None, kind)?;
    for row in &family.rows {
        let labels = Labels { family, row };
        let labelled = row.check.is_some() || !metric.labels.is_empty();
        match metric.kind {
            Type::Info => samples.encode_info(&labels)?,
            Type::Counter if labelled => {
                samples.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&row.value, None)?;
            }
            Type::Counter => samples.encode_counter::<NoLabelSet, _, f64>(&row.value, None)?,
            _ if labelled => samples.encode_family(&labels)?.encode_gauge(&row.value)?,
            _ => samples.encode_gauge(&row.value)?,
        }
    }
    Ok(())
}

struct Labels<'a> {
    family: &'a Family<'a>,
    row: &'a Row<'a>,
}

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> fmt::Result {
        self.row.labels(self.family.metric).try_for_each(|pair| pair.encode(encoder.encode_label()))
    }
}
