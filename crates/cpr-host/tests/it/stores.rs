//! What the host keeps the register in, and what it says of protected persons.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use cpr_host::Host;
use cpr_host::config::Packs;
use cpr_host::demo::requests::{self, subscription};
use cpr_population::{Population, Product};
use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::ProtectionKind;
use cpr_replika::{KeyFile, Packed, Query, Replika};
use cpr_services::ProtectedPersons;
use cpr_wire::{Endpoint, sf1520, sf1525};

use crate::kit::{NOBODY, Running};

const FIFTH: Endpoint = Endpoint::Sf1520(sf1520::Version::V5);

fn lookup(number: &str) -> String {
    requests::lookup_sf1520(sf1520::Version::V5, number)
}

#[test]
fn what_is_said_of_protected_persons_is_configured() {
    let mut running = Running::start_of(400, |_| {});
    let protected = running.host().replika().snapshot().find(&Query::Protection(ProtectionKind::NAME_AND_ADDRESS));
    let protected = protected.expect("a search").iter().next().expect("somebody is protected").pnr();
    let number = protected.reveal();
    let ask = |running: &Running| running.ask(FIFTH, "school", &lookup(number));
    let told = ask(&running);
    assert!(told.status == 200 && told.body.contains("<vejnavn>"), "{}", told.body);
    for (policy, status) in [(ProtectedPersons::Withhold, 200), (ProtectedPersons::Refuse, 500)] {
        running.stop();
        running.start_again(|config| config.protected_persons = policy);
        let answer = ask(&running);
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(!answer.body.contains("vejnavn>"), "{}", answer.body);
    }
    let refused = ask(&running);
    assert!(refused.body.contains("PERSON_PROTECTED") && !refused.body.contains(number));
    assert!(running.last_call().contains("\"outcome\":\"protected\""));
    let elsewhere = running.ask(Endpoint::Sf1525(sf1525::Version::V2), "school", &requests::lookup_sf1525(number));
    assert!(elsewhere.body.contains("SvarReaktion") && elsewhere.body.contains("PERSON_PROTECTED"));
    let others = running.ask(FIFTH, "school", &lookup(NOBODY));
    assert!(others.body.contains("PNR not found"), "who is not there is not protected either");
}

#[test]
fn keys_that_others_may_read_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let mut running = Running::start();
    running.stop();
    let config = running.config();
    for key in [&config.key, &config.log.key] {
        let set = |mode| fs::set_permissions(key, fs::Permissions::from_mode(mode)).expect("permissions");
        for mode in [0o660, 0o604] {
            set(mode);
            let quiet = Arc::new(cpr_host::journal::JsonLines::new(std::io::sink()).expect("a journal"));
            let started = Host::start(config.clone(), quiet).map(Host::stop);
            for refused in [cpr_host::check(&config), started] {
                let told = refused.expect_err("others may read it").to_string();
                let mends = [600, 640].map(|mends| format!("its mode is {mode:04o} (chmod {mends} {key:?})"));
                assert!(mends.iter().any(|mends| told.contains(mends)), "{told}");
            }
        }
        set(0o600);
        cpr_host::check(&config).expect("a configuration");
    }
}

#[test]
fn the_store_and_the_packs_are_scrubbed_while_the_host_answers_and_damage_is_told() {
    use std::os::unix::fs::FileExt;
    let running = Running::start_with(|config| {
        let packs = config.store.with_file_name("packs");
        config.packs = Some(cpr_host::config::Packs { folder: packs, answer: false });
        let every = Duration::from_millis(300);
        config.scrub = Some(cpr_host::config::Scrub { bytes_a_second: 1_000_000_000, every });
    });
    let has = |line: &str| running.watch("/metrics").body.lines().any(|found| found == line);
    running.wait_until("two scrubs", |_| has("cpr_host_scrubs_total 2"));
    assert!(has("cpr_host_scrub_faults 0") && !has("cpr_host_scrub_finished_seconds 0"));
    assert!(running.watch("/health").body.contains("\"scrub_faults\":0"));
    // The last block of the file: whoever has the store open need not look there.
    let store = fs::OpenOptions::new().read(true).write(true).open(running.config().store).expect("the store");
    let at = store.metadata().expect("a file").len() - 4000;
    let mut byte = [0];
    store.read_exact_at(&mut byte, at).expect("a byte");
    store.write_all_at(&[byte[0] ^ 1], at).expect("a byte");
    running.wait_until("damage", |_| has("cpr_host_scrub_faults 1"));
    assert!(running.everything_logged().contains("damage_found") && running.everything_logged().contains("block "));
    store.write_all_at(&byte, at).expect("a byte");
    running.wait_until("no damage", |_| has("cpr_host_scrub_faults 0"));
}

#[test]
fn a_store_with_a_key_opens_with_that_key_alone() {
    let mut running = Running::start();
    running.stop();
    let folder = running.folder.path().to_owned();
    let (store, key) = (folder.join("encrypted.db"), folder.join("store.key"));
    let encrypted = |config: &mut cpr_host::config::Config| {
        (config.store, config.store_key) = (store.clone(), Some(key.clone()));
        config.inbox.as_mut().expect("an inbox").settled = Duration::ZERO;
    };
    let mut config = running.config();
    encrypted(&mut config);
    let refused = cpr_host::check(&config).expect_err("there is no such file").to_string();
    assert!(refused.contains("store.key"), "{refused}");
    KeyFile::create(&key).expect("a key");
    cpr_host::check(&config).expect("a key");
    running.start_again(encrypted);
    let product = Product { family: Family::named("2022").expect("a family"), task: "123401".to_owned() };
    let extract = Population::new(7, 100).full_extract(Vec::new(), &product).expect("in memory");
    fs::write(folder.join("inbox/D260105.L123401"), extract).expect("a file");
    running.wait_until("a delivery", |running| running.watch("/health").body.contains("\"delivery\":1"));
    assert_eq!(running.ask(FIFTH, "school", &lookup(&running.number())).status, 200);
    running.stop();
    assert!(Replika::open(&store).is_err(), "not without its key");
    let bytes = fs::read(&store).expect("a file");
    let number = running.number();
    assert!(!bytes.windows(10).any(|window| window == number.as_bytes()));
}

#[test]
fn packs_have_each_night_before_its_files_are_given_and_lookups_are_answered_from_them() {
    let mut running = Running::start();
    running.stop();
    let packs = running.folder.path().join("packs");
    running.start_again(|config| {
        config.inbox.as_mut().expect("an inbox").settled = Duration::ZERO;
        config.packs = Some(Packs { folder: packs.clone(), answer: true });
    });
    let read = Packed::open(&packs).expect("packs");
    assert_eq!(read.snapshot().known().0, 1, "they have what the store had");
    let number = running.number();
    let follow = subscription("AddPNRSubscription", &format!("<PNR>{number}</PNR>"));
    assert!(running.ask(Endpoint::Sf6002, "school", &follow).body.contains("ADDED"));
    let before = running.ask(FIFTH, "school", &lookup(&number)).body;
    let night = &running.demo.write_nights(1).expect("a night")[0];
    fs::copy(night, running.folder.path().join("inbox").join(night.file_name().expect("a name"))).expect("a copy");
    let given = running.folder.path().join("outbox/school/IN");
    running.wait_until("a file", |_| fs::read_dir(&given).is_ok_and(|files| files.count() == 2));
    let after = running.ask(FIFTH, "school", &lookup(&number)).body;
    assert_ne!(before, after, "who has the file is answered from the same night");
    assert!(read.poll().expect("packs"));
    assert_eq!(read.snapshot().known().0, 2);
}

#[test]
fn a_file_that_was_fetched_is_counted_once() {
    let running = Running::start_with(|config| config.inbox.as_mut().expect("an inbox").settled = Duration::ZERO);
    let follow = subscription("AddPNRSubscription", &format!("<PNR>{}</PNR>", running.number()));
    assert!(running.ask(Endpoint::Sf6002, "school", &follow).body.contains("ADDED"));
    let night = &running.demo.write_nights(1).expect("a night")[0];
    fs::copy(night, running.folder.path().join("inbox").join(night.file_name().expect("a name"))).expect("a copy");
    let given = running.folder.path().join("outbox/school/IN");
    running.wait_until("a file", |_| fs::read_dir(&given).is_ok_and(|files| files.count() == 2));
    let fetched = "cpr_host_files_fetched_total{system=\"school\"}";
    assert!(!running.watch("/metrics").body.contains(fetched));
    for file in fs::read_dir(&given).expect("a folder") {
        fs::remove_file(file.expect("a file").path()).expect("a file");
    }
    let counted = format!("{fetched} 1");
    running.wait_until("a receipt", |running| running.watch("/metrics").body.contains(&counted));
    std::thread::sleep(Duration::from_millis(500));
    assert!(running.watch("/metrics").body.contains(&counted));
    let told = running.journal.lines().into_iter().filter(|line| line.contains("\"file_fetched\"")).count();
    assert_eq!(told, 1);
}
