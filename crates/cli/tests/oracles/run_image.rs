//! A real base, a Dockerfile with a bit of everything, and the image in the hands of other programs.

use oci::Digest;
use serde_json::{Value, json};
use testbed::{Context, Kind, Registry, Result, Skopeo, base, crun};

use crate::support::{Unpacked, plywood, push_base};

const DOCKERFILE: &str = r#"ARG BASE
FROM $BASE AS assets
WORKDIR /assets
COPY --chmod=640 greeting.txt words.txt
COPY <<EOF numbers.txt
1 2 3
EOF

FROM $BASE
ARG VERSION=0
ENV PYTHONUNBUFFERED=1 \
    APP_VERSION=$VERSION
LABEL org.example.version="$VERSION" org.example.name='app'
WORKDIR /app
COPY . /app
COPY --from=assets --chown=www-data:www-data /assets /app/assets
USER www-data
CMD ["python3", "/app/main.py"]
"#;

const MAIN: &str = r#"
import getpass, os, pathlib
from package import name

words = pathlib.Path("/app/assets/words.txt").read_text().strip()
numbers = pathlib.Path("/app/assets/numbers.txt").read_text().split()
print(f"{words} from {name} {os.environ['APP_VERSION']}")
print(f"as {getpass.getuser()} in {os.getcwd()}, {sum(map(int, numbers))}")
"#;

const PRINTED: &str = "hello from app 1.2\nas www-data in /app, 6\n";

fn project() -> Result<Context> {
    Context::with_dockerfile(DOCKERFILE)?
        .file(".dockerignore", "Dockerfile\n.dockerignore\n**/*.pyc\n")?
        .file("greeting.txt", "hello\n")?
        .file("main.py", MAIN)?
        .file("package/__init__.py", "name = 'app'\n")?
        .file("package/stale.pyc", "not for the image")?
        .link("latest", "package")
}

/// A registry that holds the image, and the digest that `build` printed.
fn built() -> Result<(Registry, String)> {
    let registry = Registry::start()?;
    let base = push_base(&registry, base::debian()?, "base/debian:12")?;
    let arguments = ["--build-arg", &format!("BASE={base}"), "--build-arg", "VERSION=1.2"];
    let context = project()?;
    let reference = registry.reference("team/app:1.2");
    let digest = plywood()?.build_and_push(context.path(), &reference, &arguments)?;
    Ok((registry, digest))
}

#[test]
fn crun_prints_what_the_app_prints() -> Result {
    let (registry, _) = built()?;
    let unpacked = Unpacked::of(&registry.place("team/app:1.2"))?;
    assert_eq!(crun::run(&unpacked.bundle(), "plywood-run-image")?, PRINTED);
    Ok(())
}

#[test]
fn umoci_unpacks_the_expected_tree() -> Result {
    let (registry, _) = built()?;
    let base = Unpacked::of(&registry.place("base/debian:12"))?.tree()?;
    let image = Unpacked::of(&registry.place("team/app:1.2"))?.tree()?;
    let differences = base.differences(&image, "base", "image");
    assert_eq!(
        differences.keys().collect::<Vec<_>>(),
        [
            "app",
            "app/assets",
            "app/assets/numbers.txt",
            "app/assets/words.txt",
            "app/greeting.txt",
            "app/latest",
            "app/main.py",
            "app/package",
            "app/package/__init__.py",
        ]
    );
    let shown = |path: &str| image.at(path).unwrap().to_string();
    assert_eq!(shown("app"), "a directory 0755 0:0");
    assert_eq!(shown("app/latest"), "a link to package 0777 0:0");
    assert_eq!(shown("app/assets"), "a directory 0755 33:33");
    assert!(shown("app/assets/words.txt").ends_with(" 0640 33:33"));
    assert!(shown("app/main.py").ends_with(" 0644 0:0"));
    let main = Kind::File { size: MAIN.len() as u64, digest: Digest::of(MAIN.as_bytes()) };
    assert_eq!(image.at("app/main.py").unwrap().kind, main);
    Ok(())
}

#[test]
fn skopeo_agrees_on_every_digest() -> Result {
    let (registry, digest) = built()?;
    let place = registry.place("team/app:1.2");
    let manifest = Skopeo::manifest(&place)?;
    assert_eq!(Digest::of(manifest.as_bytes()).to_string(), digest);
    let inspected = Skopeo::inspect(&place)?;
    assert_eq!(inspected["Digest"], json!(digest));
    assert_eq!(Skopeo::manifest(&registry.place(&format!("team/app@{digest}")))?, manifest);

    // A copy by skopeo keeps the bytes: it reads every blob and checks it on the way.
    let directory = tempfile::tempdir().unwrap();
    Skopeo::copy(&place, &format!("dir:{}", directory.path().display()))?;
    let copied = std::fs::read(directory.path().join("manifest.json")).unwrap();
    assert_eq!(Digest::of(&copied).to_string(), digest);
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    for descriptor in layers.iter().chain([&manifest["config"]]) {
        let digest = descriptor["digest"].as_str().unwrap();
        let blob = std::fs::read(directory.path().join(&digest["sha256:".len()..])).unwrap();
        assert_eq!(Digest::of(&blob).to_string(), digest);
        assert_eq!(json!(blob.len()), descriptor["size"]);
    }
    Ok(())
}

#[test]
fn config_is_what_the_dockerfile_says() -> Result {
    let (registry, _) = built()?;
    let image = Skopeo::config(&registry.place("team/app:1.2"))?;
    let config = &image["config"];
    assert_eq!(config["User"], "www-data");
    assert_eq!(config["WorkingDir"], "/app");
    assert_eq!(config["Cmd"], json!(["python3", "/app/main.py"]));
    assert_eq!(config["Labels"]["org.example.version"], "1.2");
    let env = config["Env"].as_array().unwrap();
    assert!(env.contains(&json!("APP_VERSION=1.2")) && env.contains(&json!("PYTHONUNBUFFERED=1")));
    assert!(
        env.iter().any(|entry| entry.as_str().unwrap().starts_with("PATH=")),
        "the base's PATH"
    );

    let diff_ids = image["rootfs"]["diff_ids"].as_array().unwrap();
    let history = image["history"].as_array().unwrap();
    let with_layer = history.iter().filter(|entry| entry["empty_layer"] != json!(true));
    assert_eq!(with_layer.count(), diff_ids.len(), "{history:#?}");
    Ok(())
}
