//! `wc`: how many lines, words and bytes.

use super::busybox::options;
use super::input::{or_input, read};
use super::locale::{Charset, charset, refuse_wide};
use crate::files::{Errno, Kind, Last};
use crate::options::{Known, Order, flag};
use crate::process::{Process, Run, errno};
use crate::programs::Flavour;
use crate::programs::quoting::bare;
use crate::stop::{Reason, Stop};

const KNOWN: &[Known] = &[
    flag("-l", 'l', &["lines"]),
    flag("-w", 'w', &["words"]),
    flag("-m", 'm', &["chars"]),
    flag("-c", 'c', &["bytes"]),
    flag("-L", 'L', &["max-line-length"]),
];

/// Counts.
pub(super) fn wc(process: &mut Process<'_, '_>) -> Run {
    let options = options(process, KNOWN, Order::Anywhere)?;
    let mut wanted: Vec<&str> =
        ["-l", "-w", "-m", "-c", "-L"].into_iter().filter(|id| options.has(id)).collect();
    if wanted.is_empty() {
        wanted = vec!["-l", "-w", "-c"];
    }
    let names = or_input(&options.operands);
    let width = width(process, &names, wanted.len())?;
    let mut total = Counts::default();
    let mut status = 0;
    for name in &names {
        let counts = match read(process, name)? {
            Ok(bytes) => Counts::of(process, &bytes, &wanted)?,
            Err(errno) => {
                process.complain(format!("{}: {errno}", bare(name)))?;
                status = 1;
                if errno != Errno::IsADirectory {
                    continue;
                }
                Counts::default()
            }
        };
        let shown = if options.operands.is_empty() { None } else { Some(&name[..]) };
        process.write(counts.line(&wanted, width, shown))?;
        total.add(&counts);
    }
    if names.len() > 1 {
        process.write(total.line(&wanted, width, Some(b"total")))?;
    }
    Ok(status)
}

/// How wide each number is: enough for the size of all files, and wider for what is none.
fn width(process: &Process<'_, '_>, names: &[bstr::BString], counts: usize) -> Result<usize, Stop> {
    if names.len() == 1 && counts == 1 {
        return Ok(1);
    }
    if process.flavour == Flavour::BusyBox {
        return Ok(9);
    }
    let (mut total, mut least) = (0, 1);
    for name in names {
        if name == "-" {
            let what = "aligns numbers by whether standard input is a file".to_owned();
            return Err(process.refuse(Reason::Use(what)));
        }
        match errno(process.find(name, Last::Followed))? {
            Ok((_, stat)) if matches!(stat.kind, Kind::File(_)) => total += stat.size(),
            Ok(_) => least = 7,
            Err(_) => {}
        }
    }
    Ok(total.to_string().len().max(least))
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Counts {
    lines: u64,
    words: u64,
    characters: u64,
    bytes: u64,
    longest: u64,
}

impl Counts {
    fn of(process: &Process<'_, '_>, text: &[u8], wanted: &[&str]) -> Result<Self, Stop> {
        let mut counts = Counts { bytes: text.len() as u64, ..Counts::default() };
        if wanted.contains(&"-w") || wanted.contains(&"-L") {
            refuse_wide(process, text)?;
        }
        counts.characters = match wanted.contains(&"-m") && !text.is_ascii() {
            true if charset(process, "LC_CTYPE")? == Charset::Utf8 => match str::from_utf8(text) {
                Ok(text) => text.chars().count() as u64,
                Err(_) => return Err(process.refuse(Reason::Use("counts what is no UTF-8".into()))),
            },
            _ => counts.bytes,
        };
        let (mut is_word, mut column) = (false, 0);
        for byte in text {
            match byte {
                b'\n' => {
                    counts.lines += 1;
                    column = 0;
                }
                b'\r' | 12 => column = 0,
                b'\t' => column += 8 - column % 8,
                b' '..=b'~' => column += 1,
                _ => {}
            }
            counts.longest = counts.longest.max(column);
            // What is not printed neither begins nor ends a word.
            if matches!(byte, 9..=13 | b' ') {
                is_word = false;
            } else if (b'!'..=b'~').contains(byte) && !is_word {
                is_word = true;
                counts.words += 1;
            }
        }
        Ok(counts)
    }

    fn add(&mut self, other: &Counts) {
        self.lines += other.lines;
        self.words += other.words;
        self.characters += other.characters;
        self.bytes += other.bytes;
        self.longest = self.longest.max(other.longest);
    }

    fn line(&self, wanted: &[&str], width: usize, name: Option<&[u8]>) -> Vec<u8> {
        let number = |id: &&str| match *id {
            "-l" => self.lines,
            "-w" => self.words,
            "-m" => self.characters,
            "-c" => self.bytes,
            _ => self.longest,
        };
        let numbers: Vec<String> =
            wanted.iter().map(|id| format!("{:>width$}", number(id))).collect();
        let mut line = numbers.join(" ").into_bytes();
        if let Some(name) = name {
            line.push(b' ');
            match name.contains(&b'\n') {
                true => line.extend(bare(name).bytes()),
                false => line.extend_from_slice(name),
            }
        }
        line.push(b'\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn numbers_are_aligned_as_gnu_does() {
        let mut image = Image::new();
        image.file("work/f", "one two\n\tthree\n", 0o644);
        image.file("work/e", "x", 0o644);
        image.directory("work/d", 0o755);
        check(
            &image,
            None,
            &[
                (&["wc", "f"], "", " 2  3 15 f\n"),
                (&["wc", "-l", "f"], "", "2 f\n"),
                (&["wc", "-lw", "f", "e"], "", " 2  3 f\n 0  1 e\n 2  4 total\n"),
                (
                    &["wc", "f", "e", "d", "no"],
                    "",
                    "      2       3      15 f\n      0       1       1 e\n      0       0       0 d\n      2       4      16 total\n!wc: d: Is a directory\nwc: no: No such file or directory\n=1",
                ),
                (&["wc", "-c", "no"], "", "!wc: no: No such file or directory\n=1"),
                (&["wc", "-L", "f"], "", "13 f\n"),
                (&["wc", "-l"], "a\nb\n", "2\n"),
                (&["wc", "-c"], "", "0\n"),
                (&["wc", "-w"], "a b\tc\n", "3\n"),
                (&["wc", "-m", "f"], "", "15 f\n"),
                (&["wc", "--lines", "f"], "", "2 f\n"),
                (&["wc", "/dev/null"], "", "      0       0       0 /dev/null\n"),
            ],
        );
    }
}
