//! The UUIDs under which the platform knows its services, as far as they are public: callers name them in their context
//! (`ServiceUUID`), and agreements are made on them.

use uuid::{Uuid, uuid};

use crate::endpoint::Call;
use crate::{sf1520, sf1525};

/// The GCTP services, which share a path, by their names.
const GCTP: [(&str, Uuid); 6] = [
    ("Adresse4", uuid!("b7e5ee9c-1acd-41e6-b117-08a11dee6862")),
    ("ADRSOG1", uuid!("6538f113-b1e6-4b21-8fe1-28b7bf78a1bd")),
    ("Familie", uuid!("2419e94b-1760-4fc5-935c-2419ac956e79")),
    ("Familie+", uuid!("a34cf599-26e4-4609-bfbd-2490d3d1c3ab")),
    ("Navne3", uuid!("e3f26293-803e-4b8f-8a15-674a4f8abaad")),
    ("Stam+", uuid!("7baec3a5-26a5-4922-80fd-37f3bad3dfcb")),
];

impl Call {
    /// The UUID of the service that is called; none where it is not public (SF1525 2.0, Stam) or there is no such
    /// service. A host holds it against what the caller's context and agreement say.
    pub fn service_uuid(&self) -> Option<Uuid> {
        match self {
            Call::Sf1520 { version: sf1520::Version::V4, .. } => Some(uuid!("e6be2436-bf35-4df2-83fe-925142825dc2")),
            Call::Sf1520 { version: sf1520::Version::V5, .. } => Some(uuid!("4925d7a0-1b5b-11ec-bdc6-b312b83236d4")),
            Call::Sf1525(call) => match call.version {
                sf1525::Version::V1 => Some(uuid!("5cbe59e1-e805-46b4-a165-e006ce239beb")),
                sf1525::Version::V2 => None,
            },
            Call::Sf6002(_) => Some(uuid!("9cdccc2f-3243-11e2-8fef-d4bed98c5934")),
            Call::Sf6008 { .. } => Some(uuid!("d84f1ac8-76ca-11e3-abab-138252136bdf")),
            Call::Gctp(call) => GCTP.into_iter().find(|(name, _)| call.is_for(name)).map(|(_, uuid)| uuid),
        }
    }
}
