//! Keys that every check over TCP has, with the same words in the reference.

use crate::probes::Key;

/// TLS settings, where the reference of `http` describes them.
pub const TLS_CONFIG: Key = Key {
    name: "tls_config",
    form: "mapping: insecure_skip_verify, ca_file, cert_file, key_file, server_name, min_version, max_version",
    default: "",
    doc: "TLS settings, as in a check of kind `http`.",
};
/// The family of addresses that comes first.
pub const PREFERRED_IP_PROTOCOL: Key = Key {
    name: "preferred_ip_protocol",
    form: "ip4 or ip6",
    default: "ip6",
    doc: "Which addresses of the name are tried first.",
};
/// Whether the other family counts.
pub const IP_PROTOCOL_FALLBACK: Key = Key {
    name: "ip_protocol_fallback",
    form: "true or false",
    default: "true",
    doc: "Whether the other kind of address may be used.",
};
/// Where connections come from.
pub const SOURCE_IP_ADDRESS: Key = Key {
    name: "source_ip_address",
    form: "IP address",
    default: "the kernel's choice",
    doc: "The address of this host that is used; only addresses of the same family are then tried.",
};
