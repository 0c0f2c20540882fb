//! Typed views of a fact, one per aspect: the same type for the current and the historic record and for every product.
//!
//! A view borrows the packed [`Values`] and decodes a field when it is asked for. Every accessor names CPR's field;
//! none or blank means that the record leaves it empty, or that the product does not have it. What has no accessor here
//! (who registered it, and when the documentation was seen) is reached by [`Field`] through `values()`.

use crate::{
    CountryCode, Date, Field, MunicipalityCode, ProtectionKind, RelatedPnr, Status, StreetCode, Text, Timestamp,
    Uncertain, Values,
};

macro_rules! facts {
    ($($(#[$doc:meta])* $view:ident { $($how:ident $name:ident $field:ident $([$mark:ident])? $term:literal;)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $view<'a>(Values<'a>);

            impl<'a> $view<'a> {
                /// The view of these packed values.
                pub fn new(values: Values<'a>) -> Self {
                    $view(values)
                }

                /// The values under the view.
                pub fn values(self) -> Values<'a> {
                    self.0
                }

                $(facts!(@accessor $how $name $field $([$mark])? $term);)*
            }
        )*

        /// Field and CPR name of every accessor, for the test that holds the two together.
        #[cfg(test)]
        pub(crate) const ACCESSORS: &[(Field, &str)] = &[$($((Field::$field, $term),)*)*];
    };
    (@accessor text $name:ident $field:ident $term:literal) => {
        #[doc = concat!("`", $term, "`; blank when empty.")]
        pub fn $name(self) -> Text<'a> { self.0.text(Field::$field) }
    };
    (@accessor number $name:ident $field:ident $term:literal) => {
        #[doc = concat!("`", $term, "`; none when zero.")]
        pub fn $name(self) -> Option<u16> { self.0.number(Field::$field) }
    };
    (@accessor municipality $name:ident $field:ident $term:literal) => {
        #[doc = concat!("`", $term, "`; none when zero.")]
        pub fn $name(self) -> Option<MunicipalityCode> { self.0.number(Field::$field).map(MunicipalityCode) }
    };
    (@accessor street $name:ident $field:ident $term:literal) => {
        #[doc = concat!("`", $term, "`; none when zero.")]
        pub fn $name(self) -> Option<StreetCode> { self.0.number(Field::$field).map(StreetCode) }
    };
    (@accessor country $name:ident $field:ident $term:literal) => {
        #[doc = concat!("`", $term, "`; none when zero.")]
        pub fn $name(self) -> Option<CountryCode> { self.0.number(Field::$field).map(CountryCode) }
    };
    (@accessor protection $name:ident $field:ident $term:literal) => {
        #[doc = concat!("`", $term, "`; none when zero.")]
        pub fn $name(self) -> Option<ProtectionKind> { self.0.number(Field::$field).map(ProtectionKind) }
    };
    (@accessor status $name:ident $field:ident $term:literal) => {
        #[doc = concat!("`", $term, "`; none when zero.")]
        pub fn $name(self) -> Option<Status> { self.0.number(Field::$field).map(|code| Status(code as u8)) }
    };
    (@accessor date $name:ident $field:ident $term:literal) => {
        #[doc = concat!("`", $term, "`; none when blank.")]
        pub fn $name(self) -> Option<Date> { self.0.date(Field::$field) }
    };
    (@accessor date $name:ident $field:ident [$mark:ident] $term:literal) => {
        #[doc = concat!("`", $term, "` with its mark of uncertainty; none when blank.")]
        pub fn $name(self) -> Option<Uncertain<Date>> {
            let value = self.0.date(Field::$field)?;
            Some(Uncertain { value, uncertain: self.0.flag(Field::$mark).is_some() })
        }
    };
    (@accessor time $name:ident $field:ident $term:literal) => {
        #[doc = concat!("`", $term, "`; none when zeros or blank.")]
        pub fn $name(self) -> Option<Timestamp> { self.0.timestamp(Field::$field) }
    };
    (@accessor time $name:ident $field:ident [$mark:ident] $term:literal) => {
        #[doc = concat!("`", $term, "` with its mark of uncertainty; none when zeros.")]
        pub fn $name(self) -> Option<Uncertain<Timestamp>> {
            let value = self.0.timestamp(Field::$field)?;
            Some(Uncertain { value, uncertain: self.0.flag(Field::$mark).is_some() })
        }
    };
    (@accessor mark $name:ident $field:ident $term:literal) => {
        #[doc = concat!("`", $term, "`: `+` shortened, `*` holds characters CPR cannot, `=` not documented; none when blank.")]
        pub fn $name(self) -> Option<char> { self.0.flag(Field::$field).map(char::from) }
    };
    (@accessor pnr $name:ident $field:ident $term:literal) => {
        #[doc = concat!("`", $term, "`; none when blank.")]
        pub fn $name(self) -> Option<RelatedPnr> { self.0.pnr(Field::$field) }
    };
}

facts! {
    /// Personoplysninger (001).
    Person {
        pnr current_pnr CurrentPnr "PNRGAELD";
        status status Status "STATUS";
        time status_date StatusDate [StatusDateUncertain] "STATUSHAENSTART";
        text sex Sex "KOEN";
        date birth_date DateOfBirth [DateOfBirthUncertain] "FOED_DT";
        date number_from PnrStartDate [PnrStartDateUncertain] "START_DT-PERSON";
        date number_to PnrEndDate [PnrEndDateUncertain] "SLUT_DT-PERSON";
        text occupation Occupation "STILLING";
        time registered_at StatusUpdated "STATUS_TS";
    }
    /// Adresse, coded: where a person lives or lived in Denmark or Greenland (002, 023; full 025, 026).
    Address {
        municipality municipality_code MunicipalityCode "KOMKOD";
        street street_code StreetCode "VEJKOD";
        text house_number HouseNumber "HUSNR";
        text floor Floor "ETAGE";
        text side_or_door SideOrDoor "SIDEDOER";
        text building_number BuildingNumber "BNR";
        text care_of CareOfName "CONVN";
        time moved_in MovedIn [MovedInUncertain] "TILFLYDTO";
        time moved_out MovedOut [MovedOutUncertain] "FRAFLYDTO";
        time moved_to_municipality MovedToMunicipality [MovedToMunicipalityUncertain] "TILFLYKOMDTO";
        municipality previous_municipality_code PreviousMunicipalityCode "FRAFLYKOMKOD";
        time left_previous_municipality LeftPreviousMunicipality [LeftPreviousMunicipalityUncertain] "FRAFLYKOMDTO";
        text supplementary_line_1 SupplementaryAddressLine1 "ADR1-SUPLADR";
        text supplementary_line_2 SupplementaryAddressLine2 "ADR2-SUPLADR";
        text supplementary_line_3 SupplementaryAddressLine3 "ADR3-SUPLADR";
        text supplementary_line_4 SupplementaryAddressLine4 "ADR4-SUPLADR";
        text supplementary_line_5 SupplementaryAddressLine5 "ADR5-SUPLADR";
        date supplementary_from AddressTextStartDate "START_DT-ADRTXT";
        date supplementary_deleted_on AddressTextAutomaticDeletionDate "SLET_DT-ADRTXT";
        text long_street_name StreetName "VEJNVN";
        text address_uuid AddressUuid "ADRESSE_UUID";
        time registered_at AddressUpdated "ADR_TS";
    }
    /// Klarskriftadresse with adresseringsnavn (003; U12180-P 031-033 for mother, father and child).
    FormattedAddress {
        text addressing_name AddressingName "ADRNVN";
        text care_of CareOfName "CONVN";
        text locality Locality "LOKALITET";
        text standard_address StandardAddressLine "STANDARDADR";
        text town TownName "BYNVN";
        number postal_code PostalCode "POSTNR";
        text postal_district PostalDistrict "POSTDISTTXT";
        municipality municipality_code MunicipalityCode "KOMKOD";
        street street_code StreetCode "VEJKOD";
        text house_number HouseNumber "HUSNR";
        text floor Floor "ETAGE";
        text side_or_door SideOrDoor "SIDEDOER";
        text building_number BuildingNumber "BNR";
        text street_addressing_name StreetAddressingName "VEJADRNVN";
        pnr mother_pnr MotherPnr "PNRMOR";
        pnr father_pnr FatherPnr "PNRFAR";
        pnr child_pnr ChildPnr "PNRBARN";
        date protected_from ProtectionStartDate "START_DT-BESKYTTELSE";
    }
    /// Beskyttelse (004; full 015, 016). It holds as long as the row comes; the deletion date is CPR's plan.
    Protection {
        protection kind ProtectionKind "BESKYTTYPE";
        date from ProtectionStartDate "START_DT-BESKYTTELSE";
        date deleted_on ProtectionAutomaticDeletionDate "SLET_DT-BESKYTTELSE";
        date to ProtectionEndDate "SLUT_DT-BESKYTTELSE";
        time registered_at ProtectionUpdated "START_TS-BESKYTTELSE";
    }
    /// Udrejse, or a stay abroad from emigration to immigration (005, 024; full 028, 029).
    Emigration {
        country country_code EmigrationCountryCode "UDR_LANDEKOD";
        time emigrated Emigrated [EmigratedUncertain] "UDRDTO";
        country immigrated_from ImmigrationCountryCode "INDR_LANDEKOD";
        time immigrated Immigrated [ImmigratedUncertain] "INDRDTO";
        text foreign_line_1 ForeignAddressLine1 "UDLANDADR1";
        text foreign_line_2 ForeignAddressLine2 "UDLANDADR2";
        text foreign_line_3 ForeignAddressLine3 "UDLANDADR3";
        text foreign_line_4 ForeignAddressLine4 "UDLANDADR4";
        text foreign_line_5 ForeignAddressLine5 "UDLANDADR5";
        time registered_at EmigrationUpdated "UDR_TS";
    }
    /// Kontaktadresse (006; full 027).
    ContactAddress {
        text line_1 ContactAddressLine1 "ADR1-KONTAKTADR";
        text line_2 ContactAddressLine2 "ADR2-KONTAKTADR";
        text line_3 ContactAddressLine3 "ADR3-KONTAKTADR";
        text line_4 ContactAddressLine4 "ADR4-KONTAKTADR";
        text line_5 ContactAddressLine5 "ADR5-KONTAKTADR";
        date from AddressTextStartDate "START_DT-ADRTXT";
        date deleted_on AddressTextAutomaticDeletionDate "SLET_DT-ADRTXT";
    }
    /// Forsvinding (007, 025; full 030, 031).
    Disappearance {
        time disappeared Disappeared [DisappearedUncertain] "FORSVINDDTO";
        time found_again FoundAgain [FoundAgainUncertain] "GENFINDDTO";
        time registered_at DisappearanceUpdated "FORSVIND_TS";
    }
    /// Navn (008, 026; full 020, 021). All names of a newborn are blank.
    Name {
        text given_names GivenNames "FORNVN";
        mark given_names_mark GivenNamesMark "FORNVN_MRK";
        text middle_names MiddleNames "MELNVN";
        mark middle_names_mark MiddleNamesMark "MELNVN_MRK";
        text surname Surname "EFTERNVN";
        mark surname_mark SurnameMark "EFTERNVN_MRK";
        time from NameStart [NameStartUncertain] "NVNHAENSTART";
        time to NameEnd [NameEndUncertain] "NVNHAENSLUT";
        text addressing_name AddressingName "ADRNVN";
        time registered_at NameUpdated "NVN_TS";
    }
    /// Fødselsregistreringssted (009; full 005).
    BirthRegistration {
        number authority_code BirthRegistrationAuthorityCode "START_MYNKOD-FØDESTED";
        text place BirthRegistrationText "MYNTXT-FØDESTED";
        text authority_text BirthAuthorityText "MYNTXT";
        time registered_at BirthRegistrationUpdated "START_TS-FØDESTED";
    }
    /// Statsborgerskab (010, 027; full 040, 041).
    Citizenship {
        country country_code CitizenshipCountryCode "LANDEKOD";
        time from CitizenshipStart [CitizenshipStartUncertain] "HAENSTART-STATSBORGERSKAB";
        time to CitizenshipEnd [CitizenshipEndUncertain] "HAENSLUT-STATSBORGERSKAB";
        time registered_at CitizenshipUpdated "STAT_TS";
    }
    /// Folkekirkeforhold (011, 028; full 010, 011).
    Church {
        text membership ChurchMembership "FKIRK";
        date from ChurchMembershipStartDate [ChurchMembershipStartUncertain] "START_DT-FOLKEKIRKE";
        date to ChurchMembershipEndDate [ChurchMembershipEndUncertain] "SLUT_DT-FOLKEKIRKE";
        time registered_at ChurchUpdated "FKIRK_TS";
    }
    /// Civilstand (012, 029; full 035, 036).
    CivilStatus {
        text civil_status CivilStatus "CIVST";
        pnr spouse_pnr SpousePnr "AEGTEPNR";
        date spouse_birth_date SpouseDateOfBirth [SpouseDateOfBirthUncertain] "AEGTEFOED_DT";
        text spouse_name SpouseName "AEGTENVN";
        mark spouse_name_mark SpouseNameMark "AEGTENVN_MRK";
        time from CivilStatusStart [CivilStatusStartUncertain] "HAENSTART-CIVILSTAND";
        time to CivilStatusEnd [CivilStatusEndUncertain] "HAENSLUT-CIVILSTAND";
        time separation_link SeparationLink "SEP_HENVIS-CIVILSTAND";
        time registered_at CivilStatusUpdated "CIV_TS";
    }
    /// Separation (013, 030; full 085, 086).
    Separation {
        time civil_status_link CivilStatusLink "SEP_HENVIS-SEPARATION";
        date from SeparationStartDate [SeparationStartUncertain] "START_DT-SEPARATION";
        date to SeparationEndDate [SeparationEndUncertain] "SLUT_DT-SEPARATION";
        time registered_at SeparationUpdated "START_TS-SEPARATION";
    }
    /// Barn, on both parents (014; full 045).
    Child {
        pnr child_pnr ChildPnr "PNRBARN";
        status child_status ChildStatus "STATUS-BARN";
        time child_status_date ChildStatusDate "STATUSHAENSTART-BARN";
    }
    /// Mother and father as the law sees them (015; in full part of 001).
    Parents {
        pnr mother_pnr MotherPnr "PNRMOR";
        date mother_since MotherRelationDate [MotherRelationDateUncertain] "MOR_DT";
        date mother_birth_date MotherDateOfBirth [MotherDateOfBirthUncertain] "MOR_FOED_DT";
        text mother_name MotherName "MORNVN";
        mark mother_name_mark MotherNameMark "MORNVN_MRK";
        pnr father_pnr FatherPnr "PNRFAR";
        date father_since FatherRelationDate [FatherRelationDateUncertain] "FAR_DT";
        date father_birth_date FatherDateOfBirth [FatherDateOfBirthUncertain] "FAR_FOED_DT";
        text father_name FatherName "FARNVN";
        mark father_name_mark FatherNameMark "FARNVN_MRK";
    }
    /// Forældremyndighed, kept on the child: 3 mother, 4 father (both refer to the parents), 5 and 6 other holders
    /// (016; full 046).
    Custody {
        number relation_type CustodyRelationType "RELTYP-FORÆLDREMYN";
        date from CustodyStartDate [CustodyStartUncertain] "START_DT-FORÆLDREMYN";
        date deleted_on CustodyAutomaticDeletionDate "SLET_DT-FORÆLDREMYN";
        pnr holder_pnr RelatedPnr "RELPNR";
        date holder_from RelatedPnrStartDate "START_DT-RELPNR_PNR";
        time registered_at CustodyUpdated "START_TS-FORÆLDREMYN";
    }
    /// Umyndiggørelse og værge: guardian by number (1), by name and address (2), or none known (017, 052; full 050).
    Guardianship {
        date from GuardianshipStartDate [GuardianshipStartUncertain] "START_DT-UMYNDIG";
        date deleted_on GuardianshipAutomaticDeletionDate "SLET_DT-UMYNDIG";
        number relation_type GuardianRelationType "UMYN_RELTYP";
        pnr guardian_pnr RelatedPnr "RELPNR";
        date guardian_from RelatedPnrStartDate "START_DT-RELPNR_PNR";
        text guardian_name GuardianName "RELADRSAT_RELPNR_TXT";
        date guardian_address_from GuardianAddressStartDate "START_DT-RELPNR_TXT";
        text guardian_line_1 GuardianAddressLine1 "RELTXT1";
        text guardian_line_2 GuardianAddressLine2 "RELTXT2";
        text guardian_line_3 GuardianAddressLine3 "RELTXT3";
        text guardian_line_4 GuardianAddressLine4 "RELTXT4";
        text guardian_line_5 GuardianAddressLine5 "RELTXT5";
        text kind GuardianshipKind "VAERGEMAALS_TYPE";
    }
    /// Kommunale forhold (018; full 055).
    MunicipalCondition {
        number condition_type MunicipalConditionType "KOMFORHTYP";
        text condition_code MunicipalConditionCode "KOMFORHKOD";
        date from MunicipalConditionStartDate [MunicipalConditionStartUncertain] "START_DT-KOMMUNALE-FORHOLD";
        text remark MunicipalConditionRemark "BEMAERK-KOMMUNALE-FORHOLD";
    }
    /// Notat (019; full 060).
    Note {
        number number NoteNumber "NOTATNR";
        text line NoteLine "NOTATLINIE";
        date from NoteStartDate "START_DT-NOTAT";
        date deleted_on NoteAutomaticDeletionDate "SLET_DT-NOTAT";
    }
    /// Valgoplysninger (020; full 070).
    Election {
        number election_code ElectionCode "VALGKODE";
        date right_to_vote_from RightToVoteFrom "VALGRET_DT";
        date from ElectionInformationStartDate "START_DT-VALGOPLYSNINGER";
        date deleted_on ElectionInformationAutomaticDeletionDate "SLET_DT-VALGOPLYSNINGER";
    }
    /// Flyttepåbud (021; full 075).
    OrderToMove {
        date from OrderToMoveStartDate "START_DT-FLYTTEPÅBUD";
        text remark OrderToMoveRemark "BEMAERK-FLYTTEPÅBUD";
    }
    /// A number the person gave up (022; full 065).
    FormerNumber {
        pnr former_pnr FormerPnr "PNR-GAMMELT";
        date from PnrStartDate [PnrStartDateUncertain] "START_DT-PERSON";
        date to PnrEndDate [PnrEndDateUncertain] "SLUT_DT-PERSON";
    }
    /// Hændelse: why a person is in a delta (099; full 900). Codes are labels that CPR changes without notice.
    Event {
        text code EventCode "HAENDELSE";
        text derived_mark DerivedMark "AFLEDTMRK";
        time registered_at UpdatedInCprAt "TIMESTAMPU";
        text customer_key CustomerKeyConstant "NGLKONST";
    }
}
