"""Rules about tools that deploy: Terraform, Helm, kubectl, CloudFormation, and copying to another machine."""

import re

from shared.diagnosis.bare_log import planned
from shared.diagnosis.evidence import Case
from shared.diagnosis.last_words import SCRIPTS
from shared.diagnosis.provider_words import INVALID, coded
from shared.diagnosis.rule import Find, Finding, Rule, first_of, line, network
from shared.diagnosis.sample import failed

LOGS = "windlass logs {pipeline} {revision} --stage {stage}"
BOX = r"(?:\u2502 ?)?"  # Terraform draws one around what it says
DONE = "The tool runs to its end, and the step passes."
BELOW = 8  # lines under what ssh says, in which git adds its own
RETRY = "windlass retry {pipeline} {stage}"


def _wrapped(begins: str, says: str) -> Find:
    """Find what Terraform says below its heading, over as many lines as fit its box."""
    heading, detail = line(SCRIPTS, BOX + begins), re.compile(says)

    def find(case: Case) -> Finding | None:
        finding = heading(case)
        if finding is None:
            return None
        below = case.lines[finding.place : finding.place + BELOW]
        text = " ".join(each.lstrip("\u2502 ") for each in below)
        return finding if detail.search(text) else None

    return find


def _was_ignored(case: Case, place: int) -> bool:
    """Tell a task whose failure the playbook ignores."""
    return any(text.startswith("...ignoring") for text in case.lines[place + 1 : place + BELOW])


_RULES: tuple[Rule, ...] = (
    Rule(
        "stack_not_updatable",
        line(
            SCRIPTS,
            r".{0,300}is in (?:ROLLBACK_COMPLETE|ROLLBACK_FAILED|UPDATE_ROLLBACK_FAILED|DELETE_FAILED"
            r"|CREATE_FAILED|REVIEW_IN_PROGRESS) state and can ?not be updated",
            r".{0,200}(?:failed|Stack) .{0,120}(?:is in|in an? )(?:ROLLBACK_COMPLETE|UPDATE_ROLLBACK_FAILED)",
        ),
        "The stack is in a state from which it cannot be updated: an earlier change of it failed.",
        ("aws cloudformation describe-stack-events --stack-name STACK",),
        home="deploy",
        check=(
            "Why the earlier change failed: the first failed event of the stack says it.",
            "Whether to continue its rollback, or to delete a stack that never came up and make it again.",
        ),
        done_when="The stack's state ends in _COMPLETE, and the step passes.",
        confidence="certain",
        example=failed(
            "deploy",
            "An error occurred (ValidationError) when calling the UpdateStack operation: Stack:shop is in"
            " ROLLBACK_COMPLETE state and can not be updated.",
            exit_code=254,
        ),
        near_miss=failed("deploy", "Stack shop is in UPDATE_COMPLETE state", exit_code=1),
    ),
    Rule(
        "nothing_to_update",
        line(
            SCRIPTS,
            r"An error occurred \(ValidationError\).{0,200}No updates are to be performed",
            r"No changes to deploy\. Stack .{0,120}is up to date$",
            r"error: nothing to commit",
        ),
        "There was nothing to change, and the tool calls that an error.",
        (LOGS,),
        home="deploy",
        check=("Whether the tool has an option for it: --no-fail-on-empty-changeset, for one.",),
        done_when="A run without changes passes the step.",
        confidence="certain",
        example=failed(
            "deploy",
            "An error occurred (ValidationError) when calling the UpdateStack operation: No updates are to be"
            " performed.",
            exit_code=254,
        ),
        near_miss=failed("deploy", "No updates since Monday", exit_code=1),
    ),
    Rule(
        "stack_change_failed",
        line(
            SCRIPTS,
            r"Failed to create/update the stack\b",
            r"(?:Error: )?(?:\S{1,3} {1,3})?\S{1,120} failed: .{0,120}(?:ROLLBACK_COMPLETE|CREATE_FAILED"
            r"|UPDATE_FAILED)",
            r".{0,160}\b(?:CREATE_FAILED|UPDATE_FAILED|DELETE_FAILED) {1,20}",
            r"Waiter Stack\w{1,30}Complete failed: ",
            r"Error: Failed to create changeset for the stack",
        ),
        "A resource of the stack could not be made or changed, and the stack went back.",
        ("aws cloudformation describe-stack-events --stack-name STACK",),
        home="deploy",
        check=(
            "The first failed resource of the stack, and the reason beside it: the others follow from it.",
        ),
        done_when="The stack's state is CREATE_COMPLETE or UPDATE_COMPLETE.",
        example=failed(
            "deploy", "Failed to create/update the stack. Run the following command", exit_code=255
        ),
        near_miss=failed("deploy", "shop failed: 2 of 3 orders", exit_code=1),
    ),
    Rule(
        "infrastructure_registry_unreached",
        _wrapped(
            r"Error: (?:Failed to (?:query available provider|install provider|download module|get"
            r" existing work)"
            r"|Error (?:downloading|loading|accessing) |Invalid provider registry host|Module not found)",
            r"dial tcp|no such host|i/o timeout|connection (?:refused|reset|timed out)|TLS handshake"
            r"|request canceled"
            r"|context deadline|5\d\d (?:Internal|Bad|Service|Gateway)|Could not resolve host|returned"
            r" error: 5",
        ),
        "What the infrastructure's tool fetches its parts from could not be reached over the network.",
        (RETRY,),
        answer=network,
        home="setup",
        check=(
            "Whether the host in the message is right, and reached from the target.",
            "Whether its providers can come from a mirror or a kept folder.",
        ),
        done_when="`terraform init` runs through.",
        confidence="certain",
        example=failed(
            "setup",
            "Error: Failed to query available provider packages\nCould not retrieve the list of versions:"
            " dial\ntcp: lookup registry.example.com on 10.0.0.2:53: no such host",
            exit_code=1,
        ),
        near_miss=failed(
            "setup",
            "Error: Failed to query available provider packages\nno available releases match the constraints",
            exit_code=1,
        ),
    ),
    Rule(
        "infrastructure_not_initialised",
        line(
            SCRIPTS,
            BOX + r"Error: (?:Backend initialization required|Inconsistent dependency lock file|Required"
            r" plugins are not"
            r" installed|Module not installed|Backend configuration (?:changed|block has changed)|Could"
            r" not load plugin)",
            BOX + r"Error: Unsupported Terraform Core version",
        ),
        "Terraform was not initialised for what is in the repository now.",
        ("terraform init",),
        home="deploy",
        check=(
            "Whether the step runs `terraform init` before plan and apply, in the same folder.",
            (
                "Whether .terraform.lock.hcl is committed, and fits the providers and version that are asked"
                " for."
            ),
        ),
        done_when="`terraform plan` runs through.",
        confidence="certain",
        example=failed("deploy", "\u2502 Error: Inconsistent dependency lock file", exit_code=1),
        near_miss=failed("deploy", "Initializing provider plugins...", exit_code=1),
    ),
    Rule(
        "infrastructure_text_invalid",
        line(
            SCRIPTS,
            BOX
            + r"Error: (?:Unsupported (?:argument|block type|attribute)|Missing required argument|Invalid "
            r"|Reference to undeclared|Argument or block definition|Duplicate |Unclosed |Incorrect attribute"
            r"|Failed to read (?:variables )?file|Missing (?:resource|newline|item)|Cycle: |Unknown"
            r" variable)",
            r"error: (?:error (?:validating|parsing|converting)|unable to decode|no objects passed to)",
            r"Error: .{0,200}(?:YAML parse error on|parse error at \(|error converting YAML to JSON|unable"
            r" to build"
            r" kubernetes objects|execution error at|function \"[^\"]{1,60}\" not defined|nil pointer"
            r" evaluating)",
            r"error: the path \"[^\"]{1,200}\" does not exist",
            r"Error: (?:path \"[^\"]{1,200}\" not found|Chart\.yaml file is missing|failed to (?:parse"
            r"|load) )",
            r"The (?:Deployment|Service|Ingress|StatefulSet|Job|Pod|ConfigMap|CronJob) \"[^\"]{1,120}\" is"
            r" invalid: ",
            r"Error from server \((?:BadRequest|Invalid)\): ",
            r"(?:Error: )?Template (?:format|validation) error: ",
            r"error: must specify one of -f and -k",
        ),
        "What describes the infrastructure is not valid: the tool does not accept the text or a value in it.",
        (LOGS, "terraform validate", "kubectl apply --dry-run=client -f FILE"),
        home="deploy",
        check=(
            "The file, line and name under the message.",
            "Whether a template was filled in with all of its values.",
        ),
        done_when="The tool's own validation passes.",
        confidence="certain",
        example=failed("deploy", "\u2502 Error: Unsupported argument", exit_code=1),
        near_miss=failed("deploy", "Error: Invalidated 3 caches", exit_code=1),
    ),
    Rule(
        "playbook_host_unreached",
        line(SCRIPTS, r"fatal: \[\S{1,120}\]: UNREACHABLE! => (?!.{0,300}Permission denied \()"),
        "Ansible could not reach a machine over ssh.",
        (RETRY, "ansible all -m ping"),
        answer=network,
        home="setup",
        check=(
            "Whether the machine runs, and its name in the inventory is right.",
            "Whether a firewall lets the target through to it.",
        ),
        done_when="`ansible all -m ping` gets an answer of every machine.",
        confidence="certain",
        example=failed(
            "setup", 'fatal: [web1]: UNREACHABLE! => {"msg": "Connection timed out"}', exit_code=4
        ),
        near_miss=failed("setup", 'fatal: [web1]: FAILED! => {"msg": "non-zero return code"}', exit_code=2),
    ),
    Rule(
        "playbook_failed",
        line(
            SCRIPTS,
            r"fatal: \[\S{1,120}\]: FAILED! => ",
            r"(?:\[ERROR\]: |ERROR! )(?:Task failed|the playbook|couldn't resolve|conflicting action"
            r"|[Ss]yntax Error)",
            unless=_was_ignored,
        ),
        "A task of the playbook failed on a machine.",
        (LOGS,),
        home="setup",
        check=("The task above the line, and the message in it: what it found on that machine.",),
        done_when="The playbook's last lines tell of no failed machine.",
        confidence="certain",
        example=failed("setup", 'fatal: [web1]: FAILED! => {"msg": "non-zero return code"}', exit_code=2),
        near_miss=failed("setup", 'fatal: [web1]: FAILED! => {"msg": "x"}\n...ignoring', exit_code=2),
    ),
    Rule(
        "provider_refused_parameters",
        coded(INVALID),
        "The provider does not accept what it was asked: a value, or how values go together.",
        (LOGS,),
        home="deploy",
        check=("The name and value in the message, against what the provider's reference allows.",),
        done_when=DONE,
        confidence="certain",
        example=failed(
            "deploy", "An error occurred (InvalidParameterException) when calling RegisterTaskDefinition"
        ),
        near_miss=failed("deploy", "InvalidParameterException in the audit of order 17", exit_code=1),
    ),
)
_LAST: tuple[Rule, ...] = (
    Rule(
        "infrastructure_tool_failed",
        first_of(
            line(
                SCRIPTS,
                r"\u2502 ?Error: ",
                r"Error: (?:creating|updating|deleting|reading|waiting for|modifying) \S",
                r"Error: (?:UPGRADE|INSTALLATION|ROLLBACK) FAILED: ",
                r"Error from server(?: \(\w{1,40}\))?: ",
                r"An error occurred \(\w{1,80}\) when calling ",
                r"ERROR: \(gcloud\.",
                r"Error: (?:Unable to upload artifact|Failed to create changeset|failed to create resource) ",
                r"\S{1,3} {1,3}Deployment failed: ",
            )
        ),
        "The tool that changes the infrastructure stopped at an error.",
        (LOGS,),
        home="deploy",
        check=(
            "The first error that it names, and the resource beside it.",
            "What of the change took place before it: the tool's plan shows what is left.",
        ),
        done_when=DONE,
        example=failed("deploy", "\u2502 Error: creating ECS Service (shop): something new", exit_code=1),
        near_miss=failed("deploy", "Error: something new", exit_code=1),
    ),
)
TOOL_RULES: tuple[Rule, ...] = tuple(map(planned, _RULES))
# After all rules that know what the tool's error says.
TOOL_LAST_RULES: tuple[Rule, ...] = tuple(map(planned, _LAST))
