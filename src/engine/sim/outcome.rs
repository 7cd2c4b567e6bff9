//! What a simulated run leaves behind.

use super::books::Books;
use super::net::Net;
use super::scene::Scene;
use super::trace::Seen;
use crate::engine::core::Finished;
use crate::failure::Kind;

/// A run that is over.
pub struct Outcome {
    pub books: Vec<Books>,
    pub nets: Vec<Net>,
    pub finished: Vec<Finished>,
    pub scene: Scene,
    pub saw_the_rate_return: bool,
}

impl Outcome {
    /// All that happened in it, by name.
    pub fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        for net in &self.nets {
            seen.add(&net.trace.seen);
            for kind in Kind::ALL {
                let index = *kind as usize;
                seen.count(kind.name(), net.ledger.failures[index] + net.ledger.refused[index]);
            }
        }
        self.scene.features().for_each(|feature| seen.count(feature, 1));
        seen.count("the rate returns", self.saw_the_rate_return.into());
        seen
    }
}
