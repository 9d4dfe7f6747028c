"""Rules about the source: what a clone or a checkout trips over, apart from access and network."""

from shared.diagnosis.rule import Rule, ended, infrastructure, line
from shared.diagnosis.sample import failed
from shared.diagnosis.tool_words import GIT, TOOLS

FETCHED = "The next clone of the same commit ends well."

SOURCE_RULES: tuple[Rule, ...] = (
    Rule(
        "ref_not_found",
        line(
            TOOLS,
            GIT + r"fatal: (?:couldn't find remote ref |Remote branch .{1,200} not found in upstream)",
            GIT + r"(?:error|fatal): (?:pathspec '.{1,200}' did not match|reference is not a tree: "
            r"|invalid refspec)",
            GIT + r"(?:error: Server does not allow request for unadvertised object"
            r"|fatal: remote error: upload-pack: "
            r"not our ref)",
            GIT + r"fatal: (?:bad object|ambiguous argument|bad revision|invalid reference: |"
            r"Needed a single revision|not a tree object)",
            GIT + r"warning: Could not find remote branch ",
        ),
        "The branch, tag or commit that is asked for is not in the repository.",
        ("git ls-remote URL", "windlass repo list"),
        home="clone",
        check=(
            "The name in the message: whether it is spelt right, and whether it was deleted or renamed.",
            "Whether the commit was replaced by a force push since.",
            "Whether a shallow clone leaves it out: fetch more of the history.",
        ),
        done_when="`git ls-remote` lists the branch or tag.",
        confidence="certain",
        example=failed("clone", "fatal: couldn't find remote ref refs/tags/v3.1.0", "source"),
        near_miss=failed("clone", "fatal: Authentication failed for 'https://git.example.com/'", "source"),
    ),
    Rule(
        "storage_quota_used_up",
        line(
            TOOLS,
            r".{0,400}(?:over its data quota|exceeded its LFS budget|exceeded its .{0,40}quota)",
            GIT + r"remote: .{0,100}(?:quota exceeded|over (?:its|the) .{0,40}quota|disk quota)",
        ),
        "The forge gives out no more: the quota of its storage or traffic is used up.",
        ("git lfs ls-files --size",),
        answer=infrastructure,
        home="clone",
        check=(
            "What the forge says of the quota, and whether more can be had.",
            "Whether each build fetches the large files anew: a copy that is kept asks once.",
        ),
        done_when="`git lfs pull` in a fresh clone ends well.",
        confidence="certain",
        example=failed("clone", "batch response: This repository is over its data quota.", "source"),
        near_miss=failed(
            "clone", "Error downloading object: logo.psd (3f9d): Smudge error: not found", "source"
        ),
    ),
    Rule(
        "repository_not_found",
        line(
            TOOLS,
            GIT + r"fatal: (?:repository '.{1,300}' (?:not found|does not exist)"
            r"|'.{1,300}' does not appear to be a git "
            r"repository)",
            GIT + r"fatal: (?:not a git repository|unable to access .{0,300}: "
            r"The requested URL returned error: 404)",
            GIT + r"ERROR: Repository not found",
            GIT + r"fatal: .{0,300}/info/refs not (?:found|valid)",
        ),
        "There is no repository at the address, or none that this credential may see.",
        ("windlass repo list", "git ls-remote URL"),
        home="clone",
        check=(
            "The address: whether it was moved or renamed.",
            (
                "Whether the credential may see it: many forges say of a private repository "
                "that it is not there."
            ),
        ),
        done_when="`git ls-remote` of the address lists its branches.",
        example=failed(
            "clone", "fatal: '/srv/git/shop.git' does not appear to be a git repository", "source"
        ),
        near_miss=failed("clone", "fatal: couldn't find remote ref refs/tags/v3.1.0", "source"),
    ),
    Rule(
        "host_key_not_known",
        line(
            TOOLS,
            GIT + r"(?:Host key verification failed|@ {4}WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED)",
            GIT + r"No \S{1,20} host key is known for ",
        ),
        "The host of the ssh address showed a key that is not known here, or not the one that is.",
        ("ssh-keyscan HOST", "ssh-keygen -R HOST"),
        home="clone",
        check=(
            (
                "Whether the host changed its key: compare it with what its operator publishes, "
                "before it is trusted."
            ),
            "Whether the user who runs the step has the host in known_hosts.",
        ),
        done_when="`ssh -T git@HOST` connects without a question.",
        confidence="certain",
        example=failed("clone", "Host key verification failed.\nfatal: Could not read from remote", "source"),
        near_miss=failed("clone", "git@git.example.com: Permission denied (publickey).", "source"),
    ),
    Rule(
        "submodule_broken",
        line(
            TOOLS,
            GIT + r"fatal: (?:No url found for submodule path|no submodule mapping found in \.gitmodules)",
            GIT
            + r"fatal: (?:Unable to find current .{0,100}revision in submodule|Fetched in submodule path)",
            GIT + r"(?:fatal|error): .{0,100}(?:is not a valid submodule|submodule .{0,200} did not contain)",
        ),
        "A submodule is recorded in a way that cannot be followed.",
        ("git submodule status", "cat .gitmodules"),
        home="clone",
        check=(
            "Whether .gitmodules names the path in the message and its address.",
            "Whether the recorded commit of the submodule was ever pushed.",
        ),
        done_when="`git submodule update --init --recursive` ends well in a fresh clone.",
        confidence="certain",
        example=failed("clone", "fatal: No url found for submodule path 'theme' in .gitmodules", "source"),
        near_miss=failed(
            "clone", "Submodule 'theme' registered for path 'theme'\nfatal: bad object 3f9", "source"
        ),
    ),
    Rule(
        "large_files_missing",
        line(
            TOOLS,
            r"(?:Error downloading object: |Smudge error: |error: external filter 'git-lfs)",
            GIT + r"(?:git: 'lfs' is not a git command|git-lfs filter-process: )",
            r"\[404\] Object does not exist on the server",
        ),
        "Files that lie in large file storage could not be fetched.",
        ("git lfs env", "git lfs fetch --all"),
        home="clone",
        check=(
            "Whether git-lfs is installed where the source is fetched.",
            "Whether the files were pushed to the storage, and whether its quota is used up.",
        ),
        done_when="`git lfs pull` in a fresh clone ends well.",
        example=failed(
            "clone", "Error downloading object: logo.psd (3f9d): Smudge error: not found", "source"
        ),
        near_miss=failed("clone", "Filtering content: 100% (3/3), done.\nfatal: bad object 3f9d", "source"),
    ),
    Rule(
        "work_tree_in_the_way",
        line(
            TOOLS,
            GIT + r"error: (?:Your local changes|The following untracked working "
            r"tree files) .{0,60}would be overwritten",
            GIT + r"fatal: Unable to create '.{1,300}\.lock': File exists",
            GIT + r"fatal: destination path '.{1,300}' already exists and is not an empty directory",
            GIT + r"fatal: (?:could not create work tree dir|unable to checkout working tree"
            r"|cannot create directory)",
            GIT + r"error: unable to (?:create file|write file|unlink old) ",
            GIT + r"fatal: (?:cannot|could not) (?:open|write|create) ",
        ),
        "The folder that the source is put into cannot be written as it should: "
        "something is left in it, or it"
        " may not be written.",
        ("git status --short", "df -h"),
        home="clone",
        check=(
            "What an earlier run left there: changed files, a lock of a git that is not running any more.",
            "Whether the folder can be written, and whether its disk has room.",
        ),
        done_when="A fresh clone into an empty folder ends well.",
        example=failed("clone", "fatal: Unable to create '/srv/b/.git/index.lock': File exists.", "source"),
        near_miss=failed("clone", "fatal: couldn't find remote ref refs/heads/x.lock", "source"),
    ),
    Rule(
        "repository_owned_by_another",
        line(TOOLS, GIT + r"fatal: (?:detected dubious ownership|unsafe repository) "),
        "The folder of the repository belongs to another user than the one who runs git.",
        ("ls -ld PATH", "git config --global --add safe.directory PATH"),
        home="clone",
        check=("Who owns the folder, and as whom the step runs: one of the two is not as it was meant.",),
        done_when="`git status` in the folder answers as that user.",
        confidence="certain",
        example=failed("clone", "fatal: detected dubious ownership in repository at '/srv/b'", "source"),
        near_miss=failed("clone", "fatal: not a git repository (or any parent): .git", "source"),
    ),
    Rule(
        "repository_damaged",
        line(
            TOOLS,
            GIT + r"(?:remote: )?(?:error|fatal): (?:inflate: data stream error"
            r"|.{0,60}object .{1,100} is (?:corrupt|empty|"
            r"missing))",
            GIT + r"(?:remote: )?(?:aborting due to possible repository corruption"
            r"|fatal: .{0,80}unable to unpack )",
            GIT + r"(?:error|fatal): (?:bad signature|packfile .{1,200} (?:cannot be|index unavailable"
            r"|does not match)|"
            r"index file (?:corrupt|smaller)|unresolved deltas)",
        ),
        "The repository, or a copy of it, is damaged: objects in it cannot be read.",
        ("git fsck --full",),
        home="clone",
        check=(
            "Whether the damage is on the forge (lines that begin with remote:) or in a copy kept here.",
            "Whether the disk beneath it has errors, or was full.",
        ),
        done_when="`git fsck --full` reports nothing, and a fresh clone ends well.",
        confidence="certain",
        example=failed("clone", "remote: error: inflate: data stream error (incorrect header)", "source"),
        near_miss=failed("clone", "fatal: early EOF\nfatal: fetch-pack: invalid index-pack output", "source"),
    ),
    Rule(
        "source_unreadable",
        ended("source", {"clone", "detect", "build", "deploy"}),
        "The repository could not be read at this commit.",
        ("windlass repo list",),
        check=(
            "What git said, if anything: the last lines.",
            "Whether the repository's address and branch are still what `windlass repo list` says.",
        ),
        done_when=FETCHED,
        confidence="guess",
        example=failed("clone", "", "source"),
        near_miss=failed("clone", "fatal: couldn't find remote ref refs/tags/v1", "source"),
    ),
)
