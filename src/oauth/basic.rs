//! `Basic`: the credentials of an `Authorization` header, in both of their readings (RFC 6749 section 2.3.1, RFC 7617).
//!
//! RFC 6749 form-encodes client ID and client secret before Basic joins them, and many senders leave that out. Nothing tells which
//! sender one has, so both readings are kept. They lie in buffers of exact size that are wiped.

use std::fmt;
use std::ops::Range;

use data_encoding::BASE64_NOPAD;
use zeroize::Zeroizing;

use crate::oauth::MAX_AUTHORIZATION;
use crate::oauth::fault::RequestFault;
use crate::oauth::form::{decode, split_once, text};

/// A client ID and a client secret as they came with Basic.
pub(crate) struct Basic {
    /// What was in base64, up to the first colon and after it.
    raw: Zeroizing<Vec<u8>>,
    raw_secret: Range<usize>,
    /// The same, form-decoded.
    decoded: Zeroizing<Vec<u8>>,
    client_id: Range<usize>,
    secret: Range<usize>,
}

impl Basic {
    /// Reads the value of an `Authorization` header.
    ///
    /// The base64 is that of RFC 4648 section 4. Its padding may be whole or left out; anything else in it is malformed.
    pub(crate) fn parse(authorization: &[u8]) -> Result<Self, RequestFault> {
        if authorization.len() > MAX_AUTHORIZATION {
            return Err(RequestFault::AuthorizationTooLong);
        }
        let authorization = authorization.trim_ascii();
        let (scheme, rest) = split_once(authorization, b' ').unwrap_or((authorization, b""));
        if !scheme.eq_ignore_ascii_case(b"Basic") {
            return Err(RequestFault::UnsupportedScheme);
        }
        let base64 = unpadded(rest.trim_ascii()).ok_or(RequestFault::MalformedAuthorization)?;
        let len = BASE64_NOPAD.decode_len(base64.len());
        let mut raw = Zeroizing::new(vec![0; len.map_err(|_| RequestFault::MalformedAuthorization)?]);
        match BASE64_NOPAD.decode_mut(base64, &mut raw) {
            Ok(written) if written == raw.len() => Self::split(raw),
            _ => Err(RequestFault::MalformedAuthorization),
        }
    }

    fn split(raw: Zeroizing<Vec<u8>>) -> Result<Self, RequestFault> {
        let (id, secret) = split_once(&raw, b':').ok_or(RequestFault::MalformedAuthorization)?;
        let mut decoded = Zeroizing::new(Vec::with_capacity(raw.len()));
        let client_id = decode(id, &mut decoded);
        let raw_secret = id.len() + 1..raw.len();
        let secret = decode(secret, &mut decoded);
        Ok(Self { raw_secret, client_id, secret, raw, decoded })
    }

    /// Returns the client ID, form-decoded. Where the other reading differs from this one it has a `%` or a `+`, and so it is
    /// nobody's client ID.
    pub(crate) fn client_id(&self) -> &[u8] {
        self.decoded.get(self.client_id.clone()).unwrap_or_default()
    }

    /// Returns the client secret as it was sent, and form-decoded.
    pub(crate) fn secrets(&self) -> [&str; 2] {
        let raw = self.raw.get(self.raw_secret.clone()).unwrap_or_default();
        let decoded = self.decoded.get(self.secret.clone()).unwrap_or_default();
        [text(raw), text(decoded)]
    }
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").finish_non_exhaustive()
    }
}

/// Returns base64 without its padding, if it has all of it or none.
fn unpadded(base64: &[u8]) -> Option<&[u8]> {
    let core = match base64 {
        [core @ .., b'=', b'='] | [core @ .., b'='] => core,
        core => core,
    };
    (core.len() == base64.len() || base64.len().is_multiple_of(4)).then_some(core)
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64;

    fn read(value: &str) -> Result<(String, String, String), RequestFault> {
        Basic::parse(value.as_bytes()).map(|basic| {
            let [raw, decoded] = basic.secrets();
            (text(basic.client_id()).to_owned(), raw.to_owned(), decoded.to_owned())
        })
    }

    fn ok(id: &str, raw: &str, decoded: &str) -> Result<(String, String, String), RequestFault> {
        Ok((id.to_owned(), raw.to_owned(), decoded.to_owned()))
    }

    #[test]
    fn both_readings_are_kept() {
        let of = |pair: &[u8]| read(&format!("Basic {}", BASE64.encode(pair)));
        assert_eq!(of(b"id:secret"), ok("id", "secret", "secret"));
        assert_eq!(of(b"a%2Db:x%2By+z"), ok("a-b", "x%2By+z", "x+y z"));
        assert_eq!(of(b"id:a:b:"), ok("id", "a:b:", "a:b:"));
        assert_eq!(of(b"a%3Ab:c%3Ad"), ok("a:b", "c%3Ad", "c:d"));
        assert_eq!(of(b":"), ok("", "", ""));
        assert_eq!(of("id:pässword".as_bytes()), ok("id", "pässword", "pässword"));
        // Not UTF-8 in one reading or both is an empty text there, and nobody's.
        assert_eq!(of(b"id:%ff"), ok("id", "%ff", ""));
        assert_eq!(of(b"id:\xff"), ok("id", "", ""));
        assert_eq!(of(b"\xff:secret"), ok("", "secret", "secret"));
        assert_eq!(of(b"id"), Err(RequestFault::MalformedAuthorization));
        assert_eq!(of(b""), Err(RequestFault::MalformedAuthorization));
    }

    #[test]
    fn padding_is_whole_or_left_out() {
        let good = ["aWQ6cw==", "aWQ6cw", "aWQ6c2U=", "aWQ6c2U", "aWQ6c2Vj"];
        for base64 in good {
            assert!(read(&format!("Basic {base64}")).is_ok(), "{base64}");
        }
        let bad = [
            "aWQ6cw=",
            "aWQ6c2U==",
            "aWQ6c2Vj=",
            "aWQ6c2Vj====",
            "====",
            "=",
            "a",
            "aWQ6cx==",
            "aWQ6 cw==",
            "aWQ6cw==x",
            "aWQ6c-_j",
            "aWQ6cw==, Basic aWQ6cw==",
            "\u{e9}",
        ];
        for base64 in bad {
            assert_eq!(
                read(&format!("Basic {base64}")),
                Err(RequestFault::MalformedAuthorization),
                "{base64}"
            );
        }
    }

    #[test]
    fn schemes_are_compared_without_case() {
        for value in ["basic aWQ6cw", "BASIC  aWQ6cw", " bAsIc aWQ6cw \t"] {
            assert!(read(value).is_ok(), "{value}");
        }
        for value in ["Bearer aWQ6cw", "Digest username=\"x\"", "", "Basicx aWQ6cw", "Basic:aWQ6cw"] {
            assert_eq!(read(value), Err(RequestFault::UnsupportedScheme), "{value}");
        }
        for value in ["Basic", "Basic "] {
            assert_eq!(read(value), Err(RequestFault::MalformedAuthorization), "{value}");
        }
        let long = format!("Basic {}", "a".repeat(MAX_AUTHORIZATION));
        assert_eq!(read(&long), Err(RequestFault::AuthorizationTooLong));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Basic::parse(b"Basic aWQ6cw").unwrap()), "Basic { .. }");
    }
}
