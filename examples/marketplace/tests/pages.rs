//! The pages through the router, without a browser: what must hold of secrets, forged requests, sellers and sessions. The journeys are
//! driven in a browser by `tests/browser/run`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail loudly, too")]

mod world;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, SET_COOKIE};
use client_registry::{ClientDetails, ClientSecret, Lifetime};

use crate::world::{Browser, World};

const ADD: &[(&str, &str)] = &[
    ("friendly_name", "calendar app"),
    ("app_domain", "app.contoso.com"),
    ("redirect_url", "https://app.contoso.com/done"),
    ("years", "1"),
    ("availability", "worldwide"),
];

#[tokio::test]
async fn a_client_secret_is_shown_once_and_only_to_the_session_that_asked_for_it() {
    let world = World::new().await;
    let (mut here, mut there) = (world.signed_in("contoso").await, world.signed_in("contoso").await);
    let page = here.post("/clients/new", ADD).await.location();
    assert!(page.ends_with("/secrets/1/copy"), "{page}");

    assert_eq!(there.get(&page).await.status, StatusCode::GONE);
    assert_eq!(here.send("HEAD", &page, &[]).await.status, StatusCode::GONE);
    let shown = here.get(&page).await;
    assert_eq!(shown.status, StatusCode::OK);
    let (id, secret) = (shown.between("id=\"client-id\">", "<"), shown.between("id=\"client-secret\">", "<"));
    assert!(world.registry.authenticate(&id, &secret).await.is_ok());
    assert!(shown.text.contains("whsec_"));
    assert_eq!(shown.header(CACHE_CONTROL), "no-store");

    let again = here.get(&page).await;
    assert_eq!(again.status, StatusCode::GONE);
    assert!(!again.text.contains(&secret), "{}", again.text);
    assert!(again.text.contains("Add a new client secret"), "it says what to do");
}

#[tokio::test]
async fn every_page_is_kept_out_of_caches_and_has_the_strict_policy() {
    let world = World::new().await;
    let mut contoso = world.signed_in("contoso").await;
    let id = contoso.post("/clients/new", ADD).await.location();
    let id = id.split('/').nth(2).unwrap().to_owned();
    for path in ["/sign-in", "/clients", "/clients/new", "/add-ins", "/add-ins/new", "/nothing", "/operator"]
        .map(str::to_owned)
        .into_iter()
        .chain(
            ["", "/edit", "/rotate", "/trail", "/delete", "/secrets/1", "/secrets/1/delete"]
                .map(|end| format!("/clients/{id}{end}")),
        )
    {
        let page = contoso.get(&path).await;
        assert_eq!(page.header(CACHE_CONTROL), "no-store", "{path}");
        let policy = page.header(CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        for forbidden in ["<style", " style=", " onclick=", "javascript:"] {
            assert!(!page.text.contains(forbidden), "{path} has {forbidden}");
        }
    }
}

#[tokio::test]
async fn a_request_that_another_site_forged_is_refused() {
    let world = World::new().await;
    let mut contoso = world.signed_in("contoso").await;
    for forged in [&[("sec-fetch-site", "cross-site")][..], &[("origin", "https://evil.example")]] {
        let answer = contoso.form("/clients/new", ADD, forged).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{forged:?}");
    }
    let own = contoso.form("/clients/new", ADD, &[("sec-fetch-site", "same-origin")]).await;
    assert_eq!(own.status, StatusCode::SEE_OTHER);
    let found = world.registry.as_seller("contoso").unwrap().clients(None, 10).await.unwrap();
    assert_eq!(found.items().len(), 1);
}

#[tokio::test]
async fn sellers_and_operators_are_apart() {
    let world = World::new().await;
    let details =
        ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done").unwrap();
    let seller = world.registry.as_seller("contoso").unwrap();
    let id = seller.register(details, Lifetime::OneYear).await.unwrap().client_id().clone();
    let mut fabrikam = world.signed_in("fabrikam").await;
    assert!(!fabrikam.get("/clients").await.text.contains("calendar app"));
    for end in [
        "",
        "/edit",
        "/rotate",
        "/suspend",
        "/delete",
        "/trail",
        "/secrets/new",
        "/secrets/1",
        "/secrets/1/delete",
    ] {
        let (own, other) =
            (format!("/clients/{id}{end}"), format!("/clients/ad6bf055-5b6f-4529-ae3a-6eebbaaf4e44{end}"));
        let (own, other) = (fabrikam.get(&own).await, fabrikam.get(&other).await);
        assert_eq!((own.status, &own.text), (StatusCode::NOT_FOUND, &other.text), "{end}");
    }
    assert_eq!(fabrikam.post(&format!("/clients/{id}/suspend"), &[]).await.status, StatusCode::NOT_FOUND);
    assert!(seller.client(&id).snapshot().await.unwrap().client().suspension().is_none());
    for page in ["clients", "expiry", "leaks", "notices", "check", "reseal"] {
        let path = format!("/operator/{page}");
        assert_eq!(fabrikam.get(&path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(world.signed_in("ann").await.get("/clients").await.status, StatusCode::FORBIDDEN);
    assert_eq!(Browser::of(&world).get("/clients").await.location(), "/sign-in");
}

#[tokio::test]
async fn the_id_of_a_session_changes_at_sign_in_and_ends_at_sign_out() {
    let world = World::new().await;
    let mut browser = world.signed_in("contoso").await;
    let planted = browser.cookie.clone().unwrap();
    let answer = browser.post("/sign-in", &[("name", "fabrikam")]).await;
    let cookie = answer.header(SET_COOKIE);
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    assert_ne!(browser.cookie.as_deref(), Some(&*planted));

    let mut stranger = Browser::with(&world, Some(planted));
    assert_eq!(stranger.get("/clients").await.location(), "/sign-in");
    let own = browser.cookie.clone();
    browser.post("/sign-out", &[]).await;
    let mut left = Browser::with(&world, own);
    assert_eq!(left.get("/clients").await.location(), "/sign-in");
}

#[tokio::test]
async fn attempts_to_sign_in_and_calls_of_the_token_endpoint_are_limited() {
    let world = World::limited(2).await;
    let mut browser = Browser::of(&world);
    for status in
        [StatusCode::UNPROCESSABLE_ENTITY, StatusCode::UNPROCESSABLE_ENTITY, StatusCode::TOO_MANY_REQUESTS]
    {
        assert_eq!(browser.post("/sign-in", &[("name", "nobody")]).await.status, status);
    }
    assert_eq!(browser.get("/sign-in").await.status, StatusCode::OK);
    // The limit is a rate, so a slow machine gets a few more through.
    let mut answers = Vec::new();
    while answers.last() != Some(&StatusCode::TOO_MANY_REQUESTS) && answers.len() < 1000 {
        answers.push(browser.post("/token", &[]).await.status);
    }
    assert_eq!(answers.first(), Some(&StatusCode::UNAUTHORIZED));
    assert_eq!(answers.last(), Some(&StatusCode::TOO_MANY_REQUESTS));
}

#[tokio::test]
async fn a_plan_that_has_changed_is_shown_again_and_a_forged_one_does_nothing() {
    let world = World::new().await;
    let mut contoso = world.signed_in("contoso").await;
    let page = contoso.post("/clients/new", ADD).await.location();
    let client = page.strip_suffix("/secrets/1/copy").unwrap().to_owned();
    contoso.post(&format!("{client}/secrets/new"), &[("years", "1")]).await;
    let delete = format!("{client}/secrets/1/delete");
    let plan = contoso.get(&delete).await.between("name=\"plan\" value=\"", "\"").replace("&#34;", "\"");
    contoso.post(&format!("{client}/secrets/new"), &[("years", "1")]).await;

    let changed = contoso.post(&delete, &[("plan", &plan)]).await;
    assert_eq!(changed.status, StatusCode::CONFLICT);
    assert!(changed.text.contains("Something has changed since you looked"));
    assert_eq!(contoso.post(&delete, &[("plan", "{}")]).await.status, StatusCode::BAD_REQUEST);
    let plan = changed.between("name=\"plan\" value=\"", "\"").replace("&#34;", "\"");
    assert_eq!(contoso.post(&delete, &[("plan", &plan)]).await.location(), client);
    assert!(contoso.get(&client).await.text.contains("Secret 1 was deleted."));
}

#[tokio::test]
async fn a_client_secret_in_a_wrong_field_is_not_repeated() {
    let world = World::new().await;
    let secret =
        ClientSecret::generate(world.registry.policy(), &client_registry::entropy::SystemEntropy).unwrap();
    let mut contoso = world.signed_in("contoso").await;
    let page = contoso.post("/clients/new", ADD).await.location();
    let search = contoso.get(&format!("/clients?q={}", secret.expose())).await;
    let path = page.replace("/copy", "/end");
    let date = contoso.get(&format!("{path}?until={}", secret.expose())).await;
    assert_eq!(search.status, StatusCode::OK);
    assert!(!search.text.contains(secret.expose()) && !date.text.contains(secret.expose()));
}
