//! Lanes side by side: messages of different persons at once, those of one person one behind the other.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cpr_replika::cpr_model::Pnr;
use cpr_wire::event_message::EventMessage;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::courier::Courier;
use super::receipt::Failure;
use crate::config::Events;
use crate::journal::{Journal, Line};
use crate::metrics::{Metrics, Number};

/// The longest wait before another try.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A message to be sent.
pub(super) struct Letter {
    pub(super) message: EventMessage,
    /// An earlier one of its person is parked.
    pub(super) is_held_back: bool,
}

/// What became of a message.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// Its receipt has come.
    Taken,
    /// It was refused as often as it is tried; with the last reason.
    Refused(String),
    /// An earlier one of its person is not taken.
    HeldBack,
    /// The host ends, and nothing is known of it.
    Open,
}

/// What all lanes share.
#[derive(Clone)]
pub(super) struct Lanes {
    courier: Arc<Courier>,
    config: Arc<Events>,
    journal: Arc<dyn Journal>,
    metrics: Arc<Metrics>,
    stopping: watch::Receiver<bool>,
    /// Why the other side cannot be reached, when it cannot.
    trouble: Arc<Mutex<Option<String>>>,
}

type Fates = Arc<Mutex<Vec<Fate>>>;

impl Lanes {
    pub(super) fn new(
        courier: Courier,
        config: Arc<Events>,
        journal: Arc<dyn Journal>,
        metrics: Arc<Metrics>,
        stopping: watch::Receiver<bool>,
    ) -> Lanes {
        Lanes { courier: Arc::new(courier), config, journal, metrics, stopping, trouble: Arc::default() }
    }

    /// Sends all of them; what became of each, in their order. It ends early when the host does.
    pub(super) async fn send(&self, letters: Vec<Letter>) -> Vec<Fate> {
        let fates: Fates = Arc::new(Mutex::new(vec![Fate::Open; letters.len()]));
        let mut lanes: Vec<Vec<(usize, Letter)>> = Vec::new();
        lanes.resize_with(self.config.lanes, Vec::new);
        for (at, letter) in letters.into_iter().enumerate() {
            lanes[lane_of(letter.message.pnr, self.config.lanes)].push((at, letter));
        }
        let mut running = JoinSet::new();
        for lane in lanes.into_iter().filter(|lane| !lane.is_empty()) {
            let (lanes, fates) = (self.clone(), fates.clone());
            running.spawn(async move { lanes.send_lane(lane, &fates).await });
        }
        let mut stopping = self.stopping.clone();
        tokio::select! {
            () = async { while running.join_next().await.is_some() {} } => {}
            _ = stopping.wait_for(|stopping| *stopping) => running.shutdown().await,
        }
        std::mem::take(&mut *fates.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn send_lane(&self, lane: Vec<(usize, Letter)>, fates: &Fates) {
        let mut held_back: HashSet<Pnr> = HashSet::new();
        for (at, letter) in lane {
            let pnr = letter.message.pnr;
            let fate = match letter.is_held_back || held_back.contains(&pnr) {
                true => Fate::HeldBack,
                false => self.send_one(&letter.message).await,
            };
            if !matches!(fate, Fate::Taken) {
                held_back.insert(pnr);
            }
            fates.lock().unwrap_or_else(PoisonError::into_inner)[at] = fate;
        }
    }

    /// Tries until it is taken, or refused too often. Who cannot be reached has not refused it.
    async fn send_one(&self, message: &EventMessage) -> Fate {
        let (mut refusals, mut wait) = (0, self.config.retry);
        loop {
            match self.courier.send(message, &self.config.publisher).await {
                Ok(()) => {
                    self.tell_reached();
                    self.metrics.add(Number::EventsPublished);
                    return Fate::Taken;
                }
                Err(Failure::Refused(reason)) => {
                    self.tell_reached();
                    self.metrics.add(Number::EventsRefused);
                    refusals += 1;
                    if refusals >= self.config.refusals {
                        return Fate::Refused(format!("refused {refusals} times, at last with {reason}"));
                    }
                }
                Err(Failure::Unreachable(reason)) => self.tell_unreachable(reason),
            }
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    fn tell_unreachable(&self, reason: String) {
        self.metrics.set(Number::EventsUnreachable, 1);
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.is_none() {
            self.journal.tell(&Line::event("events_unreachable", None, Some(reason.clone())));
            *trouble = Some(reason);
        }
    }

    fn tell_reached(&self) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.take().is_some() {
            self.metrics.set(Number::EventsUnreachable, 0);
            self.journal.tell(&Line::event("events_reached", None, None));
        }
    }
}

fn lane_of(pnr: Pnr, lanes: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    pnr.hash(&mut hasher);
    (hasher.finish() % lanes as u64) as usize
}
