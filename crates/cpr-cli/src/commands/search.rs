//! `search`: persons by what is known of them.

use clap::{Args, ValueEnum};
use cpr_replika::cpr_model::Pnr;
use cpr_replika::{Hit, Policy, Scope, Snapshot};
use cpr_services::search::solr;
use cpr_services::{Caller, ProtectedPersons, Protections, Request as Question};
use serde::Serialize;

use crate::clock;
use crate::context::Globals;
use crate::failure::Failure;
use crate::input_text::read_line;
use crate::screen::{self, Screen};
use crate::values::{Hidden, parse_count, read_pnr};
use crate::visible::one_line;

#[derive(Args, Debug)]
pub(crate) struct Search {
    /// What to search for: `efternavn:Hans* AND kommunekode:0101`; or a whole Solr request, `q=...&rows=10`. `-`
    /// reads it from standard input, out of the shell's history.
    query: Hidden,
    /// Print only how many there are.
    #[arg(long)]
    count: bool,
    /// Most rows of a page, 100 000 at most; 10, or what the request says, when left out.
    #[arg(long, value_name = "N", value_parser = parse_count::<usize>)]
    limit: Option<usize>,
    /// Begin behind this number, the last of the page before; `-` reads it from standard input.
    #[arg(long, value_name = "PNR")]
    after: Option<Hidden>,
    /// When the criteria must be true.
    #[arg(long, value_enum, default_value_t = When::Now)]
    scope: When,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum When {
    /// Now.
    Now,
    /// Now or at any time before, each by itself.
    Ever,
    /// All at one moment, now or at any time before.
    AtTheSameTime,
}

pub(crate) fn search_persons(globals: &Globals, options: &Search, screen: &mut Screen) -> Result<(), Failure> {
    let query = match options.query.reveal() {
        "-" => read_line()?,
        query => query.to_owned(),
    };
    let request = solr::Request::parse(query.trim(), ProtectedPersons::Tell)
        .map_err(|error| Failure::Query(error.to_string()))?;
    let (search, passed_over) = read_search(options, &request)?;
    let snapshot = globals.snapshot()?;
    screen.asks(&snapshot, None, None)?;
    let hits = snapshot.search(&search)?;
    let rows = hits.rows.iter().skip(passed_over);
    if globals.json {
        let rows: Result<Vec<Row<'_>>, Failure> = rows.map(|hit| Row::read(&snapshot, hit)).collect();
        let rows = hits.count.is_none().then_some(rows?);
        return screen.print_json(&Rows { count: hits.count, rows, next: hits.next });
    }
    if let Some(count) = hits.count {
        writeln!(screen, "{count}")?;
    }
    for hit in rows {
        let protected = if hit.protections.is_empty() { "" } else { "  (protected: docs/search.md)" };
        let name = one_line(hit.addressing_name.as_deref().unwrap_or_default());
        writeln!(screen, "{}  {name}{protected}", hit.pnr.reveal())?;
    }
    screen.flush()?;
    if let Some(next) = hits.next {
        screen::warn(&format!("more: the same search with --after {}", next.reveal()));
    }
    Ok(())
}

/// What the engine is asked, and how many of its rows are passed over.
fn read_search(options: &Search, request: &solr::Request) -> Result<(cpr_replika::Search, usize), Failure> {
    let scope = match options.scope {
        When::Now => Scope::Now,
        When::Ever => Scope::Ever,
        When::AtTheSameTime => Scope::AtTheSameTime,
    };
    let policy = Policy::open();
    let most = usize::try_from(policy.documents).unwrap_or(usize::MAX);
    let mut search = cpr_replika::Search { policy, count: options.count, ..request.search(scope) };
    if let Some(after) = &options.after {
        search.after = Some(read_pnr(after.reveal())?);
    }
    let passed_over = if options.limit.is_some() { 0 } else { request.start };
    if let Some(limit) = options.limit {
        search.limit = limit;
    }
    if options.count {
        search.limit = 0;
    }
    if search.limit > most {
        return Err(Failure::Query(format!("a page has {most} rows at most; --after goes on behind its last")));
    }
    Ok((search, passed_over))
}

#[derive(Serialize)]
struct Rows<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<Row<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Pnr>,
}

/// A row; its protections as the services' answers have them.
#[derive(Serialize)]
struct Row<'a> {
    pnr: Pnr,
    addressing_name: Option<&'a str>,
    protections: Protections,
}

impl Row<'_> {
    fn read<'a>(snapshot: &Snapshot, hit: &'a Hit) -> Result<Row<'a>, Failure> {
        let asked = Question::on(hit.pnr, clock::today(), Caller::unlogged());
        let protections = Protections::of_person(snapshot, &asked)?.unwrap_or(Protections(Some(Vec::new())));
        Ok(Row { pnr: hit.pnr, addressing_name: hit.addressing_name.as_deref(), protections })
    }
}
