//! Programs for maintainer scripts in an image that has none: they are seen while packages are
//! configured, and are none of the image's files.

use std::collections::BTreeSet;
use std::sync::Arc;

use bstr::BString;
use layer::{Attributes, Content};
use oci::{Digest, ImagePath};
use shell::files::FileResult;
use shell::{Data, Origin, Process, Stored};

use crate::deb::{Deb, MemberNode};

/// Where they are seen; all other directories of programs are links to it or in `PATH`, too.
const PLACE: &str = "usr/bin";
/// By what name scripts ask for the shell, and which one that is in Debian.
const SHELL: (&str, &str) = ("sh", "dash");

/// Programs that are links of alternatives, by what they lead to: the link is the image's own.
const ALTERNATIVES: [(&str, &[&str]); 2] =
    [("awk", &["mawk", "gawk", "original-awk"]), ("which", &["which.debianutils", "which.gnu"])];

/// Lends every program that is built in and that none of the packages brings.
pub(super) fn lend(process: &mut Process<'_, '_>, debs: &[Arc<Deb>]) -> FileResult<()> {
    let mut brought = brought(debs);
    for (link, targets) in ALTERNATIVES {
        if targets.iter().any(|target| brought.contains(target.as_bytes())) {
            brought.insert(link.into());
        }
    }
    let own = shell::programs::names().chain(crate::programs::names());
    let names: BTreeSet<&str> = own.collect();
    let files = &mut process.machine.files;
    let attributes = Attributes::root(0o755, files.clock());
    for name in names.into_iter().filter(|name| !brought.contains(name.as_bytes())) {
        let place = ImagePath::lexical(PLACE).join(name);
        match name == SHELL.0 {
            true => files.mount_link(&place, SHELL.1.as_bytes())?,
            false => files.mount_file(&place, program(), attributes.clone())?,
        };
    }
    Ok(())
}

/// A file that stands for a program of the system's: one with no bytes, of no package there is.
fn program() -> Data {
    let content = Content::of(b"");
    let package = Digest::of(b"");
    let origin = Arc::new(Origin::Package { package, path: ImagePath::root() });
    Data::Stored(Stored { content, origin })
}

/// The names of programs that packages bring, in whichever of the directories.
fn brought(debs: &[Arc<Deb>]) -> BTreeSet<Vec<u8>> {
    let members = debs.iter().flat_map(|deb| &deb.members);
    let files = members.filter(|member| !matches!(member.node, MemberNode::Directory));
    let programs = files.filter_map(|member| program_name(&member.name));
    programs.collect()
}

fn program_name(path: &BString) -> Option<Vec<u8>> {
    const DIRECTORIES: [&[u8]; 4] = [b"bin", b"sbin", b"usr/bin", b"usr/sbin"];
    let at = path.iter().rposition(|byte| *byte == b'/')?;
    DIRECTORIES.contains(&&path[..at]).then(|| path[at + 1..].to_vec())
}
