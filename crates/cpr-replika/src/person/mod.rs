//! One person: how it is stored, and how it is read, now or as of a moment in the world and a delivery.

pub(crate) mod image;
pub(crate) mod mentions;
pub(crate) mod stored;
pub(crate) mod value;
