//! `update-ccache-symlinks` (of ccache 4.8 in Debian): a link to ccache for each compiler.

use std::collections::BTreeSet;

use bstr::{BString, ByteSlice};
use shell::files::{EXECUTE, Last};
use shell::process::{Run, errno};
use shell::{Process, Stop};

use crate::outside::Outside;
use crate::programs::place::{self, Place};

const LINKS: &str = "/usr/lib/ccache";
const PROGRAMS: &str = "/usr/bin";
/// Where GCC has a directory for each machine that it compiles for, and there one for each version.
const GCC: [&str; 3] = ["/usr/lib/gcc", "/usr/lib/gcc-cross", "/usr/lib/x86_64-linux-gnu/gcc"];
/// Names that need no directory of GCC's.
const PLAIN: [&str; 9] =
    ["cc", "c++", "gcc", "g++", "c89-gcc", "c89-g++", "c99-gcc", "c99-g++", "nvcc"];

pub(super) fn update_ccache_symlinks(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let mut old = BTreeSet::new();
    for name in visible(process, LINKS)? {
        if let Place::Link(_) = place::place(process, &place::within(LINKS.as_bytes(), &name))? {
            old.insert(name);
        }
    }
    let new = compilers(process)?;
    for name in &old {
        if !place::exists(process, &place::within(PROGRAMS.as_bytes(), name))? {
            // What cannot be done is passed over, here and below.
            let _ = errno(place::remove(process, &place::within(LINKS.as_bytes(), name)))?;
        }
    }
    for name in new.difference(&old) {
        let link = place::within(LINKS.as_bytes(), name);
        let _ = errno(place::make_link(process, &link, b"../../bin/ccache"))?;
    }
    Ok(0)
}

/// The compilers that are there.
fn compilers(process: &Process<'_, '_>) -> Result<BTreeSet<BString>, Stop> {
    let mut names: BTreeSet<BString> = PLAIN.iter().map(|name| BString::from(*name)).collect();
    for directory in GCC {
        for machine in visible(process, directory)? {
            names.extend(gcc(&[&machine, "-".as_bytes()].concat(), b""));
            let versions = place::within(directory.as_bytes(), &machine);
            for version in visible(process, &versions)? {
                if place::place(process, &place::within(&versions, &version))? == Place::Directory {
                    let suffix = [b"-", &version[..]].concat();
                    names.extend(gcc(b"", &suffix));
                    names.extend(gcc(&[&machine, "-".as_bytes()].concat(), &suffix));
                }
            }
        }
    }
    names.extend(visible(process, PROGRAMS)?.into_iter().filter(|name| is_clang(name)));
    let mut found = BTreeSet::new();
    for name in names {
        let path = place::within(PROGRAMS.as_bytes(), &name);
        let is_program = errno(process.find(&path, Last::Followed))?
            .is_ok_and(|(_, stat)| process.machine.files.may(&stat, EXECUTE));
        if is_program {
            found.insert(name);
        }
    }
    Ok(found)
}

fn gcc(prefix: &[u8], suffix: &[u8]) -> [BString; 2] {
    [b"gcc", b"g++"].map(|name| [prefix, name, suffix].concat().into())
}

/// Whether a name is `clang` or `clang++`, by itself, behind `llvm-`, or with a version.
fn is_clang(name: &[u8]) -> bool {
    let name = name.strip_prefix(b"llvm-").unwrap_or(name);
    let Some(rest) = name.strip_prefix(b"clang") else { return false };
    let rest = rest.strip_prefix(b"++").unwrap_or(rest);
    let is_version = |version: &[u8]| {
        !version.is_empty() && version.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
    };
    rest.is_empty() || rest.strip_prefix(b"-").is_some_and(is_version)
}

/// The names in a directory that a shell's `*` stands for.
fn visible(process: &Process<'_, '_>, directory: impl AsRef<[u8]>) -> Result<Vec<BString>, Stop> {
    let mut names = place::names(process, directory.as_ref())?;
    names.retain(|name| !name.starts_with_str("."));
    Ok(names)
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;

    #[test]
    fn links_are_there_for_the_compilers_that_are() {
        let mut image = Image::new();
        for directory in ["usr/lib/ccache", "usr/lib/gcc", "usr/lib/gcc/m", "usr/lib/gcc/m/12"] {
            image.directory(directory, 0o755);
        }
        image.link("usr/lib/gcc/m/10", "12");
        image.link("usr/lib/ccache/gone", "../../bin/ccache");
        image.link("usr/lib/ccache/cc", "../../bin/ccache");
        image.file("usr/lib/ccache/kept", "no link", 0o644);
        for name in ["cc", "m-gcc-12", "g++-12", "gcc-10", "gcc-8", "clang++-14", "llvm-clang"] {
            image.file(&format!("usr/bin/{name}"), "", 0o755);
        }
        image.file("usr/bin/clang-format", "", 0o755);
        image.file("usr/bin/c++", "", 0o644);
        let came = image.sh("update-ccache-symlinks");
        insta::assert_snapshot!(came.trim(), @r"
        + /usr/lib/ccache/clang++-14 -> ../../bin/ccache
        + /usr/lib/ccache/g++-12 -> ../../bin/ccache
        - /usr/lib/ccache/gone
        + /usr/lib/ccache/llvm-clang -> ../../bin/ccache
        + /usr/lib/ccache/m-gcc-12 -> ../../bin/ccache
        ");
    }
}
