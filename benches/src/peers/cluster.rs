//! A PostgreSQL server for the time of a benchmark: Debian's package, a cluster of its own in a folder, reached through
//! a socket in it and by nobody else.
//!
//! PostgreSQL refuses to run as root; where the benchmark does, the server is the package's user `postgres`.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

/// The role of the benchmark, and the database of it.
const NAME: &str = "replika_bench";

/// A dedicated machine of some memory, bulk loads and durable commits, as PostgreSQL's documentation recommends.
/// Nothing replicates, so that a load into a new table needs no log. What autovacuum does at some time is done at once
/// instead ([`super::Rows::tidy`]), not while others are measured.
const SETTINGS: [&str; 18] = [
    "listen_addresses=",
    "shared_buffers=1GB",
    "effective_cache_size=4GB",
    "work_mem=64MB",
    "maintenance_work_mem=512MB",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=8GB",
    "checkpoint_timeout=1h",
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "autovacuum=off",
    "random_page_cost=1.1",
    "jit=off",
    "plan_cache_mode=force_generic_plan",
    "max_parallel_workers_per_gather=0",
    "max_connections=200",
];

/// A running server, which ends with this.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    server: Child,
}

impl Cluster {
    /// Makes a cluster in a new folder and starts its server.
    ///
    /// # Errors
    /// Why there is none, for people: PostgreSQL is no part of the workspace.
    pub fn start(folder: &Path) -> Result<Cluster, String> {
        let programs = programs().ok_or("it is not installed (Debian's package `postgresql`)")?;
        let owner = owner()?;
        let told = |error: std::io::Error| error.to_string();
        std::fs::create_dir(folder).map_err(told)?;
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::chown(folder, Some(uid), Some(gid)).map_err(told)?;
        }
        let command = |program: &str| {
            let log = File::options().create(true).append(true).open(folder.with_extension("log")).map_err(told)?;
            let mut command = Command::new("setpriv");
            // The server ends with the benchmark, however that ends.
            command.args(["--pdeathsig", "INT"]);
            if let Some((uid, gid)) = owner {
                command.args([&format!("--reuid={uid}"), &format!("--regid={gid}"), "--clear-groups"]);
            }
            command.arg(programs.join(program)).arg("-D").arg(folder.join("data")).current_dir(folder);
            command.stdin(Stdio::null()).stdout(log.try_clone().map_err(told)?).stderr(log);
            Ok::<Command, String>(command)
        };
        let failed = || {
            let log = std::fs::read_to_string(folder.with_extension("log")).unwrap_or_default();
            log.lines().last().unwrap_or("it does not start").to_owned()
        };
        let mut initdb = command("initdb")?;
        initdb.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]).args(["-U", NAME]);
        if !initdb.status().map_err(told)?.success() {
            return Err(failed());
        }
        let mut server = command("postgres")?;
        server.arg("-k").arg(folder);
        for setting in SETTINGS {
            server.args(["-c", setting]);
        }
        let mut cluster = Cluster { folder: folder.to_owned(), server: server.spawn().map_err(told)? };
        let start = Instant::now();
        while client(folder, "postgres").is_err() {
            let has_ended = cluster.server.try_wait().map_err(told)?.is_some();
            if has_ended || start.elapsed() > Duration::from_secs(60) {
                return Err(failed());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(cluster)
    }

    /// Puts an empty database into the place of the one before.
    pub fn empty(&self) {
        let mut client = client(&self.folder, "postgres").expect("a connection");
        for statement in ["DROP DATABASE IF EXISTS", "CREATE DATABASE"] {
            client.batch_execute(&format!("{statement} {NAME}")).expect("an empty database");
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A fast shutdown: connections are closed, and everything is written.
        let told = Command::new("kill").args(["-INT", &self.server.id().to_string()]).status();
        if told.is_ok_and(|status| status.success()) {
            self.server.wait().ok();
        }
    }
}

/// A connection to the database of the benchmark, of the cluster in a folder.
pub(super) fn connect(folder: &Path) -> Client {
    client(folder, NAME).expect("a connection")
}

fn client(folder: &Path, database: &str) -> Result<Client, postgres::Error> {
    postgres::Config::new().host_path(folder).user(NAME).dbname(database).connect(NoTls)
}

/// Where Debian puts the programs of the latest version that is installed.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let found = versions.map(|version| version.path().join("bin")).filter(|path| path.join("initdb").is_file());
    found.max_by_key(|path| path.iter().rev().nth(1)?.to_str()?.parse::<u32>().ok())
}

/// `PostgreSQL 15.14`, if it is installed.
pub(super) fn version() -> Option<String> {
    let output = Command::new(programs()?.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split_whitespace().nth(2).map(|version| format!("PostgreSQL {version}"))
}

/// Whom the cluster belongs to, when it cannot belong to who runs the benchmark: user and group of `postgres`.
fn owner() -> Result<Option<(u32, u32)>, String> {
    let runs_as_root = std::fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0);
    if !runs_as_root {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    let user = users.lines().find_map(|line| line.strip_prefix("postgres:"));
    let mut numbers = user.into_iter().flat_map(|user| user.split(':').skip(1)).map_while(|part| part.parse().ok());
    numbers.next().zip(numbers.next()).map(Some).ok_or_else(|| "there is no user `postgres`".to_owned())
}
