//! Sets of packages that Dockerfiles ask for: the tree is apt's, path by path.

use testbed::debian::{self, Archive, Half, Listing, ListingComparison, Original, Workshop};
use testbed::{Failure, Result};

use super::Made;
use super::excuses::EXCUSES;
use crate::support::plywood;

/// Sets that plywood refuses: the package, its script, and the command that would need execution.
const REFUSED: &[(&str, &str)] = &[("postgresql", "postinst of `ssl-cert`: `hostname`")];

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

fn check(packages: &str) -> Result {
    let archive = Archive::start()?;
    let base = debian::fresh(&archive)?;
    let line = line(packages);
    let theirs = Original::of(&line, &base, &archive)?;
    let refused = REFUSED.iter().find(|(set, _)| *set == packages);
    let made = match (Made::by(&plywood()?, &base, &archive, &line), refused) {
        (Ok(made), None) => made,
        (Ok(_), Some(_)) => {
            return Err(Failure::new(format!("{packages} is not refused any more")));
        }
        (Err(failure), None) => return Err(failure),
        (Err(failure), Some((_, command))) => {
            let said = failure.to_string();
            assert!(said.contains(command), "does not name `{command}`:\n{said}");
            return Ok(());
        }
    };
    let ours = Listing::read(&made.root())?;
    let ours = Half { listing: &ours, files: made.root() };
    ListingComparison::of(&ours, &theirs.half(), theirs.began, EXCUSES).demand_equal()?;

    let workshop = Workshop::within(&made.root(), &archive);
    assert_eq!(workshop.run("dpkg --audit && dpkg --verify")?, VERIFIED);
    Ok(())
}
