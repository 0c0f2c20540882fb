//! The versions of the contract.

/// The version of the contract; 4 lacks shared residence, the kind of guardianship and the address UUID.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// Version 4.
    V4,
    /// Version 5.
    V5,
}

impl Version {
    pub(super) fn namespace(self) -> &'static str {
        match self {
            Version::V4 => "http://serviceplatformen.dk/xml/wsdl/soap11/CPR/PersonBaseDataExtended/4/",
            Version::V5 => "http://serviceplatformen.dk/xml/wsdl/soap11/CPR/PersonBaseDataExtended/5/",
        }
    }
}
