//! Applies the rules to one person's change, in order, and leaves nothing untold.

use std::collections::HashMap;
use std::sync::Arc;

use cpr_model::{Aspect, MunicipalityCode, Pnr, Timestamp};

use crate::aspect_set::AspectSet;
use crate::cause::Cause;
use crate::kind::EventKind;
use crate::person_change::PersonChange;
use crate::rules::{ONLY_DELIVER, RULES, Rule};

/// Something that happened to a person, before it has an id and a place in a feed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JoinedEvent {
    /// What happened.
    pub kind: EventKind,
    /// Why, where CPR says.
    pub cause: Option<Cause>,
    /// Of several events of the person with the same kind, code and mark: how many stand before.
    pub repeat: u32,
    /// Whom else it touches, ascending. Events of one rule share the list.
    pub related: Arc<[Pnr]>,
    /// Which of the person's aspects changed by it.
    pub aspects: Vec<Aspect>,
    /// KOMKOD of where the person lived before the delivery.
    pub municipality_before: Option<MunicipalityCode>,
    /// KOMKOD of where the person lives after it.
    pub municipality_after: Option<MunicipalityCode>,
    /// Since when it holds in the world, where the rows say.
    pub valid_from: Option<Timestamp>,
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

/// The events of one person in one delivery, in their order: CPR's time, then that of the lines.
pub fn join(change: &mut PersonChange<'_>) -> Vec<JoinedEvent> {
    let mut drafts = Vec::new();
    let mut told = vec![false; change.causes.len()];
    for (at, rule) in RULES.iter().enumerate() {
        apply_rule(rule, at, change, &mut told, &mut drafts);
    }
    leave_over(change, &told, &mut drafts);
    // By CPR's time, then in the order of the lines; what no line tells of comes last.
    drafts.sort_by_key(|draft| {
        let entered = draft.cause.map(|at| change.causes[at].registered_at);
        (draft.cause.is_none(), entered, draft.cause, draft.rule)
    });
    let mut events: Vec<JoinedEvent> = Vec::with_capacity(drafts.len());
    let mut repeats: HashMap<_, u32> = HashMap::new();
    // A person may have thousands of records that one rule knows: what they have in common is read once.
    let mut in_common: HashMap<(usize, AspectSet), InCommon> = HashMap::new();
    for draft in drafts {
        let cause = draft.cause.map(|at| change.causes[at]);
        let repeat = repeats.entry((draft.kind, cause.map(|cause| (cause.code, cause.derived_mark)))).or_default();
        let shared = in_common.entry((draft.rule, draft.aspects)).or_insert_with(|| InCommon::read(change, &draft));
        events.push(JoinedEvent {
            kind: draft.kind,
            cause,
            repeat: *repeat,
            related: Arc::clone(&shared.related),
            aspects: shared.aspects.clone(),
            municipality_before: change.before.municipality(),
            municipality_after: change.after.municipality(),
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
    fn read(change: &PersonChange<'_>, draft: &Draft) -> InCommon {
        let aspects: Vec<Aspect> = draft.aspects.iter().collect();
        // What a number that was given up lost is explained by it, and is not about others.
        let own = draft.order.filter(|order| !order.is_empty()).map(AspectSet::of);
        let first = draft.order.unwrap_or(&aspects).iter().copied();
        let dating: Vec<Aspect> = first.filter(|aspect| draft.aspects.has(*aspect)).collect();
        InCommon {
            related: change.related(own.map_or(draft.aspects, |own| own & draft.aspects), draft.kind).into(),
            valid_from: change.valid_from(draft.kind, &dating),
            aspects,
        }
    }
}

/// A rule whose predicate holds gives an event for each record that it knows as a cause, or one without a cause.
fn apply_rule(
    rule: &'static Rule,
    at: usize,
    change: &mut PersonChange<'_>,
    told: &mut [bool],
    drafts: &mut Vec<Draft>,
) {
    let is_cause = |at: &usize| rule.knows(&change.causes[*at]);
    let causes: Vec<usize> = (0..change.causes.len()).filter(is_cause).collect();
    // Of a person who was not held, the rows tell nothing of what is new about them: only a code does.
    let needs_no_code = rule.needs_no_code && (change.held_before || rule.kind == EventKind::Created);
    if (causes.is_empty() && !needs_no_code) || !(rule.predicate)(change) {
        return;
    }
    let aspects = match rule.kind {
        EventKind::Created => change.changed,
        EventKind::NumberChanged => {
            let explained: Vec<Aspect> =
                rule.aspects.iter().copied().filter(|&aspect| change.only_numbers_differ(aspect)).collect();
            change.changed & (AspectSet::of(&explained) | change.renumbered)
        }
        _ => change.changed & rule.aspects(),
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
        change.renumbering |= aspects;
    }
    if rule.consumes {
        change.consumed |= aspects;
    }
}

/// What no rule explains: each record without an event has one, and carries the changes that are left; without such a
/// record they are one event without a cause.
fn leave_over(change: &mut PersonChange<'_>, told: &[bool], drafts: &mut Vec<Draft>) {
    let aspects = change.changed.without(change.consumed);
    let left = if change.held_before { aspects } else { AspectSet::default() };
    let draft = |cause, aspects| Draft { kind: EventKind::Other, cause, rule: RULES.len(), aspects, order: None };
    let mut explained = left.is_empty();
    for at in (0..told.len()).filter(|at| !told[*at]) {
        let carries = !change.causes[at].is_one_of(ONLY_DELIVER);
        drafts.push(draft(Some(at), if carries { left } else { AspectSet::default() }));
        explained |= carries;
    }
    if !explained {
        drafts.push(draft(None, left));
    }
}
