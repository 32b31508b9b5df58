//! The other side: a library that signs and verifies.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use data_encoding::BASE64;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};

pub(crate) trait Peer {
    fn name(&self) -> &str;

    /// How many checks are made at least, so that none is left out unnoticed.
    fn least(&self) -> usize;

    /// Whether it knows webhooks, and not tokens alone.
    fn has_webhooks(&self) -> bool {
        true
    }

    /// Answers as the scripts do, with the members of a success.
    fn ask(&mut self, ask: Value) -> Result<Value, String>;
}

/// A script that answers over its standard input and output.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(name: &'static str, program: &str, script: &str) -> Self {
        let mut child = Command::new(program)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} did not start: {error}"));
        let asks = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("it was piped"));
        Self { name, child, asks, answers }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.asks.take()); // the script ends with its input
        let _ = self.child.wait();
    }
}

impl Peer for Process {
    fn name(&self) -> &str {
        self.name
    }

    fn least(&self) -> usize {
        400
    }

    fn ask(&mut self, ask: Value) -> Result<Value, String> {
        let asks = self.asks.as_mut().expect("it was piped");
        writeln!(asks, "{ask}").unwrap_or_else(|error| panic!("{} is gone: {error}", self.name));
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it answers in UTF-8");
        let answer: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{} answers {line:?}: {error}", self.name));
        match answer["ok"] == true {
            true => Ok(answer),
            false => Err(answer["error"].to_string()),
        }
    }
}

/// The crate `jsonwebtoken`.
pub(crate) struct JsonWebToken;

impl Peer for JsonWebToken {
    fn name(&self) -> &str {
        "Rust: jsonwebtoken"
    }

    fn least(&self) -> usize {
        200
    }

    fn has_webhooks(&self) -> bool {
        false
    }

    fn ask(&mut self, ask: Value) -> Result<Value, String> {
        let text = |name: &str| ask[name].as_str().expect("a text").to_owned();
        let key = BASE64.decode(text("key").as_bytes()).expect("base64");
        let answer = match &*text("do") {
            "verify_jwt" => {
                let mut validation = Validation::new(Algorithm::HS256);
                validation.leeway = 0;
                validation.validate_nbf = true;
                validation.set_audience(&[text("aud")]);
                validation.set_required_spec_claims(&["exp", "aud"]);
                let decoded = jsonwebtoken::decode::<BTreeMap<String, Value>>(
                    text("token"),
                    &DecodingKey::from_secret(&key),
                    &validation,
                );
                let decoded = decoded.map_err(|error| error.to_string())?;
                if decoded.header.typ.as_deref() != ask["typ"].as_str() {
                    return Err("another typ".to_owned());
                }
                json!({"claims": decoded.claims, "kid": decoded.header.kid})
            }
            "sign_jwt" => {
                let mut header = Header::new(Algorithm::HS256);
                (header.typ, header.kid) = (Some(text("typ")), Some(text("kid")));
                let token = jsonwebtoken::encode(&header, &ask["claims"], &EncodingKey::from_secret(&key));
                json!({"token": token.map_err(|error| error.to_string())?})
            }
            other => panic!("it does not know {other}"),
        };
        Ok(answer)
    }
}

/// A verifier that verifies nothing. It has to be caught.
pub(crate) struct AcceptsAll;

impl Peer for AcceptsAll {
    fn name(&self) -> &str {
        "a peer that accepts everything"
    }

    fn least(&self) -> usize {
        0
    }

    fn ask(&mut self, _: Value) -> Result<Value, String> {
        Ok(json!({"ok": true}))
    }
}

/// A verifier that refuses everything. It has to be caught.
pub(crate) struct AcceptsNothing;

impl Peer for AcceptsNothing {
    fn name(&self) -> &str {
        "a peer that accepts nothing"
    }

    fn least(&self) -> usize {
        0
    }

    fn ask(&mut self, _: Value) -> Result<Value, String> {
        Err("refused".to_owned())
    }
}
