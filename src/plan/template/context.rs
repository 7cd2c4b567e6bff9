//! What one request is made from, at the moment it is sent.

use crate::dice::Dice;
use crate::http::Jar;

/// What one request is made from.
pub struct Context<'a> {
    pub dice: &'a mut Dice,
    /// Of the request, from 1; unique in the run: `{{seq}}`.
    pub number: u64,
    /// The same as it stands in ids, where what is sent before the load or after it is told from
    /// the load: `{{seq hex}}`.
    pub id: u64,
    /// Of the user, from 1.
    pub user: u64,
    /// By their places; a value that was not captured is empty.
    pub captures: &'a [Option<Box<[u8]>>],
    /// The row of each table, by the table's place.
    pub rows: &'a [u64],
    pub jar: Option<&'a Jar>,
}
