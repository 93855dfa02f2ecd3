//! Wheels of the default index, installed by pip into a virtual environment, and by us.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use oci::{Digest, ImagePath};
use python::{
    FileOrigin, InstallOptions, Installation, InstalledFile, Interpreter, Layout, ScriptTemplate,
    Version, Wheel,
};
use testbed::{cache, files, program, run, stdout};

/// Each for something that it has.
const WHEELS: &[&str] = &[
    "PyYAML==6.0.3",                         // a name that is not normalized, a C extension
    "awscli==1.42.70",                       // scripts with a placeholder, 7,000 files
    "black==25.9.0",                         // mypyc's module at the top
    "docutils==0.22.2",                      // many entry points
    "easy_install==1.0",                     // replaced below, see `EASY_INSTALL`
    "flask==3.1.2",                          // flit
    "google-api-core==2.26.0",               // a part of a namespace
    "google-cloud-profiler==4.1.0",          // replaced below
    "greenlet==3.2.4",                       // headers
    "httpie==3.2.4",                         // several entry points, a man page in data
    "jupyterlab_pygments==0.3.0",            // data
    "numpy==2.3.4",                          // compiled, libraries beside it
    "pip==25.2",                             // names with versions
    "protobuf==6.33.0",                      // stable ABI
    "ruff==0.14.1",                          // a program as a script
    "setuptools==80.9.0",                    // a .pth, executables for Windows
    "sphinxcontrib-jsmath==1.0.1",           // -nspkg.pth
    "zope.event==6.0",                       // a dot in the name
];
