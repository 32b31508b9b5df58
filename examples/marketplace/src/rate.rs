//! How often one address may sign in and ask for tokens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::failure::Failure;
use crate::shared::App;

/// The rates of each address.
#[derive(Debug)]
pub struct Rates {
    sign_in: ByAddress,
    token: ByAddress,
}

type ByAddress = RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>;

impl Rates {
    /// Returns limits: attempts to sign in each minute, and calls of the token endpoint each second.
    pub fn new(sign_ins_a_minute: NonZeroU32, tokens_a_second: NonZeroU32) -> Self {
        Self {
            sign_in: RateLimiter::hashmap(Quota::per_minute(sign_ins_a_minute)),
            token: RateLimiter::hashmap(Quota::per_second(tokens_a_second)),
        }
    }
}

/// Lets an attempt to sign in through, or answers with a page.
pub(crate) async fn limit_sign_in(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    match wait(&app.rates.sign_in, &request) {
        Some(seconds) => {
            let detail = format!("there were too many attempts to sign in: try again in {seconds} seconds");
            Failure::new(StatusCode::TOO_MANY_REQUESTS, "Too many attempts", &detail)
                .retry_after(seconds)
                .into_response()
        }
        None => next.run(request).await,
    }
}

/// Lets a call of the token endpoint through, or answers 429.
pub(crate) async fn limit_tokens(State(app): State<App>, request: Request, next: Next) -> Response {
    match wait(&app.rates.token, &request) {
        Some(seconds) => {
            let headers = [(axum::http::header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, headers, "too many requests").into_response()
        }
        None => next.run(request).await,
    }
}

/// Returns how many seconds an address has to wait. A proxy in front of this server has to limit the rate itself: all that comes
/// through it has one address.
fn wait(limiter: &ByAddress, request: &Request) -> Option<u64> {
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = connection.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |found| found.0.ip());
    if limiter.len() > REMEMBERED {
        limiter.retain_recent();
    }
    let refused = limiter.check_key(&address).err()?;
    Some(refused.wait_time_from(DefaultClock::default().now()).as_secs() + 1)
}

/// How many addresses are remembered before those that have not asked for a while are forgotten.
const REMEMBERED: usize = 10_000;
