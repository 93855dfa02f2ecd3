//! What wheels become, kept so that a wheel is read once, and fetched only where its bytes go into a
//! layer.
//!
//! The same bytes go to registries and come from there: whoever reads them has to look whether they
//! are an installation at all.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use layer::Content;
use oci::{Digest, ImagePath};
use plan::{InstalledWheel, WheelKey};
use python::{FileOrigin, Installation, InstalledFile, Member, Method};
use serde::{Deserialize, Serialize};
use store::Store;

use crate::build::pieces;
use crate::error::Error;

/// The kind of fact that an installation is.
const INSTALLATION: &str = "installation";
/// It is read more often than it is written.
const LEVEL: i32 = 6;
/// The most that an installation is, unpacked.
const MOST_BYTES: u64 = 256 << 20;

/// An [`InstalledWheel`] at rest.
#[derive(Serialize, Deserialize)]
struct Kept {
    wheel: Digest,
    filename: String,
    members: Vec<KeptMember>,
    files: Vec<KeptFile>,
}

/// Name, method, CRC-32, size, packed size, offset, and whether it is executable.
#[derive(Serialize, Deserialize)]
struct KeptMember(String, u16, u32, u64, u64, u64, bool);

/// Path, mode, content, and where the bytes are.
#[derive(Serialize, Deserialize)]
struct KeptFile(String, u32, Content, KeptOrigin);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KeptOrigin {
    Member(usize),
    Inline(String),
}

/// The name of a wheel's installation in the store. Another release may install otherwise.
pub(in crate::build) fn key_of(key: &WheelKey) -> Digest {
    Digest::of(format!("{} {}", env!("CARGO_PKG_VERSION"), key.digest()).as_bytes())
}

/// What is on record of an installation.
pub(super) fn known(store: &Store, key: &Digest) -> Result<Option<InstalledWheel>, Error> {
    Ok(packed(store, key)?.and_then(|packed| read(&packed)))
}

/// Keeps an installation. One with paths that are no text is read again each time.
pub(super) fn record(store: &Store, key: &Digest, wheel: &InstalledWheel) -> Result<(), Error> {
    let Some(kept) = Kept::of(wheel) else { return Ok(()) };
    let plain = oci::json::to_bytes(&kept);
    match zstd::encode_all(plain.as_slice(), LEVEL) {
        Ok(packed) => Ok(store.record_fact(INSTALLATION, key, &packed)?),
        Err(_) => Ok(()),
    }
}

/// An installation in the form in which it is kept, if there is one.
pub(in crate::build) fn packed(store: &Store, key: &Digest) -> Result<Option<Vec<u8>>, Error> {
    Ok(store.fact(INSTALLATION, key)?)
}

/// Keeps an installation that comes from elsewhere; it has to be [right](is_right).
pub(in crate::build) fn take(store: &Store, key: &Digest, packed: &[u8]) -> Result<(), Error> {
    match store.fact(INSTALLATION, key)? {
        Some(_) => Ok(()),
        None => Ok(store.record_fact(INSTALLATION, key, packed)?),
    }
}

/// Whether something is an installation.
pub(in crate::build) fn is_right(packed: &[u8]) -> bool {
    read(packed).is_some()
}

fn read(packed: &[u8]) -> Option<InstalledWheel> {
    let plain = pieces::decompress(packed, MOST_BYTES)?;
    serde_json::from_slice::<Kept>(&plain).ok()?.installed()
}

impl Kept {
    fn of(wheel: &InstalledWheel) -> Option<Self> {
        let member = |member: &Member| {
            let Member { name, method, crc32, size, packed_size, data_offset, executable } = member;
            let method = number_of(*method);
            KeptMember(name.clone(), method, *crc32, *size, *packed_size, *data_offset, *executable)
        };
        let file = |file: &InstalledFile| {
            let origin = match &file.origin {
                FileOrigin::Member(at) => KeptOrigin::Member(*at),
                FileOrigin::Inline(bytes) => KeptOrigin::Inline(STANDARD.encode(bytes)),
            };
            Some(KeptFile(file.path.to_str()?.to_owned(), file.mode, file.content, origin))
        };
        Some(Kept {
            wheel: wheel.wheel,
            filename: wheel.filename.to_string(),
            members: wheel.members.iter().map(member).collect(),
            files: wheel.installation.files.iter().map(file).collect::<Option<_>>()?,
        })
    }

    /// The wheel, if everything that an [`Installation`] promises is so.
    fn installed(self) -> Option<InstalledWheel> {
        let Kept { wheel, filename, members, files } = self;
        let members: Vec<Member> =
            members.into_iter().map(KeptMember::member).collect::<Option<_>>()?;
        let files: Vec<InstalledFile> =
            files.into_iter().map(|file| file.installed(&members)).collect::<Option<_>>()?;
        let is_sorted = files.is_sorted_by(|one, next| one.path < next.path);
        if !is_sorted || has_some_below_others(&files) {
            return None;
        }
        let installation = Installation { wheel: filename.clone(), files };
        let filename: Arc<str> = filename.into();
        Some(InstalledWheel { wheel, filename, members, installation })
    }
}

fn has_some_below_others(files: &[InstalledFile]) -> bool {
    let paths: BTreeSet<&ImagePath> = files.iter().map(|file| &file.path).collect();
    files.iter().flat_map(|file| file.path.ancestors()).any(|path| paths.contains(&path))
}

impl KeptMember {
    fn member(self) -> Option<Member> {
        let KeptMember(name, method, crc32, size, packed_size, data_offset, executable) = self;
        data_offset.checked_add(packed_size)?;
        let method = method_of(method)?;
        Some(Member { name, method, crc32, size, packed_size, data_offset, executable })
    }
}

impl KeptFile {
    fn installed(self, members: &[Member]) -> Option<InstalledFile> {
        let KeptFile(path, mode, content, origin) = self;
        let place = ImagePath::from_archive(path.as_bytes()).ok()?;
        let origin = match origin {
            KeptOrigin::Member(at) => {
                let is_whole = members.get(at)?.size == content.size;
                is_whole.then_some(FileOrigin::Member(at))?
            }
            KeptOrigin::Inline(text) => {
                let bytes = STANDARD.decode(text).ok()?;
                let is_it = Digest::of(&bytes) == content.digest;
                (is_it && bytes.len() as u64 == content.size)
                    .then(|| FileOrigin::Inline(bytes.into()))?
            }
        };
        let is_plain = place.to_str() == Some(path.as_str()) && !place.is_root();
        let is_usual = matches!(mode, 0o644 | 0o755);
        (is_plain && is_usual).then_some(InstalledFile { path: place, mode, content, origin })
    }
}

/// A method's number (APPNOTE.TXT 4.4.5).
fn number_of(method: Method) -> u16 {
    match method {
        Method::Stored => 0,
        Method::Deflated => 8,
        Method::Zstandard => 93,
    }
}

fn method_of(number: u16) -> Option<Method> {
    [Method::Stored, Method::Deflated, Method::Zstandard]
        .into_iter()
        .find(|method| number_of(*method) == number)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn content(bytes: &[u8]) -> Value {
        json!({"digest": Digest::of(bytes), "size": bytes.len()})
    }

    /// A wheel with a module, which has an `INSTALLER`.
    fn sample() -> Value {
        let module = json!(["usr/lib/p/a.py", 0o644, content(b"# a"), {"member": 0}]);
        let made = json!(["usr/lib/p/a.dist-info/INSTALLER", 0o644, content(b"pip\n"),
            {"inline": STANDARD.encode("pip\n")}]);
        json!({
            "wheel": Digest::of(b"wheel"),
            "filename": "a-1-py3-none-any.whl",
            "members": [["a.py", 8, 7, 3, 5, 30, false]],
            "files": [made, module],
        })
    }

    fn packed(kept: &Value) -> Vec<u8> {
        zstd::encode_all(kept.to_string().as_bytes(), LEVEL).unwrap()
    }

    #[test]
    fn what_is_kept_is_what_was_installed() {
        let wheel = read(&packed(&sample())).unwrap();
        assert_eq!((wheel.wheel, &*wheel.filename), (Digest::of(b"wheel"), "a-1-py3-none-any.whl"));
        assert_eq!(wheel.member(0).member.raw_range(), 30..35);
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let key = Digest::of(b"key");
        record(&store, &key, &wheel).unwrap();
        let again = known(&store, &key).unwrap().unwrap();
        assert_eq!((again.members, again.installation), (wheel.members, wheel.installation));
        assert!(known(&store, &Digest::of(b"other")).unwrap().is_none());
    }

    /// Whoever wrote it may have written anything.
    #[test]
    fn what_is_no_installation_is_seen() {
        let check = |place: &str, lie: Value| {
            let mut kept = sample();
            *kept.pointer_mut(place).unwrap() = lie;
            assert!(!is_right(&packed(&kept)), "{place}: {kept}");
        };
        assert!(is_right(&packed(&sample())));
        check("/members/0/1", json!(9));
        check("/members/0/5", json!(u64::MAX));
        check("/members/0/3", json!(4));
        check("/files/1/0", json!("/usr/lib/p/a.py"));
        check("/files/1/0", json!("usr/lib/../p/a.py"));
        check("/files/1/0", json!(""));
        check("/files/1/0", json!("usr/lib/p/a.dist-info/INSTALLER"));
        check("/files/1/0", json!("usr/lib/p/a.dist-info/INSTALLER/below"));
        check("/files/1/0", json!("usr/a"));
        check("/files/1/1", json!(0o4755));
        check("/files/1/3", json!({"member": 1}));
        check("/files/0/3", json!({"inline": STANDARD.encode("uv\n")}));
        check("/files/0/2/size", json!(5));
        check("/files", json!("none"));
        assert!(!is_right(b"no frame"));
    }
}
