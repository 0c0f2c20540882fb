//! Answers as of an earlier delivery and an earlier moment, on made-up persons; what `Debug` tells; unknown numbers.

use cpr_replika::{DeliveryNumber, Replika};
use cpr_services::gctp::{self, Service};
use cpr_services::search::adrsog1;
use cpr_services::sf1525::{Depth, Markings, Version};
use cpr_services::{Caller, ProtectedPersons};
use cpr_services::{Former, Lookup, NoRegister, Request, sf1520, sf1525, sf6008};

use crate::kit::{Person, date, moment, pnr, told, told_to};

const MAN: &str = "6101701111";
const HERE: &str = "001 STATUS=01, KOEN=M, FOED_DT=1970-01-01
    008 FORNVN=Gorm, EFTERNVN=Holm, NVNHAENSTART=197001011200
    002 KOMKOD=0851, VEJKOD=0042, HUSNR=007, TILFLYDTO=200001011200
    003 ADRNVN=Gorm Holm, STANDARDADR=Skovvej 7, POSTNR=9000, POSTDISTTXT=Aalborg, KOMKOD=0851, VEJKOD=0042, HUSNR=007, VEJADRNVN=Skovvej";
const THERE: &str = "001 STATUS=01, KOEN=M, FOED_DT=1970-01-01
    008 FORNVN=Gorm, EFTERNVN=Holm, NVNHAENSTART=197001011200
    002 KOMKOD=0751, VEJKOD=0099, HUSNR=012A, TILFLYDTO=202601021200, FRAFLYKOMKOD=0851, TILFLYKOMDTO=202601021200, FRAFLYKOMDTO=202601021200
    023 KOMKOD=0851, VEJKOD=0042, HUSNR=007, TILFLYDTO=200001011200, FRAFLYDTO=202601021200
    003 ADRNVN=Gorm Holm, STANDARDADR=Bredgade 12A, POSTNR=8000, POSTDISTTXT=Aarhus C, KOMKOD=0751, VEJKOD=0099, HUSNR=012A, VEJADRNVN=Bredgade";
const DEAD: &str = "001 STATUS=90, STATUSHAENSTART=202601040000, KOEN=M, FOED_DT=1970-01-01
    008 FORNVN=Gorm, EFTERNVN=Holm, NVNHAENSTART=197001011200
    023 KOMKOD=0851, VEJKOD=0042, HUSNR=007, TILFLYDTO=200001011200, FRAFLYDTO=202601040000
    003 ADRNVN=Gorm Holm";

fn known(replika: &Replika, number: &str, delivery: u32, service: Service) -> gctp::Answer {
    let known = (delivery > 0).then_some(DeliveryNumber(delivery));
    let request = Request { known, ..Request::on(pnr(number), date("2026-01-08"), Caller::unlogged()) };
    gctp::answer(&replika.snapshot(), service, &request).expect("a read").found().expect("held")
}

fn stam(replika: &Replika, number: &str, delivery: u32, field: &str) -> Option<String> {
    known(replika, number, delivery, Service::StamPlus).rows[0].value(field).map(str::to_owned)
}

fn text(of: &str) -> Option<String> {
    Some(of.to_owned())
}

#[test]
fn before_and_after_a_move() {
    let replika = told(&[&[(MAN, HERE)], &[(MAN, THERE)]]);
    assert_eq!(stam(&replika, MAN, 1, "STADR"), text("Skovvej 7"));
    assert_eq!(stam(&replika, MAN, 2, "STADR"), text("Bredgade 12A"));
    assert_eq!(stam(&replika, MAN, 0, "HUSNR"), text("012A"), "now is the last delivery");
    assert_eq!(stam(&replika, MAN, 1, "HUSNR"), text("007 "));

    // In the world before the move, as known after it: the coded address, without the text that only the present one
    // has.
    let request =
        Request { valid: Some(moment("2025-06-01")), ..Request::on(pnr(MAN), date("2026-01-08"), Caller::unlogged()) };
    let record = sf6008::answer(&replika.snapshot(), sf6008::Operation::Basic, &request).expect("a read");
    let record = record.found().expect("held").answer;
    assert_eq!((record.municipality_code, record.street_code), (Some(851), Some(42)));
    assert_eq!((record.standard_address, record.postal_code), (None, None));

    let stam = gctp::answer(&replika.snapshot(), Service::StamPlus, &request).expect("a read").found().expect("held");
    let said = |name| stam.rows[0].value(name);
    assert_eq!((said("KOMKOD"), said("HUSNR"), said("ADRNVN")), (Some("0851"), Some("007 "), Some("Gorm Holm")));
    assert_eq!((said("STADR"), said("POSTNR")), (None, None));

    let all = Markings::all(Depth::WithHistory);
    let addresses = |known| {
        let request = Request {
            known: Some(DeliveryNumber(known)),
            ..Request::on(pnr(MAN), date("2026-01-08"), Caller::unlogged())
        };
        let answer = sf1525::answer(&replika.snapshot(), Version::V2, &all, &request, &NoRegister).expect("a read");
        let addresses = answer.found().expect("held").answer.addresses;
        addresses.iter().map(|one| (one.municipality_code, one.state)).collect::<Vec<_>>()
    };
    assert_eq!(addresses(1), [(Some(851), "AKTUEL")]);
    assert_eq!(addresses(2), [(Some(751), "AKTUEL"), (Some(851), "HISTORISK")]);
}

#[test]
fn of_two_current_addresses_the_one_that_began_last_is_told_whichever_003_tells() {
    let later = "002 KOMKOD=0101, VEJKOD=0001, HUSNR=012, ETAGE=02, TILFLYDTO=202001010000";
    let twice = format!("{HERE}\n{later}");
    let replika = told(&[&[(MAN, &twice)]]);
    let said = |field| stam(&replika, MAN, 0, field);
    assert_eq!((said("KOMKOD"), said("VEJKOD")), (text("0101"), text("0001")));
    assert_eq!((said("HUSNR"), said("ETAGE")), (text("012 "), text("02")));
    let request = Request::on(pnr(MAN), date("2026-01-08"), Caller::unlogged());
    let record = sf6008::answer(&replika.snapshot(), sf6008::Operation::Basic, &request).expect("a read");
    assert_eq!(record.found().expect("held").answer.municipality_code, Some(101), "the other services say the same");
}

#[test]
fn a_death_and_its_undoing() {
    let replika = told(&[&[(MAN, HERE)], &[(MAN, DEAD)], &[(MAN, HERE)]]);
    let said = |delivery| (stam(&replika, MAN, delivery, "STATUS"), stam(&replika, MAN, delivery, "POSTNR"));
    assert_eq!(said(1), (text("01"), text("9000")));
    assert_eq!(said(2), (text("90"), text("0")), "no current address");
    assert_eq!(said(3), said(1));

    let request =
        Request { known: Some(DeliveryNumber(2)), ..Request::on(pnr(MAN), date("2026-01-08"), Caller::unlogged()) };
    let answer = sf1520::answer(&replika.snapshot(), sf1520::Version::V5, &request, &NoRegister).expect("a read");
    let answer = answer.found().expect("held").answer;
    assert_eq!(answer.addresses.current, sf1520::Address::default(), "there, and empty");
    assert_eq!(answer.addresses.past.len(), 1, "the last address stays findable");
    assert_eq!(answer.person.age, Some(56), "the dead keep ageing");
    assert_eq!(answer.person.status.and_then(|state| state.status), Some(90));
}

#[test]
fn a_number_change_answers_under_both_numbers() {
    const NEW: &str = "6201701111";
    let given_up = "001 PNRGAELD=6201701111, STATUS=60, STATUSHAENSTART=202601021000, KOEN=M, FOED_DT=1970-01-01
        008 FORNVN=Gorm, EFTERNVN=Holm, NVNHAENSTART=197001011200
        003 ADRNVN=Gorm Holm";
    let new = format!("{HERE}\n022 PNR=6101701111, START_DT-PERSON=1970-01-01, SLUT_DT-PERSON=2026-01-02");
    let replika = told(&[&[(MAN, HERE)], &[(MAN, given_up), (NEW, &new)]]);
    assert_eq!(stam(&replika, MAN, 1, "PNRGAELD"), None);
    assert_eq!(stam(&replika, MAN, 2, "PNRGAELD"), text(NEW), "its own row, with the number now");
    assert_eq!(stam(&replika, MAN, 2, "STATUS"), text("60"));
    assert_eq!(stam(&replika, NEW, 2, "STADR"), text("Skovvej 7"));
    let before =
        Request { known: Some(DeliveryNumber(1)), ..Request::on(pnr(NEW), date("2026-01-08"), Caller::unlogged()) };
    let before = gctp::answer(&replika.snapshot(), Service::StamPlus, &before).expect("a read");
    assert_eq!(before, Lookup::Unknown, "nobody had the number then");
}

#[test]
fn a_number_without_records_is_not_an_unknown_one() {
    let rows = format!("{HERE}\n022 PNR=6301701111, START_DT-PERSON=1970-01-01, SLUT_DT-PERSON=1980-01-02");
    let replika = told(&[&[(MAN, &rows)]]);
    let ask = |number| {
        let request = Request::on(pnr(number), date("2026-01-08"), Caller::unlogged());
        gctp::answer(&replika.snapshot(), Service::Adresse4, &request).expect("a read")
    };
    assert_eq!(ask("6301701111"), Lookup::Former(Former { current: Some(pnr(MAN)) }));
    assert_eq!(ask("6401701111"), Lookup::Unknown);
    assert_eq!(ask(MAN).found().map(|answer| answer.rows.len()), Some(0), "found, and no contact address");
}

const FAMILY: [Person<'static>; 3] = [
    (
        MAN,
        "001 STATUS=01, KOEN=M, FOED_DT=1970-01-01
        004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2025-01-01, SLET_DT-BESKYTTELSE=2026-01-07
        008 FORNVN=Gorm, EFTERNVN=Holm, NVNHAENSTART=197001011200
        012 CIVST=G, AEGTEFOED_DT=1971-00-00, AEGTENVN=Lund;Åse, HAENSTART-CIVILSTAND=199501011200
        014 PNRBARN=6101104111
        014 PNRBARN=6101084111
        014 PNRBARN=6101205111
        015 MOR_FOED_DT=1945-02-03, MORNVN=Holm;Dagmar, PNRFAR=6101441111
        003 ADRNVN=Gorm Holm",
    ),
    ("6101104111", "001 STATUS=01, KOEN=M, FOED_DT=2010-01-01\n003 ADRNVN=Emil Holm"),
    ("6101084111", "001 STATUS=01, KOEN=M, FOED_DT=2008-01-01\n003 ADRNVN=Ib Holm"),
];

#[test]
fn a_child_of_two_rows_is_one_child() {
    let (_, child) = FAMILY[1];
    let parent = "001 STATUS=01, KOEN=M, FOED_DT=1970-01-01\n014 PNRBARN=6101104111\n014 PNRBARN=6101104111";
    let replika = told(&[&[(MAN, parent), ("6101104111", child)]]);
    let request = Request::on(pnr(MAN), date("2026-01-08"), Caller::unlogged());
    let answer = sf1520::answer(&replika.snapshot(), sf1520::Version::V5, &request, &NoRegister).expect("a read");
    assert_eq!(answer.found().expect("held").answer.person.children_under_18, Some(1));
}

#[test]
fn relations_that_lead_nowhere_are_told_and_not_counted() {
    let replika = told(&[&FAMILY]);
    let request = Request::on(pnr(MAN), date("2026-01-08"), Caller::unlogged());
    let answer = sf1520::answer(&replika.snapshot(), sf1520::Version::V5, &request, &NoRegister).expect("a read");
    let answer = answer.found().expect("held").answer;
    assert_eq!(answer.relations.children.len(), 3, "a child that the replica does not hold is named");
    assert_eq!(answer.person.children_under_18, Some(1), "by the day: one turned 18, one is not held");
    let spouse = answer.relations.spouse.as_ref().expect("a spouse without a number");
    assert!(spouse.pnr.is_none() && spouse.name.as_deref() == Some("Lund;Åse"));
    assert_eq!(answer.relations.father.pnr.as_deref(), Some("6101441111"));
    let xml = answer.to_xml(sf1520::Version::V5).expect("XML");
    assert!(xml.contains("<aegtefaelle><navn>Lund;Åse</navn></aegtefaelle>"), "a birth year is no xsd:date");

    let family = known(&replika, MAN, 0, Service::FamiliePlus);
    let marks: Vec<_> = family.rows.iter().skip(1).map(|row| row.value("FAMMRK")).collect();
    assert_eq!(marks, [Some("Barn"), Some("Barn"), Some("Andet")], "by number; those not held are left out");
}

#[test]
fn a_relative_answers_for_the_number_that_the_relation_names() {
    const OLD: &str = "6105701110";
    const NEW: &str = "6205701110";
    let wed = |number| format!("{HERE}\n012 CIVST=G, AEGTEPNR={number}, HAENSTART-CIVILSTAND=199501011200");
    let given_up = "001 PNRGAELD=6205701110, STATUS=60, STATUSHAENSTART=202601021000, KOEN=K, FOED_DT=1970-01-05
        003 ADRNVN=Åse Lund";
    let new = "001 STATUS=01, KOEN=K, FOED_DT=1970-01-05
        004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2025-01-01
        022 PNR=6105701110
        003 ADRNVN=Åse Lund";
    let replika = told(&[&[(MAN, &wed(OLD)), (OLD, given_up), (NEW, new)], &[(MAN, &wed(NEW))]]);
    let spouse = |delivery| {
        let family = known(&replika, MAN, delivery, Service::FamiliePlus);
        let row = family.rows.iter().find(|row| row.value("FAMMRK") == Some("Ægtefælle")).expect("a spouse").clone();
        let said = |name| row.value(name).map(str::to_owned);
        (said("PNR_FOEDDATO"), said("CNVN_STATUS"), said("CBSK_TYP"), row.protections.rows().len())
    };
    assert_eq!(spouse(1), (text(OLD), text("60"), None, 1), "its own row, with the protections of the human being");
    assert_eq!(spouse(2), (text(NEW), text("01"), text("00001"), 1), "with the protections of the row's person");
}

#[test]
fn a_protection_is_recorded_and_in_force_by_the_day() {
    let replika = told(&[&FAMILY]);
    for (day, in_force) in [("2024-12-31", false), ("2025-01-01", true), ("2026-01-07", true), ("2026-01-08", false)] {
        let request = Request::on(pnr(MAN), date(day), Caller::unlogged());
        let answer = gctp::answer(&replika.snapshot(), Service::StamPlus, &request).expect("a read");
        let answer = answer.found().expect("held");
        assert_eq!(answer.rows[0].value("BESKYT"), Some("X"), "as long as the record comes");
        let protection = &answer.protections.rows()[0];
        assert_eq!((protection.kind.0, protection.in_force), (1, in_force), "{day}");
    }
}

#[test]
fn debug_tells_nothing_of_the_person() {
    let replika = told(&[&FAMILY]);
    let snapshot = replika.snapshot();
    let request = Request::on(pnr(MAN), date("2026-01-08"), Caller::unlogged());
    let all = Markings::all(Depth::WithHistory);
    let told = [
        format!("{request:?}"),
        format!("{:?}", gctp::answer(&snapshot, Service::FamiliePlus, &request)),
        format!("{:?}", sf1520::answer(&snapshot, sf1520::Version::V5, &request, &NoRegister)),
        format!("{:?}", sf1525::answer(&snapshot, Version::V2, &all, &request, &NoRegister)),
        format!("{:?}", sf6008::answer(&snapshot, sf6008::Operation::Extended, &request)),
    ];
    for text in told {
        for secret in [MAN, "Gorm", "Holm", "6101104111", "Dagmar"] {
            assert!(!text.contains(secret));
        }
    }
}

#[test]
fn the_number_now_is_the_end_of_the_chain() {
    const SECOND: &str = "6201701111";
    const THIRD: &str = "6301701111";
    let given_up =
        |now: &str| format!("001 PNRGAELD={now}, STATUS=60, KOEN=M, FOED_DT=1970-01-01\n003 ADRNVN=Gorm Holm");
    let (first, second) = (given_up(SECOND), given_up(THIRD));
    let replika = told(&[&[(MAN, &first), (SECOND, &second), (THIRD, HERE)]]);
    let snapshot = replika.snapshot();
    for number in [MAN, SECOND] {
        let request = Request::on(pnr(number), date("2026-01-08"), Caller::unlogged());
        assert_eq!(stam(&replika, number, 0, "PNRGAELD"), text(THIRD));
        let answer = sf1520::answer(&snapshot, sf1520::Version::V5, &request, &NoRegister).expect("a read");
        assert_eq!(answer.found().expect("held").answer.person.current_pnr, text(THIRD));
        let record = sf6008::answer(&snapshot, sf6008::Operation::Basic, &request).expect("a read");
        assert_eq!(record.found().expect("held").answer.current_pnr, text(THIRD));
        let answer = sf1525::answer(&snapshot, Version::V2, &Markings::default(), &request, &NoRegister);
        let answer = answer.expect("a read").found().expect("held").answer;
        assert_eq!(answer.current_pnr, text(&format!("urn:oio:cpr-nr:{THIRD}")));
    }
    assert_eq!(stam(&replika, THIRD, 0, "PNRGAELD"), None);
}

#[test]
fn nobody_lives_at_a_last_known_address() {
    let rows = "001 STATUS=80, STATUSHAENSTART=202601040000, KOEN=M, FOED_DT=1970-01-01
        002 KOMKOD=0851, VEJKOD=0042, HUSNR=007, TILFLYDTO=200001011200
        005 UDR_LANDEKOD=5120, UDRDTO=202601040000
        003 ADRNVN=Gorm Holm";
    let replika = told(&[&[(MAN, rows)]]);
    let snapshot = replika.snapshot();
    let request = Request::on(pnr(MAN), date("2026-02-01"), Caller::unlogged());
    let answer = sf1520::answer(&snapshot, sf1520::Version::V5, &request, &NoRegister).expect("a read");
    let addresses = answer.found().expect("held").answer.addresses;
    assert_eq!(addresses.current, sf1520::Address::default());
    assert_eq!(addresses.past.iter().map(|past| past.street_code).collect::<Vec<_>>(), [Some(42)], "it stays findable");
    let record = sf6008::answer(&snapshot, sf6008::Operation::Basic, &request).expect("a read").found().expect("held");
    assert_eq!((record.answer.municipality_code, record.answer.moved_in), (None, None));
    let said = |field| stam(&replika, MAN, 0, field);
    assert_eq!((said("KOMKOD"), said("HUSNR"), said("POSTNR")), (None, None, text("0")));
    let states = |depth| {
        let answer = sf1525::answer(&snapshot, Version::V2, &Markings::all(depth), &request, &NoRegister);
        let answer = answer.expect("a read").found().expect("held").answer;
        answer.addresses.iter().map(|address| address.state).collect::<Vec<_>>()
    };
    assert_eq!((states(Depth::Current), states(Depth::WithHistory)), (vec![], vec!["HISTORISK"]));
    let asked = adrsog1::Request::parse([("VEJK", "42"), ("KOMK", "851")], ProtectedPersons::Tell).expect("a request");
    assert_eq!(adrsog1::answer(Caller::unlogged(), &snapshot, &asked, date("2026-02-01")).expect("a search").count, 0);
    let before = Request { valid: Some(moment("2025-06-01")), ..request };
    let before = sf6008::answer(&snapshot, sf6008::Operation::Basic, &before).expect("a read").found().expect("held");
    assert_eq!(before.answer.municipality_code, Some(851), "before the status began");
}

#[test]
fn a_moment_in_the_world_and_an_old_number_take_no_protection_away() {
    const OLD: &str = "6205701111";
    let now =
        format!("{HERE}\n004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2025-01-01\n014 PNRBARN=6101104111\n022 PNR={OLD}");
    let old = format!("001 PNRGAELD={MAN}, STATUS=60, KOEN=M, FOED_DT=1970-01-01\n003 ADRNVN=Gorm Holm");
    let child = format!("001 STATUS=01, KOEN=M, FOED_DT=2010-01-01\n015 PNRFAR={MAN}\n003 ADRNVN=Emil Holm");
    let replika = told(&[&[(MAN, &now), (OLD, &old), ("6101104111", &child)]]);
    let snapshot = replika.snapshot();
    for valid in [None, Some(moment("2020-01-01"))] {
        let ask = |number| Request { valid, ..Request::on(pnr(number), date("2026-01-08"), Caller::unlogged()) };
        for number in [MAN, OLD] {
            let record = sf6008::answer(&snapshot, sf6008::Operation::Basic, &ask(number)).expect("a read");
            let record = record.found().expect("held");
            assert!(record.protections.in_force(cpr_replika::cpr_model::ProtectionKind::NAME_AND_ADDRESS));
            assert_eq!(record.answer.protected, Some(true));
            let recorded =
                cpr_services::Protections::of_person(&snapshot, &ask(number)).expect("a read").expect("held");
            assert_eq!(recorded, record.protections);
        }
        let stam = gctp::answer(&snapshot, Service::StamPlus, &ask(MAN)).expect("a read").found().expect("held");
        assert_eq!(stam.rows[0].value("BESKYT"), Some("X"));
        let family = gctp::answer(&snapshot, Service::FamiliePlus, &ask("6101104111")).expect("a read");
        let family = family.found().expect("held");
        let father = family.rows.iter().find(|row| row.value("FAMMRK") == Some("Far")).expect("a father");
        assert_eq!(father.protections.rows().len(), 1);
    }
}

#[test]
fn an_address_uuid_is_spelled_one_way_in_all_services() {
    let rows = "001 STATUS=01, KOEN=M, FOED_DT=1970-01-01
        002 KOMKOD=0851, VEJKOD=0042, HUSNR=007, TILFLYDTO=200001011200, ADRESSE_UUID=0A3F50B8-0000-32B8-E044-0003BA298018";
    let replika = told_to("uuid", None, &[&[(MAN, rows)]]);
    let snapshot = replika.snapshot();
    let request = Request::on(pnr(MAN), date("2026-01-08"), Caller::unlogged());
    let expected = text("0a3f50b8-0000-32b8-e044-0003ba298018");
    let answer = sf1520::answer(&snapshot, sf1520::Version::V5, &request, &NoRegister).expect("a read");
    assert_eq!(answer.found().expect("held").answer.addresses.current.uuid, expected);
    let all = Markings::all(Depth::Current);
    let answer = sf1525::answer(&snapshot, Version::V2, &all, &request, &NoRegister).expect("a read");
    assert_eq!(answer.found().expect("held").answer.addresses[0].uuid, expected);
}
