//! `blast serve user` and `blast serve token`: who may use the panel. A panel that runs sees at once
//! what is changed here.

use std::io::{self, BufRead, IsTerminal, Read};
use std::path::Path;
use std::time::{Duration, SystemTime};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::super::print;
use crate::error::{Error, Exit, Result};
use crate::serve::who::{Entry, Person, Role, Seconds, Store, accept_name, now, password, secret};
use crate::units::quote;

/// What the panel's tokens are known by where somebody finds one.
const PREFIX: &str = "blast_";

/// Bytes of a line of stdin.
const LONGEST: u64 = 4_096;

#[derive(Clone, Debug, Args)]
pub struct UserArgs {
    #[command(subcommand)]
    pub act: UserAct,
}

#[derive(Clone, Debug, Subcommand)]
pub enum UserAct {
    /// Make a user; the password is asked for, or the first line of stdin
    Add(NewArgs),
    /// All users
    List,
    /// Take a user out; the sessions end
    Remove(NameArgs),
    /// Set a new password; the sessions end
    Passwd(NameArgs),
}

#[derive(Clone, Debug, Args)]
pub struct TokenArgs {
    #[command(subcommand)]
    pub act: TokenAct,
}

#[derive(Clone, Debug, Subcommand)]
pub enum TokenAct {
    /// Make a token, and print it: it is not shown again
    Add(NewArgs),
    /// All tokens, without what they are
    List,
    /// Make a token void
    Revoke(NameArgs),
}

#[derive(Clone, Debug, Args)]
pub struct NewArgs {
    /// Letters, digits, or any of . _ - @
    #[arg(value_name = "NAME")]
    pub name: String,

    /// admin: start, stop, edit, delete; viewer: see
    #[arg(long, value_name = "ROLE", default_value = "viewer", value_parser = roles())]
    #[arg(hide_possible_values = true)]
    pub role: Role,
}

#[derive(Clone, Debug, Args)]
pub struct NameArgs {
    #[arg(value_name = "NAME")]
    pub name: String,
}

fn roles() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::name))
        .map(|name| Role::of(&name).expect("clap takes none but these names"))
}

pub fn user(args: &UserArgs, file: &Path) -> Result<Exit> {
    match &args.act {
        UserAct::Add(new) => {
            accept_name(&new.name)?;
            let mut store = Store::open(file)?;
            let is_there = store.users()?.iter().any(|entry| entry.person.name == new.name);
            // Asked before the password is, and by the table again.
            if is_there || !store.add_user(&new.person(), &asked()?, now())? {
                return Err(taken("user", &new.name));
            }
            Ok(Exit::Done)
        }
        UserAct::List => print(&table(&Store::open(file)?.users()?, "users", false)),
        UserAct::Remove(NameArgs { name }) => {
            let is_done = Store::open(file)?.remove_user(name)?;
            done(is_done, "user", name)
        }
        UserAct::Passwd(NameArgs { name }) => {
            let mut store = Store::open(file)?;
            if !store.users()?.iter().any(|entry| entry.person.name == *name) {
                return done(false, "user", name);
            }
            let is_done = store.set_password(name, &asked()?)?;
            done(is_done, "user", name)
        }
    }
}

pub fn token(args: &TokenArgs, file: &Path) -> Result<Exit> {
    match &args.act {
        TokenAct::Add(new) => {
            accept_name(&new.name)?;
            let token = secret::new(PREFIX)?;
            let mut store = Store::open(file)?;
            if !store.add_token(&new.person(), &secret::digest(&token), now())? {
                return Err(taken("token", &new.name));
            }
            print(&format!("{token}\n"))
        }
        TokenAct::List => print(&table(&Store::open(file)?.tokens()?, "tokens", true)),
        TokenAct::Revoke(NameArgs { name }) => {
            let is_done = Store::open(file)?.revoke_token(name)?;
            done(is_done, "token", name)
        }
    }
}

impl NewArgs {
    fn person(&self) -> Person {
        Person { name: self.name.clone(), role: self.role }
    }
}

fn taken(what: &str, name: &str) -> Error {
    Error::usage(format!("there is a {what} {} already; choose another name", quote(name)))
}

fn done(is_done: bool, what: &str, name: &str) -> Result<Exit> {
    match is_done {
        true => Ok(Exit::Done),
        false => Err(Error::usage(format!(
            "there is no {what} {}; `blast serve {what} list` has them",
            quote(name)
        ))),
    }
}

/// A password, hashed: typed twice on a terminal, or the first line of stdin.
fn asked() -> Result<String> {
    let failed = |error: io::Error| {
        let reason = super::super::reason(&error);
        Error::failed(format!("the password cannot be read ({reason}); send it to stdin"))
    };
    let typed = match io::stdin().is_terminal() {
        true => {
            let first = rpassword::prompt_password("Password: ").map_err(failed)?;
            password::accept(&first)?;
            if rpassword::prompt_password("The same again: ").map_err(failed)? != first {
                return Err(Error::usage("the two are not the same; try again"));
            }
            first
        }
        false => {
            let mut line = String::new();
            io::stdin().lock().take(LONGEST).read_line(&mut line).map_err(failed)?;
            line.trim_end_matches(['\r', '\n']).to_string()
        }
    };
    password::accept(&typed)?;
    password::hash(&typed)
}

fn table(entries: &[Entry], what: &str, is_used: bool) -> String {
    if entries.is_empty() {
        return format!("no {what}\n");
    }
    let widest = entries.iter().map(|entry| entry.person.name.len()).max().unwrap_or(0).max(4);
    let used = if is_used { "  last used" } else { "" };
    let mut text = format!("{:widest$}  role    {:20}{used}\n", "name", "made");
    for Entry { person, created_at, used_at } in entries {
        let used = match (is_used, used_at) {
            (false, _) => String::new(),
            (true, None) => "  never".to_string(),
            (true, Some(at)) => format!("  {}", instant(*at)),
        };
        let (name, role, made) = (&person.name, person.role.name(), instant(*created_at));
        text += &format!("{name:widest$}  {role:6}  {made:20}{used}\n");
    }
    text
}

fn instant(at: Seconds) -> String {
    let since = Duration::from_secs(at.try_into().unwrap_or(0));
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since).to_string()
}
