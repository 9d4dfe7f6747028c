"""Rules about containers that a cluster or a daemon brings up: their images, their start, their service."""

from shared.diagnosis.evidence import Phase
from shared.diagnosis.last_words import SERVES
from shared.diagnosis.provider_words import coded
from shared.diagnosis.rule import IN_THE_END, Rule, access, fact, first_of, line, network
from shared.diagnosis.sample import failed

BRINGS_UP: frozenset[Phase] = SERVES | {"setup", "deploy"}
LOGS = "windlass logs {pipeline} {revision} --stage {stage}"
PULLS = (  # how a pull that failed begins: Docker, Kubernetes, ECS
    r"(?:(?:docker: )?Error response from daemon: |(?:STOPPED \()?CannotPull\w{0,20}Error: "
    r"|(?:.{0,120} )?(?:Failed to pull image|Error: (?:ErrImagePull|ImagePullBackOff)|Back-off pulling image)"
    r"|\S{1,80} Error |(?:ERROR|Error|error): (?:failed to (?:pull|resolve|copy)|error pulling"
    r"|initializing source docker))"
)
INSPECT = "docker manifest inspect IMAGE"
UP = "The image is pulled and its container starts."
TARGETS = "aws elbv2 describe-target-health --target-group-arn TARGET_GROUP"
EVENTS = "aws ecs describe-services --cluster CLUSTER --services SERVICE"

ROLLOUT_RULES: tuple[Rule, ...] = (
    Rule(
        "image_pull_limited",
        line(BRINGS_UP, PULLS + r".{0,360}(?:toomanyrequests|429 Too Many Requests|pull rate limit)"),
        "The registry limits how many images may be pulled in a time; it passes.",
        ("windlass retry {pipeline} {stage}",),
        answer=network,
        home="rollout",
        check=(
            "Whether the pull is made with an account: registries let those without one pull less.",
            "Whether the image can come from a registry of your own.",
        ),
        done_when="A retry pulls the image.",
        confidence="certain",
        example=failed(
            "rollout",
            "CannotPullContainerError: pull image manifest: toomanyrequests: pull rate limit",
            "target",
        ),
        near_miss=failed("rollout", "api: 429 Too Many Requests for client 7", exit_code=3),
    ),
    Rule(
        "image_for_another_processor",
        first_of(
            line(
                BRINGS_UP,
                PULLS + r".{0,360}(?:no matching manifest for|does not contain descriptor matching platform"
                r"|no match for platform in manifest|does not provide the specified platform)",
                r"WARNING: The requested image's platform \(.{1,60}\) does not match the detected host"
                r" platform",
                r"no matching manifest for \S{1,60} in the manifest list",
            ),
            coded({"PlatformMismatch"}),
        ),
        "The image was not built for the processor of the machine that is to run it.",
        (INSPECT,),
        home="rollout",
        check=(
            "For which platforms the image was built, against the machines of the cluster (x86-64, arm64).",
            "Whether the build names the platform, or takes that of the machine it happens to run on.",
        ),
        done_when=UP,
        confidence="certain",
        example=failed(
            "rollout",
            "Error response from daemon: no matching manifest for linux/arm64/v8 in the manifest list",
        ),
        near_miss=failed("rollout", "Error response from daemon: manifest for shop:9 not found"),
    ),
    Rule(
        "image_name_invalid",
        line(
            BRINGS_UP,
            PULLS + r".{0,300}(?:invalid reference format|couldn't parse image (?:reference|name))",
            r"docker: invalid reference format",
            r"(?:.{0,120} )?(?:Failed to apply default image tag|InvalidImageName)\b",
        ),
        "The image's name is not one: a part of it is empty, or has a letter that may not be there.",
        (LOGS,),
        home="rollout",
        check=(
            "Whether a variable in the name is empty: `shop:` with nothing behind it is the usual form.",
            "Capital letters: repository names have none.",
        ),
        done_when=UP,
        confidence="certain",
        example=failed("rollout", "docker: invalid reference format.", exit_code=125),
        near_miss=failed("rollout", "order 17: invalid reference format", exit_code=3),
    ),
    Rule(
        "image_pull_denied",
        line(
            SERVES | {"setup"},
            PULLS
            + r".{0,400}(?:pull access denied|requested access to the resource is denied|no basic auth cred"
            r"|unauthorized|authentication required|authorization (?:token has expired|failed)|403 Forbidden"
            r"|401 Unauthorized|insufficient_scope|AccessDenied|[^n] denied: |\\bdenied: (?:requested|User"
            r"|Your|access|installation))",
        ),
        "The registry refused the pull: the cluster's credential is missing, expired, or lacks the"
        " permission.",
        (INSPECT, "kubectl get secrets -n NAMESPACE"),
        answer=access,
        home="rollout",
        check=(
            (
                "The credential that the cluster pulls with (pull secret, execution role), not the one of the"
                " build."
            ),
            "The image's name: registries answer the same for an image that does not exist.",
        ),
        done_when=UP,
        confidence="certain",
        example=failed(
            "rollout",
            "Error response from daemon: pull access denied for shop, repository does not exist or may"
            " require 'docker login'",
        ),
        near_miss=failed("rollout", "Error response from daemon: manifest unknown"),
    ),
    Rule(
        "task_start_denied",
        line(
            SERVES | {"setup", "deploy"},
            r"(?:STOPPED \()?ResourceInitializationError: .{0,420}(?:AccessDenied|not authorized to"
            r" perform|40[03] )",
        ),
        "The cluster's role may not read what the container is started with: its secrets, or its"
        " registry's login.",
        ("aws iam list-attached-role-policies --role-name ROLE",),
        answer=access,
        check=(
            (
                "The execution role of the task (not the role of the program), and its policy for that secret"
                " or image."
            ),
            "Whether the secret's key may be used by that role too.",
        ),
        done_when="The task gets past its initialisation.",
        confidence="certain",
        example=failed(
            "rollout",
            "ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException:"
            " User is not authorized to perform: secretsmanager:GetSecretValue",
            "target",
        ),
        near_miss=failed("rollout", "ResourceInitializationError: failed to mount the file system", "target"),
    ),
    Rule(
        "image_pull_unreached",
        line(
            SERVES | {"setup"},
            PULLS
            + r".{0,400}(?:i/o timeout|TLS handshake timeout|connection refused|connection reset|no such host"
            r"|server misbehaving|context deadline exceeded|Client\.Timeout|network is unreachable|no"
            r" route to host|unexpected EOF|50[0234] |temporary failure)",
        ),
        "The registry could not be reached from where the container is to run.",
        ("windlass retry {pipeline} {stage}",),
        answer=network,
        home="rollout",
        check=(
            "Whether the machine has a way out: a route, a gateway, a proxy, an endpoint of the registry.",
            "Whether the registry itself is disturbed.",
        ),
        done_when="A retry pulls the image.",
        confidence="certain",
        example=failed(
            "rollout",
            "CannotPullContainerError: Error response from daemon: Get https://r.example.com/v2/:"
            " net/http: request canceled while waiting for connection (Client.Timeout exceeded)",
            "target",
        ),
        near_miss=failed("rollout", "Error fetching rates: context deadline exceeded", exit_code=3),
    ),
    Rule(
        "image_not_found",
        first_of(
            line(
                BRINGS_UP,
                PULLS + r"(?!.{0,400}(?:OCI runtime|executable file)).{0,400}(?:manifest unknown|manifest for"
                r" .{1,200} not found|not found\b|No such image"
                r"|name unknown|repository .{1,200} does not exist|NotFound)",
            ),
            coded({"ImageNotFoundException", "ImageNotFound"}),
        ),
        "The image could not be pulled: there is none under that name and tag.",
        (INSPECT,),
        home="rollout",
        check=(
            "Registry, name and tag, letter by letter.",
            "Whether the build pushed it, to the registry and region that the cluster pulls from.",
            "Whether a rule of the registry has removed it since.",
        ),
        done_when=UP,
        example=failed(
            "rollout", "Error response from daemon: manifest for shop:v9 not found: manifest unknown"
        ),
        near_miss=failed("rollout", "Error: image of product 17 not found in catalogue"),
    ),
    Rule(
        "container_not_startable",
        first_of(
            line(
                BRINGS_UP,
                r"(?:docker: )?Error response from daemon: .{0,300}(?:OCI runtime create failed|failed to"
                r" create (?:shim"
                r"|task)|driver failed programming(?!.{0,200}already allocated)|Conflict\. The container"
                r" name|invalid mount config|network \S{1,80} not found|could not select device driver)",
                r"(?:STOPPED \()?(?:Cannot(?:Start|Create)Container|ContainerRuntime"
                r"|ResourceInitialization)\w{0,10}Error: ",
                r"(?:STOPPED \()?ResourceInitializationError: ",
                r"(?:.{0,120} )?(?:Error: )?(?:CreateContainerConfigError|CreateContainerError"
                r"|RunContainerError)\b",
                r"(?:.{0,120} )?Error: (?:secret|configmap) \"[^\"]{1,120}\" not found",
                r"exec \S{1,200}: no such file or directory$",
                r"(?:.{0,120} )?(?:MountVolume\.\w{1,20} failed for volume|Unable to attach or mount"
                r" volumes)",
            ),
            coded({"CannotStartContainerError", "CannotCreateContainerError", "ContainerRuntimeError"}),
        ),
        "The container could not be started: what it is started with does not fit the image or the machine.",
        (LOGS, "kubectl describe pod POD"),
        home="rollout",
        check=(
            "The command and entry point: whether the file is in the image, and may be executed.",
            "How a script ends its lines: with CR and LF, its interpreter is not found.",
            "What is mounted or injected: volumes, secrets, configuration of the names that it asks for.",
            "Whether a container of that name, or one on that port, is still there.",
        ),
        done_when="The container is running.",
        example=failed(
            "rollout",
            '  Warning  Failed  3s (x4 over 40s)  kubelet  Error: secret "shop-settings" not found',
            "target",
        ),
        near_miss=failed("rollout", "Error: secret sauce not found in recipe", exit_code=3),
    ),
    Rule(
        "target_group_unhealthy",
        first_of(
            line(
                SERVES | {"deploy"},
                r"(?:STOPPED \()?Task failed (?:ELB|container) health checks",
                r"\(service \S{1,120}\) .{0,200}(?:is unhealthy in|failed (?:container )?health checks)",
                r"(?:.{0,120} )?(?:Readiness|Liveness|Startup) probe failed: ",
            ),
            coded(
                {
                    "ELB_HEALTH_CHECK_FAILED",
                    "Target.FailedHealthChecks",
                    "Target.ResponseCodeMismatch",
                    "Target.Timeout",
                }
            ),
        ),
        "The containers start, and do not pass the health check of the load balancer or cluster.",
        (TARGETS, EVENTS),
        home="verify",
        check=(
            "Path, port and expected status of that health check, against what the service answers.",
            "Whether the load balancer may reach the container's port: security groups, network policies.",
            "Whether the service needs longer to start than the check's period of grace.",
        ),
        done_when="The targets are healthy, and stay so.",
        confidence="certain",
        example=failed("rollout", "Task failed ELB health checks in (target-group shop)", "target"),
        near_miss=failed("rollout", "partner health check is unhealthy, using the cache", exit_code=3),
    ),
    Rule(
        "rollout_circuit_broken",
        first_of(
            line(
                SERVES | {"deploy"},
                r"\(service \S{1,120}\) \(deployment \S{1,120}\) deployment failed: ",
                r"(?:ERROR: |Error: )?.{0,80}ECS [Dd]eployment [Cc]ircuit [Bb]reaker was triggered",
                r"(?:[\w.]{0,80}WaiterError: )?Waiter (?:ServicesStable|TasksRunning|\w{1,60}) failed: ",
                r"error: (?:deployment|statefulset|daemonset)[ ./]\S{1,120} exceeded its progress deadline",
                r"error: timed out waiting for the condition",
                r"ERROR: \(gcloud\.(?:run|app)\.[\w.-]{1,40}\) .{0,200}(?:failed to start and listen|is"
                r" not ready and cannot serve|failed to become healthy)",
                r"Error: (?:UPGRADE FAILED|INSTALLATION FAILED): (?:.{0,120}timed out|context deadline"
                r" exceeded)",
                r"Error: .{0,200}timed out waiting for the condition",
            ),
            fact(
                lambda case: (
                    case.provider_code
                    in {
                        "CircuitBreakerTriggered",
                        "ProgressDeadlineExceeded",
                        "SERVICE_DEPLOYMENT_FAILED",
                        "TaskFailedToStart",
                    }
                ),
                place=IN_THE_END - 1,
            ),
        ),
        "The cluster gave the rollout up: the new containers did not come up and stay up in time.",
        (EVENTS, "kubectl describe pods -n NAMESPACE"),
        home="rollout",
        check=(
            (
                "Why the new containers end or are not ready: their own last lines, and the reason that they"
                " stopped."
            ),
            "Whether there is room for them beside the old ones.",
        ),
        done_when="The rollout is complete: as many containers as wanted run the new release.",
        example=failed(
            "rollout",
            "(service shop) (deployment ecs-svc/12) deployment failed: tasks failed to start.",
            "target",
        ),
        near_miss=failed("rollout", "(service shop) has started 1 tasks: (task 1).", "target"),
    ),
    Rule(
        "function_timed_out",
        line(
            SERVES | {"deploy"},
            r"(?:[\w-]{36} |RequestId: [\w-]{36} (?:Error: )?)?Task timed out after [\d.]{1,12} seconds",
            r"REPORT RequestId: .{1,300}Status: timeout",
        ),
        "The function did not end within its time limit.",
        (LOGS, "aws lambda get-function-configuration --function-name FUNCTION"),
        home="rollout",
        check=(
            "What it waits for: an address that it cannot reach from its network is the usual cause.",
            "Its limit and its memory, which decides how fast it runs.",
        ),
        done_when="The function ends within its limit.",
        confidence="certain",
        example=failed("rollout", "Task timed out after 3.00 seconds", "target"),
        near_miss=failed("rollout", "job: Task timed out after lunch", exit_code=3),
    ),
    Rule(
        "container_ended",
        first_of(
            line(SERVES, r"(?:STOPPED \()?Essential container in task exited"),
            fact(lambda case: case.provider_code == "EssentialContainerExited", place=IN_THE_END - 1),
        ),
        "The container started, and its program ended.",
        (EVENTS, LOGS),
        home="rollout",
        check=("The program's last lines and its exit code: the cluster only tells that it ended.",),
        done_when="The container keeps running.",
        example=failed("rollout", "Essential container in task exited", "target"),
        near_miss=failed("rollout", "Essential oils are back in stock", exit_code=3),
    ),
)

PULL_CODES = frozenset({
    "CannotPullContainerError", "CannotPullImageManifestError", "ErrImagePull", "ImagePullBackOff",
    "TaskFailedToStart",
})  # fmt: skip
# After all rules that know why: a container that did not come up, and nothing said more.
ROLLOUT_LAST_RULES: tuple[Rule, ...] = (
    Rule(
        "image_not_pulled",
        first_of(
            line(
                BRINGS_UP,
                r"(?:.{0,120} )?Error: (?:ErrImagePull|ImagePullBackOff)",
                r"(?:.{0,120} )?Failed to pull image ",
                r"\S{1,120} {1,20}\d{1,3}/\d{1,3} {1,20}(?:ErrImagePull|ImagePullBackOff)\b",
                r"(?:STOPPED \()?CannotPull",
            ),
            fact(lambda case: case.provider_code in PULL_CODES, place=IN_THE_END - 1),
        ),
        "The container's image could not be pulled, and the cluster does not say why.",
        (INSPECT, "kubectl describe pod POD"),
        home="rollout",
        check=(
            "Whether the image is there under that name and tag, for the cluster's processors.",
            "Whether the cluster has a credential for the registry, and a way to it.",
        ),
        done_when=UP,
        example=failed(
            "rollout", "  Warning  Failed  2s (x3 over 40s)  kubelet  Error: ImagePullBackOff", "target"
        ),
        near_miss=failed("rollout", "Error: image of product 17 not found in catalogue"),
    ),
)
