//! Model and registry side by side, step by step.

use std::marker::PhantomData;

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use crate::model::answer::Answer;
use crate::model::command::{Command, Pick};
use crate::model::home::Home;
use crate::model::naive::{Fault, Model, Text};
use crate::model::system::System;
use crate::model::tally;

/// The model; with the mistake of this number, or none.
pub(crate) struct Reference<const FAULT: usize>;

pub(crate) const FAULTS: [Fault; 14] = [
    Fault::None,
    Fault::NewestSigns,
    Fault::EndIncluded,
    Fault::OneTooMany,
    Fault::DeadForgotten,
    Fault::EndsStayCut,
    Fault::PromotionsStayAway,
    Fault::SuspendedSigns,
    Fault::SuspendedEnters,
    Fault::SellerLifts,
    Fault::OldSellerLists,
    Fault::EndPastIssued,
    Fault::PromotionStays,
    Fault::DeadNotFound,
];

impl<const FAULT: usize> ReferenceStateMachine for Reference<FAULT> {
    type State = Model;
    type Transition = Pick;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model::new(FAULTS[FAULT])).boxed()
    }

    fn transitions(_: &Model) -> BoxedStrategy<Pick> {
        (0u16..625, any::<[u16; 5]>()).prop_map(|(kind, numbers)| Pick { kind, numbers }).boxed()
    }

    fn apply(mut model: Model, pick: &Pick) -> Model {
        let command = Command::of(pick, &model);
        let answers = model.obey(&command);
        model.last = Some((command, answers));
        model
    }
}

/// Of the model and a registry that lives in such a store.
pub(crate) struct Comparison<const FAULT: usize, S>(PhantomData<S>);

impl<const FAULT: usize, S: Home> StateMachineTest for Comparison<FAULT, S> {
    type SystemUnderTest = System<S>;
    type Reference = Reference<FAULT>;

    fn init_test(_: &Model) -> System<S> {
        tally::history();
        System::new()
    }

    fn apply(mut system: System<S>, model: &Model, _: Pick) -> System<S> {
        let (command, allowed) = model.last.as_ref().expect("a command led here");
        system.history.push(command.clone());
        let answer = system.obey(command);
        assert!(allowed.contains(&answer), "{command:?} answers {answer:?}, and the rules allow {allowed:?}");
        tally::command(command.family(), &answer);
        if let Answer::SignedBy(signers) = &answer {
            let client = command.clients()[0];
            let text = |id: &u32| model.clients[client].secret(*id).map(|secret| secret.text);
            let texts: Vec<Text> = signers.iter().filter_map(text).collect();
            system.check_signatures(&texts);
        }
        let count = model.clients.len();
        let concerned = match command {
            Command::Register { .. } | Command::ImportClient { .. } => count.saturating_sub(1)..count,
            Command::DeleteLeaked { .. } => 0..count,
            _ => 0..0,
        };
        for client in command.clients().into_iter().chain(concerned) {
            system.compare(model, client);
        }
        system
    }

    fn teardown(mut system: System<S>, model: Model) {
        system.compare_all(&model);
    }
}
