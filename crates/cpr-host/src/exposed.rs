//! Which secrets of a configuration others than the owner of their files may read.

use std::path::{Path, PathBuf};

use crate::config::Config;
#[cfg(feature = "events")]
use crate::config::Destination;

/// The files with keys and tokens that others may read.
pub(crate) fn exposed(config: &Config) -> Vec<PathBuf> {
    let mut secrets = vec![config.key.as_path(), config.log.key.as_path()];
    secrets.extend(config.store_key.as_deref());
    secrets.extend(config.saml.as_ref().map(|saml| saml.key.as_path()));
    #[cfg(feature = "events")]
    if let Some(events) = &config.events {
        secrets.push(&events.to.tls().key);
        if let Destination::Amqp(broker) = &events.to {
            secrets.extend(broker.token.as_deref());
        }
    }
    secrets.into_iter().filter(|path| others_may_read(path)).map(Path::to_owned).collect()
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.permissions().mode() & 0o044 != 0)
}

/// Elsewhere the folder decides who may read.
#[cfg(not(unix))]
fn others_may_read(_: &Path) -> bool {
    false
}
