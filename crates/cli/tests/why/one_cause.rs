//! One thing moved: it is named, with what it changed, and nothing else is.

use crate::world::{DOCKERFILE, World, check, said, told, without_effect};

#[test]
fn a_file_s_content() {
    check(
        &[],
        |w| w.file("app/views.py", "others\n"),
        &[],
        &["certain file changed app/views.py: [COPY app] changed"],
    );
}

#[test]
fn a_file_that_a_command_reads() {
    check(
        &[],
        |w| w.file("app/main.py", "x = 2\n"),
        &[],
        &["certain file changed app/main.py: [COPY app] changed, [RUN sed] changed"],
    );
}

#[test]
fn a_file_s_permissions() {
    check(
        &[],
        |w| w.mode("app/views.py", 0o755),
        &[],
        &["certain file mode app/views.py: [COPY app] changed"],
    );
}

#[test]
fn permissions_that_the_recipe_sets_anyway() {
    check(&[], |w| w.mode("tools/run", 0o755), &[], &["equal"]);
}

#[test]
fn a_file_that_is_new() {
    check(
        &[],
        |w| w.file("app/new/more.py", "more\n"),
        &[],
        &["certain file added app/new/more.py: [COPY app] changed"],
    );
}

/// An instruction with much in it has several layers.
#[test]
fn a_large_file_beside_another() {
    let world = World::new();
    world.file("app/one.csv", &"1\n".repeat(17 << 20));
    world.file("app/two.csv", &"2\n".repeat(17 << 20));
    let change = |w: &World| w.file("app/two.csv", &"3\n".repeat(17 << 20));
    let said = said(&world, &[], change, &[]);
    assert_eq!(said, ["certain file changed app/two.csv: [COPY app] changed"]);
}

/// What was with it is in another layer now, and is what it was.
#[test]
fn a_file_that_makes_a_layer_two() {
    let world = World::new();
    world.file("app/one.csv", &"1\n".repeat(10 << 20));
    let change = |w: &World| w.file("app/two.csv", &"2\n".repeat(10 << 20));
    let said = said(&world, &[], change, &[]);
    let effects = "[COPY app] changed, [COPY app] added, history";
    assert_eq!(said, [format!("certain file added app/two.csv: {effects}")]);
}

#[test]
fn a_file_that_is_gone() {
    check(
        &[],
        |w| w.remove("tools/stop"),
        &[],
        &["certain file removed tools/stop: [COPY --chmod=755] changed"],
    );
}

#[test]
fn a_file_with_another_name() {
    check(
        &[],
        |w| w.rename("tools/stop", "tools/end"),
        &[],
        &["certain file renamed tools/end: [COPY --chmod=755] changed"],
    );
}

#[test]
fn a_file_that_no_instruction_takes() {
    check(&[], |w| w.file("notes.txt", "x"), &[], &["equal"]);
}

#[test]
fn an_instruction_that_copies_elsewhere() {
    check(
        &[],
        |w| w.edit("tools /srv/tools", "tools /srv/bin"),
        &[],
        &["certain instruction changed COPY --chmod=755 tools /srv/bin: \
         [COPY --chmod=755] changed, history"],
    );
}

#[test]
fn a_command_that_does_something_else() {
    check(
        &[],
        |w| w.edit("s/x/y/", "s/x/z/"),
        &[],
        &["certain instruction changed RUN sed 's/x/z/' /srv/app/main.py > /srv/copy.py: \
         [RUN sed] changed, history"],
    );
}

#[test]
fn an_instruction_that_is_new() {
    check(
        &[],
        |w| w.edit("LABEL", "COPY tools/run /run\nLABEL"),
        &[],
        &["certain instruction added COPY tools/run /run: [COPY tools/run] added, history"],
    );
    check(
        &[],
        |w| w.edit("LABEL", "STOPSIGNAL SIGINT\nLABEL"),
        &[],
        &["certain instruction added STOPSIGNAL SIGINT: config.StopSignal, history"],
    );
}

/// The file was there before, and not read: it is not new.
#[test]
fn an_instruction_that_takes_a_file_which_was_there() {
    let world = World::new();
    world.file("extra.txt", "extra\n");
    let said = said(&world, &[], |w| w.edit("LABEL", "COPY extra.txt /\nLABEL"), &[]);
    assert_eq!(
        said,
        ["certain instruction added COPY extra.txt /: [COPY extra.txt] added, history",]
    );
}

#[test]
fn an_instruction_that_is_gone() {
    check(
        &[],
        |w| w.edit("COPY --chmod=755 tools /srv/tools\n", ""),
        &[],
        &["certain instruction removed COPY --chmod=755 tools /srv/tools: \
         [COPY --chmod=755] removed, history"],
    );
}

#[test]
fn instructions_in_another_order() {
    let old = "COPY requirements.txt ./\nCOPY app /srv/app\n";
    let new = "COPY app /srv/app\nCOPY requirements.txt ./\n";
    check(
        &[],
        |w| w.edit(old, new),
        &[],
        &[
            "certain instruction reordered COPY requirements.txt ./: [COPY requirements.txt] moved, history",
        ],
    );
}

#[test]
fn comments_and_empty_lines() {
    check(&[], |w| w.edit("LABEL", "# a comment\n\nLABEL"), &[], &["equal"]);
    check(
        &[],
        |w| w.edit("COPY app /srv/app", "COPY app \\\n  /srv/app"),
        &[],
        &["certain instruction changed COPY app   /srv/app: history"],
    );
}

#[test]
fn white_space_in_an_instruction() {
    check(
        &[],
        |w| w.edit("LABEL kind", "LABEL  kind"),
        &[],
        &["certain instruction changed LABEL  kind=web: history"],
    );
}

#[test]
fn a_build_argument() {
    check(
        &[],
        |_| (),
        &["--build-arg", "VERSION=2"],
        &["certain build-argument added VERSION: config.Env RELEASE"],
    );
    check(
        &["--build-arg", "VERSION=3"],
        |_| (),
        &["--build-arg", "VERSION=2"],
        &["certain build-argument changed VERSION: config.Env RELEASE"],
    );
}

#[test]
fn a_build_argument_without_a_use() {
    check(&[], |_| (), &["--build-arg", "UNUSED=2"], &["equal"]);
    let world = World::new();
    let old = world.build(&[]);
    world.file("app/views.py", "others\n");
    let new = world.build(&["--build-arg", "UNUSED=2"]);
    let answer = world.why(&[&old, &new]);
    assert_eq!(told(&answer), ["certain file changed app/views.py: [COPY app] changed"]);
    assert_eq!(without_effect(&answer), ["build-argument UNUSED"]);
}

#[test]
fn a_base_whose_name_moved() {
    check(
        &[],
        |w| w.base("1", "two"),
        &[],
        &[
            "certain base repointed REGISTRY/base:1: [COPY --chmod=755] added, [COPY --chmod=755] removed, annotations digest",
        ],
    );
}

#[test]
fn another_base() {
    let change = |w: &World| {
        w.base("2", "two");
        w.edit("base:1", "base:2");
    };
    check(
        &[],
        change,
        &[],
        &[
            "certain base changed REGISTRY/base:2: [COPY --chmod=755] added, [COPY --chmod=755] removed, annotations digest, annotations name",
        ],
    );
}

#[test]
fn a_base_that_an_argument_names() {
    let world = World::new();
    world.base("2", "two");
    world.file("Dockerfile", &format!("ARG TAG=1\n{}", DOCKERFILE.replace("base:1", "base:$TAG")));
    let said = said(&world, &[], |_| (), &["--build-arg", "TAG=2"]);
    assert_eq!(
        said,
        [
            "certain build-argument added TAG: [COPY --chmod=755] added, [COPY --chmod=755] removed, annotations digest, annotations name"
        ]
    );
}

#[test]
fn a_default_before_the_first_stage() {
    let world = World::new();
    world.base("2", "two");
    world.file("Dockerfile", &format!("ARG TAG=1\n{}", DOCKERFILE.replace("base:1", "base:$TAG")));
    let said = said(&world, &[], |w| w.edit("TAG=1", "TAG=2"), &[]);
    assert_eq!(
        said,
        [
            "certain instruction changed ARG TAG=2: [COPY --chmod=755] added, [COPY --chmod=755] removed, annotations digest, annotations name"
        ]
    );
}

#[test]
fn the_time_of_files() {
    check(
        &[],
        |_| (),
        &["--timestamp", "1700000000"],
        &[
            "certain timestamp changed timestamp: [WORKDIR /srv] changed, [COPY requirements.txt] changed, [COPY app] changed, [RUN sed] changed, [COPY --chmod=755] changed, created, history.created",
        ],
    );
}

#[test]
fn the_compression() {
    check(
        &[],
        |_| (),
        &["--compression", "zstd"],
        &[
            "certain compression changed compression: [WORKDIR /srv] recompressed, [COPY requirements.txt] recompressed, [COPY app] recompressed, [RUN sed] recompressed, [COPY --chmod=755] recompressed, layers.mediaType 1, layers.mediaType 2, layers.mediaType 3, layers.mediaType 4, layers.mediaType 5",
        ],
    );
    check(
        &[],
        |_| (),
        &["--compression", "gzip:9"],
        &[
            "certain compression changed compression: [WORKDIR /srv] recompressed, [COPY requirements.txt] recompressed, [COPY app] recompressed, [RUN sed] recompressed, [COPY --chmod=755] recompressed",
        ],
    );
}

#[test]
fn a_label_and_an_annotation() {
    check(&[], |_| (), &["--label", "a=b"], &["certain label added a: config.Labels a"]);
    check(
        &["--annotation", "a=b"],
        |_| (),
        &["--annotation", "a=c"],
        &["certain annotation changed a: annotations a"],
    );
}

#[test]
fn the_commit_of_the_context() {
    let world = World::new();
    world.file(".dockerignore", ".git\n");
    world.file(".git/HEAD", "ref: refs/heads/main\n");
    world.file(".git/refs/heads/main", &format!("{}\n", "1".repeat(40)));
    let change = |w: &World| w.file(".git/refs/heads/main", &format!("{}\n", "2".repeat(40)));
    assert_eq!(
        said(&world, &[], change, &[]),
        ["certain revision changed org.opencontainers.image.revision: config.Labels revision"]
    );
}

#[test]
fn another_platform() {
    let world = World::new();
    world.file("Dockerfile", "FROM scratch\nCOPY app /app\n");
    let (old, new) = (&["--platform=linux/amd64"], &["--platform=linux/arm64"]);
    assert_eq!(
        said(&world, old, |_| (), new),
        ["certain platform changed platform: architecture",]
    );
    let both = &["--platform=linux/amd64,linux/arm64"];
    assert_eq!(
        said(&world, both, |w| w.file("app/main.py", "2"), both),
        [
            "certain file changed app/main.py: [COPY app] changed",
            "certain file changed app/main.py: [COPY app] changed"
        ]
    );
    assert_eq!(said(&world, old, |_| (), both), ["platform linux/arm64 is new"]);
}

#[test]
fn another_target() {
    let world = World::new();
    let more = DOCKERFILE.replace("FROM REGISTRY/base:1", "FROM REGISTRY/base:1 AS web");
    world.file("Dockerfile", &format!("{more}FROM web\nCOPY tools/run /again\n"));
    assert_eq!(
        said(&world, &["--target=web"], |_| (), &[]),
        ["certain target changed target: [COPY tools/run] added, history"]
    );
}

#[test]
fn the_ignore_file() {
    let world = World::new();
    let change = |w: &World| w.file(".dockerignore", "tools/stop\n");
    assert_eq!(
        said(&world, &[], change, &[]),
        ["certain ignore-file added .dockerignore: [COPY --chmod=755] changed"]
    );
    let change = |w: &World| w.file(".dockerignore", "notes\n");
    assert_eq!(
        said(&world, &[], change, &[]),
        ["certain ignore-file changed .dockerignore: [COPY --chmod=755] changed"]
    );
}

#[test]
fn what_is_started_and_its_environment() {
    check(
        &[],
        |w| w.edit("\"-m\"", "\"-mx\""),
        &[],
        &["certain instruction changed ENTRYPOINT [\"python\", \"-mx\", \"app\"]: \
         config.Entrypoint, history"],
    );
    check(
        &[],
        |w| w.edit("LABEL", "ENV MORE=1\nLABEL"),
        &[],
        &["certain instruction added ENV MORE=1: config.Env MORE, history"],
    );
}
