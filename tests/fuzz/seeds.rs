//! Writes the seeds of each property as the corpus of its target (`corpus/NAME/`), and its words as
//! a dictionary (`corpus/NAME.dict`, for `-dict=`).

#[allow(dead_code)] // what is tried is not written
mod properties;

use std::fs;
use std::io;
use std::path::Path;

use properties::{FLAGS, IMPORTS, PLANS, READER, STAGES, TEMPLATES, THRESHOLDS, URL};

fn main() -> io::Result<()> {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for property in [READER, URL, FLAGS, IMPORTS, PLANS, STAGES, TEMPLATES, THRESHOLDS] {
        let folder = corpora.join(property.name);
        fs::create_dir_all(&folder)?;
        for (number, seed) in property.seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed)?;
        }
        let words = property.words.iter().map(|word| quoted(word.as_bytes()));
        fs::write(corpora.join(format!("{}.dict", property.name)), words.collect::<String>())?;
    }
    Ok(())
}

/// As libFuzzer reads words: what is not plain as `\xAB`.
fn quoted(word: &[u8]) -> String {
    let byte = |byte: &u8| match byte {
        b'"' | b'\\' => format!("\\{}", *byte as char),
        b' '..=b'~' => (*byte as char).to_string(),
        byte => format!("\\x{byte:02x}"),
    };
    format!("\"{}\"\n", word.iter().map(byte).collect::<String>())
}
