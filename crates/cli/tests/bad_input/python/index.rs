//! Indexes that do not answer, or not as an index does.

use testbed::Fault;

use super::order::{Order, refused};
use super::wheel::wheel;

const TABLE: &str = "requirements = [\"lib==1.0\"]";

fn order() -> Order {
    Order::of(TABLE, &[wheel("lib", "1.0")])
}

/// What is said where requests for this path meet this.
#[track_caller]
fn broken(path: &str, fault: Fault) -> String {
    let order = order();
    order.index.break_at(path, fault);
    order.refused()
}

#[test]
fn indexes_that_are_down() {
    let gone = "requirements = [\"lib==1.0\"]\nextra-index-urls = [\"http://127.0.0.1:1/simple/\"]";
    insta::assert_snapshot!(refused(gone, &[wheel("lib", "1.0")]), @"
    exit 7
    error: failed to resolve the Python packages: http://127.0.0.1:1/simple/lib/ cannot be reached: Connection refused (os error 111)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
    insta::assert_snapshot!(broken("/simple/lib/", Fault::Status(500)), @"
    exit 7
    error: failed to resolve the Python packages: http://127.0.0.1:11111/simple/lib/ answers with an error (500)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
    insta::assert_snapshot!(broken("/simple/lib/", Fault::Status(503)), @"
    exit 7
    error: failed to resolve the Python packages: http://127.0.0.1:11111/simple/lib/ answers with an error (503)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
}

#[test]
fn indexes_that_refuse() {
    insta::assert_snapshot!(broken("/simple/", Fault::Status(401)), @"
    exit 6
    error: failed to resolve the Python packages: http://127.0.0.1:11111/simple/ refuses access (401)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: put credentials that it accepts into the index's URL, a netrc file or PIP_INDEX_URL
    ");
    insta::assert_snapshot!(broken("/simple/", Fault::Status(403)), @"
    exit 6
    error: failed to resolve the Python packages: http://127.0.0.1:11111/simple/ refuses access (403)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: put credentials that it accepts into the index's URL, a netrc file or PIP_INDEX_URL
    ");
}

#[test]
fn pages_that_are_no_index_s() {
    insta::assert_snapshot!(broken("/simple/", Fault::WebPage), @"
    exit 7
    error: failed to resolve the Python packages: http://127.0.0.1:11111/simple/lib/ does not answer as an index does: it lists no files
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: the URL of an index often ends in `/simple/`
    ");
}

#[test]
fn files_that_do_not_come() {
    let file = "/files/lib-1.0-py3-none-any.whl";
    insta::assert_snapshot!(broken("/files/", Fault::Status(404)), @"
    exit 7
    error: failed to resolve the Python packages: http://127.0.0.1:11111/files/lib-1.0-py3-none-any.whl.metadata answers with an error (404)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
    let order = order();
    let refused = |fault| {
        order.index.heal();
        // The metadata comes, and the wheel does not.
        order.index.break_times(".metadata", Fault::NoRanges, 1);
        order.index.break_at(file, fault);
        order.refused()
    };
    insta::assert_snapshot!(refused(Fault::Status(500)), @"
    exit 7
    error: failed to fetch the Python packages: http://127.0.0.1:11111/files/lib-1.0-py3-none-any.whl answers with an error (500)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
    insta::assert_snapshot!(refused(Fault::Cut(0)), @"
    exit 7
    error: failed to fetch the Python packages: http://127.0.0.1:11111/files/lib-1.0-py3-none-any.whl answers with what cannot be read: end of file before message length reached
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
    insta::assert_snapshot!(refused(Fault::WebPage), @"
    exit 9
    error: failed to fetch the Python packages: accept `lib-1.0-py3-none-any.whl`: its SHA-256 is sha256:9c2c398882c3c9123a64a0e73f070a487169e5bd6f1ad4274c4ec13eef1bc128, and sha256:f5909cd2bf48e8f3ab0511421f80568faf096895a0bf4b72ab0783b95001c32a was expected
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: somebody replaced the file, or the digest in the lock or in the requirements is wrong
    ");
    order.index.heal();
    assert_eq!(order.built(), "exit 0\n");
}
