//! The picture as SVG: shapes, lines and text, no script and nothing from elsewhere.

use std::fmt::Write as _;

use cpr_model::{CorrectionMark, Day, Fact, Timestamp};

use crate::layout::{Box, LABEL_SIZE, Lane, Layout, WIDTH, lay_out, titles_of};
use crate::scale::{LEFT, RIGHT};
use crate::{Error, Picture};

/// Draws a person.
///
/// # Errors
/// [`Error::Nothing`], [`Error::TooMany`].
pub fn svg(picture: &Picture<'_>) -> Result<String, Error> {
    let layout = lay_out(picture)?;
    let (first, last) = layout.scale.bounds();
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {:.1}\" font-family=\"'DejaVu Sans Mono', Menlo, \
         Consolas, monospace\" font-size=\"{LABEL_SIZE}\" fill=\"#111\" role=\"img\" data-first-day=\"{first}\" \
         data-last-day=\"{last}\" data-left=\"{LEFT}\" data-right=\"{RIGHT}\">\n{STYLE}",
        layout.height
    );
    write_frame(&mut out, picture, &layout);
    for lane in &layout.lanes {
        write_lane(&mut out, lane, picture.reveal);
    }
    write_present(&mut out, &layout);
    write_key(&mut out, layout.height);
    out.push_str("</svg>\n");
    Ok(out)
}

/// Shades that differ in print, too: what is believed is filled and framed, what no longer is, is pale and dashed, what
/// was wrong is hatched.
const STYLE: &str = r##"<defs>
<pattern id="wrong" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#fff"/><line x1="0" y1="0" x2="0" y2="6" stroke="#777" stroke-width="2"/></pattern>
</defs>
<style>
.paper{fill:#fff}.lane{fill-opacity:.045}.tick{stroke:#d5d5d5}.band{stroke:#c4c4c4;stroke-dasharray:1 3}
.fact{fill:#cfdff2;stroke:#1d3557;stroke-width:1}.gone{fill:#fafafa;stroke:#888;stroke-dasharray:3 2}.wrong{fill:url(#wrong)}
.pale{fill:#666}.on-wrong{paint-order:stroke;stroke:#fff;stroke-width:3px}.present{stroke:#b00020;stroke-width:1.5}.off{opacity:.12}.small{font-size:9px;fill:#555}.head{font-size:13px;font-weight:bold}
.known{stroke:#b00020;stroke-width:1.5;stroke-dasharray:4 2}
</style>
"##;

/// The paper, the title, the axes.
fn write_frame(out: &mut String, picture: &Picture<'_>, layout: &Layout<'_>) {
    let title = picture.title.filter(|_| picture.reveal).unwrap_or("En person · A person");
    _ = writeln!(out, "<rect class=\"paper\" width=\"{WIDTH}\" height=\"{:.1}\"/>", layout.height);
    _ = writeln!(out, "<text class=\"head\" x=\"10\" y=\"20\">{}</text>", escaped(title));
    _ = writeln!(
        out,
        "<text class=\"small\" x=\"10\" y=\"36\">→ gyldig i verden · valid in the world | ↓ kendt efter levering · known after \
         delivery</text>"
    );
    let bottom = layout.lanes.last().map_or(0.0, |lane| lane.y + lane.height);
    for (year, x) in layout.scale.years() {
        _ = writeln!(out, "<line class=\"tick\" x1=\"{x:.2}\" y1=\"54\" x2=\"{x:.2}\" y2=\"{bottom:.1}\"/>");
        _ = writeln!(out, "<text class=\"small year\" x=\"{x:.2}\" y=\"51\" text-anchor=\"middle\">{year}</text>");
    }
}

fn write_lane(out: &mut String, lane: &Lane<'_>, reveal: bool) {
    let (danish, english) = titles_of(lane);
    let name = lane.aspect.name();
    let places: Vec<String> = lane.bands.iter().map(|(delivery, y)| format!("{delivery}:{y:.1}")).collect();
    _ = writeln!(
        out,
        "<g class=\"aspect\" data-aspect=\"{name}\" data-bands=\"{}\" data-band-height=\"{:.2}\" data-track-step=\"{:.2}\" \
         data-tracks=\"{}\">",
        places.join(" "),
        lane.band_height,
        lane.track_step(),
        lane.tracks
    );
    let (y, height) = (lane.y, lane.height);
    _ = writeln!(
        out,
        "<rect class=\"lane\" x=\"{LEFT}\" y=\"{y:.1}\" width=\"{}\" height=\"{height:.1}\"/>",
        RIGHT - LEFT
    );
    _ = writeln!(out, "<text x=\"10\" y=\"{:.1}\">{danish}</text>", y + 11.0);
    _ = writeln!(out, "<text class=\"small\" x=\"10\" y=\"{:.1}\">{english}</text>", y + 22.0);
    // Numbers of deliveries as far as they do not stand in each other's way.
    let mut free = f64::MIN;
    for (delivery, band) in &lane.bands {
        _ = writeln!(out, "<line class=\"band\" x1=\"{LEFT}\" y1=\"{band:.1}\" x2=\"{RIGHT}\" y2=\"{band:.1}\"/>");
        let baseline = band + 9.0;
        if baseline - 9.0 >= free {
            let x = LEFT - 5.0;
            _ = writeln!(
                out,
                "<text class=\"small\" x=\"{x}\" y=\"{baseline:.1}\" text-anchor=\"end\">{delivery}</text>"
            );
            free = baseline + 1.0;
        }
    }
    for one in &lane.boxes {
        write_box(out, one, reveal);
    }
    out.push_str("</g>\n");
}

fn write_box(out: &mut String, one: &Box<'_>, reveal: bool) {
    let fact = &one.fact;
    let known = fact.known();
    let is_wrong = matches!(fact.mark(), Some(CorrectionMark::Corrected | CorrectionMark::Annulled));
    let classes = [("fact", true), ("gone", known.to.is_some()), ("wrong", is_wrong)];
    let classes: Vec<&str> = classes.into_iter().filter(|(_, is)| *is).map(|(class, _)| class).collect();
    let to = known.to.map_or(String::new(), |to| to.to_string());
    _ = writeln!(
        out,
        "<rect class=\"{}\" data-known-from=\"{}\" data-known-to=\"{to}\" x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" \
         height=\"{:.2}\"><title>{}</title></rect>",
        classes.join(" "),
        known.from,
        one.x,
        one.y,
        one.width,
        one.height,
        escaped(&tip(fact, one, reveal))
    );
    if !one.label.is_empty() {
        let mut classes = vec!["label"];
        classes.extend(known.to.is_some().then_some("pale"));
        classes.extend(is_wrong.then_some("on-wrong"));
        _ = writeln!(
            out,
            "<text class=\"{}\" data-known-from=\"{}\" data-known-to=\"{to}\" x=\"{:.2}\" y=\"{:.2}\">{}</text>",
            classes.join(" "),
            known.from,
            one.x + 3.0,
            one.y + (one.height + LABEL_SIZE * 0.7) / 2.0,
            escaped(&one.label)
        );
    }
}

/// What a pointer over the rectangle is told.
fn tip(fact: &Fact<'_>, one: &Box<'_>, reveal: bool) -> String {
    let (from, to) = fact.stated_bounds();
    let bound = |at: Option<Timestamp>| at.map_or("…".to_owned(), |at| at.to_string());
    let known = fact.known();
    let until = known.to.map_or("…".to_owned(), |to| to.to_string());
    let mark = fact.mark().map_or(String::new(), |mark| format!(" · {}", mark.letter()));
    let what = match reveal {
        true => format!(" · {}", one.label),
        false => String::new(),
    };
    format!("{} – {} · levering/delivery {} – {until}{mark}{what}", bound(from), bound(to), known.from)
}

/// The line of the present.
fn write_present(out: &mut String, layout: &Layout<'_>) {
    let x = layout.scale.x(layout.present);
    let bottom = layout.lanes.last().map_or(0.0, |lane| lane.y + lane.height);
    let date = Day::from_number(layout.present).map_or(String::new(), |day| day.to_string());
    _ = writeln!(out, "<line class=\"present\" x1=\"{x:.2}\" y1=\"40\" x2=\"{x:.2}\" y2=\"{bottom:.1}\"/>");
    _ = writeln!(out, "<text class=\"small\" x=\"{RIGHT}\" y=\"36\" text-anchor=\"end\">nu · now {date}</text>");
}

/// What the shades mean.
fn write_key(out: &mut String, height: f64) {
    let y = height - 26.0;
    let entries = [
        ("fact", "troes nu · believed now"),
        ("fact gone", "troes ikke mere · no longer believed"),
        ("fact wrong", "rettet, annulleret · corrected, annulled"),
    ];
    let mut x = 10.0;
    for (class, text) in entries {
        // A swatch is no fact.
        let class = class.replacen("fact", "swatch fact", 1);
        _ = writeln!(out, "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"16\" height=\"11\"/>");
        _ = writeln!(out, "<text class=\"small\" x=\"{:.1}\" y=\"{:.1}\">{text}</text>", x + 22.0, y + 9.0);
        x += 22.0 + text.chars().count() as f64 * 9.0 * 0.61 + 24.0;
    }
}

/// Text within XML.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // What XML has no place for.
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
