//! `[events]`: where business events go, and what their envelope says beside them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cpr_replika::EventKind;
use cpr_replika::cpr_model::MunicipalityCode;
use cpr_wire::Cvr;
use cpr_wire::event_message::{Id, Publisher};
use serde::Deserialize;
use uuid::Uuid;

use super::{ConfigError, refuse};

/// Events out. The build must have the cargo feature `events`, and `amqp` for a broker.
#[derive(Clone, Debug)]
pub struct Events {
    /// The name under which the store keeps how far they have come.
    pub consumer: String,
    /// What is the same in every message.
    pub publisher: Publisher,
    /// The authority that answers for whoever lives in a municipality.
    pub authorities: BTreeMap<MunicipalityCode, Cvr>,
    /// Who may have the messages; whoever the distributor lets when there are none.
    pub receivers: Vec<Cvr>,
    /// An event that was refused so often is parked.
    pub refusals: u32,
    /// When so many are parked, no further one is sent.
    pub most_parked: usize,
    /// The first wait before another try; each further one is twice as long, up to a minute.
    pub retry: Duration,
    /// The folder of the parked events.
    pub parked: PathBuf,
    /// Persons to whose events are sent at once; those of one person go one after the other.
    pub lanes: usize,
    /// Where they go.
    pub to: Destination,
}

/// Where events go.
#[derive(Clone, Debug)]
pub enum Destination {
    /// They are posted to a receiver (`ModtagBesked`).
    Rest {
        /// `https://HOST[:PORT]/PATH`.
        url: hyper::Uri,
        /// How the receiver is known, and the host by it.
        tls: ClientTls,
    },
    /// They are published to a broker by AMQP 0-9-1.
    Amqp(Broker),
}

impl Destination {
    /// How the other side is known, and the host by it.
    pub fn tls(&self) -> &ClientTls {
        match self {
            Destination::Rest { tls, .. } => tls,
            Destination::Amqp(broker) => &broker.tls,
        }
    }
}

/// A broker.
#[derive(Clone, Debug)]
pub struct Broker {
    /// `amqps://HOST[:PORT]/VHOST`.
    pub uri: String,
    /// The exchange.
    pub exchange: String,
    /// The file with the token that SASL EXTERNAL gives and each message bears; none where the certificate is enough.
    pub token: Option<PathBuf>,
    /// Each message asks for a `StandardRetur`, which is waited for beside the broker's own confirmation.
    pub replies: bool,
    /// How the broker is known, and the host by it.
    pub tls: ClientTls,
}

/// Certificates of a client.
#[derive(Clone, Debug)]
pub struct ClientTls {
    /// Who must have issued the certificate of the other side, PEM.
    pub authorities: PathBuf,
    /// The host's own certificate as a client, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsTable {
    #[serde(default = "default_consumer")]
    consumer: String,
    message_type: String,
    responsible: Option<String>,
    source: Option<String>,
    classification: Option<String>,
    #[serde(default)]
    actions: BTreeMap<String, String>,
    #[serde(default)]
    authorities: BTreeMap<String, String>,
    #[serde(default)]
    receivers: Vec<String>,
    #[serde(default = "default_refusals")]
    refusals: u32,
    #[serde(default = "default_most_parked")]
    most_parked: usize,
    #[serde(default = "default_retry")]
    retry_milliseconds: u32,
    parked: PathBuf,
    #[serde(default = "default_lanes")]
    lanes: usize,
    rest: Option<RestTable>,
    amqp: Option<AmqpTable>,
}

fn default_consumer() -> String {
    "events".to_owned()
}

fn default_refusals() -> u32 {
    5
}

fn default_most_parked() -> usize {
    1000
}

fn default_retry() -> u32 {
    1000
}

fn default_lanes() -> usize {
    16
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RestTable {
    url: String,
    authorities: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AmqpTable {
    uri: String,
    #[serde(default = "default_exchange")]
    exchange: String,
    token: Option<PathBuf>,
    #[serde(default)]
    replies: bool,
    authorities: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

fn default_exchange() -> String {
    "AFSEND_BESKED_EXCHANGE".to_owned()
}

impl Events {
    pub(super) fn read(table: EventsTable, folder: &Path) -> Result<Events, ConfigError> {
        if !cfg!(feature = "events") {
            return Err(refuse("events", "a build with the cargo feature `events`"));
        }
        let uuid = |setting: &str, text: Option<String>| {
            text.map(|text| Uuid::try_parse(&text))
                .transpose()
                .map_err(|_| refuse(format!("events.{setting}"), "a UUID"))
        };
        let publisher = Publisher {
            message_type: read_id(&table.message_type),
            responsible: uuid("responsible", table.responsible)?,
            source: uuid("source", table.source)?,
            classification: table.classification.as_deref().map(read_id),
            actions: table.actions.iter().map(read_action).collect::<Result<_, _>>()?,
        };
        let to = match (table.rest, table.amqp) {
            (Some(rest), None) => rest.read(folder)?,
            (None, Some(amqp)) => amqp.read(folder)?,
            _ => return Err(refuse("events", "one of events.rest and events.amqp")),
        };
        if table.refusals == 0 || table.lanes == 0 || table.lanes > 1000 || table.most_parked == 0 {
            return Err(refuse("events", "refusals and most_parked of 1 at least, lanes from 1 to 1000"));
        }
        Ok(Events {
            consumer: table.consumer,
            publisher,
            authorities: read_authorities(&table.authorities)?,
            receivers: table.receivers.iter().map(|cvr| read_cvr("receivers", cvr)).collect::<Result<_, _>>()?,
            refusals: table.refusals,
            most_parked: table.most_parked,
            retry: Duration::from_millis(u64::from(table.retry_milliseconds)),
            parked: folder.join(table.parked),
            lanes: table.lanes,
            to,
        })
    }
}

impl RestTable {
    fn read(self, folder: &Path) -> Result<Destination, ConfigError> {
        let wrong = || refuse("events.rest.url", "https://HOST[:PORT]/PATH");
        let url: hyper::Uri = self.url.parse().map_err(|_| wrong())?;
        if url.scheme_str() != Some("https") || url.host().is_none() {
            return Err(wrong());
        }
        let [authorities, certificate, key] =
            [self.authorities, self.certificate, self.key].map(|path| folder.join(path));
        Ok(Destination::Rest { url, tls: ClientTls { authorities, certificate, key } })
    }
}

impl AmqpTable {
    fn read(self, folder: &Path) -> Result<Destination, ConfigError> {
        if !cfg!(feature = "amqp") {
            return Err(refuse("events.amqp", "a build with the cargo feature `amqp`"));
        }
        if !self.uri.starts_with("amqps://") {
            return Err(refuse("events.amqp.uri", "amqps://HOST[:PORT]/VHOST"));
        }
        let [authorities, certificate, key] =
            [self.authorities, self.certificate, self.key].map(|path| folder.join(path));
        let tls = ClientTls { authorities, certificate, key };
        let token = self.token.map(|path| folder.join(path));
        Ok(Destination::Amqp(Broker { uri: self.uri, exchange: self.exchange, token, replies: self.replies, tls }))
    }
}

/// A UUID, or else a URN.
fn read_id(text: &str) -> Id {
    Uuid::try_parse(text).map_or_else(|_| Id::Urn(text.to_owned()), Id::Uuid)
}

fn read_action((kind, id): (&String, &String)) -> Result<(EventKind, Id), ConfigError> {
    let known = EventKind::ALL.iter().find(|known| known.name() == kind);
    let known = known.ok_or_else(|| refuse(format!("events.actions.{kind}"), "a kind of events (docs/events.md)"))?;
    Ok((*known, read_id(id)))
}

/// The authorities by the codes of municipalities; `851` and `0851` are one.
fn read_authorities(table: &BTreeMap<String, String>) -> Result<BTreeMap<MunicipalityCode, Cvr>, ConfigError> {
    let mut authorities = BTreeMap::new();
    for (text, cvr) in table {
        let setting = format!("authorities.{text}");
        let code = text.parse().ok().filter(|code| (1..=9999).contains(code) && !text.starts_with('+'));
        let code = code.ok_or_else(|| refuse(format!("events.{setting}"), "the code of a municipality"))?;
        if authorities.insert(MunicipalityCode(code), read_cvr(&setting, cvr)?).is_some() {
            return Err(refuse(format!("events.{setting}"), "each municipality once"));
        }
    }
    Ok(authorities)
}

fn read_cvr(setting: &str, text: &str) -> Result<Cvr, ConfigError> {
    Cvr::parse(text).ok_or_else(|| refuse(format!("events.{setting}"), "eight digits"))
}
