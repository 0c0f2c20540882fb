//! The fields of the services as tables: a name, and where the value comes from.

use cpr_replika::cpr_model::{Aspect, Date, Fact, ProtectionKind, Text, Timestamp, facts};

use crate::contract_types::{printable, text};
use crate::gctp::row::Field;
use crate::subject::{Subject, known};

/// What a field says: raw value, and readable form where there is one.
type Said = (String, Option<String>);

/// Fields in the order in which the service gives them.
pub(super) type Table = &'static [(&'static str, fn(&Subject<'_>) -> Option<Said>)];

/// The row of these tables about a person; fields without a value are left out.
pub(super) fn row(subject: &Subject<'_>, tables: &[Table]) -> Vec<Field> {
    let fields = tables.iter().flat_map(|table| table.iter());
    fields.filter_map(|(name, say)| say(subject).map(|(value, text)| Field { name, value, text })).collect()
}

/// Stam: the person, status and address.
pub(super) const STAM: Table = &[
    ("ADRNVN", addressing_name),
    ("BESKYT", |s| {
        let mut kinds = s.protections().map(facts::Protection::kind);
        held(s, Aspect::Protection, |_| flag(kinds.any(|kind| kind == Some(ProtectionKind::NAME_AND_ADDRESS))))
    }),
    ("BNR", |s| either(s, facts::FormattedAddress::building_number, facts::Address::building_number)),
    ("BYNVN", |s| address(s, facts::FormattedAddress::town)),
    ("CONVN", |s| either(s, facts::FormattedAddress::care_of, facts::Address::care_of)),
    ("ETAGE", |s| either(s, facts::FormattedAddress::floor, facts::Address::floor)),
    ("FOEDDATO", |s| day(s.birth_date())),
    ("FOEDDATOUSM", |s| star(s.person()?.birth_date()?.uncertain)),
    ("HUSNR", house_number),
    ("KOEN", sex),
    ("KOMKOD", municipality_code),
    ("LOKALITET", |s| address(s, facts::FormattedAddress::locality)),
    ("PNR", |s| plain(s.pnr.reveal().to_owned())),
    ("PNRGAELD", |s| plain(s.current_pnr()?.reveal().to_owned())),
    ("POSTNR", postal_code),
    ("SIDEDOER", |s| either(s, facts::FormattedAddress::side_or_door, facts::Address::side_or_door)),
    ("STADR", standard_address),
    ("STARTDATOSTATUS", |s| day(Some(s.with_status()?.status_date()?.value.date()))),
    ("STATUS", status),
    ("UDLANDSADR1", |s| said(s.emigration()?.foreign_line_1())),
    ("UDLANDSADR2", |s| said(s.emigration()?.foreign_line_2())),
    ("UDLANDSADR3", |s| said(s.emigration()?.foreign_line_3())),
    ("UDLANDSADR4", |s| said(s.emigration()?.foreign_line_4())),
    ("UDLANDSADR5", |s| said(s.emigration()?.foreign_line_5())),
    ("UDRLANDEKOD", |s| plain(s.emigration()?.country_code()?.to_string())),
    ("VEJKOD", street_code),
];

/// What Stam+ adds, from the road register by way of the formatted address.
pub(super) const ROAD: Table = &[
    ("CPSN_POSTDISTTXT", |s| address(s, facts::FormattedAddress::postal_district)),
    ("VEJADRNVN", |s| address(s, facts::FormattedAddress::street_addressing_name)),
];

/// Navne3: the parts of the name.
pub(super) const NAMES: Table = &[
    ("CNVN_ADRNVN", addressing_name),
    ("CNVN_EFTERNVN", |s| said(s.name()?.surname())),
    ("CNVN_EFTERNVNMRK", |s| character(s.name()?.surname_mark())),
    ("CNVN_FORNVN", |s| said(s.name()?.given_names())),
    ("CNVN_FORNVNMRK", |s| character(s.name()?.given_names_mark())),
    ("CNVN_KOEN", sex),
    ("CNVN_MELNVN", |s| said(s.name()?.middle_names())),
    ("CNVN_MELNVNMRK", |s| character(s.name()?.middle_names_mark())),
    ("CNVN_STARTDATO", |s| twelve(s.name()?.from()?.value)),
    ("CNVN_STARTDATOUSM", |s| star(s.name()?.from()?.uncertain)),
    ("CNVN_STATUS", status),
    ("CNVN_STATUSDATOUSM", |s| star(s.with_status()?.status_date()?.uncertain)),
    ("CNVN_STATUSSTARTDATO", |s| twelve(s.with_status()?.status_date()?.value)),
    ("HISTORIKMRK", |s| held(s, Aspect::Name, |s| flag(s.has_history(Aspect::Name)))),
];

/// Custody of a child: slot A for the mother or the first other holder, slot B for the father. A second other holder is
/// not told.
pub(super) const CUSTODY: Table = &[
    ("FORAELDREMYNMRK", |s| held(s, Aspect::Custody, |s| flag(s.fact(Aspect::Custody).is_some()))),
    ("CFMY_RELTYPA", |s| relation_type(slot(s, &[3, 5])?)),
    ("CFMY_RELTYPB", |s| relation_type(slot(s, &[4])?)),
    ("CFMY_STARTDATOA", |s| day(slot(s, &[3, 5])?.from().map(|from| from.value))),
    ("CFMY_STARTDATOB", |s| day(slot(s, &[4])?.from().map(|from| from.value))),
    ("CFMY_STARTDATOUSMA", |s| blank_or_star(slot(s, &[3, 5])?.from()?.uncertain)),
    ("CFMY_STARTDATOUSMB", |s| blank_or_star(slot(s, &[4])?.from()?.uncertain)),
    ("FORAELDRE_MYN_PNRA", |s| plain(known(slot(s, &[3, 5])?.holder_pnr())?.reveal().to_owned())),
];

/// Adresse4: the contact address, also when the day on which CPR plans to delete it has passed.
pub(super) const CONTACT: Table = &[
    ("CATX_ADR1", |s| said(contact(s)?.line_1())),
    ("CATX_ADR2", |s| said(contact(s)?.line_2())),
    ("CATX_ADR3", |s| said(contact(s)?.line_3())),
    ("CATX_ADR4", |s| said(contact(s)?.line_4())),
    ("CATX_ADR5", |s| said(contact(s)?.line_5())),
    ("CATX_SLETDATO", |s| day(contact(s)?.deleted_on())),
    ("CATX_STARTDATO", |s| day(contact(s)?.from())),
];

/// Familie and Familie+: one related person, or the person asked for.
pub(super) const RELATIVE: Table = &[
    ("ADRNVN", |s| plain(printable(&s.addressing_name()?))),
    ("CBSK_TYP", |s| held(s, Aspect::Protection, lowest_protection)),
    ("CNVN_STATUS", status),
    ("CPSN_POSTDISTTXT", |s| address(s, facts::FormattedAddress::postal_district)),
    ("CPST_POSTNR", |s| plain(format!("{:04}", s.formatted()?.postal_code()?))),
];

/// What follows the mark of the relation.
pub(super) const RELATIVE_ADDRESS: Table = &[("STADR", standard_address)];

fn plain(value: String) -> Option<Said> {
    Some((value, None))
}

fn said(of: Text<'_>) -> Option<Said> {
    text(of).and_then(plain)
}

fn address<'i>(subject: &Subject<'i>, field: fn(facts::FormattedAddress<'i>) -> Text<'i>) -> Option<Said> {
    said(field(subject.formatted()?))
}

/// A field of the formatted address, or of the coded one where no formatted address goes with it.
fn either<'i>(
    subject: &Subject<'i>,
    formatted: fn(facts::FormattedAddress<'i>) -> Text<'i>,
    coded: fn(facts::Address<'i>) -> Text<'i>,
) -> Option<Said> {
    said(match subject.formatted() {
        Some(row) => formatted(row),
        None => coded(subject.address()?),
    })
}

/// The house number as received, four characters with its trailing blank.
fn house_number(subject: &Subject<'_>) -> Option<Said> {
    let text = match subject.formatted() {
        Some(row) => row.house_number(),
        None => subject.address()?.house_number(),
    };
    if text.is_empty() { None } else { plain(format!("{:<4}", printable(&text.reveal()))) }
}

fn municipality_code(subject: &Subject<'_>) -> Option<Said> {
    let code = match subject.formatted() {
        Some(row) => row.municipality_code(),
        None => subject.address()?.municipality_code(),
    };
    plain(code?.to_string())
}

fn street_code(subject: &Subject<'_>) -> Option<Said> {
    let code = match subject.formatted() {
        Some(row) => row.street_code(),
        None => subject.address()?.street_code(),
    };
    plain(code?.to_string())
}

/// A field whose absence means *no*: where the store does not hold what it is made of, it is there without a value and
/// says so.
fn held(subject: &Subject<'_>, aspect: Aspect, say: impl FnOnce(&Subject<'_>) -> Option<Said>) -> Option<Said> {
    if subject.holds(aspect) { say(subject) } else { Some((String::new(), Some("ukendt".to_owned()))) }
}

fn flag(set: bool) -> Option<Said> {
    set.then(|| ("X".to_owned(), None))
}

fn star(uncertain: bool) -> Option<Said> {
    uncertain.then(|| ("*".to_owned(), None))
}

fn blank_or_star(uncertain: bool) -> Option<Said> {
    plain(if uncertain { "*" } else { " " }.to_owned())
}

fn character(mark: Option<char>) -> Option<Said> {
    mark.map(|mark| (mark.to_string(), None))
}

fn day(of: Option<Date>) -> Option<Said> {
    of.map(|date| (format!("{:08}", date.digits()), None))
}

fn twelve(of: Timestamp) -> Option<Said> {
    plain(format!("{:012}", of.digits()))
}

fn sex(subject: &Subject<'_>) -> Option<Said> {
    said(subject.person()?.sex())
}

fn status(subject: &Subject<'_>) -> Option<Said> {
    plain(subject.with_status()?.status()?.to_string())
}

/// The addressing name, with surname, given and middle names as its readable form.
fn addressing_name(subject: &Subject<'_>) -> Option<Said> {
    let value = printable(&subject.addressing_name()?);
    let name = subject.name();
    let reversed = name.and_then(|name| {
        let given: Vec<String> = [name.given_names(), name.middle_names()].into_iter().filter_map(text).collect();
        Some(format!("{}, {}", text(name.surname())?, given.join(" ")))
    });
    Some((value, reversed))
}

/// The postal code with its district; 0 for one without an address. As of an earlier address nothing is known.
fn postal_code(subject: &Subject<'_>) -> Option<Said> {
    match subject.formatted() {
        Some(formatted) => Some(match formatted.postal_code() {
            Some(code) => (format!("{code:04}"), text(formatted.postal_district())),
            None => ("0".to_owned(), None),
        }),
        None if subject.holds(Aspect::FormattedAddress)
            && subject.holds(Aspect::Address)
            && subject.address().is_none() =>
        {
            plain("0".to_owned())
        }
        None => None,
    }
}

fn standard_address(subject: &Subject<'_>) -> Option<Said> {
    address(subject, facts::FormattedAddress::standard_address)
}

fn contact<'i>(subject: &Subject<'i>) -> Option<facts::ContactAddress<'i>> {
    subject.fact(Aspect::ContactAddress)?.contact_address()
}

/// The custody row of the first of these types that there is.
fn slot<'i>(subject: &Subject<'i>, types: &[u16]) -> Option<facts::Custody<'i>> {
    let of =
        |wanted: &u16| subject.all(Aspect::Custody, Fact::custody).find(|row| row.relation_type() == Some(*wanted));
    types.iter().find_map(of)
}

fn relation_type(custody: facts::Custody<'_>) -> Option<Said> {
    custody.relation_type().map(|kind| (format!("{kind:05}"), None))
}

fn lowest_protection(subject: &Subject<'_>) -> Option<Said> {
    let lowest = subject.protections().filter_map(facts::Protection::kind).min()?;
    plain(format!("{:05}", lowest.0))
}
