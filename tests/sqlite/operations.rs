//! The commands of the operations page, each run as it stands there, with the `sqlite3` of this machine; and the views, which
//! that tool has to be able to read.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use client_registry::store::SqliteStore;
use client_registry::{Availability, ClientId, Lifetime, Registry};
use pollster::block_on;

use crate::world::{Scratch, World, details, keyring};

const PAGE: &str = include_str!("../../src/store/sqlite/operations.md");

/// The blocks of commands on the page, in their order.
fn blocks() -> Vec<&'static str> {
    PAGE.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The page, and which of its blocks have been run.
struct Page {
    run: BTreeSet<&'static str>,
}

impl Page {
    /// Runs the block that has this in it, and gives what it says.
    fn run(&mut self, phrase: &str, directory: &Path, client: &str) -> String {
        let found: Vec<_> = blocks().into_iter().filter(|block| block.contains(phrase)).collect();
        assert_eq!(found.len(), 1, "{phrase}: {found:?}");
        self.run.insert(found[0]);
        shell(found[0], directory, client)
    }
}

fn shell(commands: &str, directory: &Path, client: &str) -> String {
    let mut shell = Command::new("sh");
    let shell = shell.args(["-euc", commands]).current_dir(directory).env("client", client);
    let output = shell.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("sqlite3: not found"), "install sqlite3 (Debian: apt-get install sqlite3)");
    assert!(output.status.success(), "{commands}\n{said}\n{errors}");
    said
}

fn open(path: &Path) -> Registry<SqliteStore> {
    block_on(Registry::open(SqliteStore::open(path).unwrap(), keyring())).unwrap()
}

fn is_clean(path: &Path) -> bool {
    block_on(open(path).check()).unwrap().is_clean()
}

/// A closed registry with two clients, one of which has an add-in, and a backup of it.
fn platform() -> (Scratch, ClientId) {
    let world = World::new();
    let issued = world.register("calendar app");
    let add_in = client_registry::AddIn::new("calendar", Availability::Worldwide).unwrap();
    block_on(world.contoso.client(issued.client_id()).associate(&add_in)).unwrap();
    let _ = world.register("rooms");
    block_on(world.store().backup_to(world.scratch.path().join("monday.db"))).unwrap();
    (world.close().0, issued.client_id().clone())
}

fn register(path: &Path, name: &str) {
    let registry = open(path);
    let contoso = registry.as_seller("contoso").unwrap();
    let _ = block_on(contoso.register(details(name), Lifetime::OneYear)).unwrap();
}

#[test]
fn every_command_of_the_page_does_what_the_page_says() {
    let mut page = Page { run: BTreeSet::new() };

    // Copies, while the file is in use.
    let (scratch, id) = platform();
    let (path, client) = (scratch.path(), id.as_str());
    let registry = open(&scratch.file());
    fs::remove_file(path.join("monday.db")).unwrap();
    assert_eq!(page.run("umask 077\nsqlite3 registry.db \".backup", path, client), "ok\n");
    assert!(is_clean(&path.join("monday.db")));
    page.run("for-the-auditor", path, client);
    assert!(is_clean(&path.join("for-the-auditor.db")));
    let contoso = registry.as_seller("contoso").unwrap();
    let _ = block_on(contoso.register(details("files"), Lifetime::OneYear)).unwrap();
    assert!(page.run("ls -l registry.db-wal", path, client).contains("registry.db-wal"));
    let sizes = page.run("freelist_count", path, client);
    assert!(sizes.lines().count() == 2 && sizes.contains("7|"), "{sizes}");
    assert_eq!(page.run("GROUP BY key_id", path, client), "2026|4\n");
    assert_eq!(page.run("type = 'trigger'", path, client), "");
    assert_eq!(page.run("position > (SELECT count(*) FROM event)\"", path, client), "");
    page.run("'+30 days'", path, client);
    let ever = shell(&ending().replace("+30 days", "+90000 days"), path, client);
    assert!(ever.contains(client), "{ever}");
    let shown = page.run("FROM clients", path, client);
    assert!(shown.contains("calendar app") && shown.contains("contoso"), "{shown}");
    assert!(shown.contains("seller") && shown.contains("add_in_associated"), "{shown}");
    assert!(block_on(registry.check()).unwrap().is_clean(), "nobody was in its way");

    // Killed, then restored by hand.
    let crashed = Scratch::new();
    for name in ["registry.db", "registry.db-wal", "monday.db"] {
        fs::copy(path.join(name), crashed.path().join(name)).unwrap();
    }
    drop((registry, contoso));
    page.run("mv registry.db.restored registry.db", crashed.path(), client);
    assert!(is_clean(&crashed.file()));
    let registry = open(&crashed.file());
    let contoso = registry.as_seller("contoso").unwrap();
    assert_eq!(block_on(contoso.clients(None, 10)).unwrap().items().len(), 2, "as on monday");
    drop((registry, contoso));

    // A log that does not belong, and one that is taken in by hand.
    let wrong = Scratch::new();
    let registry = open(&scratch.file());
    let contoso = registry.as_seller("contoso").unwrap();
    let _ = block_on(contoso.register(details("mail"), Lifetime::OneYear)).unwrap();
    fs::copy(path.join("monday.db"), wrong.file()).unwrap();
    fs::copy(path.join("registry.db-wal"), wrong.path().join("registry.db-wal")).unwrap();
    let right = Scratch::new();
    fs::copy(path.join("registry.db"), right.file()).unwrap();
    fs::copy(path.join("registry.db-wal"), right.path().join("registry.db-wal")).unwrap();
    drop((registry, contoso));
    SqliteStore::open(wrong.file()).unwrap_err();
    page.run("mkdir set-aside", wrong.path(), client);
    assert!(is_clean(&wrong.file()));
    assert_eq!(page.run("PRAGMA wal_checkpoint(TRUNCATE)'\nsqlite3", right.path(), client), "0|0|0\nok\n");
    assert!(is_clean(&right.file()));

    // A smaller file, and the indexes anew.
    page.run("VACUUM", path, client);
    assert!(is_clean(&scratch.file()));
    register(&scratch.file(), "after the vacuum");
    let engine = scratch.engine();
    engine.pragma_update(None, "writable_schema", true).unwrap();
    let unindex =
        "UPDATE sqlite_schema SET sql = sql || ' WHERE client_id = ''x''' WHERE name = 'add_in_by_client'";
    engine.execute(unindex, []).unwrap();
    engine.close().unwrap();
    let engine = scratch.engine();
    engine.execute_batch("REINDEX add_in_by_client; PRAGMA writable_schema = ON").unwrap();
    let index = "UPDATE sqlite_schema SET sql = replace(sql, ' WHERE client_id = ''x''', '') WHERE name = 'add_in_by_client'";
    engine.execute(index, []).unwrap();
    engine.close().unwrap();
    let found = shell(blocks().into_iter().find(|b| b.trim() == CHECK).unwrap(), path, client);
    page.run.insert(blocks().into_iter().find(|b| b.trim() == CHECK).unwrap());
    assert!(found.contains("missing from index") || found.contains("wrong # of entries"), "{found}");
    assert_eq!(page.run("REINDEX", path, client), "ok\n");
    assert!(is_clean(&scratch.file()));

    // A damaged record: put back, not put back, taken out.
    let damage = |path: &Path| {
        let engine = rusqlite::Connection::open(path).unwrap();
        engine.execute("UPDATE record SET sealed = zeroblob(100) WHERE id = ?1", [client]).unwrap();
    };
    damage(&scratch.file());
    assert!(!is_clean(&scratch.file()));
    assert_eq!(page.run("AS backup", path, client), "put back\n");
    assert!(is_clean(&scratch.file()));
    {
        let registry = open(&scratch.file());
        let contoso = registry.as_seller("contoso").unwrap();
        block_on(contoso.client(&id).change_details(details("calendar of 2026"))).unwrap();
    }
    damage(&scratch.file());
    assert_eq!(page.run("AS backup", path, client), "the client has changed since the backup\n");
    assert_eq!(page.run("taken-out", path, client), "taken out\n");
    let taken = fs::read_to_string(path.join(format!("taken-out-{client}.sql"))).unwrap();
    assert!(taken.starts_with("INSERT INTO record") && taken.contains(client), "{taken}");
    let registry = open(&scratch.file());
    let contoso = registry.as_seller("contoso").unwrap();
    assert_eq!(block_on(contoso.clients(None, 10)).unwrap().items().len(), 4);
    let add_in = client_registry::AddIn::new("calendar", Availability::Worldwide).unwrap();
    let again = contoso.register(details("calendar of 2026"), Lifetime::OneYear);
    let again = block_on(again).unwrap();
    block_on(contoso.client(again.client_id()).associate(&add_in)).unwrap();
    drop((registry, contoso));

    // A row that leaves no positions after it.
    let forged = Scratch::new();
    fs::copy(path.join("monday.db"), forged.file()).unwrap();
    let insert = "INSERT INTO event SELECT (1 << 62) - 2, client_id, revision, commit_id, event FROM event WHERE position = 1";
    forged.engine().execute(insert, []).unwrap();
    register(&forged.file(), "behind the gap");
    let refused = {
        let registry = open(&forged.file());
        let contoso = registry.as_seller("contoso").unwrap();
        let register = contoso.register(details("one more"), Lifetime::OneYear);
        format!("{:?}", block_on(register).unwrap_err())
    };
    assert!(refused.contains("UNIQUE constraint failed: event.position"), "{refused}");
    let query = blocks().into_iter().find(|block| block.contains("(SELECT count(*) FROM event)\"")).unwrap();
    let found = shell(query, forged.path(), client);
    let position = found.split('|').next().unwrap();
    assert_eq!((found.lines().count(), position), (3, "4611686018427387902"), "{found}");
    let mend = blocks().into_iter().find(|block| block.contains("$position")).unwrap();
    page.run.insert(mend);
    shell(&mend.replace("$position", position), forged.path(), client);
    assert!(is_clean(&forged.file()));
    register(&forged.file(), "one more");
    assert_eq!(shell(query, forged.path(), client), "");
    assert!(is_clean(&forged.file()));

    // Moved, and deleted.
    assert!(page.run("mv registry.db* elsewhere/", path, client).contains("registry.db"));
    assert!(!is_clean(&path.join("elsewhere/registry.db")), "the trail without a record is told");
    page.run("rm -f registry.db registry.db-wal", &path.join("elsewhere"), client);
    drop(SqliteStore::open(path.join("elsewhere/registry.db")).unwrap());

    let left: Vec<_> = blocks().into_iter().filter(|block| !page.run.contains(block)).collect();
    assert!(left.is_empty(), "not run: {left:?}");
}

fn ending() -> &'static str {
    blocks().into_iter().find(|block| block.contains("+30 days")).unwrap()
}

const CHECK: &str = "sqlite3 registry.db 'PRAGMA integrity_check'";

/// A view that a tool cannot parse keeps it from reading anything of the file.
#[test]
fn the_tool_of_this_machine_reads_the_views_and_tells_sellers_from_operators() {
    let world = World::new();
    let ann = world.registry.as_seller("ann").unwrap();
    let issued = ann.register(details("calendar app"), Lifetime::OneYear);
    let issued = block_on(issued).unwrap();
    for add_in in ["rooms", "calendar"] {
        let add_in = client_registry::AddIn::new(add_in, Availability::Worldwide).unwrap();
        block_on(ann.client(issued.client_id()).associate(&add_in)).unwrap();
    }
    let operator = world.registry.as_operator("ann").unwrap();
    let client = operator.seller("ann").unwrap().client(issued.client_id());
    block_on(client.change_details(details("calendar of ann"))).unwrap();
    let ask = |sql: &str| shell(&format!("sqlite3 registry.db \"{sql}\""), world.scratch.path(), "");
    println!("{}", ask("SELECT sqlite_version()"));
    assert_eq!(ask("SELECT friendly_name, add_ins FROM clients"), "calendar of ann|calendar rooms\n");
    assert_eq!(ask("SELECT secret, hint IS NOT NULL FROM secrets"), "1|1\n");
    let trail = ask("SELECT revision, role, actor, what FROM trail");
    assert!(trail.starts_with("1|seller|ann|client_registered\n"), "{trail}");
    assert!(trail.lines().last().unwrap().starts_with("4|operator|ann|"), "{trail}");
    assert_eq!(ask("PRAGMA integrity_check"), "ok\n");
    let (scratch, _) = world.close();
    assert_eq!(shell("sqlite3 registry.db 'SELECT count(*) FROM trail'", scratch.path(), ""), "5\n");
}

/// Files of earlier versions, which it could not read at all, once they have been opened.
#[test]
fn the_tool_of_this_machine_reads_a_file_of_an_earlier_version_that_was_opened() {
    let scratch = Scratch::new();
    let folder = crate::support::registries::folder("2026-11", "sqlite");
    for name in ["registry.db", "registry.db-wal"] {
        fs::copy(folder.join(name), scratch.path().join(name)).unwrap();
    }
    drop(SqliteStore::open(scratch.file()).unwrap());
    for view in ["clients", "secrets", "trail"] {
        let count = shell(&format!("sqlite3 registry.db 'SELECT count(*) FROM {view}'"), scratch.path(), "");
        assert!(count.trim().parse::<u32>().unwrap() > 0, "{view}: {count}");
    }
}
