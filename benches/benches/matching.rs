//! Matching a night against all subscribers, beside the product of the two and beside bitmaps over the population.
//!
//! 10 000 subscribers, 5 million followed numbers among them, 50 000 changed persons out of 10 million; one core. What
//! is measured begins with the images of the changed persons and ends when every subscriber's set of persons has been
//! laid out. The subscribers are a plausible mix, drawn from a fixed seed: see [`Office::subscription`].

use std::hint::black_box;
use std::sync::LazyLock;

use cpr_population::Population;
use cpr_replika::cpr_model::{Date, MunicipalityCode, PersonKey, StreetCode};
use cpr_subscription::{
    AddressSubject, DeliveryPersons, DerivedMark, EventCode, EventLabel, Filter, Followers, HouseNumber, Matcher,
    PersonChange, Profile, Reason, Subject, SubscriberNumber, Subscription,
};
use criterion::{Criterion, criterion_group, criterion_main};
use roaring::RoaringBitmap;

const POPULATION: u32 = 10_000_000;
const CHANGED: u32 = 50_000;
const SUBSCRIBERS: u32 = 10_000;
const NUMBERS: usize = 5_000_000;
const MUNICIPALITIES: u64 = 98;
/// The product and the bitmaps take a part of the subscribers: all of them would take minutes, or gigabytes.
const FEW_SUBSCRIBERS: usize = 500;
const FEW_CHANGED: usize = 2_000;

/// A generator of numbers: splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
}

fn key(rank: u32) -> PersonKey {
    static PERSONS: LazyLock<Population> = LazyLock::new(|| benches::population(POPULATION));
    PERSONS.pnr_at(rank).key().expect("a day and a month")
}

fn day() -> Date {
    Date::from_digits(2026_03_10).expect("eight digits")
}

fn municipality(dice: &mut Dice) -> u16 {
    101 + dice.roll(MUNICIPALITIES) as u16 * 7
}

/// 56 codes; the first ten make up most of what happens.
fn code(dice: &mut Dice) -> String {
    let at = if dice.roll(4) > 0 { dice.roll(10) } else { dice.roll(56) };
    format!("{}{:02}", ["A", "P", "K"][(at % 3) as usize], at)
}

fn age_range(dice: &mut Dice) -> &'static str {
    ["0-17", "18-29", "65-999", "0-5", "6-16", "18-66", "67-999", "0-0", "15-17", "80-999"][dice.roll(10) as usize]
}

/// Where and when a person of the population was born and lives.
fn subject(rank: u32) -> Subject {
    let mut dice = Dice(u64::from(rank));
    let born = 1920 * 10_000 + (u64::from(rank) * 100 / u64::from(POPULATION)) as u32 * 10_000;
    Subject {
        municipality: Some(MunicipalityCode(municipality(&mut dice))),
        birth_date: Date::from_digits(born + (dice.roll(12) as u32 + 1) * 100 + dice.roll(28) as u32 + 1),
        address: Some(AddressSubject {
            street: StreetCode(1 + dice.roll(2000) as u16),
            house: HouseNumber::parse((1 + dice.roll(200)).to_string().as_bytes()),
            floor: None,
            door: None,
        }),
    }
}

/// Draws the subscribers.
struct Office {
    dice: Dice,
    numbers_left: usize,
}

impl Office {
    /// Of 1000: 600 follow one to three municipalities, 300 an age range, 400 one to five codes, 200 up to 20
    /// addresses, 250 children of a municipality or movers into it, 46 a list of 10 to 100 000 numbers (all of them 5
    /// million numbers); every 2000th follows everybody. The sum is above 1000: a subscriber has several kinds.
    fn subscription(&mut self, number: u32) -> Subscription {
        let dice = &mut self.dice;
        let mut texts: Vec<String> = Vec::new();
        if dice.roll(10) < 6 {
            texts.extend((0..=dice.roll(3)).map(|_| format!("{:04}", municipality(dice))));
        }
        if dice.roll(10) < 3 {
            texts.push(age_range(dice).to_owned());
        }
        if dice.roll(10) < 4 {
            texts.extend((0..=dice.roll(5)).map(|_| code(dice)));
        }
        if dice.roll(10) < 2 {
            texts.extend((0..=dice.roll(20)).map(|_| {
                let street = format!("{:04}:{:04}", municipality(dice), 1 + dice.roll(2000));
                if dice.roll(2) == 0 { street } else { format!("{street}:{:03}", 1 + dice.roll(200)) }
            }));
        }
        if dice.roll(4) == 0 {
            let second = if dice.roll(2) == 0 { age_range(dice).to_owned() } else { code(dice) };
            texts.push(format!("{:04}+{second}", municipality(dice)));
        }
        if number.is_multiple_of(2000) {
            texts.push("everything".to_owned());
        }
        let mut filters: Vec<Filter> = texts.iter().map(|text| text.parse().expect("a filter")).collect();
        if number % 1000 < 46 || number + 1 == SUBSCRIBERS {
            let drawn = (10.0 * 10f64.powf(4.0 * dice.roll(1000) as f64 / 1000.0)) as usize;
            let count = if number + 1 == SUBSCRIBERS { self.numbers_left } else { drawn.min(self.numbers_left) };
            self.numbers_left -= count;
            let ranks = (0..count).map(|_| dice.roll(u64::from(POPULATION)) as u32);
            filters.extend(ranks.map(|rank| Filter::Pnr(key(rank))));
        }
        Subscription { subscriber: SubscriberNumber(number), profile: Profile::SF6002, filters }
    }
}

struct Changed {
    rank: u32,
    number: PersonKey,
    before: Option<Subject>,
    after: Subject,
    events: Vec<EventLabel>,
}

/// A night: a third move, one in a hundred is new, one in a hundred has no address any more.
fn night() -> Vec<Changed> {
    let mut dice = Dice(7);
    let step = POPULATION / CHANGED;
    let persons = (0..CHANGED).map(|at| {
        let rank = at * step + dice.roll(u64::from(step)) as u32;
        let before = subject(rank);
        let mut after = before;
        match dice.roll(100) {
            0 => after = Subject { municipality: None, address: None, ..after },
            1..34 => {
                let elsewhere = subject(dice.roll(u64::from(POPULATION)) as u32);
                after = Subject { birth_date: before.birth_date, ..elsewhere };
            }
            _ => {}
        }
        let events = (0..=dice.roll(3)).map(|_| EventLabel {
            code: EventCode::parse(code(&mut dice).as_bytes()).expect("a code"),
            derived_mark: if dice.roll(3) == 0 { DerivedMark::parse(b"PT") } else { None },
        });
        let events = events.collect();
        let before = (dice.roll(100) > 0).then_some(before);
        Changed { rank, number: key(rank), before, after, events }
    });
    persons.collect()
}

fn change<'a>(person: &'a Changed, followers: &'a [SubscriberNumber]) -> PersonChange<'a> {
    PersonChange {
        number: person.number,
        before: person.before.as_ref(),
        after: Some(&person.after),
        events: &person.events,
        followers,
        chain_followers: &[],
    }
}

/// Every subscriber's set, laid out for `each`.
fn matched(matcher: &Matcher, followers: &Followers, night: &[Changed], mut each: impl FnMut(&DeliveryPersons)) {
    let mut matching = matcher.deliver(day());
    let mut walk = followers.walk();
    for person in night {
        matching.add(&change(person, walk.of(person.number)));
    }
    matching.finish().for_each(|_, set| each(black_box(set)));
}

/// How many pairs of subscriber and person there are.
fn pairs(matcher: &Matcher, followers: &Followers, night: &[Changed]) -> usize {
    let mut pairs = 0;
    matched(matcher, followers, night, |set| pairs += set.len());
    pairs
}

/// Whether a filter holds for a person as it is now, or as of the day.
fn holds(filter: &Filter, person: &Changed) -> bool {
    let at = &person.after;
    match filter {
        Filter::Pnr(number) => *number == person.number,
        Filter::AgeRange(range) => {
            let age = at.birth_date.and_then(|birth| cpr_subscription::age_on(birth, day()));
            age.is_some_and(|age| range.contains(age))
        }
        Filter::Municipality(code) => at.municipality == Some(*code),
        Filter::EventChangeCode(code) => person.events.iter().any(|event| event.code == *code),
        Filter::Address(place) => {
            matches!((at.municipality, &at.address), (Some(code), Some(at)) if place.holds(code, at))
        }
        Filter::Everything => true,
        Filter::AllOf(all) => all.members().iter().all(|member| holds(member, person)),
    }
}

/// The definition for each pair: every filter of every subscriber held against every person.
fn product(subscriptions: &[Subscription], night: &[Changed]) -> usize {
    let delivered = |subscription: &Subscription, person: &Changed| {
        // Sorted lists of numbers are searched; a product that went through them would never end.
        let numbers = subscription.filters.partition_point(|filter| matches!(filter, Filter::Pnr(_)));
        let (numbers, others) = subscription.filters.split_at(numbers);
        numbers.binary_search(&Filter::Pnr(person.number)).is_ok() || others.iter().any(|filter| holds(filter, person))
    };
    let persons = |of: &Subscription| night.iter().filter(|person| delivered(of, person)).count();
    subscriptions.iter().map(persons).sum()
}

/// Each subscriber as the ranks of the persons it follows in the whole population. Codes have no place in it.
fn bitmaps(subscriptions: &[Subscription]) -> Vec<RoaringBitmap> {
    let ranks: std::collections::HashMap<PersonKey, u32> = (0..POPULATION).map(|rank| (key(rank), rank)).collect();
    let homes: Vec<(u16, u16)> = (0..POPULATION)
        .map(|rank| {
            let person = subject(rank);
            let age = person.birth_date.and_then(|birth| cpr_subscription::age_on(birth, day()));
            (person.municipality.map_or(0, |code| code.0), age.unwrap_or(u16::MAX))
        })
        .collect();
    let follows = |filter: &Filter, (home, age): (u16, u16)| match filter {
        Filter::AgeRange(range) => range.contains(age),
        Filter::Municipality(code) => home == code.0,
        _ => false,
    };
    let one = |subscription: &Subscription| {
        let mut bitmap = RoaringBitmap::new();
        for filter in &subscription.filters {
            match filter {
                Filter::Pnr(number) => bitmap.extend(ranks.get(number).copied()),
                Filter::Everything => bitmap |= RoaringBitmap::from_sorted_iter(0..POPULATION).expect("ascending"),
                Filter::AgeRange(_) | Filter::Municipality(_) => {
                    let all = (0u32..).zip(&homes).filter(|(_, home)| follows(filter, **home)).map(|(rank, _)| rank);
                    bitmap |= RoaringBitmap::from_sorted_iter(all).expect("ascending");
                }
                _ => {}
            }
        }
        bitmap
    };
    subscriptions.iter().map(one).collect()
}

fn matching(c: &mut Criterion) {
    let mut office = Office { dice: Dice(1), numbers_left: NUMBERS };
    let mut subscriptions: Vec<Subscription> = (0..SUBSCRIBERS).map(|number| office.subscription(number)).collect();
    subscriptions.iter_mut().for_each(|subscription| subscription.filters.sort());
    let night = night();
    let (matcher, followers) = Matcher::new(subscriptions.iter().cloned());
    println!("{matcher:?}, {followers:?}: {} pairs of subscriber and person", pairs(&matcher, &followers, &night));

    let mut group = c.benchmark_group("matching");
    group.sample_size(20);
    group.bench_function("10 000 subscribers, 50 000 persons", |b| {
        b.iter(|| matched(&matcher, &followers, &night, |_| ()))
    });
    group.bench_function("the same, persons only taken in", |b| {
        b.iter(|| {
            let mut matching = matcher.deliver(day());
            let mut walk = followers.walk();
            for person in &night {
                matching.add(&change(person, walk.of(person.number)));
            }
            matching.finish()
        });
    });
    group.bench_function("the same, only looking up who follows the numbers", |b| {
        b.iter(|| {
            let mut walk = followers.walk();
            night.iter().map(|person| walk.of(person.number).len()).sum::<usize>()
        });
    });
    group.bench_function("every reason of one person", |b| {
        let mut persons = night.iter().cycle();
        b.iter(|| {
            let person = persons.next().expect("a cycle");
            let mut count = 0usize;
            let of = change(person, followers.of(person.number));
            matcher.reasons(&of, day(), |_, reason: Reason| {
                black_box(reason);
                count += 1;
            });
            count
        });
    });

    let step = subscriptions.len() / FEW_SUBSCRIBERS;
    let few: Vec<Subscription> = subscriptions.iter().skip(1).step_by(step).cloned().collect();
    drop(subscriptions);
    let few_changed = &night[..FEW_CHANGED];
    let (few_matcher, few_followers) = Matcher::new(few.iter().cloned());
    // No farewells and no chains, so the product asks only where a person is now.
    assert_eq!(product(&few, few_changed), pairs(&few_matcher, &few_followers, few_changed));
    group.bench_function("500 subscribers, 2 000 persons", |b| {
        b.iter(|| matched(&few_matcher, &few_followers, few_changed, |_| ()));
    });
    group.bench_function("500 subscribers, 2 000 persons: the product", |b| b.iter(|| product(&few, few_changed)));

    group.bench_function("500 subscribers, 50 000 persons", |b| {
        b.iter(|| matched(&few_matcher, &few_followers, &night, |_| ()));
    });
    let bitmaps = bitmaps(&few);
    let delta: RoaringBitmap = night.iter().map(|person| person.rank).collect();
    group.bench_function("500 subscribers, 50 000 persons: bitmaps over 10 million", |b| {
        b.iter(|| bitmaps.iter().map(|bitmap| (bitmap & &delta).len()).sum::<u64>());
    });
    group.finish();
}

criterion_group!(benchmarks, matching);
criterion_main!(benchmarks);
