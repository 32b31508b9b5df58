//! A client as it is shown to people: what depends on the instant stands beside what was stored.
//!
//! A [`Client`] has no state of its secrets and no signing secret: both are computed from client and instant (rules 4 and 6). So
//! its JSON is that of a view, which knows the instant, the last uses and the policy.

use serde::{Serialize, Serializer};

use crate::client::{Client, LastUses, Promotion, Revocation, Signing, Suspension};
use crate::review::Finding;
use crate::secret::{Secret, SecretState};
use crate::value::{
    AddInId, Attributes, Availability, ClientDetails, ClientId, Policy, Revision, SecretId, SellerId,
    Timestamp,
};

/// A client at an instant, to be written as [JSON](crate::json): its secrets with state and last use, who signs and why, its
/// add-ins and promotions, and what a review finds.
#[derive(Debug, Clone, Copy)]
#[must_use = "a view is there to be written"]
pub struct ClientView<'a> {
    client: &'a Client,
    uses: &'a LastUses,
    policy: &'a Policy,
    at: Timestamp,
}

impl Client {
    /// Returns the client as it is at `t`, to be written as [JSON](crate::json). It takes what [`review`](Self::review) takes. The
    /// registry's [`Snapshot`](crate::Snapshot) has the same JSON.
    ///
    /// ```
    /// # use client_registry::*;
    /// # use client_registry::client::LastUses;
    /// # pollster::block_on(async {
    /// # let registry = Registry::in_memory();
    /// # let contoso = registry.as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let snapshot = contoso.client(issued.client_id()).snapshot().await?;
    /// # let client = snapshot.client();
    /// let (uses, policy) = (LastUses::default(), Policy::default());
    /// let json = serde_json::to_value(client.view(&uses, &policy, snapshot.at()))?;
    /// assert_eq!(json["signing"]["secret"], 1);
    /// assert_eq!(json["secrets"][0]["state"], "valid");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn view<'a>(
        &'a self,
        uses: &'a LastUses,
        policy: &'a Policy,
        t: impl Into<Timestamp>,
    ) -> ClientView<'a> {
        ClientView { client: self, uses, policy, at: t.into() }
    }
}

impl Serialize for ClientView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { client, uses, policy, at } = *self;
        let signing = client.signing_at(at);
        let secrets = client.secrets().map(|secret| SecretMembers {
            secret,
            state: secret.state_at(at),
            signs: signing.secret() == Some(secret.id()),
            last_used: uses.of(secret.id()),
        });
        let remembered =
            client.remembered().map(|(secret, revocation)| RememberedMembers { secret, revocation });
        let members = Members {
            client_id: client.id(),
            owner: client.owner(),
            details: client.details(),
            availability: client.availability(),
            attributes: client.attributes(),
            suspension: client.suspension(),
            registered_at: client.registered_at(),
            transferred_at: client.transferred_at(),
            changed_at: client.changed_at(),
            revision: client.revision(),
            at,
            signing,
            secrets: secrets.collect(),
            promotions: client.promotions(),
            add_ins: client.add_ins(),
            remembered: remembered.collect(),
            findings: client.review(uses, policy, at),
        };
        members.serialize(serializer)
    }
}

#[derive(Serialize)]
struct Members<'a> {
    client_id: &'a ClientId,
    owner: &'a SellerId,
    details: &'a ClientDetails,
    availability: Availability,
    attributes: &'a Attributes,
    suspension: Option<&'a Suspension>,
    registered_at: Timestamp,
    transferred_at: Option<Timestamp>,
    changed_at: Timestamp,
    revision: Revision,
    at: Timestamp,
    signing: Signing,
    secrets: Vec<SecretMembers<'a>>,
    promotions: &'a [Promotion],
    add_ins: &'a [AddInId],
    remembered: Vec<RememberedMembers>,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct SecretMembers<'a> {
    #[serde(flatten)]
    secret: &'a Secret,
    state: SecretState,
    signs: bool,
    last_used: Option<Timestamp>,
}

#[derive(Serialize)]
struct RememberedMembers {
    secret: SecretId,
    revocation: Revocation,
}
