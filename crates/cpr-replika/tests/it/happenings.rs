//! Business events: what a night of made-up persons is told as.

use cpr_replika::cpr_model::MunicipalityCode;
use cpr_replika::{BusinessEvent, DeliveryNumber, EventCursor, EventFilter, Snapshot};
use expect_test::{Expect, expect};

use crate::kit::{Person, told};

pub(crate) const ANNA: &str = "6101801231";
pub(crate) const BO: &str = "6202791235";
pub(crate) const CARL: &str = "6101260017";

/// Kind, code and mark, related persons, aspects, municipalities, since when.
pub(crate) fn show(event: &BusinessEvent) -> String {
    let cause = event.cause.map_or("-".to_owned(), |cause| {
        format!("{}{}", cause.code, cause.derived_mark.map_or(String::new(), |mark| format!("/{mark}")))
    });
    let related: Vec<&str> = event.related.iter().map(|pnr| pnr.reveal()).collect();
    let aspects: Vec<&str> = event.aspects.iter().map(|aspect| aspect.name()).collect();
    let place = |code: Option<MunicipalityCode>| code.map_or("-".to_owned(), |code| code.to_string());
    let since = event.valid_from.map_or("-".to_owned(), |at| at.to_string());
    format!(
        "{} {} {cause} [{}] ({}) {}>{} {since}\n",
        event.pnr.reveal(),
        event.kind,
        related.join(" "),
        aspects.join(" "),
        place(event.municipality_before),
        place(event.municipality_after)
    )
}

pub(crate) fn events(snapshot: &Snapshot, since: EventCursor, filter: EventFilter) -> Vec<BusinessEvent> {
    snapshot.events_since(since, filter).unwrap().map(Result::unwrap).collect()
}

pub(crate) fn of(snapshot: &Snapshot, delivery: u32) -> Vec<BusinessEvent> {
    let feed = snapshot.events_of(DeliveryNumber(delivery), EventFilter::default()).unwrap();
    feed.map(Result::unwrap).collect()
}

/// What the second of two deliveries is told as.
fn check(before: &[Person<'_>], after: &[Person<'_>], expected: Expect) {
    let told = told(&[before, after]);
    expected.assert_eq(&of(&told.snapshot(), 2).iter().map(show).collect::<String>());
}

pub(crate) const HOME: &str =
    "002 KOMKOD=0101, VEJKOD=0042, HUSNR=001, TILFLYDTO=200001011200, TILFLYKOMDTO=200001011200
003 ADRNVN=Bæk, STANDARDADR=Vejen 1";
pub(crate) const ALIVE: &str = "001 STATUS=01, KOEN=K, FOED_DT=1980-01-01";

pub(crate) fn rows(rows: &[&str]) -> String {
    rows.join("\n")
}

#[test]
fn a_move_is_told_by_where_it_goes() {
    let before = rows(&[ALIVE, HOME]);
    let moved = |municipality: &str, events: &str| {
        rows(&[
            ALIVE,
            &format!("002 KOMKOD={municipality}, VEJKOD=0007, HUSNR=002, TILFLYDTO=202601020900"),
            "003 ADRNVN=Bæk, STANDARDADR=Gaden 2",
            "023 KOMKOD=0101, VEJKOD=0042, HUSNR=001, TILFLYDTO=200001011200, FRAFLYDTO=202601020900",
            events,
        ])
    };
    let a01 = "099 TIMESTAMPU=202601020901, HAENDELSE=A01";
    check(
        &[(ANNA, &before)],
        &[(ANNA, &moved("0101", a01))],
        expect![[r#"
        6101801231 moved_within A01 [] (address formatted_address) 0101>0101 2026-01-02 09:00
    "#]],
    );
    check(
        &[(ANNA, &before)],
        &[(ANNA, &moved("0751", a01))],
        expect![[r#"
            6101801231 moved_out A01 [] (address formatted_address) 0101>0751 2026-01-02 09:00
            6101801231 moved_in A01 [] (address formatted_address) 0101>0751 2026-01-02 09:00
        "#]],
    );
    // No record says why: the rows are enough.
    check(
        &[(ANNA, &before)],
        &[(ANNA, &moved("0751", ""))],
        expect![[r#"
            6101801231 moved_out - [] (address formatted_address) 0101>0751 2026-01-02 09:00
            6101801231 moved_in - [] (address formatted_address) 0101>0751 2026-01-02 09:00
        "#]],
    );
}

#[test]
fn a_correction_is_no_move_marked_or_not() {
    let before = rows(&[ALIVE, HOME]);
    let right = "002 KOMKOD=0101, VEJKOD=0042, HUSNR=003, TILFLYDTO=200001011200, TILFLYKOMDTO=200001011200";
    let wrong = "023 ANNKOR=K, KOMKOD=0101, VEJKOD=0042, HUSNR=001, TILFLYDTO=200001011200, FRAFLYDTO=200001011200";
    let text = "003 ADRNVN=Bæk, STANDARDADR=Vejen 3";
    let a09 = "099 TIMESTAMPU=202601020901, HAENDELSE=A09";
    check(
        &[(ANNA, &before)],
        &[(ANNA, &rows(&[ALIVE, right, text, wrong, a09]))],
        expect![[r#"
        6101801231 address_corrected A09 [] (address formatted_address) 0101>0101 2000-01-01 12:00
    "#]],
    );
    check(
        &[(ANNA, &before)],
        &[(ANNA, &rows(&[ALIVE, right, text, wrong]))],
        expect![[r#"
        6101801231 address_corrected - [] (address formatted_address) 0101>0101 2000-01-01 12:00
    "#]],
    );
    check(
        &[(ANNA, &before)],
        &[(ANNA, &rows(&[ALIVE, right, text, a09]))],
        expect![[r#"
        6101801231 address_corrected A09 [] (address formatted_address) 0101>0101 2000-01-01 12:00
    "#]],
    );
    // Without a mark or a code nothing says that it is one.
    check(
        &[(ANNA, &before)],
        &[(ANNA, &rows(&[ALIVE, right, text]))],
        expect![[r#"
        6101801231 other - [] (address formatted_address) 0101>0101 2000-01-01 12:00
    "#]],
    );
    // A new street name moves nobody.
    let p10 = "099 TIMESTAMPU=202601020901, HAENDELSE=P10";
    check(
        &[(ANNA, &before)],
        &[(ANNA, &rows(&[ALIVE, &HOME.replace("Vejen", "Alleen"), p10]))],
        expect![[r#"
        6101801231 other P10 [] (formatted_address) 0101>0101 -
    "#]],
    );
}

#[test]
fn a_move_that_is_corrected_on_the_day_it_is_told_is_both() {
    let after = rows(&[
        ALIVE,
        "002 KOMKOD=0751, VEJKOD=0007, HUSNR=003, TILFLYDTO=202601020900",
        "003 ADRNVN=Bæk, STANDARDADR=Gaden 3",
        "023 KOMKOD=0101, VEJKOD=0042, HUSNR=001, TILFLYDTO=200001011200, FRAFLYDTO=202601020900",
        "023 ANNKOR=K, KOMKOD=0751, VEJKOD=0007, HUSNR=002, TILFLYDTO=202601020900, FRAFLYDTO=202601020900",
        "099 TIMESTAMPU=202601020901, HAENDELSE=A01",
        "099 TIMESTAMPU=202601020905, HAENDELSE=A09",
    ]);
    check(
        &[(ANNA, &rows(&[ALIVE, HOME]))],
        &[(ANNA, &after)],
        expect![[r#"
        6101801231 moved_out A01 [] (address formatted_address) 0101>0751 2026-01-02 09:00
        6101801231 moved_in A01 [] (address formatted_address) 0101>0751 2026-01-02 09:00
        6101801231 address_corrected A09 [] (address formatted_address) 0101>0751 2026-01-02 09:00
    "#]],
    );
}

#[test]
fn an_annulled_emigration_is_a_correction_and_no_immigration() {
    let abroad = rows(&[
        "001 STATUS=80, STATUSHAENSTART=202601010900, KOEN=K",
        "005 UDR_LANDEKOD=5104, UDRDTO=202601010900",
        "023 KOMKOD=0101, VEJKOD=0042, HUSNR=001, TILFLYDTO=200001011200, FRAFLYDTO=202601010900",
    ]);
    let annulled = "024 ANNKOR=A, UDR_LANDEKOD=5104, UDRDTO=202601010900, INDRDTO=202601010900";
    let a10 = "099 TIMESTAMPU=202601020901, HAENDELSE=A10";
    check(
        &[(ANNA, &abroad)],
        &[(ANNA, &rows(&[ALIVE, HOME, annulled, a10]))],
        expect![[r#"
        6101801231 address_corrected A10 [] (person address formatted_address emigration) ->0101 2000-01-01 12:00
    "#]],
    );
    check(
        &[(ANNA, &abroad)],
        &[(ANNA, &rows(&[ALIVE, HOME, annulled]))],
        expect![[r#"
        6101801231 address_corrected - [] (person address formatted_address emigration) ->0101 2000-01-01 12:00
    "#]],
    );
}

#[test]
fn who_comes_from_an_administrative_address_is_no_correction() {
    let before = rows(&["001 STATUS=20, KOEN=K", "002 KOMKOD=0012, TILFLYDTO=202104131200, TILFLYKOMDTO=202104131200"]);
    let after = rows(&[
        ALIVE,
        "002 KOMKOD=0101, VEJKOD=0007, TILFLYDTO=202601020000, TILFLYKOMDTO=202601020000",
        "023 ANNKOR=A, KOMKOD=0012, TILFLYDTO=202104131200, FRAFLYDTO=202104131200",
        "024 INDR_LANDEKOD=5180, INDRDTO=202601020000",
        "099 TIMESTAMPU=202601020901, HAENDELSE=P31",
    ]);
    check(
        &[(ANNA, &before)],
        &[(ANNA, &after)],
        expect![[r#"
        6101801231 immigrated P31 [] (person address emigration) 0012>0101 2026-01-02 00:00
    "#]],
    );
}

#[test]
fn a_death_is_one_event_for_the_dead_and_one_for_the_spouse_and_so_is_its_undoing() {
    let married = |spouse: &str| {
        rows(&[ALIVE, HOME, &format!("012 CIVST=G, AEGTEPNR={spouse}, HAENSTART-CIVILSTAND=200505051200")])
    };
    let past = |spouse: &str, mark: &str, to: &str| {
        format!(
            "029 ANNKOR={mark}, CIVST=G, AEGTEPNR={spouse}, HAENSTART-CIVILSTAND=200505051200, HAENSLUT-CIVILSTAND={to}"
        )
    };
    let dead = rows(&[
        "001 STATUS=90, STATUSHAENSTART=202601010800, KOEN=K, FOED_DT=1980-01-01",
        "012 CIVST=D, HAENSTART-CIVILSTAND=202601010800",
        "023 KOMKOD=0101, VEJKOD=0042, HUSNR=001, TILFLYDTO=200001011200, FRAFLYDTO=202601010800",
        &past(BO, "", "202601010800"),
        "099 TIMESTAMPU=202601020901, HAENDELSE=A21",
    ]);
    let widowed = rows(&[
        ALIVE,
        HOME,
        "012 CIVST=E, HAENSTART-CIVILSTAND=202601010800",
        &past(ANNA, "", "202601010800"),
        "099 TIMESTAMPU=202601020901, HAENDELSE=A21, AFLEDTMRK=ÆG",
    ]);
    let before: &[Person<'_>] = &[(ANNA, &married(BO)), (BO, &married(ANNA))];
    check(
        before,
        &[(ANNA, &dead), (BO, &widowed)],
        expect![[r#"
        6202791235 widowed A21/ÆG [6101801231] (civil_status) 0101>0101 2026-01-01 08:00
        6101801231 died A21 [6202791235] (person address formatted_address civil_status) 0101>- 2026-01-01 08:00
    "#]],
    );

    let alive_again = rows(&[
        &married(BO),
        "029 ANNKOR=A, CIVST=D, HAENSTART-CIVILSTAND=202601010800, HAENSLUT-CIVILSTAND=202601010800",
        "099 TIMESTAMPU=202601020901, HAENDELSE=A25",
    ]);
    let spouse_again = rows(&[
        &married(ANNA),
        "029 ANNKOR=A, CIVST=E, HAENSTART-CIVILSTAND=202601010800, HAENSLUT-CIVILSTAND=202601010800",
        "099 TIMESTAMPU=202601020901, HAENDELSE=A25, AFLEDTMRK=ÆG",
    ]);
    let undone: &[Person<'_>] = &[(ANNA, &alive_again), (BO, &spouse_again)];
    check(
        &[(ANNA, &dead), (BO, &widowed)],
        undone,
        expect![[r#"
            6202791235 civil_status_changed A25/ÆG [6101801231] (civil_status) 0101>0101 2005-05-05 12:00
            6101801231 death_undone A25 [6202791235] (person address formatted_address civil_status) ->0101 -
        "#]],
    );
}

#[test]
fn marriage_divorce_and_corrected_dates_are_told_apart() {
    let single = rows(&[ALIVE, HOME, "012 CIVST=U"]);
    let wed = |from: &str, more: &str| {
        rows(&[ALIVE, HOME, &format!("012 CIVST=G, AEGTEPNR={BO}, HAENSTART-CIVILSTAND={from}"), more])
    };
    let first = "029 CIVST=U, HAENSLUT-CIVILSTAND=202601021200";
    let married = wed("202601021200", &rows(&[first, "099 TIMESTAMPU=202601021200, HAENDELSE=A19"]));
    check(
        &[(ANNA, &single)],
        &[(ANNA, &married)],
        expect![[r#"
        6101801231 married A19 [6202791235] (civil_status) 0101>0101 2026-01-02 12:00
    "#]],
    );

    let divorced = rows(&[
        ALIVE,
        HOME,
        &format!("012 CIVST=F, AEGTEPNR={BO}, HAENSTART-CIVILSTAND=202601020800"),
        &format!("029 CIVST=G, AEGTEPNR={BO}, HAENSTART-CIVILSTAND=200505051200, HAENSLUT-CIVILSTAND=202601020800"),
        "099 TIMESTAMPU=202601020900, HAENDELSE=A20, AFLEDTMRK=ÆG",
    ]);
    check(
        &[(ANNA, &wed("200505051200", ""))],
        &[(ANNA, &divorced)],
        expect![[r#"
        6101801231 divorced A20/ÆG [6202791235] (civil_status) 0101>0101 2026-01-02 08:00
    "#]],
    );

    let corrected = wed(
        "200505061200",
        &rows(&[
            &format!(
                "029 ANNKOR=K, CIVST=G, AEGTEPNR={BO}, HAENSTART-CIVILSTAND=200505051200, HAENSLUT-CIVILSTAND=200505051200"
            ),
            "099 TIMESTAMPU=202601020900, HAENDELSE=A24",
        ]),
    );
    check(
        &[(ANNA, &wed("200505051200", ""))],
        &[(ANNA, &corrected)],
        expect![[r#"
        6101801231 civil_status_changed A24 [6202791235] (civil_status) 0101>0101 2005-05-06 12:00
    "#]],
    );
}

#[test]
fn a_birth_is_told_of_the_child_and_of_its_parents() {
    let child = "6101264018";
    let born = rows(&[
        "001 STATUS=01, KOEN=M, FOED_DT=2026-01-01",
        HOME,
        "008 NVNHAENSTART=000000000000",
        &format!("015 PNRMOR={ANNA}, MOR_DT=2026-01-01, PNRFAR={BO}, FAR_DT=2026-01-01"),
        "099 TIMESTAMPU=202601020900, HAENDELSE=A36",
    ]);
    let parent = rows(&[ALIVE, HOME]);
    let with_child = |mark: &str| {
        rows(&[
            &parent,
            &format!("014 PNRBARN={child}"),
            &format!("099 TIMESTAMPU=202601020900, HAENDELSE=A36, AFLEDTMRK={mark}"),
        ])
    };
    check(
        &[(ANNA, &parent), (BO, &parent)],
        &[(ANNA, &with_child("MO")), (BO, &with_child("FA")), (child, &born)],
        expect![[r#"
            6202791235 child_born A36/FA [6101264018] (child) 0101>0101 -
            6101801231 child_born A36/MO [6101264018] (child) 0101>0101 -
            6101264018 child_born A36 [6101801231 6202791235] (person parents) ->0101 -
            6101264018 created - [6101801231 6202791235] (person address formatted_address name parents) ->0101 -
        "#]],
    );
    // An adoption: the child has other parents, and those until now have the child no longer.
    let adopted = |mother: &str, code: &str| {
        rows(&["001 STATUS=01, KOEN=M, FOED_DT=1926-01-01", &format!("015 PNRMOR={mother}, MOR_DT=2026-01-01"), code])
    };
    let was_mother = rows(&[&parent, "099 TIMESTAMPU=202601020900, HAENDELSE=A35, AFLEDTMRK=TM"]);
    let is_mother =
        rows(&[&parent, &format!("014 PNRBARN={CARL}"), "099 TIMESTAMPU=202601020900, HAENDELSE=A35, AFLEDTMRK=NM"]);
    check(
        &[(ANNA, &rows(&[&parent, &format!("014 PNRBARN={CARL}")])), (BO, &parent), (CARL, &adopted(ANNA, ""))],
        &[(ANNA, &was_mother), (BO, &is_mother), (CARL, &adopted(BO, "099 TIMESTAMPU=202601020900, HAENDELSE=A35"))],
        expect![[r#"
            6101260017 parent_recorded A35 [6101801231 6202791235] (parents) ->- -
            6202791235 child_recorded A35/NM [6101260017] (child) 0101>0101 -
            6101801231 child_removed A35/TM [6101260017] (child) 0101>0101 -
        "#]],
    );
}

#[test]
fn another_number_is_told_of_both_numbers_and_of_the_relatives() {
    let (old, new) = (ANNA, "6101801232");
    let divorced = "012 CIVST=F, AEGTEPNR=6202790011, HAENSTART-CIVILSTAND=201105051200";
    let before = rows(&[ALIVE, HOME, divorced]);
    let given_up = rows(&[
        &format!("001 STATUS=60, PNRGAELD={new}, KOEN=K, FOED_DT=1980-01-01, SLUT_DT-PERSON=2026-01-02"),
        "012 CIVST=F, HAENSTART-CIVILSTAND=201105051200",
        "099 TIMESTAMPU=202601020900, HAENDELSE=P03",
    ]);
    let taken = rows(&[
        ALIVE,
        HOME,
        divorced,
        &format!("022 PNR={old}, SLUT_DT-PERSON=2026-01-02"),
        "099 TIMESTAMPU=202601020900, HAENDELSE=P03, AFLEDTMRK=PN",
    ]);
    let spouse = |of: &str, event: &str| {
        rows(&[ALIVE, HOME, &format!("012 CIVST=G, AEGTEPNR={of}, HAENSTART-CIVILSTAND=200505051200"), event])
    };
    check(
        &[(old, &before), (BO, &spouse(old, ""))],
        &[
            (old, &given_up),
            (new, &taken),
            (BO, &spouse(new, "099 TIMESTAMPU=202601020900, HAENDELSE=P03, AFLEDTMRK=ÆG")),
        ],
        expect![[r#"
            6202791235 number_changed P03/ÆG [6101801231 6101801232] (civil_status) 0101>0101 -
            6101801231 number_changed P03 [6101801232] (person address formatted_address civil_status) 0101>- 2026-01-02 00:00
            6101801232 number_changed P03/PN [6101801231] (person former_number) ->0101 2026-01-02 00:00
            6101801232 created - [6101801231 6202790011] (person address formatted_address civil_status former_number) ->0101 -
        "#]],
    );
}

#[test]
fn who_leaves_comes_back_disappears_and_is_found() {
    let home = rows(&[ALIVE, HOME]);
    let past = "023 KOMKOD=0101, VEJKOD=0042, HUSNR=001, TILFLYDTO=200001011200, FRAFLYDTO=202601020900";
    let abroad = rows(&[
        "001 STATUS=80, STATUSHAENSTART=202601020900, KOEN=K",
        "005 UDR_LANDEKOD=5104, UDRDTO=202601020900",
        past,
        "099 TIMESTAMPU=202601020901, HAENDELSE=A06",
    ]);
    check(
        &[(ANNA, &home)],
        &[(ANNA, &abroad)],
        expect![[r#"
        6101801231 emigrated A06 [] (person address formatted_address emigration) 0101>- 2026-01-02 09:00
    "#]],
    );
    let back = rows(&[
        ALIVE,
        "002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=202601050900",
        past,
        "024 UDR_LANDEKOD=5104, UDRDTO=202601020900, INDR_LANDEKOD=5104, INDRDTO=202601050900",
        "099 TIMESTAMPU=202601050901, HAENDELSE=A04",
    ]);
    check(
        &[(ANNA, &abroad)],
        &[(ANNA, &back)],
        expect![[r#"
        6101801231 immigrated A04 [] (person address emigration) ->0751 2026-01-05 09:00
    "#]],
    );
    let gone = rows(&["001 STATUS=70, STATUSHAENSTART=202601020900, KOEN=K", "007 FORSVINDDTO=202601020900", past]);
    check(
        &[(ANNA, &home)],
        &[(ANNA, &gone)],
        expect![[r#"
        6101801231 disappeared - [] (person address formatted_address disappearance) 0101>- 2026-01-02 09:00
    "#]],
    );
    let found = rows(&[
        ALIVE,
        "002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=202601050900",
        past,
        "025 FORSVINDDTO=202601020900, GENFINDDTO=202601050900",
        "099 TIMESTAMPU=202601050901, HAENDELSE=A03",
    ]);
    check(
        &[(ANNA, &gone)],
        &[(ANNA, &found)],
        expect![[r#"
        6101801231 found A03 [] (person address disappearance) ->0751 2026-01-05 09:00
    "#]],
    );
}

#[test]
fn names_and_protections_and_what_no_kind_names() {
    let named = |name: &str, more: &str| rows(&[ALIVE, HOME, name, more]);
    let blank = named("008 NVNHAENSTART=000000000000", "");
    let given = "008 FORNVN=Åse, EFTERNVN=Bæk, NVNHAENSTART=202601020900";
    check(
        &[(ANNA, &blank)],
        &[(ANNA, &named(given, "099 TIMESTAMPU=202601020901, HAENDELSE=A14"))],
        expect![[r#"
        6101801231 name_given A14 [] (name) 0101>0101 2026-01-02 09:00
    "#]],
    );
    let renamed = rows(&[
        "026 FORNVN=Åse, EFTERNVN=Bæk, NVNHAENSTART=202601020900, NVNHAENSLUT=202601050900",
        "099 TIMESTAMPU=202601050901, HAENDELSE=A13",
    ]);
    let other = "008 FORNVN=Åse, EFTERNVN=Dam, NVNHAENSTART=202601050900";
    check(
        &[(ANNA, &named(given, ""))],
        &[(ANNA, &named(other, &renamed))],
        expect![[r#"
        6101801231 name_changed A13 [] (name) 0101>0101 2026-01-05 09:00
    "#]],
    );
    let spelled = "008 FORNVN=Aase, EFTERNVN=Bæk, NVNHAENSTART=202601020900";
    check(
        &[(ANNA, &named(given, ""))],
        &[(ANNA, &named(spelled, "099 TIMESTAMPU=202601050901, HAENDELSE=A16"))],
        expect![[r#"
            6101801231 name_corrected A16 [] (name) 0101>0101 2026-01-02 09:00
        "#]],
    );

    let protected = named(
        given,
        "004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2026-01-02\n099 TIMESTAMPU=202601020901, HAENDELSE=A33",
    );
    check(
        &[(ANNA, &named(given, ""))],
        &[(ANNA, &protected)],
        expect![[r#"
        6101801231 protected A33 [] (protection) 0101>0101 2026-01-02 00:00
    "#]],
    );
    check(
        &[(ANNA, &protected)],
        &[(ANNA, &named(given, ""))],
        expect![[r#"
        6101801231 unprotected - [] (protection) 0101>0101 -
    "#]],
    );

    // Codes that only say why a person was sent, one that nobody knows, and changes that no code explains.
    check(
        &[(ANNA, &blank)],
        &[(
            ANNA,
            &named("008 NVNHAENSTART=000000000000", "099 HAENDELSE=A74\n099 TIMESTAMPU=202601020901, HAENDELSE=A45"),
        )],
        expect![[r#"
            6101801231 other A74 [] () 0101>0101 -
            6101801231 other A45 [] () 0101>0101 -
        "#]],
    );
    let church = "011 FKIRK=F, START_DT-FOLKEKIRKE=2026-01-02";
    check(
        &[(ANNA, &blank)],
        &[(
            ANNA,
            &named("008 NVNHAENSTART=000000000000", &rows(&[church, "099 TIMESTAMPU=202601020901, HAENDELSE=X9"])),
        )],
        expect![[r#"
            6101801231 other X9 [] (church) 0101>0101 2026-01-02 00:00
        "#]],
    );
    check(
        &[(ANNA, &blank)],
        &[(
            ANNA,
            &named(
                "008 NVNHAENSTART=000000000000",
                &rows(&[church, "021 START_DT-FLYTTEPÅBUD=2026-01-02", "099 HAENDELSE=K74"]),
            ),
        )],
        expect![[r#"
            6101801231 other K74 [] () 0101>0101 -
            6101801231 other - [] (church order_to_move) 0101>0101 2026-01-02 00:00
        "#]],
    );
    check(
        &[(ANNA, &blank)],
        &[(ANNA, &blank), (BO, &rows(&[ALIVE, HOME, "099 HAENDELSE=A45"]))],
        expect![[r#"
            6202791235 created A45 [] (person address formatted_address) ->0101 -
        "#]],
    );
}

#[test]
fn events_stand_in_the_order_of_cprs_timestamps_and_what_has_none_comes_last() {
    let before = rows(&[ALIVE, HOME]);
    let after = rows(&[
        ALIVE,
        "002 KOMKOD=0751, VEJKOD=0007, TILFLYDTO=202601020900",
        "003 ADRNVN=Bæk, STANDARDADR=Gaden 2",
        "004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2026-01-02",
        "021 START_DT-FLYTTEPÅBUD=2026-01-02",
        "023 KOMKOD=0101, VEJKOD=0042, HUSNR=001, TILFLYDTO=200001011200, FRAFLYDTO=202601020900",
        "099 TIMESTAMPU=202601020905, HAENDELSE=A01",
        "099 TIMESTAMPU=202601020901, HAENDELSE=A33",
        "099 TIMESTAMPU=202601020905, HAENDELSE=A01",
    ]);
    check(
        &[(ANNA, &before)],
        &[(ANNA, &after)],
        expect![[r#"
            6101801231 protected A33 [] (protection) 0101>0751 2026-01-02 00:00
            6101801231 moved_out A01 [] (address formatted_address) 0101>0751 2026-01-02 09:00
            6101801231 moved_in A01 [] (address formatted_address) 0101>0751 2026-01-02 09:00
            6101801231 moved_out A01 [] (address formatted_address) 0101>0751 2026-01-02 09:00
            6101801231 moved_in A01 [] (address formatted_address) 0101>0751 2026-01-02 09:00
            6101801231 other - [] (order_to_move) 0101>0751 2026-01-02 00:00
        "#]],
    );
}

#[test]
fn a_number_change_that_is_undone_is_one_for_both_numbers_and_explains_what_moved() {
    const PROTECTED: &str = "004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2020-02-03";
    let p42 = |mark: &str| format!("099 TIMESTAMPU=202601020901, HAENDELSE=P42, AFLEDTMRK={mark}");
    let ended = |number: &str| format!("001 STATUS=60, PNRGAELD={number}, SLUT_DT-PERSON=2026-01-01");
    let former = |number: &str| format!("022 PNR={number}, SLUT_DT-PERSON=2026-01-01");
    let before: &[Person<'_>] = &[(ANNA, &ended(BO)), (BO, &rows(&["001 STATUS=01", HOME, PROTECTED, &former(ANNA)]))];
    let taken_back = rows(&["001 STATUS=01", HOME, PROTECTED, &former(BO), &p42("PN")]);
    let given_up = rows(&[&ended(ANNA), &p42("PT")]);
    check(
        before,
        &[(ANNA, &taken_back), (BO, &given_up)],
        expect![[r#"
        6202791235 number_changed P42/PT [6101801231] (person address formatted_address protection former_number) 0101>- 2026-01-01 00:00
        6101801231 number_changed P42/PN [6202791235] (person address formatted_address protection former_number) ->0101 2026-01-01 00:00
    "#]],
    );
}

#[test]
fn a_relatives_new_number_does_not_silence_what_changed_beside_it() {
    let p03 = "099 TIMESTAMPU=202601020901, HAENDELSE=P03, AFLEDTMRK=BØ";
    let custody = |kind: &str, number: &str, since: &str| {
        format!("016 RELTYP-FORÆLDREMYN={kind}, RELPNR={number}, START_DT-FORÆLDREMYN={since}")
    };
    let held = |kind: &str, number: &str, since: &str| rows(&[ALIVE, HOME, &custody(kind, number, since)]);
    let before = held("0005", ANNA, "2020-01-01");
    // Only the number differs.
    let renumbered = rows(&[&held("0005", BO, "2020-01-01"), p03]);
    check(
        &[(CARL, &before)],
        &[(CARL, &renumbered)],
        expect![[r#"
        6101260017 number_changed P03/BØ [6101801231 6202791235] (custody) 0101>0101 -
    "#]],
    );
    // Custody began anew.
    let changed = rows(&[&held("0005", BO, "2026-01-02"), p03]);
    check(
        &[(CARL, &before)],
        &[(CARL, &changed)],
        expect![[r#"
        6101260017 other P03/BØ [] () 0101>0101 -
        6101260017 custody_changed - [6101801231 6202791235] (custody) 0101>0101 2026-01-02 00:00
    "#]],
    );
}

#[test]
fn who_is_born_within_the_year_is_newborn_whatever_the_number_says() {
    // The digits of the number say 5 January 1926.
    const NEWBORN: &str = "6501261231";
    let a36 = |mark: &str| format!("099 TIMESTAMPU=202601020901, HAENDELSE=A36{mark}");
    let born = rows(&["001 STATUS=01, FOED_DT=2026-01-01", HOME, &format!("015 PNRMOR={ANNA}"), &a36("")]);
    let mother = rows(&[ALIVE, HOME, &format!("014 PNRBARN={NEWBORN}"), &a36(", AFLEDTMRK=MO")]);
    check(
        &[(ANNA, &rows(&[ALIVE, HOME]))],
        &[(NEWBORN, &born), (ANNA, &mother)],
        expect![[r#"
        6501261231 child_born A36 [6101801231] (person parents) ->0101 -
        6501261231 created - [6101801231] (person address formatted_address parents) ->0101 -
        6101801231 child_born A36/MO [6501261231] (child) 0101>0101 -
    "#]],
    );
}

#[test]
fn of_two_current_addresses_the_one_that_began_last_is_where_the_person_lives() {
    let second = "002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=199001010000";
    let before = rows(&[ALIVE, HOME, second]);
    let name = "008 FORNVN=Bo, EFTERNVN=Bæk, NVNHAENSTART=202601020000";
    check(
        &[(BO, &before)],
        &[(BO, &rows(&[&before, name]))],
        expect![[r#"
        6202791235 name_given - [] (name) 0101>0101 2026-01-02 00:00
    "#]],
    );
}
