//! Plans: shown in words, sent to the browser as JSON in a hidden field, and confirmed (rule 9). What comes back is not believed:
//! confirming decides anew, and a plan that has changed is shown again.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use client_registry::client::{
    CallingOff, ClientDeletion, ClosingEarly, ConfirmError, EndMove, Planned, SecretDeletion, SecretDisabling,
};
use client_registry::store::DynStore;
use client_registry::{ClientHandle, Error, Plan, Refusal, SecretId, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::frame::{Frame, Notice};
use crate::prose::Prose;
use crate::signed_in::{AsSeller, not_done};
use crate::words::{self, sentence};

/// What `plan.html` shows.
pub(crate) struct PlanView {
    /// The plan, to be sent back.
    pub(crate) json: String,
    /// The consequences.
    pub(crate) consequences: Vec<Prose>,
    /// What stands in the way.
    pub(crate) obstacles: Vec<Prose>,
    /// Whether it differs from the one that was confirmed.
    pub(crate) changed: bool,
}

/// A plan that was sent back.
#[derive(Deserialize)]
pub(crate) struct Confirmation {
    plan: String,
}

/// A plan that has words.
pub(crate) trait InWords: Planned + Serialize + DeserializeOwned {
    /// Returns the consequences, a sentence each.
    fn in_words(plan: &Plan<Self>) -> Vec<String>;
}

impl PlanView {
    /// Returns a plan as it is shown.
    pub(crate) fn of<C: InWords>(plan: &Plan<C>, changed: bool) -> Result<Self, Failure> {
        let (at, prose) = (plan.at(), |text: String| Prose::new(text, plan.at()));
        let mut consequences = C::in_words(plan);
        consequences.push(last_use(plan.last_used(), at));
        if let Some(ahead) = plan.use_ahead() {
            consequences
                .push(format!("A use was noted at {ahead}, which is still to come: check the clocks."));
        }
        Ok(Self {
            json: serde_json::to_string(plan).map_err(|error| Failure::internal(&error))?,
            consequences: consequences.into_iter().map(prose).collect(),
            obstacles: plan.obstacles().iter().map(|one| prose(sentence(&one.to_string()))).collect(),
            changed,
        })
    }
}

/// Shows a plan, or says on another page why there is none.
pub(crate) async fn show<C: InWords>(
    as_seller: AsSeller,
    back: &str,
    plan: Result<Plan<C>, Error>,
    render: impl FnOnce(Frame, PlanView) -> Response,
) -> Result<Response, Failure> {
    match plan {
        Ok(plan) => Ok(render(as_seller.frame, PlanView::of(&plan, false)?)),
        Err(error) => refused(&as_seller, back, error).await,
    }
}

/// Carries out a plan that was sent back, or shows the new one.
pub(crate) async fn confirm<C: InWords>(
    as_seller: AsSeller,
    client: &ClientHandle<DynStore>,
    confirmation: &Confirmation,
    (to, done): (&str, Notice),
    render: impl FnOnce(Frame, PlanView) -> Response,
) -> Result<Response, Failure> {
    let Ok(plan) = serde_json::from_str::<Plan<C>>(&confirmation.plan) else {
        let detail = "the form does not hold a plan: open the page again";
        return Err(Failure::new(StatusCode::BAD_REQUEST, "Not a plan", detail));
    };
    let (plan, changed) = match client.confirm(plan).await {
        Ok(_) => return as_seller.go_with(to, done).await,
        Err(ConfirmError::Changed(plan)) => (plan, true),
        Err(ConfirmError::Obstructed(plan)) => (plan, false),
        Err(ConfirmError::Failed(error)) => return refused(&as_seller, to, error).await,
        Err(error) => return Err(Failure::internal(&error)),
    };
    let shown = render(as_seller.frame, PlanView::of(&plan, changed)?);
    Ok((StatusCode::CONFLICT, shown).into_response())
}

async fn refused(as_seller: &AsSeller, back: &str, error: Error) -> Result<Response, Failure> {
    match error {
        Error::Refused(Refusal::UnknownClient) => Err(Failure::not_found("client ID")),
        Error::Refused(Refusal::ClientDeleted) => as_seller.not_done("/clients", &not_done(&error)).await,
        Error::Refused(refusal) => as_seller.not_done(back, &not_done(&refusal)).await,
        error => Err(error.into()),
    }
}

fn last_use(last_used: Option<Timestamp>, now: Timestamp) -> String {
    match last_used {
        Some(at) if at <= now => format!("Last use: {at}."),
        Some(at) => format!("Last use: {at}, by the clock of another server."),
        None => "It was never used, as far as is known.".to_owned(),
    }
}

/// Returns who signs then, and which passwords are left.
fn then(signs: Option<SecretId>, next: Option<SecretId>, left: &[SecretId]) -> Vec<String> {
    let signing = match (signs, next) {
        (Some(now), Some(next)) if now == next => format!("Secret {now} goes on signing."),
        (Some(now), Some(next)) => format!("Secret {now} signs now, and secret {next} signs next."),
        (Some(now), None) => format!("Secret {now} signs now, and nothing would sign any longer."),
        (None, Some(next)) => format!("Nothing signs now, and secret {next} signs next."),
        (None, None) => "Nothing signs, now and then.".to_owned(),
    };
    let left = match left {
        [] => "No valid secret would be left: the add-in would be cut off.".to_owned(),
        [one] => format!("Secret {one} is left as a password."),
        several => {
            format!("{} are left as passwords.", sentence(&words::secrets(several)).trim_end_matches('.'))
        }
    };
    vec![signing, left]
}

macro_rules! in_words {
    ($($consequences:ty: |$plan:ident| $first:expr;)*) => { $(
        impl InWords for $consequences {
            fn in_words($plan: &Plan<Self>) -> Vec<String> {
                let mut words = vec![$first];
                words.extend(then($plan.signs(), $plan.signs_next(), $plan.valid_left()));
                words
            }
        }
    )* };
}

in_words! {
    SecretDeletion: |plan| format!("Secret {} is deleted for good: a caller that presents it is refused.", plan.secret());
    SecretDisabling: |plan| format!("Secret {} is refused until it is enabled again. Its end stays.", plan.secret());
    CallingOff: |plan| format!(
        "Secret {} is deleted, and {} gets back the end and the promotions that it had.",
        plan.secret(),
        words::secrets(plan.restores())
    );
    ClosingEarly: |plan| format!("Now ends {}. Secret {} stays.", words::secrets(plan.ends()), plan.secret());
    EndMove: |plan| format!(
        "Secret {} ends at {} instead of {}.",
        plan.secret(),
        plan.until(),
        plan.before().map_or("never".to_owned(), |before| before.to_string())
    );
}

impl InWords for ClientDeletion {
    fn in_words(plan: &Plan<Self>) -> Vec<String> {
        let add_ins = match plan.add_ins() {
            [] => "No add-in uses it.".to_owned(),
            add_ins => {
                let names: Vec<_> = add_ins.iter().map(ToString::to_string).collect();
                format!("These add-ins lose access: {}.", names.join(", "))
            }
        };
        let valid = match plan.valid_secrets() {
            [] => "It has no valid secret.".to_owned(),
            valid => format!("Valid until now: {}.", words::secrets(valid)),
        };
        let name = plan.friendly_name();
        vec![
            format!("“{name}” is deleted for ever, with all its secrets. Its ID is never used again."),
            add_ins,
            valid,
        ]
    }
}
