"""Rules about declared dependencies: lock files, names and versions that a registry does not have, ranges
that cannot all hold, and downloads that are not what was locked.
"""

import re

from shared.diagnosis.evidence import Case
from shared.diagnosis.network_words import BROKEN
from shared.diagnosis.rule import Rule, block, first_of, line
from shared.diagnosis.sample import failed
from shared.diagnosis.tool_words import BUILT, GOT_OVER, MAKES, NPM, PNPM, TREE, YARN

_REFUSED = re.compile(
    NPM + r"404 (?:404 )?Not Found - PUT |\s{4,20}Unable to download data from "
    r"|\s{0,4}hint: An index .{0,300}(?:401|403)\b"
)


def _is_refused(case: Case, place: int) -> bool:
    """Tell a package that is not found because the index refused us, which uv says only below."""
    return any(_REFUSED.match(text) for text in case.lines[place : place + 12])


DEPENDENCY_RULES: tuple[Rule, ...] = (
    Rule(
        "lockfile_missing",
        line(
            MAKES,
            NPM + r".{0,100}can only install (?:packages )?with an existing ",
            NPM + r"This command requires an existing lockfile",
            PNPM + r"NO_LOCKFILE\b",
            r"\s{0,8}(?:No lock file found|Error: poetry\.lock not found)",
            r"error: Unable to find lockfile at ",  # uv
            r"No composer\.lock file present",
            r".{0,200}error NU1004: .{0,200}(?:lock file .{0,100}(?:was not found|not found|does not exist))",
            r"Could not find the lockfile|error: no lockfile found",
            TREE
            + r"(?:error: )?cannot create the lock file \S{1,300} because --(?:locked|frozen) was passed",
        ),
        "The installer is told to install just what the lock file says, and there is no lock file.",
        ("git ls-files | grep -i lock", "git check-ignore -v LOCKFILE"),
        home="build",
        check=(
            "Whether the lock file was ever committed: an ignore file or a .dockerignore may keep it out.",
            "Whether the command runs in the folder in which the lock file lies.",
        ),
        done_when="`git ls-files` lists the lock file, and the install ends well.",
        confidence="certain",
        example=failed(
            "build", "npm error The `npm ci` command can only install with an existing package-lock.json or"
        ),
        near_miss=failed(
            "build",
            "npm error `npm ci` can only install packages when your package.json and package-lock.json",
        ),
    ),
    Rule(
        "lockfile_out_of_step",
        line(
            MAKES,
            NPM + r".{0,100}can only install packages when your ",
            PNPM + r"(?:OUTDATED_LOCKFILE|LOCKFILE_\w{1,60}|FROZEN_LOCKFILE\w{0,60})\b",
            r"error Your lockfile needs to be updated",
            r"(?:➤ )?YN0028: ",
            r"error: lockfile had changes, but lockfile is frozen",  # Bun
            (
                r"(?:\s{0,8}|Error: )?pyproject\.toml changed significantly since poetry\.lock "
                r"was last generated"
            ),
            r"\s{0,8}(?:Error: )?poetry\.lock is not up to date with pyproject\.toml",
            r"(?:error: )?The lockfile at .{1,200} needs to be updated, but ",  # uv
            r"Your Pipfile\.lock \(\w{1,80}\) is out of date",
            TREE
            + r"(?:error: )?(?:the lock file \S{1,300} needs to be updated|cannot update the lock file )",
            r"go: (?:updates to go\.(?:mod|sum) needed|inconsistent vendoring)",
            r"(?:go: |\S{1,200}: )?.{0,300}missing go\.sum entry\b",
            r"(?:The (?:gemspecs|dependencies|list of sources)|You (?:have (?:added|deleted"
            r"|changed)|are trying to install in"
            r" deployment mode)|Your lockfile (?:needs|does not)).{0,200}",  # Bundler
            r"(?:\s{0,4}- )?Required package \".{1,200}\" is not present in the lock file",  # Composer
            r".{0,300}error NU1004: ",
            r"\s{0,12}> (?:Locking|Dependency lock state) for ",  # Gradle
            TREE + r"(?:Did not resolve '.{1,200}' which is part of the dependency lock state)",
            r"error: The lockfile is out of date",  # Deno
        ),
        "The lock file does not fit the declared dependencies: one was changed without the other.",
        ("git status --short", "git log -3 --stat -- LOCKFILE"),
        home="build",
        check=(
            "Whether the last change of the declared dependencies was committed together with the lock file.",
            (
                "Whether the lock file was written by another version of the tool than the "
                "one that reads it here."
            ),
        ),
        done_when="The install from the lock file ends well in a fresh checkout.",
        confidence="certain",
        example=failed("build", " ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with frozen-lockfile because x"),
        near_miss=failed(
            "build", " ERR_PNPM_NO_MATCHING_VERSION  No matching version found for left-trim@^9"
        ),
    ),
    Rule(
        "download_not_as_locked",
        line(
            MAKES,
            NPM + r"code EINTEGRITY\b",
            PNPM + r"(?:TARBALL_INTEGRITY|BAD_TARBALL_SIZE|UNEXPECTED_PKG_CONTENT\w{0,40})\b",
            r"(?:error .{0,200}Integrity check failed|(?:➤ )?YN0018: )",
            r"ERROR: (?:THESE PACKAGES DO NOT MATCH THE HASHES|Hashes are required in --require-hashes mode)",
            r"ERROR: In --require-hashes mode, ",
            TREE + r"Hash mismatch for ",
            r"\s{0,12}(?:Hash for .{1,200} (?:doesn't match|not found)|Retrieved digest for link )",  # Poetry
            TREE + r"(?:error: )?(?:checksum for .{1,200} changed between lock files"
            r"|failed to verify the checksum of )",
            r"(?:go: )?(?:\s{0,4})?(?:verifying .{1,300}: checksum mismatch|SECURITY ERROR)",
            r"\s{0,8}The checksum verification of the file failed",
            r"E: Failed to fetch .{0,300}(?:Hash Sum mismatch|File has unexpected size)",
            r"\[ERROR\] .{0,400}(?:Checksum validation failed|checksum .{0,60}mismatch)",
            r"\s{0,12}> Dependency verification failed for ",
            r"(?:Downloaded|The) .{0,120}(?:gem|checksum) .{0,120}(?:has mismatched checksum|does not match)",
            r".{0,300}error NU1403: ",
            unless_later=GOT_OVER,
        ),
        "What was downloaded is not what the lock file tells of: its digest differs.",
        ("git log -3 --stat -- LOCKFILE",),
        home="build",
        check=(
            "Whether the package was published again under the same version, or comes from another registry.",
            "Whether a cache or a proxy hands out a damaged copy: clear it and fetch once more.",
            "If neither: take it for tampered with until you know better.",
        ),
        done_when="A fresh install without any cache ends well.",
        confidence="certain",
        example=failed("build", "npm error code EINTEGRITY\nnpm error sha512-pKvU integrity checksum failed"),
        near_miss=failed("build", "npm warn tarball data seems to be corrupted. Trying again.\nboom"),
    ),
    Rule(
        "dependencies_in_conflict",
        line(
            MAKES,
            NPM + r"code ERESOLVE\b",
            PNPM + r"PEER_DEP_ISSUES\b",
            (
                r"ERROR: (?:ResolutionImpossible|Cannot install .{1,300} because "
                r"these package versions have conflicting)"
            ),
            r"ERROR: .{1,200} has requirement .{1,200}, but you",
            TREE + r"No solution found when resolving ",
            r"\s{0,8}Because .{1,300}version solving failed",
            r"\s{0,8}(?:So, because .{1,200}|.{0,200}), version solving failed",
            TREE + r"(?:error: )?failed to select a version for (?!the requirement)",
            TREE + r"(?:Cannot find a version of|Conflict found for|Cannot choose between)",
            r"(?:Bundler could not find compatible versions|Could not find compatible versions)",
            r"\s{0,8}Your requirements could not be resolved to an installable set",
            r".{0,300}error NU1(?:107|608|605): ",
            r"\[ERROR\] .{0,200}(?:Dependency convergence error|DependencyConvergence failed)",
            r"\[ERROR\] Rule \d{1,3}: org\.apache\.maven\.(?:plugins\.)?enforcer",
            unless=_is_refused,
            following=3,
        ),
        "No set of versions satisfies all that the dependencies ask for.",
        ("git diff HEAD~1 -- MANIFEST",),
        home="build",
        check=(
            "The two that ask for different versions of a third: the lines below name them.",
            "Which of them was changed last: an older version of it, or a newer one of the other, may fit.",
        ),
        done_when="The install ends well without being forced.",
        confidence="certain",
        example=failed(
            "build", "npm error code ERESOLVE\nnpm error ERESOLVE unable to resolve dependency tree"
        ),
        near_miss=failed(
            "build", "npm error code ETARGET\nnpm error notarget No matching version found for x"
        ),
    ),
    Rule(
        "version_not_found",
        line(
            MAKES,
            NPM + r"code (?:ETARGET|ENOVERSIONS)\b",
            PNPM + r"NO_(?:MATCHING_VERSION|VERSIONS)\w{0,40}\b",
            r"error Couldn't find any versions for ",
            r"(?:➤ )?YN0082: ",
            r"error: No version matching ",  # Bun
            (
                r"ERROR: Could not find a version that satisfies the requirement .{1,200}\(from "
                r"versions: (?!none)"
            ),
            TREE + r"Because (?:there (?:is|are) no version|only .{1,200} (?:is|are) available)",
            r"\s{0,8}.{0,200}doesn't match any versions",  # Poetry
            TREE + r"(?:error: )?failed to select a version for the requirement ",
            r"(?:go: )?.{0,300}(?:unknown revision |invalid version: |no matching versions for query )",
            r"(?:go: )?.{0,300}module .{1,200} found \(.{1,80}\), but does not contain package ",
            r".{0,300}error NU110[23]: ",
            r"E: Version '.{1,80}' for '.{1,80}' was not found",
            r"\s{0,4}- Root composer\.json requires .{1,200}, found .{1,300}but it does not match",
            TREE + r"(?:ERROR|error): .{0,100}breaks: world\[",  # apk
            r"ERROR:  Could not find a valid gem '.{1,100}' \((?!>= 0\)).{1,60}\)",
            unless_later=GOT_OVER,
            following=1,
        ),
        "A dependency exists, but not in the version that is declared.",
        ("git log -3 --stat -- MANIFEST",),
        home="build",
        check=(
            "The version in the message: whether it was ever published, or was taken back.",
            "Whether it is published for this system and for this version of the language.",
            "Whether a private package comes from its own registry here.",
        ),
        done_when=BUILT,
        confidence="certain",
        example=failed(
            "build", "npm error code ETARGET\nnpm error notarget No matching version found for a@^3"
        ),
        near_miss=failed("build", "npm error code E404\nnpm error 404 Not Found - GET /lefft-trimm"),
    ),
    Rule(
        "dependency_not_found",
        first_of(
            block(MAKES, BROKEN, r"404NotFound|NotFound404"),
            line(
                MAKES,
                NPM + r"code E404\b",
                PNPM + r"(?:FETCH_404|WORKSPACE_PKG_NOT_FOUND|NO_PKG_FOUND\w{0,40})\b",
                r"error (?:Couldn't find package |.{0,300}: Not found)",
                YARN
                + r".{0,200}(?:Package not found|Response Code: 404|No candidates found|Workspace not found)",
                r"error: (?:GET \S{1,300} - 404|.{0,100}package \".{1,100}\" not found)",
                (
                    r"ERROR: (?:Could not find a version that satisfies|No matching distribution found"
                    r"|HTTP error 404)"
                ),
                TREE + r"(?:Because )?.{0,200}was not found in the (?:package registry"
                r"|provided package locations)",
                TREE + r"(?:Because )?.{0,200}(?:is|was) not found in the cache",
                TREE + r"(?:error: )?no matching package (?:named |found)",
                TREE + r"(?:error: )?could not find `\S{1,100}` in registry",
                TREE + r"config\.json not found in registry",
                (
                    r"(?:go: )?.{0,300}(?:repository .{0,200}not found|: 404 Not Found|: 410 Gone"
                    r"|malformed module path)"
                ),
                r"(?:\S{1,200}: |go: )?.{0,200}cannot find module providing package ",
                (
                    r"\[ERROR\] .{0,600}(?:Could not find artifact |was not found in \S{1,200} "
                    r"during a previous attempt)"
                ),
                TREE + r"Could not find \S{1,300}:\S{1,200}\.$",  # Gradle
                TREE + r"Plugin \[id: .{1,200}was not found in any of the following sources",
                (
                    r"(?:Could not find gem '|ERROR:  Could not find a valid gem "
                    r"|Could not find \S{1,100} in any of the sources)"
                ),
                r"Your bundle is locked to .{1,200}(?:could not be found|can't be found)",
                (
                    r"\s{0,8}(?:Could not find (?:a matching version of )?package "
                    r"|- Root composer\.json requires .{1,200}could not)"
                ),
                r".{0,300}error NU1101: ",
                (
                    r"E: (?:Unable to locate package |Couldn't find any package by "
                    r"|Package '.{1,100}' has no installation cand)"
                ),
                r"\s{1,4}\S{1,100} \(no such package\):",  # apk
                r"(?:Error: Unable to find a match: |No match for argument: |No package .{1,100} available)",
                r"(?:PackagesNotFoundError|ResolvePackageNotFound): ",
                r"Error: chart \".{1,100}\" .{0,100}not found in ",
                unless=_is_refused,
                unless_later=GOT_OVER,
                following=1,
            ),
        ),
        "A dependency is declared that its registry does not have under that name.",
        ("git log -3 --stat -- MANIFEST",),
        home="build",
        check=(
            "The name in the message: whether it is spelt right.",
            (
                "Whether it is a private package: then its own registry has to be "
                "configured here, and a credential"
                " for it; many registries say of what may not be seen that it is not there."
            ),
            (
                "Whether the list of packages of the base image is fresh (apt-get update "
                "before apt-get install)."
            ),
        ),
        done_when=BUILT,
        confidence="certain",
        example=failed("build", "npm error code E404\nnpm error 404 Not Found - GET http://r/lefft-trimm"),
        near_miss=failed("build", "npm error code E401\nnpm error Incorrect or missing password."),
    ),
)
