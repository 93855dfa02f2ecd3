//! `--list`: packages in columns.

use bstr::{BString, ByteSlice};
use shell::Process;

use super::format::{abbreviation, synopsis};
use super::{Query, Step};

const HEAD: &str = "Desired=Unknown/Install/Remove/Purge/Hold\n\
    | Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n\
    |/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n";
/// The widths of columns, unless something needs more.
const WIDTHS: [usize; 4] = [14, 12, 12, 33];

pub(super) fn list(process: &mut Process<'_, '_>, query: &Query) -> Step<usize> {
    let (chosen, missing) = query.chosen(process)?;
    let text = |package: &super::Package, field: &str| match package.stanza.text(field) {
        Some(value) if !value.is_empty() => BString::from(value),
        _ => "<none>".into(),
    };
    let rows: Vec<(String, [BString; 4])> = chosen
        .iter()
        .map(|package| {
            let name = query.name(package).into();
            let (version, architecture) = (text(package, "Version"), text(package, "Architecture"));
            (abbreviation(package), [name, version, architecture, synopsis(package)])
        })
        .collect();
    if !rows.is_empty() {
        process.write(table(&rows))?;
    }
    query.note_missing(process, &missing)
}

fn table(rows: &[(String, [BString; 4])]) -> Vec<u8> {
    let mut widths = WIDTHS;
    for (_, cells) in rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = Vec::from(HEAD);
    let titles = ["Name", "Version", "Architecture", "Description"].map(BString::from);
    write_row(&mut text, "||/", &titles, &widths);
    let lines = widths.map(|width| "=".repeat(width));
    text.extend(format!("+++-{}\n", lines.join("-")).bytes());
    for (marks, cells) in rows {
        write_row(&mut text, marks, cells, &widths);
    }
    text
}

fn write_row(text: &mut Vec<u8>, marks: &str, cells: &[BString; 4], widths: &[usize; 4]) {
    text.extend_from_slice(marks.as_bytes());
    for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
        text.push(b' ');
        text.extend_from_slice(cell);
        if at < 3 {
            text.extend(std::iter::repeat_n(b' ', width.saturating_sub(cell.chars().count())));
        }
    }
    text.push(b'\n');
}
