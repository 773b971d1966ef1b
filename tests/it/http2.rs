//! `loadtest` over HTTP/2, and with a client's certificate, against Debian's nginx: what nginx logged is what was spoken.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::program::{Finished, finish};
use tests::repo::read;
use tests::servers::nginx::Nginx;
use tests::servers::start::{free_port, installed, output};
use tests::{skipped, wait_for};

/// The ports of one nginx.
struct Ports {
    /// HTTP/2 or HTTP/1.1 over TLS.
    both: u16,
    /// HTTP/1.1 over TLS.
    old: u16,
    /// HTTP/2 in clear.
    clear: u16,
    /// As `both`, for those who show a certificate of our authority.
    known: u16,
    /// Answers uploads with their length.
    length: u16,
}

struct Site {
    nginx: Nginx,
    ports: Ports,
}

/// An authority, a certificate of it for the server and one for a client; and a client's that nobody knows.
fn certificates(folder: &Path) -> Result<(), String> {
    let at = |name: &str| folder.join(name).display().to_string();
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];
    let made = |name: &str, more: &[&str]| {
        let (key_file, file) = (at(&format!("{name}.key")), at(&format!("{name}.pem")));
        let subject = format!("/CN={name}");
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509"]).args(key).args(["-subj", &subject, "-keyout", &key_file, "-out", &file]);
        output(openssl.args(more)).map(drop)
    };
    let by_ca = ["-CA", &at("ca.pem"), "-CAkey", &at("ca.key"), "-addext", "basicConstraints=critical,CA:FALSE"];
    made("ca", &[])?;
    made("server", &[&by_ca[..], &["-addext", "subjectAltName=DNS:localhost"]].concat())?;
    made("client", &by_ca)?;
    made("stranger", &[])
}

fn site() -> Result<Site, String> {
    installed("openssl")?;
    let ports =
        Ports { both: free_port(), old: free_port(), clear: free_port(), known: free_port(), length: free_port() };
    let Ports { both, old, clear, known, length } = &ports;
    let tls = "ssl_certificate {home}/server.pem; ssl_certificate_key {home}/server.key;";
    let pages = format!(
        "access_log {{home}}/access.log spoken; client_max_body_size 50m; keepalive_requests 10; root {{home}}; default_type text/plain;
         location = / {{ add_header X-Seen $http_x_asked; return 200 \"$server_protocol $host $http_connection\"; }}
         location = /cookie {{ add_header Set-Cookie \"seen=1; Path=/\"; return 302 /told; }}
         location = /told {{ return 200 \"$http_cookie\"; }}
         location = /upload {{ proxy_pass http://127.0.0.1:{length}; }}
         location = /refused {{ client_max_body_size 1k; proxy_pass http://127.0.0.1:{length}; }}
         location = /page.txt {{ gzip on; gzip_types text/plain; }}
         location = /page.html {{ default_type text/html; }}
         location = /who {{ return 200 \"$ssl_client_s_dn\"; }}"
    );
    let servers = format!(
        "log_format spoken '$server_port $connection $server_protocol $status';
         server {{ listen 127.0.0.1:{both} ssl http2; {tls} {pages} }}
         server {{ listen 127.0.0.1:{old} ssl; {tls} {pages} }}
         server {{ listen 127.0.0.1:{clear} http2; {pages} }}
         server {{ listen 127.0.0.1:{known} ssl http2; {tls} ssl_client_certificate {{home}}/ca.pem; ssl_verify_client on; {pages} }}
         server {{ listen 127.0.0.1:{length}; client_max_body_size 50m; location / {{ return 200 $content_length; }} }}"
    );
    // The certificates lie in a folder of their own, for nginx's is made with it.
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    certificates(folder.path())?;
    let servers = ["ca", "server"].iter().fold(servers, |text, name| {
        let own = folder.path().join(name).display().to_string();
        text.replace(&format!("{{home}}/{name}."), &format!("{own}."))
    });
    let nginx = Nginx::serving(&servers, ports.both)?;
    for entry in std::fs::read_dir(folder.path()).map_err(|error| error.to_string())?.flatten() {
        std::fs::copy(entry.path(), nginx.folder().join(entry.file_name())).map_err(|error| error.to_string())?;
    }
    let page = "a page of some length\n".repeat(20_000);
    std::fs::write(nginx.folder().join("page.txt"), page).map_err(|error| error.to_string())?;
    std::fs::write(nginx.folder().join("upload.bin"), vec![7; 3_000_000]).map_err(|error| error.to_string())?;
    Ok(Site { nginx, ports })
}

impl Site {
    /// A file beside the certificates; `HOME` in it is their folder.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.nginx.folder().join(name);
        std::fs::write(&path, text.replace("HOME", &self.nginx.folder().display().to_string())).expect("a file");
        path.display().to_string()
    }

    fn smoke(&self, text: &str, flags: &[&str]) -> Finished {
        let file = self.file("smoke.hurl", text);
        finish("loadtest", &[&["smoke", &file], flags].concat())
    }

    /// What nginx logged of a port: connections, and versions with statuses.
    fn logged(&self, port: u16) -> (usize, BTreeSet<String>) {
        let log = read(&self.nginx.folder().join("access.log"));
        let lines = log.lines().filter_map(|line| line.strip_prefix(&format!("{port} "))?.split_once(' '));
        let (connections, told): (BTreeSet<&str>, BTreeSet<String>) =
            lines.map(|(connection, told)| (connection, told.to_owned())).unzip();
        (connections.len(), told)
    }
}

fn told(lines: &[&str]) -> BTreeSet<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn a_journey_over_http_2_is_what_it_is_over_http_1() {
    let site = match site() {
        Ok(site) => site,
        Err(why) => return skipped("a_journey_over_http_2_is_what_it_is_over_http_1", &why),
    };
    let journey = |version: &str, option: &str, base: &str| {
        let option = format!("[Options]\ncacert: HOME/ca.pem\n{option}\n");
        format!(
            "GET {base}/\nConnection: keep-alive\nX-Asked: yes\n{option}HTTP/{version} 200\nx-seen: yes\n[Asserts]\nversion == \"{version}\"\n\
             body startsWith \"HTTP/{version}\"\n\
             GET {base}/cookie\n{option}location: true\nHTTP/{version} 200\n`seen=1`\n\
             POST {base}/upload\n{option}file,upload.bin;\nHTTP/{version} 200\n`3000000`\n\
             POST {base}/refused\n{option}file,upload.bin;\nHTTP/{version} 413\n\
             GET {base}/page.txt\n{option}compressed: true\nHTTP/{version} 200\n[Asserts]\nheader \"content-encoding\" == \"gzip\"\n\
             bytes count == 440000\n\
             HEAD {base}/page.txt\n{option}HTTP/{version} 200\n[Asserts]\nbytes count == 0\n"
        )
    };
    let Ports { both, old, clear, .. } = site.ports;
    let cases = [
        ("2", "http2: true", format!("https://localhost:{both}")),
        ("2", "http2-prior-knowledge: true", format!("https://localhost:{both}")),
        ("2", "http2-prior-knowledge: true", format!("http://localhost:{clear}")),
        ("1.1", "http2: true", format!("https://localhost:{old}")),
        ("1.1", "http2: false", format!("https://localhost:{both}")),
    ];
    for (version, option, base) in cases {
        let ended = site.smoke(&journey(version, option, &base), &[]);
        assert_eq!(ended.code, 0, "{option} at {base}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains("6 passed"), "{}", ended.stdout);
    }
    let (_, spoken) = site.logged(clear);
    assert_eq!(spoken, told(&["HTTP/2.0 200", "HTTP/2.0 302", "HTTP/2.0 413"]));
    let known = site.smoke(&journey("2", "http2-prior-knowledge: true", &format!("https://localhost:{old}")), &[]);
    assert_eq!(known.code, 1, "{}", known.stdout);
    assert!(known.stdout.contains("TLS"), "{}", known.stdout);
}

#[test]
fn a_whole_run_goes_over_http_2_and_a_goodbye_costs_nothing() {
    let site = match site() {
        Ok(site) => site,
        Err(why) => return skipped("a_whole_run_goes_over_http_2_and_a_goodbye_costs_nothing", &why),
    };
    site.file("home.hurl", "GET {{target}}/\n[Options]\ncacert: HOME/ca.pem\nHTTP 200\n");
    let journeys = "journeys: [{name: home, files: [home.hurl]}]\ntargets: [\"errors < 1%\"]\n";
    let plan = site.file("loadtest.yml", &format!("http2: true\n{journeys}"));
    let target = |port: u16| format!("https://localhost:{port}");
    let run = |port: u16, flags: &[&str]| {
        let target = target(port);
        let usual = ["--plan", &plan, "--target", &target, "--users", "4", "--requests", "400", "--run-time", "20s"];
        finish("loadtest", &[&usual[..], flags].concat())
    };
    let json = site.file("run.json", "");
    // What the report says of the one request and of all: how many of how many.
    let reported = || {
        let report: serde_json::Value = serde_json::from_str(&read(Path::new(&json))).expect("a report");
        [&report["requests"][0], &report["total"]].map(|line| (line["http2"].as_u64(), line["count"].as_u64()))
    };
    let ended = run(site.ports.both, &["--json", &json]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(reported(), [(Some(400), Some(400)); 2]);
    assert!(!ended.stderr.contains("warning: of "), "{}", ended.stderr);
    let (connections, spoken) = site.logged(site.ports.both);
    assert_eq!(spoken, told(&["HTTP/2.0 200"]));
    // nginx says goodbye after ten requests on a connection.
    assert!((40..=60).contains(&connections), "{connections} connections");
    let ended = run(site.ports.old, &["--json", &json]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(reported(), [(None, Some(400)); 2]);
    assert!(ended.stderr.contains("1 requests that asked for HTTP/2, 1 were answered in HTTP/1.1"), "{}", ended.stderr);
    let ended = run(site.ports.both, &["--http2=false"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(site.logged(site.ports.both).1, told(&["HTTP/1.1 200", "HTTP/2.0 200"]));
    let smoke = site.smoke(
        &format!("GET {}/\n[Options]\ncacert: HOME/ca.pem\nHTTP/2 200\n", target(site.ports.both)),
        &["--http2"],
    );
    assert_eq!(smoke.code, 0, "{}{}", smoke.stdout, smoke.stderr);
}

#[test]
fn a_page_and_its_files_come_on_one_connection_as_a_browser_has_it() {
    let site = match site() {
        Ok(site) => site,
        Err(why) => return skipped("a_page_and_its_files_come_on_one_connection_as_a_browser_has_it", &why),
    };
    let images: String = (0..7).map(|number| format!("<img src=\"/{number}.png\">")).collect();
    site.file("page.html", &format!("<!doctype html><title>a page</title>{images}"));
    for number in 0..7 {
        site.file(&format!("{number}.png"), &"pixels".repeat(3_000));
    }
    let page = |version: &str, option: &str| {
        let url = format!("https://localhost:{}/page.html", site.ports.both);
        site.smoke(
            &format!("# @page\nGET {url}\n[Options]\ncacert: HOME/ca.pem\n{option}\nHTTP/{version} 200\n"),
            &["--json", &site.file("page.json", "")],
        )
    };
    for (version, option, expected) in [("2", "http2: true", 1), ("1.1", "", 1 + 6)] {
        let ended = page(version, option);
        assert_eq!(ended.code, 0, "{version}: {}{}", ended.stdout, ended.stderr);
        let json: serde_json::Value =
            serde_json::from_str(&read(&site.nginx.folder().join("page.json"))).expect("a report");
        assert_eq!(json["journeys"][0]["entries"][0]["page"]["files"], 7, "{json}");
        // It logs a request a moment after its answer.
        wait_for(&format!("{expected} connections"), Duration::from_secs(5), || {
            (site.logged(site.ports.both).0 == expected).then_some(())
        });
    }
    assert_eq!(site.logged(site.ports.both).1, told(&["HTTP/1.1 200", "HTTP/2.0 200"]));
}

#[test]
fn a_server_that_asks_for_a_certificate_gets_that_of_the_entry() {
    let site = match site() {
        Ok(site) => site,
        Err(why) => return skipped("a_server_that_asks_for_a_certificate_gets_that_of_the_entry", &why),
    };
    let base = format!("https://localhost:{}", site.ports.known);
    for (version, option) in [("1.1", "http2: false"), ("2", "http2: true")] {
        let entry = |shows: &str, expected: &str| {
            format!("GET {base}/who\n[Options]\ncacert: HOME/ca.pem\n{option}\n{shows}HTTP/{version} {expected}\n")
        };
        let shown = "cert: HOME/client.pem\nkey: HOME/client.key\n";
        let text = entry(shown, "200\n`CN=client`")
            + &entry("", "400\n[Asserts]\nbody contains \"No required SSL certificate was sent\"")
            + &entry(
                "cert: HOME/stranger.pem\nkey: HOME/stranger.key\n",
                "400\n[Asserts]\nbody contains \"The SSL certificate error\"",
            )
            + &entry(shown, "200\n`CN=client`");
        let ended = site.smoke(&text, &[]);
        assert_eq!(ended.code, 0, "{version}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains("4 passed"), "{}", ended.stdout);
    }
    let told_by = site.logged(site.ports.known).1;
    assert_eq!(told_by, told(&["HTTP/1.1 200", "HTTP/1.1 400", "HTTP/2.0 200", "HTTP/2.0 400"]));
}
