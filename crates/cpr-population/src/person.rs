//! What the register says about one person, as rows of CPR's tables: what [`crate::extract::records`] writes out.
//!
//! The rows are plain data. A population makes them from a rank, a scenario from a text; a night changes them.
//! None of them prints: names and numbers stay out of messages.

use std::borrow::Cow;

use cpr_model::{Date, Pnr};

use crate::days::Day;

/// Text of a record; names of made-up persons are mostly parts of tables.
pub(crate) type Text = Cow<'static, str>;

/// Twelve digits, and CPR's mark that they are not documented; zero is none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Moment {
    pub(crate) digits: u64,
    pub(crate) uncertain: bool,
}

impl Moment {
    pub(crate) fn new(date: Date, hour_and_minute: u64) -> Moment {
        Moment { digits: u64::from(date.digits()) * 10_000 + hour_and_minute, uncertain: false }
    }

    /// The beginning of a day.
    pub(crate) fn on(day: Day) -> Moment {
        Moment::new(crate::days::date(day), 0)
    }

    pub(crate) fn date(self) -> Option<Date> {
        Date::from_digits((self.digits / 10_000) as u32).filter(|_| self.digits > 0)
    }
}

/// A row that holds from a moment, and up to one when it is of the past.
#[derive(Clone)]
pub(crate) struct Row<T> {
    pub(crate) value: T,
    pub(crate) from: Moment,
    pub(crate) to: Option<Moment>,
    /// ANNKOR: K, A, Æ, or a blank. A marked row is of the past.
    pub(crate) mark: char,
}

impl<T> Row<T> {
    pub(crate) fn since(value: T, from: Moment) -> Row<T> {
        Row { value, from, to: None, mark: ' ' }
    }
}

#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub(crate) struct Address {
    pub(crate) municipality: u16,
    pub(crate) street: u16,
    /// House number and letter; 0 for none.
    pub(crate) house: u16,
    pub(crate) letter: u8,
    pub(crate) floor: [u8; 2],
    pub(crate) door: [u8; 4],
    /// Building number, Greenland only; 0 for none.
    pub(crate) building: u16,
}

#[derive(Clone, Default)]
pub(crate) struct Abroad {
    /// Zero with a zero start for a first immigration.
    pub(crate) to_country: u16,
    /// Zero while the person is abroad.
    pub(crate) from_country: u16,
    pub(crate) lines: [Text; 3],
}

#[derive(Clone, Default, Eq, PartialEq)]
pub(crate) struct Name {
    pub(crate) given: Text,
    pub(crate) middle: Text,
    pub(crate) surname: Text,
    /// A name mark, or a blank.
    pub(crate) mark: Option<char>,
}

/// ADRNVN, "Fornavn Efternavn": at most 34 characters, given names shortened to initials to fit.
pub(crate) fn addressing_name(name: &Name) -> String {
    const MOST: usize = 34;
    let fits = |text: &String| text.chars().count() <= MOST;
    let join = |parts: [&str; 3]| parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let whole = join([&name.given, &name.middle, &name.surname]);
    if fits(&whole) {
        return whole;
    }
    let short = join([&name.given, "", &name.surname]);
    if fits(&short) {
        return short;
    }
    let initials: Vec<String> =
        name.given.split(' ').filter_map(|word| word.chars().next().map(String::from)).collect();
    join([&initials.join(" "), "", &name.surname]).chars().take(MOST).collect()
}

/// "Efternavn,Fornavn", as relatives without a number are named.
fn reversed_name(given: &str, surname: &str) -> String {
    format!("{surname},{given}").chars().take(34).collect()
}

/// The name of a relative without a number.
pub(crate) fn relative_name(name: &Name) -> String {
    reversed_name(&name.given, &name.surname)
}

/// Another person as a record names it.
#[derive(Clone, Default)]
pub(crate) enum Relative {
    /// Blank: there is none.
    #[default]
    Nobody,
    Number(Pnr),
    /// Exists, number not known: birth date and name where known.
    Unnumbered {
        born: Option<Date>,
        name: Text,
    },
}

/// The number of a relative, when the record has one.
pub(crate) fn number_of(relative: &Relative) -> Option<Pnr> {
    match relative {
        Relative::Number(pnr) => Some(*pnr),
        _ => None,
    }
}

#[derive(Clone)]
pub(crate) struct Civil {
    /// CIVST.
    pub(crate) status: char,
    pub(crate) spouse: Relative,
    /// SEP_HENVIS, zero for none.
    pub(crate) separation_link: u64,
}

/// The row of who was never married; it leaves no history.
pub(crate) fn never_married_row() -> Row<Civil> {
    Row::since(Civil { status: 'U', spouse: Relative::Nobody, separation_link: 0 }, Moment::default())
}

#[derive(Clone, Default)]
pub(crate) struct Parent {
    pub(crate) who: Relative,
    pub(crate) since: Option<Date>,
    pub(crate) uncertain: bool,
}

#[derive(Clone)]
pub(crate) struct Custody {
    /// RELTYP: 3 mother, 4 father, 5 and 6 others.
    pub(crate) kind: u16,
    pub(crate) from: Date,
    pub(crate) deleted: Option<Date>,
    pub(crate) holder: Option<Pnr>,
}

#[derive(Clone)]
pub(crate) struct Guardianship {
    pub(crate) from: Date,
    pub(crate) deleted: Option<Date>,
    /// By number, by name and address, or none known.
    pub(crate) guardian: Relative,
    pub(crate) lines: [Text; 2],
    /// VAERGEMAALS_TYPE, where the family has it.
    pub(crate) is_partial: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Protection {
    pub(crate) kind: u16,
    pub(crate) from: Date,
    pub(crate) deleted: Date,
}

#[derive(Clone)]
pub(crate) struct Note {
    pub(crate) number: u8,
    pub(crate) text: Text,
    pub(crate) from: Date,
    pub(crate) deleted: Option<Date>,
}

#[derive(Clone)]
pub(crate) struct FormerNumber {
    pub(crate) number: Pnr,
    pub(crate) from: Date,
    pub(crate) to: Date,
}

#[derive(Clone)]
pub(crate) struct Event {
    /// Twelve digits; zero for none (CPR leaves TIMESTAMPU blank).
    pub(crate) at: u64,
    pub(crate) code: &'static str,
    /// AFLEDTMRK: as whose relative the person is concerned; empty for the main person.
    pub(crate) derived: &'static str,
}

/// A person of the register.
#[derive(Clone, Default)]
pub(crate) struct PersonRows {
    pub(crate) number: Option<Pnr>,
    pub(crate) current_number: Option<Pnr>,
    pub(crate) status: u8,
    pub(crate) status_since: Moment,
    pub(crate) is_man: bool,
    pub(crate) born: Option<Date>,
    pub(crate) born_uncertain: bool,
    pub(crate) number_from: Option<Date>,
    pub(crate) number_from_uncertain: bool,
    pub(crate) number_to: Option<Date>,
    pub(crate) occupation: Text,
    pub(crate) addresses: Vec<Row<Address>>,
    /// c/o name of the current address.
    pub(crate) care_of: Text,
    /// Supplementary address of the current address, and since when.
    pub(crate) supplementary: Option<(Date, Text)>,
    /// What the road register calls the dwelling (LOKALITET).
    pub(crate) locality: Text,
    pub(crate) protections: Vec<Protection>,
    pub(crate) abroad: Vec<Row<Abroad>>,
    pub(crate) contact_lines: Vec<Text>,
    pub(crate) disappeared: Vec<Row<()>>,
    pub(crate) names: Vec<Row<Name>>,
    pub(crate) birth_authority: u16,
    pub(crate) birth_text: Text,
    pub(crate) citizenships: Vec<Row<u16>>,
    pub(crate) church: Vec<Row<char>>,
    pub(crate) civil: Vec<Row<Civil>>,
    /// SEP_HENVIS of each separation.
    pub(crate) separations: Vec<Row<u64>>,
    pub(crate) children: Vec<Pnr>,
    pub(crate) mother: Parent,
    pub(crate) father: Parent,
    pub(crate) custody: Vec<Custody>,
    pub(crate) guardianship: Option<Guardianship>,
    /// KOMFORHTYP, KOMFORHKOD, start, remark.
    pub(crate) municipal: Vec<(u8, &'static str, Date, Text)>,
    pub(crate) notes: Vec<Note>,
    /// VALGKODE, VALGRET_DT, start.
    pub(crate) elections: Vec<(u16, Date, Date)>,
    pub(crate) order_to_move: Option<(Date, Text)>,
    pub(crate) former_numbers: Vec<FormerNumber>,
    pub(crate) events: Vec<Event>,
}

impl PersonRows {
    /// The name in force; blank before naming.
    pub(crate) fn name(&self) -> Option<&Name> {
        self.names.iter().find(|row| row.to.is_none()).map(|row| &row.value)
    }

    pub(crate) fn address(&self) -> Option<&Row<Address>> {
        self.addresses.iter().find(|row| row.to.is_none())
    }

    /// Where the addressing row stands in the file: the address, or the last one there was.
    pub(crate) fn last_address(&self) -> Option<&Address> {
        let last = || self.addresses.iter().rfind(|row| row.mark == ' ');
        self.address().or_else(last).map(|row| &row.value)
    }
}
