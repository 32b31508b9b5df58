//! Metrics, through the facade `metrics`: any exporter may stand behind it. `GET /metrics` is the page of one for Prometheus.
//!
//! | metric | says |
//! | --- | --- |
//! | `client_verdicts_total{endpoint, reason}` | how often clients were authenticated (`ok`), or why not: the words of `OAuthError::reason` |
//! | `request_seconds{path, status}` | how long requests took |
//! | `secrets_ending_soon{successor}` | valid secrets that end within 30 days, with another to take their place (`yes`), or without (`no`) |

use std::ops::Range;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::get;
use client_registry::secret::SecretState;
use client_registry::store::DynStore;
use client_registry::{Error, Operator, Timestamp};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tokio::time::Instant;

use crate::Server;
use crate::token::Client;

/// Installs the recorder of this process. Call it once.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let recorder = PrometheusBuilder::new().set_buckets(BUCKETS)?.install_recorder()?;
    metrics::describe_counter!(VERDICTS, "authentications of clients, by reason");
    metrics::describe_histogram!(SECONDS, metrics::Unit::Seconds, "how long requests took");
    metrics::describe_gauge!(ENDING, "valid secrets that end within 30 days");
    Ok(recorder)
}

pub(crate) fn routes() -> Router<Server> {
    let page = async |State(server): State<Server>| {
        server.metrics.as_ref().map(PrometheusHandle::render).unwrap_or_default()
    };
    Router::new().route("/metrics", get(page))
}

/// Counts the verdict on a client, and passes it on.
pub(crate) fn verdict(endpoint: &'static str, client: Client) -> Client {
    let reason = client.as_ref().map_or_else(|error| error.reason(), |_| "ok");
    metrics::counter!(VERDICTS, "endpoint" => endpoint, "reason" => reason).increment(1);
    client
}

/// Measures a request. Only paths of this server become labels.
pub(crate) async fn measured(request: Request, next: Next) -> Response {
    let path = PATHS.iter().find(|path| **path == request.uri().path()).unwrap_or(&"other");
    let begun = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::histogram!(SECONDS, "path" => *path, "status" => status).record(begun.elapsed());
    response
}

/// Counts the secrets that end soon, now and then.
pub async fn count_ending(operator: Operator<DynStore>, now: impl Fn() -> Timestamp, every: Duration) {
    loop {
        let from = now();
        match ending(&operator, from..from.saturating_add(SOON)).await {
            Ok([without, with]) => {
                metrics::gauge!(ENDING, "successor" => "no").set(f64::from(without));
                metrics::gauge!(ENDING, "successor" => "yes").set(f64::from(with));
            }
            Err(error) => tracing::warn!(%error, "secrets that end soon could not be counted"),
        }
        tokio::time::sleep(every).await;
    }
}

/// Returns how many valid secrets end within a span of time, without and with a successor.
async fn ending(operator: &Operator<DynStore>, span: Range<Timestamp>) -> Result<[u32; 2], Error> {
    let (mut without, mut with, mut after) = (0, 0, None);
    loop {
        let page = operator.expiry_report(&span, after.as_ref(), 1000).await?;
        for expiry in page.items().iter().filter(|expiry| expiry.state == SecretState::Valid) {
            match expiry.successor {
                Some(_) => with += 1,
                None => without += 1,
            }
        }
        match page.next() {
            Some(next) => after = Some(next.clone()),
            None => return Ok([without, with]),
        }
    }
}

/// Folds what was measured into the histograms, now and then, so that it does not pile up where nobody reads the page.
pub async fn fold(recorder: PrometheusHandle) {
    loop {
        tokio::time::sleep(Duration::from_secs(10)).await;
        recorder.run_upkeep();
    }
}

/// In seconds.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];
const VERDICTS: &str = "client_verdicts_total";
const SECONDS: &str = "request_seconds";
const ENDING: &str = "secrets_ending_soon";
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const PATHS: &[&str] =
    &["/token", "/introspect", "/ping", "/metrics", "/.well-known/oauth-authorization-server"];
