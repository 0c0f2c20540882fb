//! What filters see of a person in one image: where it lives, when it was born, which other numbers it names.

use std::collections::BTreeSet;

use cpr_model::{CurrentRows, PersonKey};
use cpr_subscription::{AddressSubject, Door, Floor, HouseNumber, Subject};

use crate::person::image::Image;
use crate::person::mentions::mentioned;

/// A person as filters see it.
#[derive(Clone, Default)]
pub(crate) struct SubjectView {
    pub(crate) subject: Subject,
    /// The other numbers of the same person that the records name.
    pub(crate) mentions: BTreeSet<PersonKey>,
}

impl SubjectView {
    /// Reads the rows of a person; none when nobody is held.
    pub(crate) fn read(rows: &CurrentRows<'_>) -> Option<SubjectView> {
        if rows.is_empty() {
            return None;
        }
        let address = rows.address();
        let subject = Subject {
            birth_date: rows.birth_date(),
            municipality: address.and_then(|row| row.municipality_code()),
            address: address.and_then(|row| {
                Some(AddressSubject {
                    street: row.street_code()?,
                    house: HouseNumber::parse(row.house_number().latin1()),
                    floor: Floor::parse(row.floor().latin1()),
                    door: Door::parse(row.side_or_door().latin1()),
                })
            }),
        };
        Some(SubjectView { subject, mentions: rows.facts().iter().filter_map(mentioned).collect() })
    }

    pub(crate) fn of_image(image: &Image<'_>) -> Option<SubjectView> {
        SubjectView::read(&CurrentRows::read(image.all_facts(), None))
    }
}
