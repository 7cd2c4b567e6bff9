//! Which tools are on this host, and where.

use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::study::versus::{Contender, Tool, tools};
use crate::units::{nearest, quote};

pub struct Found {
    pub contenders: Vec<Contender>,
    pub missing: Vec<&'static Tool>,
}

/// Those that are named, or all; and then commands of the user's.
pub fn tools(names: &[String], commands: &[String]) -> Result<Found> {
    let wanted: Vec<&'static Tool> = if names.is_empty() {
        tools::usual().collect()
    } else {
        let mut wanted: Vec<&'static Tool> = Vec::new();
        for name in names {
            let tool = of_name(name.trim())?;
            if !wanted.iter().any(|other| other.name == tool.name) {
                wanted.push(tool);
            }
        }
        wanted
    };
    let mut found = Found { contenders: Vec::new(), missing: Vec::new() };
    for tool in wanted {
        match program_of(tool) {
            Some(program) => found.contenders.push(Contender {
                name: tool.name.to_string(),
                tool,
                program,
                version: None,
                template: None,
            }),
            None => found.missing.push(tool),
        }
    }
    for command in commands {
        found.contenders.push(of_command(command)?);
    }
    if found.contenders.is_empty() {
        let names: Vec<&str> = found.missing.iter().map(|tool| tool.name).collect();
        return Err(Error::failed(format!(
            "none of the tools ({}) is on the PATH; install one: {}",
            names.join(", "),
            found.missing.first().map_or("", |tool| tool.install)
        )));
    }
    Ok(found)
}

fn of_name(name: &str) -> Result<&'static Tool> {
    tools::named(name).ok_or_else(|| {
        let names = tools::ALL.map(|tool| tool.name);
        let hint = match nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it knows {}", names.join(", ")),
        };
        Error::usage(format!("--tools: {} is no tool that blast knows; {hint}", quote(name)))
    })
}

/// blast is this very program, wherever it lies.
fn program_of(tool: &Tool) -> Option<PathBuf> {
    if tools::is_blast(tool) {
        return env::current_exe().ok();
    }
    on_the_path(tool.program)
}

fn on_the_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

fn of_command(command: &str) -> Result<Contender> {
    let usage = || {
        Error::usage("--tool-command: write NAME=WORDS, such as `mine=./mine {url} {connections}`")
    };
    let (name, words) = command.split_once('=').ok_or_else(usage)?;
    let mut words = words.split_whitespace().map(str::to_string);
    let program = words.next().filter(|_| !name.is_empty()).ok_or_else(usage)?;
    let at =
        if program.contains('/') { Some(PathBuf::from(&program)) } else { on_the_path(&program) };
    let program = at.filter(|file| is_program(file)).ok_or_else(|| {
        let program = quote(&program);
        Error::usage(format!("--tool-command: {program} is no program here; give its path"))
    })?;
    Ok(Contender {
        name: name.to_string(),
        tool: &tools::OTHER,
        program,
        version: None,
        template: Some(words.collect()),
    })
}
