//! What the settings keep of persons who were erased: how often, and how many of each delivery. It names nobody.

use crate::error::Error;
use crate::store::read_table::One;
use crate::store::tables::name;

/// What the settings of receipts begin with; the number of the erase follows, in six digits.
pub(crate) const RECEIPT: &str = "erase/";
/// Behind every such setting.
pub(crate) const RECEIPT_END: &str = "erase0";
/// What the settings begin with that say how many persons a delivery has lost; its number follows.
const ERASED_OF: &str = "erased_of/";

/// The setting that says up to which delivery event records are kept no longer.
pub(crate) const EVENTS_UNTIL: &str = "events_gone_until";

/// The table of settings.
type Settings = One<&'static str, &'static str>;

/// How many persons of a delivery were erased.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct ErasedOf {
    /// Of those it changed.
    pub(crate) changed: u64,
    /// Of those it brought without a change.
    pub(crate) redelivered: u64,
}

/// How often persons were erased.
pub(crate) fn erase_count(settings: &Settings) -> Result<u32, Error> {
    let Some((key, _)) = settings.range::<&str>(RECEIPT..RECEIPT_END)?.next_back().transpose()? else { return Ok(0) };
    let number = key.value().strip_prefix(RECEIPT).and_then(|digits| digits.parse().ok());
    number.ok_or(Error::Corrupt { table: name::META, what: "the number of an erase" })
}

/// Event records of deliveries up to this one are kept no longer; 0: all are.
pub(crate) fn events_until(settings: &Settings) -> Result<u32, Error> {
    let Some(text) = settings.get(EVENTS_UNTIL)? else { return Ok(0) };
    text.value().parse().map_err(|_| Error::Corrupt { table: name::META, what: "up to when events are gone" })
}

/// The key under which a receipt stands.
pub(crate) fn receipt_key(number: u32) -> String {
    format!("{RECEIPT}{number:06}")
}

/// Key and text of what a delivery has lost.
pub(crate) fn erased_of_entry(delivery: u32, erased: ErasedOf) -> (String, String) {
    (format!("{ERASED_OF}{delivery}"), format!("{} {}", erased.changed, erased.redelivered))
}

/// How many persons of a delivery were erased.
pub(crate) fn erased_of(settings: &Settings, delivery: u32) -> Result<ErasedOf, Error> {
    let Some(text) = settings.get(format!("{ERASED_OF}{delivery}").as_str())? else { return Ok(ErasedOf::default()) };
    let numbers: Option<Vec<u64>> = text.value().split(' ').map(|number| number.parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[changed, redelivered]) => Ok(ErasedOf { changed, redelivered }),
        _ => Err(Error::Corrupt { table: name::META, what: "how many persons of a delivery were erased" }),
    }
}

/// The delivery that a setting says the losses of; none for any other setting.
pub(crate) fn of_delivery(key: &str) -> Option<u32> {
    key.strip_prefix(ERASED_OF)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_delivery_has_lost_is_known_by_its_key_and_no_other_setting_is_taken_for_it() {
        for delivery in [0, 1, 12, u32::MAX] {
            let (key, _) = erased_of_entry(delivery, ErasedOf::default());
            assert_eq!(of_delivery(&key), Some(delivery));
        }
        for key in [receipt_key(1).as_str(), "", ERASED_OF, "window_years"] {
            assert_eq!(of_delivery(key), None, "{key}");
        }
    }
}
