//! What there is, as the rules describe it: lists, and linear scans over them. Nothing is shared with the library.

mod told;

pub(crate) use self::told::*;

/// A deliberate mistake, to see that the comparison notices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    None,
    /// Without a promotion the newest valid secret signs, not the one that has been valid longest.
    NewestSigns,
    /// A secret is valid up to and including its `until`.
    EndIncluded,
    /// A cap of six secrets.
    OneTooMany,
    /// Deleted secrets are forgotten.
    DeadForgotten,
    /// A rotation that is called off does not give back the ends.
    EndsStayCut,
    /// A rotation that is called off does not give back the promotions.
    PromotionsStayAway,
    /// A suspended client still signs.
    SuspendedSigns,
    /// A suspended client still authenticates.
    SuspendedEnters,
    /// A seller lifts an operator's suspension.
    SellerLifts,
    /// A client that was transferred stays in the list of its old seller.
    OldSellerLists,
    /// A later end may pass the end that the secret was issued with.
    EndPastIssued,
    /// The promotion of a secret that came stays where it is when the ends of the replaced ones are moved.
    PromotionStays,
    /// Of leaked texts only those of live secrets are found.
    DeadNotFound,
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) fault: Fault,
    pub(crate) now: i64,
    pub(crate) clients: Vec<Client>,
    /// How many texts were issued.
    pub(crate) texts: usize,
    pub(crate) signatures: Vec<Signed>,
    /// The command that led here, and what it may have answered.
    pub(crate) last: Option<(crate::model::command::Command, Vec<crate::model::answer::Answer>)>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed {
    pub(crate) client: usize,
    pub(crate) secret: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// The number of an imported ID.
    pub(crate) imported: Option<u8>,
    pub(crate) owner: u8,
    /// When it was transferred, and from whom.
    pub(crate) transferred: Option<(i64, u8)>,
    pub(crate) name: crate::model::command::Name,
    pub(crate) china: bool,
    pub(crate) changed_at: i64,
    /// The earlier of the last change and the one before: what had ended by then may be forgotten.
    pub(crate) settled: i64,
    pub(crate) revision: u64,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) promotions: Vec<Promotion>,
    pub(crate) add_ins: Vec<u8>,
    pub(crate) dead: Vec<Dead>,
    /// How many secrets there ever were.
    pub(crate) count: u32,
    /// What happened so far, in order.
    pub(crate) steps: u64,
    pub(crate) deleted: bool,
    /// Since when, and whether by an operator.
    pub(crate) suspended: Option<(i64, bool)>,
    pub(crate) attributes: u8,
    pub(crate) uses: Vec<(u32, i64)>,
    pub(crate) plan: Option<(PlanKind, u64, crate::model::answer::Planned)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Secret {
    pub(crate) id: u32,
    pub(crate) text: Text,
    pub(crate) signs: bool,
    pub(crate) from: i64,
    pub(crate) until: Option<i64>,
    pub(crate) label: Option<u8>,
    pub(crate) disabled: bool,
    /// The end that it was issued with.
    pub(crate) issued_until: Option<i64>,
    pub(crate) replaced_by: Option<u32>,
    /// The end that a rotation took, for as long as calling it off gives that back.
    pub(crate) end_before: Option<Option<i64>>,
    /// When it was imported, and whether its text is base64.
    pub(crate) imported: Option<(i64, bool)>,
    /// The later of its adding and its last enabling: when, and as which step.
    pub(crate) standing: (i64, u64),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Promotion {
    pub(crate) secret: u32,
    pub(crate) at: i64,
    pub(crate) made: u64,
    /// It means "when the replaced ones have ended".
    pub(crate) follows: bool,
    /// A rotation has withdrawn it, and gives it back if it is called off.
    pub(crate) withheld: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Dead {
    pub(crate) id: u32,
    pub(crate) text: Text,
    pub(crate) compromised: bool,
}

impl Secret {
    pub(crate) fn has_ended(&self, t: i64) -> bool {
        self.until.is_some_and(|until| until <= t)
    }

    pub(crate) fn runs(&self, t: i64) -> bool {
        self.from <= t && !self.has_ended(t)
    }

    /// Rule 4.
    pub(crate) fn is_valid(&self, t: i64, fault: Fault) -> bool {
        let late = i64::from(fault == Fault::EndIncluded);
        !self.disabled && self.from <= t && !self.has_ended(t - late)
    }

    pub(crate) fn can_sign(&self, t: i64, fault: Fault) -> bool {
        self.signs && self.is_valid(t, fault)
    }

    pub(crate) fn state(&self, t: i64, fault: Fault) -> &'static str {
        if self.is_valid(t, fault) {
            "Valid"
        } else if self.has_ended(t) {
            "Ended"
        } else if self.disabled {
            "Disabled"
        } else {
            "NotYetStarted"
        }
    }
}

impl Client {
    /// Rule 19.
    pub(crate) fn instant(&self, clock: i64) -> i64 {
        if self.is_ahead(clock) { clock } else { clock.max(self.changed_at) }
    }

    pub(crate) fn is_ahead(&self, clock: i64) -> bool {
        self.changed_at - clock > MINUTE
    }

    pub(crate) fn secret(&self, id: u32) -> Option<&Secret> {
        self.secrets.iter().find(|secret| secret.id == id)
    }

    pub(crate) fn valid(&self, t: i64, fault: Fault) -> Vec<u32> {
        let valid = self.secrets.iter().filter(|secret| secret.is_valid(t, fault));
        valid.map(|secret| secret.id).collect()
    }

    /// Rule 6, and whether it is by promotion.
    pub(crate) fn signing(&self, t: i64, fault: Fault) -> Option<(u32, bool)> {
        match self.promotion(t, fault) {
            Some(promotion) => Some((promotion.secret, true)),
            None => self.by_seniority(t, fault).first().map(|id| (*id, false)),
        }
    }

    /// The promotion that names the secret that signs (rule 6).
    pub(crate) fn promotion(&self, t: i64, fault: Fault) -> Option<&Promotion> {
        let can_sign = |id| self.secret(id).is_some_and(|secret| secret.can_sign(t, fault));
        let mut best: Option<&Promotion> = None;
        let in_force = |one: &&Promotion| !one.withheld && one.at <= t && can_sign(one.secret);
        for one in self.promotions.iter().filter(in_force) {
            if best.is_none_or(|best| (best.at, best.made) < (one.at, one.made)) {
                best = Some(one);
            }
        }
        best
    }

    /// Those that can sign, the one that has been valid longest first (rule 6).
    fn by_seniority(&self, t: i64, fault: Fault) -> Vec<u32> {
        let mut able: Vec<_> = self.secrets.iter().filter(|secret| secret.can_sign(t, fault)).collect();
        able.sort_by_key(|secret| (secret.standing.0.max(secret.from), secret.standing.1, secret.id));
        if fault == Fault::NewestSigns {
            able.reverse();
        }
        able.iter().map(|secret| secret.id).collect()
    }

    /// All that can sign, the signing one first (rule 6).
    pub(crate) fn signers(&self, t: i64, fault: Fault) -> Vec<u32> {
        let mut signers = self.by_seniority(t, fault);
        if let Some((first, _)) = self.signing(t, fault) {
            signers.retain(|id| *id != first);
            signers.insert(0, first);
        }
        signers
    }

    /// Every instant at which something turns, and the ones beside it.
    pub(crate) fn turns(&self) -> Vec<i64> {
        let starts = self.secrets.iter().map(|secret| secret.from);
        let ends = self.secrets.iter().filter_map(|secret| secret.until);
        let promotions = self.promotions.iter().filter(|one| !one.withheld);
        starts.chain(ends).chain(promotions.map(|one| one.at)).collect()
    }

    pub(crate) fn last_use(&self, id: u32) -> Option<i64> {
        self.uses.iter().find(|(secret, _)| *secret == id).map(|(_, at)| *at)
    }

    /// Rule 9: the later use counts, unless it is more than a minute ahead.
    pub(crate) fn note_use(&mut self, id: u32, t: i64) {
        match self.uses.iter_mut().find(|(secret, _)| *secret == id) {
            Some((_, at)) if t < *at && *at <= t + MINUTE => {}
            Some((_, at)) => *at = t,
            None => self.uses.push((id, t)),
        }
    }
}

impl Model {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, now: START, clients: vec![], texts: 0, signatures: vec![], last: None }
    }

    pub(crate) fn edges(&self, client: usize) -> Vec<i64> {
        self.clients[client].turns()
    }
}

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * 60 * MINUTE;
/// 2028-02-27T09:00:00Z: the day after next is 29 February.
pub(crate) const START: i64 = 1_835_254_800_000;
pub(crate) const MUSEUM: u8 = 20;
pub(crate) const BASE64_TEXT: Text = Text::Pool(5);
