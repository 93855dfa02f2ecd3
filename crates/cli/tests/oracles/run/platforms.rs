//! One Dockerfile with `RUN pip install` for two platforms, on a machine that runs neither's.

use testbed::base;
use testbed::{Architecture, Context, House, Index, Result, output};

use crate::support::plywood;

#[test]
fn run_pip_install_for_two_platforms_runs_nothing() -> Result {
    let x86_64 = House::listed_for("benchmark", Architecture::X86_64)?;
    let aarch64 = House::listed_for("benchmark", Architecture::Aarch64)?;
    let index = Index::of(&[&x86_64, &aarch64])?;
    let dockerfile = format!(
        "FROM base\nENV PIP_INDEX_URL={}\nCOPY requirements.txt ./\n\
         RUN pip install --break-system-packages -r requirements.txt && uname -m > /machine\n",
        index.url()
    );
    let context = Context::with_dockerfile(&dockerfile)?.file("requirements.txt", x86_64.pins())?;
    let plywood = plywood()?;
    let layout = base::of_both_platforms()?;
    let mut plan = plywood.command(["plan", "--json", "--platform", "linux/amd64,linux/arm64"]);
    plan.env("PATH", "/nonexistent");
    plan.args([
        "--build-context",
        &format!("base=oci-layout://{}:{}", layout.display(), base::TAG),
    ]);
    let said = output(plan.arg(context.path()))?;
    let plan: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    for (platform, machine) in
        plan["platforms"].as_array().unwrap().iter().zip(["x86_64", "aarch64"])
    {
        let steps = platform["stages"][0]["instructions"].as_array().unwrap();
        let line = steps.last().unwrap();
        assert_eq!(line["becomes"], "assembled", "{line}");
        let packages = line["layers"].as_array().unwrap().iter();
        let packages: usize =
            packages.map(|layer| layer["packages"].as_array().map_or(0, Vec::len)).sum();
        assert_eq!(packages, 18, "{machine}");
    }
    Ok(())
}
