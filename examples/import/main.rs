//! Moving in: client IDs and client secrets of an old system come from the JSON file beside this example, with both key
//! encodings. Afterwards the platform signs exactly as the old system did, and nobody has to change anything.
//!
//! ```text
//! cargo run --example import
//! ```

#[path = "../place/mod.rs"]
mod place;

use std::error::Error;

use client_registry::client::{ImportedClient, ImportedSecret};
use client_registry::clock::ManualClock;
use client_registry::secret::KeyEncoding;
use client_registry::value::{Label, Validity};
use client_registry::{
    AddIn, Availability, ClientDetails, ClientId, ClientSecret, Registry, SellerId, Timestamp,
};
use serde::Deserialize;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::new("2026-03-01T09:00:00Z".parse()?);
    let registry = place::begin("import", Registry::builder().clock(clock)).await?;
    let operator = registry.as_operator("migration")?;
    let file: Vec<OldClient> = serde_json::from_str(include_str!("clients.json"))?;

    for old in &file {
        println!("\n{} ({}, {})", old.client_id, old.seller, old.friendly_name);
        match operator.import(old.to_import()?).await {
            Ok(outcome) => println!("   first time    {outcome:?}"),
            Err(refused) => {
                println!("   refused       {refused}");
                continue;
            }
        }
        println!("   once more     {:?}", operator.import(old.to_import()?).await?);

        let client_id = old.client_id.parse()?;
        let OldSignature { message, hmac_sha256 } = &old.signed_by_the_old_system;
        let signature = registry.sign(&client_id, message.as_bytes()).await?;
        let ours = data_encoding::HEXLOWER.encode(signature.mac());
        let verdict = if ours == *hmac_sha256 { "equal" } else { "NOT EQUAL" };
        println!("   old system    {hmac_sha256}");
        println!("   registry      {ours}  {verdict}, by secret {}", signature.secret_id());

        for secret in &old.secrets {
            let who = registry.authenticate(&old.client_id, &secret.client_secret).await?;
            println!("   password      secret {} ({:?}) works", who.secret_id(), secret.key_encoding);
        }
        println!("   timeline");
        let snapshot = operator.client(&client_id).snapshot().await?;
        for line in snapshot.client().timeline().to_string().lines() {
            println!("      {line}");
        }
    }
    Ok(())
}

/// A client ID as the old system exports it.
#[derive(Deserialize)]
struct OldClient {
    client_id: String,
    seller: String,
    friendly_name: String,
    app_domain: String,
    redirect_url: String,
    availability: Availability,
    add_ins: Vec<String>,
    secrets: Vec<OldSecret>,
    signed_by_the_old_system: OldSignature,
}

#[derive(Deserialize)]
struct OldSecret {
    client_secret: String,
    key_encoding: KeyEncoding,
    from: Timestamp,
    until: Option<Timestamp>,
    label: Option<Label>,
    #[serde(default)]
    signs_today: bool,
}

#[derive(Deserialize)]
struct OldSignature {
    message: String,
    hmac_sha256: String,
}

impl OldClient {
    fn to_import(&self) -> Result<ImportedClient, Box<dyn Error>> {
        let id = ClientId::parse(&self.client_id)?;
        let owner = SellerId::parse(&self.seller)?;
        let details = ClientDetails::new(&self.friendly_name, &self.app_domain, &self.redirect_url)?;
        let mut client = ImportedClient::new(id, owner, details, self.availability);
        for secret in &self.secrets {
            client = client.with_secret(secret.to_import()?);
        }
        for add_in in &self.add_ins {
            client = client.with_add_in(AddIn::new(add_in, self.availability)?);
        }
        Ok(client)
    }
}

impl OldSecret {
    fn to_import(&self) -> Result<ImportedSecret, Box<dyn Error>> {
        let validity = Validity::new(self.from, self.until)?;
        let client_secret = ClientSecret::parse(&self.client_secret)?;
        let mut secret = ImportedSecret::new(client_secret, validity, self.key_encoding);
        if let Some(label) = &self.label {
            secret = secret.labelled(label.clone());
        }
        Ok(if self.signs_today { secret.signing_today() } else { secret })
    }
}
