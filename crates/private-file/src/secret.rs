//! Files that hold a secret: read only where nobody has a right to them who has no business with it.
//!
//! The rule is that of PostgreSQL for its keys. A file of root's may be read by its group: so an administrator gives a
//! secret to a service that has no right to change it, and so Kubernetes (`fsGroup`) and systemd (`LoadCredential=`)
//! give theirs. A file of anybody else is for that one alone. What counts is the file that is opened, wherever a
//! symbolic link leads.

use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a file with a key or a token to read.
///
/// # Errors
/// `PermissionDenied` when others than its owner have any right to it, with its mode and what mends it; of a file that
/// root owns, its group may read it. Those of the file system. Where the system does not tell owners from others, the
/// rights of its folder hold.
pub fn open_secret(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        // Of the file that is open: another one may have its name by now.
        let found = file.metadata()?;
        if let Some(why) = refusal(found.uid(), found.mode() & 0o7777, path) {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
    }
    Ok(file)
}

/// Why a secret with this owner and mode is not read, and what mends it.
#[cfg(unix)]
fn refusal(owner: u32, mode: u32, path: &Path) -> Option<String> {
    const ROOT: u32 = 0;
    let (refused, who, mended) = match owner {
        ROOT => (0o037, "others than root and readers of its group", 640),
        _ => (0o077, "others than its owner", 600),
    };
    let why = || format!("{who} have rights to this key: its mode is {mode:04o} (chmod {mended} {path:?})");
    (mode & refused != 0).then(why)
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs::{self, Permissions};
    use std::io::Read;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

    use super::*;

    const ROOT: u32 = 0;
    const SERVICE: u32 = 1000;

    #[test]
    fn a_secret_is_for_its_owner_alone_and_one_of_roots_for_the_group_to_read_too() {
        let modes = |owner| (0..=0o777).filter(move |mode| refusal(owner, *mode, Path::new("a key")).is_none());
        assert!(modes(SERVICE).eq((0..=0o700).step_by(0o100)));
        let of_root = (0..=0o700).step_by(0o100).flat_map(|owner| [owner, owner | 0o040]);
        assert!(modes(ROOT).eq(of_root));
        for (owner, mode, what) in [
            (SERVICE, 0o440, "others than its owner have rights to this key: its mode is 0440 (chmod 600 \"key\")"),
            (SERVICE, 0o4644, "others than its owner have rights to this key: its mode is 4644 (chmod 600 \"key\")"),
            (
                ROOT,
                0o4644,
                "root and readers of its group have rights to this key: its mode is 4644 (chmod 640 \"key\")",
            ),
        ] {
            let why = refusal(owner, mode, Path::new("key")).unwrap();
            assert!(why.ends_with(what), "{why}");
        }
    }

    #[test]
    fn the_owner_and_the_mode_of_the_file_itself_decide_whatever_leads_to_it() {
        // As Kubernetes mounts a secret: a link to a file below a link to a folder.
        let volume = tempfile::tempdir().unwrap();
        let folder = volume.path().join("..2026_11_26_12_00_00.1");
        fs::create_dir(&folder).unwrap();
        symlink("..2026_11_26_12_00_00.1", volume.path().join("..data")).unwrap();
        symlink("..data/a key", volume.path().join("a key")).unwrap();
        let (file, path) = (folder.join("a key"), volume.path().join("a key"));
        assert_eq!(open_secret(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        fs::write(&file, "secret").unwrap();
        let is_read = |mode| {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            match open_secret(&path) {
                Ok(mut opened) => {
                    let mut read = String::new();
                    opened.read_to_string(&mut read).unwrap();
                    read == "secret"
                }
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{mode:o}: {error}");
                    false
                }
            }
        };
        let read = |modes: &[u32]| modes.iter().copied().filter(|mode| is_read(*mode)).collect::<Vec<_>>();
        let modes = [0o400, 0o600, 0o440, 0o640, 0o460, 0o450, 0o444, 0o604, 0o602, 0o601];
        let owner = file.metadata().unwrap().uid();
        if owner == ROOT {
            assert_eq!(read(&modes), [0o400, 0o600, 0o440, 0o640]);
            chown(&file, Some(SERVICE), None).unwrap();
        }
        assert_eq!(read(&modes), [0o400, 0o600]);
    }
}
