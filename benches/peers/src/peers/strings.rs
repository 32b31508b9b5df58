//! What a program that is written quickly keeps of a client: a string for everything, in a map.

use std::collections::HashMap;

#[derive(Debug)]
pub struct Naive {
    pub owner: String,
    pub name: String,
    pub app_domain: String,
    pub redirect_url: String,
    pub secrets: Vec<NaiveSecret>,
}

#[derive(Debug)]
pub struct NaiveSecret {
    /// The hash in hexadecimal.
    pub hash: String,
    /// The key that signs: the secret itself, since there is nothing else to sign with.
    pub key: String,
    pub label: Option<String>,
    pub from: i64,
    pub until: i64,
    pub is_enabled: bool,
}

pub type NaiveClients = HashMap<String, Naive>;
