//! The XML of SF1520 and SF6008 against the shipped schemas, by way of `xmllint`.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Stdio};

use cpr_population::{Population, Product};
use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::{CountryCode, MunicipalityCode, Pnr};
use cpr_replika::{Allow, ApplyOptions, Config, Replika};
use cpr_services::Caller;
use cpr_services::ProtectedPersons;
use cpr_services::{Districts, Diverse, NoRegister, Place, Register, Request, sf1520, sf6008};

use crate::kit::{date, moment, pnr, samples, test_extract};

const START_TAG_END: &str = "version=\"1.0\">";

/// A root that holds any number of documents of one namespace.
const PILE_SCHEMA: &str = r#"<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:pile">
<xsd:import namespace="NAMESPACE" schemaLocation="ROOT"/>
<xsd:element name="pile"><xsd:complexType><xsd:sequence>
<xsd:any namespace="NAMESPACE" processContents="strict" minOccurs="0" maxOccurs="unbounded"/>
</xsd:sequence></xsd:complexType></xsd:element></xsd:schema>"#;

const PACKAGE_SCHEMA: &str = r###"
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.kombit.dk/2017/01/01/"
    xmlns:kontekst="http://kombit.dk/xml/schemas/kontekst/2017/01/01/" elementFormDefault="qualified">
  <xs:import namespace="http://kombit.dk/xml/schemas/kontekst/2017/01/01/" schemaLocation="KontekstType.xsd"/>
  <xs:element name="PersonStamoplysningerSamlingHent_O"><xs:complexType><xs:sequence>
    <xs:element ref="kontekst:HovedOplysningerSvar"/>
    <xs:any namespace="##targetNamespace" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"###;

const FOURTH: [&str; 3] = [
    "sf1520-personbasedataextended-v4",
    "PersonBaseDataExtendedServiceMsg.xsd",
    "http://serviceplatformen.dk/xml/wsdl/soap11/CPR/PersonBaseDataExtended/4/",
];
const FIFTH: [&str; 3] = [
    "sf1520-personbasedataextended-v5",
    "PersonBaseDataExtendedServiceMsg.xsd",
    "http://serviceplatformen.dk/xml/wsdl/soap11/CPR/PersonBaseDataExtended/5/",
];
const BASIC: [&str; 3] = [
    "sf6008-cprbasicinformation-v1",
    "CPRBasicInformationServiceMsg.xsd",
    "http://serviceplatformen.dk/xml/wsdl/soap11/CPRBasicInformationService/1/",
];

/// True when the tool is there. On a machine that builds every change it must be.
pub(crate) fn has_xmllint() -> bool {
    let run = Command::new("xmllint").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = run.is_ok_and(|status| status.success());
    assert!(there || std::env::var("CI").as_deref() != Ok("true"), "xmllint is missing: apt-get install libxml2-utils");
    if !there {
        eprintln!("skipped: xmllint is not installed");
    }
    there
}

const IMPORT: &str = r#"<xsd:import namespace="http://serviceplatformen.dk/xml/schemas/cpr/PNR/1/"
    schemaLocation="../sp/PNR_1.xsd"/>"#;

/// Documents of one schema, validated as one: each stands in a root of ours, on a line of its own.
pub(crate) struct Pile {
    folder: tempfile::TempDir,
    documents: String,
}

impl Pile {
    /// The pile of a service: the folder of its schemas, its root schema, its namespace.
    fn of(samples: &Path, [schemas, root, namespace]: [&str; 3]) -> Pile {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let shipped = samples.join("services/schemas").join(schemas);
        for part in ["", "sp", "xsd"].map(Path::new).into_iter().filter(|part| shipped.join(part).is_dir()) {
            std::fs::create_dir_all(folder.path().join(part)).expect("a folder");
            for entry in std::fs::read_dir(shipped.join(part)).expect("schemas") {
                let path = entry.expect("an entry").path();
                if path.extension().is_none_or(|extension| extension != "xsd") {
                    continue;
                }
                let mut text = std::fs::read_to_string(&path).expect("UTF-8");
                if part == Path::new("xsd") {
                    // The types of SF1520 use a namespace that their document does not import, which xmllint refuses:
                    // the scratch copy gets the import, and nothing else is changed.
                    let after = text.find(START_TAG_END).expect("the end of the start tag") + START_TAG_END.len();
                    text.insert_str(after, IMPORT);
                }
                std::fs::write(folder.path().join(part).join(path.file_name().expect("a name")), text).expect("a file");
            }
        }
        let schema = PILE_SCHEMA.replace("NAMESPACE", namespace).replace("ROOT", root);
        std::fs::write(folder.path().join("pile.xsd"), schema).expect("a file");
        Pile { folder, documents: String::new() }
    }

    /// The pile of SF1525: its package is not public, so the shape is that of its generation, the header first. What
    /// stands behind it is in the namespace of the contract.
    pub(crate) fn of_sf1525(samples: &Path) -> Pile {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let context = samples.join("services/schemas/kombit2017-model/common/context");
        for entry in std::fs::read_dir(context).expect("schemas") {
            let path = entry.expect("an entry").path();
            std::fs::copy(&path, folder.path().join(path.file_name().expect("a name"))).expect("a file");
        }
        let pile = PILE_SCHEMA.replace("NAMESPACE", cpr_wire::sf1525::NAMESPACE).replace("ROOT", "package.xsd");
        std::fs::write(folder.path().join("package.xsd"), PACKAGE_SCHEMA).expect("a file");
        std::fs::write(folder.path().join("pile.xsd"), pile).expect("a file");
        Pile { folder, documents: String::new() }
    }

    pub(crate) fn add(&mut self, xml: &str) {
        self.documents.push_str(xml);
        self.documents.push('\n');
    }

    /// Every document is valid. The message of the first fault tells the line, which is the number of the document.
    pub(crate) fn check(self) {
        assert!(!self.documents.is_empty());
        if let Err(fault) = self.validate(&self.documents) {
            panic!("{fault}");
        }
        // The proof that a fault would be seen: an element that no schema has.
        assert!(self.validate(&self.documents.replacen("><", "><stray/><", 1)).is_err());
    }

    fn validate(&self, documents: &str) -> Result<(), String> {
        let path = self.folder.path().join("pile.xml");
        std::fs::write(&path, format!("<pile xmlns=\"urn:pile\">{documents}</pile>")).expect("a file");
        let schema = self.folder.path().join("pile.xsd");
        let run = Command::new("xmllint").args(["--noout", "--huge", "--schema"]).arg(schema).arg(path).output();
        let run = run.expect("xmllint runs");
        let said = String::from_utf8_lossy(&run.stderr);
        if run.status.success() { Ok(()) } else { Err(said.lines().next().unwrap_or_default().to_owned()) }
    }
}

/// Every answer of SF1520 and SF6008 about everybody in the store is valid.
fn check(
    samples: &Path,
    replika: &Replika,
    requests: impl Fn(cpr_replika::cpr_model::Pnr) -> Request<'static>,
) -> usize {
    let snapshot = replika.snapshot();
    let mut fourth = Pile::of(samples, FOURTH);
    let mut fifth = Pile::of(samples, FIFTH);
    let mut basic = Pile::of(samples, BASIC);
    let mut everybody: [Vec<sf6008::Record>; 4] = Default::default();
    let mut persons = 0;
    for pnr in snapshot.pnrs().expect("a read") {
        let request = requests(pnr.expect("a read"));
        persons += 1;
        for (pile, version) in [(&mut fourth, sf1520::Version::V4), (&mut fifth, sf1520::Version::V5)] {
            let answer = sf1520::answer(&snapshot, version, &request, &NoRegister).expect("a read");
            let answer = answer.found().expect("held").answer;
            pile.add(&answer.to_xml(version).expect("XML"));
        }
        for (records, operation) in everybody.iter_mut().zip(sf6008::Operation::ALL) {
            let answer = sf6008::answer(&snapshot, operation, &request).expect("a read").found().expect("held");
            basic.add(&sf6008::to_xml(operation, &[&answer.answer]).expect("XML"));
            records.push(answer.answer);
        }
    }
    // A list takes any number of records, so everybody goes into one document.
    for (records, operation) in everybody.iter().zip(sf6008::Operation::ALL).skip(2) {
        let records: Vec<&sf6008::Record> = records.iter().collect();
        basic.add(&sf6008::to_xml(operation, &records).expect("XML"));
        basic.add(&sf6008::to_xml(operation, &[]).expect("XML"));
    }
    [fourth, fifth, basic].into_iter().for_each(Pile::check);
    persons
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn the_answers_about_everybody_in_the_samples_are_valid() {
    let Some(samples) = samples("the_answers_about_everybody_in_the_samples_are_valid") else { return };
    if !has_xmllint() {
        return;
    }
    let (mut files, mut persons) = (0, 0);
    for entry in std::fs::read_dir(samples.join("cpr/sample")).expect("samples") {
        let path = entry.expect("an entry").path();
        let replika = Replika::in_memory(&Config::default()).expect("a store");
        // Some samples were cut by hand and have no sound frame; some files beside them are no extracts.
        let allow = Allow { wrong_count: true, rows_without_person: true, ..Allow::default() };
        let options = ApplyOptions { allow, ..ApplyOptions::named("sample") };
        if replika.load(File::open(&path).expect("a sample"), &options).is_err() {
            eprintln!("not an extract to answer from: {}", path.file_name().expect("a name").display());
            continue;
        }
        files += 1;
        persons += check(&samples, &replika, |pnr| Request::on(pnr, date("2001-11-19"), Caller::unlogged()));
        let then = |pnr| Request {
            valid: Some(moment("1999-06-01")),
            ..Request::on(pnr, date("2001-11-19"), Caller::unlogged())
        };
        check(&samples, &replika, then);
        let withheld = |pnr| Request {
            protected_persons: ProtectedPersons::Withhold,
            ..Request::on(pnr, date("2001-11-19"), Caller::unlogged())
        };
        check(&samples, &replika, withheld);
    }
    assert!(files >= 6 && persons >= 200, "{files} files, {persons} persons");
    eprintln!("{persons} persons of {files} samples");
}

/// A host's registers that know everything.
struct Everything;

impl Register for Everything {
    fn country_name(&self, _: CountryCode) -> Option<String> {
        Some("Danmark".to_owned())
    }

    fn authority_name(&self, _: u16) -> Option<String> {
        Some("Sogn & Søn".to_owned())
    }

    fn municipality_cvr(&self, _: MunicipalityCode) -> Option<String> {
        Some("00000000".to_owned())
    }

    fn street_name(&self, _: Place<'_>) -> Option<String> {
        Some("Skovvej".to_owned())
    }

    fn districts(&self, _: Place<'_>) -> Option<Districts> {
        let diverse = |kind| Diverse { kind: Some(kind), code: Some("1".to_owned()), name: None };
        let parish = Some("Sogn".to_owned());
        let diverse = vec![diverse(1), diverse(2)];
        Some(Districts { postal_code: Some(9000), parish_code: Some(8333), parish, diverse, ..Districts::default() })
    }

    fn nem_sms(&self, _: Pnr) -> Option<bool> {
        Some(true)
    }

    fn digital_post(&self, _: Pnr) -> Option<bool> {
        Some(false)
    }
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn what_a_host_supplies_stands_in_its_element() {
    let Some(samples) = samples("what_a_host_supplies_stands_in_its_element") else { return };
    let replika = test_extract(&samples);
    let snapshot = replika.snapshot();
    let request = Request::on(pnr("0709610015"), date("2001-11-19"), Caller::unlogged());
    let version = sf1520::Version::V5;
    let answer = sf1520::answer(&snapshot, version, &request, &Everything).expect("a read").found().expect("held");
    let xml = answer.answer.to_xml(version).expect("XML");
    for element in [
        "<kommuneCvr>00000000</kommuneCvr>",
        "<vejnavn>Skovvej</vejnavn>",
        "<sognedistriktKode>8333</sognedistriktKode><sognedistrikt>Sogn</sognedistrikt>",
        "<diversedistrikter><distriktType>2</distriktType><distriktKode>1</distriktKode></diversedistrikter>",
        "<landekodeMyndighedsnavn>Danmark</landekodeMyndighedsnavn>",
        "<foedselsregistreringsstedKodeMyndighedsnavn>Sogn &amp; Søn</foedselsregistreringsstedKodeMyndighedsnavn>",
        "<tilmeldtNemsms>true</tilmeldtNemsms><tilmeldtDigitalpost>false</tilmeldtDigitalpost>",
    ] {
        assert!(xml.contains(element), "{element}");
    }
    let without = sf1520::answer(&snapshot, version, &request, &NoRegister).expect("a read").found().expect("held");
    assert_eq!(without.answer.person.nem_sms.0, None);
    assert!(!without.answer.to_xml(version).expect("XML").contains("distrikter"));
    if has_xmllint() {
        let mut pile = Pile::of(&samples, FIFTH);
        pile.add(&xml);
        pile.check();
    }
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn the_answers_about_ten_thousand_made_up_persons_are_valid() {
    let Some(samples) = samples("the_answers_about_ten_thousand_made_up_persons_are_valid") else { return };
    if !has_xmllint() {
        return;
    }
    for (family, of) in [("2022", 10_000), ("full", 1_000)] {
        let product = Product { family: Family::named(family).expect("a family"), task: "123401".to_owned() };
        let population = Population::new(7, of);
        let extract = population.full_extract(Vec::new(), &product).expect("in memory");
        let replika = Replika::in_memory(&Config::default()).expect("a store");
        replika.load(Cursor::new(extract), &ApplyOptions::named("made up")).expect("a sound extract");
        let day = population.production_date();
        assert!(check(&samples, &replika, |pnr| Request::on(pnr, day, Caller::unlogged())) >= of as usize);
    }
}
