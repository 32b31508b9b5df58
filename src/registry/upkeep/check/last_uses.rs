//! Checking last uses, for which nothing vouches: a time that no clock can have shown is reported (rule 9).

use crate::client::believable_until;
use crate::record::Opened;
use crate::registry::Registry;
use crate::registry::upkeep::check::discrepancy::DiscrepancyKind;
use crate::registry::upkeep::check::sweep::{Sweep, readable};
use crate::store::{Store, Use};
use crate::store_error::StoreError;

impl<S: Store> Registry<S> {
    /// Reads the last uses of a client's secrets.
    pub(super) async fn check_last_uses(&self, opened: &Opened, sweep: &mut Sweep) -> Result<(), StoreError> {
        let client_id = opened.client_id();
        let uses = match self.inner.store.last_uses(client_id).await {
            Ok(uses) => uses,
            Err(error) => {
                sweep.fault(client_id, DiscrepancyKind::LastUses(readable(error)?));
                return Ok(());
            }
        };
        let secret_of = |secret| opened.client().ok().and_then(|client| client.secret(secret));
        sweep.latest = sweep.latest.max(Some(opened.changed_at()));
        for (secret, at) in uses.iter() {
            match secret_of(secret) {
                Some(found) if at >= found.added_at() => {
                    sweep.uses.push(Use { client_id: client_id.clone(), secret, at });
                }
                // The secret may have been added or deleted between the two look-ups.
                None if self.load(client_id).await?.map(|now| now.revision()) != Some(opened.revision()) => {}
                Some(_) | None => sweep.fault(client_id, DiscrepancyKind::LastUse { secret, at }),
            }
        }
        Ok(())
    }

    /// Reports the last uses that are more than a minute ahead, once all clients were read.
    pub(super) fn judge_last_uses(&self, sweep: &mut Sweep) {
        // A clock that is behind a change in the store cannot judge the uses since.
        let latest = believable_until(sweep.latest.map_or(self.now(), |latest| latest.max(self.now())));
        for Use { client_id, secret, at } in std::mem::take(&mut sweep.uses) {
            if at > latest {
                sweep.fault(&client_id, DiscrepancyKind::LastUse { secret, at });
            }
        }
    }
}
