//! Several stages, and copies between them.

use testbed::{Context, Result};

use super::{compare, same};

#[test]
fn copy_from_a_named_stage() -> Result {
    same(
        "FROM {base} AS build\nWORKDIR /out\nCOPY --chown=app f ./f\nCOPY f ./sub/g\n\
         FROM {base}\nCOPY --from=build /out /srv/out\nCOPY --from=build /out/f /srv/\n",
        Context::new()?.file("f", "f")?,
    )
}

#[test]
fn copy_from_a_numbered_stage() -> Result {
    same(
        "FROM {base}\nCOPY f /one\nFROM {base}\nCOPY --from=0 /one /two\n\
         FROM {base}\nCOPY --from=1 two /three\n",
        Context::new()?.file("f", "f")?,
    )
}

#[test]
fn copy_from_the_base_below_a_stage() -> Result {
    same(
        "FROM {base} AS build\nCOPY f /etc/added\n\
         FROM scratch\nCOPY --from=build /etc /etc\nCOPY --from=build /usr/bin/tool /bin/\n",
        Context::new()?.file("f", "f")?,
    )
}

#[test]
fn copy_from_an_image() -> Result {
    same(
        "FROM scratch\nCOPY --from={base} /opt /opt\nCOPY --from={base} /bin/tool /tool\nCMD [\"/tool\"]\n",
        Context::new()?,
    )
}

#[test]
fn copy_from_a_stage_through_its_links() -> Result {
    same(
        "FROM {base} AS build\nFROM {base}\n\
         COPY --from=build /opt/current/version /srv/version\nCOPY --from=build /bin/ /srv/bin/\n",
        Context::new()?,
    )
}

#[test]
fn copy_from_a_stage_with_wildcards() -> Result {
    same(
        "FROM {base} AS build\nCOPY . /out/\nFROM {base}\nCOPY --from=build /out/*.so /out/d?r /srv/\n",
        Context::new()?
            .file("a.so", "a")?
            .file("b.so", "b")?
            .file("c.txt", "c")?
            .file("dir/d", "d")?,
    )
}

#[test]
fn a_stage_from_a_stage() -> Result {
    same(
        "FROM {base} AS common\nENV A=common\nWORKDIR /srv\nCOPY f .\n\
         FROM common AS middle\nENV B=$A\nCOPY f g\n\
         FROM middle\nLABEL b=$B\nUSER app\n",
        Context::new()?.file("f", "f")?,
    )
}

#[test]
fn the_stage_asked_for() -> Result {
    compare(
        "FROM {base} AS first\nENV STAGE=first\nCOPY f /first\n\
         FROM {base} AS second\nENV STAGE=second\nCOPY missing /second\n",
        Context::new()?.file("f", "f")?,
    )
    .arguments(&["--target", "first"])
    .check()
}

#[test]
fn arguments_are_per_stage() -> Result {
    compare(
        "ARG V=global\nFROM {base} AS one\nARG V\nLABEL v=$V\nCOPY f /$V\n\
         FROM {base}\nLABEL v=none$V\nARG V=own\nLABEL w=$V\nCOPY --from=one /$V /\n",
        Context::new()?.file("f", "f")?,
    )
    .arguments(&["--build-arg", "V=given"])
    .check()
}

#[test]
fn from_scratch() -> Result {
    same(
        "FROM scratch\nCOPY f /\nCOPY f /a/b/c\nENV A=1\nWORKDIR /w\nCMD [\"/f\"]\n",
        Context::new()?.executable("f", "f")?,
    )
}

#[test]
fn a_platform_on_from() -> Result {
    same("FROM --platform=linux/amd64 {base}\nCOPY f /f\n", Context::new()?.file("f", "f")?)
}
