//! What wheels become, told as a list of files with modes, texts and rows.

use oci::ImagePath;

use super::zip::{FILE, FILENAME, PROGRAM, Part, Zip, info};
use crate::interpreter::{Interpreter, Layout, Version};
use crate::wheel::{
    FileOrigin, InstallOptions, Installation, Method, Wheel, WheelFault, collisions,
};

pub(super) const INTERPRETER: &str = "/usr/local/bin/python3.11";

/// The layout of the `python` images.
pub(super) fn interpreter(executable: &str) -> Interpreter {
    let packages = ImagePath::lexical("usr/local/lib/python3.11/site-packages");
    Interpreter {
        executable: executable.to_owned(),
        version: Version { major: 3, minor: 11, patch: Some(7), suffix: String::new() },
        free_threaded: false,
        layout: Layout {
            purelib: packages.clone(),
            platlib: ImagePath::lexical("usr/local/lib64/python3.11/site-packages"),
            scripts: ImagePath::lexical("usr/local/bin"),
            headers: ImagePath::lexical("usr/local/include/python3.11"),
            data: ImagePath::lexical("usr/local"),
        },
        search_path: vec![packages],
        foreign: Vec::new(),
        externally_managed: false,
    }
}

fn install_with(zip: &Zip, options: &InstallOptions<'_>) -> Result<Installation, WheelFault> {
    let (bytes, wheel) = zip.read().unwrap();
    wheel.install(&bytes, &interpreter(INTERPRETER), options).map_err(|error| error.fault)
}

fn install(zip: &Zip) -> Installation {
    install_with(zip, &InstallOptions::default()).unwrap()
}

fn refused(files: &[(&str, &str)]) -> String {
    let zip = Zip::wheel(files);
    install_with(&zip, &InstallOptions::default()).unwrap_err().to_string()
}

/// A line a file; what comes from the wheel by its number.
fn listed(installation: &Installation) -> String {
    let lines = installation.files.iter().map(|file| {
        let origin = match &file.origin {
            FileOrigin::Member(index) => format!("#{index}"),
            FileOrigin::Inline(_) => "made".to_owned(),
        };
        let path = file.path.to_string();
        let path = path.strip_prefix("usr/local/").unwrap();
        format!("{:o} {:>4} {origin:<4} {path}\n", file.mode, file.content.size)
    });
    lines.collect()
}

fn text(installation: &Installation, name: &str) -> String {
    let mut files = installation.files.iter();
    let file = files.find(|file| file.path.to_string().ends_with(name)).unwrap();
    match &file.origin {
        FileOrigin::Inline(bytes) => String::from_utf8(bytes.to_vec()).unwrap().replace('\r', "¶"),
        FileOrigin::Member(index) => panic!("{name} is member {index}"),
    }
}

#[test]
fn every_place() {
    let mut zip = Zip::wheel(&[
        ("sample/__init__.py", "def main(): pass\n"),
        ("sample-1.0.data/purelib/pure.py", ""),
        ("sample-1.0.data/platlib/plat.so", "ELF"),
        ("sample-1.0.data/headers/sample.h", "int x;\n"),
        ("sample-1.0.data/data/share/man/sample.1", "sample\n"),
        ("sample-1.0.data/scripts/run", "#!python -u\nimport sample\n"),
        ("sample-1.0.data/scripts/other", "#!/bin/sh\n"),
        ("sample-1.0.data/scripts/sample", "#!python\nwhat setuptools made\n"),
        ("sample-1.0.data/scripts/sample-script.py", "#!python\nwhat setuptools made\n"),
        (&info("entry_points.txt"), "[console_scripts]\nsample = sample:main\n"),
    ]);
    for name in ["run", "other"] {
        zip.part(&format!("sample-1.0.data/scripts/{name}")).central.mode = PROGRAM;
    }
    zip.part("sample-1.0.data/platlib/plat.so").central.mode = 0o100_001;
    zip.parts.push(Part::new("sample/empty/", 0o40_755, b""));
    let direct_url = r#"{"url": "file:///sample.whl", "archive_info": {}}"#;
    let options = InstallOptions {
        requested: true,
        direct_url: Some(direct_url),
        ..InstallOptions::default()
    };
    let installation = install_with(&zip, &options).unwrap();
    insta::assert_snapshot!(listed(&installation), @"
    755   10 #6   bin/other
    755   42 made bin/run
    755  214 made bin/sample
    644    7 #3   include/python3.11/Sample/sample.h
    644    0 #1   lib/python3.11/site-packages/pure.py
    644   17 #0   lib/python3.11/site-packages/sample/__init__.py
    644    4 made lib/python3.11/site-packages/sample-1.0.dist-info/INSTALLER
    644   61 #11  lib/python3.11/site-packages/sample-1.0.dist-info/METADATA
    644 1375 made lib/python3.11/site-packages/sample-1.0.dist-info/RECORD
    644    0 made lib/python3.11/site-packages/sample-1.0.dist-info/REQUESTED
    644   59 #10  lib/python3.11/site-packages/sample-1.0.dist-info/WHEEL
    644   49 made lib/python3.11/site-packages/sample-1.0.dist-info/direct_url.json
    644   39 #9   lib/python3.11/site-packages/sample-1.0.dist-info/entry_points.txt
    755    3 #2   lib64/python3.11/site-packages/plat.so
    644    7 #4   share/man/sample.1
    ");
    insta::assert_snapshot!(text(&installation, "RECORD"), @"
    ../../../bin/other,sha256=qAdtPSjSHgIBKyDq99v3VAmmJ3E0Q5Al8oLjaOMwWr8,10¶
    ../../../bin/run,sha256=qZkg0CLvooIsRudxrZStnCO6BIaPzQhB1crN81puGqg,42¶
    ../../../bin/sample,sha256=G3N4L_JodLYplbc1ZZuQhWC6x369XPq8Fv-BGleTTZU,214¶
    ../../../include/python3.11/Sample/sample.h,sha256=fHJfMIVKRgM92U9yisawjK8QhFmTzT7UjkAHnNsKdqY,7¶
    ../../../lib64/python3.11/site-packages/plat.so,sha256=cGq-PJAVIHXmVrZhB5cw-s8yPz68zadUfuGTXJCEWgk,3¶
    ../../../share/man/sample.1,sha256=qvn_SI4HZ9peodVhGOb2WhbFYzsM78H6CJvTqxgQYT0,7¶
    pure.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0¶
    sample-1.0.data/scripts/sample,sha256=gROUCbGreQUWbeHkpOP2XTYp3Qj7DR8J4HuBbqBb-Qw,30¶
    sample-1.0.data/scripts/sample-script.py,sha256=gROUCbGreQUWbeHkpOP2XTYp3Qj7DR8J4HuBbqBb-Qw,30¶
    sample-1.0.dist-info/INSTALLER,sha256=zuuue4knoyJ-UwPPXg8fezS7VCrXJQrAP7zeNuwvFQg,4¶
    sample-1.0.dist-info/METADATA,sha256=V729gjmHJbhN4ha_4zfyzxBcOqi6z90ssRX49Z2c5Qc,61¶
    sample-1.0.dist-info/RECORD,,¶
    sample-1.0.dist-info/REQUESTED,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0¶
    sample-1.0.dist-info/WHEEL,sha256=JCVX9z8V-js2aV5qmQR2E3fiCs-Yu3vPO91cCBmO1JM,59¶
    sample-1.0.dist-info/direct_url.json,sha256=M5DAE1dhqKtSbh92m7sz2TBGBP_jsCAe_cV8gNwKE_Y,49¶
    sample-1.0.dist-info/entry_points.txt,sha256=xPp6vFitqG85D-kOcIEWjIZmvD2l53YiMbrwjZFpjZw,39¶
    sample/__init__.py,sha256=yu4TfDjrXqSwRW04WYar1Jdfi8EkIQGYcEKizsWCGv0,17¶
    ");
    insta::assert_snapshot!(text(&installation, "bin/run"), @"
    #!/usr/local/bin/python3.11
    import sample
    ");
    insta::assert_snapshot!(text(&installation, "bin/sample"), @r"
    #!/usr/local/bin/python3.11
    # -*- coding: utf-8 -*-
    import re
    import sys
    from sample import main
    if __name__ == '__main__':
        sys.argv[0] = re.sub(r'(-script\.pyw|\.exe)?$', '', sys.argv[0])
        sys.exit(main())
    ");
    insta::assert_snapshot!(text(&installation, "INSTALLER"), @"pip");
    assert_eq!(text(&installation, "direct_url.json"), direct_url);

    let spelled = InstallOptions { spelling: Some("SAMPLE"), ..InstallOptions::default() };
    let spelled = listed(&install_with(&zip, &spelled).unwrap());
    assert!(spelled.contains("include/python3.11/SAMPLE/sample.h"), "{spelled}");
    assert!(!spelled.contains("REQUESTED") && !spelled.contains("direct_url"), "{spelled}");
}

#[test]
fn platform_wheels_go_to_platlib() {
    let wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n";
    let zip =
        Zip::wheel(&[(&info("WHEEL"), wheel), ("a.py", ""), ("sample-1.0.data/purelib/b.py", "")]);
    let installation = install(&zip);
    insta::assert_snapshot!(listed(&installation), @"
    644    0 #2   lib/python3.11/site-packages/b.py
    644    0 #1   lib64/python3.11/site-packages/a.py
    644    4 made lib64/python3.11/site-packages/sample-1.0.dist-info/INSTALLER
    644   61 #3   lib64/python3.11/site-packages/sample-1.0.dist-info/METADATA
    644  439 made lib64/python3.11/site-packages/sample-1.0.dist-info/RECORD
    644   42 #0   lib64/python3.11/site-packages/sample-1.0.dist-info/WHEEL
    ");
    insta::assert_snapshot!(text(&installation, "RECORD"), @"
    ../../../lib/python3.11/site-packages/b.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0¶
    a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0¶
    sample-1.0.dist-info/INSTALLER,sha256=zuuue4knoyJ-UwPPXg8fezS7VCrXJQrAP7zeNuwvFQg,4¶
    sample-1.0.dist-info/METADATA,sha256=V729gjmHJbhN4ha_4zfyzxBcOqi6z90ssRX49Z2c5Qc,61¶
    sample-1.0.dist-info/RECORD,,¶
    sample-1.0.dist-info/WHEEL,sha256=_8KhHaY45G73W68dS5SDqrkl2x4w72YtCOVosustXZc,42¶
    ");
}

#[test]
fn records_that_say_less_or_more() {
    let record =
        "a.py,,\nb.py,sha512=zzz,3\ngone.py,sha256=zzz,7\n\"odd,name.py\",,,more\na.py,,\n";
    let zip = Zip::wheel(&[
        (&info("RECORD"), record),
        ("a.py", "a = 1\n"),
        ("b.py", "b = 1\n"),
        ("c.py", "c = 1\n"),
        ("odd,name.py", "x"),
    ]);
    let installation = install(&zip);
    insta::assert_snapshot!(text(&installation, "RECORD"), @r#"
    a.py,,¶
    a.py,,¶
    b.py,sha512=zzz,3¶
    c.py,,¶
    gone.py,sha256=zzz,7¶
    "odd,name.py",,¶
    sample-1.0.dist-info/INSTALLER,sha256=zuuue4knoyJ-UwPPXg8fezS7VCrXJQrAP7zeNuwvFQg,4¶
    sample-1.0.dist-info/METADATA,,¶
    sample-1.0.dist-info/RECORD,,¶
    sample-1.0.dist-info/WHEEL,,¶
    "#);
    let digest = |name: &str| {
        let path = format!("usr/local/lib/python3.11/site-packages/{name}");
        installation.files.iter().find(|file| file.path.to_string() == path).unwrap().content
    };
    assert_eq!(digest("a.py"), layer::Content::of(b"a = 1\n"));
    assert_eq!(digest("b.py"), layer::Content::of(b"b = 1\n"));
    assert_eq!(digest("c.py"), layer::Content::of(b"c = 1\n"));
}

#[test]
fn records_that_lie() {
    let hash = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    let with = |row: &str, name: &str| {
        let zip = Zip::wheel(&[
            (&info("RECORD"), &format!("{name},{hash},{row}\n")),
            (name, "#!python\n"),
        ]);
        install_with(&zip, &InstallOptions::default())
    };
    // What can be seen is seen: here that the size is another one, so that the file is hashed.
    let lie = with("0", "a.py").unwrap_err();
    insta::assert_snapshot!(lie, @"its RECORD has another hash for `a.py` than the file");
    insta::assert_snapshot!(with("9", "sample-1.0.data/scripts/a").unwrap_err(), @"its RECORD has another hash for `sample-1.0.data/scripts/a` than the file");
    // Else whoever unpacks it will see.
    let believed = with("9", "a.py").unwrap();
    let file = believed.files.iter().find(|file| file.path.to_string().ends_with("a.py")).unwrap();
    assert_eq!(file.content.digest, oci::Digest::of(b""));
}

#[test]
fn the_later_of_two_at_one_place_stays() {
    let zip = Zip::wheel(&[
        ("sample-1.0.data/scripts/x", "script"),
        ("sample-1.0.data/data/bin/x", "data"),
        ("sample-1.0.data/purelib/y.py", "data"),
        ("./y.py", "top"),
    ]);
    insta::assert_snapshot!(listed(&install(&zip)), @"
    644    6 #0   bin/x
    644    4 made lib/python3.11/site-packages/sample-1.0.dist-info/INSTALLER
    644   61 #5   lib/python3.11/site-packages/sample-1.0.dist-info/METADATA
    644  539 made lib/python3.11/site-packages/sample-1.0.dist-info/RECORD
    644   59 #4   lib/python3.11/site-packages/sample-1.0.dist-info/WHEEL
    644    4 #2   lib/python3.11/site-packages/y.py
    ");
}

#[test]
fn refusals() {
    insta::assert_snapshot!(refused(&[("sample-1.0.data/x", "")]), @"its member `sample-1.0.data/x` is in none of `.data`'s directories (purelib, platlib, headers, scripts, data)");
    insta::assert_snapshot!(refused(&[("sample-1.0.data/include/x.h", "")]), @"its member `sample-1.0.data/include/x.h` is in none of `.data`'s directories (purelib, platlib, headers, scripts, data)");
    insta::assert_snapshot!(refused(&[("a", ""), ("a/b", "")]), @"it has a file `/usr/local/lib/python3.11/site-packages/a` and another below it, `/usr/local/lib/python3.11/site-packages/a/b`");
    insta::assert_snapshot!(refused(&[("sample-1.0.data/scripts/python3", "")]), @"it has a file `/usr/local/bin/python3`, where the interpreter is");
    insta::assert_snapshot!(refused(&[("sample-1.0.data/data/bin/python3.11", "")]), @"it has a file `/usr/local/bin/python3.11`, where the interpreter is");
    let entry_point = |line: &str| {
        refused(&[(&info("entry_points.txt"), &format!("[console_scripts]\n{line}\n"))])
    };
    insta::assert_snapshot!(entry_point("python = a:b"), @"it has a file `/usr/local/bin/python`, where the interpreter is");
    insta::assert_snapshot!(entry_point("../../etc/x = a:b"), @"its entry point `../../etc/x = a:b` has a name that cannot be a script's");
    insta::assert_snapshot!(entry_point(".. = a:b"), @"its entry point `.. = a:b` has a name that leads out of the directory of scripts");
    insta::assert_snapshot!(entry_point("x = a"), @"its entry point `x = a` does not say what to call (MODULE:FUNCTION)");
}

#[test]
fn a_script_that_is_too_long() {
    let limits = crate::wheel::limits::Limits { text: 1000, ..Default::default() };
    let script = format!("#!python\n{}", "#".repeat(1000));
    let bytes = Zip::wheel(&[("sample-1.0.data/scripts/x", &script)]).bytes();
    let wheel = crate::wheel::read::read(&bytes, bytes.len() as u64, FILENAME, limits).unwrap();
    let options = InstallOptions::default();
    let error = wheel.install(&bytes, &interpreter(INTERPRETER), &options).unwrap_err();
    insta::assert_snapshot!(error.fault, @"it has more than 1000 bytes in a file of metadata or a script");
}

#[test]
fn what_a_wheel_says() {
    let wheel = "Wheel-Version: 1.9\nRoot-Is-Purelib: TRUE\n";
    let files = [
        (&info("WHEEL")[..], wheel),
        ("sample/a.py", ""),
        ("one.py", ""),
        ("two.cpython-311-x86_64-linux-gnu.so", ""),
        ("sample.libs/lib.so", ""),
        ("x-nspkg.pth", ""),
    ];
    let (_, wheel) = Zip::wheel(&files).read().unwrap();
    assert_eq!((wheel.name(), wheel.version()), ("Sample", "1.0.0"));
    assert_eq!(wheel.newer_format(), Some("1.9"));
    assert_eq!(wheel.filename(), FILENAME);
    assert_eq!(wheel.top_level(), ["one", "sample", "two"]);
    assert!(wheel.metadata().ends_with("A sample.\n"));
    assert!(wheel.entry_points().console_scripts.is_empty());
    let (_, wheel) = Zip::wheel(&[(&info("top_level.txt"), "b\na\n")]).read().unwrap();
    assert_eq!(wheel.top_level(), ["b", "a"]);
    assert_eq!(wheel.newer_format(), None);
}

#[test]
fn what_packers_do() {
    let mut zip = Zip::wheel(&[("a.py", "a = 1\n"), ("b.py", "b = 1\n"), ("ä.py", "")]);
    zip.comment = b"a comment".to_vec();
    zip.zip64 = true;
    // Written as a stream: the sizes come behind the bytes.
    let streamed = zip.part("a.py");
    streamed.set(|header| header.flags |= 1 << 3);
    streamed.local.crc32 = 0;
    streamed.local.size = 0;
    streamed.local.packed_size = 0;
    streamed.behind = [&b"PK\x07\x08"[..], &[0; 12]].concat();
    // Sizes that would not fit, had they been needed.
    let wide = zip.part("b.py");
    let packed_size = u64::from(wide.central.packed_size);
    let sizes = [6u64.to_le_bytes(), packed_size.to_le_bytes()].concat();
    let extra = [&[1, 0, 16, 0][..], &sizes].concat();
    wide.set(|header| {
        header.size = u32::MAX;
        header.packed_size = u32::MAX;
        header.extra = extra.clone();
    });
    let zstd = zstd::encode_all(&b"z = 1\n"[..], 3).unwrap();
    zip.parts.push(Part::packed("z.py", FILE, b"z = 1\n", 93, zstd));
    zip.parts.push(Part::packed("stored.py", 0o120_777, b"s = 1\n", 0, b"s = 1\n".to_vec()));
    zip.parts.push(Part::packed("empty.py", FILE, b"", 8, Vec::new()));

    let (bytes, wheel) = zip.read().unwrap();
    let read = |name: &str| {
        let index = wheel.members().iter().position(|member| member.name == name).unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut wheel.open(index, &bytes), &mut text).unwrap();
        let member = wheel.member(index);
        assert_eq!(member.raw_range().end - member.raw_range().start, member.packed_size);
        (text, member.method, member.executable)
    };
    assert_eq!(read("a.py"), ("a = 1\n".to_owned(), Method::Deflated, false));
    assert_eq!(read("b.py"), ("b = 1\n".to_owned(), Method::Deflated, false));
    assert_eq!(read("z.py"), ("z = 1\n".to_owned(), Method::Zstandard, false));
    // A link, which pip makes a file of that holds where it points.
    assert_eq!(read("stored.py"), ("s = 1\n".to_owned(), Method::Stored, false));
    assert_eq!(read("empty.py"), (String::new(), Method::Stored, false));
    assert_eq!(read("ä.py"), (String::new(), Method::Deflated, false));
}

#[test]
fn collisions_between_wheels() {
    let made = |filename: &str, files: &[(&str, &str)]| {
        let mut installation = install(&Zip::wheel(files));
        installation.wheel = filename.to_owned();
        installation.files.retain(|file| !file.path.to_string().contains("dist-info"));
        installation
    };
    let first = made("first.whl", &[("a.py", "1"), ("same.py", "="), ("d", ""), ("e/f", "")]);
    let second = made("second.whl", &[("a.py", "2"), ("same.py", "="), ("d/x", ""), ("e", "")]);
    let third = made("third.whl", &[("a.py", "2"), ("d/y", "")]);
    let all = collisions(&[&first, &second, &third]);
    let shown: Vec<String> = all.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    `third.whl` and `first.whl` both have `/usr/local/lib/python3.11/site-packages/a.py`: that of `third.whl` is kept
    `first.whl` has a file `/usr/local/lib/python3.11/site-packages/d`, where `second.whl` needs a directory for `/usr/local/lib/python3.11/site-packages/d/x`
    `first.whl` has a file `/usr/local/lib/python3.11/site-packages/d`, where `third.whl` needs a directory for `/usr/local/lib/python3.11/site-packages/d/y`
    `second.whl` has a file `/usr/local/lib/python3.11/site-packages/e`, where `first.whl` needs a directory for `/usr/local/lib/python3.11/site-packages/e/f`
    ");
    assert_eq!(collisions(&[&first]), []);
}

#[test]
fn reads_from_files() {
    let bytes = Zip::wheel(&[("a.py", "a = 1\n")]).bytes();
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, &bytes).unwrap();
    let wheel = Wheel::read(&file, bytes.len() as u64, FILENAME).unwrap();
    let installation =
        wheel.install(&file, &interpreter(INTERPRETER), &InstallOptions::default()).unwrap();
    assert_eq!(installation, install(&Zip::wheel(&[("a.py", "a = 1\n")])));
}
