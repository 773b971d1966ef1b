//! The look of the status page, and the policy that allows this look and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use std::sync::LazyLock;

/// The style sheet, in the page itself.
pub(super) const CSS: &str = include_str!("style.css");

/// `Content-Security-Policy`: the style sheet by its hash, an empty icon, nothing else.
pub(super) static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash =
        sha256(CSS.as_bytes()).map_or_else(String::new, |digest| format!(" 'sha256-{}'", STANDARD.encode(digest)));
    format!(
        "default-src 'none'; style-src{hash}; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// By way of the TLS library, which has it anyway.
fn sha256(text: &[u8]) -> Option<Vec<u8>> {
    let suite = TLS13_AES_128_GCM_SHA256.tls13()?;
    Some(suite.common.hash_provider.hash(text).as_ref().to_vec())
}
