//! A registry in a file, with a client for every state that a client secret can be in.

use std::path::{Path, PathBuf};
use std::time::Duration;

use client_registry::client::{ImportedClient, ImportedSecret};
use client_registry::clock::{Clock, ManualClock, SystemClock};
use client_registry::secret::KeyEncoding;
use client_registry::store::SqliteStore;
use client_registry::value::{Attributes, KeyId, Validity};
use client_registry::{
    Availability, ClientDetails, ClientHandle, ClientId, ClientSecret, Days, Issued, Keyring, Lifetime,
    NewSecret, Registry, Rotation, Seller, SellerId, Timestamp,
};
use pollster::block_on;

/// What one presents, and what has to come of it.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) expected: Expected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Token,
    /// 401 with `invalid_client`.
    Refused,
}

impl Expected {
    pub(crate) fn complaint(self) -> &'static str {
        match self {
            Self::Token => "has to get a token",
            Self::Refused => "has to be refused",
        }
    }
}

pub(crate) struct Platform {
    folder: PathBuf,
    pub(crate) keys: String,
    pub(crate) rows: Vec<Row>,
    /// A client that may introspect every token.
    pub(crate) api: (String, String),
}

impl Platform {
    /// Everything is made two days ago, so that a secret of a day has ended, and the endpoint has the time of day.
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("foreign-oauth-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let keyring = Keyring::generate(KeyId::parse("test").expect("an ID")).expect("randomness");
        let keys = keyring.expose(str::to_owned);
        let mut platform = Self { folder, keys, rows: Vec::new(), api: Default::default() };
        let start = now().checked_sub(Duration::from_secs(2 * DAY)).expect("it is not 1970");
        let clock = ManualClock::new(start.to_datetime());
        let builder = Registry::builder().clock(clock);
        let store = SqliteStore::open(platform.file()).expect("a file");
        let registry = block_on(builder.open(store, keyring)).expect("a registry");
        platform.generated(&registry);
        platform.imported(&registry, start);
        platform
    }

    /// The registry as another node sees it, at the time of day.
    pub(crate) fn registry(&self) -> Registry<SqliteStore> {
        let keyring = Keyring::parse(&self.keys).expect("a keyring");
        block_on(Registry::open(SqliteStore::open(self.file()).expect("a file"), keyring))
            .expect("a registry")
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("registry.db")
    }

    /// Returns the client of a row.
    pub(crate) fn row(&self, what: &str) -> &Row {
        self.rows.iter().find(|row| row.what == what).unwrap_or_else(|| panic!("there is no row {what}"))
    }

    /// The clients that `oidc-provider` gets, too: IDs, secrets, and ends in seconds, 0 for none.
    pub(crate) fn provider_clients(&self) -> Vec<(&str, &str, i64)> {
        let ends = [("right", 0), ("imported, + / = % : &", 0), ("expired", now().as_secs() - 60)];
        ends.into_iter()
            .map(|(what, ends)| {
                let row = self.row(what);
                (&*row.id, &*row.secret, ends)
            })
            .collect()
    }

    fn generated(&mut self, registry: &Registry<SqliteStore>) {
        let contoso = registry.as_seller("contoso").expect("a seller");
        let right = register(&contoso, "right", Lifetime::OneYear);
        self.add("right", &right, Expected::Token);
        let (id, secret) = (right.client_id().to_string(), right.client_secret().expose().to_owned());
        let wrong = |secret: String| Row { what: "", id: id.clone(), secret, expected: Expected::Refused };
        self.rows.extend([
            Row { what: "wrong, one character less", ..wrong(secret[..secret.len() - 1].to_owned()) },
            Row { what: "wrong, one character more", ..wrong(format!("{secret}x")) },
            Row {
                what: "wrong, in UTF-8 (Latin-1 has it)",
                ..wrong("p\u{e4}ssw\u{f6}rd, longer than 24".to_owned())
            },
            Row {
                what: "wrong, in UTF-8 (Latin-1 has it not)",
                ..wrong("\u{20ac}\u{1f511} longer than 24 characters".to_owned())
            },
            Row { what: "wrong, with a control character", ..wrong(format!("{secret}\u{7}")) },
            Row { what: "a client ID in UTF-8", id: "calend\u{e9}r-app".to_owned(), ..wrong(secret.clone()) },
            Row { what: "an unknown client ID", id: "nobodys-app".to_owned(), ..wrong(secret.clone()) },
        ]);

        let both = register(&contoso, "overlap", Lifetime::OneYear);
        let next = block_on(contoso.client(both.client_id()).rotate(Rotation::overlap(Days::new(30))));
        self.add("in an overlap, the old one", &both, Expected::Token);
        self.add("in an overlap, the new one", &next.expect("rotated"), Expected::Token);
        self.rows.push(Row {
            what: "another client's",
            secret: both.client_secret().expose().to_owned(),
            ..wrong(String::new())
        });

        let expired = register(&contoso, "expired", Lifetime::Days(Days::new(1)));
        self.add("expired", &expired, Expected::Refused);
        let (_, client, second) =
            with_two(&contoso, "future", NewSecret::lasting(Lifetime::OneYear).starting(in_days(30)));
        drop(client);
        self.add("not yet started", &second, Expected::Refused);

        let usual = || NewSecret::lasting(Lifetime::OneYear);
        let (first, client, second) = with_two(&contoso, "disabled", usual());
        let plan = block_on(client.plan_disabling(first.secret_id())).expect("a plan");
        block_on(client.confirm(plan)).expect("disabled");
        self.add("disabled", &first, Expected::Refused);
        self.add("beside a disabled one", &second, Expected::Token);

        let (first, client, second) = with_two(&contoso, "deleted", usual());
        let plan = block_on(client.plan_deletion(first.secret_id())).expect("a plan");
        block_on(client.confirm(plan)).expect("deleted");
        self.add("deleted", &first, Expected::Refused);
        self.add("beside a deleted one", &second, Expected::Token);

        let (first, client, _) = with_two(&contoso, "compromised", usual());
        let _ = block_on(client.delete_in_emergency(first.secret_id(), None)).expect("deleted");
        self.add("compromised", &first, Expected::Refused);

        let suspended = register(&contoso, "suspended", Lifetime::OneYear);
        block_on(contoso.client(suspended.client_id()).suspend()).expect("suspended");
        self.add("of a suspended client", &suspended, Expected::Refused);

        let gone = register(&contoso, "gone", Lifetime::OneYear);
        let client = contoso.client(gone.client_id());
        let plan = block_on(client.plan_client_deletion()).expect("a plan");
        block_on(client.confirm(plan)).expect("deleted");
        self.add("of a deleted client", &gone, Expected::Refused);

        let api = register(&contoso, "api", Lifetime::OneYear);
        let attributes = Attributes::new([("resource_server", "yes")]).expect("attributes");
        block_on(contoso.client(api.client_id()).change_attributes(attributes)).expect("changed");
        self.api = (api.client_id().to_string(), api.client_secret().expose().to_owned());
    }

    fn imported(&mut self, registry: &Registry<SqliteStore>, start: Timestamp) {
        let operator = registry.as_operator("ann").expect("an operator");
        for (number, (what, secret)) in IMPORTED.into_iter().enumerate() {
            let id = format!("Fabrikam_app-{number}.eu");
            let until = start.saturating_add(Duration::from_secs(365 * DAY));
            let validity = Validity::new(start, Some(until)).expect("a validity");
            let client = ImportedClient::new(
                ClientId::parse(&id).expect("a client ID"),
                SellerId::parse("fabrikam").expect("a seller"),
                details(&format!("app {number}")),
                Availability::Worldwide,
            );
            let parsed = ClientSecret::parse(secret).expect("a client secret");
            let imported = ImportedSecret::new(parsed, validity, KeyEncoding::Utf8);
            block_on(operator.import(client.with_secret(imported))).expect("imported");
            self.rows.push(Row { what, id, secret: secret.to_owned(), expected: Expected::Token });
        }
        // What a sender that decodes or encodes once too often would send.
        for (what, of, secret) in OTHER_READINGS {
            let id = self.row(of).id.clone();
            self.rows.push(Row { what, id, secret: secret.to_owned(), expected: Expected::Refused });
        }
    }

    fn add(&mut self, what: &'static str, issued: &Issued, expected: Expected) {
        let (id, secret) = (issued.client_id().to_string(), issued.client_secret().expose().to_owned());
        self.rows.push(Row { what, id, secret, expected });
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(Path::new(&self.folder));
    }
}

fn register(seller: &Seller<SqliteStore>, name: &str, lifetime: Lifetime) -> Issued {
    block_on(seller.register(details(name), lifetime)).expect("registered")
}

fn with_two(
    seller: &Seller<SqliteStore>,
    name: &str,
    second: NewSecret,
) -> (Issued, ClientHandle<SqliteStore>, Issued) {
    let first = register(seller, name, Lifetime::OneYear);
    let client = seller.client(first.client_id());
    let second = block_on(client.add_secret(second)).expect("added");
    (first, client, second)
}

fn details(name: &str) -> ClientDetails {
    ClientDetails::new(name, "app.contoso.com", "https://app.contoso.com/done").expect("details")
}

pub(crate) fn now() -> Timestamp {
    SystemClock::new().wall()
}

fn in_days(days: u64) -> Timestamp {
    now().saturating_add(Duration::from_secs(days * DAY))
}

const DAY: u64 = 24 * 60 * 60;

/// Every character that the encoding of some client changes.
const IMPORTED: [(&str, &str); 9] = [
    ("imported, +", "a+secret+of+another+system+1"),
    ("imported, /", "a/secret/of/another/system/2"),
    ("imported, =", "a-secret-of-another-system3=="),
    ("imported, %", "a%secret%of%another%system%"),
    ("imported, % and digits", "a%41secret%2Bof%20another%25"),
    ("imported, :", ":a:secret:of:another:system:"),
    ("imported, &", "a&client_secret=x&of=another&"),
    ("imported, space and quotes", "a \"secret\" of 'another' \\system"),
    ("imported, + / = % : &", "Zm9v+/%3D=:&%+b64/of:a&secret="),
];

const OTHER_READINGS: [(&str, &str, &str); 2] = [
    ("imported, decoded once too often", "imported, % and digits", "aAsecret+of another%"),
    (
        "imported, encoded once too often",
        "imported, :",
        "%253Aa%253Asecret%253Aof%253Aanother%253Asystem%253A",
    ),
];
