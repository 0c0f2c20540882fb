//! The picture in a page of its own, with a slider of deliveries: what was believed after the one that is chosen stands
//! out. The page fetches nothing, and its policy forbids it to.

use std::fmt::Write as _;

use crate::svg::svg;
use crate::{Error, Picture};

/// Draws a person in a page.
///
/// # Errors
/// As [`svg`].
pub fn html(picture: &Picture<'_>) -> Result<String, Error> {
    let drawing = svg(picture)?;
    let mut deliveries = String::new();
    for moment in picture.deliveries {
        _ = write!(deliveries, "[{},\"{}\"],", moment.delivery, moment.produced);
    }
    let last = picture.deliveries.len().saturating_sub(1);
    let page = PAGE.replace("LAST", &last.to_string()).replace("DELIVERIES", deliveries.trim_end_matches(','));
    Ok(page.replace("DRAWING", &drawing))
}

const PAGE: &str = r##"<!DOCTYPE html>
<html lang="da">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>Replika</title>
<style>body{margin:1rem auto;max-width:1200px;font-family:sans-serif}label{display:flex;gap:1rem;align-items:center}input{flex:1}svg{width:100%;height:auto}output{min-width:16rem}</style>
</head>
<body>
<label>Kendt efter levering · known after delivery <input id="known" type="range" min="0" max="LAST" value="LAST"><output id="told"></output></label>
DRAWING
<script>
"use strict";
const deliveries = [DELIVERIES];
const slider = document.getElementById("known"), told = document.getElementById("told");
const facts = document.querySelectorAll("[data-known-from]"), lanes = document.querySelectorAll(".aspect");
const lines = [];
for (const lane of lanes) {
  const bands = lane.dataset.bands.split(" ").map((band) => band.split(":").map(Number));
  for (let track = 0; track < Number(lane.dataset.tracks); track++) {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    line.setAttribute("class", "known");
    lane.append(line);
    lines.push({ line, bands, height: Number(lane.dataset.bandHeight), shift: track * Number(lane.dataset.trackStep) });
  }
}
function show() {
  const [known, produced] = deliveries[Number(slider.value)];
  told.textContent = known + " · " + produced;
  for (const fact of facts) {
    const to = fact.dataset.knownTo;
    const believed = Number(fact.dataset.knownFrom) <= known && (to === "" || known < Number(to));
    fact.classList.toggle("off", !believed);
  }
  const svg = document.querySelector("svg").dataset;
  for (const { line, bands, height, shift } of lines) {
    const begun = bands.filter(([delivery]) => delivery <= known);
    line.style.display = begun.length ? "" : "none";
    if (!begun.length) continue;
    const y = begun[begun.length - 1][1] + height + shift;
    for (const [name, value] of [["x1", svg.left], ["x2", svg.right], ["y1", y], ["y2", y]]) line.setAttribute(name, value);
  }
}
slider.addEventListener("input", show);
show();
</script>
</body>
</html>
"##;
