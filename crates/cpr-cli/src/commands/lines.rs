//! `lines`: a person's records, written as the lines that were received.

use std::io::Write;

use clap::Args;
use cpr_replika::GroupLines;
use cpr_replika::cpr_extract::LineEnd;
use cpr_replika::cpr_model::Pnr;
use cpr_services::persons_in;
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::values::{KnownAt, Person, parse_known};

#[derive(Args, Debug)]
pub(crate) struct Lines {
    #[command(flatten)]
    person: Person,
    /// As known after this delivery (its number, or the day YYYY-MM-DD).
    #[arg(long, value_name = "N|DATE", value_parser = parse_known)]
    known_at: Option<KnownAt>,
}

pub(crate) fn print_lines(globals: &Globals, lines: &Lines, screen: &mut Screen) -> Result<(), Failure> {
    let pnr = lines.person.pnr()?;
    let snapshot = globals.snapshot()?;
    let known = KnownAt::resolve(lines.known_at, &snapshot)?;
    screen.asks(&snapshot, Some(pnr), known)?;
    if snapshot.known().0 == 0 {
        return Err(Failure::UnknownPerson);
    }
    if let Some(account) = screen.account()
        && let Some(image) = snapshot.as_of(pnr, None, known)?
    {
        let facts: Vec<_> = image.all_facts().map(|fact| fact.to_owned()).collect();
        account.shows(persons_in(&snapshot.describe(pnr, &facts[..])).map_err(Failure::NotLogged)?);
    }
    let Some(group) = snapshot.group(pnr, known)? else {
        let chain = snapshot.numbers(pnr, known)?;
        let Some(chain) = chain else { return Err(Failure::not_held(&snapshot, pnr)?) };
        return Err(Failure::FormerNumber { current: chain.current });
    };
    if globals.json {
        return screen.print_json(&LinesOf { pnr, group: &group });
    }
    // A file without line ends still prints one line per record.
    let end = if group.end == LineEnd::None { LineEnd::Lf } else { group.end };
    let mut out = screen.latin1();
    for line in group.reveal() {
        out.write_all(line).and_then(|()| out.write_all(end.bytes())).map_err(Failure::Output)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct LinesOf<'a> {
    pnr: Pnr,
    #[serde(flatten)]
    group: &'a GroupLines,
}
