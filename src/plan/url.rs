//! The target's address as the user wrote it.

use std::net::IpAddr;

/// An `http://` target, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub host: Host,
    pub port: u16,
    /// Path and query, as they stand in the request line; starts with `/`.
    pub target: String,
    /// The value of the Host field: host, and the port where it is not the scheme's own.
    pub authority: String,
    /// The value of the Authorization field that userinfo stands for.
    pub authorization: Option<String>,
    /// The URL as reports show it: userinfo and secret query fields masked.
    pub shown: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    Ip(IpAddr),
    /// To be resolved.
    Name(String),
}
