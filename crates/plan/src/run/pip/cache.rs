//! `pip cache`. There is none: nothing of what is installed here goes through one.

use shell::Process;
use shell::files::FileError;

use super::configuration::{home, variable};
use super::gather::Ended;
use super::options::Options;
use super::{Said, misused};

/// What `pip cache` can be told to do.
const ACTIONS: [&str; 5] = ["dir", "info", "list", "purge", "remove"];

/// `pip cache`
pub(super) fn cache(process: &mut Process<'_, '_>, options: &Options) -> Result<u8, Ended> {
    if options.has("--no-cache-dir") {
        let message = "pip cache commands can not function since cache is disabled.";
        return Err(Said(process).error(message));
    }
    let Some((action, rest)) = options.operands.split_first() else {
        return Err(no_action(process));
    };
    if !ACTIONS.contains(&action.as_str()) {
        return Err(no_action(process));
    }
    let directory = directory(process, options);
    if action != "dir" {
        refuse_filled(process, &directory)?;
    }
    match (action.as_str(), rest) {
        ("dir", []) => process.write(format!("{directory}\n"))?,
        ("list", [] | [_]) => process.write("No locally built wheels cached.\n")?,
        ("purge", []) => {
            process.write_to(2, b"WARNING: No matching packages\n")?;
            process.write("Files removed: 0\n")?;
        }
        ("remove", [pattern]) => {
            let warning = match pattern.as_str() {
                "*" => "WARNING: No matching packages\n".to_owned(),
                _ => format!("WARNING: No matching packages for pattern \"{pattern}\"\n"),
            };
            process.write_to(2, warning.as_bytes())?;
            process.write("Files removed: 0\n")?;
        }
        ("remove", []) => return Err(Said(process).error("Please provide a pattern")),
        ("info", []) => {
            let reason = "describes the cache, which is not built in".to_owned();
            return Err(misused("pip cache", reason).into());
        }
        _ => return Err(Said(process).error("Too many arguments")),
    }
    Ok(0)
}

fn no_action(process: &mut Process<'_, '_>) -> Ended {
    let message = format!("Need an action ({}) to perform.", ACTIONS.join(", "));
    Said(process).error(&message)
}

/// Where the cache would be (XDG Base Directory Specification).
fn directory(process: &Process<'_, '_>, options: &Options) -> String {
    if let Some(directory) = options.value("--cache-dir") {
        return directory.to_owned();
    }
    let cache = variable(process, "XDG_CACHE_HOME").filter(|set| !set.is_empty());
    let cache = cache.unwrap_or_else(|| format!("{}/.cache", home(process)));
    format!("{cache}/pip")
}

/// A cache that the base brought has files that would count.
fn refuse_filled(process: &Process<'_, '_>, directory: &str) -> Result<(), Ended> {
    for part in ["http", "http-v2", "wheels"] {
        let path = format!("{directory}/{part}");
        match process.find(path.as_bytes(), shell::files::Last::Followed) {
            Ok(_) => {
                let reason = format!("has a cache in `{directory}`, which is not built in");
                return Err(misused("pip cache", reason).into());
            }
            Err(FileError::Errno(_)) => {}
            Err(FileError::Stop(stop)) => return Err(stop.into()),
        }
    }
    Ok(())
}
