//! `setcap` and `getcap` (setcap(8), getcap(8) of libcap 2.66), for capabilities of the simple form
//! `NAMES=FLAGS` or `NAMES+FLAGS`.
//!
//! They are an extended attribute of the file, as `struct vfs_cap_data` of revision 2 lays it out
//! (capabilities(7), "File capability extended attribute versioning").

use bstr::{BString, ByteSlice};
use layer::Attributes;
use shell::files::Last;
use shell::process::{Run, errno};
use shell::{Process, Stop};

use crate::outside::Outside;
use crate::programs::failure::{expected, refused};

const ATTRIBUTE: &[u8] = b"security.capability";
const REVISION: u32 = 0x0200_0000;
const EFFECTIVE: u32 = 1;

/// By number (linux/capability.h).
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// What a file's program may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Capabilities {
    permitted: u64,
    inheritable: u64,
    /// Whether they are in effect at once.
    is_effective: bool,
}

impl Capabilities {
    /// Reads one clause; `None` for what is more than that.
    fn parse(text: &[u8]) -> Option<Self> {
        let text = text.to_str().ok()?;
        let at = text.find(['=', '+'])?;
        let (names, flags) = (&text[..at], &text[at + 1..]);
        let mut set = 0;
        for name in names.split(',') {
            let name = name.to_ascii_lowercase();
            let name = name.strip_prefix("cap_")?;
            set |= 1 << NAMES.iter().position(|known| *known == name)?;
        }
        let mut capabilities = Capabilities::default();
        for flag in flags.chars() {
            match flag {
                'p' => capabilities.permitted = set,
                'i' => capabilities.inheritable = set,
                'e' => capabilities.is_effective = true,
                _ => return None,
            }
        }
        // What is in effect and neither allowed nor inherited cannot be written.
        let has_any = capabilities.permitted != 0 || capabilities.inheritable != 0;
        (has_any && !flags.is_empty()).then_some(capabilities)
    }

    fn bytes(self) -> Vec<u8> {
        let head = REVISION | if self.is_effective { EFFECTIVE } else { 0 };
        let (permitted, inheritable) = (self.permitted, self.inheritable);
        let word = |set: u64, high: u32| u32::try_from((set >> (32 * high)) & 0xffff_ffff);
        let words = [
            Ok(head),
            word(permitted, 0),
            word(inheritable, 0),
            word(permitted, 1),
            word(inheritable, 1),
        ];
        words.into_iter().flat_map(|word| word.unwrap_or_default().to_le_bytes()).collect()
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| {
            let bytes = bytes.get(4 * at..4 * at + 4)?;
            Some(u64::from(u32::from_le_bytes(bytes.try_into().ok()?)))
        };
        let head = word(0)?;
        (bytes.len() == 20 && head & !u64::from(EFFECTIVE) == u64::from(REVISION)).then_some(())?;
        Some(Capabilities {
            permitted: word(1)? | word(3)? << 32,
            inheritable: word(2)? | word(4)? << 32,
            is_effective: head & u64::from(EFFECTIVE) != 0,
        })
    }

    /// As `getcap` shows them; `None` if it takes several clauses.
    fn text(self) -> Option<String> {
        let set = self.permitted | self.inheritable;
        let is_whole = |part: u64| part == 0 || part == set;
        if !is_whole(self.permitted) || !is_whole(self.inheritable) || set >> NAMES.len() != 0 {
            return None;
        }
        let named = NAMES.iter().enumerate().filter(|(at, _)| set & (1 << at) != 0);
        let names: Vec<String> = named.map(|(_, name)| format!("cap_{name}")).collect();
        let mut flags = String::new();
        flags.extend(self.is_effective.then_some('e'));
        flags.extend((self.inheritable != 0).then_some('i'));
        flags.extend((self.permitted != 0).then_some('p'));
        Some(format!("{}={flags}", names.join(",")))
    }
}

pub(super) fn setcap(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let words = process.arguments().to_vec();
    let words: Vec<&BString> = words.iter().filter(|word| *word != "-q").collect();
    let [wanted, path] = words[..] else {
        return Err(refused(process, "is called in a way that is not built in"));
    };
    let capabilities = match &wanted[..] {
        b"-r" => None,
        text => match Capabilities::parse(text) {
            Some(capabilities) => Some(capabilities),
            None => return Err(refused(process, format!("is given {wanted}"))),
        },
    };
    let (real, stat) = match errno(process.find(path, Last::Kept))? {
        Ok(found) => found,
        Err(_) => return Err(refused(process, format!("finds no file {path}"))),
    };
    if stat.data().is_none() {
        return Err(refused(process, format!("finds no file {path}")));
    }
    let mut xattrs = stat.attributes.xattrs.clone();
    match capabilities {
        Some(capabilities) => {
            xattrs.insert(ATTRIBUTE.into(), capabilities.bytes());
        }
        None if xattrs.remove(ATTRIBUTE).is_none() => {
            return Err(refused(process, format!("finds no capabilities of {path}")));
        }
        None => {}
    }
    let attributes = Attributes { xattrs, ..stat.attributes };
    let set = process.machine.files.set_attributes(&real, attributes);
    expected(process, set, || format!("set capabilities of {path}"))?;
    Ok(0)
}

pub(super) fn getcap(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    for path in process.arguments().to_vec() {
        if path.starts_with(b"-") {
            return Err(crate::programs::failure::unknown(process, path));
        }
        let Ok((_, stat)) = errno(process.find(&path, Last::Kept))? else {
            return Err(refused(process, format!("finds no file {path}")));
        };
        show(process, &path, &stat.attributes)?;
    }
    Ok(0)
}

fn show(
    process: &mut Process<'_, '_>,
    path: &BString,
    attributes: &Attributes,
) -> Result<(), Stop> {
    let Some(bytes) = attributes.xattrs.get(ATTRIBUTE) else { return Ok(()) };
    match Capabilities::of(bytes).and_then(Capabilities::text) {
        Some(text) => process.write(format!("{path} {text}\n")),
        None => Err(refused(process, format!("does not understand the capabilities of {path}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_and_written() {
        let raw = Capabilities::parse(b"cap_net_raw+ep").unwrap();
        assert_eq!(hex::encode(raw.bytes()), "0100000200200000000000000000000000000000");
        assert_eq!(Capabilities::of(&raw.bytes()), Some(raw));
        assert_eq!(raw.text().unwrap(), "cap_net_raw=ep");
        for wrong in ["cap_net_raw", "net_raw=p", "cap_x=p", "cap_chown=", "cap_chown=p cap_kill=p"]
        {
            assert_eq!(Capabilities::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
