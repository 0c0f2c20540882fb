//! `show`, `lines`, `diff`: one person.

use std::io::Write;

use cpr_replika::cpr_extract::LineEnd;
use cpr_replika::cpr_model::{Aspect, Timestamp};
use cpr_replika::{DeliveryNumber, Fact, Residence, Snapshot};

use crate::args::{Arguments, Diff, KnownAt, Lines, Show};
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::text;

pub(crate) fn show(arguments: &Arguments, show: &Show) -> Result<(), Failure> {
    let pnr = show.person.pnr().map_err(Failure::Usage)?;
    let snapshot = text::open(arguments)?.snapshot();
    let known = KnownAt::resolve(show.known_at, &snapshot)?;
    let facts = selected(&snapshot, show, pnr, known)?;
    let chain = if snapshot.known().0 == 0 { None } else { snapshot.numbers(pnr, known)? };
    let Some(chain) = chain else { return Err(Failure::UnknownPerson) };
    let known = known.unwrap_or(snapshot.known());
    let family = snapshot.config().family;
    if arguments.json {
        let numbers = chain.numbers.iter().map(|number| number.pnr.reveal().into()).collect();
        json::print(&json::object([
            ("pnr", pnr.reveal().into()),
            ("current_pnr", chain.current.map_or(Json::Null, |current| current.reveal().into())),
            ("numbers", Json::Array(numbers)),
            ("known", known.0.into()),
            ("facts", Json::Array(facts.iter().map(|fact| json::fact(&fact.view(), pnr, family)).collect())),
        ]))?;
        return Ok(());
    }
    let out = &mut std::io::stdout().lock();
    let produced = snapshot.delivery(known)?.production_date;
    writeln!(out, "{} as known after delivery {known} (produced {produced})", pnr.reveal())?;
    let others: Vec<&str> = chain.numbers.iter().map(|n| n.pnr.reveal()).filter(|text| *text != pnr.reveal()).collect();
    if !others.is_empty() {
        let current = chain.current.map_or("not known".to_owned(), |current| current.reveal().to_owned());
        writeln!(out, "other numbers of the same person: {}; the number now: {current}", others.join(", "))?;
    }
    if let Some(at) = show.valid_at {
        residence(out, &snapshot, pnr, at, known)?;
    }
    for fact in &facts {
        text::fact(out, &fact.view(), pnr, family)?;
    }
    Ok(())
}

/// The facts to show: what holds at the moment asked for, else the current records, else with the past all of them.
fn selected(
    snapshot: &Snapshot,
    show: &Show,
    pnr: cpr_replika::cpr_model::Pnr,
    known: Option<DeliveryNumber>,
) -> Result<Vec<Fact>, Failure> {
    if snapshot.known().0 == 0 {
        return Ok(Vec::new());
    }
    let holds = |fact: &cpr_replika::FactView<'_>| show.valid_at.is_none_or(|at| fact.holds_at(at));
    if show.history {
        let last = known.unwrap_or(snapshot.known());
        snapshot.delivery(last)?;
        let mut all = Vec::new();
        for aspect in Aspect::all() {
            all.extend(snapshot.history(pnr, aspect)?);
        }
        all.retain(|fact| fact.view().known().from <= last.0 && holds(&fact.view()));
        return Ok(all);
    }
    let Some(image) = snapshot.as_of(pnr, None, known)? else { return Ok(Vec::new()) };
    let wanted = image.believed().filter(|fact| match show.valid_at {
        Some(at) => fact.holds_at(at),
        None => !fact.is_historic(),
    });
    let mut facts: Vec<Fact> = wanted.map(|fact| fact.to_fact()).collect();
    facts.sort_by_key(|fact| (fact.view().aspect(), fact.view().valid().from));
    Ok(facts)
}

fn residence(
    out: &mut impl Write,
    snapshot: &Snapshot,
    pnr: cpr_replika::cpr_model::Pnr,
    at: Timestamp,
    known: DeliveryNumber,
) -> Result<(), Failure> {
    let Some(image) = snapshot.as_of(pnr, None, Some(known))? else { return Ok(()) };
    let told = match image.residence(at) {
        Some(Residence::Address(_)) => "lived at an address",
        Some(Residence::Abroad(_)) => "was abroad",
        Some(Residence::Disappeared(_)) => "had disappeared",
        None => "no row says where the person was",
    };
    writeln!(out, "on {}: {told}", at.date())?;
    Ok(())
}

pub(crate) fn lines(arguments: &Arguments, lines: &Lines) -> Result<(), Failure> {
    let pnr = lines.person.pnr().map_err(Failure::Usage)?;
    let snapshot = text::open(arguments)?.snapshot();
    let known = KnownAt::resolve(lines.known_at, &snapshot)?;
    if snapshot.known().0 == 0 {
        return Err(Failure::UnknownPerson);
    }
    let group = snapshot.group(pnr, known)?.ok_or(Failure::UnknownPerson)?;
    if arguments.json {
        let latin1 = |line: &[u8]| Json::from(line.iter().map(|&byte| char::from(byte)).collect::<String>());
        json::print(&json::object([
            ("pnr", pnr.reveal().into()),
            ("delivered", group.delivered.0.into()),
            ("lines", Json::Array(group.reveal().map(latin1).collect())),
        ]))?;
        return Ok(());
    }
    let out = &mut std::io::stdout().lock();
    // A file without line ends still prints one line per record.
    let end = if group.end == LineEnd::None { LineEnd::Lf } else { group.end };
    for line in group.reveal() {
        out.write_all(line)?;
        out.write_all(end.bytes())?;
    }
    Ok(())
}

pub(crate) fn diff(arguments: &Arguments, diff: &Diff) -> Result<(), Failure> {
    let pnr = diff.person.pnr().map_err(Failure::Usage)?;
    let snapshot = text::open(arguments)?.snapshot();
    let family = snapshot.config().family;
    let changes = snapshot.diff(pnr, DeliveryNumber(diff.from), DeliveryNumber(diff.to))?;
    if changes.is_empty() && snapshot.history(pnr, Aspect::Person)?.is_empty() {
        return Err(Failure::UnknownPerson);
    }
    if arguments.json {
        let changes = changes.iter().map(|change| json::change(change, pnr, family)).collect();
        json::print(&json::object([("changes", Json::Array(changes))]))?;
        return Ok(());
    }
    let out = &mut std::io::stdout().lock();
    if changes.is_empty() {
        writeln!(out, "nothing changed")?;
    }
    for change in &changes {
        text::change(out, change, pnr, family)?;
    }
    Ok(())
}
