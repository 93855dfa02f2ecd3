//! Images that begin with nothing: what debootstrap makes, and less.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use testbed::debian::Allowed::{Content, Missing};
use testbed::debian::{self, Archive, Excuse, Half, Listing, ListingComparison, Workshop};
use testbed::{
    Context, Failure, House, Index, Oracle, Plywood, Result, crun, program, run, stdout, umoci,
};

use super::NAME;
use super::excuses::EXCUSES;
use crate::support::plywood;

/// What debootstrap leaves that an image does without.
const OF_DEBOOTSTRAP: &[Excuse] = &[
    Excuse {
        paths: &["dev", "dev/**", "proc", "sys"],
        allows: Missing,
        why: "every runtime makes and mounts its own there",
    },
    Excuse {
        paths: &["etc/hostname", "etc/resolv.conf"],
        allows: Missing,
        why: "they are those of the machine that debootstrap ran on",
    },
    Excuse {
        paths: &["etc/fstab"],
        allows: Missing,
        why: "it holds a remark that nothing is set up, and a container mounts nothing by it",
    },
    Excuse {
        paths: &["var/lib/dpkg/cmethopt"],
        allows: Missing,
        why: "dselect's way to packages, which is asked for when dselect is started",
    },
    Excuse {
        paths: &["var/lib/dpkg/available", "var/lib/dpkg/available-old"],
        allows: Content,
        why: "dselect's list of what could be installed, as old as the image",
    },
    Excuse {
        paths: &["var/lib/dpkg/available-old"],
        allows: Missing,
        why: "dselect's list of what could be installed, as old as the image",
    },
    Excuse {
        paths: &["var/cache/debconf/config.dat"],
        allows: Content,
        why: "debootstrap installs libc6 twice, and its questions belong to two names of it",
    },
    Excuse {
        paths: &["etc/shadow"],
        allows: Content,
        why: "the day of debootstrap's run; all else in it is compared below",
    },
    Excuse {
        paths: &["var/lib/dpkg/status"],
        allows: Content,
        why: "debootstrap's priorities are those of the archive's list; all else is compared below",
    },
    Excuse { paths: &["var/log/bootstrap.log"], allows: Missing, why: "debootstrap's own log" },
    Excuse {
        paths: &["var/lib/apt/lists/*", "var/lib/apt/lists/partial/*", "var/cache/apt/**"],
        allows: Missing,
        why: "lists of packages that debootstrap has downloaded, and that are old tomorrow",
    },
    Excuse {
        paths: &["run/mount"],
        allows: Missing,
        why: "what mount(8) notes while something is mounted",
    },
];

/// A recipe of these lines below `[debian]`, with the archive for its source.
fn recipe(debian: &str, more: &str) -> String {
    format!(
        "base = \"scratch\"\n{more}\n[debian]\n{debian}\n\
         sources = [\"http://{}/debian\"]\nsuites = [\"bookworm\"]\n",
        Archive::HOST
    )
}

/// An image in a store of its own.
struct Made {
    plywood: Plywood,
    directory: TempDir,
}

impl Made {
    fn of(context: &Context, archive: &Archive, arguments: &[&str]) -> Result<Self> {
        let plywood = plywood()?;
        let mut build = plywood.command(["build", "--quiet", "--tag", NAME]);
        build.args(arguments).envs(archive.environment()).arg(context.path());
        run(&mut build)?;
        let directory = tempfile::Builder::new().prefix("unpacked-").tempdir().unwrap();
        let made = Made { plywood, directory };
        umoci::unpack(&made.plywood.store(), NAME, &made.bundle())?;
        Ok(made)
    }

    fn bundle(&self) -> PathBuf {
        self.directory.path().join("bundle")
    }

    fn root(&self) -> PathBuf {
        self.bundle().join("rootfs")
    }

    /// The bytes of all layers, as they go to a registry.
    fn compressed(&self) -> u64 {
        let read =
            |path: &Path| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
        let index = read(&self.plywood.store().join("index.json"));
        let listed = index["manifests"].as_array().unwrap().iter();
        let is_meant = |listed: &&Value| {
            listed["annotations"]["org.opencontainers.image.ref.name"].as_str() == Some(NAME)
        };
        let digest = listed.clone().find(is_meant).unwrap()["digest"].as_str().unwrap();
        let blob = digest.replace(':', "/");
        let manifest = read(&self.plywood.store().join("blobs").join(blob));
        let layers = manifest["layers"].as_array().unwrap().iter();
        layers.map(|layer| layer["size"].as_u64().unwrap()).sum()
    }

    fn packages(&self) -> BTreeSet<String> {
        packages(&self.root())
    }
}

/// The packages in dpkg's database.
fn packages(root: &Path) -> BTreeSet<String> {
    let status = fs::read_to_string(root.join("var/lib/dpkg/status")).unwrap();
    status.lines().filter_map(|line| line.strip_prefix("Package: ")).map(str::to_owned).collect()
}

#[test]
fn minbase_is_what_debootstrap_makes() -> Result {
    let archive = Archive::start()?;
    let root = debian::minbase(&archive)?;
    let command = "cmd = [\"/bin/sh\", \"-c\", \"echo a shell of $(cat /etc/issue.net)\"]";
    let text = recipe("variant = \"minbase\"", command);
    let context = Context::new()?.file("plywood.toml", text)?;
    let made = Made::of(&context, &archive, &[])?;
    assert_eq!(made.packages(), packages(&root));

    let theirs = Listing::read(&root)?;
    // Packages are older than the run, of which nothing tells when it began.
    let began = theirs.items["bin"].mtime - 3600;
    let theirs = Half { listing: &theirs, files: root };
    let ours = Listing::read(&made.root())?;
    let ours = Half { listing: &ours, files: made.root() };
    let excuses = [EXCUSES, OF_DEBOOTSTRAP].concat();
    ListingComparison::of(&ours, &theirs, began, &excuses).demand_equal()?;

    for (path, leave_out) in
        [("etc/shadow", Leave::Day), ("var/lib/dpkg/status", Leave::Priorities)]
    {
        let [ours, theirs] =
            [&made.root(), &theirs.files].map(|root| leave_out.of(&root.join(path)));
        assert_eq!(ours, theirs, "{path}");
    }

    assert_eq!(crun::run(&made.bundle(), "plywood-minbase")?, "a shell of Debian GNU/Linux 12\n");
    // As a runtime does.
    for directory in ["dev", "proc", "sys"] {
        fs::create_dir_all(made.root().join(directory)).unwrap();
    }
    let workshop = Workshop::within(&made.root(), &archive);
    assert_eq!(workshop.run("dpkg --audit && dpkg --verify")?, "");
    workshop.run("apt-get update && apt-get check")?;
    workshop.run("apt-get install -y --no-install-recommends tree")?;
    Ok(())
}

/// What two files differ in for a known reason.
#[derive(Clone, Copy)]
enum Leave {
    /// The third field of shadow(5).
    Day,
    /// The lines of dpkg's database.
    Priorities,
}

impl Leave {
    /// The lines of a file without that.
    fn of(self, path: &Path) -> Vec<String> {
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().map(|line| match self {
            Leave::Day => {
                let fields = line.split(':').enumerate().filter(|(at, _)| *at != 2);
                fields.map(|(_, field)| field).collect::<Vec<_>>().join(":")
            }
            Leave::Priorities if line.starts_with("Priority: ") => String::new(),
            Leave::Priorities => line.to_owned(),
        });
        lines.collect()
    }
}

/// What apt would install, asked for what is essential where nothing is installed. It would take itself
/// for essential if it were asked for that in one word, and /usr is merged.
const ESSENTIAL: &str = "apt-get update >/dev/null && : > /tmp/nothing && \
    names=$(apt-cache dumpavail | awk -v RS= '/\\nEssential: yes/ { print $2 }' | sort -u) && \
    apt-get -o Dir::State::status=/tmp/nothing --no-install-recommends --simulate install \
    $names usr-is-merged";

#[test]
fn essential_is_what_apt_calls_so() -> Result {
    let archive = Archive::start()?;
    let command = "cmd = [\"/bin/sh\", \"-c\", \"dpkg-query --show | wc -l\"]";
    let text = recipe("variant = \"essential\"", command);
    let context = Context::new()?.file("plywood.toml", text)?;
    let made = Made::of(&context, &archive, &[])?;
    let workshop = Workshop::copy_of(&debian::minbase(&archive)?, &archive)?;
    let simulated = workshop.run(ESSENTIAL)?;
    let installed = simulated.lines().filter_map(|line| line.strip_prefix("Inst "));
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let essential: BTreeSet<String> = installed.map(name).collect();
    assert!(essential.contains("dpkg") && !essential.contains("apt"), "{essential:?}");
    assert_eq!(made.packages(), essential);
    let shown = crun::run(&made.bundle(), "plywood-essential")?;
    assert_eq!(shown.trim(), essential.len().to_string());
    let workshop = Workshop::within(&made.root(), &archive);
    assert_eq!(workshop.run("dpkg --audit && dpkg --verify")?, "");
    Ok(())
}

/// On another machine than it is for, and with nothing of it run.
#[test]
fn minbase_of_another_architecture() -> Result {
    let archive = Archive::start()?;
    let context = Context::new()?.file("plywood.toml", recipe("variant = \"minbase\"", ""))?;
    let made = Made::of(&context, &archive, &["--platform", "linux/arm64"])?;
    assert_eq!(made.packages(), debootstraps(&archive, "arm64")?);

    let root = made.root();
    // This machine's dpkg has to be told that there is such an architecture.
    fs::write(root.join("var/lib/dpkg/arch"), "amd64\narm64\n").unwrap();
    let mut dpkg = program("dpkg");
    assert_eq!(stdout(dpkg.arg("--root").arg(&root).arg("--audit"))?, "");
    let mut query = program("dpkg-query");
    query.arg("--admindir").arg(root.join("var/lib/dpkg"));
    let states = stdout(query.args(["-W", "-f", "${db:Status-Abbrev}${Architecture}\n"]))?;
    let states: BTreeSet<&str> = states.lines().collect();
    assert_eq!(states, BTreeSet::from(["ii all", "ii arm64"]));
    assert_eq!(machines(&root)?, BTreeSet::from([AARCH64]));
    let mut ldconfig = program("ldconfig");
    ldconfig.arg("-p").arg("-C").arg(root.join("etc/ld.so.cache"));
    let cache = stdout(&mut ldconfig)?;
    let line = "libc.so.6 (libc6,AArch64) => /lib/aarch64-linux-gnu/libc.so.6";
    assert!(cache.contains(line), "{cache}");
    Ok(())
}

/// The packages that debootstrap would install.
fn debootstraps(archive: &Archive, architecture: &str) -> Result<BTreeSet<String>> {
    let directory = tempfile::tempdir().map_err(Failure::doing("make a directory"))?;
    let found = Oracle::named("debootstrap").and_then(Oracle::path);
    let mut command = program(found.unwrap_or_else(|| "debootstrap".into()));
    command.envs(archive.environment());
    command.args(["--print-debs", "--variant=minbase", "--arch", architecture]);
    command.arg("bookworm").arg(directory.path().join("root"));
    let printed = stdout(command.arg(format!("http://{}/debian", Archive::HOST)))?;
    Ok(printed.split_whitespace().map(str::to_owned).collect())
}

/// The machine number of 64-bit Arm (the ELF supplement of its ABI, "ELF Header").
const AARCH64: u16 = 183;

/// The machines that programs and libraries are for.
fn machines(root: &Path) -> Result<BTreeSet<u16>> {
    let listing = Listing::read(root)?;
    let mut machines = BTreeSet::new();
    for path in listing.items.keys() {
        let path = root.join(path);
        let is_file = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
        let bytes = if is_file { fs::read(&path).unwrap_or_default() } else { Vec::new() };
        if let Some([0x7f, b'E', b'L', b'F', .., low, high]) = bytes.get(..20) {
            machines.insert(u16::from_le_bytes([*low, *high]));
        }
    }
    Ok(machines)
}

/// Serves itself one request, as a browser would send it.
const ONE_REQUEST: &str = "\
import threading, urllib.request
from werkzeug.serving import make_server
from app import app
server = make_server('127.0.0.1', 0, app)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(urllib.request.urlopen(f'http://127.0.0.1:{server.server_port}/').read().decode(), end='')
";

/// The README's first image, with what it takes from elsewhere out of recordings.
#[test]
fn the_example_serves_a_request_and_is_small() -> Result {
    const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/flask");
    let archive = Archive::start()?;
    let index = Index::of(&[&House::listed("benchmark")?])?;
    let read = |name: &str| fs::read_to_string(Path::new(EXAMPLE).join(name)).unwrap();
    let sources =
        format!("sources = [\"http://{}/debian\"]\nsuites = [\"bookworm\"]", Archive::HOST);
    let index_url = format!("[python]\nindex-url = \"{}\"", index.url());
    let text = read("plywood.toml")
        .replace("packages = [\"python3\"]", &format!("packages = [\"python3\"]\n{sources}"))
        .replace("[python]", &index_url)
        .replace("\"app.py\"]\n", &format!("\"-c\", '''\n{ONE_REQUEST}''']\n"));
    assert_ne!(text, read("plywood.toml"));
    let context = Context::new()?
        .file("plywood.toml", text)?
        .file("app.py", read("app.py"))?
        .file("requirements.txt", read("requirements.txt"))?;
    let made = Made::of(&context, &archive, &[])?;
    let size = made.compressed();
    assert!(size < 60_000_000, "{size} bytes");
    let printed = crun::run(&made.bundle(), "plywood-example")?;
    assert_eq!(printed.trim_end(), r#"{"flask":"3.1.3","werkzeug":"3.1.9"}"#);
    // With what python3 needs, and no more.
    let packages = made.packages();
    let absent = ["apt", "bash", "coreutils", "perl-base"];
    assert!(packages.contains("python3.11-minimal"), "{packages:?}");
    assert!(!absent.iter().any(|name| packages.contains(*name)), "{packages:?}");
    Ok(())
}
