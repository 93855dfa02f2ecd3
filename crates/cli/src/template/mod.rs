//! `--format`: the part of Go's `text/template` that Docker's users write.
//!
//! Actions: fields, variables, pipelines, `if`/`else`, `range`, `with`, `break`, `continue`,
//! comments, `{{-` and `-}}`. Functions: Go's own (`and`, `or`, `not`, `index`, `slice`, `len`,
//! `print…`, `eq…`) and Docker's (`json`, `join`, `split`, `upper`, `lower`, `title`, `pad`,
//! `truncate`). Templates that define templates are refused. Data is JSON; a field that the data
//! does not have is an error, so that a mistyped one is not taken for an empty one.

mod evaluate;
mod functions;
mod parse;

use serde_json::Value;

use crate::flags::closest;
use parse::Node;

/// A template, parsed.
#[derive(Debug)]
pub(crate) struct Template(Vec<Node>);

/// Why a text is not a template, or does not fit its data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    /// The text does not parse.
    #[error("column {column} of the template: {problem}")]
    Syntax {
        /// Where, in characters, counted from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A function that does not exist.
    #[error("the template calls `{name}`, which is not a function")]
    UnknownFunction {
        /// Its name.
        name: String,
    },
    /// A field that the data does not have.
    #[error("the template asks for `.{field}`, and {of} has none")]
    NoField {
        /// The field.
        field: String,
        /// What it was asked of.
        of: String,
        /// What that has.
        known: Vec<String>,
    },
    /// A variable that was not set.
    #[error("the template uses `${name}`, which is not set")]
    NoVariable {
        /// Its name.
        name: String,
    },
    /// Something that a function or action cannot work on.
    #[error("`{name}` in the template {problem}")]
    Argument {
        /// The function or action.
        name: String,
        /// What is wrong with what it was given.
        problem: String,
    },
}

impl TemplateError {
    /// The way out, if there is one to offer.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            TemplateError::NoField { field, known, .. } => {
                Some(match closest(field, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `.{near}`?"),
                    None if known.is_empty() => return None,
                    None => format!("there are .{}", known.join(", .")),
                })
            }
            TemplateError::UnknownFunction { name } => {
                closest(name, functions::NAMES.iter().copied())
                    .map(|near| format!("did you mean `{near}`?"))
            }
            _ => None,
        }
    }
}

impl Template {
    /// Parses a template. `\t` and `\n` outside of actions are a tab and a new line, as in Docker.
    pub(crate) fn parse(text: &str) -> Result<Template, TemplateError> {
        parse::parse(&text.replace("\\t", "\t").replace("\\n", "\n")).map(Template)
    }

    /// What the template makes of `data`.
    pub(crate) fn render(&self, data: &Value) -> Result<String, TemplateError> {
        evaluate::evaluate(&self.0, data)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn data() -> Value {
        json!({
            "Id": "sha256:2cf2",
            "Size": 72_800_000_u64,
            "RepoTags": ["a:1", "b:2"],
            "RepoDigests": [],
            "Parent": null,
            "Config": {
                "Env": ["PATH=/bin", "A=b"],
                "Labels": { "org.label": "x", "z": "<&>" },
                "ExposedPorts": { "80/tcp": {} },
                "Tty": false,
            },
            "Layers": [{ "Size": 1, "Name": "x" }, { "Size": 2, "Name": "y" }],
        })
    }

    #[track_caller]
    fn check(template: &str, expected: &str) {
        let rendered = Template::parse(template).and_then(|template| template.render(&data()));
        assert_eq!(rendered.as_deref(), Ok(expected), "{template}");
    }

    #[track_caller]
    fn refuse(template: &str, expected: &str) {
        let error = Template::parse(template)
            .and_then(|template| template.render(&data()))
            .expect_err(template);
        let hint = error.hint().map(|hint| format!(" | {hint}")).unwrap_or_default();
        assert_eq!(format!("{error}{hint}"), expected, "{template}");
    }

    #[test]
    fn values_print_as_go_prints_them() {
        check("{{.Id}} {{ .Size }}", "sha256:2cf2 72800000");
        check("{{.RepoTags}}{{.RepoDigests}}", "[a:1 b:2][]");
        check("{{.Config.Labels}}", "map[org.label:x z:<&>]");
        check("{{.Config.ExposedPorts}}", "map[80/tcp:map[]]");
        check("{{.Config.Tty}} {{.Parent}}", "false <nil>");
        check("plain } text", "plain } text");
        check(r"{{.Id}}\t{{.Size}}\n", "sha256:2cf2\t72800000\n");
    }

    #[test]
    fn json_escapes_nothing_for_web_pages() {
        check("{{json .Config.Labels}}", r#"{"org.label":"x","z":"<&>"}"#);
        check("{{.RepoTags | json}}", r#"["a:1","b:2"]"#);
        check("{{json .}}", &data().to_string());
    }

    #[test]
    fn index_len_and_slice() {
        check("{{index .RepoTags 1}}", "b:2");
        check("{{(index .Layers 0).Name}}", "x");
        check("{{index .Config.Labels \"org.label\"}}", "x");
        check("[{{index .Config.Labels \"none\"}}]", "[]");
        check("{{len .RepoTags}} {{len .Id}} {{len .Config.Labels}}", "2 11 2");
        check("{{slice .Id 7}} {{slice .Id 0 6}}", "2cf2 sha256");
        check("{{slice .RepoTags 1}}", "[b:2]");
        refuse(
            "{{index .RepoDigests 0}}",
            "`index` in the template is given 0, and the list has 0",
        );
        refuse("{{slice .Id 4 99}}", "`slice` in the template is given 99, and there are 11");
        refuse("{{len .Size}}", "`len` in the template is given a number");
    }

    #[test]
    fn conditions() {
        check("{{if .RepoTags}}yes{{else}}no{{end}}", "yes");
        check("{{if .RepoDigests}}yes{{else if .Parent}}parent{{else}}no{{end}}", "no");
        check("{{if and .Id (not .Parent)}}yes{{end}}", "yes");
        check("{{or .Parent \"none\"}}", "none");
        check("{{if eq .Id \"a\" \"sha256:2cf2\"}}one of them{{end}}", "one of them");
        check("{{if gt .Size 1000}}big{{end}}{{if le .Size 5}}small{{end}}", "big");
        check("{{with .Config}}{{.Tty}}{{end}}{{with .Parent}}x{{else}}none{{end}}", "falsenone");
        refuse("{{if lt .Id 3}}{{end}}", "`lt` in the template compares a text and a number");
    }

    #[test]
    fn loops() {
        check("{{range .RepoTags}}{{.}};{{end}}", "a:1;b:2;");
        check("{{range $i, $e := .RepoTags}}{{$i}}={{$e}} {{end}}", "0=a:1 1=b:2 ");
        check("{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}", "org.label=x z=<&> ");
        check("{{range .RepoDigests}}x{{else}}none{{end}}", "none");
        check("{{range .Layers}}{{if eq .Size 2}}{{continue}}{{end}}{{.Name}}{{end}}", "x");
        check("{{range .Layers}}{{.Name}}{{break}}{{end}}", "x");
        check("{{range $p, $_ := .Config.ExposedPorts}}{{$p}}{{end}}", "80/tcp");
        check("{{range .Layers}}{{$.Id}} {{end}}", "sha256:2cf2 sha256:2cf2 ");
        check("{{$n := 0}}{{range .Layers}}{{$n = .Size}}{{end}}{{$n}}", "2");
    }

    #[test]
    fn texts() {
        check("{{join .RepoTags \", \"}}", "a:1, b:2");
        check("{{index (split .Id \":\") 1 | upper}}", "2CF2");
        check("{{lower \"AbC\"}}{{title \"abc\"}}", "abcAbc");
        check("[{{pad \"a\" 1 2}}]{{truncate .Id 6}}", "[ a  ]sha256");
        check(
            "{{printf \"%-5s|%5d|%q|%.1f|%v|%%\" \"ab\" 42 \"c\" 1.25 true}}",
            "ab   |   42|\"c\"|1.2|true|%",
        );
        check("{{print 1 2 \"a\" \"b\" 3}}", "1 2ab3");
        check("{{println .Id}}", "sha256:2cf2\n");
        check("{{`raw \"text\"`}}{{\"\\u00fc\\t\"}}", "raw \"text\"ü\t");
        refuse("{{printf \"%d\" .Id}}", "`printf` in the template has a %d for a text");
        refuse("{{printf \"%s\"}}", "`printf` in the template has more verbs than values");
    }

    #[test]
    fn space_and_comments_are_taken_off() {
        check("a  {{- /* why */ -}}  b", "ab");
        check("{{range .RepoTags -}}\n  {{.}}\n{{- end}}", "a:1b:2");
        check("{{/* nothing */}}", "");
    }

    #[test]
    fn what_is_wrong_is_named() {
        refuse(
            "{{.Idd}}",
            "the template asks for `.Idd`, and the data has none | did you mean `.Id`?",
        );
        refuse(
            "{{.Config.Xyz}}",
            "the template asks for `.Xyz`, and `.Config` has none | there are .Env, .Labels, \
             .ExposedPorts, .Tty",
        );
        refuse("{{.Id.Hex}}", "the template asks for `.Hex`, and `.Id`, a text, has none");
        refuse(
            "{{jsn .}}",
            "the template calls `jsn`, which is not a function | did you mean `json`?",
        );
        refuse("{{.Id", "column 1 of the template: the action is not closed by `}}`");
        refuse("{{if .Id}}x", "column 1 of the template: `if` has no `end`");
        refuse("x{{end}}", "column 2 of the template: `end` closes nothing");
        refuse("{{\"a}}", "column 3 of the template: the text is not closed");
        refuse("{{$x}}", "the template uses `$x`, which is not set");
        refuse("{{define \"a\"}}{{end}}", "column 3 of the template: `define` is not supported");
        refuse("{{}}", "column 1 of the template: the action is empty");
        refuse("{{break}}", "column 3 of the template: `break` is not in a `range`");
    }

    #[test]
    fn depth_has_an_end() {
        let deep = format!("{{{{{}1{}}}}}", "(".repeat(5000), ")".repeat(5000));
        refuse(&deep, "column 103 of the template: this is nested too deeply");
        let ifs = "{{if .Id}}".repeat(5000);
        assert!(Template::parse(&ifs).is_err());
    }
}
