//! Events posted to a receiver: each at least once, with one id, in order of each person.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cpr_host::config::{ClientTls, Config, Destination, Events};
use cpr_replika::{BusinessEvent, EventCursor, EventFilter};
use cpr_wire::event_message::{Id, Publisher};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use uuid::Uuid;

use crate::kit::Running;

/// Decides on a message: status of HTTP, and the code of the receipt.
type Policy = Box<dyn Fn(&str) -> (u16, u32) + Send + Sync>;

/// Receives messages, and keeps those that it takes.
struct Receiver {
    port: u16,
    taken: Arc<Mutex<Vec<String>>>,
    policy: Arc<Mutex<Policy>>,
    over: Arc<AtomicBool>,
}

impl Receiver {
    /// Under the certificates of the folder, at a port.
    fn start(folder: &Path, port: u16) -> Receiver {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let receiver = Receiver {
            port,
            taken: Arc::default(),
            policy: Arc::new(Mutex::new(Box::new(|_| (200, 20)))),
            over: Arc::default(),
        };
        let tls = server(folder);
        let (taken, policy, over) = (receiver.taken.clone(), receiver.policy.clone(), receiver.over.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let (tls, taken, policy, over) = (tls.clone(), taken.clone(), policy.clone(), over.clone());
                std::thread::spawn(move || {
                    let connection = ServerConnection::new(tls).expect("a server");
                    let mut stream = BufReader::new(StreamOwned::new(connection, stream.expect("a connection")));
                    while let Some(body) = read_body(&mut stream) {
                        if over.load(Ordering::Relaxed) {
                            return;
                        }
                        let (status, code) = policy.lock().expect("a policy")(&body);
                        if (status, code) == (200, 20) {
                            taken.lock().expect("messages").push(body);
                        }
                        let answer = format!(
                            "<o:ModtagBeskedOutput xmlns:o=\"urn:oio:sts:1.0.0\"><StandardRetur xmlns=\"urn:oio:sagdok:3.0.0\">\
                             <StatusKode>{code}</StatusKode></StandardRetur></o:ModtagBeskedOutput>"
                        );
                        let head = format!("HTTP/1.1 {status} .\r\ncontent-length: {}\r\n\r\n", answer.len());
                        if stream.get_mut().write_all(format!("{head}{answer}").as_bytes()).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        receiver
    }

    fn set(&self, policy: impl Fn(&str) -> (u16, u32) + Send + Sync + 'static) {
        *self.policy.lock().expect("a policy") = Box::new(policy);
    }

    fn taken(&self) -> Vec<String> {
        self.taken.lock().expect("messages").clone()
    }

    /// Takes no connection any more, and answers on none.
    fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        std::net::TcpStream::connect(("127.0.0.1", self.port)).ok();
        while TcpListener::bind(("127.0.0.1", self.port)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

pub(crate) fn server(folder: &Path) -> Arc<ServerConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(folder.join("authority.pem")).expect("an authority"))
        .expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    let certificate = CertificateDer::from_pem_file(folder.join("host.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(folder.join("host.key")).expect("a key");
    let server = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let server = server.with_client_cert_verifier(verifier.expect("a verifier"));
    Arc::new(server.with_single_cert(vec![certificate], key).expect("a certificate with its key"))
}

fn read_body(stream: &mut impl BufRead) -> Option<String> {
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.to_lowercase().trim_end() {
            "" => break,
            head => {
                length = head.strip_prefix("content-length: ").map_or(length, |text| text.parse().expect("a number"))
            }
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(String::from_utf8(body).expect("UTF-8"))
}

/// Events of the folder's host, to this port.
pub(crate) fn events_to(folder: &Path, port: u16) -> Events {
    let at = |name: &str| folder.join(name);
    let message_type = Id::Uuid(Uuid::from_u128(7));
    Events {
        consumer: "events".to_owned(),
        publisher: Publisher {
            message_type,
            responsible: None,
            source: None,
            classification: None,
            actions: Vec::new(),
        },
        authorities: BTreeMap::new(),
        receivers: Vec::new(),
        refusals: 2,
        most_parked: 1000,
        retry: Duration::from_millis(10),
        parked: at("parked"),
        lanes: 4,
        to: Destination::Rest {
            url: format!("https://localhost:{port}/events").parse().expect("a URL"),
            tls: ClientTls { authorities: at("authority.pem"), certificate: at("school.pem"), key: at("school.key") },
        },
    }
}

/// A host that publishes to a receiver, and nights to come.
fn start(nights: usize) -> (Running, Receiver, Vec<PathBuf>) {
    let mut running = Running::start();
    running.stop();
    let receiver = Receiver::start(running.folder.path(), 0);
    let nights = running.demo.write_nights(nights).expect("nights");
    start_again(&mut running, receiver.port);
    (running, receiver, nights)
}

fn start_again(running: &mut Running, port: u16) {
    let folder = running.folder.path().to_owned();
    running.start_again(|config: &mut Config| {
        config.inbox.as_mut().expect("an inbox").settled = Duration::ZERO;
        config.events = Some(events_to(&folder, port));
    });
}

pub(crate) fn put(running: &Running, night: &Path) {
    let inbox = running.folder.path().join("inbox");
    fs::copy(night, inbox.join(night.file_name().expect("a name"))).expect("a copy");
}

/// All events of the store.
fn all_events(running: &Running) -> Vec<BusinessEvent> {
    let feed = running.host().replika().snapshot().events_since(EventCursor::BEGINNING, EventFilter::default());
    feed.expect("a feed").collect::<Result<_, _>>().expect("events")
}

pub(crate) fn wait_for_delivery(running: &Running, delivery: u32) {
    running.wait_until("a delivery", |running| running.watch("/health").body.contains(&format!(":{delivery}}}")));
}

pub(crate) fn wait_for(running: &Running, line: &str) {
    running.wait_until(line, |running| running.watch("/metrics").body.lines().any(|found| found == line));
}

/// The ids of messages.
fn ids(messages: &[String]) -> Vec<String> {
    let id = |message: &String| {
        let (_, rest) = message.split_once("<b:BeskedId><UUIDIdentifikator>").expect("an id");
        rest.split_once('<').expect("an end").0.to_owned()
    };
    messages.iter().map(id).collect()
}

/// Every event came, and each person's in their order when what comes again is left out.
fn check(running: &Running, taken: &[String]) {
    let events = all_events(running);
    let mut seen = BTreeSet::new();
    let first: Vec<String> = ids(taken).into_iter().filter(|id| seen.insert(id.clone())).collect();
    assert_eq!(seen, events.iter().map(|event| event.id.to_string()).collect(), "every event, and no other");
    let mut of_person: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for event in &events {
        of_person.entry(event.pnr).or_default().push(event.id.to_string());
    }
    for ids in of_person.values() {
        let came: Vec<&String> = first.iter().filter(|id| ids.contains(id)).collect();
        assert!(came.into_iter().eq(ids), "in their order");
    }
}

#[test]
fn every_event_is_posted_once_with_its_id_and_in_the_order_of_its_person() {
    let (running, receiver, nights) = start(5);
    for (at, night) in nights.iter().enumerate() {
        put(&running, night);
        wait_for_delivery(&running, at as u32 + 2);
    }
    let events = all_events(&running);
    assert!(events.len() > 20, "{}", events.len());
    wait_for(&running, &format!("cpr_host_events_published_total {}", events.len()));
    wait_for(&running, "cpr_host_events_lag_deliveries 0");
    let taken = receiver.taken();
    assert_eq!(taken.len(), events.len(), "nothing comes twice when nothing goes wrong");
    check(&running, &taken);
    assert!(taken.iter().all(|message| message.starts_with("<?xml") && message.contains("o:ModtagBeskedInput")));
    assert!(!running.everything_logged().contains(events[0].pnr.reveal()));
}

#[test]
fn while_nobody_takes_events_they_wait_and_none_is_lost_or_parked() {
    let (mut running, receiver, nights) = start(3);
    receiver.set(|_| (503, 20));
    put(&running, &nights[0]);
    wait_for(&running, "cpr_host_events_unreachable 1");
    assert!(receiver.taken().is_empty());
    let port = receiver.port;
    receiver.end();
    put(&running, &nights[1]);
    wait_for_delivery(&running, 3);
    wait_for(&running, "cpr_host_events_lag_deliveries 2");
    // The host is stopped in the middle, too, and the receiver is not there when it starts.
    running.stop();
    start_again(&mut running, port);
    let receiver = Receiver::start(running.folder.path(), port);
    wait_for(&running, "cpr_host_events_lag_deliveries 0");
    receiver.set(|_| (429, 20));
    put(&running, &nights[2]);
    wait_for_delivery(&running, 4);
    wait_for(&running, "cpr_host_events_unreachable 1");
    receiver.set(|_| (200, 20));
    wait_for(&running, "cpr_host_events_lag_deliveries 0");
    wait_for(&running, "cpr_host_events_unreachable 0");
    wait_for(&running, "cpr_host_events_parked 0");
    check(&running, &receiver.taken());
    let told = running.journal.lines().join("\n");
    assert!(told.contains("events_unreachable") && told.contains("events_reached"), "{told}");
}

#[test]
fn a_host_that_is_stopped_at_any_moment_sends_again_with_the_same_ids_and_loses_nothing() {
    let (mut running, receiver, nights) = start(6);
    receiver.set(|_| {
        std::thread::sleep(Duration::from_millis(3));
        (200, 20)
    });
    for (at, night) in nights.iter().enumerate() {
        put(&running, night);
        wait_for_delivery(&running, at as u32 + 2);
        std::thread::sleep(Duration::from_millis(10 * at as u64));
        running.stop();
        start_again(&mut running, receiver.port);
    }
    wait_for(&running, "cpr_host_events_lag_deliveries 0");
    check(&running, &receiver.taken());
}

#[test]
fn an_event_that_is_refused_is_parked_and_its_person_waits_until_somebody_has_seen_to_it() {
    let (mut running, receiver, nights) = start(3);
    let number = running.number();
    let of_person = format!("<e:Pnr>{number}</e:Pnr>");
    let refused = of_person.clone();
    receiver.set(move |message| if message.contains(&refused) { (200, 44) } else { (200, 20) });
    for (at, night) in nights.iter().enumerate() {
        put(&running, night);
        wait_for_delivery(&running, at as u32 + 2);
    }
    wait_for(&running, "cpr_host_events_lag_deliveries 0");
    wait_for(&running, "cpr_host_events_parked 1");
    let events = all_events(&running);
    let of_number = events.iter().filter(|event| event.pnr.reveal() == number).count();
    assert!(of_number > 1, "{of_number}");
    wait_for(&running, &format!("cpr_host_events_waiting {}", of_number - 1));
    assert_eq!(receiver.taken().len(), events.len() - of_number, "all the others came");
    // It is kept over a restart, by a file that names nobody.
    running.stop();
    start_again(&mut running, receiver.port);
    wait_for(&running, &format!("cpr_host_events_waiting {}", of_number - 1));
    let parked = running.folder.path().join("parked");
    let mut reasons = Vec::new();
    for file in fs::read_dir(&parked).expect("a folder") {
        let path = file.expect("a file").path();
        let text = fs::read_to_string(&path).expect("a file");
        assert!(!text.contains(&number));
        if path.extension().is_some_and(|extension| extension == "reason") {
            assert!(text.contains("StatusKode 44"), "{text}");
            reasons.push(path);
        }
    }
    assert_eq!(reasons.len(), 1);
    // Still refused: the reason comes back. Then it is taken, and what waited follows in order.
    fs::remove_file(&reasons[0]).expect("a file");
    running.wait_until("a reason", |_| reasons[0].exists());
    receiver.set(|_| (200, 20));
    fs::remove_file(&reasons[0]).expect("a file");
    wait_for(&running, "cpr_host_events_waiting 0");
    wait_for(&running, "cpr_host_events_parked 0");
    check(&running, &receiver.taken());
    assert_eq!(fs::read_dir(&parked).expect("a folder").count(), 0);
}

#[test]
fn a_check_reads_the_certificates_and_keys_for_events() {
    let running = Running::start();
    let mut config = running.config();
    let mut events = events_to(running.folder.path(), 1);
    config.events = Some(events.clone());
    cpr_host::check(&config).expect("in order");
    let Destination::Rest { tls, .. } = &mut events.to else { panic!("a receiver") };
    tls.key = running.folder.path().join("missing.key");
    config.events = Some(events);
    let refused = cpr_host::check(&config).expect_err("there is no such file").to_string();
    assert!(refused.contains("missing.key"), "{refused}");
}
