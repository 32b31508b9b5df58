//! HTTP, byte for byte: what a library would not send has to be sent, too.

use std::io::{Error, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }
}

/// Sends a POST request to a server of this machine.
pub(crate) fn post(
    url: &str,
    path: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<Response, Error> {
    let host = url.trim_start_matches("http://");
    let mut head =
        format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\naccept: application/json\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let unreadable = || Error::other("it is not an HTTP response");
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(unreadable)?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(unreadable)?;
    Ok(Response { status, head, body: answer[end + 4..].to_vec() })
}
