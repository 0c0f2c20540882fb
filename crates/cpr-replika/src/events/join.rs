//! Business events: what happened to whom in a delivery, and why as far as CPR says.
//!
//! CPR tells the why (099) and the what (rows before and after) apart from each other, and either without the other. A
//! business event joins them by the rules of [`crate::events::rules`]; docs/events.md tells them. Nothing is stored: the events of a
//! delivery are read off the persons that it concerns, as they stood before it and after it, so any delivery that was ever
//! applied gives the same events again.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cpr_model::{Aspect, Date, MunicipalityCode, PersonKey, Pnr, Timestamp};
use cpr_subscription::{DerivedMark, EventCode};

use crate::delivery_number::DeliveryNumber;
use crate::events::case::{AspectSet, Case};
use crate::events::event_id::EventId;
use crate::events::feed::EventCursor;
use crate::events::rules::{ONLY_DELIVER, RULES, Rule};
use crate::ledger::delivery::Delivery;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $text:literal;)*) => {
        /// What happened. The list is ours and grows; what no kind names is [`EventKind::Other`].
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum EventKind {
            $($(#[$doc])* $name,)*
        }

        impl EventKind {
            /// Every kind, in the order of the rules.
            pub const ALL: &[EventKind] = &[$(EventKind::$name,)*];

            /// The name in snake case, stable.
            pub fn name(self) -> &'static str {
                match self {
                    $(EventKind::$name => $text,)*
                }
            }
        }
    };
}

kinds! {
    /// The person is new to the replica.
    Created "created";
    /// The number changed: the person's own, or in the rows of a relative of the person whose it is.
    NumberChanged "number_changed";
    /// The person died.
    Died "died";
    /// The death was undone.
    DeathUndone "death_undone";
    /// Left the country.
    Emigrated "emigrated";
    /// Came to the country, for the first time or again.
    Immigrated "immigrated";
    /// Disappeared.
    Disappeared "disappeared";
    /// Found again.
    Found "found";
    /// Moved to another municipality, seen from the one that was left.
    MovedOut "moved_out";
    /// Moved within the municipality.
    MovedWithin "moved_within";
    /// Moved to another municipality, seen from the one that was come to.
    MovedIn "moved_in";
    /// The address turned out to have been another, or never to have been one.
    AddressCorrected "address_corrected";
    /// Married.
    Married "married";
    /// Divorced.
    Divorced "divorced";
    /// The spouse or partner died.
    Widowed "widowed";
    /// Entered a registered partnership.
    PartnershipEntered "partnership_entered";
    /// The partnership was dissolved.
    PartnershipDissolved "partnership_dissolved";
    /// Another change of the civil status: corrected, annulled, another date.
    CivilStatusChanged "civil_status_changed";
    /// Born, or on a parent: a child was born.
    ChildBorn "child_born";
    /// On a parent: has a child that is older than a year.
    ChildRecorded "child_recorded";
    /// On a parent: has a child no longer.
    ChildRemoved "child_removed";
    /// On a child: another mother or father than before.
    ParentRecorded "parent_recorded";
    /// Custody of the person changed.
    CustodyChanged "custody_changed";
    /// Protected, or otherwise than before.
    Protected "protected";
    /// A protection ended.
    Unprotected "unprotected";
    /// A newborn got its name.
    NameGiven "name_given";
    /// Another name than before.
    NameChanged "name_changed";
    /// The name turned out to have been another.
    NameCorrected "name_corrected";
    /// Anything else: the changed aspects and CPR's code say as much as is known.
    Other "other";
}

impl EventKind {
    /// The kind with this name, or none.
    pub fn from_name(name: &str) -> Option<EventKind> {
        EventKind::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A change code as received (HAENDELSE), up to three characters of ISO 8859-1. Any pass: CPR adds codes without notice.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CauseCode([u8; 3]);

impl CauseCode {
    pub(crate) fn new(latin1: &[u8]) -> CauseCode {
        let mut code = [b' '; 3];
        let text = latin1.trim_ascii();
        let length = text.len().min(3);
        code[..length].copy_from_slice(&text[..length]);
        CauseCode(code)
    }

    /// True when it is this code.
    pub fn is(self, code: EventCode) -> bool {
        self == CauseCode::new(code.as_str().as_bytes())
    }

    pub(crate) fn latin1(&self) -> &[u8] {
        self.0.trim_ascii_end()
    }
}

/// Prints the characters.
impl fmt::Display for CauseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.latin1().iter().map(|&byte| char::from(byte)).collect::<String>())
    }
}

impl fmt::Debug for CauseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CauseCode({self})")
    }
}

/// Why: one event record (099, 900) of the person in the delivery.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cause {
    /// HAENDELSE.
    pub code: CauseCode,
    /// AFLEDTMRK: whose event it is when it is derived from another person's.
    pub derived_mark: Option<DerivedMark>,
    /// TIMESTAMPU: when CPR entered it; none when zeros.
    pub registered_at: Option<Timestamp>,
}

/// Something that happened to a person, as one delivery told it.
#[derive(Clone, Eq, PartialEq)]
pub struct BusinessEvent {
    /// The same whenever and wherever it is read from this store.
    pub id: EventId,
    /// Where it stands in the feed.
    pub cursor: EventCursor,
    /// The delivery that told it. The payload is the person as of this delivery, what was before as of the one before.
    pub delivery: DeliveryNumber,
    /// The delivery's production date.
    pub production_date: Date,
    /// What happened.
    pub kind: EventKind,
    /// Why, where CPR says.
    pub cause: Option<Cause>,
    /// To whom.
    pub pnr: Pnr,
    /// Whom else it touches, ascending: the numbers that came to or went from the rows that changed, or that stand in them.
    /// Events of one cause share the list.
    pub related: Arc<[Pnr]>,
    /// Which of the person's aspects changed by it.
    pub aspects: Vec<Aspect>,
    /// KOMKOD of the address as known before the delivery; none without an address, or when not held then.
    pub municipality_before: Option<MunicipalityCode>,
    /// KOMKOD of the address as known after it.
    pub municipality_after: Option<MunicipalityCode>,
    /// Since when it holds in the world, where the rows say.
    pub valid_from: Option<Timestamp>,
}

/// Says what happened in which delivery, not to whom or where.
impl fmt::Debug for BusinessEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of delivery {}", self.kind, self.delivery)
    }
}

/// One event before it has its place: the rule that gave it (none: what is left over), its cause, what it explains.
struct Draft {
    kind: EventKind,
    cause: Option<usize>,
    rule: usize,
    aspects: AspectSet,
    /// The aspects that date it, the first one first; none: as they come.
    order: Option<&'static [Aspect]>,
}

/// The events of one person in one delivery, in their order; ids and places are counted from `place`.
pub(crate) fn join(
    key: PersonKey,
    case: &mut Case<'_>,
    delivery: &Delivery,
    place: u32,
    secret: &[u8; 32],
) -> Vec<BusinessEvent> {
    let mut drafts = Vec::new();
    let mut told = vec![false; case.causes.len()];
    for (at, rule) in RULES.iter().enumerate() {
        apply_rule(rule, at, case, &mut told, &mut drafts);
    }
    leave_over(case, &told, &mut drafts);
    // By CPR's time, then in the order of the lines; what no line tells of comes last.
    drafts.sort_by_key(|draft| {
        let entered = draft.cause.map(|at| case.causes[at].registered_at);
        (draft.cause.is_none(), entered, draft.cause, draft.rule)
    });
    let pnr = key.pnr();
    let mut events: Vec<BusinessEvent> = Vec::with_capacity(drafts.len());
    let mut repeats: HashMap<_, u32> = HashMap::new();
    // A person may have thousands of records that one rule knows: what they have in common is read once.
    let mut in_common: HashMap<(usize, AspectSet), InCommon> = HashMap::new();
    for draft in drafts {
        let cause = draft.cause.map(|at| case.causes[at]);
        let repeat = repeats.entry((draft.kind, cause.map(|cause| (cause.code, cause.derived_mark)))).or_default();
        let shared = in_common.entry((draft.rule, draft.aspects)).or_insert_with(|| InCommon::read(case, &draft));
        events.push(BusinessEvent {
            id: EventId::derive(secret, delivery, pnr, draft.kind, cause, *repeat),
            cursor: EventCursor::at(delivery.number, place, events.len() as u32),
            delivery: delivery.number,
            production_date: delivery.production_date,
            kind: draft.kind,
            cause,
            pnr,
            related: Arc::clone(&shared.related),
            aspects: shared.aspects.clone(),
            municipality_before: case.before.municipality(),
            municipality_after: case.after.municipality(),
            valid_from: shared.valid_from,
        });
        *repeat += 1;
    }
    events
}

/// What the events of one rule have in common.
struct InCommon {
    aspects: Vec<Aspect>,
    related: Arc<[Pnr]>,
    valid_from: Option<Timestamp>,
}

impl InCommon {
    fn read(case: &Case<'_>, draft: &Draft) -> InCommon {
        let aspects: Vec<Aspect> = draft.aspects.iter().collect();
        // What a number that was given up lost is explained by it, and is not about others.
        let own = draft.order.filter(|order| !order.is_empty()).map(AspectSet::of);
        let first = draft.order.unwrap_or(&aspects).iter().copied();
        let dating: Vec<Aspect> = first.filter(|aspect| draft.aspects.has(*aspect)).collect();
        InCommon {
            related: case.related(own.map_or(draft.aspects, |own| own & draft.aspects), draft.kind).into(),
            valid_from: case.valid_from(draft.kind, &dating),
            aspects,
        }
    }
}

/// A rule whose sign is seen gives an event for each record that it knows as a cause, or one without a cause.
fn apply_rule(rule: &'static Rule, at: usize, case: &mut Case<'_>, told: &mut [bool], drafts: &mut Vec<Draft>) {
    let is_cause = |at: &usize| rule.knows(&case.causes[*at]);
    let causes: Vec<usize> = (0..case.causes.len()).filter(is_cause).collect();
    // Of a person who was not held, the rows tell nothing of what is new about them: only a code does.
    let alone = rule.alone && (case.held_before || rule.kind == EventKind::Created);
    if (causes.is_empty() && !alone) || !(rule.sign)(case) {
        return;
    }
    let aspects = match rule.kind {
        EventKind::Created => case.changed,
        EventKind::NumberChanged => {
            let explained: Vec<Aspect> =
                rule.aspects.iter().copied().filter(|&aspect| case.only_numbers_differ(aspect)).collect();
            case.changed & (AspectSet::of(&explained) | case.renumbered)
        }
        _ => case.changed & rule.aspects(),
    };
    let mut draft = |cause| drafts.push(Draft { kind: rule.kind, cause, rule: at, aspects, order: Some(rule.aspects) });
    for &cause in &causes {
        told[cause] = true;
        draft(Some(cause));
    }
    if causes.is_empty() {
        draft(None);
    }
    if rule.kind == EventKind::NumberChanged {
        case.renumbering |= aspects;
    }
    if rule.claims {
        case.claimed |= aspects;
    }
}

/// What no rule explains: each record without an event has one, and carries the changes that are left; without such a
/// record they are one event without a cause.
fn leave_over(case: &mut Case<'_>, told: &[bool], drafts: &mut Vec<Draft>) {
    let aspects = case.changed.without(case.claimed);
    let left = if case.held_before { aspects } else { AspectSet::default() };
    let draft = |cause, aspects| Draft { kind: EventKind::Other, cause, rule: RULES.len(), aspects, order: None };
    let mut explained = left.is_empty();
    for at in (0..told.len()).filter(|at| !told[*at]) {
        let carries = !case.causes[at].is_one_of(ONLY_DELIVER);
        drafts.push(draft(Some(at), if carries { left } else { AspectSet::default() }));
        explained |= carries;
    }
    if !explained {
        drafts.push(draft(None, left));
    }
}
