//! A person held against one filter: the definition of a match, which everything else only finds the way to.

use cpr_model::{Date, MunicipalityCode};

use crate::filter::address::AddressSubject;
use crate::filter::age::{AgeRange, age_on};
use crate::filter::{AllOf, Filter};

use super::reason::{ImageChange, Outcome, PersonChange, Subject};

/// One image of a person as filters see it on the day.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct ImageOnDay {
    pub(crate) municipality: Option<MunicipalityCode>,
    pub(crate) age: Option<u16>,
    pub(crate) address: Option<AddressSubject>,
}

/// A person as filters see it on the day.
pub(crate) struct Candidate<'a> {
    pub(crate) change: &'a PersonChange<'a>,
    pub(crate) before: Option<ImageOnDay>,
    pub(crate) after: Option<ImageOnDay>,
}

impl<'a> Candidate<'a> {
    pub(crate) fn new(change: &'a PersonChange<'a>, day: Date) -> Candidate<'a> {
        let image = |subject: &Subject| ImageOnDay {
            municipality: subject.municipality,
            age: subject.birth_date.and_then(|birth| age_on(birth, day)).filter(|&age| age <= AgeRange::HIGHEST),
            address: subject.address,
        };
        Candidate { change, before: change.before.map(image), after: change.after.map(image) }
    }

    /// How a filter matches the person; none when it does not. The definition, whatever led here.
    pub(crate) fn outcome(&self, filter: &Filter) -> Option<Outcome> {
        let image = |change| Some(Outcome { change: Some(change), derived: false });
        match filter {
            Filter::AllOf(all) => self.all(all),
            Filter::Pnr(number) => (*number == self.change.number).then_some(Outcome { change: None, derived: false }),
            Filter::Everything => Some(Outcome { change: None, derived: false }),
            Filter::EventChangeCode(code) => {
                let mut marks = self.change.events.iter().filter(|event| event.code == *code).peekable();
                marks.peek()?;
                Some(Outcome { change: None, derived: marks.all(|event| event.derived_mark.is_some()) })
            }
            Filter::AgeRange(_) | Filter::Municipality(_) | Filter::Address(_) => {
                image(ImageChange::of(holds(filter, &self.before), holds(filter, &self.after))?)
            }
        }
    }

    /// Every number and event must hold today, and what looks at an image all in the same one.
    fn all(&self, all: &AllOf) -> Option<Outcome> {
        let (mut before, mut after, mut has_images, mut derived) = (true, true, false, false);
        for member in all.members() {
            match member {
                Filter::AgeRange(_) | Filter::Municipality(_) | Filter::Address(_) => {
                    has_images = true;
                    before = before && holds(member, &self.before);
                    after = after && holds(member, &self.after);
                    if !before && !after {
                        return None;
                    }
                }
                _ => derived |= self.outcome(member)?.derived,
            }
        }
        let change = if has_images { Some(ImageChange::of(before, after)?) } else { None };
        Some(Outcome { change, derived })
    }
}

impl Filter {
    /// True when the filter holds of a person on the day of production, whoever follows it: by the definition, and at
    /// the cost of this filter alone. One on a number holds of who bears it.
    pub fn holds_of(&self, change: &PersonChange<'_>, day: Date) -> bool {
        Candidate::new(change, day).outcome(self).is_some()
    }
}

/// True when a filter that looks at an image holds in it.
fn holds(filter: &Filter, image: &Option<ImageOnDay>) -> bool {
    let Some(image) = image else { return false };
    match filter {
        Filter::AgeRange(range) => image.age.is_some_and(|age| range.contains(age)),
        Filter::Municipality(code) => image.municipality == Some(*code),
        Filter::Address(filter) => {
            matches!((image.municipality, &image.address), (Some(code), Some(address)) if filter.holds(code, address))
        }
        _ => false,
    }
}
