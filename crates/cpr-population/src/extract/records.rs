//! A dossier as record lines, in any family: what a family has no field for is left out.

use cpr_model::{Aspect, Field as F, Pnr};

use super::record_template::Page;
use crate::person::{Address, Dossier, Name, Parent, Relative, Row, addressing_name};
use crate::reference_data::places;

/// STATUS below which a person has a place where he or she lives.
const FIRST_WITHOUT_ADDRESS: u8 = 30;

/// Writes every row of the person onto the page, but for the addressing row, whose line is returned.
pub(crate) fn write(page: &mut Page<'_>, person: &Dossier, number: Pnr) -> Option<Vec<u8>> {
    page.turn(number);
    let formatted = formatted_address(page, person).then(|| page.take_last()).flatten();
    identity(page, person);
    residence(page, person);
    names(page, person);
    belonging(page, person);
    civil_status(page, person);
    relatives(page, person);
    remarks(page, person);
    for event in &person.events {
        page.row(Aspect::Event, false);
        page.stamp(F::UpdatedInCprAt, event.at);
        page.text(F::EventCode, event.code);
        page.text(F::DerivedMark, event.derived);
    }
    formatted
}

/// When CPR learnt of a row, for families that say so: on the day it holds from, at its end for one of the past.
fn updated<T>(page: &mut Page<'_>, field: F, row: &Row<T>) {
    let known = row.to.unwrap_or(row.from).digits;
    page.stamp(field, real(known));
}

/// A moment as a time of day that a clock can show: `*_TS` are times of CPR's computer.
fn real(digits: u64) -> u64 {
    const FIRST: u64 = 1968_04_02_0000;
    let minute = if digits % 100 > 59 { 0 } else { digits % 100 };
    let (month, day) = ((digits / 1_000_000 % 100).max(1), (digits / 10_000 % 100).max(1));
    let whole =
        digits / 100_000_000 * 100_000_000 + month * 1_000_000 + day * 10_000 + digits / 100 % 100 * 100 + minute;
    if digits == 0 { 0 } else { whole.max(FIRST) }
}

fn identity(page: &mut Page<'_>, person: &Dossier) {
    page.row(Aspect::Person, false);
    if let Some(current) = person.current_number {
        page.pnr(F::CurrentPnr, current);
    }
    page.number(F::Status, u64::from(person.status));
    page.moment(F::StatusDate, F::StatusDateUncertain, person.status_since);
    page.text(F::Sex, if person.is_man { "M" } else { "K" });
    page.marked_date(F::DateOfBirth, F::DateOfBirthUncertain, person.born, person.born_uncertain);
    page.marked_date(F::PnrStartDate, F::PnrStartDateUncertain, person.number_from, person.number_from_uncertain);
    page.date(F::PnrEndDate, person.number_to);
    page.text(F::Occupation, &person.occupation);
    let assigned = person.number_from.map_or(0, |date| real(u64::from(date.digits()) * 10_000 + 1200));
    page.stamp(F::PnrUpdated, assigned);
    page.stamp(
        F::StatusUpdated,
        if person.status_since.digits > 0 { real(person.status_since.digits) } else { assigned },
    );
    // The full-table extract holds the parents in the row of the person.
    parents(page, person);

    page.row(Aspect::BirthRegistration, false);
    page.number(F::BirthRegistrationAuthorityCode, u64::from(person.birth_authority));
    page.stamp(F::BirthRegistrationUpdated, assigned);
    page.text(F::BirthRegistrationText, &person.birth_text);
    page.text(F::BirthAuthorityText, &person.birth_text);

    for former in &person.former_numbers {
        page.row(Aspect::FormerNumber, true);
        page.pnr(F::FormerPnr, former.number);
        page.date(F::PnrStartDate, Some(former.from));
        page.date(F::PnrEndDate, Some(former.to));
    }
}

fn put_address(page: &mut Page<'_>, at: &Address) {
    page.number(F::MunicipalityCode, u64::from(at.municipality));
    page.number(F::StreetCode, u64::from(at.street));
    if at.house > 0 {
        let digit = |of: u16| b'0' + (at.house / of % 10) as u8;
        page.bytes(F::HouseNumber, &[digit(100), digit(10), digit(1), at.letter]);
    }
    if at.floor[0] != 0 {
        page.bytes(F::Floor, &at.floor);
        page.bytes(F::SideOrDoor, &at.door);
    }
    if at.building > 0 {
        page.text(F::BuildingNumber, &format!("{:>4}", format!("B{}", at.building % 1000)));
    }
}

fn residence(page: &mut Page<'_>, person: &Dossier) {
    for (at, row) in person.addresses.iter().enumerate() {
        let is_past = row.to.is_some();
        page.row(Aspect::Address, is_past);
        put_address(page, &row.what);
        page.moment(F::MovedIn, F::MovedInUncertain, row.from);
        updated(page, F::AddressUpdated, row);
        if let Some(to) = row.to {
            page.flag(F::CorrectionMark, row.mark);
            page.moment(F::MovedOut, F::MovedOutUncertain, to);
        } else {
            page.text(F::CareOfName, &person.care_of);
            if let Some((from, line)) = &person.supplementary {
                page.number(F::SupplementaryAddressSetBy, u64::from(row.what.municipality));
                page.text(F::SupplementaryAddressLine1, line);
                page.date(F::AddressTextStartDate, Some(*from));
            }
            // Since when in the municipality, and which one before: over the unmarked rows before this one.
            let before = || person.addresses[..at].iter().rev().filter(|row| row.mark == ' ');
            let here = |other: &&Row<Address>| other.what.municipality == row.what.municipality;
            let since = before().take_while(here).last().map_or(row.from, |first| first.from);
            page.moment(F::MovedToMunicipality, F::MovedToMunicipalityUncertain, since);
            if let Some(elsewhere) = before().find(|other| !here(other)) {
                page.number(F::PreviousMunicipalityCode, u64::from(elsewhere.what.municipality));
                let left = elsewhere.to.unwrap_or_default();
                page.moment(F::LeftPreviousMunicipality, F::LeftPreviousMunicipalityUncertain, left);
            }
        }
    }
    for row in &person.abroad {
        page.row(Aspect::Emigration, row.to.is_some());
        page.number(F::EmigrationCountryCode, u64::from(row.what.to_country));
        page.moment(F::Emigrated, F::EmigratedUncertain, row.from);
        page.stamp(F::EmigrationUpdated, real(row.from.digits));
        if let Some(to) = row.to {
            page.flag(F::CorrectionMark, row.mark);
            page.number(F::ImmigrationCountryCode, u64::from(row.what.from_country));
            page.moment(F::Immigrated, F::ImmigratedUncertain, to);
            page.stamp(F::ImmigrationUpdated, real(to.digits));
        }
        let fields = [F::ForeignAddressLine1, F::ForeignAddressLine2, F::ForeignAddressLine3];
        fields.into_iter().zip(&row.what.lines).for_each(|(field, line)| page.text(field, line));
    }
    for row in &person.disappeared {
        page.row(Aspect::Disappearance, row.to.is_some());
        page.moment(F::Disappeared, F::DisappearedUncertain, row.from);
        page.stamp(F::DisappearanceUpdated, real(row.from.digits));
        if let Some(to) = row.to {
            page.flag(F::CorrectionMark, row.mark);
            page.moment(F::FoundAgain, F::FoundAgainUncertain, to);
            page.stamp(F::FoundAgainUpdated, real(to.digits));
        }
    }
    if !person.contact_lines.is_empty() {
        page.row(Aspect::ContactAddress, false);
        let fields = [F::ContactAddressLine1, F::ContactAddressLine2, F::ContactAddressLine3];
        fields.into_iter().zip(&person.contact_lines).for_each(|(field, line)| page.text(field, line));
        page.date(F::AddressTextStartDate, person.status_since.date().or(person.number_from));
    }
    for protection in &person.protections {
        page.row(Aspect::Protection, false);
        page.number(F::ProtectionKind, u64::from(protection.kind));
        page.date(F::ProtectionStartDate, Some(protection.from));
        page.date(F::ProtectionAutomaticDeletionDate, Some(protection.deleted));
        page.stamp(F::ProtectionUpdated, real(u64::from(protection.from.digits()) * 10_000 + 900));
        page.text(F::ProtectionReported, "JA");
    }
}

fn put_name(page: &mut Page<'_>, name: &Name) {
    page.text(F::GivenNames, &name.given);
    page.text(F::MiddleNames, &name.middle);
    page.text(F::Surname, &name.surname);
    if let Some(mark) = name.mark {
        page.flag(F::SurnameMark, mark);
    }
}

fn names(page: &mut Page<'_>, person: &Dossier) {
    if person.names.iter().all(|row| row.to.is_some()) {
        page.row(Aspect::Name, false);
    }
    for row in &person.names {
        page.row(Aspect::Name, row.to.is_some());
        put_name(page, &row.what);
        page.moment(F::NameStart, F::NameStartUncertain, row.from);
        updated(page, F::NameUpdated, row);
        if let Some(to) = row.to {
            page.flag(F::CorrectionMark, row.mark);
            page.moment(F::NameEnd, F::NameEndUncertain, to);
        } else {
            page.text(F::AddressingName, &addressing_name(&row.what));
            updated(page, F::AddressingNameUpdated, row);
            page.text(F::AddressingNameReported, "NEJ");
        }
    }
}

fn belonging(page: &mut Page<'_>, person: &Dossier) {
    for row in &person.citizenships {
        page.row(Aspect::Citizenship, row.to.is_some());
        page.number(F::CitizenshipCountryCode, u64::from(row.what));
        page.moment(F::CitizenshipStart, F::CitizenshipStartUncertain, row.from);
        updated(page, F::CitizenshipUpdated, row);
        if let Some(to) = row.to {
            page.flag(F::CorrectionMark, row.mark);
            page.moment(F::CitizenshipEnd, F::CitizenshipEndUncertain, to);
        }
    }
    for row in &person.church {
        page.row(Aspect::Church, row.to.is_some());
        page.flag(F::ChurchMembership, row.what);
        page.moment(F::ChurchMembershipStartDate, F::ChurchMembershipStartUncertain, row.from);
        updated(page, F::ChurchUpdated, row);
        if let Some(to) = row.to {
            page.moment(F::ChurchMembershipEndDate, F::ChurchMembershipEndUncertain, to);
        }
    }
}

fn relative(page: &mut Page<'_>, who: &Relative, number: F, born: F, name: F) {
    match who {
        Relative::Nobody => {}
        Relative::Number(pnr) => page.pnr(number, *pnr),
        Relative::Unnumbered { born: date, name: text } => {
            page.bytes(number, b"0000000000");
            page.date(born, *date);
            page.text(name, text);
        }
    }
}

fn civil_status(page: &mut Page<'_>, person: &Dossier) {
    for row in &person.civil {
        page.row(Aspect::CivilStatus, row.to.is_some());
        page.flag(F::CivilStatus, row.what.status);
        relative(page, &row.what.spouse, F::SpousePnr, F::SpouseDateOfBirth, F::SpouseName);
        page.moment(F::CivilStatusStart, F::CivilStatusStartUncertain, row.from);
        page.stamp(F::SeparationLink, row.what.separation_link);
        updated(page, F::CivilStatusUpdated, row);
        if let Some(to) = row.to {
            page.flag(F::CorrectionMark, row.mark);
            page.moment(F::CivilStatusEnd, F::CivilStatusEndUncertain, to);
        }
    }
    for row in &person.separations {
        page.row(Aspect::Separation, row.to.is_some());
        page.stamp(F::CivilStatusLink, row.what);
        page.moment(F::SeparationStartDate, F::SeparationStartUncertain, row.from);
        page.stamp(F::SeparationUpdated, real(row.from.digits));
        if let Some(to) = row.to {
            page.flag(F::CorrectionMark, row.mark);
            page.moment(F::SeparationEndDate, F::SeparationEndUncertain, to);
            page.stamp(F::SeparationEndUpdated, real(to.digits));
        }
    }
}

fn parents(page: &mut Page<'_>, person: &Dossier) {
    let mother =
        [F::MotherRelationDate, F::MotherRelationDateUncertain, F::MotherPnr, F::MotherDateOfBirth, F::MotherName];
    let father =
        [F::FatherRelationDate, F::FatherRelationDateUncertain, F::FatherPnr, F::FatherDateOfBirth, F::FatherName];
    for (Parent { who, since, uncertain }, [date, mark, number, born, name]) in
        [(&person.mother, mother), (&person.father, father)]
    {
        page.marked_date(date, mark, *since, *uncertain);
        relative(page, who, number, born, name);
    }
}

fn relatives(page: &mut Page<'_>, person: &Dossier) {
    for child in &person.children {
        page.row(Aspect::Child, false);
        page.pnr(F::ChildPnr, *child);
        page.number(F::ChildStatus, 1);
    }
    if page.row(Aspect::Parents, false) {
        parents(page, person);
    }
    for custody in &person.custody {
        page.row(Aspect::Custody, false);
        page.number(F::CustodyRelationType, u64::from(custody.kind));
        page.date(F::CustodyStartDate, Some(custody.from));
        page.stamp(F::CustodyUpdated, real(u64::from(custody.from.digits()) * 10_000 + 1000));
        page.date(F::CustodyAutomaticDeletionDate, custody.deleted);
        if let Some(holder) = custody.holder {
            page.pnr(F::RelatedPnr, holder);
            page.date(F::RelatedPnrStartDate, Some(custody.from));
            page.date(F::HolderStartDate, Some(custody.from));
            page.number(F::HolderRelationType, u64::from(custody.kind));
        }
    }
    if let Some(guardianship) = &person.guardianship {
        page.row(Aspect::Guardianship, false);
        page.date(F::GuardianshipStartDate, Some(guardianship.from));
        page.date(F::GuardianshipAutomaticDeletionDate, guardianship.deleted);
        page.text(F::GuardianshipKind, if guardianship.is_partial { "DELVIS" } else { "FULD" });
        match &guardianship.guardian {
            Relative::Nobody => {}
            Relative::Number(pnr) => {
                page.number(F::GuardianRelationType, 1);
                page.number(F::GuardianByNumberRelationType, 1);
                page.pnr(F::RelatedPnr, *pnr);
                page.date(F::RelatedPnrStartDate, Some(guardianship.from));
            }
            Relative::Unnumbered { name, .. } => {
                page.number(F::GuardianRelationType, 2);
                page.number(F::GuardianByNameRelationType, 2);
                page.text(F::GuardianName, name);
                page.date(F::GuardianAddressStartDate, Some(guardianship.from));
                let fields = [F::GuardianAddressLine1, F::GuardianAddressLine2];
                fields.into_iter().zip(&guardianship.lines).for_each(|(field, line)| page.text(field, line));
            }
        }
    }
}

fn remarks(page: &mut Page<'_>, person: &Dossier) {
    for (kind, code, from, remark) in &person.municipal {
        page.row(Aspect::MunicipalCondition, false);
        page.number(F::MunicipalConditionType, u64::from(*kind));
        page.text(F::MunicipalConditionCode, code);
        page.date(F::MunicipalConditionStartDate, Some(*from));
        page.text(F::MunicipalConditionRemark, remark);
    }
    for note in &person.notes {
        page.row(Aspect::Note, false);
        page.number(F::NoteNumber, u64::from(note.number));
        page.text(F::NoteLine, &note.text);
        page.date(F::NoteStartDate, Some(note.from));
        page.date(F::NoteAutomaticDeletionDate, note.deleted);
    }
    for (code, right, from) in &person.elections {
        page.row(Aspect::Election, false);
        page.number(F::ElectionCode, u64::from(*code));
        page.date(F::RightToVoteFrom, Some(*right));
        page.date(F::ElectionInformationStartDate, Some(*from));
    }
    if let Some((from, remark)) = &person.order_to_move {
        page.row(Aspect::OrderToMove, false);
        page.date(F::OrderToMoveStartDate, Some(*from));
        page.text(F::OrderToMoveRemark, remark);
    }
}

/// The standard address line as it is formed since 2023: `Strandvejen 123A, st. tv`; in Greenland without house number
/// the street, `BNR` and the number.
fn standard_line(street: &str, at: &Address) -> String {
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
fn formatted_address(page: &mut Page<'_>, person: &Dossier) -> bool {
    if !page.row(Aspect::FormattedAddress, false) {
        return false;
    }
    if let Some(name) = person.name() {
        page.text(F::AddressingName, &addressing_name(name));
    }
    let Some(row) = person.address().filter(|_| person.status < FIRST_WITHOUT_ADDRESS) else { return true };
    page.text(F::CareOfName, &person.care_of);
    put_address(page, &row.what);
    let Some(place) = places::municipality(row.what.municipality) else { return true };
    let street = places::street_name(row.what.municipality, row.what.street);
    page.text(F::Locality, &person.locality);
    page.text(F::StandardAddressLine, &standard_line(&street, &row.what));
    page.number(F::PostalCode, u64::from(place.postal_code));
    page.text(F::PostalDistrict, place.district);
    page.text(F::StreetAddressingName, &street);
    true
}
