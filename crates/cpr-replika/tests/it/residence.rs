//! Who lives where: the address and the status together, the same for every question.

use cpr_replika::cpr_model::{MunicipalityCode, ProtectionKind};
use cpr_replika::{DeliveryNumber, EventCursor, EventFilter, Query, Replika, Scope, Search};

use crate::kit::{apply, config, date, extract_of_day, moment, pnr};

const KARLA: &str = "6101801234";
const NEW_NUMBER: &str = "6201801234";

const COPENHAGEN: MunicipalityCode = MunicipalityCode(101);

fn karla(status: &str) -> String {
    format!(
        "001 STATUS={status}, KOEN=K, FOED_DT=1980-01-01
         002 KOMKOD=0101, VEJKOD=1188, HUSNR=012A, TILFLYDTO=200001011200
         008 FORNVN=Karla, EFTERNVN=Dam, NVNHAENSTART=198001010000"
    )
}

fn count(replika: &Replika, query: Query) -> u64 {
    replika.snapshot().find(&query).unwrap().len()
}

fn at_street() -> Search {
    let address = cpr_replika::AddressPattern {
        municipality: Some(COPENHAGEN),
        street: Some(cpr_replika::cpr_model::StreetCode(1188)),
        ..Default::default()
    };
    Search::now(Query::Address(address))
}

#[test]
fn nobody_lives_at_a_last_known_address() {
    for gone in ["70", "80", "90"] {
        let replika = Replika::in_memory(&config()).unwrap();
        apply(&replika, &extract_of_day(1, &[(KARLA, &karla("01"))])).unwrap();
        assert_eq!(count(&replika, Query::municipality(COPENHAGEN)), 1);
        let since = format!("{gone}, STATUSHAENSTART=202601020800");
        apply(&replika, &extract_of_day(2, &[(KARLA, &karla(&since))])).unwrap();

        assert_eq!(count(&replika, Query::municipality(COPENHAGEN)), 0, "{gone}");
        let snapshot = replika.snapshot();
        assert_eq!(snapshot.search(&at_street()).unwrap().count, Some(0), "{gone}");
        let ever = Search { scope: Scope::Ever, ..at_street() };
        assert_eq!(snapshot.search(&Search { query: named(), ..ever }).unwrap().count, Some(1), "{gone}");

        let person = snapshot.person(pnr(KARLA)).unwrap().unwrap();
        assert!(person.address().is_none(), "{gone}");
        let last = person.current().last_known_address().and_then(|row| row.municipality_code());
        assert_eq!(last, Some(COPENHAGEN), "{gone}");
        let image = snapshot.as_of(pnr(KARLA), None, None).unwrap().unwrap();
        assert!(image.residence(moment("2026-01-01")).is_some(), "{gone}");
        assert!(image.residence(moment("2026-01-05")).is_none(), "{gone}");

        let events = snapshot.events_since(EventCursor::after(DeliveryNumber(1)), EventFilter::default()).unwrap();
        for event in events.map(Result::unwrap) {
            assert_eq!((event.municipality_before, event.municipality_after), (Some(COPENHAGEN), None), "{gone}");
        }
        assert!(snapshot.verify().unwrap().is_clean(), "{gone}");
    }
}

fn named() -> Query {
    Query::name(cpr_replika::NamePart::Any, "Karla")
}

#[test]
fn a_row_found_under_a_number_given_up_carries_the_protections_of_the_number_now() {
    let replika = Replika::in_memory(&config()).unwrap();
    let given_up = format!(
        "001 STATUS=60, PNRGAELD={NEW_NUMBER}, KOEN=K, FOED_DT=1980-01-01
        008 FORNVN=Karla, EFTERNVN=Dam, NVNHAENSTART=198001010000"
    );
    let now = format!("{}\n004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2020-01-01\n022 PNR={KARLA}", karla("01"));
    apply(&replika, &extract_of_day(1, &[(KARLA, &given_up), (NEW_NUMBER, &now)])).unwrap();
    let hits = replika.snapshot().search(&Search::now(named())).unwrap();
    let protections: Vec<_> = hits.rows.iter().map(|hit| hit.protections.as_slice()).collect();
    assert_eq!(protections, [&[ProtectionKind(1)]; 2]);
}

#[test]
fn what_a_person_is_now_leaves_out_what_was_and_what_never_was() {
    let replika = Replika::in_memory(&config()).unwrap();
    let rows = format!(
        "{}
         023 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=199001010000, FRAFLYDTO=200001011200
         023 ANNKOR=A, KOMKOD=0461, VEJKOD=0007, TILFLYDTO=199501010000, FRAFLYDTO=199601010000",
        karla("01")
    );
    apply(&replika, &extract_of_day(1, &[(KARLA, &rows)])).unwrap();
    let snapshot = replika.snapshot();
    let person = snapshot.person(pnr(KARLA)).unwrap().unwrap();
    assert_eq!(person.facts().filter_map(|fact| fact.address()).count(), 1);
    assert_eq!(person.all_facts().filter_map(|fact| fact.address()).count(), 3);
    assert_eq!(person.address().and_then(|row| row.municipality_code()), Some(COPENHAGEN));
    assert_eq!(person.birth_date(), Some(date("1980-01-01")));

    let then = snapshot.as_of(pnr(KARLA), Some(moment("1995-06-01")), None).unwrap().unwrap();
    assert_eq!(then.address().and_then(|row| row.municipality_code()), Some(MunicipalityCode(751)));
}
