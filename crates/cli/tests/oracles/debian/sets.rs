//! Sets of packages that Dockerfiles ask for: the tree is apt's, path by path.

use testbed::debian::{self, Archive, Half, Listing, ListingComparison, Original, Workshop};
use testbed::{Failure, Result};

use super::excuses::EXCUSES;
use super::{Made, programs};
use crate::support::plywood;

/// Sets that plywood refuses: the package, its script, and the command that would need execution.
const REFUSED: &[(&str, &str)] =
    &[("postgresql", "postinst of `ssl-cert`: `make-ssl-cert` makes a random private key")];

/// A test for each set, so that one can be run alone and all of them side by side.
macro_rules! sets {
    ($($name:ident: $packages:literal,)*) => {
        $(
            #[test]
            fn $name() -> Result {
                check($packages)
            }
        )*
    };
}

sets! {
    build_essential: "build-essential",
    ca_certificates: "ca-certificates",
    cmake: "cmake",
    cron: "cron",
    curl: "curl",
    dbus: "dbus",
    ffmpeg: "ffmpeg",
    gfortran: "gfortran",
    git: "git",
    libgomp1: "libgomp1",
    libpq5: "libpq5",
    llvm: "llvm",
    locales: "locales",
    man_db: "man-db",
    nano: "nano",
    nginx_light: "nginx-light",
    nodejs: "nodejs",
    openjdk: "openjdk-17-jre-headless",
    openssh_client: "openssh-client",
    postgresql: "postgresql",
    postgresql_client: "postgresql-client",
    python3: "python3",
    redis_server: "redis-server",
    swig: "swig",
    systemd_sysv: "systemd-sysv",
    tini: "tini",
    tzdata: "tzdata",
}

/// What Dockerfiles do around the packages.
pub(super) fn line(packages: &str) -> String {
    format!(
        "apt-get update && apt-get install -y --no-install-recommends {packages} && \
         rm -rf /var/lib/apt/lists/*"
    )
}

/// What dpkg has to say of a tree after such a line: the directory is apt's own, and the line removes it.
pub(super) const VERIFIED: &str = "missing     /var/lib/apt/lists/partial\n";

/// The packages of a project's Dockerfile, with what is recommended.
#[test]
fn a_pipelines_packages() -> Result {
    let line = line("libsnappy-dev libyaml-dev ccache").replace("--no-install-recommends ", "");
    check_line(&line, &Archive::start()?).map(drop)
}

/// The lists stay as the archive compresses them, where apt compresses them anew; it reads them.
#[test]
fn lists_that_a_line_leaves_are_read_by_apt() -> Result {
    let archive = Archive::start()?;
    let base = debian::fresh(&archive)?;
    let line = "apt-get update && apt-get install -y tini";
    let made = Made::by(&plywood()?, &base, &archive, line)?;
    let workshop = Workshop::within(&made.root(), &archive);
    workshop.run("apt-get check && apt-get install -y tree && apt-get update")?;
    assert_eq!(workshop.run("dpkg --audit && dpkg --verify")?, "");
    Ok(())
}

/// What is refused goes with the scripts that are in its way left out, and the server works.
#[test]
fn postgresql_without_its_scripts() -> Result {
    let archive = Archive::start()?;
    let base = debian::fresh(&archive)?;
    let skipped = ["ssl-cert", "postgresql-common", "postgresql-15"];
    let options = skipped.map(|name| format!("-o Plywood::Skip-Scripts::={name}")).join(" ");
    let made = Made::by(&plywood()?, &base, &archive, &line(&format!("{options} postgresql")))?;
    let workshop = Workshop::within(&made.root(), &archive);
    assert_eq!(workshop.run("dpkg --audit && dpkg --verify")?, VERIFIED);
    let database = "/usr/lib/postgresql/15/bin/initdb -D /tmp/data > /dev/null && \
        echo 'select 6*7' | /usr/lib/postgresql/15/bin/postgres --single -D /tmp/data postgres";
    let printed = workshop.run(&format!("su nobody -s /bin/sh -c \"{database}\""))?;
    assert!(printed.contains("\"42\""), "{printed}");
    Ok(())
}

fn check(packages: &str) -> Result {
    let line = line(packages);
    let archive = Archive::start()?;
    match REFUSED.iter().find(|(set, _)| *set == packages) {
        None => {
            let made = check_line(&line, &archive)?;
            programs::demand_they_run(packages, &Workshop::within(&made.root(), &archive))
        }
        Some((_, command)) => {
            let base = debian::fresh(&archive)?;
            let said = match Made::by(&plywood()?, &base, &archive, &line) {
                Ok(_) => return Err(Failure::new(format!("{packages} is not refused any more"))),
                Err(failure) => failure.to_string(),
            };
            assert!(said.contains(command), "does not name `{command}`:\n{said}");
            Ok(())
        }
    }
}

/// The tree after a line is apt's, and dpkg finds nothing wrong with it.
fn check_line(line: &str, archive: &Archive) -> Result<Made> {
    let base = debian::fresh(archive)?;
    let theirs = Original::of(line, &base, archive)?;
    let made = Made::by(&plywood()?, &base, archive, line)?;
    let ours = Listing::read(&made.root())?;
    let ours = Half { listing: &ours, files: made.root() };
    ListingComparison::of(&ours, &theirs.half(), theirs.began, EXCUSES).demand_equal()?;

    let workshop = Workshop::within(&made.root(), archive);
    assert_eq!(workshop.run("dpkg --audit && dpkg --verify")?, VERIFIED);
    Ok(made)
}
