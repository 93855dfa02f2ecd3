//! Layer keys: they name the content, all of it and nothing else.

use layer::Packing;

use super::{World, context};

fn key(world: &World, copy: &str) -> String {
    let keys = world.plan(&format!("FROM base\n{copy}")).keys;
    assert_eq!(keys.len(), 1, "{copy}");
    keys.into_iter().next().unwrap()
}

#[test]
fn the_same_content_has_the_same_key() {
    let world = || context(&["a=1", "b=1", "d/", "d/a=1"]).base(&[&["app/"]]);
    let one = key(&world(), "COPY a /app/a");
    assert_eq!(one, key(&world(), "COPY d /app"), "wherever it is from");
    assert_eq!(one, key(&world(), "COPY --chown=0 --chmod=644 b /app/a"));
    assert_eq!(one, key(&world(), "ADD a /app/"));
    assert_eq!(one, key(&world().arg("UNUSED", "x"), "ARG UNUSED\nCOPY a /app/a"));
    let other = context(&["a=1"]).base(&[&["app/", "etc/", "etc/os=other"], &["bin/"]]);
    assert_eq!(one, key(&other, "COPY a /app/a"), "on whatever base");
}

#[test]
fn other_content_has_another_key() {
    let world = || context(&["a=1", "b=2"]).base(&[&["app/"]]);
    let one = key(&world(), "COPY a /app/a");
    for other in [
        key(&world(), "COPY a /app/b"),
        key(&world(), "COPY b /app/a"),
        key(&world(), "COPY --chown=1 a /app/a"),
        key(&world(), "COPY --chmod=600 a /app/a"),
        key(&world(), "COPY a /new/a"),
        key(&world().timestamp(1), "COPY a /app/a"),
        key(&world().packing(Packing::None), "COPY a /app/a"),
        key(&context(&["a=1"]).base(&[&["700 app/"]]), "COPY a /app/a"),
    ] {
        assert_ne!(one, other);
    }
}
