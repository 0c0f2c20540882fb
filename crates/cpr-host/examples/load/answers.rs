//! The answers that were seen, held against the store: each must be that of one delivery, and none of an earlier one
//! again.

use std::error::Error;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cpr_host::demo::requests::{self, Requests};
use cpr_replika::cpr_model::{Date, Pnr};
use cpr_replika::{DeliveryNumber, Replika, Snapshot};
use cpr_services::{Caller, Lookup, NoRegister, Request, sf1520};
use cpr_wire::{Endpoint, Problem, Reading};

use crate::VERSION;

/// How long a store that somebody else has open is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What each person was answered about, in the order in which it came; the same again is kept once.
pub(crate) struct Seen(Vec<Mutex<Vec<Vec<u8>>>>);

impl Seen {
    pub(crate) fn of(persons: usize) -> Seen {
        Seen((0..persons).map(|_| Mutex::default()).collect())
    }

    pub(crate) fn note(&self, person: usize, answer: &[u8]) {
        let mut answers = self.0[person].lock().unwrap_or_else(PoisonError::into_inner);
        if answers.last().is_none_or(|last| last != answer) {
            answers.push(answer.to_vec());
        }
    }

    /// How many answers there were, and how many of them no delivery has, or none that comes behind those before.
    pub(crate) fn check(&self, store: &Path, persons: &[Pnr], days: &[Date]) -> Result<(usize, usize), Box<dyn Error>> {
        let replika = open(store)?;
        let snapshot = replika.snapshot();
        let (mut count, mut wrong) = (0, 0);
        for (pnr, answers) in persons.iter().zip(&self.0) {
            let answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            let mut expected = Vec::new();
            for known in 1..=snapshot.known().0 {
                let of_days = days.iter().map(|day| answer_as_of(&snapshot, *pnr, DeliveryNumber(known), *day));
                expected.push(of_days.collect::<Result<Vec<String>, _>>()?);
            }
            let mut from = 0;
            for answer in answers.iter() {
                count += 1;
                let is_it = |texts: &Vec<String>| texts.iter().any(|text| text.as_bytes() == answer.as_slice());
                match expected[from..].iter().position(is_it) {
                    Some(further) => from += further,
                    None => wrong += 1,
                }
            }
        }
        Ok((count, wrong))
    }
}

/// Opens a store as soon as nobody else has it.
fn open(store: &Path) -> Result<Replika, Box<dyn Error>> {
    let since = Instant::now();
    loop {
        match Replika::open(store) {
            Ok(replika) => return Ok(replika),
            Err(error) if since.elapsed() > PATIENCE => return Err(error.into()),
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// The body that a host sends which knows deliveries up to this one.
fn answer_as_of(snapshot: &Snapshot, pnr: Pnr, known: DeliveryNumber, day: Date) -> Result<String, Box<dyn Error>> {
    let asked = Request { known: Some(known), ..Request::on(pnr, day, Caller::unlogged()) };
    let endpoint = Endpoint::Sf1520(VERSION);
    let body = requests::complete(endpoint, &Requests::SCHOOL, &requests::lookup_sf1520(VERSION, pnr.reveal()));
    let request = endpoint.read(body.as_bytes(), &Reading::default()).map_err(|_| "a request of our own")?;
    let answer = match sf1520::answer(snapshot, VERSION, &asked, &NoRegister)? {
        Lookup::Found(found) => request.reply.answer(&found.answer.to_xml(VERSION)?),
        _ => request.reply.refuse(&Problem::UnknownNumber),
    };
    Ok(answer.body)
}
