//! Codes with a meaning. A code outside the known list is data, not an error: CPR adds codes without notice.

use std::fmt;

macro_rules! code {
    ($(#[$doc:meta])* $name:ident $example:literal) => {
        $(#[$doc])*
        ///
        /// ```
        #[doc = concat!("let code: cpr_model::", stringify!($name), " = \"", $example, "\".parse()?;")]
        #[doc = concat!("assert_eq!((u32::from(code.0), code.to_string().as_str()), (1", $example, " - 10000, \"", $example, "\"));")]
        /// # Ok::<(), cpr_model::ParseError>(())
        /// ```
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(pub u16);

        /// Prints the four digits as CPR writes them.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:04}", self.0)
            }
        }
    };
}

code! {
    /// Kommunekode (KOMKOD): 0101-0860 Denmark, 0955-0960 Greenland, 0010-0019 administrative; ended codes stay in
    /// history.
    MunicipalityCode "0751"
}
code! {
    /// Vejkode (VEJKOD), unique within its municipality; 9900-9999 are not streets.
    StreetCode "1188"
}
code! {
    /// Landekode (LANDEKOD, UDR_LANDEKOD, INDR_LANDEKOD): 5100 Denmark, 5103 stateless, 5999 unknown.
    CountryCode "5100"
}
code! {
    /// Beskyttelsestype (BESKYTTYPE): 0001 name and address, 0002 local directory, 0003 marketing, 0004 research
    /// (abolished 2014), 0005 credit warning.
    ProtectionKind "0001"
}

impl ProtectionKind {
    /// Navne- og adressebeskyttelse: the person is protected in all output to private parties.
    pub const NAME_AND_ADDRESS: ProtectionKind = ProtectionKind(1);
}

/// Status of the person (STATUS), two digits.
///
/// ```
/// use cpr_model::Status;
/// let status: Status = "80".parse()?;
/// assert!(!status.is_active() && !status.is_replaced(), "80 is emigrated");
/// assert_eq!(Status(1).to_string(), "01");
/// # Ok::<(), cpr_model::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Status(pub u8);

impl Status {
    /// 01, 03, 05, 07: lives in Denmark or Greenland.
    pub fn is_active(self) -> bool {
        self.0 < 10
    }

    /// Below 30: the person lives somewhere, or has a place in an administrative municipality. Of others a 002 is the
    /// last known address.
    pub fn has_residence(self) -> bool {
        self.0 < 30
    }

    /// 50, 60: the number was given up; another one stands for the person (PNRGAELD).
    pub fn is_replaced(self) -> bool {
        matches!(self.0, 50 | 60)
    }
}

/// Prints the two digits as CPR writes them.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}
