//! Puts load on a running host, as a process of its own: how many lookups it answers a second, how long they take, and
//! what becomes of its memory, also beside clients that are slow, say half a request, or are too many.
//!
//! `cargo run --release -p cpr-host -- demo --folder demo`, and beside it
//! `cargo run --release -p cpr-host --example load -- demo --pid PID`. docs/hosting.md has figures.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use cpr_host::demo::SEED;
use cpr_host::demo::requests::{self, Requests};
use cpr_population::Population;
use cpr_wire::{Endpoint, sf1520};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

#[derive(Parser)]
#[command(about = "Puts load on a host that runs on the folder of `cpr-host demo`")]
struct Arguments {
    /// The folder of the demonstration.
    folder: PathBuf,
    /// How many persons it has.
    #[arg(long, default_value_t = 2000)]
    persons: u32,
    /// Where the host answers.
    #[arg(long, default_value = "127.0.0.1:8443")]
    address: SocketAddr,
    /// SF1520 or SF6008.
    #[arg(long, default_value = "SF1520")]
    service: String,
    /// Connections that ask one question after the other.
    #[arg(long, default_value_t = 16)]
    connections: u64,
    /// Questions a second by all of them; as many as are answered when left out.
    #[arg(long)]
    rate: Option<u64>,
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Connections beside them that never begin a handshake.
    #[arg(long, default_value_t = 0)]
    silent: usize,
    /// Connections beside them that send half a request, and begin again when they are closed.
    #[arg(long, default_value_t = 0)]
    halves: usize,
    /// The process of the host, whose memory is told.
    #[arg(long)]
    pid: Option<u32>,
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// What all threads share.
struct Shared {
    arguments: Arguments,
    tls: Arc<ClientConfig>,
    requests: Vec<String>,
    begun: Instant,
    over: AtomicBool,
    refused: AtomicU64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let tls = Arc::new(client(&arguments.folder)?);
    let requests = bodies(&arguments)?;
    let (seconds, pid) = (arguments.seconds, arguments.pid);
    let begun = Instant::now();
    let shared = Shared { arguments, tls, requests, begun, over: AtomicBool::new(false), refused: AtomicU64::new(0) };
    let shared = &shared;
    let memory = || pid.and_then(|pid| resident_kilobytes(pid).ok());
    let (mut took, mut lost) = (Vec::new(), 0);
    let mut sizes = Vec::new();
    thread::scope(|scope| {
        scope.spawn(move || hold_silent(shared));
        for _ in 0..shared.arguments.halves.min(64) {
            scope.spawn(move || hold_halves(shared));
        }
        let askers: Vec<_> = (0..shared.arguments.connections).map(|at| scope.spawn(move || ask(shared, at))).collect();
        while begun.elapsed() < Duration::from_secs(seconds) {
            sizes.extend(memory());
            thread::sleep(Duration::from_secs(1));
        }
        shared.over.store(true, Ordering::Relaxed);
        for asker in askers {
            let (times, failed) = asker.join().expect("an asker ends");
            took.extend(times);
            lost += failed;
        }
    });
    took.sort();
    let at = |part: f64| {
        took.get((took.len() as f64 * part) as usize).or(took.last()).map_or(0.0, |time| milliseconds(*time))
    };
    let (asked, a_second) = (took.len(), took.len() as f64 / seconds as f64);
    println!(
        "{asked} answers, {a_second:.0} a second; p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    println!(
        "{lost} questions lost their connection; {} other connections were closed",
        shared.refused.load(Ordering::Relaxed)
    );
    if let (Some(first), Some(last)) = (sizes.first(), sizes.last()) {
        let most = sizes.iter().max().expect("a size");
        let middle = sizes[sizes.len() / 2];
        println!("resident: first {first} kB, halfway {middle} kB, last {last} kB, most {most} kB");
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// One question after the other; how long each took, counted from when it was due, and how many were lost.
fn ask(shared: &Shared, at: u64) -> (Vec<Duration>, u64) {
    let (mut took, mut lost, mut stream, mut number) = (Vec::new(), 0, None, at);
    while !shared.over.load(Ordering::Relaxed) {
        let due = match shared.arguments.rate {
            None => Instant::now(),
            Some(rate) => {
                let due = shared.begun + Duration::from_secs_f64(number as f64 / rate as f64);
                thread::sleep(due.saturating_duration_since(Instant::now()));
                due
            }
        };
        let request = &shared.requests[number as usize % shared.requests.len()];
        number += shared.arguments.connections;
        let asked = connected(shared, &mut stream).and_then(|stream| question(stream, request));
        match asked {
            Ok(()) => took.push(due.elapsed()),
            Err(_) => {
                (lost, stream) = (lost + 1, None);
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
    (took, lost)
}

fn connected<'a>(shared: &Shared, stream: &'a mut Option<BufReader<Stream>>) -> io::Result<&'a mut BufReader<Stream>> {
    if stream.is_none() {
        *stream = Some(BufReader::new(connect(shared)?));
    }
    Ok(stream.as_mut().expect("it was put there"))
}

fn connect(shared: &Shared) -> io::Result<Stream> {
    let stream = TcpStream::connect(shared.arguments.address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    let client = ClientConnection::new(shared.tls.clone(), name).map_err(io::Error::other)?;
    Ok(StreamOwned::new(client, stream))
}

/// Sends a request and reads its answer, which must be one.
fn question(stream: &mut BufReader<Stream>, request: &str) -> io::Result<()> {
    stream.get_mut().write_all(request.as_bytes())?;
    let mut line = String::new();
    stream.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200 ") {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            Some(_) => {}
            None => break,
        }
    }
    io::copy(&mut stream.take(length), &mut io::sink())?;
    Ok(())
}

/// Connections that say nothing; those that are closed are opened again, a second later.
fn hold_silent(shared: &Shared) {
    let mut held: Vec<TcpStream> = Vec::new();
    while !shared.over.load(Ordering::Relaxed) {
        while held.len() < shared.arguments.silent && !shared.over.load(Ordering::Relaxed) {
            match TcpStream::connect(shared.arguments.address) {
                Ok(stream) => held.push(stream),
                Err(_) => break,
            }
        }
        thread::sleep(Duration::from_secs(1));
        let before = held.len();
        held.retain(|stream| {
            let is_open = |error: &io::Error| error.kind() == io::ErrorKind::WouldBlock;
            stream.set_nonblocking(true).is_ok() && stream.peek(&mut [0]).is_err_and(|error| is_open(&error))
        });
        shared.refused.fetch_add((before - held.len()) as u64, Ordering::Relaxed);
    }
}

/// Connections that send half a request, and wait for what becomes of them.
fn hold_halves(shared: &Shared) {
    let of_one = shared.arguments.halves.div_ceil(shared.arguments.halves.clamp(1, 64));
    while !shared.over.load(Ordering::Relaxed) {
        let mut held = Vec::new();
        for at in 0..of_one {
            let request = &shared.requests[at % shared.requests.len()];
            if let Ok(mut stream) = connect(shared)
                && stream.write_all(&request.as_bytes()[..request.len() / 2]).is_ok()
            {
                held.push(stream);
            }
        }
        for mut stream in held {
            stream.read_to_end(&mut Vec::new()).ok();
            shared.refused.fetch_add(1, Ordering::Relaxed);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// A request about each person who lives in the made-up country.
fn bodies(arguments: &Arguments) -> Result<Vec<String>, Box<dyn Error>> {
    let population = Population::new(SEED, arguments.persons);
    let fifth = sf1520::Version::V5;
    let endpoint = match arguments.service.as_str() {
        "SF1520" => Endpoint::Sf1520(fifth),
        "SF6008" => Endpoint::Sf6008,
        _ => return Err("SF1520 or SF6008".into()),
    };
    let living = (0..population.persons()).filter(|rank| population.lives_here(*rank));
    let requests = living.map(|rank| {
        let pnr = population.pnr_at(rank);
        let request = match endpoint {
            Endpoint::Sf6008 => requests::lookup_sf6008(pnr.reveal()),
            _ => requests::lookup_sf1520(fifth, pnr.reveal()),
        };
        let body = requests::complete(endpoint, &Requests::SCHOOL, &request);
        let (path, length) = (endpoint.path(), body.len());
        format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/xml\r\ncontent-length: {length}\r\n\r\n{body}")
    });
    Ok(requests.collect())
}

fn client(folder: &Path) -> Result<ClientConfig, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("authority.pem"))?)?;
    let (certificate, key) = (folder.join("school.pem"), folder.join("school.key"));
    let (certificate, key) = (CertificateDer::from_pem_file(certificate)?, PrivateKeyDer::from_pem_file(key)?);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_client_auth_cert(vec![certificate], key)?)
}

/// `VmRSS` of a process.
fn resident_kilobytes(pid: u32) -> io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok());
    number.ok_or_else(|| io::ErrorKind::InvalidData.into())
}
