//! The pieces of the stream.

use std::io::{self, Read, Write};

use crate::event::{EventText, Revision};
use crate::id::SecretId;
use crate::record::Record;
use crate::store::{CommitId, MAX_RECORD};
use crate::validity::Timestamp;

/// A piece of the stream.
pub(super) enum Piece {
    /// The record of the registry.
    Registry(Record),
    /// The record of a client. All that follows up to the next one is about it.
    Client(Record),
    /// When one of its secrets was last used.
    Use(SecretId, Timestamp),
    /// One of its commits.
    Commit(CommitId, Revision),
    /// The text of an event of that commit.
    Event(EventText),
    /// How many clients and events there were. Nothing follows.
    End { clients: u64, events: u64 },
}

/// Why no piece could be read.
#[derive(Debug)]
pub(super) enum Unreadable {
    Io(io::Error),
    /// It is not what was written.
    Malformed(Box<dyn std::error::Error + Send + Sync>),
}

pub(super) fn begin(stream: &mut impl Write) -> io::Result<()> {
    stream.write_all(FIRST_LINE)
}

pub(super) fn expect_beginning(stream: &mut impl Read) -> Result<(), Unreadable> {
    let mut line = [0; FIRST_LINE.len()];
    stream.read_exact(&mut line).map_err(cut_short)?;
    if line == *FIRST_LINE {
        Ok(())
    } else {
        Err("it does not begin as an export of this version does".into())
    }
}

impl Piece {
    pub(super) fn write(&self, stream: &mut impl Write) -> io::Result<()> {
        let (kind, bytes) = match self {
            Self::Registry(record) => (b'R', record.to_bytes().map_err(io::Error::other)?),
            Self::Client(record) => (b'C', record.to_bytes().map_err(io::Error::other)?),
            Self::Use(secret, at) => {
                (b'U', [&secret.number().to_be_bytes()[..], &at.as_millis().to_be_bytes()].concat())
            }
            Self::Commit(id, revision) => {
                (b'M', [&id.as_bytes()[..], &revision.number().to_be_bytes()].concat())
            }
            Self::Event(event) => (b'E', event.as_bytes().to_vec()),
            Self::End { clients, events } => (b'.', [clients.to_be_bytes(), events.to_be_bytes()].concat()),
        };
        let len = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        stream.write_all(&[kind])?;
        stream.write_all(&len.to_be_bytes())?;
        stream.write_all(&bytes)
    }

    pub(super) fn read(stream: &mut impl Read) -> Result<Self, Unreadable> {
        let mut head = [0; 5];
        stream.read_exact(&mut head).map_err(cut_short)?;
        let [kind, len @ ..] = head;
        let len = usize::try_from(u32::from_be_bytes(len)).map_err(malformed)?;
        if len > MAX_RECORD {
            return Err("a piece has more than 64 KiB".into());
        }
        let mut bytes = vec![0; len];
        stream.read_exact(&mut bytes).map_err(cut_short)?;
        match kind {
            b'R' => Record::from_bytes(&bytes).map(Self::Registry).map_err(malformed),
            b'C' => Record::from_bytes(&bytes).map(Self::Client).map_err(malformed),
            b'U' => {
                let (secret, at) = split(&bytes)?;
                let secret = SecretId::new(u32::from_be_bytes(secret)).ok_or("a secret has the number 0")?;
                let at = Timestamp::from_millis(i64::from_be_bytes(at)).ok_or("an instant is none")?;
                Ok(Self::Use(secret, at))
            }
            b'M' => {
                let (id, revision) = split(&bytes)?;
                let revision = Revision::new(u64::from_be_bytes(revision));
                Ok(Self::Commit(CommitId::from_bytes(id), revision))
            }
            b'E' => Ok(Self::Event(EventText::from_bytes(bytes))),
            b'.' => {
                let (clients, events) = split(&bytes)?;
                Ok(Self::End { clients: u64::from_be_bytes(clients), events: u64::from_be_bytes(events) })
            }
            _ => Err("a piece is of no known kind".into()),
        }
    }
}

/// Two numbers, and nothing else.
fn split<const N: usize, const M: usize>(bytes: &[u8]) -> Result<([u8; N], [u8; M]), Unreadable> {
    let both = bytes.split_first_chunk().and_then(|(first, rest)| Some((*first, rest.try_into().ok()?)));
    both.ok_or_else(|| "a piece has the wrong length".into())
}

impl From<&str> for Unreadable {
    fn from(what: &str) -> Self {
        Self::Malformed(what.into())
    }
}

fn malformed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Unreadable {
    Unreadable::Malformed(error.into())
}

fn cut_short(error: io::Error) -> Unreadable {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it is cut short".into(),
        _ => Unreadable::Io(error),
    }
}

const FIRST_LINE: &[u8; 25] = b"client-registry export 1\n";
