//! The running host: what is opened when it starts, and closed when it stops.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use access_log::{FileLog, LogKey, LogOptions, Mode, OnFailure, OpenError};
use cpr_replika::{KeyFile, KeySource, Options, Replika};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::authorization::Systems;
use crate::clock;
#[cfg(feature = "events")]
use crate::config::Destination;
use crate::config::{self, Config};
use crate::desk::Desk;
use crate::inbox::Inbox;
use crate::journal::{Journal, Line};
use crate::metrics::Metrics;
use crate::outbox::{Outbox, Steps};
use crate::pages::Pages;
#[cfg(feature = "events")]
use crate::publishing::Publishing;
use crate::scrubbing::Scrubber;
use crate::server::Doorkeeper;
use crate::source::{KeptPacks, Source};
use crate::tls::{self, TlsError};
#[cfg(feature = "saml")]
use crate::token::{self, TokenDesk};
use crate::{server, subscriptions};

/// Persons that a line of the access log names.
const MOST_PERSONS: usize = 100;
/// How long the rest of a runtime has to end, behind what connections are given.
const REST: Duration = Duration::from_millis(300);

/// A host that runs.
pub struct Host {
    runtime: Runtime,
    entrance: Runtime,
    tasks: JoinSet<()>,
    stopping: watch::Sender<bool>,
    desk: Arc<Desk>,
    address: SocketAddr,
    operations: SocketAddr,
    inbox: Option<Worker>,
    scrubber: Option<Worker>,
    #[cfg(feature = "events")]
    publishing: Option<JoinHandle<()>>,
}

/// A thread that takes extracts, or scrubs.
struct Worker {
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// Why a host cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The store.
    #[error("store {path}: {error}", path = path.display())]
    Store {
        /// Which.
        path: PathBuf,
        /// Why.
        error: Box<cpr_replika::Error>,
    },
    /// The packs.
    #[error("packs {path}: {error}", path = path.display())]
    Packs {
        /// Their folder.
        path: PathBuf,
        /// Why.
        error: Box<cpr_replika::Error>,
    },
    /// The key of the store.
    #[error("key of the store {path}: {error}", path = path.display())]
    StoreKey {
        /// Its file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The events.
    #[error("events: {0}")]
    Events(Box<dyn std::error::Error + Send + Sync>),
    /// The token of SF1525.
    #[error("saml: {0}")]
    Saml(Box<dyn std::error::Error + Send + Sync>),
    /// The access log.
    #[error("access log: {0}")]
    Log(#[from] OpenError),
    /// Certificates and keys.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address, or the system.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Host {
    /// Opens everything and begins to answer.
    ///
    /// # Errors
    /// [`HostError`]: nothing runs then.
    pub fn start(config: Config, journal: Arc<dyn Journal>) -> Result<Host, HostError> {
        Host::start_with_steps(config, journal, Arc::new(|_| Ok(())))
    }

    /// The same, told of each step of a night behind it: for tests that kill a host there.
    ///
    /// # Errors
    /// As [`Host::start`].
    pub fn start_with_steps(config: Config, journal: Arc<dyn Journal>, steps: Steps) -> Result<Host, HostError> {
        let tls = tls::server_config(&config)?;
        #[cfg(feature = "events")]
        check_token(&config)?;
        let access = open_log(&config)?;
        let replika = open_store(&config)?;
        subscriptions::register(&replika, &config.systems).map_err(|error| in_store(&config.store, error))?;
        let packs = open_packs(&config, &replika)?;
        let source = packs.as_ref().and_then(KeptPacks::source).unwrap_or(Source::Store(replika.clone()));
        let bounds = config.bounds;
        #[cfg(feature = "saml")]
        let token = open_token(&config)?;
        let metrics = Arc::new(Metrics::default());
        // Threads for calls, and a few for contracts.
        let runtime = Builder::new_multi_thread().max_blocking_threads(bounds.calls + 4).enable_all().build()?;
        let entrance = Builder::new_multi_thread().worker_threads(1).thread_name("entrance").enable_time().build()?;
        let clients = runtime.block_on(TcpListener::bind(config.address))?;
        let watchers = runtime.block_on(TcpListener::bind(config.operations))?;
        let (address, operations) = (clients.local_addr()?, watchers.local_addr()?);
        let inbox = match &config.inbox {
            Some(inbox) => Some(take_extracts(inbox, &config, steps, &replika, packs, &journal, &metrics)?),
            None => None,
        };
        let scrubber =
            config.scrub.map(|scrub| begin_to_scrub(scrub, &config, &replika, &journal, &metrics)).transpose()?;
        let (stopping, stop) = watch::channel(false);
        #[cfg(feature = "events")]
        let publishing = match config.events {
            Some(events) => Some(publish(events, &replika, &journal, &metrics, stop.clone())?),
            None => None,
        };
        let desk = Arc::new(Desk {
            replika,
            source,
            protected_persons: config.protected_persons,
            systems: Systems::new(config.systems, config.any_service_uuid),
            access: Box::new(access),
            journal: journal.clone(),
            metrics,
            filters: config.filters,
            #[cfg(feature = "saml")]
            token,
            body_bytes: bounds.body_bytes,
            rows: bounds.rows,
            today: clock::today,
        });
        let turns = Arc::new(Semaphore::new(bounds.calls));
        let pages = Arc::new(Pages { desk: desk.clone(), bounds, turns, contracts: config.contracts });
        let mut tasks = JoinSet::new();
        let (acceptor, inside) = (TlsAcceptor::from(tls), runtime.handle().clone());
        let doorkeeper = Doorkeeper { acceptor, inside, pages: pages.clone() };
        tasks.spawn_on(server::serve_clients(clients, doorkeeper, stop.clone()), entrance.handle());
        tasks.spawn_on(server::serve_operations(watchers, pages, stop), runtime.handle());
        journal.tell(&Line::event("started", Some(address.to_string()), None));
        Ok(Host {
            runtime,
            entrance,
            tasks,
            stopping,
            desk,
            address,
            operations,
            inbox,
            scrubber,
            #[cfg(feature = "events")]
            publishing,
        })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where `/metrics` and `/health` are.
    pub fn operations(&self) -> SocketAddr {
        self.operations
    }

    /// The store.
    pub fn replika(&self) -> &Replika {
        &self.desk.replika
    }

    /// Waits until the process is told to end (SIGTERM, SIGINT).
    ///
    /// # Errors
    /// The system has no signals to give.
    pub fn wait_for_signal(&self) -> io::Result<()> {
        self.runtime.block_on(async {
            #[cfg(unix)]
            {
                use tokio::signal::unix::{SignalKind, signal};
                let mut terminate = signal(SignalKind::terminate())?;
                tokio::select! {
                    interrupted = tokio::signal::ctrl_c() => interrupted,
                    _ = terminate.recv() => Ok(()),
                }
            }
            #[cfg(not(unix))]
            tokio::signal::ctrl_c().await
        })
    }

    /// Ends within two seconds: calls that are being answered are answered, and no new ones taken. An extract that is
    /// being applied is left for the next start, with the store as before it. What cannot be stopped (a commit, a file
    /// being written) ends with the process, and the next start finds it done or not begun.
    pub fn stop(self) {
        let mut threads = Vec::new();
        #[cfg(feature = "events")]
        threads.extend(self.publishing);
        let Host { runtime, entrance, mut tasks, stopping, desk, inbox, scrubber, .. } = self;
        stopping.send(true).ok();
        for worker in inbox.into_iter().chain(scrubber) {
            worker.stopping.store(true, Ordering::Relaxed);
            threads.push(worker.thread);
        }
        runtime.block_on(async {
            let all = async { while tasks.join_next().await.is_some() {} };
            timeout(Duration::from_millis(1600), all).await.ok();
            tasks.shutdown().await;
        });
        entrance.shutdown_background();
        runtime.shutdown_timeout(REST);
        let since = Instant::now();
        while threads.iter().any(|thread| !thread.is_finished()) && since.elapsed() < REST {
            thread::sleep(Duration::from_millis(10));
        }
        desk.journal.tell(&Line::event("stopped", None, None));
        desk.journal.finish();
    }
}

/// Begins to publish events.
#[cfg(feature = "events")]
fn publish(
    events: config::Events,
    replika: &Arc<Replika>,
    journal: &Arc<dyn Journal>,
    metrics: &Arc<Metrics>,
    stop: watch::Receiver<bool>,
) -> Result<JoinHandle<()>, HostError> {
    let begun = Publishing::start(events, replika.clone(), journal.clone(), metrics.clone(), stop);
    begun.map_err(|error| HostError::Events(Box::new(error)))
}

/// Begins to take extracts, on a thread of its own.
fn take_extracts(
    inbox: &config::Inbox,
    config: &Config,
    steps: Steps,
    replika: &Arc<Replika>,
    packs: Option<KeptPacks>,
    journal: &Arc<dyn Journal>,
    metrics: &Arc<Metrics>,
) -> io::Result<Worker> {
    let stopping = Arc::new(AtomicBool::new(false));
    let outbox = Outbox::new(inbox.outbox.clone(), config.recipients(), stopping.clone(), steps);
    let inbox = Inbox::new(inbox, outbox, replika.clone(), journal.clone(), metrics.clone(), stopping.clone());
    let inbox = inbox.keeping(packs);
    let thread = thread::Builder::new().name("inbox".to_owned()).spawn(move || inbox.run())?;
    Ok(Worker { stopping, thread })
}

/// Begins to scrub, on a thread of its own.
fn begin_to_scrub(
    scrub: config::Scrub,
    config: &Config,
    replika: &Arc<Replika>,
    journal: &Arc<dyn Journal>,
    metrics: &Arc<Metrics>,
) -> io::Result<Worker> {
    let stopping = Arc::new(AtomicBool::new(false));
    let scrubber = Scrubber {
        config: scrub,
        replika: replika.clone(),
        packs: config.packs.as_ref().map(|packs| packs.folder.clone()),
        options: store_options(config),
        journal: journal.clone(),
        metrics: metrics.clone(),
        stopping: stopping.clone(),
    };
    let thread = thread::Builder::new().name("scrub".to_owned()).spawn(move || scrubber.run())?;
    Ok(Worker { stopping, thread })
}

/// Reads the certificates and keys of a configuration, those for events too, and looks for its folder of contracts.
///
/// # Errors
/// [`HostError`].
pub fn check(config: &Config) -> Result<(), HostError> {
    tls::server_config(config)?;
    LogKey::read(&config.log.key, &config.log.folder)?;
    if let Some(path) = &config.store_key {
        KeyFile::new(path).key(&[0; 16]).map_err(|error| HostError::StoreKey { path: path.clone(), error })?;
    }
    #[cfg(feature = "saml")]
    if let Some(saml) = &config.saml {
        token::read(saml, &config.bounds).map_err(HostError::Saml)?;
    }
    if let Some(folder) = &config.contracts {
        std::fs::read_dir(folder)?;
    }
    #[cfg(feature = "events")]
    if let Some(events) = &config.events {
        tls::client_config(events.to.tls())?;
        check_token(config)?;
    }
    Ok(())
}

/// The token of the broker is read at each connection; that nobody else has it is looked at here, too.
#[cfg(feature = "events")]
fn check_token(config: &Config) -> Result<(), HostError> {
    if let Some(events) = &config.events
        && let Destination::Amqp(broker) = &events.to
        && let Some(token) = &broker.token
    {
        tls::open_secret(token)?;
    }
    Ok(())
}

#[cfg(feature = "saml")]
fn open_token(config: &Config) -> Result<Option<TokenDesk>, HostError> {
    let opened = config.saml.as_ref().map(|saml| TokenDesk::open(saml, &config.bounds));
    opened.transpose().map_err(HostError::Saml)
}

fn open_log(config: &Config) -> Result<FileLog, HostError> {
    let options = LogOptions {
        mode: Mode::Before(config.log.durability),
        on_failure: OnFailure::Refuse,
        most_persons: MOST_PERSONS,
    };
    let key = LogKey::read(&config.log.key, &config.log.folder)?;
    Ok(FileLog::open(&config.log.folder, key, &options)?)
}

fn store_options(config: &Config) -> Options {
    let key = config.store_key.as_ref().map(|path| Arc::new(KeyFile::new(path)) as Arc<dyn KeySource>);
    Options { cache_bytes: config.cache_bytes, key }
}

fn open_store(config: &Config) -> Result<Arc<Replika>, HostError> {
    let opened = Replika::open_or_create(&config.store, &cpr_replika::Config::default(), &store_options(config));
    opened.map(Arc::new).map_err(|error| in_store(&config.store, error))
}

fn open_packs(config: &Config, replika: &Replika) -> Result<Option<KeptPacks>, HostError> {
    let Some(packs) = &config.packs else { return Ok(None) };
    let kept = KeptPacks::open(packs.folder.clone(), packs.answer, replika);
    kept.map(Some).map_err(|error| HostError::Packs { path: packs.folder.clone(), error: Box::new(error) })
}

fn in_store(path: &Path, error: cpr_replika::Error) -> HostError {
    HostError::Store { path: path.to_owned(), error: Box::new(error) }
}
