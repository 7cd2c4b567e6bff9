//! The flags of https: what was typed becomes settings. Reads the files of keys and certificates.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::{Args, ValueHint};

use super::values;
use crate::error::{Error, Result};
use crate::plan::Url;
use crate::tls::{Identity, Ktls, Resumption, Settings, Sni, Suite, Version};
use crate::units::quote;

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "TLS (https)")]
pub struct TlsArgs {
    /// Take any certificate of the server
    #[arg(short = 'k', long)]
    pub insecure: bool,

    /// Trust these roots (PEM) instead of the system's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub cacert: Option<PathBuf>,

    /// The client's certificate and its chain (PEM), with the key or beside --key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub cert: Option<PathBuf>,

    /// The key of --cert (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub key: Option<PathBuf>,

    /// Name to ask for and to expect in the certificate, or off [default: the URL's]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub sni: Option<String>,

    /// Protocols to offer, or none [default: http/1.1]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', hide_short_help = true)]
    pub alpn: Vec<String>,

    /// Oldest version: 1.2 or 1.3 [default: 1.2]
    #[arg(long, value_name = "V", value_parser = values::tls_version, hide_short_help = true)]
    pub tls_min: Option<Version>,

    /// Newest version: 1.2 or 1.3 [default: 1.3]
    #[arg(long, value_name = "V", value_parser = values::tls_version, hide_short_help = true)]
    #[arg(alias = "tls-max-version")]
    pub tls_max: Option<Version>,

    /// Cipher suites by preference, by IANA's names or OpenSSL's [default: all]
    #[arg(long, value_name = "NAMES", value_parser = values::suite, hide_short_help = true)]
    #[arg(value_delimiter = ',')]
    pub ciphers: Vec<Suite>,

    /// Take up sessions of earlier connections: on or off [default: off]
    #[arg(long, value_name = "HOW", value_parser = values::resumption, hide_short_help = true)]
    pub tls_resumption: Option<Resumption>,

    /// Have the kernel encrypt requests: auto (large ones), on or off [default: auto]
    #[arg(long, value_name = "HOW", value_parser = values::ktls, hide_short_help = true)]
    pub ktls: Option<Ktls>,
}

/// `None` for http. `insecure`: so said a curl command.
pub fn settings(args: &TlsArgs, url: &Url, insecure: bool) -> Result<Option<Settings>> {
    if !url.is_https {
        refuse_without_tls(args)?;
        return Ok(None);
    }
    let defaults = Settings::new();
    let (oldest, newest) = versions(args)?;
    Ok(Some(Settings {
        insecure: args.insecure || insecure,
        roots: args.cacert.as_deref().map(|path| read("--cacert", path)).transpose()?,
        identity: identity(args)?,
        sni: match args.sni.as_deref() {
            None => Sni::Host,
            Some("off") => Sni::Off,
            Some(name) => Sni::Name(name.to_string()),
        },
        protocols: match &args.alpn[..] {
            [] => defaults.protocols,
            [none] if none == "none" => Vec::new(),
            names => protocols(names)?,
        },
        oldest,
        newest,
        suites: args.ciphers.clone(),
        resumption: args.tls_resumption.unwrap_or(defaults.resumption),
        ktls: args.ktls.unwrap_or(defaults.ktls),
    }))
}

/// `--insecure` alone is habit; anything else was meant for a server with TLS.
fn refuse_without_tls(args: &TlsArgs) -> Result<()> {
    let habit = TlsArgs { insecure: args.insecure, ..TlsArgs::default() };
    if *args == habit {
        return Ok(());
    }
    Err(Error::usage(
        "flags of TLS were given and the URL is no https:// one; write https://, or leave them out",
    ))
}

fn versions(args: &TlsArgs) -> Result<(Version, Version)> {
    let newest = args.tls_max.unwrap_or(Version::V1_3);
    let oldest = args.tls_min.unwrap_or(Version::V1_2);
    if newest < oldest {
        return Err(Error::usage(
            "--tls-min is above --tls-max; give a span such as `--tls-min 1.2 --tls-max 1.3`",
        ));
    }
    Ok((oldest, newest))
}

/// The names may be up to 255 bytes long (RFC 7301, 3.1).
fn protocols(names: &[String]) -> Result<Vec<String>> {
    match names.iter().find(|name| name.is_empty() || name.len() > 255) {
        None => Ok(names.to_vec()),
        Some(name) => Err(Error::usage(format!(
            "--alpn: {} is no protocol; give names such as http/1.1, or none",
            quote(name)
        ))),
    }
}

fn identity(args: &TlsArgs) -> Result<Option<Identity>> {
    match (&args.cert, &args.key) {
        (None, None) => Ok(None),
        (None, Some(_)) => {
            Err(Error::usage("--key needs the certificate it belongs to; give --cert FILE"))
        }
        (Some(cert), key) => {
            let chain = read("--cert", cert)?;
            let key = key.as_deref().map(|path| read("--key", path)).transpose()?;
            Ok(Some(Identity { key: key.unwrap_or_else(|| chain.clone()), chain }))
        }
    }
}

fn read(flag: &str, path: &Path) -> Result<Bytes> {
    std::fs::read(path).map(Bytes::from).map_err(|error| {
        Error::usage(format!(
            "{flag}: {} cannot be read ({}); check the name and its permissions",
            quote(&path.display().to_string()),
            super::reason(&error)
        ))
    })
}
