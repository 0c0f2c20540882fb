//! What the services tell that is not in the replica: CPR's road register, names of authorities, other registrations.
//!
//! Fields that need them are [`Elsewhere`] in the answers and stay empty with [`NoRegister`]; a host that has the
//! registers implements [`Register`].

use std::fmt;

use cpr_replika::cpr_model::{CountryCode, MunicipalityCode, Pnr, StreetCode, facts};
use serde::{Serialize, Serializer};

use crate::contract_types::Absent;

/// A value from a register that the replica does not hold; none when the host's [`Register`] does not give it.
#[derive(Clone, Eq, PartialEq)]
pub struct Elsewhere<T>(pub Option<T>);

/// Not given.
impl<T> Default for Elsewhere<T> {
    fn default() -> Elsewhere<T> {
        Elsewhere(None)
    }
}

/// Says whether there is a value.
impl<T> fmt::Debug for Elsewhere<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Elsewhere(given)" } else { "Elsewhere(not held)" })
    }
}

impl<T: Serialize> Serialize for Elsewhere<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: Absent> Absent for Elsewhere<T> {
    fn is_absent(&self) -> bool {
        self.0.is_absent()
    }
}

always_there!(Districts);

/// A place in the road register: municipality, street, and the house number that picks the interval.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// KOMKOD.
    pub municipality: MunicipalityCode,
    /// VEJKOD.
    pub street: StreetCode,
    /// HUSNR as received: three digits and a letter, or blank.
    pub house_number: &'a [u8],
}

/// Says nothing of the address.
impl fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(..)")
    }
}

impl<'a> Place<'a> {
    /// The place of a coded address; none when it has no street.
    pub(crate) fn of(address: facts::Address<'a>) -> Option<Place<'a>> {
        let (municipality, street) = (address.municipality_code()?, address.street_code()?);
        Some(Place { municipality, street, house_number: address.house_number().latin1() })
    }
}

answer! {
    /// The districts of a place (SF1520 `distrikterType`).
    #[derive(Default)]
    pub struct Districts {
        postal_code: Option<u16> = "postnummer",
        postal_district: Option<String> = "postdistrikt",
        urban_renewal_code: Option<String> = "byfornyelsesdistriktKode",
        urban_renewal: Option<String> = "byfornyelsesdistrikt",
        diverse: Vec<Diverse> = "diversedistrikter",
        evacuation_code: Option<u32> = "evakueringsdistriktKode",
        evacuation: Option<String> = "evakueringsdistrikt",
        church_code: Option<u32> = "kirkedistriktKode",
        church: Option<String> = "kirkedistrikt",
        school_code: Option<u32> = "skoledistriktKode",
        school: Option<String> = "skoledistrikt",
        population_code: Option<String> = "befolkningsdistriktKode",
        population: Option<String> = "befolkningsdistrikt",
        social_code: Option<u32> = "socialdistriktKode",
        social: Option<String> = "socialdistrikt",
        parish_code: Option<u32> = "sognedistriktKode",
        parish: Option<String> = "sognedistrikt",
        polling_code: Option<u32> = "valgdistriktKode",
        polling: Option<String> = "valgdistrikt",
        heating_code: Option<u32> = "varmedistriktKode",
        heating: Option<String> = "varmedistrikt",
    }
    /// A district of a kind of the municipality's own.
    #[derive(Default)]
    pub struct Diverse {
        kind: Option<u32> = "distriktType",
        code: Option<String> = "distriktKode",
        name: Option<String> = "distrikt",
    }
}

/// The registers beside CPR's persons. Every method may answer none, and does unless a host writes it.
pub trait Register {
    /// Name of a country or area code.
    fn country_name(&self, _country: CountryCode) -> Option<String> {
        None
    }

    /// Name of the authority where a birth is registered.
    fn authority_name(&self, _authority: u16) -> Option<String> {
        None
    }

    /// CVR number of a municipality.
    fn municipality_cvr(&self, _municipality: MunicipalityCode) -> Option<String> {
        None
    }

    /// Full name of a street.
    fn street_name(&self, _place: Place<'_>) -> Option<String> {
        None
    }

    /// Districts of a place.
    fn districts(&self, _place: Place<'_>) -> Option<Districts> {
        None
    }

    /// Whether a person is registered with NemSMS.
    fn nem_sms(&self, _pnr: Pnr) -> Option<bool> {
        None
    }

    /// Whether a person is registered with Digital Post.
    fn digital_post(&self, _pnr: Pnr) -> Option<bool> {
        None
    }
}

/// The register that gives nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRegister;

impl Register for NoRegister {}
