//! What a journey may cost: caps on what is read, kept or repeated, each with its reason.

use std::time::Duration;

/// Largest `.hurl` file: journeys are written by hand.
pub(super) const HURL_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Largest file sent as a body, or compared with one.
pub(super) const BODY_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Largest body after decoding: a small answer can be a gzip bomb.
pub(super) const DECODED_BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Cookies that one virtual user keeps; the oldest goes first.
pub(super) const COOKIES_MAX: usize = 300;
/// Largest cookie (name and value), as in curl.
pub(super) const COOKIE_BYTES_MAX: usize = 4096;
/// Redirects followed when the file does not say, as in Hurl.
pub(super) const REDIRECTS_MAX: usize = 50;
/// Redirects followed at most, whatever the file says: every hop is kept until the asserts have run.
pub(super) const REDIRECTS_CAP: usize = 1000;
/// Wait before a retry when the file does not say, as in Hurl.
pub(super) const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Characters of a value shown in a message.
pub(super) const SHOWN_CHARACTERS_MAX: usize = 400;
/// Nesting of JSON and of JSONPath filters, as in serde_json and Hurl.
pub const JSON_DEPTH_MAX: usize = 127;
/// Nesting of JSONPath filters and functions, as in Hurl.
pub(super) const JSONPATH_DEPTH_MAX: usize = 64;
