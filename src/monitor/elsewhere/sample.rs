//! `--sample NAME=COMMAND`: one number that a command prints, once a second.

use super::command::{self, Fault};
use super::repeated::Source;
use super::{is_name, shown};
use crate::error::{Error, Result};
use crate::time::Nanos;
use crate::units::quote;

/// A command that runs longer is killed.
const LIMIT: Nanos = Nanos::from_secs(5);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    pub name: String,
    /// For `sh -c`. It may hold secrets: it is shown nowhere.
    command: String,
}

impl Sample {
    /// `NAME=COMMAND`. The error repeats no command.
    pub fn parse(text: &str) -> Result<Sample> {
        let form = "write NAME=COMMAND, as in `--sample 'load=cut -d\" \" -f1 /proc/loadavg'`";
        let Some((name, command)) = text.split_once('=') else {
            return Err(Error::usage(format!("a name for the sample is missing; {form}")));
        };
        if !is_name(name) {
            return Err(Error::usage(format!(
                "{} is no name of a sample; take letters, digits, `_` and `-`: {form}",
                quote(name)
            )));
        }
        if command.trim().is_empty() {
            return Err(Error::usage(format!("{} has no command; {form}", quote(name))));
        }
        Ok(Sample { name: name.to_string(), command: command.to_string() })
    }

    pub fn gauge(&self) -> String {
        format!("sample.{}", self.name)
    }
}

impl Source for Sample {
    fn gauge(&self) -> String {
        Sample::gauge(self)
    }

    fn read(&mut self, ends: &dyn Fn() -> bool) -> std::result::Result<f64, String> {
        let (printed, code) = command::run(&self.command, LIMIT, ends).map_err(fault)?;
        // Some that count, such as `grep -c`, say by their code that the count is 0.
        if let Some(number) = number(&printed.out) {
            return Ok(number);
        }
        let mut what = match printed.out.trim() {
            "" => "printed nothing".to_string(),
            out => format!("printed {}", shown(out)),
        };
        if let Some(code @ 1..) = code {
            what += &format!(", with exit code {code}");
        }
        if !printed.err.trim().is_empty() {
            what += &format!(" and the error {}", shown(&printed.err));
        }
        Err(what)
    }

    const IS_WAITED_FOR: bool = true;
    const CODE: &'static str = "sample_failed";
    const EXPECTED: &'static str = "its command has to print one number, such as 17 or 0.93 and \
        nothing beside it, and to end within 5 s: try it by `sh -c`";
}

/// A number and nothing beside it.
fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

fn fault(fault: Fault) -> String {
    match fault {
        Fault::NotStarted(why) => format!("could not be started ({why})"),
        Fault::TooLong => "did not end within 5 s, and was killed".to_string(),
        Fault::TooMuch => "printed more than 4 kB, and was killed".to_string(),
        Fault::Signal(signal) => format!("was ended by signal {signal}"),
        Fault::Cut => "was cut short".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(command: &str) -> std::result::Result<f64, String> {
        let mut sample = Sample::parse(&format!("x={command}")).unwrap();
        sample.read(&|| false)
    }

    #[test]
    fn one_number_is_a_reading_and_nothing_else_is() {
        for (command, expected) in [
            ("echo 17", Ok(17.0)),
            ("printf ' -0.5 \\n\\n'", Ok(-0.5)),
            ("echo 1e3", Ok(1_000.0)),
            ("echo 0; exit 1", Ok(0.0)),
            ("echo 17 connections", Err("printed `17 connections`")),
            ("echo 17%", Err("printed `17%`")),
            ("echo NaN", Err("printed `NaN`")),
            ("echo inf", Err("printed `inf`")),
            ("true", Err("printed nothing")),
            ("echo no; exit 3", Err("printed `no`, with exit code 3")),
            (
                "echo oops >&2; exit 2",
                Err("printed nothing, with exit code 2 and the error `oops`"),
            ),
            ("echo 1; echo 2", Err("printed `1 2`")),
            ("yes", Err("printed more than 4 kB, and was killed")),
        ] {
            assert_eq!(read(command), expected.map_err(str::to_string), "{command}");
        }
    }

    #[test]
    fn a_sample_has_a_name_and_a_command() {
        let sample = Sample::parse("db-1_x=psql -c 'select a=b'").unwrap();
        assert_eq!((&*sample.gauge(), &*sample.command), ("sample.db-1_x", "psql -c 'select a=b'"));
        for (text, expected) in [
            ("PGPASSWORD s3cret", "a name for the sample is missing"),
            ("=echo s3cret", "no name of a sample"),
            ("a b=echo s3cret", "`a b` is no name"),
            ("a.b=echo s3cret", "`a.b` is no name"),
            ("db= ", "`db` has no command"),
        ] {
            let message = Sample::parse(text).unwrap_err().message;
            assert!(message.contains(expected) && !message.contains("s3cret"), "{message}");
        }
    }
}
