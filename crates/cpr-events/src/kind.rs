//! What happens to persons: the kinds of business events, each with a stable name.

use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $text:literal;)*) => {
        /// What happened. The list is ours and grows; what no kind names is [`EventKind::Other`].
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum EventKind {
            $($(#[$doc])* $name,)*
        }

        impl EventKind {
            /// Every kind, in the order of the rules.
            pub const ALL: &[EventKind] = &[$(EventKind::$name,)*];

            /// The name in snake case, stable.
            pub fn name(self) -> &'static str {
                match self {
                    $(EventKind::$name => $text,)*
                }
            }
        }
    };
}

kinds! {
    /// The person is new to the replica.
    Created "created";
    /// The number changed: the person's own, or in the rows of a relative of the person whose it is.
    NumberChanged "number_changed";
    /// The person died.
    Died "died";
    /// The death was undone.
    DeathUndone "death_undone";
    /// Left the country.
    Emigrated "emigrated";
    /// Came to the country, for the first time or again.
    Immigrated "immigrated";
    /// Disappeared.
    Disappeared "disappeared";
    /// Found again.
    Found "found";
    /// Moved to another municipality, seen from the one that was left.
    MovedOut "moved_out";
    /// Moved within the municipality.
    MovedWithin "moved_within";
    /// Moved to another municipality, seen from the one that was come to.
    MovedIn "moved_in";
    /// The address turned out to have been another, or never to have been one.
    AddressCorrected "address_corrected";
    /// Married.
    Married "married";
    /// Divorced.
    Divorced "divorced";
    /// The spouse or partner died.
    Widowed "widowed";
    /// Entered a registered partnership.
    PartnershipEntered "partnership_entered";
    /// The partnership was dissolved.
    PartnershipDissolved "partnership_dissolved";
    /// Another change of the civil status: corrected, annulled, another date.
    CivilStatusChanged "civil_status_changed";
    /// Born, or on a parent: a child was born.
    ChildBorn "child_born";
    /// On a parent: has a child that is older than a year.
    ChildRecorded "child_recorded";
    /// On a parent: has a child no longer.
    ChildRemoved "child_removed";
    /// On a child: another mother or father than before.
    ParentRecorded "parent_recorded";
    /// Custody of the person changed.
    CustodyChanged "custody_changed";
    /// Protected, or otherwise than before.
    Protected "protected";
    /// A protection ended.
    Unprotected "unprotected";
    /// A newborn got its name.
    NameGiven "name_given";
    /// Another name than before.
    NameChanged "name_changed";
    /// The name turned out to have been another.
    NameCorrected "name_corrected";
    /// Anything else: the changed aspects and CPR's code say as much as is known.
    Other "other";
}

impl EventKind {
    /// The kind with this name, or none.
    pub fn from_name(name: &str) -> Option<EventKind> {
        EventKind::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
