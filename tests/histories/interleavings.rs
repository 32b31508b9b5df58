//! Concurrent commands, in every order in which their steps can fall, end in a state that the rules allow: as if the
//! commands had come one after the other. A store that checks and then writes fails the same tests. Commits whose
//! outcome nobody knows, and commands that are dropped half-way, leave all or nothing.
//!
//! No runtime, no time, no randomness: the test itself decides who takes the next step.

#![allow(clippy::future_not_send, reason = "the scheduler of these tests has one thread")]

mod careless;
mod dropped;
mod gates;
mod race;
mod races;
mod schedule;
mod unknown;
mod world;
