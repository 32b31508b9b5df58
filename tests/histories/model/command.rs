//! The commands of a history, and how one is made of a few random numbers and what there is at the time.
//!
//! The numbers mean something in every state, so that a history can be shortened anywhere and still be one.

mod making;

use crate::model::naive::{Actor, Attached, Import, New, PlanKind, Present, Rotate, Text};

/// What a command is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pick {
    pub(crate) kind: u16,
    pub(crate) numbers: [u16; 5],
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command {
    Register {
        actor: Actor,
        seller: u8,
        name: Name,
        china: bool,
        new: New,
    },
    ChangeDetails {
        actor: Actor,
        client: usize,
        name: Name,
    },
    Add {
        actor: Actor,
        client: usize,
        new: New,
    },
    Rotate {
        actor: Actor,
        client: usize,
        rotate: Rotate,
    },
    Plan {
        actor: Actor,
        client: usize,
        kind: PlanKind,
    },
    ConfirmLatest {
        actor: Actor,
        client: usize,
    },
    PlanAndConfirm {
        actor: Actor,
        client: usize,
        kind: PlanKind,
    },
    /// Planned and confirmed in one call.
    AtOnce {
        actor: Actor,
        client: usize,
        kind: PlanKind,
    },
    CleanUp {
        actor: Actor,
        client: usize,
        secrets: Vec<u32>,
    },
    Enable {
        actor: Actor,
        client: usize,
        secret: u32,
    },
    Promote {
        actor: Actor,
        client: usize,
        secret: u32,
    },
    Schedule {
        actor: Actor,
        client: usize,
        secret: u32,
        at: i64,
    },
    Withdraw {
        actor: Actor,
        client: usize,
        secret: u32,
    },
    Emergency {
        actor: Actor,
        client: usize,
        secret: u32,
        replacement: Option<New>,
    },
    MarkCompromised {
        actor: Actor,
        client: usize,
        secret: u32,
    },
    ImportSecret {
        actor: Actor,
        client: usize,
        import: Import,
    },
    ImportClient {
        id: u8,
        seller: u8,
        name: Name,
        china: bool,
        imports: Vec<Import>,
        add_ins: Vec<u8>,
    },
    Associate {
        actor: Actor,
        client: usize,
        add_in: u8,
    },
    Dissociate {
        actor: Actor,
        client: usize,
        add_in: u8,
    },
    Move {
        actor: Actor,
        client: usize,
        to: usize,
        add_in: u8,
    },
    Suspend {
        actor: Actor,
        client: usize,
    },
    Resume {
        actor: Actor,
        client: usize,
    },
    Transfer {
        client: usize,
        to: u8,
    },
    Attach {
        actor: Actor,
        client: usize,
        attached: Attached,
    },
    Authenticate {
        client: Option<usize>,
        present: Present,
    },
    IsAlive {
        client: usize,
        secret: u32,
    },
    /// So many clients at a time.
    FindLeaked {
        limit: usize,
    },
    DeleteLeaked {
        text: Text,
    },
    PresentAll {
        client: usize,
    },
    Sign {
        client: usize,
    },
    SignAll {
        client: usize,
    },
    Verify {
        signature: usize,
        forged: bool,
    },
    VerifyAny {
        signature: usize,
        forged: bool,
    },
    Named {
        seller: u8,
        name: Name,
    },
    ClientOf {
        actor: Actor,
        add_in: u8,
    },
    Page {
        actor: Actor,
        limit: usize,
    },
    History {
        actor: Actor,
        client: usize,
    },
    SetClock {
        to: i64,
    },
}

/// A friendly name (two spellings of one number are the same name) and a redirect URL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Name {
    pub(crate) number: u8,
    pub(crate) spelling: u8,
    pub(crate) url: u8,
}

impl Command {
    /// The family that it is counted in.
    pub(crate) fn family(&self) -> &'static str {
        match self {
            Self::Register { .. } => "register",
            Self::ChangeDetails { .. } => "change details",
            Self::Add { .. } => "add",
            Self::Rotate { .. } => "rotate",
            Self::Plan { .. } => "plan",
            Self::ConfirmLatest { .. } => "confirm an older plan",
            Self::PlanAndConfirm { kind: PlanKind::Deletion(_), .. } => "delete",
            Self::PlanAndConfirm { kind: PlanKind::Disabling(_), .. } => "disable",
            Self::PlanAndConfirm { kind: PlanKind::Client, .. } => "delete client",
            Self::PlanAndConfirm { kind, .. } | Self::AtOnce { kind, .. } => match kind {
                PlanKind::CallingOff(_) => "call off",
                PlanKind::Closing(_) => "close early",
                _ => "move end",
            },
            Self::CleanUp { .. } => "delete all that ended",
            Self::Enable { .. } => "enable",
            Self::Promote { .. } => "promote",
            Self::Schedule { .. } => "schedule",
            Self::Withdraw { .. } => "withdraw",
            Self::Emergency { .. } => "delete in emergency",
            Self::MarkCompromised { .. } => "mark compromised",
            Self::ImportSecret { .. } => "import secret",
            Self::ImportClient { .. } => "import client",
            Self::Associate { .. } => "associate",
            Self::Dissociate { .. } => "dissociate",
            Self::Move { .. } => "move add-in",
            Self::Suspend { .. } => "suspend",
            Self::Resume { .. } => "resume",
            Self::Transfer { .. } => "transfer",
            Self::Attach { .. } => "change attributes",
            Self::Authenticate { .. } => "authenticate",
            Self::IsAlive { .. } => "is alive",
            Self::FindLeaked { .. } => "find leaked",
            Self::DeleteLeaked { .. } => "delete leaked",
            Self::PresentAll { .. } => "present all",
            Self::Sign { .. } => "sign",
            Self::SignAll { .. } => "sign with all",
            Self::Verify { .. } => "verify",
            Self::VerifyAny { .. } => "verify with any",
            Self::Named { .. } => "client named",
            Self::ClientOf { .. } => "client of",
            Self::Page { .. } => "page",
            Self::History { .. } => "history",
            Self::SetClock { .. } => "set clock",
        }
    }

    /// The clients that it is about.
    pub(crate) fn clients(&self) -> Vec<usize> {
        match self {
            Self::ChangeDetails { client, .. }
            | Self::Add { client, .. }
            | Self::Rotate { client, .. }
            | Self::Plan { client, .. }
            | Self::ConfirmLatest { client, .. }
            | Self::PlanAndConfirm { client, .. }
            | Self::AtOnce { client, .. }
            | Self::CleanUp { client, .. }
            | Self::Enable { client, .. }
            | Self::Promote { client, .. }
            | Self::Schedule { client, .. }
            | Self::Withdraw { client, .. }
            | Self::Emergency { client, .. }
            | Self::MarkCompromised { client, .. }
            | Self::ImportSecret { client, .. }
            | Self::Associate { client, .. }
            | Self::Dissociate { client, .. }
            | Self::Suspend { client, .. }
            | Self::Resume { client, .. }
            | Self::Transfer { client, .. }
            | Self::Attach { client, .. }
            | Self::IsAlive { client, .. }
            | Self::PresentAll { client }
            | Self::Sign { client }
            | Self::SignAll { client }
            | Self::History { client, .. } => vec![*client],
            Self::Move { client, to, .. } => vec![*client, *to],
            Self::Authenticate { client, .. } => client.iter().copied().collect(),
            _ => vec![],
        }
    }
}
