//! Lines, comments, variables and options.

use super::super::{RequirementsFile, decode_requirements};
use super::shown;

const DIGEST: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[test]
fn lines_are_joined_and_stripped_as_pip_does() {
    let check = |text: &str, expected: &str| assert_eq!(shown(text), expected, "{text:?}");
    check("", "");
    check("\n\n# a\n  # b\n", "");
    check("a\nb", "1 a\n2 b");
    check("\u{feff}a\r\nb\r\n\r\nc", "1 a\n2 b\n4 c");
    check("a==1.0 # why", "1 a==1.0");
    check("a==1.0\t# why", "1 a==1.0");
    check("  a  ", "1 a");
    check("a @ https://h/a.whl#sha256=0 # why", "1 a @ https://h/a.whl#sha256=0");
    check("a\\\n==1\\\n.0\nb", "1 a==1.0\n4 b");
    check("a==1 \\\n", "1 a==1");
    check("a==1 \\\\\n", "1 a==1");
    // A comment does not continue, and ends what was to be continued.
    check("# a \\\nb", "2 b");
    check("a==1 \\\n# why\nb", "1 a==1\n3 b");
    check("a==1 # why \\\nb\nc", "1 a==1\n3 c");
    check("a\u{c}b\u{2028}c", "1 a\n2 b\n3 c");
}

#[test]
fn variables_are_expanded_as_pip_does() {
    let check = |text: &str, expected: &str| assert_eq!(shown(text), expected, "{text:?}");
    check("a==${VERSION}", "1 a==1.2.3");
    check("${LINE}", "1 «${LINE}» `--pre` stands behind a requirement | give it a line of its own");
    check(
        "-r ${ABSENT}/${EMPTY}/$VERSION/${version}",
        "1 -r ${ABSENT}/${EMPTY}/$VERSION/${version}",
    );
    check("-r ${NESTED}/${/${}/${VERSION", "1 -r ${VERSION}/${/${}/${VERSION");
    check("# ${VERSION}", "");
}

#[test]
fn secrets_are_not_shown() {
    let text = "-i https://${TOKEN}@h/simple\na @ git+https://${TOKEN}@h/a\nb @ ftp://${TOKEN}@h\n\
                -r https://${TOKEN}@h/r.txt\n--use-feature https://${TOKEN}@h\n--pre=${TOKEN}\n\
                a @ http:/${TOKEN}@h\nhttp:/${TOKEN}@h\n-i ${TOKEN}@h\nc --hash=${TOKEN}";
    let said = shown(text);
    assert_eq!(said.lines().count(), 9, "{said}");
    assert!(!said.contains("SECRET"), "{said}");
    let said = shown("-i https://${TOKEN}@h/simple");
    assert_eq!(said, "1 IndexUrl(\"https://h/simple\")");
}

#[test]
fn options() {
    insta::assert_snapshot!(shown(
        "-r a.txt\n-rb.txt\n--requirement=c.txt\n--requirement 'd e.txt'\n-c f.txt\n--constraint g.txt\n\
         -i https://h/simple\n--index-url=https://h/simple\n--pypi-url https://h/simple\n\
         --extra-index-url https://e/simple\n--no-index\n-f ./wheels\n--find-links https://h/links\n\
         --pre\n--prefer-binary\n--no-binary a,B\n--only-binary=:all:\n--require-hashes\n\
         --trusted-host h:8080\n--use-feature fast-deps\n--requirem h.txt\n-r i.txt --pre -cj.txt\n\
         -r file:k.txt"
    ), @r#"
    1 -r a.txt
    2 -r b.txt
    3 -r c.txt
    4 -r d e.txt
    5 -c f.txt
    6 -c g.txt
    7 IndexUrl("https://h/simple")
    8 IndexUrl("https://h/simple")
    9 IndexUrl("https://h/simple")
    10 ExtraIndexUrl("https://e/simple")
    11 NoIndex
    12 FindLinks("./wheels")
    13 FindLinks("https://h/links")
    14 Prereleases
    16 NoBinary(["a", "B"])
    17 OnlyBinary([":all:"])
    18 RequireHashes
    19 TrustedHost("h:8080")
    21 -r h.txt
    22 -r i.txt
    22 Prereleases
    22 -c j.txt
    23 -r k.txt
    "#);
}

#[test]
fn requirements_with_options() {
    let check = |text: &str, expected: &str| assert_eq!(shown(text), expected, "{text:?}");
    let hash = format!("--hash=sha256:{DIGEST}");
    check(&format!("a==1 {hash}"), "1 a==1 #sha256:aaaaa");
    check(&format!("a==1 --hash sha256:{}", DIGEST.to_uppercase()), "1 a==1 #sha256:aaaaa");
    check(&format!("a==1\t{hash}"), "1 a==1 #sha256:aaaaa");
    check(
        &format!("a==1 ; python_version < \"3\" \\\n    {hash} \\\n    {hash}\n    # via b\nb"),
        "1 a==1 ; python_version < \"3\" #sha256:aaaaa #sha256:aaaaa\n5 b",
    );
    check("a --no-binary a", "1 a\n1 NoBinary([\"a\"])");
}

#[test]
fn settings_add_up() {
    let text = "--no-binary a,B_c --only-binary b.C\n--find-links wheels\n-f file:///w\n\
                -f https://h/links\n--no-binary :none:\n-i https://a/\n-i https://b/\n\
                --extra-index-url https://c/\n--extra-index-url https://c/\n--trusted-host h";
    let file = super::parse_requirements(text, &|_| None).unwrap();
    insta::assert_debug_snapshot!(file.settings("in/r.txt"), @r#"
    Settings {
        indexes: Indexes {
            index_url: Some(
                "https://b/",
            ),
            extra_index_urls: [
                "https://c/",
            ],
            no_index: false,
            find_links: [
                "https://h/links",
            ],
        },
        directories: [
            LinkDirectory {
                beside: "in/wheels",
                path: "wheels",
                origin: Origin {
                    file: "in/r.txt",
                    line: 2,
                },
            },
            LinkDirectory {
                beside: "/w",
                path: "/w",
                origin: Origin {
                    file: "in/r.txt",
                    line: 3,
                },
            },
        ],
        prereleases: IfNecessaryOrExplicit,
        no_binary: [],
        only_binary: [
            "b-c",
        ],
        require_hashes: false,
        trusted_hosts: [
            "h",
        ],
    }
    "#);
}

#[test]
fn paths_of_includes() {
    let check = |file, path, expected| {
        assert_eq!(RequirementsFile::beside(file, path), expected, "{file} {path}");
    };
    check("a.txt", "b.txt", "b.txt");
    check("in/a.txt", "b.txt", "in/b.txt");
    check("in/a.txt", "../b.txt", "b.txt");
    check("in/a.txt", "./c//./b.txt", "in/c/b.txt");
    check("a.txt", "../b.txt", "../b.txt");
    check("../a.txt", "../b.txt", "../../b.txt");
    check("in/a.txt", "/b.txt", "/b.txt");
    check("/tmp/a.txt", "b.txt", "/tmp/b.txt");
    check("/a.txt", "../../b.txt", "/b.txt");
}

#[test]
fn bytes() {
    let check = |bytes: &[u8], expected: Result<&str, (usize, &str)>| {
        let found = decode_requirements(bytes);
        let found = found.as_deref().map_err(|problem| (problem.line, problem.message.as_str()));
        assert_eq!(found, expected, "{bytes:?}");
    };
    check(b"a\n", Ok("a\n"));
    check("\u{feff}a".as_bytes(), Ok("\u{feff}a"));
    check(b"\xff\xfea\0=\0=\x001\0", Ok("a==1"));
    check(b"\xfe\xff\0a", Ok("a"));
    check(b"\xff\xfea", Err((1, "the file begins as UTF-16 and does not go on so")));
    check(b"\xff\xfe\0\xd8", Err((1, "the file begins as UTF-16 and does not go on so")));
    check(b"a\n# caf\xe9", Err((2, "the file is not UTF-8")));
}
