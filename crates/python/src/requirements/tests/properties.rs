//! Whatever the text, there is an answer, and it points into the text. `PROPTEST_CASES` tries more.

use proptest::prelude::*;

use super::super::{Gathering, Reading, Role, gather_requirements, suspect_pin};
use super::{check_places, environment};
use crate::check_requirement;

/// Pieces that mean something, in any order, and anything else.
pub(crate) fn requirements() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => prop::sample::select(vec![
            "a", "flask", "é", "==", "=", ">=", "~=", "<", "1.0", "1.*", "*", "-", "--", ",", ";", " ", "\t",
            "\n", "\r\n", "\r", "\\\n", "\\", "#", " #", "[", "]", "(", ")", "@", " @ ", "https://h/",
            "file:", "//", "git+", ".whl", ".", "/", "..", "-r ", "-c", "-e", "--hash=", "sha256:",
            "--pre", "--no-binary ", ":all:", "--index-url=", "'", "\"", "${TOKEN}", "${VERSION}", "${", "}",
            "\u{feff}", "\u{a0}", "\u{85}", "\u{2028}", "\u{1f}", "# coding: x", "#egg=", "%2", "%3B", "%5bx%5d", "file:a", "%ff",
            "python_version < '3'", "“", "\u{c}", "os_name",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn files(text in requirements()) {
        check_places(&text);
    }

    #[test]
    fn shapes(text in requirements()) {
        let _ = suspect_pin(&text);
        match check_requirement(&text) {
            Ok(shape) => {
                // What is handed on is read in the same way.
                let written = shape.text();
                let again = check_requirement(&written);
                let again = again.unwrap_or_else(|problem| panic!("{written:?}: {problem:?}"));
                prop_assert_eq!(&again.wanted, &shape.wanted, "{}", written);
                prop_assert_eq!(&again.extras, &shape.extras, "{}", written);
                prop_assert_eq!(again.marker, shape.marker, "{}", written);
                prop_assert_eq!(&again.text(), &written);
            }
            Err(problem) => prop_assert!(text.get(problem.span.clone()).is_some(), "{problem:?}"),
        }
    }

    #[test]
    fn gathered(texts in prop::collection::vec(requirements(), 3)) {
        let mut read = |path: &str| match path.len() % 4 {
            3 => Reading::Unknown,
            which => Reading::Text(texts[which].as_str().into()),
        };
        match gather_requirements(&[(Role::Requirements, "root")], &environment, &mut read) {
            Ok(Gathering::Lacks(paths)) => prop_assert!(!paths.is_empty()),
            Ok(Gathering::Whole(gathered)) => {
                prop_assert!(gathered.unpinned.len() <= gathered.requirements.len());
            }
            Err(problems) => prop_assert!(!problems.is_empty()),
        }
    }
}
