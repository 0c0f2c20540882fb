//! How subscribers and filters stand in JSON (docs/json.md), what they name in clear. Cargo feature `serde`.

use cpr_model::{json_shapes, json_strings};

use crate::{Filter, FilterAnswer, FilterKind, ImageChange, Profile, SubscriberName};

json_strings! {
    SubscriberName;
    FilterAnswer: answer => answer.name();
    FilterKind: kind => kind.name();
    ImageChange: change => change.name();
}

json_shapes! {
    filter: Filter => { "kind": filter.kind(), "filter": filter.reveal() }
    profile: Profile => {
        "within": profile.within,
        "enters": profile.enters,
        "leaves": profile.leaves,
        "number_chain": profile.number_chain,
        "derived_events": profile.derived_events,
    }
}
