//! `key new` and `rekey`: key files, and which of them opens an encrypted store.

use std::io::ErrorKind;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use cpr_replika::{KeyFile, Replika};

use crate::context::Globals;
use crate::failure::Failure;
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
}

impl Rekey {
    pub(crate) fn run(&self, globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
        let old = globals.options().key.ok_or(Failure::Usage("which key opens the store now? give --key-file PATH"))?;
        Replika::rekey(globals.store_path()?, &*old, &KeyFile::new(&self.new_key_file))?;
        writeln!(screen, "the store opens with {} now", visible::path(&self.new_key_file))?;
        Ok(())
    }
}
