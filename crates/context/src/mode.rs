//! The permission bits that a layer keeps of a file on this machine.

use crate::Shape;

/// What remains of `mode` when nothing of it may depend on the umask that a checkout was made with.
///
/// The twelve permission bits without write permission for group and others. So the umasks that
/// people have, 002 and 022, give the same layer: 0664 and 0644 are both 0644, 0775 and 0755 are
/// both 0755, for files and for directories. Everything else was meant by someone and stays: 0600
/// is 0600, 0640 is 0640, and the set-id and sticky bits are kept. A checkout under umask 027 or
/// 077 is therefore another image, whose files others cannot read; whoever has one says
/// `COPY --chmod`. One bit of a directory is nobody's choice: it takes set-group-id over from the
/// directory that it is made in (inode(7)), so a checkout in a shared folder has it everywhere.
///
/// ```
/// use context::{Shape, portable_mode};
/// assert_eq!(portable_mode(0o100664, Shape::Leaf), 0o644);
/// assert_eq!(portable_mode(0o600, Shape::Leaf), 0o600);
/// assert_eq!(portable_mode(0o6775, Shape::Leaf), 0o6755);
/// assert_eq!(portable_mode(0o2775, Shape::Directory), 0o755);
/// ```
pub fn portable_mode(mode: u32, shape: Shape) -> u32 {
    let inherited = match shape {
        Shape::Directory => 0o2000,
        Shape::Leaf => 0,
    };
    mode & 0o7777 & !0o022 & !inherited
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mode that `asked` gets under `umask`.
    fn made(asked: u32, umask: u32) -> u32 {
        portable_mode(asked & !umask, Shape::Leaf)
    }

    #[test]
    fn umask_002_and_022_are_the_same() {
        for asked in [0o666, 0o777] {
            assert_eq!(made(asked, 0o002), made(asked, 0o022), "{asked:o}");
        }
        assert_eq!(made(0o666, 0o000), 0o644);
    }

    #[test]
    fn what_was_meant_stays() {
        assert_eq!(made(0o666, 0o077), 0o600);
        assert_eq!(made(0o777, 0o027), 0o750);
        assert_eq!(portable_mode(0o1777, Shape::Directory), 0o1755);
        assert_eq!(portable_mode(0o6711, Shape::Leaf), 0o6711);
    }
}
