//! The clients: libraries that get tokens.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use oauth2::basic::BasicClient;
use oauth2::{
    AccessToken, AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, IntrospectionUrl,
    RequestTokenError, TokenIntrospectionResponse, TokenResponse, TokenUrl,
};
use serde_json::{Value, json};

use crate::http;

/// How a client authenticates.
pub(crate) const METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

/// The credentials of a client, and how it sends them.
#[derive(Clone, Copy)]
pub(crate) struct Sender<'a> {
    pub(crate) url: &'a str,
    pub(crate) method: &'a str,
    pub(crate) id: &'a str,
    pub(crate) secret: &'a str,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Token(String),
    Active(bool),
    /// The error code, or what else the library said.
    Error(String),
    /// The library does not send such a text.
    NotSent,
}

pub(crate) trait Peer {
    fn name(&self) -> &'static str;

    /// Gets a token.
    fn token(&mut self, sender: Sender<'_>) -> Answer;

    /// Asks whether a token is active. `None` if the library cannot.
    fn introspect(&mut self, sender: Sender<'_>, token: &str) -> Option<Answer>;

    /// Gets a token from a server of which only the address is known. `None` if the library cannot.
    fn discover(&mut self, _: Sender<'_>) -> Option<Answer> {
        None
    }
}

/// A script that answers over its standard input and output.
pub(crate) struct Process {
    library: &'static str,
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(library: &'static str, program: &str, script: &str) -> Self {
        let child = Command::new(program).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{program} did not start: {error}"));
        let asks = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("it was piped"));
        Self { library, child, asks, answers }
    }

    fn ask(&mut self, what: &str, sender: Sender<'_>, token: Option<&str>) -> Answer {
        let Sender { url, method, id, secret } = sender;
        let ask = json!({"library": self.library, "do": what, "url": url, "method": method, "id": id, "secret": secret, "token": token});
        let asks = self.asks.as_mut().expect("it was piped");
        writeln!(asks, "{ask}").unwrap_or_else(|error| panic!("{} is gone: {error}", self.library));
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it answers in UTF-8");
        let answer: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{} answers {line:?}: {error}", self.library));
        match (&answer["answer"], &answer["error"]) {
            (Value::String(token), _) => Answer::Token(token.clone()),
            (Value::Bool(active), _) => Answer::Active(*active),
            (_, Value::String(code)) => Answer::Error(code.clone()),
            _ if answer["not_sent"] == true => Answer::NotSent,
            _ => Answer::Error(line),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.asks.take()); // the script ends with its input
        let _ = self.child.wait();
    }
}

impl Peer for Process {
    fn name(&self) -> &'static str {
        self.library
    }

    fn token(&mut self, sender: Sender<'_>) -> Answer {
        self.ask("token", sender, None)
    }

    fn introspect(&mut self, sender: Sender<'_>, token: &str) -> Option<Answer> {
        (self.library != "requests-oauthlib").then(|| self.ask("introspect", sender, Some(token)))
    }

    fn discover(&mut self, sender: Sender<'_>) -> Option<Answer> {
        (self.library == "openid-client").then(|| self.ask("discover", sender, None))
    }
}

/// The crate `oauth2`.
pub(crate) struct OAuth2;

impl Peer for OAuth2 {
    fn name(&self) -> &'static str {
        "oauth2"
    }

    fn token(&mut self, sender: Sender<'_>) -> Answer {
        let url = TokenUrl::new(format!("{}/token", sender.url)).expect("a URL");
        let answer = client(sender).set_token_uri(url).exchange_client_credentials().request(&send);
        match answer {
            Ok(token) => Answer::Token(token.access_token().secret().clone()),
            Err(RequestTokenError::ServerResponse(answer)) => Answer::Error(answer.error().to_string()),
            Err(other) => Answer::Error(format!("{other:?}")),
        }
    }

    fn introspect(&mut self, sender: Sender<'_>, token: &str) -> Option<Answer> {
        let url = IntrospectionUrl::new(format!("{}/introspect", sender.url)).expect("a URL");
        let client = client(sender).set_introspection_url(url);
        Some(match client.introspect(&AccessToken::new(token.to_owned())).request(&send) {
            Ok(answer) => Answer::Active(answer.active()),
            Err(other) => Answer::Error(format!("{other:?}")),
        })
    }
}

fn client(sender: Sender<'_>) -> BasicClient {
    let method = if sender.method == METHODS[0] { AuthType::BasicAuth } else { AuthType::RequestBody };
    BasicClient::new(ClientId::new(sender.id.to_owned()))
        .set_client_secret(ClientSecret::new(sender.secret.to_owned()))
        .set_auth_type(method)
}

/// The crate leaves HTTP to its caller.
fn send(request: HttpRequest) -> Result<HttpResponse, std::io::Error> {
    let (parts, body) = request.into_parts();
    let url = format!("http://{}", parts.uri.authority().expect("a host"));
    let text = |value: &oauth2::http::HeaderValue| value.to_str().expect("ASCII").to_owned();
    let headers: Vec<_> = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let answer = http::post(&url, parts.uri.path(), &headers, &body)?;
    let builder = oauth2::http::Response::builder().status(answer.status);
    let builder = match answer.header("content-type") {
        Some(value) => builder.header("content-type", value),
        None => builder,
    };
    builder.body(answer.body).map_err(std::io::Error::other)
}
