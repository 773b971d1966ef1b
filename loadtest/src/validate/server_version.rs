//! Whether headers and the error page tell which version of which program answers: a catalogue of holes for whoever looks for one.

use super::finding::{Miss, Seen};
use super::{Site, Validator, site};
use crate::http::Response;

pub(super) static ROW: Validator = Validator {
    name: "server-version",
    expects: EXPECTS,
    standard: "RFC 9110 section 10.2.4; OWASP WSTG-INFO-02",
    needs: None,
    run: |site| Box::pin(run(site)),
};

const EXPECTS: &str = "no version of a program in headers or on the page for what does not exist";
/// A path that exists nowhere.
const NOWHERE: &str = "/loadtest-validate/there-is-nothing-here";
const WAY_OUT: &str = "nginx: `server_tokens off;`, and `proxy_hide_header X-Powered-By;` for what is behind it";
/// Headers that exist to tell it.
const TELLING: &[&str] = &["x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-generator", "x-runtime"];
/// What servers and frameworks sign their error pages with.
const SIGNED: &[&str] = &[
    "nginx/",
    "openresty/",
    "Apache/",
    "Apache Tomcat/",
    "Microsoft-IIS/",
    "Jetty",
    "lighttpd/",
    "Caddy/",
    "PHP/",
    "Werkzeug/",
    "gunicorn/",
    "uvicorn/",
    "Express/",
    "Envoy/",
    "LiteSpeed/",
];

async fn run(site: &Site<'_>) -> Vec<Seen> {
    let mut all = site.on_pages(EXPECTS, judge).await;
    let nowhere = site.url(NOWHERE);
    all.push(match site.get(&nowhere).await {
        Ok(response) => Seen::judged(NOWHERE, EXPECTS, judge(&response)),
        Err(error) => Seen::unknown(NOWHERE, EXPECTS, error.to_string()),
    });
    all
}

fn judge(response: &Response) -> Result<String, Miss> {
    let server = site::value(response, "server");
    if let Some(server) = server.as_ref().filter(|server| server.bytes().any(|byte| byte.is_ascii_digit())) {
        return Err(Miss::new(format!("Server: {server}"), WAY_OUT));
    }
    for name in TELLING {
        if let Some(value) = site::value(response, name) {
            return Err(Miss::new(format!("{name}: {value}"), WAY_OUT));
        }
    }
    // A page of somebody's content may well speak of nginx/1.2; an error page has no content.
    if response.status >= 400
        && let Some(signature) = signature(&String::from_utf8_lossy(&response.body))
    {
        return Err(Miss::new(format!("its page for status {} says `{signature}`", response.status), WAY_OUT));
    }
    Ok(server.map_or("no Server header".to_owned(), |server| format!("Server: {server}")))
}

/// A program with its version in a text.
fn signature(text: &str) -> Option<String> {
    SIGNED.iter().find_map(|program| {
        text.match_indices(program).find_map(|(at, _)| {
            let word: String = text
                .get(at..)?
                .chars()
                .skip(program.len())
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '.')
                .collect();
            word.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("{program}{word}"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{HttpVersion, Timings};
    use bytes::Bytes;

    fn said(status: u16, headers: &[(&str, &str)], body: &'static str) -> String {
        let response = Response {
            version: HttpVersion::Http11,
            status,
            headers: headers.iter().copied().collect(),
            body: Bytes::from_static(body.as_bytes()),
            address: None,
            certificate: None,
            timings: Timings::default(),
        };
        judge(&response).unwrap_or_else(|miss| format!("MISS {}", miss.got))
    }

    #[test]
    fn versions_are_found_in_headers_and_on_error_pages() {
        assert_eq!(said(200, &[("server", "nginx")], ""), "Server: nginx");
        assert_eq!(said(200, &[], "about nginx/1.2"), "no Server header");
        assert_eq!(said(200, &[("server", "nginx/1.22.1")], ""), "MISS Server: nginx/1.22.1");
        assert_eq!(said(200, &[("x-powered-by", "Express")], ""), "MISS x-powered-by: Express");
        let page = "<hr><center>nginx/1.22.1</center>";
        assert_eq!(said(404, &[("server", "nginx")], page), "MISS its page for status 404 says `nginx/1.22.1`");
        assert_eq!(said(404, &[], "see nginx/docs"), "no Server header");
    }
}
