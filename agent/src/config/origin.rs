//! What a check was made of, so that a later reading of the configuration can tell whether it is the same check. Values that came in by
//! `${…}` and the certificates that its TLS reads count; places in the file, the order of keys and defaults written out do not.

use super::stamp::Files;
use crate::limits;
use crate::node::{Node, Value};
use crate::small;
use std::fs::File;
use std::hash::{BuildHasher as _, Hash as _, Hasher, RandomState};
use std::io::Read as _;
use std::path::Path;
use std::sync::LazyLock;

/// A hash, keyed anew by each process: no secret is kept to be compared, and none can be guessed from it. That two different checks have
/// the same one by chance is less likely than a broken memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin(u64);

static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Keys of `tls_config` whose files a probe reads when it is made.
const READ_AT_ONCE: [&str; 3] = ["ca_file", "cert_file", "key_file"];

impl Origin {
    /// Of a check with this URL, password included, and these keys of its probe.
    pub(super) fn of(url: &str, own: &Node, all_addresses: bool, files: &mut Files) -> Self {
        let mut hasher = KEY.build_hasher();
        (url, all_addresses).hash(&mut hasher);
        feed(own, &mut hasher);
        let below_tls = own.get("tls_config").map_or(&[][..], Node::entries);
        let named = below_tls.iter().filter(|(key, _)| READ_AT_ONCE.contains(&key.name.as_str()));
        let paths: Vec<String> = named.filter_map(|(_, node)| node.as_text().map(str::to_owned)).collect();
        for path in paths.into_iter().chain(in_query(url)) {
            feed_file(Path::new(&path), &mut hasher, files);
        }
        Self(hasher.finish())
    }
}

/// Absolute paths in a URL's query, as drivers have them: `sslrootcert=/etc/ssl/ca.pem`.
fn in_query(url: &str) -> Vec<String> {
    let web = ["http:", "https:", "ws:", "wss:"].iter().any(|scheme| url.starts_with(scheme));
    let Some((_, query)) = url.split_once('?').filter(|_| !web) else { return Vec::new() };
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.map(|(_, value)| value.into_owned()).filter(|value| value.starts_with('/')).collect()
}

/// The content, for a ConfigMap that changes elsewhere gives every file of it a new inode.
fn feed_file(path: &Path, hasher: &mut impl Hasher, files: &mut Files) {
    if !std::fs::metadata(path).is_ok_and(|about| about.is_file()) {
        return; // a pipe would be waited for; what cannot be read was a problem when the probe was made
    }
    files.note(path);
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(limits::PEM_BYTES).read_to_end(&mut content));
    (read.is_ok(), content).hash(hasher);
}

/// The value without places. Keys are sorted, and those with nothing behind them left out.
fn feed(node: &Node, hasher: &mut impl Hasher) {
    match &node.value {
        Value::Null => 0_u8.hash(hasher),
        Value::Bool(value) => (1_u8, value).hash(hasher),
        Value::Integer(value) => (2_u8, value).hash(hasher),
        Value::Float(value) => (3_u8, value.to_bits()).hash(hasher),
        Value::Text(text) => (4_u8, text).hash(hasher),
        Value::List(items) => {
            (5_u8, items.len()).hash(hasher);
            items.iter().for_each(|item| feed(item, hasher));
        }
        Value::Map(entries) => {
            let mut written: Vec<_> = entries.iter().filter(|(_, node)| node.value != Value::Null).collect();
            small::sort_by(&mut written, |(one, _), (other, _)| one.name.cmp(&other.name));
            (6_u8, written.len()).hash(hasher);
            for (key, node) in written {
                key.name.hash(hasher);
                feed(node, hasher);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;

    fn of(url: &str, own: &str) -> Origin {
        Origin::of(url, &yaml::read(own).unwrap(), false, &mut Files::default())
    }

    #[test]
    fn places_order_and_empty_keys_make_no_other_check() {
        let origin = of("redis://h", "{a: 1, b: [x, y]}");
        assert_eq!(origin, of("redis://h", "\n\nb:\n  - x\n  - y\na: 1\nc:\n"));
        for other in ["{a: 1, b: [y, x]}", "{a: '1', b: [x, y]}", "{a: 1, b: [x, y], c: no}", "{}"] {
            assert_ne!(origin, of("redis://h", other), "{other}");
        }
    }

    #[test]
    fn a_changed_password_makes_another_check() {
        assert_ne!(of("redis://:one@h", "{}"), of("redis://:two@h", "{}"));
    }

    #[test]
    fn a_renewed_authority_makes_another_check_and_the_same_bytes_in_another_file_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let shown = path.display().to_string();
        let ways = [
            ("https://h", format!("{{tls_config: {{ca_file: {shown}}}}}")),
            (&*format!("postgres://h/d?sslrootcert={shown}"), "{}".to_owned()),
        ];
        for (url, own) in ways {
            std::fs::write(&path, "one").unwrap();
            let mut files = Files::default();
            let before = Origin::of(url, &yaml::read(&own).unwrap(), false, &mut files);
            assert_eq!(files.0.len(), 1, "it is watched: {url}");
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, "one").unwrap();
            assert_eq!(before, of(url, &own), "{url}");
            std::fs::write(&path, "two").unwrap();
            assert_ne!(before, of(url, &own), "{url}");
        }
    }
}
