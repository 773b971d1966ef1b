//! Certificates, and TLS on one side only.

use crate::faults::certificates::{Authority, FUTURE, NOW, PAST};
use crate::faults::scene::check;
use crate::faults::web::{Web, fine};
use crate::faults::{Row, Scene};
use crate::servers::redis::{PASSWORD, Redis};
use crate::servers::start::output;
use std::process::Command;

pub(super) static ROWS: &[Row] = &[
    Row::new("certificate expired", &[("certificate_expired", "site")], expired).always(),
    Row::new("certificate not yet valid", &[("certificate_not_yet_valid", "site")], not_yet_valid),
    Row::new("certificate for another host", &[("certificate_wrong_host", "site")], wrong_host).always(),
    Row::new("certificate of an unknown issuer", &[("certificate_unknown_issuer", "site")], unknown_issuer).always(),
    Row::new("certificate ends in two days", &[("certificate_near_expiry", "site")], near_expiry),
    Row::new("http:// at HTTPS", &[("tls_unexpected", "site")], plain_at_tls),
    Row::new("https:// at HTTP", &[("tls_missing", "site")], tls_at_plain).always(),
    Row::new("rediss:// at plain Redis", &[("tls_missing", "site")], tls_at_redis),
];

const HERE: &str = "IP:127.0.0.1";

fn url(port: u16) -> String {
    format!("https://127.0.0.1:{port}/")
}

/// Such a certificate, and a sound one of the same authority.
fn such(name: &str, dates: [&str; 2]) -> Result<Scene, String> {
    let authority = Authority::new()?;
    let (bad, port) = authority.served(name, dates)?;
    let (good, twin) = authority.served(HERE, NOW)?;
    let trusted = format!(", tls_config: {{ca_file: {}}}", authority.file().display());
    let checks = [check("site", &url(port), &trusted), check("twin", &url(twin), &trusted)];
    Ok(Scene::of(&checks).keeping((bad, good, authority)))
}

fn expired() -> Result<Scene, String> {
    such(HERE, PAST)
}

fn not_yet_valid() -> Result<Scene, String> {
    such(HERE, FUTURE)
}

fn wrong_host() -> Result<Scene, String> {
    such("DNS:shop.example", NOW)
}

fn near_expiry() -> Result<Scene, String> {
    let soon = output(Command::new("date").args(["-u", "-d", "+2 days", "+%Y%m%d%H%M%SZ"]))?;
    such(HERE, [NOW[0], &soon])
}

fn unknown_issuer() -> Result<Scene, String> {
    let authority = Authority::new()?;
    let (server, port) = authority.served(HERE, NOW)?;
    let trusted = format!(", tls_config: {{ca_file: {}}}", authority.file().display());
    let checks = [check("site", &url(port), ""), check("twin", &url(port), &trusted)];
    Ok(Scene::of(&checks).keeping((server, authority)))
}

fn plain_at_tls() -> Result<Scene, String> {
    let authority = Authority::new()?;
    let (server, port) = authority.served(HERE, NOW)?;
    let trusted = format!(", tls_config: {{ca_file: {}}}", authority.file().display());
    let checks = [check("site", &format!("http://127.0.0.1:{port}/"), ""), check("twin", &url(port), &trusted)];
    Ok(Scene::of(&checks).keeping((server, authority)))
}

fn tls_at_plain() -> Result<Scene, String> {
    let web = Web::start(fine())?;
    let checks = [check("site", &web.url("https"), ""), check("twin", &web.url("http"), "")];
    Ok(Scene::of(&checks).keeping(web))
}

fn tls_at_redis() -> Result<Scene, String> {
    let redis = Redis::start(&[])?;
    let of = |scheme: &str| format!("{scheme}://:{PASSWORD}@127.0.0.1:{}/0", redis.port);
    let checks = [check("site", &of("rediss"), ""), check("twin", &of("redis"), "")];
    Ok(Scene::of(&checks).keeping(redis))
}
