//! Numbers, fields and packed values, against their definitions.

use proptest::prelude::*;

use crate::{
    Aspect, CorrectionMark, Date, DerivedMark, Field, Kind, PersonKey, Pnr, RelatedPnr, RowKind, Status, Text,
    Timestamp, Value, Values, ValuesWriter, facts,
};

fn key(text: &str) -> Option<PersonKey> {
    Pnr::parse(text.as_bytes()).and_then(|pnr| pnr.key())
}

#[test]
fn keys_sort_by_birth_with_the_century_of_the_seventh_digit() {
    // 1858, 1899, 1900, 1936 (digit 4), 1937 (digit 4), 1999, 2000 (digit 4), 2036, 2057 (digit 5).
    let births = ["6101585000", "9112998999", "6101000000", "6101363999", "6101374000"];
    let births = births.iter().chain(&["9112993999", "6101004000", "9112369999", "9112575999"]);
    let keys: Vec<_> = births.map(|text| key(text).unwrap()).collect();
    assert!(keys.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn a_replacement_number_sorts_beside_its_day() {
    // Numbers without 60 added are spelled from parts: they could be somebody's.
    let of_day = |day: u32, serial: &str| key(&format!("{day:02}0180{serial}")).unwrap();
    let (day, replacement, next) = (of_day(1, "1234"), of_day(61, "1234"), of_day(2, "0000"));
    assert!(day < replacement && replacement < next);
}

#[test]
fn days_and_months_that_cannot_be_have_no_key() {
    for text in ["3201801234", "5901801234", "9201801234", "6113801234"] {
        assert_eq!(key(text), None);
    }
    for text in ["0001801234", "6000801234", "3100801234", "9112801234"] {
        assert!(key(text).is_some());
    }
}

#[test]
fn a_range_of_dates_is_the_range_of_the_keys_that_say_them() {
    let date = |digits| Date::from_digits(digits).expect("eight digits");
    let days = (0..=12).flat_map(|month| (0..=31).chain(60..=91).map(move |day| (day, month)));
    let keys: Vec<PersonKey> = days.filter_map(|(day, month)| key(&format!("{day:02}{month:02}804000"))).collect();
    assert_eq!(keys.len(), 13 * 64);
    for month in 0..=13 {
        // Behind the 31st comes the 32nd, which is no day of any number.
        for bound in (0..=33).map(|day| date(1980_00_00 + month * 100 + day)) {
            for dates in [bound..=date(1981_01_01), date(1979_12_31)..=bound] {
                let values = PersonKey::values_of_dates(&dates);
                for key in &keys {
                    let found = values.as_ref().is_some_and(|values| values.contains(&key.as_u32()));
                    assert_eq!(found, dates.contains(&key.date()), "{} in {dates:?}", key.date());
                }
            }
        }
    }
}

#[test]
fn the_first_and_the_last_year_of_numbers_have_keys_and_the_years_beside_them_none() {
    let range = |from: u32, to: u32| {
        let date = |digits| Date::from_digits(digits).expect("eight digits");
        PersonKey::values_of_dates(&(date(from)..=date(to)))
    };
    let (first, last) = (key("6101585000").unwrap(), key("9112578999").unwrap());
    assert_eq!((first.date().digits(), last.date().digits()), (1858_01_01, 2057_12_31));
    for (from, to, has_first, has_last) in [
        (1858_01_01, 1858_12_31, true, false),
        (2057_01_01, 2057_12_31, false, true),
        (1, 9999_12_31, true, true),
        (1858_01_02, 2057_12_30, false, false),
    ] {
        let values = range(from, to).expect("years that numbers have");
        let found = (values.contains(&first.as_u32()), values.contains(&last.as_u32()));
        assert_eq!(found, (has_first, has_last), "{from} to {to}");
    }
    assert_eq!((range(1, 1857_12_31), range(2058_01_01, 9999_12_31)), (None, None));
    let day = range(1980_01_01, 1980_01_01).expect("a day of 1980");
    assert_eq!(*day.end(), key("6101809999").unwrap().as_u32(), "the last serial of the day, and nothing behind it");
    // Digits that are no month lie behind December, and before the year that comes.
    let unknown_day = key("6000811234").unwrap();
    assert_eq!(unknown_day.date().digits(), 1981_00_00);
    assert!(range(1980_13_31, 1981_12_31).is_some_and(|values| values.contains(&unknown_day.as_u32())));
}

#[test]
fn nothing_personal_is_printed() {
    let pnr = Pnr::parse(b"6101801234").unwrap();
    let text = Text::new(b"Sofie");
    let printed = format!("{pnr:?} {:?} {:?} {text:?}", pnr.key(), RelatedPnr::Known(pnr));
    assert_eq!(printed, "Pnr(..) Some(PersonKey(..)) Known(Pnr(..)) Text(..)");
    let mut packed = Vec::new();
    ValuesWriter(&mut packed).text(Field::GivenNames, b"Sofie");
    assert_eq!(format!("{:?}", facts::Name::new(Values::new(&packed))), "Name(Values(7 bytes))");
    assert_eq!(format!("{:?}", ValuesWriter(&mut packed)), "ValuesWriter(7 bytes)");
}

#[test]
fn partial_dates_keep_what_is_known_and_sort_first() {
    let partial = Date::parse("1961-00-00").unwrap();
    assert_eq!((partial.year(), partial.month(), partial.day()), (1961, None, None));
    assert!(partial < Date::parse("1961-01-01").unwrap());
    let odd = Timestamp::from_digits(1991_0320_1299).unwrap();
    assert_eq!((odd.time_of_day(), odd.to_string().as_str()), (None, "1991-03-20 12:99"));
    assert!(odd < Timestamp::end_of(Date::parse("1991-03-20").unwrap()));
    assert!(Timestamp::start_of(Date::parse("1991-03-21").unwrap()) > odd);
}

#[test]
fn fields_are_numbered_without_gaps_and_named_once() {
    let mut terms: Vec<&str> = Field::all().map(Field::term).collect();
    for (at, field) in Field::all().enumerate() {
        assert_eq!(usize::from(field.number()), at + 1);
        assert_eq!(Field::from_number(field.number()), Some(field));
        assert_eq!(Field::from_term(field.term()), Some(field));
    }
    terms.sort_unstable();
    terms.dedup();
    assert_eq!(terms.len(), Field::all().count());
    assert_eq!(Field::from_number(0), None);
    assert_eq!(Field::from_number(u16::MAX), None);
}

#[test]
fn typed_accessors_name_the_field_they_read() {
    for (field, term) in facts::ACCESSORS {
        assert_eq!(field.term(), *term);
    }
}

#[test]
fn aspects_are_numbered_below_the_historic_bit() {
    for (at, aspect) in Aspect::all().enumerate() {
        assert_eq!(usize::from(aspect.number()), at + 1);
        assert!(aspect.number() < RowKind::HISTORIC);
        assert_eq!(RowKind::new(aspect, true).decode(), Some((aspect, true)));
        assert_eq!(Aspect::from_name(aspect.name()), Some(aspect));
    }
    for kind in (0..=u8::MAX).map(RowKind) {
        assert_eq!(kind.names_aspect(), kind.decode().is_some());
    }
}

#[test]
fn a_first_immigration_and_an_endless_past_are_points() {
    let mut packed = Vec::new();
    ValuesWriter(&mut packed).digits(Field::Immigrated, 1999_0630_1637);
    let period = Aspect::Emigration.period(Values::new(&packed), true);
    assert!(period.is_empty() && period.to.is_some());
    packed.clear();
    ValuesWriter(&mut packed).digits(Field::MovedIn, 1999_0630_1637);
    assert!(Aspect::Address.period(Values::new(&packed), true).is_empty());
    assert!(!Aspect::Address.period(Values::new(&packed), false).is_empty());
    assert!(Aspect::Address.period(Values::new(&[]), true).is_empty());
}

#[test]
fn dates_are_eight_digits_with_hyphens_in_their_places_or_without() {
    let read = |text| Date::parse(text).map(Date::digits);
    assert_eq!((read("2026-01-05"), read("20260105")), (Some(2026_01_05), Some(2026_01_05)));
    for text in
        ["2026010x", "2026-0105", "20260-1-05", "2026-0-105", "2-02601-05", "2026--1-05", "2026-01-0x", "2026x01x05"]
    {
        assert_eq!(read(text), None, "{text}");
    }
    assert_eq!(Date::from_digits(99_999_999).map(Date::digits), Some(99_999_999));
    assert_eq!(Date::from_digits(100_000_000), None);
    assert_eq!(Timestamp::from_digits(999_999_999_999).map(Timestamp::digits), Some(999_999_999_999));
    assert_eq!(Timestamp::from_digits(1_000_000_000_000), None);
}

#[test]
fn the_parts_of_a_date_and_of_a_time_are_told_where_they_are_parts() {
    let parts = |digits| Date::from_digits(digits).map(|date| (date.year(), date.month(), date.day()));
    assert_eq!(parts(2026_10_31), Some((2026, Some(10), Some(31))));
    assert_eq!(parts(1987_12_01), Some((1987, Some(12), Some(1))));
    assert_eq!(parts(19_871_332), Some((1987, None, None)));
    let time = |digits| Timestamp::from_digits(digits).and_then(Timestamp::time_of_day);
    assert_eq!((time(2026_01_05_23_59), time(2026_01_05_00_00)), (Some((23, 59)), Some((0, 0))));
    assert_eq!((time(2026_01_05_24_00), time(2026_01_05_23_60), time(2026_01_05_99_99)), (None, None, None));
    let date = Date::from_digits(2026_01_05).unwrap();
    assert_eq!((Timestamp::start_of(date).digits(), Timestamp::end_of(date).digits()), (202601050000, 202601059999));
    assert_eq!((Timestamp::end_of(date).date(), date.years_before(10).digits()), (date, 2016_01_05));
    assert_eq!(Date::from_digits(5_01_01).unwrap().years_before(10).digits(), 0);
}

#[test]
fn a_number_is_ten_digits_and_what_is_stored_as_more_is_no_value() {
    assert_eq!(Pnr::parse(b"6101801234").map(|pnr| *pnr.reveal_digits()), Some(*b"6101801234"));
    let read = |digits: u64| {
        let mut packed = Vec::new();
        ValuesWriter(&mut packed).digits(Field::MotherPnr, digits);
        Values::new(&packed).pnr(Field::MotherPnr)
    };
    assert_eq!(read(0), Some(RelatedPnr::Unknown));
    assert_eq!(read(9_999_999_999), Pnr::parse(b"9999999999").map(RelatedPnr::Known));
    assert_eq!(read(10_000_000_000), None);
}

#[test]
fn a_status_says_whether_one_lives_somewhere_and_under_which_number() {
    let of = |holds: fn(Status) -> bool| (0..=99).filter(|code| holds(Status(*code))).collect::<Vec<u8>>();
    assert_eq!(of(Status::is_active), (0..10).collect::<Vec<_>>());
    assert_eq!(of(Status::has_residence), (0..30).collect::<Vec<_>>());
    assert_eq!(of(Status::is_replaced), [50, 60]);
}

#[test]
fn the_mark_of_an_event_that_came_from_another_is_its_two_characters() {
    let read = |text: &[u8]| DerivedMark::parse(text).map(|mark| (mark.to_string(), format!("{mark:?}")));
    let told = |mark: &str| Some((mark.to_owned(), format!("DerivedMark({mark})")));
    assert_eq!((read(b"\xC6G"), read(b"\xC6G  "), read(b"BMA")), (told("ÆG"), told("ÆG"), told("BM")));
    assert_eq!((read(b" M "), read(b"  "), read(b"")), (told("M"), None, None));
}

#[test]
fn text_without_its_blanks_is_told_as_utf_8() {
    let text = Text::new(b"Pr\xF8ve                                        ");
    assert_eq!((text.latin1(), text.reveal().as_ref(), text.is_empty()), (&b"Pr\xF8ve"[..], "Prøve", false));
    assert!(Text::new(b"    ").is_empty() && format!("{text:?}") == "Text(..)");
}

#[test]
fn a_date_of_zeros_is_none_and_bytes_that_are_no_entry_end_the_values() {
    let date = |digits| {
        let mut packed = Vec::new();
        ValuesWriter(&mut packed).date(Field::DateOfBirth, digits);
        let values = Values::new(&packed);
        (values.date(Field::DateOfBirth).map(Date::digits), values.timestamp(Field::DateOfBirth).map(Timestamp::digits))
    };
    assert_eq!((date(1980_01_01), date(0)), ((Some(1980_01_01), Some(1980_01_01_00_00)), (None, None)));
    let time = |digits| {
        let mut packed = Vec::new();
        ValuesWriter(&mut packed).digits(Field::MovedIn, digits);
        Values::new(&packed).timestamp(Field::MovedIn).map(Timestamp::digits)
    };
    assert_eq!((time(1980_01_01_12_99), time(0)), (Some(1980_01_01_12_99), None));
    let mut packed = Vec::new();
    ValuesWriter(&mut packed).text(Field::GivenNames, b"Sofie");
    assert!(Values::new(&packed).is_whole() && Values::new(&[]).is_whole());
    for end in 1..packed.len() {
        assert!(!Values::new(&packed[..end]).is_whole(), "{end} bytes");
    }
    // The first field whose tag takes two bytes; and one of a number that no field has.
    packed.clear();
    ValuesWriter(&mut packed).digits(Field::UpdatedInCprAt, 2026_01_05_12_00);
    let updated = Values::new(&packed).timestamp(Field::UpdatedInCprAt);
    assert_eq!((Field::UpdatedInCprAt.number(), updated.map(Timestamp::digits)), (240, Some(2026_01_05_12_00)));
    assert!(Values::new(&[240, 1, 1, b'A']).is_whole() && !Values::new(&[241, 1, 1, b'A']).is_whole());
}

#[test]
fn the_mark_of_a_name_is_not_that_of_the_row() {
    let mut packed = Vec::new();
    ValuesWriter(&mut packed).flag(Field::GivenNamesMark, b'K');
    assert_eq!(Aspect::Name.mark(Values::new(&packed)), None);
    packed.clear();
    ValuesWriter(&mut packed).flag(Field::CorrectionMark, b'K');
    assert_eq!(Aspect::Name.mark(Values::new(&packed)), Some(CorrectionMark::Corrected));
}

#[test]
fn who_registered_a_row_and_when_is_told_by_its_fields() {
    let of: Vec<&str> = Field::all().filter(|field| field.is_registration()).map(Field::term).collect();
    for term in ["NVN_TS", "START_MYNKOD-NAVNE", "MOR_DOK", "FAR_DOK_TS", "MYNTXT_MYNKOD", "DOK"] {
        assert!(of.contains(&term), "{term}");
    }
    for term in ["FORNVN", "TILFLYDTO", "MYNTXT", "STATUS", "PNRMOR"] {
        assert!(!of.contains(&term), "{term}");
    }
}

#[test]
fn aspects_name_the_fields_where_they_begin_end_and_are_told_apart() {
    let fields = |aspect: Aspect| (aspect.start(), aspect.end(), aspect.slot());
    assert_eq!(fields(Aspect::Person), (None, None, None));
    assert_eq!(fields(Aspect::Address), (Some(Field::MovedIn), Some(Field::MovedOut), None));
    assert_eq!(
        fields(Aspect::FormerNumber),
        (Some(Field::PnrStartDate), Some(Field::PnrEndDate), Some(Field::FormerPnr))
    );
    assert_eq!(fields(Aspect::Note), (Some(Field::NoteStartDate), None, Some(Field::NoteNumber)));
    let residence: Vec<_> = Aspect::all().filter(|aspect| aspect.is_residence()).collect();
    assert_eq!(residence, [Aspect::Address, Aspect::Emigration, Aspect::Disappearance]);
}

#[test]
fn only_a_stay_abroad_that_nobody_began_is_a_point_at_its_end() {
    let mut packed = Vec::new();
    ValuesWriter(&mut packed).digits(Field::MovedOut, 1999_0630_1637);
    let period = Aspect::Address.period(Values::new(&packed), false);
    assert_eq!((period.from, period.to.map(Timestamp::digits)), (None, Some(1999_0630_1637)));
    assert!(!period.is_empty());
}

#[test]
fn marks_are_the_three_of_cpr() {
    let marks: Vec<_> = (0..=255u8).filter_map(CorrectionMark::from_latin1).map(CorrectionMark::letter).collect();
    assert_eq!(marks, ['A', 'K', 'Æ']);
}

proptest! {
    #[test]
    fn a_key_is_the_number_in_another_spelling(digits in "[0-9]{10}") {
        if let Some(found) = key(&digits) {
            let spelled = found.pnr();
            prop_assert_eq!(spelled.reveal(), digits);
            prop_assert_eq!(PersonKey::from_u32(found.as_u32()), Some(found));
        }
    }

    #[test]
    fn a_stored_key_is_one_number_or_none(value: u32) {
        if let Some(found) = PersonKey::from_u32(value) {
            prop_assert_eq!(found.pnr().key(), Some(found));
        }
    }

    #[test]
    fn any_bytes_read_as_values_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let values = Values::new(&bytes);
        let read: usize = values.iter().count();
        prop_assert!(read <= bytes.len());
        for field in Field::all() {
            let first = values.iter().find(|(of, _)| *of == field).map(|(_, value)| value);
            if let Some(first) = first {
                prop_assert_eq!(values.get(field), Some(first));
            }
        }
    }

    #[test]
    fn packed_values_unpack_to_what_was_packed(
        text in prop::collection::vec(any::<u8>(), 0..60),
        number in 0u16..10_000,
        date in 0u32..100_000_000,
        time in 0u64..1_000_000_000_000,
        pnr in 1u64..10_000_000_000,
        flag in 1u8..,
    ) {
        let mut packed = Vec::new();
        let mut writer = ValuesWriter(&mut packed);
        writer.text(Field::GivenNames, &text);
        writer.number(Field::MunicipalityCode, Some(number));
        writer.number(Field::SupplementaryAddressSetBy, None);
        writer.date(Field::DateOfBirth, date);
        writer.digits(Field::MovedIn, time);
        writer.digits(Field::MotherPnr, pnr);
        writer.flag(Field::GivenNamesMark, flag);
        let last = Field::from_number(Field::all().count() as u16).unwrap();
        prop_assert!(last.number() >= 240 && last.kind() == Kind::Text, "a field with a tag of two bytes");
        writer.text(last, b"x");
        let values = Values::new(&packed);
        prop_assert!(values.is_whole());
        prop_assert_eq!(values.text(Field::GivenNames), Text::new(&text));
        prop_assert_eq!(values.number(Field::MunicipalityCode), Some(number));
        prop_assert_eq!(values.get(Field::SupplementaryAddressSetBy), Some(Value::Number(None)));
        prop_assert_eq!(values.get(Field::DateOfBirth), Date::from_digits(date).map(Value::Date));
        prop_assert_eq!(values.get(Field::MovedIn), Timestamp::from_digits(time).map(Value::Timestamp));
        let digits = format!("{pnr:010}");
        prop_assert_eq!(values.pnr(Field::MotherPnr), Pnr::parse(digits.as_bytes()).map(RelatedPnr::Known));
        prop_assert_eq!(values.flag(Field::GivenNamesMark), Some(flag));
        prop_assert_eq!(values.text(last), Text::new(b"x"));
    }
}

#[test]
fn every_field_is_found_between_all_others() {
    let mut packed = Vec::new();
    for field in Field::all() {
        let mut writer = ValuesWriter(&mut packed);
        match field.kind() {
            Kind::Text => writer.text(field, field.term().as_bytes()),
            Kind::Small | Kind::Code => writer.number(field, Some(7)),
            Kind::Date => writer.date(field, 2026_01_05),
            Kind::Timestamp | Kind::Pnr => writer.digits(field, 2026_01_05),
            Kind::Flag => writer.flag(field, b'*'),
        }
    }
    let values = Values::new(&packed);
    assert_eq!(values.iter().count(), Field::all().count());
    for (field, value) in values.iter() {
        assert_eq!(values.get(field), Some(value), "{field:?}");
        assert_eq!(Values::new(&packed[..0]).get(field), None);
    }
}
