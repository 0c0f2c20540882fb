//! The protections of a person (004): as recorded, and in force on a day.

use cpr_replika::Snapshot;
use cpr_replika::cpr_model::{Aspect, Date, ProtectionKind, facts};
use serde::{Serialize, Serializer};

use crate::contract_types::PlainDate;
use crate::error::Error;
use crate::request::Request;
use crate::subject::Subject;

/// One protection of a person.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Protection {
    /// BESKYTTYPE: 1 name and address, 2 local directory, 3 marketing, 4 research, 5 credit warning.
    #[serde(serialize_with = "code")]
    pub kind: ProtectionKind,
    /// Where it starts; none when the record does not say.
    pub from: Option<PlainDate>,
    /// Where it ends, or CPR plans to delete it; none when the record does not say.
    pub until: Option<PlainDate>,
    /// True when the day of the request lies in it, both ends included. CPR holds a protection to be there as long as
    /// its record comes, so a recorded one past its end still means caution.
    pub in_force: bool,
}

fn code<S: Serializer>(kind: &ProtectionKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(kind.0)
}

/// Every recorded protection of a person, by kind; none when the store does not hold protections, which is *unknown*
/// and not *unprotected*.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Protections(pub Option<Vec<Protection>>);

impl Protections {
    /// The protections of the human being who has, or had, this number; none when the replica does not hold it.
    ///
    /// # Errors
    /// [`Error::Engine`] when there is no such delivery, or the store is damaged.
    pub fn of_person(snapshot: &Snapshot, request: &Request<'_>) -> Result<Option<Protections>, Error> {
        let Some(image) = snapshot.as_of(request.pnr, None, request.known)? else { return Ok(None) };
        let subject = Subject::read(request.pnr, &image, None, snapshot.settings()).follow_chain(snapshot, request)?;
        Protections::read(snapshot, request, &subject).map(Some)
    }

    /// The protections of the human being: those recorded under the number, and under the one that it was given up for.
    /// They are those of the day of the question, whatever moment in the world is asked about: what is secret now is
    /// secret of the past too.
    pub(crate) fn read(
        snapshot: &Snapshot,
        request: &Request<'_>,
        subject: &Subject<'_>,
    ) -> Result<Protections, Error> {
        if !subject.holds(Aspect::Protection) {
            return Ok(Protections(None));
        }
        let of_rows = |row| protection(row, request.day);
        let mut all: Vec<Protection> = subject.protections().filter_map(of_rows).collect();
        if let Some(current) = subject.current_pnr()
            && let Some(image) = snapshot.as_of(current, None, request.known)?
        {
            let now = Subject::read(current, &image, None, snapshot.settings());
            all.extend(now.protections().filter_map(of_rows));
        }
        all.sort_by_key(|protection| {
            (protection.kind, protection.from.map(|from| from.0), protection.until.map(|to| to.0))
        });
        all.dedup();
        Ok(Protections(Some(all)))
    }

    /// The recorded protections; empty too when the store does not hold any (see [`Protections::is_known`]).
    pub fn rows(&self) -> &[Protection] {
        self.0.as_deref().unwrap_or_default()
    }

    /// False when the store does not hold protections: then nobody can be said to be unprotected.
    pub fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// The recorded protection of a kind.
    pub fn recorded(&self, kind: ProtectionKind) -> Option<&Protection> {
        self.rows().iter().find(|protection| protection.kind == kind)
    }

    /// True when a protection of the kind is in force on the day of the request.
    pub fn in_force(&self, kind: ProtectionKind) -> bool {
        self.rows().iter().any(|protection| protection.kind == kind && protection.in_force)
    }
}

fn protection(row: facts::Protection<'_>, day: Date) -> Option<Protection> {
    let (from, until) = (row.from(), row.to().or(row.deleted_on()));
    let in_force = from.is_none_or(|from| from <= day) && until.is_none_or(|until| day <= until);
    Some(Protection { kind: row.kind()?, from: from.map(PlainDate), until: until.map(PlainDate), in_force })
}
