//! No room for a package.

use super::{Debian, UPDATE, archive};
use crate::disk::{after, noise};

#[test]
fn files_that_may_not_grow() {
    let mut archive = archive();
    let control = "Package: large\nVersion: 1.0\nArchitecture: amd64\n\
        Maintainer: Nobody <nobody@example.org>\nDescription: x\n";
    archive.package(control, &[("./", b'5', "", b""), ("./noise", b'0', "", &noise(6 << 20))]);
    let debian = Debian::published(archive, &format!("{UPDATE} large"));
    let refused =
        debian.attempt.refusal_of(&mut after("trap '' XFSZ && ulimit -f 2048", &debian.attempt));
    insta::assert_snapshot!(debian.shown(&refused), @r"
    exit 8
    error: failed to keep large 1.0 amd64 from http://127.0.0.1:00000/debian/pool/main/large_1.0_amd64.deb: write `HOME/store/plywood/partial/sha256-3455b5608f2feb89a9ab96d11f98cec1bd632b954422a180b21f131ab4b391ac`: File too large (os error 27)
     --> context/Dockerfile:3:1
      |
    3 | RUN apt-get update && apt-get install -y large
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: raise the limit on the size of files (`ulimit -f`)
    ");
    debian.built();
}
