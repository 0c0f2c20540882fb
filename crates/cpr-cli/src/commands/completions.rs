//! `completions`: what a shell needs to complete this command.

use clap::Args;
use clap_complete::Shell;

use crate::failure::Failure;
use crate::screen::Screen;

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn print_completions(
    options: &Completions,
    mut command: clap::Command,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut command, "replika", &mut script);
    write!(screen, "{}", String::from_utf8_lossy(&script))
}
