//! The servers: the endpoint, `oidc-provider`, and two that let in everybody or nobody.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::platform::Platform;

/// A server in a process of its own, which ends with the value.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn endpoint(program: &str, platform: &Platform) -> Self {
        let mut command = Command::new(program);
        command.env("REGISTRY_STORE", platform.file()).env("REGISTRY_KEYS", &platform.keys);
        command.env("LISTEN", "127.0.0.1:0").env("RUST_LOG", "error");
        Self::start(command)
    }

    pub(crate) fn provider(script: &str, platform: &Platform) -> Self {
        let clients: Vec<_> = platform
            .provider_clients()
            .into_iter()
            .map(|(id, secret, ends)| json!([id, secret, ends]))
            .collect();
        let mut command = Command::new("node");
        command.arg(script).arg(json!(clients).to_string());
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
        let mut lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
        let url = lines.by_ref().find_map(|line| line.ok()?.strip_prefix("listening on ").map(str::to_owned));
        let url = url.unwrap_or_else(|| panic!("{command:?} does not listen"));
        std::thread::spawn(move || lines.for_each(drop)); // what else it prints is not looked at
        Self { child, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that gives every request the same answer. It has to be caught.
pub(crate) struct Fake {
    pub(crate) url: String,
    /// How the verdict on its answers is written.
    pub(crate) says: &'static str,
}

impl Fake {
    pub(crate) fn lets_in_everybody() -> Self {
        Self::start(
            r#"(200, "token") instead of"#,
            "200 OK",
            r#"{"access_token":"x","token_type":"Bearer","expires_in":600,"active":true}"#,
        )
    }

    pub(crate) fn lets_in_nobody() -> Self {
        Self::start(r#"(401, "invalid_client"#, "401 Unauthorized", r#"{"error":"invalid_client"}"#)
    }

    fn start(says: &'static str, status: &'static str, body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream, status, body);
            }
        });
        Self { url, says }
    }
}

fn answer(stream: TcpStream, status: &str, body: &str) -> std::io::Result<()> {
    let mut request = BufReader::new(stream);
    let mut len = 0;
    loop {
        let mut line = String::new();
        request.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                len = value.trim().parse().unwrap_or(0);
            }
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    request.read_exact(&mut vec![0; len])?;
    let headers = format!(
        "content-type: application/json\r\ncache-control: no-store\r\nconnection: close\r\ncontent-length: {}",
        body.len()
    );
    write!(request.get_mut(), "HTTP/1.1 {status}\r\n{headers}\r\n\r\n{body}")
}
