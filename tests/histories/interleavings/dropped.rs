//! A command whose future is dropped, at whatever gate it stands, was carried out wholly or not at all.

mod life;
mod recovery;

use std::rc::Rc;
use std::task::Poll;

use client_registry::*;
use pollster::block_on;

use crate::interleavings::gates::{Gated, Gates};
use crate::interleavings::schedule::{Process, poll};
use crate::interleavings::world::{World, add_in, in_words, one_more, secret};
use crate::support::details;

type Handle = Rc<ClientHandle<Gated>>;

/// Each command, given the client that it is about and another one.
type Command = fn(&World, Handle, Handle) -> Process<String>;

#[test]
fn rule_16_a_dropped_command_leaves_all_or_nothing() {
    let commands: [(&str, Command); 12] = [
        ("register", |world, _, _| {
            let seller = world.seller("contoso");
            Box::pin(async move { in_words(seller.register(details("diary"), Lifetime::OneYear).await) })
        }),
        ("change details", |_, client, _| {
            Box::pin(async move { in_words(client.change_details(details("diary")).await) })
        }),
        ("add", |_, client, _| Box::pin(async move { in_words(client.add_secret(one_more()).await) })),
        ("rotate", |_, client, _| {
            Box::pin(async move { in_words(client.rotate(Rotation::overlap(Days::new(30))).await) })
        }),
        ("promote", |_, client, _| Box::pin(async move { in_words(client.promote(secret(2)).await) })),
        ("delete", |_, client, _| {
            Box::pin(async move {
                let plan = client.plan_deletion(secret(1)).await.unwrap();
                in_words(client.confirm(plan).await)
            })
        }),
        ("disable", |_, client, _| {
            Box::pin(async move {
                let plan = client.plan_disabling(secret(1)).await.unwrap();
                in_words(client.confirm(plan).await)
            })
        }),
        ("delete in emergency", |_, client, _| {
            let replacement = Some(one_more());
            Box::pin(async move { in_words(client.delete_in_emergency(secret(1), replacement).await) })
        }),
        ("associate", |_, client, _| {
            Box::pin(async move { in_words(client.associate(&add_in("add-in-2")).await) })
        }),
        ("dissociate", |_, client, _| {
            Box::pin(async move { in_words(client.dissociate(add_in("add-in-1").id()).await) })
        }),
        ("move an add-in", |_, from, to| {
            Box::pin(async move { in_words(from.move_add_in(add_in("add-in-1").id(), to.id()).await) })
        }),
        ("delete the client", |_, client, _| {
            Box::pin(async move {
                let plan = client.plan_client_deletion().await.unwrap();
                in_words(client.confirm(plan).await)
            })
        }),
    ];
    let over_its_life = life::commands().into_iter().map(|(name, command, _)| (name, command));
    for (name, command) in commands.into_iter().chain(over_its_life) {
        let gates = all_or_nothing(name, command);
        println!("{name}: dropped at each of {gates} gates");
    }
}

/// Takes the command one step further each time before it is dropped. Answers how many gates there are.
fn all_or_nothing(name: &str, command: Command) -> usize {
    let undone = after_steps(command, 0).0;
    let (done, answer) = after_steps(command, usize::MAX);
    assert!(answer.is_some() && done != undone, "{name} comes to nothing: {answer:?}");
    let (mut nothing, mut all) = (0, 0);
    for steps in 0.. {
        let (left, answer) = after_steps(command, steps);
        if answer.is_some() {
            assert!(nothing > 0 && all > 0, "{name}: dropped {nothing} times before and {all} times after");
            assert_eq!(left, done, "{name}");
            return steps - 1;
        }
        match left {
            left if left == undone => nothing += 1,
            left if left == done => all += 1,
            left => panic!("{name}, dropped after {steps} steps, leaves: {left}"),
        }
        assert!(all == 0 || left_is(command, steps, &done), "{name}: what was done is undone again");
    }
    unreachable!()
}

fn left_is(command: Command, steps: usize, expected: &str) -> bool {
    after_steps(command, steps).0 == expected
}

/// What there is to see when the command was dropped after so many steps, and its answer if it had one by then.
fn after_steps(command: Command, steps: usize) -> (String, Option<String>) {
    let (world, _, answer) = dropped_after(command, steps);
    world.audit().unwrap();
    (world.picture(), answer)
}

/// The world in which the command was dropped after so many steps, the two clients, and its answer if it had one by then.
fn dropped_after(command: Command, steps: usize) -> (World, [Handle; 2], Option<String>) {
    let world = World::sound();
    let (client, other) = (world.client("calendar"), world.client("mail"));
    drop(block_on(client.add_secret(one_more())).unwrap());
    block_on(client.associate(&add_in("add-in-1"))).unwrap();
    let mut process = command(&world, Rc::clone(&client), Rc::clone(&other));
    Gates::close_after_commit_too(&world.gates);
    let mut answer = None;
    for _ in 0..steps {
        if let Poll::Ready(ready) = poll(&mut process) {
            answer = Some(ready);
            break;
        }
    }
    drop(process);
    world.gates.open();
    (world, [client, other], answer)
}
