//! Owns `backend health [URL]`: the container's HEALTHCHECK, which needs neither shell nor curl in the image. 0 when the page
//! answers 200, 1 otherwise: Docker reserves the other codes.

use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    process::ExitCode,
};

use url::Url;

use crate::limits;

const DEFAULT_URL: &str = "http://127.0.0.1:8000/health";

/// Asks once and tells on stderr what is wrong.
pub fn run(url: Option<String>) -> ExitCode {
    match ask(url.as_deref().unwrap_or(DEFAULT_URL)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("unhealthy: {why}");
            ExitCode::FAILURE
        }
    }
}

fn ask(url: &str) -> Result<(), String> {
    let url = Url::parse(url).map_err(|error| format!("the URL cannot be read: {error}"))?;
    let (Some(host), "http") = (url.host_str(), url.scheme()) else { return Err("only http:// is asked".to_owned()) };
    let port = url.port().unwrap_or(80);
    let addresses = (host.trim_matches(['[', ']']), port).to_socket_addrs().map_err(|error| error.to_string())?;
    let address = addresses.into_iter().next().ok_or("the host has no address")?;
    let request = format!("GET {} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n", url.path());
    let status = status_line(address, &request).map_err(|error| error.to_string())?;
    match status.split(' ').nth(1) {
        Some("200") => Ok(()),
        Some(code) => Err(format!("it answers {code}")),
        None => Err("it does not speak HTTP".to_owned()),
    }
}

fn status_line(address: std::net::SocketAddr, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, limits::HEALTH_COMMAND_DEADLINE)?;
    stream.set_read_timeout(Some(limits::HEALTH_COMMAND_DEADLINE))?;
    stream.set_write_timeout(Some(limits::HEALTH_COMMAND_DEADLINE))?;
    stream.write_all(request.as_bytes())?;
    let mut line = [0; 32];
    let read = stream.read(&mut line)?;
    Ok(String::from_utf8_lossy(line.get(..read).unwrap_or_default()).into_owned())
}
