//! What perf recorded, as collapsed stacks: `perf script` prints it and inferno folds it.

use std::io::{BufReader, Read};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use inferno::collapse::Collapse;
use inferno::collapse::perf::{Folder as Fold, Options};

use super::LOOK;
use super::child::{Child, Folder};
use crate::time::{self, Nanos};

/// Without the period, which inferno would count in the place of samples.
const FIELDS: &str = "comm,pid,tid,time,event,ip,sym,dso";

/// A minute of a large server is printed in a few seconds.
const PATIENCE: Nanos = Nanos::from_secs(60);

/// What is read of it.
const MOST: u64 = 2 << 30;

pub fn collapsed(folder: &Folder, is_hurried: &dyn Fn() -> bool) -> Result<String, String> {
    let mut command = Command::new("perf");
    // To look up inlined functions would take a process for each address.
    command.args(["script", "--no-inline", "--force", "-F", FIELDS, "-i"]).arg(folder.out());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = Child::spawn(&mut command)
        .map_err(|error| format!("`perf script` could not be started ({error})"))?;
    let output = child.output().ok_or("`perf script` has no output")?;
    let folding = thread::spawn(move || fold(output));
    let start = time::now();
    while !folding.is_finished() {
        if is_hurried() || time::now() - start > PATIENCE {
            // It is killed, so that the thread comes to an end.
            drop(child);
            let _ = folding.join();
            return Err("what it recorded took too long to read".to_string());
        }
        thread::sleep(Duration::from(LOOK));
    }
    folding.join().unwrap_or_else(|_| Err("inferno stopped on what perf printed".to_string()))
}

fn fold(output: impl Read) -> Result<String, String> {
    let mut options = Options::default();
    // So that its functions can be told from those of programs.
    options.annotate_kernel = true;
    options.nthreads = 1;
    let mut stacks = Vec::new();
    Fold::from(options)
        .collapse(BufReader::new(output.take(MOST)), &mut stacks)
        .map_err(|error| format!("what perf printed cannot be read ({error})"))?;
    Ok(String::from_utf8_lossy(&stacks).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Profile;
    use crate::metrics::profile::{Class, Stacks};

    const SCRIPT: &str = "\
nginx  4711/4711  61141.537203: cpu-clock:ppp: 
\tffffffff81000001 _raw_spin_lock ([kernel.kallsyms])
\tffffffff81000002 tcp_sendmsg ([kernel.kallsyms])
\t            b120 __libc_send (/usr/lib/libc.so.6)
\t            b121 main (/usr/sbin/nginx)

nginx  4711/4712  61141.547304: cpu-clock:ppp: 
\t            c120 parse (/usr/sbin/nginx)
\t            b121 main (/usr/sbin/nginx)

";

    #[test]
    fn what_perf_script_prints_is_folded() {
        let stacks = fold(SCRIPT.as_bytes()).unwrap();
        assert_eq!(
            stacks,
            "nginx;main;__libc_send;tcp_sendmsg_[k];_raw_spin_lock_[k] 1\nnginx;main;parse 1\n"
        );
        let profile = Profile::of_stacks("perf", Stacks::parse(&stacks).unwrap(), false);
        assert_eq!(
            (profile.by_class[Class::Io as usize], profile.by_class[Class::Cpu as usize]),
            (1, 1)
        );
        // The mark is for the machine.
        assert_eq!(profile.functions[0].name, "_raw_spin_lock");
    }
}
