//! `search`: persons by what is known of them; and `answer adrsog1`, the search by address.

use std::io::Write;

use cpr_replika::cpr_model::Date;
use cpr_replika::{Hit, Policy, Scope};
use cpr_services::search::{adrsog1, solr};

use crate::args::{self, Answer, Arguments, Format, Search, When};
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::text;

pub(crate) fn run(arguments: &Arguments, options: &Search) -> Result<(), Failure> {
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
        search.after = Some(args::number(after.reveal()).map_err(Failure::Usage)?);
    }
    let passed_over = if options.limit.is_some() { 0 } else { request.start };
    if let Some(limit) = options.limit {
        search.limit = limit;
    }
    if options.count {
        search.limit = 0;
    }
    let hits = text::open(arguments)?.snapshot().search(&search)?;
    let rows = hits.rows.iter().skip(passed_over);
    if arguments.json {
        let mut members = vec![("rows", Json::Array(rows.map(row).collect()))];
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

fn row(hit: &Hit) -> Json {
    let protections = hit.protections.iter().map(|kind| Json::from(kind.0)).collect();
    json::object([
        ("pnr", hit.pnr.reveal().into()),
        ("addressing_name", hit.addressing_name.as_deref().map_or(Json::Null, Json::from)),
        ("protections", Json::Array(protections)),
    ])
}

pub(crate) fn adrsog1(arguments: &Arguments, options: &Answer, day: Date) -> Result<(), Failure> {
    const WANTED: &str = "a field is NAME=VALUE";
    let fields = options.field.iter().map(|field| field.reveal().split_once('=').ok_or(Failure::Usage(WANTED)));
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let request = adrsog1::Request::parse(fields).map_err(|error| Failure::Query(error.to_string()))?;
    let answer = adrsog1::answer(&text::open(arguments)?.snapshot(), &request, day)?;
    if arguments.json || options.format == Format::Json {
        json::print(&serde_json::to_value(&answer).map_err(std::io::Error::from)?)?;
    } else {
        writeln!(std::io::stdout().lock(), "{}", answer.to_xml()?)?;
    }
    Ok(())
}
