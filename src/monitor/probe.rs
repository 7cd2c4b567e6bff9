//! What io_uring can do here, found by trying: version numbers lie where distributions backport
//! and sandboxes forbid.

use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use io_uring::squeue::Entry;
use io_uring::types::{BufRingEntry, Fd};
use io_uring::{Builder, IoUring, Probe, opcode};
use socket2::{Domain, Socket, Type};

use super::feature::Feature;

/// Places of the trial rings.
const ENTRIES: u32 = 4;

/// The features that are missing, in order.
pub fn missing() -> io::Result<Vec<Feature>> {
    let mut ring = IoUring::new(ENTRIES)?;
    let mut missing = Vec::new();
    for feature in Feature::ALL {
        if !works(feature, &mut ring) {
            missing.push(feature);
        }
    }
    Ok(missing)
}

fn works(feature: Feature, ring: &mut IoUring) -> bool {
    match feature {
        Feature::SingleIssuer => makes(Builder::setup_single_issuer),
        Feature::DeferTaskrun => makes(|b| b.setup_single_issuer().setup_defer_taskrun()),
        Feature::TaskrunFlag => makes(|b| b.setup_coop_taskrun().setup_taskrun_flag()),
        Feature::SubmitAll => makes(Builder::setup_submit_all),
        Feature::CoopTaskrun => makes(Builder::setup_coop_taskrun),
        Feature::NoDrop => ring.params().is_feature_nodrop(),
        Feature::ExtArg => ring.params().is_feature_ext_arg(),
        Feature::SkipSuccess => ring.params().is_feature_skip_cqe_on_success(),
        Feature::Operations => knows(ring, &OPERATIONS),
        Feature::SetSocketOption => sets_options(ring).unwrap_or(false),
        Feature::FileTable => ring.submitter().register_files_sparse(ENTRIES).is_ok(),
        Feature::BufferRing => takes_buffer_ring(ring),
        Feature::MultishotReceive => receives_again(ring).unwrap_or(false),
        Feature::Eventfd => takes_eventfd(ring),
        // ABS_TIMER has no bit of its own; MIN_TIMEOUT came with the same kernel.
        Feature::AbsoluteTimer => ring.params().is_feature_min_timeout(),
    }
}

fn makes(flags: impl FnOnce(&mut Builder) -> &mut Builder) -> bool {
    let mut builder = IoUring::builder();
    flags(&mut builder);
    builder.build(ENTRIES).is_ok()
}

/// What both engines, or the target, ask of a socket.
const OPERATIONS: [u8; 7] = [
    opcode::Connect::CODE,
    opcode::Send::CODE,
    opcode::Recv::CODE,
    opcode::Shutdown::CODE,
    opcode::AsyncCancel::CODE,
    opcode::Close::CODE,
    opcode::PollAdd::CODE,
];

fn knows(ring: &IoUring, codes: &[u8]) -> bool {
    let mut known = Probe::new();
    ring.submitter().register_probe(&mut known).is_ok()
        && codes.iter().all(|code| known.is_supported(*code))
}

/// Memory that begins at a page, as a ring of buffers has to.
#[repr(align(4096))]
struct Page([u8; 4096]);

const GROUP: u16 = 1;

fn takes_buffer_ring(ring: &IoUring) -> bool {
    let page = Box::new(Page([0; 4096]));
    let entries = (page.0.len() / size_of::<BufRingEntry>()) as u16;
    let submitter = ring.submitter();
    // SAFETY: the page holds so many entries, is aligned, and outlives the registration, which
    // ends before it is freed. No buffer is ever put into it.
    let registered = unsafe {
        submitter.register_buf_ring_with_flags(page.0.as_ptr() as u64, entries, GROUP, 0)
    };
    let works = registered.is_ok() && submitter.unregister_buf_ring(GROUP).is_ok();
    if registered.is_ok() && !works {
        // The kernel still knows it.
        std::mem::forget(page);
    }
    works
}

/// A multishot receive without buffers: a kernel that knows it asks for some (ENOBUFS), any other
/// does not know the flag (EINVAL).
fn receives_again(ring: &mut IoUring) -> io::Result<bool> {
    let (ours, mut theirs) = UnixStream::pair()?;
    theirs.write_all(b"x")?;
    let entry: Entry = opcode::RecvMulti::new(Fd(ours.as_raw_fd()), GROUP).build();
    // SAFETY: the receive names no memory, and there is no buffer in its group.
    unsafe { complete(ring, &entry) }.map(|result| result == -libc::ENOBUFS)
}

/// Sets SO_RCVLOWAT, the one that blast uses; other kernels know the operation for other options.
fn sets_options(ring: &mut IoUring) -> io::Result<bool> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let (level, option) = (libc::SOL_SOCKET as u32, libc::SO_RCVLOWAT as u32);
    let one: libc::c_int = 1;
    let value = (&raw const one).cast();
    let entry = opcode::SetSockOpt::new(Fd(socket.as_raw_fd()), level, option, value, 4).build();
    // SAFETY: `one` outlives the wait for the completion.
    unsafe { complete(ring, &entry) }.map(|result| result == 0)
}

/// The result of one operation.
///
/// # Safety
/// What the entry points to must outlive the call.
unsafe fn complete(ring: &mut IoUring, entry: &Entry) -> io::Result<i32> {
    // SAFETY: passed on to the caller.
    unsafe { ring.submission().push(entry) }.map_err(io::Error::other)?;
    ring.submit_and_wait(1)?;
    let completion = ring.completion().next();
    completion.map(|completion| completion.result()).ok_or(io::ErrorKind::WouldBlock.into())
}

fn takes_eventfd(ring: &IoUring) -> bool {
    // A kernel that knows the call misses the descriptor (EBADF), any other the call (EINVAL).
    let submitter = ring.submitter();
    let refused = submitter.register_eventfd(-1).err().and_then(|error| error.raw_os_error());
    refused == Some(libc::EBADF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_that_no_kernel_takes_is_missing() {
        // DEFER_TASKRUN without SINGLE_ISSUER is refused by all of them (io_uring_setup(2)).
        assert!(!makes(Builder::setup_defer_taskrun));
    }
}
