//! Plans go to a browser and come back.

use client_registry::client::{
    CallingOff, ClientDeletion, ClosingEarly, EndMove, Obstacle, SecretDeletion, SecretDisabling,
};
use serde_json::json;

/// A plan is confirmed as what it was made as.
#[test]
fn a_plan_is_not_read_as_one_of_another_command() {
    let removal =
        json!({ "type": "secret_disabling", "secret": 1, "signs": 1, "signs_next": 2, "valid_left": [2] });
    let error = serde_json::from_value::<SecretDeletion>(removal.clone()).unwrap_err();
    assert_eq!(error.to_string(), "the plan is of another command");
    assert!(serde_json::from_value::<ClientDeletion>(removal.clone()).is_err());
    assert!(serde_json::from_value::<CallingOff>(removal.clone()).is_err());
    let calling_off = json!({ "type": "calling_off", "secret": 1, "signs": 1, "signs_next": 2, "valid_left": [2], "restores": [2] });
    assert!(serde_json::from_value::<CallingOff>(calling_off.clone()).is_ok());
    for error in [
        serde_json::from_value::<ClosingEarly>(calling_off.clone()).map(drop),
        serde_json::from_value::<EndMove>(calling_off.clone()).map(drop),
        serde_json::from_value::<SecretDeletion>(calling_off).map(drop),
    ] {
        assert_eq!(error.unwrap_err().to_string(), "the plan is of another command");
    }
    let disabling = serde_json::from_value::<SecretDisabling>(removal.clone()).unwrap();
    assert_eq!(serde_json::to_value(disabling).unwrap(), removal);
    for bad in [
        json!({ "type": "last_valid", "until": "2026-03-01T09:00:00.000Z" }),
        json!({ "type": "used_recently" }),
        json!({ "type": "used_recently", "until": null }),
        json!({ "code": "last_valid" }),
        json!("last_valid"),
    ] {
        assert!(serde_json::from_value::<Obstacle>(bad.clone()).is_err(), "{bad}");
    }
}
