//! The bytes of a layer, pinned: whoever changes one of these digests changes every image that is
//! built from then on, and the changelog must say so.

#![allow(clippy::unwrap_used)] // A test may.

mod entries;

use entries::{every_kind, file, wheel, write, write_deflated};
use layer::{Entry, GzipLevel, Packing, ZstdLevel};

/// Text of a small vocabulary, noise, and the two in turns; large files and many small ones.
fn workload() -> Vec<(Entry, Vec<u8>)> {
    let mut state = 1u64;
    let mut random = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    let mut noise = |length: usize| -> Vec<u8> { (0..length).map(|_| random() as u8).collect() };
    let text = |noise: Vec<u8>| -> Vec<u8> {
        let words = ["layer ", "entry ", "digest ", "tar ", "\n", "of ", "a ", "whiteout "];
        noise.iter().flat_map(|byte| words[usize::from(byte % 8)].bytes()).collect()
    };
    let mut entries = every_kind();
    entries.push(file("noise", &noise(3_000_000)));
    entries.push(file("text", &text(noise(500_000))));
    let turns = [noise(200_000), text(noise(60_000)), noise(200_000), text(noise(60_000))];
    entries.push(file("turns", &turns.concat()));
    for number in 0..400 {
        entries.push(file(&format!("small/{number}"), &text(noise(number * 3))));
    }
    entries.sort_by(|(a, _), (b, _)| a.layer_order(b));
    entries
}

fn digest(packing: Packing) -> String {
    let (packed, _) = write(&workload(), packing, 2);
    format!("{} {}", packed.descriptor.digest, packed.descriptor.size)
}

#[test]
fn the_tar() {
    insta::assert_snapshot!(digest(Packing::None), @"sha256:a7a026f150752d994dadd6f9db424f0ab90e1b767e411103b62b6a7c5dce0542 10964480");
}

#[test]
fn gzip() {
    let of = |level| digest(Packing::Gzip(GzipLevel::new(level).unwrap()));
    assert_eq!(of(4), digest(Packing::default()));
    insta::assert_snapshot!(of(1), @"sha256:fd290d1bcb6ce3870e2f908d54d14ec688c92b6f601273c73fa583e22492204c 4202005");
    insta::assert_snapshot!(of(4), @"sha256:d41405392cfb707ade221f9c2bac54ab576f7fca3dc0ef01c6b18b855cd987d7 4064989");
    insta::assert_snapshot!(of(6), @"sha256:7b2316e96dc2ef538e482f36f18554e6b0dc7df501b64ba97b3995e2fc64e51f 4028280");
    insta::assert_snapshot!(of(9), @"sha256:e326fb16f6320e98d7ac60c1e97d4cb23c2d0ecf929a7fb91e7cf25b1d780b24 3952744");
    insta::assert_snapshot!(of(12), @"sha256:b0df16389d777562993ea6c5baddf9d4080ea1a7aed657f9abab8aad360fd938 3909361");
}

#[test]
fn zstd() {
    let of = |level| digest(Packing::Zstd(ZstdLevel::new(level).unwrap()));
    assert_eq!(of(3), digest(Packing::Zstd(ZstdLevel::default())));
    insta::assert_snapshot!(of(1), @"sha256:93331cee1b784b4eccdaec9a04284bc1e70e5e389f91c8036ff04f6c5dc890ff 4150009");
    insta::assert_snapshot!(of(3), @"sha256:058e30eaafa7196d823db46d405903a3d0c6d65f538212d8558d8859346e67da 4122425");
    insta::assert_snapshot!(of(9), @"sha256:b03ddbabdff897d2a1775fcc13c585c01e72f6705f65d4fec72014723810e384 4033321");
    insta::assert_snapshot!(of(19), @"sha256:d7cc019d33d0bda16117ef72582767d06ce71ad50278bfafd8dd2bc254147dc3 3875561");
}

/// With files that came deflated. What they came as counts only where it is kept.
#[test]
fn deflated() {
    let of = |packing| {
        let packed = write_deflated(&wheel(), |_| true, packing, 2).0;
        format!("{} {}", packed.descriptor.digest, packed.descriptor.size)
    };
    let plain = |packing| {
        let packed = write(&wheel(), packing, 2).0;
        format!("{} {}", packed.descriptor.digest, packed.descriptor.size)
    };
    insta::assert_snapshot!(of(Packing::default()), @"sha256:eed6aa4aac62181b3371fdf8c773dd15d28a7cf148bacbcae872e4c0362e4060 1485320");
    insta::assert_snapshot!(of(Packing::Gzip(GzipLevel::new(9).unwrap())), @"sha256:4304d34cd2e91b3b0e1387d127d2f99d4b9ea05891c8aeeccf86d473e183dd53 1410095");
    for packing in [Packing::None, Packing::Zstd(ZstdLevel::default())] {
        assert_eq!(of(packing), plain(packing));
    }
}
