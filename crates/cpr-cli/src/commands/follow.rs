//! `follow`: a folder of packs that holds what another one holds, copied and checked.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::Args;
use cpr_replika::{DeliveryNumber, Error, Packed};
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::screen::{self, Screen};
use crate::values::parse_count;
use crate::visible;

#[derive(Args, Debug)]
pub(crate) struct Follow {
    /// The folder of packs; made for its owner alone when it is not there.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The folder to which packs are brought.
    #[arg(long, value_name = "SOURCE_DIR")]
    from: PathBuf,
    /// Look again every so many seconds, until stopped. What is not there yet, or not whole, is waited for.
    #[arg(long, value_name = "SECONDS", value_parser = parse_count::<u32>)]
    every: Option<u32>,
}

pub(crate) fn follow_packs(globals: &Globals, follow: &Follow, screen: &mut Screen) -> Result<(), Failure> {
    let mut told = None;
    loop {
        let found = Packed::follow(&follow.folder, &follow.from, &globals.options());
        match (found, follow.every) {
            (Ok(Some(delivery)), _) => write_state(globals, follow, delivery, "copied", screen)?,
            (Ok(None), None) => {
                let known =
                    Packed::open_encrypted(&follow.folder, &globals.options()).map(|packed| packed.snapshot().known());
                write_state(globals, follow, known.map_err(failed(follow))?, "already_held", screen)?;
            }
            (Ok(None), Some(_)) => {}
            (Err(error), Some(_)) if may_come(&error) => {
                let text = error.to_string();
                if told.as_ref() != Some(&text) {
                    screen::warn(&format!("replika: {}: {text}; waiting", visible::path(&follow.from)));
                    told = Some(text);
                }
            }
            (Err(error), _) => return Err(failed(follow)(error)),
        }
        let Some(seconds) = follow.every else { return Ok(()) };
        screen.flush()?;
        thread::sleep(Duration::from_secs(seconds.max(1).into()));
    }
}

/// Whether it may be another one once all of it was brought.
fn may_come(error: &Error) -> bool {
    matches!(error, Error::NoPacks | Error::Pack(_) | Error::Damaged { .. } | Error::Corrupt { .. } | Error::Busy)
}

fn failed(follow: &Follow) -> impl FnOnce(Error) -> Failure {
    let shown = visible::path(&follow.from);
    move |error| Failure::Engine(error, Some(shown))
}

fn write_state(
    globals: &Globals,
    follow: &Follow,
    delivery: DeliveryNumber,
    outcome: &'static str,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let folder = visible::path(&follow.folder);
    if globals.json {
        return screen.print_json(&Followed { folder, known: delivery.0, outcome });
    }
    let said = if outcome == "copied" { "holds" } else { "held already" };
    writeln!(screen, "{folder}: {said} delivery {delivery}")
}

#[derive(Serialize)]
struct Followed {
    folder: String,
    known: u32,
    outcome: &'static str,
}
