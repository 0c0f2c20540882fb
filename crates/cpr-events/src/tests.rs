//! Each rule of the table by what is seen in the rows and by each of its codes, and what the rules have in common:
//! bounds of dates, order, counts, who is not held. Rows are written as `aspect TERM=value …`, with `was` before a
//! historic one, and bounds and mark first, as they are packed.

mod nothing_besides;

use bitemporal::Known;
use cpr_model::{Aspect, Date, Fact, Field, Kind, Pnr, RowKind, Values, ValuesWriter};

use crate::{Cause, CauseCode, DeliveryContext, EventKind, JoinedEvent, PersonChange, join};

const ANNA: &str = "6101801231";
const BO: &str = "6202791235";
/// By their numbers: born in 1926, and on 1 January 2026.
const ELDER: &str = "6101260017";
const NEWBORN: &str = "6101264018";

const ALIVE: &str = "person STATUS=1";
const HOME: &str = "address TILFLYDTO=200001011200 KOMKOD=101 VEJKOD=42";
const LEFT: &str = "was address TILFLYDTO=200001011200 FRAFLYDTO=202601020900 KOMKOD=101 VEJKOD=42";

/// A change that no kind names, beside the one that is looked at.
const BESIDE: &str = "order_to_move START_DT-FLYTTEPÅBUD=20260102";
const LEFT_OVER: &str = "other - (order_to_move) 2026-01-02 00:00";

struct Row {
    kind: RowKind,
    values: Vec<u8>,
}

fn pack(text: &str) -> Row {
    let (historic, text) = text.strip_prefix("was ").map_or((false, text), |text| (true, text));
    let mut words = text.split(' ');
    let aspect = words.next().and_then(Aspect::from_name).expect("an aspect");
    let mut values = Vec::new();
    let mut writer = ValuesWriter(&mut values);
    for (term, value) in words.map(|word| word.split_once('=').expect("a value")) {
        let field = Field::from_term(term).expect("a field");
        let number = || value.parse().expect("digits");
        match field.kind() {
            Kind::Text => writer.text(field, value.as_bytes()),
            Kind::Small | Kind::Code => writer.number(field, Some(number() as u16)),
            Kind::Date => writer.date(field, number() as u32),
            Kind::Timestamp | Kind::Pnr => writer.digits(field, number()),
            Kind::Flag => writer.flag(field, value.as_bytes()[0]),
        }
    }
    Row { kind: RowKind::new(aspect, historic), values }
}

/// `A21`, `A21/MO`, and with a time of CPR's `A21@202601020900`.
fn cause(text: &str) -> Cause {
    let (text, entered) = text.split_once('@').map_or((text, None), |(text, at)| (text, Some(at)));
    let (code, mark) = text.split_once('/').map_or((text, None), |(code, mark)| (code, Some(mark)));
    let mut values = Vec::new();
    let mut writer = ValuesWriter(&mut values);
    writer.text(Field::EventCode, code.as_bytes());
    mark.into_iter().for_each(|mark| writer.text(Field::DerivedMark, mark.as_bytes()));
    entered.into_iter().for_each(|at| writer.digits(Field::UpdatedInCprAt, at.parse().expect("digits")));
    Cause::read(Values::new(&values))
}

fn date(digits: u32) -> Date {
    Date::from_digits(digits).expect("a date")
}

/// The delivery of 6 January 2026, the second one.
fn second() -> DeliveryContext {
    let previous_production = Some(date(2026_01_05));
    DeliveryContext { number: 2, production_date: date(2026_01_06), previous_production, window: None }
}

fn facts(rows: &[Row], known: impl Fn(usize) -> Known) -> Vec<Fact<'_>> {
    let fact = |at: usize| Fact::new(0, rows[at].kind, known(at), Values::new(&rows[at].values));
    (0..rows.len()).map(|at| fact(at).expect("an aspect")).collect()
}

/// What a delivery brought about Anna: rows on both sides are kept. `births` are those of children who are held.
fn events_in(
    context: DeliveryContext,
    births: &[(&str, u32)],
    before: &[&str],
    after: &[&str],
    causes: &[&str],
) -> Vec<JoinedEvent> {
    let packed = |rows: &[&str]| rows.iter().map(|row| pack(row)).collect::<Vec<_>>();
    let (old, new) = (packed(before), packed(after));
    let old = facts(&old, |at| Known { from: 1, to: (!after.contains(&before[at])).then_some(2) });
    let new = facts(&new, |at| Known { from: if before.contains(&after[at]) { 1 } else { 2 }, to: None });
    let key = pnr(ANNA).key().expect("a date");
    let mut change = PersonChange::read(&old, &new, causes.iter().map(|text| cause(text)).collect(), key, context);
    change.child_births.extend(births.iter().map(|(child, born)| (pnr(child), date(*born))));
    join(&mut change)
}

fn pnr(digits: &str) -> Pnr {
    Pnr::parse(digits.as_bytes()).expect("ten digits")
}

fn events(before: &[&str], after: &[&str], causes: &[&str]) -> Vec<JoinedEvent> {
    events_in(second(), &[], before, after, causes)
}

/// Kind, cause, aspects, since when.
fn show(event: &JoinedEvent) -> String {
    let cause = event.cause.map_or("-".to_owned(), |cause| {
        format!("{}{}", cause.code, cause.derived_mark.map_or(String::new(), |mark| format!("/{mark}")))
    });
    let aspects: Vec<&str> = event.aspects.iter().map(|aspect| aspect.name()).collect();
    let since = event.valid_from.map_or("-".to_owned(), |at| at.to_string());
    format!("{} {cause} ({}) {since}", event.kind, aspects.join(" "))
}

fn told(before: &[&str], after: &[&str], causes: &[&str]) -> Vec<String> {
    events(before, after, causes).iter().map(show).collect()
}

fn related(event: &JoinedEvent) -> Vec<&str> {
    event.related.iter().map(Pnr::reveal).collect()
}

/// One rule: what is seen, which codes can be its cause, and whose.
struct Rule {
    before: &'static [&'static str],
    after: &'static [&'static str],
    codes: &'static [&'static str],
    /// Marks of records that can be the cause, blank for the person's own; and of records that cannot.
    marks: [&'static [&'static str]; 2],
    /// It is an event without a record, too.
    needs_no_code: bool,
    /// Kind, aspects, since when.
    told: (&'static str, &'static str),
}

const ANY: [&[&str]; 2] = [&["", "MO", "PN"], &[]];
const OWN: [&[&str]; 2] = [&[""], &["MO", "PN"]];
const DERIVED: [&[&str]; 2] = [&["MO", "PN"], &[""]];
const PARENT: &[&str] = &["A35", "A36", "A37", "A38", "A51"];
const NUMBER: &[&str] = &["P02", "P03", "P42", "P43", "A40"];
const SINGLE: &str = "civil_status HAENSTART-CIVILSTAND=200005051200 CIVST=U";
const MARRIED: &str = "civil_status HAENSTART-CIVILSTAND=200505051200 CIVST=G AEGTEPNR=6202791235";
const WAS_MARRIED: &str =
    "was civil_status HAENSTART-CIVILSTAND=200505051200 HAENSLUT-CIVILSTAND=202601020900 CIVST=G AEGTEPNR=6202791235";
const GONE: &str = "person STATUS=80 STATUSHAENSTART=202601020900";
const NAMED: &str = "name NVNHAENSTART=202001020900 FORNVN=Maja EFTERNVN=Dam";

const fn rule(
    [before, after]: [&'static [&'static str]; 2],
    codes: &'static [&'static str],
    marks: [&'static [&'static str]; 2],
    told: (&'static str, &'static str),
) -> Rule {
    Rule { before, after, codes, marks, needs_no_code: true, told }
}

const RULES: &[Rule] = &[
    rule(
        [&[ALIVE], &["person STATUS=1 PNRGAELD=6101801232 SLUT_DT-PERSON=20260102"]],
        NUMBER,
        [&["", "PN", "PT"], &["MO"]],
        ("number_changed", "(person order_to_move) 2026-01-02 00:00"),
    ),
    rule(
        [&[ALIVE], &[ALIVE, "former_number START_DT-PERSON=20200101 PNR-GAMMELT=6101801232"]],
        NUMBER,
        [&["", "PN", "PT"], &["MO"]],
        ("number_changed", "(order_to_move former_number) -"),
    ),
    Rule {
        needs_no_code: false,
        ..rule(
            [&[ALIVE, "child PNRBARN=6101801232"], &[ALIVE, "child PNRBARN=6101801233"]],
            NUMBER,
            [&["MO", "FA"], &["", "PN", "PT"]],
            ("number_changed", "(child) -"),
        )
    },
    rule(
        [&[ALIVE, HOME], &["person STATUS=90 STATUSHAENSTART=202601020900", LEFT]],
        &["A21"],
        OWN,
        ("died", "(person address) 2026-01-02 09:00"),
    ),
    rule(
        [&["person STATUS=90 STATUSHAENSTART=202601010900", LEFT], &[ALIVE, HOME]],
        &["A25"],
        ANY,
        ("death_undone", "(person address) -"),
    ),
    rule(
        [&[ALIVE, HOME], &[GONE, "emigration UDRDTO=202601020900 UDR_LANDEKOD=5104", LEFT]],
        &["A06"],
        ANY,
        ("emigrated", "(person address emigration) 2026-01-02 09:00"),
    ),
    rule(
        [&[ALIVE, HOME], &["person STATUS=70", "disappearance FORSVINDDTO=202601020900", LEFT]],
        &["A02"],
        ANY,
        ("disappeared", "(person address disappearance) 2026-01-02 09:00"),
    ),
    rule(
        [
            &["person STATUS=70", "disappearance FORSVINDDTO=202501020900"],
            &[ALIVE, HOME, "was disappearance FORSVINDDTO=202501020900 GENFINDDTO=202601020900"],
        ],
        &["A03"],
        ANY,
        ("found", "(person address disappearance) 2000-01-01 12:00"),
    ),
    rule(
        [
            &["person STATUS=80", "emigration UDRDTO=202501020900 UDR_LANDEKOD=5104"],
            &[
                ALIVE,
                HOME,
                "was emigration UDRDTO=202501020900 INDRDTO=202601020900 UDR_LANDEKOD=5104 INDR_LANDEKOD=5104",
            ],
        ],
        &["A04", "P31"],
        ANY,
        ("immigrated", "(person address emigration) 2000-01-01 12:00"),
    ),
    rule(
        [&[ALIVE, HOME], &[ALIVE, "address TILFLYDTO=202601020900 KOMKOD=101 VEJKOD=7", LEFT]],
        &["A01"],
        ANY,
        ("moved_within", "(address) 2026-01-02 09:00"),
    ),
    rule(
        [&[ALIVE, HOME], &[ALIVE, "address TILFLYDTO=202601020900 KOMKOD=751 VEJKOD=7", LEFT]],
        &["A01"],
        ANY,
        ("moved_out", "(address) 2026-01-02 09:00"),
    ),
    rule(
        [&[ALIVE, HOME], &[ALIVE, "address TILFLYDTO=202601020900 KOMKOD=751 VEJKOD=7", LEFT]],
        &["A01"],
        ANY,
        ("moved_in", "(address) 2026-01-02 09:00"),
    ),
    rule(
        [&[ALIVE], &[ALIVE, "address TILFLYDTO=202601020900 KOMKOD=751 VEJKOD=7"]],
        &["A01"],
        ANY,
        ("moved_in", "(address) 2026-01-02 09:00"),
    ),
    rule(
        [
            &[ALIVE, HOME],
            &[
                ALIVE,
                "address TILFLYDTO=200001011200 KOMKOD=101 VEJKOD=7",
                "was address TILFLYDTO=200001011200 FRAFLYDTO=200001011200 ANNKOR=K KOMKOD=101 VEJKOD=42",
            ],
        ],
        &["A09", "A10"],
        ANY,
        ("address_corrected", "(address) 2000-01-01 12:00"),
    ),
    rule(
        [&[ALIVE, SINGLE], &[ALIVE, "civil_status HAENSTART-CIVILSTAND=202601020900 CIVST=G AEGTEPNR=6202791235"]],
        &["A19"],
        ANY,
        ("married", "(civil_status) 2026-01-02 09:00"),
    ),
    rule(
        [&[ALIVE, SINGLE], &[ALIVE, "civil_status HAENSTART-CIVILSTAND=202601020900 CIVST=P AEGTEPNR=6202791235"]],
        &["A23"],
        ANY,
        ("partnership_entered", "(civil_status) 2026-01-02 09:00"),
    ),
    rule(
        [&[ALIVE, MARRIED], &[ALIVE, "civil_status HAENSTART-CIVILSTAND=202601020900 CIVST=F", WAS_MARRIED]],
        &["A20"],
        ANY,
        ("divorced", "(civil_status) 2026-01-02 09:00"),
    ),
    rule(
        [&[ALIVE, MARRIED], &[ALIVE, "civil_status HAENSTART-CIVILSTAND=202601020900 CIVST=O", WAS_MARRIED]],
        &["A20"],
        ANY,
        ("partnership_dissolved", "(civil_status) 2026-01-02 09:00"),
    ),
    rule(
        [&[ALIVE, MARRIED], &[ALIVE, "civil_status HAENSTART-CIVILSTAND=202601020900 CIVST=E", WAS_MARRIED]],
        &["A21"],
        DERIVED,
        ("widowed", "(civil_status) 2026-01-02 09:00"),
    ),
    rule(
        [&[ALIVE, MARRIED], &[ALIVE, "civil_status HAENSTART-CIVILSTAND=202601020900 CIVST=L", WAS_MARRIED]],
        &["A21"],
        DERIVED,
        ("widowed", "(civil_status) 2026-01-02 09:00"),
    ),
    rule(
        [
            &[ALIVE, MARRIED],
            &[
                ALIVE,
                "civil_status HAENSTART-CIVILSTAND=200505061200 CIVST=G AEGTEPNR=6202791235",
                "was civil_status HAENSTART-CIVILSTAND=200505051200 HAENSLUT-CIVILSTAND=200505051200 ANNKOR=K CIVST=G",
            ],
        ],
        &["A19", "A20", "A21", "A23", "A24", "A25"],
        ANY,
        ("civil_status_changed", "(civil_status) 2005-05-06 12:00"),
    ),
    rule([&[ALIVE], &[ALIVE, "child PNRBARN=6101264018"]], PARENT, DERIVED, ("child_born", "(child) -")),
    rule([&[ALIVE], &[ALIVE, "child PNRBARN=6101260017"]], PARENT, DERIVED, ("child_recorded", "(child) -")),
    rule([&[ALIVE, "child PNRBARN=6101260017"], &[ALIVE]], PARENT, DERIVED, ("child_removed", "(child) -")),
    rule(
        [&[ALIVE, "parents PNRMOR=6202791235"], &[ALIVE, "parents PNRMOR=6202791236"]],
        PARENT,
        OWN,
        ("parent_recorded", "(parents) -"),
    ),
    rule(
        [&["person STATUS=1 PNRFAR=6202791235"], &["person STATUS=1 PNRFAR=6202791237"]],
        PARENT,
        OWN,
        ("parent_recorded", "(person) -"),
    ),
    rule(
        [&[ALIVE], &[ALIVE, "custody START_DT-FORÆLDREMYN=20260102 RELTYP-FORÆLDREMYN=3"]],
        &["P11"],
        ANY,
        ("custody_changed", "(custody) 2026-01-02 00:00"),
    ),
    rule(
        [&[ALIVE], &[ALIVE, "protection START_DT-BESKYTTELSE=20260102 BESKYTTYPE=1"]],
        &["A33"],
        ANY,
        ("protected", "(protection) 2026-01-02 00:00"),
    ),
    rule(
        [&[ALIVE, "protection START_DT-BESKYTTELSE=20250102 BESKYTTYPE=1"], &[ALIVE]],
        &["A33", "P11"],
        ANY,
        ("unprotected", "(protection) -"),
    ),
    rule(
        [&[ALIVE, "name FORNVN_MRK=*"], &[ALIVE, "name NVNHAENSTART=202601020900 FORNVN=Maja"]],
        &["A14"],
        ANY,
        ("name_given", "(name) 2026-01-02 09:00"),
    ),
    rule(
        [
            &[ALIVE, NAMED],
            &[
                ALIVE,
                "name NVNHAENSTART=202001020900 FORNVN=Maya EFTERNVN=Dam",
                "was name NVNHAENSTART=202001020900 NVNHAENSLUT=202001020900 ANNKOR=K FORNVN=Maja EFTERNVN=Dam",
            ],
        ],
        &["A16", "A17"],
        ANY,
        ("name_corrected", "(name) 2020-01-02 09:00"),
    ),
    rule(
        [
            &[ALIVE, NAMED],
            &[
                ALIVE,
                "name NVNHAENSTART=202601020900 FORNVN=Maja EFTERNVN=Holm",
                "was name NVNHAENSTART=202001020900 NVNHAENSLUT=202601020900 FORNVN=Maja EFTERNVN=Dam",
            ],
        ],
        &["A13", "A15", "P58"],
        ANY,
        ("name_changed", "(name) 2026-01-02 09:00"),
    ),
    // Codes that name an aspect and no kind.
    other([&[ALIVE, HOME], &[ALIVE, HOME_REWRITTEN]], &["A07", "A42", "P10"], "(address) 2000-01-01 12:00"),
    other([&[ALIVE], &[ALIVE, "formatted_address STANDARDADR=Gaden"]], &["P10"], "(formatted_address) -"),
    other(
        [&[ALIVE], &[ALIVE, "election START_DT-VALGOPLYSNINGER=20260102 VALGKODE=1"]],
        &["A08"],
        "(election) 2026-01-02 00:00",
    ),
    other(
        [&[ALIVE], &[ALIVE, "emigration UDRDTO=202601020900 UDR_LANDEKOD=5104"]],
        &["A08"],
        "(emigration) 2026-01-02 09:00",
    ),
    other(
        [&[ALIVE], &[ALIVE, "church START_DT-FOLKEKIRKE=20260102 FKIRK=F"]],
        &["A34", "P56"],
        "(church) 2026-01-02 00:00",
    ),
    other([&[ALIVE], &["person STATUS=1 STILLING=Smed"]], &["A34"], "(person) -"),
    other(
        [&[ALIVE], &[ALIVE, "contact_address START_DT-ADRTXT=20260102 ADR1-KONTAKTADR=Gaden"]],
        &["P11", "A47"],
        "(contact_address) 2026-01-02 00:00",
    ),
    other(
        [&[ALIVE], &[ALIVE, "note START_DT-NOTAT=20260102 NOTATNR=1 NOTATLINIE=Note"]],
        &["P11"],
        "(note) 2026-01-02 00:00",
    ),
    other(
        [&[ALIVE], &[ALIVE, "guardianship START_DT-UMYNDIG=20260102 UMYN_RELTYP=1"]],
        &["A73"],
        "(guardianship) 2026-01-02 00:00",
    ),
    other(
        [&[ALIVE], &[ALIVE, "separation START_DT-SEPARATION=20260102"]],
        &["P48", "P49"],
        "(separation) 2026-01-02 00:00",
    ),
];

const HOME_REWRITTEN: &str = "address TILFLYDTO=200001011200 KOMKOD=101 VEJKOD=43";

const fn other(rows: [&'static [&'static str]; 2], codes: &'static [&'static str], told: &'static str) -> Rule {
    Rule { needs_no_code: false, ..rule(rows, codes, ANY, ("other", told)) }
}

#[test]
fn each_kind_has_its_sign_and_its_codes_and_leaves_to_others_what_it_does_not_explain() {
    let mut wrong = Vec::new();
    for Rule { before, after, codes, marks: [known, unknown], needs_no_code, told: (kind, says) } in RULES {
        let after = [*after, &[BESIDE]].concat();
        let mut check = |causes: &[&str], holds: &dyn Fn(&[String]) -> bool| {
            let told = told(before, &after, causes);
            if !holds(&told) {
                wrong.push(format!("{kind} {says} of {causes:?}: {told:?}"));
            }
        };
        let marked = |code: &str, mark: &str| if mark.is_empty() { code.to_owned() } else { format!("{code}/{mark}") };
        // What comes with a number of the person's own is explained by it.
        let leaves = !says.contains("order_to_move");
        for code in *codes {
            for cause in known.iter().map(|mark| marked(code, mark)) {
                check(&[&cause], &|told| {
                    let is_left = told.last().is_some_and(|last| last == LEFT_OVER);
                    told.contains(&format!("{kind} {cause} {says}")) && is_left == leaves
                });
            }
            for cause in unknown.iter().map(|mark| marked(code, mark)) {
                let start = format!("{kind} {cause} ");
                check(&[&cause], &|told| !told.iter().any(|event| event.starts_with(&start)));
            }
            // Without its sign a code is a record like others.
            assert_eq!(told_of_nothing(code), [format!("other {code} () -")]);
        }
        // A code that nobody knows is no cause, and takes what is left.
        let alone = format!("{kind} - {says}");
        check(&["X9"], &|told| {
            let left = told.iter().find(|event| event.starts_with("other X9 ("));
            told.contains(&alone) == *needs_no_code
                && left.is_some_and(|left| left.contains("order_to_move)") == leaves)
        });
        check(&[], &|told| told.contains(&alone) == *needs_no_code);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Of somebody of whom nothing changed.
fn told_of_nothing(code: &str) -> Vec<String> {
    told(&[ALIVE, HOME], &[ALIVE, HOME], &[code])
}

#[test]
fn a_child_is_newborn_within_the_year_before_the_delivery_and_on_its_day() {
    let days = [(2025_01_06, false), (2025_01_07, true), (2026_01_06, true), (2026_01_07, false)];
    for (born, is_newborn) in days {
        // On the parent, by the child's recorded date of birth, whatever its number says.
        let child = format!("child PNRBARN={ELDER}");
        let events = events_in(second(), &[(ELDER, born)], &[ALIVE], &[ALIVE, &child], &[]);
        let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [if is_newborn { EventKind::ChildBorn } else { EventKind::ChildRecorded }], "{born}");
        // On the child itself.
        let person = format!("person STATUS=1 FOED_DT={born}");
        let told = told(&[], &[&person, &format!("parents PNRMOR={BO}")], &["A36"]);
        assert_eq!(told.contains(&"child_born A36 (person parents) -".to_owned()), is_newborn, "{born}: {told:#?}");
    }
}

#[test]
fn of_who_was_not_held_only_records_tell_and_one_created_from_the_second_delivery_on() {
    let since = |municipality: u64| format!("address TILFLYDTO=202601020900 TILFLYKOMDTO={municipality} KOMKOD=101");
    // The address itself says whether the municipality was new.
    for (municipality, kind) in [(200001011200, "moved_within"), (202601020900, "moved_in"), (0, "moved_in")] {
        let told = told(&[], &[ALIVE, &since(municipality)], &["A01"]);
        assert_eq!(
            told,
            [format!("{kind} A01 (address) 2026-01-02 09:00"), "created - (person address) -".to_owned(),]
        );
    }
    let held: &[&str] = &[ALIVE, NAMED];
    assert_eq!(told(&[], held, &[]), ["created - (person name) -"]);
    assert_eq!(told(&[], held, &["A45"]), ["created A45 (person name) -"]);
    assert_eq!(told(&[], held, &["X9"]), ["other X9 () -", "created - (person name) -"]);
    let first =
        DeliveryContext { number: 2, production_date: date(2026_01_06), previous_production: None, window: None };
    let first = |causes: &[&str]| events_in(first, &[], &[], held, causes).iter().map(show).collect::<Vec<_>>();
    assert!(first(&[]).is_empty());
    assert_eq!(first(&["A45"]), ["other A45 () -"]);
    // A parent of whom nothing was known: the youngest child is the one, unless the record is of somebody who was a parent.
    let parent = |children: &[&str], cause: &str| {
        let children: Vec<String> = children.iter().map(|child| format!("child PNRBARN={child}")).collect();
        let rows: Vec<&str> = [ALIVE].into_iter().chain(children.iter().map(String::as_str)).collect();
        told(&[], &rows, &[cause])[0].clone()
    };
    assert_eq!(parent(&[ELDER, NEWBORN], "A36/MO"), "child_born A36/MO (child) -");
    assert_eq!(parent(&[ELDER], "A36/MO"), "child_recorded A36/MO (child) -");
    for mark in ["TM", "TF"] {
        assert_eq!(parent(&[ELDER, NEWBORN], &format!("A35/{mark}")), format!("child_removed A35/{mark} (child) -"));
    }
}

#[test]
fn events_stand_by_the_time_of_their_records_then_by_line_and_equal_ones_are_counted() {
    let after: &[&str] = &[ALIVE, "address TILFLYDTO=202601020900 KOMKOD=751 VEJKOD=7", LEFT, BESIDE];
    let causes = ["A01@202601020905", "A01/MO@202601020901", "X9@202601020903", "A01@202601020904", "A45"];
    let told: Vec<(String, u32)> = events(&[ALIVE, HOME], after, &causes)
        .iter()
        .map(|event| (show(event).split(" (").next().unwrap_or_default().to_owned(), event.repeat))
        .collect();
    let expected = [
        ("other A45", 0),
        ("moved_out A01/MO", 0),
        ("moved_in A01/MO", 0),
        ("other X9", 0),
        ("moved_out A01", 0),
        ("moved_in A01", 0),
        ("moved_out A01", 1),
        ("moved_in A01", 1),
    ];
    assert_eq!(told, expected.map(|(told, repeat)| (told.to_owned(), repeat)));
    let event = &events(&[ALIVE, HOME], after, &["A01"])[0];
    let codes = [event.municipality_before, event.municipality_after].map(|code| code.map(|code| code.0));
    assert_eq!(codes, [Some(101), Some(751)]);
}

#[test]
fn related_are_the_numbers_that_came_or_went_else_those_that_stand_there() {
    let spouse = |number: &str, name: &str| {
        format!("civil_status HAENSTART-CIVILSTAND=200505051200 CIVST=G AEGTEPNR={number} AEGTENVN={name}")
    };
    let related_in = |before: &str, after: &str| -> Vec<String> {
        let events = events(&[ALIVE, before], &[ALIVE, after], &[]);
        related(&events[0]).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(related_in(&spouse(BO, "Bo"), &spouse(BO, "Bob")), [BO]);
    assert_eq!(related_in(&spouse(BO, "Bo"), &spouse(ELDER, "Bo")), [ELDER, BO]);
    assert_eq!(related_in("child PNRBARN=6101260017", "child PNRBARN=6101264018"), [ELDER, NEWBORN]);
    // A number that CPR does not know is nobody's.
    assert_eq!(related_in(&spouse("0", "Bo"), &spouse(BO, "Bo")), [BO]);
    // Parents in the person's own row are meant where they changed, and not where the person died.
    let person = |more: &str| format!("person STATUS=1{more}");
    let mother = |number: &str| person(&format!(" PNRMOR={number}"));
    let parents = events(&[&mother(BO)], &[&mother(ELDER)], &[]);
    assert_eq!((parents[0].kind, related(&parents[0])), (EventKind::ParentRecorded, vec![ELDER, BO]));
    let died = events(&[&mother(BO)], &["person STATUS=90 STATUSHAENSTART=202601020900"], &[]);
    assert_eq!((died[0].kind, related(&died[0])), (EventKind::Died, vec![]));
}

#[test]
fn a_code_is_three_characters_without_the_blanks_around_them() {
    for (received, code) in [("A21", "A21"), (" A21 ", "A21"), ("X9", "X9"), ("A2134", "A21"), ("", "")] {
        let code_of = cause(received).code;
        assert_eq!((code_of.to_string().as_str(), code_of.latin1()), (code, code.as_bytes()));
        assert!(code_of.is(code) && !code_of.is("Q7"));
        assert_eq!(format!("{code_of:?}"), format!("CauseCode({code})"));
    }
    let times = ["A21", "A21@0", "A21@202601020900"].map(|text| cause(text).registered_at.map(|at| at.to_string()));
    assert_eq!(times, [None, None, Some("2026-01-02 09:00".to_owned())]);
    let codes: Vec<CauseCode> = ["A02", "A21"].map(|code| cause(code).code).to_vec();
    assert!(codes.is_sorted());
}

#[test]
fn every_kind_is_found_by_its_name_and_by_no_other() {
    for kind in EventKind::ALL {
        assert_eq!(EventKind::from_name(kind.name()), Some(*kind));
        assert_eq!(kind.to_string(), kind.name());
    }
    assert_eq!([EventKind::from_name(""), EventKind::from_name("Died")], [None, None]);
}
