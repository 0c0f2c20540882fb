//! Every field that CPR sends about a person, once: its number in the store, CPR's own name, and its kind.
//!
//! A field keeps its number for ever, since packed values name fields by it; new fields are added at the end. Where two
//! products name one field differently (`ADR1-SUPLADR`, `ADR-SUPLADR1`), the name here is that of the U12170-P
//! layout, and the layout tables say how the other maps to it. Source: CPR, record layouts of U12170-P and U12180-P
//! (2009-2011).

/// How the value of a field is packed and read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Text in ISO 8859-1; none is blank.
    Text,
    /// A number of one or two digits, zero-filled; none is zero.
    Small,
    /// A number of three or four digits, zero-filled; none is zero.
    Code,
    /// A date; none is blank.
    Date,
    /// A timestamp of twelve digits; none is zeros (format N) or blank (format A).
    Timestamp,
    /// One character: `*`, a name mark or a correction mark; none is blank.
    Flag,
    /// A related person's number; none is blank, zeros are "exists, number not known".
    Pnr,
}

macro_rules! fields {
    ($($number:literal $name:ident $term:literal $kind:ident,)*) => {
        /// A field of a record about a person. `term` gives CPR's own name.
        ///
        /// ```
        /// use cpr_model::{Field, Kind};
        /// let field = Field::from_term("TILFLYDTO").expect("a field of 002");
        /// assert_eq!((field, field.kind(), field.number()), (Field::MovedIn, Kind::Timestamp, 52));
        /// ```
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(u16)]
        pub enum Field {
            $(
                #[doc = concat!("`", $term, "`")]
                $name = $number,
            )*
        }

        /// Every field with its name of CPR's and its kind, in the order of their numbers.
        pub(crate) const FIELDS: &[(Field, &str, Kind)] = &[$((Field::$name, $term, Kind::$kind),)*];
    };
}

impl Field {
    /// The field with this number, or none.
    #[inline]
    pub fn from_number(number: u16) -> Option<Field> {
        FIELDS.get(usize::from(number).checked_sub(1)?).map(|(field, _, _)| *field)
    }

    /// The field with this name of CPR's.
    pub fn from_term(term: &str) -> Option<Field> {
        FIELDS.iter().find(|(_, t, _)| *t == term).map(|(field, _, _)| *field)
    }

    /// The number that stands for the field in packed values.
    #[inline]
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// CPR's own name of the field.
    pub fn term(self) -> &'static str {
        FIELDS[usize::from(self.number()) - 1].1
    }

    /// How its value is packed.
    #[inline]
    pub fn kind(self) -> Kind {
        FIELDS[usize::from(self.number()) - 1].2
    }

    /// True for fields that tell about the registration (when, by whom, documented how) and not about the world.
    pub fn is_registration(self) -> bool {
        let term = self.term();
        term.contains("_TS") || term.contains("MYNKOD") || term.contains("DOK")
    }

    /// Every field, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Field> {
        FIELDS.iter().map(|(field, _, _)| *field)
    }
}

fields! {
    1 CurrentPnr "PNRGAELD" Pnr,
    2 Status "STATUS" Small,
    3 StatusDate "STATUSHAENSTART" Timestamp,
    4 StatusDateUncertain "STATUSDTO_UMRK" Flag,
    5 Sex "KOEN" Text,
    6 DateOfBirth "FOED_DT" Date,
    7 DateOfBirthUncertain "FOED_DT_UMRK" Flag,
    8 PnrStartDate "START_DT-PERSON" Date,
    9 PnrStartDateUncertain "START_DT_UMRK-PERSON" Flag,
    10 PnrEndDate "SLUT_DT-PERSON" Date,
    11 PnrEndDateUncertain "SLUT_DT_UMRK-PERSON" Flag,
    12 Occupation "STILLING" Text,
    13 CustomerKeyConstant "NGLKONST" Text,
    14 StatusUpdated "STATUS_TS" Timestamp,
    15 PnrSetBy "START_MYNKOD-PERSON" Code,
    16 PnrUpdated "START_TS-PERSON" Timestamp,
    17 TimeOfBirth "FOED_TM" Text,
    18 BirthSequence "FOEDSEKVENS" Code,
    19 OccupationSetBy "STILLING_MYNKOD" Code,
    20 OccupationUpdated "STILLING_TS" Timestamp,
    21 MotherUpdated "MOR_TS" Timestamp,
    22 MotherSetBy "MOR_MYNKOD" Code,
    23 MotherRelationDate "MOR_DT" Date,
    24 MotherRelationDateUncertain "MOR_DT_UMRK" Flag,
    25 MotherPnr "PNRMOR" Pnr,
    26 MotherDateOfBirth "MOR_FOED_DT" Date,
    27 MotherDateOfBirthUncertain "MOR_FOED_DT_UMRK" Flag,
    28 MotherName "MORNVN" Text,
    29 MotherNameMark "MORNVN_MRK" Flag,
    30 MotherDocumentationAuthority "MOR_DOK_MYNKOD" Code,
    31 MotherDocumentationUpdated "MOR_DOK_TS" Timestamp,
    32 MotherDocumented "MOR_DOK" Text,
    33 FatherUpdated "FAR_TS" Timestamp,
    34 FatherSetBy "FAR_MYNKOD" Code,
    35 FatherRelationDate "FAR_DT" Date,
    36 FatherRelationDateUncertain "FAR_DT_UMRK" Flag,
    37 FatherPnr "PNRFAR" Pnr,
    38 FatherDateOfBirth "FAR_FOED_DT" Date,
    39 FatherDateOfBirthUncertain "FAR_FOED_DT_UMRK" Flag,
    40 FatherName "FARNVN" Text,
    41 FatherNameMark "FARNVN_MRK" Flag,
    42 FatherDocumentationAuthority "FAR_DOK_MYNKOD" Code,
    43 FatherDocumentationUpdated "FAR_DOK_TS" Timestamp,
    44 FatherDocumented "FAR_DOK" Text,
    45 MunicipalityCode "KOMKOD" Code,
    46 StreetCode "VEJKOD" Code,
    47 HouseNumber "HUSNR" Text,
    48 Floor "ETAGE" Text,
    49 SideOrDoor "SIDEDOER" Text,
    50 BuildingNumber "BNR" Text,
    51 CareOfName "CONVN" Text,
    52 MovedIn "TILFLYDTO" Timestamp,
    53 MovedInUncertain "TILFLYDTO_UMRK" Flag,
    54 MovedToMunicipality "TILFLYKOMDTO" Timestamp,
    55 MovedToMunicipalityUncertain "TILFLYKOMDT_UMRK" Flag,
    56 PreviousMunicipalityCode "FRAFLYKOMKOD" Code,
    57 LeftPreviousMunicipality "FRAFLYKOMDTO" Timestamp,
    58 LeftPreviousMunicipalityUncertain "FRAFLYKOMDT_UMRK" Flag,
    59 SupplementaryAddressSetBy "START_MYNKOD-ADRTXT" Code,
    60 SupplementaryAddressLine1 "ADR1-SUPLADR" Text,
    61 SupplementaryAddressLine2 "ADR2-SUPLADR" Text,
    62 SupplementaryAddressLine3 "ADR3-SUPLADR" Text,
    63 SupplementaryAddressLine4 "ADR4-SUPLADR" Text,
    64 SupplementaryAddressLine5 "ADR5-SUPLADR" Text,
    65 AddressTextStartDate "START_DT-ADRTXT" Date,
    66 AddressTextAutomaticDeletionDate "SLET_DT-ADRTXT" Date,
    67 StreetName "VEJNVN" Text,
    68 AddressUuid "ADRESSE_UUID" Text,
    69 AddressingName "ADRNVN" Text,
    70 Locality "LOKALITET" Text,
    71 StandardAddressLine "STANDARDADR" Text,
    72 TownName "BYNVN" Text,
    73 PostalCode "POSTNR" Code,
    74 PostalDistrict "POSTDISTTXT" Text,
    75 StreetAddressingName "VEJADRNVN" Text,
    76 ProtectionKind "BESKYTTYPE" Code,
    77 ProtectionStartDate "START_DT-BESKYTTELSE" Date,
    78 ProtectionAutomaticDeletionDate "SLET_DT-BESKYTTELSE" Date,
    79 EmigrationCountryCode "UDR_LANDEKOD" Code,
    80 Emigrated "UDRDTO" Timestamp,
    81 EmigratedUncertain "UDRDTO_UMRK" Flag,
    82 ForeignAddressLine1 "UDLANDADR1" Text,
    83 ForeignAddressLine2 "UDLANDADR2" Text,
    84 ForeignAddressLine3 "UDLANDADR3" Text,
    85 ForeignAddressLine4 "UDLANDADR4" Text,
    86 ForeignAddressLine5 "UDLANDADR5" Text,
    87 BirthRegistrationAuthorityCode "START_MYNKOD-FØDESTED" Code,
    88 BirthRegistrationUpdated "START_TS-FØDESTED" Timestamp,
    89 BirthAuthorityTextSetBy "MYNTXT_MYNKOD" Code,
    90 BirthAuthorityTextUpdated "MYNTXT_TS" Timestamp,
    91 BirthAuthorityText "MYNTXT" Text,
    92 BirthDocumentationAuthority "DOK_MYNKOD" Code,
    93 BirthDocumentationUpdated "DOK_TS" Timestamp,
    94 BirthDocumented "DOK" Text,
    95 ContactAddressLine1 "ADR1-KONTAKTADR" Text,
    96 ContactAddressLine2 "ADR2-KONTAKTADR" Text,
    97 ContactAddressLine3 "ADR3-KONTAKTADR" Text,
    98 ContactAddressLine4 "ADR4-KONTAKTADR" Text,
    99 ContactAddressLine5 "ADR5-KONTAKTADR" Text,
    100 Disappeared "FORSVINDDTO" Timestamp,
    101 DisappearedUncertain "FORSVINDDTO_UMRK" Flag,
    102 GivenNames "FORNVN" Text,
    103 GivenNamesMark "FORNVN_MRK" Flag,
    104 MiddleNames "MELNVN" Text,
    105 MiddleNamesMark "MELNVN_MRK" Flag,
    106 Surname "EFTERNVN" Text,
    107 SurnameMark "EFTERNVN_MRK" Flag,
    108 NameStart "NVNHAENSTART" Timestamp,
    109 NameStartUncertain "HAENSTART_UMRK-NAVNE" Flag,
    110 BirthRegistrationText "MYNTXT-FØDESTED" Text,
    111 CitizenshipCountryCode "LANDEKOD" Code,
    112 CitizenshipStart "HAENSTART-STATSBORGERSKAB" Timestamp,
    113 CitizenshipStartUncertain "HAENSTART_UMRK-STATSBORGERSKAB" Flag,
    114 ChurchSetBy "START_MYNKOD-FOLKEKIRKE" Code,
    115 ChurchUpdated "FKIRK_TS" Timestamp,
    116 ChurchMembership "FKIRK" Text,
    117 ChurchMembershipStartDate "START_DT-FOLKEKIRKE" Date,
    118 ChurchMembershipStartUncertain "START_DT_UMRK-FOLKEKIRKE" Flag,
    119 ChurchMembershipEndDate "SLUT_DT-FOLKEKIRKE" Date,
    120 ChurchMembershipEndUncertain "SLUT_DT_UMRK-FOLKEKIRKE" Flag,
    121 CivilStatus "CIVST" Text,
    122 SpousePnr "AEGTEPNR" Pnr,
    123 SpouseDateOfBirth "AEGTEFOED_DT" Date,
    124 SpouseDateOfBirthUncertain "AEGTEFOEDDT_UMRK" Flag,
    125 SpouseName "AEGTENVN" Text,
    126 SpouseNameMark "AEGTENVN_MRK" Flag,
    127 CivilStatusStart "HAENSTART-CIVILSTAND" Timestamp,
    128 CivilStatusStartUncertain "HAENSTART_UMRK-CIVILSTAND" Flag,
    129 SeparationLink "SEP_HENVIS-CIVILSTAND" Timestamp,
    130 CivilStatusLink "SEP_HENVIS-SEPARATION" Timestamp,
    131 SeparationStartDate "START_DT-SEPARATION" Date,
    132 SeparationStartUncertain "START_DT_UMRK-SEPARATION" Flag,
    133 ChildPnr "PNRBARN" Pnr,
    134 ProtectionSetBy "START_MYNKOD-BESKYTTELSE" Code,
    135 ProtectionUpdated "START_TS-BESKYTTELSE" Timestamp,
    136 ProtectionReported "INDRAP-BESKYTTELSE" Text,
    137 CustodyRelationType "RELTYP-FORÆLDREMYN" Code,
    138 CustodyStartDate "START_DT-FORÆLDREMYN" Date,
    139 CustodyStartUncertain "START_DT_UMRK-FORÆLDREMYN" Flag,
    140 CustodyAutomaticDeletionDate "SLET_DT-FORÆLDREMYN" Date,
    141 RelatedPnr "RELPNR" Pnr,
    142 RelatedPnrStartDate "START_DT-RELPNR_PNR" Date,
    143 ProtectionEndedBy "SLUT_MYNKOD-BESKYTTELSE" Code,
    144 ProtectionEndUpdated "SLUT_TS-BESKYTTELSE" Timestamp,
    145 ProtectionEndDate "SLUT_DT-BESKYTTELSE" Date,
    146 GuardianshipStartDate "START_DT-UMYNDIG" Date,
    147 GuardianshipStartUncertain "START_DT_UMRK-UMYNDIG" Flag,
    148 GuardianshipAutomaticDeletionDate "SLET_DT-UMYNDIG" Date,
    149 GuardianRelationType "UMYN_RELTYP" Code,
    150 GuardianName "RELADRSAT_RELPNR_TXT" Text,
    151 GuardianAddressStartDate "START_DT-RELPNR_TXT" Date,
    152 GuardianAddressLine1 "RELTXT1" Text,
    153 GuardianAddressLine2 "RELTXT2" Text,
    154 GuardianAddressLine3 "RELTXT3" Text,
    155 GuardianAddressLine4 "RELTXT4" Text,
    156 GuardianAddressLine5 "RELTXT5" Text,
    157 MunicipalConditionType "KOMFORHTYP" Small,
    158 MunicipalConditionCode "KOMFORHKOD" Text,
    159 MunicipalConditionStartDate "START_DT-KOMMUNALE-FORHOLD" Date,
    160 MunicipalConditionStartUncertain "START_DT_UMRK-KOMMUNALE-FORHOL" Flag,
    161 MunicipalConditionRemark "BEMAERK-KOMMUNALE-FORHOLD" Text,
    162 NoteNumber "NOTATNR" Small,
    163 NoteLine "NOTATLINIE" Text,
    164 NoteStartDate "START_DT-NOTAT" Date,
    165 NoteAutomaticDeletionDate "SLET_DT-NOTAT" Date,
    166 ElectionCode "VALGKODE" Code,
    167 RightToVoteFrom "VALGRET_DT" Date,
    168 ElectionInformationStartDate "START_DT-VALGOPLYSNINGER" Date,
    169 ElectionInformationAutomaticDeletionDate "SLET_DT-VALGOPLYSNINGER" Date,
    170 NameSetBy "START_MYNKOD-NAVNE" Code,
    171 NameUpdated "NVN_TS" Timestamp,
    172 FamilyName "SLAEGTNVN" Text,
    173 FamilyNameMark "SLAEGTNVN_MRK" Flag,
    174 AddressingNameSetBy "ADRNVN_MYNKOD" Code,
    175 AddressingNameUpdated "ADRNVN_TS" Timestamp,
    176 AddressingNameReported "INDRAP-NAVNE" Text,
    177 OrderToMoveStartDate "START_DT-FLYTTEPÅBUD" Date,
    178 OrderToMoveRemark "BEMAERK-FLYTTEPÅBUD" Text,
    179 CorrectionMark "ANNKOR" Flag,
    180 NameEnd "NVNHAENSLUT" Timestamp,
    181 NameEndUncertain "HAENSLUT_UMRK-NAVNE" Flag,
    182 FormerPnr "PNR-GAMMELT" Pnr,
    183 MovedOut "FRAFLYDTO" Timestamp,
    184 MovedOutUncertain "FRAFLYDTO_UMRK" Flag,
    185 ImmigrationCountryCode "INDR_LANDEKOD" Code,
    186 Immigrated "INDRDTO" Timestamp,
    187 ImmigratedUncertain "INDRDTO_UMRK" Flag,
    188 FoundAgain "GENFINDDTO" Timestamp,
    189 FoundAgainUncertain "GENFINDDTO_UMRK" Flag,
    190 AddressSetBy "START_MYNKOD-PERSONBOLIG" Code,
    191 AddressUpdated "ADR_TS" Timestamp,
    192 CareOfNameUpdated "CONVN_TS" Timestamp,
    193 MunicipalityDataSetBy "TILFRA_MYNKOD" Code,
    194 MunicipalityDataUpdated "TILFRA_TS" Timestamp,
    195 AddressTextKind "ADRTXTTYPE" Code,
    196 CitizenshipEnd "HAENSLUT-STATSBORGERSKAB" Timestamp,
    197 CitizenshipEndUncertain "HAENSLUT_UMRK-STATSBORGERSKAB" Flag,
    198 EmigrationSetBy "START_MYNKOD-UDRINDR" Code,
    199 EmigrationUpdated "UDR_TS" Timestamp,
    200 ForeignAddressSetBy "UDLANDADR_MYNKOD" Code,
    201 ForeignAddressUpdated "UDLANDADR_TS" Timestamp,
    202 CivilStatusEnd "HAENSLUT-CIVILSTAND" Timestamp,
    203 CivilStatusEndUncertain "HAENSLUT_UMRK-CIVILSTAND" Flag,
    204 ImmigrationUpdated "INDR_TS" Timestamp,
    205 SeparationEndDate "SLUT_DT-SEPARATION" Date,
    206 SeparationEndUncertain "SLUT_DT_UMRK-SEPARATION" Flag,
    207 DisappearanceSetBy "START_MYNKOD-FORSVIND" Code,
    208 DisappearanceUpdated "FORSVIND_TS" Timestamp,
    209 FoundAgainUpdated "GENFIND_TS" Timestamp,
    210 CivilStatusSetBy "START_MYNKOD-CIVILSTAND" Code,
    211 CivilStatusUpdated "CIV_TS" Timestamp,
    212 CitizenshipSetBy "START_MYNKOD-STATSBORGERSKAB" Code,
    213 CitizenshipUpdated "STAT_TS" Timestamp,
    214 ChildStatus "STATUS-BARN" Small,
    215 ChildStatusDate "STATUSHAENSTART-BARN" Timestamp,
    216 CustodyUpdated "START_TS-FORÆLDREMYN" Timestamp,
    217 CustodySetBy "START_MYNKOD-FORÆLDREMYN" Code,
    218 HolderRelationType "RELTYP-RELPNR" Code,
    219 HolderSetBy "START_MYNKOD-RELPNR" Code,
    220 HolderStartDate "START_DT-RELPNR" Date,
    221 GuardianshipSetBy "START_MYNKOD-UMYNDIG" Code,
    222 GuardianByNumberRelationType "RELTYP-RELPNR_PNR" Code,
    223 GuardianByNumberSetBy "START_MYNKOD-RELPNR_PNR" Code,
    224 GuardianByNameRelationType "RELTYP-RELPNR_TXT" Code,
    225 GuardianByNameSetBy "START_MYNKOD-RELPNR_TXT" Code,
    226 GuardianshipKind "VAERGEMAALS_TYPE" Text,
    227 MunicipalConditionSetBy "START_MYNKOD-KOMFORHOLD" Code,
    228 NoteSetBy "START_MYNKOD-NOTAT" Code,
    229 ElectionInformationSetBy "START_MYNKOD-VALG" Code,
    230 EuElectionAddressLine1 "ADR-VALG1" Text,
    231 EuElectionAddressLine2 "ADR-VALG2" Text,
    232 EuElectionAddressLine3 "ADR-VALG3" Text,
    233 EuElectionAddressLine4 "ADR-VALG4" Text,
    234 EuElectionAddressLine5 "ADR-VALG5" Text,
    235 OrderToMoveSetBy "START_MYNKOD-FLYTTEPÅBUD" Code,
    236 SeparationSetBy "START_MYNKOD-SEPARATION" Code,
    237 SeparationUpdated "START_TS-SEPARATION" Timestamp,
    238 SeparationEndedBy "SLUT_MYNKOD-SEPARATION" Code,
    239 SeparationEndUpdated "SLUT_TS-SEPARATION" Timestamp,
    240 UpdatedInCprAt "TIMESTAMPU" Timestamp,
    241 EventCode "HAENDELSE" Text,
    242 DerivedMark "AFLEDTMRK" Text,
}
