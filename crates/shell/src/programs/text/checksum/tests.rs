//! What `checksum` says and does, as the real ones do.

use crate::fixture::Image;
use crate::programs::text::trial::check;

#[test]
fn digests_are_as_gnu_has_them() {
    let mut image = Image::new();
    image.file("work/f", "hello\n", 0o644);
    image.directory("work/d", 0o755);
    check(
        &image,
        None,
        &[
            (
                &["sha256sum", "f"],
                "",
                "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  f\n",
            ),
            (&["md5sum", "f"], "", "b1946ac92492d2347c6235b4d2611184  f\n"),
            (&["sha1sum", "-b", "f"], "", "f572d396fae9206628714fb2ce00f72e94f2258f *f\n"),
            (
                &["sha512sum", "--tag", "f"],
                "",
                "SHA512 (f) = e7c22b994c59d9cf2b48e549b1e24666636045930d3da7c1acb299d1c3b7f931f94aae41edda2c2b207a36e10f8bcb8d45223e54878f5b316e7ce3b6bc019629\n",
            ),
            (
                &["sha224sum", "f", "no"],
                "",
                "2d6d67d91d0badcdd06cbbba1fe11538a68a37ec9c2e26457ceff12b  f\n!sha224sum: no: No such file or directory\n=1",
            ),
            (
                &["sha384sum", "f"],
                "",
                "1d0f284efe3edea4b9ca3bd514fa134b17eae361ccc7a1eefeff801b9bd6604e01f21f6bf249ef030599f0c218f2ba8c  f\n",
            ),
            (&["md5sum"], "x", "9dd4e461268c8034f5c8564e155c67a6  -\n"),
            (&["sha256sum", "d"], "", "!sha256sum: d: Is a directory\n=1"),
            (&["md5sum", "-c"], "b1946ac92492d2347c6235b4d2611184  f\n", "f: OK\n"),
            (&["sha1sum", "-c"], "f572d396fae9206628714fb2ce00f72e94f2258f  f\n", "f: OK\n"),
            (
                &["sha256sum", "-c"],
                "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  f\n",
                "f: OK\n",
            ),
            (
                &["sha512sum", "-c"],
                "e7c22b994c59d9cf2b48e549b1e24666636045930d3da7c1acb299d1c3b7f931f94aae41edda2c2b207a36e10f8bcb8d45223e54878f5b316e7ce3b6bc019629  f\n",
                "f: OK\n",
            ),
            (
                &["sha256sum", "-c", "-"],
                "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 f\n",
                "f: OK\n",
            ),
            (
                &["sha256sum", "--check"],
                "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 *f\na1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa  f\n",
                "f: OK\nf: FAILED\n!sha256sum: WARNING: 1 computed checksum did NOT match\n=1",
            ),
            (
                &["sha256sum", "-c", "--status"],
                "a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa  f\n",
                "=1",
            ),
            (
                &["sha256sum", "-c", "--quiet"],
                "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  f\n",
                "",
            ),
            (
                &["sha256sum", "-c"],
                "SHA256 (f) = 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\n",
                "f: OK\n",
            ),
            (
                &["sha256sum", "-c"],
                "bad\n",
                "!sha256sum: 'standard input': no properly formatted checksum lines found\n=1",
            ),
            (
                &["sha256sum", "-c"],
                "bad\n5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  f\n",
                "f: OK\n!sha256sum: WARNING: 1 line is improperly formatted\n",
            ),
            (
                &["sha256sum", "-c", "--strict"],
                "bad\n5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  f\n",
                "f: OK\n!sha256sum: WARNING: 1 line is improperly formatted\n=1",
            ),
            (
                &["sha256sum", "-c", "-w"],
                "bad\n5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  f\n",
                "f: OK\n!sha256sum: 'standard input': 1: improperly formatted SHA256 checksum line\nsha256sum: WARNING: 1 line is improperly formatted\n",
            ),
            (
                &["sha256sum", "-c"],
                "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  no\n",
                "no: FAILED open or read\n!sha256sum: no: No such file or directory\nsha256sum: WARNING: 1 listed file could not be read\n=1",
            ),
            (
                &["sha256sum", "-c", "--ignore-missing"],
                "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  no\n5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  f\n",
                "f: OK\n",
            ),
            (
                &["sha256sum", "-c", "--ignore-missing"],
                "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  no\n",
                "!sha256sum: 'standard input': no file was verified\n=1",
            ),
            (&["sha256sum", "-c", "no"], "", "!sha256sum: no: No such file or directory\n=1"),
            (
                &["sha256sum", "--quiet", "f"],
                "",
                "!sha256sum: the --quiet option is meaningful only when verifying checksums\nTry 'sha256sum --help' for more information.\n=1",
            ),
            (
                &["sha256sum", "-c", "--tag", "f"],
                "",
                "!sha256sum: the --tag option is meaningless when verifying checksums\nTry 'sha256sum --help' for more information.\n=1",
            ),
            (
                &["sha256sum", "-c"],
                "5891B5B522D5DF086D0FF0B110FBD9D21BB4FC7163AF34D08286A2E846F6BE03  f\r\n# comment\n\n",
                "f: OK\n",
            ),
        ],
    );
}
