"""Rules about building images: base images, the build's context, the text of the Dockerfile, the daemon."""

from shared.diagnosis.rule import Rule, line
from shared.diagnosis.sample import failed
from shared.diagnosis.tool_words import BUILT, DOCKER, LOGS, MAKES

SOLVE = DOCKER + r".{0,400}?"
CONTEXT = r"(?:COPY|ADD) failed: "

IMAGE_BUILD_RULES: tuple[Rule, ...] = (
    Rule(
        "image_builder_absent",
        line(
            MAKES,
            SOLVE
            + r"(?:Cannot connect to the Docker daemon|error during connect: |Is the docker daemon running)",
            r"Cannot connect to the Docker daemon",
            r"(?:Got )?permission denied while trying to connect to the (?:Docker daemon|docker API)",
            SOLVE + r"permission denied while trying to connect to the ",
            SOLVE + r"(?:BuildKit is enabled but the buildx component is missing|no builder .{1,100} found)",
            r"docker: '\S{1,40}' is not a docker command|unknown (?:shorthand )?flag: .{1,60} in ",
        ),
        "The program that builds images is not there, does not run, or may not be used by this user.",
        ("docker info", "id"),
        home="build",
        check=(
            "Whether the daemon runs on the machine, and DOCKER_HOST names it if it is another.",
            "Whether the user who runs the step may use its socket.",
        ),
        done_when="`docker info` answers as the user who runs the step.",
        confidence="certain",
        example=failed("build", "ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock."),
        near_miss=failed(
            "build", "ERROR: failed to solve: process did not complete successfully: exit code: 1"
        ),
    ),
    Rule(
        "dockerfile_missing",
        line(
            MAKES,
            SOLVE + r"to read dockerfile: open ",
            SOLVE + r"(?:unable to prepare context|unable to evaluate symlinks|resolve : lstat"
            r"|path \".{1,300}\" not found)",
            r"(?:unable to prepare context|Cannot locate (?:specified )?Dockerfile)",
            SOLVE + r"the Dockerfile .{1,200} must be within the build context",
            r"\"docker(?: buildx)? build\" requires (?:exactly )?1 argument",
        ),
        "There is no Dockerfile, or no folder to build from, where the build is told to look.",
        ("git ls-files | grep -i dockerfile",),
        home="build",
        check=(
            "The path and folder in the command: the Dockerfile's path counts from where the command runs.",
            "The name's letters: Dockerfile, with a large D.",
        ),
        done_when=BUILT,
        confidence="certain",
        example=failed(
            "build",
            "ERROR: failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory",
        ),
        near_miss=failed("build", 'ERROR: failed to compute cache key: "/dist": not found'),
    ),
    Rule(
        "image_context_lacks_file",
        line(
            MAKES,
            SOLVE + r"(?:to (?:compute cache key|calculate checksum of ref)"
            r"|failed to walk ).{0,300}?not found",
            SOLVE + r"(?:to (?:compute cache key|calculate checksum of ref)"
            r"|failed to walk ).{0,300}?no such file",
            CONTEXT,
            DOCKER + r"(?:.{0,60}: )?" + CONTEXT,
            SOLVE + r"(?:copier: stat|getting relative path|checking on sources under) ",
            r"(?:Error|error): building at STEP .{0,300}no such file or directory",
            r"error building image: .{0,300}(?:no such file|failed to get fileinfo)",  # Kaniko
        ),
        "COPY or ADD names something that is not in the folder that is built from.",
        ("cat .dockerignore", "git ls-files PATH"),
        home="build",
        check=(
            "Whether .dockerignore leaves it out.",
            "Whether the path counts from the folder that is built from, not from the Dockerfile's.",
            (
                "Whether something should have made it before the image is built, or it is "
                "copied out of a stage that"
                " puts it elsewhere."
            ),
        ),
        done_when=BUILT,
        confidence="certain",
        example=failed(
            "build",
            "ERROR: failed to solve: failed to compute cache key: failed to calculate "
            'checksum of ref x: "/dist": '
            "not found",
        ),
        near_miss=failed("build", "ERROR: failed to solve: r.example.com/base:1: not found"),
    ),
    Rule(
        "base_image_not_found",
        line(
            MAKES,
            SOLVE + r"(?:manifest unknown|manifest for .{1,200} not found|no match for platform in manifest)",
            SOLVE + r"failed to (?:resolve source metadata for|solve with frontend"
            r"|load metadata).{0,300}: not found",
            SOLVE + r"to solve: [\w./:@-]{1,200}: (?:[\w./:@-]{1,200}: )?not found",
            SOLVE
            + r"(?:no matching manifest for |no image found in (?:manifest|image index)|name unknown: )",
            r"manifest for .{1,200} not found: manifest unknown",
            SOLVE + r"(?:NotFound: |reading manifest .{1,200}: (?:manifest unknown|name unknown))",
        ),
        "The base image does not exist under that name and tag, or not for this kind of processor.",
        ("docker manifest inspect IMAGE",),
        home="build",
        check=(
            "The name and tag in the message: tags are taken away when a version ends.",
            "Whether the image is there for this processor (amd64, arm64).",
            "Whether it lies in another registry than the one that is asked.",
        ),
        done_when="`docker manifest inspect` of the image answers.",
        confidence="certain",
        example=failed(
            "build",
            "ERROR: failed to solve: node:99-slim: failed to resolve source metadata "
            "for r.example.com/node:99-slim: "
            "r.example.com/node:99-slim: not found",
        ),
        near_miss=failed("build", "ERROR: failed to solve: pull access denied, repository does not exist"),
    ),
    Rule(
        "dockerfile_invalid",
        line(
            MAKES,
            SOLVE + r"(?:[Dd]ockerfile parse error|unknown instruction: |failed to parse stage name"
            r"|invalid reference format)",
            SOLVE + r"(?:target stage .{1,100} could not be found|failed to reach build target"
            r"|circular dependency)",
            SOLVE + r"(?:base name \(.{1,200}\) should not be blank|no build stage in current context"
            r"|file with no instru)",
            SOLVE + r"(?:invalid from flag value|pull access denied for \S{1,80}, .{0,40}stage"
            r"|failed to process \")",
            SOLVE
            + r"(?:\w{2,12} requires (?:exactly|at least) \w{1,12} argument|unknown flag: |Unknown flag: )",
            SOLVE + r"(?:heredoc|unexpected EOF while looking|missing ENV)",
            r"(?:failed to parse (?:platform|dockerfile)|Dockerfile parse error)",
        ),
        "The Dockerfile's text is not valid.",
        ("docker build --check .",),
        home="build",
        check=(
            (
                "The line in the message: an instruction that is misspelt, an argument "
                "too few, a stage that does not"
                " exist."
            ),
            "Whether a build argument that stands in FROM has a value.",
        ),
        done_when="`docker build --check` has nothing to say.",
        confidence="certain",
        example=failed(
            "build", "ERROR: failed to solve: dockerfile parse error on line 4: unknown instruction: RNU"
        ),
        near_miss=failed(
            "build", "ERROR: failed to solve: process did not complete successfully: exit code: 1"
        ),
    ),
    Rule(
        "image_command_failed",
        line(
            MAKES,
            r"(?:#\d{1,4} )?"
            + SOLVE
            + r"process \".{1,400}did not complete successfully: exit code: (?!137)\d{1,3}",
            r"The command '.{1,400}' returned a non-zero code: (?!137)\d{1,3}",
            r"(?:Error|error): building at STEP \".{1,400}\": while running runtime: exit status \d{1,3}",
            r"error building image: error building stage: failed to execute command: ",
            unless=lambda case, place: place < len(case.lines) - 12,
        ),
        "A RUN instruction of the image's build ended with an error.",
        (LOGS,),
        home="build",
        check=(
            "What the instruction printed before: the cause stands there.",
            (
                "Whether what it needs was copied into the image before it, and is not "
                "left out by .dockerignore."
            ),
        ),
        done_when=BUILT,
        confidence="guess",
        example=failed(
            "build",
            (
                'boom\nERROR: failed to solve: process "/bin/sh -c make" did not complete successfully: '
                "exit code: 2"
            ),
        ),
        near_miss=failed(
            "build",
            'ERROR: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 137',
        ),
    ),
)
