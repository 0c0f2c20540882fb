//! Municipalities by their real size, streets, houses, postal codes.
//!
//! The municipalities and their codes are those of the authority register, with population figures of 2024 in hundreds
//! (Statistics Denmark, FOLK1A, rounded; Statistics Greenland), and one postal district for each.

use crate::person::{Address, Text};
use crate::rng::{Rng, mix};

pub(crate) struct Municipality {
    pub(crate) code: u16,
    pub(crate) name: &'static str,
    /// Inhabitants in hundreds.
    pub(crate) hundreds: u32,
    pub(crate) postal_code: u16,
    pub(crate) district: &'static str,
}

macro_rules! municipalities {
    ($($code:literal $name:literal $hundreds:literal $postal:literal $district:literal,)*) => {
        /// Every municipality with inhabitants, by code.
        pub(crate) const MUNICIPALITIES: &[Municipality] = &[$(Municipality {
            code: $code, name: $name, hundreds: $hundreds, postal_code: $postal, district: $district,
        },)*];
    };
}

municipalities! {
    101 "København" 6600 2300 "København S", 147 "Frederiksberg" 1051 2000 "Frederiksberg",
    151 "Ballerup" 520 2750 "Ballerup", 153 "Brøndby" 397 2605 "Brøndby", 155 "Dragør" 145 2791 "Dragør",
    157 "Gentofte" 753 2900 "Hellerup", 159 "Gladsaxe" 702 2860 "Søborg", 161 "Glostrup" 237 2600 "Glostrup",
    163 "Herlev" 298 2730 "Herlev", 165 "Albertslund" 276 2620 "Albertslund", 167 "Hvidovre" 540 2650 "Hvidovre",
    169 "Høje-Taastrup" 568 2630 "Taastrup", 173 "Lyngby-Taarbæk" 585 2800 "Kongens Lyngby",
    175 "Rødovre" 436 2610 "Rødovre", 183 "Ishøj" 241 2635 "Ishøj", 185 "Tårnby" 430 2770 "Kastrup",
    187 "Vallensbæk" 171 2665 "Vallensbæk Strand", 190 "Furesø" 417 3500 "Værløse", 201 "Allerød" 260 3450 "Allerød",
    210 "Fredensborg" 416 3480 "Fredensborg", 217 "Helsingør" 640 3000 "Helsingør", 219 "Hillerød" 545 3400 "Hillerød",
    223 "Hørsholm" 249 2970 "Hørsholm", 230 "Rudersdal" 576 3460 "Birkerød", 240 "Egedal" 448 3650 "Ølstykke",
    250 "Frederikssund" 462 3600 "Frederikssund", 253 "Greve" 516 2670 "Greve", 259 "Køge" 624 4600 "Køge",
    260 "Halsnæs" 317 3300 "Frederiksværk", 265 "Roskilde" 912 4000 "Roskilde", 269 "Solrød" 245 2680 "Solrød Strand",
    270 "Gribskov" 415 3200 "Helsinge", 306 "Odsherred" 328 4500 "Nykøbing Sj", 316 "Holbæk" 737 4300 "Holbæk",
    320 "Faxe" 371 4640 "Faxe", 326 "Kalundborg" 484 4400 "Kalundborg", 329 "Ringsted" 358 4100 "Ringsted",
    330 "Slagelse" 796 4200 "Slagelse", 336 "Stevns" 236 4660 "Store Heddinge", 340 "Sorø" 302 4180 "Sorø",
    350 "Lejre" 291 4320 "Lejre", 360 "Lolland" 397 4930 "Maribo", 370 "Næstved" 840 4700 "Næstved",
    376 "Guldborgsund" 599 4800 "Nykøbing F", 390 "Vordingborg" 451 4760 "Vordingborg", 400 "Bornholm" 394 3700 "Rønne",
    410 "Middelfart" 399 5500 "Middelfart", 411 "Christiansø" 1 3760 "Gudhjem", 420 "Assens" 407 5610 "Assens",
    430 "Faaborg-Midtfyn" 518 5600 "Faaborg", 440 "Kerteminde" 241 5300 "Kerteminde", 450 "Nyborg" 321 5800 "Nyborg",
    461 "Odense" 2092 5000 "Odense C", 479 "Svendborg" 597 5700 "Svendborg", 480 "Nordfyns" 300 5400 "Bogense",
    482 "Langeland" 121 5900 "Rudkøbing", 492 "Ærø" 59 5970 "Ærøskøbing", 510 "Haderslev" 552 6100 "Haderslev",
    530 "Billund" 271 7190 "Billund", 540 "Sønderborg" 737 6400 "Sønderborg", 550 "Tønder" 363 6270 "Tønder",
    561 "Esbjerg" 1157 6700 "Esbjerg", 563 "Fanø" 34 6720 "Fanø", 573 "Varde" 496 6800 "Varde",
    575 "Vejen" 430 6600 "Vejen", 580 "Aabenraa" 589 6200 "Aabenraa", 607 "Fredericia" 527 7000 "Fredericia",
    615 "Horsens" 970 8700 "Horsens", 621 "Kolding" 944 6000 "Kolding", 630 "Vejle" 1216 7100 "Vejle",
    657 "Herning" 897 7400 "Herning", 661 "Holstebro" 592 7500 "Holstebro", 665 "Lemvig" 191 7620 "Lemvig",
    671 "Struer" 206 7600 "Struer", 706 "Syddjurs" 444 8400 "Ebeltoft", 707 "Norddjurs" 370 8500 "Grenaa",
    710 "Favrskov" 496 8370 "Hadsten", 727 "Odder" 239 8300 "Odder", 730 "Randers" 993 8900 "Randers C",
    740 "Silkeborg" 999 8600 "Silkeborg", 741 "Samsø" 37 8305 "Samsø", 746 "Skanderborg" 652 8660 "Skanderborg",
    751 "Aarhus" 3674 8000 "Aarhus C", 756 "Ikast-Brande" 424 7430 "Ikast",
    760 "Ringkøbing-Skjern" 562 6950 "Ringkøbing",
    766 "Hedensted" 477 8722 "Hedensted", 773 "Morsø" 199 7900 "Nykøbing M", 779 "Skive" 447 7800 "Skive",
    787 "Thisted" 432 7700 "Thisted", 791 "Viborg" 976 8800 "Viborg", 810 "Brønderslev" 367 9700 "Brønderslev",
    813 "Frederikshavn" 581 9900 "Frederikshavn", 820 "Vesthimmerlands" 363 9600 "Aars", 825 "Læsø" 18 9940 "Læsø",
    840 "Rebild" 306 9530 "Støvring", 846 "Mariagerfjord" 417 9500 "Hobro", 849 "Jammerbugt" 387 9490 "Pandrup",
    851 "Aalborg" 2241 9000 "Aalborg", 860 "Hjørring" 634 9800 "Hjørring",
    955 "Kujalleq" 62 3920 "Qaqortoq", 956 "Sermersooq" 245 3900 "Nuuk", 957 "Qeqqata" 92 3911 "Sisimiut",
    959 "Qeqertalik" 61 3950 "Aasiaat", 960 "Avannaata" 108 3952 "Ilulissat",
}

/// True when a municipality has this code (KOMKOD) today, Christiansø and Greenland's municipalities among them.
pub fn is_municipality(code: u16) -> bool {
    MUNICIPALITIES.iter().any(|place| place.code == code)
}

/// Where the codes of Greenland begin.
pub(crate) const FIRST_GREENLAND: u16 = 900;

const FIRST_PARTS: &[&str] = &[
    "Skov",
    "Møller",
    "Kirke",
    "Strand",
    "Bøge",
    "Ege",
    "Birke",
    "Linde",
    "Nørre",
    "Sønder",
    "Øster",
    "Vester",
    "Åkande",
    "Rosen",
    "Tulipan",
    "Lærke",
    "Drossel",
    "Svane",
    "Ørne",
    "Høj",
    "Dal",
    "Bakke",
    "Eng",
    "Mose",
    "Sø",
    "Fjord",
    "Havne",
    "Fisker",
    "Smede",
    "Bager",
    "Skole",
    "Præste",
    "Konge",
    "Dronning",
    "Prins",
    "Kløver",
    "Hvede",
    "Rug",
    "Byg",
    "Havre",
    "Kornblomst",
    "Valmue",
    "Anemone",
    "Syren",
    "Hassel",
    "Elle",
    "Ahorn",
    "Kastanie",
    "Tjørne",
    "Hyben",
    "Ravn",
    "Falke",
    "Gråspurve",
    "Solsorte",
    "Vibe",
    "Mejse",
    "Hjorte",
    "Ræve",
    "Hare",
    "Grævling",
    "Sten",
    "Grus",
    "Ler",
    "Sand",
    "Tvær",
    "Ring",
    "Industri",
    "Håndværker",
    "Fabriks",
    "Station",
];
const LAST_PARTS: &[&str] = &[
    "vej", "vej", "vej", "gade", "stræde", "allé", "parken", "vænget", "toften", "stien", "bakken", "ager", "krogen",
    "svinget", "lunden", "haven", "torvet", "marken", "engen", "kæret",
];

/// Municipalities drawn by size.
pub(crate) struct Places {
    /// Inhabitants up to and with each municipality.
    upto: Vec<u32>,
}

impl Places {
    pub(crate) fn new() -> Places {
        let upto = MUNICIPALITIES.iter().scan(0, |sum, place| {
            *sum += place.hundreds;
            Some(*sum)
        });
        Places { upto: upto.collect() }
    }

    fn total(&self) -> u32 {
        self.upto.last().copied().unwrap_or(1)
    }

    /// A municipality, by its size.
    pub(crate) fn municipality(&self, rng: &mut Rng) -> &'static Municipality {
        let at = rng.below(u64::from(self.total())) as u32;
        &MUNICIPALITIES[self.upto.partition_point(|upto| *upto <= at)]
    }

    /// A home in this municipality.
    pub(crate) fn home(&self, municipality: &Municipality, rng: &mut Rng) -> Address {
        let streets = streets(municipality);
        let street = (1 + rng.below(streets) * (9_800 / streets)) as u16;
        let mut home = Address { municipality: municipality.code, street, ..Address::default() };
        if municipality.code > FIRST_GREENLAND {
            home.building = 1 + rng.below(2_500) as u16;
            if rng.hits_permille(700) {
                return home;
            }
        }
        home.house = 1 + (rng.below(160) * rng.below(160) / 160) as u16;
        home.letter = if rng.hits_permille(120) { b'A' + rng.below(6) as u8 } else { b' ' };
        let in_flats = match municipality.hundreds {
            3_000.. => 800,
            900.. => 450,
            _ => 220,
        };
        if rng.hits_permille(in_flats) {
            home.floor = *rng.pick(&[*b"st", *b"01", *b"02", *b"03", *b"04", *b"05", *b"kl"], 1);
            home.door = *rng.pick(&[*b"  th", *b"  tv", *b"  mf", *b"0001", *b"0012", *b"    "], 1);
        }
        home
    }

    /// Where an address lies among all, from 0 to 1 by inhabitants: what sorts the addressing rows into buckets.
    pub(crate) fn share(&self, address: Option<&Address>) -> f64 {
        let Some(address) = address else { return 0.0 };
        let at = MUNICIPALITIES.partition_point(|place| place.code < address.municipality);
        let before = at.checked_sub(1).map_or(0, |at| self.upto[at]);
        let own = MUNICIPALITIES.get(at).filter(|place| place.code == address.municipality);
        let inside = f64::from(own.map_or(0, |place| place.hundreds)) * f64::from(address.street.min(9_999)) / 10_000.0;
        ((f64::from(before) + inside) / f64::from(self.total())).clamp(0.0, 0.999_999)
    }
}

/// How many streets a municipality has; at least one, below the codes without a street.
fn streets(municipality: &Municipality) -> u64 {
    u64::from(municipality.hundreds).clamp(4, 2_400)
}

/// The municipality with this code.
pub(crate) fn municipality(code: u16) -> Option<&'static Municipality> {
    let at = MUNICIPALITIES.binary_search_by_key(&code, |place| place.code).ok()?;
    Some(&MUNICIPALITIES[at])
}

/// The name of a street; the same code gives the same name.
pub(crate) fn street_name(municipality: u16, street: u16) -> String {
    if street >= 9_900 {
        return "Uden fast bopæl".to_owned();
    }
    let word = mix(u64::from(municipality) << 16 | u64::from(street));
    let first = FIRST_PARTS[(word % FIRST_PARTS.len() as u64) as usize];
    let last = LAST_PARTS[(word >> 32) as usize % LAST_PARTS.len()];
    if word >> 60 == 0 { format!("Gammel {first}{last}") } else { format!("{first}{last}") }
}

/// An address abroad as it stands in the records: street, town, country.
pub(crate) fn foreign_lines(rng: &mut Rng) -> [Text; 3] {
    let (street, town, land) = *rng.pick(
        &[
            ("Tallkroken", "S 23456 Borås", "Sverige"),
            ("Hauptstrasse", "D 10115 Berlin", "Tyskland"),
            ("Storgata", "N 0155 Oslo", "Norge"),
            ("High Street", "London W1", "Storbritannien"),
        ],
        1,
    );
    [Text::Owned(format!("{street} {}", 1 + rng.below(120))), town.into(), land.into()]
}
