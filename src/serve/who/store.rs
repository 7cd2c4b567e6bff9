//! Users, tokens and sessions, in a file of SQLite of their own beside the history: who may read
//! the one need not have the other. No secret stands in it, only what secrets are known again by.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params};

use super::secret::Digest;
use super::{Person, Role};
use crate::error::{Error, Result, reason};
use crate::history::private_file;
use crate::units::quote;

/// How long another writer is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// What turns a file of version N into one of N + 1.
const STEPS: [&str; 1] = ["
    CREATE TABLE users (
        name TEXT PRIMARY KEY,
        role TEXT NOT NULL CHECK (role IN ('admin', 'viewer')),
        password TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE tokens (
        name TEXT PRIMARY KEY,
        role TEXT NOT NULL CHECK (role IN ('admin', 'viewer')),
        digest BLOB NOT NULL UNIQUE,
        created_at INTEGER NOT NULL,
        used_at INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE sessions (
        digest BLOB PRIMARY KEY,
        user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
        began_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL
    ) WITHOUT ROWID;
"];

const APPLICATION: i32 = 0x626c_7376;

/// Seconds since 1970.
pub type Seconds = i64;

/// A session that nobody used for so long is over,
const IDLE_S: Seconds = 12 * 3_600;

/// and so is one that is so old.
const OLDEST_S: Seconds = 7 * 24 * 3_600;

/// When a session or a token was last used is known to so many seconds: not each request writes.
const COARSE_S: Seconds = 60;

/// An open file.
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

/// A user or a token, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub person: Person,
    pub created_at: Seconds,
    /// Of tokens.
    pub used_at: Option<Seconds>,
}

impl Store {
    /// The file there, made where there is none; of the same owner only.
    pub fn open(path: &Path) -> Result<Store> {
        create(path)?;
        let connection = Connection::open(path).map_err(|error| trouble(path, &error))?;
        let mut store = Store { connection, path: path.to_path_buf() };
        store.prepare()?;
        Ok(store)
    }

    fn prepare(&mut self) -> Result<()> {
        let path = self.path.clone();
        let (version, application, tables) = self.said(|connection| {
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "foreign_keys", true)?;
            let number =
                |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            let tables = "SELECT count(*) FROM sqlite_schema";
            let tables = connection.query_row(tables, [], |row| row.get::<_, u64>(0))?;
            Ok((number("user_version")? as usize, number("application_id")? as i32, tables))
        })?;
        let name = quote(&path.to_string_lossy());
        if tables > 0 && application != APPLICATION {
            return Err(Error::failed(format!("{name} is another program's file; move it away")));
        }
        if version > STEPS.len() {
            return Err(Error::failed(format!(
                "the users in {name} are of a newer blast (version {version}, this one knows {}); \
                 use that blast, or another folder with `--history FILE`",
                STEPS.len()
            )));
        }
        if version == STEPS.len() {
            return Ok(());
        }
        self.said(|connection| {
            connection.pragma_update(None, "journal_mode", "wal")?;
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Another one may have been faster.
            let version: i64 =
                transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            for step in STEPS.iter().skip(version as usize) {
                transaction.execute_batch(step)?;
            }
            transaction.pragma_update(None, "user_version", STEPS.len())?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.commit()
        })
    }

    fn said<T>(&mut self, act: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T> {
        act(&mut self.connection).map_err(|error| trouble(&self.path, &error))
    }
}

/// Users.
impl Store {
    pub fn has_users(&mut self) -> Result<bool> {
        self.said(|connection| {
            connection.query_row("SELECT EXISTS (SELECT 1 FROM users)", [], |row| row.get(0))
        })
    }

    pub fn users(&mut self) -> Result<Vec<Entry>> {
        self.entries("SELECT name, role, created_at, NULL FROM users ORDER BY name")
    }

    /// `false`: there is one of that name.
    pub fn add_user(&mut self, person: &Person, password: &str, now: Seconds) -> Result<bool> {
        self.said(|connection| {
            let count = connection.execute(
                "INSERT OR IGNORE INTO users VALUES (?1, ?2, ?3, ?4)",
                params![person.name, person.role.name(), password, now],
            )?;
            Ok(count > 0)
        })
    }

    /// Their sessions end. `false`: there is none of that name.
    pub fn remove_user(&mut self, name: &str) -> Result<bool> {
        self.said(|connection| {
            Ok(connection.execute("DELETE FROM users WHERE name = ?1", [name])? > 0)
        })
    }

    /// Their sessions end: whoever knew the old one is out. `false`: there is none of that name.
    pub fn set_password(&mut self, name: &str, password: &str) -> Result<bool> {
        self.said(|connection| {
            let transaction = connection.transaction()?;
            let count = transaction
                .execute("UPDATE users SET password = ?2 WHERE name = ?1", [name, password])?;
            transaction.execute("DELETE FROM sessions WHERE user = ?1", [name])?;
            transaction.commit()?;
            Ok(count > 0)
        })
    }

    /// What the password is held against.
    pub fn password(&mut self, name: &str) -> Result<Option<String>> {
        self.said(|connection| {
            let query = "SELECT password FROM users WHERE name = ?1";
            connection.query_row(query, [name], |row| row.get(0)).optional()
        })
    }
}

/// Tokens.
impl Store {
    pub fn tokens(&mut self) -> Result<Vec<Entry>> {
        self.entries("SELECT name, role, created_at, used_at FROM tokens ORDER BY name")
    }

    /// `false`: there is one of that name.
    pub fn add_token(&mut self, person: &Person, digest: &Digest, now: Seconds) -> Result<bool> {
        self.said(|connection| {
            let count = connection.execute(
                "INSERT OR IGNORE INTO tokens VALUES (?1, ?2, ?3, ?4, NULL)",
                params![person.name, person.role.name(), digest, now],
            )?;
            Ok(count > 0)
        })
    }

    /// `false`: there is none of that name.
    pub fn revoke_token(&mut self, name: &str) -> Result<bool> {
        self.said(|connection| {
            Ok(connection.execute("DELETE FROM tokens WHERE name = ?1", [name])? > 0)
        })
    }

    pub fn of_token(&mut self, digest: &Digest, now: Seconds) -> Result<Option<Person>> {
        self.said(|connection| {
            let query = "SELECT name, role, used_at FROM tokens WHERE digest = ?1";
            let read = |row: &rusqlite::Row| Ok((person(row)?, row.get(2)?));
            let found: Option<(Person, Option<Seconds>)> =
                connection.query_row(query, [digest], read).optional()?;
            if found.as_ref().is_some_and(|(_, used)| used.unwrap_or(0) + COARSE_S <= now) {
                let update = "UPDATE tokens SET used_at = ?2 WHERE digest = ?1";
                connection.execute(update, params![digest, now])?;
            }
            Ok(found.map(|(mut person, _)| {
                person.name = format!("token {}", person.name);
                person
            }))
        })
    }
}

/// Sessions.
impl Store {
    pub fn begin_session(&mut self, digest: &Digest, name: &str, now: Seconds) -> Result<()> {
        self.said(|connection| {
            let over = "DELETE FROM sessions WHERE seen_at <= ?1 OR began_at <= ?2";
            connection.execute(over, [now - IDLE_S, now - OLDEST_S])?;
            let begin = "INSERT INTO sessions VALUES (?1, ?2, ?3, ?3)";
            connection.execute(begin, params![digest, name, now])?;
            Ok(())
        })
    }

    /// Whose session it is, if it is not over.
    pub fn of_session(&mut self, digest: &Digest, now: Seconds) -> Result<Option<Person>> {
        self.said(|connection| {
            let query = "SELECT name, role, seen_at FROM sessions JOIN users ON name = user \
                         WHERE digest = ?1 AND seen_at > ?2 AND began_at > ?3";
            let read = |row: &rusqlite::Row| Ok((person(row)?, row.get(2)?));
            let found: Option<(Person, Seconds)> = connection
                .query_row(query, params![digest, now - IDLE_S, now - OLDEST_S], read)
                .optional()?;
            if found.as_ref().is_some_and(|(_, seen)| seen + COARSE_S <= now) {
                let update = "UPDATE sessions SET seen_at = ?2 WHERE digest = ?1";
                connection.execute(update, params![digest, now])?;
            }
            Ok(found.map(|(person, _)| person))
        })
    }

    pub fn end_session(&mut self, digest: &Digest) -> Result<()> {
        self.said(|connection| {
            connection.execute("DELETE FROM sessions WHERE digest = ?1", [digest]).map(drop)
        })
    }

    fn entries(&mut self, query: &str) -> Result<Vec<Entry>> {
        self.said(|connection| {
            let mut query = connection.prepare(query)?;
            let found = query.query_map([], |row| {
                Ok(Entry { person: person(row)?, created_at: row.get(2)?, used_at: row.get(3)? })
            })?;
            found.collect()
        })
    }
}

fn person(row: &rusqlite::Row) -> rusqlite::Result<Person> {
    let role: String = row.get(1)?;
    // The tables hold no others.
    Ok(Person { name: row.get(0)?, role: Role::of(&role).unwrap_or(Role::Viewer) })
}

fn create(path: &Path) -> Result<()> {
    private_file(path).map_err(|error| {
        let (name, reason) = (quote(&path.to_string_lossy()), reason(&error));
        Error::failed(format!(
            "the users cannot be kept in {name} ({reason}); name another folder with `--history FILE`"
        ))
    })
}

fn trouble(path: &Path, error: &rusqlite::Error) -> Error {
    let name = quote(&path.to_string_lossy());
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::failed(format!(
            "the users in {name} are held by another program; try again when it is done"
        )),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            Error::failed(format!("{name} holds no users of blast; move it away"))
        }
        _ => {
            Error::failed(format!("the users in {name} cannot be used ({error}); look at the file"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::secret;
    use super::*;

    /// A file that goes with its test.
    struct File(PathBuf);

    impl File {
        fn new(name: &str) -> File {
            let folder = format!("blast-serve-{}-{name}", std::process::id());
            let folder = std::env::temp_dir().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            File(folder.join("serve.db"))
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
        }
    }

    fn ada() -> Person {
        Person { name: "ada".to_string(), role: Role::Admin }
    }

    #[test]
    fn a_session_ends_when_it_is_idle_old_left_or_its_user_changes() {
        let file = File::new("session");
        let mut store = Store::open(&file.0).unwrap();
        assert!(!store.has_users().unwrap());
        assert!(store.add_user(&ada(), "hash", 0).unwrap());
        assert!(!store.add_user(&ada(), "other", 0).unwrap());
        let digest = secret::digest("s");
        let begin = |store: &mut Store| store.begin_session(&digest, "ada", 0).unwrap();
        begin(&mut store);
        assert_eq!(store.of_session(&digest, IDLE_S - 1).unwrap(), Some(ada()));
        // It was used a second before.
        assert_eq!(store.of_session(&digest, 2 * IDLE_S - 2).unwrap(), Some(ada()));
        assert_eq!(store.of_session(&digest, 3 * IDLE_S).unwrap(), None);
        store.end_session(&digest).unwrap();
        begin(&mut store);
        for at in (0..OLDEST_S).step_by(IDLE_S as usize / 2) {
            assert_eq!(store.of_session(&digest, at).unwrap(), Some(ada()), "{at}");
        }
        assert_eq!(store.of_session(&digest, OLDEST_S).unwrap(), None);
        store.end_session(&digest).unwrap();
        begin(&mut store);
        assert!(store.set_password("ada", "new").unwrap());
        assert_eq!(store.of_session(&digest, 1).unwrap(), None);
        begin(&mut store);
        assert!(store.remove_user("ada").unwrap());
        assert_eq!(store.of_session(&digest, 1).unwrap(), None);
        assert!(!store.remove_user("ada").unwrap() && !store.set_password("ada", "x").unwrap());
    }

    #[test]
    fn a_token_is_known_by_its_digest_until_it_is_revoked() {
        let file = File::new("token");
        let mut store = Store::open(&file.0).unwrap();
        let digest = secret::digest("blast_1");
        let ci = Person { name: "ci".to_string(), role: Role::Viewer };
        assert!(store.add_token(&ci, &digest, 5).unwrap());
        assert!(!store.add_token(&ci, &secret::digest("blast_2"), 5).unwrap());
        let found = store.of_token(&digest, 100).unwrap().unwrap();
        assert_eq!((&*found.name, found.role), ("token ci", Role::Viewer));
        let [entry] = &store.tokens().unwrap()[..] else { panic!() };
        assert_eq!((&entry.person, entry.created_at, entry.used_at), (&ci, 5, Some(100)));
        assert_eq!(store.of_token(&secret::digest("blast_2"), 100).unwrap(), None);
        assert!(store.revoke_token("ci").unwrap());
        assert_eq!(store.of_token(&digest, 100).unwrap(), None);
    }

    #[test]
    fn the_file_is_its_owners_and_no_other_programs() {
        let file = File::new("file");
        drop(Store::open(&file.0).unwrap());
        assert_eq!(std::fs::metadata(&file.0).unwrap().permissions().mode() & 0o777, 0o600);
        let newer = Connection::open(&file.0).unwrap();
        newer.pragma_update(None, "user_version", 9).unwrap();
        let refused = |file: &Path| Store::open(file).err().unwrap().message;
        assert!(refused(&file.0).contains("of a newer blast (version 9, this one knows 1)"));
        let foreign = file.0.with_file_name("foreign.db");
        Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE songs (a)").unwrap();
        assert!(refused(&foreign).contains("is another program's file"));
        std::fs::write(&foreign, "no database, but long enough to be looked at as one").unwrap();
        assert!(refused(&foreign).contains("holds no users of blast"), "{}", refused(&foreign));
    }
}
