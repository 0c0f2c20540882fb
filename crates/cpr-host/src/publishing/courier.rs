//! One try to hand a message over, by whichever way is configured.

use cpr_wire::event_message::{EventMessage, Publisher};

use super::receipt::Failure;
use super::rest::Rest;
use crate::config::Destination;
use crate::tls::TlsError;

/// The way that messages go.
pub(super) enum Courier {
    Rest(Rest),
    #[cfg(feature = "amqp")]
    Amqp(Box<super::amqp::Amqp>),
}

impl Courier {
    /// Reads certificates and keys; nothing is connected yet.
    pub(super) fn new(to: &Destination) -> Result<Courier, TlsError> {
        match to {
            Destination::Rest { url, tls } => Rest::new(url, tls).map(Courier::Rest),
            #[cfg(feature = "amqp")]
            Destination::Amqp(broker) => super::amqp::Amqp::new(broker).map(Box::new).map(Courier::Amqp),
            #[cfg(not(feature = "amqp"))]
            Destination::Amqp(_) => unreachable!("a configuration without the feature is refused"),
        }
    }

    /// Hands a message over, and waits for its receipt.
    pub(super) async fn send(&self, message: &EventMessage, publisher: &Publisher) -> Result<(), Failure> {
        match self {
            Courier::Rest(rest) => rest.post(message.to_push_xml(publisher)).await,
            #[cfg(feature = "amqp")]
            Courier::Amqp(amqp) => amqp.publish(message.id, message.to_xml(publisher)).await,
        }
    }
}
