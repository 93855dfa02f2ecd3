//! The files of a package put into place. Whether that can be is found out for all of them before
//! anything changes.

use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use layer::Attributes;
use oci::ImagePath;
use shell::files::{Kind, Last, NewNode, Stat};
use shell::{Data, Origin, Stored};

use super::conffiles::{KnownHashes, conffiles, with_ending};
use super::dependencies::replaces;
use super::filters::MayHoldOthers;
use super::format::is_multi_arch_same;
use super::redirections::Accounts;
use super::session::{Done, Failure, Fate, Replacing, Session};
use super::settings::Force;
use super::status::{PackageId, State};
use super::unpack::Incoming;
use crate::deb::{Deb, Member, MemberNode};
use crate::outside::Installed;

/// What became of a package's files.
#[derive(Debug, Default)]
pub(super) struct Extraction {
    /// In the order of the list that is to be written.
    pub(super) files: Vec<NewFile>,
    backups: Vec<Backup>,
}

/// A file of a package.
#[derive(Debug, Clone)]
pub(super) struct NewFile {
    /// As the package calls it: `/usr/bin/x`.
    pub(super) name: BString,
    pub(super) step: Step,
    pub(super) is_conffile: bool,
    md5: Option<[u8; 16]>,
    /// Its position among the members, and where it is.
    placed: Option<(usize, ImagePath)>,
}

/// What is done with a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is there already: a directory, or a file of another architecture of the package.
    Keep,
    /// It is left out.
    LeaveOut,
    /// It is put into place.
    Extract,
}

/// What was at a place before.
#[derive(Debug)]
struct Backup {
    path: ImagePath,
    before: Before,
}

#[derive(Debug)]
enum Before {
    Nothing,
    Node(Box<Attributes>, NewNode),
    /// A directory, which was moved aside.
    Directory(ImagePath),
}

impl Extraction {
    /// The lines of the list.
    pub(super) fn names(&self) -> Vec<BString> {
        self.files.iter().map(|file| file.name.clone()).collect()
    }

    /// What is of no other package any more.
    pub(super) fn taken(&self) -> impl Iterator<Item = &BString> {
        let taken = self.files.iter().filter(|file| file.placed.is_some());
        taken.map(|file| &file.name)
    }

    /// The text of a package's `md5sums`, which brings none.
    pub(super) fn hashes(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for file in &self.files {
            if let Some(md5) = file.md5 {
                text.extend_from_slice(format!("{}  ", hex::encode(md5)).as_bytes());
                text.extend_from_slice(file.name.get(1..).unwrap_or_default());
                text.push(b'\n');
            }
        }
        text
    }
}

/// A member's name as dpkg writes it.
fn listed_name(member: &Member) -> BString {
    match member.name.is_empty() {
        true => "/.".into(),
        false => [b"/", &member.name[..]].concat().into(),
    }
}

/// Symbolic links come after all else.
fn in_order(deb: &Deb) -> impl Iterator<Item = (usize, &Member)> {
    let is_link = |member: &Member| matches!(member.node, MemberNode::Symlink(_));
    let all = || deb.members.iter().enumerate();
    let others = all().filter(move |(_, member)| !is_link(member));
    others.chain(all().filter(move |(_, member)| is_link(member)))
}

impl Session<'_, '_, '_> {
    /// Puts a package's files into place.
    pub(super) fn extract(&mut self, incoming: &mut Incoming<'_>) -> Done<Extraction> {
        let deb = incoming.deb;
        let mut planned = Vec::new();
        for (at, member) in in_order(deb) {
            if let Some(file) = self.plan(incoming, member)? {
                planned.push((at, file));
            }
        }
        let accounts = Accounts::read(self.process)?;
        let mut extraction = Extraction::default();
        for (at, file) in planned {
            extraction.files.push(file);
            let placed = self.place(incoming, at, &mut extraction, &accounts);
            if let Err(Failure::Error(error)) = placed {
                self.restore(&extraction)?;
                return Err(Failure::Error(error));
            }
            placed?;
        }
        Ok(extraction)
    }

    /// What is to become of a member; `None` if another package's file stays in its place.
    fn plan(&mut self, incoming: &Incoming<'_>, member: &Member) -> Done<Option<NewFile>> {
        let name = listed_name(member);
        if name.contains(&b'\n') {
            let error = format!("newline not allowed in archive object name '{name}'");
            return Err(Failure::Error(error));
        }
        let conffile = incoming.conffiles.iter().find(|one| one.path == name);
        if conffile.is_some_and(|one| one.is_removed_on_upgrade) {
            let error =
                format!("conffile '{name}' marked for removal on upgrade, shipped in package");
            return Err(Failure::Error(error));
        }
        let is_conffile = conffile.is_some();
        self.check_diverted(name.as_bstr())?;
        let place = BString::from(self.diversions.place(name.as_bstr(), &incoming.id.name));
        self.activate_file(place.as_bstr(), Some(&incoming.id))?;
        let there = self.lstat(&place)?.map(|(_, stat)| stat);
        let is_there = self.is_directory_there(member, &place, there.as_ref())?;
        let mut file = NewFile { name, step: Step::Extract, is_conffile, md5: None, placed: None };
        let mut is_shared = false;
        if !is_there {
            match self.contest(incoming, &file, member, there.as_ref())? {
                Contest::Given => return Ok(None),
                Contest::Shared => is_shared = true,
                Contest::Free => {}
            }
        }
        let may_hold_others = match member.node {
            MemberNode::Directory | MemberNode::Symlink(_) => MayHoldOthers::Yes,
            _ => MayHoldOthers::No,
        };
        file.md5 = md5_of(incoming.deb, member);
        if self.settings.filters.leave_out(&file.name, may_hold_others) {
            file.step = Step::LeaveOut;
            file.md5 = None;
        } else if is_there {
            file.step = Step::Keep;
        } else if is_shared && !self.is_forced(Force::Overwrite) {
            self.check_shared(incoming, &file, member, &place, there.as_ref())?;
            file.step = Step::Keep;
        }
        Ok(Some(file))
    }

    fn check_diverted(&mut self, name: &BStr) -> Done {
        let Some((from, package)) = self.diversions.diverted_to(name) else { return Ok(()) };
        let of = package.map(|package| format!(" (package: {package})")).unwrap_or_default();
        let error =
            format!("trying to overwrite '{name}', which is the diverted version of '{from}'{of}");
        self.forcible(Force::OverwriteDiverted, error)
    }

    /// Whether nothing is to be done since a directory is there: dpkg never makes a directory of a
    /// link to one, nor a link of a directory.
    fn is_directory_there(
        &self,
        member: &Member,
        place: &BString,
        there: Option<&Stat>,
    ) -> Done<bool> {
        match &member.node {
            MemberNode::Directory => Ok(self.stat(place)?.is_some_and(|stat| stat.is_directory())),
            MemberNode::Symlink(target) => match there.map(|stat| &stat.kind) {
                Some(Kind::Directory) => Ok(true),
                Some(Kind::Symlink(_)) => {
                    let wanted = match (target.starts_with(b"/"), place.rfind_byte(b'/')) {
                        (true, _) | (_, None) => target.clone(),
                        (false, Some(end)) => [&place[..=end], &target[..]].concat().into(),
                    };
                    let (one, other) = (self.stat(place)?, self.stat(&wanted)?);
                    Ok(one.is_some_and(|one| one.is_directory() && Some(one) == other))
                }
                _ => Ok(false),
            },
            _ => Ok(false),
        }
    }

    /// Whether another package has this file, and which of both gets it.
    fn contest(
        &mut self,
        incoming: &Incoming<'_>,
        file: &NewFile,
        member: &Member,
        there: Option<&Stat>,
    ) -> Done<Contest> {
        let mut contest = Contest::Free;
        for other in self.ownership.owners(file.name.as_bstr()) {
            if other == incoming.id {
                continue;
            }
            let package = self.package(&other)?;
            let is_instance = other.name == incoming.id.name
                && is_multi_arch_same(&package.stanza)
                && is_multi_arch_same(&incoming.deb.control);
            if is_instance {
                if there.is_some() && self.comes_in_sync(incoming)? {
                    contest = Contest::Shared;
                }
                continue;
            }
            match self.yields(incoming, file, &other, (member, there))? {
                Replacing::New => return Ok(Contest::Given),
                Replacing::Old | Replacing::Unsaid => {}
            }
        }
        Ok(contest)
    }

    /// Whose file gives way, between the package that comes and one that is there.
    fn yields(
        &mut self,
        incoming: &Incoming<'_>,
        file: &NewFile,
        other: &PackageId,
        (member, there): (&Member, Option<&Stat>),
    ) -> Done<Replacing> {
        if let Some(in_favour) = self.diversions.of(file.name.as_bstr())
            && (in_favour == Some(&*other.name) || in_favour == Some(&*incoming.id.name))
        {
            return Ok(Replacing::Old);
        }
        if there.is_none() && matches!(member.node, MemberNode::Directory) {
            return Ok(Replacing::Old);
        }
        let said = self.note_of(other).replacing;
        let is_going = self.fate(other) == Fate::Removed;
        if said != Replacing::Unsaid {
            return Ok(said);
        }
        if self.state(other) == State::ConfigFiles || is_going {
            return Ok(Replacing::Old);
        }
        let package = self.package(other)?;
        let is_obsolete = file.is_conffile
            && there.is_some_and(|stat| stat.data().is_some())
            && conffiles(package).iter().any(|one| one.is_obsolete && one.path == file.name);
        if is_obsolete {
            return Ok(Replacing::Old);
        }
        let control = &incoming.deb.control;
        let new_version = crate::Version::new(control.text("Version").unwrap_or_default());
        let replaces_old = replaces(control, &other.name, &package.version());
        let is_replaced = replaces(&package.stanza, &incoming.id.name, &new_version);
        let (name, version) = (self.shown(other), self.version(other));
        if replaces_old {
            self.say(format!("Replacing files in old package {name} ({version}) ...\n"))?;
            self.note_of(other).replacing = Replacing::Old;
            return Ok(Replacing::Old);
        }
        if is_replaced {
            self.say(format!("Replaced by files in installed package {name} ({version}) ...\n"))?;
            self.note_of(other).replacing = Replacing::New;
            return Ok(Replacing::New);
        }
        let path = &file.name;
        match there.is_some_and(Stat::is_directory) {
            true => self.forcible(
                Force::OverwriteDirectory,
                format!(
                    "trying to overwrite directory '{path}' in package {name} {version} with \
                    nondirectory"
                ),
            )?,
            false => self.forcible(
                Force::Overwrite,
                format!("trying to overwrite '{path}', which is also in package {name} {version}"),
            )?,
        }
        Ok(Replacing::Old)
    }

    /// Whether all architectures of a package are of the version that comes.
    fn comes_in_sync(&self, incoming: &Incoming<'_>) -> Done<bool> {
        let new = crate::Version::new(incoming.deb.control.text("Version").unwrap_or_default());
        for other in self.instances(&incoming.id.name) {
            let package = self.package(&other)?;
            if other != incoming.id
                && package.state > State::ConfigFiles
                && package.version().order(&new).is_ne()
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A file that several architectures of a package have is the same in each.
    fn check_shared(
        &mut self,
        incoming: &Incoming<'_>,
        file: &NewFile,
        member: &Member,
        place: &BString,
        there: Option<&Stat>,
    ) -> Done {
        let Some(there) = there else { return Ok(()) };
        let is_equal = match (&member.node, &there.kind) {
            (MemberNode::Directory, _) => true,
            (MemberNode::Symlink(target), Kind::Symlink(other)) => target == other,
            (MemberNode::File { .. } | MemberNode::Hardlink(_), _) if file.is_conffile => {
                let noted = self.instance_hash(incoming, &file.name)?;
                let noted = match noted {
                    Some(noted) => Some(noted),
                    None => self.md5(&with_ending(place, ".dpkg-new"))?,
                };
                noted == file.md5.map(hex::encode)
            }
            (MemberNode::File { content, .. }, Kind::File(data)) => data.content() == *content,
            (MemberNode::Hardlink(at), Kind::File(data)) => {
                let target = incoming.deb.members.get(*at).map(|member| &member.node);
                matches!(target, Some(MemberNode::File { content, .. }) if data.content() == *content)
            }
            (MemberNode::Fifo, Kind::Fifo) => true,
            _ => false,
        };
        if is_equal {
            return Ok(());
        }
        let error = format!(
            "trying to overwrite shared '{}', which is different from other instances of package {}",
            file.name,
            self.shown_of(&incoming.deb.control)
        );
        self.forcible(Force::Overwrite, error)
    }

    fn instance_hash(&self, incoming: &Incoming<'_>, path: &BString) -> Done<Option<String>> {
        for other in self.instances(&incoming.id.name) {
            let package = self.package(&other)?;
            if other == incoming.id || package.state <= State::Unpacked {
                continue;
            }
            let all = conffiles(package).into_iter();
            let mut own = all.filter(|one| !one.is_obsolete && one.path == *path);
            if let Some(found) = own.next() {
                return Ok(Some(found.hash));
            }
        }
        Ok(None)
    }

    /// Puts the last of the files into place.
    fn place(
        &mut self,
        incoming: &Incoming<'_>,
        at: usize,
        extraction: &mut Extraction,
        accounts: &Accounts,
    ) -> Done {
        let Some(file) = extraction.files.last().cloned() else { return Ok(()) };
        let Some(member) = incoming.deb.members.get(at) else { return Ok(()) };
        if file.step != Step::Extract {
            return Ok(());
        }
        let mut place =
            BString::from(self.diversions.place(file.name.as_bstr(), &incoming.id.name));
        if file.is_conffile {
            // Links are followed only when it is configured: dpkg 1.21 leaves it beside the link.
            place = with_ending(&place, ".dpkg-new");
            if let (MemberNode::File { content, .. }, Some(md5)) = (&member.node, file.md5) {
                let known = self.process.machine.memory::<KnownHashes>();
                known.0.insert(content.digest, md5);
            }
        }
        let unplaced = || cannot_make(member, &file.name);
        let located = self.locate(&place, Last::Kept)?.ok_or_else(unplaced)?;
        let path = located.path;
        let before = self.make_room(&path, located.stat, &member.node)?;
        extraction.backups.push(Backup { path: path.clone(), before });
        let attributes = self.attributes(member, file.name.as_bstr(), accounts);
        match node(incoming.deb, member) {
            Some(node) => self.files().put_whole(&path, attributes, node)?,
            None => self.link_member(incoming, member, &path)?,
        }
        if let Some(last) = extraction.files.last_mut() {
            last.placed = Some((at, path));
        }
        Ok(())
    }

    /// Takes away what stands in the way, and gives it.
    fn make_room(
        &mut self,
        path: &ImagePath,
        there: Option<Stat>,
        node: &MemberNode,
    ) -> Done<Before> {
        let Some(stat) = there else { return Ok(Before::Nothing) };
        let Some(kept) = kept_node(&stat) else {
            let aside = ImagePath::lexical(with_ending(path.as_bytes(), ".dpkg-tmp"));
            if self.files().stat(&aside)?.is_some() {
                self.files().remove_all(&aside)?;
            }
            self.files().rename(path, &aside)?;
            return Ok(Before::Directory(aside));
        };
        if matches!(node, MemberNode::Directory | MemberNode::Hardlink(_)) {
            self.files().remove(path)?;
        }
        Ok(Before::Node(Box::new(stat.attributes), kept))
    }

    fn attributes(&self, member: &Member, name: &BStr, accounts: &Accounts) -> Attributes {
        let mut attributes = member.attributes.clone();
        attributes.uid = accounts.user(member.user.as_bstr(), attributes.uid);
        attributes.gid = accounts.group(member.group.as_bstr(), attributes.gid);
        if let Some(set) = self.overrides.of(name) {
            (attributes.uid, attributes.gid, attributes.mode) = (set.uid, set.gid, set.mode);
        }
        if matches!(member.node, MemberNode::Symlink(_)) {
            attributes.mode = 0o777;
        }
        attributes
    }

    fn link_member(&mut self, incoming: &Incoming<'_>, member: &Member, path: &ImagePath) -> Done {
        let MemberNode::Hardlink(at) = member.node else { return Ok(()) };
        let broken = || Failure::Error(format!("error creating hard link './{}'", member.name));
        let target = incoming.deb.members.get(at).ok_or_else(broken)?;
        let name = listed_name(target);
        let mut place = BString::from(self.diversions.place(name.as_bstr(), &incoming.id.name));
        if incoming.conffiles.iter().any(|one| one.path == name) {
            place = with_ending(&place, ".dpkg-new");
        }
        let (existing, _) = self.lstat(&place)?.ok_or_else(broken)?;
        Ok(self.files().link(&existing, path)?)
    }

    /// Puts back what was there before.
    pub(super) fn restore(&mut self, extraction: &Extraction) -> Done {
        for Backup { path, before } in extraction.backups.iter().rev() {
            if self.files().stat(path)?.is_some() {
                self.files().remove_all(path)?;
            }
            match before {
                Before::Nothing => {}
                Before::Node(attributes, node) => {
                    self.files().put_whole(path, (**attributes).clone(), node.clone())?;
                }
                Before::Directory(aside) => self.files().rename(aside, path)?,
            }
        }
        Ok(())
    }

    /// Takes away directories that were moved aside.
    pub(super) fn forget_backups(&mut self, extraction: &Extraction) -> Done {
        for Backup { before, .. } in &extraction.backups {
            if let Before::Directory(aside) = before
                && self.files().stat(aside)?.is_some()
            {
                self.files().remove_all(aside)?;
            }
        }
        Ok(())
    }

    /// Says what was put into place, but for configuration files, which are not there yet.
    pub(super) fn tell_installed(&self, incoming: &Incoming<'_>, extraction: &Extraction) {
        let is_file = |at: usize| {
            let member = incoming.deb.members.get(at);
            member.is_some_and(|member| !matches!(member.node, MemberNode::Directory))
        };
        let placed = extraction.files.iter().filter(|file| !file.is_conffile);
        let files = placed.filter_map(|file| file.placed.clone()).filter(|(at, _)| is_file(*at));
        let files = files.collect();
        self.outside.note_installed(Installed { deb: Arc::clone(incoming.deb), files });
    }
}

/// What comes of two packages that have a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contest {
    /// The package that comes gets it.
    Free,
    /// It has to be the same.
    Shared,
    /// The package that was there keeps it.
    Given,
}

/// The MD5 of a member that is a file.
fn md5_of(deb: &Deb, member: &Member) -> Option<[u8; 16]> {
    match &member.node {
        MemberNode::File { md5, .. } => Some(*md5),
        MemberNode::Hardlink(at) => match &deb.members.get(*at)?.node {
            MemberNode::File { md5, .. } => Some(*md5),
            _ => None,
        },
        _ => None,
    }
}

/// What a member makes; `None` for another name of a file.
fn node(deb: &Deb, member: &Member) -> Option<NewNode> {
    Some(match &member.node {
        MemberNode::Directory => NewNode::Directory,
        MemberNode::File { content, .. } => {
            let path = ImagePath::lexical(&member.name);
            let origin = Arc::new(Origin::Package { package: deb.digest, path });
            NewNode::File(Data::Stored(Stored { content: *content, origin }))
        }
        MemberNode::Symlink(target) => NewNode::Symlink(target.to_vec()),
        MemberNode::Hardlink(_) => return None,
        MemberNode::CharDevice(major, minor) => {
            NewNode::CharDevice { major: *major, minor: *minor }
        }
        MemberNode::BlockDevice(major, minor) => {
            NewNode::BlockDevice { major: *major, minor: *minor }
        }
        MemberNode::Fifo => NewNode::Fifo,
    })
}

/// What makes a file that stands somewhere again; `None` for a directory.
fn kept_node(stat: &Stat) -> Option<NewNode> {
    Some(match &stat.kind {
        Kind::Directory => return None,
        Kind::File(data) => NewNode::File(data.clone()),
        Kind::Symlink(target) => NewNode::Symlink(target.clone()),
        Kind::CharDevice { major, minor } => NewNode::CharDevice { major: *major, minor: *minor },
        Kind::BlockDevice { major, minor } => NewNode::BlockDevice { major: *major, minor: *minor },
        Kind::Fifo => NewNode::Fifo,
    })
}

/// dpkg's words where the directory above is missing.
fn cannot_make(member: &Member, name: &BString) -> Failure {
    let own = format!(".{name}");
    let what = match member.node {
        MemberNode::Directory => format!("error creating directory '{own}'"),
        MemberNode::Symlink(_) => format!("error creating symbolic link '{own}'"),
        MemberNode::Hardlink(_) => format!("error creating hard link '{own}'"),
        MemberNode::Fifo => format!("error creating pipe '{own}'"),
        MemberNode::CharDevice(..) | MemberNode::BlockDevice(..) => {
            format!("error creating device '{own}'")
        }
        MemberNode::File { .. } => {
            format!("unable to create '{name}.dpkg-new' (while processing '{own}')")
        }
    };
    Failure::Error(format!("{what}: No such file or directory"))
}

impl NewFile {
    /// A configuration file of the old version, which stays.
    pub(super) fn obsolete(name: BString) -> Self {
        NewFile { name, step: Step::Keep, is_conffile: true, md5: None, placed: None }
    }
}
