//! Several things moved at once: each has what it changed.

use crate::world::{World, check, said};

#[test]
fn a_file_and_an_argument() {
    check(
        &[],
        |w| w.file("app/views.py", "2\n"),
        &["--build-arg", "VERSION=2"],
        &[
            "certain file changed app/views.py: [COPY app] changed",
            "certain build-argument added VERSION: config.Env RELEASE",
        ],
    );
}

#[test]
fn a_file_and_the_base() {
    let change = |w: &World| {
        w.file("app/views.py", "2\n");
        w.base("1", "two");
    };
    check(
        &[],
        change,
        &[],
        &[
            "certain file changed app/views.py: [COPY app] changed",
            "certain base repointed REGISTRY/base:1: [COPY --chmod=755] added, [COPY --chmod=755] removed, annotations digest",
        ],
    );
}

#[test]
fn a_file_and_where_it_is_copied_to() {
    let change = |w: &World| {
        w.file("tools/run", "2\n");
        w.edit("tools /srv/tools", "tools /srv/bin");
    };
    check(
        &[],
        change,
        &[],
        &[
            "certain file changed tools/run: [COPY --chmod=755] changed",
            "certain instruction changed COPY --chmod=755 tools /srv/bin: [COPY --chmod=755] changed, history",
        ],
    );
}

#[test]
fn a_file_and_the_time_of_files() {
    check(
        &[],
        |w| w.file("tools/run", "2\n"),
        &["--timestamp", "1700000000"],
        &[
            "certain file changed tools/run: [COPY --chmod=755] changed",
            "certain timestamp changed timestamp: [WORKDIR /srv] changed, [COPY requirements.txt] changed, [COPY app] changed, [RUN sed] changed, [COPY --chmod=755] changed, created, history.created",
        ],
    );
}

#[test]
fn a_file_a_label_and_the_compression() {
    let flags = ["--label", "a=b", "--compression", "zstd"];
    check(
        &[],
        |w| w.file("tools/run", "2\n"),
        &flags,
        &[
            "certain file changed tools/run: [COPY --chmod=755] changed",
            "certain compression changed compression: [WORKDIR /srv] recompressed, [COPY requirements.txt] recompressed, [COPY app] recompressed, [RUN sed] recompressed, layers.mediaType 1, layers.mediaType 2, layers.mediaType 3, layers.mediaType 4, layers.mediaType 5",
            "certain label added a: config.Labels a",
        ],
    );
}

#[test]
fn two_files_of_two_layers() {
    let change = |w: &World| {
        w.file("tools/run", "2\n");
        w.file("app/views.py", "2\n");
    };
    check(
        &[],
        change,
        &[],
        &[
            "certain file changed app/views.py: [COPY app] changed",
            "certain file changed tools/run: [COPY --chmod=755] changed",
        ],
    );
}

/// The command reads what the first changed and sees the second: it can be either.
#[test]
fn a_command_that_sees_two_things_that_moved() {
    let change = |w: &World| {
        w.file("app/main.py", "x = 2\n");
        w.edit("s/x/y/", "s/x/z/");
    };
    check(
        &[],
        change,
        &[],
        &[
            "certain file changed app/main.py: [COPY app] changed, [RUN sed] changed?",
            "certain instruction changed RUN sed 's/x/z/' /srv/app/main.py > /srv/copy.py: [RUN sed] changed?, history",
        ],
    );
}

#[test]
fn a_stage_that_another_copies_from() {
    let world = World::new();
    world.file(
        "Dockerfile",
        "FROM REGISTRY/base:1 AS make\nCOPY app /in\nRUN cp /in/main.py /out && cp /in/views.py /views\n\
         FROM scratch\nCOPY --from=make /out /out\nCOPY tools /tools\n",
    );
    let change = |w: &World| {
        w.file("app/main.py", "x = 2\n");
        w.file("tools/run", "2\n");
    };
    assert_eq!(
        said(&world, &[], change, &[]),
        [
            "certain file changed app/main.py: [COPY --from=make] changed",
            "certain file changed tools/run: [COPY tools] changed"
        ]
    );
}

/// A file that grows makes two layers of one, and another is in one of them.
#[test]
fn files_that_are_dealt_out_to_other_layers() {
    let world = World::new();
    world.file("app/one.csv", &"1\n".repeat(10 << 20));
    world.file("app/two.csv", "2\n");
    let change = |w: &World| {
        w.file("app/two.csv", &"2\n".repeat(10 << 20));
        w.file("app/views.py", "others\n");
    };
    let effects = "[COPY app] changed, [COPY app] added, history?";
    let causes = ["two.csv", "views.py"];
    let causes = causes.map(|name| format!("certain file changed app/{name}: {effects}"));
    assert_eq!(said(&world, &[], change, &[]), causes);
}
