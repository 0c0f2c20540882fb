//! Which machine this is, how much memory the process has used, how much a store takes on disk.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::{Value, json};

/// The class of the machine: figures mean nothing without it.
pub fn describe() -> Value {
    let line_of = |path: &str, key: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
    };
    let whole = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    json!({
        "cpu": line_of("/proc/cpuinfo", "model name"),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory": line_of("/proc/meminfo", "MemTotal"),
        "kernel": whole("/proc/sys/kernel/osrelease"),
        "load_average_at_start": whole("/proc/loadavg"),
    })
}

/// Nanoseconds that this thread has been on a processor: unlike a clock's, they do not count what others do meanwhile.
/// None where the system does not say. The system counts in steps of some milliseconds.
pub fn thread_nanoseconds() -> Option<u64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// The most memory this process has had resident so far, in bytes; 0 where the system does not say.
pub fn peak_memory_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    let kilobytes = line.split_whitespace().nth(1).and_then(|text| text.parse().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// Lets [`peak_memory_bytes`] begin anew, where the system lets it.
pub fn forget_peak_memory() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Seconds that all threads of this process have been on a processor, in steps of a hundredth; 0 where the system does
/// not say.
pub fn process_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything: user and system time are the 12th and 13th.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace().skip(11);
    fields.take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// What a file, or everything in a folder, takes on disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    /// Bytes in blocks that are allocated.
    pub allocated: u64,
    /// Bytes that the files say they are long; holes count.
    pub nominal: u64,
}

impl Size {
    /// The size of what is there; nothing counts nothing.
    pub fn of(path: &Path) -> Size {
        let Ok(found) = fs::metadata(path) else { return Size::default() };
        if found.is_file() {
            return Size { allocated: found.blocks() * 512, nominal: found.len() };
        }
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| Size::of(&entry.path())).fold(Size::default(), |sum, size| Size {
            allocated: sum.allocated + size.allocated,
            nominal: sum.nominal + size.nominal,
        })
    }
}
