//! Upload and download.

use serde_json::json;

use crate::support::{Client, Reply, Server};

const BOUNDARY: &str = "----boundary";

async fn evidence(client: &Client) -> String {
    let created = client.post("/api/v1/evidence", &json!({ "title": "e", "form": "document" })).await;
    format!("{}/file", created.header("location"))
}

async fn upload(client: &Client, path: &str, field: &str, content: &[u8]) -> Reply {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"../r\u{e9}port.txt\"\r\n\
         Content-Type: text/plain\r\n\r\n"
    );
    let body = [head.as_bytes(), content, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
    let client = client.with("content-type", &format!("multipart/form-data; boundary={BOUNDARY}"));
    client.send("POST", path, &body).await
}

#[tokio::test]
async fn what_was_uploaded_is_what_is_downloaded_with_its_checksum() {
    let server = Server::start(&[]).await;
    let member = server.member().await;
    let path = evidence(&member).await;
    assert_eq!(member.get(&path).await.status, 404, "no file yet");
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let stored = upload(&member, &path, "file", b"abc").await;
    assert_eq!(stored.status, 201, "{}", stored.text());
    assert_eq!((&stored.json()["sha256"], &stored.json()["size"]), (&json!(sha256), &json!(3)));
    let file = member.get(&path).await;
    assert_eq!((file.status, file.body.as_slice()), (200, &b"abc"[..]));
    assert_eq!(file.header("x-checksum-sha256"), sha256);
    assert_eq!(file.header("content-type"), "text/plain");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"rport.txt\"");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    assert_eq!(member.with("if-none-match", file.header("etag")).get(&path).await.status, 304);
}

#[tokio::test]
async fn binary_content_up_to_the_cap_survives_and_one_byte_more_does_not() {
    let server = Server::start(&[]).await;
    let member = server.member().await;
    let path = evidence(&member).await;
    let most = backend::limits::MAX_UPLOAD_BYTES;
    let content: Vec<u8> = (0..=most).map(|index| u8::try_from(index % 251).unwrap_or_default()).collect();
    assert_eq!(upload(&member, &path, "file", &content[..most]).await.status, 201);
    assert!(member.get(&path).await.body == content[..most]);
    assert_eq!(upload(&member, &path, "file", &content).await.refusal(), (413, "too_large".to_owned()));
    assert!(member.get(&path).await.body == content[..most], "the refused upload changed nothing");
}

#[tokio::test]
async fn an_upload_needs_its_evidence_its_field_and_its_media_type() {
    let server = Server::start(&[]).await;
    let member = server.member().await;
    let path = evidence(&member).await;
    assert_eq!(upload(&member, "/api/v1/evidence/none/file", "file", b"abc").await.refusal().0, 404);
    let reply = upload(&member, &path, "other", b"abc").await;
    assert_eq!(reply.json()["error"]["fields"][0]["field"], "file");
    assert_eq!(member.post(&path, &json!({})).await.refusal(), (415, "unsupported_media_type".to_owned()));
    let cut_short = member.with("content-type", &format!("multipart/form-data; boundary={BOUNDARY}"));
    let reply = cut_short.send("POST", &path, format!("--{BOUNDARY}\r\n").as_bytes()).await;
    assert_eq!(reply.refusal(), (400, "malformed_body".to_owned()));
}

#[tokio::test]
async fn a_file_goes_with_its_evidence() {
    let server = Server::start(&[]).await;
    let member = server.member().await;
    let path = evidence(&member).await;
    upload(&member, &path, "file", b"abc").await;
    assert_eq!(member.delete(path.trim_end_matches("/file")).await.status, 204);
    assert_eq!(member.get(&path).await.status, 404);
}
