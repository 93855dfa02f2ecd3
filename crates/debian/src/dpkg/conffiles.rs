//! Configuration files: which a package has, and what becomes of them when it is configured (Debian
//! Policy 10.7.3; dpkg(1), "--force-conf…").

use std::collections::HashMap;
use std::fmt::Write as _;

use bstr::{BStr, BString, ByteSlice};
use layer::Attributes;
use md5::{Digest as _, Md5};
use oci::{Digest, ImagePath};
use shell::files::{Kind, Last, NewNode};

use super::session::{Done, Failure, Session};
use super::settings::Force;
use super::status::{Package, PackageId, State};

/// What dpkg notes in the place of a hash for a file that was not there before.
pub(super) const NEW: &str = "newconffile";
/// The same for a path that leads nowhere.
pub(super) const NO_FILE: &str = "-";
/// So many links are followed.
const MOST_LINKS: usize = 25;

/// A configuration file, as `Conffiles` in `status` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conffile {
    pub(super) path: BString,
    pub(super) hash: String,
    pub(super) is_obsolete: bool,
    pub(super) is_removed_on_upgrade: bool,
}

/// Hashes of files whose bytes nobody has asked for: packages tell them.
#[derive(Default)]
pub(super) struct KnownHashes(pub(super) HashMap<Digest, [u8; 16]>);

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// What is there stays, and the new one goes.
    Keep,
    /// What is there stays, and the new one is left beside it.
    KeepBeside,
    /// The new one comes.
    Install,
    /// The new one comes, and what was there is left beside it.
    InstallBeside,
    /// The new one comes, where nothing was.
    InstallNew,
}

/// How the file that is there came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// No package had it.
    Own,
    /// A package had it, and it was changed or not.
    Package { is_edited: bool, is_updated: bool },
}

/// The configuration files that a package has.
pub(super) fn conffiles(package: &Package) -> Vec<Conffile> {
    let Some(value) = package.stanza.get("Conffiles") else { return Vec::new() };
    value.lines().filter_map(parse).collect()
}

fn parse(line: &[u8]) -> Option<Conffile> {
    let mut rest = line.trim().as_bstr();
    let mut take = |word: &str| match rest.strip_suffix(format!(" {word}").as_bytes()) {
        Some(before) => {
            rest = before.as_bstr();
            true
        }
        None => false,
    };
    let is_removed_on_upgrade = take("remove-on-upgrade");
    let is_obsolete = take("obsolete");
    let at = rest.rfind_byte(b' ')?;
    let (path, hash) = (BString::from(&rest[..at]), rest[at + 1..].to_str_lossy().into());
    Some(Conffile { path, hash, is_obsolete, is_removed_on_upgrade })
}

/// Notes the configuration files that a package has.
pub(super) fn set_conffiles(package: &mut Package, conffiles: &[Conffile]) {
    if conffiles.is_empty() {
        package.stanza.remove("Conffiles");
        return;
    }
    let mut value = BString::default();
    for one in conffiles {
        value.extend_from_slice(b"\n ");
        value.extend_from_slice(&one.path);
        let mut words = format!(" {}", one.hash);
        if one.is_obsolete {
            words.push_str(" obsolete");
        }
        if one.is_removed_on_upgrade {
            words.push_str(" remove-on-upgrade");
        }
        value.extend_from_slice(words.as_bytes());
    }
    package.stanza.set("Conffiles", value);
}

impl Session<'_, '_, '_> {
    /// Where a configuration file is, all links followed; `None` if that is no place for one.
    pub(super) fn conffile_place(&mut self, id: &PackageId, path: &BStr) -> Done<Option<BString>> {
        let name = self.shown(id);
        let mut at = BString::from(path);
        for _ in 0..MOST_LINKS {
            let target = match self.lstat(&at)?.map(|(_, stat)| stat.kind) {
                None | Some(Kind::File(_)) => return Ok(Some(at)),
                Some(Kind::Symlink(target)) => target,
                Some(_) => {
                    let line = "is not a plain file or symlink";
                    self.warn(format!("{name}: conffile '{path}' {line} (= '{at}')"))?;
                    return Ok(None);
                }
            };
            at = match (target.starts_with(b"/"), at.rfind_byte(b'/')) {
                (true, _) | (_, None) => target.into(),
                (false, Some(end)) => [&at[..=end], &target[..]].concat().into(),
            };
        }
        self.warn(format!("{name}: config file '{path}' is a circular link\n (= '{at}')"))?;
        Ok(None)
    }

    /// The MD5 of a file, links followed; `None` if there is none.
    pub(super) fn md5(&mut self, path: &[u8]) -> Done<Option<String>> {
        let Some(data) = self.stat(path)?.and_then(|stat| stat.data().cloned()) else {
            return Ok(None);
        };
        let digest = data.content().digest;
        if let Some(known) = self.process.machine.memory::<KnownHashes>().0.get(&digest) {
            return Ok(Some(hex::encode(known)));
        }
        let bytes = self.process.bytes(&data)?;
        Ok(Some(hex::encode(Md5::digest(&bytes))))
    }

    /// Puts a package's configuration files into place.
    pub(super) fn configure_conffiles(&mut self, id: &PackageId) -> Done {
        for at in 0..conffiles(self.package(id)?).len() {
            let one = conffiles(self.package(id)?).swap_remove(at);
            if one.is_obsolete || one.is_removed_on_upgrade {
                continue;
            }
            if let Some(hash) = self.configure_conffile(id, &one)? {
                let package = self.package_mut(id)?;
                let mut all = conffiles(package);
                all[at].hash = hash;
                set_conffiles(package, &all);
                self.note(id)?;
            }
        }
        Ok(())
    }

    /// Puts one into place, and gives the hash to note.
    fn configure_conffile(&mut self, id: &PackageId, one: &Conffile) -> Done<Option<String>> {
        let path = BString::from(self.diversions.place(one.path.as_bstr(), &id.name));
        let Some(place) = self.conffile_place(id, path.as_bstr())? else {
            return Ok(Some(NO_FILE.to_owned()));
        };
        let current = self.md5(&place)?;
        let new = with_ending(&place, ".dpkg-new");
        let Some((new_path, new_stat)) = self.lstat(&new)? else {
            return self.hash_of_instance(id, &one.path);
        };
        let hash = self.md5(&new)?.unwrap_or_default();
        if let Some(old) = self.stat(&place)? {
            let Attributes { uid, gid, mode, .. } = old.attributes;
            let attributes = Attributes { uid, gid, mode, ..new_stat.attributes };
            self.files().set_attributes(&new_path, attributes)?;
        }
        let choice = self.choose(one, (&path, &place), current.as_deref(), &hash)?;
        self.carry_out(choice, id, path.as_bstr(), &place, current.is_some())?;
        Ok(Some(hash))
    }

    /// The hash that another architecture of the package has noted, which was configured before.
    fn hash_of_instance(&self, id: &PackageId, path: &BString) -> Done<Option<String>> {
        for other in self.instances(&id.name).iter().filter(|other| *other != id) {
            let package = self.package(other)?;
            if package.state > State::HalfConfigured
                && let Some(found) = conffiles(package)
                    .into_iter()
                    .find(|one| one.path == *path && !one.is_obsolete && !one.is_removed_on_upgrade)
            {
                return Ok(Some(found.hash));
            }
        }
        Ok(None)
    }

    fn choose(
        &mut self,
        one: &Conffile,
        paths: (&BString, &BString),
        current: Option<&str>,
        new: &str,
    ) -> Done<Choice> {
        if current == Some(new) {
            return Ok(Choice::Keep);
        }
        if current.is_none() && self.is_forced(Force::ConffileMissing) {
            self.complain(format!(
                "\nConfiguration file '{}', does not exist on system.\n\
                Installing new config file as you requested.\n",
                paths.0
            ))?;
            return Ok(Choice::InstallNew);
        }
        if one.hash == NEW {
            return match current {
                None => Ok(Choice::InstallNew),
                Some(_) => self.ask(paths, Origin::Own, current),
            };
        }
        let (is_edited, is_updated) = (current != Some(&one.hash[..]), one.hash != new);
        let origin = Origin::Package { is_edited, is_updated };
        match (is_edited, is_updated) {
            (true, _) if self.is_forced(Force::ConffileAsk) => self.ask(paths, origin, current),
            (true, true) => self.ask(paths, origin, current),
            (false, true) => Ok(Choice::Install),
            (_, false) => Ok(Choice::Keep),
        }
    }

    /// What dpkg asks, and is answered by what is forced. Without that it reads the standard input,
    /// whose end is an error.
    fn ask(
        &mut self,
        (path, place): (&BString, &BString),
        origin: Origin,
        current: Option<&str>,
    ) -> Done<Choice> {
        let mut said = match path == place {
            true => format!("\nConfiguration file '{path}'\n"),
            false => format!("\nConfiguration file '{path}' (actually '{place}')\n"),
        };
        said.push_str(&origin.words(current.is_some()));
        let is_default = self.is_forced(Force::ConffileDefault);
        let (choice, words) = if is_default {
            (Choice::KeepBeside, " ==> Keeping old config file as default.\n")
        } else if self.is_forced(Force::ConffileNew) {
            (Choice::InstallBeside, " ==> Using new file as you requested.\n")
        } else if self.is_forced(Force::ConffileOld) {
            (Choice::KeepBeside, " ==> Using current old file as you requested.\n")
        } else {
            said.push_str(QUESTION);
            let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().as_bstr();
            let _ = write!(said, "*** {name} (Y/I/N/O/D/Z) [default=N] ? ");
            self.complain(said)?;
            return self.answer();
        };
        said.push_str(words);
        self.complain(said)?;
        Ok(choice)
    }

    fn answer(&mut self) -> Done<Choice> {
        let Some(line) = self.process.read_line()? else {
            return Err(Failure::Error("end of file on stdin at conffile prompt".to_owned()));
        };
        match line.trim().first().map(u8::to_ascii_lowercase) {
            None | Some(b'n' | b'o') => Ok(Choice::KeepBeside),
            Some(b'y' | b'i') => Ok(Choice::InstallBeside),
            Some(_) => {
                let why = "is answered otherwise than by yes or no".to_owned();
                Err(self.process.refuse(shell::Reason::Use(why)).into())
            }
        }
    }

    fn carry_out(
        &mut self,
        choice: Choice,
        id: &PackageId,
        path: &BStr,
        place: &BString,
        is_there: bool,
    ) -> Done {
        let new = with_ending(place, ".dpkg-new");
        match choice {
            Choice::Keep => self.unlink(&new),
            Choice::KeepBeside => {
                self.unlink(&with_ending(place, ".dpkg-old"))?;
                self.activate_path(path, Some(id))?;
                self.rename(&new, &with_ending(place, ".dpkg-dist"))
            }
            Choice::InstallBeside | Choice::Install => {
                if choice == Choice::InstallBeside {
                    self.unlink(&with_ending(place, ".dpkg-dist"))?;
                    let old = with_ending(place, ".dpkg-old");
                    self.unlink(&old)?;
                    if is_there {
                        self.link_beside(place, &old)?;
                    }
                }
                self.say(format!("Installing new version of config file {path} ...\n"))?;
                self.activate_path(path, Some(id))?;
                self.rename(&new, place)
            }
            Choice::InstallNew => {
                self.activate_path(path, Some(id))?;
                self.rename(&new, place)
            }
        }
    }

    pub(super) fn rename(&mut self, from: &BString, to: &BString) -> Done {
        let (Some((from, _)), Some(to)) = (self.lstat(from)?, self.locate(to, Last::Kept)?) else {
            return Ok(());
        };
        Ok(self.files().rename(&from, &to.path)?)
    }

    fn link_beside(&mut self, place: &BString, other: &BString) -> Done {
        let Some((_, stat)) = self.lstat(place)? else { return Ok(()) };
        let Some(located) = self.locate(other, Last::Kept)? else { return Ok(()) };
        if let Some(data) = stat.data().cloned() {
            let path: &ImagePath = &located.path;
            self.files().put_whole(path, stat.attributes, NewNode::File(data))?;
        }
        Ok(())
    }
}

const QUESTION: &str = "   What would you like to do about it ?  Your options are:\n    \
    Y or I  : install the package maintainer's version\n    \
    N or O  : keep your currently-installed version\n      \
    D     : show the differences between the versions\n      \
    Z     : start a shell to examine the situation\n \
    The default action is to keep your current version.\n";

impl Origin {
    fn words(self, is_there: bool) -> String {
        let (is_edited, is_updated) = match self {
            Origin::Own => {
                return " ==> File on system created by you or by a script.\n \
                    ==> File also in package provided by package maintainer.\n"
                    .to_owned();
            }
            Origin::Package { is_edited, is_updated } => (is_edited, is_updated),
        };
        let first = match (is_edited, is_there) {
            (false, _) => "     Not modified since installation.\n",
            (true, true) => " ==> Modified (by you or by a script) since installation.\n",
            (true, false) => " ==> Deleted (by you or by a script) since installation.\n",
        };
        let second = match is_updated {
            true => " ==> Package distributor has shipped an updated version.\n",
            false => "     Version in package is the same as at last installation.\n",
        };
        format!("{first}{second}")
    }
}

/// A path with something behind its name.
pub(super) fn with_ending(path: &[u8], ending: &str) -> BString {
    [path, ending.as_bytes()].concat().into()
}
