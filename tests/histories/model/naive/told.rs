//! What the commands of a history name: actors, client secrets, what is to be made, planned or presented.

use super::{BASE64_TEXT, DAY, MUSEUM, START};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Actor {
    Seller(u8),
    Operator,
}

/// A client secret's text: the n-th that was issued, or one of those that are moved in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    Generated(usize),
    Pool(u8),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct New {
    /// One, two, three years; 1, 3, 10, 40 days; refused: 0 days, unlimited, 1,200 days.
    pub(crate) lifetime: u8,
    pub(crate) starts: Option<i64>,
    pub(crate) signs: bool,
    pub(crate) label: Option<u8>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rotate {
    pub(crate) overlap: i64,
    pub(crate) lifetime: u8,
    pub(crate) signs: bool,
    pub(crate) replaces: Option<Vec<u32>>,
    pub(crate) when: Signs,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Signs {
    Now,
    At(i64),
    WhenReplacedHaveEnded,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum PlanKind {
    Deletion(u32),
    Disabling(u32),
    Client,
    /// Of the rotation that this secret came with.
    CallingOff(u32),
    Closing(u32),
    /// To this instant.
    EndMove(u32, i64),
}

/// What an application attaches: one of a few sets, or a text that is a client secret.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Attached {
    Set(u8),
    ClientSecret(usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Present {
    Exactly(Text),
    Beginning(Text),
    Extended(Text),
    Mistyped(Text),
    Number(u32),
    Garbage,
}

/// A secret to be moved in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Import {
    pub(crate) text: Text,
    pub(crate) from: i64,
    pub(crate) until: Option<i64>,
    pub(crate) signs: bool,
    pub(crate) base64: bool,
    pub(crate) label: Option<u8>,
    pub(crate) signs_today: bool,
}

impl Import {
    pub(crate) fn of(text: Text, variant: u16) -> Self {
        let usual = Self {
            text,
            from: START - 100 * DAY,
            until: Some(START + 400 * DAY),
            signs: true,
            base64: text == BASE64_TEXT,
            label: None,
            signs_today: false,
        };
        match variant {
            0 => Self { label: Some(1), ..usual },
            1 => Self { signs: false, ..usual },
            2 => Self { until: Some(START - DAY), ..usual },
            3 => Self { until: None, ..usual },
            4 => Self { base64: true, ..usual },
            5 => Self { from: START + 10 * DAY, ..usual },
            6 => Self { until: Some(START + 2 * DAY), ..usual },
            7 | 8 => Self { signs_today: true, ..usual },
            _ => usual,
        }
    }

    /// The secrets and add-ins of a client to be moved in.
    pub(crate) fn of_client(variant: u16) -> (Vec<Self>, Vec<u8>) {
        let pool = |number, variant| Self::of(Text::Pool(number), variant);
        match variant {
            0 => (vec![], vec![]),
            1 | 2 => (vec![pool(0, 7)], vec![0]),
            3 => (vec![pool(0, 5), pool(1, 7), pool(2, 6)], vec![]),
            4 => (vec![pool(0, 7), pool(1, 7)], vec![]),
            5 => (vec![pool(0, 9), pool(0, 9)], vec![]),
            6 => (vec![pool(0, 9), pool(3, 9)], vec![2]),
            // More that ended than are kept.
            7 | 8 => {
                let ended = (0..18).map(|n: u8| Self {
                    until: Some(START - i64::from(n * 7 % 18 + 1) * DAY),
                    ..pool(MUSEUM + n, 9)
                });
                (ended.chain([pool(0, 7), pool(1, 3)]).collect(), vec![])
            }
            _ => ((0..3).map(|n| pool(n, 6)).chain([pool(5, 9), pool(6, 9)]).collect(), vec![1, 2]),
        }
    }
}
