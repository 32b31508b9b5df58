//! What every peer is asked.

use std::time::Duration;

use client_registry::clock::{Clock, SystemClock};
use client_registry::jwt::TYPE;
use client_registry::ring::SharedSecret;
use client_registry::webhooks::WebhookHeaders;
use client_registry::{ClientId, SecretRing};
use pollster::block_on;
use serde_json::{Value, json};

use crate::peer::Peer;
use crate::platform::{Platform, Stage, key, whsec};
use crate::tally::Tally;

pub(crate) fn run(peer: &mut dyn Peer, tally: &mut Tally) {
    let mut platform = Platform::new();
    for _ in 0..3 {
        tokens_of_the_registry(&platform, peer, tally);
        tokens_of_the_peer(&platform, peer, tally);
        if peer.has_webhooks() {
            webhooks_of_the_registry(&platform, peer, tally);
            webhooks_of_the_peer(&platform, peer, tally);
        }
        platform.go_on();
    }
    if peer.has_webhooks() {
        a_key_of_the_peer(peer, tally);
    }
}

fn tokens_of_the_registry(platform: &Platform, peer: &mut dyn Peer, tally: &mut Tally) {
    let stage = platform.stage;
    let claims =
        json!({"iss": "https://platform.example", "user": "\u{e9}\u{1f511} ann", "scopes": ["a", "b"]});
    let minutes = Duration::from_secs(300);
    let token = block_on(platform.registry.sign_jwt(&platform.id, &claims, minutes)).expect("signed");
    let mut ask = |text: &str, token: &str, aud: &str, typ: &str| {
        peer.ask(json!({"do": "verify_jwt", "key": key(text), "token": token, "aud": aud, "typ": typ}))
    };
    let (signing, id) = (platform.signing(), platform.id.as_str());
    let answer = ask(signing, &token, id, TYPE);
    if let Some(answer) = tally.accepted(format!("{stage:?}: a token of the registry"), answer) {
        let same = ["iss", "user", "scopes"].iter().all(|name| answer["claims"][name] == claims[name]);
        let kid = if stage == Stage::After { "2" } else { "1" };
        let expected = same && answer["kid"] == kid && answer["claims"]["aud"] == id;
        tally.check(format!("{stage:?}: its claims"), expected.then_some(()).ok_or(answer.to_string()));
    }
    let other = if signing == platform.old { &platform.new } else { &platform.old };
    for (wrong, what) in
        [(&**other, "the other client secret"), ("another client secret of 24", "a stranger's")]
    {
        tally.refused(format!("{stage:?}: a token under a wrong key, {what}"), ask(wrong, &token, id, TYPE));
    }
    tally.refused(
        format!("{stage:?}: a token for another audience"),
        ask(signing, &token, "another-app", TYPE),
    );
    tally.refused(format!("{stage:?}: a token of another type"), ask(signing, &token, id, "JWT"));
    for (at, changed) in changed(&token) {
        tally.refused(
            format!("{stage:?}: a token with a changed byte at {at}"),
            ask(signing, &changed, id, TYPE),
        );
    }
}

fn tokens_of_the_peer(platform: &Platform, peer: &mut dyn Peer, tally: &mut Tally) {
    let (stage, ring) = (platform.stage, platform.ring());
    let id = platform.id.as_str();
    let mut sign = |text: &str, typ: &str, claims: Value| {
        let ask = json!({"do": "sign_jwt", "key": key(text), "typ": typ, "kid": "1", "claims": claims});
        let answer = peer.ask(ask).ok()?;
        answer["token"].as_str().map(str::to_owned)
    };
    let good = || json!({"exp": now() + 300, "iat": now(), "nbf": now() - 1, "aud": [id, "x"], "user": "\u{e9} ann"});
    let verify = |token: &str| ring.verify_jwt::<Value>(token);
    let known: &[&str] = match stage {
        Stage::Before => &[&platform.old],
        _ => &[&platform.old, &platform.new],
    };
    for text in known {
        let Some(token) = sign(text, TYPE, good()) else {
            return tally
                .check(format!("{stage:?}: the peer signs"), Err("was not accepted: no token".to_owned()));
        };
        if let Some(verified) = tally.accepted(format!("{stage:?}: a token of the peer"), verify(&token)) {
            let same = verified.claims()["user"] == "\u{e9} ann";
            tally.check(
                format!("{stage:?}: its claims"),
                same.then_some(()).ok_or(verified.claims().to_string()),
            );
        }
        for (at, changed) in changed(&token) {
            tally.refused(
                format!("{stage:?}: a token of the peer with a changed byte at {at}"),
                verify(&changed),
            );
        }
    }
    let mut refused = |what: &str, text: &str, typ: &str, change: &dyn Fn(&mut Value)| {
        let mut claims = good();
        change(&mut claims);
        if let Some(token) = sign(text, typ, claims) {
            tally.refused(format!("{stage:?}: a token of the peer, {what}"), verify(&token));
        }
    };
    refused("wrong key", "another client secret of 24", TYPE, &|_| {});
    refused("another type", &platform.old, "JWT", &|_| {});
    refused("expired", &platform.old, TYPE, &|claims| claims["exp"] = json!(now() - 61));
    refused("not yet valid", &platform.old, TYPE, &|claims| claims["nbf"] = json!(now() + 90));
    refused("another audience", &platform.old, TYPE, &|claims| claims["aud"] = json!("another-app"));
}

fn webhooks_of_the_registry(platform: &Platform, peer: &mut dyn Peer, tally: &mut Tally) {
    let stage = platform.stage;
    let body = "{\"type\":\"calendar.changed\",\"name\":\"\u{e9}\u{1f511}\"}";
    let (registry, id) = (&platform.registry, &platform.id);
    let one = block_on(registry.sign_webhook(id, "msg_1", body.as_bytes())).expect("signed");
    let all = block_on(registry.sign_webhook_with_all(id, "msg_1", body.as_bytes())).expect("signed");
    let mut ask = |text: &str, pairs: [(&str, &str); 3], body: &str| {
        let headers: Value =
            pairs.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
        peer.ask(json!({"do": "verify_webhook", "whsec": whsec(text), "headers": headers, "body": body}))
    };
    for (headers, knows) in [
        (&one, [stage != Stage::After, stage == Stage::After]),
        (&all, [stage != Stage::After, stage != Stage::Before]),
    ] {
        for (text, knows) in [&platform.old, &platform.new].into_iter().zip(knows) {
            let answer = ask(text, headers.pairs(), body);
            match knows {
                true => drop(tally.accepted(format!("{stage:?}: a webhook of the registry"), answer)),
                false => tally.refused(format!("{stage:?}: a webhook under a wrong key"), answer),
            }
        }
    }
    let signing = platform.signing();
    tally.refused(
        format!("{stage:?}: a webhook under a wrong key"),
        ask("another client secret of 24", all.pairs(), body),
    );
    for at in (0..body.len()).filter(|at| body.as_bytes()[*at].is_ascii_lowercase()) {
        let changed = format!("{}X{}", &body[..at], &body[at + 1..]);
        tally.refused(
            format!("{stage:?}: a webhook with a changed byte at {at}"),
            ask(signing, all.pairs(), &changed),
        );
    }
    let [id, timestamp, signature] = all.pairs();
    let seconds = (now() + 1).to_string();
    tally.refused(
        format!("{stage:?}: a webhook with a changed byte in its ID"),
        ask(signing, [(id.0, "msg_2"), timestamp, signature], body),
    );
    tally.refused(
        format!("{stage:?}: a webhook with a changed byte in its timestamp"),
        ask(signing, [id, (timestamp.0, &seconds), signature], body),
    );
}

fn webhooks_of_the_peer(platform: &Platform, peer: &mut dyn Peer, tally: &mut Tally) {
    let (stage, ring) = (platform.stage, platform.ring());
    let known: &[&str] = match stage {
        Stage::Before => &[&platform.old],
        _ => &[&platform.old, &platform.new],
    };
    for text in known {
        webhook_of_the_peer(&format!("{stage:?}"), &whsec(text), &ring, peer, tally);
    }
    let seconds = now().to_string();
    if let Some(signature) = sign_webhook(peer, &whsec("another client secret of 24"), "msg_3", "{}") {
        let answer = parse("msg_3", &seconds, &signature).map(|headers| ring.verify_webhook(&headers, b"{}"));
        tally.refused(
            format!("{stage:?}: a webhook of the peer, wrong key"),
            answer.and_then(|answer| answer),
        );
    }
}

/// A key that was never a client secret of ours, as another platform gives it out.
fn a_key_of_the_peer(peer: &mut dyn Peer, tally: &mut Tally) {
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let id = ClientId::parse("calendar-app").expect("a client ID");
    let ring = SecretRing::new(id, SharedSecret::parse_whsec(key).expect("a key"), None);
    webhook_of_the_peer("a key of 24 bytes", key, &ring, peer, tally);
}

fn webhook_of_the_peer(what: &str, key: &str, ring: &SecretRing, peer: &mut dyn Peer, tally: &mut Tally) {
    let (id, body, seconds) = ("msg_3", "{\"name\":\"\u{e9}\u{1f511}\"}", now());
    let Some(signature) = sign_webhook_at(peer, key, id, seconds, body) else {
        return tally
            .check(format!("{what}: the peer signs"), Err("was not accepted: no signature".to_owned()));
    };
    let seconds = seconds.to_string();
    let verify = |id: &str, signature: &str, body: &[u8]| {
        parse(id, &seconds, signature).and_then(|headers| ring.verify_webhook(&headers, body))
    };
    tally.accepted(format!("{what}: a webhook of the peer"), verify(id, &signature, body.as_bytes()));
    tally.refused(
        format!("{what}: a webhook of the peer with a changed byte in its ID"),
        verify("msg_4", &signature, body.as_bytes()),
    );
    for at in 0..body.len() {
        let mut changed = body.as_bytes().to_vec();
        changed[at] ^= 1;
        tally.refused(
            format!("{what}: a webhook of the peer with a changed byte at {at}"),
            verify(id, &signature, &changed),
        );
    }
    for (at, changed) in changed(&signature) {
        tally.refused(
            format!("{what}: a signature of the peer with a changed byte at {at}"),
            verify(id, &changed, body.as_bytes()),
        );
    }
}

fn sign_webhook(peer: &mut dyn Peer, key: &str, id: &str, body: &str) -> Option<String> {
    sign_webhook_at(peer, key, id, now(), body)
}

fn sign_webhook_at(peer: &mut dyn Peer, key: &str, id: &str, seconds: u64, body: &str) -> Option<String> {
    let ask = json!({"do": "sign_webhook", "whsec": key, "id": id, "seconds": seconds, "body": body});
    peer.ask(ask).ok()?["signature"].as_str().map(str::to_owned)
}

fn parse(
    id: &str,
    seconds: &str,
    signatures: &str,
) -> Result<WebhookHeaders, client_registry::webhooks::WebhookError> {
    WebhookHeaders::parse([
        (WebhookHeaders::ID, id),
        (WebhookHeaders::TIMESTAMP, seconds),
        (WebhookHeaders::SIGNATURE, signatures),
    ])
}

/// The text with one other character, at some places in each part. The last character of a part of base64 may have bits that stand for
/// nothing, which not every reader refuses: it is left as it is.
fn changed(text: &str) -> Vec<(usize, String)> {
    let last = |at: usize| at + 1 == text.len() || matches!(text.as_bytes()[at + 1], b'.' | b'=');
    let places = (0..text.len()).filter(|at| (at % 17 == 3 || at % 23 == 0) && !last(*at));
    let places = places.filter(|at| text.as_bytes()[*at].is_ascii_alphanumeric());
    places
        .map(|at| {
            let other = if &text[at..=at] == "A" { "B" } else { "A" };
            (at, format!("{}{other}{}", &text[..at], &text[at + 1..]))
        })
        .collect()
}

fn now() -> u64 {
    SystemClock::new().wall().as_secs().cast_unsigned()
}
