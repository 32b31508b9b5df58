//! What must be true of a registry that an earlier version left behind, and whether it is.

use client_registry::event::{EventHash, check_trail};
use client_registry::record::KeyState;
use client_registry::store::Store;
use client_registry::value::Revision;
use client_registry::*;

use super::details;

pub(super) async fn outcome<S: Store>(
    registry: &Registry<S>,
    id: &ClientId,
    text: &str,
    secret: SecretId,
) -> String {
    match registry.authenticate(id.as_str(), text).await {
        Ok(who) => {
            assert_eq!(who.secret_id(), secret);
            "Valid".to_owned()
        }
        Err(AccessError::Denied(denied)) => format!("{:?}", denied.reason()),
        Err(other) => panic!("{other}"),
    }
}

/// What calling off the rotation of the client that was moved in would restore; its secret 4 came with it.
pub(super) async fn called_off<S: Store>(registry: &Registry<S>, id: &ClientId) -> String {
    let client = registry.as_operator("ann").unwrap().client(id);
    match client.plan_calling_off(SecretId::new(4).unwrap()).await {
        Ok(plan) => format!("{:?}", plan.restores().iter().map(|secret| secret.number()).collect::<Vec<_>>()),
        Err(Error::Refused(refusal)) => refusal.code().to_owned(),
        Err(other) => panic!("{other}"),
    }
}

pub(super) async fn signature<S: Store>(registry: &Registry<S>, id: &ClientId) -> String {
    registry.sign(id, b"fixture").await.map_or("none".to_owned(), |signature| signature.to_string())
}

pub(super) async fn owner<S: Store>(operator: &Operator<S>, add_in: &str) -> String {
    let found = operator.client_of(&AddInId::parse(add_in).unwrap()).await.unwrap();
    found.map_or("none".to_owned(), |found| found.client().id().to_string())
}

/// Checks that everything is true that the facts say: who is let in and why not, the last uses, the signatures, the trails, the
/// add-ins; that the registry is sound; and that it can be changed.
pub(crate) async fn examine<S: Store>(registry: &Registry<S>, facts: &str) {
    let operator = registry.as_operator("ann").unwrap();
    let checked = registry.check().await.unwrap();
    assert!(checked.is_clean(), "{:?}", checked.discrepancies);
    assert_eq!(checked.clients, 4);
    let retired: Vec<_> = registry.keys().await.unwrap();
    assert_eq!(retired.iter().filter(|key| key.state == KeyState::Retired).count(), 1);
    let mut reasons = std::collections::BTreeSet::new();
    let mut seen = 0;
    for line in facts.lines() {
        let words: Vec<_> = line.split('\t').collect();
        let id = |text: &str| ClientId::parse(text).unwrap();
        seen += 1;
        match words[..] {
            ["at", _] => {}
            ["secret", client_id, secret, text, expected, last_used] => {
                let (client_id, secret) = (id(client_id), SecretId::new(secret.parse().unwrap()).unwrap());
                if let Ok(snapshot) = operator.client(&client_id).snapshot().await {
                    let found = snapshot.last_used(secret).map_or("never".to_owned(), |at| at.to_string());
                    assert_eq!(found, last_used, "{line}");
                }
                assert_eq!(outcome(registry, &client_id, text, secret).await, expected, "{line}");
                reasons.insert(expected);
            }
            ["signature", client_id, expected] => {
                assert_eq!(signature(registry, &id(client_id)).await, expected, "{line}");
            }
            ["trail", client_id, count, head] => {
                let events = operator.client(&id(client_id)).trail(Revision::ZERO, 1000).await.unwrap();
                assert_eq!(events.len().to_string(), count, "{line}");
                check_trail(&events, EventHash::START, head.parse().unwrap()).unwrap();
            }
            ["owner", client_id, owner] => {
                let snapshot = operator.client(&id(client_id)).snapshot().await.unwrap();
                assert_eq!(snapshot.client().owner().as_str(), owner, "{line}");
            }
            ["attribute", client_id, key, value] => {
                let snapshot = operator.client(&id(client_id)).snapshot().await.unwrap();
                assert_eq!(snapshot.client().attributes().get(key), Some(value), "{line}");
            }
            ["calling-off", client_id, expected] => {
                assert_eq!(called_off(registry, &id(client_id)).await, expected, "{line}");
            }
            ["add-in", add_in, expected] => assert_eq!(owner(&operator, add_in).await, expected, "{line}"),
            _ => panic!("{line}"),
        }
    }
    // The first set tells nothing of format 2. An older rotation has kept nothing that could be given back.
    let is_first = !facts.contains("calling-off");
    let mut all = vec!["ClientDeleted", "Compromised", "Deleted", "Disabled", "Ended", "Valid"];
    if is_first {
        let moved_in = ClientId::parse("Moved.In-2026_A").unwrap();
        assert_eq!(called_off(registry, &moved_in).await, "cannot_call_off");
    } else {
        all.insert(5, "Suspended");
    }
    assert_eq!(seen, if is_first { 26 } else { 31 }, "facts");
    assert_eq!(reasons.into_iter().collect::<Vec<_>>(), all);
    go_on(registry, facts).await;
}

/// It is no museum: secrets come and go, and everything is still sound.
async fn go_on<S: Store>(registry: &Registry<S>, facts: &str) {
    let contoso = registry.as_seller("contoso").unwrap();
    let new = contoso.register(details("new app"), Lifetime::OneYear).await.unwrap();
    registry.authenticate(new.client_id().as_str(), new.client_secret().expose()).await.unwrap();
    let (mut deleted, mut trails) = (0, 0);
    for line in facts.lines() {
        let words: Vec<_> = line.split('\t').collect();
        if let ["secret", client_id, secret, text, "Valid", _] = words[..] {
            let client_id = ClientId::parse(client_id).unwrap();
            let secret = SecretId::new(secret.parse().unwrap()).unwrap();
            let client = registry.as_operator("ann").unwrap().client(&client_id);
            let _ = client.delete_in_emergency(secret, None).await.unwrap();
            assert_eq!(outcome(registry, &client_id, text, secret).await, "Compromised");
            deleted += 1;
        }
        if let ["trail", client_id, count, _] = words[..] {
            let client = registry.as_operator("ann").unwrap().client(&ClientId::parse(client_id).unwrap());
            let events = client.trail(Revision::ZERO, 1000).await.unwrap();
            assert!(events.len() >= count.parse().unwrap(), "{line}");
            trails += 1;
        }
    }
    assert!((6..=7).contains(&deleted) && trails == 4, "{deleted} {trails}");
    let checked = registry.check().await.unwrap();
    assert!(checked.is_clean(), "{:?}", checked.discrepancies);
}
