//! Maps of what was sent.
//!
//! Key function: [`maps`].

use maud::{Markup, PreEscaped, html};
use msm_chart::harmless;

use crate::cli::markup::{text, wide};
use crate::cli::words::{bytes_shown, counted};
use crate::verbs::quicklook::{SentMap, SentMaps};

/// The maps, and what there is none of; nothing, where nothing was to be drawn.
pub(super) fn maps(all: &SentMaps) -> Markup {
    let without = without(all);
    html! {
        @if !all.maps.is_empty() || !without.is_empty() {
            h2 { "What was sent" }
            @if !all.maps.is_empty() {
                p { "The last step that the run wrote of each variable, at the first level, out of the values that it put." }
                div.maps { @for map in &all.maps { (figure(map, all.width)) } }
            }
            @if !without.is_empty() { ul { @for line in &without { li { (text(line)) } } } }
        }
    }
}

fn figure(map: &SentMap, width: usize) -> Markup {
    let [before, title, after] = map.chart.words();
    html! {
        figure {
            @match map.chart.svg(width) {
                Ok(svg) => { (wide(&harmless(&map.chart.caption().title), &PreEscaped(svg))) }
                Err(cause) => { p { (cause.to_string()) } }
            }
            figcaption {
                (before) bdi { (title) } (text(&after))
                @if map.unseen > 0 { p { (grey(map)) } }
            }
        }
    }
}

/// Why there are no values in a part of the map.
fn grey(map: &SentMap) -> String {
    let why = "an earlier run had put them, or they were moved within the store";
    if map.unseen == map.objects {
        return format!(
            "Grey all over, for this run had no values of it: {why}. quicklook draws it."
        );
    }
    let (unseen, all) = (map.unseen, counted(map.objects, "objects"));
    format!(
        "Grey, too, in {unseen} of its {all}, for this run had no values of them: {why}. Range and mean are of the others; quicklook draws all."
    )
}

/// What there is no map of, and why.
fn without(all: &SentMaps) -> Vec<String> {
    let left_out = { all.left_out.iter() }
        .map(|(store, name, why)| format!("No map of '{name}' of store '{store}': {why}."));
    let undrawn = all.undrawn.iter().map(|part| {
        let of = part.variable.as_ref();
        let of = of.map(|name| format!("'{name}' of "));
        let (of, store, cause) = (of.unwrap_or_default(), &part.store, &part.cause);
        format!("No map of {of}store '{store}': {cause}.")
    });
    let names: Vec<String> = { all.beyond.iter() }
        .map(|(store, name)| format!("'{name}' of store '{store}'"))
        .collect();
    let beyond = (!names.is_empty()).then(|| {
        let most = all.maps.len();
        format!(
            "No maps of {}, for a page has no more than {most}: {}. quicklook draws them.",
            counted(names.len(), "variables"),
            names.join(", ")
        )
    });
    let no_room = all.no_room.map(|bytes| {
        format!(
            "No maps: for them each rank would have to hold {} beside the data, and --memory has no room for that. quicklook draws them.",
            bytes_shown(bytes)
        )
    });
    { left_out.chain(undrawn) }
        .chain(beyond)
        .chain(no_room)
        .collect()
}

#[cfg(test)]
mod tests {
    use msm_chart::{Caption, Chart, ColourScale, Frame, Map};

    use super::*;
    use crate::verbs::quicklook::{DrawnChart, Undrawable};

    fn map(unseen: u64) -> SentMap {
        let title = "tos\u{202e}</title><script>alert(1)</script>: \u{5d0}".to_owned();
        let chart = Chart::Map(Map {
            caption: Caption {
                title: title.clone(),
                detail: "1976-01-16".to_owned(),
                units: "<b>".to_owned(),
            },
            frame: Frame::GLOBE,
            longitudes: vec![-90.0, 90.0],
            latitudes: vec![45.0, -45.0],
            values: vec![1.0, 2.0, 3.0, f64::NAN],
            statistics: None,
            infinite: 0,
            scale: ColourScale::of([1.0, 3.0].into_iter()),
        });
        SentMap {
            shown: DrawnChart {
                store: "T1y/tos.zarr".to_owned(),
                variable: "tos".to_owned(),
                array: "tos".to_owned(),
                units: chart.caption().units.clone(),
                times: None,
                level: None,
                bbox: [-180.0, -90.0, 180.0, 90.0],
                statistics: None,
                infinite: 0,
            },
            chart,
            objects: 9,
            unseen,
        }
    }

    #[test]
    fn names_are_no_markup_and_what_is_grey_is_said() {
        let all = SentMaps {
            maps: [0, 2, 9].map(map).to_vec(),
            width: 100,
            left_out: vec![("a.zarr".to_owned(), "<i>".to_owned(), Undrawable::NoPlane)],
            beyond: vec![("b.zarr".to_owned(), "sos".to_owned())],
            ..SentMaps::default()
        };
        let page = maps(&all).into_string();
        for markup in ["<script", "<b>", "<i>", "\u{202e}"] {
            assert!(!page.contains(markup), "{markup}");
        }
        assert_eq!(page.matches("<svg ").count(), 3);
        assert_eq!(
            page.matches("<title>Map: &#x2068;tos\u{fffd}&lt;/title&gt;")
                .count(),
            3
        );
        for told in [
            "Grey, too, in 2 of its 9 objects, ",
            "Grey all over, ",
            "No map of '&lt;i&gt;' of store 'a.zarr': it does not lie on a plane",
            "No maps of 1 variable, for a page has no more than 3: 'sos' of store 'b.zarr'.",
        ] {
            assert_eq!(page.matches(told).count(), 1, "{told}");
        }
    }

    #[test]
    fn where_nothing_was_to_be_drawn_nothing_is_said() {
        assert_eq!(maps(&SentMaps::default()).into_string(), "");
        let without = SentMaps {
            no_room: Some(3 << 20),
            ..SentMaps::default()
        };
        let page = maps(&without).into_string();
        assert!(page.contains("would have to hold 3.0 MiB"), "{page}");
    }
}
