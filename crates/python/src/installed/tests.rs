//! What is installed, and what goes with it.

use oci::ImagePath;
use proptest::prelude::*;

use crate::Distribution;
use crate::fixture::Image;

const PYTHON: &str = "
    usr/local/bin/python3 -> python3.11
    usr/local/bin/python3.11*
    usr/local/lib/python3.11/os.py
    lib/x86_64-linux-gnu/libc.so.6 -> libc-2.31.so
    lib/x86_64-linux-gnu/libc-2.31.so
    ";

fn shown(distributions: &[Distribution]) -> String {
    let lines =
        distributions.iter().map(|Distribution { name, version, metadata, files, .. }| {
            let files =
                files.as_ref().map_or("no list".to_owned(), |files| files.len().to_string());
            format!("{name} {version} {metadata} ({files})")
        });
    lines.collect::<Vec<_>>().join("\n")
}

fn listed(image: &mut Image, name: &str) -> String {
    let all = image.distributions();
    let files = all.into_iter().find(|found| found.name == name).and_then(|found| found.files);
    let files = files.unwrap_or_default();
    files.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Lines below the directory of packages.
fn packages(lines: &str) -> String {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    let below = lines.map(|line| format!("usr/local/lib/python3.11/site-packages/{line}"));
    below.collect::<Vec<_>>().join("\n")
}

const DEMO: &str = "
    demo/__init__.py
    demo/data/table.csv
    demo/__pycache__/__init__.cpython-311.pyc
    demo/__pycache__/__init__.cpython-311.opt-1.pyc
    demo/__pycache__/__init__.cpython-310.pyc
    demo.py
    __pycache__/demo.cpython-311.pyc
    __pycache__/other.cpython-311.pyc
    demo-1.0.dist-info/METADATA < Name: Demo\\nVersion: 1.0\\n
    demo-1.0.dist-info/INSTALLER < pip
    demo-1.0.dist-info/RECORD < demo/__init__.py,sha256=x,1\\r\\ndemo/data/table.csv,,\\r\\ndemo.py,,\\r\\ndemo/gone.py,,\\r\\n../../../bin/demo,,\\r\\ndemo-1.0.dist-info/METADATA,,\\r\\ndemo-1.0.dist-info/INSTALLER,,\\r\\ndemo-1.0.dist-info/RECORD,,\\r\\n
    ";

#[test]
fn a_wheel_goes_with_its_bytecode_and_scripts() {
    let bin = "usr/local/bin/demo*\nusr/local/bin/other*";
    let mut image = Image::of(PYTHON).with_layer(&packages(DEMO)).with_layer(bin);
    insta::assert_snapshot!(shown(&image.distributions()), @"demo 1.0 usr/local/lib/python3.11/site-packages/demo-1.0.dist-info (10)");
    insta::assert_snapshot!(listed(&mut image, "demo"), @"
    usr/local/bin/demo
    usr/local/lib/python3.11/site-packages/__pycache__/demo.cpython-311.pyc
    usr/local/lib/python3.11/site-packages/demo/__init__.py
    usr/local/lib/python3.11/site-packages/demo/__pycache__/__init__.cpython-311.opt-1.pyc
    usr/local/lib/python3.11/site-packages/demo/__pycache__/__init__.cpython-311.pyc
    usr/local/lib/python3.11/site-packages/demo/data/table.csv
    usr/local/lib/python3.11/site-packages/demo-1.0.dist-info/INSTALLER
    usr/local/lib/python3.11/site-packages/demo-1.0.dist-info/METADATA
    usr/local/lib/python3.11/site-packages/demo-1.0.dist-info/RECORD
    usr/local/lib/python3.11/site-packages/demo.py
    ");
    insta::assert_snapshot!(image.removal("demo"), @"
    usr/local/bin/demo
    usr/local/lib/python3.11/site-packages/__pycache__/demo.cpython-311.pyc
    usr/local/lib/python3.11/site-packages/demo/__init__.py
    usr/local/lib/python3.11/site-packages/demo/__pycache__/__init__.cpython-311.opt-1.pyc
    usr/local/lib/python3.11/site-packages/demo/__pycache__/__init__.cpython-311.pyc
    usr/local/lib/python3.11/site-packages/demo/data
    usr/local/lib/python3.11/site-packages/demo-1.0.dist-info
    usr/local/lib/python3.11/site-packages/demo.py
    ");
    // Layers, databases and headers, metadata: no more.
    assert!(image.rounds <= 3, "{}", image.rounds);
}

#[test]
fn directories_go_with_the_last_of_their_files() {
    let bytecode = packages("demo/__pycache__/__init__.cpython-310.pyc");
    let mut image = Image::of(PYTHON)
        .with_layer(&packages(DEMO))
        .with_layer(&packages("demo/empty/nothing/"))
        .with_layer(&format!("-{bytecode}"));
    insta::assert_snapshot!(image.removal("demo"), @"
    usr/local/lib/python3.11/site-packages/__pycache__/demo.cpython-311.pyc
    usr/local/lib/python3.11/site-packages/demo
    usr/local/lib/python3.11/site-packages/demo-1.0.dist-info
    usr/local/lib/python3.11/site-packages/demo.py
    ");
}

/// Those that the files' own directories are in stay, as with pip.
#[test]
fn directories_of_namespaces_stay() {
    let mut image = Image::of(PYTHON).with_layer("usr/local/share/man/").with_layer(&packages(
        "space/name/demo/__init__.py
        space/name/demo/data/deep/table.csv
        ../../../share/demo/manual
        demo-1.dist-info/METADATA < Name: demo\\nVersion: 1\\n
        demo-1.dist-info/RECORD < space/name/demo/__init__.py,,\\nspace/name/demo/data/deep/table.csv,,\\n../../../share/demo/manual,,",
    ));
    insta::assert_snapshot!(image.removal("demo"), @"
    usr/local/lib/python3.11/site-packages/space/name/demo
    usr/local/share/demo
    ");
}

#[test]
fn records_do_not_reach_out_of_the_prefix() {
    let image = Image::of(PYTHON)
        .with_layer("etc/passwd\nusr/bin/sh*\nusr/local/share/x\nusr/local/out -> /etc");
    let mut image = image.with_layer(&packages(
        "evil-1.dist-info/METADATA < Name: evil\\nVersion: 1\\n
        evil-1.dist-info/RECORD < /etc/passwd,,\\n../../../../bin/sh,,\\n../../../../../../../../../../etc/passwd,,\\n../../../out/passwd,,\\n.,,\\n..,,\\n/,,\\n../../../share,,\\n../../../share/x,,\\n/usr/local/out,,\\n\\0,,\\n\"",
    ));
    insta::assert_snapshot!(listed(&mut image, "evil"), @"
    usr/local/out
    usr/local/share/x
    ");
}

#[test]
fn every_form_of_metadata_counts() {
    let mut image = Image::of(PYTHON)
        .with_layer(&packages(
            "a.txt
            one-1.dist-info/METADATA < Name: one\\nVersion: 1\\n
            two-2-py3.11.egg-info < Metadata-Version: 1.0\\nName: two\\nVersion: 2\\n
            three-3-py3.11.egg-info/PKG-INFO < Name: three\\nVersion: 3\\n
            three-3-py3.11.egg-info/top_level.txt < three\\n
            three-3-py3.11.egg-info/installed-files.txt < ../three/__init__.py\\n./PKG-INFO\\n
            three-3-py3.11.egg-info/entry_points.txt < [console_scripts]\\nthree = three:main\\n
            three/__init__.py
            four-4-py3.11.egg/EGG-INFO/PKG-INFO < Name: four\\nVersion: 4\\n
            five.egg-link < /src/five\\n.
            six.egg-link < /nowhere\\n.
            seven.egg-link < ../relative
            ~ight-8.dist-info/METADATA < Name: eight\\nVersion: 8\\n
            nine-9.dist-info/RECORD < nine.py,,
            __editable__.ten-10.pth < /src/ten
            ten-10.dist-info/METADATA < Name: ten\\nVersion: 10\\n
            ten-10.dist-info/RECORD < __editable__.ten-10.pth,,\\nten-10.dist-info/METADATA,,\\nten-10.dist-info/RECORD,,
            loop-1.dist-info -> loop-1.dist-info",
        ))
        .with_layer("usr/local/bin/three")
        .with_layer("src/five/five.egg-info/PKG-INFO < Name: five\\nVersion: 5\\n");
    insta::assert_snapshot!(shown(&image.distributions()), @"
    five 5 src/five/five.egg-info (no list)
    four 4 usr/local/lib/python3.11/site-packages/four-4-py3.11.egg (no list)
    nine 9 usr/local/lib/python3.11/site-packages/nine-9.dist-info (0)
    one 1 usr/local/lib/python3.11/site-packages/one-1.dist-info (no list)
    ten 10 usr/local/lib/python3.11/site-packages/ten-10.dist-info (3)
    three 3 usr/local/lib/python3.11/site-packages/three-3-py3.11.egg-info (6)
    two 2 usr/local/lib/python3.11/site-packages/two-2-py3.11.egg-info (no list)
    ");
    insta::assert_snapshot!(image.removal("three"), @"
    usr/local/bin/three
    usr/local/lib/python3.11/site-packages/three
    usr/local/lib/python3.11/site-packages/three-3-py3.11.egg-info
    ");
    insta::assert_snapshot!(image.removal("ten"), @"
    usr/local/lib/python3.11/site-packages/__editable__.ten-10.pth
    usr/local/lib/python3.11/site-packages/ten-10.dist-info
    ");
    assert_eq!(image.removal("one"), "cannot be removed");
}

#[test]
fn earlier_directories_win() {
    let mut image = Image::of(
        "usr/bin/python3 -> python3.11
        usr/bin/python3.11*
        usr/lib/python3.11/os.py
        usr/local/lib/python3.11/dist-packages/requests-2.32.dist-info/METADATA < Name: requests\\nVersion: 2.32\\n
        usr/local/lib/python3.11/dist-packages/requests-2.32.dist-info/RECORD < requests-2.32.dist-info/RECORD,,
        usr/lib/python3/dist-packages/requests-2.28.1.egg-info/PKG-INFO < Name: requests\\nVersion: 2.28.1\\n
        usr/lib/python3/dist-packages/six-1.16.0.dist-info/METADATA < Name: six\\nVersion: 1.16.0\\n
        usr/lib/python3/dist-packages/six-1.16.0.dist-info/RECORD < six.py,,
        usr/lib/python3/dist-packages/six.py
        lib/x86_64-linux-gnu/libc.so.6 -> libc-2.31.so
        lib/x86_64-linux-gnu/libc-2.31.so",
    );
    insta::assert_snapshot!(shown(&image.distributions()), @"
    requests 2.32 usr/local/lib/python3.11/dist-packages/requests-2.32.dist-info (1)
    six 1.16.0 usr/lib/python3/dist-packages/six-1.16.0.dist-info (no list)
    ");
    assert_eq!(image.removal("six"), "cannot be removed");
}

#[test]
fn links_above_files_are_followed() {
    let mut image = Image::of(PYTHON)
        .with_layer("usr/local/share/real/x.txt\nusr/local/linked -> share/real")
        .with_layer(&packages(
            "demo-1.dist-info/METADATA < Name: demo\\nVersion: 1\\n
            demo-1.dist-info/RECORD < ../../../linked/x.txt,,\\ndemo/link,,
            demo/link -> /etc/passwd",
        ));
    insta::assert_snapshot!(image.removal("demo"), @"
    usr/local/lib/python3.11/site-packages/demo
    usr/local/share/real
    ");
}

proptest! {
    /// Whatever a record says, nothing outside of the prefix goes, and nothing that is not there.
    #[test]
    fn no_record_reaches_out(
        rows in prop::collection::vec("(\\.\\./|/|usr/|local/|etc/|out/|passwd|x\\.py|\"|,|\\PC|\n){0,12}", 0..20),
        header in "(Name:|Version:|demo|\\PC|\n| ){0,10}",
    ) {
        let place = "usr/local/lib/python3.11/site-packages/demo-1.dist-info";
        let mut image = Image::of(PYTHON)
            .with_layer("etc/passwd\nusr/x.py\nusr/local/x.py\nusr/local/out -> /etc")
            .with_file(&format!("{place}/RECORD"), rows.join("\n"))
            .with_file(&format!("{place}/METADATA"), header);
        let prefix = ImagePath::lexical("usr/local");
        for distribution in image.distributions() {
            for path in distribution.files.into_iter().flatten() {
                prop_assert!(path.starts_with(&prefix), "{}", path);
                prop_assert!(image.view().root.lookup(&path).unwrap().is_some());
            }
        }
    }
}
