//! `initial-load`: everybody whom a subscriber follows now, as a full extract.

use clap::Args;
use cpr_replika::InitialLoad as Loaded;
use cpr_replika::cpr_subscription::SubscriberName;
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::output_file::OutputOptions;
use crate::plural::persons;
use crate::screen::Screen;
use crate::values::Hidden;

#[derive(Args, Debug)]
pub(crate) struct InitialLoad {
    /// The subscriber.
    name: Hidden,
    #[command(flatten)]
    output: OutputOptions,
}

pub(crate) fn write_initial_load(globals: &Globals, load: &InitialLoad, screen: &mut Screen) -> Result<(), Failure> {
    globals.refuse_packs("`initial-load` notes in the store what a subscriber was given; leave --pack out")?;
    let name = load.name.subscriber_name()?;
    let replika = globals.open_to_write()?;
    let loaded = load.output.write(globals, screen, |mut out| replika.initial_load(&name, &mut out))?;
    if load.output.is_screen() {
        return Ok(());
    }
    let (file, date) = (load.output.shown(), loaded.production_date);
    if globals.json {
        return screen.print_json(&LoadedFile { file, subscriber: &name, loaded });
    }
    let (persons, known) = (persons(loaded.persons), loaded.known);
    writeln!(screen, "{file}: {persons} as known after delivery {known} (produced {date})")
}

#[derive(Serialize)]
struct LoadedFile<'a> {
    file: String,
    subscriber: &'a SubscriberName,
    #[serde(flatten)]
    loaded: Loaded,
}
