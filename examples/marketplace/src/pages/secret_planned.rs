//! What the pages that carry out a plan about a secret have in common: the plan is shown with "are you sure?", confirmed, and shown again
//! if it has changed (rule 9).

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use axum::{Form, Router};
use client_registry::store::DynStore;
use client_registry::{ClientHandle, Error, Plan, SecretId};

use crate::failure::Failure;
use crate::frame::{Frame, Notice, page};
use crate::pages::head::Head;
use crate::plans::{self, Confirmation, InWords, PlanView};
use crate::shared::App;
use crate::signed_in::AsSeller;

/// A page that asks "are you sure?" of a plan about a secret.
pub(crate) trait Question: Template {
    /// The consequences of the plan.
    type Consequences: InWords + Send;

    /// Returns the page.
    fn of(frame: Frame, client: Head, secret: SecretId, plan: PlanView) -> Self;

    /// Returns what is said after the plan was carried out.
    fn done(secret: SecretId) -> String;
}

/// A question whose plan needs to know nothing but the secret.
pub(crate) trait AboutSecret: Question + 'static {
    /// Its path, with `{id}` and `{secret}`.
    const PATH: &'static str;

    /// Makes the plan.
    fn plan(
        client: &ClientHandle<DynStore>,
        secret: SecretId,
    ) -> impl Future<Output = Result<Plan<Self::Consequences>, Error>> + Send;
}

pub(crate) fn routes<Q: AboutSecret>() -> Router<App> {
    Router::new().route(Q::PATH, get(show::<Q>).post(confirm::<Q>))
}

async fn show<Q: AboutSecret>(
    as_seller: AsSeller,
    Path((id, secret)): Path<(String, SecretId)>,
) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let head = Head::of(&client).await?;
    let (back, plan) = (head.path(), Q::plan(&client, secret).await);
    plans::show(as_seller, &back, plan, |frame, plan| page(&Q::of(frame, head, secret, plan))).await
}

pub(crate) async fn confirm<Q: Question>(
    as_seller: AsSeller,
    Path((id, secret)): Path<(String, SecretId)>,
    Form(confirmation): Form<Confirmation>,
) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let head = Head::of(&client).await?;
    let (to, done) = (head.path(), Notice::new(true, &Q::done(secret)));
    let again = |frame, plan| page(&Q::of(frame, head, secret, plan));
    plans::confirm::<Q::Consequences>(as_seller, &client, &confirmation, (&to, done), again).await
}
