//! The six labels of a container's series. What is queried by everybody is never empty: `name!=""`, `image!=""` and `container!=""`
//! are how dashboards leave out the cgroups that are no containers, and ours always is one.

use super::super::PeerLabels;
use super::names::BASE;
use crate::reading::{Metric, Reading};

/// The image of a container about which nobody told it; empty would hide the container from most queries.
const UNKNOWN_IMAGE: &str = "unknown";
/// Where `id` is among them.
const ID: usize = 1;

/// Values of `container`, `id`, `image`, `name`, `namespace`, `pod`.
#[derive(Clone, Debug)]
pub(in crate::collectors) struct Labels([String; BASE]);

impl Labels {
    /// As told; without a told name, `otherwise` is the container's.
    pub(in crate::collectors) fn new(told: &PeerLabels, otherwise: &str) -> Self {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let name = told.container.clone().unwrap_or_else(|| otherwise.to_owned());
        let image = told.image.clone().unwrap_or_else(|| UNKNOWN_IMAGE.to_owned());
        Self([name.clone(), String::new(), image, name, text(&told.namespace), text(&told.pod)])
    }

    /// The same with another `id`.
    pub(in crate::collectors) fn with_id(&self, id: &str) -> Self {
        let mut labels = self.clone();
        id.clone_into(&mut labels.0[ID]);
        labels
    }

    /// Whether the container is one of a pod, whose network the agent shares.
    pub(super) fn is_in_a_pod(&self) -> bool {
        self.0.last().is_some_and(|pod| !pod.is_empty())
    }

    /// A value of a metric that has these labels and `more`.
    pub(in crate::collectors) fn reading(&self, metric: &'static Metric, more: &[&str], value: f64) -> Reading {
        debug_assert_eq!(BASE + more.len(), metric.labels.len(), "labels of {}", metric.name);
        let labels = self.0.iter().cloned().chain(more.iter().map(|&label| label.to_owned())).collect();
        Reading { metric, labels, value }
    }
}
