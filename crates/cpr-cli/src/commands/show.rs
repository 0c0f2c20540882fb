//! `show`: a person, as facts with both clocks.
//!
//! Which facts are asked for is chosen here; how a fact is printed is told in `fact.rs`.

use clap::Args;
use cpr_replika::cpr_model::{Aspect, Pnr, Timestamp};
use cpr_replika::{DeliveryNumber, Described, Fact, NumberChain, OwnedFact, Residence, Snapshot};
use serde::Serialize;

use crate::context::Globals;
use crate::fact;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::values::{KnownAt, Person, parse_known, parse_moment};

#[derive(Args, Debug)]
pub(crate) struct Show {
    #[command(flatten)]
    person: Person,
    /// Only what held in the world then: 2001-11-19T15:36, or 2001-11-19, which is the end of that day.
    #[arg(long, value_name = "T", value_parser = parse_moment)]
    valid_at: Option<Timestamp>,
    /// As known after this delivery (its number, or the day YYYY-MM-DD).
    #[arg(long, value_name = "N|DATE", value_parser = parse_known)]
    known_at: Option<KnownAt>,
    /// Rows of the past too: historic and marked ones, and versions that are no longer believed.
    #[arg(long)]
    history: bool,
}

pub(crate) fn show_person(globals: &Globals, show: &Show, screen: &mut Screen) -> Result<(), Failure> {
    let pnr = show.person.pnr()?;
    let snapshot = globals.snapshot()?;
    let known = KnownAt::resolve(show.known_at, &snapshot)?;
    screen.asks(&snapshot, Some(pnr), known)?;
    let facts = select_facts(&snapshot, show, pnr, known)?;
    let chain = if snapshot.known().0 == 0 { None } else { snapshot.numbers(pnr, known)? };
    let Some(chain) = chain else { return Err(Failure::not_held(&snapshot, pnr)?) };
    let known = known.unwrap_or(snapshot.known());
    let family = snapshot.settings().family;
    if globals.json {
        return screen.print_json(&Shown { pnr, chain: &chain, known, facts: snapshot.describe(pnr, &facts[..]) });
    }
    let produced = snapshot.delivery(known)?.production_date;
    writeln!(screen, "{} as known after delivery {known} (produced {produced})", pnr.reveal())?;
    let others: Vec<&str> = chain.numbers.iter().map(|n| n.pnr.reveal()).filter(|text| *text != pnr.reveal()).collect();
    if !others.is_empty() {
        let current = chain.current.map_or("not known".to_owned(), |current| current.reveal().to_owned());
        writeln!(screen, "other numbers of the same person: {}; the number now: {current}", others.join(", "))?;
    }
    if let Some(at) = show.valid_at {
        write_residence(screen, &snapshot, pnr, at, known)?;
    }
    for fact in &facts {
        fact::write(screen, &fact.as_fact(), pnr, family)?;
    }
    Ok(())
}

/// The facts to show: what holds at the moment asked for, else the current records, else with the past all of them.
fn select_facts(
    snapshot: &Snapshot,
    show: &Show,
    pnr: Pnr,
    known: Option<DeliveryNumber>,
) -> Result<Vec<OwnedFact>, Failure> {
    if snapshot.known().0 == 0 {
        return Ok(Vec::new());
    }
    let holds = |fact: &Fact<'_>| show.valid_at.is_none_or(|at| fact.holds_at(at));
    if show.history {
        let last = known.unwrap_or(snapshot.known());
        snapshot.delivery(last)?;
        let mut all = Vec::new();
        for aspect in Aspect::all() {
            all.extend(snapshot.history(pnr, aspect)?);
        }
        all.retain(|fact| fact.as_fact().known().from <= last.0 && holds(&fact.as_fact()));
        return Ok(all);
    }
    let Some(image) = snapshot.as_of(pnr, None, known)? else { return Ok(Vec::new()) };
    let wanted = image.all_facts().filter(|fact| match show.valid_at {
        Some(at) => fact.holds_at(at),
        None => !fact.is_historic(),
    });
    let mut facts: Vec<OwnedFact> = wanted.map(|fact| fact.to_owned()).collect();
    facts.sort_by(|one, other| one.as_fact().told_order(&other.as_fact()));
    Ok(facts)
}

fn write_residence(
    screen: &mut Screen,
    snapshot: &Snapshot,
    pnr: Pnr,
    at: Timestamp,
    known: DeliveryNumber,
) -> Result<(), Failure> {
    let Some(image) = snapshot.as_of(pnr, None, Some(known))? else { return Ok(()) };
    let whereabouts = match image.residence(at) {
        Some(Residence::Address(_)) => "lived at an address",
        Some(Residence::Abroad(_)) => "was abroad",
        Some(Residence::Disappeared(_)) => "had disappeared",
        Some(_) => "was elsewhere",
        None => "no row says where the person was",
    };
    writeln!(screen, "on {}: {whereabouts}", at.date())?;
    Ok(())
}

#[derive(Serialize)]
struct Shown<'a> {
    pnr: Pnr,
    #[serde(flatten)]
    chain: &'a NumberChain,
    known: DeliveryNumber,
    facts: Described<'a, [OwnedFact]>,
}
