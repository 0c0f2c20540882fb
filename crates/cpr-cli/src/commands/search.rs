//! `search`: persons by what is known of them.

use std::io::Write;

use clap::{Args, ValueEnum};
use cpr_replika::{Hit, Policy, Scope};
use cpr_services::search::solr;

use crate::context::Globals;
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::values::{Hidden, parse_pnr};

#[derive(Args, Debug)]
pub(crate) struct Search {
    /// What to search for: `efternavn:Hans* AND kommunekode:0101`; or a whole Solr request, `q=...&rows=10`. `-`
    /// reads it from standard input, out of the shell's history.
    query: Hidden,
    /// Print only how many there are.
    #[arg(long)]
    count: bool,
    /// Most rows of a page; 10, or what the request says, when left out.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Begin behind this number: the last of the page before.
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

pub(crate) fn search_persons(globals: &Globals, options: &Search) -> Result<(), Failure> {
    let mut query = options.query.reveal().to_owned();
    if query == "-" {
        query.clear();
        std::io::stdin().read_line(&mut query)?;
    }
    let request = solr::Request::parse(query.trim()).map_err(|error| Failure::Query(error.to_string()))?;
    let scope = match options.scope {
        When::Now => Scope::Now,
        When::Ever => Scope::Ever,
        When::AtTheSameTime => Scope::AtTheSameTime,
    };
    let mut search = cpr_replika::Search { policy: Policy::open(), count: options.count, ..request.search(scope) };
    if let Some(after) = &options.after {
        search.after = Some(parse_pnr(after.reveal()).map_err(Failure::Usage)?);
    }
    let passed_over = if options.limit.is_some() { 0 } else { request.start };
    if let Some(limit) = options.limit {
        search.limit = limit;
    }
    if options.count {
        search.limit = 0;
    }
    let hits = globals.open_to_read()?.snapshot().search(&search)?;
    let rows = hits.rows.iter().skip(passed_over);
    if globals.json {
        let mut members = vec![("rows", Json::Array(rows.map(hit_as_json).collect()))];
        if let Some(count) = hits.count {
            members = vec![("count", count.into())];
        }
        members.extend(hits.next.map(|next| ("next", Json::from(next.reveal()))));
        json::print(&json::object(members))?;
        return Ok(());
    }
    let out = &mut std::io::stdout().lock();
    if let Some(count) = hits.count {
        writeln!(out, "{count}")?;
    }
    for hit in rows {
        let protected = if hit.protections.is_empty() { "" } else { "  (protected: docs/search.md)" };
        writeln!(out, "{}  {}{protected}", hit.pnr.reveal(), hit.addressing_name.as_deref().unwrap_or_default())?;
    }
    if let Some(next) = hits.next {
        writeln!(out, "more: --after {}", next.reveal())?;
    }
    Ok(())
}

fn hit_as_json(hit: &Hit) -> Json {
    let protections = hit.protections.iter().map(|kind| Json::from(kind.0)).collect();
    json::object([
        ("pnr", hit.pnr.reveal().into()),
        ("addressing_name", hit.addressing_name.as_deref().map_or(Json::Null, Json::from)),
        ("protections", Json::Array(protections)),
    ])
}
