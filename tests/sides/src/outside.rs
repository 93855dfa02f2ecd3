//! What an evaluation in a house asks for: all of it is on this machine, or not there.

use std::fs;
use std::io::{Cursor, Read};
use std::sync::Arc;

use debian::native::elf::Elf;
use debian::{Deb, DebSource, Fetch, Installed, ListFile, PackageIndex};
use layer::{LayerIndex, TarError, detect_archive, open_archive};
use oci::ImagePath;
use shell::{Fetched, Origin, Process, Stop, Stored};

use crate::House;

impl shell::Outside for House {
    fn bytes(&self, stored: &Stored) -> Result<Arc<[u8]>, Stop> {
        let digest = stored.content.digest;
        if let Some(known) = self.bytes.lock().unwrap().get(&digest) {
            return Ok(Arc::clone(known));
        }
        Ok(match &*stored.origin {
            Origin::Below { path, .. } => {
                fs::read(self.root.join(path.to_string())).unwrap().into()
            }
            Origin::Member { archive, path } => {
                let bytes = Arc::clone(&self.bytes.lock().unwrap()[archive]);
                member(&bytes, path).into()
            }
            origin => unreachable!("there are no bytes from {origin:?}"),
        })
    }

    fn archive(&self, stored: &Stored) -> Result<Option<Arc<LayerIndex>>, Stop> {
        let bytes = self.bytes(stored)?;
        let read = index(&bytes);
        self.bytes.lock().unwrap().insert(stored.content.digest, bytes);
        Ok(read.map(Arc::new))
    }

    fn download(&self, _: &str) -> Result<Fetched, Stop> {
        Ok(Fetched::Status(404))
    }

    fn program(&self, process: &mut Process<'_, '_>) -> Option<Result<u8, Stop>> {
        debian::program(process, self)
    }
}

impl debian::Outside for House {
    fn fetch(&self, fetches: &[Fetch]) -> Result<Vec<Option<Stored>>, Stop> {
        Ok(vec![None; fetches.len()])
    }

    fn indexes(&self, _: &oci::Digest, _: &[ListFile]) -> Result<Vec<Arc<PackageIndex>>, Stop> {
        unreachable!("there are no archives")
    }

    fn debs(&self, debs: &[DebSource]) -> Result<Vec<Arc<Deb>>, Stop> {
        let read = debs.iter().map(|source| match source {
            DebSource::File { stored, .. } => Arc::clone(&self.debs[&stored.content.digest]),
            other => unreachable!("{other:?} is no file"),
        });
        Ok(read.collect())
    }

    fn elf(&self, files: &[Stored]) -> Result<Vec<Option<Elf>>, Stop> {
        let elf = |stored| {
            let bytes = shell::Outside::bytes(self, stored)?;
            Ok(Elf::read(Cursor::new(&bytes)).unwrap())
        };
        files.iter().map(elf).collect()
    }

    fn now(&self) -> i64 {
        self.clock
    }

    fn note_installed(&self, _: Installed) {}
}

/// What is in an archive; `None` if these are the bytes of none.
pub(crate) fn index(bytes: &[u8]) -> Option<LayerIndex> {
    Some(LayerIndex::read(tar(bytes)?, &layer::Limits::default()).unwrap().0)
}

fn tar(bytes: &[u8]) -> Option<Box<dyn Read + Send + '_>> {
    let compression = detect_archive(Cursor::new(bytes)).unwrap()?;
    Some(open_archive(Cursor::new(bytes), compression, &layer::Limits::default()).unwrap())
}

/// The bytes of one file of an archive.
fn member(archive: &[u8], path: &ImagePath) -> Vec<u8> {
    let index = index(archive).unwrap();
    let mut found = Vec::new();
    layer::extract::<TarError>(
        tar(archive).unwrap(),
        &index,
        |at| at == path,
        |_, content| {
            content.read_to_end(&mut found).unwrap();
            Ok(())
        },
    )
    .unwrap();
    found
}
