//! Forms of several parts, written as curl writes them.

use super::bodies;
use super::entry::{Part, PartContent};
use super::fault::Fault;
use super::template::{Scope, Template};
use bytes::Bytes;
use std::borrow::Cow;
use std::path::Path;

/// Writes the parts between boundaries.
///
/// # Errors
/// When a part cannot be rendered, or a file read.
pub(super) fn write(parts: &[Part], boundary: &str, scope: Scope<'_>) -> Result<Bytes, Fault> {
    let mut out = vec![];
    for part in parts {
        let name = part.name.render(scope)?;
        out.extend(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(&name)).bytes());
        match &part.content {
            PartContent::Text(text) => {
                out.extend(b"\r\n\r\n");
                out.extend(text.render(scope)?.bytes());
            }
            PartContent::File { name, content_type, bytes } => {
                let head = file_head(name, content_type.as_ref(), scope)?;
                out.extend(head.bytes());
                match bytes {
                    Some(bytes) => out.extend(bytes),
                    None => out.extend(bodies::read_file(name, scope)?),
                }
            }
        }
        out.extend(b"\r\n");
    }
    out.extend(format!("--{boundary}--\r\n").bytes());
    Ok(out.into())
}

fn file_head(name: &Template, content_type: Option<&Template>, scope: Scope<'_>) -> Result<String, Fault> {
    let file = name.render(scope)?;
    let content_type = content_type.map(|template| template.render(scope)).transpose()?;
    let content_type = content_type.unwrap_or_else(|| Cow::Borrowed(guess(&file)));
    Ok(format!("; filename=\"{}\"\r\nContent-Type: {content_type}\r\n\r\n", quoted(&file)))
}

/// As browsers and curl escape names.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn guess(file: &str) -> &'static str {
    match Path::new(file).extension().and_then(|extension| extension.to_str()) {
        Some("gif") => "image/gif",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain",
        Some("htm" | "html") => "text/html",
        Some("pdf") => "application/pdf",
        Some("xml") => "application/xml",
        _ => "application/octet-stream",
    }
}

/// A boundary that no body has by chance.
#[must_use]
pub(super) fn boundary() -> String {
    format!("------------------------{:016x}", fastrand::u64(..))
}
