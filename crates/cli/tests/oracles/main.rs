//! End to end: the real binary, a real registry, real bases, and other people's programs as judges.
//!
//! Needs: apt-get, buildah, bzip2, cpython3.11, crun, debootstrap, docker-registry, git, gzip, htpasswd, nginx, openssl, pigz, python3, setpriv, skopeo, tar, taskset, time, umoci, unshare, xz, zstd, root.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests may")]

mod debian;
mod full_disk;
mod git_pins;
mod moves_only_what_is_new;
mod python;
mod registries;
mod run;
mod run_image;
mod same_as_buildah;
mod same_digest;
mod support;
