//! Files for their owner alone, each whole or not there.
//!
//! A [`PartFile`] is written as `.NAME.part` beside its own name, and published: made durable, then renamed, and its
//! folder made durable. Until then whatever stood under the name stands there still, and where the file must be new
//! ([`PartFile::publish_new`]), for good. What a killed run has left is replaced by the next one, while a part that
//! another process is writing is not touched. Files are 0600 and folders
//! 0700 on Unix, whatever the umask; elsewhere the rights of the folder hold for what is made in it. A key that others
//! than those who have business with it have rights to is not read ([`open_secret`]).
//!
//! ```
//! use std::io::Write;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("register");
//! let part = private_file::PartFile::create(&path)?;
//! part.file().write_all(b"whole")?;
//! assert!(!path.exists());
//! part.publish()?;
//! assert_eq!(std::fs::read(&path)?, b"whole");
//! # Ok::<(), std::io::Error>(())
//! ```

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

mod access;
mod secret;
#[cfg(any(test, feature = "watched"))]
pub mod watched;

pub use secret::open_secret;

/// A file on its way; removed when it is dropped before it is published.
#[derive(Debug)]
pub struct PartFile {
    file: File,
    part: PathBuf,
    path: PathBuf,
    published: bool,
}

impl PartFile {
    /// Begins the file that will stand at `path`, in a folder that is there. It is locked for as long as it is held.
    ///
    /// # Errors
    /// `ResourceBusy` when another process is writing it; those of the file system.
    pub fn create(path: &Path) -> io::Result<PartFile> {
        let part = part_path(path);
        if fs::symlink_metadata(&part).is_ok_and(|found| found.is_file()) {
            lock(&File::open(&part)?)?;
        }
        match fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Never through a link that someone with a key to the folder has put there.
        let mut options = OpenOptions::new();
        let file = access::private_file(options.read(true).write(true).create_new(true)).open(&part)?;
        lock(&file)?;
        access::make_private_file(&file)?;
        Ok(PartFile { file, part, path: path.to_owned(), published: false })
    }

    /// The file, open to write and to read.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Where it stands until it is published.
    pub fn part(&self) -> &Path {
        &self.part
    }

    /// Makes the file durable and gives it its name, in the place of what stood there.
    ///
    /// # Errors
    /// `ResourceBusy` when another process took the name over; those of the file system. What stood there stands there
    /// still, unless only the folder could not be made durable.
    pub fn publish(self) -> io::Result<()> {
        self.publish_by(|part, path| fs::rename(part, path))
    }

    /// As [`PartFile::publish`], where nothing has the name, whoever else wants it: see [`rename_new`].
    ///
    /// # Errors
    /// `AlreadyExists` when something has the name, which stays as it is; those of [`PartFile::publish`]. Where the
    /// name under which it was written could not be removed, the file has both.
    pub fn publish_new(self) -> io::Result<()> {
        self.publish_by(rename_new)
    }

    fn publish_by(mut self, name: impl FnOnce(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
        sync(&self.file, &self.part)?;
        // Another process may have taken the name over in the moment before this one had locked it.
        if !self.is_in_place()? {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        name(&self.part, &self.path)?;
        self.published = true;
        sync_folder_of(&self.path)
    }

    fn is_in_place(&self) -> io::Result<bool> {
        access::is_same_file(&self.part, &self.file)
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.published && self.is_in_place().unwrap_or(false) {
            fs::remove_file(&self.part).ok();
        }
    }
}

fn lock(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => io::Error::new(io::ErrorKind::ResourceBusy, "another process is writing it"),
        TryLockError::Error(error) => error,
    })
}

/// Gives a file another name on its file system, where nothing has that name: a file, a folder or a link, also one that
/// somebody makes in this moment, stays as it is. The file has both names for a moment, and a process that is killed in
/// it leaves both; the old one is then what any part is that was left. Making the new name durable is left to the
/// caller ([`sync_folder_of`]).
///
/// Where the file system knows no hard links (FAT, some that are shared over a network), the name is looked for and
/// then taken: what somebody makes in between is replaced.
///
/// # Errors
/// `AlreadyExists` when something has the name; those of the file system, behind which the file may have both names.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    rename_by_link(from, to, |from, to| fs::hard_link(from, to))
}

fn rename_by_link(from: &Path, to: &Path, link: impl FnOnce(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    use io::ErrorKind::{AlreadyExists, PermissionDenied, TooManyLinks, Unsupported};
    match link(from, to) {
        // Linux says EPERM of a file system without links.
        Err(error) if matches!(error.kind(), PermissionDenied | TooManyLinks | Unsupported) => {
            if fs::symlink_metadata(to).is_ok() {
                return Err(AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        linked => linked.and_then(|()| fs::remove_file(from)),
    }
}

/// As [`rename_new`], in the place of an empty file too: what a creation that never got anywhere leaves, or a name that
/// somebody has reserved.
///
/// # Errors
/// Those of [`rename_new`].
pub fn rename_vacant(from: &Path, to: &Path) -> io::Result<()> {
    match rename_new(from, to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_empty_file(to) => fs::rename(from, to),
        named => named,
    }
}

/// True of a file with nothing in it; not of a link to one.
pub fn is_empty_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() == 0)
}

/// The name under which a file is written: `.NAME.part` beside it.
pub fn part_path(path: &Path) -> PathBuf {
    let mut part = OsString::from(".");
    part.push(path.file_name().unwrap_or_default());
    part.push(".part");
    path.with_file_name(part)
}

/// Makes the folders that are missing, each for its owner alone and durable in the one above it. A folder that is there
/// and empty is made private too; one that holds something already is somebody's, and keeps its mode.
///
/// # Errors
/// Those of the file system.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    if folder.is_dir() {
        if is_empty(folder)? {
            access::make_private_folder(folder)?;
            sync_name_of_found(folder)?;
        }
        return Ok(());
    }
    let above = folder_of(folder);
    match above.is_dir() {
        false => make_folder(above)?,
        true if is_empty(above)? => sync_name_of_found(above)?,
        true => {}
    }
    access::private_folder(&mut DirBuilder::new()).create(folder)?;
    access::make_private_folder(folder)?;
    sync_folder_of(folder)
}

fn is_empty(folder: &Path) -> io::Result<bool> {
    Ok(fs::read_dir(folder)?.next().is_none())
}

/// Makes the name of an empty folder durable: whoever made it may have been killed before that. What holds something was
/// durable before.
fn sync_name_of_found(folder: &Path) -> io::Result<()> {
    unless_of_others(sync_folder_of(folder))
}

/// Nobody makes files or folders where they may not read the folder above, or where nothing is written.
fn unless_of_others(synced: io::Result<()>) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, ReadOnlyFilesystem, Unsupported};
    match synced {
        Err(error) if matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem | InvalidInput | Unsupported) => {
            Ok(())
        }
        synced => synced,
    }
}

/// Makes durable what a file holds, and its name: whoever made it may have been killed before that. For whoever is about
/// to make what is worth nothing without it. What is no file on a disk (a pipe), or lies where nothing is written, is
/// left as it is.
///
/// # Errors
/// Those of the file system.
pub fn make_durable(path: &Path) -> io::Result<()> {
    if !fs::metadata(path)?.is_file() {
        return Ok(());
    }
    unless_of_others(sync(&File::open(path)?, path))?;
    sync_name_of_found(path)?;
    // Where the name is a link, that of the file itself, too.
    if fs::symlink_metadata(path)?.is_symlink() { sync_name_of_found(&path.canonicalize()?) } else { Ok(()) }
}

/// As [`make_folder`]; a folder that is there is made private, whatever it holds.
///
/// # Errors
/// Those of the file system.
pub fn make_own_folder(folder: &Path) -> io::Result<()> {
    make_folder(folder)?;
    access::make_private_folder(folder)
}

/// Makes the name of a file or folder durable in the folder that holds it, where the system opens folders.
///
/// # Errors
/// Those of the file system.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = folder_of(path);
    if cfg!(unix) { sync(&File::open(folder)?, folder) } else { Ok(()) }
}

#[cfg_attr(not(any(test, feature = "watched")), expect(unused_variables, reason = "what is told to tests alone"))]
fn sync(file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    #[cfg(any(test, feature = "watched"))]
    watched::note(path);
    Ok(())
}

/// The folder that holds a path.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_is_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("register");
        fs::write(&path, "before").unwrap();
        let part = PartFile::create(&path).unwrap();
        part.file().write_all(b"half").unwrap();
        drop(part);
        assert_eq!((fs::read(&path).unwrap(), fs::read_dir(folder.path()).unwrap().count()), (b"before".to_vec(), 1));
        let part = PartFile::create(&path).unwrap();
        part.file().write_all(b"after").unwrap();
        part.publish().unwrap();
        assert_eq!((fs::read(&path).unwrap(), fs::read_dir(folder.path()).unwrap().count()), (b"after".to_vec(), 1));
    }

    #[test]
    fn a_part_of_another_writer_is_not_touched_and_one_that_was_left_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("register");
        let first = PartFile::create(&path).unwrap();
        assert_eq!(PartFile::create(&path).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        drop(first);
        fs::write(part_path(&path), "what a killed run left").unwrap();
        PartFile::create(&path).unwrap().publish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn a_part_whose_name_was_taken_over_is_neither_published_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("register");
        let part = PartFile::create(&path).unwrap();
        fs::remove_file(part.part()).unwrap();
        fs::write(part_path(&path), "of another").unwrap();
        assert_eq!(part.publish().unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        assert_eq!(fs::read(part_path(&path)).unwrap(), b"of another");
        assert!(!path.exists());
    }

    #[test]
    fn what_has_the_name_of_a_new_file_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let part = || {
            let part = PartFile::create(&path).unwrap();
            part.file().write_all(b"new").unwrap();
            part
        };
        let names = || fs::read_dir(folder.path()).unwrap().count();
        // Somebody else makes it while the new one is written.
        let interrupted = part();
        fs::write(&path, "of another").unwrap();
        assert_eq!(interrupted.publish_new().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!((fs::read(&path).unwrap(), names()), (b"of another".to_vec(), 1));
        fs::remove_file(&path).unwrap();
        part().publish_new().unwrap();
        assert_eq!((fs::read(&path).unwrap(), names()), (b"new".to_vec(), 1));
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_only_an_empty_file_has_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        let link = || std::os::unix::fs::symlink("from", &to).unwrap();
        let cases: [(&str, &dyn Fn(), bool); 4] = [
            ("nothing", &|| {}, true),
            ("an empty file", &|| fs::write(&to, "").unwrap(), true),
            ("a file", &|| fs::write(&to, "of another").unwrap(), false),
            ("a link", &link, false),
        ];
        for (what, come, is_free) in cases {
            // Empty, too, so that the link leads to an empty file.
            fs::write(&from, "").unwrap();
            come();
            let renamed = rename_vacant(&from, &to).map_err(|error| error.kind());
            assert_eq!(renamed, if is_free { Ok(()) } else { Err(io::ErrorKind::AlreadyExists) }, "{what}");
            assert_eq!(from.exists(), !is_free, "{what}");
            fs::remove_file(&to).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_and_a_folder_have_their_names_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let publish = || PartFile::create(&path).unwrap().publish_new().unwrap_err().kind();
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        assert_eq!(publish(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("nowhere"));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(publish(), io::ErrorKind::AlreadyExists);
        assert_eq!((path.is_dir(), fs::read_dir(folder.path()).unwrap().count()), (true, 1));
    }

    #[test]
    fn a_part_that_was_killed_between_its_two_names_leaves_the_new_one_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(part_path(&path), "whole").unwrap();
        fs::hard_link(part_path(&path), &path).unwrap();
        drop(PartFile::create(&path).unwrap());
        assert_eq!((fs::read(&path).unwrap(), part_path(&path).exists()), (b"whole".to_vec(), false));
    }

    #[test]
    fn a_new_name_is_looked_for_where_files_have_no_two() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::Unsupported, io::ErrorKind::StorageFull] {
            let rename = || rename_by_link(&from, &to, |_, _| Err(kind.into())).map_err(|error| error.kind());
            fs::write(&from, "new").unwrap();
            fs::write(&to, "of another").unwrap();
            let is_without_links = kind != io::ErrorKind::StorageFull;
            assert_eq!(rename(), Err(if is_without_links { io::ErrorKind::AlreadyExists } else { kind }));
            assert_eq!(fs::read(&to).unwrap(), b"of another");
            fs::remove_file(&to).unwrap();
            assert_eq!(rename(), if is_without_links { Ok(()) } else { Err(kind) });
            assert_eq!((to.exists(), from.exists()), (is_without_links, !is_without_links), "{kind}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_and_folders_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        make_folder(&inner).unwrap();
        assert_eq!((mode(&inner), mode(&folder.path().join("a"))), (0o700, 0o700));
        let path = inner.join("register");
        PartFile::create(&path).unwrap().publish().unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).unwrap();
        make_folder(&inner).unwrap();
        assert_eq!(mode(&inner), 0o755, "it holds something");
        make_own_folder(&inner).unwrap();
        assert_eq!(mode(&inner), 0o700);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_durable_before_it_has_its_name_and_the_name_before_that_is_told() {
        for publish in [PartFile::publish, PartFile::publish_new] {
            let folder = tempfile::tempdir().unwrap();
            let part = PartFile::create(&folder.path().join("register")).unwrap();
            let written = part.part().to_owned();
            let (published, synced) = watched::synced(|| publish(part));
            published.unwrap();
            assert_eq!(synced, [&*written, folder.path()]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_the_system_cannot_make_durable_is_not_told_as_durable() {
        // Nothing but the system's answer tells that it was asked.
        let (pipe, _writer) = io::pipe().unwrap();
        let pipe = File::from(std::os::fd::OwnedFd::from(pipe));
        let (done, synced) = watched::synced(|| sync(&pipe, Path::new("a pipe")));
        assert_eq!((done.is_err(), synced.len()), (true, 0));
    }

    #[cfg(unix)]
    #[test]
    fn the_name_of_a_folder_that_is_found_empty_is_durable_before_anything_is_put_there() {
        // What is there, the folder that is asked for, and which folders are synced for it.
        let cases: [(&str, &str, &[&str]); 6] = [
            ("", "a", &[""]),
            ("", "a/b", &["", "a"]),
            ("a", "a", &[""]),
            ("a", "a/b", &["", "a"]),
            ("a", "a/b/c", &["", "a", "a/b"]),
            ("a/holds this", "a", &[]),
        ];
        for (found, asked, expected) in cases {
            for make in [make_folder, make_own_folder] {
                let root = tempfile::tempdir().unwrap();
                // Its own name is nobody's business here.
                fs::write(root.path().join("another"), "").unwrap();
                fs::create_dir_all(root.path().join(found)).unwrap();
                let (made, synced) = watched::synced(|| make(&root.path().join(asked)));
                made.unwrap();
                let names: Vec<_> = synced.iter().map(|folder| folder.strip_prefix(root.path()).unwrap()).collect();
                assert_eq!(names, expected.iter().map(Path::new).collect::<Vec<_>>(), "{asked} where {found} is");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_found_is_made_durable_with_its_name_and_that_of_what_a_link_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let [kept, link] = [root.join("kept"), root.join("link")];
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("file"), "").unwrap();
        std::os::unix::fs::symlink("kept/file", &link).unwrap();
        let file = kept.join("file");
        for (found, expected) in [(&link, vec![&link, &root, &kept]), (&file, vec![&file, &kept])] {
            let (done, synced) = watched::synced(|| make_durable(found));
            done.unwrap();
            assert_eq!(synced.iter().collect::<Vec<_>>(), expected);
        }
        let (done, synced) = watched::synced(|| make_durable(Path::new("/dev/null")));
        assert_eq!((done.unwrap(), synced.len()), ((), 0), "no file on a disk");
        assert_eq!(make_durable(Path::new("/dev/nothing")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
