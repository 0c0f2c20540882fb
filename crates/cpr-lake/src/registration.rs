//! Which fields of CPR belong together: a date and its mark of uncertainty, an aspect and when it was registered; and
//! which tell an address or a birth date.

use cpr_replika::cpr_model::{Aspect, Field};

use Field as F;

/// The mark of uncertainty (`*_UMRK`) of a date where valid time begins or ends.
pub(crate) fn uncertainty_of(date: Field) -> Option<Field> {
    Some(match date {
        F::MovedIn => F::MovedInUncertain,
        F::MovedOut => F::MovedOutUncertain,
        F::Emigrated => F::EmigratedUncertain,
        F::Immigrated => F::ImmigratedUncertain,
        F::Disappeared => F::DisappearedUncertain,
        F::FoundAgain => F::FoundAgainUncertain,
        F::NameStart => F::NameStartUncertain,
        F::NameEnd => F::NameEndUncertain,
        F::CitizenshipStart => F::CitizenshipStartUncertain,
        F::CitizenshipEnd => F::CitizenshipEndUncertain,
        F::ChurchMembershipStartDate => F::ChurchMembershipStartUncertain,
        F::ChurchMembershipEndDate => F::ChurchMembershipEndUncertain,
        F::CivilStatusStart => F::CivilStatusStartUncertain,
        F::CivilStatusEnd => F::CivilStatusEndUncertain,
        F::SeparationStartDate => F::SeparationStartUncertain,
        F::SeparationEndDate => F::SeparationEndUncertain,
        F::CustodyStartDate => F::CustodyStartUncertain,
        F::GuardianshipStartDate => F::GuardianshipStartUncertain,
        F::MunicipalConditionStartDate => F::MunicipalConditionStartUncertain,
        F::PnrStartDate => F::PnrStartDateUncertain,
        F::PnrEndDate => F::PnrEndDateUncertain,
        _ => return None,
    })
}

/// When CPR wrote a row (registreringstid), for aspects of which some product says so.
pub(crate) fn registered_at(aspect: Aspect) -> Option<Field> {
    Some(match aspect {
        Aspect::Person => F::StatusUpdated,
        Aspect::Address => F::AddressUpdated,
        Aspect::Protection => F::ProtectionUpdated,
        Aspect::Emigration => F::EmigrationUpdated,
        Aspect::Disappearance => F::DisappearanceUpdated,
        Aspect::Name => F::NameUpdated,
        Aspect::BirthRegistration => F::BirthRegistrationUpdated,
        Aspect::Citizenship => F::CitizenshipUpdated,
        Aspect::Church => F::ChurchUpdated,
        Aspect::CivilStatus => F::CivilStatusUpdated,
        Aspect::Separation => F::SeparationUpdated,
        Aspect::Custody => F::CustodyUpdated,
        _ => return None,
    })
}

/// True for a birth date, of whomever.
pub(crate) fn is_birth_date(field: Field) -> bool {
    matches!(field, F::DateOfBirth | F::MotherDateOfBirth | F::FatherDateOfBirth | F::SpouseDateOfBirth)
}

/// True for what tells where somebody lives or can be written to.
pub(crate) fn is_address(field: Field) -> bool {
    const ADDRESS: [Field; 44] = [
        F::MunicipalityCode,
        F::StreetCode,
        F::HouseNumber,
        F::Floor,
        F::SideOrDoor,
        F::BuildingNumber,
        F::CareOfName,
        F::PreviousMunicipalityCode,
        F::SupplementaryAddressLine1,
        F::SupplementaryAddressLine2,
        F::SupplementaryAddressLine3,
        F::SupplementaryAddressLine4,
        F::SupplementaryAddressLine5,
        F::StreetName,
        F::AddressUuid,
        F::Locality,
        F::StandardAddressLine,
        F::TownName,
        F::PostalCode,
        F::PostalDistrict,
        F::StreetAddressingName,
        F::ForeignAddressLine1,
        F::ForeignAddressLine2,
        F::ForeignAddressLine3,
        F::ForeignAddressLine4,
        F::ForeignAddressLine5,
        F::ContactAddressLine1,
        F::ContactAddressLine2,
        F::ContactAddressLine3,
        F::ContactAddressLine4,
        F::ContactAddressLine5,
        F::EuElectionAddressLine1,
        F::EuElectionAddressLine2,
        F::EuElectionAddressLine3,
        F::EuElectionAddressLine4,
        F::EuElectionAddressLine5,
        F::GuardianAddressLine1,
        F::GuardianAddressLine2,
        F::GuardianAddressLine3,
        F::GuardianAddressLine4,
        F::GuardianAddressLine5,
        F::NoteLine,
        F::OrderToMoveRemark,
        F::MunicipalConditionRemark,
    ];
    ADDRESS.contains(&field)
}
