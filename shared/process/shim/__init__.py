"""The program that stands between a worker and the process of a step, and outlives the worker.

`LocalProcesses` starts `python -I -S start.py`, once, and tells that process folders; for each it forks a
shim (`fork_server.py`), ahead of its folder where there is time, and once it has that it is on its own.
None of it imports anything of Windlass, and only what is cheap of the standard library: what is never
loaded is neither waited for by the first step nor kept in memory by every shim. It is a package, so that
what is imported is compiled once. What a shim shares with its worker is the folder, and a shim of an older
Windlass meets newer workers there:

    spec       what to run, NUL-ended `name=value` fields; removed once read (it may hold secrets)
    lock       flock'ed for as long as a shim lives here, whatever its process id
    claimed/   a shim took the folder; there is never a second one
    pid        the shim's process id and its grace in seconds
    group      the child's process group, the start of its leader, and the boot they belong to
    stop       made by a worker: do not start, or stop
    promoted   made by a worker: a kept service that ends by itself is started again
    restarts   how often that was done; not there before the first time
    output     `<unix time> <text>` a line; a kept service goes on in `output.<first line>`
    bells/     a FIFO of each worker that follows; each gets a byte when there is something to look at
    exit       how it ended, as JSON; until then `exit.reserved` keeps the room for it
    shim.log   what the shim itself had to complain about: nothing, unless it is broken

Time is read here directly: this program has no loop and no clock of Windlass's to share.
"""
