//! Code lists of CPR's that made-up data keeps to.

/// Event codes (HAENDELSE) that the nights use, with their meaning. Source: CPR, "Hændelseskoder"; what the codes mean is
/// inferred from before and after in CPR's test extracts for some.
pub const EVENT_CODES: &[(&str, &str)] = &[
    ("A01", "move"),
    ("A02", "disappearance"),
    ("A03", "found again"),
    ("A04", "re-immigration"),
    ("A06", "emigration"),
    ("A09", "correction of current address"),
    ("A10", "annulment of current address, emigration or disappearance"),
    ("A13", "name change"),
    ("A14", "naming of a child"),
    ("A16", "correction of current name"),
    ("A19", "marriage"),
    ("A20", "divorce"),
    ("A21", "death"),
    ("A24", "correction of civil status data"),
    ("A27", "change of citizenship"),
    ("A33", "protection set or removed"),
    ("A34", "church membership or occupation"),
    ("A36", "personnummer assigned at birth"),
    ("K74", "redelivery after CPR consistency repair"),
    ("P03", "change of personnummer"),
    ("P31", "immigration of a person who has a personnummer"),
    ("P35", "separation"),
    ("P58", "name change that follows another event"),
];

/// Derived marks (AFLEDTMRK) that the nights use: as what a person is concerned by somebody else's event. Blank for the
/// main person. Source: CPR, "Afledte mærker".
pub const DERIVED_MARKS: &[(&str, &str)] = &[
    ("ÆG", "spouse"),
    ("FA", "father"),
    ("MO", "mother"),
    ("BØ", "child"),
    ("PN", "number that is the current one from now"),
];
