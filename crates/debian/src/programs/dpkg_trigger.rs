//! `dpkg-trigger` (dpkg-trigger(1)): activates a trigger from a script.
//!
//! What it says is taken over by the dpkg that runs the script, or by the next one.

use bstr::{BStr, BString, ByteSlice};
use layer::Attributes;
use shell::files::{Last, NewNode};
use shell::options::{Options, Order, Takes, long, value};
use shell::process::{Run, errno};
use shell::{Data, Process, Reason};

use crate::dpkg::{Database, illegal_trigger, paths};
use crate::outside::Outside;

/// For a trigger that nobody waits for.
const NOBODY: &str = "-";

pub(super) fn dpkg_trigger(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let known = [
        long("--await", &["await"], Takes::Nothing),
        long("--no-await", &["no-await"], Takes::Nothing),
        long("--no-act", &["no-act"], Takes::Nothing),
        long("--check-supported", &["check-supported"], Takes::Nothing),
        value("--by-package", 'f', &["by-package"]),
    ];
    let options = Options::of(process, &known, Order::First)?;
    if options.has("--check-supported") {
        return Ok(u8::from(errno(process.find(paths::UNINCORPORATED, Last::Followed))?.is_err()));
    }
    let [trigger] = &options.operands[..] else {
        return fail(process, "takes one argument, the trigger name");
    };
    let awaiter = match options.last_of(&["--await", "--no-await"]) {
        Some("--no-await") => Some(NOBODY.to_owned()),
        _ => awaiter(process, options.value("--by-package"))?,
    };
    let Some(awaiter) = awaiter else {
        let error = "must be called from a maintainer script (or with a --by-package option)";
        return fail(process, error);
    };
    if let Some(problem) = illegal_trigger(trigger.as_bstr()) {
        return fail(process, &format!("invalid trigger name '{trigger}': {problem}"));
    }
    if options.has("--no-act") {
        return Ok(0);
    }
    let bytes = errno(process.open_bytes(paths::UNINCORPORATED))?.ok();
    let text = with(bytes.as_deref().unwrap_or_default(), trigger.as_bstr(), &awaiter);
    let Ok(located) = errno(process.locate(paths::UNINCORPORATED, Last::Kept))? else {
        // Without the directory there is nobody to be triggered.
        return Ok(0);
    };
    let files = &mut process.machine.files;
    let attributes = Attributes::root(0o644, files.clock());
    let node = NewNode::File(Data::of(text));
    match errno(files.put_whole(&located.path, attributes, node))? {
        Ok(()) => Ok(0),
        Err(errno) => {
            let why = format!("cannot write what is triggered: {errno}");
            Err(process.refuse(Reason::Use(why)))
        }
    }
}

fn fail(process: &mut Process<'_, '_>, error: &str) -> Run {
    let lines = format!(
        "dpkg-trigger: error: {error}\n\n\
        Type dpkg-trigger --help for help about this utility.\n"
    );
    process.write_to(2, lines.as_bytes())?;
    Ok(2)
}

/// The package that waits: the one that is named, or the one whose script runs.
fn awaiter(
    process: &mut Process<'_, '_>,
    named: Option<&BStr>,
) -> Result<Option<String>, shell::Stop> {
    let named = named.map(|name| name.to_string());
    let variable = |process: &Process<'_, '_>, name: &str| {
        process.environment.get(&BString::from(name)).map(ToString::to_string)
    };
    if let Some(name) = named {
        return Ok(Some(name));
    }
    let (name, architecture) =
        (variable(process, "DPKG_MAINTSCRIPT_PACKAGE"), variable(process, "DPKG_MAINTSCRIPT_ARCH"));
    let (Some(name), Some(architecture)) = (name, architecture) else { return Ok(None) };
    let database = Database::read(process)?;
    let full = format!("{name}:{architecture}");
    let found = database.find(&full).or_else(|| database.find(&name));
    let package = found.and_then(|id| database.status.get(id));
    let is_same = package.is_some_and(|one| crate::dpkg::format::is_multi_arch_same(&one.stanza));
    Ok(Some(if is_same { full } else { name }))
}

/// The text of `Unincorp` with one more that waits for a trigger.
fn with(text: &[u8], trigger: &BStr, awaiter: &str) -> Vec<u8> {
    let mut written = Vec::new();
    let mut is_done = false;
    for line in text.lines() {
        let mut words: Vec<&[u8]> = line.fields().collect();
        if words.first() == Some(&trigger.as_bytes()) && !is_done {
            words.retain(|word| *word != awaiter.as_bytes());
            words.insert(1, awaiter.as_bytes());
            is_done = true;
        }
        written.extend_from_slice(&bstr::join(" ", words));
        written.push(b'\n');
    }
    if !is_done {
        written.extend_from_slice(trigger);
        written.extend_from_slice(format!(" {awaiter}\n").as_bytes());
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Image;

    #[test]
    fn packages_that_wait_are_noted_with_their_trigger() {
        let table = [
            ("", "ldconfig", "-", "ldconfig -\n"),
            ("ldconfig -\n", "ldconfig", "-", "ldconfig -\n"),
            ("ldconfig a\nother b\n", "ldconfig", "c", "ldconfig c a\nother b\n"),
            ("other b\n", "/usr/lib", "c", "other b\n/usr/lib c\n"),
        ];
        for (text, trigger, awaiter, expected) in table {
            let written = with(text.as_bytes(), trigger.into(), awaiter);
            assert_eq!(written.as_bstr(), expected, "{text}");
        }
    }

    #[test]
    fn it_wants_to_know_whose_script_it_is() {
        let image = Image::new();
        insta::assert_snapshot!(image.sh("dpkg-trigger ldconfig"), @r"
        !dpkg-trigger: error: must be called from a maintainer script (or with a --by-package option)
        !
        !Type dpkg-trigger --help for help about this utility.
        status 2
        ");
        insta::assert_snapshot!(
            image.sh("dpkg-trigger --no-await ldconfig && dpkg-trigger --by-package=a ldconfig"),
            @r#"+ /var/lib/dpkg/triggers/Unincorp 644 "ldconfig a -\n""#
        );
        insta::assert_snapshot!(image.sh("dpkg-trigger --root=/x a"), @"refused: `dpkg-trigger` has the option `--root`, which is not built in");
    }
}
