//! Files that are large: layers of their own, that stay as they are when others change.

use super::context;
use super::packages::PYTHON;

const FILES: &[&str] = &["a.py=1", "data/", "data/one=40000000 bytes", "data/two=40000001 bytes"];

#[test]
fn large_files_have_layers_of_their_own() {
    let world = context(FILES).base(&[&["srv/"]]);
    let report = world.plan("FROM base\nCOPY . /srv/app\nCOPY a.py /b.py");
    insta::assert_snapshot!(report.files, @r"
    COPY . /srv/app # /srv/app/a.py: files
    0755 0:0 srv/app/
    0644 0:0 srv/app/a.py=1
    COPY . /srv/app # /srv/app/data/one: files
    0755 0:0 srv/app/
    0755 0:0 srv/app/data/
    0644 0:0 srv/app/data/one=40000000 bytes
    COPY . /srv/app # /srv/app/data/two: files
    0755 0:0 srv/app/
    0755 0:0 srv/app/data/
    0644 0:0 srv/app/data/two=40000001 bytes
    COPY a.py /b.py: files
    0644 0:0 b.py=1
    ");
    insta::assert_snapshot!(report.history, @r"
    COPY . /srv/app # /srv/app/a.py
    COPY . /srv/app # /srv/app/data/one
    COPY . /srv/app # /srv/app/data/two
    COPY a.py /b.py
    ");
}

#[test]
fn each_layer_has_the_directories_that_runtimes_would_make_wrongly() {
    let world = context(FILES).base(&[&["1777 tmp/"]]);
    insta::assert_snapshot!(world.files("FROM base\nCOPY --chown=1:1 data /tmp"), @r"
    COPY --chown=1:1 data /tmp # /tmp/one: files
    1777 0:0 tmp/ at 7
    0644 1:1 tmp/one=40000000 bytes
    COPY --chown=1:1 data /tmp # /tmp/two: files
    1777 0:0 tmp/ at 7
    0644 1:1 tmp/two=40000001 bytes
    ");
}

#[test]
fn stages_that_are_copied_are_the_same() {
    let world = context(FILES).base(&[]);
    let report = world.plan("FROM base AS one\nCOPY . /app\nFROM base\nCOPY --from=one /app /app");
    insta::assert_snapshot!(report.files, @r"
    COPY --from=one /app /app # /app/a.py: from one
    0755 0:0 app/
    0644 0:0 app/a.py=1
    COPY --from=one /app /app # /app/data/one: from one
    0755 0:0 app/
    0755 0:0 app/data/
    0644 0:0 app/data/one=40000000 bytes
    COPY --from=one /app /app # /app/data/two: from one
    0755 0:0 app/
    0755 0:0 app/data/
    0644 0:0 app/data/two=40000001 bytes
    ");
    insta::assert_snapshot!(report.history, @r"
    COPY --from=one /app /app # /app/a.py
    COPY --from=one /app /app # /app/data/one
    COPY --from=one /app /app # /app/data/two
    ");
}

#[test]
fn a_changed_file_moves_its_layer_alone() {
    let keys = |files| context(files).base(&[]).plan("FROM base\nCOPY . /app").keys;
    let changed = &["a.py=2", "data/", "data/one=40000000 bytes", "data/two=40000001 bytes"];
    let (before, after) = (keys(FILES), keys(changed));
    assert_eq!((before.len(), after.len()), (3, 3));
    assert_eq!(before[1..], after[1..]);
    assert_ne!(before[0], after[0]);
}

#[test]
fn layers_are_as_many_as_the_recipe_says() {
    let world = context(FILES).base(&[PYTHON]).package("six==1.16", &["site:six.py=1"], &[]);
    let count = |most: &str| {
        let python = format!("[python]\nrequirements = [\"six==1.16\"]\n{most}");
        let files = "[[files]]\nfrom = \".\"\nto = \"/app/\"";
        world.plan(&format!("base = \"base\"\n{python}\n{files}")).keys.len()
    };
    assert_eq!(count(""), 4);
    assert_eq!(count("max-layers = 5"), 4);
    assert_eq!(count("max-layers = 4"), 2, "two of twice the size would be three");
    assert_eq!(count("max-layers = 1"), 2);
}
