//! Requirements that nothing satisfies.

use super::order::{Order, base, refused};
use super::wheel::{source, wheel};

#[test]
fn no_such_package() {
    insta::assert_snapshot!(refused("requirements = [\"clik\"]", &[wheel("click", "8.1.0")]), @r#"
    exit 5
    error: failed to resolve the Python packages: there is no package `clik` (context/plywood.toml:6) at http://127.0.0.1:11111/simple/
     --> context/plywood.toml:6:1
      |
    6 | requirements = ["clik"]
      | ^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    let needy = [wheel("needy", "1.0").requires("missing>=1")];
    insta::assert_snapshot!(refused("requirements = [\"needy==1.0\"]", &needy), @"
    exit 5
    error: failed to resolve the Python packages: there is no package `missing` at http://127.0.0.1:11111/simple/
           Because missing was not found in the package registry and all versions of needy depend on missing>=1, we can conclude that all versions of needy cannot be used.
           And because you require needy==1.0, we can conclude that your requirements are unsatisfiable.
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
    let order =
        Order::of("requirements-files = [\"requirements.txt\"]", &[wheel("click", "8.1.0")]);
    let order = order.file("requirements.txt", "# ours\nclick-log-0.3.2\n");
    insta::assert_snapshot!(order.refused(), @"
    exit 5
    error: failed to resolve the Python packages: there is no package `click-log-0-3-2` (requirements.txt:2) at http://127.0.0.1:11111/simple/
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: `click-log==0.3.2` may be meant
    ");
}

#[test]
fn no_matching_version() {
    let wheels = ["1.0", "1.1", "2.0"].map(|version| wheel("lib", version));
    insta::assert_snapshot!(refused("requirements = [\"lib>=3\"]", &wheels), @r#"
    exit 5
    error: failed to resolve the Python packages: no version of `lib` is `>=3` (context/plywood.toml:6); there are 2.0, 1.1, 1.0
     --> context/plywood.toml:6:1
      |
    6 | requirements = ["lib>=3"]
      | ^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(refused("requirements = [\"lib==1.2\"]", &wheels), @r#"
    exit 5
    error: failed to resolve the Python packages: no version of `lib` is `==1.2` (context/plywood.toml:6); there are 2.0, 1.1, 1.0
     --> context/plywood.toml:6:1
      |
    6 | requirements = ["lib==1.2"]
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn conflicts() {
    let wheels = [
        wheel("app", "1.0").requires("lib<2"),
        wheel("tool", "1.0").requires("lib>=2"),
        wheel("lib", "1.0"),
        wheel("lib", "2.0"),
    ];
    insta::assert_snapshot!(refused("requirements = [\"app==1.0\", \"tool==1.0\"]", &wheels), @"
    exit 3
    error: failed to resolve the Python packages: the requirements cannot be met together
           Because all versions of tool depend on lib>=2 and all versions of app depend on lib<2, we can conclude that all versions of app and all versions of tool are incompatible.
           And because you require app==1.0 and tool==1.0, we can conclude that your requirements are unsatisfiable.
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
}

#[test]
fn only_source_distributions() {
    let files = [
        wheel("app", "1.0").requires("pure").requires("fast<2").requires("old<2").served(),
        source("pure", "1.0"),
        source("fast", "1.0"),
        wheel("fast", "1.0").tags("cp39-cp39-manylinux_2_17_x86_64").served(),
        wheel("fast", "1.0").tags("cp311-cp311-win_amd64").served(),
        source("old", "1.0"),
        wheel("old", "2.0").served(),
    ];
    let table = "index-url = \"http://INDEX/simple/\"\nrequirements = [\"app==1.0\"]";
    insta::assert_snapshot!(Order::on(&base(), table, &files).refused(), @r#"
    exit 5
    error: failed to resolve the Python packages: no wheel fits CPython 3.11 on x86_64 with glibc 2.36 for 3 packages:
             fast 1.0: wheels for cp311-cp311-win_amd64, cp39-cp39-manylinux_2_17_x86_64, and a source distribution
             old 1.0: only a source distribution
             pure 1.0: only a source distribution
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: `old==2.0` has a wheel, and can be an override; `build = "host"` builds with a Python of this machine
    "#);
}

#[test]
fn wheels_for_other_pythons() {
    let other = [wheel("lib", "1.0").tags("cp312-cp312-manylinux_2_28_x86_64")];
    insta::assert_snapshot!(refused("requirements = [\"lib==1.0\"]", &other), @r#"
    exit 5
    error: failed to resolve the Python packages: no wheel fits CPython 3.11 on x86_64 with glibc 2.36 for lib 1.0 (context/plywood.toml:6): wheels for cp312-cp312-manylinux_2_28_x86_64
     --> context/plywood.toml:6:1
      |
    6 | requirements = ["lib==1.0"]
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: another Python or base image may have what fits
    "#);
    let newer = [wheel("lib", "1.0").requires_python(">=3.12")];
    insta::assert_snapshot!(refused("requirements = [\"lib==1.0\"]", &newer), @"
    exit 3
    error: failed to resolve the Python packages: the requirements cannot be met together
           Because the current Python version (3.11.7) does not satisfy Python>=3.12 and lib==1.0 depends on Python>=3.12, we can conclude that lib==1.0 cannot be used.
           And because you require lib==1.0, we can conclude that your requirements are unsatisfiable.
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
    let own = wheel("own", "1.0").tags("cp39-cp39-linux_x86_64");
    let order = Order::of(&format!("requirements = [\"./wheels/{}\"]", own.filename()), &[]);
    let order = order.bytes(&format!("wheels/{}", own.filename()), &own.bytes());
    insta::assert_snapshot!(order.refused(), @r#"
    exit 4
    error: failed to resolve the Python packages: own-1.0-cp39-cp39-linux_x86_64.whl (context/plywood.toml:6) is not for CPython 3.11 on x86_64 with glibc 2.36
     --> context/plywood.toml:6:1
      |
    6 | requirements = ["./wheels/own-1.0-cp39-cp39-linux_x86_64.whl"]
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
}
