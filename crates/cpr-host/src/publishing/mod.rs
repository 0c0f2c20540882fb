//! Events out: a durable consumer of the engine's feed hands each event to a distributor of messages.
//!
//! Each event goes at least once, with the same id at every try, and those of one person in their order. How far they
//! have come stands in the store, and moves only behind the receipts. Who cannot be reached is tried until it can, with
//! longer and longer waits; an event that is *refused* again and again is parked, and the later ones of its person wait
//! behind it (see [`parked`]). Events are told from the delivery on that was the last when the consumer was added.

#[cfg(feature = "amqp")]
mod amqp;
#[cfg(feature = "amqp")]
mod amqp_tls;
mod courier;
mod lanes;
mod message;
mod parked;
mod receipt;
mod rest;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cpr_replika::{BusinessEvent, DeliveryNumber, Error, EventCursor, EventFilter, Replika};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use crate::config::Events;
use crate::journal::{Journal, Line};
use crate::metrics::{Metrics, Number};
use crate::tls::TlsError;
use courier::Courier;
use lanes::{Fate, Lanes, Letter};
use parked::{OpenError, Parked};

/// Events that are on their way at once; the place in the feed moves behind so many.
const BATCH: usize = 512;
/// How often it is looked for parked events that are to be tried again.
const BEAT: Duration = Duration::from_millis(200);

/// Publishes events, on a thread of its own.
pub(crate) struct Publishing {
    replika: Arc<Replika>,
    config: Arc<Events>,
    lanes: Lanes,
    parked: Parked,
    journal: Arc<dyn Journal>,
    metrics: Arc<Metrics>,
    stopping: watch::Receiver<bool>,
    /// When deliveries were applied, of those that are being told.
    applied: BTreeMap<DeliveryNumber, Option<i64>>,
    /// The trouble that was told last, so that it is told once.
    told: Option<String>,
}

/// Why events cannot be published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Engine(#[from] Error),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What keeps a round from its end.
enum Halt {
    Stopping,
    Trouble(String),
}

impl<E: std::error::Error> From<E> for Halt {
    fn from(error: E) -> Halt {
        Halt::Trouble(error.to_string())
    }
}

impl Publishing {
    /// Begins to publish; the consumer is added when the store does not have it.
    pub(crate) fn start(
        config: Events,
        replika: Arc<Replika>,
        journal: Arc<dyn Journal>,
        metrics: Arc<Metrics>,
        stopping: watch::Receiver<bool>,
    ) -> Result<JoinHandle<()>, StartError> {
        let courier = Courier::new(&config.to)?;
        let known = replika.snapshot().known();
        if !replika.consumers()?.iter().any(|consumer| consumer.name == config.consumer) {
            replika.add_consumer(&config.consumer, EventCursor::after(known))?;
        }
        let parked = Parked::open(&config.parked, &replika.snapshot()).map_err(|error| match error {
            OpenError::Io(error) => StartError::Io(error),
            OpenError::Engine(error) => StartError::Engine(error),
        })?;
        let config = Arc::new(config);
        let lanes = Lanes::new(courier, config.clone(), journal.clone(), metrics.clone(), stopping.clone());
        let (applied, told) = (BTreeMap::new(), None);
        let publishing = Publishing { replika, config, lanes, parked, journal, metrics, stopping, applied, told };
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(thread::Builder::new().name("events".to_owned()).spawn(move || publishing.run(&runtime))?)
    }

    fn run(mut self, runtime: &Runtime) {
        while !*self.stopping.borrow() {
            let known = self.replika.snapshot().known();
            match self.publish_until(known, runtime) {
                Ok(()) => self.told = None,
                Err(Halt::Stopping) => return,
                Err(Halt::Trouble(error)) => {
                    if self.told.as_ref() != Some(&error) {
                        self.journal.tell(&Line::event("events_trouble", None, Some(error.clone())));
                        self.told = Some(error);
                    }
                    thread::sleep(BEAT);
                }
            }
            self.replika.wait_for(DeliveryNumber(known.0 + 1), BEAT);
        }
    }

    /// Tries what is parked again where it is asked for, and publishes every event up to a delivery.
    fn publish_until(&mut self, known: DeliveryNumber, runtime: &Runtime) -> Result<(), Halt> {
        self.try_parked(runtime)?;
        let consumers = self.replika.consumers()?;
        let cursor = consumers.iter().find(|consumer| consumer.name == self.config.consumer);
        let cursor = cursor.ok_or(Error::UnknownConsumer)?.cursor;
        let is_done = cursor == EventCursor::after(cursor.delivery());
        self.metrics.set_published(if is_done { cursor.delivery().0 } else { cursor.delivery().0.saturating_sub(1) });
        if cursor == EventCursor::after(known) || self.is_full() {
            return Ok(());
        }
        let mut feed = self.replika.feed(&self.config.consumer, EventFilter::default())?;
        loop {
            let events = feed.by_ref().take(BATCH).collect::<Result<Vec<_>, _>>()?;
            let Some(last) = events.last() else { return self.finish(known) };
            let delivery = last.delivery;
            self.publish(events, runtime)?;
            self.metrics.set_published(delivery.0.saturating_sub(1));
            if self.is_full() {
                return Ok(());
            }
        }
    }

    /// Behind the last event of a delivery: it is done, also when it had none.
    fn finish(&mut self, known: DeliveryNumber) -> Result<(), Halt> {
        self.replika.acknowledge(&self.config.consumer, EventCursor::after(known))?;
        self.metrics.set_published(known.0);
        self.applied.clear();
        Ok(())
    }

    /// Publishes these, parks what is refused, and moves the place in the feed behind them.
    fn publish(&mut self, events: Vec<BusinessEvent>, runtime: &Runtime) -> Result<(), Halt> {
        let mut letters = Vec::with_capacity(events.len());
        for event in &events {
            let is_held_back = self.parked.holds_back(event.pnr);
            letters.push(Letter { message: self.message(event)?, is_held_back });
        }
        let fates = runtime.block_on(self.lanes.send(letters));
        let mut behind = None;
        let mut halt = None;
        for (event, fate) in events.iter().zip(fates) {
            match fate {
                Fate::Taken => {}
                Fate::Refused(reason) => self.park(event, Some(&reason))?,
                Fate::HeldBack => self.park(event, None)?,
                // What was taken behind it is sent again, with the same id.
                Fate::Open => {
                    halt = Some(Halt::Stopping);
                    break;
                }
            }
            behind = Some(event.cursor);
        }
        if let Some(cursor) = behind {
            self.replika.acknowledge(&self.config.consumer, cursor)?;
        }
        halt.map_or(Ok(()), Err)
    }

    /// Tries the parked events again whose reason somebody has removed.
    fn try_parked(&mut self, runtime: &Runtime) -> Result<(), Halt> {
        loop {
            let events = self.parked.take_retriable(&self.replika.snapshot())?;
            self.tell_parked();
            if events.is_empty() {
                return Ok(());
            }
            let letters = events.iter().map(|event| Ok(Letter { message: self.message(event)?, is_held_back: false }));
            let letters = letters.collect::<Result<Vec<_>, Error>>();
            let fates = runtime.block_on(self.lanes.send(letters?));
            for (event, fate) in events.iter().zip(fates) {
                match fate {
                    Fate::Taken => self.parked.remove(event)?,
                    Fate::Refused(reason) => self.park(event, Some(&reason))?,
                    Fate::HeldBack | Fate::Open => return Err(Halt::Stopping),
                }
            }
        }
    }

    fn park(&mut self, event: &BusinessEvent, reason: Option<&str>) -> io::Result<()> {
        self.parked.add(event, reason)?;
        if let Some(reason) = reason {
            let about = format!("{}, delivery {}", event.id, event.delivery);
            self.journal.tell(&Line::event("event_parked", Some(about), Some(reason.to_owned())));
        }
        self.tell_parked();
        Ok(())
    }

    fn tell_parked(&self) {
        let (parked, waiting) = self.parked.counts();
        self.metrics.set(Number::EventsParked, parked as u64);
        self.metrics.set(Number::EventsWaiting, waiting as u64);
    }

    /// True when so many are parked that something else must be wrong.
    fn is_full(&self) -> bool {
        self.parked.counts().0 >= self.config.most_parked
    }

    fn message(&mut self, event: &BusinessEvent) -> Result<cpr_wire::event_message::EventMessage, Error> {
        let applied_at = match self.applied.get(&event.delivery) {
            Some(applied_at) => *applied_at,
            None => {
                let applied_at = self.replika.snapshot().delivery(event.delivery)?.applied_at;
                self.applied.insert(event.delivery, applied_at);
                applied_at
            }
        };
        Ok(message::message_of(event, applied_at, &self.config))
    }
}
