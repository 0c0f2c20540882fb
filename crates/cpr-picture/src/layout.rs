//! Where everything stands: a lane for each aspect, in it as many tracks as it takes that no two facts cover each
//! other, in each track a band for each delivery in which something of the lane came or went.

use cpr_model::{Aspect, Fact};

use crate::label::label;
use crate::scale::{LEFT, RIGHT, Scale, day};
use crate::titles::title;
use crate::{Error, Picture};

/// More facts than these are not drawn.
pub(crate) const MOST_FACTS: usize = 2_000;

pub(crate) const WIDTH: f64 = 1000.0;
/// Where the first lane begins: below the title and the years.
const TOP: f64 = 62.0;
/// Room for the key below the last lane.
const BOTTOM: f64 = 40.0;
/// A lane is at least as high as its two titles.
const LANE: f64 = 27.0;
const LANE_GAP: f64 = 7.0;
const TRACK_GAP: f64 = 3.0;
/// A band that labels fit into, and how low bands become when there are many.
const BAND: f64 = 15.0;
const LOWEST_BAND: f64 = 4.0;
const TRACK: f64 = 75.0;
/// A fact without length is drawn this wide, and a short one as wide as can be seen.
const POINT: f64 = 6.0;
const SHORT: f64 = 0.5;

pub(crate) const LABEL_SIZE: f64 = 10.0;
/// How wide a letter of a fixed-width font is, of its size.
pub(crate) const LETTER: f64 = 0.61;

/// One fact.
#[derive(Debug)]
pub(crate) struct Box<'a> {
    pub(crate) fact: Fact<'a>,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// What stands in it, as far as it fits.
    pub(crate) label: String,
}

/// One aspect.
#[derive(Debug)]
pub(crate) struct Lane<'a> {
    pub(crate) aspect: Aspect,
    pub(crate) y: f64,
    pub(crate) height: f64,
    /// Deliveries in which something came or went, with where their bands begin in the first track.
    pub(crate) bands: Vec<(u32, f64)>,
    pub(crate) band_height: f64,
    pub(crate) tracks: usize,
    pub(crate) boxes: Vec<Box<'a>>,
}

impl Lane<'_> {
    /// How far the tracks are from each other.
    pub(crate) fn track_step(&self) -> f64 {
        self.bands.len() as f64 * self.band_height + TRACK_GAP
    }
}

/// The whole picture.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    pub(crate) scale: Scale,
    /// The day of the present.
    pub(crate) present: i32,
    pub(crate) lanes: Vec<Lane<'a>>,
    pub(crate) height: f64,
}

/// Lays a picture out.
pub(crate) fn lay_out<'a>(picture: &Picture<'a>) -> Result<Layout<'a>, Error> {
    let wanted = |fact: &&Fact<'a>| picture.aspects.is_empty() || picture.aspects.contains(&fact.aspect());
    let facts: Vec<Fact<'a>> = picture.facts.iter().filter(wanted).copied().collect();
    let last = picture.deliveries.last().ok_or(Error::Nothing)?;
    let present = cpr_model::Day::at_or_after(last.produced).ok_or(Error::Nothing)?.number();
    if facts.is_empty() {
        return Err(Error::Nothing);
    }
    if facts.len() > MOST_FACTS {
        return Err(Error::TooMany { most: MOST_FACTS });
    }
    let scale = Scale::of(facts.iter(), present);
    let (mut lanes, mut y) = (Vec::new(), TOP);
    for aspect in Aspect::all() {
        let of_lane: Vec<Fact<'a>> = facts.iter().filter(|fact| fact.aspect() == aspect).copied().collect();
        if !of_lane.is_empty() {
            let lane = lay_lane(aspect, of_lane, scale, y, picture.reveal);
            y += lane.height + LANE_GAP;
            lanes.push(lane);
        }
    }
    Ok(Layout { scale, present, lanes, height: y + BOTTOM })
}

fn lay_lane<'a>(aspect: Aspect, mut facts: Vec<Fact<'a>>, scale: Scale, y: f64, reveal: bool) -> Lane<'a> {
    let mut deliveries: Vec<u32> =
        facts.iter().flat_map(|fact| [Some(fact.known().from), fact.known().to]).flatten().collect();
    deliveries.sort_unstable();
    deliveries.dedup();
    let band_height = (TRACK / deliveries.len() as f64).clamp(LOWEST_BAND, BAND);
    let track_height = deliveries.len() as f64 * band_height;
    let band = |delivery: u32| deliveries.partition_point(|found| *found < delivery);
    // What is believed now stands in the first track where there is room.
    let order =
        |fact: &Fact<'_>| (fact.mark().is_some(), fact.known().to.is_some(), fact.known().from, fact.valid().from);
    facts.sort_by_key(order);
    let mut tracks: Vec<Vec<[f64; 4]>> = Vec::new();
    let mut boxes = Vec::new();
    for fact in facts {
        let (x, width) = across(&fact, scale);
        let (from, to) = (band(fact.known().from), fact.known().to.map_or(deliveries.len(), band));
        let place = [x, x + width, from as f64, to as f64];
        let free = tracks.iter().position(|track| !track.iter().any(|other| overlap(place, *other)));
        let track = free.unwrap_or(tracks.len());
        if free.is_none() {
            tracks.push(Vec::new());
        }
        tracks[track].push(place);
        let top = y + track as f64 * (track_height + TRACK_GAP) + from as f64 * band_height;
        let height = (to - from) as f64 * band_height;
        let label = fitting(label(&fact, reveal), width, height);
        boxes.push(Box { fact, x, y: top, width, height, label });
    }
    let height = (tracks.len() as f64 * (track_height + TRACK_GAP) - TRACK_GAP).max(LANE);
    let bands = deliveries.iter().enumerate().map(|(at, delivery)| (*delivery, y + at as f64 * band_height)).collect();
    Lane { aspect, y, height, bands, band_height, tracks: tracks.len(), boxes }
}

/// Where a fact begins and how wide it is; one without length is a line.
fn across(fact: &Fact<'_>, scale: Scale) -> (f64, f64) {
    let valid = fact.valid();
    let from = valid.from.and_then(day).map_or(LEFT, |from| scale.x(from));
    let to = valid.to.and_then(day).map_or(RIGHT, |to| scale.x(to));
    match valid.is_empty() {
        true => (from.min(RIGHT - POINT), POINT),
        false => (from.min(RIGHT - SHORT), (to - from).max(SHORT)),
    }
}

fn overlap(a: [f64; 4], b: [f64; 4]) -> bool {
    // Neighbours that meet do not cover each other.
    a[0] < b[1] - 0.001 && b[0] < a[1] - 0.001 && a[2] < b[3] && b[2] < a[3]
}

/// As much of a label as there is room for; one or two letters of a longer one say nothing.
fn fitting(label: String, width: f64, height: f64) -> String {
    let room = ((width - 6.0) / (LABEL_SIZE * LETTER)).floor().max(0.0) as usize;
    let letters = label.chars().count();
    if height < LABEL_SIZE + 2.0 || room == 0 {
        return String::new();
    }
    match letters <= room {
        true => label,
        false if room < 4 => String::new(),
        false => label.chars().take(room - 1).chain(['…']).collect(),
    }
}

/// The title of a lane fits its place.
pub(crate) fn titles_of(lane: &Lane<'_>) -> (&'static str, &'static str) {
    title(lane.aspect)
}
