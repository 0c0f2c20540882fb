//! The rows of a person as record lines, in any family: what a family has no field for is left out.

use cpr_model::{Aspect, Field as F, Pnr};

use super::record_template::PersonLines;
use crate::person::{Address, Name, Parent, PersonRows, Relative, Row, addressing_name};
use crate::reference_data::places;
use crate::rng::mix;

/// STATUS below which a person has a place where he or she lives.
const FIRST_WITHOUT_ADDRESS: u8 = 30;

/// Writes every row of the person, but for the addressing row, whose line is returned.
pub(crate) fn write_person(out: &mut PersonLines<'_>, person: &PersonRows, number: Pnr) -> Option<Vec<u8>> {
    out.begin_person(number);
    let formatted = write_formatted_address(out, person).then(|| out.take_last()).flatten();
    write_identity(out, person);
    write_residence(out, person);
    write_names(out, person);
    write_citizenship_and_church(out, person);
    write_civil_status(out, person);
    write_relatives(out, person);
    write_remarks(out, person);
    for event in &person.events {
        out.begin_row(Aspect::Event, false);
        out.put_timestamp(F::UpdatedInCprAt, event.at);
        out.put_text(F::EventCode, event.code);
        out.put_text(F::DerivedMark, event.derived);
    }
    formatted
}

/// When CPR learnt of a row, for families that say so: on the day it holds from, at its end for one of the past.
fn write_updated_at<T>(out: &mut PersonLines<'_>, field: F, row: &Row<T>) {
    let known = row.to.unwrap_or(row.from).digits;
    out.put_timestamp(field, clock_time(known));
}

/// A moment as a time of day that a clock can show: `*_TS` are times of CPR's computer.
fn clock_time(digits: u64) -> u64 {
    const FIRST: u64 = 1968_04_02_0000;
    let minute = if digits % 100 > 59 { 0 } else { digits % 100 };
    let (month, day) = ((digits / 1_000_000 % 100).max(1), (digits / 10_000 % 100).max(1));
    let whole =
        digits / 100_000_000 * 100_000_000 + month * 1_000_000 + day * 10_000 + digits / 100 % 100 * 100 + minute;
    if digits == 0 { 0 } else { whole.max(FIRST) }
}

fn write_identity(out: &mut PersonLines<'_>, person: &PersonRows) {
    out.begin_row(Aspect::Person, false);
    if let Some(current) = person.current_number {
        out.put_pnr(F::CurrentPnr, current);
    }
    out.put_number(F::Status, u64::from(person.status));
    out.put_moment(F::StatusDate, F::StatusDateUncertain, person.status_since);
    out.put_text(F::Sex, if person.is_man { "M" } else { "K" });
    out.put_marked_date(F::DateOfBirth, F::DateOfBirthUncertain, person.born, person.born_uncertain);
    out.put_marked_date(F::PnrStartDate, F::PnrStartDateUncertain, person.number_from, person.number_from_uncertain);
    out.put_date(F::PnrEndDate, person.number_to);
    out.put_text(F::Occupation, &person.occupation);
    let assigned = person.number_from.map_or(0, |date| clock_time(u64::from(date.digits()) * 10_000 + 1200));
    out.put_timestamp(F::PnrUpdated, assigned);
    out.put_timestamp(
        F::StatusUpdated,
        if person.status_since.digits > 0 { clock_time(person.status_since.digits) } else { assigned },
    );
    // The full-table extract holds the parents in the row of the person.
    write_parents(out, person);

    out.begin_row(Aspect::BirthRegistration, false);
    out.put_number(F::BirthRegistrationAuthorityCode, u64::from(person.birth_authority));
    out.put_timestamp(F::BirthRegistrationUpdated, assigned);
    out.put_text(F::BirthRegistrationText, &person.birth_text);
    out.put_text(F::BirthAuthorityText, &person.birth_text);

    for former in &person.former_numbers {
        out.begin_row(Aspect::FormerNumber, true);
        out.put_pnr(F::FormerPnr, former.number);
        out.put_date(F::PnrStartDate, Some(former.from));
        out.put_date(F::PnrEndDate, Some(former.to));
    }
}

fn write_address(out: &mut PersonLines<'_>, at: &Address) {
    out.put_number(F::MunicipalityCode, u64::from(at.municipality));
    out.put_number(F::StreetCode, u64::from(at.street));
    if at.house > 0 {
        let digit = |of: u16| b'0' + (at.house / of % 10) as u8;
        out.put_bytes(F::HouseNumber, &[digit(100), digit(10), digit(1), at.letter]);
    }
    if at.floor[0] != 0 {
        out.put_bytes(F::Floor, &at.floor);
        out.put_bytes(F::SideOrDoor, &at.door);
    }
    if at.building > 0 {
        out.put_text(F::BuildingNumber, &format!("{:>4}", format!("B{}", at.building % 1000)));
    }
}

/// A made-up identifier in the register of addresses (DAR): the same for everybody who lives at the address.
fn address_uuid(at: &Address) -> String {
    let Address { municipality, street, house, letter, floor, door, building } = *at;
    let place = [municipality, street, house, building].iter().fold(0, |word, part| word << 16 | u64::from(*part));
    let [a, b, c, d] = door;
    let dwelling = u64::from_le_bytes([letter, floor[0], floor[1], a, b, c, d, 0]);
    let first = mix(place ^ mix(dwelling));
    let bytes = (u128::from(first) << 64 | u128::from(mix(first))).to_be_bytes();
    uuid::Builder::from_custom_bytes(bytes).into_uuid().hyphenated().to_string()
}

fn write_residence(out: &mut PersonLines<'_>, person: &PersonRows) {
    for (at, row) in person.addresses.iter().enumerate() {
        let is_past = row.to.is_some();
        out.begin_row(Aspect::Address, is_past);
        write_address(out, &row.value);
        out.put_moment(F::MovedIn, F::MovedInUncertain, row.from);
        write_updated_at(out, F::AddressUpdated, row);
        if let Some(to) = row.to {
            out.put_mark(F::CorrectionMark, row.mark);
            out.put_moment(F::MovedOut, F::MovedOutUncertain, to);
        } else {
            out.put_text(F::CareOfName, &person.care_of);
            // Some products tell the long name of the street and the address in the register of addresses.
            if out.has(F::AddressUuid) {
                out.put_text(F::StreetName, &places::street_name(row.value.municipality, row.value.street));
                out.put_text(F::AddressUuid, &address_uuid(&row.value));
            }
            if let Some((from, line)) = &person.supplementary {
                out.put_number(F::SupplementaryAddressSetBy, u64::from(row.value.municipality));
                out.put_text(F::SupplementaryAddressLine1, line);
                out.put_date(F::AddressTextStartDate, Some(*from));
            }
            // Since when in the municipality, and which one before: over the unmarked rows before this one.
            let before = || person.addresses[..at].iter().rev().filter(|row| row.mark == ' ');
            let here = |other: &&Row<Address>| other.value.municipality == row.value.municipality;
            let since = before().take_while(here).last().map_or(row.from, |first| first.from);
            out.put_moment(F::MovedToMunicipality, F::MovedToMunicipalityUncertain, since);
            if let Some(elsewhere) = before().find(|other| !here(other)) {
                out.put_number(F::PreviousMunicipalityCode, u64::from(elsewhere.value.municipality));
                let left = elsewhere.to.unwrap_or_default();
                out.put_moment(F::LeftPreviousMunicipality, F::LeftPreviousMunicipalityUncertain, left);
            }
        }
    }
    for row in &person.abroad {
        out.begin_row(Aspect::Emigration, row.to.is_some());
        out.put_number(F::EmigrationCountryCode, u64::from(row.value.to_country));
        out.put_moment(F::Emigrated, F::EmigratedUncertain, row.from);
        out.put_timestamp(F::EmigrationUpdated, clock_time(row.from.digits));
        if let Some(to) = row.to {
            out.put_mark(F::CorrectionMark, row.mark);
            out.put_number(F::ImmigrationCountryCode, u64::from(row.value.from_country));
            out.put_moment(F::Immigrated, F::ImmigratedUncertain, to);
            out.put_timestamp(F::ImmigrationUpdated, clock_time(to.digits));
        }
        let fields = [F::ForeignAddressLine1, F::ForeignAddressLine2, F::ForeignAddressLine3];
        fields.into_iter().zip(&row.value.lines).for_each(|(field, line)| out.put_text(field, line));
    }
    for row in &person.disappeared {
        out.begin_row(Aspect::Disappearance, row.to.is_some());
        out.put_moment(F::Disappeared, F::DisappearedUncertain, row.from);
        out.put_timestamp(F::DisappearanceUpdated, clock_time(row.from.digits));
        if let Some(to) = row.to {
            out.put_mark(F::CorrectionMark, row.mark);
            out.put_moment(F::FoundAgain, F::FoundAgainUncertain, to);
            out.put_timestamp(F::FoundAgainUpdated, clock_time(to.digits));
        }
    }
    if !person.contact_lines.is_empty() {
        out.begin_row(Aspect::ContactAddress, false);
        let fields = [F::ContactAddressLine1, F::ContactAddressLine2, F::ContactAddressLine3];
        fields.into_iter().zip(&person.contact_lines).for_each(|(field, line)| out.put_text(field, line));
        out.put_date(F::AddressTextStartDate, person.status_since.date().or(person.number_from));
    }
    for protection in &person.protections {
        out.begin_row(Aspect::Protection, false);
        out.put_number(F::ProtectionKind, u64::from(protection.kind));
        out.put_date(F::ProtectionStartDate, Some(protection.from));
        out.put_date(F::ProtectionAutomaticDeletionDate, Some(protection.deleted));
        out.put_timestamp(F::ProtectionUpdated, clock_time(u64::from(protection.from.digits()) * 10_000 + 900));
        out.put_text(F::ProtectionReported, "JA");
    }
}

fn write_name(out: &mut PersonLines<'_>, name: &Name) {
    out.put_text(F::GivenNames, &name.given);
    out.put_text(F::MiddleNames, &name.middle);
    out.put_text(F::Surname, &name.surname);
    if let Some(mark) = name.mark {
        out.put_mark(F::SurnameMark, mark);
    }
}

fn write_names(out: &mut PersonLines<'_>, person: &PersonRows) {
    if person.names.iter().all(|row| row.to.is_some()) {
        out.begin_row(Aspect::Name, false);
    }
    for row in &person.names {
        out.begin_row(Aspect::Name, row.to.is_some());
        write_name(out, &row.value);
        out.put_moment(F::NameStart, F::NameStartUncertain, row.from);
        write_updated_at(out, F::NameUpdated, row);
        if let Some(to) = row.to {
            out.put_mark(F::CorrectionMark, row.mark);
            out.put_moment(F::NameEnd, F::NameEndUncertain, to);
        } else {
            out.put_text(F::AddressingName, &addressing_name(&row.value));
            write_updated_at(out, F::AddressingNameUpdated, row);
            out.put_text(F::AddressingNameReported, "NEJ");
        }
    }
}

fn write_citizenship_and_church(out: &mut PersonLines<'_>, person: &PersonRows) {
    for row in &person.citizenships {
        out.begin_row(Aspect::Citizenship, row.to.is_some());
        out.put_number(F::CitizenshipCountryCode, u64::from(row.value));
        out.put_moment(F::CitizenshipStart, F::CitizenshipStartUncertain, row.from);
        write_updated_at(out, F::CitizenshipUpdated, row);
        if let Some(to) = row.to {
            out.put_mark(F::CorrectionMark, row.mark);
            out.put_moment(F::CitizenshipEnd, F::CitizenshipEndUncertain, to);
        }
    }
    for row in &person.church {
        out.begin_row(Aspect::Church, row.to.is_some());
        out.put_mark(F::ChurchMembership, row.value);
        out.put_moment(F::ChurchMembershipStartDate, F::ChurchMembershipStartUncertain, row.from);
        write_updated_at(out, F::ChurchUpdated, row);
        if let Some(to) = row.to {
            out.put_moment(F::ChurchMembershipEndDate, F::ChurchMembershipEndUncertain, to);
        }
    }
}

fn write_relative(out: &mut PersonLines<'_>, who: &Relative, number: F, born: F, name: F) {
    match who {
        Relative::Nobody => {}
        Relative::Number(pnr) => out.put_pnr(number, *pnr),
        Relative::Unnumbered { born: date, name: text } => {
            out.put_bytes(number, b"0000000000");
            out.put_date(born, *date);
            out.put_text(name, text);
        }
    }
}

fn write_civil_status(out: &mut PersonLines<'_>, person: &PersonRows) {
    for row in &person.civil {
        out.begin_row(Aspect::CivilStatus, row.to.is_some());
        out.put_mark(F::CivilStatus, row.value.status);
        write_relative(out, &row.value.spouse, F::SpousePnr, F::SpouseDateOfBirth, F::SpouseName);
        out.put_moment(F::CivilStatusStart, F::CivilStatusStartUncertain, row.from);
        out.put_timestamp(F::SeparationLink, row.value.separation_link);
        write_updated_at(out, F::CivilStatusUpdated, row);
        if let Some(to) = row.to {
            out.put_mark(F::CorrectionMark, row.mark);
            out.put_moment(F::CivilStatusEnd, F::CivilStatusEndUncertain, to);
        }
    }
    for row in &person.separations {
        out.begin_row(Aspect::Separation, row.to.is_some());
        out.put_timestamp(F::CivilStatusLink, row.value);
        out.put_moment(F::SeparationStartDate, F::SeparationStartUncertain, row.from);
        out.put_timestamp(F::SeparationUpdated, clock_time(row.from.digits));
        if let Some(to) = row.to {
            out.put_mark(F::CorrectionMark, row.mark);
            out.put_moment(F::SeparationEndDate, F::SeparationEndUncertain, to);
            out.put_timestamp(F::SeparationEndUpdated, clock_time(to.digits));
        }
    }
}

fn write_parents(out: &mut PersonLines<'_>, person: &PersonRows) {
    let mother =
        [F::MotherRelationDate, F::MotherRelationDateUncertain, F::MotherPnr, F::MotherDateOfBirth, F::MotherName];
    let father =
        [F::FatherRelationDate, F::FatherRelationDateUncertain, F::FatherPnr, F::FatherDateOfBirth, F::FatherName];
    for (Parent { who, since, uncertain }, [date, mark, number, born, name]) in
        [(&person.mother, mother), (&person.father, father)]
    {
        out.put_marked_date(date, mark, *since, *uncertain);
        write_relative(out, who, number, born, name);
    }
}

fn write_relatives(out: &mut PersonLines<'_>, person: &PersonRows) {
    for child in &person.children {
        out.begin_row(Aspect::Child, false);
        out.put_pnr(F::ChildPnr, *child);
        out.put_number(F::ChildStatus, 1);
    }
    if out.begin_row(Aspect::Parents, false) {
        write_parents(out, person);
    }
    for custody in &person.custody {
        out.begin_row(Aspect::Custody, false);
        out.put_number(F::CustodyRelationType, u64::from(custody.kind));
        out.put_date(F::CustodyStartDate, Some(custody.from));
        out.put_timestamp(F::CustodyUpdated, clock_time(u64::from(custody.from.digits()) * 10_000 + 1000));
        out.put_date(F::CustodyAutomaticDeletionDate, custody.deleted);
        if let Some(holder) = custody.holder {
            out.put_pnr(F::RelatedPnr, holder);
            out.put_date(F::RelatedPnrStartDate, Some(custody.from));
            out.put_date(F::HolderStartDate, Some(custody.from));
            out.put_number(F::HolderRelationType, u64::from(custody.kind));
        }
    }
    if let Some(guardianship) = &person.guardianship {
        out.begin_row(Aspect::Guardianship, false);
        out.put_date(F::GuardianshipStartDate, Some(guardianship.from));
        out.put_date(F::GuardianshipAutomaticDeletionDate, guardianship.deleted);
        out.put_text(F::GuardianshipKind, if guardianship.is_partial { "DELVIS" } else { "FULD" });
        match &guardianship.guardian {
            Relative::Nobody => {}
            Relative::Number(pnr) => {
                out.put_number(F::GuardianRelationType, 1);
                out.put_number(F::GuardianByNumberRelationType, 1);
                out.put_pnr(F::RelatedPnr, *pnr);
                out.put_date(F::RelatedPnrStartDate, Some(guardianship.from));
            }
            Relative::Unnumbered { name, .. } => {
                out.put_number(F::GuardianRelationType, 2);
                out.put_number(F::GuardianByNameRelationType, 2);
                out.put_text(F::GuardianName, name);
                out.put_date(F::GuardianAddressStartDate, Some(guardianship.from));
                let fields = [F::GuardianAddressLine1, F::GuardianAddressLine2];
                fields.into_iter().zip(&guardianship.lines).for_each(|(field, line)| out.put_text(field, line));
            }
        }
    }
}

fn write_remarks(out: &mut PersonLines<'_>, person: &PersonRows) {
    for (kind, code, from, remark) in &person.municipal {
        out.begin_row(Aspect::MunicipalCondition, false);
        out.put_number(F::MunicipalConditionType, u64::from(*kind));
        out.put_text(F::MunicipalConditionCode, code);
        out.put_date(F::MunicipalConditionStartDate, Some(*from));
        out.put_text(F::MunicipalConditionRemark, remark);
    }
    for note in &person.notes {
        out.begin_row(Aspect::Note, false);
        out.put_number(F::NoteNumber, u64::from(note.number));
        out.put_text(F::NoteLine, &note.text);
        out.put_date(F::NoteStartDate, Some(note.from));
        out.put_date(F::NoteAutomaticDeletionDate, note.deleted);
    }
    for (code, right, from) in &person.elections {
        out.begin_row(Aspect::Election, false);
        out.put_number(F::ElectionCode, u64::from(*code));
        out.put_date(F::RightToVoteFrom, Some(*right));
        out.put_date(F::ElectionInformationStartDate, Some(*from));
    }
    if let Some((from, remark)) = &person.order_to_move {
        out.begin_row(Aspect::OrderToMove, false);
        out.put_date(F::OrderToMoveStartDate, Some(*from));
        out.put_text(F::OrderToMoveRemark, remark);
    }
}

/// The standard address line as it is formed since 2023: `Strandvejen 123A, st. tv`; in Greenland without house number
/// the street, `BNR` and the number.
fn standard_address_line(street: &str, at: &Address) -> String {
    let mut line = street.to_owned();
    match at.house {
        0 if at.building > 0 => line += &format!(" BNR B{}", at.building % 1000),
        0 => {}
        house => line += format!(" {house}{}", char::from(at.letter)).trim_end(),
    }
    let text = |bytes: &[u8]| str::from_utf8(bytes).unwrap_or_default().trim().to_owned();
    if at.floor[0] != 0 {
        let floor = text(&at.floor);
        line += &format!(", {}.", floor.trim_start_matches('0'));
        let door = text(&at.door);
        let door = door.trim_start_matches('0');
        line += &if door.is_empty() { String::new() } else { format!(" {door}") };
    }
    line.chars().take(34).collect()
}

/// The addressing row; always one, without an address when the person has none. False when the family has no such row.
fn write_formatted_address(out: &mut PersonLines<'_>, person: &PersonRows) -> bool {
    if !out.begin_row(Aspect::FormattedAddress, false) {
        return false;
    }
    if let Some(name) = person.name() {
        out.put_text(F::AddressingName, &addressing_name(name));
    }
    let Some(row) = person.address().filter(|_| person.status < FIRST_WITHOUT_ADDRESS) else { return true };
    out.put_text(F::CareOfName, &person.care_of);
    write_address(out, &row.value);
    let Some(place) = places::municipality(row.value.municipality) else { return true };
    let street = places::street_name(row.value.municipality, row.value.street);
    out.put_text(F::Locality, &person.locality);
    out.put_text(F::StandardAddressLine, &standard_address_line(&street, &row.value));
    out.put_number(F::PostalCode, u64::from(place.postal_code));
    out.put_text(F::PostalDistrict, place.district);
    out.put_text(F::StreetAddressingName, &street);
    true
}
