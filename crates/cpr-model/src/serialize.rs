//! How numbers, dates, codes and words stand in JSON (docs/json.md): as CPR writes them, or as a stable word. Cargo
//! feature `serde`.
//!
//! Whoever serializes reveals: numbers stand there in clear, as with [`Pnr::reveal`].

use serde::{Serialize, Serializer};

use crate::{
    Aspect, ChangeClass, CorrectionMark, CountryCode, Date, Day, DerivedMark, MunicipalityCode, PersonKey, Pnr,
    ProtectionKind, Status, StreetCode, Text, Timestamp,
};

/// Declares how types stand in JSON, as docs/json.md does: the members of each, in order, and behind `..` a function
/// that adds those that it shares with others. For the crates of the engine.
#[doc(hidden)]
#[macro_export]
macro_rules! json_shapes {
    ($($this:ident: $type:ty => { $($name:literal: $value:expr),* $(, .. $add:ident($of:expr))? $(,)? })*) => {
        $(impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let $this = self;
                let mut members = serializer.serialize_map(None)?;
                $(members.serialize_entry($name, &$value)?;)*
                $($add(&mut members, $of)?;)?
                members.end()
            }
        })*
    };
}

/// Declares what stands in JSON as a string: what its `Display` prints, or what an expression says.
#[doc(hidden)]
#[macro_export]
macro_rules! json_strings {
    ($($type:ty $(: $this:ident => $text:expr)?;)*) => {
        $(impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::json_strings!(@ self serializer $($this => $text)?)
            }
        })*
    };
    (@ $self:ident $serializer:ident) => { $serializer.collect_str($self) };
    (@ $self:ident $serializer:ident $this:ident => $text:expr) => {{
        let $this = $self;
        $serializer.serialize_str(&$text)
    }};
}

json_strings! {
    CountryCode;
    Date;
    DerivedMark;
    MunicipalityCode;
    ProtectionKind;
    Status;
    StreetCode;
    Aspect: aspect => aspect.name();
    ChangeClass: class => class.name();
    CorrectionMark: mark => mark.letter().to_string();
    Day: day => day.date().to_string();
    PersonKey: key => key.pnr().reveal();
    Pnr: pnr => pnr.reveal();
    Timestamp: at => at.to_string().replacen(' ', "T", 1);
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.reveal())
    }
}
