//! The secrets of a client ID as rows, for the pages that show them.

use client_registry::secret::SecretState;
use client_registry::{Purpose, Secret, SecretId, Snapshot};
use tower_sessions::session::Id;

use crate::hand_over::HandOver;
use crate::words::{self, When};

/// A secret, as it is shown.
pub(crate) struct SecretRow {
    pub(crate) id: SecretId,
    pub(crate) label: Option<String>,
    pub(crate) hint: Option<String>,
    pub(crate) purpose: &'static str,
    pub(crate) can_sign: bool,
    pub(crate) signs: bool,
    pub(crate) state: String,
    pub(crate) valid: bool,
    pub(crate) disabled: bool,
    pub(crate) ended: bool,
    pub(crate) from: When,
    pub(crate) until: Option<When>,
    pub(crate) latest: Option<When>,
    pub(crate) last_used: Option<When>,
    pub(crate) scheduled: Option<When>,
    pub(crate) replaced_by: Option<SecretId>,
    /// Whether its client secret was not shown yet.
    pub(crate) waits: bool,
}

impl SecretRow {
    /// Returns the rows of all secrets.
    pub(crate) fn all(snapshot: &Snapshot, hand_over: &HandOver, session: Option<Id>) -> Vec<Self> {
        snapshot.client().secrets().map(|secret| Self::of(secret, snapshot, hand_over, session)).collect()
    }

    /// Returns the row of a secret.
    pub(crate) fn of(
        secret: &Secret,
        snapshot: &Snapshot,
        hand_over: &HandOver,
        session: Option<Id>,
    ) -> Self {
        let (id, now, client) = (secret.id(), snapshot.at(), snapshot.client());
        let when = |at| When::new(at, now);
        let state = secret.state_at(now);
        let scheduled = client.promotions().iter().find(|one| one.secret() == id && one.at() > now);
        Self {
            id,
            label: secret.label().map(|label| label.as_str().to_owned()),
            hint: secret.hint().map(|hint| hint.as_str().to_owned()),
            purpose: words::purpose(secret.purpose()),
            can_sign: secret.purpose() == Purpose::SigningAndPassword,
            signs: snapshot.signing().secret() == Some(id),
            state: state.to_string(),
            valid: state == SecretState::Valid,
            disabled: secret.disabled_since().is_some(),
            ended: state == SecretState::Ended,
            from: when(secret.validity().from()),
            until: secret.validity().until().map(when),
            latest: secret.issued_until().map(|at| when(at).in_full()),
            last_used: snapshot.last_used(id).map(when),
            scheduled: scheduled.map(|one| when(one.at())),
            replaced_by: secret.replaced_by().filter(|by| client.secret(*by).is_some()),
            waits: session.is_some_and(|session| hand_over.waits(session, client.id(), id)),
        }
    }
}

/// A rotation that is under way.
pub(crate) struct Underway {
    /// The secret that came.
    pub(crate) by: SecretId,
    /// The secrets that it replaces and that have not ended.
    pub(crate) replaced: Vec<SecretId>,
    /// When the last of them ends.
    pub(crate) ends: Option<When>,
}

impl Underway {
    /// Returns the rotations that can be called off or closed early.
    pub(crate) fn all(snapshot: &Snapshot) -> Vec<Self> {
        let (client, now) = (snapshot.client(), snapshot.at());
        let of = |new: &Secret| {
            let replaced: Vec<_> = client
                .secrets()
                .filter(|one| one.replaced_by() == Some(new.id()) && one.validity().runs(now))
                .collect();
            let ends = replaced.iter().filter_map(|one| one.validity().until()).max();
            let replaced: Vec<_> = replaced.into_iter().map(Secret::id).collect();
            let by = new.id();
            (!replaced.is_empty()).then(|| Self { by, replaced, ends: ends.map(|ends| When::new(ends, now)) })
        };
        client.secrets().filter_map(of).collect()
    }

    /// Returns what is replaced, in words.
    pub(crate) fn replaced(&self) -> String {
        words::secrets(&self.replaced)
    }
}
