//! Python's marshal format (Python/marshal.c), as far as a profile needs it, versions 2 to 5.
//!
//! A file may come from anywhere: its depth, the number of its values and what they hold are
//! bounded by its own size, and nothing in it is executed. A value that is named again is shared,
//! not copied, so that a small file cannot become a large one.

use std::rc::Rc;

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    None,
    Int(i64),
    Float(f64),
    Text(Rc<str>),
    Tuple(Rc<[Value]>),
    Dict(Rc<[(Value, Value)]>),
}

/// A profile is five levels deep.
const DEEPEST: usize = 16;

/// A value that others may name by its number.
const NAMED: u8 = 0x80;

/// The error says what is wrong, as the end of a sentence.
pub fn read(bytes: &[u8]) -> Result<Value, String> {
    let mut reader = Reader { bytes, named: Vec::new() };
    match reader.value(0)? {
        Some(value) => Ok(value),
        None => Err(BROKEN.to_string()),
    }
}

const BROKEN: &str = "it is cut short or broken";

struct Reader<'a> {
    bytes: &'a [u8],
    /// In the order of their beginnings; `None`: not read to its end yet.
    named: Vec<Option<Value>>,
}

impl<'a> Reader<'a> {
    /// `None`: the end of a dictionary.
    fn value(&mut self, depth: usize) -> Result<Option<Value>, String> {
        if depth > DEEPEST {
            return Err("it is nested deeper than a profile is".to_string());
        }
        let [code] = self.array()?;
        let number = (code & NAMED != 0).then(|| {
            self.named.push(None);
            self.named.len() - 1
        });
        let value = match code & !NAMED {
            b'0' => return Ok(None),
            b'N' => Value::None,
            b'F' => Value::Int(0),
            b'T' => Value::Int(1),
            b'i' => Value::Int(i32::from_le_bytes(self.array()?).into()),
            b'I' => Value::Int(i64::from_le_bytes(self.array()?)),
            b'l' => self.long()?,
            b'g' => Value::Float(f64::from_le_bytes(self.array()?)),
            b'f' => {
                let [length] = self.array()?;
                let text = std::str::from_utf8(self.take(length.into())?).ok();
                Value::Float(text.and_then(|text| text.parse().ok()).ok_or(BROKEN)?)
            }
            b'z' | b'Z' => {
                let [length] = self.array()?;
                self.text(length.into())?
            }
            b'a' | b'A' | b'u' | b't' | b's' => {
                let length = self.length()?;
                self.text(length)?
            }
            b')' => {
                let [length] = self.array()?;
                self.tuple(length.into(), depth)?
            }
            b'(' | b'[' => {
                let length = self.length()?;
                self.tuple(length, depth)?
            }
            b'{' => self.dict(depth)?,
            b'r' => {
                let number = self.length()?;
                let named = self.named.get(number).cloned().flatten();
                return named.map(Some).ok_or_else(|| BROKEN.to_string());
            }
            _ => return Err("it holds what no profile does".to_string()),
        };
        if let Some(number) = number {
            self.named[number] = Some(value.clone());
        }
        Ok(Some(value))
    }

    /// Digits of 15 bits, the sign in their number.
    fn long(&mut self) -> Result<Value, String> {
        let digits = i32::from_le_bytes(self.array()?);
        let mut value: i64 = 0;
        for place in 0..digits.unsigned_abs() {
            let digit = i64::from(u16::from_le_bytes(self.array()?));
            let shifted = if place < 4 { digit << (15 * place) } else { i64::MAX };
            value = value.saturating_add(shifted);
        }
        Ok(Value::Int(if digits < 0 { -value } else { value }))
    }

    fn text(&mut self, length: usize) -> Result<Value, String> {
        Ok(Value::Text(String::from_utf8_lossy(self.take(length)?).into()))
    }

    fn tuple(&mut self, length: usize, depth: usize) -> Result<Value, String> {
        // Each of its values takes a byte at least.
        if length > self.bytes.len() {
            return Err(BROKEN.to_string());
        }
        let mut values = Vec::new();
        for _ in 0..length {
            values.push(self.value(depth + 1)?.ok_or(BROKEN)?);
        }
        Ok(Value::Tuple(values.into()))
    }

    fn dict(&mut self, depth: usize) -> Result<Value, String> {
        let mut pairs = Vec::new();
        while let Some(key) = self.value(depth + 1)? {
            pairs.push((key, self.value(depth + 1)?.ok_or(BROKEN)?));
        }
        Ok(Value::Dict(pairs.into()))
    }

    fn length(&mut self) -> Result<usize, String> {
        usize::try_from(i32::from_le_bytes(self.array()?)).map_err(|_| BROKEN.to_string())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (head, rest) = self.bytes.split_at_checked(length).ok_or(BROKEN)?;
        self.bytes = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (head, rest) = self.bytes.split_first_chunk().ok_or(BROKEN)?;
        self.bytes = rest;
        Ok(*head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[test]
    fn values_are_read_as_python_writes_them() {
        for (bytes, expected) in [
            (&b"i\x01\x00\x00\x00"[..], Value::Int(1)),
            (b"i\xff\xff\xff\xff", Value::Int(-1)),
            (b"N", Value::None),
            (b"T", Value::Int(1)),
            // marshal.dumps(10**10), dumps(-(10**10)), dumps(10**30)
            (b"\xec\x03\x00\x00\x00\x00d\x17(\t\x00", Value::Int(10_000_000_000)),
            (b"\xec\xfd\xff\xff\xff\x00d\x17(\t\x00", Value::Int(-10_000_000_000)),
            (
                b"\xec\x07\x00\x00\x00\x00\x00\x00\x00\xa97\xa73\x04M\x93e'\x03",
                Value::Int(i64::MAX),
            ),
            (b"g\x00\x00\x00\x00\x00\x00\xf8?", Value::Float(1.5)),
            (b"f\x031.5", Value::Float(1.5)),
            (b"\xfa\x04main", text("main")),
            (b"u\x02\x00\x00\x00\xc3\xa9", text("\u{e9}")),
            (b")\x02Ni\x05\x00\x00\x00", Value::Tuple([Value::None, Value::Int(5)].into())),
            // x = "ab"; dumps({x: x})
            (b"{\xda\x02abr\x00\x00\x00\x000", Value::Dict([(text("ab"), text("ab"))].into())),
        ] {
            assert_eq!(read(bytes), Ok(expected), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_broken_or_hostile_is_refused() {
        let deep = b")\x01".repeat(100_000);
        for (bytes, expected) in [
            (&b""[..], "cut short"),
            (b"0", "cut short"),
            (b"i\x01", "cut short"),
            // A thousand million values, and bytes, that are not there.
            (b"(\x00\x00\x00\x40N", "cut short"),
            (b"s\x00\x00\x00\x40N", "cut short"),
            (b"(\xff\xff\xff\xffN", "cut short"),
            (b"{N", "cut short"),
            (b"{N0", "cut short"),
            // A name for what is not there, and for the tuple it stands in.
            (b"r\x07\x00\x00\x00", "cut short"),
            (b"\xa9\x01r\x00\x00\x00\x00", "cut short"),
            // Code.
            (b"c\x00\x00\x00\x00", "what no profile does"),
            (&deep, "nested deeper"),
        ] {
            let why = read(bytes).unwrap_err();
            assert!(why.contains(expected), "{:.20?}: {why}", bytes);
        }
    }

    #[test]
    fn a_small_file_stays_small_however_often_it_names_itself() {
        // Each level is the one before, 255 times: 255^10 values if they were copied.
        let mut bytes = b")\x0b\xa9\x01N".to_vec();
        for level in 0..10u32 {
            bytes.extend(b"\xa9\xff");
            for _ in 0..255 {
                bytes.push(b'r');
                bytes.extend(level.to_le_bytes());
            }
        }
        assert!(matches!(read(&bytes), Ok(Value::Tuple(levels)) if levels.len() == 11));
    }

    #[test]
    fn noise_is_never_more_than_an_error() {
        let mut dice = Dice::of(1, 0, 0);
        for _ in 0..20_000 {
            let length = dice.below(60) as usize;
            let codes = b"0NTFiIlgfzZaAuts)([{r\x00\x01\x80\xa9\xfb";
            let byte = |dice: &mut Dice| codes[dice.below(codes.len() as u64) as usize];
            let bytes: Vec<u8> = (0..length).map(|_| byte(&mut dice)).collect();
            let _ = read(&bytes);
        }
    }
}
