//! The configuration of a ring: the client ID, and where its client secrets are.

use std::ffi::OsString;

use zeroize::Zeroizing;

use super::source::{ENVIRONMENT, Variables, bare, read_variable};
use super::{Place, RingConfigError, SecretSource, SharedSecret};
use crate::value::{ClientId, Field};

/// The configuration of a [`SecretRing`](crate::SecretRing): a client ID, and where its client secrets are read.
///
/// The sources decide: a ring holds what is in them, and no more. A secondary source that is empty or not there means that there is no
/// secondary client secret; so does one that holds the primary client secret.
///
/// To rotate, write the old client secret to the secondary source first, then the new one to the primary source. The primary source
/// is read first, so a ring that is reloaded in between does not lose the old one. When the overlap is over, empty or remove
/// the secondary source. If the old client secret was compromised, do not write it to the secondary source: with the next reload the ring
/// forgets it.
///
/// ```
/// use client_registry::ring::{RingConfig, SecretSource};
///
/// let config = RingConfig::new("calendar-app".parse()?, SecretSource::variable("CALENDAR_SECRET"))
///     .with_secondary(SecretSource::file("/run/secrets/calendar-secret-before"));
/// # Ok::<(), client_registry::InvalidValue>(())
/// ```
#[derive(Debug, Clone)]
pub struct RingConfig {
    client_id: ClientId,
    primary: SecretSource,
    secondary: Option<SecretSource>,
}

impl RingConfig {
    /// Returns the configuration of a client ID with a source of its primary client secret.
    #[must_use]
    pub fn new(client_id: ClientId, primary: SecretSource) -> Self {
        Self { client_id, primary, secondary: None }
    }

    /// Sets the source of the secondary client secret.
    #[must_use]
    pub fn with_secondary(self, secondary: SecretSource) -> Self {
        Self { secondary: Some(secondary), ..self }
    }

    /// Returns the configuration that these environment variables hold:
    ///
    /// | variable | holds |
    /// | --- | --- |
    /// | `CLIENT_ID` | the client ID |
    /// | `CLIENT_SECRET` or `CLIENT_SECRET_FILE` | the primary client secret, or the path of a file that holds it |
    /// | `SECONDARY_CLIENT_SECRET` or `SECONDARY_CLIENT_SECRET_FILE` | the secondary one in the same way, if there is one |
    ///
    /// A variable that is empty counts as not set. The key encoding is UTF-8. The client secrets themselves are read by
    /// [`SecretRing::from_config`](crate::SecretRing::from_config).
    ///
    /// ```no_run
    /// use client_registry::SecretRing;
    /// use client_registry::ring::RingConfig;
    ///
    /// let ring = SecretRing::from_config(RingConfig::from_env()?)?;
    /// # Ok::<(), client_registry::ring::RingConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`RingConfigError`] if `CLIENT_ID` is not set or no client ID, or if a client secret is given in both ways.
    pub fn from_env() -> Result<Self, RingConfigError> {
        Self::from_variables(ENVIRONMENT)
    }

    fn from_variables(variables: Variables<'_>) -> Result<Self, RingConfigError> {
        let text = read_variable(CLIENT_ID, Field::ClientId, variables)?;
        let client_id = ClientId::parse(bare(&text)).map_err(|source| RingConfigError::Invalid {
            place: Place::variable(CLIENT_ID),
            field: Field::ClientId,
            source,
        })?;
        let [primary, secondary] = [PRIMARY, SECONDARY].map(|[variable, file]| {
            match (is_set(variables(variable)), variables(file).filter(|path| !path.is_empty())) {
                (true, Some(_)) => Err(RingConfigError::SetTwice { variables: [variable, file] }),
                (false, Some(path)) => Ok(SecretSource::file(path)),
                (_, None) => Ok(SecretSource::variable(variable)),
            }
        });
        Ok(Self::new(client_id, primary?).with_secondary(secondary?))
    }

    /// Returns the client ID.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Reads the client secrets; `variables` returns the value of an environment variable.
    pub(super) fn read_with(
        &self,
        variables: Variables<'_>,
    ) -> Result<(SharedSecret, Option<SharedSecret>), RingConfigError> {
        // The primary source first: an operator who rotates writes it last.
        let primary = self.primary.read(variables)?;
        let secondary = match self.secondary.as_ref().map(|source| source.read(variables)).transpose() {
            Err(RingConfigError::Missing { .. } | RingConfigError::Empty { .. }) => None,
            secondary => secondary?.filter(|secondary| !secondary.is(&primary)),
        };
        Ok((primary, secondary))
    }
}

/// Returns whether a variable holds something, and wipes what it holds.
fn is_set(value: Option<OsString>) -> bool {
    value.is_some_and(|value| !Zeroizing::new(value.into_encoded_bytes()).is_empty())
}

const CLIENT_ID: &str = "CLIENT_ID";
const PRIMARY: [&str; 2] = ["CLIENT_SECRET", "CLIENT_SECRET_FILE"];
const SECONDARY: [&str; 2] = ["SECONDARY_CLIENT_SECRET", "SECONDARY_CLIENT_SECRET_FILE"];

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, RwLock};

    use data_encoding::BASE64;

    use super::super::SecretRing;
    use super::super::keys::{Held, Keys};
    use super::*;
    use crate::clock::SystemClock;
    use crate::secret::{ClientSecret, KeyEncoding};
    use crate::value::Timestamp;

    const SECRET: &str = "0123456789 abcdefghijklm";

    fn set<'a>(variables: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
        |name| variables.iter().find(|(one, _)| *one == name).map(|(_, value)| value.into())
    }

    fn reads(config: &RingConfig, variables: &[(&str, &str)]) -> Result<[Option<SharedSecret>; 2], String> {
        match config.read_with(&set(variables)) {
            Ok((primary, secondary)) => Ok([Some(primary), secondary]),
            Err(error) => Err(format!("{error} [{}]", error.code())),
        }
    }

    fn one_variable() -> RingConfig {
        RingConfig::new("calendar-app".parse().unwrap(), SecretSource::variable("ONE"))
    }

    #[test]
    fn the_usual_variables_lead_to_the_client_secrets() {
        let id = ("CLIENT_ID", " calendar-app\n");
        let config = RingConfig::from_variables(&set(&[id, ("CLIENT_SECRET_FILE", "")])).unwrap();
        assert_eq!(config.client_id().as_str(), "calendar-app");
        let variable = |name| format!("SecretSource {{ variable: {name:?}, key_encoding: Utf8 }}");
        let sources = |config: RingConfig| {
            [format!("{:?}", config.primary), format!("{:?}", config.secondary.unwrap())]
        };
        assert_eq!(sources(config), [variable("CLIENT_SECRET"), variable("SECONDARY_CLIENT_SECRET")]);

        let files = [id, ("CLIENT_SECRET_FILE", "one"), ("SECONDARY_CLIENT_SECRET_FILE", "two")];
        let config = RingConfig::from_variables(&set(&files)).unwrap();
        assert_eq!(sources(config), ["SecretSource { file: _, key_encoding: Utf8 }"; 2]);
    }

    #[test]
    fn what_is_wrong_with_the_usual_variables_is_said() {
        let id = ("CLIENT_ID", "calendar-app");
        let cases: [(&[(&str, &str)], &str); 5] = [
            (&[], "the environment variable CLIENT_ID is not set: put the client ID there [source_missing]"),
            (
                &[("CLIENT_ID", " ")],
                "the environment variable CLIENT_ID is empty: put the client ID there [source_empty]",
            ),
            (
                &[("CLIENT_ID", SECRET)],
                "the environment variable CLIENT_ID does not hold a valid client ID [source_invalid]",
            ),
            (
                &[id, ("CLIENT_SECRET", SECRET), ("CLIENT_SECRET_FILE", "one")],
                "the environment variables CLIENT_SECRET and CLIENT_SECRET_FILE are both set: unset one of them \
                 [source_set_twice]",
            ),
            (
                &[id, ("SECONDARY_CLIENT_SECRET", SECRET), ("SECONDARY_CLIENT_SECRET_FILE", "two")],
                "the environment variables SECONDARY_CLIENT_SECRET and SECONDARY_CLIENT_SECRET_FILE are both set: unset \
                 one of them [source_set_twice]",
            ),
        ];
        for (variables, says) in cases {
            let error = RingConfig::from_variables(&set(variables)).unwrap_err();
            assert_eq!(format!("{error} [{}]", error.code()), says);
            assert!(!format!("{error:?}").contains(&SECRET[..8]), "{error:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_variable_is_said_with_its_name() {
        let config = one_variable().with_secondary(SecretSource::variable("TWO"));
        let one = ("ONE", SECRET);
        let cases: [(&[(&str, &str)], &str); 5] = [
            (&[], "the environment variable ONE is not set: put the client secret there [source_missing]"),
            (
                &[("ONE", "")],
                "the environment variable ONE is empty: put the client secret there [source_empty]",
            ),
            (
                &[("ONE", " \u{feff}\n")],
                "the environment variable ONE is empty: put the client secret there [source_empty]",
            ),
            (
                &[("ONE", "0123456789 abcdefghijkl")],
                "the environment variable ONE does not hold a valid client secret [source_invalid]",
            ),
            (
                &[one, ("TWO", "0123456789 abcdefghijkl")],
                "the environment variable TWO does not hold a valid client secret [source_invalid]",
            ),
        ];
        for (variables, says) in cases {
            assert_eq!(reads(&config, variables).unwrap_err(), says);
        }
        for variables in [&[one][..], &[one, ("TWO", "")], &[one, ("TWO", " \n")], &[one, ("TWO", SECRET)]] {
            assert!(reads(&config, variables).unwrap()[1].is_none(), "{variables:?}");
        }
        let spaced = format!("\u{feff} {SECRET}\r\n");
        let [primary, secondary] =
            reads(&config, &[("ONE", &spaced), ("TWO", "abcdefghijklm 0123456789")]).unwrap();
        assert_eq!(primary.unwrap().client_secret.expose(), SECRET);
        assert_eq!(secondary.unwrap().client_secret.expose(), "abcdefghijklm 0123456789");
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_unicode_are_called_so_and_not_repeated() {
        use std::os::unix::ffi::OsStringExt;
        let value = [SECRET.as_bytes(), b"\xff"].concat();
        let error = one_variable().read_with(&|_| Some(OsString::from_vec(value.clone()))).unwrap_err();
        assert!(matches!(error, RingConfigError::NotUnicode { .. }));
        assert!(!format!("{error} {error:?}").contains(&SECRET[..8]));
    }

    /// What the variable holds, passed as its name.
    #[test]
    fn a_name_that_is_none_is_not_repeated() {
        for name in [SECRET, &crate::value::secret_text::write("crs", &[7; 32])] {
            let config = RingConfig::new("calendar-app".parse().unwrap(), SecretSource::variable(name));
            let error = config.read_with(&|_| None).unwrap_err();
            assert!(
                error.to_string().starts_with("the environment variable of that name is not set"),
                "{error}"
            );
            assert!(!format!("{config:?} {error:?}").contains(&name[4..12]), "{config:?} {error:?}");
        }
    }

    /// An operator writes the old client secret to the secondary source, then the new one to the primary source. Each source is read
    /// after some of that was written.
    #[test]
    fn rule_17_a_rotation_is_never_seen_without_the_old_client_secret() {
        const NEW: &str = "abcdefghijklm 0123456789";
        let steps = [[SECRET, ""], [SECRET, SECRET], [NEW, SECRET]];
        let config = one_variable().with_secondary(SecretSource::variable("TWO"));
        for written in [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]] {
            let read = Mutex::new(written.into_iter());
            let variables = |name: &str| {
                let [one, two] = steps[read.lock().unwrap().next().unwrap()];
                Some(if name == "ONE" { one } else { two }.into())
            };
            let (primary, secondary) = config.read_with(&variables).unwrap();
            let mut held = [Some(&primary), secondary.as_ref()].into_iter().flatten();
            assert!(held.any(|secret| secret.client_secret.expose() == SECRET), "{written:?}");
        }
    }

    /// Otherwise the reload that read first could put what it read in place last.
    #[test]
    fn rule_17_one_reload_reads_at_a_time() {
        let keys =
            Keys::new("calendar-app".parse().unwrap(), Held::new(parsed(SECRET), Timestamp::MIN), None);
        let clock = Arc::new(SystemClock::new());
        let ring = SecretRing { keys: RwLock::new(keys), clock, config: Some(Mutex::new(one_variable())) };
        let variables = |_: &str| {
            assert!(ring.config.as_ref().unwrap().try_lock().is_err(), "another one could read now");
            assert!(ring.keys.try_write().is_ok(), "verifying and calling wait for no file");
            Some(SECRET.into())
        };
        assert_eq!(ring.reload_with(&variables), Ok(false));
    }

    fn parsed(text: &str) -> SharedSecret {
        ClientSecret::parse(text).unwrap().into()
    }

    #[test]
    fn a_generated_client_secret_is_never_read_as_base64() {
        let base64 = |name| SecretSource::variable(name).with_key_encoding(KeyEncoding::Base64);
        let config =
            RingConfig::new("calendar-app".parse().unwrap(), base64("ONE")).with_secondary(base64("TWO"));
        let generated = crate::value::secret_text::write("acme", &[7; 32]);
        let imported = BASE64.encode(&[7; 32]);
        let [primary, secondary] = reads(&config, &[("ONE", &generated), ("TWO", &imported)]).unwrap();
        assert_eq!(primary.unwrap().key_encoding, KeyEncoding::Utf8);
        assert_eq!(secondary.unwrap().key_encoding, KeyEncoding::Base64);
        // One text with two key encodings is two signing keys.
        let config = one_variable().with_secondary(base64("TWO"));
        assert!(reads(&config, &[("ONE", &imported), ("TWO", &imported)]).unwrap()[1].is_some());
    }
}
