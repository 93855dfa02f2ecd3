//! The checks' names, what each is about, and which of them a recipe wants to hear of.

use crate::{CheckOptions, Diagnostic, Recipe, Rule, Severity};

/// Name, slug and description of each rule, in the order of [`Rule`].
const FACTS: [(&str, &str, &str); 22] = [
    (
        "ConsistentInstructionCasing",
        "consistent-instruction-casing",
        "all keywords are in upper case, or all in lower case",
    ),
    (
        "CopyIgnoredFile",
        "copy-ignored-file",
        "what is copied is not kept out of the context by the ignore file",
    ),
    ("DuplicateStageName", "duplicate-stage-name", "every stage has a name of its own"),
    (
        "ExposeInvalidFormat",
        "expose-invalid-format",
        "EXPOSE names the container's ports, without an address or a host's port",
    ),
    ("ExposeProtoCasing", "expose-proto-casing", "protocols in EXPOSE are in lower case"),
    ("FromAsCasing", "from-as-casing", "FROM and AS are in the same case"),
    (
        "FromPlatformFlagConstDisallowed",
        "from-platform-flag-const-disallowed",
        "FROM --platform is not a constant, which leaves no choice to the one who builds",
    ),
    (
        "InvalidDefaultArgInFrom",
        "invalid-default-arg-in-from",
        "defaults of global ARGs make image names of the FROM lines that use them",
    ),
    (
        "InvalidDefinitionDescription",
        "invalid-definition-description",
        "a comment right above a stage or an ARG begins with its name and describes it",
    ),
    ("InvalidBaseImagePlatform", "", "a base image is for the platform that is built for"),
    (
        "JSONArgsRecommended",
        "json-args-recommended",
        "CMD and ENTRYPOINT are in exec form, so that signals reach the program",
    ),
    ("LegacyKeyValueFormat", "legacy-key-value-format", "ENV and LABEL are written NAME=VALUE"),
    (
        "MaintainerDeprecated",
        "maintainer-deprecated",
        "the author is named in a label, not with MAINTAINER",
    ),
    (
        "MultipleInstructionsDisallowed",
        "multiple-instructions-disallowed",
        "an instruction of which only the last one counts stands in a stage once",
    ),
    (
        "NoEmptyContinuation",
        "no-empty-continuation",
        "there are no blank lines inside an instruction",
    ),
    (
        "RedundantTargetPlatform",
        "redundant-target-platform",
        "FROM --platform does not ask for $TARGETPLATFORM, which is the default",
    ),
    ("ReservedStageName", "reserved-stage-name", "no stage is called `scratch` or `context`"),
    (
        "SecretsUsedInArgOrEnv",
        "secrets-used-in-arg-or-env",
        "ARG and ENV, which stay in the image, hold no secrets",
    ),
    ("StageNameCasing", "stage-name-casing", "names of stages are in lower case"),
    (
        "UndefinedArgInFrom",
        "undefined-arg-in-from",
        "FROM uses only arguments that are declared before the first stage",
    ),
    ("UndefinedVar", "undefined-var", "variables are defined before they are used"),
    (
        "WorkdirRelativePath",
        "workdir-relative-path",
        "the first WORKDIR of a stage is absolute, whatever the base image says",
    ),
];

impl Rule {
    /// Every rule, by name.
    pub const ALL: [Rule; 22] = [
        Rule::ConsistentInstructionCasing,
        Rule::CopyIgnoredFile,
        Rule::DuplicateStageName,
        Rule::ExposeInvalidFormat,
        Rule::ExposeProtoCasing,
        Rule::FromAsCasing,
        Rule::FromPlatformFlagConstDisallowed,
        Rule::InvalidDefaultArgInFrom,
        Rule::InvalidDefinitionDescription,
        Rule::InvalidBaseImagePlatform,
        Rule::JSONArgsRecommended,
        Rule::LegacyKeyValueFormat,
        Rule::MaintainerDeprecated,
        Rule::MultipleInstructionsDisallowed,
        Rule::NoEmptyContinuation,
        Rule::RedundantTargetPlatform,
        Rule::ReservedStageName,
        Rule::SecretsUsedInArgOrEnv,
        Rule::StageNameCasing,
        Rule::UndefinedArgInFrom,
        Rule::UndefinedVar,
        Rule::WorkdirRelativePath,
    ];

    /// The name, as `check=skip=…` takes it.
    pub fn name(self) -> &'static str {
        FACTS[self as usize].0
    }

    /// The last part of the address of its page in Docker's documentation; one rule has none.
    pub fn documentation_slug(self) -> Option<&'static str> {
        Some(FACTS[self as usize].1).filter(|slug| !slug.is_empty())
    }

    /// What it is about.
    pub fn description(self) -> &'static str {
        FACTS[self as usize].2
    }

    /// Whether it is reported only to those who ask for it.
    pub fn is_experimental(self) -> bool {
        self == Rule::InvalidDefinitionDescription
    }
}

impl CheckOptions {
    /// Whether findings of `rule` are to be reported.
    pub fn reports(&self, rule: Rule) -> bool {
        let named = |rules: &[String]| rules.iter().any(|r| r == "all" || r == rule.name());
        if rule.is_experimental() { named(&self.experimental) } else { !named(&self.skip) }
    }

    /// Both, as a comment before an instruction adds to the directive at the top.
    fn merged(&self, other: &CheckOptions) -> CheckOptions {
        let mut merged = self.clone();
        merged.skip.extend(other.skip.iter().cloned());
        merged.experimental.extend(other.experimental.iter().cloned());
        merged
    }
}

impl Recipe {
    /// Whether a finding is to be reported, by the recipe's `check` directive and the `check`
    /// comments before single instructions. Errors always are.
    pub fn reports(&self, finding: &Diagnostic) -> bool {
        let Some(rule) = finding.rule.filter(|_| finding.severity == Severity::Warning) else {
            return true;
        };
        let at = finding.span.start;
        let check = &self.directives.check;
        // They are in the file's order, as the instructions are.
        let next = self.local_checks.partition_point(|local| local.span.end <= at);
        match self.local_checks.get(next).filter(|local| local.span.contains(&at)) {
            Some(local) => check.merged(&local.node).reports(rule),
            None => check.reports(rule),
        }
    }

    /// Whether these findings fail the build: `check=error=true`, and one of them is reported.
    pub fn fails_on(&self, findings: &[Diagnostic]) -> bool {
        self.directives.check.error && findings.iter().any(|finding| self.reports(finding))
    }
}
