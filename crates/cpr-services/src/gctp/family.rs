//! The rows of Familie and Familie+: the person again and every related person that the replica holds, by number.

use std::collections::BTreeMap;

use cpr_replika::cpr_model::{Aspect, Pnr, facts};

use crate::error::Error;
use crate::gctp::fields;
use crate::gctp::row::{Field, Row};
use crate::protection::Protections;
use crate::relatives::Relatives;
use crate::subject::{Subject, known};

/// Related numbers in the order of their digits, each with its FAMMRK.
pub(super) struct Family {
    members: BTreeMap<Pnr, &'static str>,
}

impl Family {
    /// The relations that the records of a person state. Someone related in several ways has one row, with the first
    /// mark of: spouse, mother, father, child, other.
    pub(super) fn of(subject: &Subject<'_>) -> Family {
        let mut members = BTreeMap::new();
        let mut add = |pnr: Option<Pnr>, mark| {
            if let Some(pnr) = pnr.filter(|pnr| *pnr != subject.pnr) {
                members.entry(pnr).or_insert(mark);
            }
        };
        let civil_status = subject.fact(Aspect::CivilStatus).and_then(|fact| fact.civil_status());
        let spouse = civil_status.and_then(|row| known(row.spouse_pnr()));
        let married = civil_status.is_some_and(|row| row.civil_status().latin1() == b"G");
        add(spouse.filter(|_| married), "Ægtefælle");
        let parents = subject.parents();
        add(parents.and_then(|row| known(row.mother_pnr())), "Mor");
        add(parents.and_then(|row| known(row.father_pnr())), "Far");
        subject.children().into_iter().for_each(|child| add(Some(child), "Barn"));
        add(spouse, "Andet");
        let guardian = subject.fact(Aspect::Guardianship).and_then(|fact| fact.guardianship());
        add(guardian.and_then(|row: facts::Guardianship<'_>| known(row.guardian_pnr())), "Andet");
        members.insert(subject.pnr, "Andet");
        Family { members }
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = Pnr> {
        self.members.keys().copied()
    }

    /// A row for each that the replica holds; one that it does not hold is left out, as the service does.
    pub(super) fn rows(
        &self,
        asked: (&Subject<'_>, &Protections),
        relatives: &Relatives<'_>,
    ) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::with_capacity(self.members.len());
        for (pnr, mark) in &self.members {
            if *pnr == asked.0.pnr {
                rows.push(relative(asked.0, mark, asked.1.clone()));
            } else if let Some((subject, protections)) = relatives.with_protections(*pnr)? {
                rows.push(relative(&subject, mark, protections));
            }
        }
        Ok(rows)
    }
}

fn relative(subject: &Subject<'_>, mark: &'static str, protections: Protections) -> Row {
    let plain = |name, value: &str| Field { name, value: value.to_owned(), text: None };
    let mut fields = fields::row(subject, &[fields::RELATIVE]);
    fields.extend([plain("FAMMRK", mark), plain("PNR_FOEDDATO", subject.pnr.reveal())]);
    fields.extend(fields::row(subject, &[fields::RELATIVE_ADDRESS]));
    Row { fields, protections }
}
