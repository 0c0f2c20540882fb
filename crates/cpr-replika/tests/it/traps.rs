//! The 22 shapes in which CPR's data misleads a reader, each with made-up persons: what came before, what came after,
//! and what a careful register expert demands of the answer.

use cpr_replika::DeliveryNumber;
use cpr_replika::cpr_model::{Aspect, RelatedPnr};
use expect_test::expect;

use crate::kit::{Person, config, exported, extract_of_day, group, lines_of, pnr, told};

const KARLA: &str = "6709610002";
const VIGGO: &str = "6907600001";
const ALMA: &str = "7103100004";
const STORM: &str = "7104100001";
const KARLAS_NEW: &str = "6309610006";

#[test]
fn trap_01_an_annulled_address_never_was_and_the_one_before_it_stands_again() {
    let before = "001 STATUS=01, KOEN=K, FOED_DT=1961-09-07
        002 KOMKOD=0751, VEJKOD=0042, HUSNR=025, TILFLYDTO=202512301540, TILFLYKOMDTO=202512301540, FRAFLYKOMKOD=0657
        023 KOMKOD=0657, VEJKOD=0013, HUSNR=048, TILFLYDTO=197902052000, FRAFLYDTO=202512301540";
    let after = "001 STATUS=01, KOEN=K, FOED_DT=1961-09-07
        002 KOMKOD=0657, VEJKOD=0013, HUSNR=048, TILFLYDTO=197902052000
        023 ANNKOR=A, KOMKOD=0751, VEJKOD=0042, HUSNR=025, TILFLYDTO=202512301540, FRAFLYDTO=202512301540";
    let told = told(&[&[(KARLA, before)], &[(KARLA, after)]]);
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            annulled address: 023 197902052000..202512301540 -> 002 197902052000..
            annulled address: 002 202512301540.. -> 023A 202512301540..202512301540
        "#]],
    );
    assert_eq!(told.residence(KARLA, "2026-01-02", 1), "0751 0042 025 0657", "what we believed before");
    assert_eq!(told.residence(KARLA, "2026-01-02", 2), "0657 0013 048", "what we believe since");
    assert_eq!(told.residence(KARLA, "202512301540", 2), "0657 0013 048", "no moment is left to the annulled row");
    assert_eq!(told.timeline(KARLA, Aspect::Address, 2), ["197902052000.. 0657 0013 048"]);
    told.check_history(
        KARLA,
        Aspect::Address,
        expect![[r#"
            known 1..2 023 197902052000..202512301540 0657 0013 048
            known 1..2 002 202512301540.. 0751 0042 025 0657
            known 2.. 002 197902052000.. 0657 0013 048
            known 2.. 023A 202512301540..202512301540 0751 0042 025
        "#]],
    );
}

#[test]
fn trap_02_a_corrected_address_keeps_its_start_and_the_wrong_one_stays_readable() {
    let before = "001 STATUS=01
        002 KOMKOD=0751, VEJKOD=0042, HUSNR=012, ETAGE=02, SIDEDOER=  tv, CONVN=c/o Duemose, TILFLYDTO=202512301437";
    let after = "001 STATUS=01
        002 KOMKOD=0751, VEJKOD=0042, HUSNR=012, ETAGE=02, SIDEDOER=  th, TILFLYDTO=202512301437
        023 ANNKOR=K, KOMKOD=0751, VEJKOD=0042, HUSNR=012, ETAGE=02, SIDEDOER=  tv, CONVN=c/o Duemose, TILFLYDTO=202512301437, FRAFLYDTO=202512301437";
    let told = told(&[&[(KARLA, before)], &[(KARLA, after)]]);
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            corrected address: 002 202512301437.. -> 002 202512301437.. [SIDEDOER CONVN]
            corrected address: - -> 023K 202512301437..202512301437
        "#]],
    );
    assert_eq!(told.residence(KARLA, "2026-01-01", 1), "0751 0042 012 02 tv c/o Duemose");
    assert_eq!(told.residence(KARLA, "2026-01-01", 2), "0751 0042 012 02 th");
    assert_eq!(told.timeline(KARLA, Aspect::Address, 2).len(), 1, "the K row takes no time");
}

#[test]
fn trap_02_the_text_of_a_corrected_address_is_no_new_address() {
    let person = |side: &str, rows: &str| {
        format!(
            "001 STATUS=01
            002 KOMKOD=0751, VEJKOD=0042, HUSNR=012, ETAGE=02, SIDEDOER=  {side}, TILFLYDTO=201012301437
            003 ADRNVN=Karla Prøvesen, STANDARDADR=Foråret 12,2 {side}{rows}"
        )
    };
    let wrong = "\n023 ANNKOR=K, KOMKOD=0751, VEJKOD=0042, HUSNR=012, ETAGE=02, SIDEDOER=  tv, TILFLYDTO=201012301437, FRAFLYDTO=201012301437";
    let told = told(&[&[(KARLA, &person("tv", ""))], &[(KARLA, &person("th", wrong))]]);
    let changes = told.snapshot().diff(pnr(KARLA), DeliveryNumber(1), DeliveryNumber(2)).unwrap();
    let text = changes.iter().find(|change| change.aspect == Aspect::FormattedAddress).unwrap();
    assert_ne!(text.class.name(), "new", "nobody moved: the text follows the correction");
}

#[test]
fn trap_02_a_care_of_name_that_is_added_is_a_silent_rewrite() {
    let before = "001 STATUS=01
        002 KOMKOD=0751, VEJKOD=0042, HUSNR=012, TILFLYDTO=201009091437";
    let after = "001 STATUS=01
        002 KOMKOD=0751, VEJKOD=0042, HUSNR=012, CONVN=c/o Duemose, TILFLYDTO=201009091437
        099 TIMESTAMPU=202601041200, HAENDELSE=A09";
    told(&[&[(KARLA, before)], &[(KARLA, after)]]).check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            silently_rewritten address: 002 201009091437.. -> 002 201009091437.. [CONVN]
        "#]],
    );
}

#[test]
fn trap_03_a_corrected_start_moves_the_end_of_the_row_before_it_without_a_mark() {
    let before = |spouse: &str| {
        format!(
            "001 STATUS=01
            012 CIVST=G, AEGTEPNR={spouse}, HAENSTART-CIVILSTAND=202512301608
            029 CIVST=F, HAENSTART-CIVILSTAND=199001011200, HAENSLUT-CIVILSTAND=202512301608"
        )
    };
    let after = |spouse: &str| {
        format!(
            "001 STATUS=01
            012 CIVST=G, AEGTEPNR={spouse}, HAENSTART-CIVILSTAND=202512301315
            029 CIVST=F, HAENSTART-CIVILSTAND=199001011200, HAENSLUT-CIVILSTAND=202512301315
            029 ANNKOR=K, CIVST=G, AEGTEPNR={spouse}, HAENSTART-CIVILSTAND=202512301608, HAENSLUT-CIVILSTAND=202512301608"
        )
    };
    let told = told(&[
        &[(KARLA, &before(VIGGO)), (VIGGO, &before(KARLA))],
        &[
            (KARLA, &(after(VIGGO) + "\n099 TIMESTAMPU=202601041200, HAENDELSE=A24")),
            (VIGGO, &(after(KARLA) + "\n099 TIMESTAMPU=202601041200, HAENDELSE=A24, AFLEDTMRK=ÆG")),
        ],
    ]);
    for person in [KARLA, VIGGO] {
        told.check_changes(
            person,
            [1, 2],
            expect![[r#"
                corrected civil_status: 012 202512301608.. -> 012 202512301315.. [HAENSTART-CIVILSTAND]
                silently_rewritten civil_status: 029 199001011200..202512301608 -> 029 199001011200..202512301315 [HAENSLUT-CIVILSTAND]
                corrected civil_status: - -> 029K 202512301608..202512301608
            "#]],
        );
        let spouse = if person == KARLA { VIGGO } else { KARLA };
        let married = format!("202512301315.. G {spouse}");
        assert_eq!(told.timeline(person, Aspect::CivilStatus, 2), ["199001011200..202512301315 F", &married]);
        let at_two = |known| told.held(person, Aspect::CivilStatus, "202512301400", known);
        assert_eq!(at_two(1), ["029 199001011200..202512301608 F"], "then: not married yet at two o'clock");
        assert_eq!(at_two(2), [format!("012 202512301315.. G {spouse}")], "now: married since a quarter past one");
    }
    let events = told.snapshot().events(pnr(VIGGO)).unwrap().events;
    assert_eq!(events[0].event().derived_mark().reveal(), "ÆG", "the mark says whose event it was");
}

#[test]
fn trap_04_an_annulled_marriage_brings_back_what_each_was_before() {
    let karla = (
        format!("001 STATUS=01\n012 CIVST=G, AEGTEPNR={VIGGO}, HAENSTART-CIVILSTAND=202512300834"),
        format!(
            "001 STATUS=01\n012 CIVST=U
            029 ANNKOR=A, CIVST=G, AEGTEPNR={VIGGO}, HAENSTART-CIVILSTAND=202512300834, HAENSLUT-CIVILSTAND=202512300834"
        ),
    );
    let viggo = (
        format!(
            "001 STATUS=01\n012 CIVST=G, AEGTEPNR={KARLA}, HAENSTART-CIVILSTAND=202512300834
            029 CIVST=F, AEGTEPNR={ALMA}, HAENSTART-CIVILSTAND=198010012000, HAENSLUT-CIVILSTAND=202512300834"
        ),
        format!(
            "001 STATUS=01\n012 CIVST=F, AEGTEPNR={ALMA}, HAENSTART-CIVILSTAND=198010012000
            029 ANNKOR=A, CIVST=G, AEGTEPNR={KARLA}, HAENSTART-CIVILSTAND=202512300834, HAENSLUT-CIVILSTAND=202512300834"
        ),
    );
    let told = told(&[&[(KARLA, &karla.0), (VIGGO, &viggo.0)], &[(KARLA, &karla.1), (VIGGO, &viggo.1)]]);
    told.check_changes(
        VIGGO,
        [1, 2],
        expect![[r#"
            annulled civil_status: 029 198010012000..202512300834 -> 012 198010012000..
            annulled civil_status: 012 202512300834.. -> 029A 202512300834..202512300834
        "#]],
    );
    // Nobody became unmarried since the delivery before: the U row is what the annulment leaves.
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            annulled civil_status: - -> 012
            annulled civil_status: 012 202512300834.. -> 029A 202512300834..202512300834
        "#]],
    );
    assert_eq!(told.held(KARLA, Aspect::CivilStatus, "2026-01-01", 1), [format!("012 202512300834.. G {VIGGO}")]);
    assert_eq!(told.held(KARLA, Aspect::CivilStatus, "2026-01-01", 2), ["012 U"]);
    assert_eq!(told.timeline(VIGGO, Aspect::CivilStatus, 2), [format!("198010012000.. F {ALMA}")]);
}

#[test]
fn trap_05_a_death_entered_and_annulled_in_one_file_never_kills_anyone() {
    let before = "001 STATUS=01\n012 CIVST=U";
    let after = "001 STATUS=01\n012 CIVST=U
        029 ANNKOR=A, CIVST=D, HAENSTART-CIVILSTAND=202601030900, HAENSLUT-CIVILSTAND=202601030900
        099 TIMESTAMPU=202601031000, HAENDELSE=A21
        099 TIMESTAMPU=202601041000, HAENDELSE=A25";
    let told = told(&[&[(KARLA, before)], &[(KARLA, after)]]);
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            annulled civil_status: - -> 029A 202601030900..202601030900
        "#]],
    );
    assert_eq!(told.held(KARLA, Aspect::CivilStatus, "202601030900", 2), ["012 U"]);
    assert_eq!(told.timeline(KARLA, Aspect::CivilStatus, 2), [".. U"]);
    assert_eq!(told.snapshot().events(pnr(KARLA)).unwrap().events.len(), 2);
}

#[test]
fn trap_06_a_death_date_corrected_the_next_day_moves_the_death_and_all_that_ended_with_it() {
    let before = "001 STATUS=90, STATUSHAENSTART=202512290859
        012 CIVST=D, HAENSTART-CIVILSTAND=202512290859
        023 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=198001011200, FRAFLYDTO=202512292000
        029 CIVST=U, HAENSLUT-CIVILSTAND=202512290859";
    let after = "001 STATUS=90, STATUSHAENSTART=202512300000
        012 CIVST=D, HAENSTART-CIVILSTAND=202512300000
        023 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=198001011200, FRAFLYDTO=202512300000
        029 CIVST=U, HAENSLUT-CIVILSTAND=202512300000
        029 ANNKOR=K, CIVST=D, HAENSTART-CIVILSTAND=202512290859, HAENSLUT-CIVILSTAND=202512290859";
    let told = told(&[&[(KARLA, before)], &[(KARLA, after)]]);
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            silently_rewritten person: 001 -> 001 [STATUSHAENSTART]
            silently_rewritten address: 023 198001011200..202512292000 -> 023 198001011200..202512300000 [FRAFLYDTO]
            corrected civil_status: 012 202512290859.. -> 012 202512300000.. [HAENSTART-CIVILSTAND]
            silently_rewritten civil_status: 029 ..202512290859 -> 029 ..202512300000 [HAENSLUT-CIVILSTAND]
            corrected civil_status: - -> 029K 202512290859..202512290859
        "#]],
    );
    assert_eq!(
        told.held(KARLA, Aspect::CivilStatus, "202512291200", 1),
        ["012 202512290859.. D"],
        "dead at noon, then"
    );
    assert_eq!(
        told.held(KARLA, Aspect::CivilStatus, "202512291200", 2),
        ["029 ..202512300000 U"],
        "alive at noon, now"
    );
}

#[test]
fn trap_07_a_name_corrected_with_a_later_start_leaves_years_that_no_name_covers() {
    let before = "001 STATUS=01
        008 FORNVN=Karla, EFTERNVN=Prøvesen, NVNHAENSTART=198105052000, ADRNVN=Karla Prøvesen";
    let after = "001 STATUS=01
        008 FORNVN=Karla, EFTERNVN=Prøvsen, NVNHAENSTART=202512300000, ADRNVN=Karla Prøvsen
        026 ANNKOR=K, FORNVN=Karla, EFTERNVN=Prøvesen, NVNHAENSTART=198105052000, NVNHAENSLUT=198105052000";
    let told = told(&[&[(KARLA, before)], &[(KARLA, after)]]);
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            corrected name: 008 198105052000.. -> 008 202512300000.. [ADRNVN EFTERNVN NVNHAENSTART]
            corrected name: - -> 026K 198105052000..198105052000
        "#]],
    );
    assert_eq!(told.held(KARLA, Aspect::Name, "2000-01-01", 1), ["008 198105052000.. Karla Prøvesen Karla Prøvesen"]);
    assert_eq!(told.held(KARLA, Aspect::Name, "2000-01-01", 2), [""; 0], "a marked row is not a name");
    assert_eq!(told.timeline(KARLA, Aspect::Name, 2), ["202512300000.. Karla Prøvsen Karla Prøvsen"]);
}

#[test]
fn trap_08_starts_and_ends_that_move_without_a_mark_are_rewrites_and_no_news() {
    let address = |komdto: &str, [a, b, c]: [&str; 3]| {
        format!(
            "001 STATUS=01
            002 KOMKOD=0751, VEJKOD=0016, HUSNR=016, TILFLYDTO=199909091632, TILFLYKOMDTO={komdto}
            023 KOMKOD=0657, VEJKOD=0033, HUSNR=016, TILFLYDTO=198103042000, FRAFLYDTO={a}
            023 KOMKOD=0751, VEJKOD=0039, HUSNR=039, TILFLYDTO={a}, FRAFLYDTO={b}
            023 KOMKOD=0751, VEJKOD=0087, HUSNR=087, TILFLYDTO={b}, FRAFLYDTO={c}"
        )
    };
    let before = address("199601011622", ["199601011622", "199606011623", "199909091632"]);
    let after = address("199801011622", ["199801011622", "199806011623", "199909091632"]);
    let after = after + "\n099 HAENDELSE=K74";
    let told = told(&[&[(KARLA, &before)], &[(KARLA, &after)]]);
    let changes = told.snapshot().diff(pnr(KARLA), DeliveryNumber(1), DeliveryNumber(2)).unwrap();
    let classes: Vec<&str> = changes.iter().map(|change| change.class.name()).collect();
    assert!(classes.iter().all(|class| *class == "silently_rewritten"), "{classes:?}");
    assert_eq!(told.residence(KARLA, "1997-01-01", 1), "0751 0087 087");
    assert_eq!(told.residence(KARLA, "1997-01-01", 2), "0657 0033 016");
}

#[test]
fn trap_09_a_new_number_takes_the_whole_history_with_it() {
    let karla = format!(
        "001 STATUS=01, FOED_DT=1961-09-07, START_DT-PERSON=1961-09-07
        002 KOMKOD=0751, VEJKOD=0042, HUSNR=004, TILFLYDTO=199802280957
        012 CIVST=G, AEGTEPNR={VIGGO}, HAENSTART-CIVILSTAND=198112032000
        014 PNRBARN={STORM}
        023 KOMKOD=0657, VEJKOD=0013, HUSNR=048, TILFLYDTO=198006022000, FRAFLYDTO=199802280957"
    );
    let old = format!(
        "001 PNRGAELD={KARLAS_NEW}, STATUS=60, STATUSHAENSTART=202601041551, FOED_DT=1961-09-07, START_DT-PERSON=1961-09-07, SLUT_DT-PERSON=2026-01-04
        012 CIVST=G, AEGTEPNR=0000000000, HAENSTART-CIVILSTAND=198112032000
        023 KOMKOD=0751, VEJKOD=0042, HUSNR=004, TILFLYDTO=199802280957, FRAFLYDTO=202601041551"
    );
    let new = format!(
        "001 STATUS=01, FOED_DT=1961-09-03, START_DT-PERSON=2026-01-04
        002 KOMKOD=0751, VEJKOD=0042, HUSNR=004, TILFLYDTO=199802280957
        012 CIVST=G, AEGTEPNR={VIGGO}, HAENSTART-CIVILSTAND=198112032000
        014 PNRBARN={STORM}
        022 PNR={KARLA}, START_DT-PERSON=1961-09-07, SLUT_DT-PERSON=2026-01-04
        023 KOMKOD=0657, VEJKOD=0013, HUSNR=048, TILFLYDTO=198006022000, FRAFLYDTO=199802280957"
    );
    let viggo = |spouse| format!("001 STATUS=01\n012 CIVST=G, AEGTEPNR={spouse}, HAENSTART-CIVILSTAND=198112032000");
    let storm = |mother| format!("001 STATUS=01\n015 MOR_DT=1985-10-04, PNRMOR={mother}");
    let told = told(&[
        &[(KARLA, &karla), (VIGGO, &viggo(KARLA)), (STORM, &storm(KARLA))],
        &[(KARLA, &old), (KARLAS_NEW, &new), (VIGGO, &viggo(KARLAS_NEW)), (STORM, &storm(KARLAS_NEW))],
    ]);

    assert_eq!(told.numbers(KARLA, 1).unwrap(), format!("[{KARLA}]+ 1961-09-07.."));
    assert_eq!(told.numbers(KARLAS_NEW, 1), None, "a number that nobody had told of yet");
    let chain = format!("[{KARLAS_NEW}]+ 2026-01-04.., {KARLA}+ 1961-09-07..2026-01-04");
    assert_eq!(told.numbers(KARLA, 2).as_ref(), Some(&chain));
    assert_eq!(told.numbers(KARLAS_NEW, 2), Some(chain));

    // The human being lives in one place: under the number in force. Under the old one the address ended.
    assert_eq!(told.residence(KARLA, "2026-01-05", 2), "nowhere");
    assert_eq!(told.residence(KARLAS_NEW, "2026-01-05", 2), "0751 0042 004");
    assert_eq!(told.residence(KARLAS_NEW, "1990-01-01", 2), "0657 0013 048", "valid long before the number was given");
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            moved_number person: 001 -> 001 [PNRGAELD STATUS STATUSHAENSTART SLUT_DT-PERSON]
            moved_number address: 023 198006022000..199802280957 -> -
            moved_number address: 002 199802280957.. -> 023 199802280957..202601041551
            silently_rewritten civil_status: 012 198112032000.. -> 012 198112032000.. [AEGTEPNR]
            moved_number child: 014 -> -
        "#]],
    );
    told.check_changes(
        VIGGO,
        [1, 2],
        expect![[r#"
            silently_rewritten civil_status: 012 198112032000.. -> 012 198112032000.. [AEGTEPNR]
        "#]],
    );
    told.check_changes(
        STORM,
        [1, 2],
        expect![[r#"
            silently_rewritten parents: 015 -> 015 [PNRMOR]
        "#]],
    );
}

#[test]
fn trap_09_the_record_of_a_number_given_up_says_so_after_its_end_too() {
    let given_up =
        format!("001 PNRGAELD={KARLAS_NEW}, STATUS=60, START_DT-PERSON=1961-09-07, SLUT_DT-PERSON=2025-12-01");
    let told = told(&[&[(KARLA, &given_up)]]);
    let status = told.held(KARLA, Aspect::Person, "2026-01-02", 1);
    assert_eq!(status, [format!("001 {KARLAS_NEW} 60")], "whoever asks today must see it");
}

#[test]
fn trap_10_an_undone_change_of_number_swaps_the_roles_and_separates_nobody_anew() {
    let current = |other: &str, address: &str| {
        format!(
            "001 STATUS=01, START_DT-PERSON=1961-09-07{address}
            014 PNRBARN={STORM}
            022 PNR={other}, SLUT_DT-PERSON=2025-11-07"
        )
    };
    let given_up =
        |other: &str| format!("001 PNRGAELD={other}, STATUS=60, START_DT-PERSON=1961-09-07, SLUT_DT-PERSON=2025-11-07");
    let address = "\n002 KOMKOD=0751, VEJKOD=0042, HUSNR=004, TILFLYDTO=199802280957";
    let spouse = |other: &str, link: &str| {
        format!(
            "001 STATUS=01
            012 CIVST=G, AEGTEPNR={other}, HAENSTART-CIVILSTAND=198112032000, SEP_HENVIS-CIVILSTAND={link}
            013 SEP_HENVIS-SEPARATION={link}, START_DT-SEPARATION=2010-03-01"
        )
    };
    let told = told(&[
        &[
            (KARLA, &given_up(KARLAS_NEW)),
            (KARLAS_NEW, &current(KARLA, address)),
            (VIGGO, &spouse(KARLAS_NEW, "202511071551")),
        ],
        &[
            (KARLA, &current(KARLAS_NEW, address)),
            (KARLAS_NEW, &given_up(KARLA)),
            (VIGGO, &spouse(KARLA, "202601041602")),
        ],
    ]);
    told.check_changes(
        VIGGO,
        [1, 2],
        expect![[r#"
            silently_rewritten civil_status: 012 198112032000.. -> 012 198112032000.. [AEGTEPNR SEP_HENVIS-CIVILSTAND]
            silently_rewritten separation: 013 201003010000.. -> 013 201003010000.. [SEP_HENVIS-SEPARATION]
        "#]],
    );
    // What came to the number taken back came from the number given up: neither a move nor a late report of one.
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            moved_number person: 001 -> 001 [PNRGAELD STATUS SLUT_DT-PERSON]
            moved_number address: - -> 002 199802280957..
            moved_number child: - -> 014
            moved_number former_number: - -> 022 ..202511070000
        "#]],
    );
    told.check_changes(
        KARLAS_NEW,
        [1, 2],
        expect![[r#"
            moved_number person: 001 -> 001 [PNRGAELD STATUS SLUT_DT-PERSON]
            moved_number address: 002 199802280957.. -> -
            moved_number child: 014 -> -
            moved_number former_number: 022 ..202511070000 -> -
        "#]],
    );
    for (known, in_force) in [(1, KARLAS_NEW), (2, KARLA)] {
        for asked in [KARLA, KARLAS_NEW] {
            let chain = told.snapshot().numbers(pnr(asked), Some(DeliveryNumber(known))).unwrap().unwrap();
            assert_eq!(chain.current, Some(pnr(in_force)), "as of delivery {known}");
        }
    }
}

#[test]
fn trap_11_protection_holds_as_long_as_its_row_comes_whatever_its_deletion_date() {
    let kinds = ["0001", "0002", "0003", "0004"];
    let rows = kinds.map(|kind| {
        format!("\n004 BESKYTTYPE={kind}, START_DT-BESKYTTELSE=2020-03-01, SLET_DT-BESKYTTELSE=2025-01-05")
    });
    let told = told(&[&[(KARLA, &("001 STATUS=01".to_owned() + &rows.concat()))], &[(KARLA, "001 STATUS=01")]]);
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            ended protection: 004 202003010000.. -> -
            ended protection: 004 202003010000.. -> -
            ended protection: 004 202003010000.. -> -
            ended protection: 004 202003010000.. -> -
        "#]],
    );
    assert_eq!(told.held(KARLA, Aspect::Protection, "2026-01-02", 1).len(), 4, "a year after the deletion date");
    assert_eq!(told.held(KARLA, Aspect::Protection, "2019-12-31", 1).len(), 0, "not before it began");
    assert_eq!(told.held(KARLA, Aspect::Protection, "2026-01-02", 2).len(), 0);
}

#[test]
fn trap_12_a_renamed_street_changes_the_text_and_no_address() {
    let person = |street: &str| {
        format!(
            "001 STATUS=01
            002 KOMKOD=0751, VEJKOD=0042, HUSNR=007, TILFLYDTO=198001011200
            003 ADRNVN=Karla Prøvesen, STANDARDADR={street} 7, POSTNR=9990, KOMKOD=0751, VEJKOD=0042, HUSNR=007, VEJADRNVN={street}"
        )
    };
    let after = person("Efterårsvej") + "\n099 TIMESTAMPU=202601031200, HAENDELSE=P10";
    let told = told(&[&[(KARLA, &person("Foråret"))], &[(KARLA, &after)]]);
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            silently_rewritten formatted_address: 003 -> 003 [STANDARDADR VEJADRNVN]
        "#]],
    );
}

#[test]
fn trap_13_a_newborn_has_no_name_yet_and_both_parents_get_a_child() {
    let unnamed = format!(
        "001 STATUS=01, FOED_DT=2026-01-03, START_DT-PERSON=2026-01-03
        002 KOMKOD=0751, VEJKOD=0042, HUSNR=004, TILFLYDTO=202601030412
        008
        011 FKIRK=A
        012 CIVST=U
        015 MOR_DT=2026-01-03, PNRMOR={KARLA}, FAR_DT=2026-01-03, PNRFAR={VIGGO}"
    );
    let child = "6301265006";
    let named = unnamed.replace("008", "008 FORNVN=Nanna, EFTERNVN=Prøvesen, NVNHAENSTART=202601051000");
    let parent = format!("001 STATUS=01\n014 PNRBARN={child}");
    let told = told(&[
        &[(KARLA, "001 STATUS=01"), (VIGGO, "001 STATUS=01")],
        &[(child, &unnamed), (KARLA, &parent), (VIGGO, &parent)],
        &[(child, &named)],
    ]);
    for parent in [KARLA, VIGGO] {
        told.check_changes(
            parent,
            [1, 2],
            expect![[r#"
                new child: - -> 014
            "#]],
        );
    }
    assert_eq!(told.reports[1].delivery.counts.persons_new, 1);
    assert_eq!(told.residence(child, "202601030412", 2), "0751 0042 004", "from the minute of birth");
    assert_eq!(told.residence(child, "202601030411", 2), "nowhere");
    assert_eq!(told.held(child, Aspect::Name, "2026-01-04", 2), ["008"], "the row of blanks");
    told.check_changes(
        child,
        [2, 3],
        expect![[r#"
            new name: 008 -> 008 202601051000.. [FORNVN EFTERNVN NVNHAENSTART]
        "#]],
    );
}

#[test]
fn trap_14_an_adoption_overwrites_the_parents_and_only_earlier_deliveries_tell_the_old_ones() {
    let parents = |mother: &str, father: &str, since: &str| {
        format!("001 STATUS=01\n015 MOR_DT={since}, PNRMOR={mother}, FAR_DT={since}, PNRFAR={father}")
    };
    let (old_mother, old_father, child) = ("7001550002", "7101540001", STORM);
    let parent = format!("001 STATUS=01\n014 PNRBARN={child}");
    let told = told(&[
        &[
            (child, &parents(old_mother, old_father, "2010-04-11")),
            (old_mother, &parent),
            (old_father, &parent),
            (KARLA, "001 STATUS=01"),
            (VIGGO, "001 STATUS=01"),
        ],
        &[
            (child, &parents(KARLA, VIGGO, "2026-01-03")),
            (old_mother, "001 STATUS=01\n099 HAENDELSE=A35, AFLEDTMRK=TM"),
            (old_father, "001 STATUS=01\n099 HAENDELSE=A35, AFLEDTMRK=TF"),
            (KARLA, &parent),
            (VIGGO, &parent),
        ],
    ]);
    told.check_changes(
        child,
        [1, 2],
        expect![[r#"
            silently_rewritten parents: 015 -> 015 [MOR_DT PNRMOR FAR_DT PNRFAR]
        "#]],
    );
    for (person, expected) in [
        (old_mother, expect!["ended child: 014 -> -\n"]),
        (old_father, expect!["ended child: 014 -> -\n"]),
        (KARLA, expect!["new child: - -> 014\n"]),
        (VIGGO, expect!["new child: - -> 014\n"]),
    ] {
        told.check_changes(person, [1, 2], expected);
    }
    assert_eq!(told.held(child, Aspect::Parents, "2010-05-01", 1), [format!("015 {old_mother} {old_father}")]);
    assert_eq!(told.held(child, Aspect::Parents, "2010-05-01", 2), [format!("015 {KARLA} {VIGGO}")]);
}

#[test]
fn trap_15_an_administrative_address_is_annulled_when_the_person_takes_up_residence() {
    let before = "001 STATUS=20, STATUSHAENSTART=202511010900
        002 KOMKOD=0011, VEJKOD=0001, TILFLYDTO=202511010900, TILFLYKOMDTO=202511010900";
    let after = "001 STATUS=01
        002 KOMKOD=0751, VEJKOD=0042, HUSNR=004, TILFLYDTO=202601031000, TILFLYKOMDTO=202601031000, FRAFLYKOMKOD=0011
        023 ANNKOR=A, KOMKOD=0011, VEJKOD=0001, TILFLYDTO=202511010900, FRAFLYDTO=202511010900";
    let told = told(&[&[(KARLA, before)], &[(KARLA, after)]]);
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            new person: 001 -> 001 [STATUS STATUSHAENSTART]
            new address: - -> 002 202601031000..
            annulled address: 002 202511010900.. -> 023A 202511010900..202511010900
        "#]],
    );
    assert_eq!(told.residence(KARLA, "2025-12-01", 1), "0011 0001", "believed then");
    assert_eq!(told.residence(KARLA, "2025-12-01", 2), "nowhere", "never was true");
    assert_eq!(told.residence(KARLA, "2026-01-04", 2), "0751 0042 004 0011");
}

#[test]
fn trap_16_the_address_abroad_is_rewritten_in_place() {
    let person = |line: &str| {
        format!(
            "001 STATUS=80, STATUSHAENSTART=201003010900
            005 UDR_LANDEKOD=5180, UDRDTO=201003010900, UDLANDADR1={line}
            023 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=198001011200, FRAFLYDTO=201003010900"
        )
    };
    let told = told(&[&[(KARLA, &person("Beispielgasse 1"))], &[(KARLA, &person("Beispielgasse 2"))]]);
    told.check_changes(
        KARLA,
        [1, 2],
        expect![[r#"
            silently_rewritten emigration: 005 201003010900.. -> 005 201003010900.. [UDLANDADR1]
        "#]],
    );
    assert_eq!(told.residence(KARLA, "2020-01-01", 1), "abroad 5180 Beispielgasse 1");
    assert_eq!(told.residence(KARLA, "2020-01-01", 2), "abroad 5180 Beispielgasse 2");
}

#[test]
fn trap_17_a_row_that_ends_before_it_starts_is_kept_and_holds_at_no_moment() {
    let rows = "001 STATUS=01
        008 FORNVN=Karla, EFTERNVN=Prøvsen, NVNHAENSTART=196110072000
        026 FORNVN=Karla, EFTERNVN=Fejlby, NVNHAENSTART=196111071200, NVNHAENSLUT=196110072000";
    let told = told(&[&[(KARLA, rows)]]);
    assert_eq!(told.timeline(KARLA, Aspect::Name, 1), ["196110072000.. Karla Prøvsen"]);
    for at in ["196110072000", "196110201200", "196111071200", "2026-01-01"] {
        assert_eq!(told.held(KARLA, Aspect::Name, at, 1), ["008 196110072000.. Karla Prøvsen"], "at {at}");
    }
    assert_eq!(
        told.held(KARLA, Aspect::Name, "", 1)[1],
        "026 196111071200..196110072000 Karla Fejlby",
        "kept as it came"
    );
    let snapshot = told.snapshot();
    let person = snapshot.person(pnr(KARLA)).unwrap().unwrap();
    let inverted = person.all_facts().filter(|fact| fact.valid().is_inverted()).count();
    assert_eq!(inverted, 1, "it can be told from a row without length");
}

#[test]
fn trap_18_facts_of_1900_hold_long_before_cpr_knew_the_person() {
    let born_1899 = "9012995007";
    let rows = "001 STATUS=01, FOED_DT=1899-12-30, START_DT-PERSON=2026-01-03
        002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=202601031000
        008 FORNVN=Olga, EFTERNVN=Ældgammel, NVNHAENSTART=190105301637, HAENSTART_UMRK-NAVNE=*
        010 LANDEKOD=5180, HAENSTART-STATSBORGERSKAB=190005301637
        011 FKIRK=U, START_DT-FOLKEKIRKE=1900-06-30
        024 INDR_LANDEKOD=5180, INDRDTO=202601031000";
    let told = told(&[&[(KARLA, "001 STATUS=01")], &[(born_1899, rows)]]);
    assert_eq!(told.held(born_1899, Aspect::Citizenship, "1900-05-30", 2), ["010 190005301637.. 5180"]);
    assert_eq!(told.held(born_1899, Aspect::Name, "1900-12-31", 2).len(), 0);
    assert_eq!(told.held(born_1899, Aspect::Name, "1920-01-01", 2).len(), 1);
    assert_eq!(told.held(born_1899, Aspect::Church, "1920-01-01", 2), ["011 190006300000.. U"]);
    assert_eq!(told.residence(born_1899, "1920-01-01", 2), "nowhere", "the immigration is a point, not a stay");
    assert_eq!(told.residence(born_1899, "2026-01-04", 2), "0751 0042");
    assert_eq!(told.held(born_1899, Aspect::Name, "1920-01-01", 1), [""; 0], "nobody knew before delivery 2");
    assert_eq!(told.reports[1].delivery.counts.classes[0], 6, "all of it new: the person was not held before");
}

#[test]
fn trap_19_the_last_address_of_who_left_is_the_newest_of_history_and_no_residence() {
    let history = "\n023 KOMKOD=0657, VEJKOD=0013, TILFLYDTO=199001011200, FRAFLYDTO=202006011200
        023 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=198001011200, FRAFLYDTO=199001011200";
    let persons: [(Person<'_>, &str); 3] = [
        (
            (KARLA, "001 STATUS=80, STATUSHAENSTART=202006011200\n005 UDR_LANDEKOD=5180, UDRDTO=202006011200"),
            "abroad 5180",
        ),
        ((VIGGO, "001 STATUS=70, STATUSHAENSTART=202006011200\n007 FORSVINDDTO=202006011200"), "disappeared"),
        ((ALMA, "001 STATUS=90, STATUSHAENSTART=202006011200"), "nowhere"),
    ];
    for ((person, rows), now) in persons {
        let told = told(&[&[(person, &(rows.to_owned() + history))]]);
        assert_eq!(told.residence(person, "2026-01-01", 1), now);
        assert_eq!(told.residence(person, "202006011200", 1), now, "an end is not in its period");
        assert_eq!(told.residence(person, "202006011159", 1), "0657 0013");
        assert_eq!(told.timeline(person, Aspect::Address, 1).last().unwrap(), "199001011200..202006011200 0657 0013");
    }
}

#[test]
fn trap_20_ten_zeros_are_a_person_without_a_number_and_blanks_are_nobody() {
    let spouse_without =
        "001 STATUS=01\n012 CIVST=G, AEGTEPNR=0000000000, AEGTENVN=Borte,Ukendt, HAENSTART-CIVILSTAND=198001011200";
    let removed = format!(
        "001 PNRGAELD={KARLAS_NEW}, STATUS=60\n012 CIVST=G, AEGTEPNR=0000000000, HAENSTART-CIVILSTAND=198001011200"
    );
    let nobody = "001 STATUS=01\n012 CIVST=U";
    let told = told(&[&[(KARLA, spouse_without), (VIGGO, &removed), (ALMA, nobody)]]);
    let snapshot = told.snapshot();
    let spouse = |number| {
        let person = snapshot.person(pnr(number)).unwrap().unwrap();
        let status = person.facts().find_map(|fact| fact.civil_status()).unwrap();
        (status.spouse_pnr(), status.spouse_name().reveal().into_owned())
    };
    assert_eq!(spouse(KARLA), (Some(RelatedPnr::Unknown), "Borte,Ukendt".to_owned()));
    assert_eq!(spouse(VIGGO), (Some(RelatedPnr::Unknown), String::new()));
    assert_eq!(spouse(ALMA), (None, String::new()));
    assert_eq!(snapshot.as_of(pnr("0000000000"), None, None).unwrap().map(|image| image.known()), None);
}

#[test]
fn trap_21_an_annulled_person_keeps_rows_and_lives_nowhere() {
    let rows = format!(
        "001 STATUS=30, STATUSHAENSTART=199709091200
        012 CIVST=G, AEGTEPNR={VIGGO}, HAENSTART-CIVILSTAND=198001011200
        015 PNRMOR=0000000000
        023 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=198001011200, FRAFLYDTO=198001011200"
    );
    let told = told(&[&[(KARLA, &rows)]]);
    for at in ["198001011200", "1990-01-01", "2026-01-01"] {
        assert_eq!(told.residence(KARLA, at, 1), "nowhere", "an unmarked row without length, at {at}");
    }
    assert_eq!(told.held(KARLA, Aspect::Address, "", 1), ["023 198001011200..198001011200 0751 0042"]);
    assert_eq!(told.held(KARLA, Aspect::CivilStatus, "2026-01-01", 1), [format!("012 198001011200.. G {VIGGO}")]);
    assert_eq!(told.numbers(KARLA, 1).unwrap(), format!("[{KARLA}]+ .."), "no end of the number is told");
}

#[test]
fn trap_22_error_records_and_a_final_1a_after_the_end_record_are_no_damage() {
    let person = (KARLA, "001 STATUS=01\n003 ADRNVN=Karla Prøvesen");
    let mut extract = extract_of_day(1, &[person]);
    let echo = format!("910{:<10}{:<75}8495{:<65}", "9999999999", "06OP1234", "Personnummer er annulleret");
    extract.extend_from_slice(echo.trim_end().as_bytes());
    extract.extend_from_slice(b"\n\x1a");
    let replika = cpr_replika::Replika::in_memory(&config()).unwrap();
    let report = crate::kit::apply(&replika, &extract).unwrap();
    assert_eq!(report.delivery.counts.input_errors.len(), 1);
    assert_eq!(report.delivery.counts.input_errors[0].number, 8495);
    assert_eq!(group(&replika.snapshot(), KARLA, 1), Some(lines_of(person)));
    assert!(exported(&replika).ends_with(b"99999999999900000002\n\x1a"), "the end of a file is part of its style");
}
