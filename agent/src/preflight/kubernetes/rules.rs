//! The rules for manifests.

use crate::preflight::{Rule, Severity};

/// All of them.
pub(in crate::preflight) static RULES: &[&Rule] = &[
    &SELECTOR,
    &TARGET_PORT,
    &BACKEND,
    &PROBE_PORT,
    &URL_SERVICE,
    &URL_PORT,
    &URL_PROTOCOL,
    &MISSING_KEY,
    &READINESS,
    &LIVENESS,
    &LIVENESS_IS_READINESS,
    &GRACE,
    &LIMIT,
    &REQUEST,
    &REQUEST_OVER_LIMIT,
    &ROOT,
    &PRIVILEGED,
    &ENGINE_SOCKET,
    &HOST_NETWORK,
    &SECRET,
    &IMAGE,
];

const fn error(name: &'static str, summary: &'static str, (why, fix): (&'static str, &'static str)) -> Rule {
    Rule { name, severity: Severity::Error, summary, why, fix }
}

const fn warning(name: &'static str, summary: &'static str, (why, fix): (&'static str, &'static str)) -> Rule {
    Rule { name, severity: Severity::Warning, summary, why, fix }
}

pub(super) static SELECTOR: Rule = error(
    "kubernetes-selector",
    "a selector matches no pod",
    (
        "a Service without pods refuses every connection, and a workload that does not select its own pods is not created",
        "make the selector and the labels of the pod template the same",
    ),
);
pub(super) static TARGET_PORT: Rule = error(
    "kubernetes-target-port",
    "a Service sends to a port that its pods do not have",
    (
        "every connection to the Service is refused",
        "write the name or the number of the container's port as `targetPort`",
    ),
);
pub(super) static BACKEND: Rule = error(
    "kubernetes-ingress-backend",
    "an Ingress names a Service or a port that does not exist",
    ("the path answers 503, or the controller leaves it out", "write the name and a port of a Service"),
);
pub(super) static PROBE_PORT: Rule = error(
    "kubernetes-probe-port",
    "a probe asks a port that the container does not have",
    (
        "a pod whose probe fails is never ready, or is restarted again and again",
        "write the name or the number of the container's port",
    ),
);
pub(super) static URL_SERVICE: Rule = warning(
    "kubernetes-url-service",
    "an address in the environment names a Service that is not in the files",
    ("a name that nobody has cannot be looked up", "correct the name, or give the file with that Service too"),
);
pub(super) static URL_PORT: Rule = error(
    "kubernetes-url-port",
    "an address in the environment names a port that the Service does not have",
    ("connections to that port time out", "write a port of the Service"),
);
pub(super) static URL_PROTOCOL: Rule = error(
    "kubernetes-url-protocol",
    "an address in the environment says another protocol than the image behind it speaks",
    (
        "the client and the server do not understand each other",
        "write the scheme of what answers there, or the address of another Service",
    ),
);
pub(super) static MISSING_KEY: Rule = error(
    "kubernetes-missing-key",
    "a key of a ConfigMap or Secret is used and not in it",
    (
        "the pod stays in CreateContainerConfigError",
        "add the key, or correct its name; `optional: true` lets the pod start without it",
    ),
);
pub(super) static READINESS: Rule = warning(
    "kubernetes-no-readiness",
    "a pod behind a Service has no readiness probe",
    ("it gets traffic before it can work, and while it cannot", "add a `readinessProbe`"),
);
pub(super) static LIVENESS: Rule = warning(
    "kubernetes-no-liveness",
    "a pod behind a Service has no liveness probe",
    ("a service that hangs is never restarted", "add a `livenessProbe` that depends on the process alone"),
);
pub(super) static LIVENESS_IS_READINESS: Rule = warning(
    "kubernetes-liveness-is-readiness",
    "a liveness probe asks whether the service is ready",
    (
        "a broken dependency restarts every pod, which mends nothing",
        "ask a page that depends on the process alone, such as `/live`",
    ),
);
pub(super) static GRACE: Rule = error(
    "kubernetes-grace",
    "the pause before the stop is as long as the grace period",
    (
        "the service is killed before it is asked to stop",
        "raise `terminationGracePeriodSeconds` above the pause and the time that the service drains",
    ),
);
pub(super) static LIMIT: Rule = warning(
    "kubernetes-no-memory-limit",
    "a container has no memory limit",
    ("a leak takes the whole node down", "add `resources.limits.memory`"),
);
pub(super) static REQUEST: Rule = warning(
    "kubernetes-no-memory-request",
    "a container has neither a memory request nor a limit that stands for it",
    (
        "the scheduler puts it where there is no room, and it is the first to be evicted",
        "add `resources.requests.memory`",
    ),
);
pub(super) static REQUEST_OVER_LIMIT: Rule = error(
    "kubernetes-request-over-limit",
    "a request is larger than its limit",
    ("the API server refuses the pod", "make the request at most the limit"),
);
pub(super) static ROOT: Rule = warning(
    "kubernetes-root",
    "nothing keeps a container from running as root",
    (
        "who breaks into the service is root in its container",
        "add `securityContext: {runAsNonRoot: true}` to the pod or the container",
    ),
);
pub(super) static PRIVILEGED: Rule = error(
    "kubernetes-privileged",
    "a container is privileged",
    (
        "who breaks into the service has the node",
        "remove `privileged: true`, and add the one capability that is needed",
    ),
);
pub(super) static ENGINE_SOCKET: Rule = error(
    "kubernetes-engine-socket",
    "the socket of the container engine is mounted",
    ("who breaks into the service has the node", "remove the `hostPath` volume"),
);
pub(super) static HOST_NETWORK: Rule = warning(
    "kubernetes-host-network",
    "a pod uses the node's network",
    ("its ports are open on the node, and network policies do not hold for it", "remove `hostNetwork: true`"),
);
pub(super) static SECRET: Rule = error(
    "kubernetes-secret-in-plain-sight",
    "a secret stands as it is in the manifest",
    (
        "everybody who can read the repository or the pod's description has it",
        "put it into a Secret and use `valueFrom: {secretKeyRef: …}`, or a file",
    ),
);
pub(super) static IMAGE: Rule = warning(
    "kubernetes-image-not-pinned",
    "an image has no tag, or `latest`",
    ("the next pull may bring another program", "write a version or a digest behind the image"),
);
