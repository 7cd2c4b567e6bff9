//! The name of a function, as the tools of many languages write it, taken apart.
//!
//! ```text
//! epoll_wait@@GLIBC_2.3.2             C               tcp_sendmsg_[k]      the kernel's
//! <T as tokio::net::Read>::poll       Rust            runtime.gopark       Go
//! select (selectors.py:415)           Python, py-spy  <built-in method time.sleep>
//! <method 'recv' of '_socket.socket' objects>         Python, C code that cProfile saw
//! ```

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// The last word, without the underscores around it.
    pub function: &'a str,
    /// The file, the class, or else the whole name.
    pub place: &'a str,
    /// It is a function of Python in a file.
    pub in_python: bool,
    /// It is a path of Rust or C++.
    pub is_path: bool,
}

/// How inferno and the scripts of FlameGraph mark a function of the kernel.
const KERNEL: &str = "_[k]";
const MARKS: [&str; 5] = [KERNEL, "_[j]", "_[i]", "_[w]", "_[o]"];

pub fn is_kernel(name: &str) -> bool {
    name.ends_with(KERNEL)
}

/// Without the mark.
pub fn unmarked(name: &str) -> &str {
    MARKS.iter().find_map(|mark| name.strip_suffix(mark)).unwrap_or(name)
}

impl<'a> Name<'a> {
    pub fn of(name: &'a str) -> Name<'a> {
        let name = unmarked(name);
        let python = |function, place, in_python| Name {
            function: bare(function),
            place,
            in_python,
            is_path: false,
        };
        if let Some(inside) = in_brackets(name) {
            if let Some(whole) = inside.strip_prefix("built-in method ") {
                return python(last(whole), whole, false);
            }
            let quoted: Vec<&str> = inside.split('\'').collect();
            if let ["method ", method, " of ", class, ..] = quoted[..] {
                return python(method, class, false);
            }
        }
        if let Some((function, file)) = name.strip_suffix(')').and_then(|n| n.rsplit_once(" ("))
            && file.contains(".py")
        {
            return python(last(function), file, true);
        }
        let symbol = name.split('@').next().unwrap_or(name);
        let is_path = symbol.contains("::");
        Name { function: bare(last(symbol)), place: name, in_python: false, is_path }
    }
}

fn in_brackets(name: &str) -> Option<&str> {
    let round = name.strip_prefix('<').and_then(|name| name.strip_suffix('>'));
    round.or_else(|| name.strip_prefix('{').and_then(|name| name.strip_suffix('}')))
}

fn last(path: &str) -> &str {
    // What a compiler made of a function (`finish_task_switch.isra.0`) is still that function.
    let path = [".isra.", ".part.", ".constprop.", ".cold"]
        .iter()
        .find_map(|mark| Some(path.split_once(mark)?.0))
        .unwrap_or(path);
    path.rsplit(['.', '/', ':']).next().unwrap_or(path)
}

/// Without underscores, and without the names that the C library has for itself.
fn bare(function: &str) -> &str {
    let function = function.trim_matches('_');
    let function = function.strip_prefix("GI_").unwrap_or(function).trim_start_matches('_');
    function.strip_prefix("libc_").unwrap_or(function)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_languages_are_taken_apart() {
        for (name, function, place) in [
            ("__epoll_wait@@GLIBC_2.3.2", "epoll_wait", "__epoll_wait@@GLIBC_2.3.2"),
            ("tcp_sendmsg_[k]", "tcp_sendmsg", "tcp_sendmsg"),
            ("finish_task_switch.isra.0_[k]", "finish_task_switch", "finish_task_switch.isra.0"),
            ("__GI___libc_write", "write", "__GI___libc_write"),
            ("std::thread::park", "park", "std::thread::park"),
            ("runtime.gopark", "gopark", "runtime.gopark"),
            ("select (selectors.py:415)", "select", "selectors.py:415"),
            ("SocketIO.readinto (socket.py:692)", "readinto", "socket.py:692"),
            ("<built-in method time.sleep>", "sleep", "time.sleep"),
            ("{method 'recv' of '_socket.socket' objects}", "recv", "_socket.socket"),
            ("", "", ""),
            ("<", "<", "<"),
            ("a (b)", "a (b)", "a (b)"),
        ] {
            let found = Name::of(name);
            assert_eq!((found.function, found.place), (function, place), "{name}");
        }
        assert!(Name::of("f (app.py)").in_python && !Name::of("f").in_python);
        assert!(Name::of("a::poll").is_path && is_kernel("tcp_sendmsg_[k]"));
    }
}
