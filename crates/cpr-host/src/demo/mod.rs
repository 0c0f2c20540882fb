//! `cpr-host demo`: a made-up Denmark, certificates made on the spot, a configuration, and a request to try of each
//! kind.
//!
//! Everything stands in one folder, so that it can be looked at: it is what an installation consists of. Nobody in it
//! exists (60 is added to the day of every number).

mod certificates;
pub mod requests;

pub use certificates::{Authority, Identity};
use requests::Requests;

use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use cpr_population::{Population, Product};
use cpr_replika::cpr_extract::Family;
use cpr_replika::{ApplyOptions, Replika};
use private_file::PartFile;

/// A folder with everything that a host needs.
#[derive(Debug)]
pub struct Demo {
    /// The folder.
    pub folder: PathBuf,
    /// The configuration in it.
    pub config: PathBuf,
    /// The requests in it.
    pub requests: Requests,
    /// Who issued the certificates.
    pub authority: Authority,
    population: Population,
}

/// Why there is no demonstration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The folder.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The store.
    #[error("{0}")]
    Store(#[from] cpr_replika::Error),
    /// The certificates.
    #[error("certificates: {0}")]
    Certificates(#[from] rcgen::Error),
    /// The system gives no random bytes.
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// Fewer persons than the requests ask about.
    #[error("a demonstration has 100 persons at least")]
    TooFew,
}

/// The seed of the population: the same persons every time, and for whoever asks about them from outside.
pub const SEED: u64 = 7;
const TASK: &str = "123401";

impl Demo {
    /// Fills an empty folder; `address` and `operations` are where the host will answer, port 0 for any that is free.
    ///
    /// # Errors
    /// [`DemoError`].
    pub fn prepare(
        folder: &Path,
        persons: u32,
        address: SocketAddr,
        operations: SocketAddr,
    ) -> Result<Demo, DemoError> {
        if persons < 100 {
            return Err(DemoError::TooFew);
        }
        private_file::make_folder(folder)?;
        let population = Population::new(SEED, persons);
        load(folder, &population)?;
        let authority = Authority::new("Demo authority")?;
        write(&folder.join("authority.pem"), authority.pem().as_bytes())?;
        let host = authority.issue("localhost", &["localhost", "127.0.0.1", "::1"])?;
        host.write(folder, "host")?;
        let systems = [("school", Requests::SCHOOL), ("clinic", Requests::CLINIC)];
        let mut tables = String::new();
        for (name, context) in systems {
            let identity = authority.issue(name, &[])?;
            identity.write(folder, name)?;
            tables += &context.table(name, &identity.fingerprint_text());
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        write(&folder.join("access.key"), &key)?;
        let config = folder.join("cpr-host.toml");
        let listen = format!("[listen]\naddress = \"{address}\"\noperations = \"{operations}\"\n");
        write(&config, format!("{HEAD}{listen}{REST}{tables}").as_bytes())?;
        for folder_of in ["inbox", "outbox", "nights"] {
            private_file::make_folder(&folder.join(folder_of))?;
        }
        let requests = Requests::write(&folder.join("requests"), &population)?;
        Ok(Demo { folder: folder.to_owned(), config, requests, authority, population })
    }

    /// Writes extracts of nights, in which the persons whom the requests are about move and little else happens; their
    /// paths in order.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write_nights(&self, nights: usize) -> io::Result<Vec<PathBuf>> {
        let product = product();
        let mut deltas = self.population.deltas(&product, 20);
        let moving: Vec<u32> =
            (0..self.population.persons()).filter(|rank| self.population.lives_here(*rank)).take(5).collect();
        let mut paths = Vec::new();
        for _ in 0..nights {
            let day = deltas.next_production_date().to_string().replace('-', "");
            let path = self.folder.join("nights").join(format!("D{}.L{TASK}", &day[2..]));
            let part = PartFile::create(&path)?;
            deltas.next_delta_of_moves(io::BufWriter::new(part.file()), &moving)?.flush()?;
            part.publish()?;
            paths.push(path);
        }
        Ok(paths)
    }

    /// The persons.
    pub fn population(&self) -> &Population {
        &self.population
    }

    /// A `curl` line for each request, with what it shows.
    pub fn curl_lines(&self, address: SocketAddr, operations: SocketAddr) -> Vec<(String, String)> {
        let at = |name: &str| self.folder.join(name).display().to_string();
        let lines = self.requests.list().iter().map(|request| {
            let (cert, key) = (at(&format!("{}.pem", request.system)), at(&format!("{}.key", request.system)));
            let line = format!(
                "curl -s --cacert {} --cert {cert} --key {key} -H 'Content-Type: text/xml' --data-binary @{} \
                 https://localhost:{}{}",
                at("authority.pem"),
                request.file.display(),
                address.port(),
                request.endpoint.path(),
            );
            (request.shows.to_owned(), line)
        });
        let operations = [
            ("what is counted".to_owned(), format!("curl -s http://{operations}/metrics")),
            ("whether it is well".to_owned(), format!("curl -s http://{operations}/health")),
        ];
        lines.chain(operations).collect()
    }
}

const HEAD: &str = "\
# Written by `cpr-host demo`; cpr-host.example.toml says what each setting means.
store = \"replika.db\"
cache_megabytes = 64

";

const REST: &str = "\
certificate = \"host.pem\"
key = \"host.key\"
client_authorities = \"authority.pem\"

[inbox]
folder = \"inbox\"
outbox = \"outbox\"
settled_seconds = 1

[log]
folder = \"access\"
key = \"access.key\"
";

/// The made-up country, as an extract and in a store.
fn load(folder: &Path, population: &Population) -> Result<(), DemoError> {
    let name = "full-extract";
    let path = folder.join(name);
    let part = PartFile::create(&path)?;
    population.full_extract(io::BufWriter::new(part.file()), &product())?.flush()?;
    part.publish()?;
    let replika = Replika::create(folder.join("replika.db"), &cpr_replika::Config::default())?;
    replika.load(BufReader::new(File::open(&path)?), &ApplyOptions::named(name))?;
    Ok(fs::remove_file(&path)?)
}

fn product() -> Product {
    Product { family: Family::named("2022").expect("a family of the layout tables"), task: TASK.to_owned() }
}

/// Writes a file for its owner alone.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = PartFile::create(path)?;
    part.file().write_all(bytes)?;
    part.publish()
}
