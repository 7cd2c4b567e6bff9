//! What a function does, told by its name: waiting, or one of four kinds of work.
//!
//! A table of names and no more: who calls a function of their own `malloc` is believed.

use super::name::{self, Name};

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Cpu,
    Io,
    Database,
    Memory,
}

impl Class {
    pub const ALL: [Class; 4] = [Class::Cpu, Class::Io, Class::Database, Class::Memory];

    /// As the document has it.
    pub fn name(self) -> &'static str {
        ["cpu", "io", "database", "memory"][self as usize]
    }
}

/// Whole names of functions that wait for something.
#[rustfmt::skip]
const WAITS: [&str; 51] = [
    "select", "pselect", "pselect6", "poll", "ppoll", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "ep_poll", "do_poll", "do_select", "kevent", "netpoll", "io_uring_enter", "io_cqring_wait",
    "recv", "recvfrom", "recvmsg", "recvmmsg", "recv_into", "recvfrom_into", "accept", "accept4",
    "inet_csk_accept", "sk_wait_data", "sleep", "usleep", "nanosleep", "clock_nanosleep", "pause",
    "futex", "futex_wait", "lock", "lock_slow", "lock_contended", "acquire", "pthread_mutex_lock",
    "pthread_cond_wait", "pthread_cond_timedwait", "sem_wait", "sem_timedwait", "wait",
    "wait_timeout", "wait4", "waitpid", "park", "park_timeout", "gopark", "schedule",
    "schedule_timeout", "finish_task_switch",
];

/// Parts of such names.
#[rustfmt::skip]
const WAITING: [&str; 9] = [
    "epoll_wait", "epoll_pwait", "futex_wait", "nanosleep", "cond_wait", "cond_timedwait",
    "schedule_hrtimeout", "socketread", "unsafe_park",
];

/// Python shows its own functions only, so that one of these stands where its C code waits. A
/// function of this name in anybody else's file does not wait.
#[rustfmt::skip]
const IN_PYTHON: [(&str, &[&str]); 10] = [
    ("selectors.py", &["select"]),
    ("socket.py", &["accept", "readinto", "recv", "recv_into", "create_connection"]),
    ("ssl.py", &["read", "recv", "recv_into", "do_handshake", "accept"]),
    ("threading.py", &["wait", "acquire", "join", "wait_for_tstate_lock", "enter"]),
    ("queue.py", &["get", "put"]),
    ("subprocess.py", &["wait", "try_wait", "communicate"]),
    ("connection.py", &["recv", "poll", "accept", "wait", "recv_bytes"]),
    ("futures/thread.py", &["worker"]),
    ("gevent/hub.py", &["run", "switch", "wait"]),
    ("asyncio/locks.py", &["acquire", "wait"]),
];

#[rustfmt::skip]
const DATABASE: [&str; 24] = [
    "psycopg", "sqlite", "mysql", "mariadb", "asyncpg", "libpq", "pqexec", "pqsend", "pqgetresult",
    "redis", "mongo", "sqlalchemy", "django/db/", "peewee", "jdbc", "postgres", "pgx", "lib/pq",
    "database/sql", "diesel::", "sqlx::", "cassandra", "memcache", "clickhouse",
];

#[rustfmt::skip]
const MEMORY: [&str; 12] = [
    "malloc", "calloc", "realloc", "memcpy", "memmove", "memset", "page_fault", "alloc_pages",
    "clear_page", "kmem_cache", "garbage", "pyobject_free",
];
#[rustfmt::skip]
const MEMORY_WHOLE: [&str; 13] = [
    "free", "cfree", "kfree", "int_free", "mmap", "munmap", "brk", "madvise", "drop_in_place",
    "collect_garbage", "scanobject", "greyobject", "newobject",
];

#[rustfmt::skip]
const IO_WHOLE: [&str; 44] = [
    "read", "pread", "pread64", "readv", "preadv", "readinto", "readline", "readlines", "write",
    "pwrite", "pwrite64", "writev", "pwritev", "writelines", "send", "sendto", "sendmsg",
    "sendmmsg", "sendall", "sendfile", "recv", "recvfrom", "recvmsg", "recv_into", "fsync",
    "fdatasync", "open", "openat", "open64", "close", "connect", "shutdown", "flush", "fread",
    "fwrite", "fflush", "fopen", "stat", "fstat", "splice", "getaddrinfo", "do_syscall_64",
    "syscall_return_via_sysret", "handshake",
];

/// How functions of the kernel begin that move bytes.
#[rustfmt::skip]
const IO_KERNEL: [&str; 26] = [
    "vfs_", "ext4_", "xfs_", "btrfs_", "tcp_", "udp_", "ip_", "ip6_", "ipv6_", "inet_", "inet6_",
    "sock_", "skb_", "sk_", "ksys_", "sys_", "x64_sys_", "arm64_sys_", "nf_", "net_rx", "netif_",
    "dev_", "loopback_", "napi_", "blk_", "nvme_",
];

/// Whether it waits for something.
pub fn is_waiting(name: &str) -> bool {
    let name = Name::of(name);
    let function = name.function;
    if name.in_python {
        let waits = |(file, functions): &(&str, &[&str])| {
            name.place.contains(file) && functions.contains(&function)
        };
        return IN_PYTHON.iter().any(waits);
    }
    // A future of Rust is polled to make it work; a mutex there is taken far more than waited for.
    if name.is_path && matches!(function, "poll" | "lock" | "select" | "wait" | "schedule") {
        return false;
    }
    let lower = function.to_ascii_lowercase();
    let reads_socket = lower.starts_with("read") && {
        let place = name.place.to_ascii_lowercase();
        place.contains("socket") || place.contains("ssl")
    };
    reads_socket || WAITS.contains(&&*lower) || WAITING.iter().any(|part| lower.contains(part))
}

/// What it does by its own name; one that waits is no work, and is not asked for.
pub fn of(name: &str) -> Class {
    let Name { function, place, in_python, .. } = Name::of(name);
    let (function, place) = (function.to_ascii_lowercase(), place.to_ascii_lowercase());
    let in_either = |part: &&str| function.contains(*part) || place.contains(*part);
    let is_gc = function.starts_with("gc_") || place.starts_with("gc.");
    if DATABASE.iter().any(in_either) {
        Class::Database
    } else if is_gc
        || MEMORY.iter().any(|part| function.contains(part))
        || MEMORY_WHOLE.contains(&&*function)
    {
        Class::Memory
    } else if IO_WHOLE.contains(&&*function)
        || !in_python && IO_KERNEL.iter().any(|start| function.starts_with(start))
    {
        Class::Io
    } else {
        Class::Cpu
    }
}

/// What was done where this stack was seen, its leaf last. Whatever is done for a database counts
/// for it; and a function of the kernel that says nothing by its name does the work of the one that
/// called it.
pub fn of_stack(frames: &[&str]) -> Class {
    if frames.iter().any(|frame| of(frame) == Class::Database) {
        return Class::Database;
    }
    for frame in frames.iter().rev() {
        let class = of(frame);
        if class != Class::Cpu || !name::is_kernel(frame) {
            return class;
        }
    }
    Class::Cpu
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_told_by_its_name() {
        for name in [
            "select",
            "__poll",
            "epoll_wait",
            "__epoll_pwait",
            "ep_poll_[k]",
            "__libc_recv",
            "recvfrom",
            "accept4",
            "clock_nanosleep",
            "futex_wait_queue_[k]",
            "__schedule_[k]",
            "finish_task_switch.isra.0_[k]",
            "pthread_cond_wait@@GLIBC_2.3.2",
            "runtime.gopark",
            "std::thread::park",
            "runtime.futex",
            "jdk.internal.misc.Unsafe.park",
            "java/net/SocketInputStream.socketRead0",
            "select (selectors.py:415)",
            "accept (socket.py:294)",
            "SocketIO.readinto (socket.py:706)",
            "wait (threading.py:320)",
            "_worker (concurrent/futures/thread.py:81)",
            "{built-in method time.sleep}",
            "<method 'poll' of 'select.epoll' objects>",
            "{method 'recv' of '_socket.socket' objects}",
            "<method 'read' of '_ssl._SSLSocket' objects>",
            "{method 'acquire' of '_thread.lock' objects}",
        ] {
            assert!(is_waiting(name), "{name}");
        }
        for name in [
            "main",
            "read",
            "selection_sort",
            "poll_fn",
            "<F as core::future::Future>::poll",
            "select (app/query.py:10)",
            "accept (visitors.py:8)",
            "sleepy (app.py:1)",
            "block",
            "clock",
            "parking",
            "unlock",
            "await_ready",
            "tcp_recvmsg_[k]",
            "_int_malloc",
            "{method 'join' of 'str' objects}",
            "mutex::lock",
            "",
        ] {
            assert!(!is_waiting(name), "{name}");
        }
    }

    #[test]
    fn work_is_of_one_of_four_kinds() {
        for (class, names) in [
            (
                Class::Database,
                &[
                    "execute (psycopg2/extras.py:10)",
                    "sqlite3VdbeExec",
                    "PQexec",
                    "{method 'execute' of 'sqlite3.Cursor' objects}",
                    "query (pymysql/cursors.py:3)",
                    "_do_execute (asyncpg/connection.py:99)",
                    "send_command (redis/client.py:1)",
                    "database/sql.(*DB).Query",
                ][..],
            ),
            (
                Class::Memory,
                &[
                    "_int_malloc",
                    "__libc_free",
                    "cfree",
                    "__memmove_avx_unaligned_erms",
                    "gc_collect_main",
                    "{built-in method gc.collect}",
                    "runtime.mallocgc",
                    "asm_exc_page_fault_[k]",
                    "_PyObject_Malloc",
                ],
            ),
            (
                Class::Io,
                &[
                    "write",
                    "__libc_send",
                    "fsync",
                    "openat",
                    "tcp_sendmsg_[k]",
                    "vfs_read_[k]",
                    "{method 'send' of '_socket.socket' objects}",
                    "{built-in method io.open}",
                ],
            ),
            (
                Class::Cpu,
                &[
                    "main",
                    "encode (json/encoder.py:5)",
                    "sort",
                    "freeze",
                    "recursive",
                    "[unknown]",
                    "",
                ],
            ),
        ] {
            for name in names {
                assert_eq!(of(name), class, "{name}");
            }
        }
    }

    #[test]
    fn what_is_done_for_a_database_and_inside_the_kernel_counts_for_the_caller() {
        assert_eq!(of_stack(&["main", "sqlite3_step", "pread64"]), Class::Database);
        assert_eq!(of_stack(&["main", "write", "_raw_spin_lock_[k]"]), Class::Io);
        assert_eq!(of_stack(&["main", "write", "encode"]), Class::Cpu);
        assert_eq!(of_stack(&["main", "asm_exc_page_fault_[k]", "up_read_[k]"]), Class::Memory);
        assert_eq!(of_stack(&[]), Class::Cpu);
    }
}
