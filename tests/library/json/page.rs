//! The page `client_registry::json` is complete.

use std::collections::BTreeSet;
use std::path::Path;

use crate::json::folder;
use crate::values::repeating::sources;

/// The page names every public type that has JSON, and shows every file.
#[test]
fn the_page_leaves_nothing_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("src/json.rs")).unwrap();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // All events are too many for a page; it shows one, and each fact.
        assert!(name == "events.json" || page.contains(&format!("tests/data/json/{name}")), "{name}");
    }
    let sources = sources(&root.join("src"));
    let declared: BTreeSet<_> = sources.iter().flat_map(|(_, source)| declared(source)).collect();
    let mut found = 0;
    for (file, source) in &sources {
        let source = source.split("#[cfg(test)]").next().unwrap();
        for name in serializable(source).into_iter().filter(|name| declared.contains(name)) {
            found += 1;
            assert!(page.contains(&format!("`{name}`")), "{name} in {file}");
        }
    }
    assert!(found > 50, "or the names were not read: {found}");
}

/// The names of the public types that a source declares.
fn declared(source: &str) -> Vec<&str> {
    let after =
        |word| source.match_indices(word).map(move |(at, _): (usize, &str)| name_at(source, at, word));
    after("pub struct ").chain(after("pub enum ")).chain(ids(source)).collect()
}

/// The names of the types of a source that are written as JSON.
fn serializable(source: &str) -> Vec<&str> {
    let by_hand = "Serialize for ";
    let mut names: Vec<_> =
        source.match_indices(by_hand).map(|(at, _)| name_at(source, at, by_hand)).collect();
    for declaration in ["pub struct ", "pub enum "] {
        for (at, _) in source.match_indices(declaration) {
            let attributes = source[..at].lines().rev().skip(usize::from(!source[..at].ends_with('\n')));
            let mut attributes = attributes.take_while(|line| line.trim_start().starts_with(['#', '/']));
            if attributes.any(|line| line.contains("derive(") && line.contains("Serialize")) {
                names.push(name_at(source, at, declaration));
            }
        }
    }
    for (at, _) in source.match_indices("\nreport! {") {
        let at = at + source[at..].find("pub enum ").unwrap();
        names.push(name_at(source, at, "pub enum "));
    }
    names.extend(ids(source));
    names
}

/// The names of the IDs that a source declares by a macro.
fn ids(source: &str) -> impl Iterator<Item = &str> {
    let bodies = source.match_indices("\ntext_id! {").filter_map(|(at, _)| source[at..].split("\n}").next());
    bodies.filter_map(|body| body.lines().last()?.trim().split(',').next())
}

/// The name that stands behind a word at a place.
fn name_at<'a>(source: &'a str, at: usize, word: &str) -> &'a str {
    let rest = &source[at + word.len()..];
    &rest[..rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len())]
}
