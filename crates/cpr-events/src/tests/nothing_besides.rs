//! What a change is, and that it is nothing besides: every event of it, in its order.

use super::{ALIVE, ANNA, BO, ELDER, HOME, HOME_REWRITTEN, LEFT, MARRIED, NAMED, NEWBORN, events, related, told};

const OTHER_NUMBER: &str = "6101801232";
const GIVEN_UP: &str = "person STATUS=60 PNRGAELD=6101801232 SLUT_DT-PERSON=20260102";
const CHANGED: &str = "person STATUS=1 PNRGAELD=6101801232 SLUT_DT-PERSON=20260102";
const PROTECTED: &str = "protection START_DT-BESKYTTELSE=20260102 BESKYTTYPE=1";
const CHURCH: &str = "church START_DT-FOLKEKIRKE=20200102 FKIRK=F";

struct Case {
    what: &'static str,
    before: &'static [&'static str],
    after: &'static [&'static str],
    causes: &'static [&'static str],
    told: &'static [&'static str],
}

fn check(cases: &[Case]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|case| (case, told(case.before, case.after, case.causes)))
        .filter(|(case, told)| told != case.told)
        .map(|(case, told)| format!("{}: {told:#?}", case.what))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn who_dies_abroad_or_after_a_disappearance_neither_came_nor_was_found() {
    const DEAD: &str = "person STATUS=90 STATUSHAENSTART=202601030900";
    const STANDS_ABROAD: &str = "emigration UDRDTO=202501020900 UDR_LANDEKOD=5104";
    const STANDS_MISSING: &str = "disappearance FORSVINDDTO=202501020900";
    check(&[
        Case {
            what: "abroad",
            before: &["person STATUS=80", STANDS_ABROAD],
            after: &[DEAD, STANDS_ABROAD],
            causes: &["A21"],
            told: &["died A21 (person) 2026-01-03 09:00"],
        },
        Case {
            what: "missing",
            before: &["person STATUS=70", STANDS_MISSING],
            after: &[DEAD, STANDS_MISSING],
            causes: &["A21"],
            told: &["died A21 (person) 2026-01-03 09:00"],
        },
        Case {
            what: "a death is dated by the status, not by the address that ends with it",
            before: &[ALIVE, HOME],
            after: &[DEAD, LEFT],
            causes: &[],
            told: &["died - (person address) 2026-01-03 09:00"],
        },
        Case {
            what: "a death explains the person's row, whatever it says of the parents",
            before: &["person STATUS=1 PNRMOR=6202791235"],
            after: &["person STATUS=90 PNRMOR=6202791236"],
            causes: &[],
            told: &["died - (person) -"],
        },
    ]);
}

#[test]
fn an_annulled_row_of_residence_is_no_move_unless_a_record_says_so() {
    const ABROAD: &str = "emigration UDRDTO=202501020900 UDR_LANDEKOD=5104";
    const NEVER: &str = "was emigration UDRDTO=202501020900 ANNKOR=A UDR_LANDEKOD=5104";
    const BACK: &str = "was emigration UDRDTO=202501020900 INDRDTO=202601020900 UDR_LANDEKOD=5104 INDR_LANDEKOD=5104";
    const CORRECTED: &str = "was address TILFLYDTO=200001011200 FRAFLYDTO=200001011200 ANNKOR=K KOMKOD=101 VEJKOD=42";
    const NEW: &str = "address TILFLYDTO=202601020900 KOMKOD=751 VEJKOD=7";
    let corrected = |code: &str| format!("address_corrected {code} (person address emigration) 2000-01-01 12:00");
    let kinds = |before: &[&str], after: &[&str], causes: &[&str]| -> Vec<String> {
        let told = told(before, after, causes);
        told.iter().map(|event| event.split(" (").next().unwrap_or_default().to_owned()).collect()
    };
    let (gone, here) = (["person STATUS=80", ABROAD], [ALIVE, HOME]);
    assert_eq!(told(&gone, &[here[0], here[1], NEVER], &["A10"]), [corrected("A10")]);
    assert_eq!(told(&gone, &[here[0], here[1], NEVER], &[]), [corrected("-")]);
    assert_eq!(kinds(&gone, &[here[0], here[1], NEVER], &["A04"]), ["immigrated A04"]);
    assert_eq!(told(&gone, &[here[0], here[1], BACK], &["A10"])[0].split(' ').next(), Some("address_corrected"));
    assert_eq!(kinds(&gone, &[here[0], here[1], BACK], &[]), ["immigrated -"]);
    // The same of an address: a correction only, or a move too.
    assert_eq!(kinds(&here, &[ALIVE, NEW, CORRECTED], &["A09"]), ["address_corrected A09"]);
    assert_eq!(kinds(&here, &[ALIVE, NEW, LEFT], &["A09"]), ["address_corrected A09"]);
    let both = ["address_corrected A09", "moved_out A01", "moved_in A01"];
    assert_eq!(kinds(&here, &[ALIVE, NEW, LEFT], &["A09", "A01"]), both);
    // Who lived nowhere comes to a municipality and leaves none.
    assert_eq!(kinds(&[ALIVE], &[ALIVE, NEW], &["A01"]), ["moved_in A01"]);
}

#[test]
fn of_a_number_what_moved_is_explained_and_what_else_changed_is_not() {
    const CHILD: &str = "child PNRBARN=6101260017";
    check(&[
        Case {
            what: "a number that is given up loses its rows and its protection",
            before: &[ALIVE, CHILD, PROTECTED],
            after: &[GIVEN_UP],
            causes: &["P03"],
            told: &["number_changed P03 (person protection child) 2026-01-02 00:00"],
        },
        Case {
            what: "an address that is written anew beside it",
            before: &[ALIVE, HOME],
            after: &[CHANGED, HOME_REWRITTEN],
            causes: &[],
            told: &["number_changed - (person) 2026-01-02 00:00", "other - (address) 2000-01-01 12:00"],
        },
        Case {
            what: "an old child that has another number",
            before: &[ALIVE, CHILD],
            after: &[ALIVE, "child PNRBARN=6101260025"],
            causes: &["P03/MO"],
            told: &["number_changed P03/MO (child) -"],
        },
        Case {
            what: "a newborn that has another number",
            before: &[ALIVE, "child PNRBARN=6101264018"],
            after: &[ALIVE, "child PNRBARN=6101264026"],
            causes: &["P03/MO"],
            told: &["number_changed P03/MO (child) -"],
        },
    ]);
    let given_up = events(&[ALIVE, CHILD], &[GIVEN_UP], &["P03"]);
    assert_eq!(related(&given_up[0]), [OTHER_NUMBER], "what it lost is not about others");
}

#[test]
fn custody_is_renumbered_where_all_but_the_number_stands_as_it_stood() {
    let custody = |kind: u8, number: &str, set_by: u16| {
        let start = "START_DT-FORÆLDREMYN=20200102 RELTYP-FORÆLDREMYN";
        format!("custody {start}={kind} RELPNR={number} START_MYNKOD-FORÆLDREMYN={set_by}")
    };
    let told = |after: &str| told(&[ALIVE, &custody(3, BO, 101)], &[ALIVE, after], &["P03/MO"]);
    let renumbered = ["number_changed P03/MO (custody) -"];
    assert_eq!(told(&custody(3, ELDER, 101)), renumbered);
    assert_eq!(told(&custody(3, ELDER, 751)), renumbered, "who registered it says nothing");
    let another = ["other P03/MO () -", "custody_changed - (custody) 2020-01-02 00:00"];
    assert_eq!(told(&custody(4, ELDER, 101)), another);
}

#[test]
fn children_come_one_by_one_and_a_blank_number_is_no_child() {
    const NEW_CHILD: &str = "child PNRBARN=6101264018";
    const OLD_CHILD: &str = "child PNRBARN=6101260017";
    check(&[
        Case {
            what: "one born and one recorded",
            before: &[ALIVE],
            after: &[ALIVE, NEW_CHILD, OLD_CHILD],
            causes: &[],
            told: &["child_born - (child) -", "child_recorded - (child) -"],
        },
        Case {
            what: "a blank number of somebody who was not held",
            before: &[],
            after: &[ALIVE, "child PNRBARN=0"],
            causes: &["A36/MO"],
            told: &["other A36/MO () -", "created - (person child) -"],
        },
        Case {
            what: "a newborn of whom no parent is told",
            before: &[],
            after: &["person STATUS=1 FOED_DT=20260105"],
            causes: &["A36"],
            told: &["other A36 () -", "created - (person) -"],
        },
    ]);
    assert_eq!(NEW_CHILD.split('=').nth(1), Some(NEWBORN));
}

#[test]
fn a_name_is_given_once_and_a_record_says_what_the_rows_leave_open() {
    const SPELT: &str = "name NVNHAENSTART=202001020900 FORNVN=Maya EFTERNVN=Dam";
    check(&[
        Case {
            what: "still no name",
            before: &[ALIVE, "name FORNVN_MRK=*"],
            after: &[ALIVE, "name FORNVN_MRK=+"],
            causes: &[],
            told: &["other - (name) -"],
        },
        Case {
            what: "a first name, whatever the code",
            before: &[ALIVE, "name FORNVN_MRK=*"],
            after: &[ALIVE, NAMED],
            causes: &["A13"],
            told: &["other A13 () -", "name_given - (name) 2020-01-02 09:00"],
        },
        Case {
            what: "no other name",
            before: &[ALIVE, NAMED],
            after: &[ALIVE, NAMED],
            causes: &["A13"],
            told: &["other A13 () -"],
        },
        Case {
            what: "another spelling without a mark",
            before: &[ALIVE, NAMED],
            after: &[ALIVE, SPELT],
            causes: &[],
            told: &["other - (name) 2020-01-02 09:00"],
        },
        Case {
            what: "the same, corrected by its record",
            before: &[ALIVE, NAMED],
            after: &[ALIVE, SPELT],
            causes: &["A16"],
            told: &["name_corrected A16 (name) 2020-01-02 09:00"],
        },
        Case {
            what: "the same, changed by its record",
            before: &[ALIVE, NAMED],
            after: &[ALIVE, SPELT],
            causes: &["A13"],
            told: &["name_changed A13 (name) 2020-01-02 09:00"],
        },
    ]);
}

#[test]
fn a_civil_status_differs_by_its_letter_spouse_or_date_and_not_by_the_name_of_the_spouse() {
    const NAMED_SPOUSE: &str = "civil_status HAENSTART-CIVILSTAND=200505051200 CIVST=G AEGTEPNR=6202791235 AEGTENVN=Bo";
    const OTHER_SPOUSE: &str = "civil_status HAENSTART-CIVILSTAND=200505051200 CIVST=G AEGTEPNR=6202791236";
    check(&[
        Case {
            what: "the name of the spouse",
            before: &[ALIVE, MARRIED],
            after: &[ALIVE, NAMED_SPOUSE],
            causes: &[],
            told: &["other - (civil_status) 2005-05-05 12:00"],
        },
        Case {
            what: "the spouse, without a mark",
            before: &[ALIVE, MARRIED],
            after: &[ALIVE, OTHER_SPOUSE],
            causes: &[],
            told: &["civil_status_changed - (civil_status) 2005-05-05 12:00"],
        },
    ]);
}

#[test]
fn a_protection_comes_or_goes_and_never_both_by_one_row() {
    const STOOD: &str = "protection START_DT-BESKYTTELSE=20250102 BESKYTTYPE=1";
    const ENDED: &str = "was protection START_DT-BESKYTTELSE=20250102 SLUT_DT-BESKYTTELSE=20260102 BESKYTTYPE=1";
    check(&[
        Case {
            what: "came",
            before: &[ALIVE],
            after: &[ALIVE, PROTECTED],
            causes: &[],
            told: &["protected - (protection) 2026-01-02 00:00"],
        },
        Case {
            what: "became history",
            before: &[ALIVE, STOOD],
            after: &[ALIVE, ENDED],
            causes: &[],
            told: &["unprotected - (protection) 2026-01-02 00:00"],
        },
        Case {
            what: "went, and another row came",
            before: &[ALIVE, STOOD],
            after: &[ALIVE, CHURCH],
            causes: &[],
            told: &["unprotected - (protection) -", "other - (church) 2020-01-02 00:00"],
        },
    ]);
}

#[test]
fn a_row_that_goes_while_none_comes_is_told() {
    check(&[Case {
        what: "the church",
        before: &[ALIVE, CHURCH],
        after: &[ALIVE],
        causes: &[],
        told: &["other - (church) -"],
    }]);
}

#[test]
fn who_is_new_is_related_to_all_that_the_rows_name() {
    let created = events(&[], &[ALIVE, MARRIED, "child PNRBARN=6101260017"], &[]);
    assert_eq!(related(&created[0]), [ELDER, BO]);
    assert!(!related(&created[0]).contains(&ANNA));
}
