//! Who signs in. A marketplace has its own way to know its sellers; it stands behind the trait [`SignIn`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// Someone who has signed in. The session keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Account {
    /// A seller, by ID.
    Seller(String),
    /// An operator of the platform, by ID.
    Operator(String),
}

impl Account {
    /// Returns the ID.
    pub fn id(&self) -> &str {
        let (Self::Seller(id) | Self::Operator(id)) = self;
        id
    }

    /// Says whether it is an operator.
    pub fn is_operator(&self) -> bool {
        matches!(self, Self::Operator(_))
    }

    /// Returns the page to begin at.
    pub fn home(&self) -> &'static str {
        if self.is_operator() { "/operator" } else { "/clients" }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seller(id) => write!(f, "seller {id}"),
            Self::Operator(id) => write!(f, "operator {id}"),
        }
    }
}

/// The sign-in: it tells which account a visitor has.
pub trait SignIn: fmt::Debug + Send + Sync {
    /// Returns the account that these credentials prove.
    fn check(&self, name: &str) -> Option<Account>;

    /// Returns accounts to offer, for development alone. A real sign-in offers none.
    fn offered(&self) -> &[Account] {
        &[]
    }
}

/// A sign-in for development: a name is enough.
#[derive(Debug)]
pub struct DevelopmentSignIn {
    accounts: Vec<Account>,
}

impl DevelopmentSignIn {
    /// Returns a sign-in with the accounts of the seed.
    pub fn new() -> Self {
        let sellers = ["contoso", "fabrikam", "northwind"].map(|id| Account::Seller(id.to_owned()));
        let mut accounts = Vec::from(sellers);
        accounts.push(Account::Operator("ann".to_owned()));
        Self { accounts }
    }
}

impl Default for DevelopmentSignIn {
    fn default() -> Self {
        Self::new()
    }
}

impl SignIn for DevelopmentSignIn {
    fn check(&self, name: &str) -> Option<Account> {
        self.accounts.iter().find(|account| account.id() == name.trim()).cloned()
    }

    fn offered(&self) -> &[Account] {
        &self.accounts
    }
}
