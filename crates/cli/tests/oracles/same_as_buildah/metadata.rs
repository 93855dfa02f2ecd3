//! Instructions that change only the config.

use testbed::{Context, Result};

use super::{compare, same};

#[test]
fn from_alone() -> Result {
    same("FROM {base}\n", Context::new()?)
}

#[test]
fn env_in_both_forms() -> Result {
    same(
        "FROM {base}\n\
         ENV A=1 B=\"two words\" C='single $A' D=back\\ slash\n\
         ENV E the rest of the line\n\
         ENV A=again PATH=/opt/bin:$PATH\n",
        Context::new()?,
    )
}

#[test]
fn env_of_one_instruction_sees_the_values_before_it() -> Result {
    same("FROM {base}\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc\n", Context::new()?)
}

#[test]
fn labels_quoted_continued_and_overridden() -> Result {
    compare(
        "FROM {base}\n\
         LABEL version=1.0 \"com.example.vendor\"=\"ACME Incorporated\"\n\
         LABEL description=\"This text illustrates \\\n\
         that label-values can span multiple lines.\"\n\
         LABEL version=2.0 empty=\n",
        Context::new()?,
    )
    .arguments(&["--label", "from.outside=yes", "--label", "empty=full"])
    .check()
}

#[test]
fn maintainer() -> Result {
    same("FROM {base}\nMAINTAINER Somebody Else <somebody@example.com>\n", Context::new()?)
}

#[test]
fn expose_with_and_without_protocol() -> Result {
    compare(
        "FROM {base}\nARG PORT=9000\nEXPOSE 80 443/tcp 53/udp\nEXPOSE $PORT 7000-7002\n",
        Context::new()?,
    )
    // buildah 1.28 writes a range down as if it were a port.
    .for_buildah(
        "FROM {base}\nARG PORT=9000\nEXPOSE 80 443/tcp 53/udp\nEXPOSE $PORT 7000 7001 7002\n",
    )
    .check()
}

#[test]
fn volumes() -> Result {
    same(
        "FROM {base}\nVOLUME /var/lib/data\nVOLUME [\"/var/lib/data\", \"/opt/shared\"]\n",
        Context::new()?,
    )
}

#[test]
fn stop_signal() -> Result {
    same("FROM {base}\nARG SIGNAL=QUIT\nSTOPSIGNAL SIG$SIGNAL\n", Context::new()?)
}

#[test]
fn command_in_exec_form() -> Result {
    same(
        "FROM {base}\nENTRYPOINT [\"/bin/tool\", \"a b\"]\nCMD [\"--flag\", \"$HOME\"]\n",
        Context::new()?,
    )
}

#[test]
fn command_in_shell_form() -> Result {
    same("FROM {base}\nENTRYPOINT exec tool $HOME\nCMD tool --flag \"a b\"\n", Context::new()?)
}

#[test]
fn entrypoint_resets_the_command_of_the_base() -> Result {
    same("FROM {base}\nENTRYPOINT [\"tool\"]\n", Context::new()?)
}

#[test]
fn shell_changes_the_shell_forms_after_it() -> Result {
    compare(
        "FROM {base}\n\
         SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\n\
         CMD tool | cat\nHEALTHCHECK CMD tool --check\n",
        Context::new()?,
    )
    // buildah 1.28 uses the shell for RUN only.
    .for_buildah(
        "FROM {base}\n\
         SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\n\
         CMD [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\", \"tool | cat\"]\nHEALTHCHECK CMD tool --check\n",
    )
    .check()
}

#[test]
fn health_check_with_all_options() -> Result {
    same(
        "FROM {base}\n\
         HEALTHCHECK --interval=5m --timeout=3s --start-period=1m30s --retries=4 \\\n  CMD tool --check || exit 1\n",
        Context::new()?,
    )
}

#[test]
fn health_check_in_exec_form() -> Result {
    same("FROM {base}\nHEALTHCHECK CMD [\"tool\", \"--check\"]\n", Context::new()?)
}

#[test]
fn health_check_none() -> Result {
    same("FROM {base}\nHEALTHCHECK CMD tool\nHEALTHCHECK NONE\n", Context::new()?)
}

#[test]
fn working_directories_add_up() -> Result {
    same(
        "FROM {base}\nENV DIR=named\nWORKDIR /srv\nWORKDIR a\nWORKDIR b/../$DIR\nWORKDIR ./.\n",
        Context::new()?,
    )
}

#[test]
fn user_by_name_and_number() -> Result {
    same(
        "FROM {base}\nUSER app\nUSER 1000:50\nARG WHO=reader\nUSER ${WHO}:staff\n",
        Context::new()?,
    )
}

#[test]
fn onbuild_is_kept_for_children() -> Result {
    same(
        "FROM {base}\nONBUILD COPY . /srv/\nONBUILD ENV A=1\nONBUILD LABEL b=\"c d\"\n",
        Context::new()?,
    )
}
