//! Commands that are tied to the revision that their giver saw.

use client_registry::value::{Attributes, Revision};
use client_registry::*;
use pollster::block_on;

use crate::support::{Platform, days_later, details, secret_id, start};

/// A command that the client has moved on from is refused, whichever it is, and shows the client as it is now; the same command of a
/// handle that saw the latest revision is not. An emergency never is.
#[test]
fn every_command_of_a_tied_handle_is_refused_once_the_client_has_moved_on() {
    block_on(async {
        let platform = Platform::new();
        let issued = platform.register("calendar app").await;
        let other = platform.register("another app").await;
        let client = platform.contoso.client(issued.client_id());
        let add_in = AddIn::new("mail-helper", Availability::Worldwide).unwrap();
        client.associate(&add_in).await.unwrap();
        let rotated = client.rotate(Rotation::overlap(Days::new(9))).await.unwrap();
        let seen = client.snapshot().await.unwrap().client().revision();
        let (first, came) = (issued.secret_id(), rotated.secret_id());
        let deletion = client.plan_deletion(came).await.unwrap();
        client.change_details(details("agenda")).await.unwrap();
        let now = client.snapshot().await.unwrap().client().revision();
        assert_ne!(seen, now);

        let tied = client.if_at(seen);
        let by_operator = platform.registry.as_operator("ann").unwrap().client(issued.client_id());
        let year = || NewSecret::lasting(Lifetime::OneYear);
        let tomorrow = days_later(start(), 1);
        let attributes = Attributes::new([("a", "b")]).unwrap();
        let answers = [
            tied.change_details(details("diary")).await.map(drop),
            tied.change_attributes(attributes).await.map(drop),
            tied.add_secret(year()).await.map(drop),
            tied.rotate(Rotation::overlap(Days::new(2))).await.map(drop),
            tied.promote(came).await.map(drop),
            tied.schedule_promotion(first, tomorrow).await.map(drop),
            tied.withdraw_promotion(came).await.map(drop),
            tied.enable(first).await.map(drop),
            tied.associate(&add_in).await.map(drop),
            tied.dissociate(add_in.id()).await.map(drop),
            tied.move_add_in(add_in.id(), other.client_id()).await.map(drop),
            tied.suspend().await.map(drop),
            by_operator.if_at(seen).transfer(&SellerId::parse("fabrikam").unwrap()).await.map(drop),
            tied.resume().await.map(drop),
            failed(tied.call_off(came).await),
            failed(tied.close_early(came).await),
            failed(tied.move_end(first, tomorrow).await),
            tied.import_secret(crate::support::foreign(1, crate::support::validity(start(), tomorrow)))
                .await
                .map(drop),
        ];
        for (number, answer) in answers.into_iter().enumerate() {
            match answer {
                Err(Error::MovedOn { now: shown }) => {
                    assert_eq!(shown.client().revision(), now, "answer {number}");
                    assert_eq!(shown.client().details(), &details("agenda"));
                }
                other => panic!("answer {number}: {other:?}"),
            }
        }
        let plan = tied.confirm(deletion).await;
        assert!(plan.is_err(), "{plan:?}");
        assert_eq!(client.snapshot().await.unwrap().client().revision(), now, "nothing was changed");

        // Queries and plans look, whatever the handle has seen.
        tied.snapshot().await.unwrap();
        let _ = tied.plan_calling_off(came).await.unwrap();
        let _ = tied.delete_in_emergency(came, None).await.unwrap();
        assert_eq!(tied.mark_compromised(came).await.unwrap(), Outcome::Unchanged);

        let latest = client.snapshot().await.unwrap().client().revision();
        assert_eq!(client.if_at(latest).promote(secret_id(1)).await.unwrap(), Outcome::Changed);
        let ahead = client.if_at(Revision::new(999)).suspend().await;
        assert!(matches!(ahead, Err(Error::MovedOn { .. })), "{ahead:?}");
    });
}

fn failed<T, C>(answer: Result<T, registry::ConfirmError<C>>) -> Result<(), Error> {
    match answer {
        Ok(_) => Ok(()),
        Err(client::ConfirmError::Failed(error)) => Err(error),
        Err(_) => panic!("a plan came back"),
    }
}
