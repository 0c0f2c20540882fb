//! The rule of who is kept, as it stands in the settings and among the filters.

use cpr_model::PersonKey;
use cpr_subscription::{AllOf, Filter, SubscriberNumber};
use redb::WriteTransaction;

use crate::error::Error;
use crate::store::read_table::One;
use crate::store::tables::{META, name};

/// The setting that says how the rule is meant: days of grace, whether families are kept, and the last delivery of
/// which everybody was taken in.
const KEEP: &str = "keep";

/// Under this number the rule stands among the filters; subscribers have others.
pub(crate) const KEEPER: SubscriberNumber = SubscriberNumber(0);

/// What the settings say of the rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct KeepSettings {
    pub(crate) families: bool,
    pub(crate) grace_days: u16,
    /// The last delivery of which everybody was taken in.
    pub(crate) since: u32,
}

impl KeepSettings {
    /// None for a store that keeps everybody.
    pub(crate) fn read(settings: &One<&'static str, &'static str>) -> Result<Option<KeepSettings>, Error> {
        let Some(text) = settings.get(KEEP)? else { return Ok(None) };
        let corrupt = Error::Corrupt { table: name::META, what: "who is kept" };
        KeepSettings::parse(text.value()).map(Some).ok_or(corrupt)
    }

    fn parse(text: &str) -> Option<KeepSettings> {
        let mut words = text.split(' ');
        let families = match words.next()? {
            "families" => true,
            "persons" => false,
            _ => return None,
        };
        let (grace_days, since) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        words.next().is_none().then_some(KeepSettings { families, grace_days, since })
    }

    pub(crate) fn write(self, write: &WriteTransaction) -> Result<(), Error> {
        let word = if self.families { "families" } else { "persons" };
        let text = format!("{word} {} {}", self.grace_days, self.since);
        write.open_table(META)?.insert(KEEP, text.as_str())?;
        Ok(())
    }
}

/// The part of a filter by which somebody is kept: without change codes, which mean something for one day only.
pub(crate) fn lasting(filter: &Filter) -> Option<Filter> {
    match filter {
        Filter::EventChangeCode(_) => None,
        Filter::AllOf(all) => {
            let members = all.members().iter().filter(|member| !matches!(member, Filter::EventChangeCode(_)));
            let mut members: Vec<Filter> = members.cloned().collect();
            match members.len() {
                0 | 1 => members.pop(),
                _ => AllOf::new(members).ok().map(Filter::AllOf),
            }
        }
        filter => Some(filter.clone()),
    }
}

/// The numbers that a filter names, alone or among other things: they are kept, whatever else it asks for.
pub(crate) fn numbers_in(filter: &Filter) -> Vec<PersonKey> {
    match filter {
        Filter::Pnr(key) => vec![*key],
        Filter::AllOf(all) => all.members().iter().flat_map(numbers_in).collect(),
        _ => Vec::new(),
    }
}
