//! A flame graph of a profile's stacks, drawn by inferno: one SVG that asks no network for
//! anything. Its script zooms and searches; without it the picture stands still and says the same.

use inferno::flamegraph::color::{Color, PaletteMap};
use inferno::flamegraph::{Options, TextTruncateDirection, from_lines};

use super::document::Profile;
use crate::metrics::profile::{Class, class};

/// Narrower frames, in percent of the whole, are not drawn: they would be half a pixel.
const NARROWEST: f64 = 0.05;

/// What inferno writes into each picture, and is no part of it.
const HEAD: &str = "<svg ";

/// Light enough for black letters on a light page and on a dark one.
const fn color(class: Class) -> Color {
    match class {
        Class::Cpu => Color::new(244, 178, 107),
        Class::Io => Color::new(130, 190, 226),
        Class::Database => Color::new(197, 172, 240),
        Class::Memory => Color::new(146, 208, 172),
    }
}

/// Of waiting, and of what is put together.
const PALE: Color = Color::new(200, 204, 210);

/// The colours and what they mean, for a legend.
pub fn legend() -> [(&'static str, String); 5] {
    let written = |color: Color| format!("rgb({},{},{})", color.r, color.g, color.b);
    [
        ("CPU", written(color(Class::Cpu))),
        ("I/O", written(color(Class::Io))),
        ("database", written(color(Class::Database))),
        ("memory", written(color(Class::Memory))),
        ("waiting", written(PALE)),
    ]
}

/// `None`: the profile holds no stacks.
pub fn svg(profile: &Profile) -> Option<String> {
    if profile.stacks.is_empty() {
        return None;
    }
    let mut colors = PaletteMap::default();
    for stack in &profile.stacks {
        let frames = stack.rsplit_once(' ').map_or(stack.as_str(), |(frames, _)| frames);
        for frame in frames.split(';') {
            let pale = class::is_waiting(frame) || frame.starts_with('(');
            colors.insert(frame, if pale { PALE } else { color(class::of(frame)) });
        }
    }
    // The whole, which has no name.
    colors.insert("", PALE);
    let mut options = Options::default();
    options.title = String::new();
    options.palette_map = Some(&mut colors);
    options.min_width = NARROWEST;
    options.text_truncate_direction = TextTruncateDirection::Right;
    options.bgcolors = Some(inferno::flamegraph::color::BackgroundColor::Flat(WHITE));
    let mut svg = Vec::new();
    from_lines(&mut options, profile.stacks.iter().map(String::as_str), &mut svg).ok()?;
    let svg = String::from_utf8(svg).ok()?;
    // The declarations before it name a page of the network, and a page of HTML can have none.
    let drawn = &svg[svg.find(HEAD)?..];
    // A gradient of one colour, which dark pages have another one for.
    let drawn = drawn.replacen("fill=\"url(#background)\"", "fill=\"#fff\"", 1);
    Some(drawn.replacen("</style>", &format!("{DARK}</style>"), 1))
}

const WHITE: Color = Color::new(255, 255, 255);

/// For a reader whose pages are dark.
const DARK: &str = "#search{opacity:.6}\
    @media (prefers-color-scheme:dark){svg > rect{fill:#131c2e}\
    #title,#details,#matched,#search,#unzoom{fill:#e2e8f0}\
    #frames > *:hover{stroke:#fff}}";

/// A page of its own, to stand in a frame of another one: the names of its script and its styles
/// stay in it.
pub fn page(svg: &str) -> String {
    format!(
        "<!doctype html><meta charset=utf-8><title>Flame graph</title>\
         <style>:root{{color-scheme:light dark}}body{{margin:0}}svg{{display:block;width:100%}}</style>{svg}"
    )
}

/// In pixels.
pub fn height(svg: &str) -> Option<u32> {
    let (_, rest) = svg.split_once("height=\"")?;
    rest.split('"').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{self, profile::Stacks};

    fn drawn(text: &str) -> String {
        let profile = metrics::Profile::of_stacks("test", Stacks::parse(text).unwrap(), true);
        svg(&Profile::new(&profile)).unwrap()
    }

    #[test]
    fn each_stack_is_drawn_in_the_color_of_its_work_and_in_well_formed_xml() {
        let text = "main;encode<T> 60\nmain;\"quoted\" & co 10\nmain;sqlite3_step 20\nmain;epoll_wait 10\n";
        let svg = drawn(text);
        for expected in
            ["encode&lt;T&gt; (60 samples, 60.00%)", "sqlite3_step (20 samples", "all (100 samples"]
        {
            assert!(svg.contains(expected), "no {expected}");
        }
        for (name, color) in
            legend().iter().filter(|(name, _)| ["CPU", "database", "waiting"].contains(name))
        {
            assert!(svg.contains(color), "{name}");
        }
        let mut reader = quick_xml::Reader::from_str(&svg);
        reader.config_mut().check_end_names = true;
        while !matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {}
        // The same stacks are the same picture.
        assert_eq!(svg, drawn(text));
        assert!(height(&svg).is_some_and(|height| height > 50), "{:?}", height(&svg));
    }

    #[test]
    fn a_picture_asks_no_network_for_anything() {
        let svg = drawn("a;b 1\n");
        for word in ["src=", "href=", "url(", "@import", "fetch(", "XMLHttp", "<image", "import("] {
            assert!(!svg.contains(word), "{word}");
        }
    }

    #[test]
    fn without_stacks_there_is_no_picture() {
        let stacks = Stacks::parse("a 1").unwrap();
        let profile =
            metrics::Profile { stacks: None, ..metrics::Profile::of_stacks("x", stacks, true) };
        assert_eq!(svg(&Profile::new(&profile)), None);
    }
}
