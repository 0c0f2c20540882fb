//! The standard address (STANDARDADR of 003) taken apart: street, house, floor and door, or the number of a building.
//!
//! CPR has written it in two ways. Until March 2023 `Skovvej 77 A,1 tv` (a blank before the letter, a comma before the
//! floor; a numbered door behind a hyphen, `12,st-3`, also without a floor, `12,-3`), since then `Skovvej 77A, 1. tv`;
//! in Greenland, where there is no house number, `Prøvevej BNR 1234`. What a person types may lack the comma, and then
//! has more than one reading.

/// What a standard address says, in the bytes of ISO 8859-1 that it is written in. A part that is not there is empty.
#[derive(Clone, Eq, PartialEq)]
pub struct StandardAddress<'a> {
    /// Name of the street.
    pub street: &'a [u8],
    /// Digits of the house number, without leading zeros, and its letter.
    pub house_number: Vec<u8>,
    /// Floor, without its full stop.
    pub floor: &'a [u8],
    /// Side or door.
    pub door: &'a [u8],
    /// Number of the building (BNR).
    pub building: &'a [u8],
}

/// Says nothing of the address.
impl std::fmt::Debug for StandardAddress<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StandardAddress(..)")
    }
}

impl<'a> StandardAddress<'a> {
    /// The name of the street alone.
    fn of_street(street: &'a [u8]) -> StandardAddress<'a> {
        let none = &street[..0];
        StandardAddress {
            street: street.trim_ascii(),
            house_number: Vec::new(),
            floor: none,
            door: none,
            building: none,
        }
    }

    /// The address in a line as CPR writes it. A line without a house number is the name of a street, or of what stands
    /// there.
    pub fn parse(line: &'a [u8]) -> StandardAddress<'a> {
        let comma = line.iter().position(|&byte| byte == b',');
        let (head, tail) = comma.map_or((line, &line[..0]), |at| (&line[..at], &line[at + 1..]));
        let words = words(head);
        let house = match words.as_slice() {
            [.., _, (_, number)] if is_number(number) => words.len() - 1,
            [.., (_, mark), _] if is_building_mark(mark) => words.len() - 1,
            [.., _, (_, digits), (_, letter)] if is_digits(digits) && is_letter(letter) => words.len() - 2,
            _ => return StandardAddress::of_street(head),
        };
        let (street, house) = words.split_at(house);
        reading(head, street, house, split_floor_and_door(tail)).unwrap_or_else(|| StandardAddress::of_street(head))
    }

    /// What a line that a person types can mean: with a comma what CPR would mean by it, without one every way to tell
    /// the house number from the rest, and the name of a street alone. Of a line as long as CPR's field the last part
    /// may be cut, so it stands without that part too.
    pub fn readings(line: &'a [u8]) -> Vec<StandardAddress<'a>> {
        let mut readings = match line.contains(&b',') {
            true => vec![StandardAddress::parse(line)],
            false => StandardAddress::readings_without_comma(line),
        };
        if line.len() + 1 >= WIDTH {
            let cut = StandardAddress::parse(line);
            let none = &line[..0];
            readings.extend(match (cut.door.is_empty(), cut.floor.is_empty()) {
                (false, _) => Some(StandardAddress { door: none, ..cut }),
                (true, false) => Some(StandardAddress { floor: none, ..cut }),
                (true, true) => None,
            });
        }
        readings
    }

    fn readings_without_comma(line: &'a [u8]) -> Vec<StandardAddress<'a>> {
        let words = words(line);
        let word = |at: usize| words.get(at).map_or(&line[..0], |(_, word)| word);
        let can_be_house = |at: &usize| is_number(word(*at)) || is_building_mark(word(*at - 1));
        let mut readings: Vec<StandardAddress<'a>> = (1..words.len())
            .filter(can_be_house)
            .filter_map(|at| {
                let rest = if is_digits(word(at)) && is_letter(word(at + 1)) { at + 2 } else { at + 1 };
                let floor_and_door = match &words[rest..] {
                    [] => [&line[..0], &line[..0]],
                    [(_, one)] => split_floor_and_door(one),
                    [(_, floor), (_, door)] => [without_stop(floor), without_stop(door)],
                    _ => return None,
                };
                reading(line, &words[..at], &words[at..rest], floor_and_door)
            })
            .collect();
        readings.push(StandardAddress::of_street(line));
        readings
    }
}

/// Characters of STANDARDADR.
const WIDTH: usize = 34;

/// A word, and where it begins.
type Word<'a> = (usize, &'a [u8]);

/// The address with these words for its street and its house number; none when they cannot be that.
fn reading<'a>(
    line: &'a [u8],
    street: &[Word<'a>],
    house: &[Word<'a>],
    [floor, door]: [&'a [u8]; 2],
) -> Option<StandardAddress<'a>> {
    let of_building = street.last().is_some_and(|(_, word)| is_building_mark(word));
    let street = if of_building { &street[..street.len() - 1] } else { street };
    let &(start, last) = street.last()?;
    let named = StandardAddress { floor, door, ..StandardAddress::of_street(&line[..start + last.len()]) };
    Some(match house {
        [(_, number)] if of_building => StandardAddress { building: number, ..named },
        _ => {
            StandardAddress { house_number: house.iter().flat_map(|(_, word)| word.iter().copied()).collect(), ..named }
        }
    })
}

/// Floor and door: `1 tv`, `1. tv`, `st-3`, `-3`, `1`.
fn split_floor_and_door(text: &[u8]) -> [&[u8]; 2] {
    let text = text.trim_ascii();
    let parted = text.iter().position(u8::is_ascii_whitespace).or_else(|| text.iter().position(|&byte| byte == b'-'));
    match parted {
        Some(at) => [without_stop(&text[..at]), without_stop(&text[at + 1..])],
        None => [without_stop(text), &text[..0]],
    }
}

fn without_stop(word: &[u8]) -> &[u8] {
    let word = word.trim_ascii();
    word.strip_suffix(b".").unwrap_or(word)
}

fn words(text: &[u8]) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut at = 0;
    for word in text.split(u8::is_ascii_whitespace) {
        if !word.is_empty() {
            words.push((at, word));
        }
        at += word.len() + 1;
    }
    words
}

/// What stands before the number of a building.
fn is_building_mark(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"BNR")
}

fn is_digits(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(u8::is_ascii_digit)
}

fn is_letter(word: &[u8]) -> bool {
    word.len() == 1 && word[0].is_ascii_alphabetic()
}

/// Digits, or digits and a letter.
fn is_number(word: &[u8]) -> bool {
    match word.split_last() {
        Some((last, digits)) if last.is_ascii_alphabetic() => is_digits(digits),
        _ => is_digits(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(address: &StandardAddress<'_>) -> [String; 5] {
        let part = |bytes: &[u8]| bytes.iter().map(|&byte| char::from(byte)).collect();
        [address.street, &address.house_number, address.floor, address.door, address.building].map(part)
    }

    #[test]
    fn a_line_as_the_register_writes_it_comes_apart() {
        for (line, expected) in [
            ("Akseltorv 1", ["Akseltorv", "1", "", "", ""]),
            ("Skovvej 77 A", ["Skovvej", "77A", "", "", ""]),
            ("Skovvej 77 A,1 tv", ["Skovvej", "77A", "1", "tv", ""]),
            ("Strandvejen 123A, st. tv", ["Strandvejen", "123A", "st", "tv", ""]),
            ("Strandvejen 123A, 1. 12", ["Strandvejen", "123A", "1", "12", ""]),
            ("Skovvej 12,st-3", ["Skovvej", "12", "st", "3", ""]),
            ("Skovvej 12,-3", ["Skovvej", "12", "", "3", ""]),
            ("Skovvej 12, 1", ["Skovvej", "12", "1", "", ""]),
            ("Prinsesse Alle BNR 1234", ["Prinsesse Alle", "", "", "", "1234"]),
            ("Prinsesse Alle BNR 12B", ["Prinsesse Alle", "", "", "", "12B"]),
            ("Prinsesse Alle BNR B123", ["Prinsesse Alle", "", "", "", "B123"]),
            ("10. Februar Vej 5, 2. th", ["10. Februar Vej", "5", "2", "th", ""]),
            ("Ny Gammel Skovvej 77 A", ["Ny Gammel Skovvej", "77A", "", "", ""]),
            ("Vej 4 Nord", ["Vej 4 Nord", "", "", "", ""]),
            ("Vej Nord B", ["Vej Nord B", "", "", "", ""]),
            ("Vej 4", ["Vej", "4", "", "", ""]),
            ("BNR 4", ["BNR 4", "", "", "", ""]),
            ("Uden fast bopæl", ["Uden fast bopæl", "", "", "", ""]),
            ("12", ["12", "", "", "", ""]),
            ("", ["", "", "", "", ""]),
            (",", ["", "", "", "", ""]),
        ] {
            let latin1 = crate::latin1_of(line);
            assert_eq!(text(&StandardAddress::parse(&latin1)), expected, "{line}");
        }
    }

    #[test]
    fn what_is_typed_without_a_comma_has_several_readings() {
        let readings = |line: &str| -> Vec<String> {
            let latin1 = crate::latin1_of(line);
            StandardAddress::readings(&latin1).iter().map(|one| text(one).join("|")).collect()
        };
        assert_eq!(readings("Skovvej 7B 2. tv"), ["Skovvej|7B|2|tv|", "Skovvej 7B 2. tv||||"]);
        assert_eq!(readings("Skovvej 77 A 1 tv")[0], "Skovvej|77A|1|tv|");
        assert_eq!(
            readings("Christian 4 Vej 5"),
            ["Christian|4|Vej|5|", "Christian 4 Vej|5|||", "Christian 4 Vej 5||||"]
        );
        assert_eq!(readings("Skovvej BNR 7")[0], "Skovvej||||7");
        assert_eq!(readings("Skovvej BNR B12")[0], "Skovvej||||B12");
        assert_eq!(readings("Skovvej 7 st-3")[0], "Skovvej|7|st|3|");
        assert_eq!(readings("Skovvej 7, 2. tv"), ["Skovvej|7|2|tv|"]);
        let cut = "Ny Kongensgades Sidegyde 123A, st. t";
        assert_eq!(readings(&cut[..34]), ["Ny Kongensgades Sidegyde|123A|st||", "Ny Kongensgades Sidegyde|123A|||"]);
        assert_eq!(readings(&cut[..33]), readings(&cut[..34]));
        assert_eq!(readings(&cut[..32]), ["Ny Kongensgades Sidegyde|123A|s||"]);
        let with_door = "Ny Kongensgade Sidegyde 123A, 1. t";
        assert_eq!(readings(with_door), ["Ny Kongensgade Sidegyde|123A|1|t|", "Ny Kongensgade Sidegyde|123A|1||"]);
    }

    #[test]
    fn an_address_that_was_taken_apart_is_not_printed() {
        assert_eq!(format!("{:?}", StandardAddress::parse(b"Skovvej 77")), "StandardAddress(..)");
    }
}
