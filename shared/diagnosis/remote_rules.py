"""Rules about scripts that work on another machine: ssh, copying, another user's rights, its services."""

from shared.diagnosis.evidence import Case
from shared.diagnosis.last_words import PROGRAMS, SCRIPTS
from shared.diagnosis.rule import Rule, access, line, network
from shared.diagnosis.sample import failed

LOGS = "windlass logs {pipeline} {revision} --stage {stage}"
RETRY = "windlass retry {pipeline} {stage}"
BELOW = 8  # lines under what ssh says, in which git adds its own


def _of_git(case: Case, place: int) -> bool:
    """Tell git's own way to another machine from a script's."""
    return any(text.startswith("fatal: ") for text in case.lines[place + 1 : place + BELOW])


REMOTE_RULES: tuple[Rule, ...] = (
    Rule(
        "ssh_host_key_unknown",
        line(
            SCRIPTS,
            r"@ {1,8}WARNING: (?:REMOTE HOST IDENTIFICATION HAS CHANGED|POSSIBLE DNS SPOOFING)",
            r"Host key verification failed\.",
            r"No \w{2,10} host key is known for ",
            unless=_of_git,
        ),
        "The other machine's host key is not known here, or has changed: it may be another machine.",
        ("ssh-keyscan HOST", "ssh-keygen -R HOST"),
        home="deploy",
        check=(
            "Whether the machine was set up anew, or its name leads elsewhere now: ask whoever runs it.",
            "Whether the step is given a known_hosts with the key, which somebody has compared.",
        ),
        done_when="`ssh -o BatchMode=yes HOST true` ends with 0.",
        confidence="certain",
        example=failed("deploy", "Host key verification failed.\nlost connection", exit_code=255),
        near_miss=failed("deploy", "host key verified", exit_code=255),
    ),
    Rule(
        "ssh_key_refused",
        line(
            SCRIPTS,
            r"(?:\S{1,200}: )?Permission denied \((?:publickey|password|keyboard|gssapi)",
            r"Permission denied, please try again\.",
            r"(?:Received disconnect from .{1,100}: )?\S{0,12}Too many authentication failures",
            r"Load key \".{1,200}\": (?:invalid format|error in libcrypto|Permission denied|bad permissions)",
            r"@ {1,8}WARNING: UNPROTECTED PRIVATE KEY FILE",
            r"Identity file \S{1,200} not accessible: ",
            unless=_of_git,
        ),
        "The other machine refused the key or password of the step.",
        ("ssh -v -o BatchMode=yes USER@HOST true",),
        answer=access,
        check=(
            "Whether the public key is among the authorised ones of that user, on that machine.",
            "Whether the step has the private key: whole, with its last line end, in a file of mode 600.",
            "Whether it signs in as the right user.",
        ),
        done_when="`ssh -o BatchMode=yes USER@HOST true` ends with 0.",
        confidence="certain",
        example=failed("deploy", "deploy@web1.example.com: Permission denied (publickey).", exit_code=255),
        near_miss=failed("deploy", "scp: /srv/shop: Permission denied", exit_code=1),
    ),
    Rule(
        "ssh_unreached",
        line(
            SCRIPTS,
            r"ssh: connect to host \S{1,200} port \d{1,5}: ",
            r"ssh: Could not resolve hostname ",
            r"(?:kex_exchange_identification|ssh_exchange_identification|banner exchange):"
            r" .{0,60}(?:[Cc]onnection|read)",
            r"Connection (?:closed|reset) by \S{1,100} port \d{1,5}$",
            r"(?:client_loop: send disconnect|packet_write_wait: .{1,100}): Broken pipe",
            r"(?:Couldn't read packet|ssh_dispatch_run_fatal: .{1,100}): (?:Connection|Broken)",
            r"Timeout, server \S{1,100} not responding",
            r"rsync error: (?:timeout in data send/receive|error in socket IO|timeout waiting for daemon)",
            r"rsync: .{0,40}failed to connect to ",
            unless=_of_git,
        ),
        "The other machine could not be reached over the network, or the connection broke off.",
        (RETRY, "nc -vz HOST 22"),
        answer=network,
        home="deploy",
        check=(
            "Whether the machine runs, and its name and port are right.",
            "Whether a firewall lets the target through to it.",
        ),
        done_when="`nc -vz HOST 22` connects, and a retry passes.",
        confidence="certain",
        example=failed("deploy", "ssh: connect to host web1 port 22: Connection timed out", exit_code=255),
        near_miss=failed("deploy", "Connection to web1 closed.", exit_code=1),
    ),
    Rule(
        "copy_failed",
        line(
            SCRIPTS,
            r"rsync: (?:\[\w{1,12}\] )?(?:link_stat|change_dir|mkdir|mkstemp|rename|delete_file|opendir"
            r"|chgrp|read|write|recv_generator:|failed to) ",
            r"rsync error: (?:some files|errors selecting|syntax or usage|error in file IO|remote command"
            r" not found)",
            r"rsync: connection unexpectedly closed",
            r"(?:scp|sftp): .{1,300}: (?:No such file or directory|Permission denied|not a regular file"
            r"|Failure)",
            r"scp: (?:realpath|dest open|stat|open|remote mkdir|mkdir) ",
            r"(?:protocol version mismatch|protocol error: )",
        ),
        "Files could not be copied to the other machine: a path is not there, or may not be written.",
        (LOGS,),
        home="deploy",
        check=(
            "Whether what is copied is in the artifact, under that path.",
            "Whether the folder exists on the other machine, and the user may write there.",
            "Whether rsync is installed on both sides.",
        ),
        done_when="The copy runs through, and the files are there.",
        confidence="certain",
        example=failed(
            "deploy", 'rsync: [sender] link_stat "/srv/build/dist" failed: No such file or directory (2)'
        ),
        near_miss=failed("deploy", "sent 120 bytes  received 11 bytes  total size is 90", exit_code=1),
    ),
    Rule(
        "sudo_asks_for_password",
        line(
            PROGRAMS,
            r"sudo: (?:a password is required|a terminal is required|no tty present|sorry, you must have a"
            r" tty)",
            r"\S{1,60} is not in the sudoers file",
            r"Failed to \S{1,20} \S{1,80}: (?:Interactive authentication required|Access denied)",
        ),
        "A command asks for a person's password, and nobody is there to type it.",
        (LOGS,),
        home="deploy",
        check=(
            "Whether the user may run that one command without a password.",
            "Whether the command needs another user's rights at all.",
        ),
        done_when="`sudo -n COMMAND` runs as the user of the step.",
        confidence="certain",
        example=failed("deploy", "sudo: a password is required", exit_code=1),
        near_miss=failed("deploy", "sudo: 3 incorrect password attempts were logged last week", exit_code=1),
    ),
    Rule(
        "unit_failed",
        line(
            SCRIPTS,
            r"Job for \S{1,120} failed because ",
            r"Failed to (?:re)?start \S{1,120}: Unit \S{1,120} not found",
            r"Unit \S{1,120} could not be found",
        ),
        "The system's service manager could not start the unit.",
        ("systemctl status UNIT", "journalctl -u UNIT -n 50"),
        home="deploy",
        check=(
            "The unit's own last lines: why its program ended.",
            "The unit's name, and whether its file is installed.",
        ),
        done_when="`systemctl is-active UNIT` says active.",
        confidence="certain",
        example=failed(
            "deploy", "Job for shop.service failed because the control process exited", exit_code=1
        ),
        near_miss=failed("deploy", "Job for order 17 queued", exit_code=1),
    ),
)
