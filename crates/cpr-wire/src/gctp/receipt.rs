//! The receipts (`Kvit`) by which CPR says that there is no answer. That of an answer is written with it.

/// Why there is no answer, in CPR's own codes (wiki of CPR's service desk, "Bilag - Generelle Fejlkoder").
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Receipt {
    /// 16: a field that the service does not have, or has not this way.
    Field,
    /// 52: no personnummer.
    MalformedNumber,
    /// 172: not in CPR.
    UnknownNumber,
    /// 172 too, since CPR has no other code for a person of whom nothing can be told and clients act upon the code; the
    /// text says that CPR has the number.
    NotKept,
}

impl Receipt {
    /// `Kvit/@v`.
    pub fn code(self) -> &'static str {
        match self {
            Receipt::Field => "16",
            Receipt::MalformedNumber => "52",
            Receipt::UnknownNumber | Receipt::NotKept => "172",
        }
    }

    /// `Kvit/@t`. The number is never repeated, though CPR does.
    pub fn text(self) -> &'static str {
        match self {
            Receipt::Field => "Forkert felt-reference",
            Receipt::MalformedNumber => "Personnummeret er udfyldt forkert",
            Receipt::UnknownNumber => "Personen findes ikke i CPR",
            Receipt::NotKept => "Personen findes i CPR, men opbevares ikke her",
        }
    }
}
