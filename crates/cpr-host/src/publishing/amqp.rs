//! Messages published to a broker by AMQP 0-9-1 over TLS, each confirmed by the broker and, where it is asked for, by
//! whoever took it.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lapin::auth::AuthProvider;
use lapin::message::DeliveryResult;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::uri::AMQPUri;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use rustls::ClientConfig;
use tokio::sync::{Mutex as AsyncMutex, oneshot};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::amqp_tls;
use super::receipt::{Failure, judge};
use crate::config::Broker;
use crate::tls::{self, TlsError};

/// How long a connection, a confirmation or a reply is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether a connection still stands while something is waited for.
const GLANCE: Duration = Duration::from_millis(100);
/// The queue that is not one: what is sent there comes back on the channel that asked.
const REPLIES: &str = "amq.rabbitmq.reply-to";
/// A message that the broker keeps on its disk.
const PERSISTENT: u8 = 2;

type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<Vec<u8>>>>>;

/// A broker, and the connection to it.
pub(super) struct Amqp {
    broker: Broker,
    uri: AMQPUri,
    tls: Arc<ClientConfig>,
    open: AsyncMutex<Option<(Connection, Channel)>>,
    /// Who waits for the reply to a message, by its id.
    waiting: Waiting,
}

/// SASL EXTERNAL with the token in the file, as it stands there at each connection.
struct Token(Option<PathBuf>);

impl AuthProvider for Token {
    fn auth_starter(&self) -> Result<LongString, String> {
        let token = self.0.as_deref().map(read_token).transpose();
        Ok(token.map_err(|error| format!("token: {error}"))?.unwrap_or_default().into())
    }
}

impl Amqp {
    pub(super) fn new(broker: &Broker) -> Result<Amqp, TlsError> {
        let tls = Arc::new(tls::client_config(&broker.tls)?);
        let uri = broker.uri.parse().map_err(rustls::Error::General)?;
        Ok(Amqp { broker: broker.clone(), uri, tls, open: AsyncMutex::default(), waiting: Waiting::default() })
    }

    /// Publishes a message, and waits for the confirmation and the reply. What the broker does not route or take is its
    /// trouble and not the message's.
    pub(super) async fn publish(&self, id: Uuid, message: String) -> Result<(), Failure> {
        let id = id.hyphenated().to_string();
        let (told, reply) = oneshot::channel();
        if self.broker.replies {
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), told);
        }
        let done = match timeout(PATIENCE, self.channel()).await {
            Ok(Ok(channel)) => tokio::select! {
                biased;
                done = self.publish_over(&channel, &id, &message, reply) => done,
                // Nothing comes over it any more: the next try opens another one.
                () = is_cut(&channel) => Err(Failure::Unreachable("the connection was cut".to_owned())),
            },
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(Failure::Unreachable("no connection".to_owned())),
        };
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        done
    }

    async fn publish_over(
        &self,
        channel: &Channel,
        id: &str,
        message: &str,
        reply: oneshot::Receiver<Vec<u8>>,
    ) -> Result<(), Failure> {
        match timeout(PATIENCE, self.publish_now(channel, id, message)).await {
            Ok(Ok(Confirmation::Ack(None))) if self.broker.replies => match timeout(PATIENCE, reply).await {
                Ok(Ok(receipt)) => judge(&receipt),
                _ => Err(Failure::Unreachable("no reply".to_owned())),
            },
            Ok(Ok(Confirmation::Ack(None))) => Ok(()),
            Ok(Ok(Confirmation::Ack(Some(_)))) => {
                Err(Failure::Unreachable("the exchange leads to no queue".to_owned()))
            }
            Ok(Ok(_)) => Err(Failure::Unreachable("the broker does not take it".to_owned())),
            Ok(Err(failure)) => Err(failure),
            Err(_) => {
                self.open.lock().await.take();
                Err(Failure::Unreachable("no confirmation".to_owned()))
            }
        }
    }

    async fn publish_now(&self, channel: &Channel, id: &str, message: &str) -> Result<Confirmation, Failure> {
        let mut properties = BasicProperties::default()
            .with_content_type("text/xml".into())
            .with_delivery_mode(PERSISTENT)
            .with_message_id(id.into())
            .with_correlation_id(id.into());
        if let Some(path) = &self.broker.token {
            let mut headers = FieldTable::default();
            let token = read_token(path).map_err(|error| Failure::Unreachable(format!("token: {error}")))?;
            headers.insert("token".into(), AMQPValue::LongString(token.into()));
            properties = properties.with_headers(headers);
        }
        if self.broker.replies {
            properties = properties.with_reply_to(REPLIES.into());
        }
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let exchange = self.broker.exchange.as_str();
        let published =
            channel.basic_publish(exchange.into(), "".into(), options, message.as_bytes(), properties).await;
        match published {
            Ok(confirmation) => confirmation.await.map_err(unreachable),
            Err(error) => Err(unreachable(error)),
        }
    }

    /// The channel; opened anew when it is not open.
    async fn channel(&self) -> Result<Channel, Failure> {
        let mut open = self.open.lock().await;
        if let Some((connection, channel)) = &*open
            && connection.status().connected()
            && channel.status().connected()
        {
            return Ok(channel.clone());
        }
        *open = None;
        let properties = ConnectionProperties::default().with_auth_provider(Token(self.broker.token.clone()));
        let connection =
            amqp_tls::connect(self.uri.clone(), self.tls.clone(), properties).await.map_err(unreachable)?;
        let channel = connection.create_channel().await.map_err(unreachable)?;
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(unreachable)?;
        if self.broker.replies {
            self.take_replies(&channel).await.map_err(unreachable)?;
        }
        *open = Some((connection, channel.clone()));
        Ok(channel)
    }

    async fn take_replies(&self, channel: &Channel) -> lapin::Result<()> {
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let consumer = channel.basic_consume(REPLIES.into(), "".into(), options, FieldTable::default()).await?;
        let waiting = self.waiting.clone();
        consumer.set_delegate(move |delivery: DeliveryResult| {
            let waiting = waiting.clone();
            async move {
                let Ok(Some(delivery)) = delivery else { return };
                let Some(id) = delivery.properties.correlation_id() else { return };
                let told = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(id.as_str());
                // Who has given up waiting sends it again.
                told.map(|told| told.send(delivery.data.clone()).ok());
            }
        });
        Ok(())
    }
}

/// Ends when nothing can come over a channel any more. A confirmation that is waited for need not end with it.
async fn is_cut(channel: &Channel) {
    while channel.status().connected() {
        sleep(GLANCE).await;
    }
}

fn read_token(path: &Path) -> io::Result<String> {
    Ok(io::read_to_string(private_file::open_secret(path)?)?.trim().to_owned())
}

fn unreachable(error: impl std::fmt::Display) -> Failure {
    Failure::Unreachable(error.to_string())
}
