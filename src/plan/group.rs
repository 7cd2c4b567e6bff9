//! `--group-by`: which header of the answers tells their groups apart.

use std::fmt;

use super::mask::is_secret_header;
use crate::error::{Error, Result};
use crate::units::quote;

/// What answers are told apart by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupBy {
    /// As it was typed; headers are found however they are capitalised.
    pub header: String,
}

impl GroupBy {
    /// `header:NAME`.
    pub fn parse(text: &str) -> Result<GroupBy> {
        let Some(header) = text.strip_prefix("header:") else {
            return Err(Error::usage(format!(
                "{} names no header; write `header:NAME`, such as `header:X-Served-By`",
                quote(text)
            )));
        };
        if header.is_empty() || !header.bytes().all(is_token) {
            return Err(Error::usage(format!(
                "{} is no name of a header; write one such as `header:X-Served-By`",
                quote(header)
            )));
        }
        if is_secret_header(header) {
            return Err(Error::usage(format!(
                "the values of {} may be secrets, and would stand in every report; name a header \
                 that says who answered, such as `header:X-Served-By`",
                quote(header)
            )));
        }
        Ok(GroupBy { header: header.to_string() })
    }
}

impl fmt::Display for GroupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "header:{}", self.header)
    }
}

/// RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_named_and_none_that_holds_secrets() {
        for text in ["header:X-Served-By", "header:server", "header:Via"] {
            assert_eq!(GroupBy::parse(text).unwrap().to_string(), text);
        }
        for (text, expected) in [
            ("X-Served-By", "`X-Served-By` names no header; write `header:NAME`"),
            ("", "names no header"),
            ("header:", "is no name of a header"),
            ("header:X-Served-By:", "is no name of a header"),
            ("header:a b", "is no name of a header"),
            ("header:Set-Cookie", "may be secrets"),
            ("header:set-cookie", "may be secrets"),
            ("header:COOKIE", "may be secrets"),
            ("header:Authorization", "may be secrets"),
            ("header:Proxy-Authorization", "may be secrets"),
            ("header:X-Api-Key", "may be secrets"),
            ("header:X-Csrf-Token", "may be secrets"),
        ] {
            let message = GroupBy::parse(text).expect_err(text).message;
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
