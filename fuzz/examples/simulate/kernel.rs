//! What is asked of the kernel past the calls that are taken over: the real clock, error numbers, what an open file is.

use std::ffi::{OsStr, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Seconds of the system's clock, which only goes forward.
pub fn seconds() -> f64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec to where one is.
    unsafe { libc::syscall(libc::SYS_clock_gettime, libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

pub fn errno() -> c_int {
    // SAFETY: the library's address of this thread's error number is valid.
    unsafe { *libc::__errno_location() }
}

pub fn set_errno(error: c_int) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = error };
}

/// Device and inode of an open file, its length, and whether it is a folder.
pub struct Found {
    pub inode: u64,
    pub bytes: u64,
    pub is_folder: bool,
}

pub fn found(fd: c_int) -> Option<Found> {
    // SAFETY: zeros are a stat, and the kernel writes one.
    let (status, answer) = unsafe {
        let mut status: libc::stat64 = std::mem::zeroed();
        (libc::fstat64(fd, &raw mut status), status)
    };
    (status == 0).then(|| Found {
        inode: answer.st_ino,
        bytes: answer.st_size as u64,
        is_folder: answer.st_mode & libc::S_IFMT == libc::S_IFDIR,
    })
}

/// Where the next byte of an open file is written, which has so many: one that is open to append has it at its end.
pub fn position(fd: c_int, bytes: u64) -> u64 {
    // SAFETY: no memory is touched.
    let (flags, position) =
        unsafe { (libc::fcntl(fd, libc::F_GETFL), libc::syscall(libc::SYS_lseek, fd, 0_i64, libc::SEEK_CUR)) };
    if flags & libc::O_APPEND == 0 { position as u64 } else { bytes }
}

/// The path of an open file.
pub fn path_of(fd: c_int) -> Option<PathBuf> {
    let link = format!("/proc/self/fd/{fd}\0");
    let mut path = [0_u8; 1024];
    // SAFETY: the link ends in a zero, and the kernel writes at most as many bytes as there are.
    let bytes =
        unsafe { libc::syscall(libc::SYS_readlinkat, libc::AT_FDCWD, link.as_ptr(), path.as_mut_ptr(), path.len()) };
    path.get(..usize::try_from(bytes).ok()?).map(|path| PathBuf::from(OsStr::from_bytes(path)))
}

/// Files that are made from now on are for their owner alone: a copy of a key that others may read would be refused.
pub fn keep_files_private() {
    // SAFETY: it changes nothing but the mode of what is made.
    unsafe { libc::umask(0o077) };
}
