//! `settings`: what a store was created for; fixed since then.

use cpr_replika::ALL_HISTORY;

use crate::context::Globals;
use crate::failure::Failure;
use crate::keep_rule;
use crate::screen::Screen;

pub(crate) fn print_settings(globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
    let snapshot = globals.snapshot()?;
    let config = snapshot.settings();
    if globals.json {
        return screen.print_json(config);
    }
    let list = |numbers: &[u16]| numbers.iter().map(|number| format!("{number:03}")).collect::<Vec<_>>().join(", ");
    let family = config.family.map_or("not known before the first extract".to_owned(), |family| {
        format!("{} ({})", family.name, family.products)
    });
    let window = match config.window_years {
        ALL_HISTORY => "all history".to_owned(),
        years => format!("{years} years of history"),
    };
    writeln!(screen, "family   {family}")?;
    writeln!(screen, "window   {window}")?;
    writeln!(screen, "records  {}", config.chosen.as_deref().map_or("all of the family".to_owned(), list))?;
    writeln!(screen, "ignored  {}", if config.ignored.is_empty() { "none".to_owned() } else { list(&config.ignored) })?;
    let kept = snapshot.keep()?.map_or("everybody".to_owned(), |rule| keep_rule::describe(&rule));
    writeln!(screen, "kept     {kept}")
}
