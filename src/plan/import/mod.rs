//! What other tools recorded or describe, turned into a plan file: bytes in, text out.
//!
//! One file a format reads its requests into a draft, which merges equal ones and counts them,
//! drops what is computed anew (Host, Content-Length, hop-by-hop fields) and takes credentials out;
//! `write` makes the plan file. What could not be taken over is told in sentences, never silently.
//!
//! Nothing here does IO: files that a format names stay names, and bodies that are no text come
//! back as files to be written beside the plan.

mod call;
mod collection;
mod draft;
mod guess;
mod har;
mod openapi;
mod placeholder;
mod postman;
mod refusal;
mod schema;
mod secrets;
mod urls;
mod variables;
mod vegeta;
mod write;

pub use draft::MOST;
pub use refusal::Refusal;

use draft::Draft;

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// HTTP Archive 1.2, as browsers and proxies record.
    Har,
    /// `vegeta attack -format=http`.
    Vegeta,
    /// `vegeta attack -format=json`.
    VegetaJson,
    /// One URL a line, the method in front of it where it is not GET.
    Urls,
    /// A Postman collection, version 2.0 or 2.1.
    Postman,
    /// OpenAPI 3, as JSON or YAML.
    OpenApi,
}

impl Format {
    pub const ALL: [Format; 6] = [
        Format::Har,
        Format::Vegeta,
        Format::VegetaJson,
        Format::Urls,
        Format::Postman,
        Format::OpenApi,
    ];

    /// As `--from` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Har => "har",
            Format::Vegeta => "vegeta",
            Format::VegetaJson => "vegeta-json",
            Format::Urls => "urls",
            Format::Postman => "postman",
            Format::OpenApi => "openapi",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Format::Har => "HAR 1.2",
            Format::Vegeta => "vegeta targets",
            Format::VegetaJson => "vegeta targets in JSON",
            Format::Urls => "list of URLs",
            Format::Postman => "Postman collection",
            Format::OpenApi => "OpenAPI 3",
        }
    }
}

/// A plan file, and what goes with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The plan file.
    pub plan: String,
    /// Bodies that are no text, by the names that the plan has for them.
    pub files: Vec<(String, Vec<u8>)>,
    /// What the user is to know, a sentence each.
    pub notes: Vec<String>,
}

/// How a file is to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Without one, what the file looks like.
    pub format: Option<Format>,
    /// The file's name, for the comment.
    pub source: String,
    /// Credentials stay in the plan instead of becoming `{{env NAME}}`.
    pub keep_secrets: bool,
    /// What relative names of files are relative to, where that is not the plan's own folder.
    pub folder: Option<String>,
}

/// Makes a plan file of what another tool wrote.
pub fn import(bytes: &[u8], wishes: &Wishes) -> Result<Imported, Refusal> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let format = match wishes.format {
        Some(format) => format,
        None => guess::format(bytes)?,
    };
    let mut draft = Draft::new(wishes.keep_secrets);
    match format {
        Format::Har => har::read(bytes, &mut draft)?,
        Format::Vegeta => vegeta::read(bytes, &mut draft)?,
        Format::VegetaJson => vegeta::read_json(bytes, &mut draft)?,
        Format::Urls => urls::read(bytes, &mut draft)?,
        Format::Postman => postman::read(bytes, &mut draft)?,
        Format::OpenApi => openapi::read(bytes, &mut draft)?,
    }
    if draft.is_empty() {
        let advice = draft.why_empty().unwrap_or("give one that has some");
        return Err(Refusal::whole(format!("it holds no request to any HTTP server; {advice}")));
    }
    Ok(write::plan(draft.finished(), wishes, format.title()))
}
