//! What `sort` says and does, as the real ones do.

use crate::fixture::Image;
use crate::programs::text::trial::check;

#[test]
fn order_is_as_gnu_has_it() {
    let mut image = Image::new();
    image.file("work/f", "b\nA\na\nB\na\n", 0o644);
    image.file("work/n", "10\n9\n-1\n1.5\nx\n", 0o644);
    image.file("work/k", "x 2\ny 10\nx 1\n z 3\n", 0o644);
    image.file("work/c", "a:2\nb:1\na:10\n", 0o644);
    image.file("work/v", "v1.10\nv1.9\nv1.9.1\nfoo-1.tar.gz\nfoo.tar.gz\n", 0o644);
    image.file("work/g", "15\n9.50\n-2\n 9.5\n", 0o644);
    image.file("work/h", "1M\n2K\n1G\n500\n", 0o644);
    image.file("work/m", "MAR\nJan\nfeb\n", 0o644);
    image.file("work/e", "a\nb\n", 0o644);
    image.directory("work/d", 0o755);
    check(
        &image,
        None,
        &[
            (&["sort", "f"], "", "A\nB\na\na\nb\n"),
            (&["sort", "-r", "f"], "", "b\na\na\nB\nA\n"),
            (&["sort", "-n", "n"], "", "-1\nx\n1.5\n9\n10\n"),
            (&["sort", "-rn", "n"], "", "10\n9\n1.5\nx\n-1\n"),
            (&["sort", "-u", "f"], "", "A\nB\na\nb\n"),
            (&["sort", "-f", "f"], "", "A\na\na\nB\nb\n"),
            (&["sort", "-k2", "k"], "", "x 1\ny 10\nx 2\n z 3\n"),
            (&["sort", "-k2,2n", "k"], "", "x 1\nx 2\n z 3\ny 10\n"),
            (&["sort", "-t:", "-k2", "-n", "c"], "", "b:1\na:2\na:10\n"),
            (&["sort", "-t", ":", "-k1,1r", "-k2,2n", "c"], "", "b:1\na:2\na:10\n"),
            (&["sort", "-g", "g"], "", "-2\n 9.5\n9.50\n15\n"),
            (&["sort", "-k1g", "g"], "", "-2\n 9.5\n9.50\n15\n"),
            (&["sort", "-V", "v"], "", "foo.tar.gz\nfoo-1.tar.gz\nv1.9\nv1.9.1\nv1.10\n"),
            (&["sort", "-h", "h"], "", "500\n2K\n1M\n1G\n"),
            (&["sort", "-M", "m"], "", "Jan\nfeb\nMAR\n"),
            (&["sort", "-s", "-k1,1", "k"], "", " z 3\nx 2\nx 1\ny 10\n"),
            (&["sort", "-b", "k"], "", "x 1\nx 2\ny 10\n z 3\n"),
            (&["sort", "-c", "f"], "", "!sort: f:2: disorder: A\n=1"),
            (&["sort", "-C", "f"], "", "=1"),
            (&["sort", "-cu", "e"], "", ""),
            (&["sort", "-o", "out", "f"], "", ""),
            (&["sort", "no", "f"], "", "!sort: cannot read: no: No such file or directory\n=2"),
            (&["sort", "d"], "", "!sort: read failed: d: Is a directory\n=2"),
            (&["sort", "-m", "e", "e"], "", "a\na\nb\nb\n"),
            (&["sort"], "b\na", "a\nb\n"),
            (&["sort", "-z", "e"], "", "a\nb\n\u{0}"),
            (&["sort", "-k1.2", "f"], "", "A\nB\na\na\nb\n"),
            (&["sort", "-d", "k"], "", " z 3\nx 1\nx 2\ny 10\n"),
            (&["sort", "--check=quiet", "f"], "", "=1"),
            (&["sort", "f", "e"], "", "A\nB\na\na\na\nb\nb\n"),
        ],
    );
}
