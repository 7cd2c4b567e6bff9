//! What stands in for TLS in a build without it: types of which nothing can be made, so that the
//! rest of the program is the same and nothing of this is ever called.

use std::convert::Infallible;

use super::{Fault, KernelKeys, Progress, Settings};
use crate::agreed::Agreed;
use crate::error::{Error, Result};

#[derive(Clone, Debug)]
pub struct Client(Infallible);

pub struct Session(Infallible);

impl Client {
    pub fn new(_: &Settings, _: &str) -> Result<Client> {
        Err(Error::usage(
            "this blast was built without TLS; build it with `--features tls` for https",
        ))
    }

    pub fn for_worker(&self, _: usize) -> Client {
        match self.0 {}
    }

    pub fn session(&self, _: &mut Vec<u8>) -> std::result::Result<Session, Fault> {
        match self.0 {}
    }
}

impl Session {
    pub fn is_established(&self) -> bool {
        match self.0 {}
    }

    pub fn is_resumed(&self) -> bool {
        match self.0 {}
    }

    pub fn may_be_refused(&self) -> bool {
        match self.0 {}
    }

    pub fn memory(&self) -> usize {
        match self.0 {}
    }

    pub fn receive(
        &mut self,
        _: &mut [u8],
        _: &mut Vec<u8>,
        _: &mut dyn FnMut(&[u8]) -> bool,
    ) -> std::result::Result<Progress, Fault> {
        match self.0 {}
    }

    pub fn seal(&mut self, _: &[u8], _: &mut Vec<u8>) -> std::result::Result<(), Fault> {
        match self.0 {}
    }

    pub fn kernel_keys(
        &mut self,
        _: &mut Vec<u8>,
    ) -> std::result::Result<Option<KernelKeys>, Fault> {
        match self.0 {}
    }

    pub fn offloaded(&mut self) {
        match self.0 {}
    }

    pub fn agreed(&self) -> Option<Agreed> {
        match self.0 {}
    }
}
