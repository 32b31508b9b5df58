//! The pieces of the stream, and the proofs that chain them.

use std::io::{
    Read, Write, {self},
};

use hkdf::HkdfExtract;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::event::EventText;
use crate::record::{Keyring, NamedKey, Record};
use crate::store::{CommitId, MAX_RECORD};
use crate::value::{KeyId, Revision, SecretId, Timestamp};

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
    /// A piece does not carry the proof that it should.
    Edited,
    /// The keyring lacks the key that it is proved under.
    MissingKey(KeyId),
}

impl Piece {
    fn to_bytes(&self) -> io::Result<(u8, Vec<u8>)> {
        Ok(match self {
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
        })
    }

    fn of(kind: u8, bytes: Vec<u8>) -> Result<Self, Unreadable> {
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

/// Writes pieces, each with its proof.
pub(super) struct Writer<'a, W> {
    stream: &'a mut W,
    proof: Proof,
}

impl<'a, W: Write> Writer<'a, W> {
    /// Begins a stream that is proved under a key, which it names.
    pub(super) fn begin(stream: &'a mut W, key: &NamedKey) -> io::Result<Self> {
        stream.write_all(FIRST_LINE)?;
        let mut writer = Self { stream, proof: Proof::new(key) };
        writer.write_bytes(KEY, key.id().as_str().as_bytes())?;
        Ok(writer)
    }

    pub(super) fn write(&mut self, piece: &Piece) -> io::Result<()> {
        let (kind, bytes) = piece.to_bytes()?;
        self.write_bytes(kind, &bytes)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }

    fn write_bytes(&mut self, kind: u8, bytes: &[u8]) -> io::Result<()> {
        let head = head(kind, bytes.len())?;
        self.stream.write_all(&head)?;
        self.stream.write_all(bytes)?;
        self.stream.write_all(self.proof.next(&head, bytes))
    }
}

/// Reads pieces. Nothing of a piece is believed, or even parsed, before its proof was found right.
pub(super) struct Reader<'a, R> {
    stream: &'a mut R,
    /// None in streams of the first version, which prove nothing.
    proof: Option<Proof>,
}

impl<'a, R: Read> Reader<'a, R> {
    /// Begins where the stream begins.
    pub(super) fn begin(stream: &'a mut R, keyring: &Keyring) -> Result<Self, Unreadable> {
        let mut line = [0; FIRST_LINE.len()];
        stream.read_exact(&mut line).map_err(cut_short)?;
        if line == *FIRST_LINE_WITHOUT_PROOF {
            return Ok(Self { stream, proof: None });
        }
        if line != *FIRST_LINE {
            return Err("it does not begin as an export of this version does".into());
        }
        let (head, bytes) = read_bytes(stream)?;
        let key_id = str::from_utf8(&bytes).ok().and_then(|id| KeyId::parse(id).ok());
        let key_id = key_id.filter(|_| head.first() == Some(&KEY)).ok_or("it does not name its key")?;
        let key = keyring.key(&key_id).ok_or(Unreadable::MissingKey(key_id))?;
        let mut reader = Self { stream, proof: Some(Proof::new(key)) };
        reader.prove(&head, &bytes)?;
        Ok(reader)
    }

    /// Whether it is proved that nobody edited the stream.
    pub(super) fn is_proved(&self) -> bool {
        self.proof.is_some()
    }

    pub(super) fn read(&mut self) -> Result<Piece, Unreadable> {
        let (head, bytes) = read_bytes(self.stream)?;
        self.prove(&head, &bytes)?;
        let [kind, ..] = head;
        Piece::of(kind, bytes)
    }

    fn prove(&mut self, head: &Head, bytes: &[u8]) -> Result<(), Unreadable> {
        let Some(proof) = &mut self.proof else {
            return Ok(());
        };
        let mut found = [0; PROOF];
        self.stream.read_exact(&mut found).map_err(cut_short)?;
        match proof.next(head, bytes).ct_eq(&found).into() {
            true => Ok(()),
            false => Err(Unreadable::Edited),
        }
    }
}

/// What chains the pieces: HMAC-SHA-256 over the proof of the piece before and this piece. So the last one stands for the
/// whole stream, in its order.
struct Proof {
    key: Zeroizing<[u8; 32]>,
    last: [u8; PROOF],
}

impl Proof {
    fn new(key: &NamedKey) -> Self {
        Self { key: key.export_key(), last: [0; PROOF] }
    }

    fn next(&mut self, head: &Head, bytes: &[u8]) -> &[u8; PROOF] {
        // What HKDF calls extracting is HMAC, with the salt as its key (RFC 5869 section 2.2).
        let mut hmac = HkdfExtract::<Sha256>::new(Some(&*self.key));
        for part in [&self.last[..], head, bytes] {
            hmac.input_ikm(part);
        }
        self.last = hmac.finalize().0.into();
        &self.last
    }
}

fn head(kind: u8, len: usize) -> io::Result<Head> {
    let [a, b, c, d] = u32::try_from(len).map_err(io::Error::other)?.to_be_bytes();
    Ok([kind, a, b, c, d])
}

fn read_bytes(stream: &mut impl Read) -> Result<(Head, Vec<u8>), Unreadable> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).map_err(cut_short)?;
    let [_, len @ ..] = head;
    let len = usize::try_from(u32::from_be_bytes(len)).map_err(malformed)?;
    if len > MAX_RECORD {
        return Err("a piece has more than 64 KiB".into());
    }
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).map_err(cut_short)?;
    Ok((head, bytes))
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

/// What a piece is, and its length.
type Head = [u8; 5];

const FIRST_LINE: &[u8; 25] = b"client-registry export 2\n";
/// Of streams whose pieces carry no proof.
const FIRST_LINE_WITHOUT_PROOF: &[u8; 25] = b"client-registry export 1\n";
/// The first piece, which names the key of the proofs.
const KEY: u8 = b'K';
/// The bytes of a proof.
const PROOF: usize = 32;
