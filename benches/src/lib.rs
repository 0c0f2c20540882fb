//! What the benchmarks share: made-up extracts, the peers, how times are taken and where results go.
//!
//! [`full`] and [`night`] make extracts: persons in birth order with about ten records each, and nights of change. The same
//! seed gives the same bytes. Numbers are test numbers (day + 60), names invented. The persons are plausible in their sizes
//! and in nothing else: no families, no lives.

pub mod documents;
pub mod machine;
pub mod peers;
pub mod results;
pub mod samples;

use std::io::{self, Write};

use cpr_replika::cpr_extract::{ExtractWriter, Family, Padding, Style};
use cpr_replika::cpr_model::{Date, Pnr};

/// Persons of a run that sets no other size.
pub const DEFAULT_PERSONS: u32 = 100_000;

/// How many persons the benchmarks take: the environment variable `REPLIKA_BENCH_PERSONS`, or [`DEFAULT_PERSONS`].
pub fn persons() -> u32 {
    let set = std::env::var("REPLIKA_BENCH_PERSONS").ok().and_then(|text| text.parse().ok());
    set.unwrap_or(DEFAULT_PERSONS)
}

/// The number of the person with this rank in birth order, out of `of`.
pub fn pnr(rank: u32, of: u32) -> Pnr {
    // 1 January 1920 to 28 December 2019, evenly; the serial number tells persons of one day apart.
    let days = 100 * 12 * 28;
    let at = u64::from(rank) * days;
    let (day, first) = (at / u64::from(of), at % u64::from(of) / days);
    let (year, month, day) = (1920 + day / 336, day / 28 % 12 + 1, day % 28 + 61);
    // The century stands in the seventh digit: 0-3 for the 1900s, 4 for 2000-2036.
    let serial = if year < 2000 { 0 } else { 4000 } + first % 1000;
    let text = format!("{day:02}{month:02}{:02}{serial:04}", year % 100);
    Pnr::parse(text.as_bytes()).expect("ten digits")
}

/// A generator of numbers: splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len() as u64) as usize]
    }
}

const GIVEN: &[&str] =
    &["Åse", "Bo Martin", "Clara Marie", "Dagmar", "Emil", "Frederikke Sofie", "Gorm", "Hjørdis", "Ib", "Jørgen"];
const SURNAMES: &[&str] =
    &["Bækgaard", "Dahl-Pedersen", "Elmelund", "Fjordby", "Grønnegaard", "Holm", "Ilsø", "Kirkeby", "Lund"];
const STREETS: &[&str] =
    &["Skovvej", "Industrivænget", "Bredgade", "Nørre Allé", "Åparken", "Møllestien", "Kongens Tværgade"];
const TOWNS: &[&str] = &["Aalborg", "København K", "Ringkøbing", "Sønderborg", "Ærøskøbing"];

/// A full extract of `of` persons, as CPR would have sent it on `day(1)`.
pub fn full(of: u32) -> Vec<u8> {
    let ranks: Vec<u32> = (0..of).collect();
    extract(Vec::new(), &ranks, of, 1).expect("writing into memory")
}

/// As [`full`], into a file: a large extract need not stand in memory.
///
/// # Errors
/// Those of writing.
pub fn write_full<W: Write>(out: W, of: u32) -> io::Result<W> {
    let ranks: Vec<u32> = (0..of).collect();
    extract(out, &ranks, of, 1)
}

/// A night's delta: `changed` persons, spread over all, each of whom moved and has a new event.
pub fn night(changed: u32, of: u32, night: u32) -> Vec<u8> {
    night_from(changed, of, night, night)
}

/// As [`night`], for persons that `first` chooses: the same ones whenever it is the same.
pub fn night_from(changed: u32, of: u32, night: u32, first: u32) -> Vec<u8> {
    extract(Vec::new(), &ranks_of_night(changed, of, first), of, night).expect("writing into memory")
}

/// Whom [`night_from`] changes.
pub fn ranks_of_night(changed: u32, of: u32, first: u32) -> Vec<u32> {
    let step = (of / changed).max(1);
    (0..changed).map(|at| (at * step + first % step) % of).collect()
}

/// The production date of a night; 1 is the full extract.
fn day(night: u32) -> Date {
    Date::from_digits(2000_01_01 + night / 336 * 10_000 + night / 28 % 12 * 100 + night % 28).expect("eight digits")
}

fn extract<W: Write>(out: W, ranks: &[u32], of: u32, night: u32) -> io::Result<W> {
    let style = Style { padding: Padding::Cut, ..Style::default() };
    let family = Family::named("std").expect("the family is part of the product");
    let mut writer = ExtractWriter::new(out, family, style, "123401", day(night), day(night - 1))?;
    for &rank in ranks {
        person(&mut writer, rank, of, night)?;
    }
    writer.finish()
}

fn timestamp(year: u64, dice: &mut Dice) -> String {
    format!("{year}{:02}{:02}{:02}{:02}", dice.roll(12) + 1, dice.roll(28) + 1, dice.roll(24), dice.roll(60))
}

fn address(dice: &mut Dice) -> [String; 5] {
    let door = ["  th", "  tv", "  mf", "0012"][dice.roll(4) as usize];
    [
        format!("{:04}", 101 + dice.roll(98) * 7),
        format!("{:04}", 1 + dice.roll(4000)),
        format!("{:03}", 1 + dice.roll(200)),
        format!("{:02}", 1 + dice.roll(6)),
        door.to_owned(),
    ]
}

fn person<W: Write>(writer: &mut ExtractWriter<W>, rank: u32, of: u32, night: u32) -> io::Result<()> {
    let number = pnr(rank, of);
    // Everything but the last move is the same from night to night.
    let mut dice = Dice(u64::from(rank));
    let dice = &mut dice;
    let born = 1920 + u64::from(rank) * 100 / u64::from(of);
    let birth =
        format!("{born}-{:02}-{:02}", &number.reveal()[2..4], number.reveal()[..2].parse::<u32>().unwrap_or(61) - 60);
    let birth_time = birth.replace('-', "") + "0000";
    let (given, surname) = (dice.pick(GIVEN), dice.pick(SURNAMES));
    let full_name = format!("{given} {surname}");
    let occupation = if dice.roll(3) == 0 { "Pensionist" } else { "" };
    let sex = ["K", "M"][dice.roll(2) as usize];
    let person =
        [("STATUS", "01"), ("KOEN", sex), ("FOED_DT", &birth), ("START_DT-PERSON", &birth), ("STILLING", occupation)];
    writer.record(1, number, &person)?;

    let moves = dice.roll(5) as usize;
    let mut history: Vec<([String; 5], String)> =
        (0..moves).map(|at| (address(dice), timestamp(1980 + at as u64 * 4, dice))).collect();
    let mut moving = Dice(u64::from(rank) << 20 | u64::from(night));
    let moved = if night > 1 { format!("{:08}0000", day(night).digits()) } else { "199907010000".to_owned() };
    if night > 1 {
        history.push((address(dice), "199907010000".to_owned()));
    }
    let [municipality, street, house, floor, door] = &address(if night > 1 { &mut moving } else { dice });
    let current =
        [("KOMKOD", municipality), ("VEJKOD", street), ("HUSNR", house), ("ETAGE", floor), ("SIDEDOER", door)];
    let mut fields: Vec<(&str, &str)> = current.map(|(name, text)| (name, text.as_str())).to_vec();
    fields.extend([("TILFLYDTO", moved.as_str()), ("TILFLYKOMDTO", "199001010000")]);
    writer.record(2, number, &fields)?;
    let line = format!("{} {house},{floor} {}", dice.pick(STREETS), door.trim());
    let town = dice.pick(TOWNS);
    let post = format!("{}", 1000 + dice.roll(8999));
    let mut formatted: Vec<(&str, &str)> = current.map(|(name, text)| (name, text.as_str())).to_vec();
    formatted.extend([
        ("ADRNVN", full_name.as_str()),
        ("STANDARDADR", &line),
        ("POSTNR", &post),
        ("POSTDISTTXT", town),
    ]);
    formatted.push(("VEJADRNVN", line.split(' ').next().unwrap_or_default()));
    writer.record(3, number, &formatted)?;
    if dice.roll(20) == 0 {
        let protection =
            [("BESKYTTYPE", "0001"), ("START_DT-BESKYTTELSE", "1999-05-01"), ("SLET_DT-BESKYTTELSE", "2000-05-01")];
        writer.record(4, number, &protection)?;
    }
    let name = [("FORNVN", given), ("EFTERNVN", surname), ("NVNHAENSTART", &birth_time), ("ADRNVN", &full_name)];
    writer.record(8, number, &name)?;
    writer.record(9, number, &[("START_MYNKOD-FØDESTED", "8329")])?;
    let citizenship =
        [("LANDEKOD", "5100"), ("HAENSTART-STATSBORGERSKAB", "199103201299"), ("HAENSTART_UMRK-STATSBORGERSKAB", "*")];
    writer.record(10, number, &citizenship)?;
    writer.record(11, number, &[("FKIRK", "F"), ("START_DT-FOLKEKIRKE", &birth)])?;
    let spouse = pnr((rank ^ 1).min(of - 1), of);
    if dice.roll(2) == 0 {
        let wedding = timestamp(born + 30, dice);
        let married = [("CIVST", "G"), ("AEGTEPNR", spouse.reveal()), ("HAENSTART-CIVILSTAND", &wedding)];
        writer.record(12, number, &married)?;
    } else {
        writer.record(12, number, &[("CIVST", "U")])?;
    }
    for child in 0..dice.roll(4) {
        writer.record(14, number, &[("PNRBARN", pnr((rank + child as u32 * 7 + 9) % of, of).reveal())])?;
    }
    let (mother, father) = (pnr(rank / 2, of), pnr(rank / 3, of));
    let parents =
        [("MOR_DT", birth.as_str()), ("PNRMOR", mother.reveal()), ("FAR_DT", &birth), ("PNRFAR", father.reveal())];
    writer.record(15, number, &parents)?;
    let ends: Vec<String> = history.iter().skip(1).map(|(_, start)| start.clone()).chain([moved.clone()]).collect();
    for (([municipality, street, house, floor, door], start), end) in history.iter().zip(&ends) {
        let past =
            [("KOMKOD", municipality), ("VEJKOD", street), ("HUSNR", house), ("ETAGE", floor), ("SIDEDOER", door)];
        let mut fields: Vec<(&str, &str)> = past.map(|(name, text)| (name, text.as_str())).to_vec();
        fields.extend([("TILFLYDTO", start.as_str()), ("FRAFLYDTO", end.as_str())]);
        writer.record(23, number, &fields)?;
    }
    if dice.roll(4) == 0 {
        let former = [
            ("FORNVN", given),
            ("EFTERNVN", "Ungkjær"),
            ("NVNHAENSTART", &birth_time),
            ("NVNHAENSLUT", "199001010000"),
        ];
        writer.record(26, number, &former)?;
    }
    if night > 1 {
        writer.record(99, number, &[("TIMESTAMPU", &moved), ("HAENDELSE", "A01")])?;
    }
    Ok(())
}
