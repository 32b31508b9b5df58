//! Registration in the words of RFC 7591.

use client_registry::oauth::{ClientAuthMethod, ClientInformation, ClientMetadata};
use client_registry::{ClientDetails, Lifetime, Policy};
use pollster::block_on;
use serde_json::{Value, json};

use crate::support::{Platform, details};

#[test]
fn a_registration_comes_and_goes_in_the_words_of_the_rfc() {
    let platform = Platform::new();
    let sent = json!({
        "client_name": "calendar app",
        "redirect_uris": ["https://app.contoso.com/done"],
        "token_endpoint_auth_method": "client_secret_post",
        "grant_types": ["client_credentials"],
        "jwks": { "keys": [] },
    });
    let metadata = ClientMetadata::parse(sent.to_string().as_bytes()).unwrap();
    assert_eq!(metadata.method(), ClientAuthMethod::SecretPost);
    assert_eq!(metadata.details(), &details("calendar app"));
    let method = metadata.method();
    let issued = block_on(platform.contoso.register(metadata.into_details(), Lifetime::OneYear)).unwrap();
    let snapshot = block_on(platform.contoso.client(issued.client_id()).snapshot()).unwrap();
    let information = ClientInformation::of(snapshot.client()).authenticating_by(method);
    let public = json!({
        "client_id": issued.client_id(),
        "client_id_issued_at": 1_772_355_600,
        "client_name": "calendar app",
        "redirect_uris": ["https://app.contoso.com/done"],
        "client_uri": "https://app.contoso.com",
        "token_endpoint_auth_method": "client_secret_post",
    });
    assert_eq!(serde_json::to_value(&information).unwrap(), public);
    let exposed = information.expose_json(&issued).unwrap();
    let json: Value = serde_json::from_slice(exposed.expose()).unwrap();
    assert_eq!(json["client_secret"], issued.client_secret().expose());
    assert_eq!(json["client_secret_expires_at"], 1_803_891_600);
    assert_eq!(json.as_object().unwrap().len(), 8);
    assert_eq!(format!("{exposed:?}"), "ExposedInformation { .. }");
    // What was written is a registration request again.
    let again = ClientMetadata::parse(exposed.expose()).unwrap();
    assert_eq!((again.details(), again.method()), (&details("calendar app"), ClientAuthMethod::SecretPost));

    let other = block_on(platform.register("another app"));
    assert!(information.expose_json(&other).is_none(), "the client secret of another client");
}

/// Whatever the port of an app domain, it comes back: the parser of URLs drops the one that a scheme has anyway.
#[test]
fn every_app_domain_comes_back() {
    let platform = Platform::new();
    for (number, domain) in
        ["contoso.com", "contoso.com:443", "contoso.com:80", "contoso.com:8443", "4443.example"]
            .iter()
            .enumerate()
    {
        let sent = ClientDetails::new(&format!("app {number}"), domain, "https://contoso.com/done").unwrap();
        let issued = block_on(platform.contoso.register(sent.clone(), Lifetime::OneYear)).unwrap();
        let snapshot = block_on(platform.contoso.client(issued.client_id()).snapshot()).unwrap();
        let json = serde_json::to_vec(&ClientInformation::of(snapshot.client())).unwrap();
        assert_eq!(ClientMetadata::parse(&json).unwrap().into_details(), sent);
    }
    for (uri, domain) in [
        ("http://contoso.com:80/about", "contoso.com:80"),
        ("http://contoso.com:443", "contoso.com:443"),
        ("https://contoso.com:443?x", "contoso.com:443"),
        ("https://contoso.com/a:443", "contoso.com"),
        ("https://ann:443@contoso.com", "contoso.com"),
        ("HTTPS:contoso.com", "contoso.com"),
    ] {
        let sent =
            json!({ "client_name": "a", "redirect_uris": ["https://a.example/done"], "client_uri": uri });
        let metadata = ClientMetadata::parse(sent.to_string().as_bytes()).unwrap();
        assert_eq!(metadata.details().app_domain().as_str(), domain, "{uri}");
    }
}

#[test]
fn a_secret_without_an_end_expires_at_0() {
    let policy = Policy::default().with_longest_lifetime(Lifetime::Unlimited);
    let platform = Platform::seeded(1, policy);
    let issued = block_on(platform.contoso.register(details("calendar app"), Lifetime::Unlimited)).unwrap();
    let snapshot = block_on(platform.contoso.client(issued.client_id()).snapshot()).unwrap();
    let exposed = ClientInformation::of(snapshot.client()).expose_json(&issued).unwrap();
    let json: Value = serde_json::from_slice(exposed.expose()).unwrap();
    assert_eq!(json["client_secret_expires_at"], 0);
}

#[test]
fn what_cannot_be_registered_is_refused_in_the_words_of_the_rfc() {
    let good = json!({ "client_name": "a", "redirect_uris": ["https://a.example/done"] });
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed.to_string()
    };
    let two = json!(["https://a.example/done", "https://b.example/done"]);
    let needle = "a needle that no answer repeats";
    for (sent, error) in [
        ("{".to_owned(), "invalid_client_metadata"),
        ("[]".to_owned(), "invalid_client_metadata"),
        (format!("\"{needle}\""), "invalid_client_metadata"),
        (format!("{good} {{}}"), "invalid_client_metadata"),
        // A list has no names: what a member is called must not depend on its place.
        (r#"["a",["https://a.example/done"],null,null]"#.to_owned(), "invalid_client_metadata"),
        (with("client_name", Value::Null), "invalid_client_metadata"),
        (with("client_name", json!(format!("{needle}\n"))), "invalid_client_metadata"),
        (with("client_name", json!({ needle: 1 })), "invalid_client_metadata"),
        (with("redirect_uris", Value::Null), "invalid_redirect_uri"),
        (with("redirect_uris", json!([])), "invalid_redirect_uri"),
        (with("redirect_uris", two), "invalid_redirect_uri"),
        (with("redirect_uris", json!([needle])), "invalid_redirect_uri"),
        (
            with("redirect_uris", json!([format!("https://a.example/{}", "a".repeat(2_048))])),
            "invalid_redirect_uri",
        ),
        (with("redirect_uris", json!([needle, 1])), "invalid_redirect_uri"),
        (with("redirect_uris", json!([1])), "invalid_client_metadata"),
        (with("redirect_uris", json!("https://a.example/done")), "invalid_client_metadata"),
        (with("redirect_uris", json!(["https://a.example/done#x"])), "invalid_redirect_uri"),
        (with("redirect_uris", json!(["ms-app:done"])), "invalid_client_metadata"),
        (with("client_uri", json!(needle)), "invalid_client_metadata"),
        (with("client_uri", json!("https://192.0.2.1/")), "invalid_client_metadata"),
        (with("client_uri", json!("ftp://a.example")), "invalid_client_metadata"),
        (with("token_endpoint_auth_method", json!("none")), "invalid_client_metadata"),
        (with("token_endpoint_auth_method", json!("private_key_jwt")), "invalid_client_metadata"),
        (with("client_name", json!("a".repeat(40_000))), "invalid_client_metadata"),
    ] {
        let refused = ClientMetadata::parse(sent.as_bytes()).unwrap_err();
        assert_eq!(refused.code().as_str(), error, "{sent}");
        let response = refused.response();
        assert_eq!(response.status(), 400, "{sent}");
        let said = format!("{refused} {refused:?} {}", String::from_utf8_lossy(response.body()));
        assert!(!said.contains(needle), "{said}");
    }
    for (name, value) in [
        ("client_uri", json!("https://a.example:8443/about?x#y")),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
    ] {
        assert!(ClientMetadata::parse(with(name, value).as_bytes()).is_ok(), "{name}");
    }
}
