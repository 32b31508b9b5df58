//! Random histories: the review against the findings' own words, by instants that are tried out one by one.

use std::collections::BTreeSet;
use std::mem::discriminant;
use std::time::Duration;

use client_registry::client::Client;
use client_registry::secret::Origin;
use client_registry::{Days, Finding, Lifetime, Policy, SecretId, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::rules::history::{When, history, when};
use crate::rules::world::{World, edges};
use crate::support::days;

/// How the words are read: right, or wrong in one place, to show that a wrong reading is noticed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Right,
    /// What takes a secret's place has to be there the millisecond before.
    SuccessorOverlaps,
    /// A use does not keep an ended secret.
    UseIgnored,
    /// A gap counts even where nothing signs after it.
    GapWithoutEnd,
    /// Ends are together up to two days.
    TwoDaysTogether,
}

#[test]
fn a_review_finds_what_the_words_say_and_every_finding_is_met() {
    let mut seen = Vec::new();
    compare(2_000, Reading::Right, |findings| {
        for finding in findings {
            if !seen.contains(&discriminant(finding)) {
                seen.push(discriminant(finding));
            }
        }
    })
    .unwrap();
    // All but the one about the redirect URL, which no command here changes.
    assert_eq!(seen.len(), 14);
}

#[test]
fn a_wrong_reading_is_noticed() {
    for reading in
        [Reading::SuccessorOverlaps, Reading::UseIgnored, Reading::GapWithoutEnd, Reading::TwoDaysTogether]
    {
        compare(2_000, reading, |_| ()).unwrap_err();
    }
}

fn compare(cases: u32, reading: Reading, mut look: impl FnMut(&[Finding])) -> Result<(), String> {
    let config = Config { cases, max_shrink_iters: 2_000, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]));
    let look = std::cell::RefCell::new(&mut look);
    let result = runner.run(&(history(14), when(), when()), |(steps, one, two)| {
        let mut world = World::after(&steps);
        for wait in [When::Now, one, two] {
            world.now = world.resolve(wait);
            let found = world.client.review(&world.uses, &Policy::default(), world.now);
            let expected = expected(&world, reading);
            let missing: Vec<_> = expected.iter().filter(|finding| !found.contains(finding)).collect();
            let too_many: Vec<_> = found.iter().filter(|finding| !expected.contains(finding)).collect();
            if !missing.is_empty() || !too_many.is_empty() || found.len() != expected.len() {
                let (now, facts) = (world.now, &world.facts);
                let reason = format!("at {now} missing {missing:?}, too many {too_many:?}\n{facts:#?}");
                return Err(TestCaseError::fail(reason));
            }
            prop_assert!(found.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity())));
            look.borrow_mut()(&found);
        }
        Ok(())
    });
    result.map_err(|error| error.to_string())
}

/// Everything that is to be found, in no particular order.
fn expected(world: &World, reading: Reading) -> Vec<Finding> {
    let World { client, facts, now, uses, .. } = world;
    let now = *now;
    let (valid, signing) = (|t| facts.valid_at(t), |t| facts.signing_at(t).secret());
    // Nothing changes but at one of these.
    let turns: Vec<_> = [now].into_iter().chain(edges(client, now)).collect();
    let signs = |secret: &SecretId| facts.can_sign(*secret);
    let mut findings = Vec::new();

    if valid(now).is_empty() {
        let until = turns.iter().copied().find(|t| !valid(*t).is_empty());
        findings.push(Finding::NoValidSecret { until });
    } else if facts.secrets().iter().any(signs) && signing(now).is_none() {
        findings
            .push(Finding::NoSigningSecret { until: turns.iter().copied().find(|t| signing(*t).is_some()) });
    }

    let mut gaps = Vec::new();
    for turn in turns.windows(2) {
        let (Some(secret), None) = (signing(turn[0]), signing(turn[1])) else { continue };
        let from = turn[1];
        match turns.iter().copied().find(|t| from < *t && signing(*t).is_some()) {
            Some(until) => {
                let successor = signing(until).unwrap();
                findings.push(Finding::SigningGap { secret, from, until, successor });
                gaps.push((secret, from));
            }
            None if reading == Reading::GapWithoutEnd => gaps.push((secret, from)),
            None => {}
        }
    }

    let together = days(if reading == Reading::TwoDaysTogether { 2 } else { 1 });
    let enabled: Vec<_> = facts.secrets().into_iter().filter(|secret| !facts.is_disabled(*secret)).collect();
    let dead = turns.iter().rev().copied().take_while(|t| valid(*t).is_empty()).last();
    let mut group = BTreeSet::new();
    if let Some(last) = dead.filter(|last| *last != now) {
        let ends = |secret: SecretId| facts.end_of(secret).filter(|end| now < *end && *end <= last);
        let near =
            |secret: &SecretId| ends(*secret).is_some_and(|end| last.saturating_since(end) <= together);
        let secrets: Vec<_> = enabled.iter().copied().filter(near).collect();
        if secrets.len() > 1 {
            let first = secrets.iter().filter_map(|secret| ends(*secret)).min().unwrap();
            group.extend(secrets.clone());
            findings.push(Finding::SeveralEndTogether { secrets, first, last });
        }
    }

    let is_soon = |t: Timestamp| t.saturating_since(now) <= days(30);
    let mut dying = BTreeSet::new();
    for secret in valid(now) {
        let Some(ends) = facts.end_of(secret).filter(|ends| is_soon(*ends)) else { continue };
        let in_gap = signs(&secret) && gaps.iter().any(|(_, from)| *from == ends);
        if in_gap || group.contains(&secret) {
            continue;
        }
        let mut candidates = valid(ends);
        let day_after = ends.saturating_add(days(1));
        candidates.retain(|other| facts.is_valid(*other, day_after) && (signs(other) || !signs(&secret)));
        if reading == Reading::SuccessorOverlaps {
            let before = ends.checked_sub(Duration::from_millis(1)).unwrap();
            candidates.retain(|other| facts.is_valid(*other, before));
        }
        let signer = signing(ends).filter(|signer| candidates.contains(signer));
        let successor = signer.or(candidates.into_iter().max());
        findings.push(Finding::EndsSoon { secret, ends, successor });
        if successor.is_none() {
            dying.insert(secret);
        }
    }

    for secret in facts.secrets() {
        let ended = facts.end_of(secret).filter(|end| *end <= now);
        let disabled = client.secret(secret).unwrap().disabled_since();
        let refused_since = ended.into_iter().chain(disabled).min();
        let recently = |used: Timestamp| now.saturating_since(used) < days(7) || now < used;
        if let (Some(refused_since), Some(last_used)) = (refused_since, uses.of(secret))
            && refused_since <= last_used
            && recently(last_used)
        {
            findings.push(Finding::StillPresented { secret, refused_since, last_used });
        }
        let counted = uses.of(secret).max(imported_at(client, secret));
        let in_use = counted.is_some_and(recently) && reading != Reading::UseIgnored;
        if let Some(ended) = ended
            && now.saturating_since(ended) >= days(7)
            && !in_use
        {
            findings.push(Finding::EndedLongAgo { secret, ended });
        }
    }

    if let Some(secret) = signing(now)
        && uses.of(secret).is_none()
        && imported_at(client, secret).is_none()
    {
        findings.push(Finding::SignsUnused { secret });
    }
    for secret in valid(now) {
        let known = client.secret(secret).unwrap();
        let replaced = client.secrets().filter(|old| old.replaced_by() == Some(secret));
        let replaces: Vec<_> = replaced.map(client_registry::Secret::id).collect();
        let came = facts.secrets().len() == 1 || !replaces.is_empty();
        let is_unused = uses.of(secret).is_none() && imported_at(client, secret).is_none();
        if came && is_unused && signing(now) != Some(secret) {
            findings.push(Finding::NeverUsed { secret, issued: known.added_at(), replaces });
        }
    }
    for secret in enabled {
        let (known, ended) = (client.secret(secret).unwrap(), facts.end_of(secret));
        let is_replaced = known.replaced_by().is_some_and(|by| client.secret(by).is_some());
        if is_replaced || ended.is_some_and(|end| end <= now) {
            continue;
        }
        let longest = Lifetime::ThreeYears.starting(facts.start_of(secret).unwrap()).unwrap().until();
        if ended.is_none_or(|end| longest.is_some_and(|longest| longest < end)) {
            let (validity, longest) = (known.validity(), Lifetime::ThreeYears);
            findings.push(Finding::LivesTooLong { secret, validity, longest });
        }
        if imported_at(client, secret).is_some() {
            findings.push(Finding::Imported { secret });
        }
    }
    if let [secret] = valid(now)[..] {
        let in_gap = gaps.iter().any(|(before, from)| *before == secret && is_soon(*from));
        if !in_gap && !dying.contains(&secret) {
            findings.push(Finding::OnlyOneValid { secret });
        }
    }
    if valid(now).len() > 2 {
        findings.push(Finding::MoreThanRecommended { valid: valid(now).len() });
    }
    if client.add_ins().is_empty() {
        findings.push(Finding::NotAssociated);
    }
    findings
}

fn imported_at(client: &Client, secret: SecretId) -> Option<Timestamp> {
    let secret = client.secret(secret)?;
    (secret.origin() != Origin::Generated).then(|| secret.added_at())
}

#[test]
fn the_recommended_figures_are_the_documented_ones() {
    assert_eq!((Finding::ENDS_SOON, Finding::ENDED_LONG_AGO), (Days::new(30), Days::new(7)));
    assert_eq!(Finding::RECOMMENDED_SECRETS, 2);
}
