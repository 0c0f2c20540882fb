//! What became of a message that was handed over: taken, or why not.

use cpr_wire::Limits;
use cpr_wire::event_message::Receipt;

/// Why a message was not taken. Neither repeats a word of the other side, which may be those of the message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Failure {
    /// The message itself: another try soon will mostly end the same way.
    Refused(String),
    /// Whoever should take it: it is tried until it is there again.
    Unreachable(String),
}

/// What a receipt says.
pub(super) fn judge(receipt: &[u8]) -> Result<(), Failure> {
    match Receipt::parse(receipt, &Limits::REQUEST) {
        Ok(receipt) if receipt.is_taken() => Ok(()),
        Ok(Receipt { code: Receipt::TOKEN_EXPIRED, .. }) => {
            Err(Failure::Unreachable("the token has expired".to_owned()))
        }
        Ok(receipt) => Err(Failure::Refused(format!("StatusKode {}", receipt.code))),
        Err(_) => Err(Failure::Refused("no receipt that can be read".to_owned())),
    }
}
