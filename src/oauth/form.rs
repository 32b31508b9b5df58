//! `Form`: the parameters of a form body, decoded once, in memory that is wiped.
//!
//! A body is decoded into one buffer that is as large as the body, so that it never grows: a buffer that grows leaves copies of a
//! client secret behind. The form then gives out every parameter but the client secret.

use std::fmt;
use std::ops::Range;

use zeroize::{Zeroize, Zeroizing};

use crate::oauth::fault::RequestFault;
use crate::oauth::{MAX_BODY, MAX_PARAMETERS};

/// The parameters of a request's form body (RFC 6749 appendix B), without the client secret.
///
/// The texts lie in memory that is wiped when the form is dropped: a code, a refresh token or a password may be among them. For the
/// same reason its `Debug` shows only how many there are. A parameter without a value counts as left out (RFC 6749 section 3.2).
///
/// ```
/// # use client_registry::oauth::Form;
/// let form = Form::parse(b"grant_type=client_credentials&scope=calendar.read+mail.read&state=")?;
/// assert_eq!(form.get("grant_type"), Some("client_credentials"));
/// assert_eq!(form.get("scope"), Some("calendar.read mail.read"));
/// assert_eq!(form.get("state"), None);
/// # Ok::<(), client_registry::oauth::OAuthError>(())
/// ```
#[derive(Default)]
pub struct Form {
    text: Zeroizing<Vec<u8>>,
    parameters: Vec<Parameter>,
}

struct Parameter {
    name: Range<usize>,
    value: Range<usize>,
}

impl Form {
    /// Decodes a form body. [`ClientRequest::parse`](crate::oauth::ClientRequest::parse) does so for a whole request.
    ///
    /// A `+` is a space, and `%` with two hexadecimal digits is a byte; any other `%` stands for itself (WHATWG URL, section 5.1).
    ///
    /// # Errors
    /// `invalid_request` if the body has more than [`MAX_BODY`] bytes or [`MAX_PARAMETERS`] parameters, if a parameter other than
    /// `client_id` and `client_secret` is not UTF-8, or if one stands twice. `resource` and `audience` may stand more than once (RFC
    /// 8707 section 2, RFC 8693 section 2.1).
    pub fn parse(body: &[u8]) -> Result<Self, crate::oauth::OAuthError> {
        Self::read(body).map_err(|fault| fault.into_error(false))
    }

    pub(crate) fn read(body: &[u8]) -> Result<Self, RequestFault> {
        if body.len() > MAX_BODY {
            return Err(RequestFault::BodyTooLarge);
        }
        let pairs = || body.split(|b| *b == b'&').filter(|pair| !pair.is_empty());
        let count = pairs().take(MAX_PARAMETERS + 1).count();
        if count > MAX_PARAMETERS {
            return Err(RequestFault::TooManyParameters);
        }
        let mut form = Self {
            text: Zeroizing::new(Vec::with_capacity(body.len())),
            parameters: Vec::with_capacity(count),
        };
        for pair in pairs() {
            let (name, value) = split_once(pair, b'=').unwrap_or((pair, b""));
            let (name, value) = (decode(name, &mut form.text), decode(value, &mut form.text));
            form.add(Parameter { name, value })?;
        }
        Ok(form)
    }

    fn add(&mut self, parameter: Parameter) -> Result<(), RequestFault> {
        let (name, value) = (self.bytes(&parameter.name), self.bytes(&parameter.value));
        let is_credential = name == CLIENT_ID || name == CLIENT_SECRET;
        if std::str::from_utf8(name).is_err() || (!is_credential && std::str::from_utf8(value).is_err()) {
            return Err(RequestFault::NotUtf8);
        }
        let may_repeat = name == b"resource" || name == b"audience";
        if !may_repeat && self.parameters.iter().any(|known| self.bytes(&known.name) == name) {
            return Err(RequestFault::Repeated);
        }
        self.parameters.push(parameter);
        Ok(())
    }

    /// Returns the value of a parameter, or `None` if it is not there, has no value, or is the client secret. Of one that stands
    /// more than once, returns the first value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns every value of a parameter that may stand more than once.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Returns the names and values in the order of the body.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().filter_map(|parameter| {
            let name = text(self.bytes(&parameter.name));
            let value = text(self.bytes(&parameter.value));
            (name.as_bytes() != CLIENT_SECRET && !value.is_empty()).then_some((name, value))
        })
    }

    /// Returns the bytes of a parameter, whatever they are, if it is there.
    pub(crate) fn raw(&self, name: &[u8]) -> Option<&[u8]> {
        let parameter = self.parameters.iter().find(|parameter| self.bytes(&parameter.name) == name)?;
        Some(self.bytes(&parameter.value))
    }

    /// Wipes the client secret: it was judged, and nobody needs it any longer.
    pub(crate) fn wipe_secret(&mut self) {
        let Self { text, parameters } = self;
        for Parameter { name, value } in parameters {
            if text.get(name.clone()) == Some(CLIENT_SECRET)
                && let Some(value) = text.get_mut(value.clone())
            {
                value.zeroize();
            }
        }
    }

    fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.text.get(range.clone()).unwrap_or_default()
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form").field("parameters", &self.parameters.len()).finish_non_exhaustive()
    }
}

/// Appends the form decoding of a text, which is at most as long as the text, and returns where it is. The buffer must have room
/// for it.
pub(crate) fn decode(text: &[u8], out: &mut Vec<u8>) -> Range<usize> {
    debug_assert!(out.capacity() - out.len() >= text.len(), "a buffer that grows leaves copies behind");
    let start = out.len();
    out.extend(Decoded(text));
    start..out.len()
}

/// Returns whether the form decoding of a text is this one. Copies nothing.
pub(crate) fn decodes_to(text: &[u8], expected: &[u8]) -> bool {
    Decoded(text).eq(expected.iter().copied())
}

/// The bytes of a form-encoded text.
struct Decoded<'a>(&'a [u8]);

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (first, mut rest) = self.0.split_first()?;
        let byte = match first {
            b'+' => b' ',
            b'%' => match escaped(rest) {
                Some((byte, after)) => {
                    rest = after;
                    byte
                }
                None => b'%',
            },
            other => *other,
        };
        self.0 = rest;
        Some(byte)
    }

    /// The most that is left, so that a buffer with that much room is not asked to grow.
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len().div_ceil(3), Some(self.0.len()))
    }
}

/// Returns the byte of two hexadecimal digits, and what is after them.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let ([high, low], after) = text.split_first_chunk()?;
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some((digit(*high)? << 4 | digit(*low)?, after))
}

/// Splits at the first separator.
pub(crate) fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|b| *b == separator)?;
    let (before, rest) = text.split_at_checked(at)?;
    Some((before, rest.get(1..)?))
}

/// Returns the text, or an empty one if it is not UTF-8: that is nobody's client ID and nobody's client secret.
pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

pub(crate) const CLIENT_ID: &[u8] = b"client_id";
pub(crate) const CLIENT_SECRET: &[u8] = b"client_secret";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        decode(text, &mut out);
        out
    }

    #[test]
    fn what_is_no_escape_stands_for_itself() {
        for (text, expected) in [
            (&b"a+b%20c"[..], &b"a b c"[..]),
            (b"%2B%2f%3D%25%3a%26", b"+/=%:&"),
            (b"%", b"%"),
            (b"%2", b"%2"),
            (b"%zz%4", b"%zz%4"),
            (b"%%41", b"%A"),
            (b"%E2%82%AC%ff%00", b"\xe2\x82\xac\xff\0"),
            (b"%+1", b"% 1"),
            (b"", b""),
        ] {
            assert_eq!(decoded(text), expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn the_client_secret_is_in_no_list_and_can_be_wiped() {
        let mut form = Form::read(b"a=1&client_secret=s%2Bcret&=x&b&&a%20b=2&client_id=id").unwrap();
        let listed: Vec<_> = form.iter().collect();
        assert_eq!(listed, [("a", "1"), ("", "x"), ("a b", "2"), ("client_id", "id")]);
        assert_eq!(form.get("client_secret"), None);
        assert_eq!(form.raw(CLIENT_SECRET), Some(&b"s+cret"[..]));
        form.wipe_secret();
        assert_eq!(form.raw(CLIENT_SECRET), Some(&[0; 6][..]));
        assert_eq!((form.get("a"), form.get("client_id")), (Some("1"), Some("id")));
        assert_eq!(format!("{form:?}"), "Form { parameters: 6, .. }");
    }

    #[test]
    fn limits_are_checked_first() {
        let many = |count: usize| (0..count).map(|n| format!("{n}=x&")).collect::<String>();
        assert!(Form::read(many(MAX_PARAMETERS).as_bytes()).is_ok());
        let fault = |body: &[u8]| Form::read(body).err();
        assert_eq!(fault(many(MAX_PARAMETERS + 1).as_bytes()), Some(RequestFault::TooManyParameters));
        assert_eq!(fault(&[b'a'; MAX_BODY]), None);
        assert_eq!(fault(&[b'a'; MAX_BODY + 1]), Some(RequestFault::BodyTooLarge));
        assert_eq!(fault(&[b'&'; MAX_BODY]), None);
        assert_eq!(fault(b"a=1&b=2&%61=1"), Some(RequestFault::Repeated));
        assert_eq!(fault(b"resource=1&audience=2&resource=3&audience=4"), None);
        assert_eq!(fault(b"a=%ff"), Some(RequestFault::NotUtf8));
        assert_eq!(fault(b"%ff=a"), Some(RequestFault::NotUtf8));
        assert_eq!(fault(b"client_id=%ff&client_secret=%ff"), None);
    }

    proptest! {
        /// The parser of another crate reads every body in the same way.
        #[test]
        fn every_body_is_read_as_the_url_standard_says(body in "([a-c%+=&]|%[0-9a-fA-F]{2}){0,40}") {
            let expected: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).collect();
            if let Ok(form) = Form::read(body.as_bytes()) {
                let found: Vec<_> = form.iter().collect();
                let expected: Vec<_> = expected.iter().filter(|(_, value)| !value.is_empty()).collect();
                prop_assert_eq!(found.len(), expected.len());
                for ((name, value), (other_name, other_value)) in found.into_iter().zip(expected) {
                    prop_assert_eq!((name, value), (&**other_name, &**other_value));
                }
            }
        }

        /// No body makes a buffer grow.
        #[test]
        fn no_buffer_grows(body in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(form) = Form::read(&body) {
                prop_assert_eq!(form.text.capacity(), body.len());
            }
            prop_assert!(decodes_to(&body, &decoded(&body)));
        }
    }
}
