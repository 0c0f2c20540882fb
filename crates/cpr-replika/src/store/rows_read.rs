//! How many rows were looked up or read, for tests that hold work to what was asked. In every other build it is nothing.

/// Notes rows that were looked up or read.
#[cfg(not(test))]
#[inline(always)]
pub(crate) fn note(_: usize) {}

#[cfg(test)]
thread_local! {
    static ROWS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
pub(crate) fn note(rows: usize) {
    ROWS.set(ROWS.get() + rows);
}

/// How many rows this work looks up or reads, on this thread.
#[cfg(test)]
pub(crate) fn counted(work: impl FnOnce()) -> usize {
    ROWS.set(0);
    work();
    ROWS.get()
}
