//! What files of sources come to.

use super::*;
use crate::apt::trial::{Trial, configured};

/// What a file says, a line for each source.
fn parsed(file: &str, text: &str) -> String {
    let configuration = Configuration::built_in("amd64");
    let parsed = match file.ends_with(".sources") {
        true => deb822::parse(file, text, &configuration),
        false => one_line::parse(file, text, &configuration),
    };
    match parsed {
        Err(problem) => problem.to_string(),
        Ok(sources) => sources.iter().map(shown).collect::<Vec<_>>().join("\n"),
    }
}

fn shown(source: &Source) -> String {
    let Source { kind, suite, components, options, place, .. } = source;
    let said = match *options == SourceOptions::default() {
        true => "",
        false => " with options",
    };
    let (line, directory, components) = (place.line, source.directory(), components.join(","));
    format!("{line}: {kind:?} {directory} [{suite}] [{components}]{said}")
}

#[test]
fn one_line_sources_are_read() {
    let text = "# comment\n\
        deb http://deb.example.org/debian bookworm main contrib main # more\n\
        \n\
        deb-src [ arch=amd64,arm64 ] http://deb.example.org/debian/ bookworm main\n\
        deb https://h/$(ARCH)/x ./\n\
        deb http://h/x /\n\
        deb http://h/x sub/dir/\n\
        deb [unknown=1 trusted=yes] http://h/x \"s\" m\n";
    insta::assert_snapshot!(parsed("/l", text), @r#"
    2: Binary http://deb.example.org/debian/dists/bookworm/ [bookworm] [main,contrib]
    4: Source http://deb.example.org/debian/dists/bookworm/ [bookworm] [main] with options
    5: Binary https://h/amd64/x/./ [./] []
    6: Binary http://h/x/ [/] []
    7: Binary http://h/x/sub/dir/ [sub/dir/] []
    8: Binary http://h/x/dists/s/ [s] [m] with options
    "#);
}

#[test]
fn stanzas_are_read() {
    let text = "# comment\nTypes: deb deb-src\nURIs: http://a/d http://b/d\nSuites: s s-updates\n\
        Components: main\nSigned-By: /k.gpg\nX-Note: any\nDescription: of it\n\n\
        Types: deb\nURIs: http://off/\nSuites: s\nComponents: m\nEnabled: no\n\n\
        Types: deb\nURIs: http://c/\nSuites: ./\nEnabled: yes\n";
    insta::assert_snapshot!(parsed("/s.sources", text), @r#"
    1: Binary http://a/d/dists/s/ [s] [main] with options
    1: Binary http://a/d/dists/s-updates/ [s-updates] [main] with options
    1: Binary http://b/d/dists/s/ [s] [main] with options
    1: Binary http://b/d/dists/s-updates/ [s-updates] [main] with options
    1: Source http://a/d/dists/s/ [s] [main] with options
    1: Source http://a/d/dists/s-updates/ [s-updates] [main] with options
    1: Source http://b/d/dists/s/ [s] [main] with options
    1: Source http://b/d/dists/s-updates/ [s-updates] [main] with options
    3: Binary http://c/./ [./] []
    "#);
}

#[test]
fn options_are_read() {
    let one = "deb [arch-=i386 arch+=armhf signed-by=/a.gpg,ABCD! check-valid-until=no by-hash=force \
        allow-insecure=yes valid-until-max=60] http://h/d s m";
    let configuration = Configuration::built_in("amd64");
    let source = &one_line::parse("/l", one, &configuration).unwrap()[0];
    let options = &source.options;
    assert_eq!(options.architectures(&["amd64", "i386"]), ["amd64", "armhf"]);
    let names = vec!["/a.gpg".to_owned(), "ABCD!".to_owned()];
    assert_eq!(options.signed_by, Some(SignedBy::Named(names)));
    assert_eq!(options.check_valid_until, Some(false));
    assert_eq!(options.by_hash, Some(ByHash::Forced));
    assert_eq!(options.allow_insecure, Some(true));
    assert_eq!(options.valid_until_max, Some(60));
    let stanza = "Types: deb\nURIs: http://h/d\nSuites: s\nComponents: m\nArchitectures: arm64\n\
        Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----\n";
    let source = &deb822::parse("/s.sources", stanza, &configuration).unwrap()[0];
    let key = "\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc\n-----END PGP PUBLIC KEY BLOCK-----";
    assert_eq!(source.options.signed_by, Some(SignedBy::Embedded(key.to_owned())));
    assert_eq!(source.options.architectures(&["amd64"]), ["arm64"]);
}

#[test]
fn what_is_no_source_is_told_as_apt_does() {
    let mut said = Vec::new();
    for text in [
        "deb [arch=] http://h/d s m",
        "deb http://h/d s",
        "\n\ndeb http://h/d s/ m",
        "deb h/d s m",
        "rpm http://h/d s m",
        "deb",
        "deb http://h/d",
        "deb [arch=amd64 http://h/d s m",
        "deb [trusted=maybe] http://h/d s m",
        "deb http://h/d ../../s m",
    ] {
        said.push(parsed("/l.list", text));
    }
    for text in [
        "Types: deb\nURIs: http://h/d\nSuites: s\n",
        "Types: deb\nSuites: s\nComponents: m\n",
        "Types: rpm\nURIs: http://h/d\nSuites: s\nComponents: m\n",
        "URIs: http://h/d\nSuites: s\nComponents: m\n",
        "foo\n",
        "Types: deb\nURIs: http://h/d\nSuites: s/\nComponents: m\n",
    ] {
        said.push(parsed("/s.sources", text));
    }
    insta::assert_snapshot!(said.join("\n"), @r#"
    Malformed entry 1 in list file /l.list ([option] no value)
    Malformed entry 1 in list file /l.list (Component)
    Malformed entry 3 in list file /l.list (absolute Suite Component)
    Malformed entry 1 in list file /l.list (URI parse)
    Type 'rpm' is not known on line 1 in source list /l.list
    Malformed line 1 in source list /l.list (type)
    Malformed entry 1 in list file /l.list (Suite)
    Malformed entry 1 in list file /l.list ([option] not assignment)
    Malformed entry 1 in list file /l.list ([trusted=maybe] is neither yes nor no)
    Malformed entry 1 in list file /l.list (Suite)
    Malformed entry 1 in sources file /s.sources (Component)
    Malformed entry 1 in sources file /s.sources (URI)
    Type 'rpm' is not known on stanza 1 in source list /s.sources
    Malformed stanza 1 in source list /s.sources (type)
    Unable to parse package file /s.sources (1)
    Malformed entry 1 in sources file /s.sources (absolute Suite Component)
    "#);
}

#[test]
fn entries_of_one_suite_are_one_source() {
    let body = |process: &mut Process<'_, '_>, _: &Trial| {
        let configuration = configured(process);
        let said = match load(process, &configuration) {
            Ok(sources) => sources.iter().map(shown).collect::<Vec<_>>().join("\n"),
            Err(Failure::Problem(problem)) => problem.to_string(),
            Err(Failure::Stop(stop)) => return Err(stop),
        };
        process.write(said)?;
        Ok(0)
    };
    let mut trial = Trial::new(body);
    trial
        .file("etc/apt/sources.list", "deb http://h/d s m\n")
        .file("etc/apt/sources.list.d/b.list", "deb http://h/d/ s n m\n")
        .file(
            "etc/apt/sources.list.d/a.sources",
            "Types: deb\nURIs: http://a/d\nSuites: s\nComponents: m\n",
        )
        .file("etc/apt/sources.list.d/c.list.save", "deb http://c/d s n\n")
        .file("etc/apt/sources.list.d/noextension", "deb http://c/d s n\n");
    assert_eq!(
        trial.show(&["apt-get"]),
        "1: Binary http://h/d/dists/s/ [s] [m,n]\n1: Binary http://a/d/dists/s/ [s] [m]"
    );
    trial.file("etc/apt/sources.list.d/d.list", "deb [signed-by=/k] http://u:SECRET@h/d s m\n");
    trial.file("etc/apt/sources.list.d/e.list", "deb [trusted=yes] http://u:SECRET@h/d s m\n");
    assert_eq!(
        trial.show(&["apt-get"]),
        "Conflicting values set for option Trusted regarding source http://h/d/ s"
    );
}
