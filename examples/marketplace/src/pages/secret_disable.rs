//! `/clients/{id}/secrets/{secret}/disable`: disables a secret, with a plan (rule 12). It can be enabled again.

use askama::Template;
use axum::Router;
use client_registry::client::SecretDisabling;
use client_registry::store::DynStore;
use client_registry::{ClientHandle, Error, Plan, SecretId};

use crate::frame::Frame;
use crate::pages::head::Head;
use crate::pages::secret_planned::{self, AboutSecret, Question};
use crate::plans::PlanView;
use crate::shared::App;

pub(crate) fn routes() -> Router<App> {
    secret_planned::routes::<Page>()
}

#[derive(Template)]
#[template(path = "secret_disable.html")]
struct Page {
    frame: Frame,
    client: Head,
    secret: SecretId,
    plan: PlanView,
}

impl Question for Page {
    type Consequences = SecretDisabling;

    fn of(frame: Frame, client: Head, secret: SecretId, plan: PlanView) -> Self {
        Self { frame, client, secret, plan }
    }

    fn done(secret: SecretId) -> String {
        format!("Secret {secret} was disabled.")
    }
}

impl AboutSecret for Page {
    const PATH: &'static str = "/clients/{id}/secrets/{secret}/disable";

    async fn plan(client: &ClientHandle<DynStore>, secret: SecretId) -> Result<Plan<SecretDisabling>, Error> {
        client.plan_disabling(secret).await
    }
}
