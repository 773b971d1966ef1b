//! Which files a page links that a browser fetches with it: its stylesheets, scripts and images. Pure: text in, URLs out. What must
//! stay true: a file of another origin is never among them, for nothing goes to hosts that the plan did not name.

use super::received::Received;
use html5gum::emitters::default::DefaultEmitter;
use html5gum::{StartTag, Token, Tokenizer};
use std::collections::HashSet;
use url::Url;

/// What a page links.
#[derive(Debug, Default)]
pub(super) struct Linked {
    /// Files of its own origin, each once, in order of appearance.
    pub(super) files: Vec<Url>,
    /// How many are of other origins, each once.
    pub(super) elsewhere: usize,
}

/// Whether an answer is a page.
pub(super) fn is_page(received: &Received) -> bool {
    let content_type = received.headers("content-type").next();
    let kind = content_type.as_deref().map(|content_type| content_type.split(';').next().unwrap_or_default().trim());
    kind.is_some_and(|kind| ["text/html", "application/xhtml+xml"].iter().any(|html| kind.eq_ignore_ascii_case(html)))
}

/// What the page at that URL links.
pub(super) fn linked(html: &[u8], page: &Url) -> Linked {
    let Found { base, links, .. } = scan(html);
    let base = base.and_then(|base| page.join(&base).ok()).unwrap_or_else(|| page.clone());
    let (mut linked, mut seen) = (Linked::default(), HashSet::new());
    for link in links {
        // An empty link would be the page itself, and browsers fetch nothing for it.
        let Some(mut url) = Some(link.trim()).filter(|link| !link.is_empty()).and_then(|link| base.join(link).ok())
        else {
            continue;
        };
        url.set_fragment(None);
        // `data:` and `blob:` are in the page already.
        if !matches!(url.scheme(), "http" | "https") || !seen.insert(url.clone()) {
            continue;
        }
        if url.origin() == page.origin() {
            linked.files.push(url);
        } else {
            linked.elsewhere += 1;
        }
    }
    linked
}

/// The links as written.
#[derive(Default)]
struct Found {
    /// The first `<base href>`.
    base: Option<String>,
    links: Vec<String>,
    /// Elements that are open and whose content is not shown: a browser with scripts has no use for `<noscript>`, and a
    /// `<template>` is only a pattern.
    hidden: usize,
}

fn scan(html: &[u8]) -> Found {
    let mut emitter = DefaultEmitter::default();
    // So that a `<` in a script or a stylesheet begins no tag.
    emitter.naively_switch_states(true);
    let mut found = Found::default();
    for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
        match token {
            Token::StartTag(tag) => found.start(&tag),
            Token::EndTag(tag) if is_hidden(&tag.name) => found.hidden = found.hidden.saturating_sub(1),
            _ => {}
        }
    }
    found
}

fn is_hidden(name: &[u8]) -> bool {
    matches!(name, b"noscript" | b"template")
}

impl Found {
    fn start(&mut self, tag: &StartTag<()>) {
        let get = |name: &[u8]| tag.attributes.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
        match tag.name.as_slice() {
            name if is_hidden(name) => self.hidden += 1,
            _ if self.hidden > 0 => {}
            b"base" => self.base = self.base.take().or_else(|| get(b"href")),
            b"link" if get(b"rel").is_some_and(|rel| fetches(&rel)) => self.links.extend(get(b"href")),
            // A browser that knows modules takes the module.
            b"script" if get(b"nomodule").is_none() && is_script(get(b"type").as_deref()) => {
                self.links.extend(get(b"src"));
            }
            b"img" => {
                self.links.extend(get(b"src"));
                self.links.extend(get(b"srcset").and_then(|srcset| first(&srcset)));
            }
            _ => {}
        }
    }
}

/// Whether a browser fetches what `<link rel>` names.
fn fetches(rel: &str) -> bool {
    let fetched = ["stylesheet", "icon", "preload", "modulepreload"];
    rel.split_ascii_whitespace().any(|word| fetched.iter().any(|fetched| word.eq_ignore_ascii_case(fetched)))
}

/// Whether a browser runs a script of that type; data and templates in scripts have types of their own.
fn is_script(kind: Option<&str>) -> bool {
    let kind = kind.unwrap_or_default().trim().to_ascii_lowercase();
    kind.is_empty() || kind == "module" || kind.contains("javascript") || kind.contains("ecmascript")
}

/// The URL of the first candidate of `srcset`: it ends at a blank, and a comma at its end is no part of it.
fn first(srcset: &str) -> Option<String> {
    let blank = |c: char| c.is_ascii_whitespace();
    let from = srcset.trim_start_matches(|c| blank(c) || c == ',');
    let url = from.split(blank).next()?.trim_end_matches(',');
    (!url.is_empty()).then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Url {
        "http://h/dir/index.html?q=1#top".parse().unwrap()
    }

    #[track_caller]
    fn check(html: &str, files: &[&str], elsewhere: usize) {
        let linked = linked(html.as_bytes(), &page());
        let found: Vec<&str> = linked.files.iter().map(Url::as_str).collect();
        assert_eq!((found.as_slice(), linked.elsewhere), (files, elsewhere), "{html}");
    }

    #[test]
    fn stylesheets_scripts_and_images_are_files_of_the_page() {
        check("<link rel=stylesheet href=a.css>", &["http://h/dir/a.css"], 0);
        check("<LINK REL='Shortcut ICON' HREF='/i.ico'>", &["http://h/i.ico"], 0);
        check(
            "<link rel=preload as=font href=f.woff2><link rel=modulepreload href=m.js>",
            &["http://h/dir/f.woff2", "http://h/dir/m.js"],
            0,
        );
        check("<link rel=canonical href=/c><link rel='next' href=n><link href=x>", &[], 0);
        check("<script src=\"/a.js?x=1&amp;y=2\"></script>", &["http://h/a.js?x=1&y=2"], 0);
        check("<script type=module src=m.js></script><script nomodule src=old.js></script>", &["http://h/dir/m.js"], 0);
        check("<script type='text/template' src=t></script><script>1</script>", &[], 0);
        check("<img src=a.png><img src='a.png#x'><img src=''><img>", &["http://h/dir/a.png"], 0);
        check("<img src=a.png srcset=' b.png 1x, c.png 2x'>", &["http://h/dir/a.png", "http://h/dir/b.png"], 0);
        check("<a href=/next>next</a><iframe src=/frame></iframe>", &[], 0);
    }

    #[test]
    fn what_is_no_part_of_the_page_is_not_fetched() {
        check("<!-- <img src=a.png> -->", &[], 0);
        check("<noscript><img src=a.png></noscript><img src=b.png>", &["http://h/dir/b.png"], 0);
        check("<template><template></template><img src=a.png></template><img src=b.png>", &["http://h/dir/b.png"], 0);
        check("<script>let x = '<img src=a.png>'</script><style>/* <img src=b.png> */</style>", &[], 0);
        check("<title><img src=a.png></title><textarea><img src=b.png></textarea>", &[], 0);
        check("<img src='data:image/png;base64,AA=='><img src='http://['>", &[], 0);
    }

    #[test]
    fn the_base_is_respected_and_other_origins_are_counted() {
        check("<base href=/static/><base href=/no/><img src=a.png>", &["http://h/static/a.png"], 0);
        check("<base href=http://cdn/><img src=a.png><img src=//h/b.png>", &["http://h/b.png"], 1);
        check("<img src=https://h/a.png><img src=http://h:81/a.png><script src=http://x/a.js></script>", &[], 3);
        check("<img src=http://x/a.png><img src=http://x/a.png>", &[], 1);
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_links_of_its_own_origin_alone(
            html in "(<(link|script|img|base|noscript|template|/script)( (rel|href|src|srcset)=['\"]?[ -~é]{0,12}['\"]?)*>|[ -~\u{0}é]{0,8}){0,12}",
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64),
        ) {
            for html in [html.as_bytes(), &bytes] {
                let linked = linked(html, &page());
                let distinct: HashSet<&Url> = linked.files.iter().collect();
                assert_eq!(distinct.len(), linked.files.len());
                assert!(linked.files.iter().all(|url| url.origin() == page().origin() && url.fragment().is_none()));
            }
        }
    }
}
