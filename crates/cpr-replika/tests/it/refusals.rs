//! What is refused, with which located reason, leaving the store untouched; and what looks odd and is accepted.

use std::io::{Cursor, Read, Seek, SeekFrom};

use cpr_replika::cpr_extract::{Family, LineEnd, Padding, Style};
use cpr_replika::{Allow, ApplyOptions, Config, DeliveryNumber, Error, Outcome, Replika};

use crate::kit::{
    DAYS, PLAIN, Person, TASK, apply, config, exported, extract, extract_as, extract_of_day, group, lines_of,
    std_family,
};

const KARLA: &str = "6709610002";
const VIGGO: &str = "6907600001";

const HELD: [Person<'static>; 2] = [
    (
        KARLA,
        "001 STATUS=01, KOEN=K, FOED_DT=1961-09-07
        002 KOMKOD=0751, VEJKOD=0042, HUSNR=004, TILFLYDTO=202001011200
        003 ADRNVN=Karla Prøvesen, STANDARDADR=Foråret 4
        008 FORNVN=Karla, EFTERNVN=Prøvesen, NVNHAENSTART=196109072000",
    ),
    (
        VIGGO,
        "001 STATUS=01, KOEN=M, FOED_DT=1960-07-09
        008 FORNVN=Viggo, EFTERNVN=Bæk, NVNHAENSTART=196007092000
        023 ANNKOR=Æ, KOMKOD=0657, VEJKOD=0013, TILFLYDTO=198001011200, FRAFLYDTO=198001011200",
    ),
];

/// Nothing that identifies a person of this file may stand in any error.
const SECRETS: [&str; 8] = [KARLA, VIGGO, "670961", "690760", "Karla", "Viggo", "Pr", "Bæk"];

/// A store that holds the persons as of day 1.
fn store() -> Replika {
    let replika = Replika::in_memory(&config()).unwrap();
    apply(&replika, &extract_of_day(1, &HELD)).unwrap();
    replika
}

/// The extract of day 2 with one text in place of another.
fn damaged(from: &str, to: &str) -> Vec<u8> {
    let latin1 = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>();
    let (good, from) = (extract_of_day(2, &HELD), latin1(from));
    let at = good.windows(from.len()).position(|window| window == from).expect("the text stands in the extract");
    [&good[..at], &latin1(to), &good[at + from.len()..]].concat()
}

/// The extract of day 2 with its lines changed.
fn with_lines(change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let good = extract_of_day(2, &HELD);
    let mut lines: Vec<Vec<u8>> = good.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    change(&mut lines);
    lines.concat()
}

/// An extract is refused, and the reason is told, by a store that is the same afterwards and still takes the right one.
fn check_refused(extract: &[u8], reason: &str) {
    let replika = store();
    let before = exported(&replika);
    let error = apply(&replika, extract).expect_err("an extract that is refused");
    assert!(error.is_refusal(), "the input is at fault, not the store");
    let told = match &error {
        Error::Extract { faults, .. } => {
            faults.iter().map(|fault| format!("{}: {fault}", fault.reason.name())).collect()
        }
        other => vec![format!("{}: {other}", other.kind())],
    };
    assert!(told.iter().any(|told| told == reason), "expected {reason:?}, told {told:#?}");
    check_secrecy(&error);
    assert_eq!(replika.snapshot().deliveries().unwrap().len(), 1);
    assert_eq!(exported(&replika), before);
    assert!(replika.snapshot().verify().unwrap().is_clean());
    apply(&replika, &extract_of_day(2, &HELD)).expect("the right extract of that day");
}

fn check_secrecy(error: &Error) {
    for text in [format!("{error}"), format!("{error:?}"), format!("{error:#?}")] {
        for secret in SECRETS {
            assert!(!text.contains(secret), "an error tells whom it is about");
        }
    }
}

#[test]
fn a_file_that_is_not_whole_is_refused() {
    check_refused(
        &with_lines(|lines| drop(lines.pop())),
        "truncated: line 8 (byte 883): the file ends without an end record (999): it is not whole",
    );
    let whole = extract_of_day(2, &HELD);
    check_refused(
        &whole[..whole.len() / 2],
        "truncated: line 6 (byte 452): the file ends without an end record (999): it is not whole",
    );
    check_refused(b"", "empty: line 1 (byte 0): the file is empty");
}

#[test]
fn a_counter_that_does_not_fit_is_refused_unless_it_is_accepted_by_name() {
    let wrong = damaged("99999999999900000007", "99999999999900000008");
    check_refused(
        &wrong,
        "wrong_count: line 9 (byte 883), record 999, TAELLER: the end record counts 8 records, the file holds 7",
    );
    let allow = Allow { wrong_count: true, ..Allow::default() };
    let options = ApplyOptions { allow, ..ApplyOptions::named("made up") };
    assert_eq!(store().apply(Cursor::new(&wrong), &options).unwrap().delivery.counts.waived, 1);
}

#[test]
fn data_after_the_end_record_is_refused() {
    check_refused(
        &with_lines(|lines| {
            let end = lines.pop().unwrap();
            lines.insert(lines.len() - 1, end);
        }),
        "data_after_end: line 9 (byte 689), record 003: data after the end record",
    );
}

#[test]
fn a_file_without_its_start_record_is_refused() {
    check_refused(
        &with_lines(|lines| drop(lines.remove(0))),
        "no_start_record: line 1 (byte 0): the file does not begin with a start record (000)",
    );
    check_refused(
        &with_lines(|lines| lines.insert(3, lines[0].clone())),
        "second_start_record: line 4 (byte 203), record 000: a second start record",
    );
}

#[test]
fn a_field_that_does_not_fit_is_refused_and_named() {
    check_refused(
        &damaged("1961-09-07", "1961-0X-07"),
        "not_a_date: line 2 (byte 36), record 001, FOED_DT: neither blank nor a date",
    );
    check_refused(
        &damaged("202001011200", "2020010112O0"),
        "not_a_timestamp: line 3 (byte 86), record 002, TILFLYDTO: not a timestamp of twelve digits",
    );
    check_refused(
        &damaged("07510042004", "0751004 004"),
        "not_a_number: line 3 (byte 86), record 002, VEJKOD: not a zero-filled number",
    );
    check_refused(&damaged("Æ0657", "X0657"), "not_a_mark: line 7 (byte 571), record 023, ANNKOR: not a mark");
    check_refused(
        &damaged("0016907600001", "0010000000000"),
        "not_a_pnr: line 5 (byte 362), record 001, PNR: not a personnummer",
    );
}

#[test]
fn what_is_wrong_with_a_line_is_told_before_the_counter_that_follows_from_it() {
    let good = extract_of_day(2, &HELD);
    let utf8: String = good.iter().copied().map(char::from).collect();
    for (extract, kind) in [
        (utf8.into_bytes(), "utf8"),
        (damaged("1961-09-07", "1961-0X-07"), "not_a_date"),
        (with_lines(|lines| lines[3][..3].copy_from_slice(b"777")), "unknown_record"),
    ] {
        // The end record counts as many lines as there are.
        assert_eq!(apply(&store(), &extract).unwrap_err().kind(), kind);
    }
}

#[test]
fn an_unknown_record_is_refused() {
    check_refused(
        &with_lines(|lines| lines.insert(3, b"7776709610002\n".to_vec())),
        "unknown_record: line 4 (byte 203): no record of this family begins so",
    );
}

#[test]
fn rows_that_do_not_stand_with_one_person_record_are_refused() {
    check_refused(
        &with_lines(|lines| drop(lines.remove(4))),
        "no_person_record: line 5 (byte 362), record 008: rows of a person without a 001",
    );
    check_refused(
        &with_lines(|lines| lines.insert(4, lines[1].clone())),
        "repeated_person: line 5 (byte 362), record 001: a second 001 of the same person, with other rows",
    );
    check_refused(
        &with_lines(|lines| {
            let name = lines.remove(3);
            lines.insert(5, name);
        }),
        "scattered_person: line 6 (byte 412), record 008: rows of a person that do not stand with its 001",
    );
}

#[test]
fn rows_of_a_person_not_in_the_file_are_left_out_when_that_is_accepted_by_name() {
    let stray = with_lines(|lines| {
        lines.insert(4, b"0116101801234F\n".to_vec());
        *lines.last_mut().unwrap() = b"999999999999900000008\n".to_vec();
    });
    let allow = Allow { rows_without_person: true, ..Allow::default() };
    let options = ApplyOptions { allow, ..ApplyOptions::named("made up") };
    let replika = store();
    let report = replika.apply(Cursor::new(&stray), &options).unwrap();
    assert_eq!((report.delivery.counts.waived, report.delivery.counts.persons_changed), (1, 0));
    assert_eq!(replika.snapshot().pnrs().unwrap().count(), 2);
}

#[test]
fn equal_groups_of_a_deleted_number_are_one_person_and_counted() {
    // What CPR's guide announces for P02: two 001, each with its rows and its event.
    let event = b"0996907600001202601021000P02\n".to_vec();
    let twice = |other_event: &[u8]| {
        with_lines(|lines| {
            let mut group = lines[4..7].to_vec();
            group.push(event.clone());
            let mut again = group.clone();
            *again.last_mut().unwrap() = other_event.to_vec();
            lines.splice(4..7, group.into_iter().chain(again));
            *lines.last_mut().unwrap() = b"999999999999900000012\n".to_vec();
        })
    };
    let replika = store();
    let report = apply(&replika, &twice(&event)).unwrap();
    let counts = &report.delivery.counts;
    assert_eq!((counts.repeated_persons, counts.persons_unchanged, counts.events), (1, 2, 1));
    assert_eq!(replika.snapshot().deliveries().unwrap()[1].counts, *counts, "as it is stored");
    assert!(replika.snapshot().verify().unwrap().is_clean());
    check_refused(
        &twice(b"0996907600001202601021000A01\n"),
        "repeated_person: line 9 (byte 696), record 001: a second 001 of the same person, with other rows",
    );
}

#[test]
fn an_extract_that_changes_between_checking_and_merging_is_refused() {
    /// Other bytes for whoever goes back after the first reading.
    struct Changing(Cursor<Vec<u8>>, bool);
    impl Read for Changing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let read = self.0.read(buffer)?;
            self.1 |= read == 0 && !buffer.is_empty();
            Ok(read)
        }
    }
    impl Seek for Changing {
        fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
            if self.1 {
                let bytes = self.0.get_mut();
                let at = bytes.windows(6).position(|six| six == b"200001" || six == b"202001").unwrap();
                bytes[at + 3] = b'7';
            }
            self.0.seek(to)
        }
    }
    let replika = store();
    let before = exported(&replika);
    let changing = Changing(Cursor::new(extract_of_day(2, &HELD)), false);
    let error = replika.apply(changing, &ApplyOptions::named("made up")).unwrap_err();
    assert_eq!((error.kind(), error.is_refusal()), ("changed", true));
    assert_eq!(exported(&replika), before);
    apply(&replika, &extract_of_day(2, &HELD)).expect("the file as it is");
}

#[test]
fn a_source_that_fails_is_told_as_that_and_not_as_stopped_by_the_caller() {
    /// Bytes of which nothing behind the first hundred can be read.
    struct Failing(Cursor<Vec<u8>>);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let left = 100_usize.saturating_sub(self.0.position() as usize);
            if left == 0 {
                return Err(std::io::Error::other("the disk is gone"));
            }
            let most = left.min(buffer.len());
            self.0.read(&mut buffer[..most])
        }
    }
    impl Seek for Failing {
        fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }
    let replika = store();
    let source = Failing(Cursor::new(extract_of_day(2, &HELD)));
    let error = replika.apply(source, &ApplyOptions::named("made up")).unwrap_err();
    assert_eq!((error.kind(), error.is_refusal()), ("input", false));
    assert_eq!(replika.snapshot().known().0, 1);
}

#[test]
fn letters_of_a_dos_code_page_are_refused_unless_they_are_accepted_by_name() {
    let dos: Vec<u8> = extract_of_day(2, &HELD).iter().map(|byte| if *byte == 0xF8 { 0x9B } else { *byte }).collect();
    let error = apply(&store(), &dos).unwrap_err();
    assert_eq!(error.kind(), "code_page", "{error}");
    check_secrecy(&error);
    let allow = Allow { code_page: true, ..Allow::default() };
    let report = store().apply(Cursor::new(&dos), &ApplyOptions { allow, ..ApplyOptions::named("made up") }).unwrap();
    assert_eq!(report.delivery.counts.waived, report.delivery.counts.odd_characters);
    assert_eq!(report.delivery.counts.persons_changed, 1);
}

#[test]
fn a_file_in_another_format_is_told_as_that_first() {
    let good = extract_of_day(2, &HELD);
    let utf16: Vec<u8> = good.iter().flat_map(|byte| [*byte, 0]).collect();
    for (extract, kind) in [
        ([b"\xEF\xBB\xBF", &good[..]].concat(), "byte_order_mark"),
        (utf16, "utf16"),
        ([b"\x1F\x8B\x08\x00", &good[..]].concat(), "compressed"),
        ([b"PK\x03\x04", &good[..]].concat(), "compressed"),
    ] {
        // A store that knows its family, and one that finds it out.
        for replika in [store(), Replika::in_memory(&Config { family: None, ..config() }).unwrap()] {
            assert_eq!(apply(&replika, &extract).unwrap_err().kind(), kind);
        }
    }
}

#[test]
fn a_family_of_which_a_first_file_holds_nothing_is_refused_unless_it_is_accepted_by_name() {
    for asked in ["uuid", "2022", "u12180"] {
        let wider = Config { family: Family::named(asked), ..config() };
        let replika = Replika::in_memory(&wider).unwrap();
        let error = apply(&replika, &extract_of_day(1, &HELD)).unwrap_err();
        assert_eq!((error.kind(), error.is_refusal()), ("wider_family", true));
        let allow = Allow { wider_family: true, ..Allow::default() };
        let options = ApplyOptions { allow, ..ApplyOptions::named("made up") };
        replika.apply(Cursor::new(extract_of_day(1, &HELD)), &options).unwrap();
        // From then on the family is that of the store.
        apply(&replika, &extract_of_day(2, &HELD)).unwrap();
    }
}

#[test]
fn a_file_turned_into_utf8_is_refused() {
    let good = extract_of_day(2, &HELD);
    let utf8: String = good.iter().copied().map(char::from).collect();
    check_refused(
        utf8.as_bytes(),
        "utf8: line 4 (byte 203), record 008: the file has been turned into UTF-8; CPR writes ISO 8859-1 (and 1 more of this \
         kind, the last in line 6)",
    );
}

#[test]
fn a_line_longer_than_its_record_is_refused() {
    check_refused(
        &with_lines(|lines| {
            lines[3].pop();
            lines[3].resize(193, b' ');
            lines[3].extend(*b"surplus\n");
        }),
        "line_too_long: line 4 (byte 203), record 008: the line is longer than its record",
    );
    check_refused(
        &with_lines(|lines| lines.insert(4, b"\n".to_vec())),
        "empty_line: line 5 (byte 362): an empty line inside the file",
    );
}

#[test]
fn a_binary_file_is_refused() {
    let bytes: Vec<u8> = (0..20_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    check_refused(
        &bytes,
        "unknown_record: line 1 (byte 0): no record of this family begins so (and 78 more of this kind, the last in line 79)",
    );
}

#[test]
fn a_file_out_of_order_is_refused_unless_it_is_accepted_by_name() {
    let gap = extract(DAYS[3], DAYS[2], &HELD);
    check_refused(
        &gap,
        "sequence_gap: the file follows the extract of 2026-01-05, but the last one applied is of 2026-01-02: an extract is missing",
    );
    let older = extract(DAYS[0], "2025-12-31", &HELD);
    check_refused(&older, "older: the file is of 2026-01-01, and the extract of 2026-01-02 has been applied already");
    let same_day = extract(DAYS[1], DAYS[0], &HELD[..1]);
    check_refused(
        &same_day,
        "older: the file is of 2026-01-02, and the extract of 2026-01-02 has been applied already",
    );
    let allowances = [
        (gap, Allow { gap: true, ..Allow::default() }),
        (older, Allow { older: true, ..Allow::default() }),
        (same_day, Allow { older: true, ..Allow::default() }),
    ];
    // Who takes what is older does not take that something is missing before what is newer.
    let allow = Allow { older: true, ..Allow::default() };
    let options = ApplyOptions { allow, ..ApplyOptions::named("made up") };
    assert_eq!(store().apply(Cursor::new(&allowances[0].0), &options).unwrap_err().kind(), "sequence_gap");
    for (extract, allow) in allowances {
        let options = ApplyOptions { allow, ..ApplyOptions::named("made up") };
        assert_eq!(store().apply(Cursor::new(&extract), &options).unwrap().delivery.number.0, 2);
    }
}

#[test]
fn an_extract_of_another_customer_is_refused() {
    let other = extract_as(std_family(), PLAIN, "567801", [DAYS[2], DAYS[1]], &HELD);
    check_refused(
        &other,
        "other_customer: the file is for customer 5678, the store holds the extracts of customer 1234",
    );
    let second_task = extract_as(std_family(), PLAIN, "123402", [DAYS[2], DAYS[1]], &HELD);
    apply(&store(), &second_task).expect("an establishment and its deltas differ in the running number");
}

#[test]
fn an_extract_of_another_family_is_refused() {
    let full = Family::named("full").unwrap();
    let person = (KARLA, "001 STATUS=01\n020 FORNVN=Karla, NVNHAENSTART=196109072000");
    check_refused(
        &extract_as(full, PLAIN, TASK, [DAYS[2], DAYS[1]], &[person]),
        "other_family: the store holds family std, the file is of family full",
    );
}

#[test]
fn a_record_type_that_was_not_chosen_is_refused() {
    let replika = Replika::in_memory(&Config { chosen: Some(vec![1, 2, 3, 23]), ..config() }).unwrap();
    let error = apply(&replika, &extract_of_day(1, &HELD)).unwrap_err();
    assert_eq!(
        error.first_fault().unwrap().to_string(),
        "line 4 (byte 203), record 008: a record type that is not among the chosen ones (and 1 more of this kind, the last in line 6)"
    );
    check_secrecy(&error);
    assert_eq!(replika.snapshot().known().0, 0);
}

#[test]
fn a_load_is_refused_when_there_are_deliveries() {
    let replika = store();
    let extract = extract_of_day(2, &HELD);
    let error = replika.load(Cursor::new(&extract), &ApplyOptions::named("made up")).unwrap_err();
    assert!(matches!(error, Error::NotEmpty { deliveries: 1 }));
    let allow = Allow { reload: true, ..Allow::default() };
    replika.load(Cursor::new(&extract), &ApplyOptions { allow, ..ApplyOptions::named("made up") }).unwrap();
}

#[test]
fn a_second_load_replaces_whom_it_holds_and_keeps_whom_it_does_not() {
    let replika = store();
    let before = replika.snapshot();
    let corrected = (KARLA, "001 STATUS=01, KOEN=K, FOED_DT=1961-09-07");
    let allow = Allow { reload: true, ..Allow::default() };
    let options = ApplyOptions { allow, ..ApplyOptions::named("made up") };
    let report = replika.load(Cursor::new(&extract_of_day(2, &[corrected])), &options).unwrap();
    let counts = report.delivery.counts;
    assert_eq!((counts.persons_new, counts.persons_changed, counts.persons_unchanged), (0, 1, 0));
    let after = replika.snapshot();
    assert_eq!(group(&after, KARLA, 2), Some(lines_of(corrected)), "whole: rows that no longer come are gone");
    assert!(group(&after, VIGGO, 2).is_some());
    assert_eq!(group(&after, VIGGO, 2), group(&before, VIGGO, 1), "absent, and as last known");
    let changed: Vec<_> = after.changes(DeliveryNumber(2)).unwrap().collect();
    assert_eq!(changed.len(), 1, "nothing is said of who is absent");
    let verified = after.verify().unwrap();
    assert!(verified.faults.is_empty(), "{:?}", verified.faults);
}

#[test]
fn the_family_is_found_in_the_file_when_the_lines_tell_it() {
    let replika = Replika::in_memory(&Config::default()).unwrap();
    let error = apply(&replika, &extract_of_day(1, &[])).unwrap_err();
    assert_eq!(error.kind(), "ambiguous_family", "a frame without persons fits every family");
    apply(&replika, &extract_of_day(1, &HELD)).unwrap();
    assert_eq!(replika.settings().family.map(|family| family.name), Some("std"));
}

#[test]
fn a_variant_whose_own_records_come_late_in_a_first_file_is_found() {
    let numbers: Vec<String> = (0..5_000).map(|serial| format!("610180{serial:04}")).collect();
    let many = numbers.iter().map(|number| (number.as_str(), "001 STATUS=01, KOEN=K\n008 FORNVN=Ida"));
    let under_guardianship = ("6101805000", "001 STATUS=01\n052 VAERGEMAALS_TYPE=DELVIS");
    let persons: Vec<_> = many.chain([under_guardianship]).collect();
    let variant = Family::named("2022").unwrap();
    let replika = Replika::in_memory(&Config::default()).unwrap();
    apply(&replika, &extract_as(variant, PLAIN, TASK, [DAYS[1], DAYS[0]], &persons)).unwrap();
    assert_eq!(replika.settings().family.map(|family| family.name), Some("2022"));
}

#[test]
fn every_fault_is_counted_and_the_first_of_each_kind_is_told() {
    let extract = with_lines(|lines| {
        let strays =
            ["0116101801234F", "0116101801235F", "0156101801236"].map(|stray| format!("{stray}\n").into_bytes());
        lines.splice(7..7, strays);
        *lines.last_mut().unwrap() = b"999999999999900000010\n".to_vec();
    });
    for (fault_limit, more) in [(1, &[1][..]), (2, &[1, 0]), (1_000_000, &[1, 0])] {
        let options = ApplyOptions { fault_limit, ..ApplyOptions::named("made up") };
        let error = store().apply(Cursor::new(&extract), &options).unwrap_err();
        let Error::Extract { faults, count: 3 } = &error else { panic!("{error:?}") };
        assert_eq!(faults.iter().map(|fault| fault.more).collect::<Vec<u64>>(), more);
        assert!(error.to_string().ends_with("rows of a person without a 001 (and 2 more faults)"), "{error}");
    }
}

#[test]
fn the_same_file_again_is_no_delivery() {
    let replika = store();
    let day_2 = extract_of_day(2, &HELD[..1]);
    let first = apply(&replika, &day_2).unwrap();
    apply(&replika, &extract_of_day(3, &HELD[1..])).unwrap();
    let before = exported(&replika);
    let again = apply(&replika, &day_2).unwrap();
    assert_eq!((first.outcome, again.outcome), (Outcome::Applied, Outcome::AlreadyApplied));
    assert_eq!(first.delivery, again.delivery, "the report of then");
    assert_eq!(replika.snapshot().deliveries().unwrap().len(), 3);
    assert_eq!(exported(&replika), before);
}

#[test]
fn a_dry_run_reports_and_stores_nothing() {
    let (replika, day_2) = (store(), extract_of_day(2, &[(KARLA, "001 STATUS=90")]));
    let before = exported(&replika);
    let options = ApplyOptions { dry_run: true, ..ApplyOptions::named("made up") };
    let dry = replika.apply(Cursor::new(&day_2), &options).unwrap();
    assert_eq!((dry.outcome, dry.delivery.counts.persons_changed), (Outcome::DryRun, 1));
    assert_eq!((exported(&replika), replika.snapshot().known().0), (before, 1));
    let wet = apply(&replika, &day_2).unwrap();
    assert_eq!(wet.delivery.counts.classes, dry.delivery.counts.classes);
}

#[test]
fn however_a_file_spells_its_lines_it_is_read_and_exported_so() {
    let trailer = |bytes: &[u8]| bytes.to_vec();
    let (lf, crlf, none) = (LineEnd::Lf, LineEnd::CrLf, LineEnd::None);
    for (line_end, padding, trailer) in [
        (lf, Padding::Cut, trailer(b"")),
        (lf, Padding::Full, trailer(b"\n\n\n")),
        (crlf, Padding::Cut, trailer(b"\x1a")),
        (crlf, Padding::Full, trailer(b"\r\n\x1a")),
        (none, Padding::Full, trailer(b"")),
        (none, Padding::Full, trailer(b"\x1a")),
        (lf, Padding::Fixed(400), trailer(b"")),
        (crlf, Padding::Fixed(500), trailer(b"\x1a")),
    ] {
        let spelled = format!("{} {padding:?} {trailer:?}", line_end.name());
        // As an export is: both dates the same, persons by birth.
        let [karla, viggo] = HELD;
        let style = Style { line_end, padding, trailer };
        let extract = extract_as(std_family(), style, TASK, [DAYS[1], DAYS[1]], &[viggo, karla]);
        let replika = Replika::in_memory(&Config::default()).unwrap();
        apply(&replika, &extract).unwrap_or_else(|error| panic!("{spelled}: {error}"));
        assert!(exported(&replika) == extract, "{spelled}: an export of other bytes");
        let plain = store();
        for person in [KARLA, VIGGO] {
            let facts = |of: &Replika| {
                let snapshot = of.snapshot();
                let person = snapshot.person(crate::kit::pnr(person)).unwrap().unwrap();
                person.facts().map(|fact| (fact.record(), fact.values().bytes().to_vec())).collect::<Vec<_>>()
            };
            assert_eq!(facts(&replika), facts(&plain), "{spelled}: the same facts as in plain spelling");
        }
    }
}

#[test]
fn a_report_counts_what_a_file_has_beside_persons() {
    // Of so many error records one is only counted.
    const ERRORS: usize = 100_001;
    let receipt = (VIGGO, &*format!("997 PNR={VIGGO}, TIMESTAMPU=202601050911, HAENDELSE=A45"));
    let mut extract = extract_of_day(1, &[receipt, receipt, HELD[0]]);
    let echo = format!("910{:<10}{:<75}8495{:<65}", "9999999999", "06OP1234", "Personnummer er annulleret");
    extract.extend_from_slice(format!("{}\n", echo.trim_end()).repeat(ERRORS).as_bytes());
    let replika = Replika::in_memory(&Config::default()).unwrap();
    let report = apply(&replika, &extract).unwrap().delivery;
    assert_eq!(report, replika.snapshot().last_delivery().unwrap().clone(), "as it stands in the ledger");
    let counts = report.counts;
    assert_eq!((counts.bytes, counts.receipts), (extract.len() as u64, 2));
    assert_eq!((counts.input_errors.len(), counts.input_errors_beyond), (ERRORS - 1, 1));
}

#[test]
fn single_lines_may_be_wider_by_blanks_than_the_file_has_them() {
    let wide = with_lines(|lines| {
        let end = lines[3].len() - 1;
        lines[3].splice(end..end, [b' '; 200]);
    });
    let replika = store();
    apply(&replika, &wide).expect("longer only by blanks");
    let lines = group(&replika.snapshot(), KARLA, 2).unwrap();
    assert!(lines.iter().any(|line| line.len() > 200), "the line as it came");
}

#[test]
fn a_store_that_is_no_store_or_not_ours_is_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    assert!(matches!(Replika::open(path("nothing")), Err(Error::NotFound)));
    std::fs::write(path("text"), "no store at all, though long enough to be read").unwrap();
    std::fs::write(path("empty"), "").unwrap();
    drop(redb::Database::create(path("foreign")).unwrap());
    for name in ["text", "empty", "foreign"] {
        for opened in [Replika::open(path(name)), Replika::open_read_only(path(name))] {
            assert!(matches!(opened, Err(Error::NotAStore)), "{name}: {opened:?}");
        }
    }
    assert!(matches!(Replika::create(path("text"), &config()), Err(Error::Exists)));
}

#[test]
fn a_store_is_written_by_one_handle_and_read_by_none_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let writer = Replika::create(&path, &config()).unwrap();
    apply(&writer, &extract_of_day(1, &HELD)).unwrap();
    assert!(matches!(Replika::open(&path), Err(Error::Locked)));
    assert!(matches!(Replika::open_read_only(&path), Err(Error::Locked)));
    drop(writer);
    let readers = [Replika::open_read_only(&path).unwrap(), Replika::open_read_only(&path).unwrap()];
    assert!(matches!(Replika::open(&path), Err(Error::Locked)));
    assert!(matches!(apply(&readers[0], &extract_of_day(2, &HELD)), Err(Error::ReadOnly)));
    assert_eq!(readers[1].snapshot().known().0, 1);
}

#[test]
fn what_fits_no_family_is_not_told_as_another_one() {
    let family = Family::named("full");
    let replika = Replika::in_memory(&Config { family, ..Config::default() }).unwrap();
    for (bytes, kind) in [(&b""[..], "empty"), (&b"\x00\xffnothing of the kind\n"[..], "truncated")] {
        let refused = replika.apply(Cursor::new(bytes), &ApplyOptions::named("odd")).unwrap_err();
        assert_eq!(refused.kind(), kind);
    }
}
