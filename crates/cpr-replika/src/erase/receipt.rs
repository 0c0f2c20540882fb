//! What an erase did, kept in the store and checkable by who holds it.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::ledger::erases::{RECEIPT, RECEIPT_END};
use crate::snapshot::Snapshot;
use crate::store::secret::read_secret;
use crate::store::tables::name;

/// How persons went.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Going {
    /// Somebody decided it: their numbers are barred.
    #[default]
    Erase,
    /// Nobody needs them now: they come back when somebody does.
    Tidy,
}

impl Going {
    /// A stable word: `erase`, `tidy`.
    pub fn name(self) -> &'static str {
        match self {
            Going::Erase => "erase",
            Going::Tidy => "tidy",
        }
    }
}

/// What an erase did, or the going of those whom nobody needs. It names nobody.
///
/// It speaks of the store's file. It claims nothing of cells of disks, snapshots of file systems, swap, or of copies
/// elsewhere: packs, files written for subscribers, lakes, backups, and the extracts themselves.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Receipt {
    /// Which erase of the store it was: 1, 2, 3 …
    pub number: u32,
    /// How the persons went.
    pub kind: Going,
    /// When, as the caller says, in seconds since 1970 UTC.
    pub at: Option<i64>,
    /// Why, as the caller says.
    pub reason: String,
    /// The last delivery of the store then.
    pub known: DeliveryNumber,
    /// Human beings.
    pub persons: u64,
    /// Their numbers.
    pub numbers: u64,
    /// How many of the numbers had records.
    pub held: u64,
    /// Rows that went.
    pub rows_dropped: u64,
    /// Rows that they were taken out of.
    pub rows_changed: u64,
    /// Filters of subscribers that went.
    pub filters: u64,
    /// Values in the records of others that name one of the numbers. They are the others' records, and stay.
    pub mentions: u64,
    /// The proof: rows of the new file that were decoded, none of which speaks of the persons.
    pub rows_read: u64,
    /// The proof: stored documents and pasts that were looked for in the new file's blocks and not found.
    pub documents_sought: u64,
    /// The proof: blocks that were looked through; 0 for a store in memory.
    pub blocks_read: u64,
    /// HMAC-SHA-256 over all of this, under a key that the store holds.
    pub mac: [u8; 32],
}

impl Receipt {
    /// All but the MAC, as text.
    fn body(&self) -> String {
        let at = self.at.map_or(String::new(), |at| at.to_string());
        let kind = match self.kind {
            Going::Erase => "",
            Going::Tidy => " tidy",
        };
        let mut text = format!("{}{kind}\n{at}\n{}\n", self.number, self.reason);
        for number in self.numbers() {
            writeln!(text, "{number}").expect("text takes what is written");
        }
        text
    }

    fn numbers(&self) -> [u64; 11] {
        [
            self.known.0.into(),
            self.persons,
            self.numbers,
            self.held,
            self.rows_dropped,
            self.rows_changed,
            self.filters,
            self.mentions,
            self.rows_read,
            self.documents_sought,
            self.blocks_read,
        ]
    }

    pub(super) fn sign(mut self, secret: &[u8; 32]) -> Receipt {
        self.mac = mac(secret, &self.body()).finalize().into_bytes().into();
        self
    }

    /// As it stands in the store.
    pub(super) fn to_text(&self) -> String {
        self.body() + &hex::encode(self.mac)
    }

    /// SHA-256 over the receipt with its MAC: what an access log keeps of it.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.to_text()).into()
    }

    fn parse(text: &str) -> Option<Receipt> {
        let mut lines = text.split('\n');
        let first = lines.next()?;
        let (number, kind) = match first.strip_suffix(" tidy") {
            Some(number) => (number, Going::Tidy),
            None => (first, Going::Erase),
        };
        let number = number.parse().ok()?;
        let at = match lines.next()? {
            "" => None,
            at => Some(at.parse().ok()?),
        };
        let reason = lines.next()?.to_owned();
        let rest: Vec<&str> = lines.collect();
        let (mac, numbers) = rest.split_last()?;
        let numbers: Vec<u64> = numbers.iter().map(|number| number.parse().ok()).collect::<Option<_>>()?;
        let numbers: [u64; 11] = numbers.try_into().ok()?;
        let [known, persons, numbers, held, rows_dropped, rows_changed, filters, mentions, proof @ ..] = numbers;
        let [rows_read, documents_sought, blocks_read] = proof;
        Some(Receipt {
            number,
            kind,
            at,
            reason,
            known: DeliveryNumber(u32::try_from(known).ok()?),
            persons,
            numbers,
            held,
            rows_dropped,
            rows_changed,
            filters,
            mentions,
            rows_read,
            documents_sought,
            blocks_read,
            mac: hex::decode(mac).ok()?.try_into().ok()?,
        })
    }
}

fn mac(secret: &[u8; 32], text: &str) -> Hmac<Sha256> {
    let key = Sha256::new().chain_update(b"replika receipts of a store").chain_update(secret).finalize();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac
}

impl Snapshot {
    /// The receipts of all erases of the store, in their order.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn erase_receipts(&self) -> Result<Vec<Receipt>, Error> {
        let mut all = Vec::new();
        for row in self.tables().meta.range::<&str>(RECEIPT..RECEIPT_END)? {
            let (_, text) = row?;
            let corrupt = Error::Corrupt { table: name::META, what: "a receipt" };
            all.push(Receipt::parse(text.value()).ok_or(corrupt)?);
        }
        Ok(all)
    }

    /// Whether a receipt was given by this store, and nothing in it was changed.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn is_receipt(&self, receipt: &Receipt) -> Result<bool, Error> {
        let secret = read_secret(&self.tables().meta)?;
        Ok(mac(&secret, &receipt.body()).verify_slice(&receipt.mac).is_ok())
    }
}
