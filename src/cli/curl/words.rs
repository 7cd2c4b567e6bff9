//! The words of a shell command, as bash reads them (its manual, 3.1.2): quotes, ANSI-C quoting,
//! continued lines. No shell is run: what would need one (variables, pipes) is refused.

use crate::error::{Error, Result};

/// Splits a command. Errors repeat nothing of it.
pub fn split(text: &str) -> Result<Vec<Vec<u8>>> {
    let mut words = Words { rest: text.chars().collect(), words: Vec::new(), word: None };
    words.rest.reverse();
    while let Some(character) = words.rest.pop() {
        words.take(character)?;
    }
    words.end_word();
    Ok(words.words)
}

struct Words {
    /// What is still to be read, last character first.
    rest: Vec<char>,
    words: Vec<Vec<u8>>,
    /// The word that has begun; one in quotes may be empty.
    word: Option<Vec<u8>>,
}

impl Words {
    fn take(&mut self, character: char) -> Result<()> {
        match character {
            ' ' | '\t' | '\n' | '\r' => self.end_word(),
            '\'' => self.single()?,
            '"' => self.double()?,
            '$' if self.next_is('\'') => self.ansi_c()?,
            // A translated text; there is no translation.
            '$' if self.next_is('"') => {}
            '$' if self.names_a_variable() => return Err(variable()),
            '`' => return Err(variable()),
            '\\' => self.escape()?,
            '#' if self.word.is_none() => {
                while self.rest.last().is_some_and(|next| *next != '\n') {
                    self.rest.pop();
                }
            }
            '|' | ';' | '<' | '>' | '(' | ')' | '&' => {
                return Err(Error::usage(format!(
                    "`{character}` outside of quotes ends the curl command; leave out what is not \
                     part of it, and put quotes around the URL"
                )));
            }
            other => self.push(other),
        }
        Ok(())
    }

    /// Up to the next quote everything stands for itself.
    fn single(&mut self) -> Result<()> {
        self.begin_word();
        loop {
            match self.rest.pop() {
                Some('\'') => return Ok(()),
                Some(character) => self.push(character),
                None => return Err(open_quote('\'')),
            }
        }
    }

    /// Here a backslash escapes only what has a meaning here.
    fn double(&mut self) -> Result<()> {
        self.begin_word();
        loop {
            match self.rest.pop() {
                Some('"') => return Ok(()),
                Some('\\') => match self.rest.pop() {
                    Some('\n') => {}
                    Some('\r') if self.next_is('\n') => drop(self.rest.pop()),
                    Some(escaped @ ('"' | '\\' | '$' | '`')) => self.push(escaped),
                    Some(other) => {
                        self.push('\\');
                        self.push(other);
                    }
                    None => return Err(open_quote('"')),
                },
                Some('$') if self.names_a_variable() => return Err(variable()),
                Some('`') => return Err(variable()),
                Some(character) => self.push(character),
                None => return Err(open_quote('"')),
            }
        }
    }

    /// `\` outside of quotes: at the end of a line it joins it to the next one.
    fn escape(&mut self) -> Result<()> {
        match self.rest.pop() {
            Some('\n') => {}
            Some('\r') if self.next_is('\n') => drop(self.rest.pop()),
            Some(character) => self.push(character),
            None => {
                return Err(Error::usage(
                    "the curl command ends in a backslash; paste all its lines",
                ));
            }
        }
        Ok(())
    }

    /// `$'...'` (the manual, 3.1.2.4).
    fn ansi_c(&mut self) -> Result<()> {
        self.rest.pop();
        self.begin_word();
        loop {
            match self.rest.pop() {
                Some('\'') => return Ok(()),
                Some('\\') => self.ansi_c_escape()?,
                Some(character) => self.push(character),
                None => return Err(open_quote('\'')),
            }
        }
    }

    fn ansi_c_escape(&mut self) -> Result<()> {
        let Some(letter) = self.rest.pop() else { return Err(open_quote('\'')) };
        match letter {
            'a' => self.byte(0x07),
            'b' => self.byte(0x08),
            'e' | 'E' => self.byte(0x1b),
            'f' => self.byte(0x0c),
            'n' => self.byte(b'\n'),
            'r' => self.byte(b'\r'),
            't' => self.byte(b'\t'),
            'v' => self.byte(0x0b),
            'c' => {
                let control = self.rest.pop().map_or(0, |c| c.to_ascii_uppercase() as u32 & 0x1f);
                self.byte(control as u8)
            }
            'x' => self.number('x', 16, 2).map_or(Ok(()), |number| self.byte(number as u8)),
            'u' => self.number('u', 16, 4).map_or(Ok(()), |number| self.code_point(number)),
            'U' => self.number('U', 16, 8).map_or(Ok(()), |number| self.code_point(number)),
            '0'..='7' => {
                self.rest.push(letter);
                self.number('0', 8, 3).map_or(Ok(()), |number| self.byte(number as u8))
            }
            '\\' | '\'' | '"' | '?' => {
                self.push(letter);
                Ok(())
            }
            other => {
                self.push('\\');
                self.push(other);
                Ok(())
            }
        }
    }

    /// Up to so many digits. Where there is none, the letter stands for itself.
    fn number(&mut self, letter: char, radix: u32, most: usize) -> Option<u32> {
        let mut number = None;
        for _ in 0..most {
            let Some(digit) = self.rest.last().and_then(|next| next.to_digit(radix)) else { break };
            self.rest.pop();
            number = Some(number.unwrap_or(0u32).wrapping_mul(radix) | digit);
        }
        if number.is_none() {
            self.push('\\');
            self.push(letter);
        }
        number
    }

    fn code_point(&mut self, number: u32) -> Result<()> {
        match char::from_u32(number) {
            Some('\0') => self.byte(0),
            Some(character) => {
                self.push(character);
                Ok(())
            }
            // Half of a pair, as JavaScript escapes what is beyond 16 bits.
            None => self.surrogate(number),
        }
    }

    /// Two halves that follow each other are one character.
    fn surrogate(&mut self, high: u32) -> Result<()> {
        let wrong = || Error::usage("`\\u` is half of a pair of characters; give the other half");
        let is_escape = self.rest.pop() == Some('\\') && self.rest.pop() == Some('u');
        let low = if is_escape { self.number('u', 16, 4) } else { None };
        let low = low.filter(|low| (0xdc00..=0xdfff).contains(low)).ok_or_else(wrong)?;
        let high = (0xd800..=0xdbff).contains(&high).then_some(high).ok_or_else(wrong)?;
        let whole = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        self.push(char::from_u32(whole).ok_or_else(wrong)?);
        Ok(())
    }

    /// A `$` that is followed by a name, `{`, `(` or a parameter of one character.
    fn names_a_variable(&self) -> bool {
        let is_start = |next: &char| next.is_ascii_alphanumeric() || "_{(@*#?$!-".contains(*next);
        self.rest.last().is_some_and(is_start)
    }

    fn next_is(&self, character: char) -> bool {
        self.rest.last() == Some(&character)
    }

    fn begin_word(&mut self) {
        self.word.get_or_insert_default();
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn push(&mut self, character: char) {
        let mut bytes = [0; 4];
        let encoded = character.encode_utf8(&mut bytes).as_bytes();
        self.word.get_or_insert_default().extend_from_slice(encoded);
    }

    /// No argument of a program can hold a NUL.
    fn byte(&mut self, byte: u8) -> Result<()> {
        if byte == 0 {
            return Err(Error::usage(
                "a `$'...'` holds a NUL byte, which bash cannot pass to curl either; put the body \
                 in a file and write `--data-binary @FILE`",
            ));
        }
        self.word.get_or_insert_default().push(byte);
        Ok(())
    }
}

fn open_quote(quote: char) -> Error {
    Error::usage(format!(
        "a {quote} is not closed; paste the whole command, and where a shell reads it first, pass \
         it as `--curl @FILE` or `--curl @-`"
    ))
}

fn variable() -> Error {
    Error::usage(
        "there is a shell variable or a command in the curl command, and no shell is run; put the \
         value in its place, or single quotes around a `$` that is meant as it stands",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let words = split(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        words.iter().map(|word| word.escape_ascii().to_string()).collect()
    }

    #[test]
    fn words_are_what_bash_makes_of_them() {
        for (text, expected) in [
            ("a b", &["a", "b"][..]),
            ("  a\t\n b  ", &["a", "b"]),
            ("", &[]),
            ("'' \"\"", &["", ""]),
            ("'a b'c\"d e\"", &["a bcd e"]),
            ("'a\\nb'", &[r"a\\nb"]),
            (r#"'it'\''s'"#, &[r"it\'s"]),
            (r#""a\"b\\c\$d\`e\nf""#, &[r#"a\"b\\c$d`e\\nf"#]),
            ("\"a\\\nb\"", &["ab"]),
            ("a \\\n  b", &["a", "b"]),
            ("a \\\r\n  b", &["a", "b"]),
            ("a\\\nb", &["ab"]),
            (r"a\ b \'", &["a b", r"\'"]),
            ("a # b c\nd", &["a", "d"]),
            ("a#b", &["a#b"]),
            ("a$ $' '", &["a$", " "]),
            ("'$HOME `x` | & ;'", &["$HOME `x` | & ;"]),
            ("\"a!b $ c\"", &["a!b $ c"]),
            ("$\"a\"", &["a"]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn ansi_c_quoting_knows_every_escape_of_bash() {
        for (text, expected) in [
            (r"$'a\nb\r\t'", "a\\nb\\r\\t"),
            (r"$'\a\b\e\E\f\v'", r"\x07\x08\x1b\x1b\x0c\x0b"),
            (r#"$'\\\'\"\?'"#, r#"\\\'\"?"#),
            (r"$'\x41\x4a1\xff'", r"AJ1\xff"),
            (r"$'\101\1012\7'", r"AA2\x07"),
            (r"$'\u0021\u00e9'", r"!\xc3\xa9"),
            (r"$'\U1F600'", r"\xf0\x9f\x98\x80"),
            (r"$'\ud83d\ude00'", r"\xf0\x9f\x98\x80"),
            (r"$'\cA\ca'", r"\x01\x01"),
            (r"$'\xzz\q\u'", r"\\xzz\\q\\u"),
            (r"$'a'b", "ab"),
        ] {
            assert_eq!(words(text), [expected], "{text}");
        }
    }

    #[test]
    fn what_would_need_a_shell_is_refused_and_nothing_is_repeated() {
        for (text, expected) in [
            ("s3 $HOME", "no shell is run"),
            ("s3 \"${X}\"", "no shell is run"),
            ("s3 $(date)", "no shell is run"),
            ("s3 `date`", "no shell is run"),
            ("s3 | jq", "`|` outside of quotes"),
            ("s3?a=1&b=2", "`&` outside of quotes"),
            ("s3 > out", "`>` outside of quotes"),
            ("s3; s3", "`;` outside of quotes"),
            ("'s3", "is not closed"),
            ("\"s3", "is not closed"),
            ("\"s3\\", "is not closed"),
            ("$'s3", "is not closed"),
            ("$'s3\\", "is not closed"),
            ("s3 \\", "ends in a backslash"),
            (r"$'s3\0'", "NUL"),
            (r"$'s3\x00'", "NUL"),
            (r"$'s3\ud83d'", "half of a pair"),
            (r"$'s3\ude00\ud83d'", "half of a pair"),
        ] {
            let message = split(text).expect_err(text).message;
            assert!(message.contains(expected) && !message.contains("s3"), "{text}: {message}");
        }
    }
}
