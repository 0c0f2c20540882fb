//! Parts of a search that can be tested without a store.

use crate::search::check::Spans;
use crate::search::patterns::WordPattern;

#[test]
fn a_pattern_is_a_word_a_prefix_or_a_shape() {
    for (pattern, word, expected) in [
        ("Hansen", "hansen", true),
        ("Hansen", "hansens", false),
        ("Hans*", "hansen", true),
        ("Hans*", "hans", true),
        ("Hans*", "han", false),
        ("Å*", "aagaard", true),
        ("*sen", "hansen", true),
        ("*sen", "hansens", false),
        ("M?ller", "m\u{f8}ller", true),
        ("m?ller", "mller", false),
        ("h*s?n", "hansen", true),
        ("h*s?n", "hanen", false),
        ("a*b*c", "aabbcc", true),
        ("a*b*c", "aabbccd", false),
        ("*", "x", true),
        ("Anne-Ma*", "annemarie", true),
    ] {
        let word: Vec<u8> = word.chars().map(|c| c as u8).collect();
        assert_eq!(WordPattern::parse(pattern).unwrap().matches(&word), expected, "{pattern}");
    }
    assert!(WordPattern::parse("--").is_none());
}

#[test]
fn spans_are_sets_of_moments() {
    let a = Spans::of(vec![(5, 10), (20, 30), (8, 12), (7, 7)]);
    let b = Spans::of(vec![(11, 25)]);
    assert_eq!(a, Spans::of(vec![(5, 12), (20, 30)]));
    assert_eq!(a.and(&b), Spans::of(vec![(11, 12), (20, 25)]));
    assert_eq!(a.not(), Spans::of(vec![(0, 5), (12, 20), (30, u64::MAX)]));
    assert_eq!(a.not().not(), a);
    assert_eq!(a.and(&a.not()), Spans::default());
}
