//! Code lists of CPR's that made-up data keeps to.

/// Denmark in CPR's country table.
pub(crate) const DENMARK: u16 = 5100;

/// Countries that people come from and go to. Codes of CPR's country table.
pub(crate) const COUNTRIES: [u16; 20] = [
    5180, 5120, 5154, 5110, 5170, 5172, 5704, 5436, 5486, 5158, 5390, 5472, 5289, 5432, 5448, 5164, 5150, 5438, 5404,
    5488,
];

/// Event codes (HAENDELSE) that the nights use, with their meaning. Source: CPR, "Hændelseskoder"; what the codes mean
/// is inferred from before and after in CPR's test extracts for some.
///
/// Left out of CPR's: A23 (no partnership has been registered since 2012), A42 (a batch that comes with a reform of
/// municipalities), P51 and P55 (what they mean is not known).
pub const EVENT_CODES: &[(&str, &str)] = &[
    ("A01", "move"),
    ("A02", "disappearance"),
    ("A03", "found again"),
    ("A04", "re-immigration"),
    ("A05", "immigration of a person without a personnummer"),
    ("A06", "emigration"),
    ("A07", "supplementary address"),
    ("A08", "foreign address or right to vote"),
    ("A09", "correction of current address"),
    ("A10", "annulment of current address, emigration or disappearance"),
    ("A13", "name change"),
    ("A14", "naming of a child"),
    ("A15", "name fields, such as a name mark"),
    ("A16", "correction of current name"),
    ("A17", "annulment of current name"),
    ("A19", "marriage"),
    ("A20", "divorce"),
    ("A21", "death"),
    ("A24", "correction of civil status data"),
    ("A25", "annulment of current civil status, a death included"),
    ("A27", "change of citizenship"),
    ("A29", "annulment of current citizenship"),
    ("A31", "note set or removed"),
    ("A32", "municipal condition set or removed"),
    ("A33", "protection set or removed"),
    ("A34", "church membership or occupation"),
    ("A35", "adoption"),
    ("A36", "personnummer assigned at birth"),
    ("A37", "paternity"),
    ("A38", "correction of parents"),
    ("A40", "annulment of a personnummer"),
    ("A45", "subscription set, delivered unchanged"),
    ("A47", "contact address"),
    ("A51", "personnummer assigned to a child some years old"),
    ("A73", "guardianship"),
    ("A74", "delivered on request"),
    ("K74", "redelivery after CPR's consistency check"),
    ("P02", "deletion of a double personnummer"),
    ("P03", "change of personnummer"),
    ("P10", "locality, street or town name in the text of the address"),
    ("P11", "automatic deletion of protection, note or custody"),
    ("P31", "immigration of a person who has a personnummer"),
    ("P32", "order to move"),
    ("P35", "separation"),
    ("P36", "separation ended"),
    ("P40", "custody"),
    ("P42", "change of personnummer undone"),
    ("P43", "deletion of a personnummer undone"),
    ("P48", "correction of current separation"),
    ("P49", "annulment of current separation"),
    ("P56", "annulment of current church membership"),
    ("P58", "name change that follows another event"),
];

/// Derived marks (AFLEDTMRK) that the nights use: as what a person is concerned by somebody else's event. Blank for the
/// main person. Source: CPR, "Afledte mærker".
pub const DERIVED_MARKS: &[(&str, &str)] = &[
    ("ÆG", "spouse"),
    ("FA", "father"),
    ("TF", "former father"),
    ("NF", "new father"),
    ("MO", "mother"),
    ("TM", "former mother"),
    ("NM", "new mother"),
    ("BØ", "child"),
    ("PN", "number that is the current one from now"),
    ("PT", "number that was the current one until now"),
];
