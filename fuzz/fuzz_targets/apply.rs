//! Two extracts into a store: refused whole, or held as the lines say, now and as of then; never a panic.
#![no_main]

use std::io::Cursor;

use cpr_replika::{ALL_HISTORY, Allow, ApplyOptions, Config, Error, Outcome, Replika};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use replika_fuzz::held::hold;
use replika_fuzz::lines::Told;
use replika_fuzz::mutate;
use replika_fuzz::pair::Pair;

const ALL: Allow = Allow {
    wrong_count: true,
    rows_without_person: true,
    code_page: true,
    wider_family: true,
    gap: true,
    older: true,
    other_customer: true,
    reload: true,
};

fuzz_target!(|input: &[u8]| {
    let Some(pair) = Pair::split(input) else { return };
    for allow in [ALL, Allow::default()] {
        apply_both(pair, allow);
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let Some(pair) = Pair::split(&data[..size]).filter(|_| !seed.is_multiple_of(4)) else {
        return fuzzer_mutate(data, size, max_size);
    };
    let mut extracts = pair.extracts.map(<[u8]>::to_vec);
    let which = (seed >> 8) as usize % 2;
    extracts[which] = mutate::extract(&extracts[which], seed);
    let changed = Pair { extracts: [&extracts[0], &extracts[1]], ..pair }.join();
    match changed {
        Some(changed) => mutate::put(&changed, data, max_size),
        None => size,
    }
});

fn apply_both(pair: Pair<'_>, allow: Allow) {
    let window_years = if pair.window <= 5 { pair.window } else { ALL_HISTORY };
    let replika = Replika::in_memory(&Config { window_years, ..Config::default() }).expect("a window there is");
    let mut told: Vec<Told> = Vec::new();
    for extract in pair.extracts {
        let before = replika.snapshot().known();
        let options = ApplyOptions { allow, ..ApplyOptions::named("made-up") };
        // A rehearsal costs as much as the delivery, and what is allowed makes no difference to it.
        let rehearsed = match allow == ALL {
            true => replika.apply(Cursor::new(extract), &ApplyOptions { dry_run: true, ..options }).map(Some),
            false => Ok(None),
        };
        assert_eq!(replika.snapshot().known(), before, "a rehearsal was stored");
        match (replika.apply(Cursor::new(extract), &options), rehearsed) {
            (Ok(report), Ok(rehearsed)) if report.outcome == Outcome::Applied => {
                if let Some(rehearsed) = rehearsed {
                    assert_eq!(rehearsed.outcome, Outcome::DryRun);
                    assert_eq!(rehearsed.delivery.counts.facts_new, report.delivery.counts.facts_new);
                }
                let family = replika.settings().family.expect("the first extract has told it");
                told.push(Told::by(extract, family));
                assert_eq!(report.delivery.number.0 as usize, told.len());
            }
            (Ok(report), Ok(_)) => assert_eq!(report.outcome, Outcome::AlreadyApplied),
            (Err(error), rehearsed) => {
                assert!(!matches!(rehearsed, Ok(Some(_))), "the rehearsal said otherwise");
                refused(&error);
            }
            (Ok(_), Err(error)) => panic!("the rehearsal said otherwise: {}", error.kind()),
        }
        hold(&replika.snapshot(), &told);
    }
}

/// Only the extract can be at fault here.
fn refused(error: &Error) {
    assert!(error.is_refusal(), "{}", error.kind());
    assert!(error.to_string().len() < 400);
    let _ = format!("{error:?}");
}
