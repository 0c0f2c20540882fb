//! Nights of a host that is a process of its own, killed (-9) behind each of its steps, and lookups while nights pass.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use cpr_host::Host;
use cpr_host::config::{Config, System};
use cpr_host::demo::Demo;
use cpr_host::demo::requests::{self, Requests, complete};
use cpr_host::journal::Kept;
use cpr_replika::cpr_model::{Date, Pnr};
use cpr_replika::cpr_subscription::{Filter, Profile};
use cpr_replika::{DeliveryNumber, FilterChange, Replika, UnknownNumbers};
use cpr_services::{Caller, NoRegister, Request, sf1520};
use cpr_wire::{Endpoint, Reading};
use uuid::Uuid;

use crate::kit::{Running, read_answer};
use crate::nights::fetch;

const SUBSCRIBERS: u32 = 20;
const FOLDER: &str = "CPR_HOST_TEST_FOLDER";
const STEPS: &str = "CPR_HOST_TEST_STEPS";

/// The configuration of the folder, with twenty systems and no wait for files to settle.
fn twenty_systems(folder: &Path) -> Config {
    let mut config = Config::read(&folder.join("cpr-host.toml")).expect("a configuration");
    let school = config.systems[0].clone();
    let systems = (0..SUBSCRIBERS).map(|at| {
        let uuid = Uuid::from_u128(u128::from(at));
        System { name: format!("system-{at}").parse().expect("a name"), uuid, ..school.clone() }
    });
    config.systems = systems.collect();
    config.inbox.as_mut().expect("an inbox").settled = Duration::ZERO;
    config
}

/// Runs in a process of its own, until it kills itself or the inbox is empty.
#[test]
#[ignore = "the host of the test below"]
fn host_that_kills_itself() {
    let (Ok(folder), Ok(steps)) = (std::env::var(FOLDER), std::env::var(STEPS)) else { return };
    let most: usize = steps.parse().expect("a number");
    let config = twenty_systems(Path::new(&folder));
    let inbox = config.inbox.as_ref().expect("an inbox").folder.clone();
    let done = AtomicUsize::new(0);
    let step = move |_: &'static str| -> io::Result<()> {
        if done.fetch_add(1, Ordering::Relaxed) + 1 == most {
            let kill = format!("kill -9 {}", std::process::id());
            Command::new("sh").args(["-c", &kill]).status().expect("a shell");
            unreachable!("it was killed");
        }
        Ok(())
    };
    let host = Host::start_with_steps(config, Arc::new(Kept::default()), Arc::new(step)).expect("a host");
    let is_extract = |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|entry| entry.path().is_file());
    while fs::read_dir(&inbox).expect("a folder").any(is_extract) {
        std::thread::sleep(Duration::from_millis(5));
    }
    host.stop();
}

#[test]
fn a_host_that_is_killed_behind_each_step_of_a_night_gives_each_file_once_and_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let demo = Demo::prepare(folder.path(), 100, any, any).expect("a demonstration");
    let config = twenty_systems(folder.path());
    let replika = Replika::open(&config.store).expect("a store");
    for system in &config.systems {
        replika.add_subscriber(&system.name, Profile::SF6002).expect("a subscriber");
        let everybody = [FilterChange::Add(Filter::Everything)];
        replika.change_filters(&system.name, &everybody, UnknownNumbers::Keep).expect("a filter");
    }
    drop(replika);
    let nights = demo.write_nights(2).expect("nights");
    let mut fetched: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut kills = 0;
    for (at, night) in nights.iter().enumerate() {
        let name = night.file_name().expect("a name");
        fs::copy(night, folder.path().join("inbox").join(name)).expect("a copy");
        // Each start finds the extract applied, which is its first step, and goes on with the file that was not given
        // yet: it is written, its metadata staged, and noted as given; or else given, in one step more. So the first
        // night is killed behind every step there is; the other one goes on from wherever it is left.
        let mut steps = [1].into_iter().chain([2, 3, 4, 2].into_iter().cycle());
        loop {
            let most = if at == 0 { steps.next().expect("it has no end") } else { kills % 23 + 2 };
            let run = Command::new(std::env::current_exe().expect("this program"))
                .args(["killed::host_that_kills_itself", "--exact", "--ignored"])
                .envs([(FOLDER, folder.path().as_os_str())])
                .env(STEPS, most.to_string())
                .stdout(Stdio::null())
                .status()
                .expect("a process");
            for system in &config.systems {
                let name = system.name.as_str();
                let files = fetch(&folder.path().join("outbox").join(name).join("IN"));
                fetched.entry(name.to_owned()).or_default().extend(files);
            }
            if run.success() {
                break;
            }
            assert_eq!(run.code(), None, "it was killed, and did not fail");
            kills += 1;
            assert!(kills < 400, "it comes no further");
        }
        assert!(folder.path().join("inbox/done").join(name).exists());
    }
    assert!(kills > SUBSCRIBERS * 4, "{kills} kills");
    for (system, files) in &fetched {
        assert_eq!(files.len(), nights.len(), "{system}");
        let mut last: Option<&str> = None;
        for (name, text) in files {
            let (produced, previous) = (&text[19..27], &text[27..35]);
            assert!(last.is_none_or(|last| last == previous), "{name} follows the one before");
            assert!(text.lines().last().is_some_and(|line| line.starts_with("999")), "{name} has its end");
            last = Some(produced);
        }
    }
}

/// What SF1520 answers about a person as of a delivery.
fn answer_as_of(replika: &Replika, number: &str, known: u32, day: Date) -> String {
    let pnr = Pnr::parse(number.as_bytes()).expect("a number");
    let request = Request { known: Some(DeliveryNumber(known)), ..Request::on(pnr, day, Caller::unlogged()) };
    let fifth = sf1520::Version::V5;
    let lookup = sf1520::answer(&replika.snapshot(), fifth, &request, &NoRegister).expect("a lookup");
    let xml = lookup.found().expect("a person").answer.to_xml(fifth).expect("XML");
    let body = complete(FIFTH, &Requests::SCHOOL, &requests::lookup_sf1520(fifth, number));
    let request = FIFTH.read(body.as_bytes(), &Reading::default()).expect("a request");
    String::from_utf8(request.reply.answer(&xml).body.into()).expect("UTF-8")
}

const FIFTH: Endpoint = Endpoint::Sf1520(sf1520::Version::V5);

#[test]
fn each_answer_while_nights_pass_is_of_one_delivery_and_never_of_an_earlier_one_again() {
    const NIGHTS: u32 = 3;
    let running = Running::start_with(|config| config.inbox.as_mut().expect("an inbox").settled = Duration::ZERO);
    let number = running.number();
    let body = complete(FIFTH, &Requests::SCHOOL, &requests::lookup_sf1520(sf1520::Version::V5, &number));
    let text =
        format!("POST {} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}", FIFTH.path(), body.len());
    let over = AtomicBool::new(false);
    let ask_on = || {
        let mut stream = running.connect("school");
        let mut answers: Vec<String> = Vec::new();
        while !over.load(Ordering::Relaxed) {
            stream.write_all(text.as_bytes()).expect("a request");
            let answer = read_answer(&mut stream).expect("an answer");
            if answers.last() != Some(&answer) {
                answers.push(answer);
            }
        }
        answers
    };
    let seen: Vec<Vec<String>> = std::thread::scope(|scope| {
        let askers: Vec<_> = (0..4).map(|_| scope.spawn(ask_on)).collect();
        let inbox = running.folder.path().join("inbox");
        for (at, night) in running.demo.write_nights(NIGHTS as usize).expect("nights").iter().enumerate() {
            fs::copy(night, inbox.join(night.file_name().expect("a name"))).expect("a copy");
            let applied = format!("\"delivery\":{}", at + 2);
            running.wait_until("a delivery", |running| running.watch("/health").body.contains(&applied));
            std::thread::sleep(Duration::from_millis(100));
        }
        over.store(true, Ordering::Relaxed);
        askers.into_iter().map(|asker| asker.join().expect("an asker ends")).collect()
    });
    // The host's day is that of Denmark, whatever the machine's.
    let today = jiff::Timestamp::now().in_tz("Europe/Copenhagen").expect("a time zone");
    let day = Date::parse(&today.date().to_string()).expect("a day");
    let replika = running.host().replika();
    let expected: Vec<String> = (1..=1 + NIGHTS).map(|known| answer_as_of(replika, &number, known, day)).collect();
    for answers in seen {
        assert!(
            answers == expected,
            "{} different answers, where {} deliveries were seen",
            answers.len(),
            expected.len()
        );
    }
}
