//! What runs beside the load and is watched: `--watch`. Who that is on this host is found out
//! when the run begins (`monitor`).

use std::path::PathBuf;

use crate::units::quote;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// Whoever listens on the target's port, where that is on this host.
    #[default]
    Target,
    Off,
    Pid(u32),
    /// The process that listens on it.
    Port(u16),
    /// A process, or a port that one listens on.
    Number(u32),
    /// All processes that are called so.
    Name(String),
    /// All processes in it; absolute, or from where control groups are mounted.
    Cgroup(PathBuf),
}

impl Watch {
    pub fn parse(text: &str) -> Result<Watch, String> {
        let refuse = |why: &str| {
            Err(format!(
                "{} {why}; write a process id, a name, a port, cgroup:PATH or off (pid:N, port:N \
                 and name:NAME leave no doubt)",
                quote(text)
            ))
        };
        let number = |digits: &str| digits.parse::<u32>().ok().filter(|number| *number > 0);
        let port = |digits: &str| digits.parse::<u16>().ok().filter(|port| *port > 0);
        match text.split_once(':') {
            _ if text.trim().is_empty() => refuse("names nothing"),
            None if text == "off" => Ok(Watch::Off),
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => match number(text) {
                Some(number) => Ok(Watch::Number(number)),
                None => refuse("is the number of no process and no port"),
            },
            None => Ok(Watch::Name(text.to_string())),
            Some(("pid", digits)) => match number(digits) {
                Some(pid) => Ok(Watch::Pid(pid)),
                None => refuse("is no process id"),
            },
            Some(("port" | "", digits)) => match port(digits) {
                Some(port) => Ok(Watch::Port(port)),
                None => refuse("is no port"),
            },
            Some(("cgroup" | "name", "")) => refuse("names nothing"),
            Some(("cgroup", path)) => Ok(Watch::Cgroup(PathBuf::from(path))),
            Some(("name", name)) => Ok(Watch::Name(name.to_string())),
            // Programs that write into their own name what they do (`gunicorn: master`).
            Some(_) => Ok(Watch::Name(text.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_watched_is_told_by_how_it_is_written() {
        for (text, expected) in [
            ("off", Watch::Off),
            ("4711", Watch::Number(4711)),
            ("pid:8080", Watch::Pid(8080)),
            ("port:8080", Watch::Port(8080)),
            (":8080", Watch::Port(8080)),
            ("nginx", Watch::Name("nginx".to_string())),
            ("name:off", Watch::Name("off".to_string())),
            ("name:8080", Watch::Name("8080".to_string())),
            ("gunicorn: master", Watch::Name("gunicorn: master".to_string())),
            (
                "cgroup:/system.slice/nginx.service",
                Watch::Cgroup("/system.slice/nginx.service".into()),
            ),
        ] {
            assert_eq!(Watch::parse(text), Ok(expected), "{text}");
        }
        for text in ["", " ", "0", "99999999999", "pid:x", "pid:", "port:70000", ":0", "cgroup:"] {
            let why = Watch::parse(text).unwrap_err();
            assert!(why.contains("write a process id, a name, a port"), "{text}: {why}");
        }
    }
}
