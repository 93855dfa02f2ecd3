//! `mktemp` (coreutils manual, "mktemp invocation"). The names look like chance and are not.

use bstr::{BString, ByteSlice};

use super::destination::inside;
use super::report::{attempt, fail, usage};
use crate::data::Data;
use crate::files::{Errno, Last, Located, NewNode};
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::cited;

const OPTIONS: &[Known] = &[
    flag("-d", 'd', &["directory"]),
    value("-p", 'p', &[]),
    flag("-q", 'q', &["quiet"]),
    long("--suffix", &["suffix"], Takes::Value),
    flag("-t", 't', &[]),
    long("--tmpdir", &["tmpdir"], Takes::MaybeValue),
    flag("-u", 'u', &["dry-run"]),
];
const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const ATTEMPTS: usize = 100;

/// A name with a place in it for random letters.
struct Template {
    before: BString,
    letters: usize,
    after: BString,
}

/// Makes a file or directory with a new name.
pub(super) fn mktemp(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, OPTIONS, Order::Anywhere)?;
    if options.operands.len() > 1 {
        return usage(process, "too many templates");
    }
    let template = match template(process, &options) {
        Ok(template) => template,
        Err(message) => return fail(process, message),
    };
    let is_directory = options.has("-d");
    for _ in 0..ATTEMPTS {
        let name = template.filled(|| process.machine.random());
        let located = process.locate(&name, Last::Kept);
        let made = match errno(located)? {
            Ok(Located { stat: Some(_), .. }) => continue,
            Ok(_) if options.has("-u") => Ok(()),
            Ok(Located { path, .. }) => {
                let (node, mode) = match is_directory {
                    true => (NewNode::Directory, 0o700),
                    false => (NewNode::File(Data::empty()), 0o600),
                };
                process.machine.files.make(&path, node, mode & !process.umask)
            }
            Err(_) if options.has("-u") => Ok(()),
            Err(error) => Err(error.into()),
        };
        if options.has("-q") {
            if errno(made)?.is_err() {
                return Ok(1);
            }
        } else {
            let kind = if is_directory { "directory" } else { "file" };
            let what = || format!("failed to create {kind} via template {}", template.cited());
            if attempt(process, made, what)?.is_none() {
                return Ok(1);
            }
        }
        process.write([&name[..], b"\n"].concat())?;
        return Ok(0);
    }
    fail(
        process,
        format!("failed to create file via template {}: {}", template.cited(), Errno::Exists),
    )
}

fn template(process: &Process<'_, '_>, options: &Options) -> Result<Template, String> {
    let given = options.operands.first();
    let text = given.cloned().unwrap_or_else(|| BString::from("tmp.XXXXXXXXXX"));
    let shown = cited(&text);
    let end = match options.value("--suffix") {
        Some(_) if !text.ends_with(b"X") => {
            return Err(format!("with --suffix, template {shown} must end in X"));
        }
        Some(_) => text.len(),
        None => text.rfind_byte(b'X').map_or(0, |at| at + 1),
    };
    let start = text[..end].iter().rposition(|byte| *byte != b'X').map_or(0, |at| at + 1);
    let mut after = BString::from(&text[end..]);
    after.extend_from_slice(options.value("--suffix").unwrap_or_default());
    if after.contains(&b'/') {
        return Err(format!("invalid suffix {}, contains directory separator", cited(&after)));
    }
    if end - start < 3 {
        return Err(format!("too few X's in template {shown}"));
    }
    let before = BString::from(&text[..start]);
    let directory = directory(process, options, given.is_none());
    let before = match directory {
        None => before,
        Some(_) if options.has("-t") && text.contains(&b'/') => {
            return Err(format!("invalid template, {shown}, contains directory separator"));
        }
        Some(_) if text.starts_with(b"/") => {
            let but = "with --tmpdir, it may not be absolute";
            return Err(format!("invalid template, {shown}; {but}"));
        }
        Some(directory) => match before.is_empty() {
            true => inside(&directory, b""),
            false => inside(&directory, &before),
        },
    };
    Ok(Template { before, letters: end - start, after })
}

/// Where the new file is put, if the template does not say.
fn directory(process: &Process<'_, '_>, options: &Options, is_default: bool) -> Option<BString> {
    let wanted = options.last_of(&["-p", "--tmpdir"]);
    if wanted.is_none() && !options.has("-t") && !is_default {
        return None;
    }
    let given = wanted.and_then(|id| options.value(id)).filter(|given| !given.is_empty());
    let variable = process.environment.get(&BString::from("TMPDIR"));
    let variable = variable.filter(|directory| !directory.is_empty()).cloned();
    let fallback = || BString::from("/tmp");
    let given = given.map(|given| given.to_owned());
    Some(match options.has("-t") {
        // `-t` prefers the variable.
        true => variable.or(given).unwrap_or_else(fallback),
        false => given.or(variable).unwrap_or_else(fallback),
    })
}

impl Template {
    fn filled(&self, mut random: impl FnMut() -> u64) -> BString {
        let mut name = self.before.clone();
        for _ in 0..self.letters {
            let at = usize::try_from(random() % 62).unwrap_or_default();
            name.push(LETTERS[at]);
        }
        name.extend_from_slice(&self.after);
        name
    }

    fn cited(&self) -> String {
        cited(&[&self.before[..], &vec![b'X'; self.letters], &self.after].concat())
    }
}
