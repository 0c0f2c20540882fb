//! Stored forms of this crate's own rows; those of persons stand in `cpr_model::stored`.

/// Version 1.
pub(crate) mod v1 {
    use rkyv::{Archive, Deserialize, Serialize};

    /// One row of the ledger.
    #[derive(Archive, Clone, Debug, Deserialize, Serialize)]
    pub(crate) struct Delivery {
        pub(crate) kind: u8,
        pub(crate) task: String,
        pub(crate) production_date: u32,
        pub(crate) previous_production_date: u32,
        pub(crate) events_complete_since: u32,
        pub(crate) digest: [u8; 32],
        pub(crate) file_name: String,
        pub(crate) applied_at: Option<i64>,
        pub(crate) line_end: u8,
        pub(crate) padding: u8,
        pub(crate) padding_bytes: u16,
        pub(crate) trailer: Vec<u8>,
        pub(crate) counts: Counts,
        pub(crate) classes: Vec<u64>,
        pub(crate) input_errors: Vec<(u16, String)>,
    }

    /// The numbers of the report.
    #[derive(Archive, Clone, Copy, Debug, Deserialize, Serialize)]
    pub(crate) struct Counts {
        pub(crate) persons_new: u64,
        pub(crate) persons_changed: u64,
        pub(crate) persons_unchanged: u64,
        pub(crate) facts_kept: u64,
        pub(crate) facts_new: u64,
        pub(crate) facts_superseded: u64,
        pub(crate) events: u64,
        pub(crate) receipts: u64,
        pub(crate) odd_characters: u64,
        pub(crate) waived: u64,
        pub(crate) bytes: u64,
        pub(crate) duration_micros: u64,
    }
}
