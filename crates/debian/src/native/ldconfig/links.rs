//! Links from the names that programs ask for to the files of libraries.

use bstr::{BString, ByteSlice};
use shell::files::{FileError, Kind, Last, NewNode};
use shell::process::errno;
use shell::{Process, Stop};

use super::configuration::Directory;
use super::{LinkTask, Talk, Task, say};

/// Loaders, whose links Debian leaves as they are once they are there. (A missing comma in its
/// program joins those of RISC-V and x32, so that theirs are not left.)
const LOADERS: &[&str] = &[
    "ld-kfreebsd-x86-64.so.1",
    "ld-linux-aarch64.so.1",
    "ld-linux-aarch64_be.so.1",
    "ld-linux-armhf.so.3",
    "ld-linux-ia64.so.2",
    "ld-linux-mipsn8.so.1",
    "ld-linux-x86-64.so.2",
    "ld-linux.so.2",
    "ld-linux.so.3",
    "ld.so.1",
    "ld64.so.1",
    "ld64.so.2",
];

/// Makes the link `soname` to the file `name`, unless it leads there already.
pub(super) fn mend(
    process: &mut Process<'_, '_>,
    task: Task,
    directory: &Directory,
    name: &BString,
    soname: &BString,
) -> Result<(), Stop> {
    let Some(wanted) = wanted(process, task, directory, name, soname)? else { return Ok(()) };
    let mut line = format!("\t{soname} -> {name}");
    if wanted != Wanted::Nothing && task.links == LinkTask::Update {
        let made = make(process, directory, name, soname, wanted);
        line.push_str(match errno(made)? {
            Ok(()) => " (changed)",
            Err(_) => {
                let path = &directory.path;
                say(process, &format!("Can't link {path}/{soname} to {name}"))?;
                " (SKIPPED)"
            }
        });
    }
    match task.talk {
        Talk::Aloud => process.write(format!("{line}\n")),
        Talk::Quiet => Ok(()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Nothing,
    New,
    InPlace,
}

/// What is to be done about a link; `None` if the library itself is not there.
fn wanted(
    process: &mut Process<'_, '_>,
    task: Task,
    directory: &Directory,
    name: &BString,
    soname: &BString,
) -> Result<Option<Wanted>, Stop> {
    let path = |name: &BString| [b"/", directory.real.as_bytes(), b"/", name].concat();
    let link = errno(process.locate(&path(soname), Last::Kept))?;
    let link = link.ok().and_then(|located| located.stat);
    let is_link = link.is_some_and(|stat| matches!(stat.kind, Kind::Symlink(_)));
    let Ok((_, known)) = errno(process.find(&path(soname), Last::Followed))? else {
        return Ok(Some(if is_link { Wanted::InPlace } else { Wanted::New }));
    };
    let Ok((_, library)) = errno(process.find(&path(name), Last::Followed))? else {
        say(process, &format!("Can't stat {}/{name}\n", directory.path))?;
        return Ok(None);
    };
    let is_loader = LOADERS.iter().any(|loader| soname == loader);
    if is_loader && task.talk == Talk::Aloud {
        let path = &directory.path;
        say(process, &format!("{path}/{name} is the dynamic linker, ignoring"))?;
    }
    if library.identity == known.identity {
        return Ok(Some(Wanted::Nothing));
    }
    if !is_link {
        say(process, &format!("{}/{soname} is not a symbolic link\n", directory.path))?;
        return Ok(Some(Wanted::Nothing));
    }
    Ok(Some(if is_loader { Wanted::Nothing } else { Wanted::InPlace }))
}

fn make(
    process: &mut Process<'_, '_>,
    directory: &Directory,
    name: &BString,
    soname: &BString,
    wanted: Wanted,
) -> Result<(), FileError> {
    let path = directory.real.join(soname);
    let files = &mut process.machine.files;
    if wanted == Wanted::InPlace {
        files.remove(&path)?;
    }
    files.make(&path, NewNode::Symlink(name.as_bytes().to_vec()), 0o777)
}
