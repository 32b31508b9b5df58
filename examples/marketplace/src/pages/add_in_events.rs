//! `POST /add-ins/{id}/events`: sends a signed event to the add-in.

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::post;
use client_registry::entropy::{Entropy, SystemEntropy};
use serde_json::json;

use crate::add_ins::Found;
use crate::events;
use crate::failure::Failure;
use crate::shared::App;
use crate::signed_in::AsSeller;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/add-ins/{id}/events", post(send))
}

async fn send(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    let found = Found::of(&as_seller, &id).await?;
    let to = found.path();
    let client = found.client.as_ref().map(client_registry::Snapshot::client);
    let webhook = client.and_then(|client| client.attributes().get(token_endpoint::ping::WEBHOOK_URL));
    let (Some(client), Some(webhook)) = (client, webhook) else {
        return as_seller.not_done(&to, "The add-in has no webhook.").await;
    };
    let mut random = [0; 2];
    SystemEntropy.fill(&mut random).map_err(|error| Failure::internal(&error))?;
    let [place, number] = random;
    let place = PLACES.get(usize::from(place) % PLACES.len()).copied().unwrap_or_default();
    let starts = as_seller.now().to_datetime() + chrono::TimeDelta::days(7 + i64::from(number) % 90);
    let day = |later| (starts + chrono::TimeDelta::days(later)).format("%Y-%m-%d").to_string();
    let event = json!({
        "type": "trip.booked",
        "timestamp": as_seller.now(),
        "data": {
            "trip": format!("t-{}", as_seller.now().as_millis()),
            "where": place,
            "from": day(0),
            "until": day(3),
        },
    });
    let about = format!("a trip to {place} was booked");
    // The task goes on when the browser goes away.
    let (app, id, webhook) = (App::clone(&as_seller.app), client.id().clone(), webhook.to_owned());
    let sent = tokio::spawn(async move { events::send(&app, &id, &webhook, &about, &event).await });
    match sent.await.map_err(|error| Failure::internal(&error))? {
        Ok(()) => as_seller.go(&to, &format!("The add-in has accepted the event: a trip to {place}.")).await,
        Err(why) => as_seller.not_done(&to, &format!("The add-in did not accept the event: {why}.")).await,
    }
}

const PLACES: &[&str] = &["Lisbon", "Nairobi", "Kyoto", "Oslo", "Lima", "Wellington", "Montréal", "Hanoi"];
