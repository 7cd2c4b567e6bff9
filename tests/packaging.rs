//! What a package holds besides the program: the manual page and the completions that blast makes
//! of its own flags. Where a tool that reads them is not installed, that part is said to be skipped.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::{Folder, skipped};

const VERBS: [&str; 18] = [
    "run",
    "target",
    "demo",
    "ceiling",
    "soak",
    "compare",
    "ab",
    "calibrate",
    "versus",
    "suite",
    "doctor",
    "import",
    "report",
    "history",
    "monitor",
    "profile",
    "completions",
    "man",
];

fn stdout(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_blast")).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a tool on a file; `None` where the tool is missing.
fn tool(name: &str, arguments: &[&str], file: &Path) -> Option<Output> {
    let mut command = Command::new(name);
    command.args(arguments).arg(file).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8");
    match command.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        output => Some(output.unwrap()),
    }
}

/// The flags that a page of help lists: `-c, --connections <N>  ...`.
fn flags(help: &str) -> BTreeSet<String> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let words = lines.flat_map(|line| line.split_whitespace().take(2));
    let words = words.filter(|word| word.starts_with('-'));
    words.map(|word| word.split(['[', ',']).next().unwrap().to_string()).collect()
}

#[test]
fn each_flag_of_each_help_stands_in_the_manual() {
    let manual = stdout(&["man"]);
    let mut pages = VERBS.map(|verb| stdout(&[verb, "--help"])).to_vec();
    pages.push(stdout(&["--help"]));
    let flags: BTreeSet<String> = pages.iter().flat_map(|help| flags(help)).collect();
    assert!(flags.len() > 50 && flags.contains("--close-after") && flags.contains("-c"));
    for flag in flags {
        let bold = format!("\\fB{}\\fR", flag.replace('-', "\\-"));
        assert!(manual.contains(&bold), "{flag} is missing");
    }
    for verb in VERBS {
        assert!(manual.contains(&format!(".SS \"blast {verb}\"\n")), "{verb} is missing");
    }
}

#[test]
fn the_manual_has_the_examples_and_the_exit_codes_of_the_help() {
    let (manual, help) = (stdout(&["man"]), stdout(&["--help"]));
    let (_, examples) = help.split_once("Examples:\n").unwrap();
    let (examples, _) = examples.split_once("\n\n").unwrap();
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    let entries: Vec<&str> = examples.lines().chain(codes.lines()).collect();
    assert_eq!(entries.len(), 10);
    for entry in entries {
        let (term, meaning) = entry.trim().split_once("  ").unwrap();
        let text = format!(".TP\n\\fB{term}\\fR\n{}\n", meaning.trim());
        assert!(manual.contains(&text.replace('-', "\\-")), "{text}");
    }
}

/// The command line alone reads the environment.
#[test]
fn each_variable_that_blast_reads_stands_in_the_manual() {
    let manual = stdout(&["man"]);
    let mut sources = String::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => sources += &fs::read_to_string(path).unwrap(),
            }
        }
    }
    let reads = sources.split("env::var").skip(1);
    // What a plan names (`{{env NAME}}`) is no variable of blast's.
    let named = reads.filter_map(|read| read.trim_start_matches("_os").strip_prefix("(\""));
    let names: BTreeSet<&str> = named.map(|read| read.split('"').next().unwrap()).collect();
    assert!(names.contains("BLAST_ENGINE") && names.contains("NO_COLOR"), "{names:?}");
    for name in names {
        assert!(manual.contains(&format!("\n.TP\n\\fB{name}\\fR\n")), "{name} is missing");
    }
}

#[test]
fn the_manual_renders_without_a_warning() {
    let folder = Folder::new();
    let file = folder.path().join("blast.1");
    fs::write(&file, stdout(&["man"])).unwrap();
    let mut read = 0;
    for (name, arguments) in
        [("groff", &["-ww", "-man", "-Tutf8", "-P-cbou"][..]), ("mandoc", &["-man", "-Tutf8"])]
    {
        let Some(output) = tool(name, arguments, &file) else { continue };
        read += 1;
        assert!(output.status.success() && output.stderr.is_empty(), "{name}: {output:?}");
        // Lines are filled up with blanks.
        let text = plain(&String::from_utf8(output.stdout).unwrap());
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in ["BLAST(1)", "EXIT STATUS", "--max-in-flight <N>", "NO_COLOR", "Header 'Name:"]
        {
            assert!(text.contains(words), "{name}: {words} is missing: {text}");
        }
    }
    if read == 0 {
        skipped("rendering the manual", "neither groff nor mandoc is installed");
    }
}

/// Without the backspaces of a typewriter, with which terminals are told of bold letters.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars() {
        match letter {
            '\u{8}' => drop(plain.pop()),
            letter => plain.push(letter),
        }
    }
    plain
}

fn script(folder: &Folder, shell: &str) -> PathBuf {
    let file = folder.path().join(format!("blast.{shell}"));
    fs::write(&file, stdout(&["completions", shell])).unwrap();
    file
}

#[test]
fn each_shell_accepts_its_completions() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish"] {
        match tool(shell, &["-n"], &script(&folder, shell)) {
            Some(output) => {
                assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}");
            }
            None => skipped(&format!("the completions of {shell}"), "it is not installed"),
        }
    }
}

#[test]
fn bash_completes_verbs_flags_and_engines() {
    let folder = Folder::new();
    let file = script(&folder, "bash");
    for (typed, expected) in [
        (&["blast", "doc"][..], "doctor"),
        (&["blast", "--conn"], "--connections"),
        (&["blast", "target", "--stat"], "--status"),
        (&["blast", "--engine", "tok"], "tokio-uring"),
    ] {
        let last = typed.len() - 1;
        let words = typed.join(" ");
        let lines = format!(
            "source '{}'; COMP_WORDS=({words}); COMP_CWORD={last}; \
             _blast blast '{}' '{}'; echo \"${{COMPREPLY[@]}}\"",
            file.display(),
            typed[last],
            typed[last - 1]
        );
        let output = Command::new("bash").args(["--norc", "-c", &lines]).output().unwrap();
        let offered = String::from_utf8(output.stdout).unwrap();
        assert!(offered.split_whitespace().any(|word| word == expected), "{words}: {offered}");
    }
}

fn source(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_debian_package_holds_what_its_recipe_writes() {
    let (manifest, recipe) = (source("Cargo.toml"), source("scripts/package/deb"));
    let assets = manifest.lines().filter_map(|line| line.trim().strip_prefix("[\"target/package/"));
    let assets: Vec<&str> = assets.map(|asset| asset.split('"').next().unwrap()).collect();
    assert_eq!(assets.len(), 4);
    for asset in assets {
        assert!(recipe.contains(&format!(" >target/package/{asset}\n")), "{asset}");
    }
}

#[test]
fn the_mended_crate_has_the_version_that_the_mend_is_for() {
    let patch = source("scripts/package/tokio-uring-musl.patch");
    let (version, _) = patch.strip_prefix("tokio-uring ").unwrap().split_once(' ').unwrap();
    let locked = format!("name = \"tokio-uring\"\nversion = \"{version}\"\n");
    assert!(source("Cargo.lock").contains(&locked), "drop the patch, or make a new one: {patch}");
}

#[test]
fn the_recipes_are_scripts_that_bash_can_read() {
    for recipe in ["musl", "deb"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/package").join(recipe);
        let output = tool("bash", &["-n"], &file).expect("bash");
        assert!(output.status.success(), "{recipe}: {output:?}");
    }
}

/// What is not sent to the image's build does not exist there.
#[test]
fn the_image_is_built_from_all_that_cargo_needs() {
    let sent = source("scripts/package/Dockerfile.dockerignore");
    let sent: Vec<&str> = sent.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let manifest = source("Cargo.toml");
    let paths = manifest.lines().filter_map(|line| line.strip_prefix("path = \""));
    let tops = paths.map(|path| path.split(['/', '"']).next().unwrap());
    for top in tops.chain(["Cargo.toml", "Cargo.lock", "README.md", "scripts"]) {
        let there = sent.iter().any(|path| path.split('/').next() == Some(top));
        assert!(there, "{top} is missing among {sent:?}");
    }
}
