//! Root file systems as real images have them.

mod corners;

use crate::fixture::Image;
use crate::{Discovery, Libc};

/// Debian's part of a slim image: no Python, the C library and the package database.
const DEBIAN: &str = "
    bin -> usr/bin
    lib -> usr/lib
    lib64 -> usr/lib64
    usr/bin/sh*
    usr/lib/x86_64-linux-gnu/libc.so.6
    var/lib/dpkg/status < Package: libc6\\nStatus: install ok installed\\nVersion: 2.36-9+deb12u10
    ";

/// What the official images add.
const OFFICIAL: &str = "
    usr/local/bin/python -> python3
    usr/local/bin/python3 -> python3.12
    usr/local/bin/python3.12*
    usr/local/bin/python3.12-config*
    usr/local/bin/pip < #!/usr/local/bin/python3.12\\n
    usr/local/include/python3.12/patchlevel.h < #define PY_MAJOR_VERSION 3\\n#define PY_VERSION              \"3.12.11\"\\n
    usr/local/lib/python3.12/os.py
    usr/local/lib/python3.12/site-packages/
    usr/local/lib/libpython3.12.so.1.0
    ";

/// Debian 12's python3, python3-pip and what they bring.
const BOOKWORM: &str = "
    usr/bin/python3 -> python3.11
    usr/bin/python3.11*
    usr/bin/pip < #!/usr/bin/python3\\n
    usr/lib/python3.11/os.py
    usr/lib/python3.11/EXTERNALLY-MANAGED
    usr/lib/python3/dist-packages/
    usr/local/lib/python3.11/dist-packages/
    var/lib/dpkg/status < Package: libc6\\nStatus: install ok installed\\nVersion: 2.36-9+deb12u10\\n\\nPackage: python3.11-minimal\\nStatus: install ok installed\\nVersion: 3.11.2-6+deb12u6
    ";

const ALPINE: &str = "
    bin/busybox*
    lib/ld-musl-x86_64.so.1
    usr/bin/python -> python3
    usr/bin/python3 -> python3.12
    usr/bin/python3.12*
    usr/lib/python3.12/os.py
    usr/lib/python3.12/EXTERNALLY-MANAGED
    usr/lib/python3.12/site-packages/
    lib/apk/db/installed < P:musl\\nV:1.2.5-r9\\n\\nP:python3\\nV:3.12.11-r0\\n
    ";

fn shown(image: &mut Image, wanted: Option<&str>) -> String {
    match image.discover(wanted) {
        Ok(discovery) => describe(&discovery),
        Err(error) => format!("{error}\nhint: {}", error.hint().unwrap_or("none")),
    }
}

fn describe(Discovery { target, others }: &Discovery) -> String {
    let interpreter = &target.interpreter;
    let layout = &interpreter.layout;
    let paths = |paths: &[oci::ImagePath]| {
        paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let libc = match target.libc {
        Libc::Glibc { major, minor } => format!("glibc {major}.{minor}"),
        Libc::Musl { major, minor } => format!("musl {major}.{minor}"),
    };
    let threads = if interpreter.free_threaded { ", free-threaded" } else { "" };
    let managed = if interpreter.externally_managed { ", externally managed" } else { "" };
    let mut lines = vec![
        format!("{} {}{threads}{managed}, {libc}", interpreter.executable, interpreter.version),
        format!("purelib {}", layout.purelib),
        format!("scripts {}", layout.scripts),
        format!("headers {}", layout.headers),
        format!("data    {}", layout.data),
    ];
    if layout.platlib != layout.purelib {
        lines.insert(2, format!("platlib {}", layout.platlib));
    }
    lines.push(format!("search  {}", paths(&interpreter.search_path)));
    if !interpreter.foreign.is_empty() {
        lines.push(format!("foreign {}", paths(&interpreter.foreign)));
    }
    for other in others {
        lines.push(format!("other   {} {}", other.executable, other.version));
    }
    lines.join("\n")
}

#[test]
fn official_image() {
    let path = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin";
    let mut image = Image::of(DEBIAN).with_layer(OFFICIAL).with_variable("PATH", path);
    insta::assert_snapshot!(shown(&mut image, None), @"
    /usr/local/bin/python3.12 3.12.11, glibc 2.36
    purelib usr/local/lib/python3.12/site-packages
    scripts usr/local/bin
    headers usr/local/include/python3.12
    data    usr/local
    search  usr/local/lib/python3.12/site-packages
    ");
    // The layers, then all texts.
    assert_eq!(image.rounds, 2);
}

#[test]
fn official_image_beside_debian_s_python() {
    let both = || Image::of(DEBIAN).with_layer(BOOKWORM).with_layer(OFFICIAL);
    insta::assert_snapshot!(shown(&mut both(), None), @"
    /usr/local/bin/python3.12 3.12.11, glibc 2.36
    purelib usr/local/lib/python3.12/site-packages
    scripts usr/local/bin
    headers usr/local/include/python3.12
    data    usr/local
    search  usr/local/lib/python3.12/site-packages
    other   /usr/bin/python3 3.11
    ");
    insta::assert_snapshot!(shown(&mut both(), Some("3.11")), @"
    /usr/bin/python3 3.11.2, externally managed, glibc 2.36
    purelib usr/local/lib/python3.11/dist-packages
    scripts usr/local/bin
    headers usr/include/python3.11
    data    usr/local
    search  usr/local/lib/python3.11/dist-packages usr/lib/python3/dist-packages usr/lib/python3.11/dist-packages
    foreign usr/lib/python3/dist-packages usr/lib/python3.11/dist-packages
    other   /usr/local/bin/python3 3.12
    ");
    insta::assert_snapshot!(shown(&mut both(), Some("/usr/bin/python3")), @"
    /usr/bin/python3 3.11.2, externally managed, glibc 2.36
    purelib usr/local/lib/python3.11/dist-packages
    scripts usr/local/bin
    headers usr/include/python3.11
    data    usr/local
    search  usr/local/lib/python3.11/dist-packages usr/lib/python3/dist-packages usr/lib/python3.11/dist-packages
    foreign usr/lib/python3/dist-packages usr/lib/python3.11/dist-packages
    other   /usr/local/bin/python3 3.12
    ");
}

#[test]
fn debian() {
    insta::assert_snapshot!(shown(&mut Image::of(DEBIAN).with_layer(BOOKWORM), None), @"
    /usr/bin/python3 3.11.2, externally managed, glibc 2.36
    purelib usr/local/lib/python3.11/dist-packages
    scripts usr/local/bin
    headers usr/include/python3.11
    data    usr/local
    search  usr/local/lib/python3.11/dist-packages usr/lib/python3/dist-packages usr/lib/python3.11/dist-packages
    foreign usr/lib/python3/dist-packages usr/lib/python3.11/dist-packages
    ");
}

#[test]
fn debian_before_sysconfig_schemes() {
    let mut image = Image::of(
        "usr/bin/python3 -> python3.9
        usr/bin/python3.9*
        usr/lib/python3.9/os.py
        usr/lib/python3/dist-packages/
        lib/x86_64-linux-gnu/libc.so.6 -> libc-2.31.so
        lib/x86_64-linux-gnu/libc-2.31.so",
    );
    insta::assert_snapshot!(shown(&mut image, None), @"
    /usr/bin/python3 3.9, glibc 2.31
    purelib usr/local/lib/python3.9/dist-packages
    scripts usr/local/bin
    headers usr/local/include/python3.9
    data    usr/local
    search  usr/local/lib/python3.9/dist-packages usr/lib/python3/dist-packages usr/lib/python3.9/dist-packages
    foreign usr/lib/python3/dist-packages usr/lib/python3.9/dist-packages
    ");
}

#[test]
fn ubuntu() {
    let status = "Package: libc6\nStatus: install ok installed\nVersion: 2.39-0ubuntu8.4\n\n\
        Package: libpython3.12-minimal\nStatus: install ok installed\nVersion: 3.12.3-1ubuntu0.5\n\n\
        Package: python3.10-minimal\nStatus: deinstall ok config-files\nVersion: 3.10.1-1\n";
    let mut image = Image::of(
        "usr/bin/python3 -> python3.12
        usr/bin/python3.12*
        usr/lib/python3.12/os.py
        usr/lib/python3.12/EXTERNALLY-MANAGED
        usr/lib/python3/dist-packages/",
    )
    .with_file("var/lib/dpkg/status", status);
    insta::assert_snapshot!(shown(&mut image, None), @"
    /usr/bin/python3 3.12.3, externally managed, glibc 2.39
    purelib usr/local/lib/python3.12/dist-packages
    scripts usr/local/bin
    headers usr/include/python3.12
    data    usr/local
    search  usr/local/lib/python3.12/dist-packages usr/lib/python3/dist-packages usr/lib/python3.12/dist-packages
    foreign usr/lib/python3/dist-packages usr/lib/python3.12/dist-packages
    ");
}

#[test]
fn distroless() {
    let mut image = Image::of(
        "usr/bin/python -> python3.11
        usr/bin/python3 -> python3.11
        usr/bin/python3.11*
        usr/lib/python3.11/os.py
        var/lib/dpkg/status.d/libc6 < Package: libc6\\nVersion: 2.36-9+deb12u10
        var/lib/dpkg/status.d/libc6.md5sums
        var/lib/dpkg/status.d/python3.11-minimal < Package: python3.11-minimal\\nVersion: 3.11.2-6+deb12u6",
    );
    insta::assert_snapshot!(shown(&mut image, None), @"
    /usr/bin/python3 3.11.2, glibc 2.36
    purelib usr/local/lib/python3.11/dist-packages
    scripts usr/local/bin
    headers usr/include/python3.11
    data    usr/local
    search  usr/local/lib/python3.11/dist-packages usr/lib/python3/dist-packages usr/lib/python3.11/dist-packages
    foreign usr/lib/python3/dist-packages usr/lib/python3.11/dist-packages
    ");
}

#[test]
fn alpine() {
    insta::assert_snapshot!(shown(&mut Image::of(ALPINE), None), @"
    /usr/bin/python3 3.12.11, externally managed, musl 1.2
    purelib usr/lib/python3.12/site-packages
    scripts usr/bin
    headers usr/include/python3.12
    data    usr
    search  usr/lib/python3.12/site-packages
    ");
    // The library itself is asked where the database is gone.
    let mut image = Image::of(ALPINE)
        .with_layer("-lib/apk")
        .with_file("lib/ld-musl-x86_64.so.1", b"\x7fELF\x00musl libc\x001.2.4\x00");
    insta::assert_snapshot!(shown(&mut image, None), @"
    /usr/bin/python3 3.12, externally managed, musl 1.2
    purelib usr/lib/python3.12/site-packages
    scripts usr/bin
    headers usr/include/python3.12
    data    usr
    search  usr/lib/python3.12/site-packages
    ");
}

#[test]
fn red_hat() {
    let mut image = Image::of(
        "bin -> usr/bin
        usr/bin/python3 -> /etc/alternatives/python3
        etc/alternatives/python3 -> /usr/bin/python3.9
        usr/bin/python3.9*
        usr/lib64/python3.9/os.py
        usr/lib64/python3.9/_sysconfigdata__linux_x86_64-linux-gnu.py < 'CFLAGS': '-O2 -I/builddir/Python-3.9.18/build',
        usr/lib/python3.9/site-packages/
        var/lib/rpm/rpmdb.sqlite
        lib64 -> usr/lib64
        usr/lib64/libc.so.6 < GNU C Library (GNU libc) stable release version 2.34.",
    );
    insta::assert_snapshot!(shown(&mut image, None), @"
    /usr/bin/python3 3.9.18, glibc 2.34
    purelib usr/local/lib/python3.9/site-packages
    platlib usr/local/lib64/python3.9/site-packages
    scripts usr/local/bin
    headers usr/include/python3.9
    data    usr/local
    search  usr/local/lib64/python3.9/site-packages usr/local/lib/python3.9/site-packages usr/lib64/python3.9/site-packages usr/lib/python3.9/site-packages
    foreign usr/lib64/python3.9/site-packages usr/lib/python3.9/site-packages
    ");
}

#[test]
fn virtual_environments() {
    let environment = |root: &str, base: &str, system: bool| {
        format!(
            "{root}/pyvenv.cfg < home = /usr/bin\\ninclude-system-site-packages = {system}\\nversion = 3.0.0\\n
            {root}/bin/python -> python3
            {root}/bin/python3 -> {base}
            {root}/bin/pip < #!/{root}/bin/python3\\n
            {root}/lib/python3.11/site-packages/"
        )
    };
    let path = "/venv/bin:/usr/local/bin:/usr/bin";
    let official = environment("venv", "/usr/local/bin/python3", false);
    let mut image = Image::of(DEBIAN).with_layer(OFFICIAL).with_layer(&official);
    image = image.with_variable("PATH", path).with_variable("PYTHON_VERSION", "3.12.11");
    insta::assert_snapshot!(shown(&mut image, None), @"
    /venv/bin/python3 3.12.11, glibc 2.36
    purelib venv/lib/python3.12/site-packages
    scripts venv/bin
    headers venv/include/site/python3.12
    data    venv
    search  venv/lib/python3.12/site-packages
    other   /usr/local/bin/python3 3.12
    ");
    let debian = environment("opt/venv", "/usr/bin/python3", true);
    let mut image = Image::of(DEBIAN).with_layer(BOOKWORM).with_layer(&debian);
    image = image.with_variable("PATH", "/opt/venv/bin:/usr/bin");
    insta::assert_snapshot!(shown(&mut image, None), @"
    /opt/venv/bin/python3 3.11.2, glibc 2.36
    purelib opt/venv/lib/python3.11/site-packages
    scripts opt/venv/bin
    headers opt/venv/include/site/python3.11
    data    opt/venv
    search  opt/venv/lib/python3.11/site-packages usr/local/lib/python3.11/dist-packages usr/lib/python3/dist-packages usr/lib/python3.11/dist-packages
    foreign usr/local/lib/python3.11/dist-packages usr/lib/python3/dist-packages usr/lib/python3.11/dist-packages
    other   /usr/bin/python3 3.11
    ");
    let alpine = environment("venv", "/usr/bin/python3", false);
    let mut image = Image::of(ALPINE).with_layer(&alpine).with_variable("PATH", path);
    insta::assert_snapshot!(shown(&mut image, None), @"
    /venv/bin/python3 3.12.11, musl 1.2
    purelib venv/lib/python3.12/site-packages
    scripts venv/bin
    headers venv/include/site/python3.12
    data    venv
    search  venv/lib/python3.12/site-packages
    other   /usr/bin/python3 3.12
    ");
    // Not on the `PATH`, it is only one of the others.
    let mut image = Image::of(ALPINE).with_layer(&alpine).with_variable("VIRTUAL_ENV", "/venv");
    insta::assert_snapshot!(shown(&mut image, None), @"
    /usr/bin/python3 3.12.11, externally managed, musl 1.2
    purelib usr/lib/python3.12/site-packages
    scripts usr/bin
    headers usr/include/python3.12
    data    usr
    search  usr/lib/python3.12/site-packages
    other   /venv/bin/python3 3.12
    ");
}

#[test]
fn virtual_environment_of_copies() {
    let mut image = Image::of(DEBIAN).with_layer(BOOKWORM).with_layer(
        "venv/pyvenv.cfg < home = /usr/bin\\ninclude-system-site-packages = false\\n
        venv/bin/python*
        venv/bin/python3*
        venv/lib/python3.11/site-packages/",
    );
    image = image.with_variable("PATH", "/venv/bin:/usr/bin");
    insta::assert_snapshot!(shown(&mut image, None), @"
    /venv/bin/python3 3.11.2, glibc 2.36
    purelib venv/lib/python3.11/site-packages
    scripts venv/bin
    headers venv/include/site/python3.11
    data    venv
    search  venv/lib/python3.11/site-packages
    other   /usr/bin/python3 3.11
    ");
}

#[test]
fn pyenv() {
    let pyenv = "
        root/.pyenv/shims/python3*
        root/.pyenv/shims/pip*
        root/.pyenv/version < system\\n3.11
        root/.pyenv/versions/3.11.4/bin/python3 -> python3.11
        root/.pyenv/versions/3.11.4/bin/python3.11*
        root/.pyenv/versions/3.11.10/bin/python3 -> python3.11
        root/.pyenv/versions/3.11.10/bin/python3.11*
        root/.pyenv/versions/3.11.10/bin/pip < #!/root/.pyenv/versions/3.11.10/bin/python3.11
        root/.pyenv/versions/3.11.10/lib/python3.11/os.py
        root/.pyenv/versions/3.12.1/bin/python3 -> python3.12
        root/.pyenv/versions/3.12.1/bin/python3.12*
        ";
    let image = || {
        let image = Image::of(DEBIAN).with_layer(pyenv);
        image.with_variable("PATH", "/root/.pyenv/shims:/usr/bin")
    };
    insta::assert_snapshot!(shown(&mut image(), None), @"
    /root/.pyenv/versions/3.11.10/bin/python3.11 3.11.10, glibc 2.36
    purelib root/.pyenv/versions/3.11.10/lib/python3.11/site-packages
    scripts root/.pyenv/versions/3.11.10/bin
    headers root/.pyenv/versions/3.11.10/include/python3.11
    data    root/.pyenv/versions/3.11.10
    search  root/.pyenv/versions/3.11.10/lib/python3.11/site-packages
    other   /root/.pyenv/versions/3.11.4/bin/python3 3.11
    other   /root/.pyenv/versions/3.12.1/bin/python3 3.12
    ");
    let mut set = image().with_variable("PYENV_VERSION", "3.12.1");
    insta::assert_snapshot!(shown(&mut set, None), @"
    /root/.pyenv/versions/3.12.1/bin/python3.12 3.12.1, glibc 2.36
    purelib root/.pyenv/versions/3.12.1/lib/python3.12/site-packages
    scripts root/.pyenv/versions/3.12.1/bin
    headers root/.pyenv/versions/3.12.1/include/python3.12
    data    root/.pyenv/versions/3.12.1
    search  root/.pyenv/versions/3.12.1/lib/python3.12/site-packages
    other   /root/.pyenv/versions/3.11.10/bin/python3 3.11
    other   /root/.pyenv/versions/3.11.4/bin/python3 3.11
    ");
    insta::assert_snapshot!(shown(&mut image(), Some("3.11.4")), @"
    /root/.pyenv/versions/3.11.4/bin/python3.11 3.11.4, glibc 2.36
    purelib root/.pyenv/versions/3.11.4/lib/python3.11/site-packages
    scripts root/.pyenv/versions/3.11.4/bin
    headers root/.pyenv/versions/3.11.4/include/python3.11
    data    root/.pyenv/versions/3.11.4
    search  root/.pyenv/versions/3.11.4/lib/python3.11/site-packages
    other   /root/.pyenv/versions/3.11.10/bin/python3 3.11
    other   /root/.pyenv/versions/3.12.1/bin/python3 3.12
    ");
}

#[test]
fn free_threaded_build() {
    let mut image = Image::of(DEBIAN).with_layer(
        "opt/python/bin/python3.13t*
        opt/python/bin/python3.13 = opt/python/bin/python3.13t
        opt/python/bin/python3 -> python3.13
        opt/python/lib/python3.13t/os.py
        opt/python/include/python3.13t/patchlevel.h < #define PY_VERSION \"3.13.0rc2+\"",
    );
    image = image.with_variable("PATH", "/opt/python/bin");
    insta::assert_snapshot!(shown(&mut image, None), @"
    /opt/python/bin/python3.13 3.13.0rc2, free-threaded, glibc 2.36
    purelib opt/python/lib/python3.13t/site-packages
    scripts opt/python/bin
    headers opt/python/include/python3.13t
    data    opt/python
    search  opt/python/lib/python3.13t/site-packages
    ");
    insta::assert_snapshot!(shown(&mut image, Some("3.13")), @"
    the image has no Python `3.13`; it has /opt/python/bin/python3 (3.13t)
    hint: name one of them by its path or its version
    ");
    assert_eq!(shown(&mut image, None), shown(&mut image, Some("3.13t")));
}
