//! What a requirements file sets for all requirements.

use super::location;
use super::name::normalized_name;
use crate::{IndexUrl, Indexes, Origin, Prereleases};

/// One thing that a file sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// The index.
    IndexUrl(IndexUrl),
    /// One more index.
    ExtraIndexUrl(IndexUrl),
    /// No index is asked.
    NoIndex,
    /// A page with links, or a directory with wheels.
    FindLinks(IndexUrl),
    /// Pre-releases count.
    Prereleases,
    /// Of these distributions no wheels are taken.
    NoBinary(Vec<String>),
    /// Of these distributions only wheels are taken.
    OnlyBinary(Vec<String>),
    /// Each requirement must come with a hash.
    RequireHashes,
    /// A host whose certificate is not looked at, or that has none, as `HOST` or `HOST:PORT`.
    TrustedHost(String),
}

/// Everything that files set, in the order in which pip reads them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Where to look. `find_links` has the addresses; directories are in `directories`.
    pub indexes: Indexes,
    /// Directories with wheels.
    pub directories: Vec<LinkDirectory>,
    /// Whether pre-releases count.
    pub prereleases: Prereleases,
    /// Normalized names of distributions of which no wheel may be taken; `:all:` for all.
    pub no_binary: Vec<String>,
    /// Normalized names of distributions of which only a wheel may be taken; `:all:` for all.
    pub only_binary: Vec<String>,
    /// Whether each requirement must come with a hash.
    pub require_hashes: bool,
    /// Hosts that are trusted without a certificate.
    pub trusted_hosts: Vec<String>,
}

/// A directory behind `--find-links`. As in pip, it is looked for beside the file that names it,
/// and if it is not there, from where the build runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkDirectory {
    /// The path beside the file, clean.
    pub beside: String,
    /// The path as it is, clean.
    pub path: String,
    /// Where it is named.
    pub origin: Origin,
}

impl Settings {
    /// Adds what is set at a place.
    ///
    /// An `--index-url` takes the place of an earlier one and not, as in pip, of extra indexes
    /// that are named before it: that depends on the order of lines that look independent.
    pub fn apply(&mut self, setting: &Setting, origin: &Origin) {
        match setting {
            Setting::IndexUrl(url) => self.indexes.index_url = Some(url.clone()),
            Setting::ExtraIndexUrl(url) => push_new(&mut self.indexes.extra_index_urls, url),
            Setting::NoIndex => self.indexes.no_index = true,
            Setting::FindLinks(place) => self.find_links(place, origin),
            Setting::Prereleases => self.prereleases = Prereleases::Allow,
            Setting::NoBinary(names) => {
                choose(names, &mut self.no_binary, &mut self.only_binary);
            }
            Setting::OnlyBinary(names) => {
                choose(names, &mut self.only_binary, &mut self.no_binary);
            }
            Setting::RequireHashes => self.require_hashes = true,
            Setting::TrustedHost(host) => push_new(&mut self.trusted_hosts, host),
        }
    }

    fn find_links(&mut self, place: &IndexUrl, origin: &Origin) {
        let written = place.expose();
        if location::is_remote(written) {
            return push_new(&mut self.indexes.find_links, place);
        }
        let path = location::file_path(written).unwrap_or_else(|| written.to_owned());
        self.directories.push(LinkDirectory {
            beside: location::beside(&origin.file, &path),
            path: location::clean(&path),
            origin: origin.clone(),
        });
    }
}

fn push_new<T: Clone + PartialEq>(list: &mut Vec<T>, item: &T) {
    if !list.contains(item) {
        list.push(item.clone());
    }
}

/// Puts names on one of two lists, and takes them off the other: the last word counts. `:all:`
/// takes the place of all names, and `:none:` empties the list.
fn choose(names: &[String], list: &mut Vec<String>, other: &mut Vec<String>) {
    for name in names {
        match name.as_str() {
            ":all:" => {
                other.clear();
                *list = vec![name.clone()];
            }
            ":none:" => list.clear(),
            name => {
                let name = normalized_name(name);
                other.retain(|known| *known != name);
                push_new(list, &name);
            }
        }
    }
}
