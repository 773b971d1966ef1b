//! Where an XML body ends, in well-made, broken and hostile texts.

use super::*;
use proptest::prelude::*;

/// Where the root element ends (in bytes), or where the text stops being well-formed.
fn scan(text: &str) -> Result<Option<usize>, usize> {
    let mut scanner = Scanner::default();
    for (index, byte) in text.bytes().enumerate() {
        scanner.push(byte).map_err(|_| index)?;
        if scanner.is_complete() {
            return Ok(Some(index + 1));
        }
    }
    Ok(None)
}

fn ends_at(text: &str, rest: &str) {
    assert_eq!(scan(&format!("{text}{rest}")), Ok(Some(text.len())), "{text}");
}

#[test]
fn finds_the_end_of_the_root_element() {
    for text in [
        "<a/>",
        "<a />",
        "<a></a >",
        "<users><user /></users>",
        "<?xml version=\"1.0\"?><users/>",
        "<?xml version='1.0' encoding='UTF-8'?>\n<a:b xmlns:a=\"u\"><a:c xmlns:d='v' d:e=\"1\"/></a:b>",
        "<a>&lt;b&gt; &amp; &#65;&#x41; ]] > x</a>",
        "<a><![CDATA[ <b> ]] ]> ]]]></a>",
        "<!-- <b> - --><a><!-- x --></a>",
        "<!DOCTYPE a [ <!ENTITY e \"]>\"> ]><a>&lt;</a>",
        "<!DOCTYPE a SYSTEM 'x.dtd'><a>&e;</a>",
        "<p:a q:b='1'/>",
        "<?php echo '>' ? ?><a/>",
        "<a b = '\"' c=\"'>\" d=\"&quot;\"/>",
        "<é>接收数据成功</é>",
        "\n  <a/>",
    ] {
        ends_at(text, "");
        ends_at(text, "\nHTTP 200");
        ends_at(text, "<a/>");
    }
}

#[test]
fn refuses_what_libxml2_refuses() {
    for (text, at) in [
        ("<<", 1),
        ("<users aa><user /></users", 9),
        ("<a b=c>", 5),
        ("<a b='1'c='2'/>", 8),
        ("<a b='1' b='2'/>", 10),
        ("<a b='<'/>", 6),
        ("<a></b>", 5),
        ("<a></a b>", 7),
        ("<a>&nope;</a>", 8),
        ("<a>& </a>", 4),
        ("<a>&#0;</a>", 6),
        ("<a>]]></a>", 5),
        ("<!-- a -- b --><a/>", 9),
        ("<!ELEMENT a>", 2),
        ("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", 35),
        ("<!DOCTYPE><a/>", 9),
        ("<?xml version='2.0'?><a/>", 20),
        ("<?xml version='1.0' foo='x'?><a/>", 28),
        ("<?xml version='1.0' encoding='UTF-16'?><a/>", 38),
        ("<a>\u{fffe}</a>", 5),
        (" <?xml version='1.0'?><a/>", 21),
        ("<?xml?><a/>", 6),
        ("<1/>", 1),
        ("< a/>", 1),
        ("x", 0),
        ("<a>\u{1}</a>", 3),
        ("<![CDATA[x]]>", 8),
    ] {
        assert_eq!(scan(text), Err(at), "{text}");
    }
}

#[test]
fn an_unfinished_text_is_no_document() {
    for text in ["", "<", "<a", "<a>", "<users><user /></users", "<!-- ", "<a><![CDATA[</a>", "<?xml version='1.0'?>"] {
        assert_eq!(scan(text), Ok(None), "{text}");
    }
}

#[test]
fn nesting_is_capped() {
    assert!(scan(&"<a>".repeat(DEPTH_MAX)).is_ok());
    assert!(scan(&"<a>".repeat(DEPTH_MAX + 1)).is_err());
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut scanner = Scanner::default();
        for byte in bytes {
            if scanner.push(byte).is_err() {
                break;
            }
        }
    }

    #[test]
    fn never_panics_on_near_xml(text in "[<>/!?&;='\" \\[\\]a:\\-]{0,60}") {
        let _ = scan(&text);
    }
}
