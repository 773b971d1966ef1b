//! A response as the asserts see it: headers by name, the body decoded, read as text and as JSON only when asked, once.

use super::fault::Cause;
use super::json;
use super::limits::DECODED_BODY_BYTES_MAX;
use super::value::Value;
use crate::http::Response;
use bytes::Bytes;
use std::cell::OnceCell;
use std::io::Read;
use std::sync::Arc;
use url::Url;

/// A response and where it came from.
#[derive(Debug)]
pub struct Received {
    /// The URL asked.
    pub url: Arc<Url>,
    /// The response as it came.
    pub response: Response,
    bytes: OnceCell<Result<Bytes, Cause>>,
    text: OnceCell<Result<Value, Cause>>,
    json: OnceCell<Result<Value, Cause>>,
}

impl Received {
    /// A response to be looked at.
    #[must_use]
    pub const fn new(url: Arc<Url>, response: Response) -> Self {
        Self { url, response, bytes: OnceCell::new(), text: OnceCell::new(), json: OnceCell::new() }
    }

    /// The values of the headers of that name, in order; bytes that are no UTF-8 are read as windows-1252.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = std::borrow::Cow<'a, str>> {
        self.response.headers.all(name).map(|value| match std::str::from_utf8(value) {
            Ok(text) => text.trim().into(),
            Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(value).0.trim().to_owned().into(),
        })
    }

    /// The body after its content encodings.
    ///
    /// # Errors
    /// When an encoding is unknown, broken or too large.
    pub fn bytes(&self) -> Result<&Bytes, Cause> {
        self.bytes.get_or_init(|| self.decode()).as_ref().map_err(Clone::clone)
    }

    /// The body as text, a [`Value::String`].
    ///
    /// # Errors
    /// As [`Self::bytes`], and when the charset is unknown or does not fit.
    pub fn text(&self) -> Result<&Value, Cause> {
        self.text.get_or_init(|| self.read()).as_ref().map_err(Clone::clone)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// As [`Self::text`], and when it is not JSON.
    pub fn json(&self) -> Result<&Value, Cause> {
        let parse = || match self.text()? {
            Value::String(text) => json::parse(text)
                .map_err(|error| Cause::Body(format!("the body is not JSON (it goes wrong at byte {})", error.at))),
            _ => Err(Cause::Body("the body is not text".to_owned())),
        };
        self.json.get_or_init(parse).as_ref().map_err(Clone::clone)
    }

    fn decode(&self) -> Result<Bytes, Cause> {
        let Some(encodings) = self.headers("content-encoding").next() else { return Ok(self.response.body.clone()) };
        // The last one named was applied last (RFC 9110, 8.4); Hurl undoes them in the wrong order.
        encodings.split(',').rev().try_fold(self.response.body.clone(), |body, encoding| undo(encoding.trim(), body))
    }

    fn read(&self) -> Result<Value, Cause> {
        let encoding = self.charset()?;
        let text = encoding.decode_without_bom_handling_and_without_replacement(self.bytes()?);
        text.map(Value::text).ok_or_else(|| Cause::Body(format!("the body is not {} text", encoding.name())))
    }

    fn charset(&self) -> Result<&'static encoding_rs::Encoding, Cause> {
        let Some(content_type) = self.headers("content-type").next() else { return Ok(encoding_rs::UTF_8) };
        let parameters = content_type.split(';').filter_map(|part| part.split_once('='));
        let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        let Some((_, charset)) = charsets.next() else { return Ok(encoding_rs::UTF_8) };
        // Hurl does not take the quotes that RFC 9110 (8.3.1) allows.
        let charset = charset.trim().trim_matches('"');
        encoding_rs::Encoding::for_label(charset.as_bytes())
            .ok_or_else(|| Cause::Body(format!("the charset `{charset}` is unknown")))
    }
}

fn undo(encoding: &str, body: Bytes) -> Result<Bytes, Cause> {
    let broken = |_| Cause::Body(format!("the body is not valid {encoding}"));
    let reader: Box<dyn Read> = match encoding.to_ascii_lowercase().as_str() {
        "identity" => return Ok(body),
        _ if body.is_empty() => return Err(Cause::Body(format!("an empty body is not valid {encoding}"))),
        "gzip" | "x-gzip" => Box::new(flate2::read::GzDecoder::new(&*body)),
        "deflate" => return inflate(&body).ok_or(Cause::Body(format!("the body is not valid {encoding}"))),
        "br" => Box::new(brotli::Decompressor::new(&*body, 4096)),
        _ => return Err(Cause::Body(format!("the content encoding `{encoding}` is not supported"))),
    };
    let mut out = vec![];
    reader.take(DECODED_BODY_BYTES_MAX as u64 + 1).read_to_end(&mut out).map_err(broken)?;
    if out.len() > DECODED_BODY_BYTES_MAX {
        return Err(Cause::Body(format!("the decoded body is larger than {DECODED_BODY_BYTES_MAX} bytes")));
    }
    Ok(out.into())
}

/// zlib by hand: flate2's reader takes a truncated stream for a whole one.
fn inflate(body: &[u8]) -> Option<Bytes> {
    let mut stream = flate2::Decompress::new(true);
    let mut out = Vec::with_capacity(body.len().saturating_mul(3));
    loop {
        let used = usize::try_from(stream.total_in()).ok()?;
        let before = (stream.total_in(), out.len());
        let flush = flate2::FlushDecompress::None;
        let status = stream.decompress_vec(body.get(used..)?, &mut out, flush).ok()?;
        if status == flate2::Status::StreamEnd {
            return Some(out.into());
        }
        if out.len() > DECODED_BODY_BYTES_MAX
            || (before == (stream.total_in(), out.len()) && out.len() < out.capacity())
        {
            return None;
        }
        out.reserve(out.len().max(4096));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::http::{HttpVersion, Timings};
    use std::io::Write;

    pub(crate) fn received(headers: &[(&str, &str)], body: impl Into<Bytes>) -> Received {
        let response = Response {
            version: HttpVersion::Http11,
            status: 200,
            headers: headers.iter().copied().collect(),
            body: body.into(),
            address: Some("127.0.0.1".parse().unwrap()),
            certificate: None,
            timings: Timings::default(),
        };
        Received::new(Arc::new(Url::parse("http://localhost/a?b=c").unwrap()), response)
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(body: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(vec![], flate2::Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn content_encodings_are_undone_last_first() {
        assert_eq!(received(&[("Content-Encoding", "gzip")], gzip(b"hi")).bytes().unwrap(), "hi");
        assert_eq!(received(&[("Content-Encoding", "deflate")], zlib(b"hi")).bytes().unwrap(), "hi");
        assert_eq!(received(&[("Content-Encoding", "deflate, gzip")], gzip(&zlib(b"hi"))).bytes().unwrap(), "hi");
        let long = vec![b'a'; 100_000];
        assert_eq!(received(&[("Content-Encoding", "deflate")], zlib(&long)).bytes().unwrap().len(), 100_000);
    }

    #[test]
    fn broken_bodies_say_so() {
        let why = |encoding: &str, body: Vec<u8>| {
            received(&[("Content-Encoding", encoding)], body).bytes().unwrap_err().to_string()
        };
        let mut cut = zlib(b"hello hello hello");
        cut.truncate(cut.len() - 6);
        insta::assert_snapshot!(why("deflate", cut), @"the body is not valid deflate");
        insta::assert_snapshot!(why("gzip", vec![1, 2]), @"the body is not valid gzip");
        insta::assert_snapshot!(why("br", vec![0xff; 9]), @"the body is not valid br");
        insta::assert_snapshot!(why("gzip", vec![]), @"an empty body is not valid gzip");
        insta::assert_snapshot!(why("zstd", vec![1]), @"the content encoding `zstd` is not supported");
    }

    #[test]
    fn a_gzip_bomb_is_refused() {
        let bomb = gzip(&vec![0; DECODED_BODY_BYTES_MAX + 1]);
        let error = received(&[("Content-Encoding", "gzip")], bomb).bytes().unwrap_err();
        insta::assert_snapshot!(error, @"the decoded body is larger than 67108864 bytes");
    }

    #[test]
    fn text_is_read_in_its_charset() {
        let latin = received(&[("Content-Type", "text/plain; charset=\"ISO-8859-1\"")], vec![0xe9]);
        assert_eq!(latin.text().unwrap(), &Value::text("é"));
        let unknown = received(&[("Content-Type", "text/plain; charset=klingon")], "x");
        insta::assert_snapshot!(unknown.text().unwrap_err(), @"the charset `klingon` is unknown");
        insta::assert_snapshot!(received(&[], vec![0xe9]).text().unwrap_err(), @"the body is not UTF-8 text");
        insta::assert_snapshot!(received(&[], "{").json().unwrap_err(), @"the body is not JSON (it goes wrong at byte 1)");
    }
}
