//! The calls of the C library through which a process reaches its disk, its clock and its random numbers, taken over
//! by this program: a definition in a program goes before the library's, for everything that is linked into it.
//!
//! So the engine is simulated as it is built, without a layer of its own for that. Each call asks [`crate::disk`] first
//! and then goes to the kernel. Beside it and [`crate::kernel`] nothing of this program is `unsafe`. Linux with the GNU library alone.

use std::ffi::{CStr, OsStr, c_char, c_int, c_uint, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::disk::{self, Call};
use crate::kernel::set_errno;

/// The state of the random numbers; 0: those of the system.
static RANDOM: AtomicU64 = AtomicU64::new(0);
/// Nanoseconds of the clock; 0: that of the system.
static CLOCK: AtomicU64 = AtomicU64::new(0);
const CLOCK_BEGINS: u64 = 1_000_000_000_000;
const CLOCK_STEP: u64 = 1_000_000;
const DAY: u64 = 86_400_000_000_000;

/// From now on random numbers and the clock are the same at each run.
pub fn determine(seed: u64) {
    RANDOM.store(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, Ordering::Relaxed);
    CLOCK.store(CLOCK_BEGINS, Ordering::Relaxed);
}

/// It is the morning of a day, counted from the first.
pub fn begin_day(day: u32) {
    CLOCK.store(CLOCK_BEGINS + u64::from(day) * DAY, Ordering::Relaxed);
}

/// # Safety
/// `path` is a text that ends in a zero.
unsafe fn path<'a>(path: *const c_char) -> &'a Path {
    // SAFETY: as the caller says.
    Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()))
}

// SAFETY of all that follows: each does what the call of this name does, with the arguments that it was given.

#[unsafe(no_mangle)]
unsafe extern "C" fn open64(name: *const c_char, flags: c_int, mode: libc::mode_t) -> c_int {
    let real = || unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, name, flags, mode as c_uint) };
    let writes = flags & (libc::O_CREAT | libc::O_TRUNC) != 0;
    if !writes {
        return real() as c_int;
    }
    let truncates = flags & libc::O_TRUNC != 0;
    disk::call(Call::Open { path: unsafe { path(name) }, truncates }, |_| real()) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn write(fd: c_int, bytes: *const c_void, count: usize) -> isize {
    let real = || unsafe { libc::syscall(libc::SYS_write, fd, bytes, count) };
    if fd < 3 || !disk::is_armed() {
        return real() as isize;
    }
    let content = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), count) };
    disk::call(Call::Write { fd, at: None, content }, |_| real()) as isize
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(fd: c_int, bytes: *const c_void, count: usize, at: i64) -> isize {
    let content = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), count) };
    let real = |at: u64| unsafe { libc::syscall(libc::SYS_pwrite64, fd, bytes, count, at) };
    disk::call(Call::Write { fd, at: Some(disk::place(fd, at as u64)), content }, real) as isize
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pread64(fd: c_int, bytes: *mut c_void, count: usize, at: i64) -> isize {
    unsafe { libc::syscall(libc::SYS_pread64, fd, bytes, count, disk::place(fd, at as u64)) as isize }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate64(fd: c_int, length: i64) -> c_int {
    let real = |_| unsafe { libc::syscall(libc::SYS_ftruncate, fd, length) };
    disk::call(Call::Length { fd, bytes: length as u64 }, real) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    disk::call(Call::Sync { fd }, |_| unsafe { libc::syscall(libc::SYS_fsync, fd) }) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    disk::call(Call::Sync { fd }, |_| unsafe { libc::syscall(libc::SYS_fdatasync, fd) }) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let real = |_| unsafe { libc::syscall(libc::SYS_renameat, libc::AT_FDCWD, from, libc::AT_FDCWD, to) };
    disk::call(Call::Rename { from: unsafe { path(from) }, to: unsafe { path(to) } }, real) as c_int
}

/// Folders that are open name no file here: `std` gives none.
#[unsafe(no_mangle)]
unsafe extern "C" fn linkat(_: c_int, from: *const c_char, _: c_int, to: *const c_char, flags: c_int) -> c_int {
    let here = libc::AT_FDCWD;
    let real = |_| unsafe { libc::syscall(libc::SYS_linkat, here, from, here, to, flags) };
    disk::call(Call::Link { from: unsafe { path(from) }, to: unsafe { path(to) } }, real) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn unlink(name: *const c_char) -> c_int {
    let real = |_| unsafe { libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, name, 0) };
    disk::call(Call::Remove { path: unsafe { path(name) } }, real) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mkdir(name: *const c_char, mode: libc::mode_t) -> c_int {
    let real = |_| unsafe { libc::syscall(libc::SYS_mkdirat, libc::AT_FDCWD, name, mode as c_uint) };
    disk::call(Call::MakeFolder { path: unsafe { path(name) } }, real) as c_int
}

/// Not there: whoever copies a file reads and writes it, as where the kernel has no such call.
#[unsafe(no_mangle)]
unsafe extern "C" fn copy_file_range(_: c_int, _: *mut i64, _: c_int, _: *mut i64, _: usize, _: c_uint) -> isize {
    set_errno(libc::ENOSYS);
    -1
}

/// As [`copy_file_range`].
#[unsafe(no_mangle)]
unsafe extern "C" fn sendfile64(_: c_int, _: c_int, _: *mut i64, _: usize) -> isize {
    set_errno(libc::ENOSYS);
    -1
}

#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(bytes: *mut c_void, count: usize, flags: c_uint) -> isize {
    if RANDOM.load(Ordering::Relaxed) == 0 {
        return unsafe { libc::syscall(libc::SYS_getrandom, bytes, count, flags) as isize };
    }
    for at in 0..count {
        let mut state = RANDOM.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        state = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state = (state ^ state >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        unsafe { *bytes.cast::<u8>().add(at) = (state >> 33) as u8 };
    }
    count as isize
}

#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    if CLOCK.load(Ordering::Relaxed) == 0 {
        return unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) as c_int };
    }
    let now = CLOCK.fetch_add(CLOCK_STEP, Ordering::Relaxed);
    unsafe { *time = libc::timespec { tv_sec: (now / 1_000_000_000) as i64, tv_nsec: (now % 1_000_000_000) as i64 } };
    0
}
