//! Small differences, each with the classes that docs/changes.md tells of it. The reference beside it reads starts, ends
//! and what rows say as the classification does; here it is said what these are.

use crate::test_rows::{Row, facts, packed};
use crate::{ChangeClass, Date, Situation, Timestamp, classify};

/// What is told of a difference: class, row before, row after.
type Told = (ChangeClass, Option<usize>, Option<usize>);

/// The day of the delivery before, and the moment before which history need no longer come.
fn situation() -> Situation {
    Situation {
        held_before: true,
        previous_production: Date::from_digits(2026_01_02),
        window: Timestamp::from_digits(2021_01_01_00_00),
    }
}

fn told(before: &[&str], after: &[&str], situation: Situation) -> Vec<Told> {
    let (before, after) = (packed(before), packed(after));
    let apart = |these: &[Row], those: &[Row]| -> Vec<usize> {
        (0..these.len()).filter(|&at| !those.contains(&these[at])).collect()
    };
    let (gone, came) = (apart(&before, &after), apart(&after, &before));
    let changes = classify(&facts(&before), &facts(&after), &gone, &came, situation);
    changes.iter().map(|change| (change.class, change.before, change.after)).collect()
}

fn check(before: &[&str], after: &[&str], expected: &[Told]) {
    assert_eq!(told(before, after, situation()), expected, "{before:?} to {after:?}");
}

use ChangeClass::{AgedOut, Annulled, Corrected, Ended, LateReport, MovedNumber, New, Rewritten, Technical};

#[test]
fn who_moves_ends_one_address_and_begins_another_and_its_text_is_of_the_same_class() {
    let before = ["address TILFLYDTO=202001011200 KOMKOD=101 VEJKOD=7", "formatted_address STANDARDADR=Skovvej"];
    let was = "was address TILFLYDTO=202001011200 FRAFLYDTO=202601051200 KOMKOD=101 VEJKOD=7";
    for (class, to) in [(New, "202601051200"), (New, "202601020000"), (LateReport, "202601012359")] {
        let after =
            [was, &format!("address TILFLYDTO={to} KOMKOD=751 VEJKOD=8"), "formatted_address STANDARDADR=Strandvej"];
        check(&before, &after, &[(class, None, Some(1)), (Ended, Some(0), Some(0)), (class, Some(1), Some(2))]);
    }
    // Abroad and disappeared are residences too, and a name is none: it is asked behind them.
    for (residence, class) in [
        ("emigration UDRDTO=202601051200 UDR_LANDEKOD=5130", New),
        ("emigration UDRDTO=202501051200 UDR_LANDEKOD=5130", LateReport),
        ("disappearance FORSVINDDTO=202501051200", LateReport),
        ("citizenship HAENSTART-STATSBORGERSKAB=202501051200 LANDEKOD=5130", New),
    ] {
        let name = "name NVNHAENSTART=202601051200 FORNVN=Sofie";
        let after = [residence, name, "formatted_address STANDARDADR=Strandvej"];
        let changes = told(&[before[1]], &after, situation());
        assert!(changes.contains(&(class, Some(0), Some(2))), "{residence}: {changes:?}");
    }
    check(&[before[1]], &["formatted_address STANDARDADR=Strandvej"], &[(Rewritten, Some(0), Some(0))]);
}

#[test]
fn a_row_that_holds_the_version_of_before_says_what_became_of_it() {
    let before = ["name NVNHAENSTART=202001011200 FORNVN=Sofie EFTERNVN=Bang"];
    let marked = |mark| format!("was name NVNHAENSTART=202001011200 ANNKOR={mark} FORNVN=Sofie EFTERNVN=Bang");
    for (mark, class) in [("K", Corrected), ("Æ", Technical)] {
        // The right version holds the same start, or, as the current row, another one.
        for start in ["202001011200", "202101011200"] {
            let right = format!("name NVNHAENSTART={start} FORNVN=Sofia EFTERNVN=Bang");
            check(&before, &[&marked(mark), &right], &[(class, Some(0), Some(1)), (class, None, Some(0))]);
        }
        check(&before, &[&marked(mark)], &[(class, Some(0), Some(0))]);
    }
    // What was annulled has no right version; what stands again is annulled with it, and a new start is not.
    let again = "name FORNVN=Sofia EFTERNVN=Bang";
    check(&before, &[&marked("A"), again], &[(Annulled, None, Some(1)), (Annulled, Some(0), Some(0))]);
    let new = "name NVNHAENSTART=202601051200 FORNVN=Sofia EFTERNVN=Bang";
    check(&before, &[&marked("A"), new], &[(New, None, Some(1)), (Annulled, Some(0), Some(0))]);
    // Without a mark it says nothing of the kind, however short it is; but of a church row, which has no field for one.
    for (row, class) in [
        ("was name NVNHAENSTART=202501011200 NVNHAENSLUT=202501011200 FORNVN=Sofie", LateReport),
        ("was church START_DT-FOLKEKIRKE=20250101 SLUT_DT-FOLKEKIRKE=20250102 FKIRK=F", LateReport),
        ("was church START_DT-FOLKEKIRKE=20250101 SLUT_DT-FOLKEKIRKE=20250101 FKIRK=F", Corrected),
    ] {
        check(&[], &[row], &[(class, None, Some(0))]);
    }
    check(
        &["church START_DT-FOLKEKIRKE=20200101 FKIRK=F"],
        &[
            "was church START_DT-FOLKEKIRKE=20200101 SLUT_DT-FOLKEKIRKE=20200101 FKIRK=F",
            "church START_DT-FOLKEKIRKE=20200101 FKIRK=M",
        ],
        &[(Corrected, Some(0), Some(1)), (Corrected, None, Some(0))],
    );
}

#[test]
fn history_takes_the_place_of_history_of_the_same_start_or_the_same_end() {
    let was = |from: u32, to: u32, street: u32, mark: &str| {
        format!("was address TILFLYDTO={from}01011200 FRAFLYDTO={to}01011200 {mark}KOMKOD=101 VEJKOD={street}")
    };
    let (before, marked) = (was(2022, 2024, 7, ""), was(2022, 2024, 7, "ANNKOR=K "));
    for (from, to) in [(2022, 2023), (2023, 2024), (2022, 2024)] {
        let right = was(from, to, 8, "");
        check(&[&before], &[&marked, &right], &[(Corrected, None, Some(0)), (Corrected, Some(0), Some(1))]);
    }
    let elsewhere = was(2023, 2025, 8, "");
    check(&[&before], &[&marked, &elsewhere], &[(Corrected, Some(0), Some(0)), (LateReport, None, Some(1))]);
    // Without a mark: other values from the same start, and the same values between other bounds.
    check(&[&before], &[&was(2022, 2024, 8, "")], &[(Rewritten, Some(0), Some(0))]);
    check(&[&before], &[&was(2022, 2025, 8, "")], &[(Rewritten, Some(0), Some(0))]);
    check(&[&before], &[&was(2023, 2025, 7, "")], &[(Rewritten, Some(0), Some(0))]);
    check(&[&before], &[&was(2023, 2024, 8, "")], &[(Rewritten, Some(0), None), (LateReport, None, Some(0))]);
}

#[test]
fn what_a_person_has_several_of_is_compared_with_its_own_kind_alone() {
    for (before, other, same) in [
        ("protection START_DT-BESKYTTELSE=20240101 BESKYTTYPE=1", "BESKYTTYPE=2", "BESKYTTYPE=1"),
        ("note START_DT-NOTAT=20240101 NOTATNR=1", "NOTATNR=2", "NOTATNR=1"),
        ("custody START_DT-FORÆLDREMYN=20240101 RELTYP-FORÆLDREMYN=3", "RELTYP-FORÆLDREMYN=4", "RELTYP-FORÆLDREMYN=3"),
        ("municipal_condition START_DT-KOMMUNALE-FORHOLD=20240101 KOMFORHTYP=1", "KOMFORHTYP=2", "KOMFORHTYP=1"),
        ("election START_DT-VALGOPLYSNINGER=20240101 VALGKODE=1", "VALGKODE=2", "VALGKODE=1"),
    ] {
        let head = before.rsplit_once(' ').expect("start and kind").0.replace("20240101", "20250101");
        let (other, same) = (format!("{head} {other}"), format!("{head} {same}"));
        check(&[before], &[&other], &[(Ended, Some(0), None), (LateReport, None, Some(0))]);
        check(&[before], &[&same], &[(LateReport, Some(0), Some(0))]);
    }
    check(
        &["child PNRBARN=6101101231"],
        &["child PNRBARN=6101121233"],
        &[(Ended, Some(0), None), (New, None, Some(0))],
    );
}

#[test]
fn what_an_end_brings_and_who_registered_a_row_is_no_part_of_what_it_says() {
    for (before, after) in [
        (
            "emigration UDRDTO=202201011200 UDR_LANDEKOD=5130",
            "was emigration UDRDTO=202201011200 INDRDTO=202601051200 UDR_LANDEKOD=5130 INDR_LANDEKOD=5140 INDRDTO_UMRK=*",
        ),
        (
            "name NVNHAENSTART=202201011200 FORNVN=Sofie START_MYNKOD-NAVNE=101 NVN_TS=202201011201",
            "was name NVNHAENSTART=202201011200 NVNHAENSLUT=202601051200 FORNVN=Sofie START_MYNKOD-NAVNE=751 HAENSLUT_UMRK-NAVNE=* NVN_TS=202601051201",
        ),
        (
            "address TILFLYDTO=202201011200 KOMKOD=101 VEJKOD=7 CONVN=Bang",
            // History may come without what its record does not carry.
            "was address TILFLYDTO=202201011200 FRAFLYDTO=202601051200 KOMKOD=101 VEJKOD=7 FRAFLYDTO_UMRK=*",
        ),
    ] {
        check(&[before], &[after], &[(Ended, Some(0), Some(0))]);
        // And back: it is so again, without a mark that says why.
        check(&[after], &[before], &[(Rewritten, Some(0), Some(0))]);
    }
    // Another start, or another value, is another row.
    let before = "name NVNHAENSTART=202201011200 FORNVN=Sofie";
    for after in [
        "was name NVNHAENSTART=202201021200 NVNHAENSLUT=202601051200 FORNVN=Sofie",
        "was name NVNHAENSTART=202201011200 NVNHAENSLUT=202601051200 FORNVN=Sofia",
        "was name NVNHAENSTART=202201011200 NVNHAENSLUT=202601051200 FORNVN=Sofie MELNVN=Bang",
    ] {
        check(&[before], &[after], &[(Ended, Some(0), None), (LateReport, None, Some(0))]);
    }
}

#[test]
fn history_ages_out_of_the_window_unless_what_came_says_otherwise_of_its_time() {
    let was = |from: u32, to: &str, street: u32| {
        format!("was address TILFLYDTO={from}01011200 FRAFLYDTO={to} KOMKOD=101 VEJKOD={street}")
    };
    let now = "address TILFLYDTO=202201011200 KOMKOD=101 VEJKOD=9";
    check(&[now, &was(2010, "202101010000", 7)], &[now], &[(AgedOut, Some(1), None)]);
    check(&[now, &was(2010, "202101010001", 7)], &[now], &[(Rewritten, Some(1), None)]);
    // A row that came and holds at the same time, of whatever kind of residence.
    let old = was(2010, "201501011200", 7);
    for (came, class, gone) in [
        ("was emigration UDRDTO=201401011200 INDRDTO=202201011200", LateReport, Rewritten),
        ("was emigration UDRDTO=201501011200 INDRDTO=202201011200", LateReport, AgedOut),
        ("was name NVNHAENSTART=201401011200 NVNHAENSLUT=202201011200 FORNVN=Sofie", LateReport, AgedOut),
    ] {
        let changes = told(&[now, &old], &[now, came], situation());
        assert!(
            changes.contains(&(class, None, Some(1))) && changes.contains(&(gone, Some(1), None)),
            "{came}: {changes:?}"
        );
    }
    // What came ends where it begins, or came in the place of another one and claims no more than that did.
    let before = was(2018, "201901011200", 7);
    check(&[&before], &[&was(2016, "201801011200", 8)], &[(AgedOut, Some(0), None), (LateReport, None, Some(0))]);
    let (over, right) = (was(2017, "201901011200", 7), was(2016, "201801011200", 9));
    check(
        &[&was(2016, "201801011200", 8), &over],
        &[&right],
        &[(AgedOut, Some(1), None), (Rewritten, Some(0), Some(0))],
    );
    // Whom a customer gets the whole history of, nothing ages out for.
    let all = Situation { window: None, ..situation() };
    assert_eq!(told(&[now, &old], &[now], all), [(Rewritten, Some(1), None)]);
}

#[test]
fn with_another_number_what_went_and_came_has_moved() {
    let (mine, given_up) = ("person STATUS=1", "person PNRGAELD=6202801235 STATUS=60");
    let address = "address TILFLYDTO=202001011200 KOMKOD=101 VEJKOD=7";
    let was = "was address TILFLYDTO=202001011200 FRAFLYDTO=202601051200 KOMKOD=101 VEJKOD=7";
    // The number that was given up: its residence ends with it, and what it no longer has is with the other one.
    check(
        &[mine, address, "child PNRBARN=6101101231"],
        &[given_up, was],
        &[(MovedNumber, Some(0), Some(0)), (MovedNumber, Some(1), Some(1)), (MovedNumber, Some(2), None)],
    );
    // The number in force: what began before the last delivery came with the other number, and what is new is new.
    let tie = "former_number START_DT-PERSON=20100101 SLUT_DT-PERSON=20260105 PNR-GAMMELT=6202801235";
    let tie = tie.replacen("former_number", "was former_number", 1);
    check(
        &[mine],
        &[
            mine,
            &tie,
            "address TILFLYDTO=202601051200 KOMKOD=101 VEJKOD=7",
            "citizenship HAENSTART-STATSBORGERSKAB=202001011200 LANDEKOD=5100",
        ],
        &[(New, None, Some(2)), (MovedNumber, None, Some(3)), (MovedNumber, None, Some(1))],
    );
    // A number given up before the window does not come whether it is tied or not.
    let past = "was former_number START_DT-PERSON=20100101 SLUT_DT-PERSON=20200105 PNR-GAMMELT=6202801235";
    let late = "citizenship HAENSTART-STATSBORGERSKAB=202001011200 LANDEKOD=5100";
    check(&[mine, past], &[mine, late], &[(LateReport, None, Some(1)), (AgedOut, Some(1), None)]);
    // The same numbers in another order of rows are the same.
    let other = past.replace("6202801235", "6303801236").replace("20200105", "20250105");
    let past = past.replace("20200105", "20250105");
    check(&[mine, &past, &other], &[mine, &other, &past, late], &[(LateReport, None, Some(3))]);
}

#[test]
fn another_status_is_new_and_a_person_not_held_before_is_all_new() {
    check(&["person STATUS=1"], &["person STATUS=70"], &[(New, Some(0), Some(0))]);
    check(&["person STATUS=1"], &["person STATUS=1 STILLING=Smed"], &[(Rewritten, Some(0), Some(0))]);
    // Who is gone has no address any more: the text goes with the status.
    let before =
        ["person STATUS=1", "address TILFLYDTO=202001011200 KOMKOD=101", "formatted_address STANDARDADR=Skovvej"];
    check(
        &before,
        &["person STATUS=90", "formatted_address STANDARDADR=Strandvej"],
        &[(New, Some(0), Some(0)), (Ended, Some(1), None), (Rewritten, Some(2), Some(1))],
    );
    // Of whom only history of residences changed, or who stays, the status says nothing of the text.
    let (home, text) = (before[1], [before[2], "formatted_address STANDARDADR=Strandvej"]);
    let was = "was address TILFLYDTO=202001011200 FRAFLYDTO=202601051200 KOMKOD=101";
    let old = [
        "was address TILFLYDTO=201001011200 FRAFLYDTO=202201011200",
        "was address TILFLYDTO=201001011200 FRAFLYDTO=202301011200",
    ];
    for (before, after, class) in [
        ([home, home], [was, was], New),
        ([home, old[0]], [home, old[1]], Rewritten),
        ([home, home], [home, home], Rewritten),
    ] {
        let before = [&["person STATUS=1", text[0]], &before[..]].concat();
        let after = [
            &["person STATUS=90", "citizenship HAENSTART-STATSBORGERSKAB=202501011200 LANDEKOD=5100", text[1]],
            &after[..],
        ]
        .concat();
        let changes = told(&before, &after, situation());
        assert!(changes.contains(&(class, Some(1), Some(2))), "{after:?}: {changes:?}");
    }
    let first = Situation { held_before: false, ..situation() };
    let rows = [
        "person STATUS=1",
        "was name NVNHAENSTART=202001011200 ANNKOR=K FORNVN=Sofie",
        "address TILFLYDTO=202001011200",
    ];
    assert_eq!(told(&[], &rows, first).iter().map(|told| told.0).collect::<Vec<_>>(), [New; 3]);
}

#[test]
fn classes_are_printed_by_the_names_of_the_document() {
    let names: Vec<String> = ChangeClass::ALL.iter().map(ChangeClass::to_string).collect();
    let of_the_document = [
        "new",
        "late_report",
        "ended",
        "corrected",
        "annulled",
        "technical",
        "silently_rewritten",
        "aged_out",
        "moved_number",
    ];
    assert_eq!(names, of_the_document);
}
