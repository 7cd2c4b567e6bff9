//! Placeholders in path and query, which no reader of URLs would leave as they are: words stand in
//! their places meanwhile.

use crate::plan::template::{Stretch, occurs_in, split};

/// A URL with words in the places of its placeholders.
pub struct Covered<'a> {
    pub text: String,
    /// Each word, and what it stands for.
    places: Vec<(String, &'a str)>,
}

/// `None`: there are no placeholders.
pub fn covered(text: &str) -> Option<Covered<'_>> {
    let host = text.find("://").map_or(0, |at| at + 3);
    let path = host + text[host..].find(['/', '?', '#', '\\'])?;
    let (before, behind) = text.split_at(path);
    if !occurs_in(behind) {
        return None;
    }
    let word =
        (0u64..).map(|number| format!("blast{number}x")).find(|word| !text.contains(word))?;
    let mut covered = Covered { text: before.to_string(), places: Vec::new() };
    for stretch in split(behind) {
        match stretch {
            Stretch::Literal(literal) => covered.text.push_str(literal),
            // One that is not closed is told of when the message is compiled.
            Stretch::Placeholder(whole) | Stretch::Open(whole) => {
                let word = format!("{word}{}x", covered.places.len());
                covered.text.push_str(&word);
                covered.places.push((word, whole));
            }
        }
    }
    Some(covered)
}

impl Covered<'_> {
    pub fn restored(&self, text: &str) -> String {
        let places = self.places.iter();
        places.fold(text.to_string(), |text, (word, whole)| text.replace(word, whole))
    }
}
