//! Files that hold a secret: read only where nobody but their owner has a right to them.

use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a file with a key or a token to read.
///
/// # Errors
/// `PermissionDenied` when others than its owner have any right to it, with its mode and what mends it; those of the
/// file system. Where the system does not tell owners from others, the rights of its folder hold.
pub fn open_secret(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    #[cfg(unix)]
    {
        // Of the file that is open: another one may have its name by now.
        let mode = std::os::unix::fs::MetadataExt::mode(&file.metadata()?) & 0o7777;
        if mode & 0o077 != 0 {
            let what =
                format!("others than its owner have rights to this key: its mode is {mode:04o} (chmod 600 {path:?})");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
        }
    }
    Ok(file)
}
