"""Scripts that deploy: other machines, and the tools that change infrastructure."""

import pytest

from shared.diagnosis.rules import classify, classify_log
from tests.unit.diagnosis.samples import ACCESS, DEPLOY, SETTING, evidence, named, network

Answer = tuple[str, str, str]
NET = network("deploy")
SCRIPTS: dict[str, tuple[str, str, Answer]] = {
    "key": ("deploy@web1: Permission denied (publickey).\nlost connection", "ssh_key_refused", ACCESS),
    "key file": (
        'Load key "/home/ci/.ssh/id": error in libcrypto\ndeploy@web1: Permission denied (publickey).',
        "ssh_key_refused",
        ACCESS,
    ),
    "host key": (
        "Host key verification failed.\nrsync: connection unexpectedly closed",
        "ssh_host_key_unknown",
        DEPLOY,
    ),
    "changed": (
        "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.",
        "ssh_host_key_unknown",
        DEPLOY,
    ),
    "refused": ("ssh: connect to host web1 port 22: Connection refused", "ssh_unreached", NET),
    "no name": ("ssh: Could not resolve hostname web1: Name or service not known", "ssh_unreached", NET),
    "closed": ("kex_exchange_identification: Connection closed by remote host", "ssh_unreached", NET),
    "broken pipe": ("client_loop: send disconnect: Broken pipe", "ssh_unreached", NET),
    "rsync": (
        (
            'rsync: [sender] link_stat "/srv/dist" failed: No such file or directory (2)\nrsync error: some'
            " could not be transferred (code 23)"
        ),
        "copy_failed",
        DEPLOY,
    ),
    "rsync, not allowed": (
        'rsync: [generator] recv_generator: mkdir "/srv" failed: Permission denied (13)',
        "copy_failed",
        DEPLOY,
    ),
    "scp": ("scp: /srv/shop/app: Permission denied", "copy_failed", DEPLOY),
    "sudo": ("sudo: a password is required", "sudo_asks_for_password", DEPLOY),
    "unit": (
        "Job for shop.service failed because the control process exited with error code.",
        "unit_failed",
        DEPLOY,
    ),
    "no unit": ("Failed to restart shop.service: Unit shop.service not found.", "unit_failed", DEPLOY),
    "playbook": ('fatal: [web1]: FAILED! => {"changed": false, "msg": "boom"}', "playbook_failed", DEPLOY),
    "playbook, no way": (
        'fatal: [web1]: UNREACHABLE! => {"msg": "Failed to connect to the host via ssh: timed out"}',
        "playbook_host_unreached",
        NET,
    ),
    "stack": (
        (
            "An error occurred (ValidationError) when calling the UpdateStack operation: Stack:x is in"
            " ROLLBACK_COMPLETE state and can not be updated."
        ),
        "stack_not_updatable",
        DEPLOY,
    ),
    "no change": (
        (
            "An error occurred (ValidationError) when calling the UpdateStack operation: No updates are to be"
            " performed."
        ),
        "nothing_to_update",
        DEPLOY,
    ),
    "stack failed": (
        "Failed to create/update the stack. Run the following command",
        "stack_change_failed",
        DEPLOY,
    ),
    "terraform, init": (
        '│ Error: Backend initialization required, please run "terraform init"',
        "infrastructure_not_initialised",
        DEPLOY,
    ),
    "terraform, argument": ("│ Error: Unsupported argument", "infrastructure_text_invalid", DEPLOY),
    "terraform, no way": (
        (
            "│ Error: Failed to query available provider packages\n│ \n│ Could not retrieve the list:"
            " dial tcp: lookup\n│ registry.example.com: no such host"
        ),
        "infrastructure_registry_unreached",
        NET,
    ),
    "terraform, version": (
        "│ Error: Failed to query available provider packages\n│ \n│ no available releases match",
        "infrastructure_tool_failed",
        DEPLOY,
    ),
    "helm": (
        "Error: UPGRADE FAILED: template: shop/templates/x.yaml:3:2: nil pointer evaluating interface {}.tag",
        "infrastructure_text_invalid",
        DEPLOY,
    ),
    "helm, anything": ("Error: UPGRADE FAILED: something new", "infrastructure_tool_failed", DEPLOY),
    "kubectl": (
        'The Deployment "shop" is invalid: spec.selector: Invalid value',
        "infrastructure_text_invalid",
        DEPLOY,
    ),
    "read only": (
        "mkdir: cannot create directory 'releases': Read-only file system",
        "file_system_read_only",
        DEPLOY,
    ),
    "busy": ("cp: cannot create regular file './server': Text file busy", "file_in_use", DEPLOY),
    "function": ("./deploy.sh: line 4: syntax error near unexpected token `fi'", "syntax_error", DEPLOY),
}
CHATTER = [
    "Connection to web1 closed.",
    "Warning: Permanently added 'web1' (ED25519) to the list of known hosts.",
    "sent 120 bytes  received 11 bytes  total size is 90",
    "checking: connection refused is expected here",
    "0 errors, 0 failed",
    'fatal: [web1]: FAILED! => {"msg": "x"}\n...ignoring',
    "Acquiring state lock. This may take a few moments...",
]


@pytest.mark.parametrize(("log", "rule", "answer"), SCRIPTS.values(), ids=SCRIPTS)
def test_what_a_tool_of_a_script_says_last_is_the_cause(log: str, rule: str, answer: Answer) -> None:
    assert named(classify(evidence("deploy", log, exit_code=1), SETTING)) == (rule, answer)


@pytest.mark.parametrize("log", CHATTER)
def test_what_goes_well_in_a_script_is_none(log: str) -> None:
    assert classify(evidence("deploy", log, exit_code=1), SETTING).rule == "script_failed"


def test_what_ssh_says_below_git_is_the_repositorys() -> None:
    log = "git@git.example.com: Permission denied (publickey).\nfatal: Could not read from remote repository."
    assert classify_log(log).rule == "repository_access_refused"
    assert classify_log(log.partition("\n")[0].replace("git@git", "ci@web")).rule != "not_recognised"


@pytest.mark.parametrize(
    ("tool", "stage"),
    [
        ("Running terraform plan\n│ Error: Unsupported argument", "setup"),
        ("error: no objects passed to apply", "deploy"),
    ],
)
def test_the_tool_tells_the_phase_of_a_bare_log(tool: str, stage: str) -> None:
    assert classify_log(tool).answer.stage == stage
