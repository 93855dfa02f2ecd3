//! apt and dpkg go on in an image that plywood made.

use testbed::Result;
use testbed::debian::{self, Archive, Workshop};

use super::Made;
use super::sets::{VERIFIED, line};
use crate::support::plywood;

const PACKAGES: &str = "curl git python3 ca-certificates nodejs locales";

#[test]
fn packages_come_and_go_in_what_plywood_made() -> Result {
    let archive = Archive::start()?;
    let base = debian::fresh(&archive)?;
    let made = Made::by(&plywood()?, &base, &archive, &line(PACKAGES))?;
    let workshop = Workshop::within(&made.root(), &archive);
    go_on(&workshop)
}

/// On a base that is older, what has to moves with the packages, and the rest can be upgraded.
#[test]
fn an_aged_base_is_upgraded_in_part_and_then_by_apt() -> Result {
    let archive = Archive::start()?;
    let base = debian::aged(&archive)?;
    let made = Made::by(&plywood()?, &base, &archive, &line("git libc6-dev xz-utils"))?;
    let workshop = Workshop::within(&made.root(), &archive);
    let versions = "dpkg-query -W -f '${Package} ${Version}\\n' libc6 libc-bin liblzma5 perl-base";
    let versions = workshop.run(versions)?;
    assert!(!versions.contains("aged"), "{versions}");
    go_on(&workshop)?;
    workshop.run("apt-get -y dist-upgrade")?;
    let left = workshop.run("dpkg-query -W -f '${Package} ${Version}\\n' | grep aged || true")?;
    assert_eq!(left, "");
    Ok(())
}

fn go_on(workshop: &Workshop) -> Result {
    assert_eq!(workshop.run("dpkg --audit && dpkg --verify")?, VERIFIED);
    workshop.run("apt-get update && apt-get check")?;
    assert_eq!(workshop.run("apt-get install -y -f | grep ^Inst || true")?, "");
    workshop.run("apt-get install -y --no-install-recommends tree jq cron")?;
    workshop.run("apt-get -y upgrade")?;
    workshop.run("apt-get install -y --reinstall git")?;
    workshop.run("apt-get purge -y git jq cron && apt-get autoremove -y --purge")?;
    let state =
        "dpkg-query -W -f '${db:Status-Status} ${Package}\\n' git jq libonig5 cron 2>/dev/null";
    let left = workshop.run(&format!("{state} | grep -v ^not-installed || true"))?;
    assert_eq!(left, "", "not purged");
    assert_eq!(workshop.run("dpkg --audit && dpkg --verify && apt-get check -qq")?, "");
    Ok(())
}
