//! Several processes that write and are killed: none of their logs is ever refused.

use std::fs;

use client_registry::Lifetime;
use pollster::block_on;

use super::{log_of, open, register};
use crate::world::{Scratch, details};

/// Registers clients and notes uses until it is killed.
#[test]
fn writes_for_ever() {
    let Some(path) = crate::world::as_child() else { return };
    let (registry, contoso) = open(&path);
    for number in 0_u64.. {
        let name = format!("{number} of {}", std::process::id());
        let issued = contoso.register(details(&name), Lifetime::OneYear);
        let issued = block_on(issued).unwrap();
        if number % 5 == 0 {
            let id = issued.client_id().as_str();
            block_on(registry.authenticate(id, issued.client_secret().expose())).unwrap();
            block_on(registry.flush_last_uses()).unwrap();
        }
    }
}

/// Whichever of several processes is killed, and whenever: those who are left, and those who come, find a log of this file.
/// `CLIENT_REGISTRY_KILLS` asks for more kills.
#[test]
fn no_log_is_refused_after_kills_of_several_processes() {
    let kills = std::env::var("CLIENT_REGISTRY_KILLS").map_or(30, |kills| kills.parse().unwrap());
    let scratch = Scratch::new();
    drop(open(&scratch.file()));
    let spawn = || {
        let mut child = crate::world::child("logs::kills::writes_for_ever", &scratch.file());
        child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let mut seed = 7_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut children = vec![spawn(), spawn()];
    let mut logs = 0;
    for kill in 0..kills {
        for _ in 0..random(3_000_000) {
            std::hint::spin_loop();
        }
        // One of them, or, every third time, all.
        let count = if kill % 3 == 0 { children.len() } else { 1 };
        for mut child in children.drain(..count) {
            assert!(child.try_wait().unwrap().is_none(), "{}", said(child));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        logs += usize::from(fs::metadata(log_of(&scratch)).is_ok_and(|log| log.len() > 0));
        let (registry, contoso) = open(&scratch.file());
        register(&contoso, &format!("after kill {kill}"));
        if children.is_empty() {
            assert!(block_on(registry.check()).unwrap().is_clean(), "kill {kill}");
        }
        drop((registry, contoso));
        children.extend((children.len()..2).map(|_| spawn()));
    }
    for mut child in children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    println!("{kills} kills, {logs} of which left a log");
    assert!(logs > kills / 3);
}

fn said(child: std::process::Child) -> String {
    String::from_utf8_lossy(&child.wait_with_output().unwrap().stderr).into_owned()
}
