//! `/clients/{id}/secrets/{secret}/close-early`: closes a rotation early: the secrets that were replaced end now (rule 11).

use askama::Template;
use axum::Router;
use client_registry::client::ClosingEarly;
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
#[template(path = "secret_close_early.html")]
struct Page {
    frame: Frame,
    client: Head,
    secret: SecretId,
    plan: PlanView,
}

impl Question for Page {
    type Consequences = ClosingEarly;

    fn of(frame: Frame, client: Head, secret: SecretId, plan: PlanView) -> Self {
        Self { frame, client, secret, plan }
    }

    fn done(secret: SecretId) -> String {
        format!("The rotation to secret {secret} was closed: what it replaced has ended.")
    }
}

impl AboutSecret for Page {
    const PATH: &'static str = "/clients/{id}/secrets/{secret}/close-early";

    async fn plan(client: &ClientHandle<DynStore>, secret: SecretId) -> Result<Plan<ClosingEarly>, Error> {
        client.plan_closing(secret).await
    }
}
