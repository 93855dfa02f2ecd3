//! Which files are whose: what the `.list` files say.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};
use shell::Data;

use super::database::{self, listed};
use super::session::{Done, Session};
use super::status::{PackageId, State};

/// The files of packages.
#[derive(Debug, Default)]
pub(super) struct Ownership {
    lists: BTreeMap<PackageId, Rc<[BString]>>,
    owners: HashMap<BString, Vec<Rc<PackageId>>>,
    is_loaded: bool,
}

/// Lists that were read before, so that a run reads only those that changed.
#[derive(Default)]
struct Memory(HashMap<BString, (Data, Rc<[BString]>)>);

impl Ownership {
    /// Reads the lists of all packages, once.
    pub(super) fn load(session: &mut Session<'_, '_, '_>) -> Done {
        if session.ownership.is_loaded {
            return Ok(());
        }
        session.ownership.is_loaded = true;
        let there = session.status.packages().filter(|(_, one)| one.state > State::NotInstalled);
        let ids: Vec<PackageId> = there.map(|(id, _)| id.clone()).collect();
        for id in ids {
            if let Some(list) = read(session, &id)? {
                session.ownership.put(&id, list);
            }
        }
        Ok(())
    }

    /// The files of a package in the order of its list.
    pub(super) fn files(&self, id: &PackageId) -> Rc<[BString]> {
        self.lists.get(id).cloned().unwrap_or_else(|| Rc::from([]))
    }

    /// Whose a path is.
    pub(super) fn owners(&self, path: &BStr) -> Vec<PackageId> {
        self.owners.get(path).into_iter().flatten().map(|id| (**id).clone()).collect()
    }

    /// Whether a path is another package's, too.
    pub(super) fn is_used_by_others(&self, path: &BStr, id: &PackageId) -> bool {
        self.owners.get(path).is_some_and(|owners| owners.iter().any(|owner| **owner != *id))
    }

    /// The files of a package are these now.
    pub(super) fn put(&mut self, id: &PackageId, list: Rc<[BString]>) {
        self.forget(id);
        let shared = Rc::new(id.clone());
        for path in &*list {
            self.owners.entry(path.clone()).or_default().push(Rc::clone(&shared));
        }
        self.lists.insert(id.clone(), list);
    }

    /// A package has no files any more.
    pub(super) fn forget(&mut self, id: &PackageId) {
        let Some(list) = self.lists.remove(id) else { return };
        for path in &*list {
            if let Some(owners) = self.owners.get_mut(path) {
                owners.retain(|owner| **owner != *id);
                if owners.is_empty() {
                    self.owners.remove(path);
                }
            }
        }
    }

    /// How many paths there are, together with others.
    pub(super) fn count_with<'a>(&self, others: impl Iterator<Item = &'a BString>) -> usize {
        let further: HashSet<&BString> =
            others.filter(|path| !self.owners.contains_key(*path)).collect();
        self.owners.len() + further.len()
    }
}

fn read(session: &mut Session<'_, '_, '_>, id: &PackageId) -> Done<Option<Rc<[BString]>>> {
    let path = session.info_path(id, "list")?;
    let Some(data) = database::file(session.process, &path)? else { return Ok(None) };
    let memory = session.process.machine.memory::<Memory>();
    if let Some((known, list)) = memory.0.get(&path)
        && *known == data
    {
        return Ok(Some(Rc::clone(list)));
    }
    let bytes = session.process.bytes(&data)?;
    let list: Rc<[BString]> = listed(&bytes).into();
    let memory = session.process.machine.memory::<Memory>();
    memory.0.insert(path, (data, Rc::clone(&list)));
    Ok(Some(list))
}

impl Session<'_, '_, '_> {
    /// Writes a package's list.
    pub(super) fn write_list(&mut self, id: &PackageId, list: Vec<BString>) -> Done {
        let path = self.info_path(id, "list")?;
        let mut text = Vec::new();
        for line in &list {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        self.write_info(path.as_bstr(), Data::of(text), 0o644)?;
        self.ownership.put(id, list.into());
        Ok(())
    }
}
