//! A chunked request body, taken apart (RFC 9112, section 7.1).

use super::request::{BODY_LIMIT, Outcome};

/// A chunk-size line or a trailer section longer than this is refused.
pub(super) const LINE_LIMIT: u32 = 4096;

/// A chunked body being read (RFC 9112, 7.1).
#[derive(Debug, Default)]
pub(super) struct Chunked {
    part: Part,
    /// The size read so far, then what is left of the chunk.
    size: u64,
    /// Bytes of the present line, or of all trailers.
    line: u32,
    total: u64,
}

/// What came of reading on.
pub(super) enum Step<'i> {
    /// All input is used up.
    More,
    Data(&'i [u8]),
    /// The body has ended.
    End,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Size,
    Extension,
    Data,
    /// The line end behind the data.
    DataEnd,
    /// At the start of a trailer line, where an empty line ends the body.
    TrailerStart,
    Trailer,
}

impl Chunked {
    /// Reads on, to the next piece of data.
    pub fn next<'i>(&mut self, input: &mut &'i [u8]) -> Outcome<Step<'i>> {
        while let Some((&byte, rest)) = input.split_first() {
            if self.part == Part::Data {
                let (data, rest) = input.split_at(self.size.min(input.len() as u64) as usize);
                *input = rest;
                self.size -= data.len() as u64;
                if self.size == 0 {
                    self.part = Part::DataEnd;
                }
                return Ok(Step::Data(data));
            }
            *input = rest;
            if self.step(byte)? {
                return Ok(Step::End);
            }
        }
        Ok(Step::More)
    }

    fn step(&mut self, byte: u8) -> Outcome<bool> {
        self.line += 1;
        if self.line > LINE_LIMIT {
            return Err(431);
        }
        match (self.part, byte) {
            (Part::Size, b'\r' | b'\n' | b';' | b' ' | b'\t') if self.line == 1 => return Err(400),
            (Part::Size | Part::Extension, b'\n') => self.end_of_size()?,
            (Part::Size, b';' | b' ' | b'\t' | b'\r') => self.part = Part::Extension,
            (Part::Size, digit) => self.digit(digit)?,
            (Part::DataEnd, b'\r') if self.line == 1 => {}
            (Part::DataEnd, b'\n') => self.start(Part::Size),
            (Part::DataEnd, _) => return Err(400),
            (Part::TrailerStart, b'\n') => return Ok(true),
            (Part::TrailerStart, b'\r') => {}
            (Part::Trailer, b'\n') => self.part = Part::TrailerStart,
            (Part::TrailerStart, _) => self.part = Part::Trailer,
            (Part::Extension | Part::Trailer | Part::Data, _) => {}
        }
        Ok(false)
    }

    fn digit(&mut self, byte: u8) -> Outcome<()> {
        let digit = char::from(byte).to_digit(16).ok_or(400_u16)?;
        let shifted = self.size.checked_mul(16).ok_or(413_u16)?;
        self.size = shifted + u64::from(digit);
        Ok(())
    }

    fn end_of_size(&mut self) -> Outcome<()> {
        self.total = self.total.saturating_add(self.size);
        if self.total > BODY_LIMIT {
            return Err(413);
        }
        self.line = 0;
        self.part = if self.size == 0 { Part::TrailerStart } else { Part::Data };
        Ok(())
    }

    fn start(&mut self, part: Part) {
        (self.part, self.size, self.line) = (part, 0, 0);
    }
}
