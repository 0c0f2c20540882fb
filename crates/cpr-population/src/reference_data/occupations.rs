//! Occupations, which the register takes down as they are told.

/// Some that many have.
pub(crate) const OCCUPATIONS: &[&str] = &[
    "Pensionist",
    "Sygeplejerske",
    "Tømrer",
    "Lærer",
    "Kontorassistent",
    "Chauffør",
    "Ingeniør",
    "Pædagog",
    "Murer",
    "Landmand",
    "Bager",
    "Elektriker",
    "Frisør",
    "Smed",
    "Studerende",
    "Læge",
    "Translatør",
    "Fisker",
    "Maler",
    "Kok",
];
