//! `/clients/{id}/secrets/{secret}/call-off`: calls a rotation off: the secret that came is deleted, and the old ones get back their ends (rule 11).

use askama::Template;
use axum::Router;
use client_registry::client::CallingOff;
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
#[template(path = "secret_call_off.html")]
struct Page {
    frame: Frame,
    client: Head,
    secret: SecretId,
    plan: PlanView,
}

impl Question for Page {
    type Consequences = CallingOff;

    fn of(frame: Frame, client: Head, secret: SecretId, plan: PlanView) -> Self {
        Self { frame, client, secret, plan }
    }

    fn done(secret: SecretId) -> String {
        format!("The rotation was called off, and secret {secret} was deleted.")
    }
}

impl AboutSecret for Page {
    const PATH: &'static str = "/clients/{id}/secrets/{secret}/call-off";

    async fn plan(client: &ClientHandle<DynStore>, secret: SecretId) -> Result<Plan<CallingOff>, Error> {
        client.plan_calling_off(secret).await
    }
}
