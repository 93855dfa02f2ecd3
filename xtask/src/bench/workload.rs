//! What is built: directories of files whose bytes come from a seed.

use std::fs;
use std::path::{Path, PathBuf};

use testbed::{Failure, Result, cache};

/// A directory to be generated.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// What it is called in the report.
    pub name: &'static str,
    /// How many files.
    pub files: u64,
    /// How many bytes in all of them.
    pub bytes: u64,
    /// Whether files have different sizes.
    pub sizes: Sizes,
}

/// How bytes are spread over files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sizes {
    /// Every file is as long as every other.
    Equal,
    /// From an eighth of the mean to almost twice the mean.
    Mixed,
}

/// 1 GiB in 2,000 files.
pub const BIG: Workload =
    Workload { name: "1 GiB in 2,000 files", files: 2_000, bytes: 1 << 30, sizes: Sizes::Mixed };

/// 4 GiB in 2,000 files: for memory, which must not grow with the layer.
pub const LARGE: Workload =
    Workload { name: "4 GiB in 2,000 files", files: 2_000, bytes: 4 << 30, sizes: Sizes::Mixed };

/// 50,000 files of 4 KiB.
pub const MANY: Workload = Workload {
    name: "50,000 files of 4 KiB",
    files: 50_000,
    bytes: 50_000 * 4_096,
    sizes: Sizes::Equal,
};

pub(super) const SEED: u64 = 0x706c_7977_6f6f_6421;
const FILES_A_DIRECTORY: u64 = 100;

impl Workload {
    /// Generates the directory once; later calls find it in the cache.
    pub fn directory(&self) -> Result<PathBuf> {
        let key = format!("bench-{}-{}-{:?}-3", self.files, self.bytes, self.sizes);
        cache::once(&key, |directory| self.generate(directory))
    }

    fn generate(&self, directory: &Path) -> Result {
        eprintln!("generating {}", self.name);
        let vocabulary = vocabulary();
        for (number, size) in self.file_sizes().into_iter().enumerate() {
            let number = number as u64;
            let folder = directory.join(format!("d{:03}", number / FILES_A_DIRECTORY));
            let path = folder.join(format!("f{:05}", number));
            let mut random = Random(SEED ^ (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            // Every other file is what does not compress: pictures, archives, models.
            let content = match number % 2 {
                0 => random.noise(size),
                _ => random.text(size, &vocabulary),
            };
            fs::create_dir_all(&folder)
                .and_then(|()| fs::write(&path, content))
                .map_err(Failure::doing(format!("write {}", path.display())))?;
        }
        Ok(())
    }

    fn file_sizes(&self) -> Vec<u64> {
        let mean = self.bytes / self.files;
        let mut random = Random(SEED);
        let mut pair = || match (self.sizes, random.next()) {
            (Sizes::Equal, _) => [mean, mean],
            // Two files that together are twice the mean, so that the sum is what was asked for,
            // and now one, now the other is the bigger: neighbours differ in kind of content.
            (Sizes::Mixed, draw) => {
                let less = (draw >> 1) % (mean * 7 / 8);
                if draw.is_multiple_of(2) {
                    [mean - less, mean + less]
                } else {
                    [mean + less, mean - less]
                }
            }
        };
        (0..self.files / 2).flat_map(|_| pair()).collect()
    }
}

/// SplitMix64, after Steele, Lea and Flood: "Fast splittable pseudorandom number generators", 2014.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Bytes that no compressor makes smaller.
    pub(super) fn noise(&mut self, size: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(size as usize + 8);
        while bytes.len() < size as usize {
            bytes.extend(self.next().to_le_bytes());
        }
        bytes.truncate(size as usize);
        bytes
    }

    /// Lines of words, of which some are much more frequent than others, and now and then a line
    /// once more: gzip makes a third of it, as of source code.
    fn text(&mut self, size: u64, vocabulary: &[String]) -> Vec<u8> {
        let mut text = Vec::with_capacity(size as usize + 128);
        let mut line = 0;
        while text.len() < size as usize {
            let draw = self.next();
            let third = |shift: u64| (draw >> shift) % 1_024;
            let rank = (third(0) * third(10) * third(20) * vocabulary.len() as u64) >> 30;
            text.extend(vocabulary[rank as usize].as_bytes());
            match (draw >> 32) % 48 {
                0 => {
                    text.push(b'\n');
                    text.extend_from_within(line..);
                    line = text.len();
                }
                1..4 => {
                    text.push(b'\n');
                    line = text.len();
                }
                _ => text.push(b' '),
            }
        }
        text.truncate(size as usize);
        text
    }
}

fn vocabulary() -> Vec<String> {
    let mut random = Random(SEED ^ 1);
    let word = |random: &mut Random| {
        let length = 2 + random.next() % 9;
        (0..length).map(|_| char::from(b'a' + (random.next() % 26) as u8)).collect()
    };
    (0..4_000).map(|_| word(&mut random)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_sum_up() {
        for workload in [BIG, LARGE, MANY] {
            let sizes = workload.file_sizes();
            assert_eq!(sizes.len() as u64, workload.files);
            let sum: u64 = sizes.iter().sum();
            assert!(workload.bytes - sum < workload.files, "{sum}");
        }
    }

    #[test]
    fn bytes_come_from_the_seed() {
        assert_eq!(Random(1).noise(3), Random(1).noise(3));
        assert_ne!(Random(1).noise(8), Random(2).noise(8));
        let text = Random(1).text(1_000, &vocabulary());
        assert_eq!(text.len(), 1_000);
        assert!(text.iter().all(|byte| byte.is_ascii_lowercase() || b" \n".contains(byte)));
    }
}
