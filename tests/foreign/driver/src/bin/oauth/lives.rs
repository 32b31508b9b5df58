//! The life of a token: it ends when its secret is deleted, and while its client is suspended. Another node does both.

use std::time::Duration;

use client_registry::store::SqliteStore;
use client_registry::{Lifetime, NewSecret, Registry};
use pollster::block_on;

use crate::peer::{Answer, METHODS, OAuth2, Peer, Sender};
use crate::platform::{Platform, now};
use crate::tally::Tally;

pub(crate) fn run(platform: &Platform, url: &str, peers: &mut [Box<dyn Peer>], tally: &mut Tally) {
    let registry = platform.registry();
    let api = |method| Sender { url, method, id: &platform.api.0, secret: &platform.api.1 };
    for (number, peer) in peers.iter_mut().enumerate() {
        let issued = register(&registry, number);
        let client_id = issued.client_id();
        let handle = registry.as_seller("contoso").expect("a seller").client(client_id);
        let mine = Sender {
            url,
            method: METHODS[0],
            id: client_id.as_str(),
            secret: issued.client_secret().expose(),
        };
        let name = peer.name();
        let Answer::Token(token) = peer.token(mine) else {
            tally.check(format!("{name}: a token of a new client"), Err("none".to_owned()));
            continue;
        };
        for method in METHODS {
            if let Some(answer) = peer.introspect(Sender { method, ..mine }, &token) {
                tally.check(format!("{name}: its own token, {method}"), equal(&answer, true));
            }
            if let Some(answer) = peer.introspect(api(method), &token) {
                tally.check(
                    format!("{name}: another's token, by a resource server, {method}"),
                    equal(&answer, true),
                );
            }
            if let Some(answer) = peer.introspect(api(method), &token[1..]) {
                tally.check(format!("{name}: no token, {method}"), equal(&answer, false));
            }
            if let Some(answer) = peer.discover(Sender { method, ..mine }) {
                let token = matches!(answer, Answer::Token(_));
                tally.check(
                    format!("{name}: a server that was discovered, {method}"),
                    token.then_some(()).ok_or(format!("{answer:?}")),
                );
            }
        }
        let mut until = |what: &str, active: bool, tally: &mut Tally| {
            let deadline = now().saturating_add(Duration::from_secs(10));
            loop {
                let asked = peer.introspect(api(METHODS[0]), &token);
                // A library that cannot ask: another one asks for it.
                let answer = asked.or_else(|| OAuth2.introspect(api(METHODS[0]), &token));
                let answer = answer.unwrap_or(Answer::NotSent);
                let holds = equal(&answer, active);
                if holds.is_ok() || now() > deadline {
                    return tally.check(format!("{name}: its token, {what}"), holds);
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        };
        block_on(handle.suspend()).expect("suspended");
        until("of a suspended client", false, tally);
        block_on(handle.resume()).expect("resumed");
        until("of a client that was resumed", true, tally);
        let second = block_on(handle.add_secret(NewSecret::lasting(Lifetime::OneYear))).expect("added");
        let _ = block_on(handle.delete_in_emergency(issued.secret_id(), None)).expect("deleted");
        until("of a deleted secret", false, tally);
        let answer = peer.token(mine);
        let refused = answer == Answer::Error("invalid_client".to_owned());
        tally.check(
            format!("{name}: a secret that was deleted just now"),
            refused.then_some(()).ok_or(format!("{answer:?}")),
        );
        let answer = peer.token(Sender { secret: second.client_secret().expose(), ..mine });
        let token = matches!(answer, Answer::Token(_));
        tally.check(
            format!("{name}: a secret that was added just now"),
            token.then_some(()).ok_or(format!("{answer:?}")),
        );
    }
}

fn register(registry: &Registry<SqliteStore>, number: usize) -> client_registry::Issued {
    let name = format!("life {number}");
    let details =
        client_registry::ClientDetails::new(&name, "app.contoso.com", "https://app.contoso.com/done");
    let contoso = registry.as_seller("contoso").expect("a seller");
    block_on(contoso.register(details.expect("details"), Lifetime::OneYear)).expect("registered")
}

fn equal(answer: &Answer, active: bool) -> Result<(), String> {
    (*answer == Answer::Active(active)).then_some(()).ok_or(format!("{answer:?}"))
}
