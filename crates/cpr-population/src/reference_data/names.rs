//! Names: some that many bear, and a long tail; given names follow the time.

use crate::person::Text;
use crate::rng::Rng;

/// Surnames, the commonest first.
const COMMON: &[&str] = &[
    "Nielsen",
    "Jensen",
    "Hansen",
    "Andersen",
    "Pedersen",
    "Christensen",
    "Larsen",
    "Sørensen",
    "Rasmussen",
    "Jørgensen",
    "Petersen",
    "Madsen",
    "Kristensen",
    "Olsen",
    "Thomsen",
    "Christiansen",
    "Poulsen",
    "Johansen",
    "Møller",
    "Mortensen",
    "Knudsen",
    "Jakobsen",
    "Jacobsen",
    "Mikkelsen",
    "Frederiksen",
    "Laursen",
    "Henriksen",
    "Lund",
    "Holm",
    "Schmidt",
    "Eriksen",
    "Kristiansen",
    "Simonsen",
    "Clausen",
    "Svendsen",
    "Andreasen",
    "Iversen",
    "Jeppesen",
    "Mogensen",
    "Nissen",
    "Lauridsen",
    "Østergaard",
    "Jespersen",
    "Vestergaard",
    "Dahl",
    "Kjær",
    "Nygaard",
    "Bertelsen",
    "Bruun",
    "Søgaard",
    "Bang",
    "Friis",
    "Winther",
    "Kruse",
    "Ravn",
    "Toft",
    "Bach",
    "Brandt",
    "Carlsen",
    "Dam",
    "Krogh",
];
const PLACE_FIRST: &[&str] = &[
    "Bæk", "Skov", "Øster", "Vester", "Nør", "Sønder", "Kær", "Lind", "Birke", "Ege", "Høj", "Dal", "Mose", "Sø",
    "Ørne", "Fjeld", "Grøn", "Lang", "Kirke", "Møl", "Åben", "Sten", "Brun", "Hede", "Ulve", "Rosen", "Have", "Bøge",
    "Tofte", "Kjelde", "Aa", "Vind", "Horn", "Elm", "Fryden", "Ager", "Klit", "Lynge", "Rav", "Fugle",
];
const PLACE_LAST: &[&str] = &[
    "gaard", "lund", "holm", "strup", "bjerg", "dal", "by", "bæk", "skov", "høj", "toft", "mark", "borg", "sted",
    "rup", "holt", "berg", "ager", "kjær", "vang", "lev", "feldt", "hus", "løv", "sig",
];
const FOREIGN: &[&str] = &[
    "Kowalski",
    "Yilmaz",
    "Ahmed",
    "Hussain",
    "Müller",
    "Nowak",
    "Popescu",
    "Nguyen",
    "Ali",
    "Khan",
    "Andersson",
    "Johansson",
    "Schneider",
    "Kaya",
    "Demir",
    "Ivanov",
    "Hassan",
    "Mohamed",
    "Petrović",
    "Silva",
    "García",
    "Rossi",
];

/// Given names by time: (women, men), each for a third of the century.
const GIVEN: [(&[&str], &[&str]); 3] = [
    (
        &[
            "Anna", "Ellen", "Karen", "Inger", "Ingrid", "Gerda", "Ruth", "Else", "Edith", "Åse", "Lis", "Grethe",
            "Jytte",
        ],
        &["Hans", "Jens", "Niels", "Svend", "Poul", "Børge", "Kaj", "Aage", "Knud", "Erik", "Ejner", "Jørgen", "Åge"],
    ),
    (
        &[
            "Kirsten",
            "Hanne",
            "Anne",
            "Susanne",
            "Lene",
            "Mette",
            "Pia",
            "Charlotte",
            "Dorthe",
            "Bente",
            "Gitte",
            "Søs",
        ],
        &["Peter", "Michael", "Lars", "Henrik", "Søren", "Thomas", "Jan", "Martin", "Per", "Torben", "Bjørn", "René"],
    ),
    (
        &[
            "Emma", "Ida", "Sofie", "Freja", "Clara", "Alma", "Laura", "Maja", "Cecilie", "Karla", "Ella", "Åsta",
            "Mathilde",
        ],
        &[
            "William", "Noah", "Oscar", "Emil", "Mads", "Frederik", "Magnus", "Victor", "Malthe", "Elias", "Søren",
            "Aksel",
        ],
    ),
];
const SECOND: [&[&str]; 2] = [
    &["Marie", "Kirstine", "Margrethe", "Elisabeth", "Sofie", "Louise", "Johanne", "Maria", "Cathrine", "Birgitte"],
    &["Christian", "Peter", "Emil", "Valdemar", "August", "Kristian", "Anton", "Viggo", "Bjørn", "Frederik"],
];

/// A surname; one in three is a name of its own kind.
pub(crate) fn surname(rng: &mut Rng) -> Text {
    if rng.hits_permille(640) {
        return Text::Borrowed(*rng.pick(COMMON, 2));
    }
    let place = format!("{}{}", rng.pick(PLACE_FIRST, 1), rng.pick(PLACE_LAST, 1));
    if rng.hits_permille(60) { Text::Owned(format!("{place}-{}", rng.pick(COMMON, 1))) } else { Text::Owned(place) }
}

/// A surname of somebody from abroad, in characters that CPR can hold.
pub(crate) fn foreign_surname(rng: &mut Rng) -> (Text, Option<char>) {
    let name = *rng.pick(FOREIGN, 1);
    // CPR marks with `*` a name whose characters it cannot hold.
    if name.chars().all(|letter| u32::from(letter) < 256) {
        return (Text::Borrowed(name), None);
    }
    (Text::Owned(name.chars().map(|letter| if letter == 'ć' { 'c' } else { letter }).collect()), Some('*'))
}

/// Given names of somebody born in this year.
pub(crate) fn given(rng: &mut Rng, is_man: bool, year: i32) -> Text {
    let (women, men) = GIVEN[((year - 1900) / 42).clamp(0, 2) as usize];
    let first = rng.pick(if is_man { men } else { women }, 1);
    if rng.hits_permille(350) {
        let second = rng.pick(SECOND[usize::from(is_man)], 1);
        if second != first {
            return Text::Owned(format!("{first} {second}"));
        }
    }
    Text::Borrowed(first)
}

/// A middle name, mostly none.
pub(crate) fn middle(rng: &mut Rng) -> Text {
    if rng.hits_permille(300) { surname(rng) } else { Text::default() }
}
