//! Any text as the search string of SF1520, or as the fields of ADRSOG1 (lines of `NAME=VALUE` behind an empty line):
//! refused without being repeated, or answered without an error. Whoever is found is found by indexes and by documents,
//! page by page and at once, and not among the others; what is found at one time is found ever.
#![no_main]

use std::io::Cursor;
use std::sync::LazyLock;

use cpr_extract::Family;
use cpr_model::{Date, PersonKey, Pnr};
use cpr_population::Product;
use cpr_replika::{ApplyOptions, Config, Error, PersonSet, Policy, Query, Refusal, Replika, Scope, Search, Snapshot};
use cpr_services::search::{adrsog1, solr};
use cpr_services::{Caller, ProtectedPersons};
use cpr_wire::Limits;
use cpr_wire::xml::Document;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use replika_fuzz::{mutate, queries};

/// Made-up persons of every kind that the population has.
struct Searched {
    snapshot: Snapshot,
    all: Vec<PersonKey>,
    /// Words that stand in their names and addresses, and some of their numbers.
    words: Vec<String>,
}

static SEARCHED: LazyLock<Searched> = LazyLock::new(|| {
    let family = Family::named("std").expect("a family of the crate");
    let (fixture, _) = cpr_population::archetypes();
    let product = Product { family, task: "999901".to_owned() };
    let extract = fixture.full_extract(Vec::new(), &product).expect("written to memory");
    let replika = Replika::in_memory(&Config::default()).expect("a store");
    replika.apply(Cursor::new(extract), &ApplyOptions::named("made-up")).expect("a sound extract");
    let snapshot = replika.snapshot();
    let all: Vec<PersonKey> = snapshot.find(&Query::All).expect(SOUND).iter().collect();
    let mut words: Vec<String> = Vec::new();
    for key in all.iter().step_by(7) {
        words.push(key.pnr().reveal().to_owned());
        let group = snapshot.group(key.pnr(), None).expect(SOUND).expect("held");
        for line in group.reveal().filter(|line| line.starts_with(b"003") || line.starts_with(b"008")) {
            let text: String = line[13..].iter().map(|&byte| char::from(byte)).collect();
            words.extend(text.split([' ', ',']).filter(|word| word.len() > 1).map(str::to_owned));
        }
    }
    words.sort_unstable();
    words.dedup();
    Searched { snapshot, all, words }
});

const SOUND: &str = "a sound store in memory answers";

const POLICIES: [ProtectedPersons; 3] = [ProtectedPersons::Tell, ProtectedPersons::Withhold, ProtectedPersons::Refuse];

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let policy = POLICIES[bytes.len() % POLICIES.len()];
    match text.strip_prefix('\n') {
        Some(fields) => by_address(fields, policy),
        None => by_string(text, policy),
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed.is_multiple_of(3) || data[..size].starts_with(b"\n") {
        return fuzzer_mutate(data, size, max_size);
    }
    mutate::put(&queries::query(&data[..size], &SEARCHED.words, seed), data, max_size)
});

fn by_string(text: &str, policy: ProtectedPersons) {
    let request = match solr::Request::parse(text, policy) {
        Ok(request) => request,
        Err(error) => return assert_silent(&error.to_string()),
    };
    let _ = format!("{request:?}");
    let snapshot = &SEARCHED.snapshot;
    let found = snapshot.find(&request.query).expect(SOUND);
    for scope in [Scope::Now, Scope::Ever, Scope::AtTheSameTime] {
        match solr::answer(Caller::unlogged(), snapshot, &request, scope) {
            Ok(answer) => {
                assert!(answer.docs.len() <= request.rows && answer.docs.len() as u64 <= answer.found);
                assert!(policy != ProtectedPersons::Tell || scope != Scope::Now || answer.found == found.len());
            }
            Err(error) => assert_refused(error),
        }
    }
    assert_same_by_document(&request.query, &found);
    let now = assert_pages(&request.query, Scope::Now, 1 + text.len() % 50);
    assert!(now.iter().copied().eq(found.iter()), "a set, or pages of it");
    let ever = assert_pages(&request.query, Scope::Ever, 1000);
    let at_once = assert_pages(&request.query, Scope::AtTheSameTime, 1000);
    if !turns_around(&request.query) {
        assert!(at_once.iter().all(|key| ever.contains(key)), "at one time, and never");
        assert!(now.iter().all(|key| ever.contains(key)), "now, and never");
    }
}

/// What indexes answer for all, documents answer for one; and the others are whoever is left.
fn assert_same_by_document(query: &Query, found: &PersonSet) {
    let (snapshot, all) = (&SEARCHED.snapshot, &SEARCHED.all);
    let others = snapshot.find(&Query::Not(Box::new(query.clone()))).expect(SOUND);
    assert!(all.iter().all(|key| found.contains(*key) != others.contains(*key)), "neither found nor left over");
    assert_eq!(found.len() + others.len(), all.len() as u64);
    for key in found.iter().take(3).chain(others.iter().take(3)) {
        let alone = Query::And(vec![query.clone(), Query::Persons([key].into_iter().collect())]);
        let is_found = !snapshot.find(&alone).expect(SOUND).is_empty();
        assert!(is_found == found.contains(key), "alone, or among all");
    }
}

/// Page by page nobody is left out, and nobody is there twice: all that are found, in the order of their keys.
fn assert_pages(query: &Query, scope: Scope, limit: usize) -> Vec<PersonKey> {
    let mut search = Search { limit, count: true, policy: Policy::open(), scope, ..Search::now(query.clone()) };
    let mut found: Vec<PersonKey> = Vec::new();
    let mut count = None;
    loop {
        let hits = SEARCHED.snapshot.search(&search).expect(SOUND);
        assert!(search.count || hits.count.is_none());
        count = count.or(hits.count);
        found.extend(hits.rows.iter().filter_map(|hit| hit.pnr.key()));
        (search.after, search.count) = (hits.next, false);
        if hits.next.is_none() {
            break;
        }
        assert!(hits.rows.len() == limit, "a page that is not full, and not the last");
    }
    assert!(found.is_sorted_by(|a, b| a < b), "pages out of order");
    assert_eq!(Some(found.len() as u64), count, "counted, or taken page by page");
    found
}

/// True when whoever the query finds need not be found by less.
fn turns_around(query: &Query) -> bool {
    match query {
        Query::Not(_) => true,
        Query::And(list) | Query::Or(list) => list.iter().any(turns_around),
        _ => false,
    }
}

fn by_address(fields: &str, policy: ProtectedPersons) {
    let fields = fields.lines().filter_map(|line| line.split_once('='));
    let mut request = match adrsog1::Request::parse(fields, policy) {
        Ok(request) => request,
        Err(error) => return assert_silent(&error.to_string()),
    };
    let _ = format!("{request:?}");
    request.most = request.most.clamp(1, 100);
    let day = Date::from_digits(2026_01_05).expect("eight digits");
    let (mut rows, mut count) = (0, 0);
    loop {
        let answer = match adrsog1::answer(Caller::unlogged(), &SEARCHED.snapshot, &request, day) {
            Ok(answer) => answer,
            Err(error) => return assert_refused(error),
        };
        let xml = answer.to_xml().expect("an answer goes into XML");
        let limits = Limits { bytes: usize::MAX, depth: 100, elements: 1_000_000, ..Limits::REQUEST };
        Document::parse(&xml, &limits).expect("an answer is well-formed");
        rows += answer.rows.len() as u64;
        if request.after.is_none() {
            count = answer.count;
        }
        assert!(answer.rows.is_empty() || !request.only_count);
        match answer.rest {
            Some(rest) => request.after = Some(Pnr::parse(rest.as_bytes()).expect("a number")),
            None => break,
        }
    }
    assert!(request.only_count || request.after.is_none() || rows <= count);
}

/// Nothing but the cost of a search, or what it leaves out, is a reason to refuse one that was read.
fn assert_refused(error: cpr_services::Error) {
    match error {
        cpr_services::Error::Engine(Error::Search(
            Refusal::TooLittleAsked { .. } | Refusal::PageTooLarge { .. } | Refusal::TooManyDocuments { .. },
        )) => {}
        error => panic!("a search that was read: {error}"),
    }
}

fn assert_silent(message: &str) {
    let digits = message.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    assert!(digits < Some(10) && message.len() < 250, "an error that may repeat the text");
}
