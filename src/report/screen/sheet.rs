//! Where text goes, and in which colour; without colours everything is said by characters alone.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    /// The name of something.
    Strong,
    /// What is there to compare with.
    Quiet,
    Good,
    Middling,
    Bad,
    /// From nothing (0) to everything (5).
    Heat(u8),
}

impl Tone {
    fn style(self, colors: bool) -> Style {
        let of = |color| if colors { Style::new().fg(color) } else { Style::new() };
        match self {
            Tone::Plain => Style::new(),
            Tone::Strong => Style::new().add_modifier(Modifier::BOLD),
            Tone::Quiet => of(Color::DarkGray),
            Tone::Good => of(Color::Green),
            Tone::Middling => of(Color::Yellow),
            Tone::Bad => of(Color::Red),
            Tone::Heat(share) => of(HEAT[usize::from(share).min(HEAT.len() - 1)]),
        }
    }
}

/// The sixteen colours that every terminal has.
const HEAT: [Color; 6] =
    [Color::DarkGray, Color::Blue, Color::Cyan, Color::Green, Color::Yellow, Color::Red];

pub struct Sheet<'a> {
    buffer: &'a mut Buffer,
    colors: bool,
}

impl<'a> Sheet<'a> {
    pub fn new(buffer: &'a mut Buffer, colors: bool) -> Sheet<'a> {
        Sheet { buffer, colors }
    }

    /// Into a row and from a column of `area` on, as far as it fits.
    pub fn put(&mut self, area: Rect, column: u16, row: u16, tone: Tone, text: &str) {
        if row >= area.height || column >= area.width {
            return;
        }
        let room = usize::from(area.width - column);
        let style = tone.style(self.colors);
        self.buffer.set_stringn(area.x + column, area.y + row, text, room, style);
    }

    /// Pieces one behind the other. One that does not fit is left out with all after it, and a
    /// mark says that there is more.
    pub fn pieces(&mut self, area: Rect, row: u16, pieces: &[(Tone, String)]) {
        let mut column = 0;
        for (index, (tone, text)) in pieces.iter().enumerate() {
            let length = columns(text);
            let is_last = index + 1 == pieces.len();
            if column + length + u16::from(!is_last) > area.width {
                return self.put(area, column, row, Tone::Quiet, "…");
            }
            self.put(area, column, row, *tone, text);
            column += length;
        }
    }

    /// So that it ends at the right edge, if it does not begin before `least`.
    pub fn right(&mut self, area: Rect, row: u16, least: u16, tone: Tone, text: &str) {
        let length = columns(text);
        if least + length <= area.width {
            self.put(area, area.width - length, row, tone, text);
        }
    }
}

pub fn columns(text: &str) -> u16 {
    u16::try_from(text.chars().count()).unwrap_or(u16::MAX)
}
