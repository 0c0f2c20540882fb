//! Work on several threads, the outcome of which is taken in order.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::mpsc;
use std::thread::available_parallelism;

use crate::error::Error;

/// More threads than so many are kept waiting by the one that takes.
const MOST_WORKERS: usize = 8;

/// Jobs that a thread has been given and that are not taken yet.
const JOBS_EACH: usize = 2;

/// Has threads do the jobs, as many as there are processors, and calls `take` with what became of each, in their order.
/// What was taken is given to a later job, to be used again; no more of them are held than a few for each thread.
///
/// # Errors
/// The first that is met of what a job, its work or `take` fails with.
pub(super) fn in_order<J: Send, O: Default + Send>(
    mut jobs: impl Iterator<Item = Result<J, Error>>,
    work: impl Fn(J, &mut O) -> Result<(), Error> + Sync,
    mut take: impl FnMut(&mut O) -> Result<(), Error>,
) -> Result<(), Error> {
    let workers = available_parallelism().map_or(1, NonZero::get).min(MOST_WORKERS);
    std::thread::scope(|scope| {
        let start = |_| {
            let (give, jobs) = mpsc::channel::<(J, O)>();
            let (done, outcomes) = mpsc::channel();
            let work = &work;
            let worker = scope.spawn(move || {
                for (job, mut outcome) in jobs {
                    let worked = work(job, &mut outcome).map(|()| outcome);
                    if done.send(worked).is_err() {
                        break;
                    }
                }
            });
            (give, outcomes, worker)
        };
        let mut workers: Vec<_> = (0..workers).map(start).collect();
        let (mut given, mut taken, mut spare) = (0, 0, Vec::new());
        loop {
            while given - taken < workers.len() * JOBS_EACH
                && let Some(job) = jobs.next().transpose()?
            {
                let (give, ..) = &workers[given % workers.len()];
                // One who is not there any more has panicked, and is found below.
                give.send((job, spare.pop().unwrap_or_default())).ok();
                given += 1;
            }
            if taken == given {
                return Ok(());
            }
            let at = taken % workers.len();
            let Ok(outcome) = workers[at].1.recv() else {
                let (.., worker) = workers.swap_remove(at);
                return worker.join().or_else(|panic| resume_unwind(panic));
            };
            let mut outcome = outcome?;
            take(&mut outcome)?;
            spare.push(outcome);
            taken += 1;
        }
    })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Duration;

    use super::*;

    /// Squares, of which every third takes longer.
    fn square(number: u64, square: &mut u64) -> Result<(), Error> {
        if number.is_multiple_of(3) {
            std::thread::sleep(Duration::from_millis(1));
        }
        *square = number * number;
        Ok(())
    }

    #[test]
    fn outcomes_are_taken_in_the_order_of_the_jobs() {
        let mut taken = Vec::new();
        in_order((0..100).map(Ok), square, |square| {
            taken.push(*square);
            Ok(())
        })
        .unwrap();
        assert_eq!(taken, (0..100).map(|number| number * number).collect::<Vec<_>>());
        in_order(std::iter::empty(), square, |_| panic!("nothing was to be done")).unwrap();
    }

    #[test]
    fn the_first_failure_ends_it_whoever_fails() {
        let failed = || Error::Config("failed");
        let fail_at = |job: u64, working: u64, taking: u64| {
            let mut taken = 0;
            let jobs = (0..100).map(|number| if number == job { Err(failed()) } else { Ok(number) });
            let work = |number, out: &mut u64| if number == working { Err(failed()) } else { square(number, out) };
            let ended = in_order(jobs, work, |_| {
                taken += 1;
                if taken == taking { Err(failed()) } else { Ok(()) }
            });
            assert!(matches!(ended, Err(Error::Config("failed"))));
            taken
        };
        assert!(fail_at(50, 200, 200) <= 50);
        assert_eq!(fail_at(200, 50, 200), 50);
        assert_eq!(fail_at(200, 200, 50), 50);
    }

    #[test]
    fn a_panic_of_a_worker_is_passed_on() {
        let panicking = |number, out: &mut u64| {
            assert_ne!(number, 50, "as it should");
            square(number, out)
        };
        let ended = catch_unwind(AssertUnwindSafe(|| in_order((0..100).map(Ok), panicking, |_| Ok(()))));
        assert!(ended.is_err());
    }
}
