//! Where a client secret is read: a file or an environment variable. What is read is wiped (rule 8).

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::{fmt, str};

use zeroize::Zeroizing;

use super::{Place, RingConfigError, SharedSecret};
use crate::secret::{ClientSecret, KeyEncoding};
use crate::value::secret_text::{MIN_LEN, could_be_secret, is_well_formed};
use crate::value::variable::{self, NoText};
use crate::value::{Field, InvalidValue, Policy};

/// A place that holds one client secret, and is read again by [`SecretRing::reload`](crate::SecretRing::reload): a file or an
/// environment variable.
///
/// White space and a byte order mark around the client secret do not belong to it. A process sees a change of its environment variables
/// only if it makes the change itself, so a rotation without a restart needs files.
#[derive(Clone)]
pub struct SecretSource {
    place: Inner,
    form: Form,
}

/// What the text in a source is.
#[derive(Clone, Copy)]
enum Form {
    /// The text of a client secret.
    Text(KeyEncoding),
    /// A key of Standard Webhooks.
    #[cfg(feature = "webhooks")]
    Whsec,
}

#[derive(Clone)]
enum Inner {
    Variable(String),
    File(PathBuf),
}

impl SecretSource {
    /// Returns the environment variable of this name as a source.
    #[must_use]
    pub fn variable(name: impl Into<String>) -> Self {
        Self { place: Inner::Variable(name.into()), form: Form::Text(KeyEncoding::Utf8) }
    }

    /// Returns the file at this path as a source: a regular file of UTF-8 text, of at most 4 KiB, or a link to one.
    ///
    /// To change a file that is in use, write another one beside it and rename that, so that no reload reads half a client secret.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { place: Inner::File(path.into()), form: Form::Text(KeyEncoding::Utf8) }
    }

    /// Sets how the client secret is read as a signing key: [`Utf8`](KeyEncoding::Utf8) unless configured otherwise.
    ///
    /// A client secret that this crate has generated is always read as UTF-8: it is never base64. So an add-in that moved in with a
    /// base64 key needs no other configuration when the platform issues the next client secret.
    #[must_use]
    pub fn with_key_encoding(self, key_encoding: KeyEncoding) -> Self {
        Self { form: Form::Text(key_encoding), ..self }
    }

    /// Says that the source holds a key of Standard Webhooks: `whsec_` and base64. [`ClientSecret::parse_whsec`] says what it is read
    /// as. A client secret that this crate has generated is also read as it is.
    #[cfg(feature = "webhooks")]
    #[cfg_attr(docsrs, doc(cfg(feature = "webhooks")))]
    #[must_use]
    pub fn in_whsec_form(self) -> Self {
        Self { form: Form::Whsec, ..self }
    }

    /// Reads the client secret; `variables` returns the value of an environment variable.
    pub(super) fn read(&self, variables: Variables<'_>) -> Result<SharedSecret, RingConfigError> {
        match &self.place {
            Inner::Variable(name) => {
                let text = read_variable(name, Field::ClientSecret, variables)?;
                self.parse(&text).map_err(|source| self.invalid(source))
            }
            Inner::File(path) => {
                let content = read_file(path)?;
                let (place, field) = (|| self.place(), Field::ClientSecret);
                let text = str::from_utf8(&content)
                    .map_err(|_| RingConfigError::NotUnicode { place: place(), field })?;
                let text = bare(text);
                if text.is_empty() {
                    return Err(RingConfigError::Empty { place: place(), field });
                }
                self.parse(text).map_err(|source| self.invalid(source))
            }
        }
    }

    fn parse(&self, text: &str) -> Result<SharedSecret, InvalidValue> {
        let text = bare(text);
        match self.form {
            _ if is_well_formed(text.as_bytes()) => Ok(ClientSecret::parse(text)?.into()),
            Form::Text(key_encoding) => SharedSecret::new(ClientSecret::parse(text)?, key_encoding),
            #[cfg(feature = "webhooks")]
            Form::Whsec => SharedSecret::parse_whsec(text),
        }
    }

    fn invalid(&self, source: InvalidValue) -> RingConfigError {
        RingConfigError::Invalid { place: self.place(), field: Field::ClientSecret, source }
    }

    fn place(&self) -> Place {
        match &self.place {
            Inner::Variable(name) => Place::variable(name),
            Inner::File(path) => file_place(path),
        }
    }
}

/// Shows no path: whether it is one or a client secret, the file system has to say.
impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("SecretSource");
        match &self.place {
            Inner::Variable(name) => debug.field("variable", &variable::shown(name).unwrap_or("_")),
            Inner::File(_) => debug.field("file", &format_args!("_")),
        };
        match self.form {
            Form::Text(key_encoding) => debug.field("key_encoding", &key_encoding),
            #[cfg(feature = "webhooks")]
            Form::Whsec => debug.field("form", &"whsec"),
        };
        debug.finish()
    }
}

/// Returns the value of an environment variable.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The environment of this process.
pub(super) const ENVIRONMENT: Variables<'static> = &|name| std::env::var_os(name);

/// Returns the text of an environment variable.
pub(super) fn read_variable(
    name: &str,
    field: Field,
    variables: Variables<'_>,
) -> Result<Zeroizing<String>, RingConfigError> {
    let place = || Place::variable(name);
    match variable::text(variables(name)) {
        Ok(text) if bare(&text).is_empty() => Err(RingConfigError::Empty { place: place(), field }),
        Ok(text) => Ok(text),
        Err(NoText::NotSet) => Err(RingConfigError::Missing { place: place(), field }),
        Err(NoText::Empty) => Err(RingConfigError::Empty { place: place(), field }),
        Err(NoText::NotUnicode) => Err(RingConfigError::NotUnicode { place: place(), field }),
    }
}

/// Returns the text without white space and byte order marks around it.
pub(super) fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

/// Returns the content of a file, in a buffer that never grows.
fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, RingConfigError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => {
            RingConfigError::Missing { place: file_place(path), field: Field::ClientSecret }
        }
        problem => RingConfigError::Unreadable { place: file_place(path), problem },
    };
    let too_large = || RingConfigError::TooLarge { place: file_place(path) };
    // Before it is opened: opening a pipe would wait for a writer.
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(RingConfigError::NotAFile { place: file_place(path) });
    }
    if metadata.len() > MAX_FILE as u64 {
        return Err(too_large());
    }
    let mut file = File::open(path).map_err(failed)?;
    let mut content = Zeroizing::new(vec![0; MAX_FILE + 1]);
    let mut len = 0;
    while let Some(rest) = content.get_mut(len..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    if len > MAX_FILE {
        return Err(too_large()); // it grew, or does not tell its length
    }
    content.truncate(len);
    Ok(content)
}

/// Returns the place of a file. Its path is named if the directory exists, or if the path is too short for a client secret: callers pass
/// the client secret in place of the path, and that names no directory.
fn file_place(path: &Path) -> Place {
    let shown = path.to_str().filter(|text| {
        let could_be_secret = |text: &str| could_be_secret(text, Policy::default().secret_prefix());
        let mut parts = path.components().filter_map(|part| match part {
            Component::Normal(part) => part.to_str(),
            _ => None,
        });
        let names_directory = path.parent().is_some_and(|directory| {
            directory.is_dir() && directory.components().any(|part| matches!(part, Component::Normal(_)))
        });
        (text.len() < MIN_LEN || names_directory)
            && !text.contains(char::is_control)
            && !could_be_secret(text)
            && !parts.any(could_be_secret)
    });
    Place::File(shown.map(str::to_owned))
}

/// The most bytes that a file may have: a client secret has at most 512 characters.
const MAX_FILE: usize = 4096;
