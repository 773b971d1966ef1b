//! Manifests as the rules need them: objects with their file, pods with their containers, names and ports with their lines. Pure.
//! What must stay true: reading is lenient, for the API server judges the form; what is not understood is left out, never guessed.

use crate::node::{Node, Value};
use crate::preflight::Place;

/// An object of a manifest.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) file: String,
    pub(super) kind: String,
    pub(super) name: String,
    namespace: String,
    pub(super) node: Node,
}

/// A pod, or the template of one.
#[derive(Debug)]
pub(super) struct Pod<'a> {
    pub(super) object: &'a Object,
    /// Path of the pod's spec, for messages.
    pub(super) path: String,
    pub(super) spec: &'a Node,
    pub(super) labels: Vec<(String, String)>,
    pub(super) containers: Vec<Container<'a>>,
}

/// A container of a pod.
#[derive(Debug)]
pub(super) struct Container<'a> {
    pub(super) node: &'a Node,
    pub(super) name: String,
    pub(super) path: String,
    pub(super) ports: Vec<Port>,
    /// Whether it runs once, before the others.
    pub(super) is_initial: bool,
}

/// A port of a container.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) name: Option<String>,
    pub(super) number: Option<i64>,
}

impl Object {
    /// The objects of a document: one, or those of a List. What has no kind is none.
    pub(super) fn of_document(file: &str, document: Node) -> Vec<Self> {
        let kind = text(document.get("kind")).unwrap_or_default();
        if kind.ends_with("List") && document.get("items").is_some() {
            let Value::Map(entries) = document.value else { return Vec::new() };
            let items = entries.into_iter().filter(|(key, _)| key.name == "items").map(|(_, items)| items.value);
            let items = items.filter_map(|items| if let Value::List(items) = items { Some(items) } else { None });
            return items.flatten().flat_map(|item| Self::of_document(file, item)).collect();
        }
        if kind.is_empty() {
            return Vec::new();
        }
        let of_metadata = |key: &str| document.get("metadata").and_then(|metadata| text(metadata.get(key)));
        let (name, namespace) = (of_metadata("name").unwrap_or_default(), of_metadata("namespace").unwrap_or_default());
        vec![Self { file: file.to_owned(), kind, name, namespace, node: document }]
    }

    /// Whether both may be in one namespace: one that says none is put somewhere by whoever applies it.
    pub(super) fn is_near(&self, other: &Self) -> bool {
        self.namespace == other.namespace || self.namespace.is_empty() || other.namespace.is_empty()
    }

    /// Whether it is in the namespace of this name, or says none.
    pub(super) fn may_be_in(&self, namespace: &str) -> bool {
        self.namespace == namespace || self.namespace.is_empty()
    }

    /// A place in it: the line of a node, and what it is about, `Deployment/api spec.replicas`.
    pub(super) fn place(&self, node: &Node, path: &str) -> Place {
        let gap = if path.is_empty() { "" } else { " " };
        Place::new(&self.file, node.at, &format!("{}/{}{gap}{path}", self.kind, self.name))
    }

    /// Its pod, when it has one.
    pub(super) fn pod(&self) -> Option<Pod<'_>> {
        let path = match self.kind.as_str() {
            "Pod" => "",
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => "spec.template",
            "CronJob" => "spec.jobTemplate.spec.template",
            _ => return None,
        };
        let template = at(&self.node, path)?;
        let spec = template.get("spec")?;
        let path = if path.is_empty() { "spec".to_owned() } else { format!("{path}.spec") };
        let labels = at(template, "metadata.labels").map(pairs).unwrap_or_default();
        let mut containers = Vec::new();
        for (key, is_first) in [("initContainers", true), ("containers", false)] {
            for (index, node) in items(spec.get(key)).iter().enumerate() {
                let is_sidecar = text(node.get("restartPolicy")).is_some_and(|policy| policy == "Always");
                containers.push(Container::of(node, format!("{path}.{key}[{index}]"), is_first && !is_sidecar));
            }
        }
        Some(Pod { object: self, path, spec, labels, containers })
    }

    /// Whether its pods are meant to run on.
    pub(super) fn runs_on(&self) -> bool {
        matches!(self.kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
    }
}

impl<'a> Container<'a> {
    fn of(node: &'a Node, path: String, is_initial: bool) -> Self {
        let ports = items(node.get("ports")).iter();
        let ports = ports.map(|port| Port { name: text(port.get("name")), number: number(port.get("containerPort")) });
        Self { node, name: text(node.get("name")).unwrap_or_default(), path, ports: ports.collect(), is_initial }
    }

    pub(super) fn has_port(&self, wanted: &Wanted) -> bool {
        self.ports.iter().any(|port| match wanted {
            Wanted::Name(name) => port.name.as_ref() == Some(name),
            Wanted::Number(number) => port.number == Some(*number),
        })
    }
}

impl Pod<'_> {
    /// Whether a selector's labels are all its own; an empty selector selects nothing here.
    pub(super) fn is_selected_by(&self, selector: &[(String, String)]) -> bool {
        !selector.is_empty() && selector.iter().all(|pair| self.labels.contains(pair))
    }

    /// The containers that run side by side.
    pub(super) fn running(&self) -> impl Iterator<Item = &Container<'_>> {
        self.containers.iter().filter(|container| !container.is_initial)
    }

    /// `8000 (backend), 9797 (sidecar)`.
    pub(super) fn ports_shown(&self) -> String {
        let shown = |port: &Port| {
            let number = port.number.map_or_else(|| "?".to_owned(), |number| number.to_string());
            port.name.as_ref().map_or(number.clone(), |name| format!("{number} ({name})"))
        };
        self.running().flat_map(|container| &container.ports).map(shown).collect::<Vec<_>>().join(", ")
    }
}

/// A port as it is referred to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Name(String),
    Number(i64),
}

impl Wanted {
    /// A port of a probe, a Service or an Ingress.
    pub(super) fn of(node: &Node) -> Option<Self> {
        match &node.value {
            Value::Integer(number) => Some(Self::Number(*number)),
            Value::Text(text) if text.is_empty() => None,
            Value::Text(text) => Some(text.parse().map_or_else(|_| Self::Name(text.clone()), Self::Number)),
            _ => None,
        }
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{name}`"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// The node at a path of keys, `spec.template.metadata`.
pub(super) fn at<'a>(node: &'a Node, path: &str) -> Option<&'a Node> {
    path.split('.').filter(|key| !key.is_empty()).try_fold(node, |node, key| node.get(key))
}

/// The items of a list; none when it is something else or missing.
pub(super) fn items(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

/// A scalar as text.
pub(super) fn text(node: Option<&Node>) -> Option<String> {
    match &node?.value {
        Value::Text(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

/// A whole number, also when it is written in quotes.
pub(super) fn number(node: Option<&Node>) -> Option<i64> {
    text(node)?.parse().ok()
}

/// Whether a switch is on.
pub(super) fn is_true(node: Option<&Node>) -> bool {
    node.is_some_and(|node| node.value == Value::Bool(true))
}

/// The pairs of a mapping of text.
pub(super) fn pairs(node: &Node) -> Vec<(String, String)> {
    node.entries().iter().filter_map(|(key, value)| Some((key.name.clone(), text(Some(value))?))).collect()
}
