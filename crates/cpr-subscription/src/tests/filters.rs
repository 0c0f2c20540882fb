//! Filters as text and bytes, names, profiles, and ages.

use proptest::prelude::*;

use super::{date, event, filter, key};
use crate::*;

/// One of every form, in the order of filters.
const CANONICAL: [&str; 17] = [
    "6101801234",
    "7212554441",
    "0-17",
    "65-999",
    "0101",
    "0851",
    "A01",
    "A21",
    "P",
    "0851:8512",
    "0851:8512:091",
    "0851:8512:091:01",
    "0851:8512:091:01:0012",
    "0851:8512:091:01:tv",
    "0851:8512:091A:st",
    "everything",
    "0-17+0751",
];

#[test]
fn canonical_text_and_bytes_read_back_and_order_alike() {
    let mut filters: Vec<Filter> = CANONICAL.iter().map(|text| filter(text)).collect();
    for (filter, text) in filters.iter().zip(CANONICAL) {
        assert_eq!(filter.reveal(), text);
        assert_eq!(Filter::from_bytes(&filter.to_bytes()).as_ref(), Ok(filter), "{text}");
        assert_eq!(Filter::parse(filter.kind(), text).as_ref(), Ok(filter), "{text}");
    }
    filters.sort_by_key(Filter::to_bytes);
    assert!(filters.is_sorted(), "bytes order as filters do");
    filters.reverse();
    filters.sort();
    let kinds: Vec<FilterKind> = filters.iter().map(Filter::kind).collect();
    assert!(kinds.is_sorted());
}

#[test]
fn a_municipality_may_come_without_its_zeros_and_is_listed_with_them() {
    let listed = Filter::parse(FilterKind::Municipality, "101").unwrap();
    assert_eq!(listed, filter("0101"));
    assert_eq!(listed.reveal(), "0101");
}

#[test]
fn an_address_is_written_in_one_way() {
    for (text, canonical) in [
        ("851:8512:91:1:  TV", "0851:8512:091:01:tv"),
        ("0851:8512:77a:ST:12", "0851:8512:077A:st:0012"),
        ("0851:8512:091::", "0851:8512:091"),
        ("0851:8512::01", "0851:8512::01"),
    ] {
        assert_eq!(filter(text).reveal(), canonical);
    }
}

#[test]
fn what_is_no_filter_is_refused_with_its_reason() {
    let ages = |from, to| FilterError::ImpossibleAgeRange { from, to };
    let address = |part| FilterError::NotAnAddress { part };
    for (kind, text, expected) in [
        (FilterKind::Pnr, "610180123", FilterError::NotAPnr),
        (FilterKind::Pnr, "6101801234 ", FilterError::NotAPnr),
        (FilterKind::Pnr, "6113801234", FilterError::NotAPnr),
        (FilterKind::Pnr, "0000000000", FilterError::NotAPnr),
        (FilterKind::AllOf, "0000000000+0851", FilterError::NotAPnr),
        (FilterKind::AgeRange, "17-0", ages(17, 0)),
        (FilterKind::AgeRange, "0-1000", FilterError::NotAnAgeRange),
        (FilterKind::AgeRange, "-17", FilterError::NotAnAgeRange),
        (FilterKind::AgeRange, "0--17", FilterError::NotAnAgeRange),
        (FilterKind::AgeRange, "+1-17", FilterError::NotAnAgeRange),
        (FilterKind::Municipality, "0000", FilterError::NotAMunicipality),
        (FilterKind::Municipality, "08510", FilterError::NotAMunicipality),
        (FilterKind::Municipality, "", FilterError::NotAMunicipality),
        (FilterKind::EventChangeCode, "A211", FilterError::CodeTooLong { characters: 4 }),
        (FilterKind::EventChangeCode, "", FilterError::NotACode),
        (FilterKind::EventChangeCode, "A-1", FilterError::NotACode),
        (FilterKind::Address, "0851", address("number of parts")),
        (FilterKind::Address, "0851:x", address("street")),
        (FilterKind::Address, "0851:8512:1234", address("house number")),
        (FilterKind::Address, "0851:8512:1AB", address("house number")),
        (FilterKind::Address, "0851:8512:091:001", address("floor")),
        (FilterKind::Address, "0851:8512:091:01:tv tv", address("door")),
        (FilterKind::Everything, "", FilterError::NotEverything),
        (FilterKind::AllOf, "0751", FilterError::MemberCount { found: 1 }),
        (FilterKind::AllOf, "1+2+3+4+5+6+7+8+9", FilterError::MemberCount { found: 9 }),
        (FilterKind::AllOf, "0751+0751", FilterError::RepeatedMember),
        (FilterKind::AllOf, "0751+everything", FilterError::MemberKind { kind: FilterKind::Everything }),
        (FilterKind::AllOf, "0751+", FilterError::NoKind),
    ] {
        assert_eq!(Filter::parse(kind, text), Err(expected), "{kind:?} {text}");
    }
    let nested = AllOf::new(vec![filter("0-17+0751"), filter("A01")]);
    assert_eq!(nested, Err(FilterError::MemberKind { kind: FilterKind::AllOf }));
    assert_eq!(AgeRange::new(0, 1000), Err(ages(0, 1000)));
    for text in ["whatever", "ten_digits", "fire"] {
        assert_eq!(text.parse::<Filter>(), Err(FilterError::NoKind), "{text}");
    }
}

#[test]
fn nobody_is_followed_by_the_number_that_cpr_writes_where_it_gives_none() {
    let nobody = Filter::Pnr(key("0000000000"));
    assert!(nobody.names_nobody() && !filter("6101801234").names_nobody() && !filter("everything").names_nobody());
    assert_eq!(Filter::from_bytes(&nobody.to_bytes()), Err(FilterError::Stored));
    assert_eq!(AllOf::new(vec![nobody, filter("0851")]), Err(FilterError::NotAPnr));
}

#[test]
fn neither_debug_nor_an_error_shows_a_number_or_an_address() {
    let secret = "6101801234";
    let one = filter(secret);
    let all = filter("6101801234+A01+0851:8512:091:01:tv");
    let (matcher, followers) = Matcher::new([Subscription {
        subscriber: SubscriberNumber(1),
        profile: Profile::SF6002,
        filters: vec![one.clone(), all.clone()],
    }]);
    let printed = format!("{one:?} {all:?} {matcher:?} {followers:?} {:?}", Reason::NumberChain(key(secret)));
    let key_digits = key(secret).as_u32().to_string();
    for text in [printed, format!("{:?}", filter("0851:8512:091:01:tv"))] {
        assert!(!text.contains(secret) && !text.contains("091") && !text.contains(&key_digits), "{text}");
    }
    assert_eq!(format!("{all:?}"), "AllOf([PNR(..), EventChangeCode(A01), Address(..)])");
    assert_eq!(format!("{:?}", filter("0851")), "MunicipalityCode(0851)");
    let Filter::AllOf(members) = &all else { panic!("{all:?}") };
    assert_eq!(format!("{members:?}"), "[PNR(..), EventChangeCode(A01), Address(..)]");
    let counts = format!("{matcher:?} {followers:?}");
    assert_eq!(counts, "Matcher of 1 subscribers with 1 terms Followers of 1 numbers");
    for text in ["6113801234", "610180-1234", "6101801234x", "6101801234:1", "6101801234+", "+6101801234"] {
        let error = text.parse::<Filter>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("1234"), "{text}");
    }
}

#[test]
fn a_name_may_be_a_folder() {
    let longest = "x".repeat(64);
    for name in ["a", "b3f0c6de-0000-4000-8000-000000000000", "A.b_c-9", &longest] {
        assert_eq!(name.parse::<SubscriberName>().unwrap().as_str(), name);
    }
    let too_long = "x".repeat(65);
    for (name, expected) in [
        ("", NameError::Length { bytes: 0 }),
        (too_long.as_str(), NameError::Length { bytes: 65 }),
        ("a/b", NameError::Character { at: 2 }),
        ("å", NameError::Character { at: 1 }),
        (".", NameError::LeadingDot),
        ("..", NameError::LeadingDot),
        (".a", NameError::LeadingDot),
    ] {
        assert_eq!(name.parse::<SubscriberName>(), Err(expected), "{name}");
    }
}

#[test]
fn words_and_flags_are_stable() {
    use FilterAnswer::{Added, AlreadyExisted, NotFound, Removed, UnknownNumber};
    let words = [Added, AlreadyExisted, Removed, NotFound, UnknownNumber].map(FilterAnswer::name);
    assert_eq!(words, ["added", "already_existed", "removed", "not_found", "unknown_number"]);
    let kinds = ["PNR", "AgeRange", "MunicipalityCode", "EventChangeCode", "Address", "NoFilter", "AllOf"];
    assert_eq!(FilterKind::ALL.map(FilterKind::name), kinds);
    assert!(FilterKind::ALL.iter().all(|kind| FilterKind::from_name(kind.name()) == Some(*kind)));
    assert_eq!(Profile::SF6002.to_byte(), 0b1_0011);
    for byte in 0..=u8::MAX {
        match Profile::from_byte(byte) {
            Ok(profile) => assert_eq!((profile.to_byte(), byte >> 5), (byte, 0)),
            Err(UnknownFlags) => assert_ne!(byte >> 5, 0),
        }
    }
    let golden: Vec<String> = ["6101801234", "0-17", "0851", "A1", "0851:8512:091:01:tv", "everything", "0751+A01"]
        .iter()
        .map(|text| filter(text).to_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
        .collect();
    assert_eq!(
        golden,
        [
            "013c8a8602".to_owned(),
            "0200000011".into(),
            "030353".into(),
            "04413100".into(),
            "050353214030393100303174760000".into(),
            "06".into(),
            "070302ef04413031".into(),
        ]
    );
}

/// Age in full years by counting birthdays: the definition.
fn counted_age(birth: (u32, u32, u32), day: (u32, u32, u32)) -> Option<u16> {
    let birthdays = (1..).map(|years| (birth.0 + years, birth.1, birth.2)).take_while(|birthday| *birthday <= day);
    (birth <= day).then(|| birthdays.count() as u16)
}

#[test]
fn age_counts_birthdays() {
    for (birth, day, age) in [
        ("2008-03-10", "2026-03-09", Some(17)),
        ("2008-03-10", "2026-03-10", Some(18)),
        ("1896-00-00", "1996-01-01", Some(100)),
        ("1896-00-00", "1995-12-31", Some(99)),
        ("1896-05-00", "1996-04-30", Some(99)),
        ("1896-05-00", "1996-05-01", Some(100)),
        ("2008-02-29", "2026-02-28", Some(17)),
        ("2008-02-29", "2026-03-01", Some(18)),
        ("2008-02-29", "2028-02-28", Some(19)),
        ("2008-02-29", "2028-02-29", Some(20)),
        ("2026-03-10", "2026-03-10", Some(0)),
        ("2026-03-11", "2026-03-10", None),
        ("0000-00-00", "2026-03-10", None),
    ] {
        assert_eq!(age_on(date(birth), date(day)), age, "{birth} on {day}");
    }
}

#[test]
fn birth_dates_are_those_of_the_age() {
    let range = AgeRange::new(0, 17).unwrap();
    assert_eq!(birth_dates(range, date("2026-03-10")), Some(date("2008-03-11")..=date("2026-03-10")));
    let passing = birth_dates_reaching(18, date("2026-02-28"), date("2026-03-02"));
    assert_eq!(passing, Some(date("2008-02-29")..=date("2008-03-02")));
    assert_eq!(birth_dates_reaching(18, date("2026-03-02"), date("2026-03-02")), None);
    assert_eq!(birth_dates_reaching(999, date("0900-01-01"), date("0901-01-01")), None);
}

fn any_date() -> impl Strategy<Value = (u32, u32, u32)> {
    (1850u32..2060, 0u32..=12, 0u32..=31)
}

fn digits((year, month, day): (u32, u32, u32)) -> cpr_model::Date {
    cpr_model::Date::from_digits(year * 10_000 + month * 100 + day).unwrap()
}

/// Any filter but *all of*.
fn member() -> impl Strategy<Value = Filter> {
    prop_oneof![
        (1u32..28, 1u32..13, 0u32..100, 0u32..10_000)
            .prop_map(|(day, month, year, serial)| filter(&format!("{:02}{month:02}{year:02}{serial:04}", day + 60))),
        (0u16..500, 0u16..500).prop_map(|(from, more)| Filter::AgeRange(AgeRange::new(from, from + more).unwrap())),
        (1u16..10_000).prop_map(|code| filter(&format!("{code:04}"))),
        "[A-Z0-9]{1,3}".prop_map(|code| filter(&code)),
        ("[0-9]{1,3}[A-Z]?|", "[0-9]{2}|st|kl|k2|", "[0-9]{4}|t[hv]|mf|a/-|", 1u16..10_000, 1u16..10_000).prop_map(
            |(house, floor, door, code, street)| filter(&format!("{code:04}:{street:04}:{house}:{floor}:{door}"))
        ),
    ]
}

proptest! {
    #[test]
    fn age_agrees_with_counting_and_with_the_interval(
        birth in any_date(),
        day in any_date(),
        from in 0u16..120,
        more in 0u16..120,
    ) {
        let age = age_on(digits(birth), digits(day));
        prop_assert_eq!(age, counted_age(birth, day));
        let range = AgeRange::new(from, from + more).unwrap();
        let dates = birth_dates(range, digits(day));
        let is_within = dates.is_some_and(|dates| dates.contains(&digits(birth)));
        prop_assert_eq!(is_within, age.is_some_and(|age| range.contains(age)));
    }

    #[test]
    fn reaching_an_age_is_being_younger_and_then_not(
        birth in any_date(),
        after in any_date(),
        until in any_date(),
        years in 0u16..120,
    ) {
        let (after, until) = (digits(after.min(until)), digits(until.max(after)));
        let dates = birth_dates_reaching(years, after, until);
        let old_enough = |day| age_on(digits(birth), day).is_some_and(|age| age >= years);
        let reaches = !old_enough(after) && old_enough(until);
        prop_assert_eq!(dates.is_some_and(|dates| dates.contains(&digits(birth))), reaches);
    }

    #[test]
    fn any_text_is_a_filter_or_an_error(text in "[0-9A-Za-z+:\\- ]{0,20}|\\PC{0,12}") {
        for kind in FilterKind::ALL {
            if let Ok(filter) = Filter::parse(kind, &text) {
                prop_assert_eq!(filter.kind(), kind);
                prop_assert_eq!(filter.reveal().parse::<Filter>(), Ok(filter));
            }
        }
    }

    #[test]
    fn any_bytes_are_a_filter_or_an_error(
        kind in 0u8..9,
        rest in prop::collection::vec(prop_oneof![Just(0u8), 0u8..9, any::<u8>()], 0..30),
    ) {
        let bytes = [&[kind], &rest[..]].concat();
        if let Ok(filter) = Filter::from_bytes(&bytes) {
            prop_assert_eq!(filter.to_bytes(), bytes);
        }
    }

    #[test]
    fn filters_keep_their_order_as_bytes_and_read_back(
        a in prop::collection::vec(member(), 1..9),
        b in prop::collection::vec(member(), 1..9),
    ) {
        let one = |members: Vec<Filter>| AllOf::new(members.clone()).map_or(members[0].clone(), Filter::AllOf);
        let (a, b) = (one(a), one(b));
        prop_assert_eq!(a.to_bytes().cmp(&b.to_bytes()), a.cmp(&b));
        prop_assert_eq!(Filter::from_bytes(&a.to_bytes()), Ok(a.clone()));
        prop_assert_eq!(a.reveal().parse::<Filter>(), Ok(a));
    }
}

#[test]
fn a_filter_says_its_kind_and_neither_whose_number_nor_which_address_it_is() {
    let told = ["6101801234", "0851:8512:091:01:tv", "0851", "0-17", "A01", "everything", "0-17+0851:8512+6101801234"];
    let told = told.map(|text| format!("{:?}", filter(text)));
    let expected = [
        "PNR(..)",
        "Address(..)",
        "MunicipalityCode(0851)",
        "AgeRange(0-17)",
        "EventChangeCode(A01)",
        "NoFilter",
        "AllOf([PNR(..), AgeRange(0-17), Address(..)])",
    ];
    assert_eq!(told, expected);
    let Filter::Address(address) = filter("0851:8512:091:01:tv") else { panic!("an address") };
    assert_eq!(format!("{address:?}"), "AddressFilter(..)");
    let AddressFilter { house, floor, door, .. } = address;
    assert_eq!(format!("{house:?} {floor:?} {door:?}"), "Some(HouseNumber(..)) Some(Floor(..)) Some(Door(..))");
    assert_eq!(format!("{:?}", event("A01").code), "EventCode(A01)");
    assert_eq!("region-1_a.b".parse::<SubscriberName>().unwrap().to_string(), "region-1_a.b");
}

#[test]
fn stored_bytes_of_all_of_are_read_only_in_their_own_order_and_up_to_their_number() {
    let of = |texts: &[&str]| {
        let members: Vec<u8> = texts.iter().flat_map(|text| filter(text).to_bytes()).collect();
        Filter::from_bytes(&[&[FilterKind::AllOf as u8], &members[..]].concat())
    };
    assert_eq!(of(&["0-17", "0751"]), Ok(filter("0-17+0751")));
    for wrong in [&["0751", "0-17"][..], &["0-17"], &[], &["0-17", "0-17"]] {
        assert_eq!(of(wrong), Err(FilterError::Stored), "{wrong:?}");
    }
    let many: Vec<String> = (0..9).map(|at| format!("{at}-99")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(of(&many[..8]).is_ok() && of(&many) == Err(FilterError::Stored));
}

#[test]
fn codes_are_added_to_a_list_and_nothing_to_the_list_of_all() {
    let code = |text: &str| EventCode::parse(text.as_bytes()).unwrap();
    let mut codes: ChangeCodes = [code("A01")].into_iter().collect();
    codes.extend([code("Q77"), code("Q78")]);
    assert_eq!(["A01", "Q77", "Q78", "A02"].map(|text| codes.contains(&code(text))), [true, true, true, false]);
    let mut any = ChangeCodes::any();
    any.extend([code("Q77")]);
    assert!(any.contains(&code("A02")));
}
