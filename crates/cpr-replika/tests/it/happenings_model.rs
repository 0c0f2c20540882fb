//! Business events against a naive join: rows as maps of fields, every kind by its definition, nothing shared with the
//! engine.

use std::collections::{BTreeMap, BTreeSet};

use cpr_replika::{DeliveryNumber, EventCursor, EventFilter, EventKind, Replika};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::kit::{DAYS, Person, apply, config, extract_of_day};

const PERSONS: [&str; 3] = ["6101801231", "6202791235", "6101260017"];

/// What may stand in a person's rows: one of each list, or the blank that stands for no row.
const ADDRESSES: [&str; 5] = [
    "",
    "002 KOMKOD=0101, VEJKOD=0042, HUSNR=001, TILFLYDTO=200001011200",
    "002 KOMKOD=0101, VEJKOD=0042, HUSNR=003, TILFLYDTO=200001011200",
    "002 KOMKOD=0101, VEJKOD=0007, TILFLYDTO=202512310900",
    "002 KOMKOD=0751, VEJKOD=0007, TILFLYDTO=202601020900",
];
const CIVIL: [&str; 6] = [
    "",
    "012 CIVST=U",
    "012 CIVST=G, AEGTEPNR=6202791235, HAENSTART-CIVILSTAND=200505051200",
    "012 CIVST=G, AEGTEPNR=6202791235, HAENSTART-CIVILSTAND=200505061200",
    "012 CIVST=F, AEGTEPNR=6202791235, HAENSTART-CIVILSTAND=202601020800",
    "012 CIVST=E, HAENSTART-CIVILSTAND=202601020800",
];
const NAMES: [&str; 4] = [
    "008 NVNHAENSTART=000000000000",
    "008 FORNVN=Åse, EFTERNVN=Bæk, NVNHAENSTART=200001010000",
    "008 FORNVN=Aase, EFTERNVN=Bæk, NVNHAENSTART=200001010000",
    "008 FORNVN=Åse, EFTERNVN=Dam, NVNHAENSTART=202601020900",
];
const PROTECTIONS: [&str; 4] = [
    "",
    "004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2020-02-03",
    "004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2026-01-02",
    "004 BESKYTTYPE=0003, START_DT-BESKYTTELSE=2026-01-02",
];
const CHURCH: [&str; 2] = ["", "011 FKIRK=F, START_DT-FOLKEKIRKE=2026-01-02"];
const CODES: [(&str, &str); 20] = [
    ("A01", ""),
    ("A02", ""),
    ("A03", ""),
    ("A04", ""),
    ("A06", ""),
    ("A09", ""),
    ("A13", ""),
    ("A14", ""),
    ("A16", ""),
    ("A19", ""),
    ("A20", "ÆG"),
    ("A21", ""),
    ("A21", "ÆG"),
    ("A24", ""),
    ("A25", ""),
    ("A33", ""),
    ("A34", ""),
    ("A74", ""),
    ("P31", ""),
    ("X9", ""),
];

/// One person's rows, by aspect, and the records that say why.
#[derive(Clone, Debug, PartialEq)]
struct Group {
    rows: BTreeMap<&'static str, &'static str>,
    causes: Vec<(&'static str, &'static str)>,
}

fn group() -> impl Strategy<Value = Group> {
    let row = |rows: &'static [&'static str]| select(rows.to_vec());
    let status = select(vec![
        "001 STATUS=01, KOEN=K",
        "001 STATUS=01, KOEN=K",
        "001 STATUS=01, KOEN=K, STILLING=Smed",
        "001 STATUS=70, KOEN=K",
        "001 STATUS=80, KOEN=K",
        "001 STATUS=90, KOEN=K",
    ]);
    let rows = (status, row(&ADDRESSES), row(&CIVIL), row(&NAMES), row(&PROTECTIONS), row(&CHURCH));
    (rows, subsequence(CODES.to_vec(), 0..4)).prop_map(
        |((person, address, civil, name, protection, church), causes)| {
            let rows = [
                ("person", person),
                ("address", address),
                ("civil_status", civil),
                ("name", name),
                ("protection", protection),
                ("church", church),
            ];
            Group { rows: rows.into_iter().filter(|(_, row)| !row.is_empty()).collect(), causes }
        },
    )
}

type Delivered = BTreeMap<&'static str, Group>;

fn deliveries() -> impl Strategy<Value = Vec<Delivered>> {
    prop::collection::vec(prop::collection::btree_map(select(PERSONS.to_vec()), group(), 0..=PERSONS.len()), 1..5)
}

fn text_of(group: &Group) -> String {
    let mut text: Vec<String> = group.rows.values().map(|row| (*row).to_owned()).collect();
    text.sort();
    for (at, (code, mark)) in group.causes.iter().enumerate() {
        // Later lines are entered earlier now and then.
        let minute = (at as u64 * 7) % 10;
        text.push(format!("099 TIMESTAMPU=20260102090{minute}, HAENDELSE={code}, AFLEDTMRK={mark}"));
    }
    text.join("\n")
}

fn field<'r>(row: Option<&&'r str>, name: &str) -> &'r str {
    let fields = row.map_or("", |row| &row[4..]).split(", ");
    fields.filter_map(|field| field.split_once('=')).find(|(of, _)| *of == name).map_or("", |(_, value)| value)
}

/// Aspect and row.
type Rows = BTreeMap<&'static str, &'static str>;

/// Kind, and code with mark.
type Told = (EventKind, String);

/// A kind that the rows show, the codes that can be its cause, and what it explains.
type Shown = (EventKind, Vec<&'static str>, Vec<&'static str>);

fn value<'r>(side: &'r Rows, aspect: &str, name: &str) -> &'r str {
    field(side.get(aspect), name)
}

/// A status under which one lives somewhere; of others an address is the last known one.
fn lives(side: &Rows) -> bool {
    value(side, "person", "STATUS").parse::<u8>().is_ok_and(|status| status < 30)
}

/// The definition of every kind.
fn shown(before: &Rows, after: &Rows, group: &Group) -> Vec<Shown> {
    use EventKind as K;
    let changed = |aspect: &str| before.get(aspect) != after.get(aspect);
    let held = !before.is_empty();
    let is = |side: &Rows, status: &str| value(side, "person", "STATUS") == status;
    let has = |code: &str| group.causes.iter().any(|(other, _)| *other == code);
    let starts_anew = |aspect: &str, start: &str| {
        after.contains_key(aspect)
            && (!before.contains_key(aspect) || value(before, aspect, start) != value(after, aspect, start))
    };
    let (mut found, mut explained) = (Vec::new(), BTreeSet::new());
    let codes_of = |kind| -> Vec<&'static str> {
        match kind {
            K::Died => vec!["A21"],
            K::DeathUndone => vec!["A25"],
            K::Emigrated => vec!["A06"],
            K::Disappeared => vec!["A02"],
            K::Found => vec!["A03"],
            _ => vec!["A04", "P31"],
        }
    };
    let status_kinds = [
        (K::Died, is(after, "90") && !is(before, "90")),
        (K::DeathUndone, is(before, "90") && !is(after, "90")),
        (K::Emigrated, is(after, "80") && !is(before, "80")),
        (K::Disappeared, is(after, "70") && !is(before, "70")),
        (K::Found, is(after, "01") && (is(before, "70") || !held)),
        (K::Immigrated, is(after, "01") && (is(before, "80") || !held)),
    ];
    for (kind, is_seen) in status_kinds {
        let caused = group
            .causes
            .iter()
            .any(|(code, mark)| codes_of(kind).contains(code) && (kind != K::Died || mark.is_empty()));
        if is_seen && (held || caused) {
            let civil = matches!(kind, K::Died | K::DeathUndone).then_some("civil_status");
            let explains: Vec<&str> = ["person", "address"].into_iter().chain(civil).collect();
            explained.extend(explains.iter().copied().filter(|aspect| changed(aspect)));
            found.push((kind, codes_of(kind), explains));
        }
    }
    let address_is_open = changed("address") && !explained.contains("address");
    let corrected = changed("address") && has("A09");
    let moves =
        address_is_open && lives(after) && starts_anew("address", "TILFLYDTO") && (has("A01") || held && !corrected);
    if moves {
        let from = if lives(before) { value(before, "address", "KOMKOD") } else { "" };
        let to = value(after, "address", "KOMKOD");
        if from == to {
            found.push((K::MovedWithin, vec!["A01"], vec!["address"]));
        } else {
            if !from.is_empty() {
                found.push((K::MovedOut, vec!["A01"], vec!["address"]));
            }
            found.push((K::MovedIn, vec!["A01"], vec!["address"]));
        }
    }
    if corrected {
        found.push((K::AddressCorrected, vec!["A09"], vec!["address", "person"]));
    }
    if changed("civil_status") && !explained.contains("civil_status") {
        let derived = |code: &str| group.causes.iter().any(|(other, mark)| *other == code && !mark.is_empty());
        let status = value(after, "civil_status", "CIVST");
        let anew = starts_anew("civil_status", "HAENSTART-CIVILSTAND");
        let special = match status {
            "G" if anew && (held || has("A19")) => Some((K::Married, vec!["A19"])),
            "F" if anew && (held || has("A20")) => Some((K::Divorced, vec!["A20"])),
            "E" if anew && (held || derived("A21")) => Some((K::Widowed, vec!["A21"])),
            _ => None,
        };
        let any = ["A19", "A20", "A21", "A24", "A25"];
        match special {
            Some((kind, codes)) => found.push((kind, codes, vec!["civil_status"])),
            None if held || any.iter().any(|code| has(code)) => {
                found.push((K::CivilStatusChanged, any.to_vec(), vec!["civil_status"]));
            }
            None => {}
        }
    }
    if after.contains_key("protection") && changed("protection") && (held || has("A33")) {
        found.push((K::Protected, vec!["A33"], vec!["protection"]));
    }
    let kind_before = value(before, "protection", "BESKYTTYPE");
    let went = held && !kind_before.is_empty() && kind_before != value(after, "protection", "BESKYTTYPE");
    if went || !held && !after.contains_key("protection") && has("A33") {
        found.push((K::Unprotected, vec!["A33"], vec!["protection"]));
    }
    if changed("name") {
        let (named_before, named) =
            (!value(before, "name", "FORNVN").is_empty(), !value(after, "name", "FORNVN").is_empty());
        if named && !named_before && (held || has("A14")) {
            found.push((K::NameGiven, vec!["A14"], vec!["name"]));
        }
        if has("A16") {
            found.push((K::NameCorrected, vec!["A16"], vec!["name"]));
        }
        let told = starts_anew("name", "NVNHAENSTART") || has("A13");
        if named && (named_before || !held) && told && (held || has("A13")) {
            found.push((K::NameChanged, vec!["A13"], vec!["name"]));
        }
    }
    found
}

/// The naive join of one person.
fn expected(before: &Rows, group: &Group, is_first: bool) -> Vec<Told> {
    let (held, mut told, mut used) = (!before.is_empty(), Vec::new(), BTreeSet::new());
    let name = |(code, mark): (&str, &str)| if mark.is_empty() { code.to_owned() } else { format!("{code}/{mark}") };
    let mut explained = BTreeSet::new();
    let mut tell = |kind, fits: &dyn Fn(&str, &str) -> bool, alone: bool| {
        let causes: Vec<usize> =
            (0..group.causes.len()).filter(|&at| fits(group.causes[at].0, group.causes[at].1)).collect();
        told.extend(causes.iter().map(|&at| (kind, name(group.causes[at]))));
        if causes.is_empty() && alone {
            told.push((kind, "-".to_owned()));
        }
        used.extend(causes);
    };
    if !held && !is_first {
        tell(EventKind::Created, &|code, _| code == "A74", true);
    }
    for (kind, codes, explains) in shown(before, &group.rows, group) {
        let fits = |code: &str, mark: &str| {
            let whose = match kind {
                EventKind::Died => mark.is_empty(),
                EventKind::Widowed => !mark.is_empty(),
                _ => true,
            };
            whose && codes.contains(&code)
        };
        tell(kind, &fits, true);
        explained.extend(explains);
    }
    let changed: BTreeSet<&str> = ["person", "address", "civil_status", "name", "protection", "church"]
        .into_iter()
        .filter(|aspect| before.get(aspect) != group.rows.get(aspect))
        .collect();
    // A34 is about church and occupation; which is not told otherwise.
    let open: Vec<&str> = ["church", "person"]
        .into_iter()
        .filter(|aspect| changed.contains(aspect) && !explained.contains(aspect))
        .collect();
    if !open.is_empty() && group.causes.iter().any(|(code, _)| *code == "A34") {
        tell(EventKind::Other, &|code, _| code == "A34", false);
        explained.extend(open);
    }
    let left = held && changed.iter().any(|aspect| !explained.contains(aspect));
    let unused: Vec<usize> = (0..group.causes.len()).filter(|at| !used.contains(at)).collect();
    told.extend(unused.iter().map(|&at| (EventKind::Other, name(group.causes[at]))));
    if left && unused.iter().all(|&at| group.causes[at].0 == "A74") {
        told.push((EventKind::Other, "-".to_owned()));
    }
    told.sort();
    told
}

fn check(all: &[Delivered]) -> Result<(), TestCaseError> {
    let replika = Replika::in_memory(&config()).unwrap();
    for (at, delivered) in all.iter().enumerate() {
        let texts: Vec<(&str, String)> = delivered.iter().map(|(number, group)| (*number, text_of(group))).collect();
        let persons: Vec<Person<'_>> = texts.iter().map(|(number, text)| (*number, text.as_str())).collect();
        apply(&replika, &extract_of_day(at + 1, &persons)).unwrap();
    }
    let snapshot = replika.snapshot();
    let feed = snapshot.events_since(EventCursor::after(DeliveryNumber(0)), EventFilter::default()).unwrap();
    let events: Vec<_> = feed.map(Result::unwrap).collect();
    let ids: BTreeSet<_> = events.iter().map(|event| event.id).collect();
    prop_assert_eq!(ids.len(), events.len(), "an id for each");
    prop_assert!(events.windows(2).all(|pair| pair[0].cursor < pair[1].cursor), "in the order of the cursors");

    let mut held: BTreeMap<&str, Rows> = BTreeMap::new();
    let mut count = 0;
    for (at, delivered) in all.iter().enumerate() {
        for (number, group) in delivered {
            let before = held.insert(*number, group.rows.clone()).unwrap_or_default();
            let own: Vec<_> = events
                .iter()
                .filter(|event| event.delivery.0 as usize == at + 1 && event.pnr.reveal() == *number)
                .collect();
            count += own.len();
            let mut told: Vec<Told> = own
                .iter()
                .map(|event| {
                    let mark = |mark| format!("/{mark}");
                    let name = event.cause.map_or("-".to_owned(), |cause| {
                        format!("{}{}", cause.code, cause.derived_mark.map_or(String::new(), mark))
                    });
                    (event.kind, name)
                })
                .collect();
            told.sort();
            prop_assert_eq!(told, expected(&before, group, at == 0), "delivery {}", at + 1);
            let entered: Vec<_> = own.iter().map(|event| event.cause.map(|cause| cause.registered_at)).collect();
            prop_assert!(entered.is_sorted_by_key(|entered| (entered.is_none(), *entered)), "by CPR's time");
            let municipality = |rows: &Rows| value(rows, "address", "KOMKOD").parse().ok().filter(|_| lives(rows));
            let places = (municipality(&before), municipality(&group.rows));
            for event in &own {
                let found = (event.municipality_before.map(|code| code.0), event.municipality_after.map(|code| code.0));
                prop_assert_eq!(found, places);
            }
            if !before.is_empty() {
                let told: BTreeSet<&str> =
                    own.iter().flat_map(|event| &event.aspects).map(|aspect| aspect.name()).collect();
                let changed = |aspect: &&&str| before.get(**aspect) != group.rows.get(**aspect);
                let aspects: BTreeSet<&str> = before.keys().chain(group.rows.keys()).filter(changed).copied().collect();
                prop_assert_eq!(told, aspects, "what changed is told, and nothing else");
            }
        }
    }
    prop_assert_eq!(count, events.len(), "nobody else has events");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn events_are_those_of_a_naive_join(all in deliveries()) {
        prop_assert!(all.len() < DAYS.len());
        check(&all)?;
    }
}
