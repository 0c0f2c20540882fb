//! Any text as the configuration of a host and as a profile of the lake: refused, or the same settings however the file
//! is spelled; and what is accepted can be lived with.
#![no_main]

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cpr_extract::{LineEnd, Padding};
use cpr_host::config::{Config, ConfigError};
use cpr_lake::{LakeOptions, Profile, PseudonymKey, write_lake};
use cpr_replika::{ApplyOptions, Replika, Snapshot};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use replika_fuzz::made_up::{Ending, std_first, std_second, style};
use replika_fuzz::mutate;

const FOLDER: &str = "/srv/host";

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    // The same tables, written in an order and with quotes of the writer's own.
    let spelled = toml::from_str::<toml::Table>(text).map(|table| table.to_string());
    host(text, spelled.as_deref().ok());
    lake(text, spelled.as_deref().ok());
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed.is_multiple_of(3) {
        return fuzzer_mutate(data, size, max_size);
    }
    mutate::put(&mutate::settings(&data[..size], seed), data, max_size)
});

fn host(text: &str, spelled: Option<&str>) {
    let config = match Config::parse(text, Path::new(FOLDER)) {
        Ok(config) => config,
        Err(error) => {
            assert!(spelled.is_some() || matches!(error, ConfigError::Toml(_)), "no TOML, and another reason: {error}");
            return;
        }
    };
    let again = Config::parse(spelled.expect("what is read is TOML"), Path::new(FOLDER)).expect("the same settings");
    assert!(format!("{config:?}") == format!("{again:?}"), "other settings in another spelling");
    let paths = [Some(&config.store), config.store_key.as_ref(), Some(&config.key), Some(&config.log.folder)];
    // A path with a root of its own stays what it is.
    let is_there = |path: &PathBuf| path.starts_with(FOLDER) || path.is_absolute();
    assert!(paths.into_iter().flatten().all(is_there), "a path that depends on where the host is started");
    let bounds = config.bounds;
    assert!(bounds.calls > 0 && bounds.connections > 0 && bounds.rows > 0 && bounds.body_bytes > 0);
    assert!(!bounds.turn.is_zero() && !bounds.read.is_zero() && !bounds.connection.is_zero());
    let names: BTreeSet<String> = config.systems.iter().map(|of| of.name.as_str().to_ascii_lowercase()).collect();
    let uuids: BTreeSet<_> = config.systems.iter().map(|of| of.uuid).collect();
    assert!(names.len() == config.systems.len() && uuids.len() == names.len(), "two systems meant by the same words");
    assert!(config.systems.iter().all(|of| !of.certificates.is_empty()), "a system that cannot call");
}

/// Two deliveries, so that facts are opened and closed.
static SNAPSHOT: LazyLock<Snapshot> = LazyLock::new(|| {
    let replika = Replika::in_memory(&cpr_replika::Config::default()).expect("a store in memory");
    let style = || style(LineEnd::Lf, Padding::Cut, b"");
    for extract in [std_first(style(), Ending::Plain), std_second(style())] {
        replika.apply(Cursor::new(extract), &ApplyOptions::named("made-up")).expect("a sound extract");
    }
    replika.snapshot()
});

fn lake(text: &str, spelled: Option<&str>) {
    let Ok(profile) = Profile::parse(text) else { return };
    let again = Profile::parse(spelled.expect("what is read is TOML")).expect("the same profile");
    assert!(format!("{profile:?}") == format!("{again:?}"), "another profile in another spelling");
    let memory = Path::new("/dev/shm");
    let folder = match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    };
    let folder = folder.expect("a folder for a while");
    let key = PseudonymKey::new(&SNAPSHOT.derive_key("made up").expect("a sound store"));
    let options = LakeOptions { profile: &profile, key: &key, since: None, threads: 1 };
    let report =
        write_lake(&SNAPSHOT, folder.path(), &options, |_| ()).expect("a profile that is accepted makes a lake");
    assert_eq!(report.last, SNAPSHOT.known());
}
