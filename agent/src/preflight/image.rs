//! Names of images: `registry:5000/library/postgres:15@sha256:…`. Knows no image.

/// A name, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reference {
    /// Without tag and digest, `docker.io/` and `library/`.
    pub(super) name: String,
    /// The last part of it.
    pub(super) last: String,
    /// Without a leading `v`; empty when there is none.
    pub(super) tag: String,
    /// Whether a digest pins it.
    pub(super) pinned: bool,
}

impl Reference {
    pub(super) fn parse(text: &str) -> Self {
        let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (rest, ""),
        };
        let name = name.strip_prefix("docker.io/").unwrap_or(name);
        let name = name.strip_prefix("library/").unwrap_or(name).to_ascii_lowercase();
        let last = name.rsplit('/').next().unwrap_or_default().to_owned();
        Self { last, name, tag: tag.to_owned(), pinned: digest.is_some() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_name_is_found() {
        for (text, name, last, tag, pinned) in [
            ("postgres", "postgres", "postgres", "", false),
            ("docker.io/library/redis:7", "redis", "redis", "7", false),
            ("localhost:5000/team/api", "localhost:5000/team/api", "api", "", false),
            ("ghcr.io/a/b:v1@sha256:00", "ghcr.io/a/b", "b", "v1", true),
        ] {
            let read = Reference::parse(text);
            assert_eq!((read.name.as_str(), read.last.as_str()), (name, last), "{text}");
            assert_eq!((read.tag.as_str(), read.pinned), (tag, pinned), "{text}");
        }
    }
}
