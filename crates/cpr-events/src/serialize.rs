//! How kinds and causes of events stand in JSON (docs/json.md). Cargo feature `serde`.

use cpr_model::json_strings;

use crate::{CauseCode, EventKind};

json_strings! {
    CauseCode;
    EventKind: kind => kind.name();
}
