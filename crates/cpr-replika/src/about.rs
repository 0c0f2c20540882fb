//! Everything that a store holds of one human being: what is to be shown to whoever asks what is held of them.
//!
//! Every row of every table is looked at, as the proof of an erase does it, so that nothing is forgotten: what other
//! persons' records say of the human being is counted by their kind, and not told of whom.

use std::collections::BTreeMap;

use cpr_model::{Aspect, OwnedFact, PersonKey, Pnr, RelatedPnr, Value, Values};
use cpr_subscription::{Filter, SubscriberName};
use roaring::RoaringBitmap;

use crate::delivery_number::DeliveryNumber;
use crate::erase::bars::Bars;
use crate::erase::scope::filter_names;
use crate::error::Error;
use crate::index::keys::SetKind;
use crate::index::sets::Row;
use crate::index::words;
use crate::person::image::Person;
use crate::person::value::PastSegment;
use crate::read::received_events::Events;
use crate::snapshot::Snapshot;
use crate::store::bitmap::open_set;
use crate::store::tables::{RowKey, name};
use crate::subscriptions::keep_settings::KEEPER;
use crate::subscriptions::spans::Spans;

/// What is held of a human being.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct About {
    /// The number now; none when the chain leads to no one number.
    pub current: Option<Pnr>,
    /// Every number of the human being.
    pub numbers: Vec<AboutNumber>,
    /// Values in records of other persons that name one of the numbers, by what the records are of.
    pub mentions: BTreeMap<Aspect, u64>,
}

/// What is held under one number.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AboutNumber {
    /// The number.
    pub pnr: Pnr,
    /// Every row that was ever believed, with both clocks.
    pub facts: Vec<OwnedFact>,
    /// CPR's event records.
    pub events: Events,
    /// Deliveries that changed something.
    pub changed_in: Vec<DeliveryNumber>,
    /// Deliveries that brought the same again.
    pub unchanged_in: Vec<DeliveryNumber>,
    /// Deliveries that brought an event of a change code.
    pub events_in: Vec<(DeliveryNumber, String)>,
    /// Deliveries that had the person for a subscriber; the number of one that was removed stands for its name.
    pub sent_to: Vec<(DeliveryNumber, String)>,
    /// What the person is found by, in words.
    pub found_by: Vec<String>,
    /// Words of the names, folded.
    pub words: Vec<String>,
    /// Filters that name the number.
    pub filters: Vec<AboutFilter>,
    /// Records of other numbers that name this one as theirs, now or earlier, and the other way round.
    pub links: Vec<Pnr>,
    /// True when the number was left out, since nobody needs it.
    pub is_left_out: bool,
    /// True when the number was erased and may not come back.
    pub is_barred: bool,
    /// How many rows of each table speak of the number.
    pub rows: BTreeMap<&'static str, u64>,
}

/// A filter that names a number.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AboutFilter {
    /// Whose it is; none for the rule of who is kept.
    pub subscriber: Option<String>,
    /// The filter.
    pub filter: Filter,
    /// It counted for the deliveries behind the first, up to the second; none: still.
    pub counted: Vec<(DeliveryNumber, Option<DeliveryNumber>)>,
}

impl AboutNumber {
    fn row(&mut self, table: &'static str) {
        *self.rows.entry(table).or_default() += 1;
    }
}

/// The numbers while tables are read.
struct Reader<'s> {
    snapshot: &'s Snapshot,
    keys: RoaringBitmap,
    about: BTreeMap<u32, AboutNumber>,
    subscribers: BTreeMap<u32, SubscriberName>,
}

impl Snapshot {
    /// Everything that the store holds of the human being behind a number, under every number of the chain: rows of
    /// every table. It is for the person, and for who answers to it: names and numbers stand in clear.
    ///
    /// Every row of the store is read, which takes as long as [`Snapshot::verify`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let about = demo()?.snapshot().about("6101801234".parse()?)?;
    /// let held = &about.numbers[0];
    /// assert!(held.found_by.contains(&"municipality 0851".to_owned()));
    /// assert_eq!(held.events.events.len(), 3);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn about(&self, pnr: Pnr) -> Result<About, Error> {
        let chain = self.numbers(pnr, None)?;
        let current = chain.as_ref().and_then(|chain| chain.current);
        let numbers = chain.iter().flat_map(|chain| &chain.numbers).map(|number| number.pnr);
        let mut reader = Reader::new(self, numbers.chain([pnr]).filter_map(|pnr| pnr.key()))?;
        let mentions = reader.read_persons()?;
        reader.read_deliveries()?;
        reader.read_indexes()?;
        reader.read_subscriptions()?;
        Ok(About { current, numbers: reader.about.into_values().collect(), mentions })
    }
}

impl<'s> Reader<'s> {
    fn new(snapshot: &'s Snapshot, keys: impl Iterator<Item = PersonKey>) -> Result<Reader<'s>, Error> {
        let bars = Bars::read(&snapshot.tables().meta)?;
        let mut about = BTreeMap::new();
        for key in keys {
            let mut facts = Vec::new();
            for aspect in Aspect::all() {
                facts.extend(snapshot.history(key.pnr(), aspect)?);
            }
            let number = AboutNumber {
                pnr: key.pnr(),
                facts,
                events: snapshot.events(key.pnr())?,
                changed_in: Vec::new(),
                unchanged_in: Vec::new(),
                events_in: Vec::new(),
                sent_to: Vec::new(),
                found_by: Vec::new(),
                words: Vec::new(),
                filters: Vec::new(),
                links: Vec::new(),
                is_left_out: snapshot.is_left_out(key.pnr())?,
                is_barred: bars.has(key.as_u32()),
                rows: BTreeMap::new(),
            };
            about.insert(key.as_u32(), number);
        }
        let subscribers = snapshot.subscribers()?.into_iter().map(|of| (of.number.0, of.name)).collect();
        Ok(Reader { snapshot, keys: about.keys().copied().collect(), about, subscribers })
    }

    /// Calls `each` with those of the numbers that are in a set.
    fn among(&mut self, set: &RoaringBitmap, mut each: impl FnMut(&mut AboutNumber)) {
        for key in &self.keys & set {
            self.about.get_mut(&key).map(&mut each);
        }
    }

    /// Counts rows of persons, and what those of others say.
    fn read_persons(&mut self) -> Result<BTreeMap<Aspect, u64>, Error> {
        let (snapshot, mut mentions) = (self.snapshot, BTreeMap::new());
        for row in snapshot.tables().persons.iter()? {
            let (key, sealed) = row?;
            let key = key.value();
            if let Some(about) = self.about.get_mut(&key) {
                about.row(name::PERSONS);
                continue;
            }
            let person = Person::open(key, sealed)?;
            let past = person.past()?;
            let past = past.iter().flat_map(|past| past.facts());
            for fact in person.archived().facts().chain(past) {
                self.count(fact.aspect(), fact.values(), &mut mentions);
            }
        }
        for row in snapshot.tables().superseded.iter()? {
            let (key, sealed) = row?;
            if let Some(about) = self.about.get_mut(&key.value().0) {
                about.row(name::SUPERSEDED);
                continue;
            }
            let segment = PastSegment::open(key.value(), sealed)?;
            segment.archived().facts().for_each(|fact| self.count(fact.aspect(), fact.values(), &mut mentions));
        }
        for pair in snapshot.tables().numbers.iter()? {
            let (named, holder) = pair?;
            for (own, other) in [(named, holder), (holder, named)] {
                if let Some(about) = self.about.get_mut(&own) {
                    about.row(name::NUMBERS);
                    about.links.extend(PersonKey::from_u32(other).map(PersonKey::pnr));
                }
            }
        }
        Ok(mentions)
    }

    fn count(&self, aspect: Aspect, values: Values<'_>, mentions: &mut BTreeMap<Aspect, u64>) {
        let names = |value| match value {
            Value::Pnr(RelatedPnr::Known(pnr)) => pnr.key().is_some_and(|key| self.keys.contains(key.as_u32())),
            _ => false,
        };
        match values.iter().filter(|&(_, value)| names(value)).count() {
            0 => {}
            count => *mentions.entry(aspect).or_default() += count as u64,
        }
    }

    fn read_deliveries(&mut self) -> Result<(), Error> {
        let tables = self.snapshot.tables();
        for row in tables.changed.iter()? {
            let (key, sealed) = row?;
            let delivery = key.value();
            self.among(&open_set(name::CHANGED, (delivery, 0), sealed.value())?, |about| {
                about.row(name::CHANGED);
                about.changed_in.push(DeliveryNumber(delivery));
            });
        }
        for row in tables.redelivered.iter()? {
            let (key, sealed) = row?;
            let delivery = key.value();
            self.among(&open_set(name::REDELIVERED, (delivery, 0), sealed.value())?, |about| {
                about.row(name::REDELIVERED);
                about.unchanged_in.push(DeliveryNumber(delivery));
            });
        }
        for row in tables.changed_by.iter()? {
            let (key, sealed) = row?;
            let (delivery, code) = key.value();
            self.among(&open_set(name::CHANGED_BY, (delivery, 0), sealed.value())?, |about| {
                about.row(name::CHANGED_BY);
                about.events_in.push((DeliveryNumber(delivery), latin1(code)));
            });
        }
        for row in tables.matches.iter()? {
            let (key, sealed) = row?;
            let (delivery, subscriber) = key.value();
            let whose = self.whose(subscriber);
            self.among(&open_set(name::MATCHES, (delivery, subscriber), sealed.value())?, |about| {
                about.row(name::MATCHES);
                about.sent_to.push((DeliveryNumber(delivery), whose.clone()));
            });
        }
        Ok(())
    }

    fn whose(&self, subscriber: u32) -> String {
        self.subscribers.get(&subscriber).map_or_else(|| subscriber.to_string(), |name| name.as_str().to_owned())
    }

    fn read_indexes(&mut self) -> Result<(), Error> {
        let tables = self.snapshot.tables();
        for row in tables.sets.iter()? {
            let (key, sealed) = row?;
            let key = key.value();
            let (set, what) = match Row::open(key, sealed.value())? {
                Row::Set(set) => (set, set_in_words(key)),
                Row::Street(entries) => (entries.iter().map(|(_, key)| *key).collect(), set_in_words(key)),
            };
            self.among(&set, |about| {
                about.row(name::SETS);
                about.found_by.push(what.clone());
            });
        }
        for row in tables.words.iter()? {
            let (key, sealed) = row?;
            let mut set = RoaringBitmap::new();
            words::read_row(key.value(), sealed.value(), |entry| _ = set.insert(words::key_of(entry)))?;
            let word = latin1(key.value().0);
            self.among(&set, |about| {
                about.row(name::WORDS);
                about.words.push(word.clone());
            });
        }
        Ok(())
    }

    fn read_subscriptions(&mut self) -> Result<(), Error> {
        for row in self.snapshot.tables().filters.iter()? {
            let (key, spans) = row?;
            let (subscriber, bytes) = key.value();
            if !filter_names(bytes, &self.keys)? {
                continue;
            }
            let corrupt = Error::Corrupt { table: name::FILTERS, what: "a filter that does not unpack" };
            let filter = Filter::from_bytes(bytes).map_err(|_| corrupt)?;
            let counted = Spans::from_bytes(spans.value())?.deliveries();
            let whose = (subscriber != KEEPER.0).then(|| self.whose(subscriber));
            for (key, about) in &mut self.about {
                if filter_names(bytes, &RoaringBitmap::from_iter([*key]))? {
                    about.row(name::FILTERS);
                    let (subscriber, filter, counted) = (whose.clone(), filter.clone(), counted.clone());
                    about.filters.push(AboutFilter { subscriber, filter, counted });
                }
            }
        }
        for pair in self.snapshot.tables().followers.iter()? {
            let (person, _) = pair?;
            self.about.get_mut(&person).into_iter().for_each(|about| about.row(name::FOLLOWERS));
        }
        Ok(())
    }
}

/// What stands in a row of the sets.
fn set_in_words((kind, value, _): RowKey) -> String {
    const KINDS: [(SetKind, &str); 10] = [
        (SetKind::Held, "everybody"),
        (SetKind::Municipality, "municipality"),
        (SetKind::Status, "status"),
        (SetKind::Protection, "protection"),
        (SetKind::Citizenship, "citizenship"),
        (SetKind::DifferingBirthDate, "recorded birth date"),
        (SetKind::Street, "street"),
        (SetKind::OtherThanNumber, "another birth date than the number says"),
        (SetKind::LeftOut, "left out"),
        (SetKind::ProtectionEnd, "end of a protection"),
    ];
    let Some((kind, word)) = KINDS.into_iter().find(|(known, _)| *known as u8 == kind) else {
        return format!("set {kind} {value}");
    };
    match kind {
        SetKind::Held | SetKind::OtherThanNumber | SetKind::LeftOut => word.to_owned(),
        SetKind::Status => format!("{word} {value:02}"),
        SetKind::DifferingBirthDate | SetKind::ProtectionEnd => format!("{word} {value:08}"),
        SetKind::Street => format!("{word} {:04}:{:04}", value >> 16, value & 0xFFFF),
        _ => format!("{word} {value:04}"),
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}
