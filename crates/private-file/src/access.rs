//! Who may read: the owner alone, where the system tells owners from others.

#[cfg(unix)]
pub(crate) use unix::{is_same_file, make_private_file, make_private_folder, private_file, private_folder};

#[cfg(not(unix))]
pub(crate) use elsewhere::{is_same_file, make_private_file, make_private_folder, private_file, private_folder};

#[cfg(unix)]
mod unix {
    use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
    use std::path::Path;

    const PRIVATE_FILE: u32 = 0o600;
    const PRIVATE_FOLDER: u32 = 0o700;

    pub(crate) fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
        options.mode(PRIVATE_FILE)
    }

    pub(crate) fn private_folder(builder: &mut DirBuilder) -> &mut DirBuilder {
        builder.mode(PRIVATE_FOLDER)
    }

    /// Whatever the umask.
    pub(crate) fn make_private_file(file: &File) -> io::Result<()> {
        file.set_permissions(Permissions::from_mode(PRIVATE_FILE))
    }

    pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
        let mode = fs::metadata(folder)?.mode() & 0o777;
        match mode == PRIVATE_FOLDER {
            true => Ok(()),
            false => fs::set_permissions(folder, Permissions::from_mode(PRIVATE_FOLDER)),
        }
    }

    pub(crate) fn is_same_file(path: &Path, file: &File) -> io::Result<bool> {
        let (at, open) = (fs::symlink_metadata(path)?, file.metadata()?);
        Ok((at.dev(), at.ino()) == (open.dev(), open.ino()))
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::fs::{DirBuilder, File, OpenOptions};
    use std::io;
    use std::path::Path;

    pub(crate) fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
        options
    }

    pub(crate) fn private_folder(builder: &mut DirBuilder) -> &mut DirBuilder {
        builder
    }

    pub(crate) fn make_private_file(_: &File) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn make_private_folder(_: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn is_same_file(path: &Path, _: &File) -> io::Result<bool> {
        path.try_exists()
    }
}
