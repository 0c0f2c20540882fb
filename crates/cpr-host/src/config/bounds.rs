//! `[bounds]`: how much is taken at once.

use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, refuse};

/// How much is taken at once.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once with one certificate.
    pub client_connections: usize,
    /// Calls that the engine answers at once.
    pub calls: usize,
    /// How long a call waits for its turn before it is told to come again.
    pub turn: Duration,
    /// How long a client may take for its handshake, for the head of a request, and for a body.
    pub read: Duration,
    /// How long a connection lasts at most.
    pub connection: Duration,
    /// Rows that a search gives at once.
    pub rows: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BoundsTable {
    body_bytes: usize,
    connections: usize,
    client_connections: Option<usize>,
    calls: usize,
    turn_seconds: u64,
    read_seconds: u64,
    connection_seconds: u64,
    rows: usize,
}

impl Default for BoundsTable {
    fn default() -> BoundsTable {
        BoundsTable {
            body_bytes: cpr_wire::Limits::REQUEST.bytes,
            connections: 1000,
            client_connections: None,
            calls: 8,
            turn_seconds: 5,
            read_seconds: 10,
            connection_seconds: 600,
            rows: 1000,
        }
    }
}

impl Bounds {
    pub(super) fn read(table: &BoundsTable) -> Result<Bounds, ConfigError> {
        // Half of them: one client leaves the other half to others. Of a few, all.
        let client_connections = table.client_connections.unwrap_or((table.connections / 2).max(16));
        let counts = [
            ("body_bytes", table.body_bytes),
            ("connections", table.connections),
            ("client_connections", client_connections),
            ("calls", table.calls),
            ("rows", table.rows),
            ("turn_seconds", table.turn_seconds as usize),
            ("read_seconds", table.read_seconds as usize),
            ("connection_seconds", table.connection_seconds as usize),
        ];
        const MOST: usize = 100_000_000;
        if let Some((name, _)) = counts.into_iter().find(|(_, count)| !(1..=MOST).contains(count)) {
            return Err(refuse(format!("bounds.{name}"), format!("a number from 1 to {MOST}")));
        }
        Ok(Bounds {
            body_bytes: table.body_bytes,
            connections: table.connections,
            client_connections,
            calls: table.calls,
            turn: Duration::from_secs(table.turn_seconds),
            read: Duration::from_secs(table.read_seconds),
            connection: Duration::from_secs(table.connection_seconds),
            rows: table.rows,
        })
    }
}
