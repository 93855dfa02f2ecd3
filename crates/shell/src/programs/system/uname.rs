//! `uname` and `arch` (GNU manual, "System context"), as far as they do not depend on the kernel.

use bstr::BString;

use crate::options::{Known, Options, Order, flag};
use crate::process::{Process, Run};
use crate::programs::Flavour;
use crate::stop::{Reason, Stop};

const KNOWN: &[Known] = &[
    flag("-i", 'i', &["hardware-platform"]),
    flag("-m", 'm', &["machine"]),
    flag("-o", 'o', &["operating-system"]),
    flag("-p", 'p', &["processor"]),
    flag("-r", 'r', &["kernel-release"]),
    flag("-s", 's', &["kernel-name"]),
];

/// Scripts of packages are known by this variable of dpkg's (dpkg(1), "ENVIRONMENT").
const SCRIPT_OF: &str = "DPKG_MAINTSCRIPT_PACKAGE";
/// What they are told of the kernel. They ask whether it is too old, and which one will run the
/// image nobody knows: it is that of Debian 12.
const KERNEL: &str = "6.1.0";

pub(super) fn uname(process: &mut Process<'_, '_>) -> Run {
    let known = if process.flavour == Flavour::BusyBox { &KNOWN[1..2] } else { KNOWN };
    let options = Options::of(process, known, Order::Anywhere)?;
    if let Some(extra) = options.operands.first() {
        return Err(process.refuse(Reason::Use(format!("is given {extra}"))));
    }
    let mut shown = Vec::new();
    if options.has("-s") || options.given.is_empty() {
        shown.push("Linux");
    }
    if options.has("-r") {
        if !process.environment.contains_key(&BString::from(SCRIPT_OF)) {
            return Err(process.refuse(Reason::Option("-r".to_owned())));
        }
        shown.push(KERNEL);
    }
    if options.has("-m") {
        shown.push(machine(process)?);
    }
    // Neither is known to GNU's on Linux.
    let unknown = ["-p", "-i"].into_iter().filter(|id| options.has(id));
    shown.extend(unknown.map(|_| "unknown"));
    if options.has("-o") {
        shown.push("GNU/Linux");
    }
    process.write(shown.join(" ") + "\n")?;
    Ok(0)
}

pub(super) fn arch(process: &mut Process<'_, '_>) -> Run {
    Options::of(process, &[], Order::Anywhere)?;
    let machine = machine(process)?;
    process.write(format!("{machine}\n"))?;
    Ok(0)
}

/// What Linux calls the platform's processor. On 32-bit ones it is the machine's kernel that
/// decides.
fn machine(process: &Process<'_, '_>) -> Result<&'static str, Stop> {
    Ok(match process.machine.platform.architecture.as_str() {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "loong64" => "loongarch64",
        "ppc64le" => "ppc64le",
        "riscv64" => "riscv64",
        "s390x" => "s390x",
        other => {
            return Err(process.refuse(Reason::Machine(format!("the kernel of {other} names it"))));
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;

    #[test]
    fn the_platform_is_the_images() {
        for (line, expected) in [
            ("uname", "Linux"),
            ("uname -m", "x86_64"),
            ("uname -ms", "Linux x86_64"),
            ("uname -o -s -p -i", "Linux unknown unknown GNU/Linux"),
            ("arch", "x86_64"),
            ("uname -r", "refused: `uname` has the option `-r`, which is not built in"),
            ("uname -a", "refused: `uname` has the option `-a`, which is not built in"),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(Image::new().show(&words), expected, "{line}");
        }
    }
}
