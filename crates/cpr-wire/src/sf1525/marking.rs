//! The markings (`*Markering`) by which a caller of SF1525 chooses areas.

/// An area that can be asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Marking {
    /// Address in Denmark or Greenland, contact address.
    Address,
    /// Moves between municipalities.
    MunicipalityMove,
    /// Civil status and separation.
    CivilStatus,
    /// Disappearance.
    Disappearance,
    /// Name.
    Name,
    /// Every number of the person; a plain yes in the contract.
    NumberList,
    /// Status, birth, age, sex, guardianship.
    PersonStatus,
    /// Citizenship.
    Citizenship,
    /// Emigration and immigration.
    Emigration,
    /// Districts of the road register.
    Districts,
    /// Spouse, children, parents, custody.
    Relations,
    /// Notes.
    Notes,
    /// Municipal conditions.
    MunicipalConditions,
    /// Events that have hit the person.
    Events,
}

impl Marking {
    /// Every marking.
    pub const ALL: [Marking; 14] = [
        Marking::Address,
        Marking::MunicipalityMove,
        Marking::CivilStatus,
        Marking::Disappearance,
        Marking::Name,
        Marking::NumberList,
        Marking::PersonStatus,
        Marking::Citizenship,
        Marking::Emigration,
        Marking::Districts,
        Marking::Relations,
        Marking::Notes,
        Marking::MunicipalConditions,
        Marking::Events,
    ];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Marking::Address => "AdresseMarkering",
            Marking::MunicipalityMove => "AdresseKommuneFlytningMarkering",
            Marking::CivilStatus => "CivilstandSeparationMarkering",
            Marking::Disappearance => "ForsvundetMarkering",
            Marking::Name => "NavnMarkering",
            Marking::NumberList => "PersonnummerListeMarkering",
            Marking::PersonStatus => "PersonStatusMarkering",
            Marking::Citizenship => "StatsborgskabMarkering",
            Marking::Emigration => "UdrejseIndrejseMarkering",
            Marking::Districts => "DistrikterMarkering",
            Marking::Relations => "RelationerMarkering",
            Marking::Notes => "NotatListeMarkering",
            Marking::MunicipalConditions => "KommunaleForholdMarkering",
            Marking::Events => "CPRHændelserMarkering",
        }
    }

    /// The marking with this name; the name without `Markering` does too.
    pub fn from_name(name: &str) -> Option<Marking> {
        let name = name.strip_suffix("Markering").unwrap_or(name);
        Marking::ALL.into_iter().find(|marking| marking.name().strip_suffix("Markering") == Some(name))
    }

    /// True for the six markings of the catalogue of version 1.0.
    pub fn is_in_1_0(self) -> bool {
        matches!(
            self,
            Marking::Address
                | Marking::CivilStatus
                | Marking::Name
                | Marking::PersonStatus
                | Marking::Citizenship
                | Marking::Emigration
        )
    }
}

/// How much of an area is asked for (`HistorikMarkeringType`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Depth {
    /// `Aktuel`.
    Current,
    /// `AktuelMedHistorik`: corrected and undone versions too, each with its state.
    WithHistory,
}

impl Depth {
    /// The depth with this name of the contract.
    pub fn from_name(name: &str) -> Option<Depth> {
        match name {
            "Aktuel" => Some(Depth::Current),
            "AktuelMedHistorik" => Some(Depth::WithHistory),
            _ => None,
        }
    }
}

/// The areas that a caller chooses; one that is left out is left out of the answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Markings([Option<Depth>; Marking::ALL.len()]);

impl Markings {
    /// Every marking at one depth.
    pub fn all(depth: Depth) -> Markings {
        Markings([Some(depth); Marking::ALL.len()])
    }

    /// The markings of version 1.0 at one depth.
    pub fn all_of_1_0(depth: Depth) -> Markings {
        Marking::ALL
            .into_iter()
            .filter(|marking| marking.is_in_1_0())
            .fold(Markings::default(), |markings, marking| markings.with(marking, depth))
    }

    /// These markings and one more.
    #[must_use]
    pub fn with(mut self, marking: Marking, depth: Depth) -> Markings {
        self.0[marking as usize] = Some(depth);
        self
    }

    /// How deep an area is marked; none when it is not.
    pub fn depth(&self, marking: Marking) -> Option<Depth> {
        self.0[marking as usize]
    }

    /// The areas that are marked.
    pub fn chosen(&self) -> impl Iterator<Item = Marking> {
        Marking::ALL.into_iter().filter(|marking| self.depth(*marking).is_some())
    }
}
