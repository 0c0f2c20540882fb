//! `key new` and `rekey`: key files, and which of them opens an encrypted store.

use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use cpr_replika::{KeyFile, Replika};

use crate::context::Globals;
use crate::failure::Failure;
use crate::progress::Meter;
use crate::screen::Screen;
use crate::visible;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a file with a new random key, for its owner alone. A store whose key is lost is lost.
    #[command(after_help = "Example: replika key new replika.key")]
    New {
        /// The file, which must not be there yet.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

impl KeyCommand {
    pub(crate) fn run(&self, screen: &mut Screen) -> Result<(), Failure> {
        let KeyCommand::New { file } = self;
        KeyFile::create(file).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Failure::NotReplaced(visible::path(file), "a file is there already"),
            _ => Failure::Writing(visible::path(file), error),
        })?;
        writeln!(screen, "a new key is in {}", visible::path(file))?;
        Ok(())
    }
}

#[derive(Args, Debug)]
pub(crate) struct Rekey {
    /// The key file that is to open the store from now on.
    #[arg(long, value_name = "PATH")]
    new_key_file: PathBuf,
    /// Write the store anew under a fresh data key: who has kept the old key and an old copy of the header, too, can
    /// read nothing that is in the new file. Needs room for a second file. Encrypts a store that is not.
    #[arg(long)]
    rewrite: bool,
}

impl Rekey {
    pub(crate) fn run(&self, globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
        let new = KeyFile::new(&self.new_key_file);
        if self.rewrite {
            let replika = globals.open_to_write()?;
            let meter = Meter::open_ended("rewriting");
            replika.rewrite_under_key(Arc::new(new), |progress| {
                meter.show_rewriting(progress);
                ControlFlow::Continue(())
            })?;
        } else {
            let usage = "which key opens the store now? give --key-file PATH; --rewrite encrypts a store without one";
            let old = globals.options().key.ok_or(Failure::Usage(usage))?;
            let path = globals.store_path()?;
            globals.wait_for(0, || Replika::rekey(path, &*old, &new))?;
        }
        writeln!(screen, "the store opens with {} now", visible::path(&self.new_key_file))?;
        Ok(())
    }
}
