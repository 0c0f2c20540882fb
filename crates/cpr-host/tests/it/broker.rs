//! Events published to a broker that asks for the token: SASL EXTERNAL gives it, and each message bears it.
//!
//! RabbitMQ takes a certificate for EXTERNAL and does not look at what else it is given, so the broker here is one of a
//! hundred lines, which reads what is sent byte by byte. `.ci/clients/events` speaks to RabbitMQ itself.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cpr_host::config::{Broker, ClientTls, Destination};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::events::{events_to, put, server, wait_for, wait_for_delivery};
use crate::kit::Running;

/// What was said to the broker.
#[derive(Debug, Default)]
struct Said {
    /// Mechanism and response of each login.
    logins: Vec<(String, String)>,
    /// The head of each message, with its properties.
    heads: Vec<Vec<u8>>,
    /// The connections, to be cut.
    connections: Vec<TcpStream>,
    /// Nothing is confirmed.
    stalls: bool,
}

type Wire = StreamOwned<ServerConnection, TcpStream>;

/// Takes every message, at the port that is told.
fn start_broker(folder: &Path) -> (u16, Arc<Mutex<Said>>) {
    let (listener, tls) = (TcpListener::bind("127.0.0.1:0").expect("a port"), server(folder));
    let port = listener.local_addr().expect("an address").port();
    let said = Arc::new(Mutex::new(Said::default()));
    let told = said.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, tls, said) = (stream.expect("a connection"), tls.clone(), told.clone());
            said.lock().expect("the lock").connections.push(stream.try_clone().expect("a handle"));
            // A connection that is cut ends with an error.
            std::thread::spawn(move || serve(stream, tls, &said).ok());
        }
    });
    (port, said)
}

fn serve(stream: TcpStream, tls: Arc<ServerConfig>, said: &Mutex<Said>) -> io::Result<()> {
    let mut wire = StreamOwned::new(ServerConnection::new(tls).map_err(io::Error::other)?, stream);
    let mut header = [0; 8];
    wire.read_exact(&mut header)?;
    assert_eq!(&header, b"AMQP\0\0\x09\x01");
    // Connection.Start: version, no properties, mechanisms, locales.
    let start = [&[0, 9][..], &[0; 4], &long(b"PLAIN EXTERNAL"), &long(b"en_US")].concat();
    send(&mut wire, 0, (10, 10), &start)?;
    let (mut published, mut left) = (0_u64, 0);
    loop {
        let (kind, channel, payload) = receive(&mut wire)?;
        match (kind, &payload[..payload.len().min(4)]) {
            // StartOk: properties, mechanism, response.
            (1, [0, 10, 0, 11]) => {
                let properties = u32::from_be_bytes(payload[4..8].try_into().expect("four bytes")) as usize;
                let rest = &payload[8 + properties..];
                let (mechanism, rest) = rest[1..].split_at(usize::from(rest[0]));
                let length = u32::from_be_bytes(rest[..4].try_into().expect("four bytes")) as usize;
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
                said.lock().expect("the lock").logins.push((text(mechanism), text(&rest[4..4 + length])));
                // Tune: channels, bytes of a frame, no heartbeat.
                send(&mut wire, 0, (10, 30), &[0, 10, 0, 2, 0, 0, 0, 0])?;
            }
            (1, [0, 10, 0, 40]) => send(&mut wire, 0, (10, 41), &[0])?,
            (1, [0, 20, 0, 10]) => send(&mut wire, channel, (20, 11), &[0; 4])?,
            (1, [0, 85, 0, 10]) => send(&mut wire, channel, (85, 11), &[])?,
            (2, _) => {
                left = u64::from_be_bytes(payload[4..12].try_into().expect("eight bytes"));
                said.lock().expect("the lock").heads.push(payload);
            }
            (3, _) => {
                left -= payload.len() as u64;
                if left == 0 && !said.lock().expect("the lock").stalls {
                    published += 1;
                    send(&mut wire, channel, (60, 80), &[&published.to_be_bytes()[..], &[0]].concat())?;
                }
            }
            // TuneOk, a message's beginning, heartbeats.
            _ => {}
        }
    }
}

/// A text with its length in four bytes.
fn long(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes()[..], text].concat()
}

fn send(wire: &mut Wire, channel: u16, (class, method): (u16, u16), arguments: &[u8]) -> io::Result<()> {
    let payload = [&class.to_be_bytes()[..], &method.to_be_bytes(), arguments].concat();
    let head = [&[1][..], &channel.to_be_bytes(), &(payload.len() as u32).to_be_bytes()].concat();
    wire.write_all(&[&head[..], &payload, &[0xCE]].concat())?;
    wire.flush()
}

/// Kind, channel and payload of the next frame.
fn receive(wire: &mut Wire) -> io::Result<(u8, u16, Vec<u8>)> {
    let mut head = [0; 7];
    wire.read_exact(&mut head)?;
    let length = u32::from_be_bytes(head[3..].try_into().expect("four bytes")) as usize;
    let mut payload = vec![0; length + 1];
    wire.read_exact(&mut payload)?;
    assert_eq!(payload.pop(), Some(0xCE), "a frame has its end");
    Ok((head[0], u16::from_be_bytes([head[1], head[2]]), payload))
}

/// True when each message from the one at `first` on bears this token among its headers.
fn bear(said: &Said, first: usize, token: &str) -> bool {
    let field = [&b"\x05tokenS"[..], &long(token.as_bytes())].concat();
    let bears = |head: &Vec<u8>| head.windows(field.len()).any(|bytes| bytes == field);
    said.heads.len() > first && said.heads[first..].iter().all(bears)
}

#[test]
fn a_connection_that_is_cut_while_a_confirmation_is_waited_for_is_opened_again_at_once() {
    let mut running = Running::start();
    running.stop();
    let folder = running.folder.path().to_owned();
    let (port, said) = start_broker(&folder);
    said.lock().expect("the lock").stalls = true;
    let tls = ClientTls {
        authorities: folder.join("authority.pem"),
        certificate: folder.join("school.pem"),
        key: folder.join("school.key"),
    };
    let (uri, exchange) = (format!("amqps://localhost:{port}/BF"), "AFSEND_BESKED_EXCHANGE".to_owned());
    let broker = Broker { uri, exchange, token: None, replies: false, tls };
    let nights = running.demo.write_nights(1).expect("nights");
    running.start_again(|config| {
        config.inbox.as_mut().expect("an inbox").settled = Duration::ZERO;
        let mut events = events_to(&folder, port);
        events.to = Destination::Amqp(broker);
        config.events = Some(events);
    });
    put(&running, &nights[0]);
    wait_for_delivery(&running, 2);
    running.wait_until("a message", |_| !said.lock().expect("the lock").heads.is_empty());
    let since = std::time::Instant::now();
    {
        let mut said = said.lock().expect("the lock");
        said.stalls = false;
        for connection in said.connections.drain(..) {
            connection.shutdown(std::net::Shutdown::Both).ok();
        }
    }
    wait_for(&running, "cpr_host_events_lag_deliveries 0");
    assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
}

/// Writes a file that only its owner may read: one that others may read is refused. It appears under its name at once.
fn write_secret(path: &Path, secret: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, secret).expect("a file");
    #[cfg(unix)]
    fs::set_permissions(&beside, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("permissions");
    fs::rename(&beside, path).expect("a name");
}

#[test]
fn the_token_is_given_at_each_connection_and_with_each_message_as_it_stands_in_its_file() {
    let mut running = Running::start();
    running.stop();
    let folder = running.folder.path().to_owned();
    let (port, said) = start_broker(&folder);
    let token = folder.join("token");
    write_secret(&token, "first-token\n");
    let tls = ClientTls {
        authorities: folder.join("authority.pem"),
        certificate: folder.join("school.pem"),
        key: folder.join("school.key"),
    };
    let broker = Broker {
        uri: format!("amqps://localhost:{port}/BF"),
        exchange: "AFSEND_BESKED_EXCHANGE".to_owned(),
        token: Some(token.clone()),
        replies: false,
        tls,
    };
    let nights = running.demo.write_nights(3).expect("nights");
    running.start_again(|config| {
        config.inbox.as_mut().expect("an inbox").settled = Duration::ZERO;
        let mut events = events_to(&folder, port);
        events.to = Destination::Amqp(broker);
        config.events = Some(events);
    });
    let take = |night: usize| {
        put(&running, &nights[night]);
        wait_for_delivery(&running, night as u32 + 2);
    };
    take(0);
    wait_for(&running, "cpr_host_events_lag_deliveries 0");
    let external = |token: &str| ("EXTERNAL".to_owned(), token.to_owned());
    let first = {
        let said = said.lock().expect("the lock");
        assert_eq!(said.logins, [external("first-token")]);
        assert!(bear(&said, 0, "first-token"));
        said.heads.len()
    };
    // A new token counts from the next message on, and for the next connection.
    fs::write(&token, "second-token").expect("a file");
    take(1);
    wait_for(&running, "cpr_host_events_lag_deliveries 0");
    let second = {
        let said = said.lock().expect("the lock");
        assert_eq!(said.logins.len(), 1);
        assert!(bear(&said, first, "second-token"));
        said.heads.len()
    };
    // Without a token nothing is sent, and nothing is given up.
    fs::remove_file(&token).expect("a file");
    for connection in said.lock().expect("the lock").connections.drain(..) {
        connection.shutdown(std::net::Shutdown::Both).ok();
    }
    take(2);
    wait_for(&running, "cpr_host_events_unreachable 1");
    assert_eq!(said.lock().expect("the lock").heads.len(), second);
    write_secret(&token, "third-token");
    wait_for(&running, "cpr_host_events_lag_deliveries 0");
    wait_for(&running, "cpr_host_events_parked 0");
    let said = said.lock().expect("the lock");
    assert_eq!(said.logins.last(), Some(&external("third-token")));
    assert!(bear(&said, second, "third-token"));
    assert!(!running.everything_logged().contains("-token"), "a token is in no line");
}
