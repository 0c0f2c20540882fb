//! Times of single operations: p50 and p99 of each one timed alone, and the mean of a loop without a clock in it.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// One operation on the person at a position in the list of watched persons; what it found, so that it is not optimized
/// away.
pub type Operation<'o> = dyn FnMut(usize) -> usize + 'o;

/// What is done with a reader's operation once its snapshot is held.
pub type Run<'r> = dyn FnMut(&mut Operation<'_>) + 'r;

/// How long each half of a round runs at least.
const HALF: Duration = Duration::from_millis(60);

/// Times of one operation in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    /// Half of the operations were at most this long, the clock's own cost included.
    pub p50: f64,
    /// 99 of 100 were.
    pub p99: f64,
    /// Mean of a tight loop; the clock is looked at once per pass over all persons.
    pub mean: f64,
}

/// Something whose reads are measured.
pub struct Subject<'a> {
    /// What is read.
    pub measure: &'static str,
    /// From which store.
    pub store: &'static str,
    /// Takes a snapshot and runs with its operation.
    pub read: Box<dyn Fn(&mut Run<'_>) + Sync + 'a>,
    /// The rounds so far, with one thread and with two.
    pub rounds: [Vec<Latency>; 2],
}

impl std::fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.store, self.measure)
    }
}

impl<'a> Subject<'a> {
    /// A subject that was not measured yet.
    pub fn new(measure: &'static str, store: &'static str, read: impl Fn(&mut Run<'_>) + Sync + 'a) -> Subject<'a> {
        Subject { measure, store, read: Box::new(read), rounds: [Vec::new(), Vec::new()] }
    }

    /// Measures one round with one thread, and one with two, each over all `persons` again and again.
    pub fn round(&mut self, persons: usize) {
        for (at, threads) in [1, 2].into_iter().enumerate() {
            let latencies = self.measured(threads, persons);
            let mean = |of: fn(&Latency) -> f64| latencies.iter().map(of).sum::<f64>() / latencies.len() as f64;
            self.rounds[at].push(Latency { p50: mean(|l| l.p50), p99: mean(|l| l.p99), mean: mean(|l| l.mean) });
        }
    }

    fn measured(&self, threads: usize, persons: usize) -> Vec<Latency> {
        let (barrier, read) = (Barrier::new(threads), &self.read);
        std::thread::scope(|scope| {
            let measuring: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        let mut latency = None;
                        read(&mut |operation| {
                            pass(operation, persons);
                            barrier.wait();
                            latency = Some(measure(operation, persons));
                        });
                        latency.expect("a reader runs what it is given")
                    })
                })
                .collect();
            measuring.into_iter().map(|thread| thread.join().expect("a reader that ends")).collect()
        })
    }

    /// The medians over the rounds with one thread (0) or two (1).
    pub fn median(&self, at: usize) -> Latency {
        let of = |part: fn(&Latency) -> f64| median(self.rounds[at].iter().map(part).collect());
        Latency { p50: of(|l| l.p50), p99: of(|l| l.p99), mean: of(|l| l.mean) }
    }
}

/// The middle value; 0 of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn pass(operation: &mut Operation<'_>, persons: usize) {
    for at in 0..persons {
        black_box(operation(black_box(at)));
    }
}

fn measure(operation: &mut Operation<'_>, persons: usize) -> Latency {
    let (start, mut operations) = (Instant::now(), 0);
    let mean = loop {
        pass(operation, persons);
        operations += persons;
        let taken = start.elapsed();
        if taken >= HALF {
            break taken.as_nanos() as f64 / operations as f64;
        }
    };
    let (start, mut samples) = (Instant::now(), Vec::new());
    while start.elapsed() < HALF {
        for at in 0..persons {
            let before = Instant::now();
            black_box(operation(black_box(at)));
            samples.push(before.elapsed().as_nanos() as f64);
        }
    }
    samples.sort_by(f64::total_cmp);
    Latency { p50: samples[samples.len() / 2], p99: samples[samples.len() * 99 / 100], mean }
}
