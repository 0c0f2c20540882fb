//! Puts load on a running host, as a process of its own: how many lookups it answers a second, how long they take, what
//! becomes of its memory, also beside clients that are slow, say half a request, or are too many; and whether each
//! answer is of one delivery.
//!
//! `cargo run --release -p cpr-host -- demo --folder demo`, and beside it
//! `cargo run --release -p cpr-host --example load -- demo --pid PID`. docs/hosting.md has figures; `.ci/clients/night`
//! runs it while nights pass.

mod answers;
mod client;

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use cpr_host::demo::SEED;
use cpr_host::demo::requests::{self, Requests};
use cpr_population::Population;
use cpr_replika::cpr_model::{Date, Pnr};
use cpr_wire::{Endpoint, sf1520};

use answers::Seen;
use client::{Client, Stream, question};

/// The version of SF1520 that is asked.
const VERSION: sf1520::Version = sf1520::Version::V5;

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
    /// Asks until standard input ends, however long that is.
    #[arg(long)]
    until_end_of_input: bool,
    /// Connections beside them that never begin a handshake.
    #[arg(long, default_value_t = 0)]
    silent: usize,
    /// Connections beside them that send half a request, and begin again when they are closed.
    #[arg(long, default_value_t = 0)]
    halves: usize,
    /// The process of the host, whose memory is told.
    #[arg(long)]
    pid: Option<u32>,
    /// Holds the answers of SF1520 against this store, once the host has ended.
    #[arg(long)]
    store: Option<PathBuf>,
}

/// What all threads share.
struct Shared {
    arguments: Arguments,
    client: Client,
    requests: Vec<String>,
    seen: Option<Seen>,
    begun: Instant,
    over: AtomicBool,
    closed: AtomicU64,
}

/// What became of the questions: when each was due, and how long its answer took from then on; and when those were due
/// that got none.
#[derive(Default)]
struct Asked {
    answered: Vec<(Duration, Duration)>,
    lost: Vec<Duration>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let client = Client::of_demo(&arguments.folder, arguments.address)?;
    let population = Population::new(SEED, arguments.persons);
    let living = (0..population.persons()).filter(|rank| population.lives_here(*rank));
    let persons: Vec<Pnr> = living.map(|rank| population.pnr_at(rank)).collect();
    let requests = bodies(&arguments, &persons)?;
    let seen = arguments.store.as_ref().map(|_| Seen::of(persons.len()));
    let (begun, first_day) = (Instant::now(), today()?);
    let shared =
        Shared { arguments, client, requests, seen, begun, over: AtomicBool::new(false), closed: AtomicU64::new(0) };
    let (asked, sizes) = ask_all(&shared);
    report(&shared, asked, &sizes);
    if let (Some(store), Some(seen)) = (&shared.arguments.store, &shared.seen) {
        let (count, wrong) = seen.check(store, &persons, &[first_day, today()?])?;
        println!("{count} different answers about {} persons, {wrong} of no delivery or an earlier one", persons.len());
        if wrong > 0 {
            return Err("an answer is not of one delivery".into());
        }
    }
    Ok(())
}

/// Asks until it is over; what became of it, and the sizes of the host.
fn ask_all(shared: &Shared) -> (Asked, Vec<u64>) {
    let arguments = &shared.arguments;
    let (mut all, mut sizes) = (Asked::default(), Vec::new());
    if arguments.until_end_of_input {
        println!("asking");
    }
    thread::scope(|scope| {
        scope.spawn(move || hold_silent(shared));
        for _ in 0..arguments.halves.min(64) {
            scope.spawn(move || hold_halves(shared));
        }
        if arguments.until_end_of_input {
            scope.spawn(move || {
                io::stdin().read_to_end(&mut Vec::new()).ok();
                shared.over.store(true, Ordering::Relaxed);
            });
        }
        let askers: Vec<_> = (0..arguments.connections).map(|at| scope.spawn(move || ask(shared, at))).collect();
        let is_time =
            || arguments.until_end_of_input || shared.begun.elapsed() < Duration::from_secs(arguments.seconds);
        while is_time() && !shared.over.load(Ordering::Relaxed) {
            sizes.extend(arguments.pid.and_then(|pid| resident_kilobytes(pid).ok()));
            thread::sleep(Duration::from_secs(1));
        }
        shared.over.store(true, Ordering::Relaxed);
        for asker in askers {
            let asked = asker.join().expect("an asker ends");
            all.answered.extend(asked.answered);
            all.lost.extend(asked.lost);
        }
    });
    (all, sizes)
}

fn report(shared: &Shared, mut asked: Asked, sizes: &[u64]) {
    let seconds = shared.begun.elapsed().as_secs_f64();
    asked.answered.sort_by_key(|(_, took)| *took);
    let at = |part: f64| {
        let took = asked.answered.get((asked.answered.len() as f64 * part) as usize).or(asked.answered.last());
        took.map_or(0.0, |(_, took)| took.as_secs_f64() * 1e3)
    };
    let (count, a_second) = (asked.answered.len(), asked.answered.len() as f64 / seconds);
    let (middle, late, latest, last) = (at(0.5), at(0.99), at(0.999), at(1.0));
    println!(
        "{count} answers in {seconds:.0} s, {a_second:.0} a second; \
         p50 {middle:.2} ms, p99 {late:.2} ms, p999 {latest:.2} ms, most {last:.2} ms"
    );
    let (lost, closed) = (asked.lost.len(), shared.closed.load(Ordering::Relaxed));
    let seconds_with_lost: std::collections::BTreeSet<u64> = asked.lost.iter().map(Duration::as_secs).collect();
    println!(
        "{lost} questions without an answer, in {} seconds; {closed} other connections were closed",
        seconds_with_lost.len()
    );
    if let (Some(first), Some(last), Some(most)) = (sizes.first(), sizes.last(), sizes.iter().max()) {
        println!("resident: first {first} kB, halfway {} kB, last {last} kB, most {most} kB", sizes[sizes.len() / 2]);
    }
}

/// One question after the other, each when it is due.
fn ask(shared: &Shared, at: u64) -> Asked {
    let (mut asked, mut stream, mut number) = (Asked::default(), None, at);
    while !shared.over.load(Ordering::Relaxed) {
        let due = match shared.arguments.rate {
            None => shared.begun.elapsed(),
            Some(rate) => {
                let due = Duration::from_secs_f64(number as f64 / rate as f64);
                thread::sleep(due.saturating_sub(shared.begun.elapsed()));
                due
            }
        };
        let person = number as usize % shared.requests.len();
        number += shared.arguments.connections;
        match connected(shared, &mut stream).and_then(|stream| question(stream, &shared.requests[person])) {
            Ok(answer) => {
                asked.answered.push((due, shared.begun.elapsed().saturating_sub(due)));
                shared.seen.iter().for_each(|seen| seen.note(person, &answer));
            }
            Err(_) => {
                asked.lost.push(due);
                stream = None;
                // At a rate it is the next question's time that is waited for.
                if shared.arguments.rate.is_none() {
                    thread::sleep(Duration::from_millis(20));
                }
            }
        }
    }
    asked
}

fn connected<'a>(shared: &Shared, stream: &'a mut Option<Stream>) -> io::Result<&'a mut Stream> {
    if stream.is_none() {
        *stream = Some(shared.client.connect()?);
    }
    Ok(stream.as_mut().expect("it was put there"))
}

/// Connections that say nothing; those that are closed are opened again, a second later.
fn hold_silent(shared: &Shared) {
    let mut held: Vec<TcpStream> = Vec::new();
    while !shared.over.load(Ordering::Relaxed) {
        while held.len() < shared.arguments.silent && !shared.over.load(Ordering::Relaxed) {
            match TcpStream::connect(shared.client.address) {
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
        shared.closed.fetch_add((before - held.len()) as u64, Ordering::Relaxed);
    }
}

/// Connections that send half a request, and wait for what becomes of them.
fn hold_halves(shared: &Shared) {
    let of_one = shared.arguments.halves.div_ceil(shared.arguments.halves.clamp(1, 64));
    while !shared.over.load(Ordering::Relaxed) {
        let mut held = Vec::new();
        for at in 0..of_one {
            let request = &shared.requests[at % shared.requests.len()];
            if let Ok(mut stream) = shared.client.connect()
                && stream.get_mut().write_all(&request.as_bytes()[..request.len() / 2]).is_ok()
            {
                held.push(stream);
            }
        }
        for mut stream in held {
            stream.read_to_end(&mut Vec::new()).ok();
            shared.closed.fetch_add(1, Ordering::Relaxed);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// A request about each person.
fn bodies(arguments: &Arguments, persons: &[Pnr]) -> Result<Vec<String>, Box<dyn Error>> {
    let endpoint = match arguments.service.as_str() {
        "SF1520" => Endpoint::Sf1520(VERSION),
        "SF6008" if arguments.store.is_none() => Endpoint::Sf6008,
        _ => return Err("SF1520, or SF6008 without a store".into()),
    };
    let requests = persons.iter().map(|pnr| {
        let request = match endpoint {
            Endpoint::Sf6008 => requests::lookup_sf6008(pnr.reveal()),
            _ => requests::lookup_sf1520(VERSION, pnr.reveal()),
        };
        let body = requests::complete(endpoint, &Requests::SCHOOL, &request);
        let (path, length) = (endpoint.path(), body.len());
        format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/xml\r\ncontent-length: {length}\r\n\r\n{body}")
    });
    Ok(requests.collect())
}

/// Today in Denmark, as the host has it.
fn today() -> Result<Date, Box<dyn Error>> {
    let today = jiff::Timestamp::now().in_tz("Europe/Copenhagen")?.date();
    Ok(Date::parse(&today.to_string()).ok_or("a day of the calendar")?)
}

/// `VmRSS` of a process.
fn resident_kilobytes(pid: u32) -> io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok());
    number.ok_or_else(|| io::ErrorKind::InvalidData.into())
}
