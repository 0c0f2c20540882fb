//! CPR's own test extract against what the national replica answered about its persons.

use cpr_services::gctp::{self, Service};
use cpr_services::search::adrsog1;
use cpr_services::{Caller, ProtectedPersons};
use cpr_services::{Lookup, Request};

use crate::kit::{GctpRow, date, gctp_rows, pnr, samples, test_extract};

const SERVICES: [(&str, Service); 4] = [
    ("Stam+", Service::StamPlus),
    ("Familie+", Service::FamiliePlus),
    ("navne3", Service::Navne3),
    ("Adresse4", Service::Adresse4),
];

/// Edited by hand, to show every field.
const LEFT_OUT: &str = "0101965058";

/// Answers that are not as recorded, and why.
const DEVIATIONS: [(&str, &str, &str); 1] = [(
    "0901414025",
    "Familie+",
    "vintage: the extract names a third child (014) that the recorded answer, made from other data, does not have",
)];

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn the_gctp_services_answer_as_recorded() {
    let Some(samples) = samples("the_gctp_services_answer_as_recorded") else { return };
    let replika = test_extract(&samples);
    let snapshot = replika.snapshot();
    let folder = samples.join("services/schemas/testdata/replica-responses");
    let (mut compared, mut deviating) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).expect("recorded answers") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let mut parts = name.split('.');
        let (number, service) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let Some((_, asked)) = SERVICES.iter().find(|(name, _)| *name == service) else { continue };
        if number == LEFT_OUT {
            continue;
        }
        let recorded = gctp_rows(&std::fs::read_to_string(&path).expect("UTF-8"));
        let answer = gctp::answer(&snapshot, *asked, &Request::on(pnr(number), date("2001-11-19"), Caller::unlogged()))
            .expect("a read");
        let Lookup::Found(answer) = answer else { panic!("{service}: a recorded person is not found") };
        compared += 1;
        if gctp_rows(&answer.to_xml().expect("XML")) != recorded {
            deviating.push((number.to_owned(), service.to_owned()));
        }
    }
    assert_eq!(compared, 180, "45 persons, four services");
    deviating.sort();
    let expected: Vec<(String, String)> =
        DEVIATIONS.iter().map(|(p, s, _)| ((*p).to_owned(), (*s).to_owned())).collect();
    assert_eq!(deviating, expected);
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn adrsog1_answers_as_recorded() {
    let Some(samples) = samples("adrsog1_answers_as_recorded") else { return };
    let replika = test_extract(&samples);
    let recorded = samples.join("services/schemas/testdata/replica-responses/ADRSOG1.OK.xml");
    let recorded = std::fs::read_to_string(recorded).expect("UTF-8");
    let fields = [("VEJK", "8512"), ("KOMK", "0851"), ("HNR", "091"), ("ETAG", "01"), ("SIDO", "tv")];
    let request = adrsog1::Request::parse(fields, ProtectedPersons::Tell).expect("a request");
    let answer =
        adrsog1::answer(Caller::unlogged(), &replika.snapshot(), &request, date("2001-11-19")).expect("a read");
    let answer = answer.to_xml().expect("XML");
    // The recorded answer comes from data in which more people live there; whoever is in both is told alike.
    let (ours, theirs) = (gctp_rows(&answer), gctp_rows(&recorded));
    let of = |row: &GctpRow| row["PNR"].0.clone();
    let both: Vec<_> =
        ours.iter().filter_map(|row| Some((row, theirs.iter().find(|one| of(one) == of(row))?))).collect();
    assert!(!both.is_empty(), "nobody is in both");
    assert!(both.iter().all(|(ours, theirs)| ours == theirs));
    // What stands around the rows, without the blanks between elements.
    let frame = |xml: &str| -> Vec<String> {
        let end = xml.find("<Row").expect("a row");
        xml[..end].split('>').map(|tag| tag.trim_start_matches('\u{feff}').trim().to_owned()).collect()
    };
    assert_eq!(frame(&answer), frame(&recorded));
}
