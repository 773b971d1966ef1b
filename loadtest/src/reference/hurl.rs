//! The reference of `.hurl` files: what is as in Hurl, pages, HTTP/2, and which options there are.

pub(super) const HURL: &str = "## Journeys (`.hurl`)

The files are those of [Hurl](https://hurl.dev) and behave as there: captures, asserts, every query, predicate and filter,
templates, forms, multipart, cookies (also those of the comments `# @cookie_storage_set: …` and `# @cookie_storage_clear`),
basic authentication. What is not supported is refused when the file is read, with file
and line: `xpath` (query and filter), HTTP/3, and some options.

`# @name x` above an entry names its request; without it, the name is method and unrendered path. `# @page` above an entry makes its figure the
whole page load; for Hurl both are comments. Where the answer is HTML and its status below 400, the files that it links on its own origin are fetched
with it, each once, on at most 6 connections:

| link | what is fetched |
|---|---|
| `link` with `rel` `stylesheet`, `icon`, `preload` or `modulepreload` | `href` |
| `script` that a browser would run | `src` |
| `img` | `src`, and the first candidate of `srcset` |

`<base href>` is respected; comments, `noscript` and `template` are not looked into. What scripts and stylesheets fetch themselves (fonts, `@import`), frames
and media are not part of it. Files of another origin are never fetched, for nothing goes to hosts that the plan does not name: the preflight and
`loadtest smoke` say how many were left out. The files get the user's cookies, the plan's headers and the entry's options, not the entry's own headers.
Redirects within the origin are followed, up to 5. Nothing is cached: each round is a visitor who was never there.

A page is one request in all figures. Its latency runs from when the document was sent to the last byte of the last file, its bytes are the sum, and it fails
when a file does not come or answers 400 or more: the message names the file. `duration`, `bytes` and all other asserts are about the document. A page has
at most 256 files of 64 MiB together, and 60 s for them. Each user then needs 6 file descriptors.

### HTTP/2

`http2: true` in the plan, `--http2` and `http2: true` in `[Options]` offer HTTP/2 in the TLS handshake (ALPN); a server that does not take it
is spoken to in HTTP/1.1, and a run that asked in vain is warned before its load. `HTTP/2 200` as the status line makes anything else a failed
assert. `prior-knowledge` speaks HTTP/2 at once, with TLS and in clear; a server that does not know it is an error `tls` or `protocol`.
A user has one connection to each origin, with one request on it at a time. `Host` becomes `:authority`; `Connection`, `Keep-Alive`,
`Transfer-Encoding`, `Upgrade` and the like are not sent, and `no-header: Host` ends the entry with an error. Latency counts to the end of the
body and its trailers. A request that the server says it has not seen (GOAWAY, `REFUSED_STREAM`) goes over a new connection once, if it was
sent over a kept one.
";

/// Options of Hurl that are refused; they may still be switched off where they are switches.
pub const REFUSED: &[&str] = &[
    "aws-sigv4",
    "digest",
    "http3",
    "limit-rate",
    "negotiate",
    "netrc",
    "netrc-file",
    "netrc-optional",
    "ntlm",
    "output",
    "path-as-is",
    "pinnedpubkey",
    "proxy",
    "tls-max",
    "tls-min",
    "unix-socket",
];

/// Options of Hurl that are supported.
pub const SUPPORTED: &[&str] = &[
    "cacert",
    "cert",
    "compressed",
    "connect-timeout",
    "connect-to",
    "delay",
    "header",
    "http1.0",
    "http1.1",
    "http2",
    "http2-prior-knowledge",
    "insecure",
    "ipv4",
    "ipv6",
    "key",
    "location",
    "location-trusted",
    "max-redirs",
    "max-time",
    "no-header",
    "no-jsonpath-coercion",
    "repeat",
    "resolve",
    "retry",
    "retry-interval",
    "skip",
    "user",
    "variable",
];

/// Options of Hurl that are read and change nothing here: nobody reads a load test's log of single requests.
pub const WITHOUT_EFFECT: &[&str] = &["fail-with-body", "verbose", "verbosity", "very-verbose"];
