//! Pictures as one sees them: their pixels, and their words.

use resvg::tiny_skia::Pixmap;

use crate::panel::{LEFT, TOP};
use crate::*;

fn caption(title: &str) -> Caption {
    Caption {
        title: title.into(),
        detail: "2015-01-16, 5 m".into(),
        units: "degC".into(),
    }
}

/// A grid of 4° cells, rows from the north or from the south, whose longitudes begin at `west`.
fn map(west: f64, is_from_north: bool, value: impl Fn(f64, f64) -> f64) -> Map {
    let longitudes: Vec<f64> = (0..90).map(|i| west + 4.0 * f64::from(i) + 2.0).collect();
    let mut latitudes: Vec<f64> = (0..45).map(|j| -88.0 + 4.0 * f64::from(j)).collect();
    if is_from_north {
        latitudes.reverse();
    }
    let around = |x: f64| (x + 180.0).rem_euclid(360.0) - 180.0;
    let rows = latitudes.iter();
    let values: Vec<f64> = rows
        .flat_map(|y| {
            longitudes
                .iter()
                .map(|x| value(around(*x), *y))
                .collect::<Vec<_>>()
        })
        .collect();
    let areas = latitudes.iter().flat_map(|y| [y.to_radians().cos(); 90]);
    Map {
        caption: caption("votemper"),
        frame: Frame::GLOBE,
        statistics: Statistics::of(values.iter().copied().zip(areas)),
        infinite: values.iter().filter(|value| value.is_infinite()).count() as u64,
        scale: ColourScale::of(values.iter().copied()),
        longitudes,
        latitudes,
        values,
    }
}

fn picture(charts: impl IntoIterator<Item = Chart>) -> Picture {
    Picture {
        charts: charts.into_iter().collect(),
    }
}

fn drawn(picture: &Picture) -> Pixmap {
    Pixmap::decode_png(&picture.png().unwrap()).unwrap()
}

fn colour(pixmap: &Pixmap, x: f64, y: f64) -> [u8; 3] {
    let pixel = pixmap.pixel(x as u32, y as u32).unwrap();
    assert_eq!(pixel.alpha(), 255);
    [pixel.red(), pixel.green(), pixel.blue()]
}

/// The pixel of a map of the globe alone that shows this place.
fn at(pixmap: &Pixmap, longitude: f64, latitude: f64) -> [u8; 3] {
    colour(
        pixmap,
        LEFT + (longitude + 180.0) * 3.0,
        TOP + (90.0 - latitude) * 3.0,
    )
}

#[test]
fn a_place_has_the_colour_of_its_value_whatever_the_order_of_rows_and_columns() {
    let value = |x: f64, y: f64| {
        if (-60.0..-20.0).contains(&x) && y > 0.0 {
            f64::NAN
        } else {
            x / 10.0 + y + 200.0
        }
    };
    for west in [-180.0, 0.0, 72.0] {
        for is_from_north in [true, false] {
            let map = map(west, is_from_north, value);
            let pixmap = drawn(&picture([Chart::Map(map.clone())]));
            for (x, y) in [(-102.0, 60.0), (50.0, -40.0), (174.0, 0.0), (-178.0, -88.0)] {
                assert_eq!(
                    at(&pixmap, x, y),
                    map.scale.colour(value(x, y)),
                    "{x} {y} {west}"
                );
            }
            assert_eq!(at(&pixmap, -42.0, 40.0), MISSING);
            // What surrounds it is white.
            assert_eq!(colour(&pixmap, 2.0, 2.0), [255; 3]);
        }
    }
}

#[test]
fn land_has_a_coast() {
    let map = map(-180.0, true, |x, _| if x < 0.0 { f64::NAN } else { 1.0 });
    let pixmap = drawn(&picture([Chart::Map(map.clone())]));
    let [sea, coast, land] = [2.0, 0.0, -2.0].map(|x| at(&pixmap, x, 20.0));
    assert_eq!((sea, land), (map.scale.colour(1.0), MISSING));
    assert!(
        coast.iter().zip(MISSING).all(|(coast, land)| *coast < land),
        "{coast:?}"
    );
}

#[test]
fn zero_is_white_where_values_straddle_it_and_only_there() {
    let scale = ColourScale::of((-100..=80).map(f64::from));
    assert_eq!(scale.colours, Colours::Diverging);
    assert_eq!((scale.low, scale.high), (-96.0, 96.0));
    assert!(scale.colour(0.0).iter().all(|part| *part > 235));
    let ([r, _, b], [cold_r, _, cold_b]) = (scale.colour(60.0), scale.colour(-60.0));
    assert!(r > b && cold_b > cold_r);
    // The map as a whole.
    let pixmap = drawn(&picture([Chart::Map(map(-180.0, true, |_, y| y))]));
    assert!(at(&pixmap, 30.0, 0.0).iter().all(|part| *part > 235));
    // Temperatures of the sea reach a little below zero.
    let scale = ColourScale::of((-2..=30).map(f64::from));
    assert_eq!(scale.colours, Colours::Sequential);
}

#[test]
fn limits_leave_out_what_is_rare() {
    let mut values: Vec<f64> = (0..1000).map(|i| f64::from(i) / 10.0).collect();
    values.extend([1e9, f64::INFINITY, f64::NAN]);
    let scale = ColourScale::of(values.into_iter());
    assert_eq!((scale.low, scale.high), (2.0, 98.0));
    assert!(scale.goes_below && scale.goes_above);
    assert_eq!(scale.colour(1e9), scale.colour(98.0));
    // Of one value, of none, of zeros, of numbers at the end of what there is, there is a scale too.
    for values in [
        vec![],
        vec![f64::NAN],
        vec![7.0; 5],
        vec![0.0; 3],
        vec![-1e308, 1e308],
        vec![5e-324],
    ] {
        let scale = ColourScale::of(values.iter().copied());
        assert!(scale.low < scale.high, "{values:?} {scale:?}");
        assert_ne!(scale.colour(values.first().copied().unwrap_or(0.5)), [0; 3]);
    }
}

#[test]
fn a_frame_beyond_the_date_line_shows_what_is_there() {
    let mut map = map(-180.0, true, |x, _| if x > 0.0 { 1.0 } else { 3.0 });
    map.frame = Frame {
        west: 170.0,
        south: -10.0,
        east: 190.0,
        north: 10.0,
    };
    let pixmap = drawn(&picture([Chart::Map(map.clone())]));
    let place = |degrees: f64| colour(&pixmap, LEFT + degrees * 54.0, TOP + 500.0);
    assert_eq!(place(5.0), map.scale.colour(1.0));
    assert_eq!(place(15.0), map.scale.colour(3.0));
    let words = picture([Chart::Map(map)]).svg().unwrap();
    assert!(
        words.contains(">174°W<") && words.contains(">4°S<"),
        "{words}"
    );
}

#[test]
fn what_the_grid_does_not_reach_is_missing() {
    let mut map = map(-180.0, true, |_, _| 5.0);
    map.latitudes.truncate(20);
    map.values.truncate(20 * 90);
    let pixmap = drawn(&picture([Chart::Map(map.clone())]));
    assert_eq!(at(&pixmap, 10.0, 50.0), map.scale.colour(5.0));
    assert_eq!(at(&pixmap, 10.0, -50.0), MISSING);
}

#[test]
fn depth_grows_downwards_and_levels_are_as_thick_as_they_are() {
    let section = Section {
        caption: caption("vosaline"),
        latitude_range: [-90.0, 90.0],
        latitudes: vec![-45.0, 45.0],
        depths: vec![10.0, 30.0, 950.0],
        depth_units: "m".into(),
        infinite: 0,
        values: vec![1.0, 2.0, 3.0, 4.0, 5.0, f64::NAN],
        scale: ColourScale::of((1..=5).map(f64::from)),
    };
    let all = section.statistics().unwrap();
    // Levels of 20, 470 and 920 metres.
    let mean = (20.0 * 3.0 + 470.0 * 7.0 + 920.0 * 5.0) / (2.0 * 20.0 + 2.0 * 470.0 + 920.0);
    assert!((all.mean - mean).abs() < 1e-9 && all.values == 5, "{all:?}");
    let scale = section.scale;
    let picture = picture([Chart::Section(section)]);
    let pixmap = drawn(&picture);
    let place = |latitude: f64, depth: f64| {
        let x = LEFT + (latitude + 90.0) * 6.0;
        colour(&pixmap, x, TOP + depth / 1410.0 * 540.0)
    };
    for (latitude, depth, value) in [
        (-40.0, 8.0, 1.0),
        (40.0, 400.0, 4.0),
        (-10.0, 600.0, 5.0),
        (70.0, 1400.0, f64::NAN),
    ] {
        assert_eq!(
            place(latitude, depth),
            scale.colour(value),
            "{latitude} {depth}"
        );
    }
    assert!(picture.svg().unwrap().contains("1400 m<"));
}

#[test]
fn a_series_goes_up_where_values_do_and_tells_them() {
    let value = |i: i32| if i == 5 { f64::NAN } else { f64::from(i) };
    let moments = (0..10).map(|i| Moment {
        at: f64::from(i) * 30.0,
        date: format!("2015-{:02}", i + 1),
        value: value(i),
    });
    let series = Series {
        caption: caption("tos"),
        moments: moments.collect(),
        infinite: 2,
    };
    let svg = picture([Chart::Series(series)]).svg().unwrap();
    assert!(svg.contains("<title>2015-03: 2 degC</title>"), "{svg}");
    assert!(svg.contains(">2 values are infinite<"), "{svg}");
    assert!(svg.matches("text-anchor=\"end\"").count() >= 4, "{svg}");
    let path = svg
        .split("d=\"M")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    // Parted where a value is missing.
    assert_eq!(
        (path.matches('L').count(), path.matches('M').count()),
        (7, 1),
        "{path}"
    );
    let y: Vec<f64> = path
        .split(['L', 'M'])
        .map(|point| point.split(' ').nth(1).unwrap().parse().unwrap())
        .collect();
    assert!(y.is_sorted_by(|a, b| a > b), "{y:?}");
}

#[test]
fn texts_stay_texts() {
    let evil = "<script>alert(\"x\")</script>&'\u{1}\u{202e}\u{2066}";
    let mut map = map(-180.0, true, |x, _| x);
    map.caption = Caption {
        title: evil.into(),
        detail: evil.into(),
        units: evil.into(),
    };
    let picture = picture([Chart::Map(map)]);
    let (svg, html) = (picture.svg().unwrap(), picture.html(evil).unwrap());
    let words = picture.charts[0].in_words();
    for hidden in ['\u{1}', '\u{202e}', '\u{2066}'] {
        assert!(!words.contains(hidden) && !svg.contains(hidden) && !html.contains(hidden));
    }
    assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;alert(&quot;x&quot;)"));
    // The page's own script, and no other.
    assert_eq!(html.matches("<script").count(), 1);
    assert!(!html.contains("alert(\"x\")"));
    picture.png().unwrap();
}

#[test]
fn a_sheet_has_all_charts_side_by_side() {
    let charts = (0..5).map(|i| Chart::Map(map(-180.0, true, |_, _| f64::from(i))));
    let picture = picture(charts);
    let pixmap = drawn(&picture);
    assert_eq!(pixmap.width(), 3 * (360 + 76));
    let below = pixmap.height() / 2;
    let second = colour(&pixmap, 436.0 + LEFT + 100.0, f64::from(below) + TOP + 50.0);
    assert_eq!(second, ColourScale::of([4.0].into_iter()).colour(4.0));
    // The last place is empty.
    assert_eq!(
        colour(&pixmap, 872.0 + LEFT + 100.0, f64::from(below) + TOP + 50.0),
        [255; 3]
    );
    assert_eq!(picture.html("all").unwrap().matches("<figure>").count(), 5);
}

#[test]
fn a_page_says_what_it_shows_and_has_the_values() {
    let map = map(-180.0, true, |x, y| if y > 80.0 { f64::NAN } else { x });
    let page = picture([Chart::Map(map)]).html("votemper").unwrap();
    assert!(
        page.contains(
            "<title>Map: &#x2068;votemper&#x2069;, 2015-01-16, 5 m: from −178 to 178, mean "
        ),
        "{}",
        &page[..3000]
    );
    assert!(
        !page.contains("http://")
            || page.matches("http").count()
                == page.matches("http://www.w3.org/2000/svg").count() + 1
    );
    let values = page
        .split("data-values=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let values = data_encoding::BASE64.decode(values.as_bytes()).unwrap();
    let value = |x: usize, y: usize| {
        f32::from_le_bytes(values[4 * (y * 720 + x)..][..4].try_into().unwrap())
    };
    // Two pixels a degree.
    assert_eq!((value(4, 300), value(404, 100)), (-178.0, 22.0));
    assert!(value(360, 2).is_nan());
}

#[test]
fn infinite_values_have_a_colour_of_their_own_and_are_counted() {
    let mut map = map(
        -180.0,
        true,
        |x, _| if x > 60.0 { f64::INFINITY } else { x },
    );
    map.infinite = 3;
    let chart = Chart::Map(map.clone());
    assert!(
        chart.in_words().ends_with(" degC; 3 values are infinite"),
        "{}",
        chart.in_words()
    );
    let picture = picture([chart]);
    let pixmap = drawn(&picture);
    assert_eq!(at(&pixmap, 100.0, 20.0), INFINITE);
    assert_eq!(at(&pixmap, 50.0, 20.0), map.scale.colour(50.0));
    assert!(map.scale.high.is_finite());
    assert!(picture.svg().unwrap().contains(">3 infinite<"));
    assert!(
        picture
            .html("x")
            .unwrap()
            .contains("<p>3 values are infinite.</p>")
    );
    map.statistics = None;
    map.infinite = 1;
    let words = Chart::Map(map).in_words();
    assert!(
        words.ends_with("no finite values; 1 value is infinite"),
        "{words}"
    );
}

#[test]
fn letters_that_the_font_does_not_have_are_seen_all_the_same() {
    let titled = |title: &str| {
        let mut map = map(-180.0, true, |x, _| x);
        map.caption.title = title.to_owned();
        picture([Chart::Map(map)])
    };
    let (foreign, known) = (titled("海面 tos"), titled("Température °C − τ"));
    assert_eq!(foreign.not_in_font(), ['海', '面'].into());
    assert!(known.not_in_font().is_empty());
    assert_eq!(
        foreign.png().unwrap(),
        titled("\u{fffd}\u{fffd} tos").png().unwrap()
    );
    assert_ne!(foreign.png().unwrap(), titled(" tos").png().unwrap());
    // Whoever reads the others has fonts.
    assert!(foreign.svg().unwrap().contains("海面"));
}

#[test]
fn units_that_are_numbers_are_no_second_number() {
    let told = |units: &str| {
        let mut map = map(-180.0, true, |_, _| 2.0);
        map.caption.units = units.to_owned();
        let map = Chart::Map(map);
        let words = map.in_words();
        words.split("mean ").nth(1).unwrap().to_owned()
    };
    for (units, expected) in [
        ("1", "2"),
        (" 1.0", "2"),
        ("", "2"),
        ("1e-3", "2 × 1e-3"),
        ("m s-1", "2 m s-1"),
        ("%", "2 %"),
    ] {
        assert_eq!(told(units), expected, "{units}");
    }
}

#[test]
fn a_part_of_the_world_has_words() {
    let words = |west, south, east, north| {
        let frame = Frame {
            west,
            south,
            east,
            north,
        };
        frame.in_words()
    };
    assert_eq!(
        words(170.0, -10.5, 200.0, 0.0).unwrap(),
        "170°E to 160°W, 10.5°S to 0°"
    );
    assert_eq!(
        words(-180.0, -70.0, 180.0, -40.0).unwrap(),
        "all longitudes, 70°S to 40°S"
    );
    assert_eq!(Frame::GLOBE.in_words(), None);
}

#[test]
fn a_plot_may_be_narrow_and_its_texts_and_its_bar_are_not() {
    let mut map = map(-180.0, true, |x, y| x + y);
    map.frame = Frame {
        west: 0.0,
        south: -60.0,
        east: 0.5,
        north: 60.0,
    };
    let narrow = picture([Chart::Map(map)]);
    let svg = narrow.svg().unwrap();
    assert!(
        svg.contains(">votemper<") && !svg.contains("width=\"-"),
        "{svg}"
    );
    assert_eq!(drawn(&narrow).width(), 326);
}

#[test]
fn the_smallest_series_has_labels_on_both_axes() {
    for value in [6.0, 279.9, 0.0, -1e-7, 1e12] {
        let moments = [0, 1].map(|i| Moment {
            at: f64::from(i),
            date: format!("2015-0{}", i + 1),
            value: value + f64::from(i) * 0.01 * value,
        });
        let series = Chart::Series(Series {
            caption: caption("tos"),
            moments: moments.to_vec(),
            infinite: 0,
        });
        let svg = series.svg(360).unwrap();
        let labels = svg.matches("text-anchor=\"end\"").count();
        assert!((3..=8).contains(&labels), "{value}: {svg}");
    }
}

#[test]
fn what_single_precision_does_not_have_is_in_a_page_as_it_is() {
    let values = |page: &str| {
        let (_, rest) = page.split_once("data-values=\"").unwrap();
        let text = rest.split_once('"').unwrap().0;
        data_encoding::BASE64.decode(text.as_bytes()).unwrap()
    };
    for (value, bytes) in [
        (1e300, 8),
        (-1e-300, 8),
        (20_260_131_123.0, 8),
        (2.5e7, 4),
        (12.345_678_9, 4),
        (f64::INFINITY, 4),
    ] {
        let chart = Chart::Map(map(-180.0, true, |_, y| if y > 0.0 { value } else { 1.0 }));
        let page = picture([chart]).html("x").unwrap();
        assert!(page.contains(&format!("data-bytes=\"{bytes}\"")), "{value}");
        let held = values(&page);
        let first = match bytes {
            8 => f64::from_le_bytes(held[..8].try_into().unwrap()),
            _ => f64::from(f32::from_le_bytes(held[..4].try_into().unwrap())),
        };
        assert!(
            first == value || (first / value - 1.0).abs() < 1e-7,
            "{first}"
        );
    }
}

#[test]
fn what_is_not_seen_is_told_to_nobody() {
    let text = "a\u{202e}b\u{1b}[31m\u{0}\u{2066}c\u{7f}\u{e0001}";
    let hidden = |text: &str| {
        text.chars()
            .filter(|c| harmless(&c.to_string()) == "\u{fffd}")
            .count()
    };
    assert_eq!(hidden(text), 6);
    assert_eq!(harmless_lines("a\tb\u{202e}\nc\r"), "a b\u{fffd}\nc ");
    // A document says the same as before.
    assert_eq!(
        harmless_json("{\n  \"a\u{202e}\\n\": \"\u{7f}\u{e0001}é\"\n}"),
        "{\n  \"a\\u202e\\n\": \"\\u007f\\udb40\\udc01é\"\n}"
    );
}

#[test]
fn a_title_of_wide_letters_ends_within_its_chart() {
    let mut map = map(-180.0, true, |_, y| y);
    map.caption.title = "W".repeat(200);
    let sheet = picture((0..6).map(|_| Chart::Map(map.clone())));
    let pixmap = drawn(&sheet);
    // The charts of a row are as wide as each other; nothing of one lies at the edge of the next.
    let column = f64::from(pixmap.width()) / 3.0;
    for row in 0..20 {
        for x in [column, 2.0 * column, 3.0 * column] {
            assert_eq!(colour(&pixmap, x - 3.0, f64::from(row)), [255; 3]);
        }
    }
}

#[test]
fn a_picture_of_its_own_is_dark_where_that_is_asked_for() {
    let chart = Chart::Map(map(-180.0, true, |_, y| y));
    let alone = chart.svg_alone(100).unwrap();
    assert!(alone.contains("prefers-color-scheme: dark"));
    assert!(
        !picture([chart.clone()])
            .html("x")
            .unwrap()
            .contains("<style>@media")
    );
    let [before, title, after] = chart.words();
    assert_eq!((before.as_str(), title.as_str()), ("Map: ", "votemper"));
    assert!(after.starts_with(", 2015-01-16, 5 m: from "), "{after}");
}
