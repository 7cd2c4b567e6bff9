//! The picture of the charts as pixels: `-o run.png`.

use std::io;
use std::path::Path;
use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::picture;
use crate::error::Result;
use crate::report::{Document, staged};

/// Latin letters, figures and signs of DejaVu Sans (`font/LICENSE`): a host without a screen has
/// no fonts, and the same run gives the same picture everywhere.
const FONT: &[u8] = include_bytes!("font/DejaVuSans.ttf");
const FAMILY: &str = "DejaVu Sans";

/// Pixels a unit, for screens that have so many.
const SCALE: f32 = 2.0;

pub fn save(document: &Document, path: &Path) -> Result<()> {
    let png = png(document).map_err(|error| staged::failed(path, &error))?;
    staged::save(path, &png)
}

pub fn png(document: &Document) -> io::Result<Vec<u8>> {
    rendered(&picture::svg(document))
}

/// A picture of this program's as PNG.
pub fn rendered(svg: &str) -> io::Result<Vec<u8>> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family(FAMILY);
    let options =
        Options { font_family: FAMILY.to_string(), fontdb: Arc::new(fonts), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(io::Error::other)?;
    let size = tree.size();
    let pixels = |units: f32| (units * SCALE).ceil() as u32;
    let canvas = Pixmap::new(pixels(size.width()), pixels(size.height()));
    let mut canvas = canvas.ok_or_else(|| io::Error::other("a picture without a size"))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut canvas.as_mut());
    canvas.encode_png().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_picture_has_its_size_and_the_colours_of_its_lines() {
        let canvas = Pixmap::decode_png(&png(&fixture::held().document()).unwrap()).unwrap();
        assert_eq!(canvas.width(), 2 * 1088);
        let has = |r: u8, g: u8, b: u8| {
            let mut pixels = canvas.pixels().iter();
            pixels.any(|p| (p.red(), p.green(), p.blue(), p.alpha()) == (r, g, b, 255))
        };
        assert!(has(0xff, 0xff, 0xff), "paper");
        assert!(has(0x25, 0x63, 0xeb) && has(0x0d, 0x94, 0x88), "lines");
        assert!(has(0x0f, 0x17, 0x2a), "text");
    }

    #[test]
    fn every_run_has_a_picture() {
        for (name, run) in fixture::all() {
            assert!(png(&run.document()).is_ok(), "{name}");
        }
    }
}
