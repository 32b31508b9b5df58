//! What a command answers, in a form that the model and the registry have in common.

/// An answer. The model gives all that the rules allow.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Changed,
    Unchanged,
    /// The number of the secret that was issued.
    Issued(u32),
    Secret(u32),
    Deleted,
    Replaced(u32),
    NotReplaced(&'static str),
    Planned(Planned),
    /// What a plan said and what confirming it came to.
    Confirmed(Planned, Box<Answer>),
    Obstructed,
    PlanChanged,
    NoPlan,
    Several(Vec<Answer>),
    In {
        secret: u32,
        signs: bool,
        newer: Option<u32>,
        ends: Option<i64>,
        owner: u8,
        attributes: u8,
    },
    Alive(bool),
    /// Of each text whose it is: client, owner, secret, state. Of a text that is nobody's, how it looks.
    Leaks(Vec<(Vec<Leak>, &'static str)>),
    Denied(&'static str, Option<u32>),
    SignedBy(Vec<u32>),
    Verified(u32),
    Clients(Vec<usize>),
    /// How many commits there are.
    Commits(u64),
    Refused(&'static str),
}

/// A client secret that leaked: the client, its owner, the secret, its state.
pub(crate) type Leak = (usize, u8, u32, &'static str);

/// What a plan says.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Planned {
    pub(crate) signs: Option<u32>,
    pub(crate) next: Option<u32>,
    pub(crate) valid: Vec<u32>,
    pub(crate) add_ins: Vec<u8>,
    /// The secrets that come back, or end.
    pub(crate) others: Vec<u32>,
    /// The end so far, where one is moved.
    pub(crate) before: Option<i64>,
    pub(crate) last_used: Option<i64>,
    pub(crate) use_ahead: Option<i64>,
    /// Of all secrets of the client.
    pub(crate) last_uses: Vec<(u32, i64)>,
    pub(crate) obstacles: Vec<&'static str>,
}

impl Answer {
    /// Whether the command did something or told what was asked.
    pub(crate) fn is_accepted(&self) -> bool {
        match self {
            Self::Confirmed(_, answer) => answer.is_accepted(),
            Self::Several(answers) => answers.iter().any(Self::is_accepted),
            Self::Clients(found) => !found.is_empty(),
            Self::Leaks(found) => found.iter().any(|(leaks, _)| !leaks.is_empty()),
            Self::Alive(alive) => *alive,
            Self::Denied(..) | Self::Refused(_) | Self::Obstructed | Self::PlanChanged | Self::NoPlan => {
                false
            }
            Self::Unchanged => false,
            _ => true,
        }
    }

    /// Why it was not.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Denied(reason, _) | Self::Refused(reason) => reason,
            Self::Confirmed(_, answer) => answer.reason(),
            Self::Obstructed => "obstructed",
            Self::PlanChanged => "the plan has changed",
            Self::Unchanged => "unchanged",
            _ => "nothing there",
        }
    }
}

/// All the answers that these reasons allow.
pub(crate) fn refused(against: &[&'static str]) -> Vec<Answer> {
    against.iter().map(|why| Answer::Refused(why)).collect()
}
