//! Places in the feed of events, as text that names nobody.

use std::fmt;
use std::str::FromStr;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;

/// A place in the feed: behind one event, or behind all events of a delivery. As text it is opaque; it names nobody.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct EventCursor {
    pub(crate) delivery: DeliveryNumber,
    /// The person's place among those the delivery concerns, in key order.
    pub(crate) person: u32,
    /// The event's place among the person's.
    pub(crate) event: u32,
    /// How often the store had erased persons when the place was told: places are counted anew after it.
    pub(crate) erases: u32,
}

/// Behind every person or event there can be.
pub(crate) const END: u32 = u32::MAX;

impl EventCursor {
    /// Before every event.
    pub const BEGINNING: EventCursor = EventCursor::after(DeliveryNumber(0));

    /// Behind all events of a delivery; 0 is the beginning of the feed.
    pub const fn after(delivery: DeliveryNumber) -> EventCursor {
        EventCursor { delivery, person: END, event: END, erases: 0 }
    }

    pub(crate) fn at(delivery: DeliveryNumber, person: u32, event: u32, erases: u32) -> EventCursor {
        EventCursor { delivery, person, event, erases }
    }

    /// The place in a store that has erased persons so often. A place within a delivery that was told before the last
    /// of them is the beginning of that delivery: its events come again, with the same ids.
    pub(crate) fn settled(self, erases: u32) -> EventCursor {
        match self.person == END || self.erases == erases {
            true => self,
            false => EventCursor::after(DeliveryNumber(self.delivery.0.saturating_sub(1))),
        }
    }

    /// The delivery whose events it stands among.
    pub fn delivery(self) -> DeliveryNumber {
        self.delivery
    }

    /// Reads what `Display` prints.
    ///
    /// # Errors
    /// [`Error::NotACursor`] for any other text.
    pub fn parse(text: &str) -> Result<EventCursor, Error> {
        let number = |part: &str| -> Option<u32> {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| part.parse().ok()).flatten()
        };
        let parts: Option<Vec<u32>> = text.split('.').map(number).collect();
        match parts.as_deref() {
            Some(&[delivery]) => Ok(EventCursor::after(DeliveryNumber(delivery))),
            Some(&[delivery, person, event]) => Ok(EventCursor::at(DeliveryNumber(delivery), person, event, 0)),
            Some(&[delivery, person, event, erases]) => {
                Ok(EventCursor::at(DeliveryNumber(delivery), person, event, erases))
            }
            _ => Err(Error::NotACursor),
        }
    }
}

impl FromStr for EventCursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<EventCursor, Error> {
        EventCursor::parse(text)
    }
}

/// Prints `4.17.0`, or for a place behind a whole delivery `4`; in a store that has erased persons twice `4.17.0.2`.
impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.person {
            END => write!(f, "{}", self.delivery),
            person if self.erases == 0 => write!(f, "{}.{person}.{}", self.delivery, self.event),
            person => write!(f, "{}.{person}.{}.{}", self.delivery, self.event, self.erases),
        }
    }
}
