//! SF1525: each marking alone and all together, current and with history, 1.0 against 2.0.

use cpr_replika::Snapshot;
use cpr_services::Caller;
use cpr_services::sf1525::{self, Depth, Marking, Markings, Response, Version};
use cpr_services::{Error, NoRegister, Request};

use crate::kit::{date, pnr, samples, test_extract};

fn ask(snapshot: &Snapshot, version: Version, number: &str, markings: &Markings) -> Response {
    let request = Request::on(pnr(number), date("2001-11-19"), Caller::unlogged());
    let answer = sf1525::answer(snapshot, version, markings, &request, &NoRegister).expect("a read");
    answer.found().expect("held").answer
}

/// How many elements an answer has, by area.
fn counts(of: &Response) -> [usize; 14] {
    [
        of.addresses.len(),
        of.municipality_moves.len(),
        of.civil_statuses.len() + of.separations.len(),
        of.disappearances.len(),
        of.names.len(),
        of.numbers.len(),
        usize::from(of.person.is_some()),
        of.citizenships.len(),
        of.stays_abroad.len(),
        usize::from(of.districts.0.is_some()),
        usize::from(of.relations.is_some()),
        of.notes.len(),
        of.municipal_conditions.len(),
        usize::from(of.events.is_some()),
    ]
}

/// Persons who exercise the marking: elements current, and with history. Districts stand in a register that is not
/// here.
const EXERCISED: [(Marking, &str, usize, usize); 16] = [
    (Marking::Address, "0709610015", 1, 2),
    (Marking::Address, "0101980014", 0, 1),
    (Marking::MunicipalityMove, "3112970079", 1, 1),
    (Marking::CivilStatus, "0709610015", 2, 2),
    (Marking::CivilStatus, "0706614184", 1, 4),
    (Marking::Disappearance, "1312814362", 1, 1),
    (Marking::Disappearance, "0702614074", 0, 2),
    (Marking::Name, "0101980014", 1, 3),
    (Marking::NumberList, "0909610036", 2, 2),
    (Marking::PersonStatus, "0108610069", 1, 1),
    (Marking::Citizenship, "0708614866", 1, 2),
    (Marking::Emigration, "0709614738", 1, 1),
    (Marking::Relations, "0709614126", 1, 1),
    (Marking::Notes, "3112000010", 1, 1),
    (Marking::MunicipalConditions, "2802363039", 1, 1),
    (Marking::Events, "0101980014", 1, 1),
];

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn a_marking_brings_its_area_and_no_other() {
    let Some(samples) = samples("a_marking_brings_its_area_and_no_other") else { return };
    let replika = test_extract(&samples);
    let snapshot = replika.snapshot();
    for (marking, number, current, with_history) in EXERCISED {
        for (depth, expected) in [(Depth::Current, current), (Depth::WithHistory, with_history)] {
            let alone = ask(&snapshot, Version::V2, number, &Markings::default().with(marking, depth));
            let area = marking as usize;
            let mut others = counts(&alone);
            let found = std::mem::take(&mut others[area]);
            assert_eq!(found, expected, "{} {depth:?}", marking.name());
            assert_eq!(others, [0; 14], "{} brings other areas", marking.name());
            let all = ask(&snapshot, Version::V2, number, &Markings::all(depth));
            assert_eq!(counts(&all)[area], expected, "{} among all", marking.name());
            all.to_xml().expect("XML");
        }
    }
    let nothing = ask(&snapshot, Version::V2, "0709610015", &Markings::default());
    assert_eq!(counts(&nothing), [0; 14]);
    assert_eq!(nothing.protections.len(), 4, "protections come whatever is marked");
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn each_version_says_whether_it_held() {
    let Some(samples) = samples("each_version_says_whether_it_held") else { return };
    let replika = test_extract(&samples);
    let markings = Markings::default().with(Marking::Name, Depth::WithHistory);
    let answer = ask(&replika.snapshot(), Version::V2, "0101980014", &markings);
    let states: Vec<&str> = answer.names.iter().map(|name| name.state).collect();
    assert_eq!(states, ["AKTUEL", "RETTET", "HISTORISK"], "the one that began last first");
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn version_1_0_tells_one_previous_number_and_no_former_spouse() {
    let Some(samples) = samples("version_1_0_tells_one_previous_number_and_no_former_spouse") else { return };
    let replika = test_extract(&samples);
    let snapshot = replika.snapshot();
    let deep = Depth::WithHistory;
    let list = Markings::default().with(Marking::NumberList, deep);
    for (number, numbers) in [("0712614382", 2), ("0107529039", 2), ("0909610028", 2)] {
        let first = ask(&snapshot, Version::V1, number, &Markings::all_of_1_0(deep));
        let second = ask(&snapshot, Version::V2, number, &list);
        assert!(first.previous_pnr.is_some() && first.numbers.is_empty());
        assert!(second.previous_pnr.is_none());
        assert_eq!(second.numbers.len(), numbers);
        assert!(second.numbers.iter().any(|one| Some(&one.pnr) == first.previous_pnr.as_ref() && !one.is_current));
    }
    let civil = Markings::default().with(Marking::CivilStatus, deep);
    let spouses = |version| {
        let answer = ask(&snapshot, version, "0707614285", &civil);
        let told =
            |state| answer.civil_statuses.iter().filter(|row| row.state == state && row.spouse_pnr.is_some()).count();
        (told("AKTUEL"), told("HISTORISK"))
    };
    assert_eq!(spouses(Version::V1), (1, 0));
    assert!(spouses(Version::V2).1 > 0);
    let refused = sf1525::answer(
        &snapshot,
        Version::V1,
        &list,
        &Request::on(pnr("0712614382"), date("2001-11-19"), Caller::unlogged()),
        &NoRegister,
    );
    assert!(matches!(refused, Err(Error::Marking { marking: "PersonnummerListeMarkering" })));
}
