//! The parts of a name that a word can stand in.

/// Where in a name a word stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NamePart {
    /// Anywhere: a part of the name, or the addressing name of 003 or of the name record.
    Any,
    /// FORNVN.
    Given,
    /// MELNVN.
    Middle,
    /// EFTERNVN.
    Surname,
    /// ADRNVN.
    Addressing,
}
