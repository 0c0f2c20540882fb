//! What the access log is told of an answer: who stands in it is read off the answer itself, so that none is forgotten.

use std::collections::BTreeSet;

use access_log::{Caller, NotLogged, Question};
use cpr_replika::Snapshot;
use cpr_replika::cpr_model::{Aspect, Pnr, ProtectionKind};
use serde::ser::{self, Serialize, Serializer};

use crate::error::Error;
use crate::lookup::{Answered, Lookup};
use crate::protection::Protections;
use crate::request::Request;

/// An answer, as the log sees it.
pub(crate) trait Logged: Serialize {
    /// True when a name and address of somebody in it is protected, as far as is known.
    fn is_protected(&self) -> bool;
}

impl<T: Serialize> Logged for Answered<T> {
    fn is_protected(&self) -> bool {
        has_protected_address(&self.protections)
    }
}

/// Answers a question about one number, and tells the log before the answer is handed out.
pub(crate) fn lookup<T: Logged>(
    (service, operation): (&'static str, &'static str),
    snapshot: &Snapshot,
    request: &Request<'_>,
    answer: impl FnOnce() -> Result<Lookup<T>, Error>,
) -> Result<Lookup<T>, Error> {
    let inquiry = request.caller.begin();
    let answer = answer()?;
    inquiry.answered(|| {
        let (shown, protected) = match &answer {
            Lookup::Found(found) => (persons_in(found)?, known_protected(snapshot, found)),
            Lookup::Former(former) => (former.current.into_iter().collect(), None),
            Lookup::NotKept | Lookup::Unknown => (Vec::new(), None),
        };
        Ok(Question {
            asked: vec![request.pnr],
            shown: shown.into_iter().filter(|pnr| *pnr != request.pnr).collect(),
            found: matches!(answer, Lookup::Found(_)),
            protected,
            delivery: request.known.unwrap_or(snapshot.known()).0,
            ..Question::about(service, operation)
        })
    })?;
    Ok(answer)
}

/// Answers a search, and tells the log of its hits before the answer is handed out.
pub(crate) fn search<T: Logged>(
    (service, operation): (&'static str, &'static str),
    snapshot: &Snapshot,
    caller: Caller<'_>,
    answer: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let inquiry = caller.begin();
    let answer = answer()?;
    inquiry.answered(|| {
        let shown = persons_in(&answer)?;
        let (found, protected) = (!shown.is_empty(), known_protected(snapshot, &answer));
        let delivery = snapshot.known().0;
        Ok(Question { shown, found, protected, delivery, ..Question::about(service, operation) })
    })?;
    Ok(answer)
}

/// Whether somebody in an answer is protected; none where the store does not hold protections.
fn known_protected(snapshot: &Snapshot, answer: &impl Logged) -> Option<bool> {
    snapshot.settings().carries(Aspect::Protection).then(|| answer.is_protected())
}

/// True when the protection of name and address is recorded, in force or not.
pub(crate) fn has_protected_address(protections: &Protections) -> bool {
    protections.recorded(ProtectionKind::NAME_AND_ADDRESS).is_some()
}

/// Every number that an answer tells, each once: texts of ten digits, by themselves or as the end of a URN. For a host
/// that has answers of its own to account for.
///
/// # Errors
/// [`NotLogged::Unaccountable`]: the answer does not serialize to its end, so that more persons may stand in it than were
/// seen.
pub fn persons_in(answer: &impl Serialize) -> Result<Vec<Pnr>, NotLogged> {
    let mut found = BTreeSet::new();
    // Why it does not is not passed on: whoever wrote the sentence may have put a number into it.
    answer.serialize(Collector(&mut found)).map_err(|_| NotLogged::Unaccountable)?;
    Ok(found.into_iter().collect())
}

/// A serializer that writes nothing and keeps the numbers it meets.
struct Collector<'a>(&'a mut BTreeSet<Pnr>);

type Refused = serde::de::value::Error;

impl Collector<'_> {
    fn add(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Refused> {
        value.serialize(Collector(self.0))
    }
}

macro_rules! nothing {
    ($($method:ident: $value:ty),* $(,)?) => {
        $(fn $method(self, _: $value) -> Result<(), Refused> { Ok(()) })*
    };
}

macro_rules! compounds {
    ($($compound:ident: $method:ident($($key:ident: $type:ty)?)),* $(,)?) => {
        $(impl ser::$compound for Collector<'_> {
            type Ok = ();
            type Error = Refused;
            fn $method<T: Serialize + ?Sized>(&mut self, $($key: $type,)? value: &T) -> Result<(), Refused> {
                $(let _ = $key;)?
                self.add(value)
            }
            fn end(self) -> Result<(), Refused> { Ok(()) }
        })*
    };
}

compounds! {
    SerializeSeq: serialize_element(),
    SerializeTuple: serialize_element(),
    SerializeTupleStruct: serialize_field(),
    SerializeTupleVariant: serialize_field(),
    SerializeStruct: serialize_field(name: &'static str),
    SerializeStructVariant: serialize_field(name: &'static str),
}

impl ser::SerializeMap for Collector<'_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        self.add(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.add(value)
    }

    fn end(self) -> Result<(), Refused> {
        Ok(())
    }
}

impl<'a> Serializer for Collector<'a> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Collector<'a>;
    type SerializeTuple = Collector<'a>;
    type SerializeTupleStruct = Collector<'a>;
    type SerializeTupleVariant = Collector<'a>;
    type SerializeMap = Collector<'a>;
    type SerializeStruct = Collector<'a>;
    type SerializeStructVariant = Collector<'a>;

    nothing! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32,
        serialize_f64: f64, serialize_char: char, serialize_bytes: &[u8], serialize_unit_struct: &'static str,
    }

    fn serialize_str(self, text: &str) -> Result<(), Refused> {
        let digits = text.rsplit(':').next().unwrap_or_default();
        self.0.extend(Pnr::parse(digits.as_bytes()));
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Refused> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Refused> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Refused> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Collector<'a>, Refused> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Collector<'a>, Refused> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Collector<'a>, Refused> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Collector<'a>, Refused> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Collector<'a>, Refused> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Collector<'a>, Refused> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Collector<'a>, Refused> {
        Ok(self)
    }
}
