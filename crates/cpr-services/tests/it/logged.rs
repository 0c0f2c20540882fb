//! Every service tells the log of its answer before it is handed out: whom it was about, who else stands in it, and how
//! it ended.

use std::sync::{Arc, Mutex};

use cpr_replika::Replika;
use cpr_replika::Scope;
use cpr_services::access_log::{AccessLog, Asker, Entry, NotLogged, Question};
use cpr_services::gctp::{self, Service};
use cpr_services::search::{adrsog1, solr};
use cpr_services::sf1525::{self, Depth, Markings};
use cpr_services::sf6008::{self, Operation};
use cpr_services::{Caller, Error, NoRegister, ProtectedPersons, Request, persons_in, sf1520};
use serde::ser::{self, Serialize, Serializer};

use crate::kit::{date, pnr, told};

const MOTHER: &str = "6101701112";
const CHILD: &str = "6101101111";
const SPOUSE: &str = "6101701113";
const FORMER: &str = "6101701114";
const NOBODY: &str = "6101701119";

/// Keeps what it is told; refuses all of it when it is full.
#[derive(Default)]
struct Told {
    entries: Mutex<Vec<Entry>>,
    is_full: bool,
}

impl AccessLog for Told {
    fn record(&self, entry: Entry) -> Result<(), NotLogged> {
        if self.is_full {
            return Err(NotLogged::Behind);
        }
        self.entries.lock().expect("no test panics in it").push(entry);
        Ok(())
    }
}

fn family() -> Replika {
    told(&[&[
        (
            MOTHER,
            "001 STATUS=01, KOEN=K, FOED_DT=1970-01-01
             004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2020-01-01
             008 FORNVN=Gerda, EFTERNVN=Holm, NVNHAENSTART=197001011200
             002 KOMKOD=0851, VEJKOD=0042, HUSNR=007, TILFLYDTO=200001011200
             003 ADRNVN=Gerda Holm, STANDARDADR=Skovvej 7, POSTNR=9000, POSTDISTTXT=Aalborg, KOMKOD=0851, VEJKOD=0042, HUSNR=007, VEJADRNVN=Skovvej
             012 CIVST=G, AEGTEPNR=6101701113, HAENSTART-CIVILSTAND=199501011200
             014 PNRBARN=6101101111
             022 PNR=6101701114",
        ),
        (CHILD, "001 STATUS=01, KOEN=M, FOED_DT=2010-01-01"),
        (SPOUSE, "001 STATUS=01, KOEN=M, FOED_DT=1970-01-01"),
    ]])
}

/// Asks every service about a number; how many did not answer for want of the log.
fn ask_all(replika: &Replika, number: &str, caller: Caller<'_>) -> usize {
    let (snapshot, request) = (replika.snapshot(), Request::on(pnr(number), date("2026-01-08"), caller));
    let fields = [("VEJK", "42"), ("KOMK", "851")];
    let mut failed = Vec::new();
    for service in Service::ALL {
        failed.push(gctp::answer(&snapshot, service, &request).err());
    }
    failed.push(sf1520::answer(&snapshot, sf1520::Version::V5, &request, &NoRegister).err());
    let all = Markings::all(Depth::Current);
    failed.push(sf1525::answer(&snapshot, sf1525::Version::V2, &all, &request, &NoRegister).err());
    failed.push(sf6008::answer(&snapshot, Operation::Extended, &request).err());
    let asked = adrsog1::Request::parse(fields, ProtectedPersons::Tell).expect("a request");
    failed.push(adrsog1::answer(caller, &snapshot, &asked, request.day).err());
    let asked = solr::Request::parse("efternavn:Holm", ProtectedPersons::Tell).expect("a request");
    failed.push(solr::answer(caller, &snapshot, &asked, Scope::Now).err());
    let failed = failed.into_iter().flatten();
    failed.inspect(|error| assert!(matches!(error, Error::NotLogged(NotLogged::Behind)), "{error}")).count()
}

fn asker() -> Arc<Asker> {
    Arc::new(Asker { system: "school".into(), agreement: "4711".into(), purpose: "enrolment".into() })
}

/// What was told of each question: service, operation, who beside the one asked for, found, protected.
fn tell(number: &str) -> Vec<String> {
    let (log, asker) = (Told::default(), asker());
    assert_eq!(ask_all(&family(), number, Caller::new(&log, &asker)), 0);
    let entries = log.entries.into_inner().expect("no test panics in it");
    let names = [(MOTHER, "mother"), (CHILD, "child"), (SPOUSE, "spouse"), (FORMER, "former"), (NOBODY, "nobody")];
    let line = |entry: Entry| {
        assert_eq!(entry.asker, asker);
        let Question { service, operation, asked, shown, found, protected, delivery, .. } = entry.question;
        let named = |of: Vec<cpr_replika::cpr_model::Pnr>| {
            let name = |of: cpr_replika::cpr_model::Pnr| names.iter().find(|(digits, _)| *digits == of.reveal());
            of.into_iter().map(|of| name(of).expect("one of them").1).collect::<Vec<_>>().join(" ")
        };
        let operation = operation.strip_prefix("callCPRBasicInformation").unwrap_or(operation);
        format!("{service} {operation}: {} + {} {found} {protected:?} {delivery}", named(asked), named(shown))
    };
    entries.into_iter().map(line).collect()
}

#[test]
fn an_answer_is_told_with_everybody_in_it() {
    assert_eq!(
        tell(MOTHER),
        [
            "GCTP Stam+: mother +  true Some(true) 1",
            "GCTP Stam: mother +  true Some(true) 1",
            "GCTP Familie+: mother + child spouse true Some(true) 1",
            "GCTP Familie: mother + child spouse true Some(true) 1",
            "GCTP navne3: mother +  true Some(true) 1",
            "GCTP adresse4: mother +  true Some(true) 1",
            "SF1520 PersonLookup: mother + child spouse true Some(true) 1",
            "SF1525 PersonStamoplysningerSamlingHent: mother + child spouse former true Some(true) 1",
            "SF6008 ServiceExtended: mother +  true Some(true) 1",
            "GCTP ADRSOG1:  + mother true Some(true) 1",
            "SF1520 callCPRPersonList:  + mother true Some(true) 1",
        ]
    );
    assert_eq!(tell(CHILD)[0], "GCTP Stam+: child +  true Some(false) 1");
}

#[test]
fn a_question_that_finds_nobody_is_told_too() {
    assert_eq!(tell(NOBODY)[6], "SF1520 PersonLookup: nobody +  false None 1");
    assert_eq!(tell(FORMER)[6], "SF1520 PersonLookup: former + mother false None 1");
}

#[test]
fn no_answer_leaves_that_the_log_did_not_take() {
    let (log, asker) = (Told { is_full: true, ..Told::default() }, asker());
    assert_eq!(ask_all(&family(), MOTHER, Caller::new(&log, &asker)), 11);
    assert_eq!(ask_all(&family(), NOBODY, Caller::new(&log, &asker)), 11);
}

/// An answer that gives up: after its first person, or at a number that its serializer may not know.
enum Torn {
    Refuses,
    Wide(u128),
}

impl Serialize for Torn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Torn::Refuses => Err(ser::Error::custom(MOTHER)),
            Torn::Wide(number) => serializer.serialize_u128(*number),
        }
    }
}

#[test]
fn of_an_answer_that_does_not_serialize_to_its_end_nobody_is_told_as_if_that_were_all() {
    assert_eq!(persons_in(&(CHILD, "urn:oio:cpr-nr:6101701113")), Ok(vec![pnr(CHILD), pnr(SPOUSE)]));
    for torn in [Torn::Refuses, Torn::Wide(7)] {
        assert_eq!(persons_in(&(CHILD, torn, MOTHER)), Err(NotLogged::Unaccountable));
    }
    let (log, asker) = (Told::default(), asker());
    let unaccountable = Caller::new(&log, &asker)
        .begin()
        .answered(|| Ok(Question { shown: persons_in(&Torn::Refuses)?, ..Question::about("SF1520", "PersonLookup") }));
    assert_eq!(unaccountable, Err(NotLogged::Unaccountable), "and the answer stays");
    assert!(log.entries.into_inner().expect("no test panics in it").is_empty());
}
