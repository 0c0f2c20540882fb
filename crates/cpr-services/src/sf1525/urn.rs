//! Numbers as this service writes them.

use cpr_replika::cpr_model::Pnr;

/// A number in the form of this service.
pub(super) fn urn(pnr: Pnr) -> String {
    ["urn:oio:cpr-nr:", pnr.reveal()].concat()
}
