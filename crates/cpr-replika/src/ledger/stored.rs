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
        pub(crate) applied_at: Option<Wide>,
        pub(crate) line_end: u8,
        pub(crate) padding: u8,
        pub(crate) padding_bytes: u16,
        pub(crate) trailer: Vec<u8>,
        /// The numbers of the report, in the order of `Counts::numbers`.
        pub(crate) counts: Vec<Wide>,
        /// Changes by class, in the order of `ChangeClass::ALL`.
        pub(crate) classes: Vec<Wide>,
        pub(crate) input_errors: Vec<(u16, String)>,
    }

    /// 64 bits as two halves, low first: archives keep to an alignment of 4.
    #[derive(Archive, Clone, Copy, Debug, Deserialize, Serialize)]
    pub(crate) struct Wide(pub(crate) [u32; 2]);

    impl From<u64> for Wide {
        fn from(value: u64) -> Wide {
            Wide([value as u32, (value >> 32) as u32])
        }
    }

    impl From<Wide> for u64 {
        fn from(Wide([low, high]): Wide) -> u64 {
            u64::from(low) | u64::from(high) << 32
        }
    }

    const _: () = assert!(align_of::<ArchivedDelivery>() <= 4);
}
