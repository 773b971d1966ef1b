//! What an intruder would find: root, privileges, the engine's socket, the node's network, secrets in plain sight. A value that may be a
//! secret is never repeated.

use super::Stack;
use super::model::{Container, Pod, at, is_true, items, number, text};
use super::rules::{ENGINE_SOCKET, HOST_NETWORK, PRIVILEGED, ROOT, SECRET};
use crate::preflight::Findings;

pub(super) fn check(stack: &Stack<'_>, findings: &mut Findings) {
    for pod in &stack.pods {
        if let Some(node) = pod.spec.get("hostNetwork").filter(|node| is_true(Some(node))) {
            findings.add(
                &HOST_NETWORK,
                pod.object.place(node, &format!("{}.hostNetwork", pod.path)),
                "the pod uses the node's network",
            );
        }
        sockets(pod, findings);
        for container in &pod.containers {
            rights(pod, container, findings);
            secrets(pod, container, findings);
        }
    }
}

fn sockets(pod: &Pod<'_>, findings: &mut Findings) {
    for (index, volume) in items(pod.spec.get("volumes")).iter().enumerate() {
        let Some(node) = at(volume, "hostPath.path") else { continue };
        let path = text(Some(node)).unwrap_or_default();
        if ["docker.sock", "containerd.sock", "crio.sock", "podman.sock"]
            .iter()
            .any(|socket| path.ends_with(&format!("/{socket}")))
        {
            let place = pod.object.place(node, &format!("{}.volumes[{index}].hostPath.path", pod.path));
            findings.add(&ENGINE_SOCKET, place, format!("`{path}` of the node is mounted"));
        }
    }
}

fn rights(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let own = container.node.get("securityContext");
    let of_pod = pod.spec.get("securityContext");
    if let Some(node) = own.and_then(|own| own.get("privileged")).filter(|node| is_true(Some(node))) {
        let place = pod.object.place(node, &format!("{}.securityContext.privileged", container.path));
        return findings.add(&PRIVILEGED, place, format!("container `{}` is privileged", container.name));
    }
    // What the container says wins over what the pod says.
    let said = |key: &str| own.and_then(|own| own.get(key)).or_else(|| of_pod.and_then(|pod| pod.get(key)));
    let user = number(said("runAsUser"));
    if !is_true(said("runAsNonRoot")) && user.is_none_or(|user| user == 0) {
        let place = pod.object.place(own.unwrap_or(container.node), &format!("{}.securityContext", container.path));
        findings.add(&ROOT, place, format!("container `{}` may run as root", container.name));
    }
}

fn secrets(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    for (index, variable) in items(container.node.get("env")).iter().enumerate() {
        let (Some(name), Some(node)) = (text(variable.get("name")), variable.get("value")) else { continue };
        let value = text(Some(node)).unwrap_or_default();
        let message = if is_secret(&name, &value) {
            format!("the value of `{name}` stands in the manifest")
        } else if has_password(&value) {
            format!("the address in `{name}` has a password in it")
        } else {
            continue;
        };
        findings.add(&SECRET, pod.object.place(node, &format!("{}.env[{index}].value", container.path)), message);
    }
}

/// Ends of names whose values are nobody's business; `PASSWORD_FILE` and `TOKEN_TTL` end otherwise.
const SECRET_ENDS: &[&str] = &[
    "PASSWORD",
    "PASSWD",
    "SECRET",
    "TOKEN",
    "API_KEY",
    "APIKEY",
    "SECRET_KEY",
    "PRIVATE_KEY",
    "ENCRYPTION_KEY",
    "SIGNING_KEY",
    "ACCESS_KEY",
];

/// Whether a variable's value is a secret by its name. Switches, paths and references to other variables are none.
fn is_secret(name: &str, value: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let is_named = SECRET_ENDS.iter().any(|end| upper == *end || upper.ends_with(&format!("_{end}")));
    let switch = ["", "true", "false", "yes", "no", "on", "off", "0", "1", "none"]
        .contains(&value.to_ascii_lowercase().as_str());
    is_named && !switch && !value.starts_with('/') && !is_reference(value)
}

/// `$(NAME)` alone: Kubernetes fills it in.
fn is_reference(value: &str) -> bool {
    value.starts_with("$(") && value.ends_with(')')
}

/// Whether a URL has a password before its `@` that is not filled in from elsewhere.
fn has_password(value: &str) -> bool {
    let authority = value.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    let user = authority.and_then(|authority| authority.rsplit_once('@')).map(|(user, _)| user);
    user.and_then(|user| user.split_once(':'))
        .is_some_and(|(_, password)| !password.is_empty() && !is_reference(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_name_and_a_switch_is_none() {
        for (name, value) in
            [("DB_PASSWORD", "hunter22"), ("password", "x"), ("JWT_SECRET", "abc"), ("STRIPE_API_KEY", "sk_x")]
        {
            assert!(is_secret(name, value), "{name}");
        }
        for (name, value) in [
            ("PASSWORD_FILE", "/run/x"),
            ("ALLOW_EMPTY_PASSWORD", "yes"),
            ("TOKEN_TTL", "60"),
            ("DB_PASSWORD", "$(PW)"),
            ("PUBLIC_KEY", "abc"),
            ("PASSWORD", ""),
            ("MONKEY", "x"),
        ] {
            assert!(!is_secret(name, value), "{name}");
        }
        assert!(has_password("postgresql://u:p@db/x"));
        for value in ["postgresql://u@db/x", "postgresql://u:$(PW)@db/x", "http://h/a:b@c", "u:p@h"] {
            assert!(!has_password(value), "{value}");
        }
    }
}
