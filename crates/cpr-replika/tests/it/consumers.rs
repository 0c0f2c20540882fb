//! Readers of the feed: a durable place each, and the same ids after a crash.

use cpr_replika::{BusinessEvent, Consumer, DeliveryNumber, Error, EventCursor, EventFilter, Replika};

use crate::happenings_feed::deliver_nights;
use crate::kit::config;

const START: EventCursor = EventCursor::BEGINNING;

fn feed(replika: &Replika, name: &str) -> Vec<BusinessEvent> {
    replika.feed(name, EventFilter::default()).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_feed_goes_on_after_a_kill_with_the_same_ids() {
    let folder = tempfile::tempdir().unwrap();
    let (path, killed) = (folder.path().join("store"), folder.path().join("killed"));
    let replika = Replika::create(&path, &config()).unwrap();
    replika.add_consumer("queue", START).unwrap();
    deliver_nights(&replika);
    let all = feed(&replika, "queue");
    assert!(all.len() > 6);

    // Four are published and acknowledged, two more published only; then the file is what a killed process leaves.
    let acknowledged = all[3].cursor;
    replika.acknowledge("queue", acknowledged).unwrap();
    std::fs::copy(&path, &killed).unwrap();
    let again = Replika::open(&killed).unwrap();
    assert_eq!(feed(&again, "queue"), all[4..], "what was not acknowledged comes again, ids and all");
    assert_eq!(again.consumers().unwrap(), [Consumer::new("queue", acknowledged)]);

    // Another process that only reads sees the same events.
    again.acknowledge("queue", all[5].cursor).unwrap();
    drop(again);
    let reading = Replika::open_read_only(&killed).unwrap();
    assert_eq!(feed(&reading, "queue"), all[6..]);
    assert_eq!(reading.acknowledge("queue", START).unwrap_err().kind(), "read_only");

    // Each store has a secret of its own: the same extracts elsewhere give other ids.
    let other = Replika::in_memory(&config()).unwrap();
    deliver_nights(&other);
    let elsewhere = other.snapshot().events_since(START, EventFilter::default()).unwrap();
    assert!(elsewhere.map(Result::unwrap).all(|event| all.iter().all(|ours| ours.id != event.id)));
}

#[test]
fn going_back_makes_the_events_come_again() {
    let replika = Replika::in_memory(&config()).unwrap();
    deliver_nights(&replika);
    replika.add_consumer("late", EventCursor::after(DeliveryNumber(3))).unwrap();
    assert_eq!(feed(&replika, "late"), []);
    replika.acknowledge("late", EventCursor::after(DeliveryNumber(2))).unwrap();
    let last = feed(&replika, "late");
    assert!(!last.is_empty() && last.iter().all(|event| event.delivery.0 == 3));
    replika.remove_consumer("late").unwrap();
    assert_eq!(replika.consumers().unwrap(), []);
}

#[test]
fn strangers_and_places_that_are_not_are_refused() {
    let replika = Replika::in_memory(&config()).unwrap();
    assert_eq!(replika.consumers().unwrap(), []);
    deliver_nights(&replika);
    for refused in [
        replika.feed("nobody", EventFilter::default()).map(drop),
        replika.acknowledge("nobody", START),
        replika.remove_consumer("nobody"),
    ] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, Error::UnknownConsumer) && refused.is_refusal());
        assert!(!format!("{refused} {refused:?}").contains("nobody"));
    }
    for name in ["", "a\nb", &"x".repeat(101)] {
        assert!(matches!(replika.add_consumer(name, START), Err(Error::ConsumerName)));
    }
    replika.add_consumer("queue", START).unwrap();
    assert!(matches!(replika.add_consumer("queue", START), Err(Error::ConsumerExists)));
    let nowhere = EventCursor::parse("2.99.0").unwrap();
    assert!(matches!(replika.acknowledge("queue", nowhere), Err(Error::NotACursor)));
    let later = EventCursor::after(DeliveryNumber(9));
    assert!(matches!(replika.acknowledge("queue", later), Err(Error::UnknownDelivery { .. })));
    assert_eq!(replika.consumers().unwrap()[0].cursor, START, "a refusal changes nothing");
    assert!(replika.snapshot().verify().unwrap().is_clean());
}
