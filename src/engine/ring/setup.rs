//! How a ring is made: its sizes, and what newer kernels can do. Tests make it small, or mask what
//! the kernel has, and nothing may be lost by it.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Submission entries. A turn makes at most a slice of sends, and flushes when full.
    pub submissions: u32,
    /// Completion entries: 64 KB. The ring is walked round and round, so a larger one costs cache;
    /// the kernel keeps what does not fit (NODROP), and that is counted.
    pub completions: u32,
    /// Provided buffers, small ones and large ones; powers of two.
    pub buffers: [u16; 2],
    /// What may be used if the kernel has it.
    pub features: Features,
}

/// What only newer kernels can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// 6.12: a wait ends at an instant of CLOCK_MONOTONIC, instead of after a time.
    pub absolute_timer: bool,
    /// 6.7: options of a socket are set through the ring.
    pub socket_options: bool,
}

impl Setup {
    pub const DEFAULT: Setup = Setup {
        submissions: 256,
        completions: 4096,
        // 256 of 4 KB stay in the second-level cache; 32 of 32 KB take as much.
        buffers: [256, 32],
        features: Features { absolute_timer: true, socket_options: true },
    };
}
