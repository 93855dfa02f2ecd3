//! `cat` (coreutils manual, "cat invocation").

use bstr::{BString, ByteSlice};

use super::report::attempt;
use crate::data::Data;
use crate::descriptor::{OpenFile, Output};
use crate::files::{Identity, Last};
use crate::options::{Known, Options, Order, flag};
use crate::process::{Process, Run, descriptor_of, errno};
use crate::programs::quoting::bare;
use crate::stop::Stop;

const OPTIONS: &[Known] = &[
    flag("-A", 'A', &["show-all"]),
    flag("-b", 'b', &["number-nonblank"]),
    flag("-e", 'e', &[]),
    flag("-E", 'E', &["show-ends"]),
    flag("-n", 'n', &["number"]),
    flag("-s", 's', &["squeeze-blank"]),
    flag("-t", 't', &[]),
    flag("-T", 'T', &["show-tabs"]),
    flag("-u", 'u', &[]),
    flag("-v", 'v', &["show-nonprinting"]),
];

/// Writes files one after the other.
pub(super) fn cat(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, OPTIONS, Order::Anywhere)?;
    let any = |ids: &[&str]| ids.iter().any(|id| options.has(id));
    let mut display = Display {
        numbers: match (options.has("-b"), options.has("-n")) {
            (true, _) => Numbers::Filled,
            (false, true) => Numbers::All,
            (false, false) => Numbers::None,
        },
        ends: any(&["-A", "-e", "-E"]),
        tabs: any(&["-A", "-t", "-T"]),
        nonprinting: any(&["-A", "-e", "-t", "-v"]),
        squeezes: options.has("-s"),
        line: 0,
        blank: 0,
        is_at_start: true,
    };
    let is_plain = !display.changes();
    let mut paths = options.operands;
    if paths.is_empty() {
        paths.push(BString::from("-"));
    }
    let mut status = 0;
    for path in &paths {
        let Some(data) = open(process, path)? else {
            status = 1;
            continue;
        };
        if is_plain {
            process.write_data(&data)?;
        } else {
            let bytes = process.bytes(&data)?;
            let shown = display.show(&bytes);
            process.write(shown)?;
        }
    }
    Ok(status)
}

fn open(process: &mut Process<'_, '_>, path: &[u8]) -> Result<Option<Data>, Stop> {
    if path == b"-" {
        return process.read_input().map(Some);
    }
    if is_output(process, path)? {
        process.complain(format!("{}: input file is output file", bare(path)))?;
        return Ok(None);
    }
    let opened = process.open(path);
    attempt(process, opened, || bare(path))
}

/// Whether a file with something in it is where the output goes: reading would never end.
fn is_output(process: &Process<'_, '_>, path: &[u8]) -> Result<bool, Stop> {
    if descriptor_of(path).is_some() {
        return Ok(false);
    }
    let Some(handle) = process.descriptor(1) else { return Ok(false) };
    let OpenFile::Output(Output::File { inode, .. }) = *handle.borrow() else {
        return Ok(false);
    };
    let found = errno(process.find(path, Last::Followed))?;
    Ok(found.is_ok_and(|(_, stat)| stat.identity == Identity::Upper(inode) && stat.size() > 0))
}

/// How lines are shown, and where the last file ended.
struct Display {
    numbers: Numbers,
    ends: bool,
    tabs: bool,
    nonprinting: bool,
    squeezes: bool,
    line: u64,
    blank: u32,
    is_at_start: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbers {
    None,
    Filled,
    All,
}

impl Display {
    fn changes(&self) -> bool {
        self.numbers != Numbers::None || self.ends || self.tabs || self.nonprinting || self.squeezes
    }

    fn show(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(bytes.len());
        for line in bytes.lines_with_terminator() {
            let is_blank = self.is_at_start && line == b"\n";
            self.blank = if is_blank { self.blank + 1 } else { 0 };
            if self.squeezes && self.blank > 1 {
                continue;
            }
            let is_numbered = match self.numbers {
                Numbers::None => false,
                Numbers::Filled => !is_blank,
                Numbers::All => true,
            };
            if self.is_at_start && is_numbered {
                self.line += 1;
                shown.extend_from_slice(format!("{:6}\t", self.line).as_bytes());
            }
            self.is_at_start = line.ends_with(b"\n");
            for byte in line.strip_suffix(b"\n").unwrap_or(line) {
                self.show_byte(*byte, &mut shown);
            }
            if self.is_at_start {
                shown.extend_from_slice(if self.ends { b"$\n" } else { b"\n" });
            }
        }
        shown
    }

    /// `^A`, `M-a` and the like.
    fn show_byte(&self, byte: u8, shown: &mut Vec<u8>) {
        if byte == b'\t' {
            return shown.extend_from_slice(if self.tabs { b"^I" } else { b"\t" });
        }
        if !self.nonprinting {
            return shown.push(byte);
        }
        if byte >= 0x80 {
            shown.extend_from_slice(b"M-");
        }
        match byte & 0x7f {
            low @ 0..0x20 => shown.extend([b'^', low + 0x40]),
            0x7f => shown.extend_from_slice(b"^?"),
            low => shown.push(low),
        }
    }
}
