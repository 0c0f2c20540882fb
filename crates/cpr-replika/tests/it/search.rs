//! Search, beside a scan of every document that asks moment by moment.

use std::collections::BTreeMap;
use std::io::Cursor;

use cpr_replika::cpr_model::{
    Aspect, CountryCode, Folder, MunicipalityCode, PersonKey, Status, StreetCode, Timestamp, folded_line, latin1_of,
};
use cpr_replika::cpr_subscription::{Door, Floor, HouseNumber};
use cpr_replika::{
    AddressPattern, ApplyOptions, Error, Fact, NamePart, Needed, Person, PersonSet, Policy, Query, Refusal, Replika,
    Scope, Search, Sex, Snapshot, WordPattern,
};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::kit::{self, config, date, extract, extract_of_day, pnr};

const NUMBERS: [&str; 6] = ["6101801231", "6101801232", "7212554441", "9005019999", "6812179017", "6202845678"];

fn search(query: Query, scope: Scope) -> Search {
    Search { scope, ..Search::now(query) }
}

/// All pages of so many rows, in which a page that is not full must be the last.
fn paged(snapshot: &Snapshot, query: &Query, scope: Scope, limit: usize) -> Vec<String> {
    let mut search = Search { limit, count: false, ..search(query.clone(), scope) };
    let mut found = Vec::new();
    loop {
        let page = snapshot.search(&search).unwrap();
        assert!(page.rows.len() == limit || page.next.is_none(), "{query:?}: a page that is not full is the last");
        found.extend(page.rows.iter().map(|hit| hit.pnr.reveal().to_owned()));
        search.after = page.next;
        if search.after.is_none() {
            return found;
        }
    }
}

/// The same, two rows each.
fn found(snapshot: &Snapshot, query: &Query, scope: Scope) -> Vec<String> {
    paged(snapshot, query, scope, 2)
}

fn name(text: &str) -> Query {
    Query::name(NamePart::Any, text)
}

fn address(address: AddressPattern) -> Query {
    Query::Address(address)
}

fn street(name: &str) -> AddressPattern {
    AddressPattern { street_name: AddressPattern::words(name), ..AddressPattern::default() }
}

fn house(text: &str) -> HouseNumber {
    HouseNumber::parse(text.as_bytes()).unwrap()
}

const HANS: &str = "001 STATUS=01, FOED_DT=1980-01-01, KOEN=M
    002 KOMKOD=0101, VEJKOD=1188, HUSNR=012A, ETAGE=02, SIDEDOER=tv, TILFLYDTO=201001010000
    003 ADRNVN=Hans-Peter Åkjær, KOMKOD=0101, VEJKOD=1188, HUSNR=012A, POSTNR=2200, POSTDISTTXT=København N, VEJADRNVN=Nørre Allé
    008 FORNVN=Hans-Peter, EFTERNVN=Åkjær, NVNHAENSTART=200501010000
    023 KOMKOD=0751, VEJKOD=0042, HUSNR=007, TILFLYDTO=200001010000, FRAFLYDTO=201001010000
    026 FORNVN=Hans-Peter, EFTERNVN=Møller, NVNHAENSTART=198001010000, NVNHAENSLUT=200501010000
    026 ANNKOR=A, FORNVN=Villy, EFTERNVN=Møller, NVNHAENSTART=198001010000, NVNHAENSLUT=200501010000";

const GRO: &str = "001 STATUS=90, FOED_DT=1955-12-12, KOEN=K
    008 FORNVN=Gro, EFTERNVN=Møller, NVNHAENSTART=195512120000, ADRNVN=Møller,Gro Falk";

#[test]
fn who_is_found_by_what() {
    let told = kit::told(&[&[("6101801231", HANS), ("7212554441", GRO)]]);
    let snapshot = told.snapshot();
    let (hans, gro) = ("6101801231", "7212554441");
    let in_street =
        |houses: &str| address(AddressPattern { houses: vec![house(houses)..=house(houses)], ..street("norre alle") });
    assert!(found(&snapshot, &in_street("12A"), Scope::Now).is_empty(), "ø is a letter of its own");
    let lives = |pattern: AddressPattern| address(pattern);
    let former = AddressPattern { municipality: Some(MunicipalityCode(751)), ..AddressPattern::default() };
    let with = |queries: Vec<Query>| Query::And(queries);
    for (query, scope, expected) in [
        (name("åkjær"), Scope::Now, &[hans][..]),
        (name("AAKJÆR hans"), Scope::Now, &[hans]),
        (name("hanspeter"), Scope::Now, &[hans]),
        (name("Hans-Peter"), Scope::Now, &[hans]),
        (name("mø*"), Scope::Now, &[gro]),
        (name("mø*"), Scope::Ever, &[gro, hans]),
        (name("villy"), Scope::Ever, &[]),
        (Query::name(NamePart::Given, "møller"), Scope::Ever, &[]),
        (Query::name(NamePart::Surname, "m?ll*"), Scope::Ever, &[gro, hans]),
        (Query::name(NamePart::Addressing, "falk"), Scope::Now, &[gro]),
        (lives(street("Nørre Alle")), Scope::Now, &[hans]),
        (lives(street("all* nørre")), Scope::Now, &[hans]),
        (lives(street("nørre vej")), Scope::Now, &[]),
        (lives(AddressPattern { street: Some(StreetCode(1188)), ..street("nørre") }), Scope::Now, &[hans]),
        (lives(AddressPattern { street: Some(StreetCode(1187)), ..street("nørre") }), Scope::Now, &[]),
        (lives(AddressPattern { municipality: Some(MunicipalityCode(101)), ..street("nørre") }), Scope::Now, &[hans]),
        (lives(AddressPattern { municipality: Some(MunicipalityCode(751)), ..street("nørre") }), Scope::Now, &[]),
        (lives(AddressPattern { postal_code: Some(2200..=2299), ..street("nørre") }), Scope::Now, &[hans]),
        (lives(AddressPattern { postal_code: Some(2100..=2199), ..street("nørre") }), Scope::Now, &[]),
        (
            lives(AddressPattern { floor: Floor::parse(b"2"), door: Door::parse(b"TV"), ..street("nørre") }),
            Scope::Now,
            &[hans],
        ),
        (
            lives(AddressPattern { postal_district: AddressPattern::words("københavn"), ..street("nørre") }),
            Scope::Now,
            &[hans],
        ),
        (lives(former.clone()), Scope::Now, &[]),
        (lives(former.clone()), Scope::Ever, &[hans]),
        (with(vec![lives(former.clone()), name("åkjær")]), Scope::Ever, &[hans]),
        (with(vec![lives(former.clone()), name("åkjær")]), Scope::AtTheSameTime, &[hans]),
        (with(vec![lives(former.clone()), name("møller")]), Scope::AtTheSameTime, &[hans]),
        (with(vec![lives(street("nørre allé")), name("møller")]), Scope::AtTheSameTime, &[]),
        (with(vec![lives(street("nørre allé")), name("møller")]), Scope::Ever, &[hans]),
        (with(vec![name("møller"), Query::Sex(Sex::Woman)]), Scope::Ever, &[gro]),
        (with(vec![name("møller"), Query::Status(Status(80)..=Status(90))]), Scope::Ever, &[gro]),
        (Query::Born(date("1980-01-01")..=date("1980-12-31")), Scope::Now, &[hans]),
        (with(vec![]), Scope::Now, &[gro, hans]),
        (Query::Or(vec![]), Scope::Now, &[]),
    ] {
        assert_eq!(found(&snapshot, &query, scope), expected, "{query:?} {scope:?}");
    }
    let page = snapshot.search(&Search::now(name("åkjær"))).unwrap();
    assert_eq!(page.count, Some(1));
    assert_eq!(page.rows[0].addressing_name.as_deref(), Some("Hans-Peter Åkjær"));
}

#[test]
fn a_page_without_a_count_leaves_those_unread_who_stand_behind_it() {
    let bearer = "001 STATUS=01\n    008 FORNVN=Bo, EFTERNVN=Opdigtet, NVNHAENSTART=199001010000";
    let [first, second, much_younger] = ["6101201231", "6101201232", "6101801231"];
    let told = kit::told(&[&[(first, bearer), (second, bearer), (much_younger, bearer)]]);
    let snapshot = told.snapshot();
    // A row of the word holds sixteen years of numbers.
    let policy = Policy { rows: 1, ..Policy::open() };
    let with_count = Search { limit: 1, policy, ..Search::now(Query::name(NamePart::Surname, "opdigtet")) };
    let page = Search { count: false, ..with_count.clone() };
    assert!(matches!(snapshot.search(&with_count), Err(Error::Search(Refusal::TooManyRows { limit: 1 }))));
    let found = snapshot.search(&page).unwrap();
    assert_eq!((found.rows[0].pnr, found.next), (pnr(first), Some(pnr(first))));
    let last = Search { after: Some(pnr(second)), ..page };
    assert_eq!(snapshot.search(&last).unwrap().rows[0].pnr, pnr(much_younger), "a later page begins where it stands");
}

#[test]
fn pages_of_a_word_of_a_prefix_and_of_everybody_else_hold_whom_the_whole_answer_holds() {
    let named = |given: &str, surname: &str| {
        format!("001 STATUS=01\n    008 FORNVN={given}, EFTERNVN={surname}, NVNHAENSTART=199001010000")
    };
    // In the same rows of the words: bearers of one surname, of another with the same beginning, and of it as a given name.
    let [one, other, given] = [named("Bo", "Opdigtet"), named("Bo", "Opdigtelse"), named("Opdigtet", "Bo")];
    let numbers: Vec<String> = (1..=9).map(|at| format!("610120123{at}")).collect();
    let rows = [&other, &one, &given, &one, &given, &other, &one, &one, &other];
    let persons: Vec<(&str, &str)> = numbers.iter().map(String::as_str).zip(rows.map(String::as_str)).collect();
    let told = kit::told(&[&persons]);
    let snapshot = told.snapshot();
    let surname = |word| Query::name(NamePart::Surname, word);
    let but = |word| Query::Not(Box::new(surname(word)));
    for (query, expected) in [
        (surname("opdigtet"), &[1, 3, 6, 7][..]),
        (surname("opdigt*"), &[0, 1, 3, 5, 6, 7, 8]),
        (but("opdigtet"), &[0, 2, 4, 5, 8]),
        (but("opdigt*"), &[2, 4]),
    ] {
        let expected: Vec<_> = expected.iter().map(|at| numbers[*at].clone()).collect();
        for limit in 1..=expected.len() + 1 {
            assert_eq!(paged(&snapshot, &query, Scope::Now, limit), expected, "{query:?} by {limit}");
        }
    }
}

#[test]
fn a_page_goes_on_behind_those_who_bore_the_name_at_no_moment() {
    let bearer = "001 STATUS=01\n    008 FORNVN=Bo, EFTERNVN=Opdigtet, NVNHAENSTART=199001010000";
    // A name that ended as it began.
    let at_no_moment = "001 STATUS=01\n    008 FORNVN=Bo, EFTERNVN=Dahl, NVNHAENSTART=199001010000
        026 FORNVN=Bo, EFTERNVN=Opdigtet, NVNHAENSTART=199001010000, NVNHAENSLUT=199001010000";
    let numbers: Vec<String> = (1..=5).map(|at| format!("610120123{at}")).collect();
    let rows = [at_no_moment, at_no_moment, at_no_moment, bearer, bearer];
    let persons: Vec<(&str, &str)> = numbers.iter().map(String::as_str).zip(rows).collect();
    let told = kit::told(&[&persons]);
    let snapshot = told.snapshot();
    let query = Query::name(NamePart::Surname, "opdigtet");
    for limit in 1..=6 {
        assert_eq!(paged(&snapshot, &query, Scope::AtTheSameTime, limit), numbers[3..], "by {limit}");
        assert_eq!(paged(&snapshot, &query, Scope::Ever, limit), numbers, "by {limit}");
    }
}

#[test]
fn pages_with_a_count_go_on_where_the_one_before_ended_and_count_everybody() {
    let bearer = "001 STATUS=01, KOEN=M\n    008 FORNVN=Bo, EFTERNVN=Opdigtet, NVNHAENSTART=199001010000";
    // Men, of four decades: an index row of a word holds sixteen years.
    let numbers = ["6101201231", "6101201233", "6101501231", "6101701231", "6101801231"];
    let told = kit::told(&[&numbers.map(|number| (number, bearer))]);
    let snapshot = told.snapshot();
    // The index answers the first question, and the documents of persons the second.
    for query in [Query::name(NamePart::Surname, "opdigtet"), Query::Sex(Sex::Man)] {
        for (limit, count) in (1..=6).flat_map(|limit| [(limit, true), (limit, false)]) {
            let mut search = Search { limit, count, ..Search::now(query.clone()) };
            let mut found = Vec::new();
            loop {
                let page = snapshot.search(&search).unwrap();
                assert_eq!(page.count, count.then_some(5), "{query:?} by {limit}");
                found.extend(page.rows.into_iter().map(|hit| hit.pnr));
                search.after = page.next;
                if search.after.is_none() {
                    break;
                }
            }
            assert_eq!(found, numbers.map(pnr), "{query:?} by {limit}");
        }
        for (limit, is_refused) in [(2, false), (3, true), (usize::MAX, true)] {
            let policy = Policy { page: 2, ..Policy::open() };
            let page = snapshot.search(&Search { limit, policy, ..Search::now(query.clone()) });
            match page {
                Err(Error::Search(Refusal::PageTooLarge { limit: 2 })) => assert!(is_refused, "{limit}"),
                page => assert!(!is_refused && page.unwrap().rows.len() == 2, "{limit}"),
            }
        }
    }
}

#[test]
fn a_search_that_costs_or_says_too_little_is_refused_with_the_reason() {
    let told = kit::told(&[&[("6101801231", HANS), ("7212554441", GRO)]]);
    let snapshot = told.snapshot();
    let refusal = |query: Query, policy: Policy| match snapshot.search(&Search { policy, ..Search::now(query) }) {
        Err(Error::Search(refusal)) => Some(refusal),
        other => other.map(|_| None).unwrap(),
    };
    let sf1520 = |query| refusal(query, Policy::sf1520());
    let too_little = Some(Refusal::TooLittleAsked { any_of: Policy::sf1520().require_any });
    let place = || address(AddressPattern { municipality: Some(MunicipalityCode(101)), ..AddressPattern::default() });
    assert_eq!(sf1520(place()), too_little);
    assert_eq!(sf1520(Query::Not(Box::new(name("hans")))), too_little);
    assert_eq!(sf1520(Query::Or(vec![name("hans"), place()])), too_little);
    assert_eq!(sf1520(Query::And(vec![name("hans"), place()])), None);
    assert_eq!(sf1520(address(AddressPattern { street: Some(StreetCode(1188)), ..AddressPattern::default() })), None);
    assert!(sf1520(place()).unwrap().to_string().contains(&Needed::StreetCode.to_string()));

    let one = |documents, rows| Policy { documents, rows, ..Policy::open() };
    let men = || Query::Sex(Sex::Man);
    assert_eq!(refusal(men(), one(1, 9)), Some(Refusal::TooManyDocuments { limit: 1 }));
    assert_eq!(refusal(men(), one(2, 9)), None);
    assert_eq!(refusal(name("*"), one(9, 1)), Some(Refusal::TooManyRows { limit: 1 }));
    let without_count = Search { count: false, limit: 1, policy: one(1, 9), ..Search::now(men()) };
    assert!(snapshot.search(&without_count).is_err(), "the first document is not enough to fill the page");
    let indexed = Search { policy: one(0, 99), ..Search::now(name("åkjær")) };
    assert_eq!(snapshot.search(&indexed).unwrap().count, Some(1), "what the index answers reads no document to decide");
}

#[test]
fn who_changes_name_is_found_by_both_from_then_on() {
    let replika = Replika::in_memory(&config()).unwrap();
    let as_born = "001 STATUS=01\n008 FORNVN=Gro, EFTERNVN=Skov, NVNHAENSTART=198001010000";
    let married = "001 STATUS=01\n008 FORNVN=Gro, EFTERNVN=Dahl, NVNHAENSTART=201001010000
        026 FORNVN=Gro, EFTERNVN=Skov, NVNHAENSTART=198001010000, NVNHAENSLUT=201001010000";
    let moved = "001 STATUS=01\n002 KOMKOD=0101, VEJKOD=1188\n008 FORNVN=Gro, EFTERNVN=Dahl, NVNHAENSTART=201001010000";
    for (day, rows, now, ever) in [
        (1, as_born, &["skov"][..], &["skov"][..]),
        (2, married, &["dahl"], &["skov", "dahl"]),
        // Within the window, a former name that is no longer stated is no longer true.
        (3, moved, &["dahl"], &["dahl"]),
    ] {
        kit::apply(&replika, &extract_of_day(day, &[("6101801231", rows)])).unwrap();
        let snapshot = replika.snapshot();
        for word in ["skov", "dahl"] {
            assert_eq!(
                found(&snapshot, &name(word), Scope::Now).len(),
                usize::from(now.contains(&word)),
                "{day} {word}"
            );
            assert_eq!(
                found(&snapshot, &name(word), Scope::Ever).len(),
                usize::from(ever.contains(&word)),
                "{day} {word}"
            );
        }
        assert!(snapshot.verify().unwrap().is_clean());
    }
}

#[test]
fn a_postal_code_goes_with_the_current_address_unless_003_names_another_place() {
    let postal = AddressPattern { postal_code: Some(8000..=8000), ..AddressPattern::default() };
    for (of_003, finds) in [
        ("KOMKOD=0751, VEJKOD=0042, VEJADRNVN=Ny Torv, ", false),
        ("KOMKOD=0101, VEJKOD=1188, HUSNR=003, ", false),
        ("KOMKOD=0101, VEJKOD=1188, HUSNR=012A, VEJADRNVN=Nørre Allé, ", true),
        ("", true),
        ("KOMKOD=0000, VEJKOD=0000, ", true),
    ] {
        let rows = format!("001 STATUS=01\n002 KOMKOD=0101, VEJKOD=1188, HUSNR=012A\n003 {of_003}POSTNR=8000");
        let told = kit::told(&[&[("6101801231", &rows)]]);
        let found = found(&told.snapshot(), &address(postal.clone()), Scope::Now);
        assert_eq!(found, if finds { vec!["6101801231"] } else { vec![] }, "{of_003}");
    }
}

/// Rows that a person may have, few enough to recur.
fn rows() -> impl Strategy<Value = String> {
    let status = select(vec!["01", "60", "80", "90"]);
    let birth = select(vec!["", "1980-01-01", "1955-12-12", "1980-00-00"]);
    let sex = select(vec!["K", "M"]);
    let rest = vec![
        "002 KOMKOD=0101, VEJKOD=1188, HUSNR=012A, ETAGE=01, TILFLYDTO=201001010000",
        "002 KOMKOD=0751, VEJKOD=0042, HUSNR=007, TILFLYDTO=200501010000",
        "003 ADRNVN=Hans-Peter Skov, KOMKOD=0101, VEJKOD=1188, POSTNR=2200, BYNVN=Nord By, VEJADRNVN=Nørre Allé",
        "003 ADRNVN=Skov,Ane, KOMKOD=0751, VEJKOD=0042, POSTNR=8000, STANDARDADR=Ny Allé 7B",
        "008 FORNVN=Hans-Peter, EFTERNVN=Skov, NVNHAENSTART=200501010000",
        "008 FORNVN=Anker, EFTERNVN=Dahl, NVNHAENSTART=200101010000",
        "010 LANDEKOD=5130, HAENSTART-STATSBORGERSKAB=200901010000",
        "010 LANDEKOD=5100, HAENSTART-STATSBORGERSKAB=200801010000",
        "023 KOMKOD=0751, VEJKOD=0042, HUSNR=007B, TILFLYDTO=200001010000, FRAFLYDTO=201001010000",
        "023 ANNKOR=A, KOMKOD=0101, VEJKOD=0042, HUSNR=007, TILFLYDTO=199001010000, FRAFLYDTO=200001010000",
        "026 FORNVN=Ane, EFTERNVN=Dahl, NVNHAENSTART=198001010000, NVNHAENSLUT=200501010000",
        "026 ANNKOR=K, FORNVN=Villy, NVNHAENSTART=198001010000, NVNHAENSLUT=200501010000",
        "027 LANDEKOD=5130, HAENSTART-STATSBORGERSKAB=198001010000, HAENSLUT-STATSBORGERSKAB=200801010000",
    ];
    let many = rest.len();
    (status, birth, sex, subsequence(rest, 0..=many)).prop_map(|(status, birth, sex, rest)| {
        let born = if birth.is_empty() { String::new() } else { format!(", FOED_DT={birth}") };
        let mut rows = format!("001 STATUS={status}, KOEN={sex}{born}");
        for row in rest {
            rows += &format!("\n{row}");
        }
        rows
    })
}

fn query() -> impl Strategy<Value = Query> {
    let part = select(vec![NamePart::Any, NamePart::Any, NamePart::Given, NamePart::Surname, NamePart::Addressing]);
    let word = select(vec!["skov", "hans-peter", "a*", "*l*", "d?hl", "villy", "hanspeter"]);
    let named = (part, word).prop_map(|(part, word)| Query::name(part, word)).boxed();
    // Few parts at a time, so that somebody has them all now and then.
    let asked = (
        prop::option::weighted(0.3, select(vec![101, 751])),
        prop::option::weighted(0.3, select(vec![1188, 42])),
        select(vec!["", "", "allé", "n* allé", "ny", "vej"]),
        select(vec![vec![], vec![], vec![("7", "7C")], vec![("1", "6"), ("12", "99")]]),
        prop::option::weighted(0.2, select(vec!["01", "02"])),
        prop::option::weighted(0.2, select(vec![(2200, 2299), (8000, 8000)])),
        select(vec!["", "", "", "by"]),
    );
    let address = asked.prop_map(|(municipality, street, name, houses, floor, postal_code, town)| {
        Query::Address(AddressPattern {
            municipality: municipality.map(MunicipalityCode),
            street: street.map(StreetCode),
            street_name: AddressPattern::words(name),
            houses: houses.into_iter().map(|(from, to)| house(from)..=house(to)).collect(),
            floor: floor.and_then(|floor| Floor::parse(floor.as_bytes())),
            postal_code: postal_code.map(|(from, to)| from..=to),
            town: AddressPattern::words(town),
            ..AddressPattern::default()
        })
    });
    // Words beside sets, whose order goes by how long their rows are.
    let set = select(vec![
        Query::municipality(MunicipalityCode(101)),
        Query::municipality(MunicipalityCode(751)),
        Query::Citizenship(CountryCode(5100)),
    ]);
    let beside = (prop::collection::vec(named.clone(), 1..3), set).prop_map(|(mut parts, set)| {
        parts.insert(parts.len() / 2, set);
        Query::And(parts)
    });
    let leaf = prop_oneof![
        3 => named,
        2 => beside,
        3 => address,
        1 => select(vec![Sex::Woman, Sex::Man]).prop_map(Query::Sex),
        1 => select(vec![1..=1, 60..=90]).prop_map(|range| Query::Status(Status(*range.start())..=Status(*range.end()))),
        1 => select(vec![5100, 5130]).prop_map(|code| Query::Citizenship(CountryCode(code))),
        1 => select(vec![("1980-00-00", "1980-12-31"), ("1955-12-12", "1955-12-12")])
            .prop_map(|(from, to)| Query::Born(date(from)..=date(to))),
        1 => subsequence(NUMBERS.to_vec(), 1..=3)
            .prop_map(|some| Query::Persons(some.iter().filter_map(|one| pnr(one).key()).collect::<PersonSet>())),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Query::And),
            2 => prop::collection::vec(inner.clone(), 0..3).prop_map(Query::Or),
            1 => inner.prop_map(|query| Query::Not(Box::new(query))),
        ]
    })
}

/// The definition, for one document.
struct Scan<'a> {
    person: &'a Person<'a>,
    key: PersonKey,
    scope: Scope,
    /// At the same time: of this moment.
    at: Timestamp,
    /// Municipality, street and folded name of what any 003 ever told.
    streets: &'a [(u16, u16, String)],
}

impl Scan<'_> {
    fn counts(&self, fact: &Fact<'_>) -> bool {
        match self.scope {
            Scope::Now => self.is_latest(fact),
            Scope::Ever => !fact.is_historic() || fact.mark().is_none(),
            Scope::AtTheSameTime => fact.holds_at(self.at),
        }
    }

    /// Of the current rows of a kind, the one that began last, and of equally old ones the one of the greatest bytes.
    fn is_latest(&self, fact: &Fact<'_>) -> bool {
        let mut current: Vec<Fact<'_>> =
            self.person.all_facts().filter(|other| other.aspect() == fact.aspect() && !other.is_historic()).collect();
        let order = |row: &Fact<'_>| (row.valid().from, row.values().bytes().to_vec());
        current.sort_by_cached_key(order);
        !fact.is_historic() && current.last().is_some_and(|last| last.values() == fact.values())
    }

    fn holds(&self, query: &Query) -> bool {
        let facts = || self.person.all_facts();
        let undated = || facts().filter(|fact| !fact.is_historic()).filter_map(|fact| fact.person());
        match query {
            Query::And(all) => all.iter().all(|query| self.holds(query)),
            Query::Or(any) => any.iter().any(|query| self.holds(query)),
            Query::Not(not) => !self.holds(not),
            Query::Persons(persons) => persons.contains(self.key),
            Query::Sex(sex) => undated().any(|row| row.sex().latin1() == [sex.letter()]),
            Query::Status(range) => undated().any(|row| row.status().is_some_and(|status| range.contains(&status))),
            Query::Born(dates) => undated().any(|row| row.birth_date().is_some_and(|born| dates.contains(&born.value))),
            Query::Citizenship(country) => facts()
                .filter(|fact| self.counts(fact))
                .any(|fact| fact.citizenship().is_some_and(|row| row.country_code() == Some(*country))),
            Query::Name(part, word) => self.bears(*part, word),
            Query::All => true,
            Query::Protection(_) | Query::Changed(_) | Query::ChangedBy(..) => unreachable!("not among the queries"),
            Query::Address(asked) => facts().any(|fact| self.lives(&fact, asked)),
        }
    }

    fn bears(&self, part: NamePart, pattern: &WordPattern) -> bool {
        let names = self.person.all_facts().filter(|fact| self.counts(fact)).filter_map(|fact| fact.name());
        let mut texts: Vec<String> = Vec::new();
        for row in names {
            for (of, text) in [
                (NamePart::Given, row.given_names()),
                (NamePart::Middle, row.middle_names()),
                (NamePart::Surname, row.surname()),
                (NamePart::Addressing, row.addressing_name()),
            ] {
                if part == NamePart::Any || part == of {
                    texts.push(text.reveal().into_owned());
                }
            }
        }
        let current: Vec<Fact<'_>> =
            self.person.all_facts().filter(|fact| fact.name().is_some() && self.is_latest(fact)).collect();
        let is_of_now = self.scope != Scope::AtTheSameTime
            || current.is_empty()
            || current.iter().any(|fact| fact.valid().contains(self.at));
        if is_of_now && matches!(part, NamePart::Any | NamePart::Addressing) {
            let of_003 = self.person.all_facts().filter(|fact| self.is_latest(fact));
            let of_003 = of_003.filter_map(|fact| fact.formatted_address());
            texts.extend(of_003.map(|row| row.addressing_name().reveal().into_owned()));
        }
        texts.iter().any(|text| words(text).iter().any(|word| shape(pattern, word)))
    }

    fn lives(&self, fact: &Fact<'_>, asked: &AddressPattern) -> bool {
        let Some(row) = fact.address().filter(|_| self.counts(fact)) else { return false };
        // The persons of the generator have no date of their status: of who lives nowhere, no day of a current address
        // is known.
        let status = self.person.all_facts().find_map(|fact| fact.person()?.status());
        if !fact.is_historic() && self.scope != Scope::Ever && status.is_some_and(|status| status.0 >= 30) {
            return false;
        }
        let number = HouseNumber::parse(row.house_number().latin1());
        let coded = (row.municipality_code().map_or(0, |code| code.0), row.street_code().map_or(0, |code| code.0));
        let named = |name: &str| {
            asked.street_name.iter().all(|pattern| name.split(' ').any(|word| shape(pattern, word.as_bytes())))
        };
        let is_named = asked.street_name.is_empty()
            || self.streets.iter().any(|(municipality, code, name)| (*municipality, *code) == coded && named(name));
        let formatted =
            self.person.all_facts().find(|fact| fact.aspect() == Aspect::FormattedAddress && self.is_latest(fact));
        let formatted = formatted.filter(|_| self.is_latest(fact)).and_then(|fact| fact.formatted_address());
        // The persons of the generator have a municipality and a street in 003, and nothing else of it. A former
        // address has no text, and a last known one is former.
        let formatted = formatted.filter(|_| status.is_none_or(|status| status.0 < 30)).filter(|text| {
            (text.municipality_code(), text.street_code()) == (row.municipality_code(), row.street_code())
        });
        let postal = formatted.and_then(|row| row.postal_code());
        let town = formatted.map_or(String::new(), |row| row.town().reveal().into_owned());
        is_named
            && asked.municipality.is_none_or(|code| code.0 == coded.0)
            && asked.street.is_none_or(|code| code.0 == coded.1)
            && (asked.houses.is_empty()
                || asked.houses.iter().any(|houses| number.is_some_and(|number| houses.contains(&number))))
            && asked.floor.is_none_or(|floor| Floor::parse(row.floor().latin1()) == Some(floor))
            && asked.postal_code.as_ref().is_none_or(|codes| postal.is_some_and(|code| codes.contains(&code)))
            && asked.town.iter().all(|pattern| words(&town).iter().any(|word| shape(pattern, word)))
    }
}

fn words(text: &str) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    Folder::default().words(&latin1_of(text), |word| words.push(word.to_vec()));
    words
}

/// The patterns of the generator, by what they are rather than how they are matched.
fn shape(pattern: &WordPattern, word: &[u8]) -> bool {
    let is = |text: &str| WordPattern::parse(text).as_ref() == Some(pattern);
    match word {
        _ if is("a*") => word.starts_with(b"a"),
        _ if is("n*") => word.starts_with(b"n"),
        _ if is("*l*") => word.contains(&b'l'),
        _ if is("d?hl") => word.len() == 4 && word.starts_with(b"d") && word.ends_with(b"hl"),
        _ => is(&word.iter().map(|&byte| char::from(byte)).collect::<String>()),
    }
}

/// What the 003 of these rows say of streets.
fn streets<'a>(persons: impl Iterator<Item = &'a String>) -> Vec<(u16, u16, String)> {
    let told = [(101, 1188, "VEJADRNVN=Nørre Allé", "Nørre Allé"), (751, 42, "STANDARDADR=Ny Allé 7B", "Ny Allé")];
    let rows: Vec<&String> = persons.collect();
    let told = told.iter().filter(|(_, _, row, _)| rows.iter().any(|rows| rows.contains(row)));
    told.map(|(municipality, code, _, name)| {
        let line = folded_line(&latin1_of(name));
        (*municipality, *code, line.iter().map(|&byte| char::from(byte)).collect())
    })
    .collect()
}

fn scanned(snapshot: &Snapshot, query: &Query, scope: Scope, streets: &[(u16, u16, String)]) -> Vec<String> {
    let mut numbers = Vec::new();
    for pnr in snapshot.pnrs().unwrap().map(Result::unwrap) {
        let person = snapshot.person(pnr).unwrap().unwrap();
        let bounds = person.all_facts().flat_map(|fact| [fact.valid().from, fact.valid().to]).flatten();
        let moments = bounds.chain(Timestamp::from_digits(0)).collect::<Vec<_>>();
        let holds =
            |at: &Timestamp| Scan { person: &person, key: pnr.key().unwrap(), scope, at: *at, streets }.holds(query);
        if moments.iter().any(holds) {
            numbers.push(pnr.reveal().to_owned());
        }
    }
    numbers
}

fn deliver(replika: &Replika, day: usize, persons: &BTreeMap<&str, String>) {
    let persons: Vec<(&str, &str)> = persons.iter().map(|(number, rows)| (*number, rows.as_str())).collect();
    let bytes = extract(kit::DAYS[day], kit::DAYS[day - 1], &persons);
    replika.apply(Cursor::new(bytes), &ApplyOptions::named("made up")).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_search_finds_whom_a_scan_finds(
        first in prop::collection::btree_map(select(NUMBERS.to_vec()), rows(), 0..=NUMBERS.len()),
        second in prop::collection::btree_map(select(NUMBERS.to_vec()), rows(), 0..=NUMBERS.len()),
        queries in prop::collection::vec((query(), select(vec![Scope::Now, Scope::Ever, Scope::AtTheSameTime])), 12),
    ) {
        let replika = Replika::in_memory(&config()).unwrap();
        deliver(&replika, 1, &first);
        deliver(&replika, 2, &second);
        let snapshot = replika.snapshot();
        prop_assert!(snapshot.verify().unwrap().is_clean());
        let streets = streets(first.values().chain(second.values()));
        for (query, scope) in queries {
            let expected = scanned(&snapshot, &query, scope, &streets);
            prop_assert_eq!(&found(&snapshot, &query, scope), &expected, "{:?} {:?}", query, scope);
            let counted = snapshot.search(&Search { limit: 0, ..search(query, scope) }).unwrap();
            prop_assert_eq!((counted.count, counted.rows, counted.next), (Some(expected.len() as u64), vec![], None));
        }
    }

    #[test]
    fn pages_lose_and_repeat_nobody_while_deliveries_arrive(
        days in prop::collection::vec(
            prop::collection::btree_map(select(NUMBERS.to_vec()), rows(), 0..=NUMBERS.len()), 5),
        query in query(),
    ) {
        let replika = Replika::in_memory(&config()).unwrap();
        deliver(&replika, 1, &days[0]);
        // Whom a whole search of each state finds that a page was taken of.
        let (mut paged, mut states) = (Vec::new(), Vec::new());
        let mut search = Search { limit: 2, count: false, ..Search::now(query.clone()) };
        for day in 2.. {
            let snapshot = replika.snapshot();
            let page = snapshot.search(&search).unwrap();
            states.push(found(&snapshot, &query, Scope::Now));
            paged.extend(page.rows.iter().map(|hit| hit.pnr.reveal().to_owned()));
            search.after = page.next;
            if page.next.is_none() {
                break;
            }
            if let Some(persons) = days.get(day - 1) {
                deliver(&replika, day, persons);
            }
        }
        let repeated = paged.iter().enumerate().any(|(at, number)| paged[..at].contains(number));
        prop_assert!(!repeated, "nobody twice");
        for number in states[0].iter().filter(|number| states.iter().all(|state| state.contains(number))) {
            prop_assert!(paged.contains(number), "whoever is found throughout is on a page");
        }
    }
}
