//! What the engine answers about ordinary changes, the history window, record types, numbers and events.

use std::io::Cursor;

use cpr_replika::cpr_model::{Aspect, ChangeClass, Date, MunicipalityCode, Pnr};
use cpr_replika::{Allow, ApplyOptions, Config, DeliveryNumber, Fact, Holding, Query, Replika};
use expect_test::expect;

use crate::kit::{DAYS, Person, apply, config, date, day, extract, extract_of_day, group, moment, pnr, told, told_to};

const KARLA: &str = "6709610002";
const VIGGO: &str = "6907600001";
const FIRST: &str = "6309610006";
const SECOND: &str = "6309610014";
const THIRD: &str = "6309610022";

#[test]
fn a_move_is_a_new_address_and_the_end_of_the_one_before() {
    let before = "001 STATUS=01
        002 KOMKOD=0751, VEJKOD=0042, HUSNR=004, TILFLYDTO=202001011200
        003 ADRNVN=Karla Prøvesen, STANDARDADR=Foråret 4";
    let after = "001 STATUS=01
        002 KOMKOD=0751, VEJKOD=0042, HUSNR=009, TILFLYDTO=202601031200
        003 ADRNVN=Karla Prøvesen, STANDARDADR=Foråret 9
        023 KOMKOD=0751, VEJKOD=0042, HUSNR=004, TILFLYDTO=202001011200, FRAFLYDTO=202601031200";
    let told = told(&[&[(KARLA, before)], &[(KARLA, after)]]);
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            new address: - -> 002 202601031200..
            ended address: 002 202001011200.. -> 023 202001011200..202601031200
            new formatted_address: 003 -> 003 [STANDARDADR]
        "#]],
    );
    assert_eq!(told.residence(KARLA, "202601031159", 2), "0751 0042 004");
    assert_eq!(told.residence(KARLA, "202601031200", 2), "0751 0042 009");
    assert_eq!(told.residence(KARLA, "2026-01-04", 1), "0751 0042 004", "the move was not known yet");
}

#[test]
fn what_began_before_the_delivery_before_is_a_late_report() {
    let citizen = |country: &str, since: &str| {
        format!("001 STATUS=01\n010 LANDEKOD={country}, HAENSTART-STATSBORGERSKAB={since}")
    };
    let former = |until: &str| {
        format!("\n027 LANDEKOD=5180, HAENSTART-STATSBORGERSKAB=199001010000, HAENSLUT-STATSBORGERSKAB={until}")
    };
    let before = citizen("5180", "199001010000");
    for (since, class) in [("202601010000", "late_report"), ("202601020000", "new"), ("202601040000", "new")] {
        let told = told(&[&[(KARLA, &before)], &[(KARLA, &(citizen("5100", since) + &former(since)))]]);
        let changes = told.snapshot().diff(pnr(KARLA), DeliveryNumber(1), DeliveryNumber(2)).unwrap();
        let classes: Vec<&str> = changes.iter().map(|change| change.class.name()).collect();
        assert_eq!(classes, [class, "ended"], "a citizenship since {since}, delivery 1 being of 2026-01-02");
    }
}

#[test]
fn a_period_reported_afterwards_is_late_and_its_neighbours_are_rewritten() {
    let before = "001 STATUS=01
        002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=202001010000
        023 KOMKOD=0657, VEJKOD=0013, TILFLYDTO=199001010000, FRAFLYDTO=202001010000";
    let after = "001 STATUS=01
        002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=202001010000
        023 KOMKOD=0657, VEJKOD=0013, TILFLYDTO=199001010000, FRAFLYDTO=201001010000
        024 UDR_LANDEKOD=5180, UDRDTO=201001010000, INDR_LANDEKOD=5180, INDRDTO=202001010000";
    let told = told(&[&[(KARLA, before)], &[(KARLA, after)]]);
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            silently_rewritten address: 023 199001010000..202001010000 -> 023 199001010000..201001010000 [FRAFLYDTO]
            late_report emigration: - -> 024 201001010000..202001010000
        "#]],
    );
    assert_eq!(told.residence(KARLA, "2015-01-01", 1), "0657 0013");
    assert_eq!(told.residence(KARLA, "2015-01-01", 2), "abroad 5180 5180");
}

#[test]
fn past_rows_are_corrected_annulled_and_reshaped_by_their_marks() {
    let row = |mark: &str, street: &str, from: &str, to: &str| {
        format!("\n023 ANNKOR={mark}, KOMKOD=0751, VEJKOD={street}, TILFLYDTO={from}, FRAFLYDTO={to}")
    };
    let (a, b, c, d) = ("199001010000", "200001010000", "201001010000", "202001010000");
    let now = format!("001 STATUS=01\n002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO={d}");
    let before = now.clone() + &row("", "0001", a, b) + &row("", "0002", b, c) + &row("", "0003", c, d);

    let corrected = now.clone() + &row("", "0001", a, b) + &row("", "0009", b, c) + &row("", "0003", c, d);
    let told_corrected = told(&[&[(KARLA, &before)], &[(KARLA, &(corrected.clone() + &row("K", "0002", b, b)))]]);
    told_corrected.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            corrected address: 023 200001010000..201001010000 -> 023 200001010000..201001010000 [VEJKOD]
            corrected address: - -> 023K 200001010000..200001010000
        "#]],
    );
    let technical = told(&[&[(KARLA, &before)], &[(KARLA, &(corrected + &row("Æ", "0002", b, b)))]]);
    technical.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            technical address: 023 200001010000..201001010000 -> 023 200001010000..201001010000 [VEJKOD]
            technical address: - -> 023Æ 200001010000..200001010000
        "#]],
    );
    let annulled = now + &row("", "0001", a, c) + &row("", "0003", c, d) + &row("A", "0002", b, b);
    let told_annulled = told(&[&[(KARLA, &before)], &[(KARLA, &annulled)]]);
    told_annulled.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            silently_rewritten address: 023 199001010000..200001010000 -> 023 199001010000..201001010000 [FRAFLYDTO]
            annulled address: 023 200001010000..201001010000 -> 023A 200001010000..200001010000 [ANNKOR FRAFLYDTO]
        "#]],
    );
    for (told, street) in [(&told_corrected, "0009"), (&technical, "0009"), (&told_annulled, "0001")] {
        assert_eq!(told.residence(KARLA, "2005-01-01", 1), "0751 0002");
        assert_eq!(told.residence(KARLA, "2005-01-01", 2), format!("0751 {street}"));
    }
}

#[test]
fn a_row_corrected_and_ended_at_once_has_its_right_version_in_history() {
    let before = "001 STATUS=01\n002 KOMKOD=0751, VEJKOD=0042, HUSNR=004, TILFLYDTO=202001011200";
    let after = "001 STATUS=01
        002 KOMKOD=0657, VEJKOD=0013, TILFLYDTO=202601031200
        023 KOMKOD=0751, VEJKOD=0042, HUSNR=006, TILFLYDTO=202001011200, FRAFLYDTO=202601031200
        023 ANNKOR=K, KOMKOD=0751, VEJKOD=0042, HUSNR=004, TILFLYDTO=202001011200, FRAFLYDTO=202001011200";
    let told = told(&[&[(KARLA, before)], &[(KARLA, after)]]);
    let changes = told.snapshot().diff(pnr(KARLA), DeliveryNumber(1), DeliveryNumber(2)).unwrap();
    let of_move = changes.iter().find(|change| {
        change
            .after
            .as_ref()
            .is_some_and(|fact| !fact.as_fact().is_historic() && fact.as_fact().aspect() == Aspect::Address)
    });
    assert_eq!(of_move.unwrap().class.name(), "new", "the move of 3 January is no correction");
    assert_eq!(told.residence(KARLA, "2025-01-01", 2), "0751 0042 006");
}

#[test]
fn a_stay_abroad_begins_and_ends() {
    let home = "001 STATUS=01\n002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=202001011200";
    let left = "001 STATUS=80, STATUSHAENSTART=202601031200
        005 UDR_LANDEKOD=5180, UDRDTO=202601031200, UDLANDADR1=Beispielgasse 1
        023 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=202001011200, FRAFLYDTO=202601031200";
    let back = "001 STATUS=01
        002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=202601051200
        023 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=202001011200, FRAFLYDTO=202601031200
        024 UDR_LANDEKOD=5180, UDRDTO=202601031200, INDR_LANDEKOD=5182, INDRDTO=202601051200, UDLANDADR1=Beispielgasse 1";
    let told = told(&[&[(KARLA, home)], &[(KARLA, left)], &[(KARLA, back)]]);
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            new person: 001 -> 001 [STATUS STATUSHAENSTART]
            ended address: 002 202001011200.. -> 023 202001011200..202601031200
            new emigration: - -> 005 202601031200..
        "#]],
    );
    told.check_changes(
        KARLA,
        [2, 3],
        expect![[r#"
            new person: 001 -> 001 [STATUS STATUSHAENSTART]
            new address: - -> 002 202601051200..
            ended emigration: 005 202601031200.. -> 024 202601031200..202601051200
        "#]],
    );
    assert_eq!(told.residence(KARLA, "2026-01-04", 3), "abroad 5180 5182 Beispielgasse 1");
}

#[test]
fn a_church_row_without_length_tells_of_a_correction_for_want_of_a_mark() {
    let before = "001 STATUS=01\n011 FKIRK=F, START_DT-FOLKEKIRKE=1990-05-01";
    let after = "001 STATUS=01\n011 FKIRK=U, START_DT-FOLKEKIRKE=1990-05-01
        028 FKIRK=F, START_DT-FOLKEKIRKE=1990-05-01, SLUT_DT-FOLKEKIRKE=1990-05-01";
    let told = told(&[&[(KARLA, before)], &[(KARLA, after)]]);
    assert_eq!(told.timeline(KARLA, Aspect::Church, 2), ["199005010000.. U"]);
    let changes = told.snapshot().diff(pnr(KARLA), DeliveryNumber(1), DeliveryNumber(2)).unwrap();
    let classes: Vec<&str> = changes.iter().map(|change| change.class.name()).collect();
    assert!(!classes.contains(&"ended"), "no membership came to an end: {classes:?}");
}

#[test]
fn neighbours_that_say_the_same_are_one_stretch_of_the_timeline() {
    let rows = "001 STATUS=01
        002 KOMKOD=0751, VEJKOD=0042, HUSNR=004, TILFLYDTO=202001010000
        023 KOMKOD=0751, VEJKOD=0042, HUSNR=004, TILFLYDTO=200001010000, FRAFLYDTO=202001010000
        023 KOMKOD=0657, VEJKOD=0013, TILFLYDTO=199001010000, FRAFLYDTO=200001010000";
    let told = told(&[&[(KARLA, rows)]]);
    assert_eq!(
        told.timeline(KARLA, Aspect::Address, 1),
        ["199001010000..200001010000 0657 0013", "200001010000.. 0751 0042 004"]
    );
}

#[test]
fn a_current_address_joins_the_same_one_before_it_whatever_only_002_can_state() {
    let rows = "001 STATUS=01
        002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=202001010000, TILFLYKOMDTO=200001010000, FRAFLYKOMKOD=0657
        023 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=200001010000, FRAFLYDTO=202001010000";
    assert_eq!(told(&[&[(KARLA, rows)]]).timeline(KARLA, Aspect::Address, 1).len(), 1);
}

#[test]
fn a_row_that_leaves_the_history_window_is_no_change_of_belief() {
    let window = Config { window_years: 5, ..config() };
    let now = "001 STATUS=01\n002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=202301010000";
    // It ends on 3 January 2021: inside the window of 2 January 2026, outside that of 5 January.
    let aging = "\n023 KOMKOD=0657, VEJKOD=0013, TILFLYDTO=199001010000, FRAFLYDTO=202101030000";
    let inside = "\n023 KOMKOD=0657, VEJKOD=0077, TILFLYDTO=202101030000, FRAFLYDTO=202301010000";
    let all = now.to_owned() + aging + inside;
    let told = told_to(&window, &[&[(KARLA, &all)], &[(KARLA, now)], &[(KARLA, now)]]);
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            silently_rewritten address: 023 202101030000..202301010000 -> -
            aged_out address: 023 199001010000..202101030000 -> 023 199001010000..202101030000
        "#]],
    );
    told.check_changes(KARLA, [2, 3], expect![""]);
    told.check_history(
        KARLA,
        Aspect::Address,
        expect![[r#"
            known 1.. 023 199001010000..202101030000 0657 0013
            known 1..2 023 202101030000..202301010000 0657 0077
            known 1.. 002 202301010000.. 0751 0042
        "#]],
    );
    for known in [2, 3] {
        assert_eq!(told.residence(KARLA, "2000-01-01", known), "0657 0013", "it stays known");
        assert_eq!(
            told.residence(KARLA, "2022-01-01", known),
            "nowhere",
            "what vanished inside the window was taken back"
        );
        assert_eq!(group(&told.snapshot(), KARLA, known).unwrap().len(), 2, "CPR no longer sends it");
    }
    assert_eq!(told.residence(KARLA, "2022-01-01", 1), "0657 0077");
    assert_eq!(told.reports[1].delivery.counts.facts_superseded, 1);
}

#[test]
fn the_window_ends_at_midnight_of_the_production_date_years_before() {
    let window = Config { window_years: 5, ..config() };
    let row = |end: &str| format!("001 STATUS=01\n027 LANDEKOD=5180, HAENSLUT-STATSBORGERSKAB={end}");
    for (end, class) in [("202101050000", "aged_out"), ("202101050001", "silently_rewritten")] {
        let told = told_to(&window, &[&[(KARLA, &row(end))], &[(KARLA, "001 STATUS=01")]]);
        let changes = told.snapshot().diff(pnr(KARLA), DeliveryNumber(1), DeliveryNumber(2)).unwrap();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].class.name(), class, "an end of {end}, delivery 2 being of 2026-01-05");
    }
}

#[test]
fn an_aged_row_that_comes_again_is_the_same_fact() {
    let window = Config { window_years: 5, ..config() };
    let all = "001 STATUS=01\n027 LANDEKOD=5180, HAENSLUT-STATSBORGERSKAB=202101030000";
    let told = told_to(&window, &[&[(KARLA, all)], &[(KARLA, "001 STATUS=01")], &[(KARLA, all)]]);
    told.check_changes(KARLA, [1, 3], expect![""]);
    told.check_history(
        KARLA,
        Aspect::Citizenship,
        expect![[r#"
            known 1.. 027 ..202101030000 5180
        "#]],
    );
}

#[test]
fn a_record_type_not_chosen_is_unknown_and_a_chosen_one_without_a_row_is_none() {
    let chosen = Config { chosen: Some(vec![1, 2, 4, 5, 23, 99]), ..config() };
    let told = told_to(&chosen, &[&[(KARLA, "001 STATUS=01\n002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=202001010000")]]);
    let holding = |aspect| told.snapshot().holding(pnr(KARLA), aspect, None).unwrap();
    assert_eq!(holding(Aspect::Address), Holding::Held);
    assert_eq!(holding(Aspect::Protection), Holding::None);
    assert_eq!(holding(Aspect::Emigration), Holding::None);
    for aspect in [Aspect::Name, Aspect::CivilStatus, Aspect::Parents, Aspect::FormattedAddress, Aspect::Custody] {
        assert_eq!(holding(aspect), Holding::Unknown, "{aspect:?}");
    }
}

#[test]
fn of_a_person_not_held_nothing_can_be_said() {
    let told = told(&[&[(KARLA, "001 STATUS=01")]]);
    let snapshot = told.snapshot();
    assert!(snapshot.person(pnr(VIGGO)).unwrap().is_none());
    assert!(snapshot.as_of(pnr(VIGGO), None, None).unwrap().is_none());
    assert!(snapshot.group(pnr(VIGGO), None).unwrap().is_none());
    assert!(snapshot.history(pnr(VIGGO), Aspect::Name).unwrap().is_empty());
    assert_eq!(snapshot.holding(pnr(VIGGO), Aspect::Protection, None).unwrap(), Holding::Unknown, "not: unprotected");
}

#[test]
fn a_person_that_stops_coming_stays_as_last_delivered() {
    let told = told(&[&[(KARLA, "001 STATUS=01\n011 FKIRK=F"), (VIGGO, "001 STATUS=01")], &[(VIGGO, "001 STATUS=90")]]);
    assert_eq!(group(&told.snapshot(), KARLA, 2), group(&told.snapshot(), KARLA, 1));
    told.check_changes(KARLA, [1, 2], expect![""]);
    let changed = |known| told.snapshot().changes(DeliveryNumber(known)).unwrap().collect::<Vec<Pnr>>();
    assert_eq!(changed(1), [pnr(VIGGO), pnr(KARLA)], "in the order of birth");
    assert_eq!(changed(2), [pnr(VIGGO)]);
}

#[test]
fn a_delivery_without_a_difference_changes_nothing_and_nobody() {
    let told =
        told(&[&[(KARLA, "001 STATUS=01\n011 FKIRK=F")], &[(KARLA, "001 STATUS=01\n011 FKIRK=F\n099 HAENDELSE=A74")]]);
    let counts = &told.reports[1].delivery.counts;
    assert_eq!((counts.persons_unchanged, counts.persons_changed, counts.facts_kept), (1, 0, 2));
    assert_eq!(told.snapshot().changes(DeliveryNumber(2)).unwrap().count(), 0);
    assert_eq!(told.snapshot().person(pnr(KARLA)).unwrap().unwrap().facts().next().unwrap().known().from, 1);
}

#[test]
fn a_chain_of_numbers_is_followed_both_ways_from_numbers_without_records_too() {
    // Only the number in the middle is held: it says what it was before, and what it became.
    let middle = format!(
        "001 PNRGAELD={THIRD}, STATUS=60, START_DT-PERSON=1990-01-01, SLUT_DT-PERSON=2025-12-01
        022 PNR={FIRST}, START_DT-PERSON=1961-09-03, SLUT_DT-PERSON=1990-01-01"
    );
    let told = told(&[&[(SECOND, &middle), (KARLA, "001 STATUS=01")]]);
    let chain = format!("{FIRST} 1961-09-03..1990-01-01, {SECOND}+ 1990-01-01..2025-12-01, [{THIRD}] ..");
    for asked in [FIRST, SECOND, THIRD] {
        assert_eq!(told.numbers(asked, 1).as_deref(), Some(&*chain));
    }
    assert_eq!(told.numbers(KARLA, 1).unwrap(), format!("[{KARLA}]+ .."), "a number alone is its own chain");
    assert_eq!(told.numbers(VIGGO, 1), None, "a number that no record knows");
}

#[test]
fn a_chain_is_that_of_the_delivery_asked_for() {
    // Two numbers of one human being, joined (P02) and parted again (P43).
    let alone = "001 STATUS=01";
    let kept = format!("001 STATUS=01\n022 PNR={FIRST}, SLUT_DT-PERSON=2026-01-04");
    let gone = format!("001 PNRGAELD={SECOND}, STATUS=50, SLUT_DT-PERSON=2026-01-04");
    let told = told(&[
        &[(FIRST, alone), (SECOND, alone)],
        &[(FIRST, &gone), (SECOND, &kept)],
        &[(FIRST, alone), (SECOND, alone)],
    ]);
    let joined = format!("{FIRST}+ ..2026-01-04, [{SECOND}]+ ..");
    for asked in [FIRST, SECOND] {
        let own = format!("[{asked}]+ ..");
        assert_eq!(told.numbers(asked, 1).as_deref(), Some(&*own), "before");
        assert_eq!(told.numbers(asked, 2).as_deref(), Some(&*joined), "joined");
        assert_eq!(told.numbers(asked, 3).as_deref(), Some(&*own), "parted");
    }
}

#[test]
fn a_chain_is_followed_to_its_end_however_many_numbers_are_tied_into_it() {
    // Each number was given up for the next, and all but the last for the last, too, by its 022.
    const LINKS: usize = 1500;
    let numbers: Vec<String> = (0..LINKS).map(|at| format!("61{:02}60{:04}", at % 12 + 1, 1000 + at)).collect();
    let rows = |at: usize| match numbers.get(at + 1) {
        Some(next) => format!("001 PNRGAELD={next}, STATUS=60"),
        None => (0..LINKS - 1)
            .map(|at| format!("\n022 PNR={}", numbers[at]))
            .fold("001 STATUS=01".to_owned(), |a, b| a + &b),
    };
    let rows: Vec<String> = (0..LINKS).map(rows).collect();
    let persons: Vec<Person<'_>> = numbers.iter().map(String::as_str).zip(rows.iter().map(String::as_str)).collect();
    let replika = Replika::in_memory(&config()).unwrap();
    apply(&replika, &extract_of_day(1, &persons)).unwrap();
    for asked in [0, LINKS / 2, LINKS - 1] {
        let chain = replika.snapshot().numbers(pnr(&numbers[asked]), None).unwrap().unwrap();
        assert_eq!(chain.current, Some(pnr(&numbers[LINKS - 1])));
        assert_eq!(chain.numbers.len(), LINKS);
        assert!(chain.numbers.iter().all(|number| number.held));
    }
    assert_eq!(replika.snapshot().erase_scope(&[pnr(&numbers[0])]).unwrap().numbers.len(), LINKS);
}

#[test]
fn where_numbers_lead_in_a_circle_the_one_asked_for_is_in_force() {
    let a = format!("001 PNRGAELD={SECOND}, STATUS=60");
    let b = format!("001 PNRGAELD={FIRST}, STATUS=60");
    let told = told(&[&[(FIRST, &a), (SECOND, &b)]]);
    assert_eq!(told.numbers(FIRST, 1).unwrap(), format!("[{FIRST}]+ .., {SECOND}+ .."));
    assert_eq!(told.numbers(SECOND, 1).unwrap(), format!("{FIRST}+ .., [{SECOND}]+ .."));
}

#[test]
fn a_number_in_force_that_names_no_other_is_its_own_whatever_another_says_of_it() {
    let alone = "001 STATUS=01";
    let kept = format!("001 STATUS=01\n022 PNR={FIRST}, SLUT_DT-PERSON=2025-12-04");
    let gone = format!("001 PNRGAELD={SECOND}, STATUS=50, SLUT_DT-PERSON=2025-12-04");
    // Only the number that was revived is delivered: the other still lists it.
    let told = told(&[&[(FIRST, &gone), (SECOND, &kept)], &[(FIRST, alone)]]);
    assert_eq!(told.numbers(FIRST, 2).unwrap(), format!("[{FIRST}]+ ..2025-12-04, {SECOND}+ .."));
    assert_eq!(told.numbers(SECOND, 2).unwrap(), format!("{FIRST}+ ..2025-12-04, [{SECOND}]+ .."));
}

#[test]
fn a_number_given_up_before_the_window_and_revived_is_another_persons() {
    let config = Config { window_years: 5, ..config() };
    let alone = "001 STATUS=01";
    let kept = format!("001 STATUS=01\n022 PNR={FIRST}, SLUT_DT-PERSON=2021-01-01");
    let gone = format!("001 PNRGAELD={SECOND}, STATUS=50, SLUT_DT-PERSON=2021-01-01");
    // From delivery 2 on the 022 is outside the window: it no longer comes, whether the two are one or not.
    let told = told_to(&config, &[&[(FIRST, &gone), (SECOND, &kept)], &[(SECOND, alone)], &[(FIRST, alone)]]);
    let joined = format!("{FIRST}+ ..2021-01-01, [{SECOND}]+ ..");
    assert_eq!(told.numbers(FIRST, 2).unwrap(), joined);
    assert_eq!(told.numbers(SECOND, 2).unwrap(), joined);
    for asked in [FIRST, SECOND] {
        assert_eq!(told.numbers(asked, 3).unwrap(), format!("[{asked}]+ .."), "parted");
    }
}

#[test]
fn a_delivery_counts_what_became_of_persons_and_of_their_rows() {
    let was = |from: &str, to: &str| {
        format!("023 KOMKOD=0751, VEJKOD=0042, TILFLYDTO={from}01011200, FRAFLYDTO={to}01011200")
    };
    let before = format!(
        "001 STATUS=01\n008 FORNVN=Karla\n002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=202001011200\n{}\n{}",
        was("2011", "2010"),
        was("2010", "2020"),
    );
    // She moved, and two more rows of history end before they begin.
    let after = format!(
        "001 STATUS=01\n008 FORNVN=Karla\n002 KOMKOD=0751, VEJKOD=0043, TILFLYDTO=202601021200\n{}\n{}\n{}\n{}",
        was("2011", "2010"),
        was("2010", "2020"),
        was("2013", "2012"),
        was("2015", "2014"),
    );
    let viggo = "001 STATUS=01";
    let told = told(&[&[(KARLA, &before), (VIGGO, viggo)], &[(KARLA, &after), (VIGGO, viggo)]]);
    let counts = |delivery: usize| {
        let counts = &told.reports[delivery - 1].delivery.counts;
        let persons = [counts.persons_new, counts.persons_changed, counts.persons_unchanged];
        let facts = [counts.facts_new, counts.facts_kept, counts.facts_superseded];
        (persons, facts, counts.inverted_periods)
    };
    assert_eq!(counts(1), ([2, 0, 0], [6, 0, 0], 1));
    assert_eq!(counts(2), ([0, 1, 1], [3, 5, 1], 2));
}

#[test]
fn a_number_in_force_is_tied_to_another_by_a_row_inside_the_window_alone() {
    let config = Config { window_years: 5, ..config() };
    let alone = "001 STATUS=01";
    // The window of delivery 1 ends with 1 January 2021.
    for (end, tied) in [("2021-01-02", false), ("2021-01-03", true), ("2021-06-01", true)] {
        let tie = format!("001 STATUS=01\n022 PNR={FIRST}, SLUT_DT-PERSON={end}");
        let told = told_to(&config, &[&[(FIRST, alone), (SECOND, &tie)]]);
        let numbers = told.numbers(SECOND, 1).unwrap();
        assert_eq!(numbers.contains(FIRST), tied, "{end}: {numbers}");
        assert_eq!(told.numbers(FIRST, 1).unwrap().contains(SECOND), tied, "{end}");
    }
    // One that is not held, or was replaced by whatever number, is in force nowhere else.
    let tie = format!("001 STATUS=01\n022 PNR={FIRST}, SLUT_DT-PERSON=2021-01-02");
    for persons in [&[(SECOND, &*tie)][..], &[(FIRST, "001 STATUS=60"), (SECOND, &tie)]] {
        let told = told_to(&config, &[persons]);
        assert!(told.numbers(SECOND, 1).unwrap().contains(FIRST), "{} persons", persons.len());
    }
}

#[test]
fn a_change_of_number_undone_outside_the_window_swaps_the_roles() {
    let config = Config { window_years: 1, ..config() };
    let home = "002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=201001010000";
    let alive = format!("001 STATUS=01\n{home}");
    let given_up = |other: &str| format!("001 PNRGAELD={other}, STATUS=60, SLUT_DT-PERSON=2021-01-01");
    // The 022 of either number is outside the window: only PNRGAELD says that the two are one.
    let told = told_to(
        &config,
        &[&[(FIRST, &given_up(SECOND)), (SECOND, &alive)], &[(FIRST, &alive), (SECOND, &given_up(FIRST))]],
    );
    for asked in [FIRST, SECOND] {
        assert_eq!(told.numbers(asked, 1).unwrap(), format!("{FIRST}+ ..2021-01-01, [{SECOND}]+ .."));
        assert_eq!(told.numbers(asked, 2).unwrap(), format!("[{FIRST}]+ .., {SECOND}+ ..2021-01-01"));
    }
    told.check_changes(
        FIRST,
        [1, 2],
        expect![[r#"
        moved_number person: 001 -> 001 [PNRGAELD STATUS SLUT_DT-PERSON]
        moved_number address: - -> 002 201001010000..
    "#]],
    );
    told.check_changes(
        SECOND,
        [1, 2],
        expect![[r#"
        moved_number person: 001 -> 001 [PNRGAELD STATUS SLUT_DT-PERSON]
        moved_number address: 002 201001010000.. -> -
    "#]],
    );
}

#[test]
fn history_outside_the_window_gives_way_to_what_a_later_row_says_of_its_time() {
    let config = Config { window_years: 1, ..config() };
    let lived = |street: &str, from: &str, to: &str| {
        format!("023 KOMKOD=0101, VEJKOD={street}, TILFLYDTO={from}, FRAFLYDTO={to}")
    };
    let lives = |street: &str, from: &str| format!("002 KOMKOD=0101, VEJKOD={street}, TILFLYDTO={from}");
    let (first, second) =
        (lived("0001", "201001010000", "202401010000"), lived("0002", "202401010000", "202501012359"));
    let before = format!("001 STATUS=01\n{}\n{second}\n{first}", lives("0003", "202501012359"));
    // The second row leaves the window at delivery 2. At delivery 3 the current address began earlier than was told.
    let moved = format!("001 STATUS=01\n{}", lives("0003", "202406010000"));
    let same = format!("001 STATUS=01\n{}", lives("0003", "202501012359"));
    for deliveries in [vec![before.as_str(), same.as_str(), moved.as_str()], vec![&before, &moved]] {
        let persons: Vec<[Person<'_>; 1]> = deliveries.iter().map(|rows| [(FIRST, *rows)]).collect();
        let deliveries: Vec<&[Person<'_>]> = persons.iter().map(|persons| &persons[..]).collect();
        let told = told_to(&config, &deliveries);
        let snapshot = told.snapshot();
        let image = snapshot.as_of(pnr(FIRST), None, None).unwrap().unwrap();
        let street = |fact: Fact<'_>| Some(fact.address()?.street_code()?.0);
        let streets: Vec<_> = image.all_facts().filter_map(street).collect();
        assert_eq!(streets, [3, 1], "the row that was contradicted is gone, the one before it stays");
        let now: Vec<_> = image.facts().filter_map(street).collect();
        assert_eq!(now, [3], "what ended is no address now");
        let changes = snapshot.diff(pnr(FIRST), DeliveryNumber(deliveries.len() as u32 - 1), snapshot.known()).unwrap();
        assert!(changes.iter().all(|change| change.class != ChangeClass::AgedOut || deliveries.len() == 2));
        assert!(image.residence(moment("202407010000")).is_some());
    }
}

#[test]
fn every_row_of_a_person_not_held_before_is_new() {
    let rows = "001 STATUS=01
        012 CIVST=U, HAENSTART-CIVILSTAND=000000000000
        029 ANNKOR=A, CIVST=G, HAENSTART-CIVILSTAND=200001010000, HAENSLUT-CIVILSTAND=200001010000";
    let told = told(&[&[(FIRST, rows)]]);
    let changes = told.snapshot().diff(pnr(FIRST), DeliveryNumber(0), DeliveryNumber(1)).unwrap();
    assert_eq!(changes.len(), 3);
    assert!(changes.iter().all(|change| change.class == ChangeClass::New));
}

/// Codes of a person's events with their deliveries, and since when they are complete.
fn events(replika: &Replika, number: &str) -> (Vec<(u32, String)>, Option<Date>) {
    let events = replika.snapshot().events(pnr(number)).unwrap();
    let told = events.events.iter().map(|event| (event.delivery.0, event.event().code().reveal().into_owned()));
    (told.collect(), events.complete_since)
}

#[test]
fn events_accumulate_and_say_since_when_they_are_complete() {
    let karla = |events: &str| "001 STATUS=01".to_owned() + events;
    let told = told(&[
        &[(KARLA, &karla("\n099 HAENDELSE=A01\n099 HAENDELSE=A02"))],
        &[(KARLA, &karla("\n099 HAENDELSE=A03")), (VIGGO, "001 STATUS=01\n099 HAENDELSE=A45")],
    ]);
    let code = |(delivery, code): (u32, &str)| (delivery, code.to_owned());
    let of_karla = [(1, "A01"), (1, "A02"), (2, "A03")].map(code).to_vec();
    assert_eq!(
        events(&told.replika, KARLA),
        (of_karla.clone(), Some(date(DAYS[0]))),
        "the day the first delta follows"
    );
    assert_eq!(events(&told.replika, VIGGO), (vec![(2, "A45".to_owned())], Some(date(DAYS[1]))));
    let of_viggo = told.snapshot().events(pnr(VIGGO)).unwrap().events;
    assert_eq!(format!("{:?}", of_viggo[0]), "Event (099) of delivery 2", "where from, not what");
    assert_eq!(events(&told.replika, FIRST), (Vec::new(), None), "not held");

    // The extract of day 3 never came.
    let late = extract_of_day(4, &[(KARLA, &karla("\n099 HAENDELSE=A05"))]);
    let allow = Allow { gap: true, ..Allow::default() };
    told.replika.apply(Cursor::new(&late), &ApplyOptions { allow, ..ApplyOptions::named("after a gap") }).unwrap();
    let of_karla = [of_karla, vec![(3, "A05".to_owned())]].concat();
    assert_eq!(events(&told.replika, KARLA), (of_karla, Some(date(DAYS[3]))), "complete only since the gap");
}

#[test]
fn events_are_complete_since_the_load() {
    let replika = Replika::in_memory(&config()).unwrap();
    let establishment = extract(DAYS[1], DAYS[1], &[(KARLA, "001 STATUS=01")]);
    replika.load(Cursor::new(&establishment), &ApplyOptions::named("establishment")).unwrap();
    assert_eq!(events(&replika, KARLA), (Vec::new(), Some(date(DAYS[1]))));
    apply(&replika, &extract_of_day(2, &[(KARLA, "001 STATUS=90\n099 HAENDELSE=A21")])).unwrap();
    assert_eq!(events(&replika, KARLA), (vec![(2, "A21".to_owned())], Some(date(DAYS[1]))));
}

#[test]
fn a_day_is_answered_by_the_last_delivery_produced_by_then() {
    let told = told(&[&[(KARLA, "001 STATUS=01")], &[(KARLA, "001 STATUS=90")]]);
    let on = |text: &str| told.snapshot().delivery_on(day(text)).map(|number| number.0).ok();
    assert_eq!(on("2026-01-01"), None);
    assert_eq!(on("2026-01-02"), Some(1));
    assert_eq!(on("2026-01-04"), Some(1), "the weekend knows what Friday knew");
    assert_eq!(on("2026-01-05"), Some(2));
}

#[test]
fn two_current_rows_of_a_kind_that_a_person_has_once_are_kept_and_told() {
    let rows = "001 STATUS=01
        002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=201001010000
        002 KOMKOD=0101, VEJKOD=0001, TILFLYDTO=200001010000
        004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2020-01-01
        004 BESKYTTYPE=0002, START_DT-BESKYTTELSE=2020-01-01
        012 CIVST=U
        012 CIVST=G, HAENSTART-CIVILSTAND=200001010000";
    let told = told(&[&[(FIRST, rows), (SECOND, "001 STATUS=01\n012 CIVST=U")]]);
    assert_eq!(told.reports[0].delivery.counts.doubled_rows, 2);
    let snapshot = told.snapshot();
    let image = snapshot.as_of(pnr(FIRST), None, None).unwrap().unwrap();
    assert_eq!(image.facts().filter(|fact| fact.address().is_some()).count(), 2, "kept");
    assert_eq!(snapshot.delivery(DeliveryNumber(1)).unwrap().counts.doubled_rows, 2, "in the ledger too");
    let live_in = |code| snapshot.find(&Query::municipality(MunicipalityCode(code))).unwrap().len();
    assert_eq!((live_in(751), live_in(101)), (1, 0), "the address that began last counts");
}
