//! What a finding says to people and to programs, and the review by the registry.

use client_registry::clock::ManualClock;
use client_registry::review::Severity;
use client_registry::value::{Actor, AppDomain, OperatorId, RedirectUrl, Validity};
use client_registry::{ClientDetails, Days, Finding, Lifetime, NewSecret, Refusal, Registry, SellerId};
use pollster::block_on;

use crate::support::{instant, secret_id};

pub(crate) fn every_finding() -> Vec<(Finding, Severity, &'static str, &'static str)> {
    let (one, two) = (secret_id(1), secret_id(2));
    let (early, late) = (instant("2026-03-01T09:00:00Z"), instant("2026-04-01T09:00:00Z"));
    let (critical, warning, info) = (Severity::Critical, Severity::Warning, Severity::Info);
    let seller = Actor::Seller(SellerId::parse("contoso").unwrap());
    let operator = Actor::Operator(OperatorId::parse("ann").unwrap());
    vec![
        (
            Finding::Suspended { since: early, by: seller },
            critical,
            "suspended",
            "seller contoso suspended the client ID at 2026-03-01T09:00:00.000Z, so nothing of it authenticates or signs: resume it",
        ),
        (
            Finding::Suspended { since: early, by: operator },
            critical,
            "suspended",
            "operator ann suspended the client ID at 2026-03-01T09:00:00.000Z, so nothing of it authenticates or signs: ask the \
             operators of the platform to resume it",
        ),
        (Finding::NoValidSecret { until: None }, critical, "no_valid_secret", "no secret is valid: add one"),
        (
            Finding::NoValidSecret { until: Some(early) },
            critical,
            "no_valid_secret",
            "no secret is valid until 2026-03-01T09:00:00.000Z: add one if that is too late",
        ),
        (
            Finding::NoSigningSecret { until: None },
            critical,
            "no_signing_secret",
            "no secret signs: add or enable one that can",
        ),
        (
            Finding::NoSigningSecret { until: Some(early) },
            critical,
            "no_signing_secret",
            "no secret signs until 2026-03-01T09:00:00.000Z: add or enable one that can if that is too late",
        ),
        (
            Finding::SigningGap { secret: one, from: early, until: late, successor: two },
            warning,
            "signing_gap",
            "no secret signs from 2026-03-01T09:00:00.000Z, when secret 1 ends, until 2026-04-01T09:00:00.000Z, when \
             secret 2 begins to sign: add one that covers the gap",
        ),
        (
            Finding::SeveralEndTogether { secrets: vec![one, two], first: early, last: late },
            warning,
            "several_end_together",
            "secrets 1, 2 end within a day of each other, the last at 2026-04-01T09:00:00.000Z, and no secret is valid after that: add \
             one that lasts longer",
        ),
        (
            Finding::EndsSoon { secret: one, ends: early, successor: None },
            warning,
            "ends_soon",
            "secret 1 ends at 2026-03-01T09:00:00.000Z and no secret takes its place: add another one and give it to the \
             add-in",
        ),
        (
            Finding::EndsSoon { secret: one, ends: early, successor: Some(two) },
            info,
            "ends_soon",
            "secret 1 ends at 2026-03-01T09:00:00.000Z: make sure that the add-in has secret 2 by then",
        ),
        (
            Finding::StillPresented { secret: one, refused_since: early, last_used: late },
            warning,
            "still_presented",
            "secret 1 has been refused since 2026-03-01T09:00:00.000Z and was presented again at 2026-04-01T09:00:00.000Z: \
             find out who still uses it",
        ),
        (
            Finding::SignsUnused { secret: one },
            warning,
            "signs_unused",
            "secret 1 signs but has never been used: make sure that the add-in has it, or promote one that it has",
        ),
        (
            Finding::NeverUsed { secret: one, issued: early, replaces: vec![] },
            warning,
            "never_used",
            "secret 1 was issued at 2026-03-01T09:00:00.000Z and has never been used: make sure that the add-in has it, or add another \
             one and delete this one",
        ),
        (
            Finding::NeverUsed { secret: two, issued: early, replaces: vec![one] },
            warning,
            "never_used",
            "secret 2 was issued by a rotation at 2026-03-01T09:00:00.000Z and has never been used: make sure that the add-in has it, \
             or call off the rotation",
        ),
        (
            Finding::RedirectOutsideDomain {
                redirect_url: RedirectUrl::parse("https://fabrikam.com/done").unwrap(),
                app_domain: AppDomain::parse("app.contoso.com").unwrap(),
            },
            warning,
            "redirect_outside_domain",
            "the redirect URL https://fabrikam.com/done is outside the app domain app.contoso.com: correct one of them",
        ),
        (
            Finding::LivesTooLong {
                secret: one,
                validity: Validity::new(early, None).unwrap(),
                longest: Lifetime::Days(Days::new(90)),
            },
            info,
            "lives_too_long",
            "secret 1 is valid from 2026-03-01T09:00:00.000Z, unlimited, longer than the policy allows (90 days): rotate it",
        ),
        (
            Finding::Imported { secret: one },
            info,
            "imported",
            "secret 1 was imported, so it may be weak or known to others: rotate it",
        ),
        (
            Finding::OnlyOneValid { secret: one },
            info,
            "only_one_valid",
            "secret 1 is the only valid one: add a second, so that one can be replaced",
        ),
        (
            Finding::MoreThanRecommended { valid: 4 },
            info,
            "more_than_recommended",
            "4 secrets are valid, more than the recommended 2: delete those that are not needed",
        ),
        (
            Finding::NotAssociated,
            info,
            "not_associated",
            "no add-in uses this client ID: associate one, or delete the client ID",
        ),
        (
            Finding::EndedLongAgo { secret: one, ended: early },
            info,
            "ended_long_ago",
            "secret 1 ended at 2026-03-01T09:00:00.000Z and is no longer used: delete it",
        ),
    ]
}

#[test]
fn a_finding_says_what_to_do_and_reads_the_same_in_json() {
    for (finding, severity, tag, words) in every_finding() {
        assert_eq!(finding.severity(), severity, "{words}");
        assert_eq!(finding.to_string(), words);
        assert_eq!(finding.code(), tag);
        let json = serde_json::to_value(&finding).unwrap();
        assert_eq!(
            (&json["type"], &json["code"], &json["message"]),
            (&tag.into(), &tag.into(), &words.into())
        );
        assert_eq!(json["severity"], severity.to_string());
    }
    for (severity, word) in
        [(Severity::Info, "info"), (Severity::Warning, "warning"), (Severity::Critical, "critical")]
    {
        assert_eq!(severity.to_string(), word);
        assert_eq!(serde_json::to_value(severity).unwrap(), word);
    }
    assert!(Severity::Info < Severity::Warning && Severity::Warning < Severity::Critical);
}

#[test]
fn rule_15_the_registry_reviews_what_the_actor_may_see() {
    let clock = ManualClock::new(instant("2026-03-01T09:00:00Z").to_datetime());
    let registry = Registry::builder().clock(clock.clone()).in_memory();
    let contoso = registry.as_seller("contoso").unwrap();
    block_on(async {
        let details =
            ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/").unwrap();
        let issued = contoso.register(details, Lifetime::OneYear).await.unwrap();
        let calendar = contoso.client(issued.client_id());
        let _second = calendar.add_secret(NewSecret::lasting(Lifetime::TwoYears)).await.unwrap();
        let unused = Finding::SignsUnused { secret: issued.secret_id() };
        assert_eq!(calendar.review().await.unwrap(), [unused, Finding::NotAssociated]);

        // A use that has not been written yet counts.
        let secret = issued.client_secret().expose();
        registry.authenticate(issued.client_id().as_str(), secret).await.unwrap();
        assert_eq!(calendar.review().await.unwrap(), [Finding::NotAssociated]);
        let page = contoso.clients(None, 10).await.unwrap();
        assert_eq!(page.items()[0].review(), [Finding::NotAssociated]);

        let by_operator = registry.as_operator("ann").unwrap().client(issued.client_id()).review().await;
        assert_eq!(by_operator.unwrap(), [Finding::NotAssociated]);
        let stranger = registry.as_seller("fabrikam").unwrap().client(issued.client_id()).review().await;
        assert_eq!(stranger.unwrap_err().to_string(), Refusal::UnknownClient.to_string());
        clock.advance(Days::new(335));
        assert_eq!(calendar.review().await.unwrap().len(), 2);
        let plan = calendar.plan_client_deletion().await.unwrap();
        calendar.confirm(plan).await.unwrap();
        let deleted = calendar.review().await.unwrap_err();
        assert_eq!(deleted.to_string(), Refusal::ClientDeleted.to_string());
    });
}
