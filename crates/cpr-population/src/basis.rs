//! The basis set: for each municipality a father, a mother and two children at home, all at the address of the town hall;
//! so in Greenland too; and a family whose members are all dead.
//!
//! After the basis data of the national test environment. Everybody's surname is the municipality's name, the street is
//! the one of the town hall, which a tester can look up by [`crate::TOWN_HALL_STREET`].

use crate::cast::{Cast, adopt, bury, marry};
use crate::days::{TODAY, day_of};
use crate::person::{Address, Dossier};
use crate::places::MUNICIPALITIES;

/// The street code of the town halls of the test data sets.
pub const TOWN_HALL_STREET: u16 = 1;

/// The basis set, as of 2026-01-05.
pub fn basis() -> Cast {
    let mut cast = Cast::new(TODAY);
    for place in MUNICIPALITIES {
        for person in family(&mut cast, place.name, town_hall(place.code)) {
            cast.register.add(person);
        }
    }
    // All on one day, so that nobody is left widowed.
    for mut person in family(&mut cast, "Afdød", town_hall(101)) {
        bury(&mut person, day_of(2019, 3, 1));
        cast.register.add(person);
    }
    cast
}

pub(crate) fn town_hall(municipality: u16) -> Address {
    Address { municipality, street: TOWN_HALL_STREET, house: 1, letter: b' ', ..Address::default() }
}

/// Father, mother, a girl and a boy.
fn family(cast: &mut Cast, surname: &str, home: Address) -> [Dossier; 4] {
    let since = day_of(2012, 6, 1);
    let mut father = cast.person(["Fader", surname], true, day_of(1980, 4, 12), home, since);
    let mut mother = cast.person(["Moder", surname], false, day_of(1982, 9, 23), home, since);
    marry(&mut father, &mut mother, day_of(2010, 8, 14));
    let mut children = [("Datter", false, day_of(2012, 11, 5)), ("Søn", true, day_of(2015, 2, 17))]
        .map(|(given, is_man, born)| cast.person([given, surname], is_man, born, home, since));
    for child in &mut children {
        adopt(child, Some(&mut mother), Some(&mut father), TODAY);
    }
    let [daughter, son] = children;
    [father, mother, daughter, son]
}
