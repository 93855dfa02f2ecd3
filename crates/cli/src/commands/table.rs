//! Lists as Docker prints them: templates for lines, and columns that line up.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::flags::ListReport;
use crate::template::Template;

/// A column that a list can have.
pub(super) struct Column {
    /// The field's name in templates and JSON.
    pub(super) field: &'static str,
    /// The heading.
    pub(super) heading: &'static str,
}

/// A row's fields.
pub(super) type Row = Map<String, Value>;

/// Renders `rows` as `report` asks for. `table` are the template fields of the usual table, `id` is
/// the field that stands alone where only ids are wanted.
pub(super) fn render(
    report: &ListReport,
    rows: Vec<Row>,
    columns: &[Column],
    table: &str,
    id: &str,
) -> Result<String, Error> {
    match report {
        ListReport::Table => with_headings(table, rows, columns),
        ListReport::TableTemplate(template) => with_headings(template, rows, columns),
        ListReport::Template(template) => lines(&Template::parse(template)?, rows),
        ListReport::Ids => lines(&Template::parse(&format!("{{{{.{id}}}}}"))?, rows),
        ListReport::Json => {
            let line = |row: Row| format!("{}\n", Value::Object(row));
            Ok(rows.into_iter().map(line).collect())
        }
    }
}

fn lines(template: &Template, rows: Vec<Row>) -> Result<String, Error> {
    let mut text = String::new();
    for row in rows {
        text.push_str(&template.render(&Value::Object(row))?);
        text.push('\n');
    }
    Ok(text)
}

/// The headings are the template's own fields, with the columns' names for values.
fn with_headings(template: &str, rows: Vec<Row>, columns: &[Column]) -> Result<String, Error> {
    let headings = columns.iter().map(|c| (c.field.to_owned(), Value::from(c.heading))).collect();
    let template = Template::parse(template)?;
    let all = std::iter::once(headings).chain(rows.into_iter().map(printable)).collect();
    Ok(align(&lines(&template, all)?))
}

/// A row for a terminal: what an image's author wrote must neither draw on it nor break the table.
fn printable(mut row: Row) -> Row {
    for value in row.values_mut() {
        if let Value::String(text) = value {
            *text = text.replace(char::is_control, " ");
        }
    }
    row
}

/// Lines up what stands between tabs: columns are at least 10 wide, with 3 between them, as
/// Docker's `tabwriter` has them; what follows a line's last tab is as wide as it is.
fn align(text: &str) -> String {
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let mut widths: Vec<usize> = Vec::new();
    for row in &rows {
        for (at, cell) in row[..row.len() - 1].iter().enumerate() {
            let width = (cell.chars().count() + 3).max(10);
            match widths.get_mut(at) {
                Some(known) => *known = width.max(*known),
                None => widths.push(width),
            }
        }
    }
    let mut aligned = String::new();
    for row in &rows {
        let (last, cells) = row.split_last().unwrap_or((&"", &[]));
        for (cell, width) in cells.iter().zip(&widths) {
            let width = *width;
            aligned.push_str(&format!("{cell:<width$}"));
        }
        aligned.push_str(last);
        aligned.push('\n');
    }
    aligned
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows() -> Vec<Row> {
        let row = |name: &str, size: &str| {
            let Value::Object(row) = json!({ "Name": name, "Size": size }) else { panic!() };
            row
        };
        vec![row("a", "1B"), row("a-longer-name", "20kB")]
    }

    fn check(report: ListReport, expected: &str) {
        let columns =
            [Column { field: "Name", heading: "NAME" }, Column { field: "Size", heading: "SIZE" }];
        let text = render(&report, rows(), &columns, "{{.Name}}\t{{.Size}}", "Name").unwrap();
        assert_eq!(text, expected);
    }

    #[test]
    fn values_cannot_draw_on_the_terminal() {
        let Value::Object(row) = json!({ "Name": "a\u{1b}[2J\n\tb" }) else { panic!() };
        let columns = [Column { field: "Name", heading: "NAME" }];
        let show = |report| render(&report, vec![row.clone()], &columns, "{{.Name}}", "Name");
        assert_eq!(show(ListReport::Table).unwrap(), "NAME\na [2J  b\n");
        let template = ListReport::Template("{{.Name}}".into());
        assert_eq!(show(template).unwrap(), "a\u{1b}[2J\n\tb\n", "programs get what there is");
    }

    #[test]
    fn lists() {
        check(
            ListReport::Table,
            "NAME            SIZE\na               1B\na-longer-name   20kB\n",
        );
        check(ListReport::Ids, "a\na-longer-name\n");
        check(
            ListReport::Json,
            "{\"Name\":\"a\",\"Size\":\"1B\"}\n{\"Name\":\"a-longer-name\",\"Size\":\"20kB\"}\n",
        );
        check(ListReport::Template("{{.Size}}".into()), "1B\n20kB\n");
        check(
            ListReport::TableTemplate("{{.Size}}\t{{upper .Name}}".into()),
            "SIZE      NAME\n1B        A\n20kB      A-LONGER-NAME\n",
        );
    }
}
