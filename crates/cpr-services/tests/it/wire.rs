//! The answers on their way: each goes through the envelope of its contract, and nothing of it is lost.

use std::io::Cursor;
use std::path::Path;

use cpr_population::{Population, Product};
use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::Pnr;
use cpr_replika::{ApplyOptions, Config, Replika, Snapshot};
use cpr_services::Caller;
use cpr_services::sf1525::{Depth, Marking, Markings, Version};
use cpr_services::{Lookup, NoRegister, Request, gctp, sf1520, sf1525, sf6008};
use cpr_wire::{Answer, Call, Endpoint, Problem, Reading, SoapVersion};

use crate::kit::samples;
use crate::schema::{Pile, has_xmllint};

fn envelope(version: SoapVersion, body: &str) -> String {
    format!("<e:Envelope xmlns:e=\"{}\"><e:Body>{body}</e:Body></e:Envelope>", version.namespace())
}

/// What a host does with a body sent to a path; its registers know nothing.
fn serve(snapshot: &Snapshot, day: cpr_replika::cpr_model::Date, endpoint: Endpoint, body: &str) -> Answer {
    let request = match endpoint.read(body.as_bytes(), &Reading::default()) {
        Ok(request) => request,
        Err(refused) => return refused.answer(),
    };
    let xml = match &request.call {
        Call::Sf1520 { version, pnr } => {
            let lookup = sf1520::answer(snapshot, *version, &Request::on(*pnr, day, Caller::unlogged()), &NoRegister)
                .expect("a read");
            lookup.found().map(|found| found.answer.to_xml(*version).expect("XML"))
        }
        Call::Sf6008 { operation, pnr } => {
            let lookup =
                sf6008::answer(snapshot, *operation, &Request::on(*pnr, day, Caller::unlogged())).expect("a read");
            lookup.found().map(|found| sf6008::to_xml(*operation, &[&found.answer]).expect("XML"))
        }
        Call::Sf1525(call) => {
            let question = Request::on(call.pnr, day, Caller::unlogged());
            let lookup = sf1525::answer(snapshot, call.version, &call.markings, &question, &NoRegister);
            lookup.expect("a read").found().map(|found| found.answer.to_xml().expect("XML"))
        }
        Call::Gctp(call) => {
            let service = gctp::Service::ALL.into_iter().find(|service| call.is_for(service.name()));
            let Some(service) = service else { return request.reply.refuse(&Problem::UnknownService) };
            let pnr = match call.pnr() {
                Ok(pnr) => pnr,
                Err(problem) => return request.reply.refuse(&problem),
            };
            let lookup = gctp::answer(snapshot, service, &Request::on(pnr, day, Caller::unlogged())).expect("a read");
            if let Lookup::Found(answer) = lookup { Some(answer.to_xml().expect("XML")) } else { None }
        }
        Call::Sf6002(_) => panic!("no lookup"),
    };
    xml.map_or_else(|| request.reply.refuse(&Problem::UnknownNumber), |xml| request.reply.answer(&xml))
}

fn number(namespace: &str, root: &str, pnr: &str) -> String {
    let number = format!("<p:PNR xmlns:p=\"http://serviceplatformen.dk/xml/schemas/cpr/PNR/1/\">{pnr}</p:PNR>");
    envelope(SoapVersion::V1_1, &format!("<{root} xmlns=\"{namespace}\">{number}</{root}>"))
}

fn message(service: &str, pnr: &str) -> String {
    let key = format!("<CprServiceHeader r='{service}'><Key><Field r='PNR' v='{pnr}'/></Key></CprServiceHeader>");
    let inner = format!("<Gctp><System r='CprSoeg'><Service r='{service}'>{key}</Service></System></Gctp>");
    let root = "callGCTPCheckServiceRequest";
    let namespace = cpr_wire::gctp::NAMESPACE;
    let request = format!("<{root} xmlns='{namespace}'><gctpMessage><![CDATA[{inner}]]></gctpMessage></{root}>");
    envelope(SoapVersion::V1_1, &request)
}

fn areas(pnr: &str, markings: impl IntoIterator<Item = Marking>, depth: &str) -> String {
    let header = "<k:HovedOplysninger xmlns:k='http://kombit.dk/xml/schemas/kontekst/2017/01/01/'>\
        <k:TransaktionsId>1</k:TransaktionsId><k:TransaktionsTid>2026-01-08T12:00:00Z</k:TransaktionsTid>\
        </k:HovedOplysninger>";
    let marking = |marking: Marking| {
        let depth = if marking == Marking::NumberList { "true" } else { depth };
        format!("<{0}>{depth}</{0}>", marking.name())
    };
    let markings: String = markings.into_iter().map(marking).collect();
    let root = "PersonStamoplysningerSamlingHent_I";
    let number = format!("<Personnummer>urn:oio:cpr-nr:{pnr}</Personnummer>");
    let namespace = cpr_wire::sf1525::NAMESPACE;
    envelope(SoapVersion::V1_2, &format!("<{root} xmlns='{namespace}'>{header}{number}{markings}</{root}>"))
}

/// What stands in the body of an envelope.
fn body(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200);
    let body = answer.body.split_once("<soap:Body>").and_then(|(_, rest)| rest.split_once("</soap:Body>"));
    body.expect("a body").0
}

fn population(of: u32) -> (Replika, Population) {
    let product = Product { family: Family::named("2022").expect("a family"), task: "123401".to_owned() };
    let population = Population::new(5, of);
    let extract = population.full_extract(Vec::new(), &product).expect("in memory");
    let replika = Replika::in_memory(&Config::default()).expect("a store");
    replika.load(Cursor::new(extract), &ApplyOptions::named("made up")).expect("a sound extract");
    (replika, population)
}

/// A number that nobody of a made-up population has.
const NOBODY: &str = "9191990000";

#[test]
fn every_lookup_is_answered_through_its_envelope() {
    let (replika, population) = population(50);
    let (snapshot, day) = (replika.snapshot(), population.production_date());
    let serve = |endpoint, body: &str| serve(&snapshot, day, endpoint, body);
    for pnr in snapshot.pnrs().expect("a read").map(|pnr| pnr.expect("a read")) {
        for version in [sf1520::Version::V4, sf1520::Version::V5] {
            let request = number(version.namespace(), "PersonLookupRequest", pnr.reveal());
            let found = sf1520::answer(&snapshot, version, &Request::on(pnr, day, Caller::unlogged()), &NoRegister)
                .expect("a read")
                .found();
            let xml = found.expect("held").answer.to_xml(version).expect("XML");
            assert!(body(&serve(Endpoint::Sf1520(version), &request)) == xml);
        }
        let request = number(cpr_wire::sf6008::NAMESPACE, "callCPRBasicInformationListRequest", pnr.reveal());
        assert!(body(&serve(Endpoint::Sf6008, &request)).starts_with("<callCPRBasicInformationListResponse "));
        for service in gctp::Service::ALL {
            let answer = serve(Endpoint::Gctp, &message(&service.name().to_uppercase(), pnr.reveal()));
            assert!(body(&answer).contains("&lt;Kvit r=&quot;Ok&quot;"));
        }
    }
    let fifth = sf1520::Version::V5;
    let unknown = serve(Endpoint::Sf1520(fifth), &number(fifth.namespace(), "PersonLookupRequest", NOBODY));
    assert!(unknown.status == 500 && unknown.body.contains("PNR not found"));
    assert!(body(&serve(Endpoint::Gctp, &message("Stam+", NOBODY))).contains("v=&quot;172&quot;"));
    let refused = serve(Endpoint::Sf1525(Version::V1), &areas(NOBODY, [Marking::Notes], "Aktuel"));
    assert!(body(&refused).contains("This version has no NotatListeMarkering"));
    assert!(body(&serve(Endpoint::Sf1525(Version::V1), &areas(NOBODY, [], ""))).contains("PNR not found"));
}

/// SF1525 about a person with each marking of a version, alone and all together, at both depths.
fn pile_up(pile: &mut Pile, snapshot: &Snapshot, day: cpr_replika::cpr_model::Date, version: Version, pnr: Pnr) {
    let markings: Vec<Marking> =
        Marking::ALL.into_iter().filter(|marking| version == Version::V2 || marking.is_in_1_0()).collect();
    for (word, depth) in [("Aktuel", Depth::Current), ("AktuelMedHistorik", Depth::WithHistory)] {
        for chosen in markings.chunks(1).chain([&markings[..]]) {
            let request = areas(pnr.reveal(), chosen.iter().copied(), word);
            let answer = serve(snapshot, day, Endpoint::Sf1525(version), &request);
            let of = chosen.iter().fold(Markings::default(), |of, marking| of.with(*marking, depth));
            let found = sf1525::answer(snapshot, version, &of, &Request::on(pnr, day, Caller::unlogged()), &NoRegister)
                .expect("a read");
            let xml = found.found().expect("held").answer.to_xml().expect("XML");
            let content = xml.split_once('>').expect("a root").1;
            assert!(body(&answer).ends_with(&format!("</kontekst:HovedOplysningerSvar>{content}")));
            pile.add(body(&answer));
        }
    }
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn each_marking_of_sf1525_has_the_shape_of_its_package() {
    let Some(samples) = samples("each_marking_of_sf1525_has_the_shape_of_its_package") else { return };
    if !has_xmllint() {
        return;
    }
    let (replika, population) = population(50);
    let mut pile = Pile::of_sf1525(Path::new(&samples));
    let snapshot = replika.snapshot();
    for pnr in snapshot.pnrs().expect("a read") {
        let pnr = pnr.expect("a read");
        for version in [Version::V1, Version::V2] {
            pile_up(&mut pile, &snapshot, population.production_date(), version, pnr);
        }
    }
    pile.check();
}
