"""How the tools that fetch, build and ship begin their last word, and what they say at a good end.

A pattern here stands at the start of a line; what it may skip is bounded.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from shared.diagnosis.evidence import Case, Phase
from shared.diagnosis.rule import Find, Finding

CLONES: frozenset[Phase] = frozenset({"clone"})
BUILDS: frozenset[Phase] = frozenset({"build"})
SCRIPTS: frozenset[Phase] = frozenset({"publish", "setup", "deploy"})
STARTS: frozenset[Phase] = frozenset({"rollout"})  # where a start command may install, too
MAKES: frozenset[Phase] = BUILDS | SCRIPTS
TOOLS: frozenset[Phase] = MAKES | frozenset({"clone", "detect"})
EVERYWHERE: frozenset[Phase] = TOOLS | frozenset({"rollout", "verify"})

LOGS = "windlass logs {pipeline} {revision}"
AGAIN = "windlass deploy {pipeline}"
PASSES = "The next run gets past this step."
BUILT = "The next build gets past this step."

NPM = r"npm (?:ERR!|error) "
PNPM = r" ?\[?ERR_PNPM_"
YARN = r"(?:➤ )?YN\d{4}: .{0,40}?"
GIT = r"(?:" + NPM + r"|\s{1,12}|error: |stderr: |> |[│╷] {0,2})?"  # alone, or quoted by what called it
TREE = r"\s{0,12}(?:[\u00d7╰├│┼─▶>]{1,4} |Caused by: |cause: |\[\d{1,3}\] |hint: )?"  # uv, Cargo, Gradle
BOX = r"(?:[│╷╵] {0,2})?"  # Terraform
DOCKER = (
    r"(?:> \[[^\]]{1,120}\].{0,120}?: |#\d{1,4} )?"
    r"(?:ERROR|error|Error|Error response from daemon|failed|fatal|WARN\[\d{1,6}\]|docker"
    r"|ERRO\[\d{1,6}\])[: ]"
)
SHELL = (  # "sh: 1: ", "script: line 3: "
    r"(?:\S{0,100}/)?(?:sh|bash|dash|ash|zsh|ksh|script|[\w.-]{1,60}\.sh): (?:line )?(?:\d{1,6}: )?"
)

GOT_OVER = re.compile(  # what tools say at their good end
    r"(?:added|changed|removed|audited) \d+ packages?\b|up to date\b|Successfully (?:installed"
    r"|built|tagged) "
    r"|success \S|Already up.to.date|Lockfile is up to date"
    r"|\s{0,12}(?:Installed|Audited|Prepared) \d+ packages? in |\s{0,4}Done in \d|(?:➤ )?YN0000: .{0,6}Done"
    r"|\s{1,12}Finished [`\w]|\s{1,12}Compiling \S{1,80} v\d|(?:\[INFO\] )?BUILD SUCCESS"
    r"|Bundle complete!|Generating (?:optimized )?autoload files|\s{1,4}Restored \S"
    r"|Setting up \S{1,100} \(|Processing triggers for |OK: \d{1,6}(?:\.\d)? [KMG]iB in \d"
    r"|HEAD is now at |Note: switching to |Resolving deltas: 100%|Pull complete"
    r"|Status: Downloaded newer image"
    r"|\S{1,40}: digest: sha256:"
)

_SPOKEN: Mapping[Phase, re.Pattern[str]] = {
    "clone": re.compile(
        r"(?:fatal|remote|ssh|Cloning into|git|git@\S{1,100}|error: (?:RPC|unable to write"
        r"|Your local|file wri)"
        r"|Permission denied \(publickey)\b"
    ),
    "publish": re.compile(
        r"(?:denied: |unauthorized: |name unknown|tag invalid|error parsing HTTP 413|Uploading |twine)\b"
        r"|.{0,200}\b(?:npm publish|docker push|cargo publish|mvn deploy|upload\.)"
    ),
    "deploy": re.compile(
        r"(?:Unable to connect to the server|The connection to the server \S|Error: (?:INSTALLATION|UPGRADE)"
        r"|error: You must be logged in|Error from server|ERROR: \(gcloud\.|rsync|scp|sftp"
        r"|\S{0,12}Error: (?:creating|"
        r"updating|deleting)|An error occurred \(|fatal error: An error occurred|(?:upload|copy) failed: )"
    ),
    "rollout": re.compile(
        r"(?:\[\d{1,8}\] \[(?:ERROR|CRITICAL)\]|Back-off |\s{0,20}(?:Reason|Warning|State): "
        r"|Exception in thread \"main\")"
    ),
}


_PUBLISHES = re.compile(
    r"The push refers to repository|Uploading distributions to "
    r"|npm notice Publishing to "
)
_GIT_OVER_SSH = re.compile(r"fatal: (?:Could not read from remote|The remote end hung up)|Cloning into ")


def spoken(find: Find) -> Find:
    """Tell from the line that was found in which phase its tool is used: for logs that do not say it."""

    def found(case: Case) -> Finding | None:
        finding = find(case)
        if finding is None or case.phase != "unknown" or not isinstance(finding.lines[0], int):
            return finding
        if any(map(_PUBLISHES.match, case.lines)):
            return replace(finding, home="publish")
        text = case.lines[finding.lines[0]]
        if text.startswith("ssh: ") and not any(map(_GIT_OVER_SSH.match, case.lines)):
            return replace(finding, home="deploy")
        home = next((phase for phase, begins in _SPOKEN.items() if begins.match(text)), finding.home)
        return replace(finding, home=home)

    return found
