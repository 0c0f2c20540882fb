//! A small service on one replika, on std alone: extracts come into a folder, subscribers' files go to another, and
//! whoever asks over HTTP is told what happens, and waits for it where nothing has yet.
//!
//! `cargo run -p cpr-replika --example service -- STORE INBOX OUTBOX 127.0.0.1:8080`, and with it running
//! `curl '127.0.0.1:8080/events?since=0&wait=30'`. It ends when its standard input does.
//!
//! One thread applies and delivers; each connection reads from snapshots of its own and waits for nobody. It trusts
//! whoever can connect: a real one asks who they are, logs it, and speaks TLS.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use cpr_replika::apply::{ApplyOptions, Progress};
use cpr_replika::deliver::FolderSink;
use cpr_replika::events::{EventCursor, EventFilter};
use cpr_replika::{Config, DeliveryNumber, Error, ErrorClass, Options, Replika};

/// How often the inbox is looked at, and how long a wait may last before the service looks whether it is to end.
const BEAT: Duration = Duration::from_millis(200);
/// How long a client may wait for an event.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The longest line of a request that is read.
const LONGEST_LINE: u64 = 4096;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, inbox, outbox, address] = arguments.as_slice() else {
        return Err("usage: service STORE INBOX OUTBOX ADDRESS".into());
    };
    let replika = Replika::open_or_create(store, &Config::default(), &Options::default())?;
    let service = Service::start(replika, Path::new(inbox), Path::new(outbox), address)?;
    println!("http://{}/events?since=0&wait=30", service.address());
    io::copy(&mut io::stdin(), &mut io::sink())?;
    service.stop();
    Ok(())
}

/// The running service.
pub struct Service {
    replika: Arc<Replika>,
    stopping: Arc<AtomicBool>,
    address: SocketAddr,
    threads: Vec<JoinHandle<()>>,
}

impl Service {
    /// Begins to take extracts from the inbox and to answer at an address.
    pub fn start(replika: Replika, inbox: &Path, outbox: &Path, address: &str) -> io::Result<Service> {
        fs::create_dir_all(inbox)?;
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let (replika, stopping) = (Arc::new(replika), Arc::new(AtomicBool::new(false)));
        let intake = Intake {
            replika: Arc::clone(&replika),
            stopping: Arc::clone(&stopping),
            inbox: inbox.to_owned(),
            sink: FolderSink::new(outbox),
        };
        let answering = (Arc::clone(&replika), Arc::clone(&stopping));
        let threads = vec![
            thread::spawn(move || intake.run()),
            thread::spawn(move || accept_clients(&listener, &answering.0, &answering.1)),
        ];
        Ok(Service { replika, stopping, address, threads })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The replika, for who wants more of it: adding subscribers while the service runs is fine.
    pub fn replika(&self) -> &Replika {
        &self.replika
    }

    /// Ends: an extract that is being applied is left for the next start, with the store as before it.
    pub fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        // Whoever waits for a client has to be told.
        TcpStream::connect(self.address).ok();
        for thread in self.threads {
            thread.join().ok();
        }
    }
}

/// Takes extracts from a folder, in the order of their names, which is that of CPR's dates.
struct Intake {
    replika: Arc<Replika>,
    stopping: Arc<AtomicBool>,
    inbox: PathBuf,
    sink: FolderSink,
}

impl Intake {
    fn run(mut self) {
        while !self.stopping.load(Ordering::Relaxed) {
            match self.take_next() {
                Ok(true) => continue,
                Ok(false) => {}
                Err(trouble) => eprintln!("{trouble}; to be tried again"),
            }
            thread::sleep(BEAT);
        }
    }

    /// Applies the first extract of the inbox, sends the subscribers their files, and puts it away; false when there is
    /// none.
    fn take_next(&mut self) -> Result<bool, Box<dyn std::error::Error>> {
        let Some(name) = first_extract(&self.inbox)? else { return Ok(false) };
        let path = self.inbox.join(&name);
        let stopping = &self.stopping;
        let progress = |_: Progress| match stopping.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let options = ApplyOptions {
            applied_at: Some(now.as_secs() as i64),
            progress: Some(&progress),
            ..ApplyOptions::named(&name)
        };
        // The first extract is a starting point, of which nobody is told.
        let take = if self.replika.snapshot().known() == DeliveryNumber(0) { Replika::load } else { Replika::apply };
        let report = match take(&self.replika, File::open(&path)?, &options) {
            Err(Error::Stopped) => return Ok(false),
            Err(error) if error.class() == ErrorClass::RefusedInput => {
                eprintln!("{name} is refused: {error}");
                fs::rename(&path, self.inbox.join(format!(".{name}.refused")))?;
                return Ok(true);
            }
            // Out of order, or trouble with the store: the file stays, and is tried again.
            taken => taken?,
        };
        // Again after a crash, this writes the same files once more: the store knows what was given.
        let delivered = self.replika.deliver(&report.delivery, File::open(&path)?, &mut self.sink)?;
        if let Some(failed) = delivered.undelivered.into_iter().next() {
            return Err(failed.error.into());
        }
        fs::rename(&path, self.inbox.join(format!(".{name}.done")))?;
        Ok(true)
    }
}

/// The first name in a folder that is not hidden. Whoever puts an extract there writes it under a hidden name, and
/// renames it.
fn first_extract(folder: &Path) -> io::Result<Option<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.extend(entry?.file_name().into_string());
    }
    names.retain(|name| !name.starts_with('.'));
    Ok(names.into_iter().min())
}

/// Gives every client a thread.
fn accept_clients(listener: &TcpListener, replika: &Arc<Replika>, stopping: &Arc<AtomicBool>) {
    let mut clients: Vec<JoinHandle<()>> = Vec::new();
    for client in listener.incoming() {
        if stopping.load(Ordering::Relaxed) {
            break;
        }
        let Ok(client) = client else { continue };
        let (replika, stopping) = (Arc::clone(replika), Arc::clone(stopping));
        clients.retain(|client| !client.is_finished());
        clients.push(thread::spawn(move || {
            // A client that went away has nobody to be told.
            answer_client(client, &replika, &stopping).ok();
        }));
    }
    clients.into_iter().for_each(|client| _ = client.join());
}

fn answer_client(client: TcpStream, replika: &Replika, stopping: &AtomicBool) -> io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut lines = BufReader::new(&client).take(LONGEST_LINE).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let target = request.strip_prefix("GET ").and_then(|rest| rest.split(' ').next());
    let answer = match target.and_then(|target| target.strip_prefix("/events")) {
        Some(query) => answer_events(query.trim_start_matches('?'), replika, stopping),
        None => Ok(None),
    };
    let (status, body) = match answer {
        Ok(Some(events)) => ("200 OK", events),
        Ok(None) => ("404 Not Found", String::new()),
        // An error never says of whom.
        Err(error) => (status_of(&error), format!("{error}\n")),
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: text/tab-separated-values; charset=utf-8\r\n");
    write!(&client, "{head}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// What a class of errors is in HTTP.
fn status_of(error: &Error) -> &'static str {
    match error.class() {
        ErrorClass::NotFound => "404 Not Found",
        ErrorClass::BadQuestion => "400 Bad Request",
        ErrorClass::OutOfOrder => "409 Conflict",
        ErrorClass::RefusedInput => "422 Unprocessable Content",
        ErrorClass::Busy | ErrorClass::Storage | ErrorClass::Stopped => "503 Service Unavailable",
        _ => "500 Internal Server Error",
    }
}

/// The events behind a place: `since=CURSOR`, a line each, beginning with the place to ask from next. Where there are
/// none, they are waited for: `wait=SECONDS`.
fn answer_events(query: &str, replika: &Replika, stopping: &AtomicBool) -> Result<Option<String>, Error> {
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let since: EventCursor = value("since").unwrap_or("0").parse()?;
    let wait = value("wait").and_then(|seconds| seconds.parse().ok()).map_or(Duration::ZERO, Duration::from_secs);
    let end = Instant::now() + wait.min(LONGEST_WAIT);
    loop {
        let snapshot = replika.snapshot();
        let mut lines = String::new();
        for event in snapshot.events_since(since, EventFilter::default())? {
            let event = event?;
            lines += &format!("{}\t{}\t{}\t{}\n", event.cursor, event.id, event.kind.name(), event.pnr.reveal());
        }
        let now = Instant::now();
        if !lines.is_empty() || now >= end || stopping.load(Ordering::Relaxed) {
            return Ok(Some(lines));
        }
        // Woken by the next delivery; now and then to look whether the service is to end.
        let next = DeliveryNumber(snapshot.known().0 + 1);
        replika.wait_for(next, BEAT.min(end - now));
    }
}
