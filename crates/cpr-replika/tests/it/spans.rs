//! With the feature `tracing`: who watches is told what is done and how much, and never of whom.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::io::Cursor;
use std::sync::{Arc, Mutex};

use cpr_replika::cpr_subscription::Profile;
use cpr_replika::{ApplyOptions, Config, FilterChange, Replika, UnknownNumbers};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The spans that were begun, each with its name and its fields.
#[derive(Clone, Default)]
struct Watcher(Arc<Mutex<Vec<Seen>>>);

#[derive(Default)]
struct Seen {
    name: String,
    fields: BTreeMap<&'static str, String>,
    closed: bool,
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}

impl Subscriber for Watcher {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut spans = self.0.lock().unwrap();
        let mut seen = Seen { name: span.metadata().name().to_owned(), ..Seen::default() };
        span.record(&mut seen);
        spans.push(seen);
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        values.record(&mut self.0.lock().unwrap()[span.into_u64() as usize - 1]);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut seen = Seen { name: event.metadata().name().to_owned(), ..Seen::default() };
        event.record(&mut seen);
        self.0.lock().unwrap().push(seen);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, span: &Id) {
        self.0.lock().unwrap()[span.into_u64() as usize - 1].closed = true;
    }
}

/// All that a replika does for a living.
fn work() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("6101801234.db");
    let replika = Replika::create(&path, &Config::default()).unwrap();
    let school = "school".parse().unwrap();
    replika.add_subscriber(&school, Profile::SF6002).unwrap();
    replika.change_filters(&school, &[FilterChange::Add("6101801234".parse().unwrap())], UnknownNumbers::Keep).unwrap();
    for name in ["D260105.L999901", "D260106.L999901"] {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/demo").join(name);
        replika.apply(Cursor::new(std::fs::read(file).unwrap()), &ApplyOptions::named("6101801234")).unwrap();
    }
    assert!(replika.apply(Cursor::new("0016101801234"), &ApplyOptions::named("damaged")).is_err());
    replika.snapshot().export(None, &mut Vec::new()).unwrap();
    replika.initial_load(&school, &mut Vec::new()).unwrap();
    drop(replika);
    let replika = Replika::open(&path).unwrap();
    assert!(replika.snapshot().verify().unwrap().is_clean());
}

#[test]
fn spans_tell_counts_and_never_a_number_or_a_name() {
    let watcher = Watcher::default();
    // Beside a second subscriber, a span that another test opens first is not taken for one that nobody watches.
    let _second = tracing::Dispatch::new(Watcher::default());
    tracing::subscriber::with_default(watcher.clone(), work);
    let spans = watcher.0.lock().unwrap();
    assert!(spans.iter().all(|span| span.closed), "every span ends");
    let field = |name: &str, field: &str| -> Vec<&str> {
        let of_name = spans.iter().filter(|span| span.name == name);
        of_name.filter_map(|span| span.fields.get(field)).map(String::as_str).collect()
    };
    assert_eq!(field("apply", "delivery"), ["1", "2"]);
    assert_eq!(field("apply", "bytes"), ["1855", "3060"]);
    assert_eq!(field("apply", "persons"), ["2", "3"], "all of a file, whatever became of them");
    assert_eq!(field("commit", "delivery"), ["1", "2"]);
    assert_eq!(field("open", "delivery"), ["2"]);
    assert_eq!(field("export", "persons"), ["3", "1"]);
    assert_eq!((field("verify", "persons"), field("verify", "faults")), (vec!["3"], vec!["0"]));
    let mut told = String::new();
    for span in spans.iter() {
        write!(told, "{} {:?} ", span.name, span.fields).unwrap();
    }
    for secret in ["Sofie", "Bækgaard", "Skovvej", "school"] {
        assert!(!told.contains(secret), "{secret} is told: {told}");
    }
    let longest = told.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    assert!(longest < Some(6), "a number of so many digits could be somebody's: {told}");
}
