//! What differs between architectures: how libraries are marked in the cache, and which directories
//! are named for what a machine can do.
//!
//! The marks and names are those of the GNU C library (`ldconfig.h`, `dl-procinfo` of each machine).

use bstr::{BStr, ByteSlice};

use super::machines::ARCHITECTURES;
use crate::native::elf::{Class, Elf};

/// A library of no known C library.
pub(super) const ELF: u32 = 1;
/// One of libc.so.5.
pub(super) const LIBC5: u32 = 2;
/// One of libc.so.6.
pub(super) const LIBC6: u32 = 3;

const IA64: u32 = 0x0200;
const X86_64: u32 = 0x0300;
const S390_64: u32 = 0x0400;
const POWERPC_64: u32 = 0x0500;
const MIPS_N32: u32 = 0x0600;
const MIPS_N64: u32 = 0x0700;
const X32: u32 = 0x0800;
const ARM_HARD: u32 = 0x0900;
const AARCH64: u32 = 0x0a00;
const ARM_SOFT: u32 = 0x0b00;
const MIPS_NAN2008: u32 = 0x0c00;
const MIPS_N32_NAN2008: u32 = 0x0d00;
const MIPS_N64_NAN2008: u32 = 0x0e00;
const RISCV_SOFT: u32 = 0x0f00;
const RISCV_DOUBLE: u32 = 0x1000;

/// An architecture, as the image's program is for one.
#[derive(Debug)]
pub(super) struct Architecture {
    pub(super) class: Class,
    pub(super) machine: u16,
    pub(super) family: Family,
    pub(super) loaders: &'static [(&'static str, u32)],
    /// Capabilities by bit number.
    pub(super) capabilities: &'static [&'static str],
    /// Those whose directories are searched.
    pub(super) important: u64,
    /// Platforms, and the bit of the first.
    pub(super) platforms: (&'static [&'static str], u32),
}

/// Machines whose libraries are marked by the same rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    X86,
    Arm,
    PowerPc,
    S390,
    RiscV,
    Mips,
}

/// What a library is in the cache, or why it is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Its flags.
    Flags(u32),
    /// It is for another machine, and a message says so.
    Foreign,
    /// It is passed over.
    Ignored,
}

/// `tls` was a capability of its own.
const TLS: (&str, u32) = ("tls", 63);

const LIBRARIES: &[(&str, u32)] = &[("libc.so.6", LIBC6), ("libm.so.6", LIBC6)];
const OLD_LIBRARIES: &[(&str, u32)] = &[("libc.so.5", LIBC5), ("libm.so.5", LIBC5)];

impl Architecture {
    /// The architecture of the image's program.
    pub(super) fn of(program: &Elf) -> Option<&'static Architecture> {
        let fits = |known: &&Architecture| {
            (known.machine, known.class) == (program.machine, program.class)
        };
        ARCHITECTURES.iter().find(fits)
    }

    /// What a shared library is in the cache. Most architectures do not look at its machine.
    pub(super) fn mark(&self, elf: &Elf, needed: &[impl AsRef<[u8]>]) -> Mark {
        let plain = self.plain(elf, needed);
        let flags = match (self.family, elf.class) {
            (Family::X86, class) => match (elf.machine, class) {
                (62, Class::Bits64) => X86_64 | LIBC6,
                (62, Class::Bits32) => X32 | LIBC6,
                (3, Class::Bits32) => plain,
                (50, Class::Bits64) if self.class == Class::Bits32 => IA64 | LIBC6,
                _ => return Mark::Foreign,
            },
            (Family::Arm, Class::Bits64) => AARCH64 | LIBC6,
            (Family::Arm, Class::Bits32) => arm(elf.flags).unwrap_or(plain),
            (Family::PowerPc, Class::Bits64) => POWERPC_64 | LIBC6,
            (Family::S390, Class::Bits64) => S390_64 | LIBC6,
            (Family::PowerPc | Family::S390, Class::Bits32) => plain,
            (Family::RiscV, _) => match riscv(elf.flags) {
                Some(floats) => floats | plain,
                None => return Mark::Ignored,
            },
            (Family::Mips, class) => mips(class, elf.flags).unwrap_or(plain),
        };
        Mark::Flags(flags)
    }

    /// The C library that a library is for, as far as its names tell.
    fn plain(&self, elf: &Elf, needed: &[impl AsRef<[u8]>]) -> u32 {
        let named = |table: &[(&str, u32)], name: &[u8]| {
            table.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, flags)| *flags)
        };
        let loader = elf.interpreter.as_ref().and_then(|name| named(self.loaders, name));
        let old = match (self.family, self.class) {
            (Family::X86, Class::Bits32) => OLD_LIBRARIES,
            _ => &[],
        };
        let library = |name: &[u8]| named(LIBRARIES, name).or(named(old, name));
        let by_library = || needed.iter().find_map(|name| library(name.as_ref()));
        loader.or_else(by_library).unwrap_or(ELF)
    }

    /// The level of the instruction set in the cache: the highest bit of those needed. Only on x86
    /// are there any.
    pub(super) fn isa_level(&self, needed: u32) -> u32 {
        match self.family {
            Family::X86 => needed.checked_ilog2().unwrap_or(0),
            _ => 0,
        }
    }

    /// Whether libraries in a directory of this name are for machines of some kind.
    pub(super) fn is_capability_directory(&self, name: &BStr) -> bool {
        let important = self.capability(name).is_some_and(|bit| self.important >> bit & 1 == 1);
        important || self.platform(name).is_some() || name == TLS.0
    }

    /// The capabilities that the last directories of a path name.
    pub(super) fn capabilities(&self, path: &BStr) -> u64 {
        let mut capabilities = 0_u64;
        // What is before the first slash does not count.
        let names = path.split_str("/").skip(1);
        for name in names.collect::<Vec<_>>().into_iter().rev() {
            let name = name.as_bstr();
            let tls = || (name == TLS.0).then_some(TLS.1);
            match self.capability(name).or_else(|| self.platform(name)).or_else(tls) {
                Some(bit) => capabilities = capabilities.wrapping_add(1 << bit),
                None => break,
            }
        }
        capabilities
    }

    fn capability(&self, name: &BStr) -> Option<u32> {
        let found = self.capabilities.iter().position(|known| name == known && !name.is_empty());
        found.and_then(|bit| u32::try_from(bit).ok())
    }

    fn platform(&self, name: &BStr) -> Option<u32> {
        let (names, first) = self.platforms;
        let found = names.iter().position(|known| name == known);
        found.and_then(|bit| u32::try_from(bit).ok()).map(|bit| first + bit)
    }
}

/// ABI for the Arm Architecture, "ELF header": version 5 says how floats are passed.
fn arm(flags: u32) -> Option<u32> {
    if flags >> 24 != 5 {
        return None;
    }
    Some(match flags & 0x600 {
        0 => LIBC6,
        0x200 => ARM_SOFT | LIBC6,
        _ => ARM_HARD | LIBC6,
    })
}

/// RISC-V ELF psABI, "File Header": floats are passed in general registers, or as doubles; the
/// library has no others. Compressed instructions are allowed, anything else is not.
fn riscv(flags: u32) -> Option<u32> {
    match flags {
        0 | 1 => Some(RISCV_SOFT),
        4 | 5 => Some(RISCV_DOUBLE),
        _ => None,
    }
}

fn mips(class: Class, flags: u32) -> Option<u32> {
    let (is_n32, has_nan2008) = (flags & 0x20 != 0, flags & 0x400 != 0);
    let abi = match (class, is_n32, has_nan2008) {
        (Class::Bits64, _, true) => MIPS_N64_NAN2008,
        (Class::Bits64, _, false) => MIPS_N64,
        (Class::Bits32, true, true) => MIPS_N32_NAN2008,
        (Class::Bits32, true, false) => MIPS_N32,
        (Class::Bits32, false, true) => MIPS_NAN2008,
        (Class::Bits32, false, false) => return None,
    };
    Some(abi | LIBC6)
}

/// What `ldconfig -p` says of flags.
pub(super) fn words(flags: u32) -> String {
    let kind = match flags & 0xff {
        0 => "libc4",
        ELF => "ELF",
        LIBC5 => "libc5",
        LIBC6 => "libc6",
        _ => "unknown",
    };
    let abi = match flags & 0xff00 {
        0 => "",
        0x0100 | S390_64 | POWERPC_64 | MIPS_N64 => ",64bit",
        IA64 => ",IA-64",
        X86_64 => ",x86-64",
        MIPS_N32 => ",N32",
        X32 => ",x32",
        ARM_HARD => ",hard-float",
        AARCH64 => ",AArch64",
        ARM_SOFT | RISCV_SOFT => ",soft-float",
        MIPS_NAN2008 => ",nan2008",
        MIPS_N32_NAN2008 => ",N32,nan2008",
        MIPS_N64_NAN2008 => ",64bit,nan2008",
        RISCV_DOUBLE => ",double-float",
        other => return format!("{kind},{other}"),
    };
    format!("{kind}{abi}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::elf::made::MadeElf;

    const MACHINES: [(&str, Class, u16, u32); 8] = [
        ("amd64", Class::Bits64, 62, 0),
        ("x32", Class::Bits32, 62, 0),
        ("i386", Class::Bits32, 3, 0),
        ("arm64", Class::Bits64, 183, 0),
        ("armhf", Class::Bits32, 40, 0x0500_0400),
        ("armel", Class::Bits32, 40, 0x0500_0200),
        ("riscv64", Class::Bits64, 243, 5),
        ("mips64el", Class::Bits64, 8, 0x8000_0007),
    ];

    #[test]
    fn libraries_are_marked_as_the_programs_architecture_sees_them() {
        let mut lines = Vec::new();
        for program in ["amd64", "i386", "arm64", "armhf", "riscv64", "mips64el"] {
            let (_, class, machine, flags) =
                MACHINES.into_iter().find(|(name, ..)| *name == program).unwrap();
            let elf = Elf::of(&MadeElf::on(class, machine, flags, "ldconfig").bytes()).unwrap();
            let architecture = Architecture::of(&elf).unwrap();
            let marks = MACHINES.map(|(name, class, machine, flags)| {
                let bytes = MadeElf::on(class, machine, flags, "libz.so.1").bytes();
                match architecture.mark(&Elf::of(&bytes).unwrap(), &["libc.so.6"]) {
                    Mark::Flags(flags) => format!("{name} {}", words(flags)),
                    Mark::Foreign => format!("{name} foreign"),
                    Mark::Ignored => format!("{name} ignored"),
                }
            });
            lines.push(format!("{program}: {}", marks.join("; ")));
        }
        insta::assert_snapshot!(lines.join("\n"), @"
        amd64: amd64 libc6,x86-64; x32 libc6,x32; i386 libc6; arm64 foreign; armhf foreign; armel foreign; riscv64 foreign; mips64el foreign
        i386: amd64 libc6,x86-64; x32 libc6,x32; i386 libc6; arm64 foreign; armhf foreign; armel foreign; riscv64 foreign; mips64el foreign
        arm64: amd64 libc6,AArch64; x32 libc6; i386 libc6; arm64 libc6,AArch64; armhf libc6,hard-float; armel libc6,soft-float; riscv64 libc6,AArch64; mips64el libc6,AArch64
        armhf: amd64 libc6,AArch64; x32 libc6; i386 libc6; arm64 libc6,AArch64; armhf libc6,hard-float; armel libc6,soft-float; riscv64 libc6,AArch64; mips64el libc6,AArch64
        riscv64: amd64 libc6,soft-float; x32 libc6,soft-float; i386 libc6,soft-float; arm64 libc6,soft-float; armhf ignored; armel ignored; riscv64 libc6,double-float; mips64el ignored
        mips64el: amd64 libc6,64bit; x32 libc6; i386 libc6; arm64 libc6,64bit; armhf libc6,nan2008; armel libc6; riscv64 libc6,64bit; mips64el libc6,64bit
        ");
    }

    #[test]
    fn directories_name_capabilities() {
        let [amd64, i386, arm64, armhf, ppc64el, s390x, ..] = ARCHITECTURES else { panic!() };
        for (architecture, path, expected) in [
            (amd64, "/usr/lib/tls/haswell", 1 << 63 | 1 << 50),
            (amd64, "/usr/lib/haswell/other", 0),
            (i386, "/lib/i686/sse2", 1 << 49 | 1),
            (arm64, "/lib/atomics", 1 << 8),
            (armhf, "/lib/neon/vfp", 1 << 12 | 1 << 6),
            (ppc64el, "/lib/power9", 1 << 46),
            (s390x, "/lib/z15", 1 << 41),
        ] {
            assert_eq!(architecture.capabilities(path.into()), expected, "{path}");
        }
        assert!(amd64.is_capability_directory("xeon_phi".into()));
        assert!(!armhf.is_capability_directory("half".into()));
        assert!(!ppc64el.is_capability_directory("".into()));
    }
}
