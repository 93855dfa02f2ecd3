//! Locks as texts and back.

use std::collections::{BTreeMap, BTreeSet};

use oci::{Compression, Descriptor, DiffId, Digest, MediaType, Platform};

use crate::{
    Address, Base, Deb, Extent, File, Layer, List, Listed, Lock, LockError, Moved, Release,
    Resolution, Taken, VERSION, Wheel,
};

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn amd64() -> Platform {
    Platform::linux("amd64")
}

fn file(text: &str) -> File {
    File { digest: digest(text), size: text.len() as u64 }
}

fn wheel(name: &str, version: &str) -> Wheel {
    let file = format!("{name}-{version}-py3-none-any.whl");
    Wheel {
        name: name.to_owned(),
        version: version.to_owned(),
        url: Some(Address::of(&format!("https://me:SECRET@index.example/{file}"))),
        digest: Some(digest(&file)),
        file,
        hashes: Vec::new(),
        size: Some(7),
        requested: name == "flask",
        direct_url: None,
    }
}

fn layer(title: &str) -> Layer {
    Layer {
        title: title.to_owned(),
        key: digest(&format!("key of {title}")),
        descriptor: Descriptor::of(MediaType::OciLayer(Compression::Gzip), title.as_bytes()),
        diff_id: DiffId(digest(&format!("tar of {title}"))),
    }
}

fn resolution(wheels: Vec<Wheel>) -> Resolution {
    Resolution { wheels, ..Resolution::default() }
}

/// What a `Release` says of a list with a package.
fn said(package: &Deb, question: &str) -> Release {
    let list = List {
        file: file("Packages"),
        questions: BTreeSet::from([digest(question)]),
        packages: vec![Listed::of(package)],
    };
    let fields = vec!["Suite: stable".to_owned()];
    Release { fields, lists: BTreeMap::from([("main/binary-amd64/Packages.xz".to_owned(), list)]) }
}

/// One of everything.
fn lock() -> Lock {
    let base = Base { digest: digest("index"), manifest: digest("manifest") };
    let commit = "0123456789abcdef0123456789abcdef01234567".to_owned();
    let archive = |name: &str| Address::of(&format!("http://deb.example/dists/bookworm/{name}"));
    let deb = Deb {
        name: "curl".to_owned(),
        version: "7.88.1-10".to_owned(),
        architecture: "amd64".to_owned(),
        file: "curl_7.88.1-10_amd64.deb".to_owned(),
        digest: digest("curl"),
        size: 4,
    };
    let given = Wheel {
        url: None,
        requested: true,
        direct_url: Some(r#"{"url": "https://me:SECRET@h.example/own.whl"}"#.to_owned()),
        ..wheel("own", "1")
    };
    let hashed = Wheel { digest: None, hashes: vec!["sha512:00".to_owned()], ..wheel("b", "2") };
    let answer = Resolution {
        wheels: vec![given, wheel("flask", "3.0.0"), hashed],
        kept: vec![("pip".to_owned(), "24.0".to_owned())],
        warnings: vec!["it was \"yanked\"\n\u{202e}see https://SECRET@h.example".to_owned()],
    };
    Lock {
        epoch: 1,
        compression: "gzip:6".to_owned(),
        bases: BTreeMap::from([(("debian:12".parse().unwrap(), amd64()), base)]),
        downloads: BTreeMap::from([(Address::of("https://h.example/a"), file("a"))]),
        commits: BTreeMap::from([(
            (Address::of("https://h.example/r.git"), "main".to_owned()),
            commit,
        )]),
        archives: BTreeMap::from([
            (archive("InRelease"), None),
            (archive("Release"), Some(Taken { file: file("Release"), at: 1_700_000_000 })),
        ]),
        resolutions: BTreeMap::from([((amd64(), digest("question")), answer)]),
        releases: BTreeMap::from([(digest("Release"), said(&deb, "question"))]),
        stanzas: BTreeMap::from([(deb.digest, vec!["Depends: libc6 (>= 2.34)".to_owned()])]),
        debs: BTreeSet::from([deb]),
        layers: BTreeMap::from([(amd64(), vec![layer("PYTHON flask==3.0.0"), layer("ADD a /")])]),
    }
}

#[test]
fn the_text_has_one_of_everything() {
    insta::assert_snapshot!(lock().to_text(), @r#"
    # What this image was made of when somebody last looked. Written by plywood: commit it, do not edit
    # it. `plywood outdated` says what has moved since, `plywood lock --upgrade` takes it.
    version = 1
    epoch = 1
    compression = "gzip:6"

    [[base]]
    reference = "debian:12"
    platform = "linux/amd64"
    digest = "sha256:1bc04b5291c26a46d918139138b992d2de976d6851d0893b0476b85bfbdfc6e6"
    manifest = "sha256:05b3abf2579a5eb66403cd78be557fd860633a1fe2103c7642030defe32c657f"

    [[download]]
    url = "https://h.example/a"
    digest = "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    size = 1

    [[git]]
    url = "https://h.example/r.git"
    reference = "main"
    commit = "0123456789abcdef0123456789abcdef01234567"

    [[archive]]
    url = "http://deb.example/dists/bookworm/InRelease"
    absent = true

    [[archive]]
    url = "http://deb.example/dists/bookworm/Release"
    digest = "sha256:e020e3c67bd0c31227720bd8eb2c3a777d162e0987e8fd8438b007c170266476"
    size = 7
    taken = "2023-11-14T22:13:20Z"
    says = [
        "Suite: stable",
    ]

    [[archive.list]]
    name = "main/binary-amd64/Packages.xz"
    digest = "sha256:40a2085371b8effbae526101c0fd639a2ed6604c16513802a0e05bd3d9b8e1b0"
    size = 8
    questions = [
        "sha256:1f5087db919ced5c123c7f507d3fcce818cb0cf6e77c2f95a8a35e951e03fdb9",
    ]
    packages = [
        "curl 7.88.1-10 amd64",
    ]

    [[deb]]
    name = "curl"
    version = "7.88.1-10"
    architecture = "amd64"
    file = "curl_7.88.1-10_amd64.deb"
    digest = "sha256:427e4b79b1f0fc90306cbe064b1297b21dc6835bfa656d3bf46bc156e3f24bb0"
    size = 4
    says = [
        "Depends: libc6 (>= 2.34)",
    ]

    [[resolution]]
    platform = "linux/amd64"
    request = "sha256:1f5087db919ced5c123c7f507d3fcce818cb0cf6e77c2f95a8a35e951e03fdb9"
    kept = [
        "pip 24.0",
    ]
    warnings = [
        "it was \"yanked\"\n\u202Esee https://h.example",
    ]

    [[resolution.wheel]]
    name = "b"
    version = "2"
    file = "b-2-py3-none-any.whl"
    url = "https://index.example/b-2-py3-none-any.whl"
    hashes = [
        "sha512:00",
    ]
    size = 7

    [[resolution.wheel]]
    name = "flask"
    version = "3.0.0"
    file = "flask-3.0.0-py3-none-any.whl"
    url = "https://index.example/flask-3.0.0-py3-none-any.whl"
    digest = "sha256:85f8b55af75c3e9a4fad83f9c425efe115a4f6a7d59dc7630e07657012c71585"
    size = 7
    requested = true

    [[resolution.wheel]]
    name = "own"
    version = "1"
    file = "own-1-py3-none-any.whl"
    digest = "sha256:9bcef0c58900f1ef53d41f973094d4ec9513c0f6faa04063df63e0dbeaf2fee8"
    size = 7
    requested = true
    direct-url = "{\"url\": \"https://h.example/own.whl\"}"

    [[layer]]
    platform = "linux/amd64"
    title = "PYTHON flask==3.0.0"
    key = "sha256:7ba5aa9042ac6f40dd498e802fa8d3a3aa203a15f70e2a5e867abae07e9dc3f9"
    media-type = "application/vnd.oci.image.layer.v1.tar+gzip"
    digest = "sha256:3c8a64994d111a542b0795dfc8d72d90a4e1ec93d8a3dc3a83417c18172cf144"
    size = 19
    diff-id = "sha256:fd206c95ac09958d4d93cdc1990362207089fe246c6b7c50c22cfb182785841f"

    [[layer]]
    platform = "linux/amd64"
    title = "ADD a /"
    key = "sha256:c5c93d974ec7a090132c873d098f527f392d1b4c405bb2717444f732c2ac708c"
    media-type = "application/vnd.oci.image.layer.v1.tar+gzip"
    digest = "sha256:3e925bdb936e9c56bfca3e1f2e3672612974eaddabde740d988671b450ffd8f8"
    size = 7
    diff-id = "sha256:95c40bb4089626a1afa6a61a27ee5533b98591361fd10e59b5f1a00a6dcdfa38"
    "#);
}

#[test]
fn what_is_written_is_read() {
    let text = lock().to_text();
    assert!(!text.contains("SECRET"), "{text}");
    let read = Lock::parse(&text).unwrap();
    assert_eq!(read.to_text(), text);
    assert_eq!(Lock::parse(&text.replace('\n', "\r\n")).unwrap(), read);
    assert_eq!(Lock::parse(&format!("\u{feff}{text}")).unwrap(), read);
    let empty = Lock { epoch: 1, ..Lock::default() };
    assert_eq!(Lock::parse(&empty.to_text()).unwrap(), empty);
    assert!(empty.is_empty() && !read.is_empty());
}

/// The lines that differ, with the sign of a difference.
fn difference(old: &Lock, new: &Lock) -> String {
    let (old, new) = (old.to_text(), new.to_text());
    let gone = old.lines().filter(|line| !new.lines().any(|other| other == *line));
    let come = new.lines().filter(|line| !old.lines().any(|other| other == *line));
    let lines = gone.map(|line| format!("-{line}")).chain(come.map(|line| format!("+{line}")));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_package_that_moves_changes_its_own_lines() {
    let with = |version: &str, question: &str| {
        let wheels = vec![wheel("click", "8.0"), wheel("flask", version), wheel("jinja2", "3.1")];
        let other = resolution(vec![wheel("zeep", "4.0")]);
        let resolutions = BTreeMap::from([
            ((amd64(), digest(question)), resolution(wheels)),
            ((amd64(), digest("other")), other),
        ]);
        Lock { resolutions, ..Lock::default() }
    };
    let (old, new) = (with("3.0.0", "one"), with("3.0.1", "two"));
    insta::assert_snapshot!(difference(&old, &new), @r#"
    -request = "sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    -version = "3.0.0"
    -file = "flask-3.0.0-py3-none-any.whl"
    -url = "https://index.example/flask-3.0.0-py3-none-any.whl"
    -digest = "sha256:85f8b55af75c3e9a4fad83f9c425efe115a4f6a7d59dc7630e07657012c71585"
    +request = "sha256:3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"
    +version = "3.0.1"
    +file = "flask-3.0.1-py3-none-any.whl"
    +url = "https://index.example/flask-3.0.1-py3-none-any.whl"
    +digest = "sha256:447598d32cb134ade6c7b5eb15e49a480869b7777c49ec053ee1d293ee21207c"
    "#);
}

/// What is said of a text.
fn refusal(text: &str) -> String {
    let error = Lock::parse(text).unwrap_err();
    assert!(!error.hint().is_empty());
    error.to_string()
}

#[test]
fn what_is_no_lock_is_refused_by_its_line() {
    let head = "version = 1\nepoch = 1\n";
    let base = |line: &str| format!("{head}\n[[base]]\n{line}\n");
    let digests = format!("digest = \"{0}\"\nmanifest = \"{0}\"", digest("x"));
    let whole = |platform: &str, name: &str| {
        base(&format!("reference = \"{name}\"\nplatform = \"{platform}\"\n{digests}"))
    };
    let good = whole("linux/amd64", "debian");
    assert!(Lock::parse(&good).is_ok());
    let (_, table) = good.split_once("\n\n").unwrap();
    let wheel = "[[resolution.wheel]]\nname = \"a\"\nversion = \"1\"\nfile = \"a.whl\"\n";
    let question =
        format!("[[resolution]]\nplatform = \"linux/amd64\"\nrequest = \"{}\"\n", digest("x"));
    let list = |name: &str, size: u64, more: &str| {
        let digest = digest("x");
        format!(
            "[[archive.list]]\nname = \"{name}\"\ndigest = \"{digest}\"\nsize = {size}\n{more}\n"
        )
    };
    let archive = |more: &str| {
        let table = "[[archive]]\nurl = \"http://h/InRelease\"\nsize = 1\n";
        let (taken, digest) = ("2026-01-01T00:00:00Z", digest("x"));
        format!("{head}{table}taken = \"{taken}\"\ndigest = \"{digest}\"\n{more}\n")
    };
    assert!(Lock::parse(&archive(&list("Packages", 1, ""))).is_ok());
    let texts = [
        String::new(),
        "requires-python = '>=3.12'\n".to_owned(),
        "version = 2\nnew = 1\n".to_owned(),
        "version = 1\n".to_owned(),
        format!("{head}new = 1\n"),
        format!("{head}[[base]\n"),
        base("reference = 7"),
        whole("linux/amd64", "Debian"),
        whole("linux", "debian"),
        base("digest = \"sha256:zz\""),
        format!("{good}{table}"),
        format!("{head}[[git]]\nurl = \"u\"\nreference = \"r\"\ncommit = \"--upload\"\n"),
        format!("{head}[[archive]]\nurl = \"http://h/InRelease\"\nsize = 1\n"),
        archive("says = [\"Suite: stable\\nLabel: x\"]"),
        archive("says = [\"Suite stable: x\"]"),
        archive("says = [\"words\"]"),
        archive(&list("a b", 1, "")),
        archive(&list("Packages", 1 << 40, "")),
        archive(&list("Packages", 1, "packages = [\"a 1\"]")),
        archive(&[list("Packages", 1, ""), list("Packages", 1, "")].concat()),
        format!("{head}{question}{wheel}"),
        format!("{head}{question}kept = [\"pip\"]\n"),
    ];
    let said = texts.iter().map(|text| refusal(text)).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(said, @r"
    it has no `version`, so it is not plywood's
    it has no `version`, so it is not plywood's
    its version is 2, and this plywood reads 1
    line 1: missing field `epoch`
    line 3: unknown field `new`, expected one of `version`, `epoch`, `compression`, `base`, `download`, `git`, `archive`, `deb`, `resolution`, `layer`
    line 3: unclosed array table, expected `]`
    line 5: invalid type: integer `7`, expected a string
    line 5: `Debian` is not an image reference: repository names are lower-case
    line 6: `linux` is not a platform: the architecture is missing, as in linux/amd64
    line 5: `sha256:zz` is not a sha256 digest: it wants 64 lower-case hex digits
    the base `debian` for linux/amd64 is pinned twice
    line 6: `--upload` is no commit
    the archive's file http://h/InRelease has to have `digest`, `size` and `taken`, or `absent`
    what the archive's file http://h/InRelease says is none of an archive's: `Suite: stable Label: x` has more than one line
    what the archive's file http://h/InRelease says is none of an archive's: `Suite stable: x` has a name that is none
    what the archive's file http://h/InRelease says is none of an archive's: `words` is not NAME: VALUE
    the list `a b` has to have a name without blanks
    the list `Packages` has to have at most 1 GiB
    line 12: `a 1` is not NAME VERSION ARCHITECTURE
    the list `Packages` of http://h/InRelease is pinned twice
    the wheel a.whl has to have `url` or `digest`
    line 6: `pip` is not NAME VERSION
    ");
}

#[test]
fn conflicts_are_named() {
    let text = lock().to_text();
    let merged =
        text.replacen("[[download]]", "<<<<<<< HEAD\n[[download]]\n=======\n>>>>>>> branch\n", 1);
    let line = text.lines().position(|line| line == "[[download]]").unwrap() + 1;
    assert_eq!(Lock::parse(&merged), Err(LockError::Conflict { line }));
    assert_eq!(Lock::parse(&merged.replace('\n', "\r\n")), Err(LockError::Conflict { line }));
}

#[test]
fn anything_is_read_or_refused() {
    let text = lock().to_text();
    for end in (0..text.len()).step_by(5) {
        let _ = Lock::parse(text.get(..end).unwrap_or_default());
    }
    for place in (0..text.len()).step_by(5) {
        let mut bytes = text.clone().into_bytes();
        bytes[place] ^= 0x11;
        let _ = Lock::parse(&String::from_utf8_lossy(&bytes));
    }
    assert!(Lock::parse(&"[".repeat(100_000)).is_err());
    assert_eq!(VERSION, 1);
}

#[test]
fn pins_that_nobody_asks_for_go() {
    let arm64 = Platform::linux("arm64");
    let found = |platform: &Platform, name: &str| {
        let base = Base { digest: digest(name), manifest: digest(name) };
        let bases = BTreeMap::from([((name.parse().unwrap(), platform.clone()), base)]);
        let downloads = BTreeMap::from([(Address::of(&format!("https://h/{name}")), file(name))]);
        Lock { epoch: 1, bases, downloads, ..Lock::default() }
    };
    let names = |lock: &Lock| {
        let bases =
            lock.bases.keys().map(|(reference, platform)| format!("{reference} {platform}"));
        let downloads = lock.downloads.keys().map(Address::to_string);
        bases.chain(downloads).collect::<Vec<_>>().join("\n")
    };
    let old = found(&amd64(), "old");
    let new = || found(&amd64(), "new");
    let whole = old.renewed(new(), &[amd64()], Extent::Whole);
    assert_eq!(whole, new());
    insta::assert_snapshot!(names(&old.renewed(new(), &[amd64()], Extent::Part)), @"
    docker.io/library/new linux/amd64
    docker.io/library/old linux/amd64
    https://h/new
    https://h/old
    ");
    let both = old.renewed(found(&arm64, "new"), std::slice::from_ref(&arm64), Extent::Whole);
    insta::assert_snapshot!(names(&both), @"
    docker.io/library/new linux/arm64
    docker.io/library/old linux/amd64
    https://h/new
    https://h/old
    ");
    assert_eq!(both.renewed(new(), &[amd64(), arm64], Extent::Whole), new());
}

#[test]
fn what_archives_said_goes_with_its_pins() {
    let old = lock();
    let of_now = |question: &str| {
        let deb = Deb { name: "wget".to_owned(), digest: digest("wget"), ..only(&old).clone() };
        let releases = BTreeMap::from([(digest("Release"), said(&deb, question))]);
        let stanzas = BTreeMap::from([(deb.digest, vec!["Section: web".to_owned()])]);
        Lock { releases, stanzas, debs: BTreeSet::from([deb]), ..lock() }
    };
    let shown = |lock: &Lock| {
        let list = lock.list(&digest("Packages")).unwrap();
        let offers = lock.offers(list).map(|(deb, says)| format!("{}: {says:?}", deb.name));
        let offers: Vec<String> = offers.collect();
        format!(
            "{} questions, {}, {} known",
            list.questions.len(),
            offers.join(", "),
            lock.stanzas.len()
        )
    };
    let whole = old.renewed(of_now("other"), &[amd64()], Extent::Whole);
    insta::assert_snapshot!(shown(&whole), @r#"1 questions, wget: ["Section: web"], 1 known"#);
    let part = old.renewed(of_now("other"), &[amd64()], Extent::Part);
    insta::assert_snapshot!(shown(&part), @r#"2 questions, wget: ["Section: web"], curl: ["Depends: libc6 (>= 2.34)"], 2 known"#);
    let moved_on = Lock { archives: BTreeMap::new(), ..of_now("other") };
    assert_eq!(old.renewed(moved_on, &[amd64()], Extent::Whole).releases, BTreeMap::new());
}

fn only(lock: &Lock) -> &Deb {
    lock.debs.first().unwrap()
}

#[test]
fn layers_stay_while_they_are_not_void() {
    let old = lock();
    let found = || Lock { layers: BTreeMap::new(), ..lock() };
    assert_eq!(old.renewed(found(), &[amd64()], Extent::Whole).layers, old.layers);
    let none = Lock { layers: BTreeMap::from([(amd64(), Vec::new())]), ..lock() };
    let none = old.renewed(none, &[amd64()], Extent::Whole);
    assert!(!none.to_text().contains("[[layer]]") && !none.to_text().contains("compression"));
    let later = Lock { epoch: 2, ..found() };
    assert!(old.renewed(later, &[amd64()], Extent::Whole).layers.is_empty());
    let packed = Lock { compression: "zstd:3".to_owned(), ..found() };
    assert!(old.renewed(packed, &[amd64()], Extent::Whole).layers.is_empty());
}

#[test]
fn layers_that_moved() {
    let lock = lock();
    let same = lock.layers[&amd64()].clone();
    assert_eq!(lock.moved_bytes(&same), []);
    let other = Layer { diff_id: DiffId(digest("other")), ..layer("ADD a /") };
    assert!(matches!(lock.moved_bytes(&[other])[..], [Moved::Bytes { .. }]));
    let planned = |title: &str, key: &str| vec![(title.to_owned(), digest(key))];
    let same = planned("ADD a /", "key of ADD a /");
    assert_eq!(lock.moved_keys(&amd64(), &same), []);
    assert!(matches!(lock.moved_keys(&amd64(), &planned("ADD a /", "x"))[..], [Moved::Key { .. }]));
    assert_eq!(lock.moved_keys(&amd64(), &planned("ADD b /", "x")), [], "it is a new one");
    let two = [planned("ADD a /", "x"), planned("ADD a /", "y")].concat();
    assert_eq!(lock.moved_keys(&amd64(), &two), [], "which of them is meant is not known");
    assert_eq!(lock.moved_keys(&Platform::linux("arm64"), &planned("ADD a /", "x")), []);
}

#[test]
fn versions_are_a_platform_s_own_where_it_has_some() {
    let pins = |name: &str| resolution(vec![wheel(name, "1")]);
    let resolutions = BTreeMap::from([
        ((amd64(), digest("a")), pins("a")),
        ((Platform::linux("arm64"), digest("b")), pins("b")),
    ]);
    let lock = Lock { resolutions, ..Lock::default() };
    assert_eq!(lock.versions(&amd64()), [("a", "1")]);
    assert_eq!(lock.versions(&Platform::linux("s390x")), [("a", "1"), ("b", "1")]);
}
