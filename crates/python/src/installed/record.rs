//! The files of a distribution: `RECORD` ("Recording installed projects"), or setuptools' and
//! pip's older `installed-files.txt`.

use std::collections::{BTreeSet, HashMap};

use layer::Node;
use oci::ImagePath;

use crate::view::{Known, both};
use crate::{Interpreter, View};

/// What pip's uninstallation would remove of the distribution that `metadata`, in `directory`,
/// describes; `None` if that has no list.
///
/// Beside what is listed, that is what is called in the directory of scripts as one of its own is.
/// A path counts if there is something other than a directory, and if it is inside of the prefix
/// or of `directory`: pip refuses others in virtual environments, and here they never count. To
/// each module belongs its bytecode, listed or not.
pub(super) fn files(
    view: View<'_>,
    interpreter: &Interpreter,
    directory: &ImagePath,
    metadata: &ImagePath,
) -> Known<Option<Vec<ImagePath>>> {
    let record = view.text(&metadata.join("RECORD"));
    let installed = view.text(&metadata.join("installed-files.txt"));
    let entry_points = view.text(&metadata.join("entry_points.txt"));
    let ((record, installed), entry_points) = both(both(record, installed), entry_points)?;
    let mut listed: Vec<Vec<u8>> = match (record, installed) {
        (Some(record), _) => {
            paths(&record).into_iter().map(|path| under(directory, &path)).collect()
        }
        (None, Some(lines)) => {
            let lines = lines.lines().filter(|line| !line.is_empty());
            let mut paths: Vec<Vec<u8>> = lines.map(|line| under(metadata, line)).collect();
            // It lists its own directory as such, not the files in it.
            let own = view.names(metadata)?.into_keys();
            paths.extend(own.map(|name| metadata.join(name).as_bytes().to_vec()));
            paths
        }
        (None, None) => return Ok(None),
    };
    let distutils = view.names(&metadata.join("scripts"))?.into_keys();
    let scripts = scripts_in(&entry_points.unwrap_or_default()).into_iter();
    let scripts = scripts
        .map(String::into_bytes)
        .chain(distutils)
        .map(|name| interpreter.layout.scripts.join(name));
    listed.extend(scripts.map(|script| script.as_bytes().to_vec()));
    let mut search = Search::new(view, interpreter, directory)?;
    for path in listed {
        search.add(&path)?;
    }
    Ok(Some(search.found.into_iter().collect()))
}

/// `relative` below `base`; absolute if it is. Empty if it climbs out of the root.
fn under(base: &ImagePath, relative: &str) -> Vec<u8> {
    if relative.starts_with('/') {
        return relative.as_bytes().to_vec();
    }
    [base.as_bytes(), relative.as_bytes()].join(&b'/')
}

/// The names of the scripts that `entry_points.txt` asks for (entry points specification).
fn scripts_in(entry_points: &str) -> Vec<String> {
    let mut is_scripts = false;
    let names = entry_points.lines().filter_map(move |line| {
        let line = line.trim();
        if line.starts_with('[') {
            is_scripts = matches!(line, "[console_scripts]" | "[gui_scripts]");
            return None;
        }
        let name = line.split_once('=').filter(|_| is_scripts)?.0.trim();
        let is_one = !name.is_empty() && !name.starts_with(['#', ';']) && !name.contains('/');
        (is_one && name != "." && name != "..").then(|| name.to_owned())
    });
    names.collect()
}

/// The first column of a CSV file (RFC 4180, as Python's `csv` reads it).
fn paths(record: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut rest = record;
    while !rest.is_empty() {
        let (path, behind) = first_column(rest);
        if !path.is_empty() {
            paths.push(path);
        }
        rest = behind;
    }
    paths
}

/// The first column of the first row, and the rows behind it. A quoted cell may have line ends in
/// it; in the cells behind the first, a digest and a size, there are none.
fn first_column(rows: &str) -> (String, &str) {
    let row_behind = |at: &str| at.find('\n').map_or(at.len(), |end| end + 1);
    let Some(mut quoted) = rows.strip_prefix('"') else {
        let (row, behind) = rows.split_at(row_behind(rows));
        let end = row.find([',', '\r', '\n']).unwrap_or(row.len());
        return (row[..end].to_owned(), behind);
    };
    let mut path = String::new();
    while let Some(end) = quoted.find('"') {
        path.push_str(&quoted[..end]);
        quoted = &quoted[end + 1..];
        match quoted.strip_prefix('"') {
            Some(more) => {
                path.push('"');
                quoted = more;
            }
            None => return (path, &quoted[row_behind(quoted)..]),
        }
    }
    (String::new(), "")
}

/// Looks for files, each directory once.
struct Search<'a> {
    view: View<'a>,
    /// What may be removed from, without links.
    allowed: Vec<ImagePath>,
    /// Of the bytecode's names, the part that tells the interpreter.
    tag: String,
    /// The directories that were looked into, by the paths that lead to them.
    directories: HashMap<ImagePath, Option<Directory>>,
    found: BTreeSet<ImagePath>,
}

/// What is in a directory.
struct Directory {
    /// Where it is, without links.
    path: ImagePath,
    /// What is in it and is no directory, sorted.
    files: Vec<Vec<u8>>,
}

impl Directory {
    fn has(&self, name: &[u8]) -> bool {
        self.files.binary_search_by(|file| file.as_slice().cmp(name)).is_ok()
    }
}

impl<'a> Search<'a> {
    fn new(view: View<'a>, interpreter: &Interpreter, directory: &ImagePath) -> Known<Self> {
        let mut allowed = Vec::new();
        for root in [&interpreter.layout.data, directory] {
            allowed.extend(view.follow(root)?.map(|(path, _)| path));
        }
        let version = &interpreter.version;
        let tag = format!(".cpython-{}{}", version.major, version.minor);
        let (directories, found) = Default::default();
        Ok(Search { view, allowed, tag, directories, found })
    }

    fn add(&mut self, listed: &[u8]) -> Known<()> {
        if listed.contains(&0) || climbs_out(listed) {
            return Ok(());
        }
        let listed = ImagePath::lexical(listed);
        let (Some(above), Some(name)) = (listed.parent(), listed.file_name()) else {
            return Ok(());
        };
        let Some(directory) = self.directory(&above)?.filter(|directory| directory.has(name))
        else {
            return Ok(());
        };
        let (above, path) = (directory.path.clone(), directory.path.join(name));
        if !self.allowed.iter().any(|root| path.starts_with(root)) {
            return Ok(());
        }
        if let Some(stem) = name.strip_suffix(b".py") {
            self.add_bytecode(&above, stem)?;
        }
        self.found.insert(path);
        Ok(())
    }

    /// The directory that a path leads to, if it leads to one.
    fn directory(&mut self, path: &ImagePath) -> Known<Option<&Directory>> {
        if !self.directories.contains_key(path) {
            let directory = self.read(path)?;
            self.directories.insert(path.clone(), directory);
        }
        Ok(self.directories[path].as_ref())
    }

    fn read(&self, path: &ImagePath) -> Known<Option<Directory>> {
        let Some((path, found)) = self.view.follow(path)? else { return Ok(None) };
        if found.entry.node != Node::Directory {
            return Ok(None);
        }
        let read = self.view.root.read_dir(&path).map_err(|missing| vec![missing.into()])?;
        let files = read.into_iter().filter(|(_, found)| found.entry.node != Node::Directory);
        let files = files.map(|(name, _)| name).collect();
        Ok(Some(Directory { path, files }))
    }

    /// Adds `x.pyc` and `x.pyo` beside a module `x.py` of a directory, and in `__pycache__` what any
    /// level of optimization has made of it (PEP 3147, PEP 488).
    fn add_bytecode(&mut self, directory: &ImagePath, stem: &[u8]) -> Known<()> {
        let mut found = Vec::new();
        if let Some(beside) = self.directory(directory)? {
            let names = [".pyc", ".pyo"].map(|suffix| [stem, suffix.as_bytes()].concat());
            found.extend(names.into_iter().filter(|name| beside.has(name)));
        }
        self.found.extend(found.drain(..).map(|name| directory.join(name)));
        let cache = directory.join("__pycache__");
        let start = [stem, self.tag.as_bytes()].concat();
        // Bytecode behind a link is somebody else's.
        if let Some(Directory { path, files }) = self.directory(&cache)?
            && *path == cache
        {
            // A large directory is not gone through for each.
            let first = files.partition_point(|name| name < &start);
            let of_module = files[first..].iter().take_while(|name| name.starts_with(&start));
            found.extend(of_module.filter(|name| name.ends_with(b".pyc")).cloned());
        }
        self.found.extend(found.into_iter().map(|name| cache.join(name)));
        Ok(())
    }
}

/// Whether `..` takes back more than there is.
fn climbs_out(path: &[u8]) -> bool {
    let mut depth = 0usize;
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if depth == 0 => return true,
            b".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_column_is_read_as_csv() {
        let record = "a/__init__.py,sha256=x,10\r\n\"a/with, comma.py\",,\n\"say \"\"hi\"\".py\",,\n\
            \"two\nlines.py\",sha256=y,1\r\n\r\n../../../bin/a,,\nlast";
        assert_eq!(
            paths(record),
            [
                "a/__init__.py",
                "a/with, comma.py",
                "say \"hi\".py",
                "two\nlines.py",
                "../../../bin/a",
                "last"
            ]
        );
        assert_eq!(paths("\"never closed,,\n"), [""; 0]);
        assert_eq!(paths(""), [""; 0]);
    }

    #[test]
    fn entry_points_name_scripts() {
        let text = "[console_scripts]\npip = pip:main\n# x = y\n../up = a:b\n\n[other]\nno = a:b\n\
            [gui_scripts]\nwindow=a:b [extra]\n= a\nnothing\n";
        assert_eq!(scripts_in(text), ["pip", "window"]);
    }

    #[test]
    fn climbing_ends_at_the_root() {
        assert!(!climbs_out(b"usr/lib/../../x"));
        assert!(climbs_out(b"usr/../../x"));
        assert!(!climbs_out(b"/usr/./x"));
    }
}
