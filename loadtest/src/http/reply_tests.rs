//! Answers of every shape, whole and in pieces, true to the rules and not.

use super::*;
use proptest::prelude::*;

const GET: Asked = Asked { head: false, connect: false, closes: false, most_body: limits::BODY_BYTES };

/// Status, body and whether the connection is kept, for an answer in these pieces, at whose end the peer closes.
fn read(asked: Asked, pieces: &[&[u8]]) -> Result<(u16, String, bool), TransportError> {
    let mut reply = Reply::new(asked);
    for piece in pieces {
        if reply.take(piece)? {
            let whole = reply.into_whole().unwrap();
            return Ok((whole.head.status, String::from_utf8_lossy(&whole.body).into_owned(), whole.keeps));
        }
    }
    reply.end()?;
    let whole = reply.into_whole().unwrap();
    Ok((whole.head.status, String::from_utf8_lossy(&whole.body).into_owned(), whole.keeps))
}

/// The answer is the same however it is cut in two, and byte by byte.
fn check(asked: Asked, answer: &str, status: u16, body: &str, keeps: bool) {
    let expected = Ok((status, body.to_owned(), keeps));
    for cut in 0..=answer.len() {
        let (one, two) = answer.as_bytes().split_at(cut);
        assert_eq!(read(asked, &[one, two]), expected, "{answer:?} cut at {cut}");
    }
    let bytes: Vec<&[u8]> = answer.as_bytes().chunks(1).collect();
    assert_eq!(read(asked, &bytes), expected, "{answer:?} byte by byte");
}

#[test]
fn the_end_of_a_body_is_known_by_length_chunks_or_the_end_of_the_connection() {
    check(GET, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "hi", true);
    check(GET, "HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", 200, "", true);
    check(GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, "hi", true);
    let both = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    check(GET, both, 200, "hi", true);
    check(GET, "HTTP/1.1 200 OK\r\n\r\nall of it", 200, "all of it", false);
    check(GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nall of it", 200, "all of it", false);
    check(GET, "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nhi", 200, "hi", true);
    check(GET, "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", 200, "hi", true);
}

#[test]
fn some_answers_have_no_body_whatever_they_say() {
    check(GET, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, "", true);
    check(GET, "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", 304, "", true);
    let head = Asked { head: true, ..GET };
    check(head, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", 200, "", true);
    check(head, "HTTP/1.1 200 OK\r\n\r\n", 200, "", true);
    let connect = Asked { connect: true, ..GET };
    check(connect, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, "", false);
    check(connect, "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno", 407, "no", false);
}

#[test]
fn interim_answers_are_passed_over_and_101_is_the_last() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    check(GET, &format!("{interim}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), 200, "hi", true);
    check(GET, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 101, "", false);
    assert_eq!(read(GET, &[interim.as_bytes()]), Err(TransportError::Reset));
    let endless = interim.repeat(limits::HEAD_BYTES / interim.len() + 1);
    assert_eq!(read(GET, &[endless.as_bytes()]), Err(TransportError::HeadTooLarge(limits::HEAD_BYTES)));
}

#[test]
fn a_connection_is_kept_only_where_both_sides_keep_it() {
    let with = |version: &str, fields: &str| format!("HTTP/{version} 200 OK\r\n{fields}Content-Length: 2\r\n\r\nhi");
    check(GET, &with("1.1", "Connection: x, Close\r\n"), 200, "hi", false);
    check(GET, &with("1.1", "Connection: keep-alive\r\n"), 200, "hi", true);
    check(GET, &with("1.1", "Connection: closet\r\n"), 200, "hi", true);
    check(GET, &with("1.0", ""), 200, "hi", false);
    check(GET, &with("1.0", "Connection: Keep-Alive\r\n"), 200, "hi", true);
    check(Asked { closes: true, ..GET }, &with("1.1", ""), 200, "hi", false);
    let surplus = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!";
    assert_eq!(read(GET, &[surplus.as_bytes()]), Ok((200, "hi".to_owned(), false)), "more than the answer");
    let surplus = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n!";
    assert_eq!(read(GET, &[surplus.as_bytes()]), Ok((200, String::new(), false)), "more than the chunks");
}

#[test]
fn what_cannot_be_framed_is_no_answer() {
    let refused = |answer: &str| match read(GET, &[answer.as_bytes()]) {
        Err(TransportError::Protocol(why)) => why,
        other => panic!("{answer:?}: {other:?}"),
    };
    insta::assert_snapshot!(refused("220 mail.example ESMTP\r\n\r\n"), @"invalid HTTP version");
    insta::assert_snapshot!(refused("HTTP/1.1 abc OK\r\n\r\n"), @"invalid response status");
    insta::assert_snapshot!(refused("HTTP/1.1 200 OK\r\nA B: 1\r\n\r\n"), @"invalid header name");
    insta::assert_snapshot!(refused("HTTP/1.1 200 OK\r\nA: 1\r\n folded\r\n\r\n"), @"invalid header name");
    for length in ["x", "-1", "+1", "", "1, 2", "99999999999999999999"] {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        assert_eq!(refused(&answer), "an invalid content length", "{length}");
    }
    insta::assert_snapshot!(refused("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), @"an invalid content length");
    insta::assert_snapshot!(refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), @"a transfer encoding in HTTP/1.0");
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(limits::HEAD_FIELDS + 1));
    assert_eq!(read(GET, &[many.as_bytes()]), Err(TransportError::HeadTooLarge(limits::HEAD_BYTES)));
    for cut in ["", "HTTP/1.1 200 OK\r\nA", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi"] {
        assert_eq!(read(GET, &[cut.as_bytes()]), Err(TransportError::Reset), "{cut:?}");
    }
}

#[test]
fn the_fields_of_an_answer_are_those_of_the_last_head() {
    let mut reply = Reply::new(GET);
    let answer = b"HTTP/1.1 103 Hints\r\nX: 1\r\n\r\nHTTP/1.1 200 OK\r\nX: 2\r\nContent-Length: 0\r\n\r\n";
    assert!(reply.take(answer).unwrap() && reply.has_head());
    let fields = reply.into_whole().unwrap().head.fields;
    assert_eq!(fields.all("x").collect::<Vec<_>>(), [b"2"]);
}

proptest! {
    #[test]
    fn a_body_is_the_same_by_length_and_in_chunks_of_any_size(
        body in proptest::collection::vec(any::<u8>(), 1..2000),
        sizes in proptest::collection::vec(1_usize..300, 1..20),
        cuts in proptest::collection::vec(1_usize..500, 1..20),
    ) {
        let mut coded = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        let (mut rest, mut sizes) = (&body[..], sizes.iter().cycle());
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
            coded.extend(format!("{:x}\r\n", chunk.len()).bytes().chain(chunk.iter().copied()).chain(*b"\r\n"));
            rest = after;
        }
        coded.extend(b"0\r\n\r\n");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        for answer in [coded, [head.as_bytes(), &body].concat()] {
            let (mut reply, mut rest, mut cuts) = (Reply::new(GET), &answer[..], cuts.iter().cycle());
            let mut whole = false;
            while !rest.is_empty() {
                prop_assert!(!whole);
                let (piece, after) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
                whole = reply.take(piece).unwrap();
                rest = after;
            }
            prop_assert!(whole);
            let got = reply.into_whole().unwrap();
            prop_assert_eq!((&got.body[..], got.keeps), (&body[..], true));
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic_or_take_without_end(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..20),
        start in prop_oneof![Just(""), Just("HTTP/1.1 200 OK\r\n"), Just("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")],
    ) {
        let pieces: Vec<&[u8]> = std::iter::once(start.as_bytes()).chain(pieces.iter().map(Vec::as_slice)).collect();
        let sent: usize = pieces.iter().map(|piece| piece.len()).sum();
        if let Ok((status, body, _)) = read(GET, &pieces) {
            // A byte that is no UTF-8 is shown as three.
            prop_assert!((100..1000).contains(&status) && body.len() <= sent * 3);
        }
    }
}
