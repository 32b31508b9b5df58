//! Edits of the events of a commit in their column, below the store: each is noticed, wherever in the list it stands.

use client_registry::Error;
use client_registry::store::StoreErrorKind;
use client_registry::value::Revision;

use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_anywhere_in_a_list_of_events_is_found_by_the_check() {
    let world = World::new().await;
    let (edited, sound) = (world.register("calendar app").await, world.register("mail app").await);
    let id = edited.client_id();
    let text = "convert_from(events, 'UTF8')";
    let edits = [
        format!("replace({text}, '[{{', '[ {{')"),
        format!("replace({text}, '}},{{', '}}, {{')"),
        format!("replace({text}, '}},{{', '}} ,{{')"),
        format!("replace({text}, '}}]', '}} ]')"),
        format!("{text} || ' '"),
        format!("' ' || {text}"),
        format!("replace({text}, '}}]', '}},{{}}]')"),
        format!("replace({text}, '}}]', '}},]')"),
        format!("replace({text}, ':', ': ')"),
        format!("replace({text}, 'Z\"', '+00:00\"')"),
        format!("replace({text}, '\"secret\":1', '\"reason\":\"leaked\",\"secret\":1')"),
        format!("{text}::jsonb::text"),
        "'{'".to_owned(),
        "''".to_owned(),
    ];
    let trail = async |issued: &client_registry::Issued| match world
        .contoso
        .client(issued.client_id())
        .trail(Revision::ZERO, 10)
        .await
    {
        Ok(events) => Ok(events.len()),
        Err(Error::Unavailable(error)) => Err(error.kind()),
        Err(other) => panic!("{other}"),
    };
    for edit in edits {
        world.schema.run("CREATE TABLE client_registry.kept AS SELECT * FROM client_registry.history").await;
        let sql = format!(
            "UPDATE client_registry.history SET events = convert_to({edit}, 'UTF8') WHERE client_id = '{id}'"
        );
        world.schema.run(&sql).await;
        let checked = world.registry.check().await.unwrap();
        assert!(
            checked.discrepancies.iter().any(|fault| fault.client_id() == Some(id)),
            "{edit}: {checked:?}"
        );
        let of_sound =
            checked.discrepancies.iter().find(|fault| fault.client_id() == Some(sound.client_id()));
        assert!(of_sound.is_none(), "{edit}: {of_sound:?}");
        assert_eq!(trail(&edited).await, Err(StoreErrorKind::Tampered), "{edit}");
        assert_eq!(trail(&sound).await, Ok(2), "{edit}");
        world
            .schema
            .run(
                "UPDATE client_registry.history h SET events = k.events FROM client_registry.kept k \
                 WHERE k.client_id = h.client_id AND k.revision = h.revision; DROP TABLE client_registry.kept",
            )
            .await;
    }
    let checked = world.registry.check().await.unwrap();
    assert!(checked.is_clean(), "{:?}", checked.discrepancies);
}
