//! Which crate of the workspace may depend on which: the arrows of `ARCHITECTURE.md`.

use serde_json::Value;

/// What may stand between two crates of the workspace.
struct Arrows {
    crate_name: &'static str,
    may_depend_on: &'static [&'static str],
}

const ARROWS: &[Arrows] = &[
    Arrows { crate_name: "oci", may_depend_on: &[] },
    Arrows { crate_name: "recipe", may_depend_on: &["oci"] },
    Arrows { crate_name: "layer", may_depend_on: &["oci"] },
    Arrows { crate_name: "context", may_depend_on: &["oci", "recipe", "layer"] },
    Arrows { crate_name: "python", may_depend_on: &["oci", "layer"] },
    Arrows { crate_name: "resolution", may_depend_on: &["oci", "python"] },
    Arrows { crate_name: "shell", may_depend_on: &["oci", "layer"] },
    // Debian's programs are programs of the shell's.
    Arrows { crate_name: "debian", may_depend_on: &["oci", "layer", "shell"] },
    // The plan speaks of a context's listing, which is a value; it never opens a context.
    Arrows {
        crate_name: "plan",
        may_depend_on: &["oci", "recipe", "layer", "context", "python", "shell", "debian"],
    },
    Arrows { crate_name: "lock", may_depend_on: &["oci"] },
    Arrows { crate_name: "image", may_depend_on: &["oci", "layer"] },
    Arrows { crate_name: "difference", may_depend_on: &["oci", "recipe", "layer"] },
    Arrows { crate_name: "store", may_depend_on: &["oci", "layer", "image"] },
    Arrows { crate_name: "serve", may_depend_on: &["oci"] },
    Arrows { crate_name: "registry", may_depend_on: &["oci", "image"] },
    Arrows {
        crate_name: "plywood",
        may_depend_on: &[
            "oci",
            "recipe",
            "layer",
            "context",
            "python",
            "resolution",
            "shell",
            "debian",
            "plan",
            "lock",
            "image",
            "difference",
            "store",
            "serve",
            "registry",
        ],
    },
    Arrows { crate_name: "testbed", may_depend_on: &["oci"] },
    Arrows { crate_name: "sides", may_depend_on: &["oci", "layer", "shell", "debian", "testbed"] },
    Arrows { crate_name: "xtask", may_depend_on: &["oci", "recipe", "layer", "shell", "testbed"] },
];

/// What any crate's tests may stand on.
const FOR_TESTS: &str = "testbed";

/// What the tests of single crates may stand on, too: a client is tested against a registry.
const FOR_TESTS_OF: &[Arrows] = &[
    // Scripts are evaluated beside real shells and real programs.
    Arrows { crate_name: "shell", may_depend_on: &["sides"] },
    Arrows { crate_name: "debian", may_depend_on: &["sides"] },
    Arrows { crate_name: "registry", may_depend_on: &["serve"] },
    // A file that is given with a request is named by its content.
    Arrows { crate_name: "resolution", may_depend_on: &["layer"] },
];

/// Complains of each dependency between the workspace's `packages` that the table does not allow.
pub fn check(packages: &[Value]) -> Vec<String> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Value) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let Some(arrows) = ARROWS.iter().find(|arrows| arrows.crate_name == name) else {
        return vec![format!("{name}: is not in the table of xtask/src/tidy/dependencies.rs")];
    };
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    dependencies
        .filter(|dependency| dependency["path"].is_string())
        .filter_map(|dependency| {
            let on = dependency["name"].as_str()?;
            // A crate names itself to have a feature of its own on in its tests.
            let for_tests = dependency["kind"] == "dev"
                && (on == FOR_TESTS || on == name || for_tests_of(name).contains(&on));
            let allowed = for_tests || arrows.may_depend_on.contains(&on);
            (!allowed)
                .then(|| format!("{name}: depends on {on}, which its place in the flow forbids"))
        })
        .collect()
}

fn for_tests_of(name: &str) -> &'static [&'static str] {
    let found = FOR_TESTS_OF.iter().find(|arrows| arrows.crate_name == name);
    found.map_or(&[], |arrows| arrows.may_depend_on)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arrows_run_one_way() {
        for (position, arrows) in ARROWS.iter().enumerate() {
            let earlier = &ARROWS[..position];
            for on in arrows.may_depend_on {
                let found = earlier.iter().any(|arrows| arrows.crate_name == *on);
                assert!(found, "{} may depend on {on}, which comes later", arrows.crate_name);
            }
        }
    }

    #[test]
    fn arrows_against_the_flow_are_refused() {
        let package = |name: &str, on: &str, kind: Value| {
            json!({ "name": name, "dependencies": [
                { "name": "serde", "path": null, "kind": null },
                { "name": on, "path": "/x", "kind": kind },
            ]})
        };
        let refused = "oci: depends on layer, which its place in the flow forbids";
        assert_eq!(check(&[package("oci", "layer", Value::Null)]), [refused]);
        assert_eq!(check(&[package("oci", "layer", json!("dev"))]), [refused]);
        assert!(check(&[package("layer", "oci", Value::Null)]).is_empty());
        assert!(check(&[package("layer", "testbed", json!("dev"))]).is_empty());
        assert!(check(&[package("layer", "layer", json!("dev"))]).is_empty());
        assert!(!check(&[package("layer", "testbed", Value::Null)]).is_empty());
        assert!(check(&[package("registry", "serve", json!("dev"))]).is_empty());
        assert!(!check(&[package("registry", "serve", Value::Null)]).is_empty());
        assert!(
            check(&[package("newcomer", "oci", Value::Null)])[0].starts_with("newcomer: is not")
        );
    }
}
