//! What lanes are called, in Danish and in English.

use cpr_model::Aspect;

/// The Danish and the English name of an aspect.
pub(crate) fn title(aspect: Aspect) -> (&'static str, &'static str) {
    match aspect {
        Aspect::Person => ("Person", "Person"),
        Aspect::Address => ("Adresse", "Address"),
        Aspect::FormattedAddress => ("Klarskriftadresse", "Formatted address"),
        Aspect::Protection => ("Beskyttelse", "Protection"),
        Aspect::Emigration => ("Udrejse", "Stay abroad"),
        Aspect::ContactAddress => ("Kontaktadresse", "Contact address"),
        Aspect::Disappearance => ("Forsvinding", "Disappearance"),
        Aspect::Name => ("Navn", "Name"),
        Aspect::BirthRegistration => ("Fødselssted", "Place of birth"),
        Aspect::Citizenship => ("Statsborgerskab", "Citizenship"),
        Aspect::Church => ("Folkekirke", "Church"),
        Aspect::CivilStatus => ("Civilstand", "Civil status"),
        Aspect::Separation => ("Separation", "Separation"),
        Aspect::Child => ("Børn", "Children"),
        Aspect::Parents => ("Forældre", "Parents"),
        Aspect::Custody => ("Forældremyndighed", "Custody"),
        Aspect::Guardianship => ("Værgemål", "Guardianship"),
        Aspect::MunicipalCondition => ("Kommunale forhold", "Municipal data"),
        Aspect::Note => ("Notat", "Note"),
        Aspect::Election => ("Valg", "Elections"),
        Aspect::OrderToMove => ("Flyttepåbud", "Order to move"),
        Aspect::FormerNumber => ("Tidligere numre", "Former numbers"),
        Aspect::MotherAddress => ("Moders adresse", "Mother's address"),
        Aspect::FatherAddress => ("Faders adresse", "Father's address"),
        Aspect::ChildAddress => ("Barns adresse", "Child's address"),
        Aspect::Event => ("Hændelser", "Events"),
    }
}
