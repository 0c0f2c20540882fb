//! `outbox tidy`: files for subscribers that have stood long enough in the folder of `apply --deliver` and `thin`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::values::parse_count;
use crate::visible;

const SECONDS_OF_A_DAY: u64 = 24 * 60 * 60;

#[derive(Debug, Subcommand)]
pub(crate) enum OutboxCommand {
    /// Remove files that were written more than some days ago, and nothing else.
    #[command(after_help = "Example: replika outbox tidy outbox --keep 30")]
    Tidy(Tidy),
}

#[derive(Args, Debug)]
pub(crate) struct Tidy {
    /// The folder that `apply --deliver` and `thin` write to.
    folder: PathBuf,
    /// So many days a file stays.
    #[arg(long, value_name = "DAYS", value_parser = parse_count::<u32>)]
    keep: u32,
    /// Count what would be removed, and remove nothing.
    #[arg(long)]
    dry_run: bool,
}

impl OutboxCommand {
    pub(crate) fn execute(&self, globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
        match self {
            OutboxCommand::Tidy(tidy) => tidy.run(globals, screen),
        }
    }
}

#[derive(Default, Serialize)]
struct Tidied {
    files: u64,
    bytes: u64,
    left: u64,
}

impl Tidy {
    fn run(&self, globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
        let failed = |path: &Path, error| Failure::Reading(visible::path(path), error);
        let keep = Duration::from_secs(u64::from(self.keep) * SECONDS_OF_A_DAY);
        let mut tidied = Tidied::default();
        for folder in entries(&self.folder).map_err(|error| failed(&self.folder, error))? {
            if !is_folder(&folder) {
                continue;
            }
            for file in entries(&folder).map_err(|error| failed(&folder, error))? {
                if !is_outgoing(&file) {
                    continue;
                }
                // A link leads elsewhere, and is none of ours.
                let found = fs::symlink_metadata(&file).map_err(|error| failed(&file, error))?;
                let age = found.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
                if !found.is_file() || age.is_none_or(|age| age <= keep) {
                    tidied.left += 1;
                    continue;
                }
                if !self.dry_run {
                    fs::remove_file(&file).map_err(|error| Failure::Writing(visible::path(&file), error))?;
                }
                (tidied.files, tidied.bytes) = (tidied.files + 1, tidied.bytes + found.len());
            }
        }
        if globals.json {
            return screen.print_json(&tidied);
        }
        let word = if self.dry_run { "would be removed" } else { "removed" };
        writeln!(screen, "{} files of {} bytes {word}, {} are left", tidied.files, tidied.bytes, tidied.left)
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// Whether a file bears a name as files for subscribers do, `DYYMMDD.LTASK` with `.2` and so on behind it, or is what
/// was left of one that was being written.
fn is_outgoing(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let part = name.strip_prefix('.').and_then(|name| name.strip_suffix(".part"));
    let rest = part.unwrap_or(name).strip_prefix('D');
    let Some((day, rest)) = rest.and_then(|rest| rest.split_at_checked(6)) else { return false };
    let Some(task) = rest.strip_prefix(".L") else { return false };
    let (task, number) = task.split_once('.').unwrap_or((task, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(day) && is_digits(number) && !task.is_empty() && task.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_for_subscribers_are_outgoing() {
        for name in ["D260105.L999901", "D260105.L999901.2", ".D260105.L999901.part", ".D260105.L999901.2.part"] {
            assert!(is_outgoing(Path::new(name)), "{name}");
        }
        for name in ["notes", "D260105", "D26010x.L9", "D260105.L", "D260105.L999901.metadata", ".part", "Dæøå123.L1"]
        {
            assert!(!is_outgoing(Path::new(name)), "{name}");
        }
    }
}
